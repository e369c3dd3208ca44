"""What selected candidates truly are: yields and M_recoil by kind and decay."""

from __future__ import annotations

import csv
import io
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from rich import box
from rich.table import Table

from detector.stage import iterate_candidates
from m2solve.study.histograms import Histogram, file_methods
from m2solve.study.methods import method_layout
from m2solve.study.true_decay_names import read_chain
from simgen.io.hdf5 import find_shards, iterate_rows, read_header
from simgen.particles import particle_table

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from rich.console import Console

    from detector.candidate_table import CandidateTable
    from simgen.io.layout import Layout
    from simgen.typing import BoolArray, FloatArray, IntArray

SIGNAL, PEAKING = "signal", "peaking"
KINDS = (SIGNAL, PEAKING, "true tag", "wrong tag", "no B")
"""The first three have D and lepton of one true B -> D(*) l nu X; see `kinds`."""
RIGHT_TAGS = KINDS[:3]
NARROW = 0.05
"""GeV; a particle of smaller width, recoiling against kaon and lepton, peaks in M_recoil."""
ALL = "all"
EDGES = np.linspace(0.0, 4.0, 81)  # GeV
_ROWS = 100_000
_SHOWN = 9


@dataclass(frozen=True)
class Source:
    """One kind of candidates.

    Attributes
    ----------
    kind
        One of `KINDS`.
    decay
        True decay of the signal side's B, or charmed hadron or tau where there is no B, charge
        conjugates together; `ALL` for the sum.
    candidates
        Number.
    total
        Sum of weights: the yield at the luminosity.
    error
        Its statistical uncertainty.
    median, half_width
        Median and half of the central 68 % interval of M_recoil, GeV.
    mass, spread
        Mean and standard deviation of the true mass recoiling against kaon and lepton, GeV; nan
        without a true B.
    """

    kind: str
    decay: str
    candidates: int
    total: float
    error: float
    median: float
    half_width: float
    mass: float
    spread: float


@dataclass
class _Sum:
    """What is added up of one kind of candidates."""

    n: int = 0
    w: float = 0.0
    ww: float = 0.0
    m: float = 0.0
    mm: float = 0.0
    recoil: Histogram = field(default_factory=lambda: Histogram(EDGES))

    def add(self, weight: FloatArray, recoil: FloatArray, mass: FloatArray) -> None:
        """Add candidates."""
        self.n += len(weight)
        self.w += float(np.sum(weight))
        self.ww += float(np.sum(weight**2))
        self.m += float(np.sum(weight * mass))
        self.mm += float(np.sum(weight * mass**2))
        self.recoil.fill(recoil, weight)

    def source(self, kind: str, decay: str) -> Source:
        """Return the sums as a row."""
        mean = self.m / self.w if self.w else float("nan")
        spread = np.sqrt(max(self.mm / self.w - mean**2, 0.0)) if self.w else float("nan")
        low, middle, high = (self.recoil.quantile(q) for q in (0.16, 0.5, 0.84))
        width = 0.5 * (high - low)
        return Source(
            kind, decay, self.n, self.w, float(np.sqrt(self.ww)), middle, width, mean, float(spread)
        )


@dataclass
class Sources:
    """Candidates of a run by what they are.

    Attributes
    ----------
    method
        Name of the method whose M_recoil is taken.
    rows
        For each kind its sum and then its decays, largest first.
    recoil
        M_recoil of each kind.
    events
        Number of events that were generated.
    """

    method: str
    rows: tuple[Source, ...]
    recoil: dict[str, Histogram]
    events: int

    @property
    def right_tags(self) -> tuple[int, int]:
        """Numbers of candidates whose tag is right, and of all."""
        sums = {row.kind: row.candidates for row in self.rows if row.decay == ALL}
        return sum(sums[kind] for kind in RIGHT_TAGS), sum(sums.values())


def find_sources(folder: Path) -> Sources:
    """Read the candidates and solutions of a run of combinatorial candidates.

    Parameters
    ----------
    folder
        The run folder.

    Raises
    ------
    FileFormatError
        If a file is damaged or the two do not belong together.
    """
    method = file_methods(find_shards(folder, "solutions")[0])[0]
    sums: dict[str, dict[str, _Sum]] = {kind: {ALL: _Sum()} for kind in KINDS}
    layout = {f"{method.name}.m_recoil": method_layout(method)["m_recoil"]}
    path = f"{method.name}/m_recoil"
    recoils = _recoils(folder, layout, path)
    for table in iterate_candidates(folder, _ROWS):
        _add(sums, table, next(recoils))
    rows: list[Source] = []
    for kind, decays in sums.items():
        found = [part.source(kind, decay) for decay, part in decays.items()]
        rows += sorted(found, key=lambda row: (row.decay != ALL, -row.total, row.decay))
    recoil = {kind: decays[ALL].recoil for kind, decays in sums.items()}
    return Sources(method.name, tuple(rows), recoil, _events(folder))


def _events(folder: Path) -> int:
    """Return the number of events of which the candidates are, by the cut-flow of the files."""
    flows = [read_header(s).provenance["cut_flow"] for s in find_shards(folder, "candidates")]
    return sum(next(iter(flow.values())) for flow in flows)


def _recoils(folder: Path, layout: Layout, path: str) -> Iterator[FloatArray]:
    """Yield M_recoil of the candidates, block by block as `iterate_candidates`."""
    for shard in find_shards(folder, "solutions"):
        for columns in iterate_rows(shard, layout, path, _ROWS):
            yield np.asarray(columns[path], np.float64)


