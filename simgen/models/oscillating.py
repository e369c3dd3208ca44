"""Decays that know of mixing: pairs of neutral mesons, and decays that tell no flavour.

The amplitudes see the flavour state of the decaying meson, alpha |M0> + beta |anti-M0>; how it
comes about is the engine's (`simgen.engine.oscillation`). Amplitudes A are those of M0, Abar
those of anti-M0, both to the daughters as listed, whichever of the two the decay is listed for.
"""

from __future__ import annotations

import cmath
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numba import carray

from simgen.models.contract import DecayModel, FinalState, Oscillation, Parameters
from simgen.models.helicity import zero_helicity
from simgen.models.two_body import is_served, write_two_body
from simgen.models.vector import vss_amplitude

if TYPE_CHECKING:
    from collections.abc import Sequence

    from simgen.particles import ParticleData

_VECTOR, _SCALAR = 2, 0
_MIXING = ("dm", "dGamma/Gamma", "|q/p|", "arg(q/p)")
_DECAY = ("|A_f|", "arg(A_f)", "|Abar_f|", "arg(Abar_f)")
_CONJUGATE = ("|A_fbar|", "arg(A_fbar)", "|Abar_fbar|", "arg(Abar_fbar)")
_CPT = ("Re(z)", "Im(z)")
_REFERENCE = "BaBar Physics Book, SLAC-R-504, ch. 1; EvtGen guide, model"


def _numbers(parameters: Parameters) -> list[float]:
    """Return the parameters as numbers, missing ones of mixing as nothing."""
    return [float(p) for p in parameters]


def _oscillation(parameters: Parameters) -> Oscillation:
    """Return the mixing that parameters 0 to 3, and 12 and 13, describe."""
    v = _numbers(parameters)
    dgamma = v[1] if len(v) > 1 else 0.0
    size = v[2] if len(v) > 2 else 1.0
    phase = v[3] if len(v) > 3 else 0.0
    z = complex(v[12], v[13]) if len(v) > 12 else 0.0
    return Oscillation(v[0], dgamma, cmath.rect(size, phase), z)


@dataclass(frozen=True)
class PairModel(DecayModel):
    """V -> M0 anti-M0 whose flavours at decay are drawn with the decay times.

    With two daughters each of the mesons may end as either. With four, the first meson ends as
    the first or second, the other as the third or fourth: so an alias can be forced on one side.
    """

    def oscillation(self, parameters: Parameters) -> Oscillation:
        """Return how the mesons mix; see `DecayModel.oscillation`."""
        return _oscillation(parameters)

    def label_amplitudes(self, parameters: Parameters) -> tuple[tuple[complex, complex], ...]:
        """Return amplitudes of M0 and anti-M0 for the first meson to end as M0, and as anti-M0.

        (1, 0) and (0, 1) but for decays that are doubly Cabibbo suppressed the other way round.
        """
        v = _numbers(parameters)
        if len(v) <= 4:
            return (1.0, 0.0), (0.0, 1.0)
        a, b = cmath.rect(v[4], v[5]), cmath.rect(v[6], v[7])
        if len(v) <= 8:
            return (a, b), (b, a)
        return (a, b), (cmath.rect(v[8], v[9]), cmath.rect(v[10], v[11]))

    def prepare(
        self,
        parameters: Parameters,  # noqa: ARG002
        parent: ParticleData,  # noqa: ARG002
        daughters: Sequence[ParticleData],  # noqa: ARG002
    ) -> tuple[float, ...]:
        """Return no numbers: the angles do not depend on them."""
        return ()

    def problem(
        self, parameters: Parameters, parent: ParticleData, daughters: Sequence[ParticleData]
    ) -> str | None:
        """Say why this model cannot serve a decay; see `DecayModel.problem`."""
        found = self._parameter_problem(parameters)
        if found is None and len(parameters) not in {1, 2, 3, 4, 8, 12, 14}:
            found = f"{self.name} takes 1 to 4, 8, 12 or 14 parameters, found {len(parameters)}"
        if found is None and len(daughters) not in {2, 4}:
            found = f"{self.name} needs 2 or 4 daughters, found {len(daughters)}"
        if found is None:
            found = self._spin_problem(parent, daughters[:2])
        if found is not None:
            return found
        first, second = daughters[0], daughters[1]
        if first.anti_name != second.name or first.name == second.name:
            return (
                f"{self.name} needs a meson and its antiparticle, found {first.name} {second.name}"
            )
        if len(daughters) == 4 and [d.name for d in daughters[2:]] != [first.name, second.name]:
            return f"{self.name} needs the third and fourth daughter to be as the first and second"
        if not 0.0 < first.ctau < float("inf"):
            return f"{self.name} needs a meson with a lifetime, found {first.name}"
        return None


