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
from simgen.io.hdf5 import find_shards, iterate_rows
from simgen.particles import particle_table

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from rich.console import Console

    from detector.candidates import CandidateTable
    from simgen.io.layout import Layout
    from simgen.typing import BoolArray, FloatArray, Int8Array, Int32Array, IntArray

KINDS = ("signal", "true tag", "wrong tag", "no B")
"""Signal; else D and lepton of one true B -> D(*) l nu X; else from B mesons; else neither."""
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
        Daughters of the true B of the signal side, charge conjugates together; `ALL` for the sum.
    candidates
        Number.
    total
        Sum of weights: the yield at the luminosity.
    error
        Its statistical uncertainty.
    median, half_width
        Median and half of the central 68 % interval of M_recoil, GeV.
    mass, spread
        Mean and standard deviation of the true mass recoiling against kaon and lepton, GeV: small
        if the decay peaks; nan without a true B.
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
    """

    method: str
    rows: tuple[Source, ...]
    recoil: dict[str, Histogram]


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
    return Sources(method.name, tuple(rows), {k: decays[ALL].recoil for k, decays in sums.items()})


def _recoils(folder: Path, layout: Layout, path: str) -> Iterator[FloatArray]:
    """Yield M_recoil of the candidates, block by block as `iterate_candidates`."""
    for shard in find_shards(folder, "solutions"):
        for columns in iterate_rows(shard, layout, path, _ROWS):
            yield np.asarray(columns[path], np.float64)


def kinds(table: CandidateTable) -> IntArray:
    """Return the place in `KINDS` of each candidate, (n,)."""
    has_b = ~np.isnan(table.true_parent_sig[:, 3])
    right = table.is_tag == 1
    kind = np.where(has_b, np.where(right, 1, 2), 3)
    return np.where((table.is_signal == 1) & right, 0, kind)


def _add(sums: dict[str, dict[str, _Sum]], table: CandidateTable, recoil: FloatArray) -> None:
    """Add a block of candidates."""
    of_kind = kinds(table)
    x = table.true_parent_sig - table.true_kaon - table.true_lepton
    mass = np.sqrt(np.maximum(x[:, 3] ** 2 - np.sum(x[:, :3] ** 2, axis=1), 0.0))
    decays, which = np.unique(
        conjugated(table.true_decay_sig, table.charge_kaon), axis=0, return_inverse=True
    )
    names = [decay_name(decay) for decay in decays]
    for number, kind in enumerate(KINDS):
        chosen = of_kind == number
        sums[kind][ALL].add(table.weight[chosen], recoil[chosen], mass[chosen])
        for j in np.unique(which[chosen]):
            rows = chosen & (which == j)
            part = sums[kind].setdefault(names[j], _Sum())
            part.add(table.weight[rows], recoil[rows], mass[rows])


def conjugated(decay: Int32Array, charge: Int8Array) -> Int32Array:
    """Return decays of a B that belongs to a positive kaon, largest numbers first."""
    out = np.where((charge < 0)[:, np.newaxis] & ~_is_own_antiparticle(decay), -decay, decay)
    order = np.lexsort((-out, -np.abs(out)), axis=1)
    return np.take_along_axis(out, order, axis=1)


def _is_own_antiparticle(pdgid: Int32Array) -> BoolArray:
    """Return which numbers are of particles that are their own antiparticles, 0 among them."""
    table = particle_table()
    known = [c for c in np.unique(np.abs(pdgid)).tolist() if table.knows(c)]
    alone = [c for c in known if table.by_pdgid(c).anti_name == table.by_pdgid(c).name]
    own: BoolArray = np.isin(np.abs(pdgid), [0, *alone])
    return own


def decay_name(decay: Sequence[int] | Int32Array) -> str:
    """Return the daughters of a decay by their names; a dash for no B."""
    table = particle_table()
    names = [table.by_pdgid(int(number)).name for number in decay if number]
    return " ".join(names) or "-"


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
    table.add_column("decay of the B", min_width=18)
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
        "decay of the B: of the signal side; the largest are shown. true tag: D and lepton are of "
        "one B -> D(*) l nu X. M_recoil: median and half of the central 68 %, GeV. true mass: "
        "recoiling against what was taken for kaon and lepton; a small spread peaks."
    )
