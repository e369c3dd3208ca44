"""The event kernel: one collision, then the decay chain, depth first.

A particle decays with its density matrix given; then each daughter in turn gets the density
matrix conditional on everything already decayed, decays with its whole subtree, and reports its
decay matrix back (see `simgen.engine.density`). A stack replaces recursion.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from simgen.engine.borrow import borrowed
from simgen.engine.bounds import MARGIN, octave
from simgen.engine.branching import choose_channel
from simgen.engine.call import call_amplitude, call_draw
from simgen.engine.collision import draw_collision
from simgen.engine.dalitz_grid import draw_from_grid
from simgen.engine.density import (
    conditional_matrix,
    decay_probability,
    largest_eigenvalue_bound,
)
from simgen.engine.finite import gives_up
from simgen.engine.mass_tree import set_masses
from simgen.engine.oscillation import draw_alone, draw_pair, draw_turned
from simgen.engine.program import (
    MAX_PARTICLES,
    N_DECAYS,
    N_EXCEEDED,
    N_STUCK,
    N_TRIALS,
)
from simgen.engine.radiation import PHOTON_SUBSTREAM, radiate
from simgen.engine.starts import SINGLE, place_start, polarise_as_photon
from simgen.engine.systems import draw_system, take_system
from simgen.jit import lean_kernel
from simgen.lorentz import boost_by_matrix, boost_matrix, compose
from simgen.phasespace import phase_space, pole_phase_space, tangent_bound
from simgen.random import exponential, seek, set_key, uniform

if TYPE_CHECKING:
    from simgen.beams import CompiledBeams
    from simgen.typing import (
        ComplexArray,
        FloatArray,
        Int8Array,
        Int32Array,
        IntArray,
        UInt64Array,
    )

_ROOT_VECTOR_STATES = 3
_UPSILON_4S = 300553
# A probability that equals its bound must not exceed it by rounding.
_ROUNDING = 1.0 + 1e-9
# Far in the tails of several resonances the largest probability may be a tiny part even of the
# bound in its octave of kinetic energy. After so many trials the bound is taken from them: at
# given masses it changes how many trials it takes, not what is drawn. Trials beyond it are counted.
_MANY_TRIALS = 10_000
# Kernels called with a literal 0 as well as with a variable would be compiled twice.
_ZERO = np.int64(0)


class Output(NamedTuple):
    """Arrays the kernel fills; see `simgen.events.EventBlock` for their meaning.

    The last two have an entry an event: the channel that needs a system of hadrons made for it, or
    -1, and the mass of what decays. Such an event has no particles and is to be made again.
    """

    process: Int32Array
    beam: FloatArray
    vertex: FloatArray
    offsets: IntArray
    pdgid: Int32Array
    mother: Int32Array
    status: Int8Array
    p4: FloatArray
    production: FloatArray
    asked_channel: IntArray
    asked_mass: FloatArray


@lean_kernel
def _draw_decay(
    species: Any,
    channel: Any,
    parent: Any,
    mass: float,
    particle: int,
    level: int,
    state: UInt64Array,
    scratch: Any,
    counter: IntArray,
) -> None:
    """Draw momenta of one decay with the masses of its daughters, accepted on its amplitude.

    Fills ``scratch.momenta`` (parent's rest frame, parent in row 0) and, for
    a model with an amplitude, ``scratch.level_amplitude[level]``.
    """
    n = channel.n_daughters
    momenta, masses = scratch.momenta, scratch.masses
    amplitude, density = scratch.level_amplitude[level], scratch.density[particle]
    polarised = scratch.polarised[particle]
    limit, largest, not_finite = 0.0, 1.0, 0
    if channel.address != 0:
        largest = 1.0 / parent.n_states
        if polarised:
            largest = largest_eigenvalue_bound(density, parent.n_states)
        limit = min(channel.eigen_bound, channel.trace_bound * largest)
        if channel.room > 0.0:
            kinetic = mass
            for k in range(n):
                kinetic -= masses[k]
            limit *= channel.octaves[octave(kinetic, channel.room)]
        scratch.pdgids[0] = parent.pdgid
        for k in range(n):
            scratch.pdgids[1 + k] = species[channel.daughters[k]].pdgid
        if channel.mixing >= 0:
            for i in range(4):
                momenta[1 + n, i] = scratch.flavour[particle, i]
    counter[N_DECAYS] += 1
    if channel.draw != 0:
        for k in range(n):
            own = species[channel.daughters[k]]
            if own.width == 0.0:  # the mass, or where the model draws it, the lowest
                masses[k] = own.min_mass
        momenta[0, 0], momenta[0, 1], momenta[0, 2], momenta[0, 3] = 0.0, 0.0, 0.0, mass
        counter[N_TRIALS] += 1
        counter[N_EXCEEDED] += call_draw(
            channel.draw,
            channel.parameters,
            masses.ctypes.data,
            state.ctypes.data,
            momenta.ctypes.data,
        )
        return
    if channel.n_cells > 0:
        draw_from_grid(channel, mass, amplitude, scratch, state, counter)
        return
    bound = channel.space_bound
    varies = parent.max_mass > parent.min_mass or channel.n_broad > 0
    trials, seen = 0, 0.0
    if np.isnan(bound):
        bound = tangent_bound(mass, masses, n, channel.space_shares)
    while True:
        counter[N_TRIALS] += 1
        if channel.pole:
            pole_phase_space(mass, masses, channel.pole - 1, state, momenta[1:])
        else:
            counter[N_EXCEEDED] += phase_space(mass, masses, n, bound, state, momenta[1:])
        if channel.address == 0:
            return
        momenta[0, 0], momenta[0, 1], momenta[0, 2], momenta[0, 3] = 0.0, 0.0, 0.0, mass
        call_amplitude(
            channel.address,
            channel.parameters,
            scratch.pdgids.ctypes.data,
            momenta.ctypes.data,
            amplitude.ctypes.data,
        )
        probability = decay_probability(
            amplitude, parent.n_states, channel.n_amplitudes, density, polarised
        )
        if channel.eigen_share > 0.0:
            # The trace depends on the masses alone, which are drawn.
            trace = parent.n_states * decay_probability(
                amplitude, parent.n_states, channel.n_amplitudes, density, False
            )
            limit = _ROUNDING * trace * min(channel.eigen_share, largest)
        elif varies:
            trials += 1
            if probability > seen:  # noqa: PLR1730  (max may give nan)
                seen = probability
            if trials == _MANY_TRIALS:
                limit = min(limit, MARGIN * seen)
        if not probability <= limit < np.inf:  # true for nan, which would never be accepted
            if probability - limit < np.inf:
                counter[N_EXCEEDED] += 1
            else:
                not_finite += 1
                if gives_up(not_finite, counter, scratch):
                    return
                continue
        if uniform(state) * limit <= probability:
            return


@lean_kernel
def _copy_matrix(source: ComplexArray, n: int, target: ComplexArray) -> None:
    """Copy the upper left (n, n) of a matrix."""
    for i in range(n):
        for j in range(n):
            target[i, j] = source[i, j]


@lean_kernel
def _load_spins(species: Any, channel: Any, scratch: Any, level: int) -> int:
    """Gather dimensions and known matrices of the decay at `level`; return 1 + n daughters."""
    particle, first = scratch.level_particle[level], scratch.level_first[level]
    scratch.dims[0] = species[scratch.species[particle]].n_states
    scratch.known[0] = scratch.polarised[particle]
    if scratch.known[0]:
        _copy_matrix(scratch.density[particle], scratch.dims[0], scratch.matrices[0])
    for k in range(channel.n_daughters):
        scratch.dims[1 + k] = species[scratch.species[first + k]].n_states
        scratch.known[1 + k] = scratch.reported[first + k]
        if scratch.known[1 + k]:
            _copy_matrix(scratch.report[first + k], scratch.dims[1 + k], scratch.matrices[1 + k])
    n: int = channel.n_daughters
    return 1 + n


@lean_kernel
def _place_frame(species: Any, channels: Any, scratch: Any, level: int) -> None:
    """Write the boost from the rest frame of the particle at `level` to the lab.

    The axes of a rest frame matter only where the spin of the particle is correlated with that
    of its parent; there they are the parent's, see `simgen.spin`. All else is isotropic, and the
    axes are the lab's.
    """
    particle = scratch.level_particle[level]
    to_lab = scratch.level_boost[level]
    mass = scratch.mass[particle]
    correlated = False
    if level > 0:
        parent_channel = channels[scratch.level_channel[level - 1]]
        spins = species[scratch.species[particle]].n_states
        correlated = parent_channel.address != 0 and spins > 1
    if correlated:
        p = scratch.rest_p4[particle]
        boost_matrix(p[0], p[1], p[2], p[3], mass, scratch.boost)
        compose(scratch.level_boost[level - 1], scratch.boost, to_lab)
    else:
        p = scratch.p4[particle]
        boost_matrix(p[0], p[1], p[2], p[3], mass, to_lab)


@lean_kernel
def _is_alone(species: Any, scratch: Any, particle: int) -> bool:
    """Say whether a neutral B is not one of a pair from Upsilon(4S)."""
    mother = scratch.mother[particle]
    return bool(mother < 0 or species[scratch.species[mother]].pdgid != _UPSILON_4S)


@lean_kernel
def _settle(
    species: Any, own: Any, channels: Any, mixing: Any, particle: int, state: Any, scratch: Any
) -> int:
    """Return the channel of a particle: the one drawn with it, or one drawn now."""
    drawn: int = scratch.channel[particle]
    if drawn >= 0:
        return drawn
    number = choose_channel(own, channels, scratch.mass[particle], state)
    row = channels[number].mixing
    if row >= 0 and mixing[row].n_names[0] == 0:
        number = draw_alone(channels, mixing, number, own.pdgid, state, scratch)
        _keep_drawn(scratch, particle, 0, number)
    elif own.mixing >= 0 and _is_alone(species, scratch, particle):
        if draw_turned(mixing[own.mixing], own.pdgid, state, scratch):
            number = own.turns
        scratch.channel[particle], scratch.time[particle] = number, scratch.pair_time[0]
    return number


@lean_kernel
def _settle_turned(
    own: Any, channels: Any, index: int, mass: float, state: Any, scratch: Any
) -> None:
    """Let a meson that has turned decay where it is, by a channel that tells its flavour."""
    number = choose_channel(own, channels, mass, state)
    while channels[number].mixing >= 0:
        number = choose_channel(own, channels, mass, state)
    scratch.channel[index], scratch.time[index] = number, 0.0


@lean_kernel
def _keep_drawn(scratch: Any, particle: int, side: int, number: int) -> None:
    """Give a particle the channel, time and flavour state that were drawn."""
    scratch.channel[particle] = number
    scratch.time[particle] = scratch.pair_time[side]
    for i in range(4):
        scratch.flavour[particle, i] = scratch.pair_flavour[side, i]


@lean_kernel
def _place_pair(
    species: Any,
    channels: Any,
    mixing: Any,
    channel: Any,
    first: int,
    state: UInt64Array,
    scratch: Any,
) -> None:
    """Let the two daughters from row `first` on be what `draw_pair` draws."""
    draw_pair(species, channels, mixing, mixing[channel.mixing], state, scratch)
    for side in range(2):
        scratch.species[first + side] = scratch.pair_species[side]
        _keep_drawn(scratch, first + side, side, scratch.pair_channel[side])


@lean_kernel
def _place_daughter(
    scratch: Any, index: int, particle: int, to_lab: FloatArray, per_mass: float
) -> None:
    """Write what a daughter has of its mother `particle`, and its momentum in the lab.

    `per_mass` is the proper time of the mother's decay over its mass, mm/c / GeV.
    """
    scratch.mother[index] = particle
    scratch.polarised[index] = False
    scratch.reported[index] = False
    scratch.channel[index], scratch.node[index] = -1, -1
    boost_by_matrix(to_lab, scratch.rest_p4[index], scratch.p4[index])
    for i in range(4):
        scratch.production[index, i] = (
            scratch.production[particle, i] + per_mass * scratch.p4[particle, i]
        )


@lean_kernel
def _enter(
    species: Any,
    channels: Any,
    mixing: Any,
    scratch: Any,
    level: int,
    count: int,
    state: UInt64Array,
    counters: IntArray,
) -> int:
    """Decay the particle at `level`; append its daughters; return the new number of particles.

    Photons that they radiate come last and stay. Nothing is appended where a system is asked for
    or the daughters have no room: see `_ended`.
    """
    particle = scratch.level_particle[level]
    own = species[scratch.species[particle]]
    mass = scratch.mass[particle]
    number = _settle(species, own, channels, mixing, particle, state, scratch)
    channel = channels[number]
    node: int = -1
    n: int = channel.n_daughters
    n_photons: int = 0
    as_system = channel.n_systems != 0
    if as_system:
        counters[number, N_DECAYS] += 1
        if channel.n_systems > 0:
            n = draw_system(channel, mass, count, state, scratch)
        else:
            n = take_system(number, mass, count, scratch)
            if n < 0:
                return count
    if count + n > MAX_PARTICLES:
        scratch.overflow = True
        return count
    if not as_system:
        node = scratch.node[particle]
        node = set_masses(species, channels, channel, own, mass, node, scratch, state)
        if scratch.stuck:
            counters[number, N_STUCK] += 1
            return count
        _draw_decay(species, channel, own, mass, particle, level, state, scratch, counters[number])
        if channel.photon >= 0:
            n_photons = radiate(species, channel, mass, scratch)
            if count + n + n_photons > MAX_PARTICLES:
                scratch.overflow = True
                return count
    _place_frame(species, channels, scratch, level)
    to_lab = scratch.level_boost[level]
    # A proper time s (mm/c) displaces by s p / m.
    per_mass = 0.0
    if own.ctau > 0.0:
        drawn = scratch.channel[particle] >= 0
        time = scratch.time[particle] if drawn else own.ctau * exponential(state)
        per_mass = time / mass
    for k in range(n):
        index = count + k
        if not as_system:
            scratch.species[index] = channel.daughters[k]
            scratch.mass[index] = scratch.masses[k]
            for i in range(4):
                scratch.rest_p4[index, i] = scratch.momenta[1 + k, i]
        _place_daughter(scratch, index, particle, to_lab, per_mass)
        if node >= 0 and scratch.node_channel[node + k] >= 0:
            scratch.channel[index] = scratch.node_channel[node + k]
            scratch.node[index] = node + k
    for k in range(n_photons):
        index = count + n + k
        scratch.species[index] = channel.photon
        scratch.mass[index] = 0.0
        for i in range(4):
            scratch.rest_p4[index, i] = scratch.photons[k, i]
        _place_daughter(scratch, index, particle, to_lab, per_mass)
    if channel.mixing >= 0 and mixing[channel.mixing].n_names[0] > 0:
        _place_pair(species, channels, mixing, channel, count, state, scratch)
    if own.mixing >= 0 and number == own.turns:
        turned = species[channel.daughters[0]]
        _settle_turned(turned, channels, count, mass, state, scratch)
    scratch.level_channel[level] = number
    scratch.level_first[level], scratch.level_count[level] = count, n
    scratch.level_next[level] = 0
    return count + n + n_photons


@lean_kernel
def _leave(species: Any, channels: Any, scratch: Any, level: int) -> None:
    """Report the decay matrix of the particle at `level`, whose subtree is complete."""
    particle = scratch.level_particle[level]
    channel = channels[scratch.level_channel[level]]
    if level == 0 or channel.address == 0:
        return
    wanted = channels[scratch.level_channel[level - 1]].address != 0
    if not wanted or species[scratch.species[particle]].n_states == 1:
        return
    n = _load_spins(species, channel, scratch, level)
    conditional_matrix(
        scratch.level_amplitude[level],
        scratch.dims,
        n,
        scratch.matrices,
        scratch.known,
        int(_ZERO),  # the parent
        scratch.work,
        scratch.report[particle],
    )
    scratch.reported[particle] = True


@lean_kernel
def _ended(scratch: Any) -> bool:
    """Say whether an event has to be given up."""
    return bool(scratch.asked_channel >= 0 or scratch.overflow or scratch.stuck)


@lean_kernel
def _decay_chain(
    species: Any,
    channels: Any,
    mixing: Any,
    scratch: Any,
    count: int,
    state: UInt64Array,
    counters: IntArray,
) -> int:
    """Decay particle 0 and everything below it; return the number of particles.

    `count` particles are there: `SINGLE`, or more where particle 0 has decayed already.
    Ends early where an event has to be given up: see `_ended`.
    """
    level = int(_ZERO)
    scratch.level_particle[0] = 0
    if count == SINGLE:
        count = _enter(species, channels, mixing, scratch, level, count, state, counters)
    while level >= 0 and not _ended(scratch):
        channel = channels[scratch.level_channel[level]]
        k = scratch.level_next[level]
        if k == scratch.level_count[level]:
            _leave(species, channels, scratch, level)
            level -= 1
            continue
        scratch.level_next[level] = k + 1
        index = scratch.level_first[level] + k
        daughter = species[scratch.species[index]]
        if daughter.n_channels == 0:
            continue
        if channel.address != 0 and daughter.n_states > 1:
            n = _load_spins(species, channel, scratch, level)
            conditional_matrix(
                scratch.level_amplitude[level],
                scratch.dims,
                n,
                scratch.matrices,
                scratch.known,
                1 + k,
                scratch.work,
                scratch.density[index],
            )
            scratch.polarised[index] = True
        level += 1
        scratch.level_particle[level] = index
        count = _enter(species, channels, mixing, scratch, level, count, state, counters)
    return count


@lean_kernel
def _start(species: Any, scratch: Any, beams: CompiledBeams, state: UInt64Array) -> None:
    """Place the root: the collision's four-momentum, primary vertex and polarisation."""
    vertex = scratch.production[0]
    mass = draw_collision(beams, species[0].min_mass, state, scratch.p4[0], vertex[:3])
    vertex[3] = 0.0
    scratch.species[0] = 0
    scratch.mother[0] = -1
    scratch.mass[0] = mass
    scratch.reported[0] = False
    scratch.channel[0], scratch.node[0] = -1, -1
    scratch.n_nodes = 0
    scratch.polarised[0] = species[0].n_states == _ROOT_VECTOR_STATES
    if scratch.polarised[0]:
        polarise_as_photon(beams.axis, scratch)


@lean_kernel
def generate_events(
    species: Any,
    channels: Any,
    mixing: Any,
    beams: CompiledBeams,
    seed: int,
    stage: int,
    event_id: IntArray,
    starts: Any,
    given: FloatArray,
    hadrons: FloatArray,
    scratch_array: Any,
    out: Output,
    counters: IntArray,
) -> int:
    """Generate events until all are made or the particle arrays are full.

    Parameters
    ----------
    species, channels, mixing
        Of a `Program`.
    beams
        Compiled beams. A root with three spin states is polarised as a photon from e+e-
        annihilation makes it: J_z = +-1 along the beams, rho_ij = (delta_ij - n_i n_j) / 2.
    seed, stage
        Key of the random streams.
    event_id
        (n,) which events to make.
    starts
        (n,) of `simgen.engine.starts.START`, what each event begins with instead of a collision;
        or none.
    given
        (n, m, 2) first and last row of the systems of each event, in the order they are needed; -1
        for none. Contiguous.
    hadrons
        (rows, 5) hadrons of these systems, as `simgen.engine.systems` reads them.
    scratch_array
        (1,) of `simgen.engine.scratch.SCRATCH`, one a thread.
    out
        Arrays to fill; ``offsets[0]`` is 0.
    counters
        (channels, N_COUNTERS), added to.

    Returns
    -------
    int
        Number of events made. It is less than asked for, too, where an event has more particles
        than there is room for (``overflow`` of the scratch memory), and where a decay is given up:
        its counter `N_STUCK` says which, and ``stuck`` why.
    """
    scratch = scratch_array[0]
    state = scratch.stream
    set_key(state, seed, stage)
    set_key(scratch.photon_stream, seed, stage)
    all_species, all_channels = borrowed(species), borrowed(channels)
    all_mixing = borrowed(mixing)
    counts = borrowed(counters)
    capacity = len(out.pdgid)
    scratch.hadrons, scratch.n_hadrons = hadrons.ctypes.data, len(hadrons)
    for e in range(len(event_id)):
        seek(state, event_id[e], 0)
        seek(scratch.photon_stream, event_id[e], PHOTON_SUBSTREAM)
        n_given = 0
        while n_given < given.shape[1] and given[e, n_given, 0] >= 0:
            n_given += 1
        scratch.given, scratch.n_given = given[e].ctypes.data, n_given
        scratch.n_taken, scratch.asked_channel = 0, -1
        count: int = SINGLE
        if len(starts) > 0:
            count = place_start(all_species, all_channels, starts[e], scratch)
        else:
            _start(all_species, scratch, beams, state)
        count = _decay_chain(all_species, all_channels, all_mixing, scratch, count, state, counts)
        if scratch.stuck or scratch.overflow:
            return e
        row = out.offsets[e]
        out.asked_channel[e], out.asked_mass[e] = scratch.asked_channel, scratch.asked_mass
        if scratch.asked_channel >= 0:
            count = 0
        if row + count > capacity:
            return e
        for i in range(count):
            own = all_species[scratch.species[i]]
            out.pdgid[row + i] = own.pdgid
            out.mother[row + i] = scratch.mother[i]
            out.status[row + i] = 1 if own.n_channels == 0 else 2
            for j in range(4):
                out.p4[row + i, j] = scratch.p4[i, j]
                out.production[row + i, j] = scratch.production[i, j]
        for j in range(4):
            out.beam[e, j] = scratch.p4[0, j]
        for j in range(3):
            out.vertex[e, j] = scratch.production[0, j]
        out.process[e] = scratch.level_channel[0]
        out.offsets[e + 1] = row + count
    return len(event_id)
