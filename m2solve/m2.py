r"""M2: only the missing three-momentum known. A convex problem, solved in one dimension.

As functions of the lab momentum P of the signal parent, with :math:`k_1 = P - p_1` and
:math:`k_2 = q - P`, :math:`M_i^2 = p_i^2 + m_i^2 + 2 (e_i E_i(P) - p_i \cdot k_i(P))` are
convex: there is one minimum of the larger one.

- If it is the minimum of one side (*unbalanced*), :math:`k_i` has the velocity of :math:`p_i`
  and :math:`M_i = \sqrt{p_i^2} + m_i`, the other mass being not larger there.
- Else :math:`M_1 = M_2`. The missing system then has some mass :math:`\mu`; for each
  :math:`\mu` the minimum is that of M2s, a closed form, and it has one minimum in :math:`\mu`
  because the allowed momenta of missing energy at most :math:`\sqrt{\mu^2 + P_{miss}^2}` are a
  convex body. The root of the derivative follows from the multiplier of the energy constraint:

.. math::

    \frac{dM^2}{dE} = \frac{g \cdot (\beta_1 - \beta_2)}{|\beta_1 - \beta_2|^2}, \qquad
    g = 2 \lambda (e_1 \beta_1 - p_1) - 2 (1 - \lambda) (e_2 \beta_2 - p_2),

with :math:`\beta_i` the velocities of the invisible systems and :math:`\lambda` the weight of
side 1.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from m2solve.kinematics import (
    are_sides_usable,
    heavier_mass_squared,
    is_finite_vector,
    mass_squared,
    parent_mass_squared,
    write_pair,
)
from m2solve.m2s import least_energy_share, split_missing
from m2solve.rows import Filled, Inputs, candidate, leave_out, solve_all
from m2solve.solution import SOLVED, UNBALANCED, Solution
from simgen.jit import lean_kernel

if TYPE_CHECKING:
    from m2solve.kinematics import Row4
    from m2solve.problem import Problem
    from simgen.typing import FloatArray

# Steps of the bracketing root search; about twelve are typical.
MAX_STEPS = 200


def m2(problem: Problem) -> Solution:
    """Solve M2 for every event.

    Parameters
    ----------
    problem : Problem
        Candidates; only the three-momentum of the total is used.

    Returns
    -------
    Solution
        One solution an event, ``SOLVED`` (M_1 = M_2) or ``UNBALANCED``.
    """
    return solve_all("M2", 1, m2_loop, problem)


@lean_kernel
def m2_loop(given: Inputs, out: Filled) -> None:
    """Fill the solution of every event."""
    for i in range(given.visible_sig.shape[0]):
        p1, p2, beams, m1, m2 = candidate(given, i)
        if not (are_sides_usable(p1, p2, m1, m2) and is_finite_vector(beams)):
            leave_out(out, i)
            continue
        out.status[i] = m2_event(p1, p2, beams, m1, m2, out.k_sig, out.k_tag, i)
        out.n_solutions[i] = 1
        out.value[i] = math.sqrt(heavier_mass_squared(p1, p2, m1, m2, out.k_sig, out.k_tag, i, 0))


@lean_kernel
def m2_event(
    p1: Row4,
    p2: Row4,
    total: Row4,
    m1: float,
    m2: float,
    k_sig: FloatArray,
    k_tag: FloatArray,
    i: int,
) -> int:
    """Fill row i of k_sig and k_tag at the minimum, and return the status."""
    qx = total[0] - p1[0] - p2[0]
    qy = total[1] - p1[1] - p2[1]
    qz = total[2] - p1[2] - p2[2]
    # Each side at its own minimum; the other then takes the rest of the missing momentum.
    visible1 = mass_squared(p1)
    if visible1 > 0.0 or m1 == 0.0:
        f = m1 / math.sqrt(visible1) if m1 > 0.0 else 0.0
        x, y, z = (1.0 + f) * p1[0], (1.0 + f) * p1[1], (1.0 + f) * p1[2]
        write_pair(x, y, z, p1, p2, total, m1, m2, k_sig, k_tag, i, 0)
        if parent_mass_squared(p1, m1, k_sig, i, 0) >= parent_mass_squared(p2, m2, k_tag, i, 0):
            return UNBALANCED
    visible2 = mass_squared(p2)
    if visible2 > 0.0 or m2 == 0.0:
        f = m2 / math.sqrt(visible2) if m2 > 0.0 else 0.0
        x, y, z = p1[0] + qx - f * p2[0], p1[1] + qy - f * p2[1], p1[2] + qz - f * p2[2]
        write_pair(x, y, z, p1, p2, total, m1, m2, k_sig, k_tag, i, 0)
        if parent_mass_squared(p2, m2, k_tag, i, 0) >= parent_mass_squared(p1, m1, k_sig, i, 0):
            return UNBALANCED

    low = m1 + m2
    step = math.sqrt(max(visible1, 0.0)) + math.sqrt(max(visible2, 0.0)) + m1 + m2
    if step == 0.0:
        step = p1[3] + p2[3]
    mu = _root_of_slope(p1, p2, qx, qy, qz, m1, m2, low, 0.5 * step)
    if mu == 0.0:
        share = least_energy_share(p1, p2, qx, qy, qz, m1, m2)
        kx, ky, kz = share * qx, share * qy, share * qz
    else:
        _, kx, ky, kz, _ = split_missing(p1, p2, qx, qy, qz, mu, m1, m2)
    write_pair(p1[0] + kx, p1[1] + ky, p1[2] + kz, p1, p2, total, m1, m2, k_sig, k_tag, i, 0)
    return SOLVED


@lean_kernel
def _root_of_slope(
    p1: Row4,
    p2: Row4,
    qx: float,
    qy: float,
    qz: float,
    m1: float,
    m2: float,
    lowest: float,
    step: float,
) -> float:
    """Return the mass of the missing system at which M2s is least, by the Illinois method."""
    low, slope_low = lowest, -math.inf
    high = lowest + step
    slope_high = _slope(p1, p2, qx, qy, qz, high, m1, m2)
    doublings = 0
    while slope_high < 0.0 and doublings < 60:
        low, slope_low = high, slope_high
        step *= 2.0
        high = lowest + step
        slope_high = _slope(p1, p2, qx, qy, qz, high, m1, m2)
        doublings += 1
    side = 0
    for _ in range(MAX_STEPS):
        if high - low <= 4e-16 * high:
            break
        if slope_low == -math.inf:
            mu = 0.5 * (low + high)
        else:
            mu = high - slope_high * (high - low) / (slope_high - slope_low)
            if not low < mu < high:
                mu = 0.5 * (low + high)
                if not low < mu < high:
                    break
        slope = _slope(p1, p2, qx, qy, qz, mu, m1, m2)
        if slope == 0.0:
            return mu
        if slope < 0.0:
            low, slope_low = mu, slope
            if side == -1:
                slope_high *= 0.5
            side = -1
        else:
            high, slope_high = mu, slope
            if side == 1:
                slope_low *= 0.5
            side = 1
    return 0.5 * (low + high)


@lean_kernel
def _slope(
    p1: Row4,
    p2: Row4,
    qx: float,
    qy: float,
    qz: float,
    mu: float,
    m1: float,
    m2: float,
) -> float:
    """Return dM^2/dE |beta_1 - beta_2|^2 of M2s at mass mu of the missing system."""
    _, ax, ay, az, weight = split_missing(p1, p2, qx, qy, qz, mu, m1, m2)
    bx, by, bz = qx - ax, qy - ay, qz - az
    energy1 = math.sqrt(m1 * m1 + ax * ax + ay * ay + az * az)
    energy2 = math.sqrt(m2 * m2 + bx * bx + by * by + bz * bz)
    ax, ay, az = ax / energy1, ay / energy1, az / energy1
    bx, by, bz = bx / energy2, by / energy2, bz / energy2
    other = 1.0 - weight
    gx = weight * (p1[3] * ax - p1[0]) - other * (p2[3] * bx - p2[0])
    gy = weight * (p1[3] * ay - p1[1]) - other * (p2[3] * by - p2[1])
    gz = weight * (p1[3] * az - p1[2]) - other * (p2[3] * bz - p2[2])
    return float(gx * (ax - bx) + gy * (ay - by) + gz * (az - bz))