@dataclass(frozen=True)
class OscillatingModel(DecayModel):
    """A decay of a neutral meson that both flavours reach."""

    def problem(
        self, parameters: Parameters, parent: ParticleData, daughters: Sequence[ParticleData]
    ) -> str | None:
        """Say why this model cannot serve a decay; see `DecayModel.problem`."""
        found = DecayModel.problem(self, parameters, parent, daughters)
        if found is not None:
            return found
        own = parent.anti_name == parent.name or parent.charge3 != 0
        if own or not 0.0 < parent.ctau < float("inf"):
            return f"{self.name} decays a neutral meson that oscillates, but found {parent.name}"
        return None


def ssd_cp_amplitude(parameters: Any, pdgids: Any, momenta: Any, out: Any) -> None:
    r"""S -> S D with D of spin 0, 1 or 2 and helicity 0, in either order: alpha A + beta Abar."""
    codes, v = carray(pdgids, 3), carray(parameters, 4)
    p = carray(momenta, (4, 4))
    a = v[0] * np.exp(1j * v[1]) * complex(p[3, 0], p[3, 1])
    a += v[2] * np.exp(1j * v[3]) * complex(p[3, 2], p[3, 3])
    zero_helicity(a, codes, p[:3], carray(out, 125))


@dataclass(frozen=True)
class _ScalarModel(OscillatingModel):
    """SSD_CP: the daughters as listed, and their conjugates unless they are the same."""

    def oscillation(self, parameters: Parameters) -> Oscillation:
        """Return how the meson mixes; see `DecayModel.oscillation`."""
        return _oscillation(parameters)

    def final_states(
        self, parameters: Parameters, daughters: Sequence[ParticleData]
    ) -> tuple[FinalState, ...]:
        """Return f and, where it is not its own conjugate, fbar; see `DecayModel.final_states`."""
        own = tuple(parameters)
        names, conjugates = {d.name for d in daughters}, {d.anti_name for d in daughters}
        itself = FinalState(conjugate=False, parameters=own)
        if len(own) < 12:
            if names == conjugates:
                return (itself,)
            # CPT: A_fbar = conj(Abar_f), Abar_fbar = conj(A_f)
            v = _numbers(own)
            own = (*own[:8], v[6], -v[7], v[4], -v[5])
        swapped = (*own[:4], *own[8:12], *own[4:8], *own[12:])
        return itself, FinalState(conjugate=True, parameters=swapped)

    def prepare(
        self,
        parameters: Parameters,
        parent: ParticleData,  # noqa: ARG002
        daughters: Sequence[ParticleData],  # noqa: ARG002
    ) -> tuple[float, ...]:
        """Return size and phase of A and Abar for the daughters as listed."""
        return tuple(_numbers(parameters)[4:8])

    def problem(
        self, parameters: Parameters, parent: ParticleData, daughters: Sequence[ParticleData]
    ) -> str | None:
        """Say why this model cannot serve a decay; see `DecayModel.problem`."""
        found = OscillatingModel.problem(self, parameters, parent, daughters)
        if found is not None:
            return found
        if len(parameters) not in {8, 12, 14}:
            return f"{self.name} takes 8, 12 or 14 parameters, found {len(parameters)}"
        if len(daughters) != 2 or min(d.spin2 for d in daughters) != 0:
            return f"{self.name} needs two daughters, one of them a scalar"
        for particle in daughters:
            stable_vector = particle.ctau == float("inf") and particle.spin2 == _VECTOR
            if not is_served(particle) or particle.spin2 % 2 or stable_vector:
                return f"{self.name} takes mesons of spin 0 to 2, found {particle.name}"
        return None


