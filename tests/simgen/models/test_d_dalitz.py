"""D_DALITZ against a sum of Breit-Wigners in helicity angles, integrated on a grid."""

from __future__ import annotations

import numpy as np
import pytest
from decays import evaluate, three_body
from scipy import stats

from simgen.errors import DecayFileError
from simgen.models import find_model
from simgen.models.d_dalitz import _MODES, find_mode
from simgen.models.isobar import FLATTE, NONRELATIVISTIC, POLE
from simgen.particles import particle_table

PARENTS = {421: "D0", 411: "D+", 431: "D_s+"}
IDS = [f"{PARENTS[m.parent]}-{m.daughters}" for m in _MODES]
N = 100_000


def data(pdgid):
    return particle_table().by_pdgid(pdgid)


def names_of(mode):
    """Return parent and daughters of a mode, a neutral kaon as K_S0."""
    return PARENTS[mode.parent], [data(310 if d == 311 else d) for d in mode.daughters]


def momentum(m, a, b):
    """Return the two-body momentum, 0 below threshold."""
    return np.sqrt(np.maximum((m**2 - (a + b) ** 2) * (m**2 - (a - b) ** 2), 0)) / (2 * m)


def term(isobar, m_d, masses, squares):
    """Return one resonance's amplitude from masses of pairs (dictionary), by helicity angles."""
    first, second = isobar.pair
    third = 6 - first - second
    a, b, c = (masses[k - 1] for k in (first, second, third))
    m, m_ac, m_bc = (np.sqrt(squares[frozenset(k)]) for k in (
        (first, second), (first, third), (second, third)
    ))  # fmt: skip
    r, width, spin = isobar.mass, isobar.width, isobar.spin
    coefficient = isobar.magnitude * np.exp(1j * np.deg2rad(isobar.phase))
    if isobar.kind == FLATTE:
        sum_ = sum(g**2 * np.emath.sqrt(1 - (2 * x / m) ** 2) for x, g in isobar.couplings)
        return coefficient / (r**2 - m**2 - 1j * sum_)
    p = momentum(m, a, b)
    # C in the rest frame of the pair, and its angle to B
    e_b, e_c = (m**2 + b**2 - a**2) / (2 * m), (m_d**2 - m**2 - c**2) / (2 * m)
    q = np.sqrt(np.maximum(e_c**2 - c**2, 0))
    cosine = (2 * e_b * e_c + b**2 + c**2 - m_bc**2) / np.maximum(2 * p * q, 1e-12)
    if isobar.kind == NONRELATIVISTIC:
        legendre = (1, cosine)[spin]
        return coefficient * np.sqrt(width / 2 / np.pi) * legendre / (m - r - 0.5j * width)
    denominators = (np.ones_like, lambda z: 1 + z, lambda z: 9 + 3 * z + z**2)[spin]

    def factor(radius, here, there):
        return np.sqrt(denominators((radius * there) ** 2) / denominators((radius * here) ** 2))

    p_r = momentum(r, a, b)
    outer = momentum(m_d, m, c), momentum(m_d, r, c)
    if (m_d - c) < r < (m_d + c):
        outer = outer[0], 0.0
    f_r, f_d = factor(isobar.radius, p, p_r), factor(isobar.parent_radius, *outer)
    running = width * (p / p_r) ** (2 * spin + 1) * r / m * f_r**2
    if isobar.angular != POLE or spin == 0:
        angular = {0: 1, 1: 4 * p * q * cosine, 2: 16 * (p * q) ** 2 * (cosine**2 - 1 / 3)}[spin]
    else:
        mass_term = (m_d**2 - c**2) * (b**2 - a**2) / r**2
        angular = m_ac**2 - m_bc**2 + mass_term
        if spin == 2:
            in_parent = m**2 - 2 * m_d**2 - 2 * c**2 + ((m_d**2 - c**2) / r) ** 2
            in_pair = m**2 - 2 * a**2 - 2 * b**2 + ((a**2 - b**2) / r) ** 2
            angular = angular**2 - in_parent * in_pair / 3
    return coefficient * f_r * f_d * angular / (r**2 - m**2 - 1j * r * running)


