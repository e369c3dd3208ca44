"""Spin correlations across several levels, with test amplitudes whose answer is known.

The amplitudes are written in the Cartesian states of `simgen.spin`, so that the joint
distribution of a whole chain is a short product of vectors.
"""

from __future__ import annotations

import numpy as np
import pytest
from chains import P_MIN, boosted, child_rows, make_events, rows_of, unit
from numba import carray
from scipy import stats

import simgen.models
from simgen.beams import load_beams
from simgen.models import DecayModel

N = 200_000


def s_wave(parameters, pdgids, momenta, out):  # noqa: ARG001
    """S -> V V with parallel polarisations: A_jk = delta_jk."""
    a = carray(out, (3, 3))
    for j in range(3):
        for k in range(3):
            a[j, k] = 1.0 if j == k else 0.0


def perpendicular(parameters, pdgids, momenta, out):  # noqa: ARG001
    """S -> V V with crossed polarisations: A_jk = epsilon_jkl n_l."""
    p = carray(momenta, (3, 4))
    a = carray(out, (3, 3))
    norm = np.sqrt(p[1, 0] ** 2 + p[1, 1] ** 2 + p[1, 2] ** 2)
    x, y, z = p[1, 0] / norm, p[1, 1] / norm, p[1, 2] / norm
    a[0, 0], a[0, 1], a[0, 2] = 0.0, z, -y
    a[1, 0], a[1, 1], a[1, 2] = -z, 0.0, x
    a[2, 0], a[2, 1], a[2, 2] = y, -x, 0.0


def circular(parameters, pdgids, momenta, out):  # noqa: ARG001
    """S -> V V with the complex amplitude A_jk = n_j m_k, m = (1, i, 0) / sqrt(2)."""
    p = carray(momenta, (3, 4))
    a = carray(out, (3, 3))
    norm = np.sqrt(p[1, 0] ** 2 + p[1, 1] ** 2 + p[1, 2] ** 2)
    for j in range(3):
        n = p[1, j] / norm
        a[j, 0], a[j, 1], a[j, 2] = n * np.sqrt(0.5), n * 1j * np.sqrt(0.5), 0.0


def unchanged(parameters, pdgids, momenta, out):  # noqa: ARG001
    """V -> V S that hands the polarisation on: A_ij = delta_ij."""
    a = carray(out, (3, 3))
    for i in range(3):
        for j in range(3):
            a[i, j] = 1.0 if i == j else 0.0


# Some complex couplings. The second is unitary: a decay of a vector, summed over its final states,
# may not depend on the polarisation.
_RNG = np.random.default_rng(8)
PAIR = _RNG.normal(size=(3, 3)) + 1j * _RNG.normal(size=(3, 3))
STEP, _ = np.linalg.qr(_RNG.normal(size=(3, 3)) + 1j * _RNG.normal(size=(3, 3)))


def any_pair(parameters, pdgids, momenta, out):  # noqa: ARG001
    """S -> V V with a constant complex amplitude."""
    a = carray(out, (3, 3))
    for j in range(3):
        for k in range(3):
            a[j, k] = PAIR[j, k]


def any_step(parameters, pdgids, momenta, out):  # noqa: ARG001
    """V -> V S that changes the polarisation by a constant unitary matrix."""
    a = carray(out, (3, 3))
    for i in range(3):
        for j in range(3):
            a[i, j] = STEP[i, j]


@pytest.fixture
def models(monkeypatch):
    """Put the test amplitudes in the place of models that decay files may name."""

    def replace(name, amplitude, parent, daughters):
        model = DecayModel(name, amplitude, "test", (), 0, parent, daughters)
        monkeypatch.setitem(simgen.models._REGISTRY, name, model)

    def use(s_to_vv, v_to_vs=unchanged):
        replace("SVV_CP", s_to_vv, 0, (2, 2))
        replace("VVS_PWAVE", v_to_vs, 2, (2, 0))

    return use


