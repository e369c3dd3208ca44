r"""M2sV(delta): total four-momentum known, and the flight direction up to an angle delta.

The lab momentum P of the signal parent lies in the cone :math:`\arccos(P \cdot v / |P|) \le
\delta` (eq. 6 of arXiv:2209.03387) and on the ellipsoid of total energy. On the whole ellipsoid
max(M_1, M_2) has one minimum, that of M2s (see `m2solve.m2s`), and no other local one. Either
it is in the cone, or the minimum is where the surfaces of the cone and the ellipsoid meet: at a
point of equal masses, or at a smooth minimum of the larger mass.

On the ellipsoid both masses are linear (see `m2solve.m2s_sphere`). The points of equal masses on
the cone's surface are the roots of a quartic. Any momentum in the cone gives an upper limit of
M; whether the cone reaches below a given limit is decided exactly, by the roots of two more
quartics, and if so Newton's method goes down to the level that is just in reach. Momenta in the
cone and on the ellipsoid form one connected piece unless all directions have two roots of M2sV,
when the larger and the smaller roots are a piece each: the roots along the axis belong to both.
So no local minimum is mistaken for the lowest.

Where the cone misses the ellipsoid the solution is *projected*: the momentum in the cone of
least total energy. The missing three-momentum and the masses of the invisible systems are kept;
the total energy is given up.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from m2solve.kinematics import (
    a_normal,
    are_sides_usable,
    distance_from_line,
    heavier_mass_squared,
    is_finite_vector,
    mass_squared,
    parent_mass_squared,
    row_index,
    unit_vector,
    write_pair,
)
from m2solve.m2s import m2s_event
from m2solve.m2s_sphere import least_level, lowest_balanced, make_sphere, step_down
from m2solve.m2sv import energy_excess, m2sv_event, roots_on_line
from m2solve.rows import Filled, Inputs, candidate, leave_out, solve_along_flight
from m2solve.solution import PROJECTED, SOLVED, UNBALANCED, Solution
from simgen.jit import kernel, lean_kernel

if TYPE_CHECKING:
    from m2solve.kinematics import Row3, Row4
    from m2solve.problem import Problem
    from simgen.typing import FloatArray

Row2: TypeAlias = tuple[float, float]
# p_1, q and p_2 with their energies (q: the missing energy) in the axes (e, n, v) of the cone,
# the invisible masses, cosine and sine of delta.
Surface: TypeAlias = "tuple[Row4, Row4, Row4, Row2, Row2]"

SCAN_POINTS = 32
SCAN_STEP = 2.0 * math.pi / SCAN_POINTS
SCAN_COS = np.cos(SCAN_STEP * np.arange(SCAN_POINTS))
SCAN_SIN = np.sin(SCAN_STEP * np.arange(SCAN_POINTS))
MAX_STEPS = 100
# Slope of the total energy with the azimuth, per momentum, that counts as none.
FLAT = 1e-14
# Relative precision of M^2; a limit this much lower is looked for.
PRECISION = 1e-13
# Relative difference of M_1^2 and M_2^2 that counts as balanced.
BALANCED = 1e-7


def m2sv_cone(problem: Problem) -> Solution:
    """Solve M2sV(delta) for every event, with the cone on the side that has a flight direction.

    Parameters
    ----------
    problem : Problem
        Candidates with ``delta`` and ``flight_sig`` or ``flight_tag``.

    Returns
    -------
    Solution
        One solution an event.
    """
    return solve_along_flight(
        "M2sV(delta)", 1, m2sv_cone_loop, problem, lambda p: (p.flight_sig, p.delta)
    )


@kernel
def m2sv_cone_loop(given: Inputs, flight: FloatArray, delta: FloatArray, out: Filled) -> None:
    """Fill the solution of every event."""
    excess, roots = np.empty(SCAN_POINTS), np.empty(5)
    for i in range(given.visible_sig.shape[0]):
        p1, p2, beams, m1, m2 = candidate(given, i)
        angle = delta[row_index(delta.shape[0], i)]
        v = unit_vector(flight, i)
        if not (
            mass_squared(beams) > 0.0
            and beams[3] > p1[3] + p2[3]
            and are_sides_usable(p1, p2, m1, m2)
            and is_finite_vector(v)
            and 0.0 <= angle < 0.5 * math.pi
        ):
            leave_out(out, i)
            continue
        flag, px, py, pz = m2sv_cone_event(p1, p2, beams, m1, m2, v, angle, excess, roots)
        write_pair(px, py, pz, p1, p2, beams, m1, m2, out.k_sig, out.k_tag, i, 0)
        if flag == SOLVED:
            first = parent_mass_squared(p1, m1, out.k_sig, i, 0)
            second = parent_mass_squared(p2, m2, out.k_tag, i, 0)
            if abs(first - second) > BALANCED * max(first, second):
                flag = UNBALANCED
        out.status[i] = flag
        out.n_solutions[i] = 1
        out.value[i] = math.sqrt(heavier_mass_squared(p1, p2, m1, m2, out.k_sig, out.k_tag, i, 0))


@lean_kernel
def m2sv_cone_event(
    p1: Row4,
    p2: Row4,
    total: Row4,
    m1: float,
    m2: float,
    v: Row3,
    delta: float,
    excess: FloatArray,
    roots: FloatArray,
) -> tuple[int, float, float, float]:
    """Return the status and the signal parent's momentum; the last two arguments are work space.

    Where the M2s solution is not in the cone the status is ``SOLVED`` even if M_1 and M_2 differ.
    """
    flag, px, py, pz = m2s_event(p1, p2, total, m1, m2)
    along = px * v[0] + py * v[1] + pz * v[2]
    nx, ny, nz = v[1] * pz - v[2] * py, v[2] * px - v[0] * pz, v[0] * py - v[1] * px
    across = math.sqrt(nx * nx + ny * ny + nz * nz)
    if math.atan2(across, along) <= delta:
        return flag, px, py, pz
    if across == 0.0:
        nx, ny, nz = a_normal(v[0], v[1], v[2])
        across = 1.0
    # Normals to v; azimuth 0 is towards the M2s solution.
    n = nx / across, ny / across, nz / across
    e = n[1] * v[2] - n[2] * v[1], n[2] * v[0] - n[0] * v[2], n[0] * v[1] - n[1] * v[0]
    missing = total[3] - p1[3] - p2[3]
    surface = (
        _in_axes(p1, e, n, v, p1[3]),
        _in_axes((total[0] - p2[0], total[1] - p2[1], total[2] - p2[2], 0.0), e, n, v, missing),
        _in_axes(p2, e, n, v, p2[3]),
        (m1, m2),
        (math.cos(delta), math.sin(delta)),
    )
    if flag == PROJECTED:
        found, cos_phi, sin_phi, tilt, t = _nearest_on_surface(surface, excess)
    else:
        found, cos_phi, sin_phi, tilt, t = _lowest_in_cone(surface, excess, roots)
    c, a, b = math.cos(tilt), math.sin(tilt) * cos_phi, math.sin(tilt) * sin_phi
    x = c * v[0] + a * e[0] + b * n[0]
    y = c * v[1] + a * e[1] + b * n[1]
    z = c * v[2] + a * e[2] + b * n[2]
    norm = math.sqrt(x * x + y * y + z * z)
    w = x / norm, y / norm, z / norm
    if found:
        # The root once more in the lab, where the constraints are to hold to rounding.
        _, _, low, high = m2sv_event(p1, p2, total, m1, m2, w)
        t = low if abs(low - t) < abs(high - t) else high
    return SOLVED if found else PROJECTED, t * w[0], t * w[1], t * w[2]


@lean_kernel
def _lowest_in_cone(
    surface: Surface, excess: FloatArray, roots: FloatArray
) -> tuple[bool, float, float, float, float]:
    """Return whether there is a solution, and cosine and sine of its azimuth, its angle, its |P|.

    Where there is none, they are those of the momentum of least total energy.
    """
    p1, q, p2, m, cone = surface
    delta = math.atan2(cone[1], cone[0])
    missing = q[0] - p1[0], q[1] - p1[1], q[2] - p1[2], q[3]
    sphere = make_sphere(p1, p2, missing, m[0], m[1], cone[0], cone[1])
    best, x, y, z = lowest_balanced(sphere, roots)
    tilt = delta
    for high in (False, True):
        mass2, t = _mass_at(surface, 1.0, 0.0, 0.0, high)
        if mass2 < best:
            best, x, y, z, tilt = mass2, 0.0, 0.0, t, 0.0
    if best == math.inf:
        found, cos_phi, sin_phi, _, t = _nearest_on_surface(surface, excess)
        if not found:
            return False, cos_phi, sin_phi, delta, t
        for high in (False, True):
            mass2, t = _mass_at(surface, cone[0], cone[1] * cos_phi, cone[1] * sin_phi, high)
            if mass2 < best:
                best, z, tilt = mass2, t * cone[0], delta
                x, y = t * cone[1] * cos_phi, t * cone[1] * sin_phi
    # `best` is in reach. Try just below it, or half way to what is not where Newton's method fails.
    low, level = least_level(sphere), best * (1.0 - PRECISION)
    for _ in range(MAX_STEPS):
        reached, touch, px, py, pz = step_down(sphere, level, roots)
        halve = not reached or touch == level
        if reached:
            best, x, y, z, tilt = touch, px, py, pz, delta
        else:
            low = level
        level = min(best * (1.0 - PRECISION), 0.5 * (low + best) if halve else best)
        if level <= low:
            break
    norm = math.sqrt(x * x + y * y)
    cos_phi, sin_phi = (x / norm, y / norm) if norm > 0.0 else (1.0, 0.0)
    return True, cos_phi, sin_phi, tilt, math.sqrt(norm * norm + z * z)


@lean_kernel
def _nearest_on_surface(
    surface: Surface, excess: FloatArray
) -> tuple[bool, float, float, float, float]:
    """Return a momentum on the cone's surface that has roots, or else that of least total energy.

    Whether it has roots, cosine and sine of its azimuth, its angle from the axis, and its length.
    """
    cone = surface[4]
    delta = math.atan2(cone[1], cone[0])
    for j in range(SCAN_POINTS):
        excess[j], t = _excess_at(surface, SCAN_COS[j], SCAN_SIN[j])
        if excess[j] <= 0.0:
            return True, SCAN_COS[j], SCAN_SIN[j], delta, t
    least, least_phi = math.inf, 0.0
    for j in range(SCAN_POINTS):
        before, after = excess[(j - 1) % SCAN_POINTS], excess[(j + 1) % SCAN_POINTS]
        if excess[j] > before or excess[j] > after:
            continue
        # Between azimuths without roots there may be a narrow arc.
        phi, lowest = _least_excess(surface, j * SCAN_STEP)
        if lowest < least:
            least, least_phi = lowest, phi
    cos_phi, sin_phi = math.cos(least_phi), math.sin(least_phi)
    _, t = _excess_at(surface, cos_phi, sin_phi)
    return least <= 0.0, cos_phi, sin_phi, delta, t


@lean_kernel
def _in_axes(p: Row4, e: Row3, n: Row3, v: Row3, energy: float) -> Row4:
    """Return the components of a momentum along three axes, and an energy."""
    return (
        p[0] * e[0] + p[1] * e[1] + p[2] * e[2],
        p[0] * n[0] + p[1] * n[1] + p[2] * n[2],
        p[0] * v[0] + p[1] * v[1] + p[2] * v[2],
        energy,
    )


@lean_kernel
def _feet(surface: Surface, wx: float, wy: float, wz: float) -> tuple[float, float, float, float]:
    """Return t_1, h_1, t_2, h_2 of M2sV for the line along the unit vector w."""
    p1, q, _, m, _ = surface
    t1 = p1[0] * wx + p1[1] * wy + p1[2] * wz
    t2 = q[0] * wx + q[1] * wy + q[2] * wz
    h1 = distance_from_line(p1[0], p1[1], p1[2], wx, wy, wz, m[0])
    return t1, h1, t2, distance_from_line(q[0], q[1], q[2], wx, wy, wz, m[1])


@lean_kernel
def _excess_at(surface: Surface, cos_phi: float, sin_phi: float) -> Row2:
    """Return by how much the least total energy at an azimuth exceeds the true one, and its t."""
    cone = surface[4]
    t1, h1, t2, h2 = _feet(surface, cone[1] * cos_phi, cone[1] * sin_phi, cone[0])
    return energy_excess(t1, h1, t2, h2, surface[1][3])


@lean_kernel
def _mass_at(surface: Surface, wz: float, wx: float, wy: float, high: bool) -> Row2:
    """Return max(M_1, M_2)^2 and t for one root on the line along w, inf where it has none."""
    t1, h1, t2, h2 = _feet(surface, wx, wy, wz)
    p1, q, p2, m, _ = surface
    flag, number, ta, tb = roots_on_line(t1, h1, t2, h2, q[3])
    if flag != SOLVED or (number == 1 and not high):
        return math.inf, 0.0
    t = tb if high else ta
    x, y, z = t * wx, t * wy, t * wz
    dot1 = p1[0] * (x - p1[0]) + p1[1] * (y - p1[1]) + p1[2] * (z - p1[2])
    dot2 = p2[0] * (q[0] - x) + p2[1] * (q[1] - y) + p2[2] * (q[2] - z)
    energy1 = math.sqrt((t - t1) ** 2 + h1 * h1)
    energy2 = math.sqrt((t - t2) ** 2 + h2 * h2)
    first = mass_squared(p1) + m[0] * m[0] + 2.0 * (p1[3] * energy1 - dot1)
    second = mass_squared(p2) + m[1] * m[1] + 2.0 * (p2[3] * energy2 - dot2)
    return max(first, second), t


@lean_kernel
def _least_excess(surface: Surface, start: float) -> Row2:
    """Return the azimuth near `start` of least total energy, and its excess over the true one.

    The root of the derivative (Illinois method) has twice as many digits as the lowest value.
    """
    low, high = start - SCAN_STEP, start + SCAN_STEP
    slope_low, slope_high = _energy_slope(surface, low), _energy_slope(surface, high)
    phi, side = start, 0
    for _ in range(MAX_STEPS):
        if not slope_low < 0.0 < slope_high:
            break
        phi = low - slope_low * (high - low) / (slope_high - slope_low)
        slope = _energy_slope(surface, phi)
        if abs(slope) <= FLAT or not low < phi < high:
            break
        if slope < 0.0:
            low, slope_low = phi, slope
            if side == -1:
                slope_high *= 0.5
            side = -1
        else:
            high, slope_high = phi, slope
            if side == 1:
                slope_low *= 0.5
            side = 1
    least, _ = _excess_at(surface, math.cos(phi), math.sin(phi))
    return phi, least


@lean_kernel
def _energy_slope(surface: Surface, phi: float) -> float:
    """Return the slope with azimuth, per length, of the least total energy along the cone."""
    c, s = math.cos(phi), math.sin(phi)
    cone = surface[4]
    t1, h1, t2, h2 = _feet(surface, cone[1] * c, cone[1] * s, cone[0])
    _, t = energy_excess(t1, h1, t2, h2, surface[1][3])
    energy1 = math.sqrt((t - t1) ** 2 + h1 * h1)
    energy2 = math.sqrt((t - t2) ** 2 + h2 * h2)
    p1, q = surface[0], surface[1]
    turn1, turn2 = s * p1[0] - c * p1[1], s * q[0] - c * q[1]
    slope1 = turn1 / energy1 if energy1 > 0.0 else 0.0
    return slope1 + (turn2 / energy2 if energy2 > 0.0 else 0.0)
