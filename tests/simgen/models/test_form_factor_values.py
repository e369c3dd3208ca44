"""Form factors of HQET3 and LLSW against numbers of another program, rates against the papers.

The numbers are those the unit tests of Hammer (F. U. Bernlochner et al., EPJC 80 (2020) 883,
arXiv:2002.00020) expect at one q^2 each, to the digits given there; for D_2* its formula evaluated.
"""

from __future__ import annotations

import numpy as np
import pytest
import test_heavy_quark
import test_llsw
from decays import make_decay_generator
from helicities import rate, width
from scipy import integrate, stats
from weak import boost, dot

from simgen.models.form_factors_cln import scalar_form_factors, vector_form_factors
from simgen.models.llsw import (
    d0_form_factors,
    d1_broad_form_factors,
    d1_form_factors,
    d2_form_factors,
)

LEAST = 1e-3  # p-value
N = 60_000
M_B, M_D, M_DST, M_TAU, M_E = 5.27934, 1.86484, 2.00685, 1.77686, 0.000510998950


@pytest.mark.parametrize(
    ("function", "mass", "leading", "others", "expected"),
    [
        (d0_form_factors, 2.349, (0.68, -0.2), (0.3,), (-0.174548, 0.675519)),
        (
            d1_broad_form_factors,
            2.427,
            (0.68, -0.2),
            (0.3,),
            (0.0182009, 0.144814, -0.822598, 0.677783),
        ),
        (
            d1_form_factors,
            2.423,
            (0.71, -1.6),
            (-0.5, 2.9),
            (-0.386631, -2.08835, 1.17527, -0.743488),
        ),
        (
            d2_form_factors,
            2.461,
            (0.71, -1.6),
            (-0.5, 2.9),
            (-1.35136, 0.241897, 0.0822797, 0.159617),
        ),
    ],
)
def test_excited_charm_at_half_a_gev(function, mass, leading, others, expected):
    """At |p| = 0.5 GeV; a leading form factor of value and slope, where LLSW has their ratio."""
    w = np.hypot(mass, 0.5) / mass
    found = function(w, leading[0] + leading[1] * (w - 1), *others)
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_d_of_caprini_lellouch_neubert():
    f_plus, f_zero = scalar_form_factors(5.28, 1.869, 6.224640242906684, 1.186, 1.082, 1.0)
    assert f_plus == pytest.approx(0.911495, rel=2e-6)
    assert f_zero == pytest.approx(0.793366, rel=2e-6)


def test_d_star_of_caprini_lellouch_neubert():
    """f, g, a_+ and a_-, which has A_0, in powers of GeV; g = V/(M + m)."""
    mass, meson, q2 = 5.28, 2.007, 8.051988743999999
    a0, a1, a2, v = vector_form_factors(mass, meson, q2, 1.207, 0.908, 1.15, 1.401, 0.854)
    total = mass + meson
    minus = (2 * meson * a0 - total * a1 + (mass - meson) * a2) / q2
    np.testing.assert_allclose(
        (total * a1, v / total, minus, -a2 / total),
        (5.426573911221199, 0.16704618345474333, 0.1326215559184461, -0.10442321895879478),
        rtol=1e-12,
    )


def test_ratios_with_the_inputs_of_the_papers(monkeypatch):
    """R(D) = 0.305, R(D*) = 0.252, P_tau(D) = 0.325, F_L(D*) = 0.457 to one percent.

    M. Tanaka, R. Watanabe, Phys. Rev. D 87 (2013) 034028, arXiv:1212.1878, for rho_1^2 = 1.186,
    Delta = 1, rho_A1^2 = 1.207, R_0(1) = 1.14, R_1(1) = 1.403, R_2(1) = 0.854; e and mu averaged.
    """
    monkeypatch.setattr(test_heavy_quark, "D_PARAMETERS", (1.0, 1.186, 1.0))
    monkeypatch.setattr(test_heavy_quark, "DST_PARAMETERS", (1.0, 1.207, 1.14, 1.403, 0.854))
    for mass, terms, published in (
        (M_D, test_heavy_quark.d_terms, 0.305),
        (M_DST, test_heavy_quark.dst_terms, 0.252),
    ):
        light = [width(M_B, mass, m, terms) for m in (M_E, test_heavy_quark.M_MU)]
        assert width(M_B, mass, M_TAU, terms) / np.mean(light) == pytest.approx(published, rel=0.01)
    left, right, _ = test_heavy_quark.tau_sums(test_heavy_quark.d_terms, M_D)
    assert (right - left) / (right + left) == pytest.approx(0.325, rel=0.01)
    left, right, longitudinal = test_heavy_quark.tau_sums(test_heavy_quark.dst_terms, M_DST)
    assert longitudinal / (left + right) == pytest.approx(0.457, rel=0.01)


