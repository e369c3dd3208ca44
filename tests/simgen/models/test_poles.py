"""SLPOLE and SLBKPOLE against helicity amplitudes and measured ratios."""

from __future__ import annotations

import numpy as np
import pytest
from helicities import decays, helicities, momentum, rate
from scipy import integrate
from weak import amplitudes

from simgen.models import find_model
from simgen.particles import particle_table

TABLE = particle_table()
# Values of DECAY_BELLE2.DEC: r_V = 1.5, r_2 = 0.85, vector pole 2.1, axial pole 2.5 GeV.
K_STAR = (
    *(1.00, -0.558, 0.0, 1.0),
    *(0.85, -0.558, 0.0, 1.0),
    *(1.50, -0.790, 0.0, 1.0),
    *(0.00, -0.558, 0.0, 1.0),
)
TENSOR = (0.02, -1.1, 0.2, 2.0, 0.7, -0.3, 0.0, 1.0, -0.01, -0.5, 0.0, 1.0, 0.012, 0.4, 0.1, 0.5)
SCALAR = (0.7, -1.1, 0.2, 2.0, 0.7, -0.3, 0.1, 0.5)
TWO_POLES = (1.1, 0.9, 1.0, 0.8, 0.4, 0.3, 0.5, 0.2)


def current(parent, meson, q2, a0, a1, a2, v):
    """Return f, g, a_+ and a_- (M. Wirbel, B. Stech, M. Bauer)."""
    total, split = parent + meson, parent - meson
    a3 = (total * a1 - split * a2) / (2 * meson)
    return total * a1, v / total, -a2 / total, 2 * meson * (a0 - a3) / q2


def pole(c, x):
    return c[0] / (1 + c[1] * x + c[2] * x * x) ** c[3]


def slpole(parent, meson, q2, c, spin2):
    one, *others = (pole(c[i : i + 4], q2 / parent**2) for i in range(0, len(c), 4))
    if spin2 == 0:
        return 0.0, 0.0, one, (others[0] - one) * (parent**2 - meson**2) / q2
    two, three, four = others
    if spin2 == 2:
        return current(parent, meson, q2, four, one, two, three)
    return two, one, three, four


def slbkpole(parent, meson, q2, c, spin2):
    if spin2 == 0:
        x = q2 / c[3] ** 2
        plus, zero = c[0] / ((1 - x) * (1 - c[1] * x)), c[0] / (1 - x / c[2])
        return 0.0, 0.0, plus, (zero - plus) * (parent**2 - meson**2) / q2
    x, y = q2 / TABLE.by_name("D*0").mass ** 2, q2 / parent**2
    v, a0 = c[0] / ((1 - x) * (1 - c[4] * x)), c[1] / ((1 - y) * (1 - c[5] * y))
    a1, a2 = c[2] / (1 - c[6] * x), c[3] / ((1 - c[6] * x) * (1 - c[7] * x))
    return current(parent, meson, q2, a0, a1, a2, v)


@pytest.mark.parametrize(
    ("model", "meson", "parameters", "form_factors"),
    [
        ("SLPOLE", "K-", SCALAR, slpole),
        ("SLPOLE", "K*-", K_STAR, slpole),
        ("SLPOLE", "K_2*-", TENSOR, slpole),
        ("SLBKPOLE", "K-", (1.0, 0.303, 1.2, 2.112), slbkpole),
        ("SLBKPOLE", "K*-", TWO_POLES, slbkpole),
    ],
)
def test_amplitude_has_the_rate_of_the_helicities(model, meson, parameters, form_factors):
    parent, k, muon = (TABLE.by_name(name) for name in ("D0", meson, "mu+"))
    grid, weights = np.polynomial.legendre.leggauss(8)
    prepared = find_model(model).prepare(parameters, parent, [k])
    low, high = muon.mass**2, (parent.mass - k.mass) ** 2
    ratios = []
    for q2 in low + (high - low) * np.array([0.1, 0.5, 0.95]):
        terms = helicities(
            parent.mass, k.mass, q2,
            form_factors(parent.mass, k.mass, q2, parameters, k.spin2), k.spin2,
        )  # fmt: skip
        expected = rate(parent.mass, k.mass, muon.mass, q2, terms)
        expected /= momentum(parent.mass, k.mass, q2) * (1 - low / q2)
        p = decays(parent.mass, k.mass, muon.mass, q2, grid)
        a = amplitudes(model, (421, k.pdgid, -13, 14), p, (k.spin2 + 1, 2), prepared)
        ratios.append(weights @ np.sum(abs(a) ** 2, axis=(1, 2)) / expected)
    np.testing.assert_allclose(ratios, ratios[0], rtol=1e-9)


def test_longitudinal_to_transverse_k_star():
    """Gamma_L/Gamma_T = 1.13 +- 0.08 in D+ -> anti-K*0 l nu (PDG), with r_V and r_2 as measured."""
    parent, meson = TABLE.by_name("D+").mass, TABLE.by_name("anti-K*0").mass

    def part(longitudinal):
        def density(q2):
            plus, minus, zero, _ = helicities(
                parent, meson, q2, slpole(parent, meson, q2, K_STAR, 2), 2
            )
            chosen = zero**2 if longitudinal else plus**2 + minus**2
            return momentum(parent, meson, q2) * q2 * chosen

        return integrate.quad(density, 1e-6, (parent - meson) ** 2)[0]

    assert abs(part(longitudinal=True) / part(longitudinal=False) - 1.13) < 0.08
