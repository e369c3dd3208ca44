"""Decays of baryons."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numba import carray

from simgen.models.contract import DecayModel, Parameters

if TYPE_CHECKING:
    from collections.abc import Sequence

    from simgen.particles import ParticleData

_HALF, _SCALAR = 1, 0


def hyperon_amplitude(parameters: Any, pdgids: Any, momenta: Any, out: Any) -> None:
    r"""Spin 1/2 -> spin 1/2 and a scalar: A_ij = <j| s + p sigma.n |i>, n along the baryon.

    CP turns p into -p, so antibaryons have -alpha and -beta.
    """
    v = carray(parameters, 3)
    q = carray(momenta, (3, 4))
    a = carray(out, (2, 2))
    sign = 1.0 if carray(pdgids, 3)[0] > 0 else -1.0
    wave = complex(v[1], v[2]) * (sign / np.sqrt(q[1, 0] ** 2 + q[1, 1] ** 2 + q[1, 2] ** 2))
    a[0, 0] = v[0] + wave * q[1, 2]
    a[1, 1] = v[0] - wave * q[1, 2]
    a[0, 1] = wave * complex(q[1, 0], q[1, 1])
    a[1, 0] = wave * complex(q[1, 0], -q[1, 1])


@dataclass(frozen=True)
class _Hyperon(DecayModel):
    """HypNonLepton: alpha and phi, in degrees, as the PDG lists them."""

    def prepare(
        self,
        parameters: Parameters,
        parent: ParticleData,  # noqa: ARG002
        daughters: Sequence[ParticleData],  # noqa: ARG002
    ) -> tuple[float, ...]:
        """Return s, real, and real and imaginary part of p, with |s|^2 + |p|^2 = 1.

        alpha = 2 Re(s* p), beta = 2 Im(s* p) = sqrt(1 - alpha^2) sin(phi) and
        gamma = |s|^2 - |p|^2 = sqrt(1 - alpha^2) cos(phi).
        """
        alpha, phi = float(parameters[0]), math.radians(float(parameters[1]))
        rest = math.sqrt(1.0 - alpha * alpha)
        beta, gamma = rest * math.sin(phi), rest * math.cos(phi)
        s = math.sqrt(0.5 * (1.0 + gamma))
        if s == 0.0:
            return 0.0, 1.0, 0.0
        return s, 0.5 * alpha / s, 0.5 * beta / s

    def problem(
        self, parameters: Parameters, parent: ParticleData, daughters: Sequence[ParticleData]
    ) -> str | None:
        """Say why this model cannot serve a decay; see `DecayModel.problem`."""
        found = DecayModel.problem(self, parameters, parent, daughters)
        if found is None and abs(float(parameters[0])) > 1.0:
            return f"{self.name} takes an alpha between -1 and 1, found {parameters[0]}"
        return found


HYPNONLEPTON = _Hyperon(
    name="HypNonLepton",
    amplitude=hyperon_amplitude,
    reference="T. D. Lee, C. N. Yang, Phys. Rev. 108 (1957) 1645; PDG, Baryon decay parameters",
    parameters=("alpha", "phi", "note every"),
    n_required=2,
    parent_spin2=_HALF,
    daughter_spins2=(_HALF, _SCALAR),
)
