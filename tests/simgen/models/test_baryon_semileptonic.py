"""BaryonPCR against traces of Dirac matrices, and the heavy-quark limit of its form factors."""

from __future__ import annotations

import numpy as np
import pytest
from decays import three_body
from scipy import interpolate, stats
from weak import amplitudes

from simgen.models import find_model
from simgen.models.baryon_semileptonic import form_factors
from simgen.particles import particle_table

M_B, M_MU = 5.6196, 0.1056584
DAUGHTERS = {
    "Lambda_c+": (4122, 2.28646, 2),
    "Lambda_c(2593)+": (14122, 2.59225, 2),
    "Lambda_c(2625)+": (104122, 2.6266, 4),
}
METRIC = np.diag([1, -1, -1, -1])
PAULI = np.array([[[0, 1], [1, 0]], [[0, -1j], [1j, 0]], [[1, 0], [0, -1]]])
ZERO, EYE = np.zeros((2, 2)), np.eye(2)
# the representation of Dirac and Pauli, which the code does not use
GAMMA = np.array(
    [np.block([[EYE, ZERO], [ZERO, -EYE]]), *(np.block([[ZERO, s], [-s, ZERO]]) for s in PAULI)]
)
GAMMA_5 = 1j * GAMMA[0] @ GAMMA[1] @ GAMMA[2] @ GAMMA[3]
EYE_4 = np.eye(4)


def slash(p):
    return np.einsum("m,mn,nab->ab", p, METRIC, GAMMA)


def bar(matrix):
    return GAMMA[0] @ matrix.conj().swapaxes(-1, -2) @ GAMMA[0]


def trace(name, p, values):
    """Return the sum over spins of |A|^2 from traces; p are (E, x, y, z) of parent to neutrino."""
    kind, slope, *c = values
    big, small = np.sqrt(p[0] @ METRIC @ p[0]), np.sqrt(p[1] @ METRIC @ p[1])
    v, u = p[0] / big, p[1] / small
    w = v @ METRIC @ u
    f, g = np.array(c).reshape(2, 4) * np.exp(-slope * (w**2 - 1))
    current = np.array([
        f[0] * GAMMA[m] + (f[1] * v[m] + f[2] * u[m]) * EYE_4
        - (g[0] * GAMMA[m] + (g[1] * v[m] + g[2] * u[m]) * EYE_4) @ GAMMA_5
        for m in range(4)
    ])  # fmt: skip
    if kind == 1:
        current = current @ GAMMA_5
    parent, own = slash(p[0]) + big * EYE_4, slash(p[1]) + small * EYE_4
    if DAUGHTERS[name][2] == 4:
        # indices a, b of ubar^a u^b: the Rarita-Schwinger sum over spins, both contravariant
        both = np.einsum("aij,bjk->abik", GAMMA, GAMMA)
        sums = -np.einsum("ab,ik->abik", METRIC, EYE_4) + both / 3
        sums = sums + (2 / 3) * np.einsum("a,b,ik->abik", u, u, EYE_4)
        sums = sums - np.einsum("a,bik->abik", u, GAMMA) / 3
        sums = sums + np.einsum("b,aik->abik", u, GAMMA) / 3
        own = np.einsum("ij,abjk->abik", own, sums)
        lower = np.einsum("ab,b->a", METRIC, v)
        full = np.einsum("a,mij->amij", lower, current)
        last = f[3] * EYE_4 - g[3] * GAMMA_5
        full = full + np.einsum("am,ij->amij", np.eye(4), last)  # g_a^m
        hadrons = np.einsum("baij,amjk,kl,bnli->mn", own, full, parent, bar(full), optimize=True)
    else:
        hadrons = np.einsum("mij,nji->mn", own @ current @ parent, bar(current))
    left = GAMMA @ (EYE_4 - GAMMA_5)
    first = slash(p[2]) + M_MU * EYE_4
    leptons = np.einsum("mij,nji->mn", first @ left @ slash(p[3]), bar(left))
    low = METRIC @ leptons @ METRIC
    return np.sum(hadrons * low).real


def prepared(name):
    daughters = [particle_table().by_name(n) for n in (name, "mu-", "anti-nu_mu")]
    parent = particle_table().by_name("Lambda_b0")
    assert find_model("BaryonPCR").problem((1.0,) * 4, parent, daughters) is None
    return find_model("BaryonPCR").prepare((1.0,) * 4, parent, daughters)


