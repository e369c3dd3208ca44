"""The figures of a validation, each as PNG and PDF with the numbers behind it as CSV."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.figure import Figure
from scipy import stats

from m2solve.solution import Status
from m2solve.study.figure_style import (
    draw_steps,
    figure_style,
    mass_title,
    method_label,
    method_style,
    one_mass,
    save_figure,
)
from m2solve.study.validation_residuals import CHOSEN, describe

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from matplotlib.axes import Axes

    from m2solve.study.methods import Method
    from m2solve.study.validation_residuals import StatusRow
    from simgen.typing import BoolArray, FloatArray

_AXES: Mapping[str, tuple[str, float, float]] = {
    "m_recoil": (r"$M_\mathrm{recoil}$ estimated $-$ true (GeV)", -0.6, 0.6),
    "cos_theta": (r"$\cos\theta$ estimated $-$ true", -2.0, 2.0),
    "direction": (r"angle between estimated and true $B_{sig}$ (rad)", 0.0, 0.3),
    **{
        f"k_{side}_{c}": (rf"$k_{{{side},{c[-1]}}}$ estimated $-$ true (GeV)", -limit, limit)
        for side in ("sig", "tag")
        for c, limit in (("px", 1.5), ("py", 1.5), ("pz", 3.0))
    },
    "k_sig_p": (r"$|k_{sig}|$ estimated $-$ true (GeV)", -2.0, 2.0),
    "k_tag_p": (r"$|k_{tag}|$ estimated $-$ true (GeV)", -2.0, 2.0),
}
_MOMENTA = ("k_sig_px", "k_sig_py", "k_sig_pz", "k_sig_p",
            "k_tag_px", "k_tag_py", "k_tag_pz", "k_tag_p")  # fmt: skip
MOST_FIGURES = 5
_BINS = 80
_PULL_EDGES = np.linspace(-5.0, 5.0, 51)
_PULL_STYLES = (("#0072B2", "o", -0.045), ("#D55E00", "s", -0.015), ("#009E73", "^", 0.015),
                ("#CC79A7", "D", 0.045))  # fmt: skip
_STATUS_COLORS = {
    Status.SOLVED: "#0072B2",
    Status.UNBALANCED: "#56B4E9",
    Status.PROJECTED: "#E69F00",
    Status.DEGENERATE: "#009E73",
    Status.UNPHYSICAL: "#000000",
}
_TOO_SHARP = frozenset({"truth", "hadronic_tag"})  # would set the scale for all others

Found = dict[str, "dict[str, FloatArray]"]


def draw_validation(
    methods: Sequence[Method],
    found: Found,
    groups: Mapping[str, BoolArray],
    weights: FloatArray,
    pulls: Mapping[str, FloatArray],
    statuses: Sequence[StatusRow],
    folder: Path,
    drawn: Callable[[int], None],
) -> list[Path]:
    """Draw all figures of a validation.

    Parameters
    ----------
    methods
        Of the solutions.
    found
        By name of the method, of `validation_residuals.compare_with_truth`.
    groups
        Of `validation_residuals.groups_of`.
    weights
        (n,) weights.
    pulls
        Of `validation_pulls.input_pulls`.
    statuses
        Of `validation_residuals.status_rows`.
    folder
        Where to; exists.
    drawn
        Called with 1 after each figure.

    Returns
    -------
    list of Path
        The PNG files, at most `MOST_FIGURES`.
    """
    sample = _Sample(found, groups, weights)
    made = []
    makers: list[tuple[str, bool, Callable[[], tuple[Figure, dict[str, FloatArray]]]]] = [
        ("residuals_m_recoil", True, lambda: _by_group(methods, sample, "m_recoil")),
        ("residuals_cos_theta", True, lambda: _by_group(methods, sample, "cos_theta")),
        ("residuals_momenta", bool(statuses), lambda: _momenta(methods, sample)),
        ("pulls", any(np.isfinite(p).any() for p in pulls.values()), lambda: _pulls(pulls)),
        ("status", bool(statuses), lambda: _status(statuses)),
    ]
    for name, has_content, make in makers:
        if has_content:
            with figure_style():
                made.append(save_figure(*make(), folder / name))
        drawn(1)
    return made


class _Sample:
    """Residuals by method, quantity and group."""

    def __init__(self, found: Found, groups: Mapping[str, BoolArray], weights: FloatArray) -> None:
        self._found, self._weights = found, weights
        self.groups = {name: chosen for name, chosen in groups.items() if chosen.any()}

    def of(self, method: Method, quantity: str, group: str) -> tuple[FloatArray, FloatArray]:
        """Return finite residuals of the chosen solution, and weights."""
        values = self._found[method.name][f"{CHOSEN}/{quantity}"]
        chosen = self.groups[group] & np.isfinite(values)
        return values[chosen], self._weights[chosen]


def _curve(
    axes: Axes,
    sample: _Sample,
    method: Method,
    quantity: str,
    group: str,
    table: dict[str, FloatArray],
) -> float:
    """Draw one residual, normalised, and keep its numbers; return the highest bin."""
    _, low, high = _AXES[quantity]
    values, weights = sample.of(method, quantity, group)
    edges = np.linspace(low, high, _BINS + 1)
    counts, _ = np.histogram(values, edges, weights=weights)
    density = counts / max(float(weights.sum()), 1e-300) / (edges[1] - edges[0])
    color, line = method_style(method)
    spread = describe(values, weights, 0.0)
    number = spread.median if quantity == "direction" else spread.half_width
    draw_steps(axes, density, edges, color=color, linestyle=line,
               label=f"{method_label(method)}: {number:.3f}")  # fmt: skip
    table[f"{quantity}_low"], table[f"{quantity}_high"] = edges[:-1], edges[1:]
    table[f"{method.name}_{quantity}_{group}"] = density
    return float(density.max())


def _finish(axes: Axes, quantity: str, highest: float) -> None:
    """Label a panel, with room for its legend."""
    label, low, high = _AXES[quantity]
    axes.axvline(0.0, color="0.7", linewidth=0.8, zorder=0)
    axes.set(xlabel=label, xlim=(low, high))
    axes.set_ylim(0.0, 1.45 * highest or None)
    is_angle = quantity == "direction"
    axes.legend(
        frameon=False, fontsize="x-small", title="median" if is_angle else "68 %",
        title_fontsize="x-small", loc="upper right" if is_angle else "upper left",
    )  # fmt: skip


def _by_group(
    methods: Sequence[Method], sample: _Sample, quantity: str
) -> tuple[Figure, dict[str, FloatArray]]:
    """One quantity of all methods: a row a choice of m_nunu, a column a group of tau decays."""
    masses: list[str | None] = list(dict.fromkeys(m.m_nunu for m in methods if m.is_solved))
    masses = masses or [None]
    groups = list(sample.groups)
    size = (4.4 * len(groups), 3.4 * len(masses))
    figure = Figure(figsize=size, layout="constrained")
    grid = figure.subplots(len(masses), len(groups), squeeze=False)
    table: dict[str, FloatArray] = {}
    for row, mass in zip(grid, masses, strict=True):
        for axes, group in zip(row, groups, strict=True):
            highest = 0.0
            for method in methods:
                if method.m_nunu not in {None, mass} or method.variable == "truth":
                    continue
                top = _curve(axes, sample, method, quantity, group, table)
                if method.variable not in _TOO_SHARP:
                    highest = max(highest, top)
            _finish(axes, quantity, highest)
            axes.set_title(f"{group} $\\tau$ decays", fontsize="medium")
        title = "" if mass is None else f"{mass_title(mass)}\n"
        row[0].set_ylabel(f"{title}candidates / unit, normalised")
    return figure, table


def _momenta(methods: Sequence[Method], sample: _Sample) -> tuple[Figure, dict[str, FloatArray]]:
    """Invisible momenta and the direction of B_sig, one choice of m_nunu, all tau decays."""
    chosen = one_mass([m for m in methods if m.is_solved])
    figure = Figure(figsize=(17.5, 7.0), layout="constrained")
    grid = figure.subplots(2, 5)
    table: dict[str, FloatArray] = {}
    panels = [*grid[0, :4], *grid[1, :4], grid[0, 4]]
    for axes, quantity in zip(panels, (*_MOMENTA, "direction"), strict=True):
        tops = [_curve(axes, sample, m, quantity, "all", table) for m in chosen]
        _finish(axes, quantity, max(tops))
    grid[1, 4].set_axis_off()
    for axes in grid[:, 0]:
        axes.set_ylabel("candidates / unit, normalised")
    masses = ", ".join(dict.fromkeys(mass_title(m.m_nunu) for m in chosen if m.m_nunu))
    figure.suptitle(f"Invisible momenta, all tau decays, {masses}")
    return figure, table


def _pulls(pulls: Mapping[str, FloatArray]) -> tuple[Figure, dict[str, FloatArray]]:
    """Draw the pulls of what is measured, with the unit Gaussian of the same number."""
    finite = {n: p[np.isfinite(p)] for n, p in pulls.items() if np.isfinite(p).any()}
    panels: dict[str, list[str]] = {}
    for name in finite:
        panels.setdefault(name.rpartition("_")[0], []).append(name)
    columns = min(3, len(panels))
    rows = -(-len(panels) // columns)
    figure = Figure(figsize=(4.2 * columns, 3.2 * rows), layout="constrained")
    grid = figure.subplots(rows, columns, squeeze=False)
    centre = 0.5 * (_PULL_EDGES[:-1] + _PULL_EDGES[1:])
    expected = np.diff(stats.norm.cdf(_PULL_EDGES))
    table: dict[str, FloatArray] = {
        "low": _PULL_EDGES[:-1], "high": _PULL_EDGES[1:], "unit_gaussian": expected
    }  # fmt: skip
    for axes, (title, names) in zip(grid.flat, panels.items(), strict=False):
        axes.plot(centre, expected, color="0.5", linewidth=1.2, zorder=0)
        for name, (color, marker, shift) in zip(names, _PULL_STYLES, strict=False):
            pull = finite[name]
            counts, _ = np.histogram(pull, _PULL_EDGES)
            some = counts > 0
            axes.errorbar(
                centre[some] + shift, counts[some] / len(pull), np.sqrt(counts[some]) / len(pull),
                fmt=marker, color=color, markersize=3, elinewidth=0.8,
                label=f"{name.rpartition('_')[2]}: {pull.mean():+.3f}, {pull.std():.3f}",
            )  # fmt: skip
            table[name] = counts / len(pull)
        axes.set(title=title, ylim=(0.0, 1.5 * float(expected.max())), xlabel="pull")
        axes.legend(frameon=False, fontsize="x-small", title="mean, width",
                    title_fontsize="x-small", loc="upper left")  # fmt: skip
    for axes in grid.flat[len(panels) :]:
        axes.set_axis_off()
    for axes in grid[:, 0]:
        axes.set_ylabel("share of candidates")
    figure.suptitle("Measured less true over the stated uncertainty; line: unit Gaussian")
    return figure, table


def _status(rows: Sequence[StatusRow]) -> tuple[Figure, dict[str, FloatArray]]:
    """Shares of each status: a bar a method, a panel a group of tau decays."""
    groups = list(dict.fromkeys(row.group for row in rows))
    names = list(dict.fromkeys(row.method for row in rows))
    figure = Figure(figsize=(4.2 * len(groups) + 1.0, 0.36 * len(names) + 1.7),
                    layout="constrained")  # fmt: skip
    grid = figure.subplots(1, len(groups), squeeze=False, sharey=True)
    table: dict[str, FloatArray] = {"status": np.array([float(s) for s in Status])}
    for axes, group in zip(grid.flat, groups, strict=True):
        of_group = [row for row in rows if row.group == group]
        shares = np.array([row.shares for row in of_group])
        left = np.zeros(len(of_group))
        for status in Status:
            axes.barh(
                [row.method for row in of_group], shares[:, status], left=left, height=0.75,
                color=_STATUS_COLORS[status], edgecolor="white", linewidth=0.5,
                label=status.name.lower(),
            )  # fmt: skip
            left += shares[:, status]
        for row in of_group:
            table[f"{row.method}_{group}"] = np.array(row.shares)
        axes.set(xlim=(0.0, 1.0), xlabel="share of candidates", title=f"{group} $\\tau$ decays")
    grid[0, 0].invert_yaxis()
    handles, labels = grid[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, frameon=False, ncols=len(labels), loc="outside upper center")
    return figure, table
