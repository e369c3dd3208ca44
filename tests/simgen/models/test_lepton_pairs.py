"""P -> l l gamma: amplitudes against traces of Dirac matrices, spectra against Kroll and Wada."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from decays import evaluate, three_body
from scipy import integrate, stats

from simgen.engine.program import N_DECAYS, N_EXCEEDED, N_TRIALS
from simgen.models import find_model

PI_0, ETA = 0.1349768, 0.547862
ELECTRON, MUON = 0.51099895e-3, 0.1056583755
RHO, RHO_WIDTH = 0.768, 0.151

ZERO, ONE = np.zeros((2, 2)), np.eye(2)
PAULI = [np.array(m, complex) for m in ([[0, 1], [1, 0]], [[0, -1j], [1j, 0]], [[1, 0], [0, -1]])]
GAMMA = [np.block([[ZERO, s], [-s, ZERO]]) for s in PAULI] + [np.block([[ZERO, ONE], [ONE, ZERO]])]
METRIC = np.diag([-1.0, -1.0, -1.0, 1.0])


def form_factor_squared(s):
    return RHO**4 / ((RHO**2 - s) ** 2 + (RHO * RHO_WIDTH) ** 2)


def slash(p):
    return sum(GAMMA[i] * METRIC[i, i] * p[i] for i in range(4))


def spin_sum(p, mass):
    """Return sum |eps_{mu nu alpha beta} e^mu k^nu J^alpha q^beta / s|^2, from traces."""
    lepton, antilepton, photon = p[1], p[2], p[3]
    s = (lepton + antilepton) @ METRIC @ (lepton + antilepton)
    bra, ket = slash(lepton) + mass * np.eye(4), slash(antilepton) - mass * np.eye(4)
    trace = np.array([[np.trace(bra @ a @ ket @ b) for b in GAMMA] for a in GAMMA])
    total = 0.0
    axis = np.array([0.3, -0.5, 0.8])
    e_1 = np.cross(photon[:3], axis)
    e_1 /= np.linalg.norm(e_1)
    e_2 = np.cross(photon[:3], e_1) / photon[3]
    for e in (e_1, e_2):
        c = p[0, 3] * np.append(np.cross(e, photon[:3]), 0.0) / s  # C . J, a triple product
        total += (c @ trace @ c).real
    return total


@pytest.mark.parametrize("order", [1, -1])
@pytest.mark.parametrize("mass", [ELECTRON, MUON])
@pytest.mark.parametrize("seed", range(4))
def test_amplitude_is_that_of_quantum_electrodynamics(seed, mass, order):
    momenta = three_body(ETA, (mass, mass, 0.0), seed)
    pdgids = (11 * order, -11 * order, 22)
    found = evaluate("KROLL_WADA", pdgids, momenta, (2, 2, 2))
    pair = momenta[1] + momenta[2]
    s = pair @ METRIC @ pair
    ordered = momenta if order > 0 else momenta[[0, 2, 1, 3]]
    expected = spin_sum(ordered, mass) * form_factor_squared(s) * s / ETA**4
    assert np.sum(abs(found) ** 2) == pytest.approx(expected, rel=1e-8)
    # the pair is a vector and a state and its mirror image are equally likely
    np.testing.assert_allclose(abs(found[0, 0]), abs(found[1, 1]), rtol=1e-7, atol=1e-12)


@pytest.mark.parametrize("seed", range(4))
def test_density_of_evtgen_lacks_the_mass_term(seed):
    momenta = three_body(ETA, (MUON, MUON, 0.0), seed)
    exact, evtgen = (
        np.sum(abs(evaluate(model, (11, -11, 22), momenta, (2, 2, 2))) ** 2)
        for model in ("KROLL_WADA", "PI0_DALITZ")
    )
    pair = momenta[1] + momenta[2]
    s = pair @ METRIC @ pair
    beta_squared = 1 - 4 * MUON**2 / s
    angular = ((momenta[3] @ METRIC @ (momenta[1] - momenta[2])) / (momenta[3, 3] * ETA)) ** 2
    ratio = (beta_squared + angular) / (1 + angular + 4 * MUON**2 / s)
    assert evtgen / exact == pytest.approx(ratio, rel=1e-8)


BRACKETS = {
    # coefficients of 1 and cos^2(theta)
    "KROLL_WADA": lambda x: (1 + x, 1 - x),
    "PI0_DALITZ": lambda x: (1 - x, 1 - x),
}


@pytest.mark.parametrize("model", BRACKETS)
@pytest.mark.parametrize(("parent", "mass", "names"), [
    ("pi0", ELECTRON, "e+ e-"), ("eta", MUON, "mu+ mu-")
])  # fmt: skip
def test_spectrum_and_angle(decay, model, parent, mass, names):
    """Both against the formula, integrated with scipy; e+ e- over four decades in s."""
    m_parent = {"pi0": PI_0, "eta": ETA}[parent]
    p = decay(parent, m_parent, f"{names} gamma {model}", 200_000)
    pair = p[:, 1] + p[:, 2]
    s = np.einsum("ni,ij,nj->n", pair, METRIC, pair)

    def density(log_s):
        s = np.exp(log_s)
        x = min(4 * mass**2 / s, 1.0)
        constant, quadratic = BRACKETS[model](x)
        shape = form_factor_squared(s) * max(1 - s / m_parent**2, 0.0) ** 3
        return shape * np.sqrt(1 - x) * (constant + quadratic / 3)

    grid = np.linspace(np.log(4 * mass**2), 2 * np.log(m_parent), 401)
    pieces = [integrate.quad(density, a, b)[0] for a, b in pairwise(grid)]
    cdf = np.append(0, np.cumsum(pieces)) / np.sum(pieces)
    assert stats.kstest(np.log(s), lambda t: np.interp(t, grid, cdf)).pvalue > 1e-3

    x = 4 * mass**2 / s
    along = np.einsum("ni,ij,nj->n", p[:, 3], METRIC, p[:, 1] - p[:, 2])
    cosine = along / (p[:, 3, 3] * m_parent * np.sqrt(1 - x))
    constant, quadratic = BRACKETS[model](x)
    uniform = 0.5 + (constant * cosine + quadratic * cosine**3 / 3) / (
        2 * (constant + quadratic / 3)
    )
    assert stats.kstest(uniform, "uniform").pvalue > 1e-3


def test_electrons_from_a_pole_are_found_at_once(decay_generator):
    generator = decay_generator("pi0", PI_0, "e+ e- gamma KROLL_WADA")
    generator.generate(np.arange(10_000), 1)
    (counters,) = generator._counters
    assert counters[N_TRIALS] / counters[N_DECAYS] < 2.5
    assert counters[N_EXCEEDED] == 0
    assert find_model("KROLL_WADA").pole == 0
