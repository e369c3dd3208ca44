from __future__ import annotations

import numpy as np
import pytest
from closure import mass2, random_momenta
from decay_trees import two_body
from scipy.optimize import minimize_scalar

from detector.photons import smear_photons
from detector.pi0 import constrain_pi0, fit_photon_energies

MASS = 0.1349768


def sigma(energy):
    return energy * np.hypot(0.008 / energy**0.25, 0.013)


@pytest.fixture(scope="module")
def pairs(belle2):
    """True pi0s and their measured photons."""
    n = 20_000
    rng = np.random.default_rng(4)
    true = random_momenta(rng, n, MASS, 0.1, 2.0)
    photons = two_body(rng, true, np.full(n, MASS), np.zeros(n), np.zeros(n))
    first, second = (
        smear_photons(p, np.arange(n), np.full(n, i), belle2.photons, seed=5)
        for i, p in enumerate(photons)
    )
    return true, first, second


def fitted(first, second):
    out = np.empty_like(first)
    for a, b, o in zip(first, second, out, strict=True):
        constrain_pi0(a, sigma(a[3]), b, sigma(b[3]), MASS, o)
    return out


def test_the_mass_is_exact(pairs):
    _, first, second = pairs
    mass = np.sqrt(mass2(fitted(first, second)))
    np.testing.assert_allclose(mass, MASS, rtol=1e-10)


def test_the_directions_of_the_photons_are_kept(pairs):
    _, first, second = pairs
    pion = fitted(first[:100], second[:100])
    normal = np.cross(first[:100, :3], second[:100, :3])
    np.testing.assert_allclose(np.sum(normal * pion[:, :3], axis=1), 0.0, atol=1e-15)


def test_the_energy_is_measured_better_with_the_constraint(pairs):
    true, first, second = pairs
    without = np.std((first + second)[:, 3] / true[:, 3])
    fit = np.std(fitted(first, second)[:, 3] / true[:, 3])
    assert fit < 0.95 * without


def test_the_fit_is_the_minimum_of_chi_squared():
    rng = np.random.default_rng(6)
    for _ in range(200):
        e1, e2 = np.exp(rng.uniform(np.log(0.03), np.log(2.0), 2))
        s1, s2 = e1 * rng.uniform(0.01, 0.15), e2 * rng.uniform(0.01, 0.15)
        product = e1 * e2 * np.exp(0.3 * rng.standard_normal())

        def chi2(log_x, e1=e1, e2=e2, s1=s1, s2=s2, product=product):
            x = np.exp(log_x)
            return ((x - e1) / s1) ** 2 + ((product / x - e2) / s2) ** 2

        x = fit_photon_energies(e1, s1, e2, s2, product)
        bounds = np.log([e1 / 4, e1 * 4])
        best = minimize_scalar(chi2, bounds=bounds, method="bounded", options={"xatol": 1e-10})
        assert chi2(np.log(x)) <= best.fun * (1 + 1e-9) + 1e-12
        assert np.log(x) == pytest.approx(best.x, abs=1e-5)


def test_an_energy_without_error_is_not_changed():
    assert fit_photon_energies(0.5, 0.0, 0.3, 0.02, 0.16) == pytest.approx(0.5, rel=1e-14)
    assert fit_photon_energies(0.5, 0.02, 0.3, 0.0, 0.16) == pytest.approx(0.16 / 0.3, rel=1e-14)


def test_photons_without_errors_are_added(pairs):
    _, first, second = pairs
    out = np.empty(4)
    constrain_pi0(first[0], 0.0, second[0], 0.0, MASS, out)
    np.testing.assert_array_equal(out, first[0] + second[0])


def test_parallel_photons_are_added():
    p = np.array([0.3, 0.0, 0.4, 0.5])
    out = np.empty(4)
    constrain_pi0(p, 0.01, p, 0.01, MASS, out)
    np.testing.assert_array_equal(out, 2 * p)