def amplitude(mode, m_d, masses, s_12, s_23):
    """Return the amplitude of a mode at points of its Dalitz plot."""
    s_13 = m_d**2 + np.sum(np.square(masses)) - s_12 - s_23
    squares = {
        frozenset(k): s for k, s in zip(((1, 2), (2, 3), (1, 3)), (s_12, s_23, s_13), strict=True)
    }
    magnitude, phase = mode.constant
    total = magnitude * np.exp(1j * np.deg2rad(phase)) + 0 * s_12
    return total + sum(term(isobar, m_d, masses, squares) for isobar in mode.isobars)


def pair_masses_squared(p):
    """Return s_12 and s_23 of (..., 3, 4) momenta."""

    def square(q):
        return q[..., 3] ** 2 - np.sum(q[..., :3] ** 2, axis=-1)

    return square(p[..., 0, :] + p[..., 1, :]), square(p[..., 1, :] + p[..., 2, :])


@pytest.mark.parametrize("mode", _MODES, ids=IDS)
@pytest.mark.parametrize("mirrored", [False, True])
def test_amplitude_at_random_points(mode, mirrored):
    """The kernel against the formula, with the daughters in every order."""
    parent, daughters = names_of(mode)
    m_d, masses = particle_table().by_name(parent).mass, [d.mass for d in daughters]
    for seed, order in enumerate([(0, 1, 2), (2, 0, 1), (1, 2, 0)] * 2):
        momenta = three_body(m_d, masses, seed)
        s_12, s_23 = pair_masses_squared(momenta[1:])
        expected = amplitude(mode, m_d, masses, s_12, s_23)
        shuffled = [daughters[i] for i in order]
        decaying = particle_table().by_name(parent)
        if mirrored:
            decaying, *shuffled = (
                particle_table().by_name(x.anti_name) for x in (decaying, *shuffled)
            )
        found_mode, places = find_mode(decaying, shuffled)
        assert found_mode is mode
        numbers = find_model("D_DALITZ").prepare((), decaying, shuffled)
        assert len(places) == 3
        found = evaluate(
            "D_DALITZ",
            [d.pdgid for d in shuffled],
            np.ascontiguousarray(momenta[[0, *(1 + i for i in order)]]),
            1,
            numbers,
        )
        assert found[0] == pytest.approx(expected, rel=1e-7)


def binned(mode, m_d, masses, edges_12, edges_23, fine=10):
    """Return the integral of |A|^2 over bins of the Dalitz plot, by many points in each."""

    def middles(edges):
        points = np.linspace(edges[0], edges[-1], (len(edges) - 1) * fine + 1)
        return (points[1:] + points[:-1]) / 2

    x, y = np.meshgrid(middles(edges_12), middles(edges_23), indexing="ij")
    m_12 = np.sqrt(x)
    e_2 = (x - masses[0] ** 2 + masses[1] ** 2) / (2 * m_12)
    e_3 = (m_d**2 - x - masses[2] ** 2) / (2 * m_12)
    p_2 = np.sqrt(np.maximum(e_2**2 - masses[1] ** 2, 0))
    p_3 = np.sqrt(np.maximum(e_3**2 - masses[2] ** 2, 0))
    inside = ((e_2 + e_3) ** 2 - (p_2 + p_3) ** 2 < y) & (y < (e_2 + e_3) ** 2 - (p_2 - p_3) ** 2)
    inside &= (m_12 > masses[0] + masses[1]) & (m_12 < m_d - masses[2])
    density = np.zeros_like(x)
    density[inside] = abs(amplitude(mode, m_d, masses, x[inside], y[inside])) ** 2
    n = len(edges_12) - 1
    return density.reshape(n, fine, n, fine).sum(axis=(1, 3))


