"""Decays of vector particles."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numba import carray

from simgen.jit import kernel
from simgen.models.contract import DecayModel, Parameters
from simgen.spin import transverse_state, vector_state

if TYPE_CHECKING:
    from collections.abc import Sequence

    from simgen.particles import ParticleData

_VECTOR, _SCALAR = 2, 0


def vss_amplitude(parameters: Any, pdgids: Any, momenta: Any, out: Any) -> None:  # noqa: ARG001
    r"""V -> S S: A_i = eps_i . p_1 / |p_1|, so J_z = +-1 gives sin^2(theta)."""
    p = carray(momenta, (3, 4))
    a = carray(out, 3)
    norm = 1.0 / np.sqrt(p[1, 0] ** 2 + p[1, 1] ** 2 + p[1, 2] ** 2)
    for i in range(3):
        a[i] = p[1, i] * norm


def vsp_pwave_amplitude(
    parameters: Any,  # noqa: ARG001
    pdgids: Any,  # noqa: ARG001
    momenta: Any,
    out: Any,
) -> None:
    r"""V -> S gamma in a P wave: A_ih = eps_i . (k x e_h) / |k|.

    This is the only coupling of a vector, a scalar of opposite intrinsic parity and a photon:
    epsilon^{mu nu alpha beta} P_mu eps_nu k_alpha e*_beta in the rest frame of the vector.
    """
    p = carray(momenta, (3, 4))
    a = carray(out, (3, 2))
    kx, ky, kz = p[2, 0], p[2, 1], p[2, 2]
    norm = 1.0 / np.sqrt(kx * kx + ky * ky + kz * kz)
    for h in range(2):
        ex, ey, ez = transverse_state(kx, ky, kz, h)
        a[0, h] = (ky * ez - kz * ey) * norm
        a[1, h] = (kz * ex - kx * ez) * norm
        a[2, h] = (kx * ey - ky * ex) * norm


def vvp_amplitude(parameters: Any, pdgids: Any, momenta: Any, out: Any) -> None:  # noqa: ARG001
    r"""V -> V' gamma: A_ijh = eps_i . (eps'_j x e_h), the electric dipole, as chi_c1 -> J/psi.

    eps'_j is that of V' at rest, so V' has helicities 0 and +-1 with amplitudes of equal size.
    """
    p = carray(momenta, (3, 4))
    a = carray(out, (3, 3, 2))
    for h in range(2):
        ex, ey, ez = transverse_state(p[2, 0], p[2, 1], p[2, 2], h)
        a[0, 0, h] = a[1, 1, h] = a[2, 2, h] = 0.0
        a[0, 1, h], a[1, 2, h], a[2, 0, h] = ez, ex, ey
        a[1, 0, h], a[2, 1, h], a[0, 2, h] = -ez, -ex, -ey


@kernel
def _hand_on(form: complex, p: Any, out: Any) -> None:
    """Write A_ij = form eps_i . eps'_j of V -> V' ..., eps' the boosted polarisation of V'."""
    px, py, pz, energy = p[1, 0], p[1, 1], p[1, 2], p[1, 3]
    mass = np.sqrt(energy * energy - px * px - py * py - pz * pz)
    for j in range(3):
        x, y, z, _ = vector_state(px, py, pz, energy, mass, j)
        out[0, j], out[1, j], out[2, j] = x * form, y * form, z * form


@kernel
def _squared(p: Any, k: int) -> float:
    """Return the mass squared of particle k."""
    return float(p[k, 3] ** 2 - p[k, 0] ** 2 - p[k, 1] ** 2 - p[k, 2] ** 2)


def vvpipi_amplitude(parameters: Any, pdgids: Any, momenta: Any, out: Any) -> None:  # noqa: ARG001
    r"""V -> V' pi pi: A_ij = eps_i . eps'_j (m_pipi^2 - 4 m_pi^2) / (M - M')^2.

    The pion pair in an S wave, of which the amplitude vanishes at threshold.
    """
    p = carray(momenta, (4, 4))
    pair = p[0, 3] ** 2 - 2.0 * p[0, 3] * p[1, 3] + _squared(p, 1)
    form = (pair - 4.0 * _squared(p, 2)) / (p[0, 3] - np.sqrt(_squared(p, 1))) ** 2
    _hand_on(complex(form), p, carray(out, (3, 3)))


def upsilon_pipi_amplitude(parameters: Any, pdgids: Any, momenta: Any, out: Any) -> None:  # noqa: ARG001
    r"""V -> V' pi pi: A_ij = eps_i . eps'_j (m_pipi^2 - 2 m_pi^2 + B/A E_1 E_2) / (M - M')^2.

    E_1 and E_2 are the pions' energies in the rest frame of V; the parameters are Re(B/A), Im(B/A).
    """
    v, p = carray(parameters, 2), carray(momenta, (4, 4))
    pair = p[0, 3] ** 2 - 2.0 * p[0, 3] * p[1, 3] + _squared(p, 1)
    form = pair - 2.0 * _squared(p, 2) + complex(v[0], v[1]) * p[2, 3] * p[3, 3]
    _hand_on(form / (p[0, 3] - np.sqrt(_squared(p, 1))) ** 2, p, carray(out, (3, 3)))


class _Dipole(DecayModel):
    """VVP, for which decay files have no parameters, or eight that mean nothing, as in EvtGen."""

    def problem(
        self, parameters: Parameters, parent: ParticleData, daughters: Sequence[ParticleData]
    ) -> str | None:
        """Say why this model cannot serve a decay, or return None; see `DecayModel.problem`."""
        if len(parameters) not in {0, len(self.parameters)}:
            most = len(self.parameters)
            return f"{self.name} takes 0 or {most} parameters, unused, found {len(parameters)}"
        return super().problem(parameters, parent, daughters)

    def prepare(
        self,
        parameters: Parameters,  # noqa: ARG002
        parent: ParticleData,  # noqa: ARG002
        daughters: Sequence[ParticleData],  # noqa: ARG002
    ) -> tuple[float, ...]:
        """Return no numbers."""
        return ()


VSS = DecayModel(
    name="VSS",
    amplitude=vss_amplitude,
    reference="D. J. Lange, NIM A 462 (2001) 152; EvtGen guide, model VSS",
    parent_spin2=_VECTOR,
    daughter_spins2=(_SCALAR, _SCALAR),
)

VSP_PWAVE = DecayModel(
    name="VSP_PWAVE",
    amplitude=vsp_pwave_amplitude,
    reference="EvtGen guide, model VSP_PWAVE (V -> S gamma, for instance D* -> D gamma)",
    parent_spin2=_VECTOR,
    daughter_spins2=(_SCALAR, _VECTOR),
)

VVP = _Dipole(
    name="VVP",
    amplitude=vvp_amplitude,
    reference="G. Karl, S. Meshkov, J. L. Rosner, PRD 13 (1976) 1203; EvtGen guide, model VVP",
    parameters=tuple(f"unused {n}" for n in range(1, 9)),
    parent_spin2=_VECTOR,
    daughter_spins2=(_VECTOR, _VECTOR),
)

VVPIPI = DecayModel(
    name="VVPIPI",
    amplitude=vvpipi_amplitude,
    reference="L. S. Brown, R. N. Cahn, PRL 35 (1975) 1; EvtGen guide, model VVPIPI",
    parent_spin2=_VECTOR,
    daughter_spins2=(_VECTOR, _SCALAR, _SCALAR),
)

# Both names mean the matrix element of CLEO; BOOST is the one whose pions balance the V'.
YMSTOYNSPIPICLEO = DecayModel(
    name="YMSTOYNSPIPICLEO",
    amplitude=upsilon_pipi_amplitude,
    reference="D. Cronin-Hennessy et al. (CLEO), PRD 76 (2007) 072001, arXiv:0706.2317; C = 0",
    parameters=("Re(B/A)", "Im(B/A)"),
    n_required=2,
    parent_spin2=_VECTOR,
    daughter_spins2=(_VECTOR, _SCALAR, _SCALAR),
)

YMSTOYNSPIPICLEOBOOST = replace(YMSTOYNSPIPICLEO, name="YMSTOYNSPIPICLEOBOOST")
