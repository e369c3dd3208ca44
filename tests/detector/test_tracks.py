from __future__ import annotations

import numpy as np
import pytest
from closure import (
    N,
    assert_uncorrelated,
    assert_unit_gaussian,
    mass2,
    random_momenta,
    spherical,
    wrap,
)
from scipy.stats import kstest, norm

from detector.profiles import load_profile
from detector.tracks import smear_tracks, track_accepted, track_model

M_PI, M_K, M_E = 0.13957039, 0.493677, 0.51099895e-3


def resolutions(p4, profile):
    """The three sigmas, from the formulas of the profile's docstrings."""
    p = np.linalg.norm(p4[:, :3], axis=1)
    pt, theta, _ = spherical(p4)
    beta = p / p4[:, 3]
    a, b = profile.momentum.curvature, profile.momentum.scattering
    c = profile.angles.scattering / (p * beta)
    return (
        np.sqrt((a * pt) ** 2 + (b / beta) ** 2) * pt,
        np.sqrt(profile.angles.theta**2 + (c / np.sin(theta) ** 0.5) ** 2),
        np.sqrt(profile.angles.phi**2 + (c / np.sin(theta) ** 1.5) ** 2),
    )


def pulls(true, measured, profile):
    sigma_pt, sigma_theta, sigma_phi = resolutions(true, profile)
    t, m = spherical(true), spherical(measured)
    return (m[0] - t[0]) / sigma_pt, (m[1] - t[1]) / sigma_theta, wrap(m[2] - t[2]) / sigma_phi


def with_changes(profile, **sections):
    """A profile with numbers of its sections replaced."""
    data = profile.model_dump()
    for name, changes in sections.items():
        data[name].update(changes)
    return type(profile).model_validate(data)


@pytest.fixture(scope="module")
def pions():
    return random_momenta(np.random.default_rng(1), N, M_PI, 0.1, 4.0)


@pytest.fixture(scope="module")
def keys():
    return np.arange(N) // 4, np.arange(N) % 4


def test_pulls_are_unit_gaussians_and_independent(pions, keys, belle2):
    measured = smear_tracks(pions, *keys, belle2.tracks, seed=5)
    pull = pulls(pions, measured, belle2.tracks)
    for one in pull:
        assert_unit_gaussian(one)
    assert_uncorrelated(*pull)


@pytest.mark.parametrize("low", [0.1, 0.5, 2.0])
def test_widths_hold_in_bins_of_momentum(pions, keys, belle2, low):
    p = np.linalg.norm(pions[:, :3], axis=1)
    chosen = (p > low) & (p < 2 * low)
    measured = smear_tracks(pions, *keys, belle2.tracks, seed=5)
    for one in pulls(pions[chosen], measured[chosen], belle2.tracks):
        assert abs(np.std(one) - 1) < 4 / np.sqrt(2 * np.sum(chosen))


def test_the_documented_size_of_the_resolution_at_one_gev(belle2):
    p4 = np.array([[1.0, 0.0, 0.0, np.hypot(1.0, M_PI)]])
    sigma_pt, sigma_theta, sigma_phi = resolutions(p4, belle2.tracks)
    assert sigma_pt[0] == pytest.approx(0.0032, rel=0.02)
    assert sigma_theta[0] == pytest.approx(1.08e-3, rel=0.02)
    assert sigma_phi[0] == pytest.approx(1.05e-3, rel=0.02)


@pytest.mark.parametrize("mass", [M_E, M_PI, M_K])
def test_the_mass_is_the_true_one(mass, belle2):
    true = random_momenta(np.random.default_rng(2), 1000, mass, 0.1, 4.0)
    measured = smear_tracks(true, np.arange(1000), np.zeros(1000, int), belle2.tracks, seed=5)
    np.testing.assert_allclose(mass2(measured), mass**2, atol=1e-14)


def test_deviates_do_not_depend_on_the_settings(pions, keys, belle2):
    wide = with_changes(belle2.tracks, momentum={"curvature": 0.004, "scattering": 0.0})
    a = pulls(pions, smear_tracks(pions, *keys, belle2.tracks, seed=5), belle2.tracks)
    b = pulls(pions, smear_tracks(pions, *keys, wide, seed=5), wide)
    for one, other in zip(a, b, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)


