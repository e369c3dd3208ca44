"""The figures of a run, each as PNG and PDF with the numbers behind it as CSV."""

from __future__ import annotations

from typing import TYPE_CHECKING

from matplotlib.figure import Figure

from m2solve.study.figure_style import (
    DENSITY,
    GROUP_TITLES,
    LABELS,
    SHORT_MASS_TITLES,
    STYLES,
    draw_recoil,
    draw_steps,
    figure_style,
    finish_recoil,
    mass_title,
    method_label,
    method_style,
    one_mass,
    save_figure,
)
from m2solve.study.histograms import (
    GROUPS,
    PLANE_EDGES,
    RESIDUALS,
    TAU_MODES,
    Histogram,
    RunHistograms,
)

if TYPE_CHECKING:
    from pathlib import Path

    from m2solve.study.methods import Method
    from simgen.typing import FloatArray

_MODE_STYLES = {
    "e": ("#0072B2", "-", r"$\tau\to e\nu\nu$"),
    "mu": ("#D55E00", "--", r"$\tau\to\mu\nu\nu$"),
    "pi": ("#009E73", "-.", r"$\tau\to\pi\nu$"),
    "rho": ("#CC79A7", ":", r"$\tau\to\rho\nu$"),
}
_RESIDUAL_LABELS = {
    "cos_theta": r"$\cos\theta$ solved $-$ true",
    "px": r"$k_{sig,x}$ solved $-$ true (GeV)",
    "py": r"$k_{sig,y}$ solved $-$ true (GeV)",
    "pz": r"$k_{sig,z}$ solved $-$ true (GeV)",
    "energy": r"$k_{sig}$ energy solved $-$ true (GeV)",
}
_COMPARISONS = frozenset({"hadronic_tag", "truth"})
_RESIDUAL_REBIN = 2
_RESIDUAL_LIMITS = {"cos_theta": 2.0, "pz": 3.0}