def evaluate(name, p, sign=1):
    number, _, states = DAUGHTERS[name]
    ids = np.array([5122, number, 13, -14]) * sign
    return amplitudes("BaryonPCR", ids, p, (2, states, 2), prepared(name))


@pytest.mark.parametrize("name", DAUGHTERS)
def test_rate_is_the_trace_of_the_currents(name):
    p = np.array([three_body(M_B, (DAUGHTERS[name][1], M_MU, 0.0), k) for k in range(20)])
    found = np.sum(abs(evaluate(name, p)) ** 2, axis=(1, 2, 3))
    values = prepared(name)
    expected = [trace(name, each[:, [3, 0, 1, 2]], values) for each in p]
    np.testing.assert_allclose(found, expected, rtol=1e-9)


@pytest.mark.parametrize("name", DAUGHTERS)
def test_spins_turn_with_the_decay(name):
    """A rotation of all momenta turns the spin states, of the lepton and of both baryons."""
    states = DAUGHTERS[name][2]
    p = three_body(M_B, (DAUGHTERS[name][1], M_MU, 0.0), 4)
    axis, angle = np.array([0.48, -0.6, 0.64]), 1.1
    cross = np.array([[0, -axis[2], axis[1]], [axis[2], 0, -axis[0]], [-axis[1], axis[0], 0]])
    rotation = np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * cross @ cross
    turned = p.copy()
    turned[:, :3] = p[:, :3] @ rotation.T
    before, after = evaluate(name, np.array([p, turned]))[..., :, :, :]

    def turn(spin2):
        m = np.arange(spin2, -spin2 - 1, -2) / 2
        plus = np.diag(np.sqrt(spin2 / 2 * (spin2 / 2 + 1) - m[1:] * (m[1:] + 1)), 1)
        j = np.array([(plus + plus.T) / 2, (plus - plus.T) / 2j, np.diag(m)])
        size, vectors = np.linalg.eigh(np.einsum("s,sab->ab", axis, j))
        return vectors @ np.diag(np.exp(-1j * angle * size)) @ vectors.conj().T

    half, own = turn(1), turn(states - 1)
    expected = np.einsum("ia,jb,kc,abc->ijk", half.conj(), own, half, before)
    factor = np.vdot(expected, after) / np.vdot(expected, expected)  # the neutrino's phase
    assert abs(factor) == pytest.approx(1.0, rel=1e-12)
    np.testing.assert_allclose(after, factor * expected, atol=1e-10)


@pytest.mark.parametrize("name", DAUGHTERS)
def test_antibaryons_are_the_mirror_image(name):
    p = np.array([three_body(M_B, (DAUGHTERS[name][1], M_MU, 0.0), k) for k in range(5)])
    reversed_ = p * [-1, -1, -1, 1]
    np.testing.assert_allclose(evaluate(name, p, -1), evaluate(name, reversed_), rtol=1e-12)


def test_antilepton_has_the_spin_of_the_antiparticle():
    """Sum over all but the lepton: a mu+ of Lambda_b bar has the opposite mean helicity.

    The states of mu+ are those by which tau+ decays, so the helicity operator is that of mu-.
    """
    p = np.array([three_body(M_B, (DAUGHTERS["Lambda_c+"][1], M_MU, 0.0), k) for k in range(200)])
    means = []
    for sign in (1, -1):
        a = evaluate("Lambda_c+", p, sign)
        n = p[:, 2, :3] / np.linalg.norm(p[:, 2, :3], axis=1, keepdims=True)
        helicity = np.einsum("ns,sab->nab", n, PAULI)
        size = np.einsum("nija,nab,nijb->n", a.conj(), helicity, a).real
        means.append(size.sum() / np.sum(abs(a) ** 2))
    assert means[0] < -0.9
    assert means[1] > 0.9


def test_form_factors_of_equal_baryons_are_those_of_heavy_quarks():
    """At w = 1 F_1 + F_2 + F_3 and G_1 are 1 up to the product of both quarks' 1/m (Luke).

    With wave functions of one size, alpha^2 / (4 m_b m_c) and -alpha^2 / (12 m_b m_c) are left.
    """
    (f_1, f_2, f_3, _, g_1, *_), slope = form_factors(0, 0.59)
    assert f_1 + f_2 + f_3 == pytest.approx(1 + 0.59**2 / (4 * 1.89 * 5.28), rel=1e-12)
    assert g_1 == pytest.approx(1 - 0.59**2 / (12 * 1.89 * 5.28), rel=1e-12)
    assert slope == pytest.approx(1.5 * 0.4**2 / 0.59**2)


