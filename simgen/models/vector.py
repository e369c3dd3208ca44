"""Decays of vector particles."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numba import carray

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


def vvp_amplitude(
    parameters: Any,
    pdgids: Any,  # noqa: ARG001
    momenta: Any,
    out: Any,
) -> None:
    r"""V -> V' gamma: A_ijh = c epsilon(k, eps_i, eps'_j, e_h) / |k|, for instance chi_c1 -> J/psi.

    The lowest gauge-invariant coupling of an axial vector, a vector and a photon; the electric
    dipole eps_i . (eps'_j x e_h) where V' is slow.
    """
    p = carray(momenta, (3, 4))
    c = carray(parameters, 2)
    a = carray(out, (3, 3, 2))
    coupling = c[0] * np.exp(1j * c[1])
    energy = p[1, 3]
    kx, ky, kz = p[2, 0], p[2, 1], p[2, 2]
    k = np.sqrt(kx * kx + ky * ky + kz * kz)
    mass = np.sqrt(energy * energy - k * k)
    for h in range(2):
        ex, ey, ez = transverse_state(kx, ky, kz, h)
        for j in range(3):
            vx, vy, vz, time = vector_state(p[1, 0], p[1, 1], p[1, 2], energy, mass, j)
            # The determinant of four vectors of which only k and eps' have a time component.
            time /= k
            a[0, j, h] = coupling * ((vy * ez - vz * ey) - time * (ky * ez - kz * ey))
            a[1, j, h] = coupling * ((vz * ex - vx * ez) - time * (kz * ex - kx * ez))
            a[2, j, h] = coupling * ((vx * ey - vy * ex) - time * (kx * ey - ky * ex))


def vvpipi_amplitude(parameters: Any, pdgids: Any, momenta: Any, out: Any) -> None:  # noqa: ARG001
    r"""V -> V' pi pi: A_ij = eps_i . eps'_j (m_pipi^2 - 4 m_pi^2) / (M - M')^2.

    The pion pair in an S wave, of which the amplitude vanishes at threshold.
    """
    p = carray(momenta, (4, 4))
    a = carray(out, (3, 3))
    px, py, pz, energy, parent = p[1, 0], p[1, 1], p[1, 2], p[1, 3], p[0, 3]
    squared = px * px + py * py + pz * pz
    mass = np.sqrt(energy * energy - squared)
    pion_squared = p[2, 3] ** 2 - p[2, 0] ** 2 - p[2, 1] ** 2 - p[2, 2] ** 2
    pair_squared = (parent - energy) ** 2 - squared
    form = (pair_squared - 4.0 * pion_squared) / (parent - mass) ** 2
    for j in range(3):
        x, y, z, _ = vector_state(px, py, pz, energy, mass, j)
        a[0, j], a[1, j], a[2, j] = x * form, y * form, z * form


@dataclass(frozen=True)
class _OneCoupling(DecayModel):
    """A model whose further couplings are of unknown meaning and must be zero."""

    def problem(
        self, parameters: Parameters, parent: ParticleData, daughters: Sequence[ParticleData]
    ) -> str | None:
        """Say why this model cannot serve a decay, or return None; see `DecayModel.problem`."""
        found = DecayModel.problem(self, parameters, parent, daughters)
        if found is None and any(parameters[2:]):
            return f"{self.name} serves the first coupling only: all parameters after it must be 0"
        return found


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

VVP = _OneCoupling(
    name="VVP",
    amplitude=vvp_amplitude,
    reference="G. Karl, S. Meshkov, J. L. Rosner, PRD 13 (1976) 1203; EvtGen guide, model VVP",
    parameters=(
        *("magnitude", "phase", "magnitude 2", "phase 2"),
        *("magnitude 3", "phase 3", "magnitude 4", "phase 4"),
    ),
    n_required=8,
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
