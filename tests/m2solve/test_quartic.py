"""Roots of trigonometric polynomials: none is missed, however near another one."""

from __future__ import annotations

import numpy as np
import pytest

from m2solve.quartic import trigonometric_roots


def polynomial(roots):
    """Coefficients of prod sin((x - r) / 2) over four roots, from its values."""
    x = np.linspace(0.0, 2.0 * np.pi, 16, endpoint=False)
    values = np.prod(np.sin((x[:, None] - roots) / 2.0), axis=1)
    terms = np.stack([np.ones(16), np.cos(x), np.sin(x), np.cos(2 * x), np.sin(2 * x)], axis=1)
    return np.linalg.lstsq(terms, values, rcond=None)[0]


@pytest.mark.parametrize("spread", [3.0, 1.0, 0.1])
def test_four_roots_are_found(spread):
    rng = np.random.default_rng(81)
    found = np.empty(5)
    for _ in range(300):
        gaps = rng.uniform(0.1, 1.0, 4) * spread / 2.0
        roots = rng.uniform(-3.0, 3.0) + np.cumsum(gaps)
        assert trigonometric_roots(*polynomial(roots), found) == 4
        turned = np.sort(np.mod(found[:4] - roots[0] + 0.5 * gaps[0], 2.0 * np.pi))
        expected = np.sort(np.mod(roots - roots[0] + 0.5 * gaps[0], 2.0 * np.pi))
        # The roots of coefficients that are exact to 1e-16 spread as these distances tell.
        assert np.allclose(turned, expected, atol=1e-13 / (0.1 * spread) ** 3)


def test_number_and_values_for_random_coefficients():
    rng = np.random.default_rng(82)
    found = np.empty(5)
    grid = np.linspace(0.0, 2.0 * np.pi, 20001)
    for _ in range(300):
        a0, a1, b1, a2, b2 = rng.standard_normal(5)

        def value(x, a=(a0, a1, b1, a2, b2)):
            terms = 1.0, np.cos(x), np.sin(x), np.cos(2 * x), np.sin(2 * x)
            return sum(c * t for c, t in zip(a, terms, strict=True))

        number = trigonometric_roots(a0, a1, b1, a2, b2, found)
        changes = np.sum(np.diff(np.sign(value(grid))) != 0)
        assert number == changes
        assert np.all(np.abs(value(found[:number])) < 1e-11)


def test_nothing_to_find():
    found = np.empty(5)
    assert trigonometric_roots(1.0, 0.3, 0.1, 0.2, 0.1, found) == 0
    assert trigonometric_roots(0.0, 0.0, 0.0, 0.0, 0.0, found) == 0
