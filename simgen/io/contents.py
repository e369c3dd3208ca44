"""What is in a file, a folder of shards or a run folder."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import h5py

from simgen.errors import FileFormatError
from simgen.io.hdf5 import Header, find_shards, read_header, shard_name

STAGES = ("truth", "candidates", "solutions")


@dataclass(frozen=True, slots=True)
class Column:
    """One dataset: its path, type, rows over all files, unit and description."""

    path: str
    dtype: str
    rows: int
    unit: str
    description: str


@dataclass(frozen=True)
class Contents:
    """What one stage has left.

    Attributes
    ----------
    stage
        ``truth``, ``candidates`` or ``solutions``.
    files
        The files, in order.
    headers
        Their headers.
    columns
        Their datasets.
    """

    stage: str
    files: tuple[Path, ...]
    headers: tuple[Header, ...]
    columns: tuple[Column, ...]

    @property
    def n_events(self) -> int:
        """Number of events the files cover."""
        return sum(header.n_events for header in self.headers)

    @property
    def size(self) -> int:
        """Size of the files in bytes."""
        return sum(file.stat().st_size for file in self.files)


def inspect(path: str | Path) -> list[Contents]:
    """Return what a file, a folder of shards or a run folder holds, a stage each.

    Raises
    ------
    FileFormatError
        If a file is missing or damaged, or the folder has none.
    """
    place = Path(path)
    folders = [place / stage for stage in STAGES if (place / stage).is_dir()]
    others = sorted(shard.parent for shard in place.glob(f"*/{shard_name(0)}"))
    found = []
    for folder in folders or others or [place]:
        files = find_shards(folder)
        headers = tuple(read_header(file) for file in files)
        found.append(Contents(headers[0].stage, tuple(files), headers, _columns(files)))
    return found


def _columns(files: list[Path]) -> tuple[Column, ...]:
    """Return the datasets of files that have the same, rows added up."""
    found: dict[str, Column] = {}
    for path in files:
        with h5py.File(path, "r", locking=False) as file:
            for column in _datasets(file):
                before = found[column.path].rows if column.path in found else 0
                rows = before + column.rows
                found[column.path] = Column(
                    column.path, column.dtype, rows, column.unit, column.description
                )
    if not found:
        raise FileFormatError(f"{files[0]}: the file has no columns")
    return tuple(found.values())


def _datasets(file: h5py.File) -> list[Column]:
    """Return the datasets of one open file."""
    found: list[Column] = []

    def visit(name: str, item: object) -> None:
        if isinstance(item, h5py.Dataset):
            unit, text = (str(item.attrs.get(key, "")) for key in ("units", "description"))
            found.append(Column(name, str(item.dtype), int(item.shape[0]), unit, text))

    file.visititems(visit)
    return found
