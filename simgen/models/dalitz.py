"""Three-body decays of eta, eta' and omega: densities of the Dalitz plot, as published.

X and Y are linear in the kinetic energies T in the parent's rest frame, Q their sum:
X = sqrt(3) (T(pi+) - T(pi-)) / Q, and Y = 3 T(pi0) / Q - 1 where there are three pions.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import carray

from simgen.jit import kernel
from simgen.models.contract import DecayModel

_VECTOR, _SCALAR = 2, 0
_PI_PLUS = 211
_ETA_SLOPE = 1.07


@kernel
def _kinetic_energy(p: Any, k: int) -> float:
    """Return energy minus mass of particle `k`."""
    return float(p[k, 3] - _mass(p, k))


@kernel
def _mass(p: Any, k: int) -> float:
    """Return the invariant mass of particle `k`."""
    return float(np.sqrt(p[k, 3] ** 2 - p[k, 0] ** 2 - p[k, 1] ** 2 - p[k, 2] ** 2))


@kernel
def _x(p: Any, codes: Any) -> float:
    """Return X of daughters 1 and 2, a pion pair; positive where the pi+ is the faster."""
    t_1, t_2, t_3 = _kinetic_energy(p, 1), _kinetic_energy(p, 2), _kinetic_energy(p, 3)
    sign = -1.0 if codes[1] == -_PI_PLUS else 1.0
    return float(sign * np.sqrt(3.0) * (t_1 - t_2) / (t_1 + t_2 + t_3))


@kernel
def _y(p: Any) -> float:
    """Return Y of three pions, daughter 3 the pi0."""
    t_0 = _kinetic_energy(p, 3)
    return float(3.0 * t_0 / (_kinetic_energy(p, 1) + _kinetic_energy(p, 2) + t_0) - 1.0)


@kernel
def _root(density: float) -> float:
    """Return the root of a density; a polynomial fitted to data may be negative at the edge."""
    return float(np.sqrt(max(density, 0.0)))


def eta_amplitude(parameters: Any, pdgids: Any, momenta: Any, out: Any) -> None:
    r"""Eta -> pi pi pi0: |A|^2 = 1 + a Y + b Y^2 + c X + d X^2 + e X Y + f Y^3."""
    p = carray(momenta, (4, 4))
    v = carray(parameters, 6)
    x = _x(p, carray(pdgids, 4))
    y = _y(p)
    even = 1.0 + y * (v[0] + y * (v[1] + y * v[5])) + v[3] * x * x
    carray(out, 1)[0] = _root(even + x * (v[2] + v[4] * y))


def eta_linear_amplitude(
    parameters: Any,  # noqa: ARG001
    pdgids: Any,  # noqa: ARG001
    momenta: Any,
    out: Any,
) -> None:
    r"""Eta -> pi pi pi0: |A|^2 = 1 - 1.07 Y, the slope of Layter et al."""
    p = carray(momenta, (4, 4))
    carray(out, 1)[0] = _root(1.0 - _ETA_SLOPE * _y(p))


def eta_neutral_amplitude(
    parameters: Any,
    pdgids: Any,  # noqa: ARG001
    momenta: Any,
    out: Any,
) -> None:
    r"""Eta -> 3 pi0: |A|^2 = 1 + 2 alpha z, z = 2/3 sum of ((3 E_i - M) / (M - 3 m))^2."""
    p = carray(momenta, (4, 4))
    alpha = carray(parameters, 1)[0]
    z = 0.0
    for k in range(1, 4):
        z += ((3.0 * p[k, 3] - p[0, 3]) / (p[0, 3] - 3.0 * _mass(p, k))) ** 2 * 2.0 / 3.0
    carray(out, 1)[0] = _root(1.0 + 2.0 * alpha * z)


def eta_prime_amplitude(parameters: Any, pdgids: Any, momenta: Any, out: Any) -> None:
    r"""Eta' -> pi pi eta: |A|^2 = 1 + a Y + b Y^2 + c X + d X^2.

    Y = (m_eta + 2 m_pi) / m_pi T(eta) / Q - 1.
    """
    p = carray(momenta, (4, 4))
    v = carray(parameters, 4)
    x = _x(p, carray(pdgids, 4))
    t_eta, pion = _kinetic_energy(p, 3), _mass(p, 1)
    q = _kinetic_energy(p, 1) + _kinetic_energy(p, 2) + t_eta
    y = (_mass(p, 3) + 2.0 * pion) / pion * t_eta / q - 1.0
    carray(out, 1)[0] = _root(1.0 + y * (v[0] + v[1] * y) + x * (v[2] + v[3] * x))


def omega_amplitude(parameters: Any, pdgids: Any, momenta: Any, out: Any) -> None:  # noqa: ARG001
    r"""V -> pi pi pi: A_i ~ (p_1 x p_2)_i, the lowest wave of a 1- state.

    Divided by M Q, which is of its size, so that the bound fits a heavy and a light omega alike:
    the density at a given mass is the same.
    """
    p = carray(momenta, (4, 4))
    a = carray(out, 3)
    q = _kinetic_energy(p, 1) + _kinetic_energy(p, 2) + _kinetic_energy(p, 3)
    norm = 1.0 / (p[0, 3] * q)
    for i in range(3):
        j, k = (i + 1) % 3, (i + 2) % 3
        a[i] = (p[1, j] * p[2, k] - p[1, k] * p[2, j]) * norm


ETA_FULLDALITZ = DecayModel(
    name="ETA_FULLDALITZ",
    amplitude=eta_amplitude,
    reference="KLOE, JHEP 05 (2008) 006, arXiv:0801.2642; PDG, eta decay parameters",
    parameters=("a", "b", "c", "d", "e", "f"),
    n_required=6,
    parent_spin2=_SCALAR,
    daughter_spins2=(_SCALAR, _SCALAR, _SCALAR),
)

ETA_DALITZ = DecayModel(
    name="ETA_DALITZ",
    amplitude=eta_linear_amplitude,
    reference="J. G. Layter et al., PRD 7 (1973) 2565; EvtGen guide, model ETA_DALITZ",
    parent_spin2=_SCALAR,
    daughter_spins2=(_SCALAR, _SCALAR, _SCALAR),
)

ETA_PI0DALITZ = DecayModel(
    name="ETA_PI0DALITZ",
    amplitude=eta_neutral_amplitude,
    reference="BESIII, PRD 92 (2015) 012014, arXiv:1506.05360; PDG, eta decay parameters",
    parameters=("alpha",),
    n_required=1,
    parent_spin2=_SCALAR,
    daughter_spins2=(_SCALAR, _SCALAR, _SCALAR),
)

ETAPRIME_DALITZ = DecayModel(
    name="ETAPRIME_DALITZ",
    amplitude=eta_prime_amplitude,
    reference="BESIII, PRD 97 (2018) 012003, arXiv:1709.04627; PDG, eta' decay parameters",
    parameters=("a", "b", "c", "d"),
    n_required=4,
    parent_spin2=_SCALAR,
    daughter_spins2=(_SCALAR, _SCALAR, _SCALAR),
)

OMEGA_DALITZ = DecayModel(
    name="OMEGA_DALITZ",
    amplitude=omega_amplitude,
    reference="C. Zemach, Phys. Rev. 133 (1964) B1201; EvtGen guide, model OMEGA_DALITZ",
    parent_spin2=_VECTOR,
    daughter_spins2=(_SCALAR, _SCALAR, _SCALAR),
)
