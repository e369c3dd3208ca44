"""Time of every solver per event, beside scipy's SLSQP on the same events.

Run with ``python benchmarks/solvers.py [EVENTS]``; one core. The kernels are compiled (or loaded
from the cache) before the clock starts. Events are Y(4S) -> B B at Belle II with a visible system
of fixed mass on each side and one neutrino behind it, momenta smeared by 0.5 %.
"""

from __future__ import annotations

import sys
import time
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

import m2solve
from m2solve.reference import solve_reference

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from simgen.typing import FloatArray

M_B, M_SIG, M_TAG, C_TAU = 5.27934, 3.5, 3.0, 0.4911
TOTAL = np.array([0.4566, 0.0, 2.9994, 11.006])
REFERENCE_EVENTS, REFERENCE_STARTS = 20, 3
REPEATS, SECONDS = 3, 1.0


def boost(p: FloatArray, frame: FloatArray, mass: float) -> FloatArray:
    dot = np.sum(p[:, :3] * frame[:, :3], axis=1)
    energy = (frame[:, 3] * p[:, 3] + dot) / mass
    factor = (p[:, 3] + energy) / (frame[:, 3] + mass)
    return np.column_stack([p[:, :3] + factor[:, None] * frame[:, :3], energy])


def two_body(
    rng: np.random.Generator, frame: FloatArray, mass: float, m1: float, m2: float
) -> tuple[FloatArray, FloatArray]:
    size = np.sqrt((mass**2 - (m1 + m2) ** 2) * (mass**2 - (m1 - m2) ** 2)) / (2 * mass)
    unit = rng.standard_normal((len(frame), 3))
    q = size * unit / np.linalg.norm(unit, axis=1, keepdims=True)
    first = np.column_stack([q, np.full(len(q), np.hypot(size, m1))])
    second = np.column_stack([-q, np.full(len(q), np.hypot(size, m2))])
    return boost(first, frame, mass), boost(second, frame, mass)


def smear(rng: np.random.Generator, p: FloatArray, mass: float, resolution: float) -> FloatArray:
    q = p[:, :3] * (1 + resolution * rng.standard_normal((len(p), 3)))
    return np.column_stack([q, np.sqrt(np.sum(q**2, axis=1) + mass**2)])


def problems(n: int, resolution: float = 0.005) -> dict[str, tuple[str, dict[str, Any]]]:
    """Return, for each line of the table, a variable and its arguments.

    Nothing is smeared, vertices included, where the relative resolution of momenta is 0.
    """
    spread = 1.0 if resolution > 0.0 else 0.0
    rng = np.random.default_rng(1)
    frame = np.tile(TOTAL, (n, 1))
    s = float(TOTAL[3] ** 2 - TOTAL[:3] @ TOTAL[:3])
    parent_sig, parent_tag = two_body(rng, frame, np.sqrt(s), M_B, M_B)
    visible_sig = smear(rng, two_body(rng, parent_sig, M_B, M_SIG, 0.0)[0], M_SIG, resolution)
    visible_tag = smear(rng, two_body(rng, parent_tag, M_B, M_TAG, 0.0)[0], M_TAG, resolution)
    errors = {"error_0": [0.01, 0.0003, 0.35], "error_sig": [0.025] * 3}
    proper = rng.exponential(C_TAU, (2, n, 1)) / M_B
    r_0 = spread * rng.standard_normal((n, 3)) * errors["error_0"]
    r_sig = proper[0] * parent_sig[:, :3] + spread * 0.025 * rng.standard_normal((n, 3))
    r_tag = proper[1] * parent_tag[:, :3] + spread * 0.025 * rng.standard_normal((n, 3))
    one = m2solve.Vertices.measured(r_0, r_sig, c_tau=C_TAU, **errors)
    both = m2solve.Vertices.measured(
        r_0, r_sig, r_tag, c_tau=C_TAU, error_tag=[0.025] * 3, **errors
    )
    common = {
        "visible_sig": visible_sig,
        "visible_tag": visible_tag,
        "total": TOTAL,
        "m_sig": 0.0,
        "m_tag": 0.0,
    }
    mass, flight = {"parent_mass": M_B}, {"flight_sig": r_sig - r_0}
    both_flights = flight | {"flight_tag": r_tag - r_0}
    transverse = {"known": "transverse"}
    table: dict[str, tuple[str, dict[str, Any]]] = {
        "M2sB": ("M2sB", common | mass),
        "M2sV": ("M2sV", common | flight),
        "M2BV": ("M2BV", common | mass | flight),
        "M2s": ("M2s", common),
        "M2V": ("M2V", common | flight),
        "M2": ("M2", common),
        "M2V(delta)": ("M2V", common | flight | {"delta": 0.1}),
        "M2sV(delta)": ("M2sV", common | flight | {"delta": 0.1}),
        "M2(transverse)": ("M2", common | transverse),
        "M2V(transverse)": ("M2V", common | flight | transverse),
        "M2V(both)": ("M2V", common | both_flights),
        "M2V(both, transverse)": ("M2V", common | both_flights | transverse),
        "M2sBV, r_sig": ("M2sBV", common | mass | {"vertices": one}),
        "M2sBV, r_sig and r_tag": ("M2sBV", common | mass | {"vertices": both}),
    }
    return table