def draw_figures(histograms: RunHistograms, folder: Path) -> list[Path]:
    """Draw all figures of a run.

    Parameters
    ----------
    histograms
        Of the run.
    folder
        Where to; made if needed.

    Returns
    -------
    list of Path
        The PNG files.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with figure_style():
        made = [
            save_figure(*_recoil_by_variable(histograms), folder / "m_recoil_by_variable"),
            save_figure(*_recoil_by_tau_mode(histograms), folder / "m_recoil_by_tau_mode"),
            save_figure(*draw_m_hat(histograms), folder / "m_hat_against_m_nunu"),
        ]
        if histograms.residuals:
            made.append(save_figure(*_residuals(histograms), folder / "solver_residuals"))
    return made


def _in_column(method: Method, mass: str | None) -> bool:
    """Say whether a method is drawn with a choice of m_nunu.

    The posterior, an alternative to m_hat, is drawn beside it.
    """
    beside = mass == "m_hat" and method.m_nunu == "posterior"
    return method.m_nunu in {None, mass} or beside


def _recoil_by_variable(histograms: RunHistograms) -> tuple[Figure, dict[str, FloatArray]]:
    """M_recoil of every variable: a column a choice of m_nunu, a row a group of tau decays.

    The scale is that of what can be done with a semileptonic tag; the true cos(theta) and the
    hadronic tag, drawn for comparison, may run off it.
    """
    solved = [m.m_nunu for m in histograms.methods if m.is_solved]
    masses: list[str | None] = list(dict.fromkeys(solved)) or [None]
    if "m_hat" in masses:
        masses = [mass for mass in masses if mass != "posterior"]
    figure = Figure(figsize=(4.2 * len(masses), 9.6), layout="constrained")
    grid = figure.subplots(len(GROUPS), len(masses), squeeze=False)
    table: dict[str, FloatArray] = {}
    for row, (group, modes) in zip(list(grid), GROUPS.items(), strict=True):
        for axes, mass in zip(row, masses, strict=True):
            for method in histograms.methods:
                if not _in_column(method, mass):
                    continue
                color, line = method_style(method)
                draw_recoil(
                    axes, histograms.recoil_of(method, modes), table, f"{method.name}_{group}",
                    color=color, linestyle=line, label=method_label(method),
                )  # fmt: skip
            highest = max(
                (table[f"{m.name}_{group}"].max() for m in histograms.methods
                 if _in_column(m, mass) and m.variable not in _COMPARISONS), default=0.0,
            )  # fmt: skip
            title = mass_title(mass) if mass and group == next(iter(GROUPS)) else ""
            label = f"{GROUP_TITLES[group]}\n{DENSITY}" if axes is row[0] else ""
            finish_recoil(axes, title, label, 1.15 * highest or None)
    shown = next((i for i, mass in enumerate(masses) if mass == "m_hat"), 0)
    grid[0, shown].legend()
    return figure, table


def _recoil_by_tau_mode(histograms: RunHistograms) -> tuple[Figure, dict[str, FloatArray]]:
    """M_recoil of every tau decay: a panel a method, the solvers with one choice of m_nunu."""
    chosen = one_mass(histograms.methods)
    columns = min(3, len(chosen))
    rows = -(-len(chosen) // columns)
    figure = Figure(figsize=(4.2 * columns, 3.4 * rows), layout="constrained")
    grid = figure.subplots(rows, columns, squeeze=False)
    table: dict[str, FloatArray] = {}
    for axes, method in zip(grid.flat, chosen, strict=False):
        for mode, (color, line, label) in _MODE_STYLES.items():
            draw_recoil(
                axes, histograms.recoil_of(method, [TAU_MODES[mode]]), table,
                f"{method.name}_{mode}", color=color, linestyle=line, label=label,
            )  # fmt: skip
        title = LABELS[method.variable]
        if method.m_nunu is not None:
            title += f", {mass_title(method.m_nunu, SHORT_MASS_TITLES)}"
        finish_recoil(axes, title, DENSITY if axes in grid[:, 0] else "")
    for axes in grid.flat[len(chosen) :]:
        axes.set_axis_off()
    grid[0, 0].legend()
    return figure, table


def draw_m_hat(histograms: RunHistograms) -> tuple[Figure, dict[str, FloatArray]]:
    """m_hat against the true m_nunu of leptonic tau decays."""
    figure = Figure(figsize=(9.6, 4.2), layout="constrained")
    left, right = figure.subplots(1, 2)
    table: dict[str, FloatArray] = {}
    for name, histogram, (color, line), label in (
        ("m_nunu", histograms.m_nunu, STYLES["truth"], r"true $m_{\nu\nu}$"),
        ("m_hat", histograms.m_hat, STYLES["M2sB"],
         r"$\hat m$, drawn at $-|\hat m|$ where $\hat m^2 < 0$"),
    ):  # fmt: skip
        edges, counts = histogram.rebinned(4)
        density = counts / max(histogram.total, 1e-300) / (edges[1] - edges[0])
        draw_steps(left, density, edges, color=color, linestyle="-" if line == ":" else line,
                   label=label)  # fmt: skip
        table["low"], table["high"], table[name] = edges[:-1], edges[1:], density
    left.set(
        xlabel="mass of the invisible system (GeV)",
        ylabel=DENSITY,
        title=rf"leptonic $\tau$ decays, {histograms.imaginary_share():.1%} with $\hat m^2 < 0$",
    )
    left.legend()
    left.set_ylim(0.0, 1.35 * left.get_ylim()[1])
    image = right.pcolormesh(PLANE_EDGES, PLANE_EDGES, histograms.plane.T, cmap="cividis",
                             rasterized=True)  # fmt: skip
    right.plot([0.0, 1.8], [0.0, 1.8], color="white", linewidth=0.8, linestyle="--")
    right.set(xlabel=r"true $m_{\nu\nu}$ (GeV)", ylabel=r"$|\hat m|$ (GeV)", aspect="equal")
    figure.colorbar(image, ax=right, label="candidates in 20 MeV × 20 MeV")
    return figure, table


def _width(residual: Histogram) -> str:
    """Say how wide a residual is: half of its central 68 % interval; nothing if it is empty."""
    if residual.total == 0.0:
        return ""
    return f", 68 %: {0.5 * (residual.quantile(0.84) - residual.quantile(0.16)):.3f}"


def _residuals(histograms: RunHistograms) -> tuple[Figure, dict[str, FloatArray]]:
    """Solved minus true: a panel a quantity, a curve a variable, with the true m_nunu if made."""
    solved = [m for m in histograms.methods if m.is_solved]
    best = [m for m in solved if m.m_nunu == "true"] or one_mass(solved)
    figure = Figure(figsize=(12.6, 6.8), layout="constrained")
    panels = list(figure.subplots(2, 3).flat)
    table: dict[str, FloatArray] = {}
    for axes, quantity in zip(panels, RESIDUALS, strict=False):
        for method in best:
            residual = histograms.residuals[method.name, quantity]
            edges, counts = residual.rebinned(_RESIDUAL_REBIN)
            density = counts / max(residual.total, 1e-300) / (edges[1] - edges[0])
            color, line = method_style(method)
            draw_steps(axes, density, edges, color=color, linestyle=line,
                       label=f"{method_label(method)}{_width(residual)}")  # fmt: skip
            table["low"], table["high"] = edges[:-1], edges[1:]
            table[f"{method.name}_{quantity}"] = density
        axes.axvline(0.0, color="0.7", linewidth=0.8, zorder=0)
        limit = _RESIDUAL_LIMITS.get(quantity, 1.5)
        empty = not any(table[f"{method.name}_{quantity}"].any() for method in best)
        scale = "linear" if empty else "log"
        axes.set(xlabel=_RESIDUAL_LABELS[quantity], yscale=scale, xlim=(-limit, limit))
        axes.legend()
    panels[0].set_ylabel("candidates / unit, normalised")
    panels[3].set_ylabel("candidates / unit, normalised")
    panels[-1].set_axis_off()
    mass = best[0].m_nunu
    figure.suptitle(f"Solvers against truth, all tau decays, {mass_title(mass or 'true')}")
    return figure, table
