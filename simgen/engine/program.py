"""A decay program: everything the event kernel needs to know, as records.

Records rather than one array a quantity: a kernel reaches a record through one pointer, where
every array passed to a function costs reference counting, which at a hundred nanoseconds a
decay would be most of the time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from simgen.phasespace import MAX_DAUGHTERS

if TYPE_CHECKING:
    from simgen.typing import FloatArray, IntArray

RELATIVISTIC, NONRELATIVISTIC, FLAT, COMBS = 0, 1, 2, 3
MAX_STATES = 5
MAX_PARTICLES = 512
MAX_NODES = 2 * MAX_PARTICLES
MAX_DEPTH = 32
MAX_AMPLITUDES = 512
# Of one decay; see `simgen.engine.radiation`.
MAX_PHOTONS = 12

# Octaves of kinetic energy in which amplitudes of three and more bodies have bounds of their own.
N_OCTAVES = 16

# Columns of the counters a run adds up per channel.
N_DECAYS, N_TRIALS, N_EXCEEDED, N_NOT_FINITE, N_STUCK, N_COUNTERS = 0, 1, 2, 3, 4, 5
# Why a decay is given up: its amplitude is no number, or no masses of its daughters fit.
STUCK_AMPLITUDE, STUCK_MASSES = 1, 2

SPECIES = np.dtype(
    [
        ("pdgid", "i8"),  # PDG number
        ("mass", "f8"),  # GeV
        ("width", "f8"),  # GeV; 0 means a fixed mass
        ("min_mass", "f8"),  # limits within all decays of the program, GeV
        ("max_mass", "f8"),
        ("lineshape", "i8"),  # RELATIVISTIC, NONRELATIVISTIC, FLAT or COMBS
        ("shape_min", "f8"),  # limits of the lineshape, GeV
        ("shape_max", "f8"),
        ("radius_decay", "f8"),  # of the barrier factors, 1/GeV
        ("radius_birth", "f8"),
        ("decay", "i8"),  # 0 leaves out the factor D(m) of engine.lineshape, but not in the width
        ("birth", "i8"),  # 0 leaves out the factor B(m)
        ("ctau", "f8"),  # mean proper decay length, mm; 0 for prompt decays
        ("n_states", "i8"),  # number of spin states
        ("charge", "f8"),  # in units of the positron's
        ("fermion", "i8"),  # 1 for spin 1/2
        ("first_channel", "i8"),  # its channels are consecutive
        ("n_channels", "i8"),  # 0 for final particles
        # of a neutral B that mixes where it is not one of a pair: row of a `MIXING` record, -1 for
        # none, and the channel by which it turns into its antiparticle, after those of all species
        ("mixing", "i8"),
        ("turns", "i8"),
    ]
)

CHANNEL = np.dtype(
    [
        ("cumulative", "f8"),  # running sum of branching fractions within the species
        ("threshold", "f8"),  # sum of the daughters' lowest masses, GeV
        ("n_daughters", "i8"),
        ("daughters", "i8", (MAX_DAUGHTERS,)),  # species numbers
        ("n_broad", "i8"),  # how many of them have a width
        ("orbital", "i8"),  # angular momentum of two daughters; -1 for no barrier factors
        ("birth_orbital", "i8", (2,)),  # the same for the lineshape of each daughter
        ("shape_bound", "f8"),  # see engine.lineshape.fill_shape_bounds
        ("address", "i8"),  # of the compiled amplitude; 0 for phase space
        ("pole", "i8"),  # 1 + first of the pair for phasespace.pole_phase_space; 0 without
        ("parameters", "i8"),  # address of the model's parameters
        ("draw", "i8"),  # of the compiled function that draws the kinematics; 0 without
        ("photon", "i8"),  # species of what the daughters radiate; -1 if they do not
        ("photon_energy", "f8"),  # the lowest, in the parent's rest frame, GeV
        ("mixing", "i8"),  # row of a `MIXING` record, -1 for none
        ("n_amplitudes", "i8"),  # spin combinations of parent and daughters
        ("trace_bound", "f8"),  # upper bound of the trace of A A^dagger in the parent's spin space
        ("eigen_bound", "f8"),  # upper bound of its largest eigenvalue
        # for two daughters whose masses vary: upper bound of eigenvalue / trace; 0 for all others
        ("eigen_share", "f8"),
        # for more daughters whose masses vary: the most kinetic energy they have, GeV, 0 for all
        # others; and the bounds in octaves below it, relative to the two above
        ("room", "f8"),
        ("octaves", "f8", (N_OCTAVES,)),
        ("space_bound", "f8"),  # phasespace.tangent_bound; nan where the masses vary
        ("space_shares", "f8", (MAX_DAUGHTERS,)),  # where that tangent touches
        ("cells", "i8"),  # address of the table of engine.dalitz_grid
        ("n_cells", "i8"),  # its length; 0 where momenta are not drawn from a table
        ("systems", "i8"),  # address of the pool of engine.systems
        ("n_rows", "i8"),  # its length
        ("n_systems", "i8"),  # how many systems it holds; 0 without a pool, -1 if they are made
    ]
)


# How neutral mesons oscillate, for two kinds of channels: one that makes a pair of them, and one
# that both a meson and its antiparticle can decay by; and for mesons on their own that tell their
# flavour. See `simgen.engine.oscillation`.
MIXING = np.dtype(
    [
        ("dm", "f8"),  # mass difference and ...
        ("dgamma", "f8"),  # ... width difference, 1/mm
        ("ctau", "f8"),  # mm
        ("ratio", "c16"),  # q/p
        ("z", "c16"),  # CPT violation in mixing
        ("root_z", "c16"),  # sqrt(1 - z^2)
        ("bound", "f8"),  # of the evolution's probability, for states of norm 1
        ("largest_trace", "f8"),  # of the channels that may come with it
        # a pair:
        ("coherent", "i8"),  # 1 if both names are drawn
        ("n_names", "i8", (2,)),  # how many names each meson may have
        ("names", "i8", (2, 2)),  # species numbers
        # of a pair, for each name, and of a channel, for each pure state: of M0 and of anti-M0
        ("amplitudes", "c16", (2, 2)),
        # a channel:
        ("weights", "f8", (2,)),  # of its pure states
        ("sibling", "i8"),  # number of the conjugate channel, -1 if it is the same
    ]
)


class Program(NamedTuple):
    """A decay table reachable from one root, flattened.

    A *species* is a particle name or alias, a *channel* one decay of a species.

    Attributes
    ----------
    species
        Structured array of `SPECIES`, the root first.
    channels
        Structured array of `CHANNEL`.
    mixing
        Structured array of `MIXING`.
    parameters
        Model parameters of all channels; channels hold addresses into it.
    max_particles
        Particles of the largest event.
    tables
        What channels hold addresses of, besides parameters.
    """

    species: Any
    channels: Any
    mixing: Any
    parameters: FloatArray
    max_particles: int
    tables: tuple[FloatArray, ...] = ()

    def new_counters(self) -> IntArray:
        """Return zeroed counters, (channels, `N_COUNTERS`)."""
        return np.zeros((len(self.channels), N_COUNTERS), dtype=np.int64)
