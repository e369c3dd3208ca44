"""Electrons that radiate, and their photons, against the distribution of Bethe and Heitler."""

from __future__ import annotations

import numpy as np
import pytest
from closure import N, assert_unit_gaussian, mass2, random_momenta, spherical
from decay_trees import event, signal, tag
from scipy import stats

from detector.bremsstrahlung import smear_electrons
from detector.candidates import smear_block
from detector.config import CandidateConfig
from detector.profiles import load_profile
from detector.tracks import smear_tracks

M_E = 0.51099895e-3


def profile_with(**radiation):
    return load_profile("perfect", {"bremsstrahlung": radiation})


@pytest.fixture(scope="module")
def electrons():
    return random_momenta(np.random.default_rng(1), N, M_E, 0.3, 4.0)


def shares(p4, profile, seed=5):
    """Share of the momentum that is measured, and Gamma's shape."""
    n = len(p4)
    measured = smear_electrons(p4, np.arange(n) // 4, np.arange(n) % 4, profile, seed)
    np.testing.assert_allclose(mass2(measured), M_E**2, atol=1e-13)
    for a, b in zip(spherical(measured)[1:], spherical(p4)[1:], strict=True):
        np.testing.assert_allclose(a, b, atol=1e-12)
    share = spherical(measured)[0] / spherical(p4)[0]
    x = profile.bremsstrahlung.radiation_length / np.sin(spherical(p4)[1])
    return share, x / np.log(2)


@pytest.mark.parametrize("length", [0.02, 0.3])
def test_what_is_left_has_the_distribution_of_bethe_and_heitler(electrons, length):
    share, shape = shares(electrons, profile_with(radiation_length=length))
    assert np.all((share > 0) & (share <= 1))
    lost = -np.log(share)
    seen = lost > 1e-9  # below, the rounding of the share itself
    below = stats.gamma.cdf(1e-9, shape)
    assert abs(np.sum(~seen) - below.sum()) < 4 * np.sqrt(np.sum(below * (1 - below)))
    uniform = (stats.gamma.cdf(lost, shape) - below)[seen] / (1 - below)[seen]
    assert stats.kstest(uniform, "uniform").pvalue > 1e-3
    mean = np.exp(-length / np.sin(spherical(electrons)[1]))
    assert abs(np.mean(share - mean)) < 4 * np.std(share - mean) / np.sqrt(N)


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
