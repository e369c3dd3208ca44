"""Solve some candidates again with a general minimiser and say how far the fast solvers are off."""

from __future__ import annotations

from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from rich import box
from rich.console import Console
from rich.table import Table

from detector.stage import iterate_candidates
from m2solve.reference import Comparison, compare
from m2solve.solver import VARIABLES
from m2solve.study.methods import Candidates, Method, methods, parent_mass, solve_method
from simgen.progress import progress_bar

if TYPE_CHECKING:
    from m2solve.study.config import SolverConfig


def check_candidates(
    candidates: str | Path, config: SolverConfig, n: int, *, starts: int = 5, progress: bool = False
) -> dict[Method, Comparison]:
    """Compare every solver with SLSQP on the first candidates of a file.

    Parameters
    ----------
    candidates
        A file of candidates, a folder of shards, or a run folder.
    config
        Methods; those that weigh solutions (M2sBV) state no minimum and are left out.
    n
        Number of candidates.
    starts
        Starting points of SLSQP for each, some milliseconds a start.
    progress
        Show a progress bar.

    Returns
    -------
    dict
        One comparison a method.

    Raises
    ------
    FileFormatError
        If a file is missing or damaged.
    """
    chosen = [
        method
        for method in methods(config)
        if method.is_solved and not VARIABLES[method.variable].needs_vertices
    ]
    found: dict[Method, Comparison] = {}
    with progress_bar("methods checked", len(chosen), show=progress) as advance:
        for table in islice(iterate_candidates(Path(candidates), n), 1):
            first = Candidates.of(table, parent_mass(table, config))
            for method in chosen:
                solution = solve_method(first, method)
                known = first.constraints(method)
                found[method] = compare(solution, table.total, **known, starts=starts)
                advance(1)
    return found


def print_check(found: dict[Method, Comparison]) -> None:
    """Print the comparisons as a table."""
    console = Console(highlight=False)
    table = Table(title="Against SLSQP", title_justify="left", box=box.SIMPLE_HEAD)
    table.add_column("method", no_wrap=True)
    for name in ("candidates", "compared", "worst excess", "missed"):
        table.add_column(name, justify="right")
    for method, comparison in found.items():
        compared = int(np.isfinite(comparison.excess).sum())
        worst = f"{comparison.worst:.1e}" if compared else ""
        cells = (str(len(comparison.rows)), str(compared), worst, str(len(comparison.missed)))
        table.add_row(method.name, *cells)
    console.print(table)
    console.print(
        "compared: both meet all constraints. worst excess: value over SLSQP's, less 1; negative "
        "where SLSQP stopped early. missed: only SLSQP meets the constraints."
    )
