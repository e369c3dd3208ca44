"""Solutions as users see them: read a run, get columns by method and name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from m2solve.study.histograms import file_methods
from m2solve.study.methods import COMMON_LAYOUT, Method, method_layout, solution_layout
from simgen.io.hdf5 import concatenate_columns, find_shards

if TYPE_CHECKING:
    from pathlib import Path

    import awkward as ak
    from numpy.typing import NDArray

    from simgen.io.layout import Columns, Field, Layout

CANDIDATE = "candidate"


@dataclass(frozen=True)
class Solutions:
    """All solutions of a run, a row a candidate.

    ``solutions["M2sB_m_hat", "m_recoil"]`` is a column of a method, (n,) or (n, 4) for momenta;
    ``solutions["candidate", "tau_mode"]`` one that all methods share.

    Attributes
    ----------
    methods
        The methods.
    columns
        Datasets by path.
    """

    methods: tuple[Method, ...]
    columns: Columns

    def __len__(self) -> int:
        return len(self.columns[f"{CANDIDATE}/event_id"])

    def __getitem__(self, key: tuple[str, str]) -> NDArray[np.generic]:
        group, name = key
        field = self._field(group, name)
        parts = [self.columns[path] for path in field.paths(name)]
        return np.stack(parts, axis=1) if field.components else parts[0]

    def _layouts(self) -> dict[str, Layout]:
        """Return the columns of each group."""
        return {CANDIDATE: COMMON_LAYOUT} | {m.name: method_layout(m) for m in self.methods}

    def _field(self, group: str, name: str) -> Field:
        """Return where a column is stored, or say which there are."""
        layouts = self._layouts()
        if group not in layouts:
            raise KeyError(f"{group!r}; methods are {', '.join(layouts)}")
        if name not in layouts[group]:
            raise KeyError(f"{name!r}; columns of {group} are {', '.join(layouts[group])}")
        return layouts[group][name]

    def to_awkward(self) -> ak.Array:
        """Return one record a candidate, with a record a method inside; momenta as Momentum4D."""
        import awkward as ak

        def column(group: str, name: str, field: Field) -> ak.Array:
            values = self[group, name]
            if not field.components:
                return values
            parts = dict(zip(field.components, values.T, strict=True))
            return ak.zip(parts, with_name="Momentum4D")

        return ak.zip(
            {
                group: ak.zip(
                    {name: column(group, name, field) for name, field in layout.items()},
                    depth_limit=1,
                )
                for group, layout in self._layouts().items()
            },
            depth_limit=1,
        )


def read_solutions(path: str | Path) -> Solutions:
    """Read all solutions of a file, a folder of shards, or a run folder.

    Raises
    ------
    FileFormatError
        If a file is missing, damaged or of another stage.
    """
    shards = find_shards(path, "solutions")
    methods = file_methods(shards[0])
    return Solutions(methods, concatenate_columns(shards, solution_layout(methods)))
