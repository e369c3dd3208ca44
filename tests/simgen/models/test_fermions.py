"""Two-body models of fermions against spin operators, covariant couplings and other models."""

from __future__ import annotations

import numpy as np
import pytest
from weak import amplitudes, directions, two_body

from simgen.models import find_model
from simgen.spin import tensor_component, transverse_state

N = 25
PAULI = np.array([[[0, 1], [1, 0]], [[0, -1j], [1j, 0]], [[1, 0], [0, -1]]])
# <spin 1/2| S_a |spin 3/2>, the transition spin: rows of spin 1/2, from Clebsch-Gordan coefficients
# of the PDG's table for 1 x 1/2, with the vectors (x + i y) / sqrt(2) etc.
_STATES = {
    1: -np.array([1, 1j, 0]) / np.sqrt(2),
    0: np.array([0, 0, 1 + 0j]),
    -1: np.array([1, -1j, 0]) / np.sqrt(2),
}
_TABLE = [  # of |3/2, m>: (m of the vector, state of spin 1/2, coefficient)
    [(1, 0, 1.0)],
    [(1, 1, np.sqrt(1 / 3)), (0, 0, np.sqrt(2 / 3))],
    [(0, 1, np.sqrt(2 / 3)), (-1, 0, np.sqrt(1 / 3))],
    [(-1, 1, 1.0)],
]
TRANSITION = np.zeros((3, 2, 4), dtype=complex)
for _state, _terms in enumerate(_TABLE):
    for _m, _half, _size in _terms:
        TRANSITION[:, _half, _state] += _size * _STATES[_m]

LAMBDA_B, LAMBDA, PROTON, OMEGA, PSI, GAMMA, PION, KAON, TAU, NU, DELTA, LAMBDA_1520, CHI_2 = (
    *(5122, 3122, 2212, 3334, 443, 22, 211, 321, 15, 16, 2224, 3124, 445),
)
RHO, F_2 = 113, 225


def spin_matrices(spin2):
    """Return J_x, J_y, J_z, (3, n, n), in the states of `simgen.spin`."""
    if spin2 == 0:
        return np.zeros((3, 1, 1), dtype=complex)
    if spin2 == 2:
        return -1j * np.array([
            [[np.linalg.det(np.eye(3)[[a, b, c]]) for c in range(3)] for b in range(3)]
            for a in range(3)
        ])  # fmt: skip
    if spin2 == 4:
        unit, vector = np.eye(3), spin_matrices(2)
        t = np.array([
            [[tensor_component(j, *unit[a], *unit[b]) for b in range(3)] for a in range(3)]
            for j in range(5)
        ])  # fmt: skip
        return 2 * np.einsum("jab,sac,kcb->sjk", t, vector, t)
    m = np.arange(spin2, -spin2 - 1, -2) / 2
    plus = np.diag(np.sqrt(spin2 / 2 * (spin2 / 2 + 1) - m[1:] * (m[1:] + 1)), 1)
    return np.array([(plus + plus.T) / 2, (plus - plus.T) / 2j, np.diag(m)])


def decay(name, pdgids, masses, values, n=N, seed=2):
    """Return directions of daughter 1 and the amplitudes of random decays."""
    ns = directions(np.random.default_rng(seed), n)
    ns[:2] = [[0, 0, 1], [0, 0, -1]]
    first, second = two_body(*masses, ns)
    p = np.stack([np.tile([0, 0, 0, masses[0]], (n, 1)), first, second], axis=1)
    shape = tuple(states_of(pdgid) for pdgid in pdgids)
    return ns, amplitudes(name, pdgids, p, shape, values)


def states_of(pdgid):
    if abs(pdgid) in (TAU, NU):
        return 2 if abs(pdgid) == TAU else 1
    return 2 if pdgid == GAMMA else max(abs(pdgid) % 10, 1)


def assert_proportional(found, expected, *, each=False):
    """Check equality up to one complex factor, or one of size 1 for each decay."""
    if each:
        for a, b in zip(found, expected, strict=True):
            assert_proportional(a[None], b[None])
        return
    factor = np.vdot(expected, found) / np.vdot(expected, expected)
    assert abs(factor) > 1e-3
    np.testing.assert_allclose(found, factor * expected, atol=1e-12)