def test_heavy_quark_limit(monkeypatch):
    """Infinite masses: F_1 = G_1 alone; for 1/2- F_2 = -G_1 = G_2; for 3/2- F_1 = G_1 alone.

    N. Isgur, M. B. Wise, PLB 249 (1990) 188; W. Roberts, NPB 389 (1993) 549.
    """
    for quark in ("_BOTTOM", "_CHARM"):
        monkeypatch.setattr(f"simgen.models.baryon_semileptonic.{quark}", 1e12)
    even, odd, higher = (np.array(form_factors(k, 0.47)[0]) for k in range(3))
    np.testing.assert_allclose(even / even[0], [1, 0, 0, 0, 1, 0, 0, 0], atol=1e-9)
    np.testing.assert_allclose(odd / odd[4], [0, -1, 0, 0, 1, -1, 0, 0], atol=1e-9)
    np.testing.assert_allclose(higher / higher[0], [1, 0, 0, 0, 1, 0, 0, 0], atol=1e-9)
    # one function for both: sigma ubar^a v_a Gamma u and sigma / sqrt(3) ubar (...) gamma_5 Gamma u
    assert abs(odd[4] / higher[0]) == pytest.approx(2 / np.sqrt(3), rel=1e-9)


def test_spectrum_of_q2(decay):
    """dGamma/dq^2 of the ground state from traces, integrated over the lepton's angle."""
    n = 30_000
    mass, (_, own, _) = M_B, DAUGHTERS["Lambda_c+"]
    text = f"Particle Lambda_c+ {own} 0.0\nParticle mu- {M_MU} 0.0"
    p = decay("Lambda_b0", mass, "Lambda_c+ mu- anti-nu_mu BaryonPCR 1 1 1 1", n, before=text)
    q = p[:, 2] + p[:, 3]
    q2 = q[:, 3] ** 2 - np.sum(q[:, :3] ** 2, axis=1)
    x, w = np.polynomial.legendre.leggauss(4)
    values = prepared("Lambda_c+")
    grid = np.linspace(M_MU**2 * 1.0001, (mass - own) ** 2 * 0.99999, 40)
    density = []
    for each in grid:
        k = np.sqrt(((mass - own) ** 2 - each) * ((mass + own) ** 2 - each)) / (2 * mass)
        e_q, e_l = np.hypot(k, np.sqrt(each)), (each + M_MU**2) / (2 * np.sqrt(each))
        k_l = e_l - M_MU**2 / np.sqrt(each)
        total = 0.0
        for c, weight in zip(x, w, strict=True):
            pair = np.array([[e_l, k_l * c], [k_l, -k_l * c]])
            boosted = (pair @ np.array([[e_q, k], [k, e_q]]).T) / np.sqrt(each)
            side = k_l * np.sqrt(1 - c * c)
            lepton, nu = ([b[0], s, 0, b[1]] for b, s in zip(boosted, (side, -side), strict=True))
            rows = np.array([[mass, 0, 0, 0], [np.hypot(k, own), 0, 0, -k], lepton, nu])
            total += weight * trace("Lambda_c+", rows, values)
        density.append(total * k * k_l / np.sqrt(each))
    below = interpolate.CubicSpline(grid, density).antiderivative()
    assert stats.kstest(q2, lambda t: below(t) / below(grid[-1])).pvalue > 1e-3


@pytest.mark.parametrize(
    ("daughters", "n", "says"),
    [
        (("Lambda_c+", "mu-", "anti-nu_mu"), 3, "takes 4 parameters"),
        (("Sigma_c+", "mu-", "anti-nu_mu"), 4, "found Lambda_b0 to Sigma_c+ mu- anti-nu_mu"),
        (("anti-Lambda_c-", "mu+", "nu_mu"), 4, "decays Lambda_b0 to Lambda_c+"),
        (("Lambda_c+", "pi-", "pi0"), 4, "a lepton and a neutrino after Lambda_c+"),
    ],
)
def test_what_is_refused(daughters, n, says):
    parent = particle_table().by_name("Lambda_b0")
    others = [particle_table().by_name(name) for name in daughters]
    assert says in find_model("BaryonPCR").problem((1.0,) * n, parent, others)
