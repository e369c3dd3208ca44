"""Decays of tau leptons through the left-handed charged current."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import carray

from simgen.models.contract import DecayModel
from simgen.spin import vector_state
from simgen.spinors import antisymmetric, charged_current, left_spinor, neutrino_spinor

_HALF, _VECTOR, _SCALAR = 1, 2, 0


def taulnunu_amplitude(parameters: Any, pdgids: Any, momenta: Any, out: Any) -> None:  # noqa: ARG001
    r"""Tau -> l nu nu: A = J(tau, nu_tau) . J(l, nu_l); the Michel spectrum.

    By the Fierz identity (a^+ sigmabar^mu b)(c^+ sigmabar_mu d) = 2 <a^* c^*> <b d>, < > the
    antisymmetric product of `simgen.spinors`, it is a factor of the lepton times one of the tau.
    """
    p = carray(momenta, (4, 4))  # tau, lepton, its neutrino, tau neutrino
    a = carray(out, (2, 2))
    anti = carray(pdgids, 4)[0] < 0
    mass = np.sqrt(p[1, 3] ** 2 - p[1, 0] ** 2 - p[1, 1] ** 2 - p[1, 2] ** 2)
    n0, n1 = neutrino_spinor(p[2, 0], p[2, 1], p[2, 2], p[2, 3])
    m0, m1 = neutrino_spinor(p[3, 0], p[3, 1], p[3, 2], p[3, 3])
    for j in range(2):
        l0, l1 = left_spinor(p[1, 0], p[1, 1], p[1, 2], p[1, 3], mass, j, anti)
        lepton = 8.0 * antisymmetric(m0, m1, l0, l1).conjugate()
        for i in range(2):
            t0, t1 = left_spinor(0.0, 0.0, 0.0, p[0, 3], p[0, 3], i, anti)
            value = lepton * antisymmetric(t0, t1, n0, n1)
            a[i, j] = value.conjugate() if anti else value  # the currents of antiparticles


def tauscalarnu_amplitude(parameters: Any, pdgids: Any, momenta: Any, out: Any) -> None:  # noqa: ARG001
    r"""Tau -> P nu: A = J(tau, nu) . p_P."""
    p = carray(momenta, (3, 4))
    a = carray(out, 2)
    anti = carray(pdgids, 3)[0] < 0
    n0, n1 = neutrino_spinor(p[2, 0], p[2, 1], p[2, 2], p[2, 3])
    for i in range(2):
        t0, t1 = left_spinor(0.0, 0.0, 0.0, p[0, 3], p[0, 3], i, anti)
        x, y, z, t = charged_current(t0, t1, n0, n1, not anti)
        a[i] = t * p[1, 3] - x * p[1, 0] - y * p[1, 1] - z * p[1, 2]


def tauvectornu_amplitude(parameters: Any, pdgids: Any, momenta: Any, out: Any) -> None:  # noqa: ARG001
    r"""Tau -> V nu: A_j = J(tau, nu) . eps*_j."""
    p = carray(momenta, (3, 4))
    a = carray(out, (2, 3))
    anti = carray(pdgids, 3)[0] < 0
    mass = np.sqrt(p[1, 3] ** 2 - p[1, 0] ** 2 - p[1, 1] ** 2 - p[1, 2] ** 2)
    n0, n1 = neutrino_spinor(p[2, 0], p[2, 1], p[2, 2], p[2, 3])
    for i in range(2):
        t0, t1 = left_spinor(0.0, 0.0, 0.0, p[0, 3], p[0, 3], i, anti)
        x, y, z, t = charged_current(t0, t1, n0, n1, not anti)
        for j in range(3):
            ex, ey, ez, et = vector_state(p[1, 0], p[1, 1], p[1, 2], p[1, 3], mass, j)
            a[i, j] = t * et - x * ex - y * ey - z * ez


TAULNUNU = DecayModel(
    name="TAULNUNU",
    amplitude=taulnunu_amplitude,
    reference="Y.-S. Tsai, Phys. Rev. D 4 (1971) 2821 (V-A; l, its neutrino, tau neutrino)",
    parent_spin2=_HALF,
    daughter_spins2=(_HALF, _HALF, _HALF),
)

TAUSCALARNU = DecayModel(
    name="TAUSCALARNU",
    amplitude=tauscalarnu_amplitude,
    reference="Y.-S. Tsai, Phys. Rev. D 4 (1971) 2821 (tau -> pi nu, K nu)",
    parent_spin2=_HALF,
    daughter_spins2=(_SCALAR, _HALF),
)

TAUVECTORNU = DecayModel(
    name="TAUVECTORNU",
    amplitude=tauvectornu_amplitude,
    reference="Y.-S. Tsai, Phys. Rev. D 4 (1971) 2821 (tau -> rho nu, K* nu)",
    parent_spin2=_HALF,
    daughter_spins2=(_VECTOR, _HALF),
)
