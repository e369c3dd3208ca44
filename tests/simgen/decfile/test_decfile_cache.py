"""The cache of parsed decay files: used when sound, ignored when not."""

from __future__ import annotations

import pathlib
from typing import TYPE_CHECKING

import pytest

from simgen.decfile import cache, parse, parse_decfile_text

if TYPE_CHECKING:
    from pathlib import Path

TEXT = "Decay B+\n1.0 K+ pi0 SVS_CP 1.0 x;\nEnddecay\nSetLineshapePW D_1+ D*+ pi0 2\nEnd\nrest"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(cache.CACHE_VARIABLE, str(tmp_path))
    return tmp_path


def refuse_to_parse(*_: object) -> None:
    msg = "parsed instead of read from the cache"
    raise AssertionError(msg)


def test_second_reading_comes_from_the_cache(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = parse_decfile_text(TEXT)
    assert len(list(folder.glob("decfiles/*.json"))) == 1
    assert not list(folder.glob("decfiles/*.tmp"))
    monkeypatch.setattr(parse, "lay_out", refuse_to_parse)
    assert parse_decfile_text(TEXT) == first


@pytest.mark.parametrize("damage", [b"", b"{}", b"0\n{}", b"\xff\xfe", None])
def test_damaged_entry_is_made_again(folder: Path, damage: bytes | None) -> None:
    first = parse_decfile_text(TEXT)
    (entry,) = folder.glob("decfiles/*.json")
    whole = entry.read_bytes()
    entry.write_bytes(whole[: len(whole) // 2] if damage is None else damage)
    assert parse_decfile_text(TEXT) == first
    assert entry.read_bytes() == whole


def test_changed_content_is_noticed(folder: Path) -> None:
    first = parse_decfile_text(TEXT)
    (entry,) = folder.glob("decfiles/*.json")
    entry.write_bytes(entry.read_bytes().replace(b"K+", b"K-"))
    assert parse_decfile_text(TEXT) == first


def test_folder_that_cannot_be_made_is_ignored(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    monkeypatch.setenv(cache.CACHE_VARIABLE, str(blocked))
    assert len(parse_decfile_text(TEXT).statements) == 2
    assert len(parse_decfile_text(TEXT).statements) == 2


def test_failed_writing_leaves_nothing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full_disk(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(pathlib.Path, "replace", full_disk)
    assert len(parse_decfile_text(TEXT).statements) == 2
    assert not [path for path in folder.rglob("*") if path.is_file()]


def test_other_version_of_the_grammar_is_another_entry(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    parse_decfile_text(TEXT)
    monkeypatch.setattr(parse, "version", lambda _: "0.0")
    parse_decfile_text(TEXT)
    assert len(list(folder.glob("decfiles/*.json"))) == 2


def test_default_folder_is_the_users(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(cache.CACHE_VARIABLE)
    assert cache.cache_folder().parts[-1] == "decfiles"
    assert "simgen" in cache.cache_folder().parts
