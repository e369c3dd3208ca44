r"""Neutral mesons that oscillate: flavours, decay channels and times of a pair, drawn together.

A pair M0 anti-M0 from a vector decays from an antisymmetric state. If meson 2 ends at t_2 in a
state that M0 reaches with amplitude A_2 and anti-M0 with Abar_2, meson 1 is then the superposition
Abar_2 |M0> - A_2 |anti-M0>, which evolves over dt = t_1 - t_2 (of either sign) to

    alpha = Abar_2 (g_+ + z g_-) - A_2 p/q sqrt(1 - z^2) g_-
    beta  = Abar_2 q/p sqrt(1 - z^2) g_- - A_2 (g_+ - z g_-),

g_+ = cosh(k), g_- = sinh(k), k = (i dm / 2 - dGamma / 4) dt. The probability of the pair is
exp(-Gamma (t_1 + t_2)) |A_1 alpha + Abar_1 beta|^2. A decay that tells the flavour has (1, 0) or
(0, 1). One that does not, such as J/psi K_S0, has a matrix sum of A A^*, A Abar^*, ... over its
phase space and spins; as a sum of two pure states, found when a table is compiled, one of which is
drawn each time. (Angles of two such decays in one event, each with two pure states, are each as
they must be, but their correlation is that of the pure states drawn.)

A. B. Carter, A. I. Sanda, PRD 23 (1981) 1567; BaBar Physics Book, SLAC-R-504, ch. 1; D. J. Lange,
NIM A 462 (2001) 152, sect. 3. Signs of q/p and dGamma are those of EvtGen's decay files.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from simgen.engine.branching import choose_channel
from simgen.jit import lean_kernel
from simgen.random import exponential, uniform

if TYPE_CHECKING:
    from simgen.typing import UInt64Array


@lean_kernel
def _evolve(mix: Any, first: complex, second: complex, time: float) -> tuple[complex, complex]:
    """Return the amplitudes of M0 and anti-M0 after a time (mm/c), without the mean decay."""
    k = complex(-0.25 * mix.dgamma * time, 0.5 * mix.dm * time)
    grown = np.exp(k)
    plus, minus = 0.5 * (grown + 1.0 / grown), 0.5 * (grown - 1.0 / grown)
    across = mix.root_z * minus
    return (
        first * (plus + mix.z * minus) + second * across / mix.ratio,
        first * across * mix.ratio + second * (plus - mix.z * minus),
    )


@lean_kernel
def _set_state(scratch: Any, side: int, first: complex, second: complex) -> None:
    """Store the normalised flavour state of a meson at its decay."""
    norm = 1.0 / np.sqrt(
        first.real**2 + first.imag**2 + second.real**2 + second.imag**2
    )  # fmt: skip
    scratch.pair_flavour[side, 0], scratch.pair_flavour[side, 1] = (
        first.real * norm,
        first.imag * norm,
    )
    scratch.pair_flavour[side, 2], scratch.pair_flavour[side, 3] = (
        second.real * norm,
        second.imag * norm,
    )


@lean_kernel
def _draw_side(species: Any, channels: Any, pair: Any, side: int, state: Any, scratch: Any) -> None:
    """Draw a meson's name and channel; names are equally likely before the times are known."""
    pick = 1 if pair.n_names[side] == 2 and uniform(state) < 0.5 else 0
    scratch.pair_species[side] = pair.names[side, pick]
    _draw_side_channel(species, channels, side, state, scratch)


@lean_kernel
def _draw_side_channel(
    species: Any, channels: Any, side: int, state: UInt64Array, scratch: Any
) -> None:
    """Draw the channel of a meson, -1 if it stays."""
    own = species[scratch.pair_species[side]]
    scratch.pair_channel[side] = -1
    if own.n_channels > 0:
        scratch.pair_channel[side] = choose_channel(own, channels, own.mass, state)


@lean_kernel
def _tells_no_flavour(channels: Any, number: int) -> bool:
    """Say whether both M0 and anti-M0 reach what a channel makes."""
    return number >= 0 and channels[number].mixing >= 0


@lean_kernel
def _switch(channels: Any, mixing: Any, number: int, state: UInt64Array) -> int:
    """Return the channel or its conjugate with equal probability, where both are reached."""
    other = mixing[channels[number].mixing].sibling
    if other >= 0 and uniform(state) < 0.5:
        return int(other)
    return number


@lean_kernel
def _draw_ending(mix: Any, state: UInt64Array) -> tuple[complex, complex, float]:
    """Draw one of the pure states of a channel; return its amplitudes and the channel's trace."""
    trace = mix.weights[0] + mix.weights[1]
    k = 0 if uniform(state) * trace < mix.weights[0] else 1
    return mix.amplitudes[k, 0], mix.amplitudes[k, 1], trace


@lean_kernel
def _ending(
    species: Any, channels: Any, mixing: Any, pair: Any, side: int, state: Any, scratch: Any
) -> tuple[complex, complex, float]:
    """Return the amplitudes of M0 and anti-M0 for the end of one meson, and their weight."""
    number = scratch.pair_channel[side]
    if _tells_no_flavour(channels, number):
        return _draw_ending(mixing[channels[number].mixing], state)
    k = 0 if species[scratch.pair_species[side]].pdgid > 0 else 1
    if side == 0:
        return pair.amplitudes[k, 0], pair.amplitudes[k, 1], 1.0
    return complex(1.0 - k), complex(1.0 * k), 1.0


