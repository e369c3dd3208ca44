"""The numbers of the comparison with the paper, as CSV."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from typing import TYPE_CHECKING

from m2solve.study.histograms import GROUPS
from m2solve.study.jackknife import Estimate, jackknife
from m2solve.study.peak import full_width, half_width, peak_height
from m2solve.study.report import figure_of_merit

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from m2solve.study.paper_samples import PointSamples
    from m2solve.study.paper_statements import Statement

SUMMARY, STATEMENTS = "summary.csv", "summary_statements.csv"


@dataclass(frozen=True)
class NumbersRow:
    """M_recoil of one method.

    Attributes
    ----------
    method, group
        Names.
    candidates
        Sum of weights.
    height
        Peak density, share of the candidates a GeV.
    full_width, half_width
        At half maximum, and half the central 68 % interval, GeV.
    merit
        S/sqrt(B) over a flat background, GeV^-1/2; see `m2solve.study.report.figure_of_merit`.
    """

    method: str
    group: str
    candidates: float
    height: Estimate
    full_width: Estimate
    half_width: Estimate
    merit: Estimate


_MEASURES = {
    "height": peak_height,
    "full_width": full_width,
    "half_width": half_width,
    "merit": figure_of_merit,
}


def numbers(point: PointSamples) -> list[NumbersRow]:
    """Return the numbers of each method and group of tau decays."""
    rows = []
    for group in GROUPS:
        for method in point.methods:
            recoil = point.recoil(method.name, group)
            found = {name: jackknife(measure, recoil) for name, measure in _MEASURES.items()}
            rows.append(NumbersRow(method.name, group, recoil.whole().total, **found))
    return rows


def numbers_csv(found: Mapping[str, Sequence[NumbersRow]]) -> str:
    """Return the numbers of all points, given by name, as CSV."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    columns = [f"{name}{end}" for name in _MEASURES for end in ("", "_error")]
    writer.writerow(["point", "method", "group", "candidates", *columns])
    for name, rows in found.items():
        for row in rows:
            estimates = [getattr(row, measure) for measure in _MEASURES]
            cells = [f"{x:.6g}" for e in estimates for x in (e.value, e.error)]
            writer.writerow([name, row.method, row.group, f"{row.candidates:.6g}", *cells])
    return out.getvalue()


def statements_csv(statements: Sequence[Statement]) -> str:
    """Return every claim with its number, criterion and verdict."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["statement", "candidates", "quantity", "value", "error", "low", "high",
                     "verdict"])  # fmt: skip
    for statement in statements:
        for kind, claims in (("all", statement.claims), ("solved", statement.if_dropped)):
            for claim in claims:
                e = claim.estimate
                writer.writerow(
                    [statement.text, kind, claim.quantity, f"{e.value:.6g}", f"{e.error:.2g}",
                     claim.low, claim.high, claim.verdict]
                )  # fmt: skip
    return out.getvalue()
