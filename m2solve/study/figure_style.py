"""What all figures have in common: colours, lines, names, ticks, and how they are written.

Colours are the eight of Okabe and Ito (jfly.uni-koeln.de/color, 2008), which remain distinct for
colour-blind readers; lines differ, too, so that figures survive a grey printer. Ticks are those
of mplhep, as in publications of the field.
"""

from __future__ import annotations

import io
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
import mplhep
import numpy as np

from simgen.io.atomic import atomic_file
from simgen.particles import particle_table

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from m2solve.study.histograms import Histogram
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
GROUP_TITLES = {
    "hadronic": r"hadronic $\tau$ decays",
    "leptonic": r"leptonic $\tau$ decays",
    "both": r"all $\tau$ decays",
}
DENSITY = "candidates / GeV, normalised"
_RECOIL_RANGE = (0.8, 2.8)  # GeV
_RECOIL_REBIN = 20  # 20 MeV
_LINE_WIDTH = 1.4
_DPI = 160
_TICKS = ("direction", "top", "right", "major.top", "major.bottom", "major.left", "major.right")
_OWN = {
    "font.size": 10.0,
    "axes.titlesize": "medium",
    "figure.titlesize": "medium",
    "legend.fontsize": "small",
    "legend.frameon": False,
    "xtick.major.size": 5.0,
    "ytick.major.size": 5.0,
    "axes.linewidth": 0.8,
    "pdf.fonttype": 42,  # letters remain letters, so that a figure can be edited and searched
}


@contextmanager
def figure_style() -> Iterator[None]:
    """Draw, and write, what is inside in the common style; nothing is changed for others."""
    ticks = {f"{axis}tick.{name}" for axis in "xy" for name in _TICKS}
    from_mplhep: dict[Any, Any] = {k: v for k, v in mplhep.style.ROOT.items() if k in ticks}
    with mpl.rc_context(from_mplhep | _OWN):
        yield


def save_figure(figure: Figure, table: Mapping[str, FloatArray], stem: Path) -> Path:
    """Write a figure as PNG and PDF and its numbers as CSV.

    Parameters
    ----------
    figure
        The figure.
    table
        Columns of equal length by name.
    stem
        Path without ending; its folder exists.

    Returns
    -------
    Path
        The PNG file.
    """
    # Laid out once here and not again for every format, which takes most of the time.
    figure.draw_without_rendering()
    figure.set_layout_engine("none")
    for suffix, metadata in ((".png", {}), (".pdf", {"CreationDate": None})):
        image = io.BytesIO()
        figure.savefig(image, format=suffix[1:], dpi=_DPI, metadata=metadata)
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


def one_mass(methods: Sequence[Method]) -> list[Method]:
    """Return one method a variable: posterior, else m_hat, which an analyst can use, if made."""
    chosen: dict[str, Method] = {}
    for mass in ("posterior", "m_hat", None):
        for method in methods:
            if mass in {None, method.m_nunu}:
                chosen.setdefault(method.variable, method)
    return [chosen[variable] for variable in dict.fromkeys(m.variable for m in methods)]


def draw_steps(axes: Axes, values: FloatArray, edges: FloatArray, **style: Any) -> None:
    """Draw a histogram as a line of steps, without errors and without what is outside."""
    mplhep.histplot(
        values, edges, ax=axes, yerr=False, flow="none", linewidth=_LINE_WIDTH, **style
    )  # fmt: skip


def draw_recoil(
    axes: Axes, recoil: Histogram, table: dict[str, FloatArray], name: str, **style: Any
) -> None:
    """Draw M_recoil normalised to one candidate and keep its numbers in a column `name`."""
    edges, counts = recoil.rebinned(_RECOIL_REBIN)
    density = counts / max(recoil.total, 1e-300) / (edges[1] - edges[0])
    draw_steps(axes, density, edges, **style)
    table["m_recoil_low"], table["m_recoil_high"] = edges[:-1], edges[1:]
    table[name] = density


def finish_recoil(axes: Axes, title: str, y_label: str, top: float | None = None) -> None:
    """Label a panel of M_recoil and mark the tau mass; `top` is the end of the vertical axis."""
    axes.axvline(particle_table().by_name("tau-").mass, color="0.7", linewidth=0.8, zorder=0)
    axes.set(xlim=_RECOIL_RANGE, xlabel=r"$M_\mathrm{recoil}$ (GeV)", title=title, ylabel=y_label)
    axes.set_ylim(0.0, top)
