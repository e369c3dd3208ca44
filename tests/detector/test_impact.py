"""Impact parameters: their resolution, and their independence of the momentum."""

from __future__ import annotations

import numpy as np
import pytest
from closure import (
    N,
    assert_uncorrelated,
    assert_unit_gaussian,
    impact_sigmas,
    random_momenta,
    wrap,
)
from helices import perigee_of

from detector.impact import smear_perigees
from detector.tracks import smear_tracks

M_PI = 0.13957039
CURVATURE = 0.299792458e-3


@pytest.fixture(scope="module")
def measured(belle2):
    """True momenta, charges and origins of pions, with measured tracks and variances."""
    rng = np.random.default_rng(1)
    p4 = random_momenta(rng, N, M_PI, 0.1, 4.0)
    charge = rng.choice([-1, 1], N)
    production = rng.normal(0, [0.1, 0.1, 0.3], (N, 3))
    event, index = np.arange(N), np.full(N, 5)
    momenta = smear_tracks(p4, event, index, belle2.tracks, 3)
    tracks, variances = smear_perigees(
        p4, momenta, charge, production, event, index, belle2.tracks, 3
    )
    return p4, charge, production, momenta, tracks, variances


def true_perigees(p4, charge, production):
    pt, phi = np.hypot(p4[:, 0], p4[:, 1]), np.arctan2(p4[:, 1], p4[:, 0])
    omega = -CURVATURE * 1.5 * charge / pt
    rows = zip(production, phi, omega, p4[:, 2] / pt, strict=True)
    return np.array([perigee_of(*row) for row in rows])


class TestClosure:
    def test_pulls_of_impact_parameters(self, measured):
        p4, charge, production, _, tracks, _ = measured
        true = true_perigees(p4, charge, production)
        sigma_d0, sigma_z0 = impact_sigmas(p4)
        d0, z0 = (tracks[:, 0] - true[:, 0]) / sigma_d0, (tracks[:, 3] - true[:, 3]) / sigma_z0
        assert_unit_gaussian(d0)
        assert_unit_gaussian(z0)
        momentum = (
            wrap(tracks[:, 1] - true[:, 1]), tracks[:, 2] / true[:, 2], tracks[:, 4] - true[:, 4]
        )  # fmt: skip
        assert_uncorrelated(d0, z0, *(np.argsort(np.argsort(m)) for m in momentum))

    def test_variances_are_those_of_the_errors(self, measured):
        p4, charge, production, _, tracks, variances = measured
        some = slice(0, 50_000)
        true = true_perigees(p4[some], charge[some], production[some])
        residual = tracks[some] - true
        residual[:, 1] = wrap(residual[:, 1])
        for i in range(5):
            pull = residual[:, i] / np.sqrt(variances[some, i])
            # the variance is that at the measured momentum, off by its error, up to 1 %
            assert np.std(pull) == pytest.approx(1.0, abs=0.015), i

    def test_direction_is_that_of_the_measured_momentum(self, measured):
        p4, _, _, momenta, tracks, _ = measured
        np.testing.assert_allclose(
            1 / np.abs(tracks[:, 2]), np.hypot(momenta[:, 0], momenta[:, 1]) / (1.5 * CURVATURE)
        )
        turned = wrap(tracks[:, 1] - np.arctan2(momenta[:, 1], momenta[:, 0]))
        assert np.max(np.abs(turned)) < 1.5 * CURVATURE / np.hypot(p4[:, 0], p4[:, 1]).min() * 2.0


def test_a_perfect_track_has_the_true_perigee(perfect):
    rng = np.random.default_rng(2)
    p4 = random_momenta(rng, 100, M_PI, 0.1, 4.0)
    charge, production = rng.choice([-1, 1], 100), rng.normal(0, 0.5, (100, 3))
    event, index = np.arange(100), np.zeros(100, dtype=np.int64)
    tracks, variances = smear_perigees(
        p4, p4, charge, production, event, index, perfect.tracks, 1, np.zeros(3)
    )
    np.testing.assert_allclose(tracks, true_perigees(p4, charge, production), atol=1e-10)
    np.testing.assert_allclose(np.sqrt(variances[:, [0, 3]]), 1e-6)


def test_another_reference_is_another_origin(perfect):
    rng = np.random.default_rng(2)
    p4 = random_momenta(rng, 10, M_PI, 0.1, 4.0)
    where = {"charge": np.ones(10, dtype=np.int64), "event_id": np.arange(10),
             "index": np.arange(10), "profile": perfect.tracks, "seed": 1}  # fmt: skip
    production, shift = rng.normal(0, 0.5, (10, 3)), np.array([0.3, -0.2, 5.0])
    one, _ = smear_perigees(p4, p4, production=production, **where)
    other, _ = smear_perigees(p4, p4, production=production + shift, reference=shift, **where)
    np.testing.assert_allclose(other, one, atol=1e-12)