B_TO_RHO_KSTAR = """
Decay B0
1.0 rho0 K*0 SVV_CP;
Enddecay
Decay rho0
1.0 pi+ pi- VSS;
Enddecay
Decay K*0
1.0 K+ pi- VSS;
Enddecay
"""
# The same with the rho0 one level further down.
B_TO_OMEGA_KSTAR = """
Decay B0
1.0 phi K*0 SVV_CP;
Enddecay
Decay phi
1.0 rho0 pi0 VVS_PWAVE;
Enddecay
Decay rho0
1.0 pi+ pi- VSS;
Enddecay
Decay K*0
1.0 K+ pi- VSS;
Enddecay
"""


def directions(block, *path):
    """Return unit vectors of the first daughter of the last of `path` in its rest frame.

    `path` are PDG numbers from the root on; each rest frame is reached from the one before by a
    pure boost, the first from the centre of mass.
    """
    row = block.offsets[:-1]
    frames = []
    for pdgid in path:
        found = rows_of(block, pdgid)
        assert np.array_equal(block.mother_row[found], row)
        frames.append(found)
        row = found
    daughter = block.p4[child_rows(block, row)]
    momenta = [block.p4[r] for r in frames] + [daughter]
    momenta = [boosted(p, block.beam) for p in momenta]
    for k in range(len(frames)):
        momenta[k + 1 :] = [boosted(p, momenta[k]) for p in momenta[k + 1 :]]
    return unit(momenta[-1])


def cubic(values):
    """Test cosines against 3/2 cos^2."""
    assert stats.kstest(values, lambda c: (1 + c**3) / 2).pvalue > P_MIN
    pull = ((values**2).mean() - 3 / 5) / ((values**2).std() / np.sqrt(len(values)))
    assert abs(pull) < 3.3


@pytest.mark.parametrize("order", ["rho0 first", "K*0 first"])
def test_parallel_polarisations_align_the_two_decays(models, tmp_path, order):
    """A_jk = delta_jk: density (q_1 . q_2)^2 with q in each vector's rest frame."""
    models(s_wave)
    text = B_TO_RHO_KSTAR
    if order == "K*0 first":
        text = text.replace("rho0 K*0 SVV", "K*0 rho0 SVV")
    events = make_events(tmp_path, text, N, root="B0", mass=5.27965)
    q_1, q_2 = directions(events, 113), directions(events, 313)
    cubic(np.sum(q_1 * q_2, axis=1))
    for column in (*q_1.T, *q_2.T):  # each alone is unpolarised
        assert stats.kstest(column, "uniform", args=(-1, 2)).pvalue > P_MIN


def test_crossed_polarisations_turn_the_decay_planes(models, tmp_path):
    """A_jk = epsilon_jkl n_l: sin^2(theta_1) sin^2(theta_2) sin^2(phi)."""
    models(perpendicular)
    events = make_events(tmp_path, B_TO_RHO_KSTAR, N, root="B0", mass=5.27965)
    n = unit(boosted(events.p4[rows_of(events, 113)], events.beam))
    q_1, q_2 = directions(events, 113), directions(events, 313)
    for q in (q_1, q_2):
        cosine = np.sum(q * n, axis=1)
        assert stats.kstest(cosine, lambda c: (2 + 3 * c - c**3) / 4).pvalue > P_MIN
    across_1, across_2 = np.cross(n, q_1), np.cross(n, q_2)
    phi = np.arctan2(
        np.sum(n * np.cross(across_1, across_2), axis=1), np.sum(across_1 * across_2, axis=1)
    )
    test = stats.kstest(phi, lambda x: (x + np.pi - np.sin(2 * x) / 2) / (2 * np.pi))
    assert test.pvalue > P_MIN


def test_complex_amplitudes_keep_their_phase(models, tmp_path):
    """A_jk = n_j m_k with m = (x + i y) / sqrt(2): |m . q_2|^2 is sin^2 about z."""
    models(circular)
    events = make_events(tmp_path, B_TO_RHO_KSTAR, N, root="B0", mass=5.27965)
    n = unit(boosted(events.p4[rows_of(events, 113)], events.beam))
    q_1, q_2 = directions(events, 113), directions(events, 313)
    cubic(np.sum(n * q_1, axis=1))
    assert stats.kstest(q_2[:, 2], lambda c: (2 + 3 * c - c**3) / 4).pvalue > P_MIN
    phi = np.arctan2(q_2[:, 1], q_2[:, 0])
    assert stats.kstest(phi, "uniform", args=(-np.pi, 2 * np.pi)).pvalue > P_MIN


