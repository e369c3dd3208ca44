"""Decays to finished systems of hadrons, such as Pythia makes of partons.

A system is either made for the very decay, or drawn from a pool and rotated at random. Its momenta
are scaled by one factor so that its energies add up to the mass of what decays; at the mass a
system was made for that factor is 1 but for rounding.

What is made for the very decay is not there when the event kernel comes to it. It then says what
it needs and gives up the event, which is made again from its beginning with the system given, and
comes to the same place because its random stream is its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from simgen.engine.call import as_pointer
from simgen.engine.program import MAX_PARTICLES
from simgen.jit import lean_kernel
from simgen.random import azimuth, uniform, unit_vector
from simgen.view import view

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from simgen.decfile import Channel
    from simgen.typing import FloatArray, IntArray, UInt64Array

# Columns of a hadron in the tables the kernel reads; as many head a pool with one row a system.
_SPECIES, _MASS, _PX, N_COLUMNS = 0, 1, 2, 5
# First and last row of a system.
_LIMITS = 2
_ENOUGH = 1e-14
_MOST_STEPS = 50


@dataclass(frozen=True, eq=False)
class Pool:
    """Systems of hadrons that one decay channel makes.

    Attributes
    ----------
    names
        The hadrons that occur.
    offsets
        (systems + 1,): system i has the rows ``offsets[i]:offsets[i + 1]``.
    kind
        (rows,) places in `names`.
    mass
        (rows,) GeV.
    momentum
        (rows, 3) GeV, in the rest frame of what decays.
    """

    names: tuple[str, ...]
    offsets: IntArray
    kind: IntArray
    mass: FloatArray
    momentum: FloatArray

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def mean_numbers(self) -> dict[str, float]:
        """Return the mean number of each hadron in a system."""
        counts = np.bincount(self.kind, minlength=len(self.names))
        return {name: float(n) / len(self) for name, n in zip(self.names, counts, strict=True)}

    def sums_of_masses(self) -> FloatArray:
        """Return the sum of the masses of each system, (systems,) GeV."""
        return np.add.reduceat(self.mass, self.offsets[:-1])

    def contents(self) -> set[tuple[str, ...]]:
        """Return which sets of hadrons occur, each sorted."""
        ordered = zip(self.offsets[:-1], self.offsets[1:], strict=True)
        kinds = {tuple(np.sort(self.kind[first:last]).tolist()) for first, last in ordered}
        return {tuple(self.names[k] for k in each) for each in kinds}

    def table(self, numbers: Mapping[str, int]) -> FloatArray:
        """Return what `draw_system` reads, (systems + 1 + rows, 5), species by their numbers."""
        head = len(self) + 1
        table = np.zeros((head + len(self.kind), N_COLUMNS))
        table[:head, 0] = head + self.offsets
        table[head:, _SPECIES] = np.array([numbers[name] for name in self.names])[self.kind]
        table[head:, _MASS] = self.mass
        table[head:, _PX:] = self.momentum
        return table


@dataclass(frozen=True)
class Systems:
    """Where the daughters of a channel come from.

    Attributes
    ----------
    pool
        Systems that are drawn, or a sample of what is made for each decay.
    made
        Whether each decay has a system made for it.
    """

    pool: Pool
    made: bool


class SystemSource(Protocol):
    """Makes systems of hadrons for some channels of a decay table."""

    def products(self, name: str, channel: Channel) -> tuple[str, ...] | None:
        """Return all names that a channel can make; None if it is not one of these."""
        ...

    def prepare(
        self, channels: Sequence[tuple[str, Channel]], lowest: Mapping[str, float]
    ) -> Mapping[tuple[str, Channel], Systems]:
        """Return the systems of channels, given the lowest mass of each name, GeV."""
        ...


class GivenSystems:
    """Systems that are made for some events.

    Parameters
    ----------
    events
        Number of events.

    Attributes
    ----------
    count
        (events,) how many systems each has.
    hadrons
        (rows, 5) of all systems, as the kernel reads them.
    """

    def __init__(self, events: int) -> None:
        self.count = np.zeros(events, np.int64)
        self.hadrons: FloatArray = np.empty((0, N_COLUMNS))
        self._rows = np.full((events, 1, _LIMITS), -1.0)

    def of(self, place: IntArray) -> FloatArray:
        """Return first and last row of the systems of some events, (n, m, 2), -1 for none."""
        return self._rows[place]

    def add(
        self,
        place: IntArray,
        offsets: IntArray,
        species: IntArray,
        mass: FloatArray,
        momentum: FloatArray,
    ) -> None:
        """Give one more system to each of some events.

        Parameters
        ----------
        place
            (n,) the events, none of them twice.
        offsets
            (n + 1,): system i has the rows ``offsets[i]:offsets[i + 1]``.
        species
            (rows,) of a `Program`.
        mass, momentum
            (rows,) and (rows, 3) GeV, in the rest frame of what decays.
        """
        column = self.count[place]
        if len(column) and column.max() == self._rows.shape[1]:
            more = np.full((len(self.count), self._rows.shape[1], _LIMITS), -1.0)
            self._rows = np.concatenate([self._rows, more], axis=1)
        start = len(self.hadrons)
        self._rows[place, column, 0] = start + offsets[:-1]
        self._rows[place, column, 1] = start + offsets[1:]
        self.count[place] = column + 1
        new = np.column_stack([species, mass, momentum])
        self.hadrons = np.concatenate([self.hadrons, new])


@lean_kernel
def _scale(table: FloatArray, first: int, last: int, mass: float) -> float:
    """Return the factor on momenta for which energies add up to `mass`, by Newton's method."""
    factor = 1.0
    for _ in range(_MOST_STEPS):
        energy, slope = 0.0, 0.0
        for row in range(first, last):
            p_2 = table[row, 2] ** 2 + table[row, 3] ** 2 + table[row, 4] ** 2
            own = np.sqrt(table[row, _MASS] ** 2 + factor * factor * p_2)
            energy += own
            slope += factor * p_2 / own
        step = (mass - energy) / slope
        # energy is convex in the factor: a step from below ends above, and never again below
        factor = max(factor + step, 0.1 * factor)
        if abs(mass - energy) <= _ENOUGH * mass:
            break
    return float(factor)