@pytest.mark.parametrize(
    "pdgids",
    [
        (LAMBDA_B, LAMBDA, PSI),
        (LAMBDA_B, LAMBDA_1520, PSI),
        (OMEGA, LAMBDA, -KAON),
        (LAMBDA_1520, OMEGA, F_2),
        (CHI_2, LAMBDA, -LAMBDA_1520),
        (F_2, RHO, F_2),
        (LAMBDA_1520, PSI, DELTA),
    ],
)
def test_helicities_are_those_of_the_spin_operators(pdgids):
    """One amplitude: S_1.n A = l1 A, -S_2.n A = l2 A, A J.n = (l1 - l2) A, and norm 1."""
    spins = [states_of(pdgid) - 1 for pdgid in pdgids]
    pairs = [
        (l_1, l_2)
        for l_1 in range(spins[1], -spins[1] - 1, -2)
        for l_2 in range(spins[2], -spins[2] - 1, -2)
        if abs(l_1 - l_2) <= spins[0]
    ]
    j_0, j_1, j_2 = (spin_matrices(spin) for spin in spins)
    for k, (l_1, l_2) in enumerate(pairs):
        values = np.zeros(2 * len(pairs))
        values[2 * k] = 1.0
        ns, a = decay("HELAMP", pdgids, (5.6, 1.5, 1.7), values, n=8)
        first = np.einsum("ns,sjm,nimk->nijk", ns, j_1, a)
        second = -np.einsum("ns,skm,nijm->nijk", ns, j_2, a)
        parent = np.einsum("ns,smi,nmjk->nijk", ns, j_0, a)
        np.testing.assert_allclose(first, l_1 / 2 * a, atol=1e-13)
        np.testing.assert_allclose(second, l_2 / 2 * a, atol=1e-13)
        np.testing.assert_allclose(parent, (l_1 - l_2) / 2 * a, atol=1e-13)
        np.testing.assert_allclose(np.sum(abs(a) ** 2, axis=(1, 2, 3)), 1.0, rtol=1e-12)


@pytest.mark.parametrize(
    "pdgids",
    [(LAMBDA_B, LAMBDA_1520, PSI), (OMEGA, LAMBDA, -KAON), (CHI_2, LAMBDA, -LAMBDA_1520)],
)
def test_all_helicities_together_turn_with_the_decay(pdgids):
    """Turned to one direction by rotations of all spins, every decay has the same amplitude."""
    spins = [states_of(pdgid) - 1 for pdgid in pdgids]
    count = len(find_model("HELAMP").couplings(*pdgids))
    values = np.random.default_rng(5).uniform(0.2, 2.0, 2 * count)
    ns, a = decay("HELAMP", pdgids, (5.6, 1.5, 1.7), values, n=60)
    j_0, j_1, j_2 = (spin_matrices(spin) for spin in spins)
    # turn every decay to the first direction, with rotations of each spin
    for n, found in zip(ns[2:], a[2:], strict=True):
        axis = np.cross(n, ns[0])
        angle = np.arctan2(np.linalg.norm(axis), n @ ns[0])
        axis /= np.linalg.norm(axis)
        turns = []
        for matrices in (j_0, j_1, j_2):
            size, states = np.linalg.eigh(np.einsum("s,sab->ab", axis, matrices))
            turns.append(states @ np.diag(np.exp(-1j * angle * size)) @ states.conj().T)
        turned = np.einsum("ia,jb,kc,abc->ijk", turns[0].conj(), turns[1], turns[2], found)
        sign = np.sign(np.vdot(a[0], turned).real)  # a rotation of fermions is known up to a sign
        np.testing.assert_allclose(sign * turned, a[0], atol=1e-12)


@pytest.mark.parametrize("phi", [-6.5, 140.0])
@pytest.mark.parametrize("alpha", [0.748, -0.4])
def test_spin_half_to_scalar_is_the_hyperon_decay(alpha, phi):
    """H(+-1/2) = s +- p of HypNonLepton."""
    s, p_real, p_imaginary = find_model("HypNonLepton").prepare((alpha, phi), None, ())
    p = complex(p_real, p_imaginary)
    values = [f(h) for h in (s + p, s - p) for f in (np.abs, np.angle)]
    pdgids, masses = (LAMBDA, PROTON, -PION), (1.115683, 0.938272, 0.13957)
    _, found = decay("HELAMP", pdgids, masses, values)
    _, expected = decay("HypNonLepton", pdgids, masses, (s, p_real, p_imaginary))
    assert_proportional(found, expected)


