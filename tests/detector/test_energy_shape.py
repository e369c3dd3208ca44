"""Energies of photons with a tail, against the formula of H. Ikeda et al., NIM A 441 (2000) 401."""

from __future__ import annotations

import numpy as np
import pytest
from closure import N, mass2, random_momenta, spherical
from scipy import integrate, optimize, stats

from detector.energy_shape import energy_shape, shaped_error
from detector.photons import photon_model, photon_resolution, smear_photons
from detector.profiles import load_profile
from simgen.errors import ConfigError

FULL_WIDTH = 2 * np.sqrt(2 * np.log(2))
ETAS = [0.05, 0.2, 0.41]


def density(x, eta):
    """The formula as it is published, with its largest value 1, energies in units of sigma."""
    width = 2 / FULL_WIDTH * np.arcsinh(eta * FULL_WIDTH / 2)
    inside = np.maximum(1 - eta * x, 1e-300)
    return np.exp(-(np.log(inside) ** 2) / (2 * width**2))


class Published:
    """Its distribution by quadrature."""

    def __init__(self, eta):
        self.x = np.linspace(-40.0, min(1 / eta, 8.0), 400_001)
        values = density(self.x, eta)
        below = integrate.cumulative_simpson(values, x=self.x, initial=0.0)
        self.below = below / below[-1]
        self.mean = integrate.simpson(self.x * values, x=self.x) / below[-1]
        square = integrate.simpson(self.x**2 * values, x=self.x) / below[-1]
        self.spread = np.sqrt(square - self.mean**2)

    def cdf(self, x):
        return np.interp(x, self.x, self.below)


def errors(eta, profile="belle2", n=N):
    """Energies less true ones in units of the resolution."""
    photons = load_profile(profile, {"photons": {"asymmetry": eta}}).photons
    true = random_momenta(np.random.default_rng(3), n, 0.0, 0.06, 3.0)
    measured = smear_photons(true, np.arange(n), np.full(n, 7), photons, seed=5)
    model = photon_model(photons)
    sigma = np.array([photon_resolution(p, model)[0] for p in true])
    return (measured[:, 3] / true[:, 3] - 1) / sigma, measured


@pytest.mark.parametrize("eta", ETAS)
def test_the_formula_has_its_peak_and_width_where_it_is_stated(eta):
    low, high = (
        optimize.brentq(lambda x: density(x, eta) - 0.5, *ends)
        for ends in ((-3.0, 0.0), (0.0, 1.5))
    )
    assert high - low == pytest.approx(FULL_WIDTH, rel=1e-9)
    assert density(0.0, eta) == 1.0
    assert -low > high


@pytest.mark.parametrize("eta", ETAS)
def test_measured_energies_have_the_published_distribution(eta):
    """Kolmogorov-Smirnov p > 0.001, for 200 000 photons; 5 % in eta would not pass."""
    pull, measured = errors(eta)
    assert stats.kstest(pull, Published(eta).cdf).pvalue > 1e-3
    assert stats.kstest(pull, Published(1.05 * eta + 0.005).cdf).pvalue < 1e-3
    assert stats.kstest(1.01 * pull, Published(eta).cdf).pvalue < 0.05
    np.testing.assert_allclose(mass2(measured), 0.0, atol=1e-14)


@pytest.mark.parametrize("eta", ETAS)
def test_mean_and_spread(eta):
    shape, published = energy_shape(eta), Published(eta)
    assert shape.mean == pytest.approx(published.mean, rel=1e-6)
    assert shape.spread == pytest.approx(published.spread, rel=1e-6)
    pull, _ = errors(eta, n=50_000)
    assert np.mean(pull) == pytest.approx(shape.mean, abs=4 * shape.spread / np.sqrt(50_000))
    fourth = np.mean((pull - shape.mean) ** 4) - shape.spread**4
    assert np.var(pull) == pytest.approx(shape.spread**2, abs=4 * np.sqrt(fourth / 50_000))


def test_without_asymmetry_it_is_the_gaussian_bit_by_bit():
    shape = energy_shape(0.0)
    assert (shape.mean, shape.spread) == (0.0, 1.0)
    for n in np.random.default_rng(1).normal(size=100):
        assert shaped_error(n, shape) == n
        assert shaped_error(n, energy_shape(1e-6)) == pytest.approx(n, abs=1e-5)


def test_the_same_photon_has_the_same_direction_and_order():
    """The tail is another function of the same deviates."""
    (plain, at), (tail, other) = errors(0.0, n=2000), errors(0.3, n=2000)
    assert np.array_equal(np.argsort(plain), np.argsort(tail))
    for a, b in zip(spherical(at)[1:], spherical(other)[1:], strict=True):
        np.testing.assert_allclose(a, b, atol=1e-12)


def test_a_tail_to_high_energies_is_refused():
    with pytest.raises(ConfigError, match="asymmetry"):
        load_profile("belle2", {"photons": {"asymmetry": -0.1}})
