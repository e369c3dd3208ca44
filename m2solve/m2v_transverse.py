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
    four_vector,
    is_finite_vector,
    mass_squared,
    parent_mass_squared,
    row_index,
    unit_vector,
    write_pair,
)
from m2solve.m2_transverse import follow_rapidity, has_rapidity, transverse_energy
from m2solve.m2v import lowest_on_ray, lowest_point, mass_along, mass_squared_along
from m2solve.solution import DEGENERATE, UNBALANCED, UNPHYSICAL, Solution, empty_solution
from simgen.jit import lean_kernel

if TYPE_CHECKING:
    from m2solve.kinematics import Row3, Row4
    from m2solve.problem import Problem
    from simgen.typing import FloatArray, Int8Array


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
    if len(problem.flight_sig) == 0:
        return _solve(problem.swapped()).swapped()
    return _solve(problem)


def _solve(problem: Problem) -> Solution:
    """Solve with the direction on the signal side."""
    solution = empty_solution("M2V(transverse)", problem, 1)
    m2v_transverse_loop(
        problem.visible_sig,
        problem.visible_tag,
        problem.total,
        problem.m_sig,
        problem.m_tag,
        problem.flight_sig,
        solution.value,
        solution.k_sig,
        solution.k_tag,
        solution.n_solutions,
        solution.status,
    )
    return solution


@lean_kernel
def m2v_transverse_loop(
    visible_sig: FloatArray,
    visible_tag: FloatArray,
    total: FloatArray,
    m_sig: FloatArray,
    m_tag: FloatArray,
    flight: FloatArray,
    value: FloatArray,
    k_sig: FloatArray,
    k_tag: FloatArray,
    n_solutions: Int8Array,
    status: Int8Array,
) -> None:
    """Fill the last five arrays for every event."""
    for i in range(visible_sig.shape[0]):
        p1 = four_vector(visible_sig, i)
        p2 = four_vector(visible_tag, i)
        beams = four_vector(total, row_index(total.shape[0], i))
        m1 = m_sig[row_index(m_sig.shape[0], i)]
        m2 = m_tag[row_index(m_tag.shape[0], i)]
        v = unit_vector(flight, i)
        flag, t = UNPHYSICAL, math.nan
        if (
            are_sides_usable(p1, p2, m1, m2)
            and is_finite_vector(v)
            and math.isfinite(beams[0] + beams[1])
            and has_rapidity(p2)
        ):
            flag, t = m2v_transverse_event(p1, p2, beams, m1, m2, v)
        status[i] = flag
        if not math.isfinite(t):
            status[i] = UNPHYSICAL
            n_solutions[i] = 0
            value[i] = math.nan
            k_sig[i] = math.nan
            k_tag[i] = math.nan
            continue
        n_solutions[i] = 1
        flat = beams[0], beams[1], 0.0, 0.0
        write_pair(t * v[0], t * v[1], t * v[2], p1, p2, flat, m1, m2, k_sig, k_tag, i, 0)
        second = follow_rapidity(p2, m2, k_tag, i)
        value[i] = math.sqrt(max(second, parent_mass_squared(p1, m1, k_sig, i, 0), 0.0))


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
