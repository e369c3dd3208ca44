from __future__ import annotations

import numpy as np
from closure import N, assert_uncorrelated, assert_unit_gaussian, mass2, random_momenta

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
