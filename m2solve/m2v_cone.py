r"""M2V(delta): the flight direction known up to an angle delta, no energy. A convex problem.

The lab momentum P of the signal parent lies in the cone :math:`\arccos(P \cdot v / |P|) \le
\delta` (eq. 6 of arXiv:2209.03387). For :math:`\delta < \pi / 2` the cone is convex, and so is
max(M_1, M_2): there is one minimum. Either it is that of M2, or it lies on the surface of the
cone, where each azimuth :math:`\varphi` gives an M2V problem; the derivative of its minimum,

.. math::

    \frac{dM^2}{d\varphi} = t \; g \cdot \frac{\partial v}{\partial\varphi}, \qquad
    g = 2 \lambda (e_1 \beta_1 - p_1) - 2 (1 - \lambda) (e_2 \beta_2 - p_2),

has its root near the azimuth of the M2 solution. A root is the minimum if M falls towards the
outside of the cone there; where it does not, the search starts again from the lowest point of a
scan.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from m2solve.kinematics import (
    a_normal,
    are_sides_usable,
    heavier_mass_squared,
    is_finite_vector,
    row_index,
    unit_vector,
    write_pair,
)
from m2solve.m2 import m2_event
from m2solve.m2v import m2v_event
from m2solve.rows import Filled, Inputs, candidate, leave_out, solve_along_flight
from simgen.jit import lean_kernel

if TYPE_CHECKING:
    from m2solve.kinematics import Row3, Row4
    from m2solve.problem import Problem
    from m2solve.solution import Solution
    from simgen.typing import FloatArray

MAX_STEPS = 100
SCAN_POINTS = 48
FIRST_STEP = 0.05
ANGLE_PRECISION = 1e-15


def m2v_cone(problem: Problem) -> Solution:
    """Solve M2V(delta) for every event, with the cone on the side that has a flight direction.

    Parameters
    ----------
    problem : Problem
        Candidates with ``delta`` and ``flight_sig`` or ``flight_tag``. Only the three-momentum of
        the total is used.

    Returns
    -------
    Solution
        One solution an event, ``SOLVED`` (M_1 = M_2) or ``UNBALANCED``.
    """
    return solve_along_flight(
        "M2V(delta)", 1, m2v_cone_loop, problem, lambda p: (p.flight_sig, p.delta)
    )


@lean_kernel
def m2v_cone_loop(given: Inputs, flight: FloatArray, delta: FloatArray, out: Filled) -> None:
    """Fill the solution of every event."""
    for i in range(given.visible_sig.shape[0]):
        p1, p2, beams, m1, m2 = candidate(given, i)
        angle = delta[row_index(delta.shape[0], i)]
        v = unit_vector(flight, i)
        if not (
            are_sides_usable(p1, p2, m1, m2)
            and is_finite_vector(v)
            and is_finite_vector(beams)
            and 0.0 <= angle < 0.5 * math.pi
        ):
            leave_out(out, i)
            continue
        out.status[i] = m2v_cone_event(p1, p2, beams, m1, m2, v, angle, out.k_sig, out.k_tag, i)
        out.n_solutions[i] = 1
        out.value[i] = math.sqrt(heavier_mass_squared(p1, p2, m1, m2, out.k_sig, out.k_tag, i, 0))


@lean_kernel
def m2v_cone_event(
    p1: Row4,
    p2: Row4,
    total: Row4,
    m1: float,
    m2: float,
    v: Row3,
    delta: float,
    k_sig: FloatArray,
    k_tag: FloatArray,
    i: int,
) -> int:
    """Fill row i of k_sig and k_tag at the minimum, and return the status."""
    flag = m2_event(p1, p2, total, m1, m2, k_sig, k_tag, i)
    px, py, pz = p1[0] + k_sig[i, 0, 0], p1[1] + k_sig[i, 0, 1], p1[2] + k_sig[i, 0, 2]
    along = px * v[0] + py * v[1] + pz * v[2]
    # Normals to v: the second in the direction of the M2 solution.
    nx, ny, nz = v[1] * pz - v[2] * py, v[2] * px - v[0] * pz, v[0] * py - v[1] * px
    across = math.sqrt(nx * nx + ny * ny + nz * nz)
    if math.atan2(across, along) <= delta:
        return flag
    if across == 0.0:
        nx, ny, nz = a_normal(v[0], v[1], v[2])
        across = 1.0
    n = nx / across, ny / across, nz / across
    e = n[1] * v[2] - n[2] * v[1], n[2] * v[0] - n[0] * v[2], n[0] * v[1] - n[1] * v[0]

    phi = _lowest_azimuth(p1, p2, total, m1, m2, v, delta, e, n, 0.0, FIRST_STEP, k_sig, k_tag, i)
    flag, _, slope_out, _ = _at_azimuth(p1, p2, total, m1, m2, v, delta, e, n, phi, k_sig, k_tag, i)
    if slope_out > 0.0:
        best = math.inf
        start = 0.0
        for j in range(SCAN_POINTS):
            trial = 2.0 * math.pi * j / SCAN_POINTS
            _, _, _, mass2 = _at_azimuth(
                p1, p2, total, m1, m2, v, delta, e, n, trial, k_sig, k_tag, i
            )
            if mass2 < best:
                best, start = mass2, trial
        step = math.pi / SCAN_POINTS
        phi = _lowest_azimuth(p1, p2, total, m1, m2, v, delta, e, n, start, step, k_sig, k_tag, i)
        flag, _, _, _ = _at_azimuth(p1, p2, total, m1, m2, v, delta, e, n, phi, k_sig, k_tag, i)
    return flag


@lean_kernel
def _at_azimuth(
    p1: Row4,
    p2: Row4,
    total: Row4,
    m1: float,
    m2: float,
    v: Row3,
    delta: float,
    e: Row3,
    n: Row3,
    phi: float,
    k_sig: FloatArray,
    k_tag: FloatArray,
    i: int,
) -> tuple[int, float, float, float]:
    """Solve M2V on the cone's surface at azimuth phi from e towards n; fill row i of k_sig, k_tag.

    Return the status, M^2's slope with phi per 2 t (it tells where to go even at t = 0), half its
    slope towards the outside, and M^2 itself.
    """
    c, s = math.cos(phi), math.sin(phi)
    cd, sd = math.cos(delta), math.sin(delta)
    rx, ry, rz = c * e[0] + s * n[0], c * e[1] + s * n[1], c * e[2] + s * n[2]
    vx, vy, vz = cd * v[0] + sd * rx, cd * v[1] + sd * ry, cd * v[2] + sd * rz
    norm = math.sqrt(vx * vx + vy * vy + vz * vz)
    vx, vy, vz = vx / norm, vy / norm, vz / norm
    flag, t, weight = m2v_event(p1, p2, total, m1, m2, vx, vy, vz)
    write_pair(t * vx, t * vy, t * vz, p1, p2, total, m1, m2, k_sig, k_tag, i, 0)
    f1 = weight * p1[3] / k_sig[i, 0, 3] if k_sig[i, 0, 3] > 0.0 else 0.0
    f2 = (1.0 - weight) * p2[3] / k_tag[i, 0, 3] if k_tag[i, 0, 3] > 0.0 else 0.0
    gx = f1 * k_sig[i, 0, 0] - weight * p1[0] - f2 * k_tag[i, 0, 0] + (1.0 - weight) * p2[0]
    gy = f1 * k_sig[i, 0, 1] - weight * p1[1] - f2 * k_tag[i, 0, 1] + (1.0 - weight) * p2[1]
    gz = f1 * k_sig[i, 0, 2] - weight * p1[2] - f2 * k_tag[i, 0, 2] + (1.0 - weight) * p2[2]
    around = gx * (c * n[0] - s * e[0]) + gy * (c * n[1] - s * e[1]) + gz * (c * n[2] - s * e[2])
    outside = gx * (cd * rx - sd * v[0]) + gy * (cd * ry - sd * v[1]) + gz * (cd * rz - sd * v[2])
    return (
        flag,
        sd * around,
        sd * t * outside,
        heavier_mass_squared(p1, p2, m1, m2, k_sig, k_tag, i, 0),
    )


@lean_kernel
def _lowest_azimuth(
    p1: Row4,
    p2: Row4,
    total: Row4,
    m1: float,
    m2: float,
    v: Row3,
    delta: float,
    e: Row3,
    n: Row3,
    start: float,
    step: float,
    k_sig: FloatArray,
    k_tag: FloatArray,
    i: int,
) -> float:
    """Return the azimuth of the minimum that is downhill from `start` (Illinois method)."""
    _, slope, _, _ = _at_azimuth(p1, p2, total, m1, m2, v, delta, e, n, start, k_sig, k_tag, i)
    if slope == 0.0:
        return start
    sign = -1.0 if slope > 0.0 else 1.0
    # x counts downhill from the start; the slope along it is negative until the minimum.
    low, slope_low = 0.0, sign * slope
    high, slope_high = 0.0, slope_low
    while slope_high < 0.0 and high < 2.0 * math.pi:
        low, slope_low = high, slope_high
        high += step
        step *= 2.0
        _, slope, _, _ = _at_azimuth(
            p1, p2, total, m1, m2, v, delta, e, n, start + sign * high, k_sig, k_tag, i
        )
        slope_high = sign * slope
    side = 0
    for _ in range(MAX_STEPS):
        x = high - slope_high * (high - low) / (slope_high - slope_low)
        if not low < x < high:
            x = 0.5 * (low + high)
        if high - low <= ANGLE_PRECISION or not low < x < high:
            break
        _, slope, _, _ = _at_azimuth(
            p1, p2, total, m1, m2, v, delta, e, n, start + sign * x, k_sig, k_tag, i
        )
        slope *= sign
        if slope == 0.0:
            return start + sign * x
        if slope < 0.0:
            low, slope_low = x, slope
            if side == -1:
                slope_high *= 0.5
            side = -1
        else:
            high, slope_high = x, slope
            if side == 1:
                slope_low *= 0.5
            side = 1
    return start + sign * (low if -slope_low < slope_high else high)
