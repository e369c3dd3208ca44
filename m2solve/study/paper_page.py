"""The page of the comparison with the paper: one HTML file, figures inside."""

from __future__ import annotations

import base64
import math
import re
from html import escape
from typing import TYPE_CHECKING

from m2solve.study.histograms import GROUPS
from m2solve.study.paper_figures import FIGURE_1, FIGURE_2, FIGURE_3, FIGURE_BELLE
from m2solve.study.paper_points import BELLE, NOW, WITH_PI0
from m2solve.study.paper_statements import CLEAR, DRAMATIC, SIGMAS, Verdict, combined
from m2solve.study.scan_table import with_error

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from m2solve.study.config import RunConfig
    from m2solve.study.jackknife import Estimate
    from m2solve.study.paper_points import PaperPoint
    from m2solve.study.paper_statements import Claim, LimitRow, Statement
    from m2solve.study.paper_table import NumbersRow

PAGE = "summary.html"
_PAPER = "https://arxiv.org/abs/2209.03387"
_NAMES = {"true": "true m", "m_hat": "m̂", "zero": "m = 0", "posterior": "m unknown"}
_VARIABLES = {"random": "random cos θ", "truth": "true cos θ", "hadronic_tag": "hadronic tag"}
# Distinct for colour-blind readers (Okabe and Ito), and said in words, too.
_COLORS = {
    Verdict.REPRODUCED: "#007a5a",
    Verdict.PARTLY: "#9a6a00",
    Verdict.NOT_REPRODUCED: "#b34a00",
    Verdict.UNDECIDED: "#555555",
}
_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 68rem; margin: 2rem auto; padding: 0 1rem;
       color: #222; background: #fff; }