def svv_cp_amplitude(parameters: Any, pdgids: Any, momenta: Any, out: Any) -> None:
    r"""S -> V V from transversity amplitudes of which one changes sign between M0 and anti-M0.

    H(0) = G_0+ (alpha + beta) / sqrt(2), H(+-) = (G_1+ (alpha + beta) +- G_1- (alpha - beta))
    / sqrt(2).
    """
    codes, v = carray(pdgids, 3), carray(parameters, 6)
    p = carray(momenta, (4, 4))
    alpha, beta = complex(p[3, 0], p[3, 1]), complex(p[3, 2], p[3, 3])
    even, odd = (alpha + beta) * np.sqrt(0.5), (alpha - beta) * np.sqrt(0.5)
    parallel = v[0] * np.exp(1j * v[1]) * even
    across = v[4] * np.exp(1j * v[5]) * odd
    h = np.zeros((5, 5), dtype=np.complex128)
    h[2, 2] = parallel + across
    h[1, 1] = v[2] * np.exp(1j * v[3]) * even
    h[0, 0] = parallel - across
    write_two_body(h, codes, p[:3], carray(out, 125))


@dataclass(frozen=True)
class _VectorModel(OscillatingModel):
    """SVV_CP: two vectors that are a CP eigenstate for each transversity."""

    def oscillation(self, parameters: Parameters) -> Oscillation:
        """Return how the meson mixes; the sign eta is absorbed in q/p."""
        v = _numbers(parameters)
        return Oscillation(v[1], ratio=v[2] * cmath.exp(-2j * v[0]))

    def prepare(
        self,
        parameters: Parameters,
        parent: ParticleData,  # noqa: ARG002
        daughters: Sequence[ParticleData],  # noqa: ARG002
    ) -> tuple[float, ...]:
        """Return size and phase of G_1+, G_0+ and G_1-."""
        return tuple(_numbers(parameters)[3:])


VSS_BMIX = PairModel(
    name="VSS_BMIX",
    amplitude=vss_amplitude,
    reference=f"{_REFERENCE} VSS_BMIX",
    parameters=(*_MIXING, *_DECAY, *_CONJUGATE, *_CPT),
    n_required=1,
    parent_spin2=_VECTOR,
    daughter_spins2=(_SCALAR, _SCALAR),
)

VSS_MIX = replace(VSS_BMIX, name="VSS_MIX", reference=f"{_REFERENCE} VSS_MIX", parameters=("dm",))

SSD_CP = _ScalarModel(
    name="SSD_CP",
    amplitude=ssd_cp_amplitude,
    reference=f"{_REFERENCE} SSD_CP",
    parameters=(*_MIXING, *_DECAY, *_CONJUGATE, *_CPT),
    n_required=8,
    parent_spin2=_SCALAR,
)

SVV_CP = _VectorModel(
    name="SVV_CP",
    amplitude=svv_cp_amplitude,
    reference=f"A. S. Dighe, I. Dunietz, R. Fleischer, EPJC 6 (1999) 647; {_REFERENCE} SVV_CP",
    parameters=(
        *("beta", "dm", "eta", "|G1+|", "arg(G1+)", "|G0+|", "arg(G0+)"),
        *("|G1-|", "arg(G1-)"),
    ),
    n_required=9,
    parent_spin2=_SCALAR,
    daughter_spins2=(_VECTOR, _VECTOR),
)