def test_waves_of_spin_half_to_spin_half_and_vector():
    """sigma_k; (sigma.n) and vector in S = 1/2 or 3/2, which P_ka = delta - sigma_k sigma_a / 3 is.

    Order and norm are those of the decay file: (L, S) = (0, 1/2), (1, 1/2), (1, 3/2), (2, 3/2).
    """
    pdgids, masses = (LAMBDA_B, LAMBDA, PSI), (5.6196, 1.115683, 3.0969)
    projector = np.einsum("ka,xy->kaxy", np.eye(3), np.eye(2)) - (
        np.einsum("kxz,azy->kaxy", PAULI, PAULI) / 3
    )
    for wave in range(4):
        values = np.zeros(8)
        values[2 * wave], values[2 * wave + 1] = 0.7, 0.4
        ns, a = decay("PARTWAVE", pdgids, masses, values)
        along = np.einsum("na,axy->nxy", ns, PAULI)
        eye = np.tile(np.eye(2), (N, 1, 1))
        if wave < 2:
            coupling = np.einsum("kxz,nzy->nkxy", PAULI, (eye, along)[wave])
        else:
            coupling = np.einsum("kaxz,na,nzy->nkxy", projector, ns, (eye, along)[wave - 2])
        assert_proportional(a, np.einsum("nkji->nijk", coupling))
        np.testing.assert_allclose(np.sum(abs(a) ** 2, axis=(1, 2, 3)), 0.49, rtol=1e-12)


def test_waves_of_spin_three_halves():
    """P: S.n; D: (sigma.n)(S.n); and H(+1/2) = (P - D) / sqrt(2) of their unit amplitudes.

    S. U. Chung, CERN 71-8: <1 0 1/2 1/2|3/2 1/2> = sqrt(2/3), <2 0 1/2 1/2|3/2 1/2> = -sqrt(2/5).
    """
    pdgids, masses = (OMEGA, LAMBDA, -KAON), (1.67245, 1.115683, 0.493677)
    ns, p_wave = decay("PARTWAVE", pdgids, masses, (1.0, 0.0, 0.0, 0.0))
    _, d_wave = decay("PARTWAVE", pdgids, masses, (0.0, 0.0, 1.0, 0.0))
    along = np.einsum("na,axi->nxi", ns, TRANSITION)
    assert_proportional(p_wave[..., 0], np.einsum("nji->nij", along))
    across = np.einsum("na,ajx,nxi->nij", ns, PAULI, along)
    assert_proportional(d_wave[..., 0], across)
    _, both = decay("PARTWAVE", pdgids, masses, (0.6, 0.1, 0.5, 0.9))
    waves = 0.6 * np.exp(0.1j), 0.5 * np.exp(0.9j)
    plus, minus = (waves[0] - waves[1]) / np.sqrt(2), (waves[0] + waves[1]) / np.sqrt(2)
    values = [f(h) for h in (plus, minus) for f in (np.abs, np.angle)]
    _, helicity = decay("HELAMP", pdgids, masses, values)
    np.testing.assert_allclose(both, helicity, atol=1e-12)


def test_radiative_decay_has_the_photon_of_one_helicity():
    """Lambda_b -> Lambda gamma, H(1/2, 1) alone: the Lambda goes along the photon's spin.

    sigma.e* of the circular polarisation, with the projector on a Lambda of helicity +1/2.
    """
    pdgids, masses = (LAMBDA_B, LAMBDA, GAMMA), (5.6196, 1.115683, 0.0)
    ns, a = decay("HELAMP", pdgids, masses, (1.0, 0.0, 0.0, 0.0))
    right = (np.eye(2) + np.einsum("na,axy->nxy", ns, PAULI)) / 2
    e = np.array([[transverse_state(*-n, h) for h in range(2)] for n in ns])
    expected = np.einsum("njx,nka,axi->nijk", right, e, PAULI)
    assert_proportional(a, expected, each=True)
    np.testing.assert_allclose(np.sum(abs(a) ** 2, axis=(1, 2, 3)), 1.0, rtol=1e-12)


@pytest.mark.parametrize("sign", [1, -1])
def test_neutrinos_have_one_helicity(sign):
    """tau -> pi nu and B -> tau nu as TAUSCALARNU and SLN, for both charges."""
    first, masses = (TAU * sign, -PION * sign, NU * sign), (1.77686, 0.13957, 0.0)
    _, found = decay("HELAMP", first, masses, (1.0, 0.0))
    _, expected = decay("TAUSCALARNU", first, masses, ())
    assert_proportional(found, expected, each=True)
    second, masses = (-521 * sign, TAU * sign, -NU * sign), (5.28, 1.77686, 0.0)
    _, found = decay("HELAMP", second, masses, (1.0, 0.0))
    _, expected = decay("SLN", second, masses, ())
    assert_proportional(found, expected, each=True)
