"""Covariances of momenta against many smeared copies of the same particle."""

from __future__ import annotations

import numpy as np
import pytest

from detector.momentum_covariance import (
    add_photon_covariance,
    add_pi0_covariance,
    add_track_covariance,
)
from detector.photons import energy_error, photon_model, smear_photons
from detector.pi0 import constrain_pi0
from detector.tracks import smear_tracks, track_model

N = 50_000
PION = np.array([0.4, -0.7, 0.9, np.sqrt(0.16 + 0.49 + 0.81 + 0.13957039**2)])
PHOTONS = np.array([[0.5, 0.1, 0.3, np.sqrt(0.35)], [0.35, 0.22, 0.1, 0.0]])
PHOTONS[1, 3] = np.linalg.norm(PHOTONS[1, :3])


def assert_same(found, copies):
    """Each entry to 2 % of the two standard deviations: 3 to 4 standard errors."""
    expected = np.cov(copies[:, :3].T)
    scale = np.sqrt(np.diag(expected))
    np.testing.assert_allclose(found / np.outer(scale, scale), expected / np.outer(scale, scale),
                               atol=0.02)  # fmt: skip


def copies_of(p4, index):
    return np.tile(p4, (N, 1)), np.arange(N), np.full(N, index)


def test_of_a_track(belle2):
    covariance = np.zeros((3, 3))
    add_track_covariance(PION, track_model(belle2.tracks), covariance)
    assert_same(covariance, smear_tracks(*copies_of(PION, 1), belle2.tracks, 3))


def asymmetric(belle2, asymmetry):
    return belle2.photons.model_copy(update={"asymmetry": asymmetry})


@pytest.mark.parametrize("asymmetry", [0.0, 0.4])
def test_of_a_photon(belle2, asymmetry):
    profile, covariance = asymmetric(belle2, asymmetry), np.zeros((3, 3))
    add_photon_covariance(PHOTONS[0], photon_model(profile), covariance)
    assert_same(covariance, smear_photons(*copies_of(PHOTONS[0], 1), profile, 3))


@pytest.mark.parametrize("asymmetry", [0.0, 0.2])
def test_of_a_pi0(belle2, asymmetry):
    """To first order in the errors, of which those of 0.4 to 0.6 GeV are 3 %."""
    profile = asymmetric(belle2, asymmetry)
    model = photon_model(profile)
    mass = np.sqrt(
        np.sum(PHOTONS[:, 3]) ** 2 - np.sum(np.sum(PHOTONS[:, :3], axis=0) ** 2)
    )  # such that nothing is refitted at the true momenta
    covariance = np.zeros((3, 3))
    add_pi0_covariance(*PHOTONS, model, covariance)
    first, second = (smear_photons(*copies_of(p, i), profile, 3) for i, p in enumerate(PHOTONS))
    copies = np.empty((N, 4))
    for i in range(N):
        s1, s2 = (energy_error(p[i], model) for p in (first, second))
        constrain_pi0(first[i], s1, second[i], s2, mass, copies[i])
    assert_same(covariance, copies)


def test_is_added(belle2):
    once, twice = np.zeros((3, 3)), np.zeros((3, 3))
    add_photon_covariance(PHOTONS[0], photon_model(belle2.photons), once)
    for _ in range(2):
        add_photon_covariance(PHOTONS[0], photon_model(belle2.photons), twice)
    np.testing.assert_allclose(twice, 2 * once)
