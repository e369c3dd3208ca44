r"""M2V of a hadron collider: one flight direction and the missing transverse momentum known.

The signal parent has :math:`P = t v` with :math:`t \ge 0`, so :math:`M_1(t)` is that of
`m2solve.m2v`. Of the other invisible system only the transverse momentum is known for a given t;
its z-component is free and takes the rapidity of :math:`p_2` (see `m2solve.m2_transverse`):

.. math::

    M_2^2(t) = p_2^2 + m_2^2 + 2 \left(e_{2T} \sqrt{|q_T - t v_T|^2 + m_2^2}
        - p_{2T} \cdot (q_T - t v_T)\right), \qquad q_T = P_{tot,T} - p_{2T} .

It has the form that M2V has, in the length along :math:`v_T`, so the smallest maximum is found in
the same way. A flight along the beam (:math:`v_T = 0`) leaves :math:`M_2` constant: where it is the
larger mass, any t with :math:`M_1 \le M_2` is as good (*degenerate*), and the one of least
:math:`M_1` is given.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from m2solve.kinematics import (
    are_sides_usable,
    is_finite_vector,
    mass_squared,
    parent_mass_squared,
    unit_vector,
    write_pair,
)
from m2solve.m2_transverse import follow_rapidity, has_rapidity, transverse_energy
from m2solve.m2v import lowest_on_ray, lowest_point, mass_along, mass_squared_along
from m2solve.rows import Filled, Inputs, candidate, leave_out, solve_along_flight
from m2solve.solution import DEGENERATE, UNBALANCED, UNPHYSICAL, Solution
from simgen.jit import lean_kernel

if TYPE_CHECKING:
    from m2solve.kinematics import Row3, Row4
    from m2solve.problem import Problem
    from simgen.typing import FloatArray


def m2v_transverse(problem: Problem) -> Solution:
    """Solve M2V for every event with only the transverse total momentum.

    Parameters
    ----------
    problem : Problem
        Candidates with ``flight_sig`` or ``flight_tag``. Only px and py of the total are used.

    Returns
    -------
    Solution
        One solution an event: ``SOLVED`` (M_1 = M_2), ``UNBALANCED``, or ``DEGENERATE`` for a
        flight along the beam. Without a flight, the other side's visible system must have a
        rapidity; if it is massless and along the beam the status is ``UNPHYSICAL``.
    """
    return solve_along_flight(
        "M2V(transverse)", 1, m2v_transverse_loop, problem, lambda p: (p.flight_sig,)
    )


@lean_kernel
def m2v_transverse_loop(given: Inputs, flight: FloatArray, out: Filled) -> None:
    """Fill the solution of every event."""
    for i in range(given.visible_sig.shape[0]):
        p1, p2, beams, m1, m2 = candidate(given, i)
        v = unit_vector(flight, i)
        flag, t = UNPHYSICAL, math.nan
        if (
            are_sides_usable(p1, p2, m1, m2)
            and is_finite_vector(v)
            and math.isfinite(beams[0] + beams[1])
            and has_rapidity(p2)
        ):
            flag, t = m2v_transverse_event(p1, p2, beams, m1, m2, v)
        if not math.isfinite(t):
            leave_out(out, i)
            continue
        out.status[i] = flag
        out.n_solutions[i] = 1
        flat = beams[0], beams[1], 0.0, 0.0
        write_pair(t * v[0], t * v[1], t * v[2], p1, p2, flat, m1, m2, out.k_sig, out.k_tag, i, 0)
        second = follow_rapidity(p2, m2, out.k_tag, i)
        out.value[i] = math.sqrt(max(second, parent_mass_squared(p1, m1, out.k_sig, i, 0), 0.0))


@lean_kernel
def m2v_transverse_event(
    p1: Row4, p2: Row4, total: Row4, m1: float, m2: float, v: Row3
) -> tuple[int, float]:
    """Return the status and the lab momentum t of the signal parent, inf if M_1 has no minimum."""
    c1, e1, t1, h1, g1 = mass_along(p1, m1, p1[0], p1[1], p1[2], 1.0, v)
    qx, qy = total[0] - p2[0], total[1] - p2[1]
    across = math.sqrt(v[0] * v[0] + v[1] * v[1])
    energy = transverse_energy(p2)
    if across == 0.0:
        transverse = math.sqrt(m2 * m2 + qx * qx + qy * qy)
        c2 = mass_squared(p2) + m2 * m2 + 2.0 * (energy * transverse - p2[0] * qx - p2[1] * qy)
        t = lowest_point(e1, t1, h1, g1)
        return (UNBALANCED if mass_squared_along(t, c1, e1, t1, h1, g1) >= c2 else DEGENERATE), t
    flat, along = (p2[0], p2[1], 0.0, energy), (v[0] / across, v[1] / across, 0.0)
    c2, e2, t2, h2, g2 = mass_along(flat, m2, qx, qy, 0.0, -1.0, along)
    # In t instead of the length along v_T.
    flag, t, _ = lowest_on_ray(
        c1, e1, t1, h1, g1, c2, e2 * across, t2 / across, h2 / across, g2 * across, math.inf
    )
    return flag, t
