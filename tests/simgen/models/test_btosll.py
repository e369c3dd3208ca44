"""BTOSLLBALL against the double differential rates and branching fractions of the papers."""

from __future__ import annotations

import numpy as np
import pytest
from chains import P_MIN, child_rows, make_events, rows_of
from helicities import momentum
from scipy import stats
from weak import amplitudes, boost, dot, two_body

from simgen.models import find_model
from simgen.models.btosll_form_factors import form_factor_rows
from simgen.models.wilson import quark_loop, wilson_coefficients
from simgen.particles import particle_table

TABLE = particle_table()
MODEL = find_model("BTOSLLBALL")
M_B = TABLE.by_name("B-").mass
M_B_DIPOLE = 4.4
G_F, ALPHA, V_TS, TAU_B = 1.16637e-5, 1 / 133, 0.0385, 1.65e-12 / 6.582119569e-25


def form_factors(meson, q2, which):
    """Return all form factors of B -> meson at q^2, in the order of the tables."""
    _, rows = form_factor_rows(TABLE.by_name("B-"), TABLE.by_name(meson), which)
    s = q2 / M_B**2

    def value(row):
        kind, *c = row
        if kind == 0:
            return c[0] * np.exp(c[1] * s + c[2] * s**2 + c[3] * s**3)
        if kind == 1:
            return c[0] / (1 - c[1] * s + c[2] * s**2)
        return c[0] / (1 - q2 / c[1]) + c[2] / (1 - q2 / c[3]) ** (2 if c[4] else 1)

    return [value(row) for row in rows]


def scalar_density(q2, u, meson, lepton, which=1):
    """Eq. 3.20 of hep-ph/9910221: dGamma/ds du of B -> K l l."""
    m, s, ml2 = TABLE.by_name(meson).mass / M_B, q2 / M_B**2, (lepton / M_B) ** 2
    f_plus, f_zero, f_t = form_factors(meson, q2, which)
    c7, c9, c10 = wilson_coefficients(q2, 0j)
    f_minus = (f_zero - f_plus) * (1 - m * m) / s
    a = c9 * f_plus + 2 * M_B_DIPOLE / M_B / (1 + m) * c7 * f_t
    c, d = c10 * f_plus, c10 * f_minus
    lam = 1 + m**4 + s * s - 2 * s - 2 * m * m * (1 + s)
    return (
        (abs(a) ** 2 + c * c) * (lam - u * u)
        + c * c * 4 * ml2 * (2 + 2 * m * m - s)
        + c * d * 8 * ml2 * (1 - m * m)
        + d * d * 4 * ml2 * s
    )


def vector_density(q2, u, meson, lepton, which=1):
    """Eq. 3.22: dGamma/ds du of B -> K* l l."""
    m, s, ml2 = TABLE.by_name(meson).mass / M_B, q2 / M_B**2, (lepton / M_B) ** 2
    v, a0, a1, a2, t1, t2, t3 = form_factors(meson, q2, which)
    if which == 6:
        t3 = (t3 - t2) * (1 - m * m) / s
    c7, c9, c10 = wilson_coefficients(q2, 0j)
    mb = M_B_DIPOLE / M_B
    lower = (1 + m) * a1 - (1 - m) * a2 - 2 * m * a0
    a = 2 / (1 + m) * c9 * v + 4 * mb / s * c7 * t1
    b = (1 + m) * (c9 * a1 + 2 * mb / s * (1 - m) * c7 * t2)
    c = ((1 - m) * c9 * a2 + 2 * mb * c7 * (t3 + (1 - m * m) / s * t2)) / (1 - m * m)
    e, f = 2 / (1 + m) * c10 * v, (1 + m) * c10 * a1
    g, h = c10 * a2 / (1 + m), c10 / s * lower
    lam = 1 + m**4 + s * s - 2 * s - 2 * m * m * (1 + s)
    w, k = lam - u * u, 1 - m * m - s
    total = abs(a) ** 2 / 4 * (s * (lam + u * u) + 4 * ml2 * lam)
    total += e * e / 4 * (s * (lam + u * u) - 4 * ml2 * lam)
    total += abs(b) ** 2 / (4 * m * m) * (w + 8 * m * m * (s + 2 * ml2))
    total += f * f / (4 * m * m) * (w + 8 * m * m * (s - 4 * ml2))
    total -= 2 * s * u * ((b * e).real + (a * f).real)
    total += lam / (4 * m * m) * (abs(c) ** 2 * w + g * g * (w + 4 * ml2 * (2 + 2 * m * m - s)))
    total -= ((b * np.conj(c)).real * k * w + f * g * (k * w + 4 * ml2 * lam)) / (2 * m * m)
    total -= 2 * ml2 / m**2 * lam * (f * h - g * h * (1 - m * m))
    return total + ml2 / m**2 * s * lam * h * h


