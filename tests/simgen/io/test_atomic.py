"""Files appear whole or not at all."""

from __future__ import annotations

import pytest

import simgen.io.atomic
from simgen.io.atomic import atomic_file, remove_partials, write_text


@pytest.fixture(params=["nameless", "renamed"])
def way(request, monkeypatch):
    """Both ways a file can be made: without a name until whole, or renamed when whole."""
    if request.param == "renamed":
        monkeypatch.setattr(simgen.io.atomic, "_open_nameless", lambda _folder: None)
    return request.param


def names(folder):
    return sorted(p.name for p in folder.iterdir())


@pytest.mark.usefixtures("way")
class TestAtomicFile:
    def test_appears_when_the_block_ends(self, tmp_path):
        path = tmp_path / "a.bin"
        with atomic_file(path) as file:
            file.write(b"abc")
            assert not path.exists()
        assert path.read_bytes() == b"abc"
        assert names(tmp_path) == ["a.bin"]

    def test_leaves_nothing_after_an_exception(self, tmp_path):
        def fail():
            with atomic_file(tmp_path / "a.bin") as file:
                file.write(b"abc")
                raise ValueError("stop")

        with pytest.raises(ValueError, match="stop"):
            fail()
        assert names(tmp_path) == []

    def test_keeps_the_old_file_after_an_exception(self, tmp_path):
        path = tmp_path / "a.bin"
        path.write_bytes(b"old")

        def fail():
            with atomic_file(path) as file:
                file.write(b"new")
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            fail()
        assert path.read_bytes() == b"old"
        assert names(tmp_path) == ["a.bin"]

    def test_replaces_an_old_file(self, tmp_path):
        path = tmp_path / "a.bin"
        path.write_bytes(b"old and longer")
        with atomic_file(path) as file:
            file.write(b"new")
            assert path.read_bytes() == b"old and longer"
        assert path.read_bytes() == b"new"
        assert names(tmp_path) == ["a.bin"]

    def test_replaces_although_a_killed_process_left_its_partial_file(self, tmp_path):
        path = tmp_path / "a.bin"
        path.write_bytes(b"old")
        (tmp_path / ".a.bin.partial").write_bytes(b"half")
        with atomic_file(path) as file:
            file.write(b"new")
        assert path.read_bytes() == b"new"
        assert names(tmp_path) == ["a.bin"]

    def test_has_the_permissions_of_any_new_file(self, tmp_path):
        ordinary = tmp_path / "b.bin"
        ordinary.write_bytes(b"")
        with atomic_file(tmp_path / "a.bin"):
            pass
        assert (tmp_path / "a.bin").stat().st_mode == ordinary.stat().st_mode


def test_text_is_written_as_utf8(tmp_path):
    write_text(tmp_path / "a.txt", "τ → μνν\n")
    assert (tmp_path / "a.txt").read_bytes() == "τ → μνν\n".encode()


def test_partial_files_are_removed_below_a_folder_and_nothing_else(tmp_path):
    (tmp_path / "truth").mkdir()
    for name in (".a.h5.partial", "truth/.part-00001.h5.partial", "truth/part-00000.h5", ".x"):
        (tmp_path / name).write_bytes(b"")
    remove_partials(tmp_path)
    assert names(tmp_path) == [".x", "truth"]
    assert names(tmp_path / "truth") == ["part-00000.h5"]
