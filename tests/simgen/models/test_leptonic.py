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
