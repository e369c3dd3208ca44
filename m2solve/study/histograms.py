"""Fine histograms of solution files, filled block by block: all that summary and figures need.

Memory does not depend on the number of candidates. M_recoil is kept in bins of 1 MeV, so widths
and quantiles read from the histograms are good to that.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from detector.candidate_table import CANDIDATE_LAYOUT
from m2solve.solution import Status
from m2solve.study.methods import COMMON_LAYOUT, Method, method_layout, method_of_name
from simgen.errors import FileFormatError
from simgen.io.hdf5 import find_shards, iterate_rows, read_header

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from simgen.io.layout import Columns, Layout
    from simgen.typing import BoolArray, FloatArray

TAU_MODES = {"e": 1, "mu": 2, "pi": 3, "rho": 4}
GROUPS: Mapping[str, tuple[int, ...]] = {
    "hadronic": (3, 4),
    "leptonic": (1, 2),
    "both": (1, 2, 3, 4),
}
RECOIL_EDGES = np.linspace(0.0, 4.0, 4001)  # GeV
MASS_EDGES = np.linspace(-1.6, 2.4, 401)  # GeV
PLANE_EDGES = np.linspace(0.0, 1.8, 91)  # GeV
RESIDUAL_EDGES = np.linspace(-4.0, 4.0, 801)  # GeV for momenta, 1 for cos(theta)
RESIDUALS = ("cos_theta", "px", "py", "pz", "energy")
_ROWS = 200_000


@dataclass
class Histogram:
    """Weighted counts in given bins, with what is below and above.

    Attributes
    ----------
    edges
        (n + 1,) bin edges.
    counts
        (n + 2,) sum of weights; first below, last above.
    """

    edges: FloatArray
    counts: FloatArray = field(init=False)

    def __post_init__(self) -> None:
        self.counts = np.zeros(len(self.edges) + 1)

    def fill(self, values: FloatArray, weights: FloatArray) -> None:
        """Add values; nan is not counted."""
        good = ~np.isnan(values)
        index = np.searchsorted(self.edges, values[good], side="right")
        self.counts += np.bincount(index, weights[good], minlength=len(self.counts))

    @property
    def total(self) -> float:
        """Sum of weights, those outside the bins included."""
        return float(self.counts.sum())

    def quantile(self, share: float) -> float:
        """Return the value below which a share of the weights is, nan if there are none."""
        if self.total == 0.0:
            return float("nan")
        cumulative = np.cumsum(self.counts)[:-1] / self.total
        return float(np.interp(share, cumulative, self.edges))

    def fraction(self, low: float, high: float) -> float:
        """Return the share of the weights between two values."""
        if self.total == 0.0:
            return float("nan")
        cumulative = np.cumsum(self.counts)[:-1] / self.total
        below, above = np.interp([low, high], self.edges, cumulative)
        return float(above - below)

    def rebinned(self, factor: int) -> tuple[FloatArray, FloatArray]:
        """Return edges and counts of bins `factor` times as wide, without what is outside."""
        inside = self.counts[1:-1]
        n = len(inside) // factor
        merged: FloatArray = inside[: n * factor].reshape(n, factor).sum(axis=1)
        return self.edges[: n * factor + 1 : factor], merged


@dataclass
class RunHistograms:
    """Everything that summary and figures of a run show.

    Attributes
    ----------
    methods
        The methods of the files.
    recoil
        M_recoil by method and tau mode.
    status
        (5,) candidates of each `Status`, by method and tau mode.
    m_nunu, m_hat
        True m_nunu, and m_hat as -sqrt(-m_hat^2) where it is imaginary, in leptonic tau decays.
    plane
        (bins, bins) leptonic candidates by true m_nunu and |m_hat|.
    residuals
        Solved minus true, by method and quantity in `RESIDUALS`; empty without candidate files.
    candidates
        Number of candidates.
    entries
        Number of candidates by tau mode.
    """

    methods: tuple[Method, ...]
    recoil: dict[tuple[str, str], Histogram] = field(default_factory=dict)
    status: dict[tuple[str, str], FloatArray] = field(default_factory=dict)
    m_nunu: Histogram = field(default_factory=lambda: Histogram(MASS_EDGES))
    m_hat: Histogram = field(default_factory=lambda: Histogram(MASS_EDGES))
    plane: FloatArray = field(
        default_factory=lambda: np.zeros((len(PLANE_EDGES) - 1, len(PLANE_EDGES) - 1))
    )
    residuals: dict[tuple[str, str], Histogram] = field(default_factory=dict)
    candidates: int = 0
    entries: dict[str, int] = field(default_factory=lambda: dict.fromkeys(TAU_MODES, 0))

    def entries_of(self, modes: Sequence[int]) -> int:
        """Return the number of candidates summed over tau modes."""
        return sum(n for name, n in self.entries.items() if TAU_MODES[name] in modes)

    def recoil_of(self, method: Method, modes: Sequence[int]) -> Histogram:
        """Return M_recoil of a method summed over tau modes."""
        merged = Histogram(RECOIL_EDGES)
        for name, number in TAU_MODES.items():
            if number in modes:
                merged.counts += self.recoil[method.name, name].counts
        return merged

    def status_of(self, method: Method, modes: Sequence[int]) -> FloatArray:
        """Return (5,) candidates of each `Status` summed over tau modes; zeros without solver."""
        total = np.zeros(len(Status))
        for name, number in TAU_MODES.items():
            if number in modes and method.is_solved:
                total += self.status[method.name, name]
        return total

    def fill_masses(self, columns: Columns) -> None:
        """Add true m_nunu and m_hat of the leptonic candidates of a block of solutions."""
        leptonic = np.isin(columns["candidate/tau_mode"], GROUPS["leptonic"])
        weight = np.asarray(columns["candidate/weight"], np.float64)[leptonic]
        m_nunu = np.asarray(columns["candidate/m_nunu"], np.float64)[leptonic]
        squared = np.asarray(columns["candidate/m_hat_squared"], np.float64)[leptonic]
        signed = np.copysign(np.sqrt(np.abs(squared)), squared)
        self.m_nunu.fill(m_nunu, weight)
        self.m_hat.fill(signed, weight)
        self.plane += np.histogram2d(
            m_nunu, np.abs(signed), bins=(PLANE_EDGES, PLANE_EDGES), weights=weight
        )[0]

    def imaginary_share(self) -> float:
        """Return the share of leptonic candidates with m_hat^2 < 0."""
        zero = int(np.searchsorted(MASS_EDGES, 0.0, side="left"))
        return float(self.m_hat.counts[: zero + 1].sum() / max(self.m_hat.total, 1e-300))


def file_methods(path: Path) -> tuple[Method, ...]:
    """Return the methods of a solutions file."""
    return tuple(
        method_of_name(name) for name in read_header(path, "solutions").provenance["methods"]
    )


def fill_histograms(solutions: Path, candidates: Path | None = None) -> RunHistograms:
    """Read solution files, and the candidates they belong to for residuals.

    Parameters
    ----------
    solutions
        A file of solutions, a folder of shards, or a run folder.
    candidates
        The candidates that were solved, shard by shard the same; None for no residuals.

    Raises
    ------
    FileFormatError
        If a file is damaged or the two do not belong together.
    """
    shards = find_shards(solutions, "solutions")
    found = RunHistograms(file_methods(shards[0]))
    partners = [None] * len(shards) if candidates is None else find_shards(candidates, "candidates")
    if len(partners) != len(shards):
        raise FileFormatError(f"{candidates} and {solutions} do not have the same number of shards")
    for method in found.methods:
        for mode in TAU_MODES:
            found.recoil[method.name, mode] = Histogram(RECOIL_EDGES)
        if method.is_solved:
            found.status |= {(method.name, mode): np.zeros(len(Status)) for mode in TAU_MODES}
            for quantity in RESIDUALS if candidates is not None else ():
                found.residuals[method.name, quantity] = Histogram(RESIDUAL_EDGES)
    for shard, partner in zip(shards, partners, strict=True):
        _fill_shard(found, shard, partner)
    return found


def _needed(methods: Sequence[Method]) -> Layout:
    """Return the columns that histograms are made of."""
    layout = {f"candidate.{name}": f for name, f in COMMON_LAYOUT.items()}
    for method in methods:
        for name, column in method_layout(method).items():
            if name in {"m_recoil", "cos_theta", "status", "k_sig"}:
                layout[f"{method.name}.{name}"] = column
    return layout


def _truth(path: Path | None, shard: Path) -> Iterator[FloatArray | None]:
    """Yield the true k_sig of the candidates, block by block, or None for ever."""
    if path is None:
        while True:
            yield None
    wanted = {name: CANDIDATE_LAYOUT[name] for name in ("event_id", "true_k_sig")}
    for columns in iterate_rows(path, wanted, "candidates/event_id", _ROWS):
        yield np.stack(
            [columns[f"candidates/true_k_sig/{c}"] for c in RESIDUALS[1:]], axis=1
        ).astype(np.float64)
    raise FileFormatError(f"{path} has fewer candidates than {shard}")


def _fill_shard(found: RunHistograms, shard: Path, partner: Path | None) -> None:
    """Add one shard."""
    truth = _truth(partner, shard)
    blocks = iterate_rows(shard, _needed(found.methods), "candidate/event_id", _ROWS)
    for columns in blocks:
        _fill_block(found, columns, next(truth))


def _fill_block(found: RunHistograms, columns: Columns, true_k_sig: FloatArray | None) -> None:
    """Add one block."""
    weight = np.asarray(columns["candidate/weight"], np.float64)
    mode = columns["candidate/tau_mode"]
    of_mode: dict[str, BoolArray] = {n: np.asarray(mode == i) for n, i in TAU_MODES.items()}
    found.candidates += len(weight)
    found.fill_masses(columns)
    true_cosine = np.asarray(columns["candidate/cos_theta"], np.float64)
    for tau_mode, chosen in of_mode.items():
        found.entries[tau_mode] += int(np.count_nonzero(chosen))
    for method in found.methods:
        name = method.name
        recoil = np.asarray(columns[f"{name}/m_recoil"], np.float64)
        for tau_mode, chosen in of_mode.items():
            found.recoil[name, tau_mode].fill(recoil[chosen], weight[chosen])
            if method.is_solved:
                status = np.asarray(columns[f"{name}/status"], np.int64)[chosen]
                found.status[name, tau_mode] += np.bincount(status, weight[chosen], len(Status))
        if method.is_solved and true_k_sig is not None:
            cosine = np.asarray(columns[f"{name}/cos_theta"], np.float64)
            found.residuals[name, "cos_theta"].fill(cosine - true_cosine, weight)
            for i, component in enumerate(RESIDUALS[1:]):
                solved = np.asarray(columns[f"{name}/k_sig/{component}"], np.float64)
                found.residuals[name, component].fill(solved - true_k_sig[:, i], weight)
