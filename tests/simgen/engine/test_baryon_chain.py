"""Decay chains of baryons and tensors against analytic angular distributions.

M. E. Rose, Elementary Theory of Angular Momentum; for Lambda_b -> Lambda J/psi LHCb,
PLB 724 (2013) 27, arXiv:1302.5578, and P. Bialas, J. G. Koerner et al., Z. Phys. C 57 (1993) 115;
for the spin of the Omega BaBar, PRL 97 (2006) 112001. Chains test that spins reach each decay as
they must; amplitudes themselves are tested to rounding in tests/simgen/models/test_fermions.py.
"""

from __future__ import annotations

import numpy as np
import pytest
from chains import P_MIN, boosted, child_rows, helicity_cosine, make_events, rows_of, unit
from scipy import stats

N = 150_000
LAMBDA = "Decay Lambda0\n1.0 p+ pi- HypNonLepton {alpha} -6.5;\nEnddecay\n"
ALPHA = 0.748


def cosine(block, parent, daughter):
    """Return cos(theta) of the first daughter of `daughter`, whose mother is of kind `parent`."""
    rows = rows_of(block, daughter)
    mothers = block.mother_row[rows]
    assert (block.pdgid[mothers] == parent).all()
    first = block.p4[child_rows(block, rows)]
    return helicity_cosine(block.p4[mothers], block.p4[rows], first)


def follows(values, coefficients):
    """Test cosines against a polynomial density, and its first two moments."""
    density = np.polynomial.Polynomial(coefficients)
    total = density.integ()(1) - density.integ()(-1)
    cdf = density.integ() / total
    assert stats.kstest(values, lambda c: cdf(c) - cdf(-1)).pvalue > P_MIN
    for power in (1, 2):
        moment = (density * np.polynomial.Polynomial([0, 1]) ** power).integ()
        expected = (moment(1) - moment(-1)) / total
        found = values**power
        assert abs(found.mean() - expected) < 3.7 * found.std() / np.sqrt(len(found))


@pytest.mark.parametrize("how", ["HELAMP", "HypNonLepton"])
def test_cascade_hands_its_asymmetry_on(tmp_path, how):
    """Xi -> Lambda pi, Lambda -> p pi: 1 + alpha_Xi alpha_Lambda cos(theta)."""
    alpha = -0.6
    plus, minus = np.sqrt((1 + alpha) / 2), np.sqrt((1 - alpha) / 2)
    line = f"HELAMP {plus} 0.3 {minus} -0.8" if how == "HELAMP" else f"HypNonLepton {alpha} 20.0"
    text = f"Decay Xi-\n1.0 Lambda0 pi- {line};\nEnddecay\n" + LAMBDA.format(alpha=ALPHA)
    events = make_events(tmp_path, text, N, root="Xi-", mass=1.32171)
    follows(cosine(events, 3312, 3122), [1, alpha * ALPHA])


def test_antibaryons_are_the_mirror_image(tmp_path):
    """CP takes H(l1, l2) to H(-l1, -l2), which a decay file says, and alpha to -alpha."""
    plus, minus = np.sqrt(0.2), np.sqrt(0.8)
    text = f"Decay anti-Xi+\n1.0 anti-Lambda0 pi+ HELAMP {minus} 0.0 {plus} 0.0;\nEnddecay\n"
    text += LAMBDA.format(alpha=ALPHA) + "CDecay anti-Lambda0\n"
    events = make_events(tmp_path, text, N, root="anti-Xi+", mass=1.32171)
    follows(cosine(events, -3312, -3122), [1, -0.6 * ALPHA])


OMEGA_C = """
Decay Omega_c0
1.0 Omega- pi+ HELAMP {};
Enddecay
Decay Omega-
1.0 Lambda0 K- {};
Enddecay
"""


