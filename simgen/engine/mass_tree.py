"""Masses of all that a particle decays to at once, before any momentum is drawn.

As EvtGen does (`EvtParticle::generateMassTree`): when a particle decays, the resonances among its
daughters choose their channels, theirs in turn, and so on down to what has a fixed mass. Then
masses are drawn from the bottom up, each from the lineshape of its channel, given the masses of
its daughters. If something does not fit, all masses are drawn again. Momenta and amplitudes then
have these masses; the amplitude decides about angles, not about masses.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from simgen.engine.branching import choose_channel
from simgen.engine.lineshape import draw_mass
from simgen.engine.program import STUCK_MASSES
from simgen.jit import lean_kernel

if TYPE_CHECKING:
    from simgen.typing import UInt64Array

# Draws of all masses after which channels are chosen again: rare far tails have next to no room.
_MOST_DRAWS = 1000
# Choices of channels after which the decay is given up: lineshapes that decay files cut, or whose
# masses are a comb, can leave none that fits. 10^7 draws take seconds.
_MOST_PLANS = 10_000
# What people are told then.
NO_MASSES = (
    "no masses of its daughters were found that fit: see their lineshapes and ChangeMassMin, "
    "ChangeMassMax of what they decay to"
)


@lean_kernel
def _expand(species: Any, channels: Any, scratch: Any, base: int, state: UInt64Array) -> int:
    """Choose channels of resonances from node `base` on; return the number of nodes."""
    count: int = scratch.n_nodes
    node = base
    while node < count:
        own = species[scratch.node_species[node]]
        scratch.node_channel[node] = -1
        if own.width > 0.0 and own.n_channels > 0:
            limit = min(scratch.node_limit[node], own.shape_max)
            number = choose_channel(own, channels, limit, state)
            scratch.node_channel[node] = number
            scratch.node_first[node] = count
            count = _append(species, channels[number], scratch, count, limit, node)
        node += 1
    return count


@lean_kernel
def _append(species: Any, channel: Any, scratch: Any, count: int, limit: float, mother: int) -> int:
    """Append nodes of a channel's daughters, of which all can weigh `limit` at most."""
    n: int = channel.n_daughters
    for k in range(n):
        number = channel.daughters[k]
        own = species[number]
        room = limit - channel.threshold + own.min_mass if n > 1 else limit
        scratch.node_species[count + k] = number
        scratch.node_limit[count + k] = room
        scratch.node_mother[count + k] = mother
        scratch.node_mass[count + k] = own.mass
    return count + n


@lean_kernel
def _draw_node(
    species: Any, channels: Any, origin: Any, parent: Any, scratch: Any, node: int, base: int,
    state: UInt64Array,
) -> bool:  # fmt: skip
    """Draw the mass of one node whose daughters have theirs; say whether it fits."""
    own = species[scratch.node_species[node]]
    if own.width == 0.0:
        return True
    number = scratch.node_channel[node]
    mother = scratch.node_mother[node]
    made_by, mother_mass, first = origin, parent.mass, base
    if mother >= 0:
        made_by = channels[scratch.node_channel[mother]]
        mother_mass = species[scratch.node_species[mother]].mass
        first = scratch.node_first[mother]
    sibling, orbital = 0.0, -1
    if made_by.n_daughters == 2:
        k = node - first
        orbital = made_by.birth_orbital[k]
        sibling = species[made_by.daughters[1 - k]].mass
    mass_1, mass_2, total = 0.0, 0.0, 0.0
    channel = channels[max(number, 0)]
    if number >= 0 and channel.n_systems != 0:
        total = channel.threshold  # the masses of its daughters come with a system of hadrons
    elif number >= 0:
        below = scratch.node_first[node]
        for i in range(channel.n_daughters):
            total += scratch.node_mass[below + i]
        mass_1 = scratch.node_mass[below]
        if channel.n_daughters == 2:
            mass_2 = scratch.node_mass[below + 1]
    limit = scratch.node_limit[node]
    mass = draw_mass(
        own, channel, mass_1, mass_2, sibling, mother_mass, orbital, limit, mother < 0, state
    )
    scratch.node_mass[node] = mass
    if number >= 0 and channel.n_daughters == 1:
        scratch.node_mass[scratch.node_first[node]] = mass
        return bool(0.0 < mass <= limit)
    return bool(total < mass <= limit)


@lean_kernel
def plan_masses(
    species: Any, channels: Any, channel: Any, parent: Any, mass: float, scratch: Any,
    state: UInt64Array,
) -> int:  # fmt: skip
    """Plan the masses below one decay.

    Parameters
    ----------
    species, channels
        Of a `Program`.
    channel
        `CHANNEL` record of the decay; its threshold is below `mass`, at least one daughter has
        a width, and it has at least two daughters.
    parent
        `SPECIES` record of what decays.
    mass
        Its mass, GeV.
    scratch
        Nodes are appended after the first ``n_nodes``.
    state
        Random stream, advanced.

    Returns
    -------
    int
        Node of the first daughter; those of the others follow. -1 if no masses were found that
        fit; then ``stuck`` of the scratch memory is `STUCK_MASSES`.
    """
    base: int = scratch.n_nodes
    for _ in range(_MOST_PLANS):
        scratch.n_nodes = _append(species, channel, scratch, base, mass, -1)
        count = _expand(species, channels, scratch, base, state)
        for _ in range(_MOST_DRAWS):
            fits = True
            node = count - 1
            while fits and node >= base:
                fits = _draw_node(species, channels, channel, parent, scratch, node, base, state)
                node -= 1
            if fits:
                total = 0.0
                for k in range(channel.n_daughters):
                    total += scratch.node_mass[base + k]
                if total < mass:
                    scratch.n_nodes = count
                    return base
        scratch.n_nodes = base
    scratch.stuck = STUCK_MASSES
    return -1


@lean_kernel
def set_masses(
    species: Any, channels: Any, channel: Any, parent: Any, mass: float, node: int, scratch: Any,
    state: UInt64Array,
) -> int:  # fmt: skip
    """Write the masses of a decay's daughters to ``scratch.masses``.

    Parameters
    ----------
    species, channels, channel, parent, mass, scratch, state
        See `plan_masses`.
    node
        Node of what decays if its daughters are planned, -1 if not.

    Returns
    -------
    int
        Node of the first daughter, -1 if none was needed, or if ``stuck`` is set as by
        `plan_masses`.
    """
    n: int = channel.n_daughters
    if node >= 0:
        first: int = scratch.node_first[node]
    elif channel.n_broad == 0 or n == 1:
        for k in range(n):
            scratch.masses[k] = species[channel.daughters[k]].mass
        if n == 1:  # another name of the same state, such as K0 -> K_S0
            scratch.masses[0] = mass
        return -1
    else:
        first = plan_masses(species, channels, channel, parent, mass, scratch, state)
        if first < 0:
            return first
    for k in range(n):
        scratch.masses[k] = scratch.node_mass[first + k]
    return first
