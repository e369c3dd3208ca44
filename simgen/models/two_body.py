"""Two-body decays of bosons from helicity amplitudes; the models are in helicity, partial_waves.

With n the direction of daughter 1 in the parent's rest frame, and |m> a spin state quantised
along n in a particle's own rest frame, a decay with helicity amplitudes H is

    A[i, j, k] = sum over l1, l2 of H[l1, l2] <j|l1> <k|-l2> <l1 - l2|i>,

i, j and k the Cartesian states of parent and daughters. Axes across n are arbitrary: turning them
by an angle multiplies the terms by exp(i (-l1 + l2 + (l1 - l2)) angle) = 1.

Phases are those of M. Jacob and G. C. Wick, Ann. Phys. 7 (1959) 404, whose second particle of
helicity l2 is the state of spin component -l2 along n with no further sign.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from simgen.jit import kernel
from simgen.models.contract import DecayModel, Parameters
from simgen.spin import tensor_component, transverse_state

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from simgen.particles import ParticleData
    from simgen.typing import ComplexArray, FloatArray

PHOTON = 22
MAX_SPIN = 2


@kernel
def spin_of(pdgid: int) -> int:
    """Return the spin of a meson from the last digit, 2 J + 1, of its PDG number.

    K_S0 (310) and K_L0 (130) end in 0 and are scalars. `TwoBodyModel.problem` refuses particles
    of which this is not true.
    """
    digit = abs(pdgid) % 10
    return MAX_SPIN - 1 if abs(pdgid) == PHOTON else max((digit - 1) // 2, 0)


@kernel
def _axial_vectors(nx: float, ny: float, nz: float, out: ComplexArray) -> None:
    """Write the vectors of spin component m = -1, 0, 1 along n to rows 0, 1, 2."""
    ax, ay, az = transverse_state(nx, ny, nz, 0)
    bx, by, bz = transverse_state(nx, ny, nz, 1)  # a, b, n are right-handed
    root = 1.0 / np.sqrt(2.0)
    out[0, 0], out[0, 1], out[0, 2] = (
        (ax - 1j * bx) * root,
        (ay - 1j * by) * root,
        (az - 1j * bz) * root,
    )
    out[1, 0], out[1, 1], out[1, 2] = nx, ny, nz
    out[2, 0], out[2, 1], out[2, 2] = (
        -(ax + 1j * bx) * root,
        -(ay + 1j * by) * root,
        -(az + 1j * bz) * root,
    )


@kernel
def _tensor_state(j: int, m: int, e: ComplexArray) -> Any:
    """Return <j|m> of a tensor; Clebsch-Gordan sums of two vectors."""
    if abs(m) == 2:
        a = 1 + m // 2
        return tensor_component(j, e[a, 0], e[a, 1], e[a, 2], e[a, 0], e[a, 1], e[a, 2])
    if abs(m) == 1:
        a = 1 + m
        mixed = tensor_component(j, e[a, 0], e[a, 1], e[a, 2], e[1, 0], e[1, 1], e[1, 2])
        return np.sqrt(2.0) * mixed
    across = tensor_component(j, e[0, 0], e[0, 1], e[0, 2], e[2, 0], e[2, 1], e[2, 2])
    along = tensor_component(j, e[1, 0], e[1, 1], e[1, 2], e[1, 0], e[1, 1], e[1, 2])
    return (2.0 * across + 2.0 * along) / np.sqrt(6.0)


@kernel
def _states_along(
    spin: int, photon: bool, px: float, py: float, pz: float, e: ComplexArray, out: ComplexArray
) -> int:
    """Write <j|m> to out[j, m + spin]; return the number of states j."""
    if spin == 0:
        out[0, 0] = 1.0
        return 1
    if photon:
        for j in range(2):
            ax, ay, az = transverse_state(px, py, pz, j)
            for m in range(3):
                out[j, m] = e[m, 0] * ax + e[m, 1] * ay + e[m, 2] * az
        return 2
    for j in range(2 * spin + 1):
        for m in range(2 * spin + 1):
            out[j, m] = e[m, j] if spin == 1 else _tensor_state(j, m - spin, e)
    return 2 * spin + 1


@kernel
def write_two_body(
    helicities: ComplexArray, pdgids: Any, momenta: FloatArray, out: ComplexArray
) -> None:
    """Write the amplitude of a two-body decay of a boson.

    Parameters
    ----------
    helicities
        (5, 5) H at [l1 + spin 1, l2 + spin 2]; what |l1 - l2| <= J forbids is not read.
    pdgids
        (3,) PDG numbers of parent and daughters.
    momenta
        (3, 4) (px, py, pz, E) in the parent's rest frame, GeV.
    out
        (>= states of parent x daughter 1 x daughter 2,) receives the amplitude, C order.
    """
    spin, spin_1, spin_2 = spin_of(pdgids[0]), spin_of(pdgids[1]), spin_of(pdgids[2])
    px, py, pz = momenta[1, 0], momenta[1, 1], momenta[1, 2]
    norm = 1.0 / np.sqrt(px * px + py * py + pz * pz)
    axial = np.empty((3, 3), dtype=np.complex128)
    _axial_vectors(px * norm, py * norm, pz * norm, axial)
    states = np.empty((3, 5, 5), dtype=np.complex128)
    n_0 = _states_along(spin, False, 0.0, 0.0, 0.0, axial, states[0])
    n_1 = _states_along(spin_1, pdgids[1] == PHOTON, px, py, pz, axial, states[1])
    n_2 = _states_along(spin_2, pdgids[2] == PHOTON, -px, -py, -pz, axial, states[2])
    for i in range(n_0 * n_1 * n_2):
        out[i] = 0.0
    for l_1 in range(-spin_1, spin_1 + 1):
        for l_2 in range(-spin_2, spin_2 + 1):
            h = helicities[l_1 + spin_1, l_2 + spin_2] if abs(l_1 - l_2) <= spin else 0.0j
            if h == 0.0:
                continue
            for i in range(n_0):
                parent = h * np.conj(states[0, i, l_1 - l_2 + spin])
                for j in range(n_1):
                    first = parent * states[1, j, l_1 + spin_1]
                    for k in range(n_2):
                        out[(i * n_1 + j) * n_2 + k] += first * states[2, k, spin_2 - l_2]


def is_served(particle: ParticleData) -> bool:
    """Say whether the spin is one that kernels can read from the PDG number."""
    return particle.spin2 in (0, 2, 4) and particle.spin2 == 2 * spin_of(particle.pdgid)


@dataclass(frozen=True)
class TwoBodyModel(DecayModel):
    """A model with one complex coupling, magnitude and phase, for each way the spins allow.

    Attributes
    ----------
    couplings
        Names of the couplings for the PDG numbers of parent and daughters, in order.
    """

    couplings: Callable[[int, int, int], Sequence[str]] | None = None

    def serves(self, particles: Sequence[ParticleData]) -> bool:
        """Say whether all are bosons of spin 0 to 2; see `DecayModel.serves`."""
        return all(is_served(particle) for particle in particles)

    def problem(
        self, parameters: Parameters, parent: ParticleData, daughters: Sequence[ParticleData]
    ) -> str | None:
        """Say why this model cannot serve a decay, or return None; see `DecayModel.problem`."""
        found = self._spin_problem(parent, daughters)
        if found is not None:
            return found
        if len(daughters) != 2:
            return f"{self.name} needs 2 daughters, found {len(daughters)}"
        for particle in (parent, *daughters):
            if not is_served(particle):
                return f"{self.name} takes mesons and photons of spin 0 to 2, found {particle.name}"
        if self.couplings is None:
            return self._parameter_problem(parameters)
        names = self.couplings(parent.pdgid, daughters[0].pdgid, daughters[1].pdgid)
        if len(parameters) != 2 * len(names):
            return (
                f"{self.name} takes {2 * len(names)} parameters here, magnitude and phase of "
                f"{', '.join(names) or 'nothing: the spins forbid the decay'}; "
                f"found {len(parameters)}"
            )
        for value in parameters:
            if isinstance(value, str):
                return f"{self.name} takes numbers, found {value!r}"
        return None
