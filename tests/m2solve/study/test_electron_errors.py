"""The stated distribution of electrons that radiate: against quadrature, and against smearing."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import integrate, stats
from scipy.special import gammaincc, ndtr

from detector.bremsstrahlung import smear_electrons
from detector.profiles import load_profile
from m2solve.study.electron_errors import electron_integral, electron_scores

P, THETA, SIGMA, PHOTON, LEAST, LENGTH = 2.0, 1.0, 0.004, 0.05, 0.1, 0.05
SHAPE = LENGTH / np.sin(THETA) / np.log(2)
SHARES = np.concatenate([np.linspace(0.05, 0.94, 10), np.linspace(0.95, 1.05, 31)])
RIGHT = 4e-5


def profile(recovery, tail=(0.0, 1.0), asymmetry=0.0):
    tail = {"fraction": tail[0], "scale": tail[1]}
    return load_profile("perfect", {
        "tracks": {"momentum": {"curvature": 0, "scattering": 0, "table": SIGMA, "tail": tail}},
        "photons": {"energy_min": LEAST, "energy": {"constant": PHOTON}, "asymmetry": asymmetry},
        "bremsstrahlung": {"radiation_length": LENGTH, "recovery": recovery},
    })  # fmt: skip


def integrals(detector, turn=0.0):
    """F at all shares, for one true momentum, measured at another polar angle."""
    true = np.tile([P * np.sin(THETA), 0, P * np.cos(THETA), P], (len(SHARES), 1))
    measured = true * SHARES[:, None]
    measured[:, 2] = measured[:, 0] / np.tan(THETA + turn)
    return electron_integral(measured, true, detector)


def without_recovery(share, sigma=SIGMA):
    """P(z (1 + sigma g) < x): the integral over g of the incomplete gamma function."""
    edge = np.clip((share - 1) / sigma, -9, 9)

    def density(g):
        return stats.norm.pdf(g) * gammaincc(SHAPE, max(0.0, np.log((1 + sigma * g) / share)))

    return integrate.quad(density, -9, 9, points=[edge], limit=300, epsabs=1e-9)[0]


class TestIntegral:
    def test_without_recovery(self):
        expected = [without_recovery(x) for x in SHARES[10:]]
        np.testing.assert_allclose(integrals(profile(0.0))[10:], expected, atol=RIGHT)

    def test_with_tails_of_tracks(self):
        expected = [0.9 * without_recovery(x) + 0.1 * without_recovery(x, 3 * SIGMA)
                    for x in SHARES[10:]]  # fmt: skip
        np.testing.assert_allclose(integrals(profile(0.0, (0.1, 3.0)))[10:], expected, atol=RIGHT)

    @pytest.mark.parametrize("turn", [0.0, 0.003])
    def test_with_recovery_by_a_plain_sum(self, turn):
        n = 400_000
        z = np.exp(-stats.gamma.ppf((np.arange(n) + 0.5) / n, SHAPE))
        back = np.where(P * (1 - z) > LEAST, 0.5, 0.0)
        r = np.sin(THETA + turn) / np.sin(THETA)
        expected = []
        for x in SHARES:
            lost = ndtr((x - z) / (SIGMA * z))
            width = np.hypot(SIGMA * z, r * PHOTON * (1 - z))
            found = ndtr((x - z - r * (1 - z)) / width)
            expected.append(np.mean((1 - back) * lost + back * found))
        np.testing.assert_allclose(integrals(profile(0.5), turn), expected, atol=RIGHT)

    @pytest.mark.parametrize("asymmetry", [0.05, 0.4])
    def test_what_the_asymmetry_of_photons_changes(self, asymmetry):
        """By quantiles of the loss and of the logarithmic Gaussian, Ikeda's formula."""
        y = stats.gamma.ppf((np.arange(2000) + 0.5) / 2000, SHAPE)
        z = np.exp(-y[P * (1 - np.exp(-y)) > LEAST])[:, None]
        normal = stats.norm.ppf((np.arange(500) + 0.5) / 500)
        width = np.arcsinh(asymmetry * np.sqrt(np.log(4))) / np.sqrt(np.log(4))
        shapes = {0.0: normal,
                  asymmetry: (1 - np.exp(width**2 - width * normal)) / asymmetry}  # fmt: skip
        below = {
            eta: np.array([0.5 * ndtr((x - 1 - PHOTON * (1 - z) * shape) / (SIGMA * z)).sum()
                           / (2000 * 500) for x in SHARES])
            for eta, shape in shapes.items()
        }  # fmt: skip
        found = integrals(profile(0.5, asymmetry=asymmetry)) - integrals(profile(0.5))
        assert np.max(np.abs(found)) > 1e-3
        np.testing.assert_allclose(found, below[asymmetry] - below[0.0], atol=1e-4)

    def test_is_a_distribution(self):
        for recovery in (0.0, 1.0):
            found = integrals(profile(recovery))
            assert np.all(np.diff(found) > -1e-9)
            assert found[0] < 0.01
            assert found[-1] > 0.99


def smeared(detector, n=20_000):
    """True and measured momenta of electrons, each with a momentum of its own."""
    rng = np.random.default_rng(1)
    p = np.exp(rng.uniform(np.log(0.1), np.log(4.5), n))
    cosine = rng.uniform(np.cos(np.radians(150)), np.cos(np.radians(17)), n)
    sine, phi = np.sqrt(1 - cosine**2), rng.uniform(-np.pi, np.pi, n)
    true = np.column_stack(
        [p * sine * np.cos(phi), p * sine * np.sin(phi), p * cosine, np.hypot(p, 0.51099895e-3)]
    )
    return true, smear_electrons(true, np.arange(n), np.zeros(n, int), detector, 1)


def misfit(scores):
    """Largest of mean and width in units of their errors, and the Kolmogorov-Smirnov p-value."""
    n = len(scores)
    far = max(abs(scores.std() - 1) * np.sqrt(2 * n), abs(scores.mean()) * np.sqrt(n))
    return far, stats.kstest(scores, "norm").pvalue


@pytest.mark.parametrize("name", ["belle2_realistic", "belle_realistic"])
def test_the_integral_of_smeared_electrons_is_uniform(name):
    detector = load_profile(name)
    true, measured = smeared(detector)
    far, p_value = misfit(electron_scores(measured, true, detector))
    assert far < 4
    assert p_value > 1e-3


@pytest.mark.parametrize(
    "changes",
    [
        {"bremsstrahlung": {"radiation_length": 0.048}},
        {"bremsstrahlung": {"recovery": 0.3}},
        {"tracks": {"momentum": {"curvature": 0.00117, "scattering": 0.0032}}},
        {"photons": {"asymmetry": 0.0, "energy": {"constant": 0.05}}},
    ],
    ids=["material", "recovery", "track", "photon"],
)
def test_another_distribution_is_not_uniform(changes):
    true, measured = smeared(load_profile("belle2_realistic"))
    other = load_profile("belle2_realistic", changes)
    far, p_value = misfit(electron_scores(measured, true, other))
    assert far > 4 or p_value < 1e-3
