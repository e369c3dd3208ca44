"""Working memory of the event kernel."""

from __future__ import annotations

import numpy as np

from simgen.engine.program import (
    MAX_AMPLITUDES,
    MAX_DEPTH,
    MAX_NODES,
    MAX_PARTICLES,
    MAX_PHOTONS,
    MAX_STATES,
)
from simgen.phasespace import MAX_DAUGHTERS
from simgen.random import STATE_SIZE

# Columns of an emitter of photons: see `simgen.engine.radiation`.
N_EMITTER = 5

# One event: its random stream, particles, stack levels, and one decay. A record, because a kernel
# reaches it through one pointer (see `simgen.engine.program`).
SCRATCH = np.dtype(
    [
        ("stream", "u8", (STATE_SIZE,)),
        ("species", "i8", (MAX_PARTICLES,)),
        ("mother", "i8", (MAX_PARTICLES,)),
        ("mass", "f8", (MAX_PARTICLES,)),
        ("rest_p4", "f8", (MAX_PARTICLES, 4)),  # in the mother's rest frame
        ("p4", "f8", (MAX_PARTICLES, 4)),  # in the lab
        ("production", "f8", (MAX_PARTICLES, 4)),
        ("channel", "i8", (MAX_PARTICLES,)),  # drawn with the particle, -1 if not yet
        ("time", "f8", (MAX_PARTICLES,)),  # proper time of its decay, mm/c, where so
        ("flavour", "f8", (MAX_PARTICLES, 4)),  # its flavour state then, two complex amplitudes
        ("pair_species", "i8", (2,)),
        ("pair_channel", "i8", (2,)),
        ("pair_time", "f8", (2,)),
        ("pair_flavour", "f8", (2, 4)),
        ("node", "i8", (MAX_PARTICLES,)),  # of engine.mass_tree, -1 for none
        ("n_nodes", "i8"),
        ("node_species", "i8", (MAX_NODES,)),
        ("node_channel", "i8", (MAX_NODES,)),
        ("node_first", "i8", (MAX_NODES,)),  # first daughter
        ("node_mother", "i8", (MAX_NODES,)),
        ("node_limit", "f8", (MAX_NODES,)),  # highest mass
        ("node_mass", "f8", (MAX_NODES,)),
        ("density", "c16", (MAX_PARTICLES, MAX_STATES, MAX_STATES)),
        ("polarised", "u1", (MAX_PARTICLES,)),  # density is set
        ("report", "c16", (MAX_PARTICLES, MAX_STATES, MAX_STATES)),  # decay matrix
        ("reported", "u1", (MAX_PARTICLES,)),  # decay matrix is set
        ("level_particle", "i8", (MAX_DEPTH,)),
        ("level_channel", "i8", (MAX_DEPTH,)),
        ("level_first", "i8", (MAX_DEPTH,)),  # first daughter
        ("level_count", "i8", (MAX_DEPTH,)),  # number of daughters
        ("level_next", "i8", (MAX_DEPTH,)),  # next daughter to decay
        ("level_amplitude", "c16", (MAX_DEPTH, MAX_AMPLITUDES)),
        ("level_boost", "f8", (MAX_DEPTH, 4, 4)),  # from the particle's rest frame to the lab
        ("boost", "f8", (4, 4)),
        ("stuck", "u1"),  # why a decay was given up, 0 if none was
        ("rotation", "f8", (3, 3)),  # of engine.systems, as all that follows
        ("hadrons", "i8"),  # address of the hadrons of all systems given, and ...
        ("n_hadrons", "i8"),  # their number
        ("given", "i8"),  # address of the first and last row of each system of this event
        ("n_given", "i8"),
        ("n_taken", "i8"),
        ("asked_channel", "i8"),  # what is asked for; -1 for nothing
        ("asked_mass", "f8"),
        ("overflow", "u1"),  # an event has too many particles
        ("momenta", "f8", (2 + MAX_DAUGHTERS, 4)),  # the last row used: flavour state
        ("masses", "f8", (MAX_DAUGHTERS,)),
        ("pdgids", "i8", (1 + MAX_DAUGHTERS,)),
        ("photon_stream", "u8", (STATE_SIZE,)),  # of engine.radiation, as the next four
        ("photons", "f8", (MAX_PHOTONS, 4)),
        ("charged", "i8"),  # number of emitters
        ("emitter", "f8", (MAX_DAUGHTERS, N_EMITTER)),
        ("after", "f8", (MAX_DAUGHTERS + MAX_PHOTONS, 4)),
        ("dims", "i8", (1 + MAX_DAUGHTERS,)),
        ("matrices", "c16", (1 + MAX_DAUGHTERS, MAX_STATES, MAX_STATES)),
        ("known", "u1", (1 + MAX_DAUGHTERS,)),
        ("work", "c16", (2, MAX_AMPLITUDES)),
    ]
)
