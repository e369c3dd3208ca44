"""Hyperon decays against the decay parameters' definition."""

from __future__ import annotations

import numpy as np
import pytest
from weak import amplitudes, directions, two_body

from simgen.models import find_model

PAULI = np.array([[[0, 1], [1, 0]], [[0, -1j], [1j, 0]], [[1, 0], [0, -1]]])
M_LAMBDA, M_PROTON, M_PI = 1.115683, 0.938272, 0.13957


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("phi", [-6.5, 140.0])
def test_rate_and_polarisation_are_those_of_alpha_beta_gamma(sign, phi):
    """PDG, eq. (2) of Baryon decay parameters: rate by the spins of both baryons.

    R = 1 + gamma s_f.s_i + (1 - gamma) (s_f.n)(s_i.n) + alpha (s_f + s_i).n + beta n.(s_f x s_i)
    """
    alpha = 0.748
    rng = np.random.default_rng(3)
    n = directions(rng, 50)
    proton, pion = two_body(M_LAMBDA, M_PROTON, M_PI, n)
    p = np.stack([np.tile([0, 0, 0, M_LAMBDA], (50, 1)), proton, pion], axis=1)
    values = find_model("HypNonLepton").prepare((alpha, phi), None, ())
    a = amplitudes("HypNonLepton", np.array([3122, 2212, -211]) * sign, p, (2, 2), values)
    s_i, s_f = directions(rng, 2)
    rho, wanted = (0.5 * (np.eye(2) + np.einsum("i,iab->ab", s, PAULI)) for s in (s_i, s_f))
    # probability to find the final baryon with spin s_f: <j|state> are the amplitudes
    rate = np.einsum("ab,naj,nbk,kj->n", rho, a, a.conj(), wanted).real
    rest = np.sqrt(1 - alpha**2)
    beta, gamma = rest * np.sin(np.radians(phi)), rest * np.cos(np.radians(phi))
    alpha, beta = sign * alpha, sign * beta
    along_f, along_i = n @ s_f, n @ s_i
    expected = 1 + gamma * s_f @ s_i + (1 - gamma) * along_f * along_i
    expected += alpha * (along_f + along_i) + beta * n @ np.cross(s_f, s_i)
    np.testing.assert_allclose(rate, expected / 2, rtol=1e-10, atol=1e-12)
