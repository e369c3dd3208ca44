"""Truth files: written and read back, as a whole, block by block, event by event."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from simgen.errors import FileFormatError
from simgen.events import EventBlock, concatenate
from simgen.generation import generate, prepare_generation
from simgen.io.truth import iterate_events, read_event, read_events

if TYPE_CHECKING:
    from pathlib import Path

FIELDS = tuple(EventBlock.__dataclass_fields__)
CONFIG = {
    "events": 250,
    "first_event": 1000,
    "seed": 5,
    "detector": "belle2",
    "generator": {"name": "decfile", "decay_files": ["ktaumu.dec"], "base": None},
    "output": {"events_per_shard": 100},
}


def assert_same(a, b):
    for name in FIELDS:
        np.testing.assert_array_equal(getattr(a, name), getattr(b, name), err_msg=name)
        assert getattr(a, name).dtype == getattr(b, name).dtype, name


@pytest.fixture(scope="module")
def truth(tmp_path_factory) -> Path:
    """Return a folder of three shards, 100 + 100 + 50 events from number 1000 on."""
    return generate(CONFIG, tmp_path_factory.mktemp("truth") / "out", workers=2)


@pytest.fixture(scope="module")
def made():
    """Return the same events from memory."""
    return prepare_generation(CONFIG).block(1000, 250)


def test_events_come_back_as_they_were_made(truth, made):
    assert len(list(truth.glob("part-*.h5"))) == 3
    assert_same(read_events(truth), made)


@pytest.mark.parametrize("size", [7, 100, 1000])
def test_blocks_of_any_size_hold_all_events(truth, made, size):
    blocks = list(iterate_events(truth, size))
    assert max(len(b) for b in blocks) <= size
    assert all(b.offsets[0] == 0 for b in blocks)
    assert_same(concatenate(blocks), made)


@pytest.mark.parametrize("number", [1000, 1099, 1100, 1249])
def test_one_event_by_its_number(truth, made, number):
    assert_same(read_event(truth, number), made.select(number - 1000, number - 999))


def test_number_that_is_not_there(truth):
    with pytest.raises(FileFormatError, match=r"no event 999; events are 1000 to 1099, 1100 to"):
        read_event(truth, 999)


def test_damaged_data_are_noticed(truth, tmp_path):
    """Bytes in the middle of a chunk overwritten: the checksum of gzip fails."""
    damaged = tmp_path / "part-00000.h5"
    data = bytearray((truth / "part-00000.h5").read_bytes())
    middle = len(data) // 2
    data[middle : middle + 4000] = b"\x00" * 4000
    damaged.write_bytes(data)
    with pytest.raises(FileFormatError, match=r"part-00000\.h5: .*(damaged|cannot be read)"):
        read_events(damaged)