@pytest.mark.parametrize("mode", _MODES, ids=IDS)
def test_dalitz_plot_of_generated_events(decay, mode):
    """Chi-square over the plane, bins as fine as the events allow."""
    parent, daughters = names_of(mode)
    m_d, masses = particle_table().by_name(parent).mass, [d.mass for d in daughters]
    p = decay(parent, m_d, " ".join(d.name for d in daughters) + " D_DALITZ", N)
    s_12, s_23 = pair_masses_squared(p[:, 1:])
    edges = [
        np.linspace((masses[i] + masses[j]) ** 2, (m_d - masses[k]) ** 2, 41)
        for i, j, k in ((0, 1, 2), (1, 2, 0))
    ]
    expected = binned(mode, m_d, masses, *edges)
    found = np.histogram2d(s_12, s_23, edges)[0]
    assert found.sum() == N
    expected *= N / expected.sum()
    # what is rare together, which also takes up the edges where points of the grid are few
    rare = expected < 25
    chi2 = np.sum((found - expected)[~rare] ** 2 / expected[~rare])
    chi2 += (found[rare].sum() - expected[rare].sum()) ** 2 / expected[rare].sum()
    assert stats.chi2.sf(chi2, np.count_nonzero(~rare)) > 1e-3
    normal = np.cross(p[:, 1, :3], p[:, 2, :3])
    for vector in (p[:, 1, :3], p[:, 3, :3], normal):
        for axis in range(3):
            cosine = vector[:, axis] / np.linalg.norm(vector, axis=1)
            assert stats.kstest(cosine, stats.uniform(-1, 2).cdf).pvalue > 1e-4


# Mode, resonance, fit fraction in percent. The coefficients are rounded, and masses and widths are
# those of the model, not in all cases those of the analysis: two percentage points are allowed.
# Not among them: K*- pi+ of D0 -> K0bar pi+ pi-, 65.7 published, 70.1 from these coefficients.
PUBLISHED = [
    (3, 0, 78.8),  # rho+ K-, CLEO PRD 63 (2001) 092001
    (3, 1, 12.7),  # K*0bar pi0
    (3, 2, 16.1),  # K*- pi+
    (2, 5, 26.4),  # K0bar rho0, CLEO PRL 89 (2002) 251802
    (5, 0, 47.9),  # K*0bar K+, BaBar PRD 83 (2011) 052001
    (5, 3, 41.4),  # phi pi+
    (11, 0, 67.8),  # rho+ pi-, BaBar PRL 99 (2007) 251801
    (11, 1, 26.2),  # rho0 pi0
    (11, 2, 34.6),  # rho- pi+
]


@pytest.mark.parametrize(("number", "row", "percent"), PUBLISHED)
def test_fit_fractions_are_the_published_ones(number, row, percent):
    mode = _MODES[number]
    parent, daughters = names_of(mode)
    m_d, masses = particle_table().by_name(parent).mass, [d.mass for d in daughters]
    low, high = (masses[0] + masses[1]) ** 2, (m_d - masses[2]) ** 2
    x = np.linspace(low, high, 1001)[:-1] + (high - low) / 2000
    m_12 = np.sqrt(x)
    e_2 = (x - masses[0] ** 2 + masses[1] ** 2) / (2 * m_12)
    e_3 = (m_d**2 - x - masses[2] ** 2) / (2 * m_12)
    p_2, p_3 = np.sqrt(e_2**2 - masses[1] ** 2), np.sqrt(e_3**2 - masses[2] ** 2)
    nodes, weights = np.polynomial.legendre.leggauss(200)
    y = masses[1] ** 2 + masses[2] ** 2 + 2 * (
        (e_2 * e_3)[:, None] - (p_2 * p_3)[:, None] * nodes
    )  # fmt: skip
    grid = np.broadcast_to(x[:, None], y.shape)
    s_13 = m_d**2 + np.sum(np.square(masses)) - grid - y
    squares = {frozenset((1, 2)): grid, frozenset((2, 3)): y, frozenset((1, 3)): s_13}
    one = term(mode.isobars[row], m_d, masses, squares)
    measure = (p_2 * p_3)[:, None] * weights
    total = np.sum(measure * abs(amplitude(mode, m_d, masses, grid, y)) ** 2)
    assert 100 * np.sum(measure * abs(one) ** 2) / total == pytest.approx(percent, abs=2.0)


def test_a_decay_without_amplitude_is_refused(decay_generator):
    with pytest.raises(DecayFileError, match=r"D_DALITZ has no amplitude.*D0 to K0 pi\+ pi-"):
        decay_generator("D0", 1.86484, "K+ pi- pi0 D_DALITZ")
