"""The data format: HDF5, one dataset a column, a header that says what made the file.

A stage's output is one file or a folder of shards ``part-00000.h5``; readers take either.
Root attributes: ``format``, ``format_version``, ``stage``, ``seed``, ``config`` (YAML),
``versions`` (JSON), ``provenance`` (JSON: decay files with SHA-256, input files, notes of the
stage), ``first_event``, ``n_events``, ``identity`` (SHA-256 of all of these). Every dataset has
``units`` and ``description``.
"""

from __future__ import annotations

import hashlib
import json
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import h5py
import numpy as np

from simgen.errors import FileFormatError
from simgen.io.atomic import atomic_file

if TYPE_CHECKING:
    from concurrent.futures import Future
    from types import TracebackType

    from numpy.typing import NDArray

    from simgen.io.layout import Columns, Layout

FORMAT = "simgen"
FORMAT_VERSION = 1
CHUNK_ROWS = 65536
Compression = Literal["gzip", "zstd", "none"]
Submit = Callable[..., "Future[bytes]"]

_MAX_PENDING = 64
_ZSTD = 32015  # number of the filter in the registry of the HDF Group


@dataclass(frozen=True)
class Header:
    """What made a file.

    Attributes
    ----------
    stage
        ``"truth"``, ``"candidates"`` or ``"solutions"``.
    seed
        Of the stage's random streams.
    config
        The stage's whole configuration, YAML.
    versions
        Packages and their versions.
    provenance
        Anything else that is needed to make or understand the file; JSON values only.
    first_event, n_events
        Range of event numbers this file covers.
    """

    stage: str
    seed: int
    config: str
    versions: Mapping[str, str]
    provenance: Mapping[str, Any] = field(default_factory=dict)
    first_event: int = 0
    n_events: int = 0

    @property
    def identity(self) -> str:
        """SHA-256 of everything the header says."""
        content = json.dumps(
            [FORMAT_VERSION, self.stage, self.seed, self.config, dict(self.versions),
             self.provenance, self.first_event, self.n_events], sort_keys=True,
        )  # fmt: skip
        return hashlib.sha256(content.encode()).hexdigest()

    def for_events(self, first_event: int, n_events: int) -> Header:
        """Return the header of one shard."""
        return replace(self, first_event=first_event, n_events=n_events)