@lean_kernel
def _turn(state: UInt64Array, rotation: FloatArray) -> None:
    """Fill a (3, 3) rotation, uniform in all of them."""
    zx, zy, zz = unit_vector(state)
    c, s = azimuth(state)
    # two directions across z, turned by phi
    sign = 1.0 if zz >= 0.0 else -1.0
    a = -1.0 / (sign + zz)
    b = zx * zy * a
    ux, uy, uz = 1.0 + sign * zx * zx * a, sign * b, -sign * zx
    vx, vy, vz = b, sign + zy * zy * a, -zy
    rotation[0, 0], rotation[1, 0], rotation[2, 0] = (
        c * ux + s * vx,
        c * uy + s * vy,
        c * uz + s * vz,
    )
    rotation[0, 1], rotation[1, 1], rotation[2, 1] = (
        c * vx - s * ux,
        c * vy - s * uy,
        c * vz - s * uz,
    )
    rotation[0, 2], rotation[1, 2], rotation[2, 2] = zx, zy, zz


@lean_kernel
def _place(table: FloatArray, first: int, last: int, mass: float, start: int, scratch: Any) -> int:
    """Write a system, turned by ``scratch.rotation``, as particles from row `start` on."""
    if start + last - first > MAX_PARTICLES:
        return int(last - first)  # the caller refuses it
    factor = _scale(table, first, last, mass)
    rotation = scratch.rotation
    for row in range(first, last):
        index = start + row - first
        scratch.species[index] = int(table[row, _SPECIES])
        own = table[row, _MASS]
        scratch.mass[index] = own
        p4 = scratch.rest_p4[index]
        square = own * own
        for i in range(3):
            p4[i] = factor * (
                rotation[i, 0] * table[row, 2]
                + rotation[i, 1] * table[row, 3]
                + rotation[i, 2] * table[row, 4]
            )
            square += p4[i] * p4[i]
        p4[3] = np.sqrt(square)
    return int(last - first)


@lean_kernel
def draw_system(channel: Any, mass: float, start: int, state: UInt64Array, scratch: Any) -> int:
    """Draw a system of a channel's pool.

    Parameters
    ----------
    channel
        `CHANNEL` record with a pool; its threshold is below `mass`.
    mass
        Of what decays, GeV.
    start
        Row of the first hadron.
    state
        Random stream, advanced.
    scratch
        Receives ``species``, ``mass`` and ``rest_p4`` of the hadrons.

    Returns
    -------
    int
        Number of hadrons.
    """
    n = channel.n_systems
    table = view(as_pointer(channel.systems), channel.n_rows, N_COLUMNS)
    while True:
        drawn = min(int(uniform(state) * n), n - 1)
        first, last = int(table[drawn, 0]), int(table[drawn + 1, 0])
        total = 0.0
        for row in range(first, last):
            total += table[row, _MASS]
        if total < mass:
            break
    _turn(state, scratch.rotation)
    return _place(table, first, last, mass, start, scratch)


@lean_kernel
def take_system(number: int, mass: float, start: int, scratch: Any) -> int:
    """Take the next system given to this event, or ask for it.

    Parameters
    ----------
    number
        Of the channel, for the request.
    mass
        Of what decays, GeV.
    start
        Row of the first hadron.
    scratch
        Holds what was given; receives ``species``, ``mass`` and ``rest_p4`` of the hadrons, or
        the request.

    Returns
    -------
    int
        Number of hadrons, -1 where the system is not there yet.
    """
    taken = scratch.n_taken
    if taken >= scratch.n_given:
        scratch.asked_channel, scratch.asked_mass = number, mass
        return -1
    scratch.n_taken = taken + 1
    given = view(as_pointer(scratch.given), scratch.n_given, _LIMITS)
    table = view(as_pointer(scratch.hadrons), scratch.n_hadrons, N_COLUMNS)
    for i in range(3):
        for j in range(3):
            scratch.rotation[i, j] = 1.0 if i == j else 0.0
    first, last = int(given[taken, 0]), int(given[taken, 1])
    return _place(table, first, last, mass, start, scratch)
