"""P -> l nu."""

from __future__ import annotations

import numpy as np
import pytest
from weak import amplitudes, directions, two_body


@pytest.mark.parametrize(("sign", "mass"), [(1, 1.77686), (-1, 1.77686), (1, 0.10566)])
def test_rate_is_helicity_suppressed_and_the_lepton_has_the_helicity_of_its_neutrino(sign, mass):
    """sum |A|^2 = 4 m^2 (M^2 - m^2) / M^2; the neutrino's helicity is -1/2, so is the lepton's."""
    parent = 5.27934
    n = directions(np.random.default_rng(5), 50)
    lepton, nu = two_body(parent, mass, 0.0, n)
    p = np.stack([np.tile([0, 0, 0, parent], (50, 1)), lepton, nu], axis=1)
    # l+ nu from B+ for sign = 1
    a = amplitudes("SLN", np.array([521, -15, 16]) * sign, p, (1, 2))[:, 0]
    rate = np.sum(abs(a) ** 2, axis=1)
    expected = 4 * mass**2 * (parent**2 - mass**2) / parent**2
    np.testing.assert_allclose(rate, expected, rtol=1e-7)
    x, y = 2 * (a[:, 0].conj() * a[:, 1]).real, 2 * (a[:, 0].conj() * a[:, 1]).imag
    z = abs(a[:, 0]) ** 2 - abs(a[:, 1]) ** 2
    # The amplitude is <s|state>, so its spin vector is the lepton's.
    spin = np.stack([x, y, z], axis=1) / rate[:, None]
    np.testing.assert_allclose(spin, -sign * n, atol=1e-7)


@pytest.mark.parametrize("swapped", [False, True])
@pytest.mark.parametrize("mass", [0.000511, 1.77686])
def test_a_vector_decays_to_leptons_by_its_current(mass, swapped):
    """sum A_i A_j^* = (2 M^2 delta_ij - 8 p_i p_j) / (4 M^2 + 8 m^2), p the lepton's momentum."""
    parent = 9.4603
    n = directions(np.random.default_rng(6), 50)
    lepton, other = two_body(parent, mass, mass, n)
    p = np.stack([np.tile([0, 0, 0, parent], (50, 1)), lepton, other], axis=1)
    codes = np.array([553, -15, 15]) if swapped else np.array([553, 15, -15])
    a = amplitudes("VLL", codes, p, (3, 2, 2))
    found = np.einsum("niab,njab->nij", a, a.conj())
    momentum = lepton[:, :3]
    expected = 2 * parent**2 * np.eye(3) - 8 * momentum[:, :, None] * momentum[:, None, :]
    expected /= 4 * parent**2 + 8 * mass**2
    np.testing.assert_allclose(found, expected, atol=1e-10)


def test_leptons_of_a_vector_have_opposite_helicities_but_for_their_mass():
    """Equal helicities have 2 m^2 / M^2 of what opposite ones have."""
    parent, mass = 9.4603, 1.77686
    lepton, other = two_body(parent, mass, mass, np.array([[0.0, 0.0, 1.0]]))
    p = np.stack([np.tile([0, 0, 0, parent], (1, 1)), lepton, other], axis=1)
    a = amplitudes("VLL", (553, 15, -15), p, (3, 2, 2))[0]
    rates = np.sum(abs(a) ** 2, axis=0)
    # helicities are equal where spins along z are opposite
    np.testing.assert_allclose(rates[0, 1] / rates[0, 0], 2 * mass**2 / parent**2, rtol=1e-9)
    np.testing.assert_allclose(rates[1, 0] / rates[1, 1], 2 * mass**2 / parent**2, rtol=1e-9)
    np.testing.assert_allclose(rates.sum(), 1.0, rtol=1e-9)