h1 { font-size: 1.6rem; } h2 { margin-top: 2.5rem; font-size: 1.25rem; } h3 { font-size: 1rem; }
table { border-collapse: collapse; margin: .8rem 0; }
th, td { padding: .2rem .8rem .2rem 0; text-align: left; vertical-align: top;
         border-bottom: 1px solid #ddd; }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; }
td.number { white-space: nowrap; }
.method, .verdict { white-space: nowrap; } sub { font-size: .75em; line-height: 0; }
img { max-width: 100%; height: auto; } figure { margin: 1rem 0; }
figcaption, .small { font-size: .9rem; color: #555; } .verdict { font-weight: 600; }
.wide { overflow-x: auto; } @media print { body { max-width: none; margin: 0; } }
"""


def paper_page(
    config: RunConfig,
    points: Sequence[PaperPoint],
    rows: Mapping[str, Sequence[NumbersRow]],
    statements: Sequence[Statement],
    limits: Sequence[LimitRow],
    figures: Mapping[str, Path],
) -> str:
    """Return the page.

    Parameters
    ----------
    config
        Of the run.
    points
        The detectors.
    rows
        M_recoil of each method, by name of the point.
    statements, limits
        Of `m2solve.study.paper_statements`.
    figures
        PNG files by name, of `m2solve.study.paper_figures.draw_paper`.

    Returns
    -------
    str
        HTML that refers to no other file.
    """
    names = {point.name: point for point in points}
    now, belle = names[NOW].title, names[BELLE].title
    body = [
        "<h1>A new approach to semi-leptonic tags in B-meson semi-invisible decays: "
        "the comparison</h1>",
        _introduction(config, rows[NOW]),
        "<h2>What the paper says, and what is found here</h2>",
        _overview(statements),
        *(_statement(number, s) for number, s in enumerate(statements, 1)),
        "<h2>Figures</h2>",
        _figure(figures[FIGURE_1], "Figure 1: m̂ and the true m_νν of leptonic τ decays, measured "
                f"momenta ({now})."),
        _figure(figures[FIGURE_2], f"Figure 2: M_recoil with the true m_νν, m̂ and 0 ({now}). The "
                "scale of each panel is its own. M2sBV is not in the paper."),
        _figure(figures[FIGURE_3], "Figure 3: M_recoil with m̂ in leptonic and 0 in hadronic decays "
                "for three vertex resolutions, z of the primary vertex / signal vertex. M2sBV is "
                "not in the paper."),
        _figure(figures[FIGURE_BELLE], f"The same for {belle}, with the beams of Belle."),
        "<h2>Expected limits and figures of merit</h2>",
        _limits(limits),
        "<h2>Numbers</h2>",
        "<p class=small>Errors of the last digits in brackets. Height: largest density of 10 MeV "
        "bins. Width: full width at half maximum. 68 %: half of the central interval. S/√B: over a "
        "flat background. All of it is in summary.csv.</p>",
        *(_numbers(names[name], found) for name, found in rows.items()),
    ]  # fmt: skip
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>arXiv:2209.03387, compared</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n"
        + "\n".join(body)
        + "\n</body>\n</html>\n"
    )


def _introduction(config: RunConfig, rows: Sequence[NumbersRow]) -> str:
    """Say what was done, and how it is decided."""
    count = next(row.candidates for row in rows if row.group == "both")
    files = ", ".join(map(str, config.generator.get("decay_files", [])))
    return (
        f'<p>G. de Marino, D. Guadagnoli, C. B. Park, K. Trabelsi, <a href="{_PAPER}">'
        f"arXiv:2209.03387</a>. {config.events:,} events B⁺ → K⁺ τ μ with a semileptonic tag "
        f"({escape(files)}), {count:,.0f} candidates at Belle II; seed {config.seed}. The decays "
        "of B and τ are phase space, as in the paper; τ → ρν is reconstructed as the pion alone. "
        "All detectors see the same events with the same random numbers.</p>"
        f"<p>Each statement is taken apart into numbers, each with its statistical error and the "
        f"interval it should be in; within {SIGMAS:g} errors of the interval's end it is "
        f"undecided. Words have one meaning throughout: <em>clearly</em> is more than "
        f"{CLEAR - 1.0:.0%}, <em>dramatically</em> more than {DRAMATIC - 1.0:.0%}, <em>slightly"
        f"</em>, <em>marginally</em> and <em>comparable</em> less than {CLEAR - 1.0:.0%}, "
        "<em>better</em> anything above 1. These numbers are a choice made here, the paper gives "
        "none. S/√B is over a background flat in M<sub>recoil</sub>. M<sub>2(s)V</sub> stands for "
        "M<sub>2V</sub> and M<sub>2sV</sub>, and "
        "both have to agree.</p>"
    )


def _verdict(verdict: Verdict) -> str:
    """Return a verdict in its colour."""
    return f'<span class=verdict style="color:{_COLORS[verdict]}">{verdict}</span>'


def _overview(statements: Sequence[Statement]) -> str:
    """Return all statements with their verdicts."""
    rows = [(str(n), _text(s.text), _verdict(s.verdict)) for n, s in enumerate(statements, 1)]
    return _table(("", "the paper", "here"), rows)


def _statement(number: int, statement: Statement) -> str:
    """Return one statement with its numbers, and why it disagrees if it does."""
    parts = [
        f"<h3>{number}. {_text(statement.text)} {_verdict(statement.verdict)}</h3>",
        _claims(statement.claims),
    ]
    if statement.verdict != Verdict.REPRODUCED:
        parts.append(f"<p>{_text(statement.why)}</p>")
        if statement.if_dropped:
            parts.append(
                "<p>The same without candidates that have no exact solution: "
                f"{_verdict(combined(statement.if_dropped))}.</p>"
            )
            parts.append(_claims(statement.if_dropped))
    return "\n".join(parts)


def _claims(claims: Sequence[Claim]) -> str:
    """Return the numbers of claims."""
    rows = [
        (_text(c.quantity), _number(c.estimate), escape(c.criterion), _verdict(c.verdict))
        for c in claims
    ]
    return _table(("quantity", "here", "criterion", ""), rows, numbers_in=(1, 2))


def _limits(limits: Sequence[LimitRow]) -> str:
    """Return the table of limits and figures of merit."""
    rows = [
        (
            _method(row.method),
            "" if math.isnan(row.limit) else f"{row.limit:.1f} · 10⁻⁵",
            "" if math.isnan(row.limit) else f"{row.limit_ratio:.2f}",
            _number(row.merit),
            _number(row.pi),
            "" if row.with_pi0 is None else _number(row.with_pi0),
        )
        for row in limits
    ]
    heads = (
        "", "limit, paper", "random / limit, paper", "S/√B over random, here",
        "here, τ → πν alone", "here, π⁰ of the ρ found",
    )  # fmt: skip
    return (
        "<p>The paper expects upper limits on B(B⁺ → K⁺ τ μ) at 90 % CL and 710 fb⁻¹. A limit "
        "goes about as the inverse of S/√B, so columns two and three should be alike. "
        "<strong>The third is no limit</strong>: its background is flat, and there is no fit, no "
        "efficiency and no systematic error in it. The paper's limit with a hadronic tag equals "
        "that of M2sB, but contains the lower efficiency of such tags, so it has no place "
        "here.</p>" + _table(heads, rows, numbers_in=(1, 2, 3, 4, 5))
    )


def _numbers(point: PaperPoint, rows: Sequence[NumbersRow]) -> str:
    """Return the numbers of a point, folded away."""
    title = point.title + (", π⁰ of the ρ found" if point.name == WITH_PI0 else "")
    cells = [
        (
            row.group,
            _method(row.method),
            _number(row.height),
            _number(row.full_width, 1000.0),
            _number(row.half_width, 1000.0),
            _number(row.merit),
        )
        for row in rows
    ]
    heads = ("τ decays", "", "height (1/GeV)", "width (MeV)", "68 % (MeV)", "S/√B (GeV^-½)")
    by_group = sorted(cells, key=lambda cell: list(GROUPS).index(cell[0]))
    return (
        f"<details><summary>{escape(title)}</summary>"
        + _table(heads, by_group, numbers_in=(2, 3, 4, 5))
        + "</details>"
    )


def _method(name: str) -> str:
    """Return the name of a method for people."""
    variable, _, mass = name.partition("_")
    text = _text(_VARIABLES.get(name) or f"{variable}, {_NAMES[mass]}")
    return f"<span class=method>{text}</span>"


def _number(estimate: Estimate, unit: float = 1.0) -> str:
    """Return a number with its error."""
    return escape(with_error(unit * estimate.value, unit * estimate.error)) or "–"


def _figure(path: Path, caption: str) -> str:
    """Return a figure with its image inside."""
    data = base64.b64encode(path.read_bytes()).decode()
    text = escape(caption)
    return (
        f'<figure><img alt="{text}" src="data:image/png;base64,{data}">'
        f"<figcaption>{_text(caption)} Also as figures/{path.stem}.pdf, numbers in {path.stem}.csv."
        "</figcaption></figure>"
    )


def _text(text: str) -> str:
    """Return text as HTML, with the indices of symbols below the line."""
    html = re.sub(r"\b([MmB])_(\w+)", r"\1<sub>\2</sub>", escape(text))
    return re.sub(r"\bM(2(?:\(s\)V|[sBV]+))", r"M<sub>\1</sub>", html)


def _table(
    heads: Sequence[str], rows: Sequence[Sequence[str]], numbers_in: Sequence[int] = ()
) -> str:
    """Return a table of cells that are HTML already."""

    def cell(tag: str, column: int, text: str) -> str:
        return f"<{tag}{' class=number' if column in numbers_in else ''}>{text}</{tag}>"

    lines = ["".join(cell("th", i, escape(head)) for i, head in enumerate(heads))]
    lines += ["".join(cell("td", i, text) for i, text in enumerate(row)) for row in rows]
    inner = "\n".join(f"<tr>{line}</tr>" for line in lines)
    return f"<div class=wide><table>{inner}</table></div>"
