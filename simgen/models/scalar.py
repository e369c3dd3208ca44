"""Decays of scalar particles."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import carray

from simgen.models.contract import DecayModel
from simgen.spin import vector_state

_VECTOR, _SCALAR = 2, 0


def svs_amplitude(parameters: Any, pdgids: Any, momenta: Any, out: Any) -> None:  # noqa: ARG001
    r"""S -> V S: A_j = eps*_j(p_V) . P_S / M, so the vector has helicity 0."""
    p = carray(momenta, (3, 4))
    a = carray(out, 3)
    px, py, pz, energy = p[1, 0], p[1, 1], p[1, 2], p[1, 3]
    mass = np.sqrt(energy * energy - px * px - py * py - pz * pz)
    for j in range(3):
        _, _, _, time = vector_state(px, py, pz, energy, mass, j)
        a[j] = time


SVS = DecayModel(
    name="SVS",
    amplitude=svs_amplitude,
    reference="EvtGen guide, model SVS (S -> V S, for instance B -> D* pi)",
    parent_spin2=_SCALAR,
    daughter_spins2=(_VECTOR, _SCALAR),
)
