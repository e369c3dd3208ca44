"""Decays of pseudoscalars into a lepton and its neutrino."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import carray

from simgen.models.contract import DecayModel
from simgen.spinors import charged_current, left_spinor, neutrino_spinor


def sln_amplitude(parameters: Any, pdgids: Any, momenta: Any, out: Any) -> None:  # noqa: ARG001
    r"""P -> l nu: A = J(l, nu) . P / M, so the lepton has the helicity its mass allows."""
    p = carray(momenta, (3, 4))
    a = carray(out, 2)
    anti = carray(pdgids, 3)[1] < 0
    mass = np.sqrt(p[1, 3] ** 2 - p[1, 0] ** 2 - p[1, 1] ** 2 - p[1, 2] ** 2)
    n0, n1 = neutrino_spinor(p[2, 0], p[2, 1], p[2, 2], p[2, 3])
    for j in range(2):
        l0, l1 = left_spinor(p[1, 0], p[1, 1], p[1, 2], p[1, 3], mass, j, anti)
        _, _, _, a[j] = charged_current(l0, l1, n0, n1, anti)


SLN = DecayModel(
    name="SLN",
    amplitude=sln_amplitude,
    reference="EvtGen guide, model SLN (P -> l nu); PDG review of leptonic decays of mesons",
    parent_spin2=0,
    daughter_spins2=(1, 1),
)
