"""Truth files: events and their particles."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import h5py
import numpy as np

from simgen.errors import FileFormatError
from simgen.events import EVENT_LAYOUT, EventBlock, concatenate
from simgen.io.hdf5 import ColumnWriter, find_shards, read_dataset, read_header

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from simgen.io.layout import Columns, Layout

TRUTH = "truth"
_OFFSETS = "events/offsets"
_EVENT_ROWS = {
    name: f for name, f in EVENT_LAYOUT.items() if f.group == "events" and name != "offsets"
}
_PARTICLE_ROWS: Layout = {n: f for n, f in EVENT_LAYOUT.items() if f.group == "particles"}


class TruthAppender:
    """Append event blocks to one truth file, keeping its offsets running."""

    def __init__(self, writer: ColumnWriter) -> None:
        self._writer, self._particles, self._started = writer, 0, False

    def append(self, block: EventBlock) -> None:
        """Append a block."""
        columns = block.columns()
        running = block.offsets + self._particles
        columns[_OFFSETS] = running[1:] if self._started else running
        self._writer.append(columns)
        self._started = True
        self._particles += block.n_particles

    def provenance(self) -> dict[str, Any]:
        """Return nothing: the header says all there is to say about truth."""
        return {}


def iterate_events(path: str | Path, events: int = 10_000) -> Iterator[EventBlock]:
    """Read truth block by block.

    Parameters
    ----------
    path
        A truth file, a folder of shards, or a run folder.
    events
        Events in a block; the last of each file may be smaller.

    Raises
    ------
    FileFormatError
        If a file is missing, damaged or not truth.
    """
    for shard in find_shards(path, TRUTH):
        with h5py.File(shard, "r", locking=False) as file:
            total = len(read_dataset(file, shard, _OFFSETS, slice(None))) - 1
            for first in range(0, total, events):
                yield _read_block(file, shard, first, min(first + events, total))


def read_events(path: str | Path) -> EventBlock:
    """Read all events of a truth file, a folder of shards, or a run folder at once.

    Raises
    ------
    FileFormatError
        If a file is missing, damaged or not truth.
    """
    return concatenate(list(iterate_events(path, 10**9)))


def read_event(path: str | Path, event_id: int) -> EventBlock:
    """Read one event by its number.

    Raises
    ------
    FileFormatError
        If no file has this event.
    """
    covered = []
    for shard in find_shards(path, TRUTH):
        header = read_header(shard, TRUTH)
        row = event_id - header.first_event
        if 0 <= row < header.n_events:
            with h5py.File(shard, "r", locking=False) as file:
                return _read_block(file, shard, row, row + 1)
        covered.append(f"{header.first_event} to {header.first_event + header.n_events - 1}")
    raise FileFormatError(f"{path}: there is no event {event_id}; events are {', '.join(covered)}")


def _read_block(file: h5py.File, path: Path, first: int, last: int) -> EventBlock:
    """Read events `first` to `last` of an open file."""
    offsets = read_dataset(file, path, _OFFSETS, slice(first, last + 1)).astype(np.int64)
    columns: Columns = {_OFFSETS: offsets - offsets[0]}
    for layout, rows in (
        (_EVENT_ROWS, slice(first, last)),
        (_PARTICLE_ROWS, slice(int(offsets[0]), int(offsets[-1]))),
    ):
        for name, column in layout.items():
            for dataset in column.paths(name):
                columns[dataset] = read_dataset(file, path, dataset, rows)
    return EventBlock.from_columns(columns)
