r"""Roots of a trigonometric polynomial of degree two: where a circle meets a cone.

.. math::

    F(\theta) = a_0 + a_1 \cos\theta + b_1 \sin\theta + a_2 \cos 2\theta + b_2 \sin 2\theta

With :math:`x = \tan(\psi / 2)`, :math:`\psi` counted from opposite the largest \|F\| of a coarse
grid, it is a quartic in x whose leading coefficient is not small. Its real roots are separated by
those of its derivative, a cubic: no root is missed, however near another one, unless it is a
double root to rounding.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from simgen.jit import lean_kernel

if TYPE_CHECKING:
    from m2solve.kinematics import Row4
    from simgen.typing import FloatArray

GRID = 0.25 * math.pi * np.arange(8)
GRID_COS, GRID_SIN = np.cos(GRID), np.sin(GRID)
MAX_STEPS = 80
# Of the angle, which is 2 arctan(x).
PRECISION, ROUNDING = 1e-15, 1e-9


@lean_kernel
def trigonometric_roots(
    a0: float, a1: float, b1: float, a2: float, b2: float, roots: FloatArray
) -> int:
    """Fill `roots` (at least 4) with the angles at which F = 0, and return their number."""
    largest, origin = 0.0, 0.0
    for j in range(GRID.shape[0]):
        c, s = GRID_COS[j], GRID_SIN[j]
        value = a0 + a1 * c + b1 * s + a2 * (c * c - s * s) + b2 * 2.0 * s * c
        if abs(value) > abs(largest):
            largest, origin = value, GRID[j] - math.pi
    if largest == 0.0:
        return 0
    c, s = math.cos(origin), math.sin(origin)
    a1, b1 = a1 * c + b1 * s, b1 * c - a1 * s
    c, s = c * c - s * s, 2.0 * s * c
    a2, b2 = a2 * c + b2 * s, b2 * c - a2 * s
    top = a0 - a1 + a2
    quartic = (
        (2.0 * b1 - 4.0 * b2) / top,
        (2.0 * a0 - 6.0 * a2) / top,
        (2.0 * b1 + 4.0 * b2) / top,
        (a0 + a1 + a2) / top,
    )
    count = _quartic_roots(quartic, roots)
    for j in range(count):
        roots[j] = origin + 2.0 * math.atan(roots[j])
    return count


@lean_kernel
def _quartic_roots(quartic: Row4, roots: FloatArray) -> int:
    """Fill `roots` with the real roots of x^4 + ... in rising order, and return their number."""
    c3, c2, c1, c0 = quartic
    bound = 1.0 + max(abs(c3), abs(c2), abs(c1), abs(c0))
    turns, first, second, third = _cubic_roots(0.75 * c3, 0.5 * c2, 0.25 * c1)
    count, low, value_low = 0, -bound, math.inf
    for j in range(turns + 1):
        high, value_high = bound, math.inf
        if j < turns:
            high = first if j == 0 else (second if j == 1 else third)
            value_high = _value(quartic, high)
        if (value_low > 0.0) != (value_high > 0.0) and low < high:
            start = 0.5 * (low + high)
            if j == 0:
                start = high - _distance(quartic, high, value_high)
            elif j == turns:
                start = low + _distance(quartic, low, value_low)
            roots[count] = _root_between(quartic, low, high, value_high > value_low, start)
            count += 1
        low, value_low = high, value_high
    return count


@lean_kernel
def _cubic_roots(c2: float, c1: float, c0: float) -> tuple[int, float, float, float]:
    """Return the number of real roots of x^3 + ..., and the roots in rising order."""
    shift = c2 / 3.0
    p, q = shift * shift - c1 / 3.0, 0.5 * (c0 - shift * c1) + shift * shift * shift
    inner = q * q - p * p * p
    if inner >= 0.0:
        a = -math.copysign(np.cbrt(abs(q) + math.sqrt(inner)), q)
        x = (a + p / a if a != 0.0 else 0.0) - shift
        return 1, x, x, x
    size = 2.0 * math.sqrt(p)
    third = math.acos(min(max(-q / (p * math.sqrt(p)), -1.0), 1.0)) / 3.0
    c, s = 0.5 * size * math.cos(third), 0.5 * math.sqrt(3.0) * size * math.sin(third)
    return 3, -c - s - shift, s - c - shift, 2.0 * c - shift


@lean_kernel
def _distance(quartic: Row4, turn: float, depth: float) -> float:
    """Return about how far a root is from a turning point with the value `depth` < 0."""
    c3, c2, _, _ = quartic
    bend = (6.0 * turn + 3.0 * c3) * turn + c2
    far = math.sqrt(math.sqrt(-depth))
    return min(far, math.sqrt(-depth / bend)) if bend > 0.0 else far


@lean_kernel
def _value(quartic: Row4, x: float) -> float:
    """Evaluate x^4 + ... ."""
    c3, c2, c1, c0 = quartic
    return (((x + c3) * x + c2) * x + c1) * x + c0


@lean_kernel
def _root_between(quartic: Row4, low: float, high: float, rising: bool, start: float) -> float:
    """Return the one root between two points of different sign: Newton's method, or bisection."""
    c3, c2, c1, _ = quartic
    x = start if low < start < high else 0.5 * (low + high)
    step = math.inf
    for _ in range(MAX_STEPS):
        value = _value(quartic, x)
        if (value > 0.0) == rising:
            high = x
        else:
            low = x
        slope = ((4.0 * x + 3.0 * c3) * x + 2.0 * c2) * x + c1
        new = x - value / slope if slope != 0.0 else low
        if not low < new < high:
            new = 0.5 * (low + high)
        last, step = step, abs(new - x)
        x = new
        # Where steps no longer shrink, the rest is rounding.
        if step <= PRECISION * (1.0 + x * x) or last <= step < ROUNDING * (1.0 + x * x):
            break
    return x
