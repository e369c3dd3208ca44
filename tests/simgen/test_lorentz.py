"""Lorentz transformations against plain matrix algebra."""

from __future__ import annotations

import numpy as np
import pytest

from simgen.lorentz import boost_by_matrix, boost_from_rest, boost_matrix, compose

METRIC = np.diag([-1.0, -1.0, -1.0, 1.0])
# (px, py, pz, mass): at rest, slow, fast along an axis, ultrarelativistic
MOMENTA = [
    (0.0, 0.0, 0.0, 5.279),
    (0.01, -0.02, 0.03, 1.777),
    (0.0, 0.0, -3.0, 0.14),
    (1.5, -2.5, 40.0, 0.0051),
]


def four(px, py, pz, mass):
    return np.array([px, py, pz, np.sqrt(px * px + py * py + pz * pz + mass * mass)])


def matrix_of(px, py, pz, mass):
    out = np.empty((4, 4))
    p = four(px, py, pz, mass)
    boost_matrix(*p, mass, out)
    return out


@pytest.mark.parametrize("momentum", MOMENTA)
def test_boost_matrix_is_a_symmetric_lorentz_transformation(momentum):
    boost = matrix_of(*momentum)
    scale = np.abs(boost).max() ** 2
    np.testing.assert_allclose(boost.T @ METRIC @ boost, METRIC, atol=1e-15 * 8 * scale)
    np.testing.assert_allclose(boost, boost.T, rtol=1e-15)  # pure: no rotation


@pytest.mark.parametrize("momentum", MOMENTA)
def test_boost_matrix_takes_the_rest_frame_to_the_momentum(momentum):
    mass = momentum[3]
    moved = matrix_of(*momentum) @ [0.0, 0.0, 0.0, mass]
    np.testing.assert_allclose(moved, four(*momentum), rtol=1e-14, atol=1e-15)


def test_boost_along_z_has_the_textbook_form():
    boost = matrix_of(0.0, 0.0, 3.0, 4.0)
    expected = [[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1.25, 0.75], [0, 0, 0.75, 1.25]]
    np.testing.assert_allclose(boost, expected, rtol=1e-15, atol=1e-15)


@pytest.mark.parametrize("momentum", MOMENTA)
def test_boost_in_place_agrees_with_the_matrix(momentum):
    p = four(0.3, -0.4, 0.5, 0.4937)
    expected = matrix_of(*momentum) @ p
    by_matrix = np.empty(4)
    boost_by_matrix(matrix_of(*momentum), p, by_matrix)
    np.testing.assert_allclose(by_matrix, expected, rtol=1e-14, atol=1e-13)
    boost_from_rest(p, *four(*momentum), momentum[3])
    np.testing.assert_allclose(p, expected, rtol=1e-12, atol=1e-12)


def test_compose_is_the_matrix_product():
    a, b = matrix_of(*MOMENTA[1]), matrix_of(*MOMENTA[2])
    out = np.empty((4, 4))
    compose(a, b, out)
    np.testing.assert_allclose(out, a @ b, rtol=1e-14)
