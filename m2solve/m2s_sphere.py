r"""The ellipsoid of total energy as a sphere, and how low a cone reaches on it.

In the rest frame of the missing system (see `m2solve.m2s`) the direction n of :math:`k_1` is a
point of a sphere, :math:`M_1^2 = a_1 - n \cdot u_1` and :math:`M_2^2 = a_2 - n \cdot u_2`, and the
lab momentum of the signal parent is linear in n,

.. math::

    P(n) = p_1 + \frac{E_1}{\mu} q + k \left(n + \frac{q \cdot n}{\mu (w + \mu)} q\right),

with q, w and :math:`\mu` momentum, energy and mass of the missing system. Lines of equal masses,
and of one mass at a level, are circles on the sphere; on a circle the cone's surface,
:math:`\sin^2\!\delta \, P_v^2 = \cos^2\!\delta \, P_\perp^2`, is a trigonometric polynomial of
degree two in the angle along it. Vectors are given in axes of which the third is the cone's.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, TypeAlias

from m2solve.kinematics import a_normal
from m2solve.m2s import linear_masses
from m2solve.quartic import trigonometric_roots
from simgen.jit import lean_kernel

if TYPE_CHECKING:
    from m2solve.kinematics import Row3, Row4
    from simgen.typing import FloatArray

# P at n = 0, q, k and k / (mu (w + mu)); a_1, u_1, a_2, u_2; cosine and sine of delta, squared.
Sphere: TypeAlias = "tuple[Row3, Row3, float, float, float, Row3, float, Row3, float, float]"
# P at the circle's centre, and half its changes in two directions: P = c + s cos(x) + b sin(x).
Circle: TypeAlias = "tuple[Row3, Row3, Row3]"

TURN_STEPS = 8
TOUCH_STEPS = 20


@lean_kernel
def make_sphere(
    p1: Row4, p2: Row4, q: Row4, m1: float, m2: float, cosine: float, sine: float
) -> Sphere:
    """Collect what does not change on the sphere; all momenta in the axes of the cone."""
    mu = math.sqrt(q[3] * q[3] - (q[0] * q[0] + q[1] * q[1] + q[2] * q[2]))
    k, energy1, a1, u1, a2, u2 = linear_masses(p1, p2, q[0], q[1], q[2], q[3], mu, m1, m2)
    f = energy1 / mu
    return (
        (p1[0] + f * q[0], p1[1] + f * q[1], p1[2] + f * q[2]),
        (q[0], q[1], q[2]),
        k,
        k / (mu * (q[3] + mu)),
        a1,
        u1,
        a2,
        u2,
        cosine * cosine,
        sine * sine,
    )


@lean_kernel
def least_level(sphere: Sphere) -> float:
    """Return a lower bound of max(M_1, M_2)^2: the larger of the two minima."""
    _, _, _, _, a1, u1, a2, u2, _, _ = sphere
    return max(a1 - math.sqrt(_dot(u1, u1)), a2 - math.sqrt(_dot(u2, u2)))


@lean_kernel
def lowest_balanced(sphere: Sphere, roots: FloatArray) -> tuple[float, float, float, float]:
    """Return M^2 and P of the lowest point of the cone's surface with M_1 = M_2, inf without one.

    `roots` is room for five numbers.
    """
    _, _, _, _, a1, u1, a2, u2, _, _ = sphere
    dx, dy, dz = u1[0] - u2[0], u1[1] - u2[1], u1[2] - u2[2]
    d = math.sqrt(dx * dx + dy * dy + dz * dz)
    best, x, y, z = math.inf, 0.0, 0.0, 0.0
    if not abs(a1 - a2) < d:
        return best, x, y, z
    axis = dx / d, dy / d, dz / d
    along = (a1 - a2) / d
    side, other = _normals(axis)
    circle = _circle(sphere, axis, side, other, along)
    radius = math.sqrt((1.0 - along) * (1.0 + along))
    for j in range(_meeting_points(sphere, circle, roots)):
        cos_x, sin_x = math.cos(roots[j]), math.sin(roots[j])
        p = _point(circle, cos_x, sin_x)
        n_side, n_other = radius * cos_x, radius * sin_x
        mass2 = a1 - along * _dot(u1, axis) - n_side * _dot(u1, side) - n_other * _dot(u1, other)
        if p[2] > 0.0 and mass2 < best:
            best, x, y, z = mass2, p[0], p[1], p[2]
    return best, x, y, z


@lean_kernel
def step_down(
    sphere: Sphere, level: float, roots: FloatArray
) -> tuple[bool, float, float, float, float]:
    """Say whether max(M_1, M_2)^2 = level exists in the cone; return a level and P there.

    It is the level that is just in reach near by, if Newton's method finds it, or else `level`.
    """
    for side in (1, 2):
        found, lower, x, y, z = _step_down_one(sphere, side, level, roots)
        if found:
            return True, lower, x, y, z
    return False, level, 0.0, 0.0, 0.0


@lean_kernel
def _step_down_one(
    sphere: Sphere, which: int, level: float, roots: FloatArray
) -> tuple[bool, float, float, float, float]:
    """Do `step_down` on the circle on which the mass of one side is at the level."""
    _, _, _, _, a1, u1, a2, u2, flat, steep = sphere
    a, u, a_other, u_other = a1, u1, a2, u2
    if which == 2:
        a, u, a_other, u_other = a2, u2, a1, u1
    size = math.sqrt(_dot(u, u))
    if not abs(a - level) < size:
        return False, level, 0.0, 0.0, 0.0
    axis = u[0] / size, u[1] / size, u[2] / size
    along = (a - level) / size
    radius = math.sqrt((1.0 - along) * (1.0 + along))
    # The other mass on the circle: m0 - mr cos(x), in axes that make this so.
    part = _dot(u_other, axis)
    sx, sy, sz = (
        u_other[0] - part * axis[0],
        u_other[1] - part * axis[1],
        u_other[2] - part * axis[2],
    )
    norm = math.sqrt(sx * sx + sy * sy + sz * sz)
    side, other = _normals(axis)
    if norm > 0.0:
        side = sx / norm, sy / norm, sz / norm
        other = _cross(axis, side)
    # Where it is lower: cos(x) > edge.
    excess, swing = a_other - along * part - level, radius * norm
    if excess >= swing:
        return False, level, 0.0, 0.0, 0.0
    end = math.acos(max(excess / swing, -1.0)) if swing > 0.0 else math.pi
    circle = _circle(sphere, axis, side, other, along)
    count = _sorted_within(roots, _meeting_points(sphere, circle, roots), end)
    low = -end
    for j in range(count + 1):
        high = roots[j] if j < count else end
        x = _highest_between(sphere, circle, low, high)
        low = high
        cos_x, sin_x = math.cos(x), math.sin(x)
        p = _point(circle, cos_x, sin_x)
        reach = _product(flat, steep, p, p)
        if not (reach > 0.0 and p[2] > 0.0):
            continue
        touch, x, y, z = _touching_level(sphere, a, size, axis, side, other, level, x)
        n_other = _dot(u_other, _direction_to(sphere, x, y, z)) if touch < level else 0.0
        if touch < level and z > 0.0 and a_other - n_other <= touch:
            return True, touch, x, y, z
        return True, level, p[0], p[1], p[2]
    return False, level, 0.0, 0.0, 0.0


@lean_kernel
def _touching_level(
    sphere: Sphere,
    a: float,
    size: float,
    axis: Row3,
    side: Row3,
    other: Row3,
    level: float,
    x: float,
) -> tuple[float, float, float, float]:
    """Return the level of mass a - size n . axis whose circle just touches the cone, and P there.

    Newton's method for angle and level, from one with a part in the cone; inf if it fails.
    """
    _, _, _, _, _, _, _, _, flat, steep = sphere
    for _ in range(TOUCH_STEPS):
        along = (a - level) / size
        if not abs(along) < 1.0:
            break
        circle = _circle(sphere, axis, side, other, along)
        slope, bend = _turning(sphere, circle, x)
        if bend >= 0.0:
            break
        x -= slope / bend
        cos_x, sin_x = math.cos(x), math.sin(x)
        p = _point(circle, cos_x, sin_x)
        # n = along axis + sqrt(1 - along^2) (...): its change with `along`.
        turn = -along / math.sqrt((1.0 - along) * (1.0 + along))
        c, s = turn * cos_x, turn * sin_x
        change = _moved(
            sphere,
            axis[0] + c * side[0] + s * other[0],
            axis[1] + c * side[1] + s * other[1],
            axis[2] + c * side[2] + s * other[2],
        )
        rise = -2.0 * _product(flat, steep, p, change) / size
        if rise <= 0.0:
            break
        step = _product(flat, steep, p, p) / rise
        level -= step
        if abs(step) <= 1e-15 * abs(level) and abs(slope / bend) < 1e-7:
            return level, p[0], p[1], p[2]
    return math.inf, 0.0, 0.0, 0.0


@lean_kernel
def _turning(sphere: Sphere, circle: Circle, x: float) -> tuple[float, float]:
    """Return half the first and second derivative of the depth in the cone along a circle."""
    _, _, _, _, _, _, _, _, flat, steep = sphere
    c, s, b = circle
    cos_x, sin_x = math.cos(x), math.sin(x)
    p = _point(circle, cos_x, sin_x)
    first = (
        b[0] * cos_x - s[0] * sin_x,
        b[1] * cos_x - s[1] * sin_x,
        b[2] * cos_x - s[2] * sin_x,
    )
    second = c[0] - p[0], c[1] - p[1], c[2] - p[2]
    slope = _product(flat, steep, p, first)
    return slope, _product(flat, steep, p, second) + _product(flat, steep, first, first)


@lean_kernel
def _direction_to(sphere: Sphere, x: float, y: float, z: float) -> Row3:
    """Return the n that gives P = (x, y, z)."""
    origin, q, k, stretch, _, _, _, _, _, _ = sphere
    dx, dy, dz = (x - origin[0]) / k, (y - origin[1]) / k, (z - origin[2]) / k
    q2 = q[0] * q[0] + q[1] * q[1] + q[2] * q[2]
    f = stretch / k * (q[0] * dx + q[1] * dy + q[2] * dz) / (1.0 + stretch / k * q2)
    return dx - f * q[0], dy - f * q[1], dz - f * q[2]


@lean_kernel
def _highest_between(sphere: Sphere, circle: Circle, low: float, high: float) -> float:
    """Return where between two angles the circle is deepest in the cone, or just their middle."""
    middle = 0.5 * (low + high)
    x = middle
    for _ in range(TURN_STEPS):
        slope, bend = _turning(sphere, circle, x)
        if bend >= 0.0:
            return middle
        x -= slope / bend
        if not low < x < high:
            return middle
        if abs(slope / bend) < 1e-3:
            break
    return x


@lean_kernel
def _sorted_within(roots: FloatArray, count: int, end: float) -> int:
    """Sort those angles that are between -end and end, and return their number."""
    kept = 0
    for j in range(count):
        x = roots[j] - 2.0 * math.pi * math.floor(0.5 * roots[j] / math.pi + 0.5)
        if not -end < x < end:
            continue
        at = kept
        while at > 0 and roots[at - 1] > x:
            roots[at] = roots[at - 1]
            at -= 1
        roots[at] = x
        kept += 1
    return kept


@lean_kernel
def _meeting_points(sphere: Sphere, circle: Circle, roots: FloatArray) -> int:
    """Fill the angles at which a circle meets the cone's surface, and return their number."""
    _, _, _, _, _, _, _, _, flat, steep = sphere
    c, s, b = circle
    ss, bb = _product(flat, steep, s, s), _product(flat, steep, b, b)
    return trigonometric_roots(
        _product(flat, steep, c, c) + 0.5 * (ss + bb),
        2.0 * _product(flat, steep, c, s),
        2.0 * _product(flat, steep, c, b),
        0.5 * (ss - bb),
        _product(flat, steep, s, b),
        roots,
    )


