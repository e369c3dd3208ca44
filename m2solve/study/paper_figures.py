"""Figures 1 to 3 of arXiv:2209.03387, and the same for Belle, each with M2sBV beside its curves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from matplotlib.figure import Figure

from m2solve.study.figure_style import (
    DENSITY,
    GROUP_TITLES,
    LABELS,
    STYLES,
    draw_recoil,
    figure_style,
    finish_recoil,
    mass_title,
    save_figure,
)
from m2solve.study.figures import draw_m_hat
from m2solve.study.histograms import GROUPS
from m2solve.study.paper_points import BELLE, DESIGN, HYPOTHETICAL, NOW

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from matplotlib.axes import Axes

    from m2solve.study.paper_points import PaperPoint
    from m2solve.study.paper_samples import PointSamples
    from simgen.typing import FloatArray

FIGURE_1, FIGURE_2, FIGURE_3, FIGURE_BELLE = (
    "fig1_m_hat", "fig2_masses", "fig3_vertices", "fig_belle"
)  # fmt: skip
_MASSES = ("true", "m_hat", "zero")
_WIDTH = 3.6  # of a panel, inches
_IN_FIGURE_2 = ("random", "M2s", "M2V", "M2sV", "M2sB", "M2sBV")
_IN_FIGURE_3 = ("random", "M2V", "M2sV", "M2sB", "M2sBV")


def draw_paper(
    samples: Mapping[str, PointSamples], points: Sequence[PaperPoint], folder: Path
) -> dict[str, Path]:
    """Draw the paper's figures.

    Parameters
    ----------
    samples
        By name of the point.
    points
        The points, for their titles.
    folder
        Where to; made if needed.

    Returns
    -------
    dict
        The PNG files by name; PDF and CSV are beside each.
    """
    folder.mkdir(parents=True, exist_ok=True)
    titles = {point.name: point.title for point in points}
    with figure_style():
        made = {
            FIGURE_1: draw_m_hat(samples[NOW].masses),
            FIGURE_2: _masses(samples[NOW], titles[NOW]),
            FIGURE_3: _vertices(samples, (NOW, DESIGN, HYPOTHETICAL), titles),
            FIGURE_BELLE: _vertices(samples, (BELLE,), titles),
        }
        return {
            name: save_figure(figure, table, folder / name)
            for name, (figure, table) in made.items()
        }


def _name(variable: str, mass: str) -> str:
    """Return the name of a method."""
    return variable if variable == "random" else f"{variable}_{mass}"


def _panel(
    axes: Axes,
    point: PointSamples,
    variables: Sequence[str],
    mass: str,
    group: str,
    table: dict[str, FloatArray],
    column: str,
) -> None:
    """Draw M_recoil of some variables."""
    for variable in variables:
        color, line = STYLES[variable]
        recoil = point.recoil(_name(variable, mass), group).whole()
        draw_recoil(
            axes, recoil, table, f"{variable}_{column}",
            color=color, linestyle=line, label=LABELS[variable],
        )  # fmt: skip


def _masses(point: PointSamples, title: str) -> tuple[Figure, dict[str, FloatArray]]:
    """Figure 2: leptonic decays, a panel a choice of m_nunu."""
    figure = Figure(figsize=(_WIDTH * len(_MASSES), 3.6), layout="constrained")
    table: dict[str, FloatArray] = {}
    panels = figure.subplots(1, len(_MASSES))
    for axes, mass in zip(panels, _MASSES, strict=True):
        _panel(axes, point, _IN_FIGURE_2, mass, "leptonic", table, mass)
        label = r"$m_{\nu\nu} = \hat m$" if mass == "m_hat" else mass_title(mass)
        finish_recoil(axes, label, DENSITY if axes is panels[0] else "")
    panels[0].legend(loc="upper left")
    figure.suptitle(f"{GROUP_TITLES['leptonic']}, {title}")
    return figure, table


def _vertices(
    samples: Mapping[str, PointSamples], rows: Sequence[str], titles: Mapping[str, str]
) -> tuple[Figure, dict[str, FloatArray]]:
    """Figure 3: a row a detector, a column a group of tau decays."""
    size = (_WIDTH * len(GROUPS), 0.5 + 2.9 * len(rows))
    figure = Figure(figsize=size, layout="constrained")
    grid = figure.subplots(len(rows), len(GROUPS), squeeze=False, sharey="col")
    table: dict[str, FloatArray] = {}
    for i, (panels, row) in enumerate(zip(grid, rows, strict=True)):
        drawn = rows[: i + 1]  # panels of a column have one scale
        for axes, group in zip(panels, GROUPS, strict=True):
            _panel(axes, samples[row], _IN_FIGURE_3, "m_hat", group, table, f"{row}_{group}")
            title = GROUP_TITLES[group] if axes in grid[0] else ""
            label = f"{titles[row]}\n{DENSITY}" if axes is panels[0] else ""
            heights = [table[f"{v}_{r}_{group}"].max() for v in _IN_FIGURE_3 for r in drawn]
            finish_recoil(axes, title, label, 1.08 * max(heights))
            if axes not in grid[-1]:
                axes.set_xlabel("")
    grid[0, 0].legend(loc="upper left")
    return figure, table
