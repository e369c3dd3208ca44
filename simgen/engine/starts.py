"""What an event of the engine may begin with instead of a collision: particles that are given.

A single particle is unpolarised, unless it is a vector that e+e- make. A pair of leptons from e+e-
annihilation has the spins that one photon gives it: the photon has J_z = +-1 along the beams, and
the pair the amplitude of `simgen.models.leptonic.VLL` at its own momenta, m / E terms included;
each lepton's decay then follows from the other's, as everywhere in the engine.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from simgen.engine.call import call_amplitude
from simgen.jit import lean_kernel
from simgen.lorentz import boost_by_matrix, boost_matrix

if TYPE_CHECKING:
    from simgen.typing import FloatArray

START = np.dtype(
    [
        ("species", "i8"),  # of a single particle
        ("channel", "i8"),  # that makes the pair; -1 for a single particle
        ("p4", "f8", (2, 4)),  # lab, GeV; of a pair in the order of the channel's daughters
        ("mass", "f8", (2,)),
        ("polarised", "i8"),  # 1 for a single vector that e+e- make, like the photon of a pair
        ("production", "f8", (4,)),  # mm and mm/c
        ("axis", "f8", (3,)),  # unit vector of the electrons in the rest frame of particle 0
    ]
)
# Particles that a start places.
SINGLE, PAIR = 1, 3


@lean_kernel
def polarise_as_photon(axis: FloatArray, scratch: Any) -> None:
    """Give particle 0 the density matrix of a photon from e+e-: J_z = +-1 along `axis`."""
    for i in range(3):
        for j in range(3):
            value = -0.5 * axis[i] * axis[j]
            scratch.density[0, i, j] = value + 0.5 if i == j else value


@lean_kernel
def _place(scratch: Any, index: int, species: int, mother: int, mass: float, start: Any) -> None:
    """Write all but the momentum of a particle that is given."""
    scratch.species[index] = species
    scratch.mother[index] = mother
    scratch.mass[index] = mass
    scratch.polarised[index] = False
    scratch.reported[index] = False
    scratch.channel[index], scratch.node[index] = -1, -1
    for i in range(4):
        scratch.production[index, i] = start.production[i]


@lean_kernel
def place_start(species: Any, channels: Any, start: Any, scratch: Any) -> int:
    """Place what is given; return how many particles it is.

    Parameters
    ----------
    species, channels
        Of a `simgen.engine.program.Program`.
    start
        `START` record.
    scratch
        Receives the particles. After a pair its level 0 has been entered: the photon has decayed.
    """
    scratch.n_nodes = 0
    if start.channel < 0:
        _place(scratch, 0, start.species, -1, start.mass[0], start)
        for i in range(4):
            scratch.p4[0, i] = start.p4[0, i]
        if start.polarised:
            scratch.polarised[0] = True
            polarise_as_photon(start.axis, scratch)
        return SINGLE
    total, channel = scratch.p4[0], channels[start.channel]
    for i in range(4):
        total[i] = start.p4[0, i] + start.p4[1, i]
    s = total[3] ** 2 - total[0] ** 2 - total[1] ** 2 - total[2] ** 2
    mass = np.sqrt(s)
    _place(scratch, 0, 0, -1, mass, start)
    scratch.polarised[0] = True
    polarise_as_photon(start.axis, scratch)
    boost_matrix(-total[0], -total[1], -total[2], total[3], mass, scratch.boost)
    momenta = scratch.momenta
    momenta[0, 0], momenta[0, 1], momenta[0, 2], momenta[0, 3] = 0.0, 0.0, 0.0, mass
    scratch.pdgids[0] = species[0].pdgid
    for k in range(2):
        number = channel.daughters[k]
        _place(scratch, 1 + k, number, 0, start.mass[k], start)
        boost_by_matrix(scratch.boost, start.p4[k], momenta[1 + k])
        for i in range(4):
            scratch.p4[1 + k, i] = start.p4[k, i]
            scratch.rest_p4[1 + k, i] = momenta[1 + k, i]
        scratch.pdgids[1 + k] = species[number].pdgid
    call_amplitude(
        channel.address,
        channel.parameters,
        scratch.pdgids.ctypes.data,
        momenta.ctypes.data,
        scratch.level_amplitude[0].ctypes.data,
    )
    boost_matrix(total[0], total[1], total[2], total[3], mass, scratch.level_boost[0])
    scratch.level_channel[0] = start.channel
    scratch.level_first[0], scratch.level_count[0], scratch.level_next[0] = 1, PAIR - 1, 0
    return PAIR
