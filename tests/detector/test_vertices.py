from __future__ import annotations

import numpy as np
import pytest
from closure import N, assert_uncorrelated, assert_unit_gaussian

from detector.streams import R_0, R_SIG, R_TAG
from detector.vertices import smear_vertices

SIGMA = (0.010, 0.0003, 0.350)


@pytest.fixture(scope="module")
def true():
    return np.random.default_rng(8).normal(size=(N, 3))


def residual(true, sigma=SIGMA, substream=R_0, seed=5):
    rows = np.tile(np.array(sigma), (len(true), 1))
    return smear_vertices(true, np.arange(len(true)), rows, substream, seed) - true


def test_pulls_are_unit_gaussians_on_each_axis(true):
    pulls = residual(true) / np.array(SIGMA)
    for pull in pulls.T:
        assert_unit_gaussian(pull)


def test_axes_and_vertices_are_independent(true):
    assert_uncorrelated(*(r for s in (R_0, R_SIG, R_TAG) for r in residual(true, substream=s).T))


def test_a_scan_of_sigma_scales_the_same_deviates(true):
    twice = (0.020, 0.0006, 0.700)
    np.testing.assert_allclose(residual(true, twice), 2 * residual(true), atol=1e-14)


def test_without_error_nothing_changes(true):
    np.testing.assert_array_equal(residual(true, (0.0, 0.0, 0.0)), 0.0)