@pytest.mark.parametrize("model", ["HELAMP", "PARTWAVE"])
def test_spin_of_the_omega(tmp_path, model):
    """Omega of helicity +-1/2: 1 + 3 c^2 - beta c (5 - 9 c^2), beta = alpha_c alpha_Omega.

    From d^3/2_1/2,+-1/2 squared, (1 -+ 3 c)^2 (1 +- c) / 8. The same with the Omega's decay as
    helicities or as P and D wave.
    """
    alpha_c, alpha = 0.8, 0.7
    made = f"{np.sqrt((1 + alpha_c) / 2)} 0.0 {np.sqrt((1 - alpha_c) / 2)} 1.0"
    plus, minus = np.sqrt((1 + alpha) / 2), np.sqrt((1 - alpha) / 2)
    line = f"HELAMP {plus} 0.0 {minus} 0.0"
    if model == "PARTWAVE":  # H(+-1/2) = (P -+ D) / sqrt(2)
        p_wave, d_wave = (plus + minus) / np.sqrt(2), (plus - minus) / np.sqrt(2)
        line = f"PARTWAVE {p_wave} 0.0 {d_wave} {np.pi}"
    text = OMEGA_C.format(made, line)
    events = make_events(tmp_path, text, N, root="Omega_c0", mass=2.6952)
    follows(cosine(events, 4332, 3334), [1, -5 * alpha_c * alpha, 3, 9 * alpha_c * alpha])


def lambda_b(values, decay):
    return (
        f"Decay Lambda_b0\n1.0 Lambda0 J/psi HELAMP {' '.join(map(str, values))};\nEnddecay\n"
        + LAMBDA.format(alpha=ALPHA)
        + f"Decay J/psi\n1.0 {decay};\nEnddecay\n"
    )


# H(1/2, 1), H(1/2, 0), H(-1/2, 0), H(-1/2, -1), in the order of the decay file
AMPLITUDES = np.array([0.35 * np.exp(0.4j), 0.30, 0.72 * np.exp(-0.9j), 0.52 * np.exp(1.7j)])


@pytest.fixture(scope="module")
def lambda_b_angles(tmp_path_factory):
    """cos(theta) of proton and muon, and the angle between their planes."""
    values = [f(h) for h in AMPLITUDES for f in (np.abs, np.angle)]
    events = make_events(
        tmp_path_factory.mktemp("lambda_b"),
        lambda_b(values, "e- e+ VLL"),
        N,
        root="Lambda_b0",
        mass=5.6196,
    )
    proton, electron = cosine(events, 5122, 3122), cosine(events, 5122, 443)
    baryon, psi = rows_of(events, 3122), rows_of(events, 443)
    mother = events.p4[events.mother_row[baryon]]
    at_rest = {row: boosted(events.p4[rows], mother) for row, rows in (("b", baryon), ("v", psi))}
    n = unit(at_rest["b"])

    def across(rows, frame):
        """Return the first daughter's momentum across the flight, in the rest frame of its own."""
        p = boosted(boosted(events.p4[child_rows(events, rows)], mother), frame)[:, :3]
        return p - n * np.sum(n * p, axis=1, keepdims=True)

    p, q = across(baryon, at_rest["b"]), across(psi, at_rest["v"])
    phi = np.arctan2(np.sum(n * np.cross(q, p), axis=1), np.sum(p * q, axis=1))
    return proton, electron, phi


def test_lambda_b_makes_a_polarised_lambda(lambda_b_angles):
    """1 + alpha P cos(theta), P = sum of l_Lambda |H|^2 / sum of |H|^2."""
    size = abs(AMPLITUDES) ** 2
    polarisation = (size[0] + size[1] - size[2] - size[3]) / size.sum()
    follows(lambda_b_angles[0], [1, ALPHA * polarisation])


def test_lambda_b_makes_an_aligned_psi(lambda_b_angles):
    """J/psi -> e e: sin^2 for helicity 0, (1 + cos^2) / 2 for +-1."""
    size = abs(AMPLITUDES) ** 2
    zero, one = size[1] + size[2], size[0] + size[3]
    follows(lambda_b_angles[1], [zero + one / 2, 0, one / 2 - zero])


