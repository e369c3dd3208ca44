"""The summary of a run: one row a method, as a table on the terminal and as CSV."""

from __future__ import annotations

import csv
import io
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import numpy as np
from rich import box
from rich.console import Console
from rich.table import Table

from m2solve.solution import Status
from m2solve.study.histograms import GROUPS, Histogram, RunHistograms, fill_histograms
from m2solve.study.peak import half_width
from simgen.io.hdf5 import find_shards, read_header
from simgen.particles import particle_table

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from simgen.typing import FloatArray

_MERIT_RANGE, _MERIT_BINS = (1000, 2600), 10


@dataclass(frozen=True)
class Row:
    """What the summary says of one method in one group of tau decays.

    Attributes
    ----------
    method, group
        Names.
    candidates
        Number; 0 where only sums of weights are kept, in scans.
    total
        Sum of weights, the yield where they are scaled to a luminosity.
    median
        Median of M_recoil, GeV.
    half_width
        Half of the central 68 % interval of M_recoil, GeV.
    within_50, within_100
        Share of candidates within 50 and 100 MeV of the tau mass.
    merit
        Figure of merit S/sqrt(B) over a flat background; see `figure_of_merit`.
    merit_ratio
        The same relative to a random cos(theta); nan if that was not made.
    solved
        Share of candidates for which all constraints hold; nan for methods without solver.
    """

    method: str
    group: str
    candidates: int
    total: float
    median: float
    half_width: float
    within_50: float
    within_100: float
    merit: float
    merit_ratio: float
    solved: float


def figure_of_merit(recoil: Histogram) -> float:
    """Return sqrt(sum_i f_i^2 / w), f_i the share of signal in bin i of width w.

    Proportional to S/sqrt(B) of an optimal selection over a background that is flat in M_recoil;
    bins of 10 MeV from 1.0 to 2.6 GeV.
    """
    inside = recoil.counts[1:-1][_MERIT_RANGE[0] : _MERIT_RANGE[1]]
    share = inside.reshape(-1, _MERIT_BINS).sum(axis=1) / max(recoil.total, 1e-300)
    return float(np.sqrt(np.sum(share**2) / 0.010))


def summarise(histograms: RunHistograms) -> list[Row]:
    """Return the rows of the summary: each group of tau decays, each method."""
    rows = []
    for group, modes in GROUPS.items():
        reference = _merit(histograms, "random", modes)
        for method in histograms.methods:
            recoil = histograms.recoil_of(method, modes)
            merit = figure_of_merit(recoil)
            rows.append(
                Row(
                    method=method.name,
                    group=group,
                    candidates=histograms.entries_of(modes),
                    total=recoil.total,
                    median=recoil.quantile(0.5),
                    half_width=half_width(recoil),
                    within_50=_near_tau(recoil, 0.05),
                    within_100=_near_tau(recoil, 0.10),
                    merit=merit,
                    merit_ratio=merit / reference,
                    solved=_solved_share(histograms.status_of(method, modes)),
                )
            )
    return rows


def _merit(histograms: RunHistograms, name: str, modes: Sequence[int]) -> float:
    """Return the figure of merit of a method by name, nan if it was not made."""
    for method in histograms.methods:
        if method.name == name:
            return figure_of_merit(histograms.recoil_of(method, modes)) or float("nan")
    return float("nan")


def _near_tau(recoil: Histogram, distance: float) -> float:
    """Return the share of candidates within a distance of the tau mass."""
    tau = particle_table().by_name("tau-").mass
    return recoil.fraction(tau - distance, tau + distance)


def _solved_share(status: FloatArray) -> float:
    """Return the share of candidates for which all constraints hold, nan if there are none."""
    total = status.sum()
    if total == 0.0:
        return float("nan")
    return float(1.0 - (status[Status.PROJECTED] + status[Status.UNPHYSICAL]) / total)


def to_csv(rows: Sequence[Row]) -> str:
    """Return the summary as CSV."""
    out = io.StringIO()
    writer = csv.DictWriter(out, fieldnames=list(Row.__dataclass_fields__), lineterminator="\n")
    writer.writeheader()
    for row in rows:
        writer.writerow(
            {k: f"{v:.6g}" if isinstance(v, float) else v for k, v in asdict(row).items()}
        )
    return out.getvalue()


def print_rows(rows: Sequence[Row], console: Console) -> None:
    """Print the summary, one table a group of tau decays."""
    if not any(row.candidates for row in rows):
        console.print(
            "M_recoil: no candidates with a one-prong tau that recoils against kaon and lepton. In "
            "other signals `simgen validate` compares M_recoil with truth."
        )
        return
    for group in dict.fromkeys(row.group for row in rows):
        chosen = [row for row in rows if row.group == group]
        n, total = chosen[0].candidates, chosen[0].total
        if n == 0:
            console.print(f"M_recoil, {group} tau decays: no candidates")
            continue
        title = f"M_recoil, {group} tau decays, {n:,} candidates"
        if total != n:
            title += f", sum of weights {total:,.0f}"
        table = Table(
            title=title, title_justify="left", box=box.SIMPLE_HEAD, padding=(0, 1), pad_edge=False
        )
        table.add_column("method", no_wrap=True)
        for name in ("median", "68 %", "50 MeV", "100 MeV", "S/sqrt(B)", "solved"):
            table.add_column(name, justify="right", no_wrap=True)
        for row in chosen:
            table.add_row(
                row.method,
                f"{row.median:.3f} GeV",
                f"{1000 * row.half_width:.0f} MeV",
                f"{row.within_50:.1%}",
                f"{row.within_100:.1%}",
                _number(row.merit_ratio, ".2f"),
                _number(row.solved, ".1%"),
            )
        console.print(table)
    console.print(
        "68 %: half of the central interval. 50, 100 MeV: share that close to the tau mass. "
        "S/sqrt(B): over a flat background, random = 1. solved: all constraints hold."
    )
    if any(row.method == "M2sBV_posterior" for row in rows):
        console.print(
            "M2sBV_posterior: m_nunu unknown; the median over the angle left, weighed by vertices."
        )


def _number(value: float, form: str) -> str:
    """Return a number, or nothing for nan."""
    return "" if np.isnan(value) else format(value, form)


def print_cut_flow(counts: Mapping[str, int], console: Console) -> None:
    """Print how many events pass each requirement."""
    table = Table(title="From events to candidates", title_justify="left", box=box.SIMPLE_HEAD)
    table.add_column("requirement")
    table.add_column("events", justify="right")
    table.add_column("of those before", justify="right")
    before = 0
    for name, count in counts.items():
        table.add_row(name, f"{count:,}", f"{count / before:.1%}" if before else "")
        before = count
    console.print(table)


def total_cut_flow(candidates: Path) -> dict[str, int]:
    """Return the cut-flow of all files of candidates together."""
    total: dict[str, int] = {}
    for shard in find_shards(candidates, "candidates"):
        for name, count in read_header(shard).provenance["cut_flow"].items():
            total[name] = total.get(name, 0) + count
    return total


def print_summary(solutions: Path) -> None:
    """Print the summary of a solutions file, a folder of shards, or a run folder."""
    console = Console(highlight=False)
    print_rows(summarise(fill_histograms(solutions)), console)