@lean_kernel
def draw_pair(
    species: Any, channels: Any, mixing: Any, pair: Any, state: UInt64Array, scratch: Any
) -> None:
    """Draw names, channels, times and flavour states of a pair.

    Parameters
    ----------
    species, channels, mixing
        Of a `Program`.
    pair
        `MIXING` record of the decay that makes the pair.
    state
        Random stream, advanced.
    scratch
        Receives ``pair_species``, ``pair_channel``, ``pair_time`` (mm/c), ``pair_flavour``.
    """
    times = scratch.pair_time
    fixed = -1
    if not pair.coherent:
        # The decay file decided the names; only the partner of a decay that tells no flavour moves.
        for side in range(2):
            scratch.pair_species[side] = pair.names[side, 0]
            _draw_side_channel(species, channels, side, state, scratch)
            if fixed < 0 and _tells_no_flavour(channels, scratch.pair_channel[side]):
                fixed = side
        if fixed < 0:
            times[0], times[1] = pair.ctau * exponential(state), pair.ctau * exponential(state)
            return
    while True:
        for side in range(2):
            if side == fixed:
                scratch.pair_channel[side] = _switch(
                    channels, mixing, scratch.pair_channel[side], state
                )
            else:
                _draw_side(species, channels, pair, side, state, scratch)
        a_1, b_1, weight_1 = _ending(species, channels, mixing, pair, 0, state, scratch)
        a_2, b_2, weight_2 = _ending(species, channels, mixing, pair, 1, state, scratch)
        mix = pair
        for side in range(2):
            number = scratch.pair_channel[1 - side]
            if _tells_no_flavour(channels, number):
                mix = mixing[channels[number].mixing]
        slow = 0.5 * abs(mix.dgamma) * pair.ctau
        for side in range(2):
            times[side] = pair.ctau / (1.0 - slow) * exponential(state)
        first, second = _evolve(mix, b_2, -a_2, times[0] - times[1])
        amplitude = a_1 * first + b_1 * second
        probability = weight_1 * weight_2 * (amplitude.real**2 + amplitude.imag**2)
        if slow > 0.0:
            probability *= np.exp(-slow * (times[0] + times[1]) / pair.ctau)
        if uniform(state) * mix.bound * pair.largest_trace**2 <= probability:
            break
    _set_state(scratch, 0, first, second)
    first, second = _evolve(mix, b_1, -a_1, times[1] - times[0])
    _set_state(scratch, 1, first, second)


@lean_kernel
def _draw_evolved(
    mix: Any, pdgid: int, state: UInt64Array, scratch: Any
) -> tuple[complex, complex, float]:
    """Draw a time to ``pair_time[0]``; return the state of a meson then, and its weight."""
    k = 0.0 if pdgid > 0 else 1.0
    slow = 0.5 * abs(mix.dgamma) * mix.ctau
    time = mix.ctau / (1.0 - slow) * exponential(state)
    scratch.pair_time[0] = time
    first, second = _evolve(mix, complex(1.0 - k), complex(k), time)
    return first, second, np.exp(-slow * time / mix.ctau)


@lean_kernel
def draw_turned(mix: Any, pdgid: int, state: UInt64Array, scratch: Any) -> bool:
    """Draw the time of a meson on its own that tells its flavour; say whether it has turned.

    Parameters
    ----------
    mix
        `MIXING` record of its species.
    pdgid
        Of the meson at its production.
    state
        Random stream, advanced.
    scratch
        Receives ``pair_time[0]`` (mm/c).
    """
    while True:
        first, second, weight = _draw_evolved(mix, pdgid, state, scratch)
        is_anti = uniform(state) < 0.5
        end = second if is_anti else first
        if uniform(state) * mix.bound <= weight * (end.real**2 + end.imag**2):
            return bool(is_anti == (pdgid > 0))


@lean_kernel
def draw_alone(
    channels: Any, mixing: Any, number: int, pdgid: int, state: UInt64Array, scratch: Any
) -> int:
    """Draw time and flavour state of a meson that is not one of a pair; return its channel.

    Parameters
    ----------
    channels, mixing
        Of a `Program`.
    number
        Channel; its conjugate may be returned instead where both are reached.
    pdgid
        Of the meson at its production.
    state
        Random stream, advanced.
    scratch
        Receives ``pair_time[0]`` and ``pair_flavour[0]``.
    """
    while True:
        number = _switch(channels, mixing, number, state)
        mix = mixing[channels[number].mixing]
        first, second, fraction = _draw_evolved(mix, pdgid, state, scratch)
        a, b, weight = _draw_ending(mix, state)
        amplitude = a * first + b * second
        probability = weight * fraction * (amplitude.real**2 + amplitude.imag**2)
        if uniform(state) * mix.bound * mix.largest_trace <= probability:
            _set_state(scratch, 0, first, second)
            return number
