"""Two-body decays from helicity amplitudes; the models are in helicity, partial_waves.

With n the direction of daughter 1 in the parent's rest frame, and |m> a spin state quantised
along n in a particle's own rest frame, a decay with helicity amplitudes H is

    A[i, j, k] = sum over l1, l2 of H[l1, l2] <j|l1> <k|-l2> <l1 - l2|i>,

i, j and k the states of `simgen.spin` of parent and daughters. Axes across n are arbitrary: turning
them by an angle multiplies the terms by exp(i (-l1 + l2 + (l1 - l2)) angle) = 1. They are those to
which one rotation U of spin 1/2 takes x and y while it takes z to n; the states |m> of all spins
are built from its two columns, up and down along n, so that they turn together.

Spins and their components are written doubled, as integers; H[l1, l2] is at row (l1 + s1) / 2 and
column (l2 + s2) / 2 of the doubled numbers.

Phases are those of M. Jacob and G. C. Wick, Ann. Phys. 7 (1959) 404, whose second particle of
helicity l2 is the state of spin component -l2 along n with no further sign.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from simgen.jit import kernel
from simgen.models.contract import DecayModel, Parameters
from simgen.spin import NEUTRINO_CODES, tensor_component, transverse_state

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from simgen.particles import ParticleData
    from simgen.typing import ComplexArray, FloatArray

PHOTON = 22
MAX_SPIN2 = 4
_SPIN2_OF_PHOTON = 2
_LEPTONS = (11, 18)


@kernel
def spin2_of(pdgid: int) -> int:
    """Return twice the spin from a PDG number: that of a hadron ends in 2 J + 1.

    K_S0 (310) and K_L0 (130) end in 0 and are scalars. `TwoBodyModel.problem` refuses particles
    of which this is not true.
    """
    code = abs(pdgid)
    if code == PHOTON:
        return _SPIN2_OF_PHOTON
    if _LEPTONS[0] <= code <= _LEPTONS[1]:
        return 1
    return max(code % 10 - 1, 0)


@kernel
def has_helicity(pdgid: int, helicity: int) -> bool:
    """Say whether a particle exists with a helicity, doubled and at most twice its spin.

    No photon has helicity 0; neutrinos are left-handed, antineutrinos right-handed.
    """
    code = abs(pdgid)
    if code == PHOTON:
        return helicity != 0
    if code in NEUTRINO_CODES:
        return helicity == (-1 if pdgid > 0 else 1)
    return True


@kernel
def exists(pdgids: Any, l_1: int, l_2: int) -> bool:
    """Say whether a decay has a pair of helicities, doubled: |l1 - l2| <= J, and both exist."""
    if abs(l_1 - l_2) > spin2_of(pdgids[0]):
        return False
    return has_helicity(pdgids[1], l_1) and has_helicity(pdgids[2], l_2)


@kernel
def _rotation_to(nx: float, ny: float, nz: float, out: ComplexArray) -> None:
    """Write the components of spin up along n to row 0, of spin down to row 1, of (2, 2)."""
    if nz > 0.0:  # two ways to write it, each without cancellation on its half of the sphere
        norm = 1.0 / np.sqrt(2.0 * (1.0 + nz))
        out[0, 0], out[0, 1] = (1.0 + nz) * norm, complex(nx, ny) * norm
    else:
        norm = 1.0 / np.sqrt(2.0 * (1.0 - nz))
        out[0, 0], out[0, 1] = complex(nx, -ny) * norm, (1.0 - nz) * norm
    out[1, 0], out[1, 1] = -np.conj(out[0, 1]), np.conj(out[0, 0])


@kernel
def _axial_vectors(u: ComplexArray, out: ComplexArray) -> None:
    """Write the vectors of spin component m = -1, 0, 1 along n to rows 0, 1, 2.

    <up|sigma|down> of the two spins of `_rotation_to` is x - i y of the axes across n.
    """
    a, b = np.conj(u[0, 0]), np.conj(u[0, 1])
    root = 1.0 / np.sqrt(2.0)
    out[0, 0], out[0, 1], out[0, 2] = (
        (a * a - b * b) * root,
        -1j * (a * a + b * b) * root,
        -2.0 * a * b * root,
    )
    out[1, 0] = 2.0 * (a * u[0, 1]).real
    out[1, 1] = 2.0 * (a * u[0, 1]).imag
    out[1, 2] = (a * u[0, 0] - b * u[0, 1]).real
    for k in range(3):
        out[2, k] = -np.conj(out[0, k])


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
def _three_halves_states(u: ComplexArray, out: ComplexArray) -> None:
    """Write <j|m> of spin 3/2, the symmetric products of three spins 1/2, to out[j, m + 3/2].

    States j have components 3/2, 1/2, -1/2, -3/2 along z.
    """
    root = np.sqrt(3.0)
    for side in range(2):  # up, then the same with up and down exchanged
        a, b, c, d = u[side, 0], u[side, 1], u[1 - side, 0], u[1 - side, 1]
        most, less = (3, 2) if side == 0 else (0, 1)
        out[0, most], out[1, most] = a * a * a, root * a * a * b
        out[2, most], out[3, most] = root * a * b * b, b * b * b
        out[0, less], out[1, less] = root * a * a * c, a * a * d + 2.0 * a * b * c
        out[2, less], out[3, less] = 2.0 * a * b * d + b * b * c, root * b * b * d


@kernel
def _states_along(
    pdgid: int,
    spin2: int,
    along: int,
    px: float,
    py: float,
    pz: float,
    u: ComplexArray,
    e: ComplexArray,
    out: ComplexArray,
) -> int:
    """Write <j|m> to out[j, (m + spin) / 2], all doubled; return the number of states j.

    The helicity is `along` times m. The phase of a neutrino's one state is of no effect.
    """
    if spin2 == 0:
        out[0, 0] = 1.0
        return 1
    if spin2 == 1 and abs(pdgid) in NEUTRINO_CODES:
        for m in range(2):
            out[0, m] = 1.0 if has_helicity(pdgid, along * (2 * m - 1)) else 0.0
        return 1
    if abs(pdgid) == PHOTON:
        for j in range(2):
            ax, ay, az = transverse_state(along * px, along * py, along * pz, j)
            for m in range(3):
                out[j, m] = e[m, 0] * ax + e[m, 1] * ay + e[m, 2] * az
        return 2
    if spin2 == 3:
        _three_halves_states(u, out)
        return 4
    for j in range(spin2 + 1):
        for m in range(spin2 + 1):
            if spin2 == 1:
                out[j, m] = u[1 - m, j]
            else:
                out[j, m] = e[m, j] if spin2 == 2 else _tensor_state(j, m - 2, e)
    return spin2 + 1


@kernel
def write_two_body(
    helicities: ComplexArray, pdgids: Any, momenta: FloatArray, out: ComplexArray
) -> None:
    """Write the amplitude of a two-body decay.

    Parameters
    ----------
    helicities
        (5, 5) H at [(l1 + s1) / 2, (l2 + s2) / 2], doubled; what does not exist is not read.
    pdgids
        (3,) PDG numbers of parent and daughters.
    momenta
        (3, 4) (px, py, pz, E) in the parent's rest frame, GeV.
    out
        (>= states of parent x daughter 1 x daughter 2,) receives the amplitude, C order.
    """
    spin, spin_1, spin_2 = spin2_of(pdgids[0]), spin2_of(pdgids[1]), spin2_of(pdgids[2])
    px, py, pz = momenta[1, 0], momenta[1, 1], momenta[1, 2]
    norm = 1.0 / np.sqrt(px * px + py * py + pz * pz)
    axes = np.empty((5, 3), dtype=np.complex128)
    u, axial = axes[:2], axes[2:]
    _rotation_to(px * norm, py * norm, pz * norm, u)
    _axial_vectors(u, axial)
    states = np.empty((3, 5, 5), dtype=np.complex128)
    n_0 = _states_along(pdgids[0], spin, 1, px, py, pz, u, axial, states[0])
    n_1 = _states_along(pdgids[1], spin_1, 1, px, py, pz, u, axial, states[1])
    n_2 = _states_along(pdgids[2], spin_2, -1, px, py, pz, u, axial, states[2])
    for i in range(n_0 * n_1 * n_2):
        out[i] = 0.0
    for a in range(spin_1 + 1):
        for b in range(spin_2 + 1):
            l_1, l_2 = 2 * a - spin_1, 2 * b - spin_2
            h = helicities[a, b]  # the states know which a photon or a neutrino has
            if h == 0.0 or abs(l_1 - l_2) > spin:
                continue
            along = (l_1 - l_2 + spin) // 2
            for i in range(n_0):
                parent = h * np.conj(states[0, i, along])
                for j in range(n_1):
                    first = parent * states[1, j, a]
                    for k in range(n_2):
                        out[(i * n_1 + j) * n_2 + k] += first * states[2, k, spin_2 - b]


def is_served(particle: ParticleData) -> bool:
    """Say whether the spin is one that kernels can read from the PDG number."""
    return particle.spin2 <= MAX_SPIN2 and particle.spin2 == spin2_of(particle.pdgid)


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
        """Say whether all have spins of 0 to 2; see `DecayModel.serves`."""
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
                return f"{self.name} takes particles of spin 0 to 2, found {particle.name}"
        if (parent.spin2 + daughters[0].spin2 + daughters[1].spin2) % 2:
            return f"{self.name}: an odd number of these particles has half-integer spin"
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