def decays(meson, lepton, q2, cosines):
    """Return B -> meson l l, the first lepton at `cosines` to the meson in the frame of q."""
    mass = TABLE.by_name(meson).mass
    p = momentum(M_B, mass, q2)
    sine = np.sqrt(1 - cosines**2)
    n = np.stack([sine * np.cos(0.3), sine * np.sin(0.3), cosines], axis=1)
    pair = np.tile([0, 0, -p, np.hypot(p, np.sqrt(q2))], (len(n), 1))
    first, second = (boost(k, pair) for k in two_body(np.sqrt(q2), lepton, lepton, n))
    at_rest = np.tile([0, 0, 0, M_B], (len(n), 1))
    recoil = np.tile([0, 0, p, np.hypot(p, mass)], (len(n), 1))
    return np.stack([at_rest, recoil, first, second], axis=1)


M_E, M_MU, M_TAU = 0.000511, 0.1056584, 1.77686


@pytest.mark.parametrize("which", [1, 6])
@pytest.mark.parametrize(
    ("meson", "ids", "lepton", "density"),
    [
        ("K-", (-521, -321, 13, -13), M_MU, scalar_density),
        ("K-", (-521, -321, -15, 15), M_TAU, scalar_density),
        ("K*-", (-521, -323, 13, -13), M_MU, vector_density),
        ("K*-", (-521, -323, -15, 15), M_TAU, vector_density),
        ("K*+", (521, 323, 13, -13), M_MU, vector_density),
        ("K*-", (-521, -323, -11, 11), M_E, vector_density),
    ],
)
def test_lepton_angle_and_q2(meson, ids, lepton, density, which):
    """|A|^2 is q^2 times the density in q^2 and u = (p_B - p_+)^2 - (p_B - p_-)^2 over M^2.

    The sign of u, a matter of conventions of gamma_5 and epsilon, is that of the measured
    asymmetry, see `test_forward_backward_asymmetry_changes_sign`.
    """
    own = TABLE.by_name(meson)
    parameters = MODEL.prepare((float(which),), TABLE.by_name("B-"), [own])
    cosines = np.linspace(-0.9, 0.9, 5)
    low, high = 4 * lepton**2, (M_B - own.mass) ** 2
    ratios = []
    for q2 in low + (high - low) * np.array([0.02, 0.3, 0.6, 0.95]):
        p = decays(meson, lepton, q2, cosines)
        a = amplitudes("BTOSLLBALL", ids, p, (own.spin2 + 1, 2, 2), parameters)
        minus, plus = (2, 3) if ids[2] > 0 else (3, 2)
        u = dot(p[:, 0], p[:, minus] - p[:, plus]) * 2 / M_B**2
        if ids[0] > 0:
            u = -u  # CP
        expected = q2 * density(q2, u, meson, lepton, which)
        ratios.append(np.sum(abs(a) ** 2, axis=(1, 2, 3)) / expected)
    np.testing.assert_allclose(ratios, ratios[0][0], rtol=1e-7)


def over_angle(q2, meson, lepton, density):
    """Return dGamma/dq^2 on a grid: the density integrated over u, in which it is quadratic."""
    nodes, weights = np.polynomial.legendre.leggauss(3)
    m = TABLE.by_name(meson).mass
    u_max = 2 * momentum(M_B, m, q2) / M_B * np.sqrt(1 - 4 * lepton**2 / q2)
    values = [
        [density(x, node * top, meson, lepton) for node in nodes]
        for x, top in zip(q2, u_max, strict=True)
    ]
    return u_max * (np.array(values) @ weights)


def branching_fraction(meson, lepton, density):
    m = TABLE.by_name(meson).mass
    q2 = np.geomspace(4 * lepton**2, (M_B - m) ** 2, 4001)[1:-1]
    norm = G_F**2 * ALPHA**2 * M_B**5 / (2**11 * np.pi**5) * V_TS**2 * TAU_B
    rate = over_angle(q2, meson, lepton, density)
    return norm * np.trapezoid(q2 * rate, np.log(q2)) / M_B**2


def test_branching_fractions_of_the_standard_model():
    """0.35, 1.19 and 1.58 (+- 0.12, 0.39, 0.49) in 10^-6: hep-ph/0112300, the same form factors."""
    k_mu = branching_fraction("K-", M_MU, scalar_density)
    dst_mu = branching_fraction("K*-", M_MU, vector_density)
    dst_e = branching_fraction("K*-", M_E, vector_density)
    assert abs(k_mu / 0.35e-6 - 1) < 0.15
    assert abs(dst_mu / k_mu - 1.19 / 0.35) < 0.3
    assert abs(dst_e / dst_mu - 1.58 / 1.19) < 0.1


