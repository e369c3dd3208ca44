"""Masses of resonances."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from simgen.engine.program import FLAT, NONRELATIVISTIC
from simgen.jit import kernel
from simgen.random import uniform

if TYPE_CHECKING:
    from simgen.typing import FloatArray, UInt64Array


@kernel
def draw_mass(species: Any, low: float, high: float, state: UInt64Array) -> float:
    r"""Draw a mass between two limits from the lineshape of a species.

    A relativistic Breit-Wigner has ds / ((s - m0^2)^2 + m0^2 Gamma^2) in s = m^2 (PDG review
    *Resonances*), a non-relativistic one dm / ((m - m0)^2 + Gamma^2 / 4); both are sampled by
    inverting their primitive between the limits, so the tails cost no trials.

    Parameters
    ----------
    species
        `SPECIES` record: mass, width and kind of lineshape.
    low, high
        Limits of the mass, GeV.
    state
        Random stream, advanced.
    """
    m, width = species.mass, species.width
    u = uniform(state)
    if species.lineshape == FLAT:
        return low + u * (high - low)
    if species.lineshape == NONRELATIVISTIC:
        half = 0.5 * width
        a, b = np.arctan((low - m) / half), np.arctan((high - m) / half)
        drawn: float = m + half * np.tan(a + u * (b - a))
        return min(max(drawn, low), high)
    scale = m * width
    a, b = np.arctan((low * low - m * m) / scale), np.arctan((high * high - m * m) / scale)
    drawn = np.sqrt(m * m + scale * np.tan(a + u * (b - a)))
    return min(max(drawn, low), high)


@kernel
def draw_daughter_masses(
    species: Any, channel: Any, parent_mass: float, state: UInt64Array, masses: FloatArray
) -> None:
    """Write masses of a channel's daughters that fit into the parent.

    Each broad daughter is drawn below what the others leave at their lowest masses; sets whose
    sum is too large are drawn again, so the joint density is the product of the lineshapes
    within the kinematic limit.

    Parameters
    ----------
    species
        All `SPECIES` records.
    channel
        `CHANNEL` record; its threshold is below `parent_mass`.
    parent_mass
        GeV.
    state
        Random stream, advanced.
    masses
        (>= n_daughters,) receives the masses, GeV.
    """
    if channel.n_daughters == 1:  # another name of the same state, such as K0 -> K_S0
        masses[0] = parent_mass
        return
    room = parent_mass - channel.threshold
    while True:
        drawn = False
        total = 0.0
        for k in range(channel.n_daughters):
            daughter = species[channel.daughters[k]]
            if daughter.width == 0.0:
                masses[k] = daughter.mass
            else:
                low = daughter.min_mass
                masses[k] = draw_mass(daughter, low, min(daughter.max_mass, low + room), state)
                drawn = True
            total += masses[k]
        if not drawn or total < parent_mass:
            return
