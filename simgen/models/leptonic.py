"""Decays into two leptons."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import carray

from simgen.models.contract import DecayModel
from simgen.spinors import charged_current, left_spinor, neutrino_spinor, right_spinor


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


def vll_amplitude(parameters: Any, pdgids: Any, momenta: Any, out: Any) -> None:  # noqa: ARG001
    r"""V -> l+ l-: A_ijk = eps_i . (ubar_j gamma v_k) / sqrt(4 M^2 + 8 m^2), of rate 1/3 each.

    The norm leaves the mass distribution of a broad vector as it is.
    """
    p = carray(momenta, (3, 4))
    a = carray(out, (3, 2, 2))
    codes = carray(pdgids, 3)
    square = p[1, 3] ** 2 - p[1, 0] ** 2 - p[1, 1] ** 2 - p[1, 2] ** 2
    mass = np.sqrt(square)
    norm = 1.0 / np.sqrt(4.0 * p[0, 3] ** 2 + 8.0 * square)
    u, v = (1, 2) if codes[1] > 0 else (2, 1)
    for j in range(2):
        for k in range(2):
            s, r = (j, k) if u == 1 else (k, j)
            l0, l1 = left_spinor(p[u, 0], p[u, 1], p[u, 2], p[u, 3], mass, s, False)
            r0, r1 = right_spinor(p[u, 0], p[u, 1], p[u, 2], p[u, 3], mass, s, False)
            m0, m1 = left_spinor(p[v, 0], p[v, 1], p[v, 2], p[v, 3], mass, r, True)
            s0, s1 = right_spinor(p[v, 0], p[v, 1], p[v, 2], p[v, 3], mass, r, True)
            l0, l1, r0, r1 = l0.conjugate(), l1.conjugate(), r0.conjugate(), r1.conjugate()
            a[0, j, k] = norm * (r0 * s1 + r1 * s0 - l0 * m1 - l1 * m0)
            a[1, j, k] = norm * 1j * (r1 * s0 - r0 * s1 - l1 * m0 + l0 * m1)
            a[2, j, k] = norm * (r0 * s0 - r1 * s1 - l0 * m0 + l1 * m1)


SLN = DecayModel(
    name="SLN",
    amplitude=sln_amplitude,
    reference="EvtGen guide, model SLN (P -> l nu); PDG review of leptonic decays of mesons",
    parent_spin2=0,
    daughter_spins2=(1, 1),
)

VLL = DecayModel(
    name="VLL",
    amplitude=vll_amplitude,
    reference="M. E. Peskin, D. V. Schroeder, sect. 5.1; EvtGen guide, model VLL (V -> l+ l-)",
    parent_spin2=2,
    daughter_spins2=(1, 1),
)
