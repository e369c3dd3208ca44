"""The figures of a run, each as PNG and PDF with the numbers behind it as CSV.

Colours are the eight of Okabe and Ito, which remain distinct for colour-blind readers; line
styles differ, too, so that figures survive a grey printer.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.figure import Figure

from m2solve.study.histograms import (
    GROUPS,
    PLANE_EDGES,
    RESIDUALS,
    TAU_MODES,
    Histogram,
    RunHistograms,
)
from simgen.io.atomic import atomic_file
from simgen.particles import particle_table

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from matplotlib.axes import Axes

    from m2solve.study.methods import Method
    from simgen.typing import FloatArray

LABELS = {
    "M2": r"$M_2$",
    "M2s": r"$M_{2s}$",
    "M2sB": r"$M_{2sB}$",
    "M2V": r"$M_{2V}$",
    "M2sV": r"$M_{2sV}$",
    "M2BV": r"$M_{2BV}$",
    "M2sBV": r"$M_{2sBV}$",
    "random": r"random $\cos\theta$",
    "hadronic_tag": "hadronic tag",
    "truth": r"true $\cos\theta$",
}
STYLES: Mapping[str, tuple[str, str]] = {
    "M2": ("#F0E442", "--"),
    "M2s": ("#CC79A7", "--"),
    "M2sB": ("#D55E00", "-"),
    "M2V": ("#56B4E9", "--"),
    "M2sV": ("#0072B2", "-"),
    "M2BV": ("#009E73", "-."),
    "M2sBV": ("#000000", "-"),
    "random": ("#999999", "-"),
    "hadronic_tag": ("#009E73", "--"),
    "truth": ("#E69F00", ":"),
}
_MODE_STYLES = {
    "e": ("#0072B2", "-", r"$\tau\to e\nu\nu$"),
    "mu": ("#D55E00", "--", r"$\tau\to\mu\nu\nu$"),
    "pi": ("#009E73", "-.", r"$\tau\to\pi\nu$"),
    "rho": ("#CC79A7", ":", r"$\tau\to\rho\nu$"),
}
_POSTERIOR_LINE = "--"
_MASS_TITLES = {
    "true": r"$m_{\nu\nu}$ true",
    "m_hat": r"$m_{\nu\nu} = \hat m$ (leptonic), 0 (hadronic)",
    "zero": r"$m_{\nu\nu} = 0$",
    "posterior": r"$m_{\nu\nu}$ unknown, posterior",
}
SHORT_MASS_TITLES = {
    "true": r"true $m_{\nu\nu}$",
    "m_hat": r"$\hat m$",
    "zero": r"$m_{\nu\nu}=0$",
    "posterior": "posterior",
}
_RESIDUAL_LABELS = {
    "cos_theta": r"$\cos\theta$ solved $-$ true",
    "px": r"$k_{sig,x}$ solved $-$ true (GeV)",
    "py": r"$k_{sig,y}$ solved $-$ true (GeV)",
    "pz": r"$k_{sig,z}$ solved $-$ true (GeV)",
    "energy": r"$k_{sig}$ energy solved $-$ true (GeV)",
}
_COMPARISONS = frozenset({"hadronic_tag", "truth"})
_DENSITY = "candidates / GeV, normalised"
_RECOIL_RANGE = (0.8, 2.8)
_RECOIL_REBIN = 20  # 20 MeV
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
    made = [
        save_figure(*_recoil_by_variable(histograms), folder / "m_recoil_by_variable"),
        save_figure(*_recoil_by_tau_mode(histograms), folder / "m_recoil_by_tau_mode"),
        save_figure(*_m_hat(histograms), folder / "m_hat_against_m_nunu"),
    ]
    if histograms.residuals:
        made.append(save_figure(*_residuals(histograms), folder / "solver_residuals"))
    return made


def save_figure(figure: Figure, table: Mapping[str, FloatArray], stem: Path) -> Path:
    """Write a figure as PNG and PDF and its numbers as CSV."""
    for suffix, metadata in ((".png", {}), (".pdf", {"CreationDate": None})):
        image = io.BytesIO()
        figure.savefig(image, format=suffix[1:], dpi=160, metadata=metadata)
        with atomic_file(stem.with_suffix(suffix)) as target:
            target.write(image.getvalue())
    text = io.StringIO()
    columns = list(table.values())
    np.savetxt(text, np.stack(columns, axis=1), "%.8g", ",", header=",".join(table), comments="")
    with atomic_file(stem.with_suffix(".csv")) as target:
        target.write(text.getvalue().encode())
    return stem.with_suffix(".png")


def method_style(method: Method) -> tuple[str, str]:
    """Return colour and line of a method."""
    color, line = STYLES[method.variable]
    return color, _POSTERIOR_LINE if method.m_nunu == "posterior" else line


def method_label(method: Method) -> str:
    """Return the label of a method where the mass need not be said, unless it is a posterior."""
    label = LABELS[method.variable]
    return f"{label}, posterior" if method.m_nunu == "posterior" else label


def mass_title(mass: str, titles: Mapping[str, str] = _MASS_TITLES) -> str:
    """Say what is taken for m_nunu: one of the names, a number, or the name of a user's file."""
    if mass in titles:
        return titles[mass]
    if mass[0].isdigit():
        return rf"$m_{{\nu\nu}} = {mass}$ GeV"
    return rf"$m_{{\nu\nu}}$ of {mass}"


