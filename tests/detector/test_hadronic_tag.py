from __future__ import annotations

import numpy as np
import pytest
from closure import (
    N,
    assert_uncorrelated,
    assert_unit_gaussian,
    assert_unit_gaussian_in_bins,
    mass2,
    random_momenta,
    spherical,
)
from scipy.interpolate import RegularGridInterpolator

from detector.hadronic_tag import smear_hadronic_tags
from detector.profiles import HadronicTagProfile

M_B = 5.27934


def test_momenta_are_smeared_on_each_axis_and_the_mass_is_kept():
    true = random_momenta(np.random.default_rng(9), N, M_B, 0.1, 2.0)
    profile = HadronicTagProfile(momentum={"x": 0.015, "y": 0.02, "z": 0.03})
    measured = smear_hadronic_tags(true, np.arange(N), profile, seed=5)
    pulls = (measured - true)[:, :3] / np.array([0.015, 0.02, 0.03])
    for pull in pulls.T:
        assert_unit_gaussian(pull)
    assert_uncorrelated(*pulls.T)
    np.testing.assert_allclose(np.sqrt(mass2(measured)), M_B, rtol=1e-13)


def test_a_table_holds_at_the_true_momentum():
    """One table in p and theta for x and y, bins of pT for z."""
    axes = {"theta": [20.0, 60.0, 145.0], "p": [0.1, 1.0, 2.0]}
    values = [[0.01, 0.2, 0.05], [0.1, 0.02, 0.3], [0.03, 0.1, 0.01]]
    grid = {"axes": axes, "values": values}
    bins = {"axes": {"pt": [0.0, 0.5, 1.0, 2.0]}, "values": [0.3, 0.01, 0.1]}
    profile = HadronicTagProfile(momentum={"x": grid, "y": grid, "z": bins})
    true = random_momenta(np.random.default_rng(9), N, M_B, 0.1, 2.0)
    residual = (smear_hadronic_tags(true, np.arange(N), profile, seed=5) - true)[:, :3]
    p, (pt, theta, _) = np.linalg.norm(true[:, :3], axis=1), spherical(true)
    places = np.column_stack([np.clip(np.degrees(theta), 20, 145), np.clip(p, 0.1, 2.0)])
    sigma = RegularGridInterpolator(tuple(axes.values()), values)(places)
    z = np.array(bins["values"])[np.searchsorted([0.5, 1.0], pt, side="right")]
    pulls = residual / np.column_stack([sigma, sigma, z])
    for pull in pulls.T:
        assert_unit_gaussian(pull)
        assert_unit_gaussian_in_bins(pull, p, [0.1, 0.3, 0.6, 1.2, 2.0])
        assert_unit_gaussian_in_bins(pull, pt, [0.05, 0.5, 1.0, 2.0])
        with pytest.raises(AssertionError):
            assert_unit_gaussian(1.01 * pull)
