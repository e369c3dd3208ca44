"""BTOXSLL against traces of Dirac matrices, published rates, and integrals of its convolution."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from decays import make_decay_generator
from dirac import GAMMA, GAMMA5, METRIC, UNIT, slash
from scipy import integrate, special, stats
from weak import boost, dot

from simgen.errors import DecayFileError
from simgen.models.btoxsll_rate import angular_rate, corrected_rate, gluon_corrections
from simgen.models.wilson import coefficient_parts

M_B, M_E, M_MU, M_TAU = 5.27934, 0.000510998950, 0.1056583755, 1.77686
N = 60_000
LEAST = 1e-3  # p-value
BEFORE = "Particle B- 5.27934 0\nParticle B0 5.27934 0\n"

LEFT, RIGHT = 0.5 * (UNIT - GAMMA5), 0.5 * (UNIT + GAMMA5)


def squared_by_traces(m_b, m_s, m_l, q2, z, c7, c9, c10):
    """Return the squared amplitude summed over spins, from its currents; order (x, y, z, t)."""
    energy = (m_b**2 + m_s**2 - q2) / (2 * m_b)
    p = np.sqrt(energy**2 - m_s**2)
    b, s = np.array([0, 0, 0, m_b]), np.array([0, 0, -p, energy])
    q = b - s
    k = np.sqrt(q2 / 4 - m_l**2)
    side = np.array([k * np.sqrt(1 - z * z), 0, k * z])
    minus, plus = (boost(np.array([*(sign * side), np.sqrt(q2) / 2]), q) for sign in (1, -1))
    mix = m_b * RIGHT + m_s * LEFT
    quark, lepton, axial = [], [], []
    for g in GAMMA:
        sigma_q = -0.5 * (g @ slash(q) - slash(q) @ g)  # i sigma^mu,nu q_nu
        quark.append((c9 * g @ LEFT - 2 * c7 / q2 * sigma_q @ mix, c10 * g @ LEFT))
        lepton.append(g)
        axial.append(g @ GAMMA5)

    def bar(vertex):
        return GAMMA[3] @ vertex.conj().T @ GAMMA[3]

    total = 0
    for mu in range(4):
        for nu in range(4):
            for left, first in ((0, lepton), (1, axial)):
                for right, second in ((0, lepton), (1, axial)):
                    hadrons = np.trace(
                        (slash(s) + m_s * UNIT) @ quark[mu][left]
                        @ (slash(b) + m_b * UNIT) @ bar(quark[nu][right])
                    )  # fmt: skip
                    leptons = np.trace(
                        (slash(minus) + m_l * UNIT) @ first[mu]
                        @ (slash(plus) - m_l * UNIT) @ bar(second[nu])
                    )  # fmt: skip
                    total += METRIC[mu, mu] * METRIC[nu, nu] * hadrons * leptons
    return total.real * p / m_b**2 * np.sqrt(1 - 4 * m_l**2 / q2)


@pytest.mark.parametrize(
    ("m_s", "m_l", "q2"), [(0.0, 0.0, 3.0), (0.5, 0.3, 0.9), (0.2, 1.777, 15.0), (0.9, 1.0, 12.0)]
)
def test_rate_and_angle_are_the_traces(m_s, m_l, q2):
    c = (-0.31 + 0.06j, 4.2 + 0.4j, -4.2)
    a = angular_rate(4.8, m_s, m_l, q2, c)
    z = np.linspace(-0.9, 0.9, 5)
    expected = [squared_by_traces(4.8, m_s, m_l, q2, each, *c) for each in z]
    ratio = (a[0] + a[1] * z + a[2] * z**2) / expected
    np.testing.assert_allclose(ratio, 1.0, rtol=1e-10)


def kruger_sehgal(w, m_s, m_l, q2, c77, c99, c1010, c79):
    """F. Krueger, L. M. Sehgal, Phys. Lett. B 380 (1996) 199, with all masses, times W^5."""
    s, x, y = q2 / w**2, (m_s / w) ** 2, (m_l / w) ** 2
    lam = np.maximum(1 + s * s + x * x - 2 * (s + s * x + x), 0)
    f1 = (1 - x) ** 2 - s * (1 + x)
    f2 = 2 * (1 + x) * (1 - x) ** 2 - s * (1 + 14 * x + x * x) - s * s * (1 + x)
    f3 = (1 - x) ** 2 + s * (1 + x) - 2 * s * s + lam * 2 * y / s
    inner = (12 * c79 * f1 + 4 * c77 * f2 / s) * (1 + 2 * y / s) + (c99 + c1010) * f3
    inner = inner + 6 * y * (c99 - c1010) * (1 - s + x)
    return w**3 * np.sqrt(lam * np.maximum(1 - 4 * y / s, 0)) * inner  # dq^2 = W^2 ds


def omega(s, scale):
    """Return omega_7, omega_79, omega_9 of hep-ph/0109140."""
    a, b = np.log(s), np.log1p(-s)
    base = -4 / 3 * special.spence(1 - s) - 2 / 3 * b * a - 2 / 9 * np.pi**2
    nine = (
        base
        - (5 + 4 * s) / 3 / (1 + 2 * s) * b
        + (5 + 9 * s - 6 * s**2) / 6 / (1 - s) / (1 + 2 * s)
    )
    nine -= 2 * s * (1 + s) * (1 - 2 * s) / 3 / (1 - s) ** 2 / (1 + 2 * s) * a
    seven = base - 8 / 3 * scale - (8 + s) / 3 / (2 + s) * b
    seven -= 2 / 3 * s * (2 - 2 * s - s**2) / (1 - s) ** 2 / (2 + s) * a
    seven -= (16 - 11 * s - 17 * s**2) / 18 / (2 + s) / (1 - s)
    mixed = base - 4 / 3 * scale - (2 + 7 * s) / 9 / s * b
    mixed += -2 / 9 * s * (3 - 2 * s) / (1 - s) ** 2 * a + (5 - 9 * s) / 18 / (1 - s)
    return seven, mixed, nine


def expected_rate(w, m_s, m_l, q2, m_b=4.8):
    """Return dGamma/dq^2 of a b quark of mass w, for arrays w (n, 1) and q^2 (n, m)."""
    parts = np.array([coefficient_parts(q, 0j) for q in np.ravel(q2) / m_b**2]).T
    c7, d7, c9, d9, c10 = (part.reshape(np.shape(q2)) for part in parts)
    low = q2 < 0.25 * m_b**2
    unit = np.where(low, 0.215, 0.267) / np.pi
    s = np.minimum(q2 / w**2, 0.999)
    seven, mixed, nine = omega(s, np.log(np.where(low, 5.0, 2.5) / 4.8))

    def massless(c77, c99, c1010, c79):
        return (1 + 2 * s) * (c99 + c1010) + 4 * (1 + 2 / s) * c77 + 12 * c79

    def products(f7, f79, f9):
        return (
            abs(f7 * c7 + d7) ** 2,
            abs(f9 * c9 + d9) ** 2,
            abs(f9 * c10) ** 2,
            ((f79 * c7 + d7) * np.conj(f79 * c9 + d9)).real,
        )

    plain = products(1, 1, 1)
    full = products(1 + unit * seven, 1 + unit * mixed, 1 + unit * nine)
    return kruger_sehgal(w, m_s, m_l, q2, *plain) * massless(*full) / massless(*plain)


@pytest.mark.parametrize(("m_s", "m_l"), [(0.0, 0.1), (0.2, 1.777), (0.5, 0.3)])
def test_rate_in_q2_is_the_published_one(m_s, m_l):
    q2 = np.linspace(4 * m_l**2 * 1.01, (4.6 - m_s) ** 2 * 0.99, 30)
    found = np.array([corrected_rate(4.6, m_s, m_l, each, 4.8) for each in q2])
    ratio = (found[:, 0] + found[:, 2] / 3) / expected_rate(4.6, m_s, m_l, q2)
    np.testing.assert_allclose(ratio, ratio[0], rtol=1e-8)


def test_soft_gluons_of_a_vector_current_are_those_of_b_to_u():
    """Total rate of b -> u l nu: -(2/3)(pi^2 - 25/4) alpha_s/pi, T. van Ritbergen (1999)."""
    correction = integrate.quad(
        lambda s: 4 * (1 - s) ** 2 * (1 + 2 * s) * gluon_corrections(s, 0.0)[2], 0, 1
    )[0]
    assert correction == pytest.approx(-2 / 3 * (np.pi**2 - 25 / 4), rel=1e-4)


def test_electrons_to_muons_is_the_published_ratio():
    """Hep-ph/0112300: 6.89 and 4.15 in 1e-6, for all q^2 above 4 m_l^2 and m_s = 0."""

    def total(m_l):
        low, high = np.log(4 * m_l**2), np.log(4.8**2 * (1 - 1e-6))
        ends = [low, np.log(0.25 * 4.8**2), high]
        return sum(
            integrate.quad(
                lambda t: np.exp(t) * expected_rate(4.8, 0.0, m_l, np.exp(t)), *each, limit=200
            )[0]
            for each in pairwise(ends)
        )

    assert total(M_E) / total(M_MU) == pytest.approx(6.89 / 4.15, rel=0.01)


def events(folder, line, n=N, parent="B-", seed=3):
    block_generator = make_decay_generator(folder, parent, M_B, line, BEFORE)
    block = block_generator.generate(np.arange(n), seed)
    assert block_generator.problems() == ()
    return block.p4.reshape(n, 4, 4)


def mass(p):
    return np.sqrt(np.maximum(dot(p, p), 0.0))


def convolution(m_l, m_s, m_q, p_f, least):
    """Return points of q^2, lowest and highest mass^2 of X_s there, and weights.

    In the rest frame of the b quark the spectator has the energy (M^2 - W^2 - m_q^2) / 2 W, and
    the s quark is isotropic: the squared mass of both is flat.
    """
    u, wu = np.polynomial.legendre.leggauss(160)
    v, wv = np.polynomial.legendre.leggauss(200)
    top = np.sqrt(((M_B**2 + m_q**2) / (2 * M_B)) ** 2 - m_q**2)
    p, wp = (u[:, None] + 1) / 2 * min(5 * p_f, top), wu[:, None]
    w = np.sqrt(np.maximum(M_B**2 + m_q**2 - 2 * M_B * np.hypot(p, m_q), 0))
    p, wp, w = (x[w[:, 0] > m_s + 2 * m_l] for x in (p, wp, w))
    low, end = np.log(4 * m_l**2), 0.25 * 4.8**2  # where the coefficients have a step
    found = []
    for a, ends in ((low, np.log(end)), (np.log(end), None)):
        top = np.log((w - m_s) ** 2)
        b = np.minimum(top, ends) if ends is not None else top
        start = np.minimum(np.full_like(b, max(a, low)), b)
        t = start + (b - start) * (v + 1) / 2
        q2 = np.exp(t)
        rate = expected_rate(w, m_s, m_l, q2) * q2 * (b - start) * wv
        weight = rate * wp * p**2 * np.exp(-((p / p_f) ** 2)) * w / np.hypot(w, p)
        e_s = (w**2 + m_s**2 - q2) / (2 * w)
        e_q = (M_B**2 - w**2 - m_q**2) / (2 * w)
        k = np.sqrt(np.maximum(e_s**2 - m_s**2, 0) * np.maximum(e_q**2 - m_q**2, 0))
        middle = m_s**2 + m_q**2 + 2 * e_s * e_q
        found.append([np.broadcast_to(x, q2.shape).ravel()
                      for x in (q2, middle - 2 * k, middle + 2 * k, weight)])  # fmt: skip
    q2, first, last, weight = (np.concatenate(x) for x in zip(*found, strict=True))
    begin = np.maximum(first, least**2)
    share = np.clip(last - begin, 0, None) / np.maximum(last - first, 1e-300)
    keep = weight * share > 0
    return q2[keep], begin[keep], last[keep], (weight * share)[keep]


CASES = [
    ("anti-Xsu e- e+ BTOXSLL", M_E, (0.2, 0.0, 0.41, 1.1)),
    ("anti-Xsu mu- mu+ BTOXSLL 4.8 0.2 0.0 0.41", M_MU, (0.2, 0.0, 0.41, 1.1)),
    ("anti-Xsu mu+ mu- BTOXSLL 4.8 0.3 0.15 0.3 0.7", M_MU, (0.3, 0.15, 0.3, 0.7)),
    ("anti-Xsu tau- tau+ BTOXSLL 4.8 0.2 0.0 0.41", M_TAU, (0.2, 0.0, 0.41, 1.1)),
]


@pytest.mark.parametrize(("line", "m_l", "values"), CASES)
def test_q2_and_mass_of_x(tmp_path, line, m_l, values):
    p = events(tmp_path, line)
    np.testing.assert_allclose(p[:, 1:].sum(axis=1), p[:, 0], atol=1e-9)
    np.testing.assert_allclose(mass(p[:, 2]), m_l, atol=2e-5)
    q2, first, last, weight = convolution(m_l, *values)
    order = np.argsort(q2)
    cumulative = np.cumsum(weight[order]) - 0.5 * weight[order]
    at, below = np.log(q2[order]), cumulative / weight.sum()
    seen = np.log(dot(p[:, 2] + p[:, 3], p[:, 2] + p[:, 3]))
    assert stats.kstest(seen, lambda t: np.interp(t, at, below)).pvalue > LEAST
    grid = np.linspace(values[-1], 4.5, 300)
    inside = [np.sum(weight * np.clip((m * m - first) / (last - first), 0, 1)) for m in grid]
    found = stats.kstest(mass(p[:, 1]), lambda m: np.interp(m, grid, np.array(inside) / inside[-1]))
    assert found.pvalue > LEAST


@pytest.mark.parametrize(
    ("parent", "line", "negative"),
    [
        ("B-", "anti-Xsu mu- mu+", 2),
        ("B-", "anti-Xsu mu+ mu-", 3),
        ("B0", "Xsd mu- mu+", 3),
        ("B0", "Xsd mu+ mu-", 2),
    ],
)
def test_angle_of_the_leptons(tmp_path, parent, line, negative):
    """A b quark at rest, of 4.8 GeV: the l- of a b quark, the l+ of an antiquark; SM asymmetry."""
    p = events(tmp_path, f"{line} BTOXSLL 4.8 0.2 {M_B - 4.8} 0.0 0.0", parent=parent)
    pair, chosen = p[:, 2] + p[:, 3], p[:, negative]
    q2 = dot(pair, pair)
    # l.X = E_l E_X - |l||X| cos(l, X) in the rest frame of the pair; z is against X
    at_rest = dot(chosen, pair) / np.sqrt(q2), dot(p[:, 1], pair) / np.sqrt(q2)
    sizes = np.sqrt((at_rest[0] ** 2 - M_MU**2) * (at_rest[1] ** 2 - dot(p[:, 1], p[:, 1])))
    z = (dot(chosen, p[:, 1]) - at_rest[0] * at_rest[1]) / sizes
    for low, high, sign in ((0.1, 3.0, -1), (6.0, 12.0, 1), (12.0, 22.0, 1)):
        x, weights = np.polynomial.legendre.leggauss(100)
        grid = low + (min(high, 4.6**2) - low) * (x + 1) / 2
        rates = np.array([corrected_rate(4.8, 0.2, M_MU, q, 4.8) for q in grid])
        a, b, c = weights @ rates
        here = z[(q2 > low) & (q2 < high)]
        norm = 2 * a + 2 * c / 3

        def below(v, a=a, b=b, c=c, norm=norm):
            return (a * (v + 1) + b / 2 * (v**2 - 1) + c / 3 * (v**3 + 1)) / norm

        assert stats.kstest(here, below).pvalue > LEAST
        forward = np.sum(here > 0)
        assert stats.binomtest(int(forward), len(here), 0.5 + b / 2 / norm).pvalue > LEAST
        assert sign * (2 * forward - len(here)) > 5 * np.sqrt(len(here))


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("anti-Xsu e- e+ BTOXSLL 4.8 0.2", "takes 0, 4 or 5 parameters, found 2"),
        ("anti-Xsu e- e+ BTOXSLL 4.8 0.2 0.0 x", "takes a number for p_F, found 'x'"),
        ("anti-Xsu e- e+ BTOXSLL 6.8 0.2 0.0 0.4", "needs m_b between 0 and 5.2"),
        ("anti-Xsu e- e+ BTOXSLL 4.8 -0.2 0.0 0.4", "no negative masses"),
        ("anti-Xsu tau- tau+ BTOXSLL 4.8 0.2 0.0 0.4 1.8", "has too little for it"),
        ("anti-Xsu mu- mu+ BTOXSLL 4.8 0.2 0.0 0.1 2.5", "it makes at most 1.789"),
        ("anti-Xsu mu- e+ BTOXSLL", "a charged lepton and its antiparticle"),
        ("K- e- e+ BTOXSLL", "makes Xsd, Xsu or Xss and two leptons"),
    ],
)
def test_what_is_wrong_is_said(tmp_path, line, message):
    with pytest.raises(DecayFileError, match=message) as found:
        events(tmp_path, line, n=1)
    assert "decay.dec:" in str(found.value)
