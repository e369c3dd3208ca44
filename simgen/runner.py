"""Run a stage: blocks on threads, shards on disk, resume, progress.

A *shard* is a file, a *block* a few thousand events that are in memory at a time. Blocks of all
shards are worked on by threads (the kernels hold no lock) and written in order, so that files do
not depend on the number of workers.
"""

from __future__ import annotations

import errno
import importlib.metadata
import platform
import shutil
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence, Sized
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, Literal, Protocol, TypeVar

import yaml

from simgen.errors import OutputError, RunError
from simgen.io.atomic import is_partial, remove_partials, write_text
from simgen.io.hdf5 import ColumnWriter, Compression, Header, Submit, read_header, shard_name

if TYPE_CHECKING:
    from pathlib import Path

    from simgen.io.layout import Layout

Item = TypeVar("Item")
Result = TypeVar("Result")
Payload_contra = TypeVar("Payload_contra", contravariant=True)
Block = TypeVar("Block", bound=Sized)

EVENTS_PER_BLOCK = 10_000
CONFIG_NAME = "config.yaml"
_MARK = "# Written by simgen: all that made these files, defaults included.\n"
IfExists = Literal["error", "resume", "overwrite"]
_BLOCKS_AHEAD = 2


@dataclass(frozen=True)
class Shard:
    """A range of events that go to one file."""

    number: int
    first_event: int
    n_events: int

    @property
    def name(self) -> str:
        """File name."""
        return shard_name(self.number)

    def blocks(self, size: int = EVENTS_PER_BLOCK) -> list[range]:
        """Return the event numbers of each block of this shard."""
        last = self.first_event + self.n_events
        return [range(i, min(i + size, last)) for i in range(self.first_event, last, size)]


def plan_shards(first_event: int, events: int, per_shard: int) -> list[Shard]:
    """Divide a range of events into shards."""
    return [
        Shard(i, first_event + start, min(per_shard, events - start))
        for i, start in enumerate(range(0, events, per_shard))
    ]


class Workers(Generic[Item, Result]):
    """Threads that work on items and give results in the order of the items.

    Parameters
    ----------
    n
        Number of threads.
    """

    def __init__(self, n: int) -> None:
        self._n = n
        self._pool = ThreadPoolExecutor(n, thread_name_prefix="simgen")

    def __enter__(self) -> Workers[Item, Result]:
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown(wait=True, cancel_futures=True)

    @property
    def submit(self) -> Submit:
        """Where a writer has its chunks compressed."""
        return self._pool.submit

    def map(
        self, function: Callable[[Item], Result], items: Iterable[Item]
    ) -> Iterator[tuple[Item, Result]]:
        """Yield (item, result) in order, with a few items a thread in work ahead of the reader."""
        pending: deque[tuple[Item, Future[Result]]] = deque()
        for item in items:
            pending.append((item, self._pool.submit(function, item)))
            if len(pending) >= _BLOCKS_AHEAD * self._n:
                done, future = pending.popleft()
                yield done, future.result()
        while pending:
            done, future = pending.popleft()
            yield done, future.result()


def open_output(folder: Path, config: str, if_exists: IfExists) -> None:
    """Make an output folder, or check that an old one may be used.

    Parameters
    ----------
    folder
        The folder; its parents are made too.
    config
        The resolved configuration, kept as ``config.yaml``.
    if_exists
        What to do with a folder that is not empty: refuse, continue a run of the same
        configuration, or remove its files and begin again.

    Raises
    ------
    OutputError
        If the folder cannot be used.
    """
    path = folder / CONFIG_NAME
    try:
        if folder.exists() and not folder.is_dir():
            raise OutputError(f"{folder}: is a file; a folder is needed for the output")
        used = folder.is_dir() and any(not is_partial(entry) for entry in folder.iterdir())
        if used and if_exists == "error":
            raise OutputError(
                f"{folder}: the output folder exists. Use --resume to finish a run that was "
                "stopped, --overwrite to replace it, or --output for another folder"
            )
        if used and not _is_ours(path):
            raise OutputError(
                f"{folder}: not a folder of simgen (it has no {CONFIG_NAME} that simgen wrote); "
                "nothing is changed. Choose another --output"
            )
        if used and if_exists == "overwrite":
            _clear(folder)
        if used and if_exists == "resume":
            _check_same(path, config)
            remove_partials(folder)
        folder.mkdir(parents=True, exist_ok=True)
        write_text(path, _MARK + config)
    except OSError as error:
        raise OutputError(f"{folder}: cannot be written: {error.strerror}") from error


def is_file(output: Path) -> bool:
    """Say whether an output is meant as one file (it has an ending of HDF5)."""
    return output.suffix in {".h5", ".hdf5"}


def shard_path(output: Path, shard: Shard) -> Path:
    """Return where a shard of an output goes: the output itself if it is one file."""
    return output if is_file(output) else output / shard.name


