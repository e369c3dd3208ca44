r"""M2V with both flight directions: :math:`P_1 = t_1 v_1`, :math:`P_2 = t_2 v_2`, in closed form.

The total momentum :math:`P_1 + P_2 = P_{tot}` then fixes :math:`t_1, t_2 \ge 0`: with only its
transverse components known (hadron colliders) two linear equations for two unknowns, with all three
one too many. Measured directions do not meet it exactly, and the momenta are those nearest to the
two lines, the missing momentum (known much better than a direction) being kept:

.. math::

    \min_{t_i \ge 0} \; |P_1 - t_1 v_1|^2 + |P_2 - t_2 v_2|^2
    \quad\text{with}\quad P_1 + P_2 = P_{tot}
    \;\Rightarrow\; P_i = t_i v_i + r / 2, \quad r = P_{tot} - t_1 v_1 - t_2 v_2,

where the :math:`t_i` minimise :math:`|r|^2`. For transverse totals all vectors in it are transverse
ones, and :math:`P_{iz} = t_i v_{iz}`. The status is ``SOLVED`` where r vanishes to 1e-9 of the
momenta, else ``PROJECTED``: with all components known that is every measured event, with transverse
ones those in which a :math:`t_i` would be negative.

Where the directions are parallel (in the transverse plane, for a transverse total) a continuum of
:math:`t_1, t_2` gives the same r: *degenerate*, and the point of it with the smallest
max(M_1, M_2) is given.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from m2solve.kinematics import (
    are_sides_usable,
    heavier_mass_squared,
    is_finite_vector,
    unit_vector,
)
from m2solve.m2v import lowest_on_ray, mass_along
from m2solve.rows import Filled, Inputs, candidate, leave_out, solve_all
from m2solve.solution import DEGENERATE, PROJECTED, SOLVED, UNPHYSICAL, Solution
from simgen.jit import lean_kernel

if TYPE_CHECKING:
    from m2solve.kinematics import Row3, Row4
    from m2solve.problem import Problem
    from simgen.typing import FloatArray

# Squared sine of the angle between two directions that counts as parallel.
PARALLEL = 1e-20
# Part of the momenta by which they may miss the total where the status is SOLVED.
CLOSED = 1e-9


def m2v_pair(problem: Problem) -> Solution:
    """Solve M2V with both directions and all components of the total momentum.

    Parameters
    ----------
    problem : Problem
        Candidates with ``flight_sig`` and ``flight_tag``. The energy of the total is not used.

    Returns
    -------
    Solution
        One solution an event: ``SOLVED`` where both directions hold, else ``PROJECTED``, or
        ``DEGENERATE`` where the directions are parallel.
    """
    return _solve("M2V(both)", problem, z_weight=1.0)


def m2v_pair_transverse(problem: Problem) -> Solution:
    """Solve M2V with both directions and only the transverse total momentum.

    Parameters
    ----------
    problem : Problem
        Candidates with ``flight_sig`` and ``flight_tag``. Only px and py of the total are used.

    Returns
    -------
    Solution
        One solution an event: ``SOLVED``; ``PROJECTED`` where a parent would have to fly
        backwards; ``DEGENERATE`` where the directions are parallel in the transverse plane;
        ``UNPHYSICAL`` where both are along the beam.
    """
    return _solve("M2V(both, transverse)", problem, z_weight=0.0)


def _solve(name: str, problem: Problem, *, z_weight: float) -> Solution:
    """Call the kernel."""
    return solve_all(
        name, 1, m2v_pair_loop, problem, problem.flight_sig, problem.flight_tag, z_weight
    )


@lean_kernel
def m2v_pair_loop(
    given: Inputs, flight_sig: FloatArray, flight_tag: FloatArray, z_weight: float, out: Filled
) -> None:
    """Fill the solution of every event; z_weight is 0 for transverse totals, else 1."""
    for i in range(given.visible_sig.shape[0]):
        p1, p2, beams, m1, m2 = candidate(given, i)
        v1, v2 = unit_vector(flight_sig, i), unit_vector(flight_tag, i)
        known = beams[0], beams[1], (beams[2] if z_weight > 0.0 else 0.0)
        flag, t1, t2 = UNPHYSICAL, math.nan, math.nan
        if (
            are_sides_usable(p1, p2, m1, m2)
            and is_finite_vector(v1)
            and is_finite_vector(v2)
            and is_finite_vector(known)
        ):
            flag, t1, t2 = m2v_pair_event(p1, p2, known, m1, m2, v1, v2, z_weight)
        if not math.isfinite(t1 + t2):
            leave_out(out, i)
            continue
        out.status[i] = flag
        out.n_solutions[i] = 1
        for j in range(3):
            rest = known[j] - t1 * v1[j] - t2 * v2[j] if j < 2 or z_weight > 0.0 else 0.0
            out.k_sig[i, 0, j] = t1 * v1[j] + 0.5 * rest - p1[j]
            out.k_tag[i, 0, j] = t2 * v2[j] + 0.5 * rest - p2[j]
        _set_energy(out.k_sig, m1, i)
        _set_energy(out.k_tag, m2, i)
        out.value[i] = math.sqrt(heavier_mass_squared(p1, p2, m1, m2, out.k_sig, out.k_tag, i, 0))


@lean_kernel
def _set_energy(k: FloatArray, m: float, i: int) -> None:
    """Put k of event i on its mass shell."""
    k[i, 0, 3] = math.sqrt(m * m + k[i, 0, 0] ** 2 + k[i, 0, 1] ** 2 + k[i, 0, 2] ** 2)


@lean_kernel
def m2v_pair_event(
    p1: Row4,
    p2: Row4,
    total: Row3,
    m1: float,
    m2: float,
    v1: Row3,
    v2: Row3,
    z_weight: float,
) -> tuple[int, float, float]:
    """Return the status, t_1 and t_2; the total's z-component counts with z_weight (0 or 1)."""
    aa = v1[0] * v1[0] + v1[1] * v1[1] + z_weight * v1[2] * v1[2]
    bb = v2[0] * v2[0] + v2[1] * v2[1] + z_weight * v2[2] * v2[2]
    ab = v1[0] * v2[0] + v1[1] * v2[1] + z_weight * v1[2] * v2[2]
    a = v1[0] * total[0] + v1[1] * total[1] + z_weight * v1[2] * total[2]
    b = v2[0] * total[0] + v2[1] * total[1] + z_weight * v2[2] * total[2]
    if aa + bb == 0.0:
        return UNPHYSICAL, math.nan, math.nan
    nx = z_weight * (v1[1] * v2[2] - v1[2] * v2[1])
    ny = z_weight * (v1[2] * v2[0] - v1[0] * v2[2])
    nz = v1[0] * v2[1] - v1[1] * v2[0]
    determinant = nx * nx + ny * ny + nz * nz
    size = math.sqrt(total[0] ** 2 + total[1] ** 2 + z_weight * total[2] ** 2)
    if determinant <= PARALLEL * aa * bb:
        return _parallel(p1, p2, total, m1, m2, v1, v2, aa, bb, ab, a, b, size, z_weight)
    # Cramer's rule with n = v_1 x v_2 keeps the digits that aa bb - ab^2 would lose.
    wx, ux = total[1] * v2[2] - total[2] * v2[1], v1[1] * total[2] - v1[2] * total[1]
    wy, uy = total[2] * v2[0] - total[0] * v2[2], v1[2] * total[0] - v1[0] * total[2]
    wz, uz = total[0] * v2[1] - total[1] * v2[0], v1[0] * total[1] - v1[1] * total[0]
    t1 = (nx * wx + ny * wy + nz * wz) / determinant
    t2 = (nx * ux + ny * uy + nz * uz) / determinant
    if t1 < 0.0 or t2 < 0.0:
        t1, t2 = _on_edge(aa, bb, a, b)
    return (SOLVED if _closes(total, v1, v2, t1, t2, size, z_weight) else PROJECTED), t1, t2