def textbook(meson, m_l, w):
    """Return dGamma/dw of D, and of D* transverse and longitudinal, from V_1, S_1 and h_A1.

    Caprini, Lellouch, Neubert, eqs. 1 and 27-36, with the mass of the lepton as in 1212.1878.
    """
    r = meson / M_B
    hat = 1 - 2 * r * w + r * r
    x = (m_l / M_B) ** 2 / hat
    flux = np.sqrt(w * w - 1) * (1 - x) ** 2 * hat
    z = (np.sqrt(w + 1) - np.sqrt(2)) / (np.sqrt(w + 1) + np.sqrt(2))
    u = w - 1
    if meson == M_D:
        rho2 = test_heavy_quark.D_PARAMETERS[1]
        v1 = 1 - 8 * rho2 * z + (51 * rho2 - 10) * z**2 - (252 * rho2 - 84) * z**3
        s1 = v1 * (1 - 0.019 + 0.041 * u - 0.015 * u * u)
        zero, timelike = (1 + r) * np.sqrt(w * w - 1) * v1, (1 - r) * (w + 1) * s1
        return flux * ((1 + x / 2) * zero**2 + 1.5 * x * timelike**2) / hat
    _, rho2, r0, r1, r2 = test_heavy_quark.DST_PARAMETERS
    h = 1 - 8 * rho2 * z + (53 * rho2 - 15) * z**2 - (231 * rho2 - 91) * z**3
    r0, r1, r2 = (
        r0 - 0.11 * u + 0.01 * u * u,
        r1 - 0.12 * u + 0.05 * u * u,
        r2 + 0.11 * u - 0.06 * u * u,
    )
    side = 2 * hat * (1 + u / (w + 1) * r1**2)
    zero = (1 - r + u * (1 - r2)) ** 2
    timelike = (1 + r) ** 2 * u / (w + 1) * r0**2
    scale = flux * h * h * (w + 1) ** 2 / hat
    return scale * (1 + x / 2) * side, scale * ((1 + x / 2) * zero + 1.5 * x * timelike)


@pytest.mark.parametrize("m_l", [M_E, M_TAU])
def test_rates_are_those_of_the_textbook(m_l):
    """Of the model's form factors by helicities, against the formulas in V_1, S_1 and h_A1."""
    for mass, terms in ((M_D, test_heavy_quark.d_terms), (M_DST, test_heavy_quark.dst_terms)):
        top = (M_B**2 + mass**2 - m_l**2) / (2 * M_B * mass)
        w = np.linspace(1, top, 7)[1:-1]
        q2 = M_B**2 + mass**2 - 2 * M_B * mass * w
        found = np.array([rate(M_B, mass, m_l, each, terms(each)) for each in q2])
        ratio = found / np.array([np.sum(textbook(mass, m_l, each)) for each in w])
        np.testing.assert_allclose(ratio, ratio[0], rtol=1e-9)


def events(folder, line, extra="", n=N, before=""):
    before = f"Particle B- {M_B} 0\nParticle D0 {M_D} 0\nParticle D*0 {M_DST} 0\n{before}\n{extra}"
    generator = make_decay_generator(folder, "B-", M_B, line, before)
    block = generator.generate(np.arange(n), 11)
    assert generator.problems() == ()
    return block.p4.reshape(n, -1, 4)


def recoil(p, meson):
    return p[:, 1, 3] / meson