def open_stage(
    output: Path, sink: Sink[Any], config: str, shards: Sequence[Shard], if_exists: IfExists
) -> list[Shard]:
    """Make a stage's output ready; return the shards that are still to be made.

    Parameters
    ----------
    output
        A folder for shards, or one file, which then holds all events.
    sink
        What is written.
    config
        The resolved configuration, kept in a folder.
    shards
        All shards.
    if_exists
        What to do if there is an output already.

    Raises
    ------
    OutputError
        If the output cannot be used.
    """
    if not is_file(output):
        open_output(output, config, if_exists)
        check_shards(shards, [sink])
        return missing_shards([output], shards)
    if output.is_dir():
        raise OutputError(f"{output}: is a folder; a name without .h5 is needed for a folder")
    if output.exists() and if_exists == "error":
        raise OutputError(f"{output}: the file exists. Use --overwrite to replace it")
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{output}: cannot be written: {error.strerror}") from error
    whole = Shard(0, shards[0].first_event, sum(s.n_events for s in shards))
    if output.exists() and if_exists == "resume":
        check_shards([whole], [sink])
        return []
    return [whole]


def _clear(folder: Path) -> None:
    """Remove what a run made and nothing else; the configuration, which marks it as ours, stays."""
    remove_partials(folder)
    for pattern in ("part-*.h5", "*/part-*.h5", "figures/*", "summary*", "sources.csv"):
        for entry in folder.glob(pattern):
            if entry.is_file():
                entry.unlink()


def _is_ours(path: Path) -> bool:
    """Say whether a configuration file is one that `open_output` wrote."""
    return path.is_file() and path.read_bytes().startswith(_MARK.encode())


def _check_same(path: Path, config: str) -> None:
    """Refuse to resume with another configuration; show the keys that differ."""
    old, new = (_flat(yaml.safe_load(t)) for t in (path.read_text(encoding="utf-8"), config))
    differences = [
        f"  {key}: {old.get(key, 'nothing')} there, {new.get(key, 'nothing')} now"
        for key in {**old, **new}
        if old.get(key) != new.get(key)
    ]
    if differences:
        raise OutputError(
            f"{path}: made with another configuration, so it cannot be resumed:\n"
            + "\n".join(differences)
        )


def _flat(data: Any, key: str = "") -> dict[str, str]:
    """Return the values of nested mappings by their dotted keys, as text."""
    if not isinstance(data, dict):
        return {key: str(data)}
    inner = (_flat(value, f"{key}.{name}" if key else str(name)) for name, value in data.items())
    return {k: v for part in inner for k, v in part.items()}


def check_shards(shards: Sequence[Shard], sinks: Sequence[Sink[Any]]) -> None:
    """Refuse to add to files that were not made as these sinks would make them now.

    The configuration may be the same while a decay file, the input or a package has changed.

    Parameters
    ----------
    shards
        All shards; those that have no files yet are not looked at.
    sinks
        What is written.

    Raises
    ------
    OutputError
        Naming the file and what differs.
    FileFormatError
        If a file is damaged.
    """
    for shard in shards:
        for sink in sinks:
            path = sink.path(shard)
            if path.exists():
                _check_header(path, sink.header.for_events(shard.first_event, shard.n_events))


def _check_header(path: Path, expected: Header) -> None:
    """Compare the header of a file with what it should be; more provenance is no difference."""
    found = read_header(path)
    provenance = {key: found.provenance.get(key) for key in expected.provenance}
    pairs = {
        "stage": (found.stage, expected.stage),
        "seed": (found.seed, expected.seed),
        "configuration": (found.config, expected.config),
        "first event": (found.first_event, expected.first_event),
        "number of events": (found.n_events, expected.n_events),
        **{f"version of {k}": (found.versions.get(k), v) for k, v in expected.versions.items()},
        **{k.replace("_", " "): (provenance[k], v) for k, v in expected.provenance.items()},
    }
    differing = [name for name, (old, new) in pairs.items() if old != new]
    if differing:
        raise OutputError(
            f"{path}: cannot be part of this output, its {', '.join(differing)} would be different "
            "now. Use --overwrite to begin again, or another --output"
        )


def check_room(folder: Path, needed: float) -> None:
    """Refuse to start if the disk has less room than the run is expected to need.

    Parameters
    ----------
    folder
        Where the run will write; it may not exist yet.
    needed
        Expected size, bytes.

    Raises
    ------
    OutputError
        If there is not enough room.
    """
    place = folder.absolute()
    while not place.exists():
        place = place.parent
    free = shutil.disk_usage(place).free
    if free < needed:
        raise OutputError(
            f"{folder}: the disk has {free / 1e9:.3g} GB free, but this run needs about "
            f"{needed / 1e9:.3g} GB; nothing was started"
        )


