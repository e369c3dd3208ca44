"""M_recoil of selected candidates by what they truly are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from matplotlib.figure import Figure

from m2solve.study.figure_style import figure_style, save_figure
from m2solve.study.sources import KINDS
from simgen.particles import particle_table

if TYPE_CHECKING:
    from pathlib import Path

    from m2solve.study.sources import Sources
    from simgen.typing import FloatArray

_COLORS = dict(zip(KINDS, ("#D55E00", "#CC79A7", "#0072B2", "#56B4E9", "#999999"), strict=True))


def draw_sources(sources: Sources, stem: Path) -> Path:
    """Draw M_recoil stacked by kind, scaled to yields, and write it with its numbers.

    Parameters
    ----------
    sources
        Candidates by what they are.
    stem
        Path without ending; its folder exists.

    Returns
    -------
    Path
        The PNG file.
    """
    with figure_style():
        figure = Figure(figsize=(6.0, 4.2), layout="constrained")
        axes = figure.subplots()
        edges = next(iter(sources.recoil.values())).edges
        table: dict[str, FloatArray] = {"low": edges[:-1], "high": edges[1:]}
        below = 0.0 * edges[:-1]
        for kind in reversed(KINDS):
            counts = sources.recoil[kind].counts[1:-1]
            table[kind.replace(" ", "_")] = counts
            if counts.any():
                axes.stairs(below + counts, edges, baseline=below, fill=True, color=_COLORS[kind],
                            label=kind)  # fmt: skip
                below = below + counts
        mass = particle_table().by_name("tau-").mass
        axes.axvline(mass, color="black", linestyle=":", linewidth=0.8)
        axes.set(
            xlabel=r"$M_{\mathrm{recoil}}$ (GeV)",
            ylabel=f"sum of weights / {1000 * (edges[1] - edges[0]):.0f} MeV",
            title=f"What the candidates truly are, {sources.method}",
            xlim=(edges[0], edges[-1]),
        )
        axes.set_ylim(bottom=0.0)
        if below.any():
            axes.legend(loc="upper left")
        return save_figure(figure, table, stem)
