"""What is kept of a point of a scan: M_recoil in fine bins, status and weights, one file each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from m2solve.solution import Status
from m2solve.study.histograms import RECOIL_EDGES, TAU_MODES, Histogram, RunHistograms
from simgen.io.hdf5 import concatenate_columns
from simgen.io.layout import Field

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from m2solve.study.methods import Method
    from m2solve.study.scan_points import AxisValue
    from simgen.io.hdf5 import ColumnWriter
    from simgen.io.layout import Columns, Layout
    from simgen.typing import FloatArray


def point_layout(methods: Sequence[Method]) -> Layout:
    """Return the datasets of a point: ``recoil/METHOD/MODE`` and so on."""
    bins = f"candidates in M_recoil bins of 1 MeV from 0 to {RECOIL_EDGES[-1]:.0f} GeV, first "
    bins += "those below, last those above"
    statuses = "candidates of each status: " + ", ".join(s.name.lower() for s in Status)
    layout = {f"weights.{mode}": Field("weights", "f8", "1", "sums of weights and of their squares")
              for mode in TAU_MODES}  # fmt: skip
    for method in methods:
        for mode in TAU_MODES:
            name = f"{method.name}.{mode}"
            layout[f"recoil.{name}"] = Field(f"recoil/{method.name}", "f8", "1", bins)
            if method.is_solved:
                layout[f"status.{name}"] = Field(f"status/{method.name}", "f8", "1", statuses)
    return layout


def fill_point(columns: Columns, methods: Sequence[Method]) -> dict[str, FloatArray]:
    """Return the datasets of a point for one block of solutions.

    Parameters
    ----------
    columns
        The columns of a solutions file.
    methods
        The methods it has.
    """
    weight = np.asarray(columns["candidate/weight"], np.float64)
    found: dict[str, FloatArray] = {}
    for mode, number in TAU_MODES.items():
        rows = np.flatnonzero(columns["candidate/tau_mode"] == number)
        w = weight[rows]
        found[f"weights/{mode}"] = np.array([w.sum(), (w**2).sum()])
        for method in methods:
            recoil = Histogram(RECOIL_EDGES)
            recoil.fill(np.asarray(columns[f"{method.name}/m_recoil"], np.float64)[rows], w)
            found[f"recoil/{method.name}/{mode}"] = recoil.counts
            if method.is_solved:
                status = np.asarray(columns[f"{method.name}/status"], np.int64)[rows]
                counts = np.bincount(status, w, len(Status))
                found[f"status/{method.name}/{mode}"] = counts.astype(np.float64)
    return found


class PointAppender:
    """Add up the histograms of a point's blocks and write the sums."""

    def __init__(self, writer: ColumnWriter) -> None:
        self._writer = writer
        self._sums: dict[str, FloatArray] = {}
        self._values: dict[str, AxisValue] = {}

    def append(self, payload: tuple[dict[str, AxisValue], dict[str, FloatArray]]) -> None:
        """Add one block; the payload has the values of the axes, too."""
        self._values, histograms = payload
        for path, counts in histograms.items():
            self._sums[path] = self._sums[path] + counts if path in self._sums else counts

    def provenance(self) -> dict[str, Any]:
        """Write the sums, now that all blocks are in, and return which point it is."""
        self._writer.append(dict(self._sums))
        return {"point": self._values}


@dataclass(frozen=True)
class PointHistograms:
    """The histograms of a point.

    Attributes
    ----------
    run
        M_recoil and status, as of a run.
    weights
        (2,) sums of weights and of their squares by tau mode.
    """

    run: RunHistograms
    weights: dict[str, FloatArray]


def read_point(path: Path, methods: Sequence[Method]) -> PointHistograms:
    """Read the file of a point.

    Raises
    ------
    FileFormatError
        If it is damaged.
    """
    columns = concatenate_columns([path], point_layout(methods))
    found = RunHistograms(tuple(methods))
    for method in methods:
        for mode in TAU_MODES:
            recoil = Histogram(RECOIL_EDGES)
            recoil.counts = np.asarray(columns[f"recoil/{method.name}/{mode}"], np.float64)
            found.recoil[method.name, mode] = recoil
            if method.is_solved:
                status = columns[f"status/{method.name}/{mode}"]
                found.status[method.name, mode] = np.asarray(status, np.float64)
    weights = {m: np.asarray(columns[f"weights/{m}"], np.float64) for m in TAU_MODES}
    return PointHistograms(found, weights)
