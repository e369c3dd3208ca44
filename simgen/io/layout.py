"""How the arrays of a table map to datasets of a file: one dataset a column."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Columns = dict[str, NDArray[np.generic]]

MOMENTUM = ("px", "py", "pz", "energy")
POSITION = ("x", "y", "z")
CORRELATION = ("xy", "xz", "yz")
SPACETIME = ("x", "y", "z", "t")


@dataclass(frozen=True, slots=True)
class Field:
    """One array of a table and the datasets it is stored in.

    Attributes
    ----------
    group
        HDF5 group, relative to the file's root. A scalar field is the dataset ``group/name``; a
        vector field is one dataset a component, ``group/name/px`` and so on (or ``group/px`` if
        `flat`).
    dtype
        NumPy type on disk and in memory.
    unit
        Written to each dataset's attribute ``units``; "1" for pure numbers.
    description
        One line, written to the attribute ``description``.
    components
        Names of the components of a vector field; empty for a scalar field.
    flat
        Components directly in the group, for a table that has one such vector.
    """

    group: str
    dtype: str
    unit: str
    description: str
    components: tuple[str, ...] = ()
    flat: bool = False

    def paths(self, name: str) -> tuple[str, ...]:
        """Return the dataset paths of the field called `name`.

        Only what follows the last dot of `name` counts: a layout of several groups with equal
        columns has keys such as ``M2sB_true.m_recoil``.
        """
        column = name.rpartition(".")[2]
        if not self.components:
            return (f"{self.group}/{column}",)
        prefix = self.group if self.flat else f"{self.group}/{column}"
        return tuple(f"{prefix}/{component}" for component in self.components)


Layout = Mapping[str, Field]


def to_columns(layout: Layout, table: object) -> Columns:
    """Return the datasets of `table`, whose attributes are the names in `layout`."""
    columns: Columns = {}
    for name, field in layout.items():
        array = getattr(table, name)
        paths = field.paths(name)
        if not field.components:
            columns[paths[0]] = np.asarray(array, dtype=field.dtype)
            continue
        for i, path in enumerate(paths):
            columns[path] = np.ascontiguousarray(array[:, i], dtype=field.dtype)
    return columns


def from_columns(layout: Layout, columns: Mapping[str, NDArray[np.generic]]) -> Columns:
    """Return the arrays of a table by field name, vectors put together again as (n, k)."""
    arrays: Columns = {}
    for name, field in layout.items():
        parts = [columns[path] for path in field.paths(name)]
        arrays[name] = np.stack(parts, axis=1) if field.components else parts[0]
    return arrays
