"""The figures of the check of a detector: resolutions, their shapes, and efficiencies."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.figure import Figure
from scipy import stats

from m2solve.study.detector_efficiencies import share_found, share_identified
from m2solve.study.detector_points import ANGLES, FLIGHTS, MOMENTA, TRACKS, momenta, points
from m2solve.study.detector_resolutions import smear_particles, stated_resolutions
from m2solve.study.electron_errors import electron_integral
from m2solve.study.figure_style import figure_style, save_figure
from m2solve.study.stated_errors import radiation_lengths

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from matplotlib.axes import Axes

    from detector.profiles import DetectorProfile
    from m2solve.study.detector_efficiencies import EfficiencyRow
    from m2solve.study.detector_resolutions import ResolutionRow
    from simgen.typing import FloatArray

MOST_FIGURES = 5
_COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00")
_MARKERS = ("o", "s", "^", "D", "v")
_LINES = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)))
_DENSE = np.geomspace(MOMENTA[0], MOMENTA[-1], 100)
_LABELS = {"pt": r"$\sigma(p_T)/p_T$", "energy": r"$\sigma(E)/E$",
           "theta": r"$\sigma(\theta)$ (rad)", "phi": r"$\sigma(\phi)$ (rad)",
           "d0": r"$\sigma(d_0)$ (mm)", "z0": r"$\sigma(z_0)$ (mm)"}  # fmt: skip
_MOMENTUM = dict.fromkeys(("electron", "pion", "kaon"), ("pt", "theta", "phi")) | {
    "photon": ("energy", "theta", "phi")
}
_IMPACT = dict.fromkeys(("electron", "pion", "kaon", "proton"), ("d0", "z0"))
_PDG_NAMES = {"electron": "$e$", "muon": r"$\mu$", "pion": r"$\pi$", "kaon": "$K$",
              "proton": "$p$", "photon": r"$\gamma$", "pi0": r"$\pi^0$"}  # fmt: skip

_ELECTRONS = 1000  # at each point
_SHOWN, _MANY_ELECTRONS = 0.9, 50_000  # GeV of those whose shares are drawn
_SHARES = 60  # bins

Drawn = tuple[Figure, "dict[str, FloatArray]"]


def draw_check(
    profile: DetectorProfile,
    resolutions: Sequence[ResolutionRow],
    efficiencies: Sequence[EfficiencyRow],
    folder: Path,
    drawn: Callable[[int], None],
) -> list[Path]:
    """Draw all figures of a check of a profile.

    Parameters
    ----------
    profile
        The detector, for its curves.
    resolutions, efficiencies
        Of `detector_check`.
    folder
        Where to; exists.
    drawn
        Called with 1 after each figure.

    Returns
    -------
    list of Path
        The PNG files, at most `MOST_FIGURES`.
    """
    made = []
    makers: list[tuple[str, bool, Callable[[], Drawn]]] = [
        ("resolutions", bool(resolutions), lambda: _resolutions(profile, resolutions, _MOMENTUM)),
        (
            "impact",
            any(row.quantity == "d0" for row in resolutions),
            lambda: _resolutions(profile, resolutions, _IMPACT),
        ),
        ("electrons", _radiates(profile), lambda: electron_figure(profile)),
        ("scores", bool(resolutions), lambda: _scores(resolutions)),
        ("efficiencies", bool(efficiencies), lambda: _efficiencies(profile, efficiencies)),
    ]
    with figure_style():
        for name, has_content, make in makers:
            if has_content:
                made.append(save_figure(*make(), folder / name))
            drawn(1)
    return made


def _radiates(profile: DetectorProfile) -> bool:
    """Say whether electrons radiate at all angles of the check."""
    true = np.concatenate([momenta(1.0, theta, TRACKS["electron"], 1) for theta in ANGLES])
    return bool(np.all(radiation_lengths(true, profile) > 0.0))


def electron_figure(profile: DetectorProfile) -> Drawn:
    """Measured over true pT of electrons on the stated distribution, and its integral at each.

    The integral is uniform if the distribution is right.
    """
    figure = Figure(figsize=(10.0, 4.2), layout="constrained")
    left, right = figure.subplots(1, 2)
    edges, levels = np.linspace(0.5, 1.1, _SHARES + 1), np.linspace(0.0, 1.0, _SHARES + 1)
    middle, steps = 0.5 * (edges[1:] + edges[:-1]), 0.5 * (levels[1:] + levels[:-1])
    table = {"share": middle, "integral": steps}
    for j, theta in enumerate(ANGLES):
        true = momenta(_SHOWN, theta, TRACKS["electron"], _MANY_ELECTRONS)
        errors = smear_particles("electron", true, np.arange(len(true)), profile)[1]["pt"]
        at = electron_integral(edges[:, np.newaxis] * true[:1], np.repeat(true[:1], len(edges), 0),
                               profile)  # fmt: skip
        stated = np.diff(at) / (edges[1] - edges[0])
        count = np.histogram(errors + 1.0, edges)[0]
        unit = len(errors) * (edges[1] - edges[0])
        left.plot(middle, stated, color=_COLORS[j], linestyle=_LINES[j], linewidth=1.2)
        left.errorbar(middle, count / unit, np.sqrt(count) / unit, fmt=_MARKERS[j], markersize=2.5,
                      color=_COLORS[j], label=rf"$\theta={theta:g}^\circ$")  # fmt: skip
        table |= {f"{theta:g}_measured": count / unit, f"{theta:g}_stated": stated}
    left.set(yscale="log", ylim=(0.01, None), xlabel=r"measured / true $p_T$", ylabel="density",
             title=f"electrons of {_SHOWN:g} GeV")  # fmt: skip
    left.legend(frameon=False, fontsize="x-small")
    at_points = []
    for place, p, theta in points(MOMENTA, ANGLES):
        true = momenta(p, theta, TRACKS["electron"], _ELECTRONS)
        numbers = place * _ELECTRONS + np.arange(_ELECTRONS)
        measured, _ = smear_particles("electron", true, numbers, profile)
        at_points.append(electron_integral(measured, true, profile))
    pooled = np.concatenate(at_points)
    p_value = stats.kstest(pooled, "uniform", method="asymp").pvalue
    expected = len(pooled) / _SHARES
    count = np.histogram(pooled, levels)[0] / expected
    right.errorbar(steps, count, np.sqrt(count / expected), fmt="o", markersize=3,
                   color=_COLORS[0])  # fmt: skip
    right.axhline(1.0, color="0.6", linewidth=0.7)
    half = 6.0 / np.sqrt(expected)
    right.set(ylim=(1.0 - half, 1.0 + half), xlabel="stated probability of a smaller $p_T$",
              ylabel="electrons / expected",
              title=f"all points; Kolmogorov-Smirnov p = {p_value:.2g}")  # fmt: skip
    table["integral_measured"] = count
    figure.suptitle(f"{profile.name}: electrons that radiate; lines of the profile")
    return figure, table


def _resolutions(
    profile: DetectorProfile,
    rows: Sequence[ResolutionRow],
    drawn: Mapping[str, tuple[str, ...]],
) -> Drawn:
    """Fitted resolutions on the profile's curves: a column a kind of particle."""
    height = len(next(iter(drawn.values())))
    figure = Figure(figsize=(3.6 * len(drawn), 2.8 * height + 0.2), layout="constrained")
    grid = figure.subplots(height, len(drawn), sharex=True)
    table: dict[str, FloatArray] = {"p": np.array(MOMENTA)}
    for column, (particle, quantities) in zip(grid.T, drawn.items(), strict=True):
        for axes, quantity in zip(column, quantities, strict=True):
            for j, theta in enumerate(ANGLES):
                chosen = [row for row in rows if (row.particle, row.quantity, row.theta)
                          == (particle, quantity, theta)]  # fmt: skip
                curve = [_stated(particle, p, theta, profile)[quantity] for p in _DENSE]
                axes.plot(_DENSE, curve, color=_COLORS[j], linestyle=_LINES[j], linewidth=1.2)
                axes.errorbar([row.p for row in chosen], [row.fitted for row in chosen],
                              [row.fitted_error for row in chosen], fmt=_MARKERS[j], markersize=3.5,
                              color=_COLORS[j], label=rf"$\theta={theta:g}^\circ$")  # fmt: skip
                if len(chosen) == len(MOMENTA):
                    name = f"{particle}_{quantity}_{theta:g}"
                    table[f"{name}_fitted"] = np.array([row.fitted for row in chosen])
                    table[f"{name}_stated"] = np.array([row.stated for row in chosen])
            positive = any(row.quantity == quantity and row.particle == particle for row in rows)
            axes.set(xscale="log", yscale="log" if positive else "linear",
                     ylabel=_LABELS[quantity])  # fmt: skip
        column[0].set_title(particle)
        column[-1].set_xlabel("E (GeV)" if particle == "photon" else "p (GeV)")
    grid[0, 0].legend(frameon=False, fontsize="x-small")
    figure.suptitle(f"{profile.name}: points fitted to smeared particles; lines of the profile")
    return figure, table