def _in_column(method: Method, mass: str | None) -> bool:
    """Say whether a method is drawn with a choice of m_nunu.

    The posterior, an alternative to m_hat, is drawn beside it.
    """
    beside = mass == "m_hat" and method.m_nunu == "posterior"
    return method.m_nunu in {None, mass} or beside


def _curve(
    axes: Axes, recoil: Histogram, table: dict[str, FloatArray], name: str, **style: Any
) -> None:
    """Draw M_recoil normalised to one candidate per GeV and keep its numbers."""
    edges, counts = recoil.rebinned(_RECOIL_REBIN)
    density = counts / max(recoil.total, 1e-300) / (edges[1] - edges[0])
    axes.stairs(density, edges, linewidth=1.4, **style)
    table["m_recoil_low"], table["m_recoil_high"] = edges[:-1], edges[1:]
    table[name] = density


def _finish_recoil(axes: Axes, title: str, y_label: str, top: float | None = None) -> None:
    """Label a panel of M_recoil and mark the tau mass."""
    axes.axvline(particle_table().by_name("tau-").mass, color="0.7", linewidth=0.8, zorder=0)
    axes.set(xlim=_RECOIL_RANGE, xlabel=r"$M_\mathrm{recoil}$ (GeV)", title=title, ylabel=y_label)
    axes.set_ylim(0.0, top)


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
                _curve(
                    axes, histograms.recoil_of(method, modes), table, f"{method.name}_{group}",
                    color=color, linestyle=line, label=method_label(method),
                )  # fmt: skip
            highest = max(
                (table[f"{m.name}_{group}"].max() for m in histograms.methods
                 if _in_column(m, mass) and m.variable not in _COMPARISONS), default=0.0,
            )  # fmt: skip
            title = mass_title(mass) if mass and group == next(iter(GROUPS)) else ""
            label = f"{group} tau decays\n{_DENSITY}" if axes is row[0] else ""
            _finish_recoil(axes, title, label, 1.15 * highest or None)
    shown = next((i for i, mass in enumerate(masses) if mass == "m_hat"), 0)
    grid[0, shown].legend(frameon=False, fontsize="small")
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
            _curve(
                axes, histograms.recoil_of(method, [TAU_MODES[mode]]), table,
                f"{method.name}_{mode}", color=color, linestyle=line, label=label,
            )  # fmt: skip
        title = LABELS[method.variable]
        if method.m_nunu is not None:
            title += f", {mass_title(method.m_nunu, SHORT_MASS_TITLES)}"
        _finish_recoil(axes, title, _DENSITY if axes in grid[:, 0] else "")
    for axes in grid.flat[len(chosen) :]:
        axes.set_axis_off()
    grid[0, 0].legend(frameon=False, fontsize="small")
    return figure, table


def one_mass(methods: Sequence[Method]) -> list[Method]:
    """Return one method a variable: posterior, else m_hat, which an analyst can use, if made."""
    chosen: dict[str, Method] = {}
    for mass in ("posterior", "m_hat", None):
        for method in methods:
            if mass in {None, method.m_nunu}:
                chosen.setdefault(method.variable, method)
    return [chosen[variable] for variable in dict.fromkeys(m.variable for m in methods)]


def _m_hat(histograms: RunHistograms) -> tuple[Figure, dict[str, FloatArray]]:
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
        left.stairs(density, edges, color=color, linestyle="-" if line == ":" else line,
                    linewidth=1.4, label=label)  # fmt: skip
        table["low"], table["high"], table[name] = edges[:-1], edges[1:], density
    left.set(
        xlabel="mass of the invisible system (GeV)",
        ylabel=_DENSITY,
        title=rf"leptonic $\tau$ decays, {histograms.imaginary_share():.1%} with $\hat m^2 < 0$",
    )
    left.legend(frameon=False, fontsize="small")
    left.set_ylim(0.0, 1.35 * left.get_ylim()[1])
    image = right.pcolormesh(PLANE_EDGES, PLANE_EDGES, histograms.plane.T, cmap="cividis",
                             rasterized=True)  # fmt: skip
    right.plot([0.0, 1.8], [0.0, 1.8], color="white", linewidth=0.8, linestyle="--")
    right.set(xlabel=r"true $m_{\nu\nu}$ (GeV)", ylabel=r"$|\hat m|$ (GeV)", aspect="equal")
    figure.colorbar(image, ax=right, label="candidates in 20 MeV x 20 MeV")
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
            axes.stairs(density, edges, color=color, linestyle=line, linewidth=1.4,
                        label=f"{method_label(method)}{_width(residual)}")  # fmt: skip
            table["low"], table["high"] = edges[:-1], edges[1:]
            table[f"{method.name}_{quantity}"] = density
        axes.axvline(0.0, color="0.7", linewidth=0.8, zorder=0)
        limit = _RESIDUAL_LIMITS.get(quantity, 1.5)
        empty = not any(table[f"{method.name}_{quantity}"].any() for method in best)
        scale = "linear" if empty else "log"
        axes.set(xlabel=_RESIDUAL_LABELS[quantity], yscale=scale, xlim=(-limit, limit))
        axes.legend(frameon=False, fontsize="small")
    panels[0].set_ylabel("candidates / unit, normalised")
    panels[3].set_ylabel("candidates / unit, normalised")
    panels[-1].set_axis_off()
    mass = best[0].m_nunu
    figure.suptitle(f"Solvers against truth, all tau decays, {mass_title(mass or 'true')}")
    return figure, table