@lean_kernel
def _circle(sphere: Sphere, axis: Row3, side: Row3, other: Row3, along: float) -> Circle:
    """Return P on the circle n = along axis + radius (cos(x) side + sin(x) other)."""
    origin = sphere[0]
    radius = math.sqrt((1.0 - along) * (1.0 + along))
    c = _moved(sphere, along * axis[0], along * axis[1], along * axis[2])
    return (
        (origin[0] + c[0], origin[1] + c[1], origin[2] + c[2]),
        _moved(sphere, radius * side[0], radius * side[1], radius * side[2]),
        _moved(sphere, radius * other[0], radius * other[1], radius * other[2]),
    )


@lean_kernel
def _moved(sphere: Sphere, nx: float, ny: float, nz: float) -> Row3:
    """Return the part of P that is linear in n."""
    _, q, k, stretch, _, _, _, _, _, _ = sphere
    f = stretch * (q[0] * nx + q[1] * ny + q[2] * nz)
    return k * nx + f * q[0], k * ny + f * q[1], k * nz + f * q[2]


@lean_kernel
def _point(circle: Circle, cos_x: float, sin_x: float) -> Row3:
    """Return P at one angle."""
    c, s, b = circle
    return (
        c[0] + cos_x * s[0] + sin_x * b[0],
        c[1] + cos_x * s[1] + sin_x * b[1],
        c[2] + cos_x * s[2] + sin_x * b[2],
    )


@lean_kernel
def _normals(axis: Row3) -> tuple[Row3, Row3]:
    """Return two unit vectors that are normal to a unit vector and to each other."""
    side = a_normal(axis[0], axis[1], axis[2])
    return side, _cross(axis, side)


@lean_kernel
def _cross(a: Row3, b: Row3) -> Row3:
    """Return the vector product."""
    return a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]


@lean_kernel
def _dot(a: Row3, b: Row3) -> float:
    """Return the scalar product."""
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]


@lean_kernel
def _product(flat: float, steep: float, a: Row3, b: Row3) -> float:
    """Return the product of two vectors in which P . P > 0 in the cone or its back."""
    return steep * a[2] * b[2] - flat * (a[0] * b[0] + a[1] * b[1])