@lean_kernel
def _on_edge(aa: float, bb: float, a: float, b: float) -> tuple[float, float]:
    """Return the t_i >= 0, one of them 0, that come nearest to the total."""
    gain1 = max(a, 0.0) ** 2 / aa if aa > 0.0 else 0.0
    gain2 = max(b, 0.0) ** 2 / bb if bb > 0.0 else 0.0
    if gain1 >= gain2:
        return (max(a, 0.0) / aa if aa > 0.0 else 0.0), 0.0
    return 0.0, max(b, 0.0) / bb


@lean_kernel
def _closes(
    total: Row3, v1: Row3, v2: Row3, t1: float, t2: float, size: float, z_weight: float
) -> bool:
    """Say whether the momenta add up to the total."""
    x = total[0] - t1 * v1[0] - t2 * v2[0]
    y = total[1] - t1 * v1[1] - t2 * v2[1]
    z = z_weight * (total[2] - t1 * v1[2] - t2 * v2[2])
    return math.sqrt(x * x + y * y + z * z) <= CLOSED * (size + t1 + t2)


@lean_kernel
def _parallel(
    p1: Row4,
    p2: Row4,
    total: Row3,
    m1: float,
    m2: float,
    v1: Row3,
    v2: Row3,
    aa: float,
    bb: float,
    ab: float,
    a: float,
    b: float,
    size: float,
    z_weight: float,
) -> tuple[int, float, float]:
    """Return the status and the t_i of least max(M_1, M_2) for directions in one line.

    Those t_i >= 0 that come nearest to the total are start_i + x d_i with 0 <= x <= end.
    """
    t1, t2 = _on_edge(aa, bb, a, b)
    length = math.sqrt(aa + bb)
    d1, d2, end = math.sqrt(bb) / length, math.sqrt(aa) / length, math.inf
    if ab > 0.0:
        # Both fly the same way and share the total.
        t1, t2 = 0.0, max(b, 0.0) / bb
        d2, end = -d2, t2 * length / math.sqrt(aa)
    flag = DEGENERATE if _closes(total, v1, v2, t1, t2, size, z_weight) else PROJECTED
    half = 0.5 * z_weight
    r1x = p1[0] - 0.5 * (total[0] - t1 * v1[0] - t2 * v2[0])
    r1y = p1[1] - 0.5 * (total[1] - t1 * v1[1] - t2 * v2[1])
    r1z = p1[2] - half * (total[2] - t1 * v1[2] - t2 * v2[2])
    r2x, r2y, r2z = r1x - p1[0] + p2[0], r1y - p1[1] + p2[1], r1z - p1[2] + p2[2]
    c1, e1, f1, h1, g1 = mass_along(p1, m1, r1x, r1y, r1z, 1.0, v1)
    c2, e2, f2, h2, g2 = mass_along(p2, m2, r2x, r2y, r2z, 1.0, v2)
    if d1 > 0.0:
        e1, f1, h1, g1 = e1 * d1, (f1 - t1) / d1, h1 / d1, g1 * d1
    if d2 != 0.0:
        e2, f2, h2, g2 = e2 * abs(d2), (f2 - t2) / d2, h2 / abs(d2), g2 * d2
    if d1 == 0.0:
        c1, e1, f1, h1, g1 = _constant(t1, c1, e1, f1, h1, g1)
    if d2 == 0.0:
        c2, e2, f2, h2, g2 = _constant(t2, c2, e2, f2, h2, g2)
    _, x, _ = lowest_on_ray(c1, e1, f1, h1, g1, c2, e2, f2, h2, g2, end)
    return flag, t1 + x * d1, t2 + x * d2


@lean_kernel
def _constant(
    t: float, c: float, e: float, foot: float, h: float, g: float
) -> tuple[float, float, float, float, float]:
    """Return the mass function that has everywhere the value of another at t."""
    x = t - foot
    return c + 2.0 * (e * math.sqrt(x * x + h * h) - g * x), 0.0, 0.0, 0.0, 0.0
