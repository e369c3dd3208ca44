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

from detector.photons import (
    curve_model,
    photon_accepted,
    photon_model,
    resolution_at,
    smear_photons,
)
from detector.profiles import EnergyCurve, load_profile


def curve_value(curve, energy):
    """A curve, from the formula of its docstring."""
    value = (
        (curve.inverse / energy) ** 2
        + (curve.inverse_root / energy**0.5) ** 2
        + (curve.inverse_fourth_root / energy**0.25) ** 2
        + curve.constant**2
    )
    if curve.table:
        energies, values = np.log(curve.table.axes["energy"]), curve.table.values
        value = value + np.interp(np.log(energy), energies, values) ** 2
    return np.sqrt(value)


@pytest.mark.parametrize("energy", [0.01, 0.022, 0.04, 0.1, 0.77, 3.0, 8.0, 20.0])
@pytest.mark.parametrize("table", [(), ((0.022, 0.11), (0.1, 0.048), (1.0, 0.021), (8.0, 0.0))])
def test_a_curve_is_the_quadratic_sum_of_its_terms(energy, table):
    curve = EnergyCurve(
        inverse=0.001, inverse_root=0.02, inverse_fourth_root=0.008, constant=0.013, table=table
    )
    assert resolution_at(curve_model(curve), energy, 1.0) == pytest.approx(
        curve_value(curve, energy), rel=1e-13
    )


def test_belle2_energy_resolution_at_one_gev_is_two_per_cent(belle2):
    model = curve_model(belle2.photons.energy)
    assert resolution_at(model, 1.0, 1.0) == pytest.approx(0.021, rel=0.01)
    assert resolution_at(model, 0.1, 1.0) == pytest.approx(0.048, rel=0.01)


@pytest.mark.parametrize("name", ["belle", "belle2"])
def test_pulls_are_unit_gaussians_and_independent(name):
    profile = load_profile(name).photons
    true = random_momenta(np.random.default_rng(3), N, 0.0, 0.06, 3.0)
    measured = smear_photons(true, np.arange(N), np.full(N, 7), profile, seed=5)
    (_, theta, phi), (_, theta_m, phi_m) = spherical(true), spherical(measured)
    energy = true[:, 3]
    pull = (
        (measured[:, 3] / energy - 1) / curve_value(profile.energy, energy),
        (theta_m - theta) / curve_value(profile.polar_angle, energy),
        wrap(phi_m - phi) / curve_value(profile.azimuth, energy),
    )
    for one in pull:
        assert_unit_gaussian(one)
    assert_uncorrelated(*pull)
    np.testing.assert_allclose(mass2(measured), 0.0, atol=1e-14)


def test_without_resolution_nothing_changes(perfect):
    true = random_momenta(np.random.default_rng(3), 1000, 0.0, 0.01, 5.0)
    measured = smear_photons(true, np.arange(1000), np.arange(1000), perfect.photons, seed=5)
    np.testing.assert_allclose(measured, true, rtol=1e-13, atol=1e-15)


def test_a_polar_angle_beyond_a_pole_comes_back_on_the_other_side(perfect):
    true = random_momenta(np.random.default_rng(3), 10_000, 0.0, 0.1, 2.0)
    event, index = np.arange(10_000), np.zeros(10_000, int)

    def measured(sigma):
        profile = perfect.photons.model_copy(update={"polar_angle": EnergyCurve(constant=sigma)})
        return spherical(smear_photons(true, event, index, profile, seed=5))

    _, theta, phi = spherical(true)
    deviate = (measured(1e-4)[1] - theta) / 1e-4
    _, theta_m, phi_m = measured(1.0)
    np.testing.assert_allclose(np.cos(theta_m), np.cos(theta + deviate), atol=1e-9)
    np.testing.assert_allclose(wrap(phi_m - phi), 0.0, atol=1e-12)


def photon(theta, energy=1.0):
    t = np.radians(theta)
    return np.array([energy * np.sin(t), 0.0, energy * np.cos(t), energy])


@pytest.mark.parametrize(
    ("theta", "inside"),
    [
        (12.399, False),
        (12.401, True),
        (31.399, True),
        (31.401, False),
        (32.199, False),
        (32.201, True),
        (128.699, True),
        (129.0, False),
        (130.701, True),
        (155.099, True),
        (155.101, False),
    ],
)
def test_acceptance_has_the_gaps_of_the_calorimeter(belle2, theta, inside):
    assert photon_accepted(photon(theta), photon_model(belle2.photons)) == inside


@pytest.mark.parametrize(("energy", "inside"), [(0.0299, False), (0.0301, True)])
def test_acceptance_ends_at_the_lowest_energy(belle2, energy, inside):
    assert photon_accepted(photon(90.0, energy), photon_model(belle2.photons)) == inside