class ColumnWriter:
    """Write columns block by block to one file that appears when it is whole.

    Use as a context manager; if the block raises, no file appears.

    Parameters
    ----------
    path
        The file.
    header
        Written when the file is closed.
    layout
        Units, descriptions and types of the columns.
    compression
        ``"gzip"`` (with shuffle), ``"zstd"`` (with shuffle) or ``"none"``.
    submit
        Where to compress chunks, ``executor.submit``; None to do it in the calling thread.
    """

    def __init__(
        self,
        path: Path,
        header: Header,
        layout: Layout,
        *,
        compression: Compression = "gzip",
        submit: Submit | None = None,
    ) -> None:
        self._path, self._header, self._layout = path, header, layout
        self._compression, self._submit = compression, submit
        self._stack = ExitStack()
        self._datasets: dict[str, h5py.Dataset] = {}
        self._waiting: dict[str, list[NDArray[np.generic]]] = {}
        self._rows: dict[str, int] = {}
        self._pending: deque[tuple[str, int, Future[bytes]]] = deque()
        self._attributes: dict[str, Any] = {}

    def __enter__(self) -> ColumnWriter:
        target = self._stack.enter_context(atomic_file(self._path))
        self._file = self._stack.enter_context(h5py.File(target, "w"))
        for name, column in self._layout.items():
            for path in column.paths(name):
                self._create(path, column.dtype, column.unit, column.description)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            if kind is None:
                self._finish()
        except BaseException as failure:
            self._stack.__exit__(type(failure), failure, failure.__traceback__)
            raise
        self._stack.__exit__(kind, error, traceback)

    def append(self, columns: Columns) -> None:
        """Append one block's rows to every dataset; lengths may differ between datasets."""
        for path, array in columns.items():
            self._waiting[path].append(array)
            self._rows[path] += len(array)
            while self._rows[path] >= CHUNK_ROWS:
                self._cut(path, CHUNK_ROWS)

    def set_provenance(self, **values: Any) -> None:
        """Add to the header's provenance what is known only after the work, such as counts."""
        self._header = replace(self._header, provenance={**self._header.provenance, **values})

    def _create(self, path: str, dtype: str, unit: str, description: str) -> None:
        """Create one empty, growing dataset."""
        filters: dict[str, Any] = {}
        if self._compression == "gzip":
            filters = {"compression": "gzip", "compression_opts": 1, "shuffle": True}
        elif self._compression == "zstd":
            import hdf5plugin

            filters = {**hdf5plugin.Zstd(clevel=1), "shuffle": True}
        dataset = self._file.create_dataset(
            path, shape=(0,), maxshape=(None,), chunks=(CHUNK_ROWS,), dtype=dtype, **filters
        )
        dataset.attrs["units"] = unit
        dataset.attrs["description"] = description
        self._datasets[path] = dataset
        self._waiting[path], self._rows[path] = [], 0

    def _cut(self, path: str, rows: int) -> None:
        """Take `rows` waiting rows of a dataset and write them as its next chunk."""
        joined = np.concatenate(self._waiting[path])
        chunk, rest = joined[:rows], joined[rows:]
        self._waiting[path] = [rest] if len(rest) else []
        self._rows[path] = len(rest)
        if self._compression == "gzip":
            self._encode(path, rows, chunk)
        else:
            start = self._grow(path, rows)
            self._datasets[path][start : start + rows] = chunk

    def _grow(self, path: str, rows: int) -> int:
        """Make a dataset longer; return where the new rows begin."""
        dataset = self._datasets[path]
        start = int(dataset.shape[0])
        dataset.resize((start + rows,))
        return start

    def _encode(self, path: str, rows: int, chunk: NDArray[np.generic]) -> None:
        """Compress a chunk here or elsewhere.

        Chunks go to the file in the order they were cut, and a dataset grows when its chunk is
        written: HDF5 sees the same calls in the same order however many threads compress.
        """
        from simgen.io.encode import encode_gzip

        if rows < CHUNK_ROWS:
            chunk = np.concatenate([chunk, np.zeros(CHUNK_ROWS - rows, chunk.dtype)])
        whole = np.ascontiguousarray(chunk)
        if self._submit is None:
            self._write_encoded(path, rows, encode_gzip(whole))
            return
        self._pending.append((path, rows, self._submit(encode_gzip, whole)))
        while self._pending and (len(self._pending) > _MAX_PENDING or self._pending[0][2].done()):
            self._write_oldest()

    def _write_oldest(self) -> None:
        """Write the chunk that was submitted first."""
        path, rows, encoded = self._pending.popleft()
        self._write_encoded(path, rows, encoded.result())

    def _write_encoded(self, path: str, rows: int, data: bytes) -> None:
        """Write a compressed chunk as the next rows of a dataset."""
        start = self._grow(path, rows)
        self._datasets[path].id.write_direct_chunk((start,), data)

    def _finish(self) -> None:
        """Write what is left, and the header."""
        for path, rows in self._rows.items():
            if rows:
                self._cut(path, rows)
        while self._pending:
            self._write_oldest()
        write_header(self._file, self._header)


def write_header(file: h5py.File, header: Header) -> None:
    """Write a header to the root attributes of an open file."""
    attributes = file.attrs
    attributes["format"] = FORMAT
    attributes["format_version"] = FORMAT_VERSION
    attributes["stage"] = header.stage
    attributes["seed"] = header.seed
    attributes["config"] = header.config
    attributes["versions"] = json.dumps(dict(header.versions), sort_keys=True)
    attributes["provenance"] = json.dumps(header.provenance)
    attributes["first_event"] = header.first_event
    attributes["n_events"] = header.n_events
    attributes["identity"] = header.identity


def read_header(path: Path, stage: str | None = None) -> Header:
    """Read and check the header of one file.

    Parameters
    ----------
    path
        The file.
    stage
        The stage it has to be of; None for any.

    Raises
    ------
    FileFormatError
        If the file is missing, not HDF5, truncated, not of this program, of a newer format, or
        of another stage.
    """
    with _open(path) as file:
        attributes = dict(file.attrs)
    if attributes.get("format") != FORMAT:
        raise FileFormatError(f"{path}: an HDF5 file, but not one that simgen wrote")
    version = int(attributes["format_version"])
    if version > FORMAT_VERSION:
        raise FileFormatError(
            f"{path}: format version {version} is newer than this program reads (at most "
            f"{FORMAT_VERSION}); install a newer simgen"
        )
    found = str(attributes["stage"])
    if stage is not None and found != stage:
        makes = {"truth": "simgen generate", "candidates": "simgen smear",
                 "solutions": "simgen solve"}  # fmt: skip
        raise FileFormatError(
            f"{path}: holds {found}, but {stage} are needed here ({makes.get(stage)} makes them)"
        )
    return Header(
        stage=found,
        seed=int(attributes["seed"]),
        config=str(attributes["config"]),
        versions=json.loads(attributes["versions"]),
        provenance=json.loads(attributes["provenance"]),
        first_event=int(attributes["first_event"]),
        n_events=int(attributes["n_events"]),
    )


