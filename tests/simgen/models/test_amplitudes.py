"""Amplitudes of decay models against independent expressions."""

from __future__ import annotations

import ctypes

import numpy as np
import pytest

from simgen.models import compile_amplitude, find_model
from simgen.spin import transverse_state

METRIC = np.diag([-1.0, -1.0, -1.0, 1.0])


def evaluate(name, momenta, shape, pdgids=(0, 0, 0)):
    """Call the compiled amplitude of a model."""
    out = np.full(shape, np.nan, dtype=complex)
    momenta = np.ascontiguousarray(momenta, dtype=float)
    pointers = [np.zeros(1), np.array(pdgids), momenta, out]
    compiled = compile_amplitude(find_model(name).amplitude)
    call = ctypes.CFUNCTYPE(None, *[ctypes.c_void_p] * 4)(compiled.address)
    call(*(p.ctypes.data for p in pointers))
    return out


def two_body(mass, m_1, m_2, direction):
    """Return parent and daughters, (3, 4), in the parent's rest frame."""
    kallen = (mass**2 - (m_1 + m_2) ** 2) * (mass**2 - (m_1 - m_2) ** 2)
    p = np.sqrt(kallen) / (2 * mass)
    vector = p * np.asarray(direction) / np.linalg.norm(direction)
    return np.array([[0, 0, 0, mass], [*vector, np.hypot(p, m_1)], [*(-vector), np.hypot(p, m_2)]])


def boosted_axes(p, mass):
    """Return the polarisation vectors of a vector: unit axes at rest, boosted to p."""
    u, gamma = p[:3] / mass, p[3] / mass
    boost = np.eye(4)
    boost[:3, :3] += np.outer(u, u) / (1 + gamma)
    boost[:3, 3] = boost[3, :3] = u
    boost[3, 3] = gamma
    return boost[:, :3].T


DIRECTIONS = [(0, 0, 1), (1, 0, 0), (0.3, -0.5, 0.2), (-1, 2, -5)]


@pytest.mark.parametrize("direction", DIRECTIONS)
def test_vss_is_the_polarisation_along_the_first_daughter(direction):
    momenta = two_body(2.01026, 1.86484, 0.13957, direction)
    unit = np.asarray(direction) / np.linalg.norm(direction)
    np.testing.assert_allclose(evaluate("VSS", momenta, 3), unit, atol=1e-14)


@pytest.mark.parametrize("direction", DIRECTIONS)
def test_svs_is_the_polarisation_along_the_parents_momentum(direction):
    """A_j = eps_j . P_S / M with eps_j boosted from the rest frame: only helicity 0."""
    m_v = 2.01026
    momenta = two_body(5.27965, m_v, 0.13957, direction)
    axes = boosted_axes(momenta[1], m_v)
    expected = axes @ METRIC @ momenta[0] / momenta[0, 3]
    found = evaluate("SVS", momenta, 3)
    np.testing.assert_allclose(found, expected, rtol=1e-11, atol=1e-12)
    # along the flight direction, of length p / m
    unit = np.asarray(direction) / np.linalg.norm(direction)
    length = np.linalg.norm(momenta[1, :3]) / m_v
    np.testing.assert_allclose(found, length * unit, rtol=1e-11, atol=1e-12)


@pytest.mark.parametrize("direction", DIRECTIONS)
def test_vsp_pwave_is_the_only_covariant_coupling(direction):
    """epsilon_{mu nu alpha beta} P^mu eps^nu k^alpha e^beta / (M |k|), up to one sign for all."""
    momenta = two_body(2.01026, 1.86966, 0.0, direction)
    k = momenta[2]
    levi_civita = np.zeros((4, 4, 4, 4))
    for a, b, c, d in np.array(np.meshgrid(*[range(4)] * 4)).reshape(4, -1).T:
        matrix = np.eye(4)[[a, b, c, d]]
        levi_civita[a, b, c, d] = np.linalg.det(matrix)
    photon = np.array([[*transverse_state(*k[:3], h), 0.0] for h in range(2)])
    axes = np.eye(4)[:3]
    expected = np.einsum("mnab,m,in,a,hb->ih", levi_civita, momenta[0], axes, k, photon)
    expected /= momenta[0, 3] * k[3]
    found = evaluate("VSP_PWAVE", momenta, (3, 2))
    sign = np.sign(np.sum(found.real * expected))
    np.testing.assert_allclose(found, sign * expected, atol=1e-14)
    # summed over the photon: orthogonal to k
    unit = k[:3] / k[3]
    total = np.einsum("ih,jh->ij", found, found.conj())
    np.testing.assert_allclose(total, np.eye(3) - np.outer(unit, unit), atol=1e-13)


@pytest.mark.parametrize("name", ["VSS", "SVS", "VSP_PWAVE"])
def test_rotating_a_decay_rotates_its_amplitude(name):
    """The polarisation vectors are a vector index: A(R p) = R A(p), photons summed over."""
    rng = np.random.default_rng(4)
    rotation, _ = np.linalg.qr(rng.normal(size=(3, 3)))
    rotation *= np.sign(np.linalg.det(rotation))
    masses = {"VSS": (2.01, 1.865, 0.14), "SVS": (5.28, 2.01, 0.14), "VSP_PWAVE": (2.01, 1.87, 0)}
    shape = (3, 2) if name == "VSP_PWAVE" else (3, 1)
    momenta = two_body(*masses[name], (0.2, 0.7, -0.4))
    turned = momenta.copy()
    turned[:, :3] = momenta[:, :3] @ rotation.T
    before, after = evaluate(name, momenta, shape), evaluate(name, turned, shape)
    before, after = before @ before.conj().T, after @ after.conj().T
    np.testing.assert_allclose(after, rotation @ before @ rotation.T, atol=1e-12)
