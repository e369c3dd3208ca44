"""Run a stage that makes files of one kind from files of another, shard by shard."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence, Sized
from typing import TYPE_CHECKING, Any, Protocol, Self, TypeVar

from simgen.errors import OutputError
from simgen.generation import to_yaml
from simgen.io.hdf5 import file_compression
from simgen.processors import default_workers
from simgen.progress import compiling, progress_bar
from simgen.runner import (
    IfExists,
    Shard,
    Sink,
    check_room,
    disk_errors,
    is_file,
    missing_shards,
    open_stage,
    run_shards,
)

if TYPE_CHECKING:
    from pathlib import Path

    from simgen.io.hdf5 import Header


class EventRows(Sized, Protocol):
    """A block of rows that belong to events, in the order of their numbers."""

    def before(self, event_id: int) -> Self:
        """Return the rows of events with smaller numbers."""
        ...


Block = TypeVar("Block", bound=EventRows)


def run_stage(
    inputs: Sequence[tuple[Path, Header]],
    target: Path,
    sink: Sink[Any],
    read: Callable[[Path], Iterable[Block]],
    work: Callable[[Block], Any],
    *,
    label: str,
    bytes_per_event: float,
    events: int | None,
    workers: int | None,
    if_exists: IfExists,
    progress: bool,
) -> None:
    """Make one output shard of each input shard, or one file of all, compressed as the input.

    Parameters
    ----------
    inputs
        Files of the stage before, in order, with their headers.
    target
        A folder for shards, or one file.
    sink
        What is written.
    read
        Gives the blocks of an input file.
    work
        Makes the result of a block; called on several threads.
    label
        What a block holds, for the progress bar.
    bytes_per_event
        Expected size of the output for each event of the input.
    events
        Use only so many events, the first; None for all.
    workers
        Number of threads; None for one a processor.
    if_exists
        What to do if the output exists.
    progress
        Show a progress bar.

    Raises
    ------
    SimgenError
        If the output cannot be used or written.
    """
    _refuse_input_as_output([path for path, _ in inputs], target)
    used = _first_events(inputs, events)
    headers = [header for _, header in used]
    every = [Shard(i, h.first_event, h.n_events) for i, h in enumerate(headers)]
    check_room(target, bytes_per_event * sum(s.n_events for s in missing_shards([target], every)))
    made_from = to_yaml({"input": [header.identity for header in headers]})
    shards = open_stage(target, sink, sink.header.config + made_from, every, if_exists)
    first = next(_read_file(read, *used[0]), None)
    if first is not None:
        with compiling(show=progress):
            work(first)

    def blocks(shard: Shard) -> Iterator[Block]:
        for path, header in used if is_file(target) else [used[shard.number]]:
            yield from _read_file(read, path, header)

    with disk_errors(target), progress_bar(label, None, show=progress) as advance:
        run_shards(
            shards,
            [sink],
            blocks,
            lambda block: [work(block)],
            workers=workers or default_workers(),
            compression=file_compression(used[0][0]),
            advance=advance,
        )


def _refuse_input_as_output(inputs: Sequence[Path], target: Path) -> None:
    """Refuse an output that is the input or holds it: to overwrite it would be its end."""
    output = target.resolve()
    for path in inputs:
        if output in {path.resolve(), *path.resolve().parents}:
            raise OutputError(f"{target}: is, or holds, the input {path}; choose another --output")


def _first_events(
    inputs: Sequence[tuple[Path, Header]], events: int | None
) -> list[tuple[Path, Header]]:
    """Return the files that hold the first events, headers cut to what is used of them."""
    if events is None:
        return list(inputs)
    used = []
    left = events
    for path, header in inputs:
        n = min(left, header.n_events)
        if n > 0:
            used.append((path, header.for_events(header.first_event, n)))
        left -= n
    return used


def _read_file(
    read: Callable[[Path], Iterable[Block]], path: Path, header: Header
) -> Iterator[Block]:
    """Yield the blocks of a file as far as its header says."""
    end = header.first_event + header.n_events
    for block in read(path):
        kept = block.before(end)
        yield kept
        if len(kept) < len(block):
            return