def test_interference_of_helicities_turns_the_planes(lambda_b_angles):
    """All three angles: chi^2 against the sum over helicities with Wigner's d functions.

    W = sum of H(l, m) H(l', m')^* rho_p(l, l') rho_e(m, m') exp(i (l - l') phi), l - m = l' - m'.
    """
    proton, electron, phi = lambda_b_angles
    pairs = [(1, 1), (1, 0), (-1, 0), (-1, -1)]  # twice the helicity of the Lambda; of the psi

    def half(a, b, t):
        """d^1/2_ab, indices doubled."""
        return np.cos(t / 2) if a == b else np.where(a > b, -1, 1) * np.sin(t / 2)

    def one(a, b, t):
        """d^1_ab for b = +-1."""
        if a == 0:
            return b * np.sin(t) / np.sqrt(2)
        return (1 + a * b * np.cos(t)) / 2

    def density(c_p, c_e, angle):
        t_p, t_e = np.arccos(c_p), np.arccos(c_e)
        total = 0
        for h, (a, m) in zip(AMPLITUDES, pairs, strict=True):
            for g, (b, n) in zip(AMPLITUDES, pairs, strict=True):
                if a - 2 * m != b - 2 * n:
                    continue
                rho_p = sum((1 + s * ALPHA) * half(a, s, t_p) * half(b, s, t_p) for s in (1, -1))
                rho_e = sum(one(m, s, t_e) * one(n, s, t_e) for s in (1, -1))
                total = total + h * np.conj(g) * rho_p * rho_e * np.exp(0.5j * (a - b) * angle)
        return total.real

    bins = [np.linspace(-1, 1, 7), np.linspace(-1, 1, 7), np.linspace(-np.pi, np.pi, 9)]
    counts, _ = np.histogramdd((proton, electron, phi), bins)
    # the integral of a smooth density over each bin: Gauss-Legendre of five points an axis
    x, w = np.polynomial.legendre.leggauss(5)
    points = [(b[:-1, None] + b[1:, None]) / 2 + np.diff(b)[:, None] / 2 * x for b in bins]
    values = density(
        points[0][:, None, None, :, None, None],
        points[1][None, :, None, None, :, None],
        points[2][None, None, :, None, None, :],
    )
    expected = np.einsum("abcijk,i,j,k->abc", values, w, w, w)
    expected *= counts.sum() / expected.sum()
    assert stats.chisquare(counts.ravel(), expected.ravel()).pvalue > P_MIN


def test_tensor_in_a_d_wave(tmp_path):
    """B -> D2* pi, D2* -> D* pi, D* -> D pi: sin^2 cos^2 of the D*, sin^2 of the D, sin^2 phi.

    A = T_ab n_a n_b of B -> D2* pi, then epsilon_abc m_a e_b T_cd m_d: nothing along the D*.
    """
    text = """
    Decay B+
    1.0 anti-D_2*0 pi+ STS;
    Enddecay
    Decay anti-D_2*0
    1.0 D*- pi+ {};
    Enddecay
    Decay D*-
    1.0 anti-D0 pi- VSS;
    Enddecay
    """
    shapes = {
        "HELAMP": "HELAMP 1.0 0.0 0.0 0.0 1.0 3.141592653589793",
        "PARTWAVE": "PARTWAVE 0.0 0.0 1.0 0.0 0.0 0.0",
    }
    for line in shapes.values():
        events = make_events(tmp_path, text.format(line), N // 2, root="B+", mass=5.27934)
        follows(cosine(events, 521, -425), [0, 0, 1, 0, -1])
        follows(cosine(events, -425, -413), [1, 0, -1])


def test_tensor_to_vector_and_photon(tmp_path):
    """chi_c2 of helicity 0 from B -> chi_c2 K, to J/psi gamma with the electric dipole's numbers.

    |H(J/psi, gamma)|^2 = 1, 3, 6 for |l| = 0, 1, 2 of their difference: sum of H^2 d^2_0l(theta)^2.
    """
    root = np.sqrt
    values = [1, root(3), root(6), root(6), root(3), 1]
    text = f"""
    Decay B+
    1.0 chi_c2 K+ STS;
    Enddecay
    Decay chi_c2
    1.0 gamma J/psi HELAMP {" ".join(f"{v} 0" for v in values)};
    Enddecay
    """
    events = make_events(tmp_path, text, N, root="B+", mass=5.27934, keep_stable=("J/psi",))
    # d^2_00^2 = (3 c^2 - 1)^2 / 4, d^2_01^2 = 3/2 c^2 (1 - c^2), d^2_02^2 = 3/8 (1 - c^2)^2
    expected = np.array([1, 0, -6, 0, 9]) / 4
    for size, shape in ((3, np.array([0, 0, 1, 0, -1]) * 1.5), (6, [3 / 8, 0, -3 / 4, 0, 3 / 8])):
        expected = expected + size * np.asarray(shape)
    follows(cosine(events, 521, 445), expected)
