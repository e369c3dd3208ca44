"""Masses of the invisible system from a user's file, one for each event, looked up by event_id."""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import h5py
import numpy as np
from pydantic import BaseModel, ConfigDict, Field, field_validator

from simgen.errors import FileFormatError

if TYPE_CHECKING:
    from simgen.typing import FloatArray, IntArray

MASS_NAMES = ("true", "posterior", "m_hat", "zero")
"""Choices of m_nunu that are words, which no file may be called."""
_HDF5 = (".h5", ".hdf5")
MASS_FILES = (*_HDF5, ".csv")
"""Endings a file of masses may have."""


class MassFile(BaseModel):
    """A file of masses: CSV with a header line, or HDF5 with datasets of the same names.

    The columns are ``event_id`` and ``m_nunu`` (GeV). The file's name without its suffix names the
    methods that use it: ``M2sB_regression`` for ``regression.csv``.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    file: str = Field(description="a .csv, .h5 or .hdf5 file, found from the working directory")

    @field_validator("file")
    @classmethod
    def _can_be_used(cls, value: str) -> str:
        """Refuse a missing or unreadable file before the work starts."""
        path = Path(value)
        if path.suffix not in MASS_FILES:
            raise ValueError("should end in .csv, .h5 or .hdf5")
        if path.stem in MASS_NAMES or not re.fullmatch(r"[A-Za-z]\w*", path.stem, re.ASCII):
            raise ValueError(
                "names its methods, so it should be letters, digits and _, and none of "
                f"{', '.join(MASS_NAMES)}"
            )
        try:
            read_masses(value)
        except FileFormatError as error:
            raise ValueError(str(error)) from error
        return value

    @property
    def name(self) -> str:
        """Name of this choice in names of methods."""
        return Path(self.file).stem

    def of_events(self, event_id: IntArray) -> FloatArray:
        """Return the masses of some events, (n,) GeV; nan for events the file does not have."""
        known, masses = read_masses(self.file)
        row = np.minimum(np.searchsorted(known, event_id), len(known) - 1)
        return np.where(known[row] == event_id, masses[row], np.nan)


@lru_cache(maxsize=8)
def read_masses(file: str) -> tuple[IntArray, FloatArray]:
    """Read a file of masses, once in the life of the program.

    Parameters
    ----------
    file
        Its path.

    Returns
    -------
    event_id, m_nunu : (n,) arrays
        Ascending in event_id; masses in GeV.

    Raises
    ------
    FileFormatError
        If the file is missing or damaged, lacks a column, or has an event twice.
    """
    path = Path(file)
    try:
        columns = _read_hdf5(path) if path.suffix in _HDF5 else _read_csv(path)
    except (OSError, ValueError) as error:
        reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
        raise FileFormatError(f"{path}: cannot be read: {reason.splitlines()[0]}") from error
    if missing := {"event_id", "m_nunu"} - set(columns):
        raise FileFormatError(f"{path}: has no column {' and no '.join(sorted(missing))}")
    event_id = np.asarray(columns["event_id"], np.int64)
    masses = np.asarray(columns["m_nunu"], np.float64)
    if event_id.ndim != 1 or event_id.shape != masses.shape or len(event_id) == 0:
        raise FileFormatError(f"{path}: event_id and m_nunu should be two columns of equal length")
    order = np.argsort(event_id, kind="stable")
    event_id, masses = event_id[order], masses[order]
    if np.any(twice := event_id[1:] == event_id[:-1]):
        raise FileFormatError(f"{path}: event {event_id[1:][twice][0]} is there twice")
    return event_id, masses


def _read_hdf5(path: Path) -> dict[str, np.ndarray]:
    """Return the datasets at the top of a file."""
    with h5py.File(path, "r") as file:
        return {name: item[...] for name, item in file.items() if isinstance(item, h5py.Dataset)}


def _read_csv(path: Path) -> dict[str, np.ndarray]:
    """Return the columns of a file whose first line names them."""
    with path.open(encoding="utf-8") as file:
        names = [name.strip() for name in file.readline().split(",")]
        table = np.loadtxt(file, delimiter=",", ndmin=2)
    if table.shape[1] != len(names):
        raise ValueError(f"{len(names)} names, but {table.shape[1]} columns")
    return dict(zip(names, table.T, strict=True))
