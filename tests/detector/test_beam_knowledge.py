from __future__ import annotations

import numpy as np
from closure import N, assert_unit_gaussian, mass2

from detector.beam_knowledge import known_beams
from detector.profiles import load_profile


def test_by_default_the_mean_is_known(belle2):
    assert np.all(known_beams(belle2, np.arange(5), seed=1) == belle2.beams.total())


def test_calibration_shifts_and_spreads_sqrt_s_alone(belle2):
    known = {"sqrt_s_shift": 0.002, "sqrt_s_spread": 0.001}
    profile = load_profile("belle2", {"beam_knowledge": known})
    beams = known_beams(profile, np.arange(N), seed=1)
    assert_unit_gaussian((np.sqrt(mass2(beams)) - belle2.beams.sqrt_s() - 0.002) / 0.001)
    velocity = beams[:, :3] / beams[:, 3:]
    mean = belle2.beams.total()
    np.testing.assert_allclose(velocity, np.tile(mean[:3] / mean[3], (N, 1)), rtol=1e-12)


def test_a_scan_of_the_spread_reuses_the_deviates():
    one, two = (
        load_profile("belle2", {"beam_knowledge": {"sqrt_s_spread": x}}) for x in (1e-3, 2e-3)
    )
    mean = one.beams.total()
    a, b = (known_beams(p, np.arange(100), seed=1) - mean for p in (one, two))
    np.testing.assert_allclose(b, 2 * a, atol=1e-12)
