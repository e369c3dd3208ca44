"""What the comparison with the paper looks at: histograms of a point, in parts for their errors."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from m2solve.solution import Status
from m2solve.study.histograms import GROUPS, MASS_EDGES, RECOIL_EDGES, TAU_MODES, RunHistograms
from m2solve.study.jackknife import PartedHistogram
from m2solve.study.paper_points import RECOIL, point_layout
from simgen.io.hdf5 import find_shards, iterate_rows

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from m2solve.study.methods import Method
    from simgen.io.layout import Columns
    from simgen.typing import BoolArray, FloatArray, IntArray

PI = "pi"
_SETS = {"pi": ("pi",), "rho": ("rho",), "leptonic": ("e", "mu")}  # filled apart
_UNIONS = {
    PI: ("pi",),
    "hadronic": ("pi", "rho"),
    "leptonic": ("leptonic",),
    "both": ("pi", "rho", "leptonic"),
}
_PROJECTING = frozenset({"M2sB", "M2sV"})
_NO_SOLUTION = (Status.PROJECTED, Status.UNPHYSICAL)
_ROWS = 200_000


@dataclass
class PointSamples:
    """Histograms of one point.

    Attributes
    ----------
    methods
        What is compared.
    masses
        m_nunu and m_hat, as of a run; its M_recoil is empty.
    m_hat, m_hat_true
        m_hat of leptonic candidates, negative where m_hat^2 is; of the measured and of the true
        visible momentum.
    """

    methods: tuple[Method, ...]
    masses: RunHistograms
    m_hat: PartedHistogram = field(default_factory=lambda: PartedHistogram(MASS_EDGES))
    m_hat_true: PartedHistogram = field(default_factory=lambda: PartedHistogram(MASS_EDGES))
    _recoil: dict[tuple[str, str, bool], PartedHistogram] = field(default_factory=dict)

    def recoil(self, method: str, group: str, *, solved_only: bool = False) -> PartedHistogram:
        """Return M_recoil.

        Parameters
        ----------
        method
            Name, for instance ``M2sB_m_hat``.
        group
            ``pi``, ``hadronic``, ``leptonic`` or ``both``.
        solved_only
            Without candidates for which no momenta meet all constraints; known for M2sB and M2sV,
            for other methods the same.
        """
        narrowed = solved_only and method.partition("_")[0] in _PROJECTING
        first, *others = (self._recoil[method, name, narrowed] for name in _UNIONS[group])
        for other in others:
            first = first + other
        return first

    def solved_share(self, method: str, group: str) -> float:
        """Return the share of candidates for which some momenta meet all constraints."""
        every = self.recoil(method, group).whole().total
        return self.recoil(method, group, solved_only=True).whole().total / max(every, 1e-300)

    def fill(self, columns: Columns) -> None:
        """Add a block of candidates."""
        mode = columns["candidate/tau_mode"]
        weight = np.asarray(columns["candidate/weight"], np.float64)
        event = np.asarray(columns["candidate/event_id"], np.int64)
        rows = {n: np.isin(mode, [TAU_MODES[m] for m in modes]) for n, modes in _SETS.items()}
        for method in self.methods:
            recoil = np.asarray(columns[f"{method.name}/m_recoil"], np.float64)
            for name, chosen in rows.items():
                self._fill(method.name, name, recoil, weight, event, chosen, narrowed=False)
                if method.variable in _PROJECTING:
                    solved = ~np.isin(columns[f"{method.name}/status"], _NO_SOLUTION)
                    self._fill(
                        method.name, name, recoil, weight, event, chosen & solved, narrowed=True
                    )  # fmt: skip
        leptonic = np.isin(mode, GROUPS["leptonic"])
        for name, histogram in (
            ("m_hat_squared", self.m_hat),
            ("m_hat_squared_true", self.m_hat_true),
        ):
            squared = np.asarray(columns[f"candidate/{name}"], np.float64)[leptonic]
            signed = np.copysign(np.sqrt(np.abs(squared)), squared)
            histogram.fill(signed, weight[leptonic], event[leptonic])
        self.masses.fill_masses(columns)

    def _fill(
        self,
        method: str,
        name: str,
        recoil: FloatArray,
        weight: FloatArray,
        event: IntArray,
        chosen: BoolArray,
        *,
        narrowed: bool,
    ) -> None:
        """Add some candidates to one histogram."""
        found = self._recoil.setdefault((method, name, narrowed), PartedHistogram(RECOIL_EDGES))
        found.fill(recoil[chosen], weight[chosen], event[chosen])


def read_samples(folder: Path, chosen: Sequence[Method]) -> PointSamples:
    """Read the files of a point.

    Raises
    ------
    FileFormatError
        If one is missing or damaged.
    """
    found = PointSamples(tuple(chosen), RunHistograms(()))
    layout = point_layout(tuple(chosen))
    for shard in find_shards(folder, RECOIL):
        for columns in iterate_rows(shard, layout, "candidate/event_id", _ROWS):
            found.fill(columns)
    return found
