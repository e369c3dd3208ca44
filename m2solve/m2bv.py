r"""M2BV: flight direction and mass of one parent known, no energy. A quadratic with two roots.

In the lab the signal parent has :math:`P = t v` with :math:`t \ge 0` and energy
:math:`\sqrt{t^2 + M^2}`. The mass shell of its invisible system, :math:`(P - p_1)^2 = m_1^2`, is

.. math::

    e_1 \sqrt{t^2 + M^2} = c + g t, \qquad c = (M^2 + p_1^2 - m_1^2) / 2, \quad g = p_1 \cdot v,

    t = \frac{c g \pm e_1 \sqrt{c^2 - M^2 (e_1^2 - g^2)}}{e_1^2 - g^2} .

The other side follows from the missing three-momentum. Both roots are physical where they are not
negative: hadron-collider analyses know them as the two-fold ambiguity.

Where no root exists (the visible momentum is too far from the measured line) the solution is
*projected*: the t >= 0 at which M(p_1, k_1) is least. The direction, the missing momentum and the
masses of the invisible systems are kept; the parent mass is given up.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from m2solve.kinematics import (
    are_sides_usable,
    distance_from_line,
    is_finite_vector,
    is_mass,
    mass_squared,
    parent_mass_squared,
    row_index,
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
from m2solve.solution import PROJECTED, SOLVED, Solution
from simgen.jit import lean_kernel

if TYPE_CHECKING:
    from m2solve.kinematics import Row3, Row4
    from m2solve.problem import Problem
    from simgen.typing import FloatArray


def m2bv(problem: Problem) -> Solution:
    """Solve M2BV for every event, with direction and mass of the side that has a direction.

    Parameters
    ----------
    problem : Problem
        Candidates with parent masses and ``flight_sig`` or ``flight_tag``. Only the
        three-momentum of the total is used, and only for the other side.

    Returns
    -------
    Solution
        Up to two solutions an event, that of smaller mass of the other parent first.
    """
    return solve_along_flight("M2BV", 2, m2bv_loop, problem, lambda p: (p.mass_sig, p.flight_sig))


@lean_kernel
def m2bv_loop(given: Inputs, mass_sig: FloatArray, flight: FloatArray, out: Filled) -> None:
    """Fill the solution of every event."""
    for i in range(given.visible_sig.shape[0]):
        p1, p2, beams, m1, m2 = candidate(given, i)
        mass1 = mass_sig[row_index(mass_sig.shape[0], i)]
        v = unit_vector(flight, i)
        if not (
            are_sides_usable(p1, p2, m1, m2)
            and is_mass(mass1)
            and is_finite_vector(v)
            and is_finite_vector(beams)
        ):
            leave_out(out, i)
            continue
        flag, number, ta, tb = m2bv_event(p1, m1, mass1, v)
        out.status[i] = flag
        out.n_solutions[i] = number
        for j in range(2):
            t = ta if j == 0 else tb
            write_pair(
                t * v[0], t * v[1], t * v[2], p1, p2, beams, m1, m2, out.k_sig, out.k_tag, i, j
            )
        first = parent_mass_squared(p2, m2, out.k_tag, i, 0)
        second = parent_mass_squared(p2, m2, out.k_tag, i, 1)
        if second < first:
            first = second
            exchange_solutions(out, i)
        out.value[i] = math.sqrt(max(first, parent_mass_squared(p1, m1, out.k_sig, i, 0), 0.0))


@lean_kernel
def m2bv_event(p1: Row4, m1: float, mass: float, v: Row3) -> tuple[int, int, float, float]:
    """Return the status, the number of roots, and the lab momenta t of the parent."""
    g = p1[0] * v[0] + p1[1] * v[1] + p1[2] * v[2]
    h = distance_from_line(p1[0], p1[1], p1[2], v[0], v[1], v[2], 0.0)
    visible2 = max(mass_squared(p1), 0.0)
    c = 0.5 * (mass * mass + visible2 - m1 * m1)
    # e_1^2 - g^2, without the cancellation of a fast visible system along the line
    gap2 = visible2 + h * h
    inner = c * c - mass * mass * gap2
    if mass >= m1 and visible2 <= (mass - m1) ** 2 and inner >= 0.0 and gap2 > 0.0:
        root = p1[3] * math.sqrt(inner)
        # The root of larger size first; the other from the product of the two.
        far = (c * g + root) / gap2 if g >= 0.0 else (c * g - root) / gap2
        near = (p1[3] * p1[3] * mass * mass - c * c) / (gap2 * far) if far != 0.0 else 0.0
        low, high = min(near, far), max(near, far)
        if high >= 0.0:
            if low < 0.0 or low == high:
                return SOLVED, 1, high, high
            return SOLVED, 2, low, high
    height = math.sqrt(h * h + m1 * m1)
    t = max(g + height * g / math.sqrt(gap2), 0.0) if gap2 > 0.0 else max(g, 0.0)
    return PROJECTED, 1, t, t