def _stated(particle: str, p: float, theta: float, profile: DetectorProfile) -> dict[str, float]:
    """Return the profile's resolutions at a point."""
    p4 = momenta(p, theta, TRACKS.get(particle, 0.0), 1)[0]
    return stated_resolutions(particle, p4, profile)


def _scores(rows: Sequence[ResolutionRow]) -> Drawn:
    """Mean and width of the normal scores at every point: 0 and 1 in units of their errors."""
    kinds = list(dict.fromkeys((row.particle, row.quantity) for row in rows))
    figure = Figure(figsize=(10.0, 6.4), layout="constrained")
    grid = figure.subplots(2, 1, sharex=True)
    table: dict[str, FloatArray] = {
        "kind": np.array([kinds.index((row.particle, row.quantity)) for row in rows], float),
        "p": np.array([row.p for row in rows]),
        "theta": np.array([row.theta for row in rows]),
        "mean": np.array([row.mean * np.sqrt(row.particles) for row in rows]),
        "width": np.array([(row.width - 1.0) * np.sqrt(2.0 * row.particles) for row in rows]),
    }
    shift = 0.7 * np.log(table["p"] / MOMENTA[0]) / np.log(MOMENTA[-1] / MOMENTA[0]) - 0.35
    titles = {"mean": "mean / its error", "width": "(width $-$ 1) / its error"}
    for axes, (name, title) in zip(grid, titles.items(), strict=True):
        for j, theta in enumerate(ANGLES):
            at = table["theta"] == theta
            axes.plot((table["kind"] + shift)[at], table[name][at], _MARKERS[j], markersize=3,
                      color=_COLORS[j], label=rf"$\theta={theta:g}^\circ$")  # fmt: skip
        for y in (-2.0, 0.0, 2.0):
            axes.axhline(y, color="0.6", linewidth=0.7, linestyle="-" if y == 0.0 else ":")
        axes.set(ylim=(-6.0, 6.0), ylabel=title)
    labels = [f"{_PDG_NAMES[particle]} {quantity}" for particle, quantity in kinds]
    grid[1].set_xticks(range(len(kinds)), labels, rotation=45, fontsize="x-small")
    grid[0].legend(frameon=False, fontsize="x-small", ncols=len(ANGLES))
    figure.suptitle("Normal scores of errors; in each kind momenta from left to right")
    return figure, table


