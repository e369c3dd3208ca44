"""ISGW2 against published widths and helicity amplitudes."""

from __future__ import annotations

import numpy as np
import pytest
from helicities import decays, helicities, momentum, rate, width
from weak import amplitudes

from simgen.models import find_model
from simgen.particles import particle_table

M_E, M_TAU = 0.000511, 1.77686
TABLE = particle_table()
MODEL = find_model("ISGW2")


def form_factors(parent, meson, q2):
    """Return f, g, a_+ and a_- from what the model hands to its amplitude."""
    a, b = TABLE.by_name(parent), TABLE.by_name(meson)
    c = np.array(MODEL.prepare((), a, [b]))
    room = (a.mass - b.mass) ** 2 - q2
    u = room * c[0]
    scale = (1 + room * c[1]) ** -c[2]
    f, g, plus, minus = (scale * np.polyval(row[::-1], u) for row in c[4:].reshape(4, 3))
    divided = 2 + u if c[3] else 1
    return f, g, plus / divided, minus / divided


def terms(parent, meson, q2):
    a, b = TABLE.by_name(parent), TABLE.by_name(meson)
    return helicities(a.mass, b.mass, q2, form_factors(parent, meson, q2), b.spin2)


@pytest.mark.parametrize(
    ("parent", "meson", "published"),
    [("B0", "D-", 11.9), ("B0", "D*-", 24.8), ("B0", "pi-", 9.6), ("B0", "rho-", 14.2)],
)
def test_widths_of_the_paper(parent, meson, published):
    """10^12 |V|^2 s^-1; D. Scora, N. Isgur, hep-ph/9503486, tables; masses have moved since."""
    a, b = TABLE.by_name(parent), TABLE.by_name(meson)
    found = width(a.mass, b.mass, M_E, lambda q2: terms(parent, meson, q2))
    assert abs(found / published - 1) < 0.01


def test_heavy_quark_symmetry_at_zero_recoil():
    """Normalised to 1 there, but for 1/m^2 and radiative corrections; j = 1/2 P waves vanish."""
    b, d_star = TABLE.by_name("B0").mass, TABLE.by_name("D*-").mass
    f = form_factors("B0", "D*-", (b - d_star) ** 2)[0]
    assert abs(f / (2 * np.sqrt(b * d_star)) - 0.91) < 0.02  # F(1) of B -> D*
    d_1 = TABLE.by_name("D'_1-").mass
    assert abs(form_factors("B0", "D'_1-", (b - d_1) ** 2)[0]) < 0.05


STATES = [
    ("B-", "D0", "tau-"),
    ("B-", "D*0", "tau-"),
    ("B-", "D_10", "tau-"),
    ("B-", "D'_10", "mu-"),
    ("B-", "D_0*0", "tau-"),
    ("B-", "D_2*0", "tau-"),
    ("B-", "D(2S)0", "mu-"),
    ("anti-B0", "a_2+", "mu-"),
    ("anti-B0", "b_1+", "tau-"),
    ("anti-B0", "a_1+", "tau-"),
    ("D+", "anti-K*0", "mu+"),
    ("D0", "K_2*-", "e+"),
    ("D_s+", "phi", "mu+"),
    ("anti-B_s0", "D_s2*+", "mu-"),
]


@pytest.mark.parametrize(("parent", "meson", "lepton"), STATES)
def test_amplitude_has_the_rate_of_the_helicities(parent, meson, lepton):
    """Sum over spins and integral over the lepton's angle, at three q^2 and for both charges."""
    a, b, ell = (TABLE.by_name(name) for name in (parent, meson, lepton))
    nu = {"e": "nu_e", "m": "nu_mu", "t": "nu_tau"}[lepton[0]]
    ids = [a.pdgid, b.pdgid, ell.pdgid, TABLE.by_name(nu).pdgid * -np.sign(ell.pdgid)]
    parameters = MODEL.prepare((), a, [b])
    grid, weights = np.polynomial.legendre.leggauss(8)
    low, high = ell.mass**2, (a.mass - b.mass) ** 2
    ratios = []
    for q2 in low + (high - low) * np.array([0.1, 0.5, 0.95]):
        p = decays(a.mass, b.mass, ell.mass, q2, grid)
        expected = rate(a.mass, b.mass, ell.mass, q2, terms(parent, meson, q2))
        expected /= momentum(a.mass, b.mass, q2) * (1 - low / q2)  # two-body phase spaces
        for sign in (1, -1):
            amplitude = amplitudes("ISGW2", np.array(ids) * sign, p, (b.spin2 + 1, 2), parameters)
            found = weights @ np.sum(abs(amplitude) ** 2, axis=(1, 2))
            ratios.append(found / expected * a.mass**-2)
    np.testing.assert_allclose(ratios, ratios[0], rtol=1e-9)


def test_every_semileptonic_decay_to_one_meson_has_its_state():
    assert MODEL.problem((), TABLE.by_name("B0"), _particles("K+", "mu-", "anti-nu_mu")) == (
        "ISGW2 does not know the transition B0 -> K+"
    )
    assert "takes 0 parameters, found 1" in MODEL.problem(
        (1.0,), TABLE.by_name("B0"), _particles("pi-", "mu+", "nu_mu")
    )
    assert "decays to a scalar or vector or tensor, a lepton" in MODEL.problem(
        (), TABLE.by_name("B0"), _particles("p+", "mu+", "nu_mu")
    )


def _particles(*names):
    return [TABLE.by_name(name) for name in names]