def distribution(density, meson, m_l):
    """Return the distribution function of w."""
    top = (M_B**2 + meson**2 - m_l**2) / (2 * M_B * meson)
    u = np.linspace(0, 1, 20_001)[1:-1]
    w = 1 + (top - 1) * u**2
    running = np.concatenate([[0.0], np.cumsum(density(w) * u)])
    edges = 1 + (top - 1) * (np.linspace(0, 1, 20_000) * (1 - 5e-5) + 2.5e-5) ** 2
    return lambda value: np.interp(value, edges, running / running[-1])


@pytest.mark.parametrize(("lepton", "m_l"), [("e- anti-nu_e", M_E), ("tau- anti-nu_tau", M_TAU)])
def test_recoil_of_d_in_events(tmp_path, lepton, m_l):
    norm, *others = test_heavy_quark.D_PARAMETERS
    line = f"D0 {lepton} HQET3 {norm} {others[0]} {others[1]}"
    p = events(tmp_path, line)
    expected = distribution(lambda w: textbook(M_D, m_l, w), M_D, m_l)
    assert stats.kstest(recoil(p, M_D), expected).pvalue > LEAST


@pytest.mark.parametrize(("lepton", "m_l"), [("e- anti-nu_e", M_E), ("tau- anti-nu_tau", M_TAU)])
def test_recoil_and_polarisation_of_d_star_in_events(tmp_path, lepton, m_l):
    """The D0 is emitted as 3/2 F_L cos^2 + 3/4 (1 - F_L) sin^2 about the D*'s direction."""
    line = f"D*0 {lepton} HQET3 {' '.join(str(v) for v in test_heavy_quark.DST_PARAMETERS)}"
    p = events(tmp_path, line, "Decay D*0\n1.0 D0 pi0 VSS;\nEnddecay\n")
    expected = distribution(lambda w: sum(textbook(M_DST, m_l, w)), M_DST, m_l)
    assert stats.kstest(recoil(p, M_DST), expected).pvalue > LEAST
    top = (M_B**2 + M_DST**2 - m_l**2) / (2 * M_B * M_DST)
    side, along = (
        integrate.quad(lambda w, k=k: textbook(M_DST, m_l, w)[k], 1, top)[0] for k in range(2)
    )
    fraction = along / (side + along)
    d_star = p[:, 1]
    backwards = d_star * [-1.0, -1.0, -1.0, 1.0]
    d = boost(p[:, 4], backwards)[:, :3]
    cosine = np.sum(d * d_star[:, :3], axis=1)
    cosine /= np.linalg.norm(d, axis=1) * np.linalg.norm(d_star[:, :3], axis=1)

    def below(c):
        return 0.5 * fraction * (c**3 + 1) + 0.25 * (1 - fraction) * (3 * c - c**3 + 2)

    assert stats.kstest(cosine, below).pvalue > LEAST


@pytest.mark.parametrize(
    ("meson", "parameters", "published"),
    [
        ("D_0*0", test_llsw.BROAD, test_llsw.d0_rate),
        ("D_10", test_llsw.NARROW, test_llsw.d1_rate),
        ("D'_10", test_llsw.BROAD, test_llsw.d1_broad_rate),
        ("D_2*0", test_llsw.NARROW, test_llsw.d2_rate),
    ],
)
def test_recoil_of_excited_charm_in_events(tmp_path, meson, parameters, published):
    """The published rates, times sqrt(w^2 - 1), integrated over the angle of the lepton."""
    mass = test_llsw.TABLE.by_name(meson).mass
    line = f"{meson} e- anti-nu_e LLSW {' '.join(str(v) for v in parameters)}"
    p = events(tmp_path, line, before=f"Particle {meson} {mass} 0")
    c, weights = np.polynomial.legendre.leggauss(4)

    def density(w):
        over = sum(wt * published(w, mass / M_B, cos) for cos, wt in zip(c, weights, strict=True))
        return np.sqrt(w * w - 1) * over

    assert stats.kstest(recoil(p, mass), distribution(density, mass, M_E)).pvalue > LEAST
    assert dot(p[:, 1], p[:, 1]) == pytest.approx(mass**2)
