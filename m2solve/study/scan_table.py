"""The result of a scan: one tidy table, as CSV, HDF5 and on the terminal."""

from __future__ import annotations

import csv
import io
import math
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np
from rich import box
from rich.table import Table

from m2solve.study.histograms import GROUPS, TAU_MODES
from m2solve.study.peak import full_width
from m2solve.study.report import summarise
from m2solve.study.scan_errors import half_width_error, replica_errors, share_error
from simgen.io.atomic import atomic_file
from simgen.io.hdf5 import write_header
from simgen.io.layout import POSITION

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from rich.console import Console

    from m2solve.study.scan_histograms import PointHistograms
    from m2solve.study.scan_points import AxisValue, Point
    from simgen.io.hdf5 import Header

_UNITS = {
    "half_width": ("GeV", "half of the central 68 % interval of M_recoil"),
    "fwhm": ("GeV", "full width of M_recoil at half maximum"),
    "within_50": ("1", "share of candidates within 50 MeV of the tau mass"),
    "within_100": ("1", "share of candidates within 100 MeV of the tau mass"),
    "merit": ("GeV^-1/2", "figure of merit S/sqrt(B) over a flat background"),
    "solved": ("1", "share of candidates for which all constraints hold"),
    "total": ("1", "sum of weights"),
    "point": ("1", "number of the point"),
}


@dataclass(frozen=True)
class ScanRow:
    """What a scan says of one method in one group of tau decays at one point.

    Attributes
    ----------
    point
        Number of the point.
    values
        Value of each axis.
    method, group
        Names.
    total
        Sum of weights.
    half_width, fwhm
        Half of the central 68 % interval of M_recoil, and its full width at half maximum, GeV.
    within_50, within_100
        Share of candidates within 50 and 100 MeV of the tau mass.
    merit
        Figure of merit; see `m2solve.study.report.figure_of_merit`.
    solved
        Share of candidates for which all constraints hold; nan for methods without solver.
    half_width_error, fwhm_error, within_50_error, within_100_error, merit_error, solved_error
        Their statistical errors. Points share their events, so differences between points are
        better known than these say.
    """

    point: int
    values: dict[str, AxisValue]
    method: str
    group: str
    total: float
    half_width: float
    half_width_error: float
    fwhm: float
    fwhm_error: float
    within_50: float
    within_50_error: float
    within_100: float
    within_100_error: float
    merit: float
    merit_error: float
    solved: float
    solved_error: float


_PRINTED = list(GROUPS)[-1]
_HEADINGS = ("68 %", "FWHM", "100 MeV", "S/sqrt(B)")
_NUMBERS = tuple(f.name for f in fields(ScanRow))[4:]


def point_rows(point: Point, found: PointHistograms) -> list[ScanRow]:
    """Return the rows of one point: each group of tau decays, each method."""
    by_name = {method.name: method for method in found.run.methods}
    rows = []
    for row in summarise(found.run):
        modes = GROUPS[row.group]
        recoil = found.run.recoil_of(by_name[row.method], modes)
        n = row.total * _per_weight(found, modes)
        fwhm_error, merit_error = replica_errors(recoil, n, point.smearing.seed)
        rows.append(
            ScanRow(
                point=point.number,
                values=point.values,
                method=row.method,
                group=row.group,
                total=row.total,
                half_width=row.half_width,
                half_width_error=half_width_error(recoil, n),
                fwhm=full_width(recoil),
                fwhm_error=fwhm_error,
                within_50=row.within_50,
                within_50_error=share_error(row.within_50, n),
                within_100=row.within_100,
                within_100_error=share_error(row.within_100, n),
                merit=row.merit,
                merit_error=merit_error,
                solved=row.solved,
                solved_error=share_error(row.solved, n),
            )
        )
    return rows


def _per_weight(found: PointHistograms, modes: Sequence[int]) -> float:
    """Return how many candidates without weights are worth as much as a sum of weights of 1."""
    sums = sum(found.weights[name] for name, number in TAU_MODES.items() if number in modes)
    total, squares = np.asarray(sums)
    return float(total / squares) if squares > 0.0 else 0.0


