"""Fixtures of the decay-file tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from simgen.decfile import DecayTable, load_decay_table
from simgen.decfile.cache import CACHE_VARIABLE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@pytest.fixture(scope="session", autouse=True)
def separate_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep the cache of these tests out of the user's."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(CACHE_VARIABLE, str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """Write a decay file and return its path."""

    def write_text(text: str, name: str = "user.dec") -> Path:
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return path

    return write_text


@pytest.fixture
def load(write: Callable[..., Path]) -> Callable[..., DecayTable]:
    """Load decay files given as text, without a base table if none is given."""

    def load_texts(*texts: str, base: str | Path | None = None) -> DecayTable:
        paths = [write(text, f"user{number}.dec") for number, text in enumerate(texts)]
        return load_decay_table(paths, base)

    return load_texts


@pytest.fixture(scope="session", params=["DECAY_BELLE2.DEC", "DECAY_LHCB.DEC"])
def shipped(request: pytest.FixtureRequest) -> DecayTable:
    """Return each of the tables that come with decaylanguage."""
    return load_decay_table([], request.param)
