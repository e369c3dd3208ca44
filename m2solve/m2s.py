r"""M2s: total four-momentum known. Two parameters are free, and the minimum has a closed form.

The missing four-momentum :math:`Q = P_{tot} - p_1 - p_2` is known. In its rest frame (mass
:math:`\mu`) :math:`k_1` and :math:`k_2` are back to back with the two-body momentum :math:`k`,
so only the direction n of :math:`k_1` is free, and both parent masses are linear in it:

.. math::

    M_1^2 = a_1 - n \cdot u_1, \quad a_1 = p_1^2 + m_1^2 + 2 e_1 E_1, \quad u_1 = 2 k p_1 \\
    M_2^2 = a_2 - n \cdot u_2, \quad a_2 = p_2^2 + m_2^2 + 2 e_2 E_2, \quad u_2 = -2 k p_2

The smallest maximum of two linear functions on a sphere is at the minimum of one of them,
:math:`n = u_i / |u_i|`, if the other is not larger there (*unbalanced*), else on the circle
:math:`n \cdot (u_1 - u_2) = a_1 - a_2` where :math:`M_1 = M_2`, at the point farthest along
:math:`u_1`. Each function has one minimum on the sphere, so this is the global optimum.

Where :math:`Q^2 < (m_1 + m_2)^2` (resolution) the solution is *projected*: the momenta of least
total energy with :math:`k_1 + k_2` the missing three-momentum, which share it in proportion to
their masses; two massless ones share it so that max(M_1, M_2) is least. The total energy is
given up.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from m2solve.kinematics import (
    a_normal,
    are_sides_usable,
    heavier_mass_squared,
    mass_squared,
    write_pair,
)
from m2solve.rows import Filled, Inputs, candidate, leave_out, solve_all
from m2solve.solution import (
    DEGENERATE,
    PROJECTED,
    SOLVED,
    UNBALANCED,
    UNPHYSICAL,
    Solution,
)
from simgen.jit import lean_kernel

if TYPE_CHECKING:
    from m2solve.kinematics import Row3, Row4
    from m2solve.problem import Problem

# Relative size below which the part of u_1 normal to u_1 - u_2 counts as zero.
ALIGNED = 1e-12


def m2s(problem: Problem) -> Solution:
    """Solve M2s for every event.

    Parameters
    ----------
    problem : Problem
        Candidates with all components of the total momentum.

    Returns
    -------
    Solution
        One solution an event. Status ``UNBALANCED`` where M_1 and M_2 differ at the minimum,
        ``DEGENERATE`` where the minimum is a circle or a sphere of momenta.
    """
    return solve_all("M2s", 1, m2s_loop, problem)


@lean_kernel
def m2s_loop(given: Inputs, out: Filled) -> None:
    """Fill the solution of every event."""
    for i in range(given.visible_sig.shape[0]):
        p1, p2, beams, m1, m2 = candidate(given, i)
        flag, px, py, pz = m2s_event(p1, p2, beams, m1, m2)
        if flag == UNPHYSICAL:
            leave_out(out, i)
            continue
        out.status[i] = flag
        out.n_solutions[i] = 1
        write_pair(px, py, pz, p1, p2, beams, m1, m2, out.k_sig, out.k_tag, i, 0)
        out.value[i] = math.sqrt(heavier_mass_squared(p1, p2, m1, m2, out.k_sig, out.k_tag, i, 0))


@lean_kernel
def m2s_event(
    p1: Row4, p2: Row4, total: Row4, m1: float, m2: float
) -> tuple[int, float, float, float]:
    """Return the status and the lab three-momentum of the signal parent."""
    energy = total[3] - p1[3] - p2[3]
    if not (mass_squared(total) > 0.0 and energy > 0.0 and are_sides_usable(p1, p2, m1, m2)):
        return UNPHYSICAL, math.nan, math.nan, math.nan
    qx = total[0] - p1[0] - p2[0]
    qy = total[1] - p1[1] - p2[1]
    qz = total[2] - p1[2] - p2[2]
    mu2 = energy * energy - (qx * qx + qy * qy + qz * qz)
    if mu2 <= 0.0 or mu2 < (m1 + m2) ** 2:
        share = least_energy_share(p1, p2, qx, qy, qz, m1, m2)
        return PROJECTED, p1[0] + share * qx, p1[1] + share * qy, p1[2] + share * qz
    flag, kx, ky, kz, _ = split_missing(p1, p2, qx, qy, qz, math.sqrt(mu2), m1, m2)
    return flag, p1[0] + kx, p1[1] + ky, p1[2] + kz


@lean_kernel
def least_energy_share(
    p1: Row4, p2: Row4, qx: float, qy: float, qz: float, m1: float, m2: float
) -> float:
    """Return the share of the missing momentum q that k_1 takes where the energy is least."""
    if m1 + m2 > 0.0:
        return m1 / (m1 + m2)
    # k_1 = x q and k_2 = (1 - x) q: M_1^2 rises linearly with x, and M_2^2 falls.
    q = math.sqrt(qx * qx + qy * qy + qz * qz)
    rise1 = 2.0 * (p1[3] * q - (p1[0] * qx + p1[1] * qy + p1[2] * qz))
    rise2 = 2.0 * (p2[3] * q - (p2[0] * qx + p2[1] * qy + p2[2] * qz))
    if rise1 + rise2 <= 0.0:
        return 0.5
    x = (mass_squared(p2) + rise2 - mass_squared(p1)) / (rise1 + rise2)
    return float(min(max(x, 0.0), 1.0))


@lean_kernel
def split_missing(
    p1: Row4,
    p2: Row4,
    qx: float,
    qy: float,
    qz: float,
    mu: float,
    m1: float,
    m2: float,
) -> tuple[int, float, float, float, float]:
    """Split a missing system of lab momentum q and mass mu so that max(M_1, M_2) is least.

    Return the status, the lab momentum of k_1, and the weight of side 1 in the optimum
    (grad = weight * grad M_1^2 + (1 - weight) * grad M_2^2; 1 or 0 where it is unbalanced).
    """
    w = math.sqrt(mu * mu + qx * qx + qy * qy + qz * qz)
    k, energy1, a1, u, a2, v = linear_masses(p1, p2, qx, qy, qz, w, mu, m1, m2)
    flag, weight, nx, ny, nz = lowest_on_sphere(a1, u[0], u[1], u[2], a2, v[0], v[1], v[2])
    if k == 0.0:
        flag = SOLVED if a1 == a2 else UNBALANCED
    kx, ky, kz = k * nx, k * ny, k * nz
    f = (energy1 + (w * energy1 + qx * kx + qy * ky + qz * kz) / mu) / (w + mu)
    return flag, kx + f * qx, ky + f * qy, kz + f * qz, weight


@lean_kernel
def linear_masses(
    p1: Row4,
    p2: Row4,
    qx: float,
    qy: float,
    qz: float,
    w: float,
    mu: float,
    m1: float,
    m2: float,
) -> tuple[float, float, float, Row3, float, Row3]:
    """Return k, E_1, a_1, u_1, a_2, u_2 of the docstring of this file; w is the missing energy."""
    k2 = (mu - m1 - m2) * (mu + m1 + m2) * (mu - m1 + m2) * (mu + m1 - m2)
    k = 0.5 * math.sqrt(max(k2, 0.0)) / mu
    energy1 = 0.5 * (mu + (m1 - m2) * (m1 + m2) / mu)
    e1 = (w * p1[3] - (qx * p1[0] + qy * p1[1] + qz * p1[2])) / mu
    e2 = (w * p2[3] - (qx * p2[0] + qy * p2[1] + qz * p2[2])) / mu
    f1, f2 = (p1[3] + e1) / (w + mu), (p2[3] + e2) / (w + mu)
    return (
        k,
        energy1,
        mass_squared(p1) + m1 * m1 + 2.0 * e1 * energy1,
        (
            2.0 * k * (p1[0] - f1 * qx),
            2.0 * k * (p1[1] - f1 * qy),
            2.0 * k * (p1[2] - f1 * qz),
        ),
        mass_squared(p2) + m2 * m2 + 2.0 * e2 * (mu - energy1),
        (
            -2.0 * k * (p2[0] - f2 * qx),
            -2.0 * k * (p2[1] - f2 * qy),
            -2.0 * k * (p2[2] - f2 * qz),
        ),
    )


@lean_kernel
def lowest_on_sphere(
    a1: float,
    ux: float,
    uy: float,
    uz: float,
    a2: float,
    vx: float,
    vy: float,
    vz: float,
) -> tuple[int, float, float, float, float]:
    """Minimise max(a_1 - n.u, a_2 - n.v) over unit vectors n; return status, weight of 1, n."""
    u2 = ux * ux + uy * uy + uz * uz
    v2 = vx * vx + vy * vy + vz * vz
    uv = ux * vx + uy * vy + uz * vz
    u, v = math.sqrt(u2), math.sqrt(v2)
    if u == 0.0 and (v == 0.0 or a1 >= a2 - v):
        # M_1 does not depend on n: any n will do where M_2 is not larger.
        if v == 0.0:
            return DEGENERATE, 1.0, 0.0, 0.0, 1.0
        return DEGENERATE, 1.0, vx / v, vy / v, vz / v
    if v == 0.0 and a2 >= a1 - u:
        return DEGENERATE, 0.0, ux / u, uy / u, uz / u
    if u > 0.0 and a1 - u >= a2 - uv / u:
        return UNBALANCED, 1.0, ux / u, uy / u, uz / u
    if v > 0.0 and a2 - v >= a1 - uv / v:
        return UNBALANCED, 0.0, vx / v, vy / v, vz / v

    dx, dy, dz = ux - vx, uy - vy, uz - vz
    d2 = dx * dx + dy * dy + dz * dz
    along = (a1 - a2) / d2
    ud = ux * dx + uy * dy + uz * dz
    # The part of u normal to d, as a double cross product: u and v are often nearly parallel.
    cx, cy, cz = uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx
    c2 = cx * cx + cy * cy + cz * cz
    rest = math.sqrt(max(1.0 - along * along * d2, 0.0))
    if c2 <= ALIGNED * ALIGNED * u2 * v2:
        # All points of the balanced circle are equal; any normal to d serves.
        tx, ty, tz = a_normal(dx, dy, dz)
        return (
            DEGENERATE,
            -(uv - v2) / d2,
            along * dx + rest * tx,
            along * dy + rest * ty,
            along * dz + rest * tz,
        )
    # d x c points along the part of u normal to d.
    tx, ty, tz = dy * cz - dz * cy, dz * cx - dx * cz, dx * cy - dy * cx
    norm = rest / math.sqrt(d2 * c2)
    if ux * tx + uy * ty + uz * tz < 0.0:
        norm = -norm
    # n is along weight u + (1 - weight) v = v + weight d; its parts along d and t fix the weight.
    ut = abs(ux * tx + uy * ty + uz * tz) / math.sqrt(d2 * c2)
    weight = 1.0 - (ud - along * d2 * ut / rest) / d2 if rest > 0.0 else 0.5
    return (
        SOLVED,
        weight,
        along * dx + norm * tx,
        along * dy + norm * ty,
        along * dz + norm * tz,
    )