def _efficiencies(profile: DetectorProfile, rows: Sequence[EfficiencyRow]) -> Drawn:
    """Shares found and identified at one polar angle, points on the profile's lines."""
    theta = ANGLES[2]
    figure = Figure(figsize=(14.4, 6.8), layout="constrained")
    grid = figure.subplots(2, 4)
    table: dict[str, FloatArray] = {"p": np.array(MOMENTA)}
    found = grid.flat[0]
    for j, particle in enumerate(("pion", "photon", "pi0")):
        _share(found, rows, particle, "found", theta, j, table)
        line = [share_found(particle, momenta(p, theta, TRACKS.get(particle, 0.0), 1), 0.0,
                            profile) for p in _DENSE]  # fmt: skip
        found.plot(_DENSE, line, color=_COLORS[j], linestyle=_LINES[j], linewidth=1.2)
    found.set(title="found", ylim=(0.0, 1.35))
    ks = grid.flat[1]
    _share(ks, rows, "K_S", "found", theta, 0, {})
    dense = np.linspace(0.0, FLIGHTS[-1] * 1.2, 400)
    p4 = momenta(1.0, theta, 0.0, 1)
    ks.plot(dense, [share_found("K_S", p4, x, profile) for x in dense], color=_COLORS[0])
    ks.set(title=r"$K_S$ found", xlabel="transverse flight (mm)", ylim=(0.0, 1.35))
    for axes, hypothesis in zip(grid.flat[2:7], TRACKS, strict=True):
        for j, (particle, mass) in enumerate(TRACKS.items()):
            _share(axes, rows, particle, hypothesis, theta, j, table)
            line = [share_identified(particle, hypothesis, momenta(p, theta, mass, 1), profile)
                    for p in _DENSE]  # fmt: skip
            axes.plot(_DENSE, line, color=_COLORS[j], linestyle=_LINES[j], linewidth=1.2)
        axes.set(title=f"identified as {hypothesis}", yscale="log", ylim=(1e-4, 30.0))
    for axes in (found, *grid.flat[2:7]):
        axes.set(xscale="log", xlabel="p or E (GeV)")
        axes.legend(frameon=False, fontsize="x-small", ncols=3, loc="upper left")
    grid.flat[7].set_axis_off()
    for axes in grid[:, 0]:
        axes.set_ylabel("share")
    figure.suptitle(f"{profile.name}: shares of smeared particles at $\\theta={theta:g}^\\circ$; "
                    "lines of the profile")  # fmt: skip
    return figure, table


def _share(
    axes: Axes,
    rows: Sequence[EfficiencyRow],
    particle: str,
    requirement: str,
    theta: float,
    j: int,
    table: dict[str, FloatArray],
) -> None:
    """Draw the measured shares of one kind of particle and keep them."""
    chosen = [row for row in rows if (row.particle, row.requirement, row.theta)
              == (particle, requirement, theta)]  # fmt: skip
    share = np.array([row.measured for row in chosen])
    error = np.sqrt(np.maximum(share * (1.0 - share), 0.0) / [row.particles for row in chosen])
    axes.errorbar([row.p for row in chosen], share, error, fmt=_MARKERS[j], markersize=3.5,
                  color=_COLORS[j], label=_PDG_NAMES.get(particle, particle))  # fmt: skip
    name = f"{particle}_{requirement}"
    table[f"{name}_measured"] = share
    table[f"{name}_stated"] = np.array([row.stated for row in chosen])
