r"""Masses of resonances.

A resonance R of pole mass m_0 that decays to two particles with orbital angular momentum L has the
density in its mass m

    |1 / (m_0^2 - m^2 - i m_0 Gamma(m))|^2 D(m) B(m),
    Gamma(m) = Gamma_0 (m_0 / m) D(m),   D(m) = (p / p_0)^(2 L + 1) F_L(p r)^2 / F_L(p_0 r)^2,

p and p_0 the momentum of its daughters at m and m_0, F_L a Blatt-Weisskopf factor (J. Blatt, V.
Weisskopf, *Theoretical Nuclear Physics*, 1952; F. von Hippel, C. Quigg, Phys. Rev. D 5 (1972) 624)
with radius r = 3/GeV. B is the same as D for the vertex it is made at, if that has two daughters:
the momentum of R and its sibling in the parent, all but R at their pole masses, radius 1/GeV. L
is the lowest that the spins allow unless the decay file says otherwise.

These are EvtGen's lineshapes. A resonance with another number of daughters, or that is lighter at
its pole than its daughters, has a non-relativistic Breit-Wigner 1 / ((m - m_0)^2 + Gamma_0^2 / 4).
EvtGen rejects against 1.2 times the density at the pole, or at the heaviest mass there is room for
if that is lighter, so densities are cut off there; this shows next to a threshold, as of the rho in
K_1(1270) -> K rho, and is done here too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from simgen.engine.program import COMBS, FLAT, RELATIVISTIC
from simgen.jit import lean_kernel
from simgen.phasespace import two_body_momentum
from simgen.random import uniform

if TYPE_CHECKING:
    from simgen.typing import UInt64Array

# Widths below which a mass is fixed, GeV: with and without barrier factors.
_NARROW, _NARROW_PLAIN = 1e-5, 1e-4
_GRID = 100
_MARGIN = 1.15
_CUT_OFF, _FLAT_BELOW = 1.2, 0.05


@lean_kernel
def draw_breit_wigner(
    mass: float, width: float, low: float, high: float, state: UInt64Array
) -> float:
    """Draw m with density ds / ((s - m0^2)^2 + m0^2 Gamma^2), s = m^2, inverting its integral."""
    scale = mass * width
    a = np.arctan((low * low - mass * mass) / scale)
    b = np.arctan((high * high - mass * mass) / scale)
    drawn = np.sqrt(mass * mass + scale * np.tan(a + uniform(state) * (b - a)))
    return float(min(max(drawn, low), high))


@lean_kernel
def _draw_plain(own: Any, low: float, high: float, state: UInt64Array) -> float:
    """Draw from a flat shape, a comb of fixed masses, or a non-relativistic Breit-Wigner."""
    if own.lineshape == FLAT:
        return float(own.shape_min + uniform(state) * (own.shape_max - own.shape_min))
    if own.lineshape == COMBS:
        teeth = np.floor((own.shape_max - own.shape_min) / own.width) + 1.0
        return float(own.shape_min + np.floor(uniform(state) * teeth) * own.width)
    if own.width < _NARROW_PLAIN:
        return float(own.mass)
    half = 0.5 * own.width
    a, b = np.arctan((low - own.mass) / half), np.arctan((high - own.mass) / half)
    drawn = own.mass + half * np.tan(a + uniform(state) * (b - a))
    return float(min(max(drawn, low), high))


@lean_kernel
def _barrier(orbital: int, z: float) -> float:
    """Return the denominator of the squared Blatt-Weisskopf factor, z = (p r)^2."""
    if orbital == 0:
        return 1.0
    if orbital == 1:
        return 1.0 + z
    if orbital == 2:
        return 9.0 + z * (3.0 + z)
    if orbital == 3:
        return 225.0 + z * (45.0 + z * (6.0 + z))
    return 11025.0 + z * (1575.0 + z * (135.0 + z * (10.0 + z)))


@lean_kernel
def _vertex(p: float, at_pole: float, orbital: int, radius: float) -> float:
    """Return (p / p_0)^(2 L + 1) F^2 / F_0^2."""
    ratio = p / at_pole
    form = _barrier(orbital, (at_pole * radius) ** 2) / _barrier(orbital, (p * radius) ** 2)
    return float(ratio * (ratio * ratio) ** orbital * form)


@lean_kernel
def _birth(own: Any, m: float, sibling: float, parent: float, orbital: int) -> float:
    """Return B(m); `parent` and `sibling` are pole masses, orbital -1 stands for no factor."""
    if orbital < 0 or own.birth == 0:
        return 1.0
    if m + sibling >= parent:
        # beyond the parent's pole: EvtGen leaves the factor out, or the mass
        return 1.0 if orbital == 0 else 0.0
    p = two_body_momentum(parent, m, sibling)
    return _vertex(p, two_body_momentum(parent, own.mass, sibling), orbital, own.radius_birth)


@lean_kernel
def _ratio(own: Any, m: float, p: float, at_pole: float, orbital: int) -> float:
    """Return the density without B over that of `draw_breit_wigner`, both in m, 1 at the pole."""
    decay = _vertex(p, at_pole, orbital, own.radius_decay)
    relative = own.mass / m
    pole, off = (own.mass * own.width) ** 2, (own.mass**2 - m * m) ** 2
    shape = (off + pole) / (off + pole * (relative * decay) ** 2) * relative
    return float(shape * decay if own.decay != 0 else shape)


@lean_kernel
def fill_shape_bounds(species: Any, channels: Any) -> None:
    """Write an upper bound of `_ratio` for every channel of a resonance with barrier factors."""
    for s in range(len(species)):
        own = species[s]
        if own.width == 0.0:
            continue
        for c in range(own.first_channel, own.first_channel + own.n_channels):
            channel = channels[c]
            if channel.orbital < 0:
                continue
            a, b = species[channel.daughters[0]], species[channel.daughters[1]]
            at_pole = two_body_momentum(own.mass, a.mass, b.mass)
            if at_pole == 0.0:
                channel.shape_bound = _MARGIN
                continue
            low = max(own.shape_min, a.mass + b.mass)
            bound = 1.0
            for i in range(_GRID):
                m = low + (own.shape_max - low) * i / (_GRID - 1)
                p = two_body_momentum(m, a.mass, b.mass)
                bound = max(bound, _ratio(own, m, p, at_pole, channel.orbital))
            broad = a.width + b.width > 0.0
            channel.shape_bound = bound * (_MARGIN * _MARGIN if broad else _MARGIN)


@lean_kernel
def _proposal(own: Any, m: float) -> float:
    """Return the density of `draw_breit_wigner` in m, over that at the pole."""
    pole, off = (own.mass * own.width) ** 2, (own.mass**2 - m * m) ** 2
    return float(m / own.mass * pole / (off + pole))


@lean_kernel
def draw_mass(
    own: Any,
    channel: Any,
    mass_1: float,
    mass_2: float,
    sibling: float,
    parent: float,
    birth_orbital: int,
    high: float,
    made_at_rest: bool,
    state: UInt64Array,
) -> float:
    """Draw the mass of a resonance whose channel and daughters' masses are known.

    Parameters
    ----------
    own
        `SPECIES` record of the resonance.
    channel
        `CHANNEL` record, of any kind where the resonance has none.
    mass_1, mass_2
        Masses of the two daughters, GeV; not read for other numbers of daughters.
    sibling, parent, birth_orbital
        Pole masses and orbital angular momentum of the vertex it is made at; -1 for no factor.
    high
        Upper limit, GeV.
    made_at_rest
        Whether the parent has its mass already, so that EvtGen knows of the limit.
    state
        Random stream, advanced.

    Returns
    -------
    float
        GeV; -1 if no mass fits between the limits.
    """
    high = min(high, own.shape_max)
    barriers = own.lineshape == RELATIVISTIC and own.n_channels > 0 and channel.orbital >= 0
    at_pole = two_body_momentum(own.mass, mass_1, mass_2) if barriers else 0.0
    if at_pole == 0.0:
        if own.shape_min >= high:
            return -1.0
        return _draw_plain(own, own.shape_min, high, state)
    if own.width < _NARROW:
        return float(own.mass)
    low = max(own.shape_min, mass_1 + mass_2)
    if low >= high:
        return -1.0
    # B falls with m, up to where it is left out
    bound = channel.shape_bound * _birth(own, low, sibling, parent, birth_orbital)
    if birth_orbital == 0:
        bound = max(bound, channel.shape_bound)
    if bound == 0.0:
        return -1.0
    middle = max(min(own.mass, high), low) if made_at_rest else max(own.mass, low)
    p = two_body_momentum(middle, mass_1, mass_2)
    top = _CUT_OFF * _ratio(own, middle, p, at_pole, channel.orbital) * _proposal(own, middle)
    top *= _birth(own, middle, sibling, parent, birth_orbital)
    flat = top < _FLAT_BELOW * bound  # the density is cut off nearly everywhere
    while True:
        if flat:
            m = low + uniform(state) * (high - low)
        else:
            m = draw_breit_wigner(own.mass, own.width, low, high, state)
        p = two_body_momentum(m, mass_1, mass_2)
        weight = _ratio(own, m, p, at_pole, channel.orbital)
        weight *= _birth(own, m, sibling, parent, birth_orbital)
        proposed = _proposal(own, m)
        weight = min(weight * proposed, top)
        if uniform(state) * (top if flat else bound * proposed) <= weight:
            return float(m)
