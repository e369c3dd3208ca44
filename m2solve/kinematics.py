"""Small kernels that all solvers share: rows, boosts, masses, and writing a solution."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, TypeAlias

from simgen.jit import lean_kernel

if TYPE_CHECKING:
    from simgen.typing import FloatArray

# One row of an array. Tuples of numbers cost nothing to pass around, views of arrays do.
Row3: TypeAlias = tuple[float, float, float]
Row4: TypeAlias = tuple[float, float, float, float]

# A visible system may have E^2 - p^2 < 0 by rounding, at worst that of a float32 file.
MASS_TOLERANCE = 1e-6


@lean_kernel
def row_index(length: int, i: int) -> int:
    """Return the row of event i in an array that has one row an event, or one row for all."""
    return i if length > 1 else 0


@lean_kernel
def unit_vector(array: FloatArray, i: int) -> Row3:
    """Return the direction of row i of an (n, 3) array; nan where it has none."""
    x, y, z = array[i, 0], array[i, 1], array[i, 2]
    norm = math.sqrt(x * x + y * y + z * z)
    if not 0.0 < norm < math.inf:
        return math.nan, math.nan, math.nan
    return x / norm, y / norm, z / norm


@lean_kernel
def four_vector(array: FloatArray, i: int) -> Row4:
    """Return row i of an (n, 4) array."""
    return array[i, 0], array[i, 1], array[i, 2], array[i, 3]


@lean_kernel
def mass_squared(p: Row4) -> float:
    """Return E^2 - |p|^2 of one four-momentum."""
    return float(p[3] * p[3] - (p[0] * p[0] + p[1] * p[1] + p[2] * p[2]))


@lean_kernel
def is_visible(p: Row4) -> bool:
    """Say whether p can be the momentum of a real system: finite, E >= 0, E^2 >= p^2."""
    m2 = mass_squared(p)
    return bool(math.isfinite(m2) and p[3] >= 0.0 and m2 >= -MASS_TOLERANCE * p[3] * p[3])


@lean_kernel
def are_sides_usable(p1: Row4, p2: Row4, m1: float, m2: float) -> bool:
    """Say whether both visible momenta and both invisible masses can be worked with."""
    return is_visible(p1) and is_visible(p2) and is_mass(m1) and is_mass(m2)


@lean_kernel
def is_mass(m: float) -> bool:
    """Say whether m is finite and not negative."""
    return bool(0.0 <= m < math.inf)


@lean_kernel
def is_finite_vector(v: Row3 | Row4) -> bool:
    """Say whether the first three components of v are finite."""
    return math.isfinite(v[0]) and math.isfinite(v[1]) and math.isfinite(v[2])


@lean_kernel
def boost_factors(p: Row4, total: Row4, rs: float) -> tuple[float, float]:
    """Return the energy of p in the rest frame of total (mass rs), and the boost's factor.

    The momentum in that frame is p - factor * total.
    """
    dot = total[0] * p[0] + total[1] * p[1] + total[2] * p[2]
    e = (total[3] * p[3] - dot) / rs
    return e, (p[3] + e) / (total[3] + rs)


@lean_kernel
def boost_back_factor(e: float, px: float, py: float, pz: float, total: Row4, rs: float) -> float:
    """Return the factor f of the boost from that frame to the lab: p_lab = p + f * total."""
    dot = total[0] * px + total[1] * py + total[2] * pz
    return float((e + (total[3] * e + dot) / rs) / (total[3] + rs))


@lean_kernel
def write_pair(
    px: float,
    py: float,
    pz: float,
    p1: Row4,
    p2: Row4,
    total: Row4,
    m1: float,
    m2: float,
    k_sig: FloatArray,
    k_tag: FloatArray,
    i: int,
    j: int,
) -> None:
    """Fill k_1 and k_2 of event i, solution j for the lab momentum P of the signal parent.

    k_1 = P - p_1 and k_2 = total - p_2 - P, each with the energy its mass gives.
    """
    ax, ay, az = px - p1[0], py - p1[1], pz - p1[2]
    k_sig[i, j, 0], k_sig[i, j, 1], k_sig[i, j, 2] = ax, ay, az
    k_sig[i, j, 3] = math.sqrt(m1 * m1 + ax * ax + ay * ay + az * az)
    bx = (total[0] - p1[0] - p2[0]) - ax
    by = (total[1] - p1[1] - p2[1]) - ay
    bz = (total[2] - p1[2] - p2[2]) - az
    k_tag[i, j, 0], k_tag[i, j, 1], k_tag[i, j, 2] = bx, by, bz
    k_tag[i, j, 3] = math.sqrt(m2 * m2 + bx * bx + by * by + bz * bz)


@lean_kernel
def heavier_mass_squared(
    p1: Row4,
    p2: Row4,
    m1: float,
    m2: float,
    k_sig: FloatArray,
    k_tag: FloatArray,
    i: int,
    j: int,
) -> float:
    """Return max(M_1, M_2)^2 of event i, solution j, for k on the mass shells m_1, m_2."""
    first = parent_mass_squared(p1, m1, k_sig, i, j)
    return max(first, parent_mass_squared(p2, m2, k_tag, i, j), 0.0)


@lean_kernel
def parent_mass_squared(p: Row4, m: float, k: FloatArray, i: int, j: int) -> float:
    """Return (p + k)^2 for k of event i, solution j, on the mass shell m."""
    dot = p[0] * k[i, j, 0] + p[1] * k[i, j, 1] + p[2] * k[i, j, 2]
    return float(mass_squared(p) + m * m + 2.0 * (p[3] * k[i, j, 3] - dot))


@lean_kernel
def distance_from_line(
    x: float, y: float, z: float, vx: float, vy: float, vz: float, m: float
) -> float:
    """Return the distance of a point from the line along unit v, in quadrature with m."""
    cx, cy, cz = y * vz - z * vy, z * vx - x * vz, x * vy - y * vx
    return math.sqrt(cx * cx + cy * cy + cz * cz + m * m)


@lean_kernel
def a_normal(x: float, y: float, z: float) -> tuple[float, float, float]:
    """Return some unit vector normal to (x, y, z), which must not vanish."""
    if abs(x) <= abs(y) and abs(x) <= abs(z):
        norm = math.sqrt(y * y + z * z)
        return 0.0, z / norm, -y / norm
    norm = math.sqrt(x * x + z * z)
    return -z / norm, 0.0, x / norm