def test_polarisation_passes_through_an_intermediate_vector(models, tmp_path):
    """B -> phi K*, phi -> rho pi, rho -> pi pi: still (q_1 . q_2)^2, one level further down."""
    models(s_wave)
    events = make_events(tmp_path, B_TO_OMEGA_KSTAR, N, root="B0", mass=5.27965)
    q_1, q_2 = directions(events, 333, 113), directions(events, 313)
    cubic(np.sum(q_1 * q_2, axis=1))


def test_polarisation_is_reported_up_to_a_sibling_that_decays_later(models, tmp_path):
    """The same with the K*0 after the phi in the event: its density comes from below."""
    models(s_wave)
    text = B_TO_OMEGA_KSTAR.replace("phi K*0 SVV", "K*0 phi SVV")
    events = make_events(tmp_path, text, N, root="B0", mass=5.27965)
    q_1, q_2 = directions(events, 333, 113), directions(events, 313)
    cubic(np.sum(q_1 * q_2, axis=1))


@pytest.mark.parametrize("order", ["phi first", "K*0 first"])
def test_complex_amplitudes_of_several_levels_interfere(models, tmp_path, order):
    """The density is |sum_ijk PAIR_ik STEP_ij q_1j q_2k|^2, which knows every phase."""
    models(any_pair, any_step)
    text, pair = B_TO_OMEGA_KSTAR, PAIR
    if order == "K*0 first":
        text, pair = text.replace("phi K*0 SVV", "K*0 phi SVV"), PAIR.T

    def density(q_1, q_2):
        return np.abs(np.einsum("ik,ij,nj,nk->n", pair, STEP, q_1, q_2)) ** 2

    events = make_events(tmp_path, text, N, root="B0", mass=5.27965)
    found = density(directions(events, 333, 113), directions(events, 313))
    rng = np.random.default_rng(9)
    uniform = [unit(rng.normal(size=(10 * N, 3))) for _ in range(2)]
    weight = density(*uniform)
    edges = np.quantile(found, np.linspace(0, 1, 26))
    edges[0], edges[-1] = 0, np.inf
    counts, _ = np.histogram(found, edges)
    expected, _ = np.histogram(weight, edges, weights=weight)
    variance, _ = np.histogram(weight, edges, weights=weight**2)
    scale = N / weight.sum()
    chi2 = np.sum((counts - scale * expected) ** 2 / (counts + scale**2 * variance))
    assert stats.chi2.sf(chi2, len(counts) - 1) > P_MIN


def test_polarisation_of_the_beams_reaches_two_levels_down(models, tmp_path):
    """V -> V S -> S S S with spin handed on: sin^2 about the beams, in fast moving frames."""
    models(s_wave)
    text = """
    Decay Upsilon(4S)
    1.0 phi pi0 VVS_PWAVE;
    Enddecay
    Decay phi
    1.0 rho0 pi0 VVS_PWAVE;
    Enddecay
    Decay rho0
    1.0 pi+ pi- VSS;
    Enddecay
    """
    beams = load_beams("belle2")
    events = make_events(tmp_path, text, N, beams=beams)
    cosine = directions(events, 333, 113) @ beams.axis()
    assert stats.kstest(cosine, lambda c: (2 + 3 * c - c**3) / 4).pvalue > P_MIN
    pull = ((cosine**2).mean() - 1 / 5) / ((cosine**2).std() / np.sqrt(N))
    assert abs(pull) < 3.3


def test_phase_space_in_between_forgets_the_polarisation(models, tmp_path):
    models(s_wave)
    text = B_TO_OMEGA_KSTAR.replace("rho0 pi0 VVS_PWAVE", "rho0 pi0 PHSP")
    events = make_events(tmp_path, text, N, root="B0", mass=5.27965)
    cosine = np.sum(directions(events, 333, 113) * directions(events, 313), axis=1)
    assert stats.kstest(cosine, "uniform", args=(-1, 2)).pvalue > P_MIN