def posterior_arguments(arguments: dict[str, Any]) -> dict[str, Any]:
    """Return the arguments of `cone_posterior` from those of M2sBV."""
    rest = {name: value for name, value in arguments.items() if name != "m_sig"}
    density = m2solve.flat_density((1.77686 - 0.10566) ** 2)
    return rest | {"subsystem": arguments["visible_sig"], "density": density}


def microseconds(function: Callable[[], object], n: int) -> float:
    """Return the best time of a few runs, per event, more of them the shorter they are."""
    best, runs, begin = np.inf, 0, time.perf_counter()
    while runs < REPEATS or time.perf_counter() - begin < SECONDS:
        start = time.perf_counter()
        function()
        best = min(best, time.perf_counter() - start)
        runs += 1
    return float(best / n * 1e6)


def reference_time(variable: str, arguments: dict[str, Any]) -> float:
    """Return SLSQP's time per start and event."""
    per_event = {"visible_sig", "visible_tag", "flight_sig", "flight_tag"}
    few = {
        name: value[:REFERENCE_EVENTS] if name in per_event else value
        for name, value in arguments.items()
    }
    start = time.perf_counter()
    solve_reference(variable, **few, starts=REFERENCE_STARTS)
    return (time.perf_counter() - start) / (REFERENCE_EVENTS * REFERENCE_STARTS) * 1e6


def main() -> None:
    n = int(sys.argv[1]) if len(sys.argv) > 1 else 200_000
    small, large = problems(10), problems(n)
    print(f"{n} events, one core")
    print(f"{'variable':<32}{'us/event':>10}{'SLSQP us/start':>16}{'ratio':>10}")
    for label, (variable, arguments) in large.items():
        m2solve.solve(variable, **small[label][1])
        ours = microseconds(partial(m2solve.solve, variable, **arguments), n)
        if variable == "M2sBV" or "both" in label:
            print(f"{label:<32}{ours:>10.3f}")
            continue
        theirs = reference_time(variable, arguments)
        print(f"{label:<32}{ours:>10.3f}{theirs:>16.0f}{theirs / ours:>10.0f}")
    for label in ("M2sBV, r_sig", "M2sBV, r_sig and r_tag"):
        m2solve.cone_posterior(**posterior_arguments(small[label][1]))
        arguments = posterior_arguments(large[label][1])
        ours = microseconds(partial(m2solve.cone_posterior, **arguments), n)
        print(f"{label.replace('M2sBV', 'cone posterior'):<32}{ours:>10.3f}")


if __name__ == "__main__":
    main()
