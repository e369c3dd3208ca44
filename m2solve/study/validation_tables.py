"""The tables of a validation, on the terminal and as CSV."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Any

import numpy as np
from rich import box
from rich.table import Table

from m2solve.solution import Status
from m2solve.study.validation_pulls import INPUT
from m2solve.study.validation_residuals import CHOSEN, NEARER, UNITS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from rich.console import Console

    from m2solve.study.validation_pulls import PullRow
    from m2solve.study.validation_residuals import ResidualRow, Spread, StatusRow


def residual_records(rows: Iterable[ResidualRow]) -> list[dict[str, Any]]:
    """Return a record a row of residuals."""
    return [
        {
            "method": row.method,
            "group": row.group,
            "solution": row.solution,
            "quantity": row.quantity,
            "unit": row.unit,
            "window": row.window,
            **row.spread._asdict(),
        }
        for row in rows
    ]


def pull_records(rows: Sequence[PullRow]) -> list[dict[str, Any]]:
    """Return a record a row of pulls; whether they agree is said of measured inputs only."""
    names = list(rows[0].__dataclass_fields__) if rows else []
    n_tests = sum(row.kind == INPUT for row in rows)
    return [
        {name: getattr(row, name) for name in names}
        | {"agrees": str(row.agrees(n_tests)).lower() if row.kind == INPUT else ""}
        for row in rows
    ]


def status_records(rows: Iterable[StatusRow]) -> list[dict[str, Any]]:
    """Return a record a row of statuses."""
    return [
        {
            "method": row.method,
            "group": row.group,
            "candidates": row.candidates,
            **{s.name.lower(): row.shares[s] for s in Status},
            "two_solutions": row.two_solutions,
            "chosen_nearer": row.chosen_nearer,
            "chosen_nearer_error": row.chosen_nearer_error,
        }
        for row in rows
    ]


def to_csv(records: Sequence[Mapping[str, Any]]) -> str:
    """Return records as CSV; of no records an empty text."""
    out = io.StringIO()
    if records:
        writer = csv.DictWriter(out, fieldnames=list(records[0]), lineterminator="\n")
        writer.writeheader()
        for record in records:
            writer.writerow(
                {k: f"{v:.6g}" if isinstance(v, float) else v for k, v in record.items()}
            )
    return out.getvalue()


def print_pulls(rows: Sequence[PullRow], console: Console) -> None:
    """Print the pulls of measured inputs, then of estimates."""
    inputs = [row for row in rows if row.kind == INPUT]
    estimates = [row for row in rows if row.kind != INPUT]
    if inputs:
        table = _table("Pulls of what is measured against the unit Gaussian", ["measured"])
        for name in ("mean", "width", "> 3", "KS p", "agrees"):
            table.add_column(name, justify="right", no_wrap=True)
        for row in inputs:
            verdict = "yes" if row.agrees(len(inputs)) else "NO"
            table.add_row(
                row.name,
                f"{row.mean:+.3f}±{row.mean_error:.3f}",
                f"{row.width:.3f}±{row.width_error:.3f}",
                f"{row.beyond_3:.2%}",
                f"{row.p_value:.2g}",
                verdict,
            )
        console.print(table)
        console.print(
            "> 3: share beyond 3, 0.27 % of a Gaussian. KS p: Kolmogorov-Smirnov. agrees: mean and "
            "width within 4 standard errors, p above 0.001 over the number of rows."
        )
    if estimates:
        table = _table("Pulls of estimates, which need not be Gaussian", ["estimate", "tau decays"])
        for name in ("median", "68 %", "> 3"):
            table.add_column(name, justify="right", no_wrap=True)
        for row in estimates:
            cells = (f"{row.median:+.3f}", f"{row.half_width:.3g}", f"{row.beyond_3:.1%}")
            table.add_row(row.name, row.group, *cells)
        console.print(table)


def print_residuals(rows: Sequence[ResidualRow], console: Console) -> None:
    """Print half-widths of the chosen solutions, one table a group; the rest is in the CSV."""
    spreads = {(r.method, r.group, r.solution, r.quantity): r.spread for r in rows}
    for group in dict.fromkeys(row.group for row in rows):
        methods = list(dict.fromkeys(row.method for row in rows if row.group == group))
        n = max(row.spread.candidates for row in rows if row.group == group)
        title = f"Estimate less truth, {group} tau decays, {n:,.0f} candidates"
        table = _table(title, ["method"])
        for name in ("M_recoil", "cos(theta)", "|k_sig|", "|k_tag|", "B angle"):
            table.add_column(name, justify="right", no_wrap=True)
        for method in methods:
            cells = []
            for quantity in ("m_recoil", "cos_theta", "k_sig_p", "k_tag_p"):
                spread = spreads.get((method, group, CHOSEN, quantity))
                cells.append(_half_width(spread, in_mev=UNITS[quantity] == "GeV"))
            direction = spreads.get((method, group, CHOSEN, "direction"))
            cells.append("" if direction is None else f"{direction.median:.3f}")
            table.add_row(method, *cells)
        console.print(table)
    console.print(
        "Half of the central 68 % interval with its statistical error, MeV; B angle: median angle "
        "of estimated and true B_sig, rad. Medians, RMS, shares within windows: residuals.csv"
    )


def _half_width(spread: Spread | None, *, in_mev: bool) -> str:
    """Return a half-width with its error, nothing if there is none."""
    if spread is None or np.isnan(spread.half_width):
        return ""
    value, error = spread.half_width, spread.half_width_error
    if in_mev:
        digits = 1 if value < 0.1 else 0
        return f"{1000.0 * value:.{digits}f}±{1000.0 * error:.{digits}f}"
    return f"{value:.3f}±{error:.3f}"


def print_status(
    rows: Sequence[StatusRow], residuals: Sequence[ResidualRow], console: Console
) -> None:
    """Print how candidates were solved, and what the choice between two solutions costs."""
    if not rows:
        return
    widths = {
        (r.method, r.solution): 1000.0 * r.spread.half_width
        for r in residuals
        if (r.group, r.quantity) == ("all", "m_recoil")
    }
    of_all = [row for row in rows if row.group == "all"]
    occurring = [s for s in Status if any(row.shares[s] > 0.0 for row in of_all)]
    table = _table("How candidates were solved, all tau decays", ["method"])
    for status in occurring:
        table.add_column(status.name.lower(), justify="right", no_wrap=True)
    for row in of_all:
        table.add_row(row.method, *(f"{row.shares[status]:.1%}" for status in occurring))
    console.print(table)
    table = _table("The choice of solution, all tau decays", ["method"])
    for name in ("two solutions", "chosen is nearer", "68 % chosen", "68 % nearer"):
        table.add_column(name, justify="right", no_wrap=True)
    for row in of_all:
        if row.two_solutions == 0.0:
            continue
        table.add_row(
            row.method,
            f"{row.two_solutions:.1%}",
            f"{100 * row.chosen_nearer:.1f}±{100 * row.chosen_nearer_error:.1f}%",
            f"{widths[row.method, CHOSEN]:.0f} MeV",
            f"{widths[row.method, NEARER]:.0f} MeV",
        )
    if table.row_count:
        console.print(table)
        console.print(
            "chosen is nearer: of those with two solutions, how often the chosen one is nearer the "
            "true k_sig. 68 %: half-width of M_recoil with the chosen and with the nearer solution."
        )


def _table(title: str, columns: Sequence[str]) -> Table:
    """Return a table whose first columns are names, wide enough for its title."""
    table = Table(
        title=title, title_justify="left", box=box.SIMPLE_HEAD, padding=(0, 1), pad_edge=False,
        min_width=len(title),
    )  # fmt: skip
    for name in columns:
        table.add_column(name, no_wrap=True)
    return table