def _open(path: Path) -> h5py.File:
    """Open a file for reading, or say what is wrong with it."""
    if not path.exists():
        raise FileFormatError(f"{path}: there is no such file or folder")
    try:
        return h5py.File(path, "r", locking=False)
    except OSError as error:
        text = str(error)
        if "truncated" in text:
            reason = "the file is cut short"
        elif "signature not found" in text:
            reason = "it is not an HDF5 file, or its beginning is damaged"
        else:
            reason = text
        raise FileFormatError(f"{path}: cannot be read: {reason}") from error


def file_compression(path: Path) -> Compression:
    """Return how the datasets of a file are compressed.

    Raises
    ------
    FileFormatError
        If the file cannot be read.
    """
    filters: set[int] = set()

    def visit(_: str, item: h5py.Group | h5py.Dataset) -> None:
        if isinstance(item, h5py.Dataset):
            created = item.id.get_create_plist()
            filters.update(created.get_filter(i)[0] for i in range(created.get_nfilters()))

    with _open(path) as file:
        file.visititems(visit)
    if _ZSTD in filters:
        return "zstd"
    return "gzip" if h5py.h5z.FILTER_DEFLATE in filters else "none"


def find_shards(path: str | Path, stage: str | None = None) -> list[Path]:
    """Return the files of a stage's output, in order, each header checked.

    Parameters
    ----------
    path
        A file, a folder of shards, or a run folder that has a folder of this stage.
    stage
        The stage the files have to be of.

    Raises
    ------
    FileFormatError
        See `read_header`; also if a folder has no shards or a gap in their numbers.
    """
    path = Path(path)
    if stage is not None and (path / stage).is_dir():
        path = path / stage
    if not path.is_dir():
        read_header(path, stage)
        return [path]
    shards = sorted(path.glob("part-*.h5"))
    if not shards:
        raise FileFormatError(f"{path}: no files part-NNNNN.h5 in this folder")
    for number, shard in enumerate(shards):
        if shard.name != shard_name(number):
            raise FileFormatError(
                f"{path}: {shard_name(number)} is missing; finish the run with --resume"
            )
        read_header(shard, stage)
    return shards


def shard_name(number: int) -> str:
    """Return the file name of a shard."""
    return f"part-{number:05d}.h5"


def concatenate_columns(paths: Sequence[Path], layout: Layout) -> Columns:
    """Read the datasets of several files, one after the other in each.

    Parameters
    ----------
    paths
        Files of one stage.
    layout
        What to read.

    Raises
    ------
    FileFormatError
        If a dataset is missing or damaged.
    """
    parts: dict[str, list[NDArray[np.generic]]] = {}
    for path in paths:
        with _open(path) as file:
            for name, column in layout.items():
                for dataset in column.paths(name):
                    values = read_dataset(file, path, dataset, slice(None))
                    parts.setdefault(dataset, []).append(values)
    return {dataset: np.concatenate(values) for dataset, values in parts.items()}


def read_dataset(file: h5py.File, path: Path, dataset: str, rows: slice) -> NDArray[np.generic]:
    """Read rows of one dataset of an open file."""
    if dataset not in file:
        raise FileFormatError(f"{path}: the dataset {dataset} is missing")
    try:
        values: NDArray[np.generic] = file[dataset][rows]
    except OSError as error:
        raise FileFormatError(f"{path}: the dataset {dataset} is damaged: {error}") from error
    return values


def iterate_rows(path: Path, layout: Layout, group: str, rows: int) -> Iterator[Columns]:
    """Read a table of one file block by block.

    Parameters
    ----------
    path
        The file.
    layout
        A layout whose fields all have the same number of rows.
    group
        Any dataset path of the layout, whose length is the table's.
    rows
        Rows in a block.
    """
    with _open(path) as file:
        if group not in file:
            raise FileFormatError(f"{path}: the dataset {group} is missing")
        total = file[group].shape[0]
        for start in range(0, total, rows):
            yield {
                dataset: read_dataset(file, path, dataset, slice(start, start + rows))
                for name, column in layout.items()
                for dataset in column.paths(name)
            }
