"""Tau decays against the textbook matrix elements, point by point, polarised and not."""

from __future__ import annotations

import numpy as np
import pytest
from weak import amplitudes, boost, directions, dot, two_body

M_TAU, M_MU, M_PI, M_RHO = 1.77686, 0.10566, 0.13957, 0.775
PAULI = np.array([[[0, 1], [1, 0]], [[0, -1j], [1j, 0]], [[1, 0], [0, -1]]])


def polarised_rate(a, spin):
    """Return Tr(rho A A^dagger) with rho = (1 + s.sigma) / 2; `a` is (n, 2, ...)."""
    rho = 0.5 * (np.eye(2) + np.einsum("i,iab->ab", spin, PAULI))
    flat = a.reshape(len(a), 2, -1)
    return np.einsum("ab,naj,nbj->n", rho, flat, flat.conj()).real


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("spin", [(0, 0, 0), (0, 0, 1), (0.6, -0.8, 0), (0.3, 0.2, -0.5)])
def test_leptonic_decay_is_the_matrix_element_of_muon_decay(sign, spin):
    """sum |A|^2 = 128 (p_tau -+ m s).p_nubar  p_l.p_nu, s the spin of tau-+ (Tsai 1971)."""
    rng = np.random.default_rng(11)
    n = 200
    m_pair = rng.uniform(0.0, M_TAU - M_MU, n)[:, None]
    lepton, pair = two_body(M_TAU, M_MU, m_pair, directions(rng, n))
    half = np.concatenate([directions(rng, n), np.ones((n, 1))], axis=1) * m_pair / 2
    nu_l, nu_tau = boost(half, pair), boost(half * [-1, -1, -1, 1], pair)
    tau = np.tile([0, 0, 0, M_TAU], (n, 1))
    p = np.stack([tau, lepton, nu_l, nu_tau], axis=1)
    a = amplitudes("TAULNUNU", np.array([15, 13, -14, 16]) * sign, p, (2, 2))
    vector = tau - sign * M_TAU * np.array([*spin, 0.0])
    # |M|^2 = 256 for one spin state of u ubar = (pslash + m)(1 + gamma_5 sslash) / 2
    expected = 128 * dot(vector, nu_l) * dot(lepton, nu_tau)
    found = polarised_rate(a, spin)
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize(
    ("name", "mass", "code", "shape", "alpha"),
    [
        ("TAUSCALARNU", M_PI, -211, (2,), 1.0),
        (
            "TAUVECTORNU", M_RHO, -213, (2, 3),
            (M_TAU**2 - 2 * M_RHO**2) / (M_TAU**2 + 2 * M_RHO**2),
        ),
    ],
)  # fmt: skip
def test_hadronic_decays_analyse_the_spin(sign, name, mass, code, shape, alpha):
    """The rate goes as 1 +- alpha s.n, n the direction of the meson (Tsai 1971)."""
    rng = np.random.default_rng(12)
    n = directions(rng, 100)
    meson, nu = two_body(M_TAU, mass, 0.0, n)
    p = np.stack([np.tile([0, 0, 0, M_TAU], (100, 1)), meson, nu], axis=1)
    a = amplitudes(name, np.array([15, code, 16]) * sign, p, shape)
    spin = np.array([0.4, -0.7, 0.3])
    found = polarised_rate(a, spin)
    expected = 1.0 + sign * alpha * n @ spin
    np.testing.assert_allclose(found / polarised_rate(a, np.zeros(3)), expected, rtol=1e-10)


def test_longitudinal_and_transverse_rho():
    """|A_0|^2 : |A_T|^2 = m_tau^2 : 2 m_rho^2, the transverse one left-handed in tau-."""
    meson, nu = two_body(M_TAU, M_RHO, 0.0, np.array([[0.0, 0.0, 1.0]]))
    p = np.stack([np.tile([0, 0, 0, M_TAU], (1, 1)), meson, nu], axis=1)
    a = amplitudes("TAUVECTORNU", (15, -213, 16), p, (2, 3))[0]
    longitudinal = np.sum(abs(a[:, 2]) ** 2)
    left = np.sum(abs(a[:, 0] + 1j * a[:, 1]) ** 2) / 2
    right = np.sum(abs(a[:, 0] - 1j * a[:, 1]) ** 2) / 2
    assert min(left, right) < 1e-12 * longitudinal
    np.testing.assert_allclose(left / longitudinal, 2 * M_RHO**2 / M_TAU**2, rtol=1e-10)
