r"""P -> l+ l- gamma: a photon of P -> gamma gamma converts to a pair of leptons.

Summed over spins, with s the mass squared of the pair, beta^2 = 1 - 4 m^2 / s and theta the angle
of a lepton in the rest frame of the pair to its direction of flight (N. M. Kroll, W. Wada,
Phys. Rev. 98 (1955) 1355),

    dGamma ~ |F(s)|^2 (1 - s / M^2)^3 beta / s [1 + beta^2 cos^2(theta) + 4 m^2 / s] ds dcos(theta).

F is the form factor of vector dominance, a rho of 768 MeV and 151 MeV, the values EvtGen has.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import carray

from simgen.jit import kernel
from simgen.models.contract import DecayModel
from simgen.spin import transverse_state
from simgen.spinors import vector_current

_HALF, _VECTOR, _SCALAR = 1, 2, 0
_RHO_MASS, _RHO_WIDTH = 0.768, 0.151


@kernel
def _form_factor(s: float) -> float:
    """Return |F(s)|, 1 for a real photon up to the square of the rho's width over its mass."""
    pole = _RHO_MASS**2
    return float(pole / np.hypot(pole - s, _RHO_MASS * _RHO_WIDTH))


@kernel
def _pair(p: Any) -> tuple[float, float, float]:
    """Return s, the lepton mass squared and beta^2 cos(theta)^2."""
    mass_squared = p[1, 3] ** 2 - p[1, 0] ** 2 - p[1, 1] ** 2 - p[1, 2] ** 2
    s = p[0, 3] * (p[0, 3] - 2.0 * p[3, 3])
    # k.(p_1 - p_2) = k.q beta cos(theta), k the photon and q the pair
    along = p[3, 3] * (p[1, 3] - p[2, 3])
    for i in range(3):
        along -= p[3, i] * (p[1, i] - p[2, i])
    whole = p[3, 3] * p[0, 3]
    return s, mass_squared, along * along / (whole * whole)


@kernel
def _amplitudes(
    p: Any, first_is_lepton: bool, factor: float, s: float, mass: float, a: Any
) -> None:
    """Write factor F e_h . (k x J) / (m M), with J the current of the pair and m = sqrt(s).

    In the rest frame of the parent epsilon^{mu nu alpha beta} e_mu k_nu J_alpha q_beta / s is
    M e . (k x J) / s; it is divided by M^2, and the factor m is that of `DecayModel.pole`.
    """
    kx, ky, kz = p[3, 0], p[3, 1], p[3, 2]
    scale = factor * _form_factor(s) / (np.sqrt(s) * p[0, 3])
    lepton, antilepton = (1, 2) if first_is_lepton else (2, 1)
    for i in range(2):
        for j in range(2):
            x, y, z, _ = vector_current(p[lepton], mass, i, p[antilepton], mass, j)
            cx, cy, cz = ky * z - kz * y, kz * x - kx * z, kx * y - ky * x
            for h in range(2):
                ex, ey, ez = transverse_state(kx, ky, kz, h)
                value = scale * (ex * cx + ey * cy + ez * cz)
                if first_is_lepton:
                    a[i, j, h] = value
                else:
                    a[j, i, h] = value


def kroll_wada_amplitude(parameters: Any, pdgids: Any, momenta: Any, out: Any) -> None:  # noqa: ARG001
    r"""P -> l l gamma in quantum electrodynamics: A = F e . (k x J) M / s."""
    p = carray(momenta, (4, 4))
    s, mass_squared, _ = _pair(p)
    first_is_lepton = carray(pdgids, 4)[1] > 0
    _amplitudes(p, first_is_lepton, 1.0, s, np.sqrt(mass_squared), carray(out, (2, 2, 2)))


def pi0_dalitz_amplitude(parameters: Any, pdgids: Any, momenta: Any, out: Any) -> None:  # noqa: ARG001
    r"""P -> l l gamma with the density of EvtGen, beta^2 [1 + cos^2(theta)] instead.

    EvtGen (2.2.0 and before) takes the square of the lepton mass in the trace of the pair with
    the other sign, which leaves out the slowest pairs: of pi0 -> e+ e- gamma one in eight is
    missing, nearly all of them below 4 MeV. `KROLL_WADA` is the full result.
    """
    p = carray(momenta, (4, 4))
    s, mass_squared, angular = _pair(p)
    excess = 4.0 * mass_squared / s
    factor = np.sqrt(max((1.0 - excess + angular) / (1.0 + angular + excess), 0.0))
    first_is_lepton = carray(pdgids, 4)[1] > 0
    _amplitudes(p, first_is_lepton, factor, s, np.sqrt(mass_squared), carray(out, (2, 2, 2)))


PI0_DALITZ = DecayModel(
    name="PI0_DALITZ",
    amplitude=pi0_dalitz_amplitude,
    reference="EvtGen guide, model PI0_DALITZ; see KROLL_WADA",
    parent_spin2=_SCALAR,
    daughter_spins2=(_HALF, _HALF, _VECTOR),
    pole=0,
)

KROLL_WADA = DecayModel(
    name="KROLL_WADA",
    amplitude=kroll_wada_amplitude,
    reference="N. M. Kroll, W. Wada, Phys. Rev. 98 (1955) 1355; L. G. Landsberg, Phys. Rept. 128 "
    "(1985) 301 (form factor)",
    parent_spin2=_SCALAR,
    daughter_spins2=(_HALF, _HALF, _VECTOR),
    pole=0,
)
