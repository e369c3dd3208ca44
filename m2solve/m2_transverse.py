r"""M2 of a hadron collider: only the missing transverse momentum known. It equals MT2.

Both :math:`k_{iz}` are free, so each side may take the one that makes its mass least: that of equal
rapidities, :math:`k_{iz} / E_i = p_{iz} / e_i`. What is left are transverse masses,

.. math::

    M_i^2 = p_i^2 + m_i^2 + 2 (e_{iT} E_{iT} - p_{iT} \cdot k_{iT}), \qquad
    e_{iT} = \sqrt{p_i^2 + p_{iT}^2}, \quad E_{iT} = \sqrt{m_i^2 + k_{iT}^2},

with :math:`k_{1T} + k_{2T}` the missing transverse momentum: M2 of momenta without z-components
and with energies :math:`e_{iT}`, which `m2solve.m2` solves. The smallest maximum in all components
is thus MT2 (arXiv:1401.1449), and the momenta are more than MT2 knows of.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from m2solve.kinematics import (
    are_sides_usable,
    mass_squared,
)
from m2solve.m2 import m2_event
from m2solve.rows import Filled, Inputs, candidate, leave_out, solve_all
from simgen.jit import lean_kernel

if TYPE_CHECKING:
    from m2solve.kinematics import Row4
    from m2solve.problem import Problem
    from m2solve.solution import Solution
    from simgen.typing import FloatArray


def m2_transverse(problem: Problem) -> Solution:
    """Solve M2 for every event with only the transverse total momentum.

    Parameters
    ----------
    problem : Problem
        Candidates; only px and py of the total are used.

    Returns
    -------
    Solution
        One solution an event, ``SOLVED`` (M_1 = M_2) or ``UNBALANCED``. A massless visible system
        along the beam is ``UNPHYSICAL``: it has no rapidity to follow.
    """
    return solve_all("M2(transverse)", 1, m2_transverse_loop, problem)


@lean_kernel
def m2_transverse_loop(given: Inputs, out: Filled) -> None:
    """Fill the solution of every event."""
    for i in range(given.visible_sig.shape[0]):
        p1, p2, beams, m1, m2 = candidate(given, i)
        if not (
            are_sides_usable(p1, p2, m1, m2)
            and math.isfinite(beams[0] + beams[1])
            and has_rapidity(p1)
            and has_rapidity(p2)
        ):
            leave_out(out, i)
            continue
        flat = beams[0], beams[1], 0.0, 0.0
        out.status[i] = m2_event(
            without_z(p1), without_z(p2), flat, m1, m2, out.k_sig, out.k_tag, i
        )
        out.n_solutions[i] = 1
        first = follow_rapidity(p1, m1, out.k_sig, i)
        out.value[i] = math.sqrt(max(first, follow_rapidity(p2, m2, out.k_tag, i), 0.0))


@lean_kernel
def transverse_energy(p: Row4) -> float:
    """Return sqrt(E^2 - p_z^2)."""
    return math.sqrt(max(mass_squared(p), 0.0) + p[0] * p[0] + p[1] * p[1])


@lean_kernel
def has_rapidity(p: Row4) -> bool:
    """Say whether a visible system has a finite rapidity; nothing at all counts as at rest."""
    return transverse_energy(p) > 0.0 or p[2] == 0.0


@lean_kernel
def without_z(p: Row4) -> Row4:
    """Return the transverse momentum with the transverse energy, of the same mass."""
    return p[0], p[1], 0.0, transverse_energy(p)


@lean_kernel
def follow_rapidity(p: Row4, m: float, k: FloatArray, i: int) -> float:
    """Give k of event i the z-component, and the energy, with the rapidity of p; return M^2.

    The mass is taken from the transverse momenta: along the beam both may be large.
    """
    x, y = k[i, 0, 0], k[i, 0, 1]
    transverse = math.sqrt(m * m + x * x + y * y)
    energy = transverse_energy(p)
    k[i, 0, 2] = transverse * p[2] / energy if energy > 0.0 else 0.0
    k[i, 0, 3] = math.sqrt(transverse * transverse + k[i, 0, 2] ** 2)
    return float(mass_squared(p) + m * m + 2.0 * (energy * transverse - p[0] * x - p[1] * y))
