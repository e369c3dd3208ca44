"""Spin states: completeness and orthogonality of polarisation vectors, numbers of states."""

from __future__ import annotations

import numpy as np
import pytest

from simgen.spin import n_spin_states, transverse_state, vector_state

METRIC = np.diag([-1.0, -1.0, -1.0, 1.0])
MOMENTA = [(0.0, 0.0, 0.0), (0.3, -0.4, 1.2), (0.0, 0.0, -2.0), (5.0, 0.1, 0.0), (0.0, -3.0, 1e-9)]


@pytest.mark.parametrize("momentum", MOMENTA)
def test_vector_states_are_complete_and_transverse_to_the_momentum(momentum):
    mass = 0.775
    p = np.array([*momentum, np.sqrt(np.dot(momentum, momentum) + mass**2)])
    states = np.array([vector_state(*p, mass, j) for j in range(3)])
    # sum_j eps_j^mu eps_j^nu = -g^{mu nu} + p^mu p^nu / m^2
    total = np.einsum("jm,jn->mn", states, states)
    np.testing.assert_allclose(total, -METRIC + np.outer(p, p) / mass**2, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(states @ METRIC @ states.T, -np.eye(3), atol=1e-12)
    np.testing.assert_allclose(states @ METRIC @ p, 0.0, atol=1e-12)


def test_vector_states_at_rest_are_the_axes():
    states = [vector_state(0.0, 0.0, 0.0, 2.0, 2.0, j) for j in range(3)]
    np.testing.assert_array_equal(states, np.eye(4)[:3])


@pytest.mark.parametrize("momentum", MOMENTA[1:])
def test_transverse_states_span_the_plane_across_the_momentum(momentum):
    k = np.array(momentum)
    states = np.array([transverse_state(*k, j) for j in range(2)])
    n = k / np.linalg.norm(k)
    expected = np.eye(3) - np.outer(n, n)
    np.testing.assert_allclose(np.einsum("ja,jb->ab", states, states), expected, atol=1e-14)


@pytest.mark.parametrize(
    ("spin2", "massless", "states"),
    [(0, False, 1), (1, False, 2), (2, False, 3), (3, False, 4), (4, False, 5),
     (2, True, 2), (1, True, 1), (0, True, 1)],
)  # fmt: skip
def test_number_of_spin_states(spin2, massless, states):
    assert n_spin_states(spin2, massless=massless) == states
