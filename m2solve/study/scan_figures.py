"""The figures of a scan: each quantity against the first axis, per method."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.figure import Figure

from m2solve.study.figure_style import (
    GROUP_TITLES,
    LABELS,
    SHORT_MASS_TITLES,
    STYLES,
    figure_style,
    mass_title,
    save_figure,
)
from m2solve.study.histograms import GROUPS
from m2solve.study.scan_points import axis_unit
from m2solve.study.scan_table import short_names

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from matplotlib.axes import Axes

    from m2solve.study.methods import Method
    from m2solve.study.scan_points import AxisValue
    from m2solve.study.scan_table import ScanRow
    from simgen.typing import FloatArray

_TITLES = {
    "half_width": r"half the central 68 % interval of $M_\mathrm{recoil}$ (GeV)",
    "fwhm": r"full width of $M_\mathrm{recoil}$ at half maximum (GeV)",
    "within_100": r"share within 100 MeV of $m_\tau$",
    "merit": r"figure of merit $S/\sqrt{B}$ (GeV$^{-1/2}$)",
}
_MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")
_MOST_COLUMNS = 4


def draw_scan(
    rows: Sequence[ScanRow], methods: Sequence[Method], folder: Path, *, zipped: bool
) -> list[Path]:
    """Draw the most telling quantities against the first axis.

    A row of panels a group of tau decays, a column a combination of values of the other axes;
    more combinations than fit go to further figures, ``NAME_2`` and so on.

    Parameters
    ----------
    rows
        The table.
    methods
        The methods it has.
    folder
        Where to; made if needed.
    zipped
        Whether the axes vary together, so that there is one column.

    Returns
    -------
    list of Path
        The PNG files.
    """
    folder.mkdir(parents=True, exist_ok=True)
    combinations = list(dict.fromkeys(_others(row, zipped=zipped) for row in rows))
    pages = [
        combinations[i : i + _MOST_COLUMNS] for i in range(0, len(combinations), _MOST_COLUMNS)
    ]
    made = []
    for quantity in _TITLES:
        for page, columns in enumerate(pages, 1):
            name = quantity if page == 1 else f"{quantity}_{page}"
            with figure_style():
                figure, table = _draw(rows, methods, quantity, columns, zipped=zipped)
                made.append(save_figure(figure, table, folder / name))
    return made


def _others(row: ScanRow, *, zipped: bool) -> tuple[AxisValue, ...]:
    """Return the values of all axes but the first, nothing if axes vary together."""
    return () if zipped else tuple(row.values.values())[1:]


def _draw(
    rows: Sequence[ScanRow],
    methods: Sequence[Method],
    quantity: str,
    columns: Sequence[tuple[AxisValue, ...]],
    *,
    zipped: bool,
) -> tuple[Figure, dict[str, FloatArray]]:
    """Draw one figure."""
    fields = list(rows[0].values)
    names = short_names(fields)
    units = [axis_unit(field) for field in fields]
    first = f"{names[0]} ({units[0]})" if units[0] else names[0]
    label = ", ".join(names) if zipped else first
    figure = Figure(figsize=(2.6 + 3.4 * len(columns), 9.0), layout="constrained")
    grid = figure.subplots(len(GROUPS), len(columns), squeeze=False, sharex=True, sharey="row")
    table: dict[str, FloatArray] = {}
    for panels, group in zip(grid, GROUPS, strict=True):
        for axes, others in zip(panels, columns, strict=True):
            chosen = [r for r in rows if r.group == group and _others(r, zipped=zipped) == others]
            _panel(axes, chosen, methods, quantity, table, others)
            pairs = zip(names[1:], others, units[1:], strict=False)
            if axes in grid[0]:
                axes.set_title(
                    ", ".join(f"{name} = {value} {unit}".rstrip() for name, value, unit in pairs)
                )
            if axes in grid[-1]:
                axes.set_xlabel(label)
        panels[0].set_ylabel(GROUP_TITLES[group])
        panels[0].set_ylim(bottom=0.0)
    handles, labels = grid[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside right upper", frameon=False, fontsize="small")
    figure.suptitle(_TITLES[quantity])
    return figure, table


def _panel(
    axes: Axes,
    rows: Sequence[ScanRow],
    methods: Sequence[Method],
    quantity: str,
    table: dict[str, FloatArray],
    others: tuple[AxisValue, ...],
) -> None:
    """Draw a curve a method, with errors."""
    masses = list(dict.fromkeys(m.m_nunu for m in methods if m.m_nunu is not None))
    for method in methods:
        of_method = [row for row in rows if row.method == method.name]
        first = [next(iter(row.values.values())) for row in of_method]
        x, ticks = _positions(first)
        y = np.array([getattr(row, quantity) for row in of_method])
        error = np.array([getattr(row, f"{quantity}_error") for row in of_method])
        order = np.argsort(x, kind="stable")
        color, line = STYLES[method.variable]
        marker = "." if method.m_nunu is None else _MARKERS[masses.index(method.m_nunu) % 8]
        axes.errorbar(
            x[order], y[order], np.nan_to_num(error[order]), color=color, linestyle=line,
            marker=marker, markersize=4.5, linewidth=1.2, label=_label(method),
            markerfacecolor="white" if method.m_nunu not in {None, "true"} else color,
        )  # fmt: skip
        if ticks:
            axes.set_xticks(np.unique(x), ticks)
        suffix = "_".join(map(str, (rows[0].group, *others)))
        table.setdefault("x", x)
        table[f"{method.name}_{suffix}"] = y
        table[f"{method.name}_{suffix}_error"] = error


def _positions(values: Sequence[AxisValue]) -> tuple[FloatArray, list[str]]:
    """Return where values are drawn, and labels if they are words."""
    if not any(isinstance(value, str) for value in values):
        return np.array(values, dtype=np.float64), []
    words = list(dict.fromkeys(map(str, values)))
    return np.array([words.index(str(v)) for v in values], dtype=np.float64), words


def _label(method: Method) -> str:
    """Return variable and choice of m_nunu."""
    label = LABELS[method.variable]
    if method.m_nunu is None:
        return label
    return f"{label}, {mass_title(method.m_nunu, SHORT_MASS_TITLES)}"
