r"""M2sB: total energy and both parent masses known. No freedom is left, two solutions remain.

In the rest frame of the beams, with :math:`B_{sig} = (E_1, P)`, :math:`B_{tag} = (E_2, -P)`,
:math:`E_1 = (s + M_1^2 - M_2^2) / 2\sqrt s` and :math:`|P|^2 = E_1^2 - M_1^2`, the mass shells
of the invisible systems, :math:`(B_i - p_i)^2 = m_i^2`, are linear in P:

.. math::

    P \cdot p_1 &= E_1 e_1 - (M_1^2 + p_1^2 - m_1^2) / 2 \\
    P \cdot p_2 &= (M_2^2 + p_2^2 - m_2^2) / 2 - E_2 e_2

(:math:`p_i^2` the squared visible mass). They fix the part of P in the plane of the visible
momenta; the part normal to it is :math:`\pm c` with :math:`c^2 = |P|^2 - |P_\parallel|^2`. Both
signs meet every constraint; a minimiser returns one of them by accident of its start.

Where :math:`c^2 < 0` (resolution, or a wrong invisible mass) the solution is *projected*:
:math:`P_\parallel` rescaled to the length :math:`|P|`, boosted to the lab as a momentum of mass
M_1. The missing three-momentum and the masses of the invisible systems are kept; the total
energy and the parent masses are given up.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from m2solve.kinematics import (
    a_normal,
    are_sides_usable,
    boost_back_factor,
    boost_factors,
    heavier_mass_squared,
    is_mass,
    mass_squared,
    row_index,
    write_pair,
)
from m2solve.rows import Filled, Inputs, candidate, leave_out, solve_all
from m2solve.solution import DEGENERATE, PROJECTED, SOLVED, UNPHYSICAL, Solution
from simgen.jit import lean_kernel

if TYPE_CHECKING:
    from m2solve.kinematics import Row4
    from m2solve.problem import Problem
    from simgen.typing import FloatArray

# Squared sine below which two momenta count as parallel, and the relative c^2 that counts as zero.
PARALLEL = 1e-24
ROUNDING = 1e-13


def m2sb(problem: Problem) -> Solution:
    """Solve M2sB for every event.

    Parameters
    ----------
    problem : Problem
        Candidates with parent masses.

    Returns
    -------
    Solution
        Two solutions an event, mirrored in the plane of the visible momenta: first the one with
        P . (p_1 x p_2) > 0 in the frame of the beams. One where they coincide or are projected.
        Status ``DEGENERATE`` where the visible momenta are parallel in that frame and P may turn
        freely around them.
    """
    return solve_all("M2sB", 2, m2sb_loop, problem, problem.mass_sig, problem.mass_tag)


@lean_kernel
def m2sb_loop(given: Inputs, mass_sig: FloatArray, mass_tag: FloatArray, out: Filled) -> None:
    """Fill the solution of every event."""
    for i in range(given.visible_sig.shape[0]):
        p1, p2, beams, m1, m2 = candidate(given, i)
        mass1 = mass_sig[row_index(mass_sig.shape[0], i)]
        mass2 = mass_tag[row_index(mass_tag.shape[0], i)]
        flag, ax, ay, az, bx, by, bz = m2sb_event(p1, p2, beams, m1, m2, mass1, mass2)
        if flag == UNPHYSICAL:
            leave_out(out, i)
            continue
        out.status[i] = flag
        out.n_solutions[i] = 2 if (ax != bx or ay != by or az != bz) else 1
        write_pair(ax, ay, az, p1, p2, beams, m1, m2, out.k_sig, out.k_tag, i, 0)
        write_pair(bx, by, bz, p1, p2, beams, m1, m2, out.k_sig, out.k_tag, i, 1)
        out.value[i] = math.sqrt(heavier_mass_squared(p1, p2, m1, m2, out.k_sig, out.k_tag, i, 0))


@lean_kernel
def m2sb_event(
    p1: Row4,
    p2: Row4,
    total: Row4,
    m1: float,
    m2: float,
    mass1: float,
    mass2: float,
) -> tuple[int, float, float, float, float, float, float]:
    """Return the status and the lab three-momenta of the signal parent in both solutions."""
    bad = math.nan
    s = mass_squared(total)
    if not (
        s > 0.0
        and total[3] > p1[3] + p2[3]
        and are_sides_usable(p1, p2, m1, m2)
        and is_mass(mass1)
        and is_mass(mass2)
    ):
        return UNPHYSICAL, bad, bad, bad, bad, bad, bad
    rs = math.sqrt(s)
    e1, f1 = boost_factors(p1, total, rs)
    e2, f2 = boost_factors(p2, total, rs)
    x1, y1, z1 = p1[0] - f1 * total[0], p1[1] - f1 * total[1], p1[2] - f1 * total[2]
    x2, y2, z2 = p2[0] - f2 * total[0], p2[1] - f2 * total[1], p2[2] - f2 * total[2]

    parent_e = (s + (mass1 - mass2) * (mass1 + mass2)) / (2.0 * rs)
    length2 = (
        (rs - mass1 - mass2) * (rs + mass1 + mass2) * (rs - mass1 + mass2) * (rs + mass1 - mass2)
    ) / (4.0 * s)
    below_threshold = rs < mass1 + mass2 or length2 < 0.0
    length2 = 0.0 if below_threshold else length2
    a1 = parent_e * e1 - 0.5 * (mass1 * mass1 + mass_squared(p1) - m1 * m1)
    a2 = 0.5 * (mass2 * mass2 + mass_squared(p2) - m2 * m2) - (rs - parent_e) * e2

    q1 = x1 * x1 + y1 * y1 + z1 * z1
    q2 = x2 * x2 + y2 * y2 + z2 * z2
    dot = x1 * x2 + y1 * y2 + z1 * z2
    nx, ny, nz = y1 * z2 - z1 * y2, z1 * x2 - x1 * z2, x1 * y2 - y1 * x2
    n2 = nx * nx + ny * ny + nz * nz
    if n2 <= PARALLEL * q1 * q2:
        flag, ux, uy, uz, cx, cy, cz = _around_axis(x1, y1, z1, x2, y2, z2, q1, q2, a1, a2, length2)
    else:
        # Orthogonal axes p_1 and n x p_1 keep digits where p_1 and p_2 are nearly parallel.
        wx, wy, wz = ny * z1 - nz * y1, nz * x1 - nx * z1, nx * y1 - ny * x1
        along = a1 / q1
        across = (a2 * q1 - a1 * dot) / (n2 * q1)
        ux, uy, uz = along * x1 + across * wx, along * y1 + across * wy, along * z1 + across * wz
        u2 = ux * ux + uy * uy + uz * uz
        c2 = length2 - u2
        flag = SOLVED
        if c2 < 0.0:
            if c2 < -ROUNDING * (length2 + u2):
                flag = PROJECTED
                scale = math.sqrt(length2 / u2)
                ux, uy, uz = scale * ux, scale * uy, scale * uz
            c2 = 0.0
        c = math.sqrt(c2 / n2)
        cx, cy, cz = c * nx, c * ny, c * nz
    # A visible system heavier than its parent would leave negative energy to the invisible one.
    if below_threshold or e1 > parent_e or e2 > rs - parent_e:
        flag = PROJECTED

    ax, ay, az = ux + cx, uy + cy, uz + cz
    bx, by, bz = ux - cx, uy - cy, uz - cz
    fa = boost_back_factor(parent_e, ax, ay, az, total, rs)
    fb = boost_back_factor(parent_e, bx, by, bz, total, rs)
    return (
        flag,
        ax + fa * total[0],
        ay + fa * total[1],
        az + fa * total[2],
        bx + fb * total[0],
        by + fb * total[1],
        bz + fb * total[2],
    )


@lean_kernel
def _around_axis(
    x1: float,
    y1: float,
    z1: float,
    x2: float,
    y2: float,
    z2: float,
    q1: float,
    q2: float,
    a1: float,
    a2: float,
    length2: float,
) -> tuple[int, float, float, float, float, float, float]:
    """Return the status, P_parallel and a normal part for parallel (or vanishing) p_1, p_2.

    P . p_1 = a_1 and P . p_2 = a_2 are then two statements on one component, met in the sense of
    least squares; the normal part may point anywhere around the axis.
    """
    ux, uy, uz = x1, y1, z1
    if q2 > q1:
        ux, uy, uz = x2, y2, z2
    norm = math.sqrt(max(q1, q2))
    if norm == 0.0:
        ux, uy, uz, norm = 0.0, 0.0, 1.0, 1.0
    ux, uy, uz = ux / norm, uy / norm, uz / norm
    b1 = x1 * ux + y1 * uy + z1 * uz
    b2 = x2 * ux + y2 * uy + z2 * uz
    along = (a1 * b1 + a2 * b2) / (b1 * b1 + b2 * b2) if b1 != 0.0 or b2 != 0.0 else 0.0
    limit = 1e-9 * (abs(a1) + abs(a2) + math.sqrt(length2) * (abs(b1) + abs(b2)))
    holds = abs(along * b1 - a1) <= limit and abs(along * b2 - a2) <= limit
    flag = DEGENERATE if holds and along * along <= length2 else PROJECTED
    length = math.sqrt(length2)
    along = min(max(along, -length), length)
    across = math.sqrt(max(length2 - along * along, 0.0))
    vx, vy, vz = a_normal(ux, uy, uz)
    return flag, along * ux, along * uy, along * uz, across * vx, across * vy, across * vz
