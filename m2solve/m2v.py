r"""M2V: the flight direction of one parent known, no energy. A convex problem in one dimension.

In the lab the signal parent has momentum :math:`P = t v` with :math:`t \ge 0`; the missing
three-momentum gives the other side. With :math:`t_1 = v \cdot p_1`, :math:`t_2 = v \cdot q`,
:math:`q = P_{tot} - p_2`, and :math:`h_i` the distances of :math:`p_1` and q from the line with
:math:`m_i` added in quadrature,

.. math::

    M_1^2(t) &= p_1^2 + m_1^2 + 2 (e_1 \sqrt{(t - t_1)^2 + h_1^2} - p_1 \cdot (t v - p_1)) \\
    M_2^2(t) &= p_2^2 + m_2^2 + 2 (e_2 \sqrt{(t - t_2)^2 + h_2^2} - p_2 \cdot (q - t v))

Both are convex, with their minima at :math:`t - t_i = h_i g_i / \sqrt{e_i^2 - g_i^2}`,
:math:`g_1 = p_1 \cdot v`, :math:`g_2 = -p_2 \cdot v`. The smallest maximum is at one of these
minima if the other mass is not larger there (*unbalanced*), else at the one crossing between
them, where :math:`M_1^2 - M_2^2` is monotonic. The flight direction and the missing momentum
can always be met.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from m2solve.kinematics import (
    are_sides_usable,
    distance_from_line,
    heavier_mass_squared,
    is_finite_vector,
    mass_squared,
    unit_vector,
    write_pair,
)
from m2solve.rows import Filled, Inputs, candidate, leave_out, solve_along_flight
from m2solve.solution import SOLVED, UNBALANCED, Solution
from simgen.jit import lean_kernel

if TYPE_CHECKING:
    from m2solve.kinematics import Row3, Row4
    from m2solve.problem import Problem
    from simgen.typing import FloatArray

# Newton steps, with bisection where one leaves its bracket; five are typical.
MAX_STEPS = 100


def m2v(problem: Problem) -> Solution:
    """Solve M2V for every event, with the flight direction on the side that has one.

    Parameters
    ----------
    problem : Problem
        Candidates with ``flight_sig`` or ``flight_tag``. Only the three-momentum of the total is
        used.

    Returns
    -------
    Solution
        One solution an event, ``SOLVED`` (M_1 = M_2) or ``UNBALANCED``.
    """
    return solve_along_flight("M2V", 1, m2v_loop, problem, lambda p: (p.flight_sig,))


@lean_kernel
def m2v_loop(given: Inputs, flight: FloatArray, out: Filled) -> None:
    """Fill the solution of every event."""
    for i in range(given.visible_sig.shape[0]):
        p1, p2, beams, m1, m2 = candidate(given, i)
        v = unit_vector(flight, i)
        if not (
            are_sides_usable(p1, p2, m1, m2) and is_finite_vector(v) and is_finite_vector(beams)
        ):
            leave_out(out, i)
            continue
        flag, t, _ = m2v_event(p1, p2, beams, m1, m2, v[0], v[1], v[2])
        out.status[i] = flag
        out.n_solutions[i] = 1
        write_pair(t * v[0], t * v[1], t * v[2], p1, p2, beams, m1, m2, out.k_sig, out.k_tag, i, 0)
        out.value[i] = math.sqrt(heavier_mass_squared(p1, p2, m1, m2, out.k_sig, out.k_tag, i, 0))


@lean_kernel
def m2v_event(
    p1: Row4,
    p2: Row4,
    total: Row4,
    m1: float,
    m2: float,
    vx: float,
    vy: float,
    vz: float,
) -> tuple[int, float, float]:
    """Return the status, the lab momentum t of the signal parent, and the weight of side 1.

    The weight is that of grad M_1^2 in the optimum (1 or 0 where it is unbalanced).
    """
    v = vx, vy, vz
    c1, e1, t1, h1, g1 = mass_along(p1, m1, p1[0], p1[1], p1[2], 1.0, v)
    qx, qy, qz = total[0] - p2[0], total[1] - p2[1], total[2] - p2[2]
    c2, e2, t2, h2, g2 = mass_along(p2, m2, qx, qy, qz, -1.0, v)
    return lowest_on_ray(c1, e1, t1, h1, g1, c2, e2, t2, h2, g2, math.inf)


@lean_kernel
def mass_along(
    p: Row4, m: float, x: float, y: float, z: float, sign: float, v: Row3
) -> tuple[float, float, float, float, float]:
    """Return c, e, foot, h, g of M^2(t) = c + 2 (e sqrt((t - foot)^2 + h^2) - g (t - foot)).

    It is the squared mass of a visible p and an invisible system of mass m and momentum
    sign (t v - (x, y, z)).
    """
    foot = x * v[0] + y * v[1] + z * v[2]
    h = distance_from_line(x, y, z, v[0], v[1], v[2], m)
    rest = p[0] * (foot * v[0] - x) + p[1] * (foot * v[1] - y) + p[2] * (foot * v[2] - z)
    g = sign * (p[0] * v[0] + p[1] * v[1] + p[2] * v[2])
    return mass_squared(p) + m * m - 2.0 * sign * rest, p[3], foot, h, g


@lean_kernel
def mass_squared_along(t: float, c: float, e: float, foot: float, h: float, g: float) -> float:
    """Return c + 2 (e sqrt(x^2 + h^2) - g x) with x = t - foot."""
    x = t - foot
    return c + 2.0 * (e * math.sqrt(x * x + h * h) - g * x)


@lean_kernel
def _slope(t: float, e: float, foot: float, h: float, g: float) -> float:
    """Return half the derivative of `_mass2` with respect to t."""
    x = t - foot
    r = math.sqrt(x * x + h * h)
    return e * x / r - g if r > 0.0 else -g


@lean_kernel
def lowest_point(e: float, foot: float, h: float, g: float) -> float:
    """Return the t >= 0 at which `_mass2` is least."""
    if h == 0.0:
        return max(foot, 0.0)
    gap = (e - g) * (e + g)
    if gap <= 0.0:
        # A massless visible along the line: the mass falls for ever, if slowly.
        return math.inf if g > 0.0 else 0.0
    return max(foot + h * g / math.sqrt(gap), 0.0)


@lean_kernel
def lowest_on_ray(
    c1: float,
    e1: float,
    t1: float,
    h1: float,
    g1: float,
    c2: float,
    e2: float,
    t2: float,
    h2: float,
    g2: float,
    end: float,
) -> tuple[int, float, float]:
    """Minimise the larger of two mass functions over 0 <= t <= end (inf: all t >= 0).

    Return status, t, and weight of side 1.
    """
    a = min(lowest_point(e1, t1, h1, g1), end)
    b = min(lowest_point(e2, t2, h2, g2), end)
    if a < math.inf and mass_squared_along(a, c1, e1, t1, h1, g1) >= mass_squared_along(
        a, c2, e2, t2, h2, g2
    ):
        return UNBALANCED, a, 1.0
    if b < math.inf and mass_squared_along(b, c2, e2, t2, h2, g2) >= mass_squared_along(
        b, c1, e1, t1, h1, g1
    ):
        return UNBALANCED, b, 0.0
    # Between a (where M_1 < M_2) and b (where M_2 < M_1) the difference rises from a to b.
    if a == math.inf:
        a = _far_end(c1, e1, t1, h1, g1, c2, e2, t2, h2, g2, b)
    if b == math.inf:
        b = _far_end(c2, e2, t2, h2, g2, c1, e1, t1, h1, g1, a)
    low, high = a, b
    t = 0.5 * (a + b)
    for _ in range(MAX_STEPS):
        gap = mass_squared_along(t, c1, e1, t1, h1, g1) - mass_squared_along(t, c2, e2, t2, h2, g2)
        if gap < 0.0:
            low = t
        else:
            high = t
        slope = 2.0 * (_slope(t, e1, t1, h1, g1) - _slope(t, e2, t2, h2, g2))
        step = -gap / slope if slope != 0.0 else math.inf
        new = t + step
        if not min(low, high) <= new <= max(low, high):
            new = 0.5 * (low + high)
        if abs(new - t) <= 1e-15 * (abs(t) + h1 + h2):
            t = new
            break
        t = new
    s1, s2 = _slope(t, e1, t1, h1, g1), _slope(t, e2, t2, h2, g2)
    weight = -s2 / (s1 - s2) if s1 != s2 else 0.5
    return SOLVED, t, min(max(weight, 0.0), 1.0)


@lean_kernel
def _far_end(
    c1: float,
    e1: float,
    t1: float,
    h1: float,
    g1: float,
    c2: float,
    e2: float,
    t2: float,
    h2: float,
    g2: float,
    start: float,
) -> float:
    """Return a t beyond `start` at which M_1 < M_2, for an M_1 that falls for ever."""
    step = 1.0 + abs(start) + h1 + h2
    t = start + step
    while (
        mass_squared_along(t, c1, e1, t1, h1, g1) >= mass_squared_along(t, c2, e2, t2, h2, g2)
        and step < 1e15
    ):
        step *= 2.0
        t = start + step
    return t