def test_a_deviate_is_that_of_seed_event_and_place(pions, keys, belle2):
    event, index = keys
    all_of_them = smear_tracks(pions, event, index, belle2.tracks, seed=5)
    some = slice(1000, 1100)
    alone = smear_tracks(pions[some], event[some], index[some], belle2.tracks, seed=5)
    np.testing.assert_array_equal(alone, all_of_them[some])
    for other in (
        smear_tracks(pions[some], event[some] + 1, index[some], belle2.tracks, seed=5),
        smear_tracks(pions[some], event[some], index[some] + 1, belle2.tracks, seed=5),
        smear_tracks(pions[some], event[some], index[some], belle2.tracks, seed=6),
    ):
        assert np.all(other[:, :3] != alone[:, :3])


def test_without_resolution_nothing_changes(pions, keys, perfect):
    measured = smear_tracks(pions, *keys, perfect.tracks, seed=5)
    np.testing.assert_allclose(measured, pions, rtol=1e-13, atol=1e-15)


def test_extreme_resolutions_give_finite_forward_momenta(pions, keys, belle2):
    awful = with_changes(
        belle2.tracks,
        momentum={"curvature": 1.0, "scattering": 1.0},
        angles={"theta": 1.0, "phi": 1.0, "scattering": 0.0},
    )
    measured = smear_tracks(pions, *keys, awful, seed=5)
    assert np.all(np.isfinite(measured))
    ratio = spherical(measured)[0] / spherical(pions)[0]
    assert np.min(ratio) == pytest.approx(0.01)


def test_a_polar_angle_beyond_a_pole_comes_back_on_the_other_side(pions, keys, perfect):
    small, large = (
        with_changes(perfect.tracks, angles={"theta": sigma, "phi": 0.0, "scattering": 0.0})
        for sigma in (1e-4, 1.0)
    )
    _, theta, phi = spherical(pions)
    deviate = (spherical(smear_tracks(pions, *keys, small, seed=5))[1] - theta) / 1e-4
    pt, measured, phi_m = spherical(smear_tracks(pions, *keys, large, seed=5))
    np.testing.assert_allclose(np.cos(measured), np.cos(theta + deviate), atol=1e-9)
    np.testing.assert_allclose(pt, spherical(pions)[0], rtol=1e-13)
    np.testing.assert_allclose(wrap(phi_m - phi), 0.0, atol=1e-13)


@pytest.mark.parametrize(
    ("theta", "inside"), [(16.999, False), (17.001, True), (149.999, True), (150.001, False)]
)
def test_acceptance_ends_at_the_polar_angles_of_the_profile(belle2, theta, inside):
    t = np.radians(theta)
    p = np.array([np.sin(t), 0.0, np.cos(t), 1.01])
    assert track_accepted(p, track_model(belle2.tracks)) == inside


@pytest.mark.parametrize(("pt", "inside"), [(0.0499, False), (0.0501, True)])
def test_acceptance_ends_at_the_lowest_transverse_momentum(belle2, pt, inside):
    p = np.array([0.0, -pt, 0.02, 0.2])
    assert track_accepted(p, track_model(belle2.tracks)) == inside


TAILS = {
    "momentum": {"tail": {"fraction": 0.1, "scale": 3.0}},
    "angles": {"tail": {"fraction": 0.05, "scale": 4.0}},
}


class TestTails:
    """A share of errors is wider: the mixture of two Gaussians."""

    def test_pulls_have_the_stated_tails(self, pions, keys):
        profile = load_profile("belle2", {"tracks": TAILS}).tracks
        measured = smear_tracks(pions, *keys, profile, seed=5)
        three = pulls(pions, measured, profile)
        assert_uncorrelated(*three)
        assert_uncorrelated(*(np.abs(pull) for pull in three))
        for pull, (fraction, scale) in zip(three, [(0.1, 3), (0.05, 4), (0.05, 4)], strict=True):

            def mixture(x, fraction=fraction, scale=scale):
                return (1 - fraction) * norm.cdf(x) + fraction * norm.cdf(x / scale)

            assert kstest(pull, mixture).pvalue > 1e-3
            variance = 1 - fraction + fraction * scale**2
            kurtosis = 3 * (1 - fraction + fraction * scale**4)
            assert abs(np.mean(pull**2) - variance) < 4 * np.sqrt((kurtosis - variance**2) / N)

    def test_the_core_keeps_its_deviates(self, pions, keys, belle2):
        profile = load_profile("belle2", {"tracks": TAILS}).tracks
        core = smear_tracks(pions, *keys, belle2.tracks, seed=5)
        measured = smear_tracks(pions, *keys, profile, seed=5)
        same = np.all(core == measured, axis=1).mean()
        assert abs(same - 0.9 * 0.95**2) < 0.004