def scan_csv(rows: Sequence[ScanRow]) -> str:
    """Return the table as CSV: point, axes, method, group, numbers."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["point", *rows[0].values, "method", "group", *_NUMBERS])
    for row in rows:
        numbers = [f"{getattr(row, name):.6g}" for name in _NUMBERS]
        writer.writerow([row.point, *row.values.values(), row.method, row.group, *numbers])
    return out.getvalue()


def write_scan(path: Path, rows: Sequence[ScanRow], header: Header) -> None:
    """Write the table as HDF5, a dataset a column, axes in the group ``axes``."""
    columns: dict[str, list[Any]] = {"point": [row.point for row in rows]}
    columns |= {f"axes/{name}": [row.values[name] for row in rows] for name in rows[0].values}
    for name in ("method", "group", *_NUMBERS):
        columns[name] = [getattr(row, name) for row in rows]
    with atomic_file(path) as target, h5py.File(target, "w") as file:
        for name, values in columns.items():
            words = any(isinstance(value, str) for value in values)
            data = np.array([str(v) for v in values] if words else values,
                            h5py.string_dtype() if words else None)  # fmt: skip
            dataset = file.create_dataset(name, data=data)
            unit, text = _UNITS.get(name.removesuffix("_error"), ("", name.rpartition("/")[2]))
            dataset.attrs["units"] = unit
            dataset.attrs["description"] = text + (", error" if name.endswith("_error") else "")
        write_header(file, header)


# "method" would be taken for the column of that name.
_NEEDS_PARENT = frozenset({*POSITION, "method"})


def short_names(axes: Sequence[str]) -> list[str]:
    """Return the ends of the axes' names, for instance ``r_0.z``, or all if these are equal."""
    parts = [name.split(".") for name in axes]
    short = [".".join(p[-2:]) if p[-1] in _NEEDS_PARENT else p[-1] for p in parts]
    return short if len(set(short)) == len(short) else list(axes)


def print_scan(rows: Sequence[ScanRow], console: Console) -> None:
    """Print what a scan says of all tau decays together.

    Methods that no axis has an influence on are printed once.
    """
    shown = [row for row in rows if row.group == _PRINTED]
    cells: dict[str, dict[int, tuple[str, ...]]] = {}
    for row in shown:
        cells.setdefault(row.method, {})[row.point] = _cells(row)
    n_points = len({row.point for row in shown})
    constant = {m for m, c in cells.items() if len(set(c.values())) == 1 and n_points > 1}
    table = Table(
        title=f"M_recoil, all tau decays, {n_points} points",
        title_justify="left",
        box=box.SIMPLE_HEAD,
        padding=(0, 1),
        pad_edge=False,
    )
    axes = list(rows[0].values)
    for name in short_names(axes):
        table.add_column(name, justify="right", overflow="fold")
    table.add_column("method", no_wrap=True)
    for name in _HEADINGS:
        table.add_column(name, justify="right", no_wrap=True)
    for method, of_method in cells.items():
        if method in constant:
            table.add_row(*["any"] * len(axes), method, *next(iter(of_method.values())))
    last = None
    for row in shown:
        if row.method not in constant:
            point = [str(value) if row.point != last else "" for value in row.values.values()]
            table.add_row(*point, row.method, *cells[row.method][row.point])
            last = row.point
    console.print(table)
    console.print(
        "68 %: half of the central interval, MeV. 100 MeV: share that close to the tau mass, %. "
        "S/sqrt(B): over a flat background, GeV^-1/2. In brackets the error of the last digits; "
        "points share their events. Hadronic and leptonic tau decays apart are in scan.csv."
    )


def _cells(row: ScanRow) -> tuple[str, ...]:
    """Return what is printed of a row."""
    return (
        with_error(1000.0 * row.half_width, 1000.0 * row.half_width_error),
        with_error(1000.0 * row.fwhm, 1000.0 * row.fwhm_error),
        with_error(100.0 * row.within_100, 100.0 * row.within_100_error),
        with_error(row.merit, row.merit_error),
    )


def with_error(value: float, error: float) -> str:
    """Return a number with the error of its last digits in brackets, ``47.1(8)``."""
    if math.isnan(value):
        return ""
    if math.isnan(error) or error <= 0.0:
        return f"{value:.4g}"
    digits = max(0, -math.floor(math.log10(error / 0.95)))  # 0.96 is 1
    return f"{value:.{digits}f}({round(error * 10**digits)})"
