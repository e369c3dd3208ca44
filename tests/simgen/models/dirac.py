"""Dirac matrices in the chiral basis, order (x, y, z, t), for tests by traces; left is -1."""

from __future__ import annotations

import numpy as np

METRIC = np.diag([-1.0, -1.0, -1.0, 1.0])
UNIT = np.eye(4)
_PAULI = np.array([[[0, 1], [1, 0]], [[0, -1j], [1j, 0]], [[1, 0], [0, -1]]], dtype=complex)
_ZERO, _ONE = np.zeros((2, 2)), np.eye(2)
GAMMA = [
    *(np.block([[_ZERO, s], [-s, _ZERO]]) for s in _PAULI),
    np.block([[_ZERO, _ONE], [_ONE, _ZERO]]),
]
GAMMA5 = np.diag([-1.0, -1.0, 1.0, 1.0])


def slash(p):
    """Return p_mu gamma^mu."""
    return sum(g * c for g, c in zip(GAMMA, METRIC @ np.asarray(p), strict=True))