@contextmanager
def disk_errors(folder: Path) -> Iterator[None]:
    """Turn a failure to write into a message that says what is kept and how to go on.

    Raises
    ------
    RunError
        If the disk is full or cannot be written to.
    """
    try:
        yield
    except (OSError, RuntimeError) as error:
        # HDF5 reports a failed write as OSError or RuntimeError, sometimes without errno.
        text = str(error)
        no_room = {errno.ENOSPC, errno.EDQUOT}
        full = getattr(error, "errno", None) in no_room or "No space left" in text
        if not full and not isinstance(error, OSError):
            raise
        reason = "the disk is full" if full else f"writing failed: {text}"
        raise RunError(
            f"{folder}: {reason}. Files that are there are whole; make room and go on with --resume"
        ) from error


def missing_shards(folders: Sequence[Path], shards: Sequence[Shard]) -> list[Shard]:
    """Return the shards that one of the folders does not have."""
    return [s for s in shards if not all((f / s.name).exists() for f in folders)]


class Appender(Protocol[Payload_contra]):
    """Takes the results of blocks, in order, to one file."""

    def append(self, payload: Payload_contra) -> None:
        """Append one block's result."""
        ...

    def provenance(self) -> dict[str, Any]:
        """Return what the header should say about all that was appended."""
        ...


@dataclass(frozen=True)
class Sink(Generic[Payload_contra]):
    """One kind of file a run writes.

    Attributes
    ----------
    path
        Gives the file of a shard.
    header
        Header of all files; the range of events is filled in.
    layout
        Columns of the files.
    appender
        Makes what takes results to a file that was just opened.
    """

    path: Callable[[Shard], Path]
    header: Header
    layout: Layout
    appender: Callable[[ColumnWriter], Appender[Payload_contra]]


def run_shards(
    shards: Sequence[Shard],
    sinks: Sequence[Sink[Any]],
    blocks: Callable[[Shard], Iterable[Block]],
    work: Callable[[Block], Sequence[Any]],
    *,
    workers: int,
    compression: Compression,
    advance: Callable[[int], None],
) -> None:
    """Make the files of all shards.

    Parameters
    ----------
    shards
        What to make.
    sinks
        The files of a shard.
    blocks
        Gives the blocks of a shard in order; called as the work goes on, on the calling thread.
    work
        Called with a block on several threads; returns one result a sink.
    workers
        Number of threads.
    compression
        Of the files.
    advance
        Called with the length of each block that is done, for a progress bar.
    """

    def items() -> Iterator[tuple[Shard, Block | None]]:
        for shard in shards:
            for block in blocks(shard):
                yield shard, block
            yield shard, None  # the end of the shard, so that one without blocks is made, too

    def work_on(item: tuple[Shard, Block | None]) -> Sequence[Any]:
        return () if item[1] is None else work(item[1])

    with (
        _interrupts_between_blocks() as check_interrupt,
        Workers[tuple[Shard, Block | None], Sequence[Any]](workers) as pool,
        ExitStack() as stack,
    ):
        current: Shard | None = None
        files: list[tuple[ColumnWriter, Appender[Any]]] = []
        for (shard, block), results in pool.map(work_on, items()):
            check_interrupt()
            if shard is not current:
                files = [_open_sink(stack, s, shard, compression, pool.submit) for s in sinks]
                current = shard
            if block is not None:
                for (_, appender), result in zip(files, results, strict=True):
                    appender.append(result)
                advance(len(block))
                continue
            for writer, appender in files:
                writer.set_provenance(**appender.provenance())
            stack.close()
        check_interrupt()


@contextmanager
def _interrupts_between_blocks() -> Iterator[Callable[[], None]]:
    """Give a function that raises KeyboardInterrupt if there was one since.

    Inside HDF5 an interrupt would leave a file that cannot be closed any more.
    """
    seen: list[int] = []

    def check() -> None:
        if seen:
            raise KeyboardInterrupt

    ours = threading.current_thread() is threading.main_thread()
    if not ours or signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield check
        return
    signal.signal(signal.SIGINT, lambda number, _: seen.append(number))
    try:
        yield check
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def _open_sink(
    stack: ExitStack, sink: Sink[Any], shard: Shard, compression: Compression, submit: Submit
) -> tuple[ColumnWriter, Appender[Any]]:
    """Open the file of a shard."""
    writer = ColumnWriter(
        sink.path(shard),
        sink.header.for_events(shard.first_event, shard.n_events),
        sink.layout,
        compression=compression,
        submit=submit,
    )
    stack.enter_context(writer)
    return writer, sink.appender(writer)


def package_versions(*packages: str) -> dict[str, str]:
    """Return versions of packages and of Python, for a file's header."""
    versions = {name: importlib.metadata.version(name) for name in packages}
    versions["python"] = platform.python_version()
    return versions