def test_forward_backward_asymmetry_changes_sign():
    """At q^2 of 3 to 5 GeV^2, negative below, as measured (LHCb, arXiv:1512.04442).

    The angle is that of the l- to the direction opposite to the anti-B, in the frame of the pair;
    at high q^2 the leptons are left-handed and the l- follows the pair.
    """
    asymmetry = []
    for q2 in (2.0, 6.0, 15.0):
        p = decays("K*-", M_MU, q2, np.array([-0.7, 0.7]))
        parameters = MODEL.prepare((), TABLE.by_name("B-"), [TABLE.by_name("K*-")])
        a = amplitudes("BTOSLLBALL", (-521, -323, 13, -13), p, (3, 2, 2), parameters)
        with_pair, with_meson = np.sum(abs(a) ** 2, axis=(1, 2, 3))
        asymmetry.append((with_pair - with_meson) / (with_pair + with_meson))
    assert asymmetry[0] < 0 < asymmetry[1] < asymmetry[2]


def test_quark_loops():
    """h(1, 0) = -4/9; continuous at the charm threshold, where absorption begins."""
    assert abs(quark_loop(1.0, 1e-4) + 4 / 9) < 1e-3
    below, above = (quark_loop(0.0841, 4 * 0.0841 * (1 + e)) for e in (-1e-9, 1e-9))
    assert abs(below - above) < 1e-3
    assert quark_loop(0.0841, 0.2).imag == 0 < quark_loop(0.0841, 0.5).imag


def test_wilson_coefficients():
    """Small corrections to C_7 = -0.31, C_9 = 4.2; steps of the expansion at s = 0.25 are small."""
    c7, c9, c10 = wilson_coefficients(2.0, 0j)
    assert abs(c10 + 4.213) < 1e-3
    assert -0.40 < c7.real < -0.30
    assert 4.0 < c9.real < 4.8
    low, high = (wilson_coefficients(0.25 * 4.8**2 + e, 0j) for e in (-1e-6, 1e-6))
    assert abs(low[1] - high[1]) < 0.5


def test_electrons_from_the_photon_pole_are_found(tmp_path):
    mass = TABLE.by_name("K*-").mass
    chain = (
        f"Particle B- {M_B} 0\nParticle K*- {mass} 0\n"
        "Decay B-\n1.0 K*- e+ e- BTOSLLBALL;\nEnddecay\n"
    )
    block = make_events(tmp_path, chain, 15_000, mass=M_B, root="B-")
    kaons = block.p4[child_rows(block, rows_of(block, -521))]
    q = block.p4[rows_of(block, -521)] - kaons
    q2 = dot(q, q)
    assert (q2 < 0.01).mean() > 0.1
    grid = np.geomspace(4 * M_E**2, (M_B - mass) ** 2, 2001)[1:-1]
    steps = np.cumsum(over_angle(grid, "K*-", M_E, vector_density) * grid)
    result = stats.kstest(np.log(q2), lambda x: np.interp(x, np.log(grid), steps / steps[-1]))
    assert result.pvalue > P_MIN


def test_ali_has_one_set_of_form_factors():
    """Those of K* in set 1, for any vector meson, with the masses of the decay."""
    b_s, phi, k_star = (TABLE.by_name(n) for n in ("B_s0", "phi", "K*-"))
    ali = find_model("BTOSLLALI")
    assert ali.prepare((), b_s, [phi]) == MODEL.prepare((), TABLE.by_name("B-"), [k_star])
    daughters = [phi, TABLE.by_name("mu+"), TABLE.by_name("mu-")]
    assert ali.problem((), b_s, daughters) is None
    assert "takes 0 parameters, found 1" in ali.problem((1.0,), b_s, daughters)
    assert "it has pi, eta, K" in ali.problem((), TABLE.by_name("D0"), daughters)


def test_decays_it_serves():
    def problem(parameters, parent, *names):
        daughters = [TABLE.by_name(n) for n in names]
        return MODEL.problem(parameters, TABLE.by_name(parent), daughters)

    assert problem((), "B0", "K_S0", "mu+", "mu-") is None
    assert problem((6.0,), "B_s0", "phi", "mu+", "mu-") is None
    assert "has no form factors 1 of B_s0 -> phi" in problem((), "B_s0", "phi", "mu+", "mu-")
    assert "needs a charged lepton and its antiparticle" in problem((), "B0", "K0", "mu+", "nu_mu")
    assert "takes 0 to 1 parameters" in problem((1.0, 2.0), "B0", "K0", "mu+", "mu-")
