"""Electrons that radiate, and their photons, against the distribution of Bethe and Heitler."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from closure import N, assert_unit_gaussian, mass2, random_momenta, spherical
from decay_trees import event, signal, tag
from scipy import stats
from scipy.special import digamma

from detector.bremsstrahlung import smear_electrons
from detector.candidates import smear_block
from detector.config import CandidateConfig
from detector.profiles import load_profile
from detector.tracks import smear_tracks
from simgen.errors import ConfigError

M_E = 0.51099895e-3


def profile_with(**radiation):
    return load_profile("perfect", {"bremsstrahlung": radiation})


@pytest.fixture(scope="module")
def electrons():
    return random_momenta(np.random.default_rng(1), N, M_E, 0.3, 4.0)


def shares(p4, profile, seed=5, material=None):
    """Share of the momentum that is measured, and Gamma's shape."""
    n = len(p4)
    measured = smear_electrons(p4, np.arange(n) // 4, np.arange(n) % 4, profile, seed)
    np.testing.assert_allclose(mass2(measured), M_E**2, atol=1e-13)
    for a, b in zip(spherical(measured)[1:], spherical(p4)[1:], strict=True):
        np.testing.assert_allclose(a, b, atol=1e-12)
    share = spherical(measured)[0] / spherical(p4)[0]
    x = profile.bremsstrahlung.radiation_length if material is None else material
    return share, x / np.sin(spherical(p4)[1]) / np.log(2)


ANGLES, MATERIAL = [20.0, 45.0, 90.0, 145.0], [0.3, 0.02, 0.05, 0.2]
TABLE = {"axes": {"theta": ANGLES}, "values": MATERIAL}


@pytest.mark.parametrize("length", [0.06, 0.3, TABLE], ids=["thin", "thick", "table"])
def test_what_is_left_has_the_distribution_of_bethe_and_heitler(electrons, length):
    theta = np.degrees(spherical(electrons)[1])
    x = np.interp(theta, ANGLES, MATERIAL) if length is TABLE else np.full(N, length)
    share, shape = shares(electrons, profile_with(radiation_length=length), material=x)
    assert np.all((share > 0) & (share <= 1))
    for low, high in pairwise([20, 50, 70, 100, 146]):
        some = (theta >= low) & (theta < high)
        assert_bethe_heitler(share[some], shape[some])
    assert_bethe_heitler(share, shape)
    for wrong in (0.99, 1.01):
        with pytest.raises(AssertionError):
            assert_bethe_heitler(share, wrong * shape)


def assert_bethe_heitler(share, shape):
    """-ln(share) from Gamma(shape): the distribution, the mean, and the score of the likelihood.

    The score, of all that is seen and of how many are not, knows the shape to 0.2 % with N.
    """
    lost, n = -np.log(share), len(share)
    seen = lost > 1e-12  # below, the rounding of the share itself
    below = stats.gamma.cdf(1e-12, shape)
    log_below = [stats.gamma.logcdf(1e-12, shape * (1 + h)) for h in (-1e-4, 1e-4)]
    score = np.where(seen, shape * (np.log(np.where(seen, lost, 1.0)) - digamma(shape)),
                     (log_below[1] - log_below[0]) / 2e-4)  # fmt: skip
    assert abs(score.sum()) < 3 * np.sqrt(np.sum(score**2))
    uniform = (stats.gamma.cdf(lost, shape) - below)[seen] / (1 - below)[seen]
    assert stats.kstest(uniform, "uniform").pvalue > 1e-3
    mean = np.exp(-shape * np.log(2))
    assert abs(np.mean(share - mean)) < 4 * np.std(share - mean) / np.sqrt(n)


def test_electrons_radiate_only_where_there_is_material(electrons):
    bins = {"axes": {"theta": [0, 90, 180]}, "values": [0.0, 0.1]}
    share, _ = shares(electrons, profile_with(radiation_length=bins), material=0.1)
    forward = electrons[:, 2] > 0
    np.testing.assert_allclose(share[forward], 1.0, rtol=1e-12)
    assert np.mean(share[~forward] < 1) > 0.9


def test_material_depends_on_theta_alone():
    with pytest.raises(ConfigError, match=r"radiation_length: .* no axis 'p'; allowed: theta"):
        profile_with(radiation_length={"axes": {"p": [1, 2]}, "values": [0.1, 0.2]})


def test_photons_that_are_recovered_bring_the_momentum_back(electrons):
    share, _ = shares(electrons, profile_with(radiation_length=0.05, recovery=1.0))
    np.testing.assert_allclose(share, 1.0, rtol=1e-12)


def test_recovery_is_a_share_of_those_that_radiate(electrons):
    none, _ = shares(electrons, profile_with(radiation_length=0.05))
    some, _ = shares(electrons, profile_with(radiation_length=0.05, recovery=0.6))
    radiated = none < 0.99
    back = np.abs(some[radiated] - 1.0) < 1e-9
    assert np.all(back | (some[radiated] == none[radiated]))
    assert abs(back.mean() - 0.6) < 4 * np.sqrt(0.24 / len(back))


def test_soft_photons_and_those_in_gaps_are_not_recovered(electrons):
    overrides = {
        "bremsstrahlung": {"radiation_length": 0.05, "recovery": 1.0},
        "photons": {"energy_min": 0.05, "theta": [[0, 60], [70, 180]]},
    }
    none, _ = shares(electrons, profile_with(radiation_length=0.05))
    share, _ = shares(electrons, load_profile("perfect", overrides))
    energy = (1 - none) * np.linalg.norm(electrons[:, :3], axis=1)
    theta = np.degrees(spherical(electrons)[1])
    lost = (energy < 0.05) | ((theta > 60) & (theta < 70))
    np.testing.assert_array_equal(share[lost], none[lost])
    np.testing.assert_allclose(share[~lost], 1.0, rtol=1e-12)


def test_recovered_photons_have_the_resolution_of_photons(electrons):
    overrides = {
        "bremsstrahlung": {"radiation_length": 0.3, "recovery": 1.0},
        "photons": {"energy": {"constant": 0.05}},
    }
    share, _ = shares(electrons, load_profile("perfect", overrides))
    none, _ = shares(electrons, profile_with(radiation_length=0.3))
    hard = none < 0.9
    assert_unit_gaussian(((share - 1) / (1 - none))[hard] / 0.05)


def test_without_material_electrons_are_tracks_like_others(electrons, belle2):
    keys = np.arange(N) // 4, np.arange(N) % 4
    np.testing.assert_array_equal(
        smear_electrons(electrons, *keys, belle2, seed=5),
        smear_tracks(electrons, *keys, belle2.tracks, seed=5),
    )


def test_only_electrons_of_candidates_radiate(make, belle2):
    block = make(event(signal(2), tag(lepton=11)), n=2000)
    radiating = load_profile("belle2", {"bremsstrahlung": {"radiation_length": 0.05}})
    plain, _ = smear_block(block, belle2, CandidateConfig(), seed=5)
    table, _ = smear_block(block, radiating, CandidateConfig(), seed=5)
    for name in ("kaon", "lepton", "prong", "tag_d", "r_0"):
        np.testing.assert_array_equal(getattr(plain, name), getattr(table, name))
    ratio = table.tag_lepton[:, 3] / plain.tag_lepton[:, 3]
    assert np.all(ratio < 1 + 1e-12)
    assert 0.9 < np.mean(ratio) < 0.97
