r"""M2sV: total four-momentum and the flight direction of one parent known. Up to two solutions.

In the lab the signal parent has momentum :math:`P = t v` with :math:`t \ge 0`. Energy
conservation is

.. math::

    G(t) = \sqrt{|t v - p_1|^2 + m_1^2} + \sqrt{|q - t v|^2 + m_2^2} = E,
    \qquad q = P_{tot} - p_2, \quad E = E_{tot} - e_1 - e_2 .

G is convex: two distances from a line. With :math:`t_i` the foot points of :math:`p_1` and
:math:`q` on the line and :math:`h_i` their distances from it (invisible masses added in
quadrature), the minimum is where reflection says, :math:`t^* = (t_1 h_2 + t_2 h_1) / (h_1 +
h_2)`. If :math:`G(t^*) \le E` there is one root on each side of it. The difference of the two
squares is linear in t, so the first root equals :math:`\alpha + \beta t` and the roots are
those of a quadratic.

Where no root with t >= 0 exists (the measured line misses the ellipsoid of allowed momenta) the
solution is *projected*: the t >= 0 of least total energy. The direction, the missing
three-momentum and the masses of the invisible systems are kept; the total energy is given up.
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
from m2solve.rows import (
    Filled,
    Inputs,
    candidate,
    exchange_solutions,
    leave_out,
    solve_along_flight,
)
from m2solve.solution import PROJECTED, SOLVED, UNPHYSICAL, Solution
from simgen.jit import lean_kernel

if TYPE_CHECKING:
    from m2solve.kinematics import Row3, Row4
    from m2solve.problem import Problem
    from simgen.typing import FloatArray


def m2sv(problem: Problem) -> Solution:
    """Solve M2sV for every event, with the flight direction on the side that has one.

    Parameters
    ----------
    problem : Problem
        Candidates with ``flight_sig`` or ``flight_tag``.

    Returns
    -------
    Solution
        Up to two solutions an event, that of smaller max(M_1, M_2) first.
    """
    return solve_along_flight("M2sV", 2, m2sv_loop, problem, lambda p: (p.flight_sig,))


@lean_kernel
def m2sv_loop(given: Inputs, flight: FloatArray, out: Filled) -> None:
    """Fill the solution of every event."""
    for i in range(given.visible_sig.shape[0]):
        p1, p2, beams, m1, m2 = candidate(given, i)
        v = unit_vector(flight, i)
        flag, number, ta, tb = m2sv_event(p1, p2, beams, m1, m2, v)
        if flag == UNPHYSICAL:
            leave_out(out, i)
            continue
        out.status[i] = flag
        out.n_solutions[i] = number
        for j in range(2):
            t = ta if j == 0 else tb
            write_pair(
                t * v[0], t * v[1], t * v[2], p1, p2, beams, m1, m2, out.k_sig, out.k_tag, i, j
            )
        first = heavier_mass_squared(p1, p2, m1, m2, out.k_sig, out.k_tag, i, 0)
        second = heavier_mass_squared(p1, p2, m1, m2, out.k_sig, out.k_tag, i, 1)
        out.value[i] = math.sqrt(min(first, second))
        if second < first:
            exchange_solutions(out, i)


@lean_kernel
def m2sv_event(
    p1: Row4,
    p2: Row4,
    total: Row4,
    m1: float,
    m2: float,
    v: Row3,
) -> tuple[int, int, float, float]:
    """Return the status, the number of roots, and the lab momenta t of the signal parent."""
    energy = total[3] - p1[3] - p2[3]
    if not (
        mass_squared(total) > 0.0
        and energy > 0.0
        and are_sides_usable(p1, p2, m1, m2)
        and is_finite_vector(v)
    ):
        return UNPHYSICAL, 0, math.nan, math.nan
    qx, qy, qz = total[0] - p2[0], total[1] - p2[1], total[2] - p2[2]
    t1 = p1[0] * v[0] + p1[1] * v[1] + p1[2] * v[2]
    t2 = qx * v[0] + qy * v[1] + qz * v[2]
    h1 = distance_from_line(p1[0], p1[1], p1[2], v[0], v[1], v[2], m1)
    h2 = distance_from_line(qx, qy, qz, v[0], v[1], v[2], m2)
    return roots_on_line(t1, h1, t2, h2, energy)


@lean_kernel
def roots_on_line(
    t1: float, h1: float, t2: float, h2: float, energy: float
) -> tuple[int, int, float, float]:
    """Return the status, the number of roots t >= 0 of G(t) = energy, and the roots in order.

    t_i and h_i are the foot points and heights of the docstring of this file. Where there is no
    root, both are the t >= 0 of least energy.
    """
    least = math.sqrt((t2 - t1) ** 2 + (h1 + h2) ** 2)
    if least > energy:
        t = max(least_energy_point(t1, h1, t2, h2), 0.0)
        return PROJECTED, 1, t, t

    # sqrt((t - t1)^2 + h1^2) = alpha + beta (t - t1), an equation for x = t - t1.
    gap = t2 - t1
    beta = gap / energy
    alpha = 0.5 * (energy + (h1 - h2) * (h1 + h2) / energy - gap * beta)
    a = (1.0 - beta) * (1.0 + beta)
    half_b = alpha * beta
    c = (h1 - alpha) * (h1 + alpha)
    root = math.sqrt(max(half_b * half_b - a * c, 0.0))
    far = half_b + root if half_b >= 0.0 else half_b - root
    x1 = far / a
    x2 = c / far if far != 0.0 else 0.0
    low, high = t1 + min(x1, x2), t1 + max(x1, x2)
    if high < 0.0:
        return PROJECTED, 1, 0.0, 0.0
    if low < 0.0 or low == high:
        return SOLVED, 1, high, high
    return SOLVED, 2, low, high


@lean_kernel
def least_energy_point(t1: float, h1: float, t2: float, h2: float) -> float:
    """Return the t, of any sign, at which G is least."""
    return (t1 * h2 + t2 * h1) / (h1 + h2) if h1 + h2 > 0.0 else 0.5 * (t1 + t2)


@lean_kernel
def energy_excess(t1: float, h1: float, t2: float, h2: float, energy: float) -> tuple[float, float]:
    """Return by how much the least G(t) of t >= 0 exceeds the energy, and that t.

    Roots exist where the excess is not positive.
    """
    t = least_energy_point(t1, h1, t2, h2)
    if t >= 0.0:
        return math.sqrt((t2 - t1) ** 2 + (h1 + h2) ** 2) - energy, t
    return math.sqrt(t1 * t1 + h1 * h1) + math.sqrt(t2 * t2 + h2 * h2) - energy, 0.0
