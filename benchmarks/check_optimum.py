"""Compare every variable with scipy's SLSQP on many events: the worst excess per variable.

Run with ``python benchmarks/check_optimum.py [EVENTS] [STARTS] [VARIABLE ...]``. Half the events
are exact and half smeared. A start takes some milliseconds, M2sB's tens of them, so 20 000 events
from 20 starts are a matter of hours for each variable. An excess above 1e-8, or a missed event, is
a defect of the solver.
"""

from __future__ import annotations

import sys
import time
from typing import Any

import numpy as np
from solvers import problems

import m2solve
from m2solve.reference import compare

LIMIT = 1e-8


def cases(n: int, *, smeared: bool) -> dict[str, tuple[str, dict[str, Any]]]:
    """Return variable and arguments of every minimum that is compared."""
    table = problems(n, resolution=0.005 if smeared else 0.0)
    # The likelihood and the fit of both directions are no minima of masses.
    left_out = "M2sBV", "M2V(both"
    return {name: case for name, case in table.items() if not name.startswith(left_out)}


def check(variable: str, arguments: dict[str, Any], starts: int) -> tuple[float, int, str]:
    """Return worst excess, number of missed events, and a line for the table."""
    solution = m2solve.solve(variable, **arguments)
    rest = {key: value for key, value in arguments.items() if not key.startswith("visible")}
    start = time.perf_counter()
    found = compare(solution, **rest, starts=starts)
    line = f"{found} ({time.perf_counter() - start:.0f} s)"
    return found.worst, len(found.missed), line


def main() -> int:
    n = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    starts = int(sys.argv[2]) if len(sys.argv) > 2 else 5
    bad = 0
    for smeared in (False, True):
        table = cases(max(n // 2, 1), smeared=smeared)
        print(f"{max(n // 2, 1)} {'smeared' if smeared else 'exact'} events, {starts} starts")
        for name in sys.argv[3:] or table:
            worst, missed, line = check(*table[name], starts)
            print(" ", line, flush=True)
            bad += bool(np.isfinite(worst) and worst > LIMIT) + bool(missed)
    return int(bad > 0)


if __name__ == "__main__":
    sys.exit(main())