def kinds(table: CandidateTable) -> IntArray:
    """Return the place in `KINDS` of each candidate, (n,).

    Signal is the true signal decay with a right tag: D and lepton of one true B -> D(*) l nu X.
    Peaking is another decay with a right tag, in which all that the signal's B decays to, but what
    was taken for kaon and lepton, comes from one particle of a width below `NARROW`: M_recoil peaks
    at its mass. Other decays with a right tag are next, then other candidates from B mesons, then
    events without.
    """
    has_b = ~np.isnan(table.true_parent_sig[:, 3])
    right = table.is_tag == 1
    numbers, which = np.unique(np.abs(table.true_recoil), return_inverse=True)
    narrow = np.array([_is_narrow(number) for number in numbers.tolist()], dtype=np.bool_)[which]
    kind = np.where(has_b, np.where(right, np.where(narrow, 1, 2), 3), 4)
    return np.where((table.is_signal == 1) & right, 0, kind)


def _is_narrow(number: int) -> bool:
    """Say whether a particle, by its absolute number, has a mass that is known to `NARROW`."""
    table = particle_table()
    if not number or number in _INCLUSIVE or not table.knows(number):
        return False
    return table.by_pdgid(number).width < NARROW


_INCLUSIVE = (41, 42, 43, 44, 30343, 30353, 30363)  # X_u and X_s, of any mass


def is_conjugated(table: CandidateTable) -> BoolArray:
    """Return which candidates are read as their charge conjugates, (n,).

    Those of which the kaon is negative; without kaon in the signal, the lepton.
    """
    charge = np.where(table.charge_kaon != 0, table.charge_kaon, table.charge_lepton)
    negative: BoolArray = charge < 0
    return negative


def _add(sums: dict[str, dict[str, _Sum]], table: CandidateTable, recoil: FloatArray) -> None:
    """Add a block of candidates."""
    of_kind = kinds(table)
    x = table.true_parent_sig - table.true_p_kl
    mass = np.sqrt(np.maximum(x[:, 3] ** 2 - np.sum(x[:, :3] ** 2, axis=1), 0.0))
    rows = zip(table.true_decay_sig.tolist(), is_conjugated(table).tolist(), strict=True)
    names, which = np.unique(
        [read_chain(chain, conjugated=flip)[0].name for chain, flip in rows] or np.empty(0, str),
        return_inverse=True,
    )
    for number, kind in enumerate(KINDS):
        chosen = of_kind == number
        sums[kind][ALL].add(table.weight[chosen], recoil[chosen], mass[chosen])
        for j in np.unique(which[chosen]):
            rows_of = chosen & (which == j)
            part = sums[kind].setdefault(str(names[j]), _Sum())
            part.add(table.weight[rows_of], recoil[rows_of], mass[rows_of])


def to_csv(sources: Sources) -> str:
    """Return all rows as CSV."""
    out = io.StringIO()
    writer = csv.DictWriter(out, list(Source.__dataclass_fields__), lineterminator="\n")
    writer.writeheader()
    for row in sources.rows:
        writer.writerow(
            {k: f"{v:.6g}" if isinstance(v, float) else v for k, v in asdict(row).items()}
        )
    return out.getvalue()


def print_sources(sources: Sources, console: Console) -> None:
    """Print the sum of each kind and its largest decays."""
    if not any(row.candidates for row in sources.rows):
        return
    title = f"What the candidates are; yields, M_recoil of {sources.method}"
    table = Table(
        title=title,
        title_justify="left",
        box=box.SIMPLE_HEAD,
        pad_edge=False,
        collapse_padding=True,
    )
    table.add_column("kind", no_wrap=True)
    table.add_column("true decay", min_width=18)
    for name in ("yield", "M_recoil", "true mass"):
        table.add_column(name, justify="right", no_wrap=True)
    for kind in KINDS:
        rows = [row for row in sources.rows if row.kind == kind and row.candidates]
        for row in rows[:_SHOWN]:
            table.add_row(
                row.kind if row.decay == ALL else "",
                row.decay,
                f"{row.total:,.0f} ± {row.error:,.0f}",
                f"{row.median:.2f} ± {row.half_width:.2f}",
                "" if np.isnan(row.mass) else f"{row.mass:.2f} ± {row.spread:.2f}",
            )
    console.print(table)
    console.print(
        "true decay: of the signal side; the largest are shown. signal, peaking, true tag: the tag "
        "is right, D and lepton of one B -> D(*) l nu X, or the prong of a tau pair's tag. "
        "peaking: all but kaon and lepton comes from one narrow particle. M_recoil: median and "
        "half of the central 68 %, GeV. true mass: recoiling against what was taken for kaon and "
        "lepton."
    )
    right, n = sources.right_tags
    console.print(
        f"tag: {right:,} of {n:,} candidates have a right tag, purity {_share(right, n)}; "
        f"{right / max(sources.events, 1):.2e} of the events have a candidate with a right tag"
    )


def _share(part: int, whole: int) -> str:
    """Return a share with its binomial uncertainty, which none and all do not have."""
    share = part / whole
    if part in (0, whole):
        return f"{share:.0%}"
    return f"{share:.1%} ± {100 * np.sqrt(share * (1 - share) / whole):.1f} %"
