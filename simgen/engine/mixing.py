"""Compile what neutral mesons that oscillate need: see `simgen.engine.oscillation`."""

from __future__ import annotations

import cmath
from typing import TYPE_CHECKING, Any

import numpy as np

from simgen.decfile.table import Channel
from simgen.engine.bounds import flavour_matrix
from simgen.engine.dalitz_grid import integrated_flavours, plot_scratch
from simgen.engine.program import CHANNEL, MIXING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from simgen.decfile import DecayTable
    from simgen.decfile.incoherent import Mixing
    from simgen.engine.program import Program
    from simgen.models.contract import Oscillation
    from simgen.typing import ComplexArray

_LIGHT = 2.99792458e11  # mm/s


def oscillation_record(oscillation: Oscillation, ctau: float) -> Any:
    """Return a `MIXING` record of how a meson oscillates.

    Parameters
    ----------
    oscillation
        Its parameters.
    ctau
        Mean proper decay length, mm.
    """
    row = np.zeros(1, MIXING)[0]
    size, z = abs(oscillation.ratio), complex(oscillation.z)
    row["dm"] = oscillation.dm / _LIGHT
    row["dgamma"] = oscillation.dgamma / ctau
    row["ctau"] = ctau
    row["ratio"] = oscillation.ratio
    row["z"] = z
    row["root_z"] = cmath.sqrt(1.0 - z * z)
    # The evolution is unitary up to q/p and z, once its growth with dGamma is taken out.
    row["bound"] = max(size, 1.0 / size) ** 2
    if z != 0.0:
        row["bound"] *= 2.0 * (1.0 + abs(z)) ** 2
    row["largest_trace"] = 1.0
    row["sibling"] = -1
    return row


def set_pair(
    row: Any, names: Sequence[Sequence[int]], amplitudes: Sequence[Sequence[complex]] | None
) -> None:
    """Make a record that of a pair.

    Parameters
    ----------
    row
        Record, changed.
    names
        Species numbers each of the mesons may have; the first are those the decay file lists.
    amplitudes
        Of the first meson for each name; None where the names are those of the decay file.
    """
    row["coherent"] = amplitudes is not None
    for side, numbers in enumerate(names):
        row["n_names"][side] = len(numbers)
        row["names"][side, : len(numbers)] = numbers
    row["amplitudes"] = np.eye(2) if amplitudes is None else amplitudes
    row["largest_trace"] = max(1.0, float(np.sum(np.abs(row["amplitudes"]) ** 2, axis=1).max()))


def set_channels(program: Program, parent: int, numbers: Sequence[int], mass: float) -> None:
    """Finish the channels that come from one line of a decay file.

    Parameters
    ----------
    program
        Its channels have everything but their bounds; changed.
    parent
        Species that decays.
    numbers
        One channel, or two that are each other's conjugates.
    mass
        Mass of the parent, GeV.
    """
    found = [_flavours(program, number, parent, mass) for number in numbers]
    # Rates of the conjugates relative to each other are theirs; together they have norm 1.
    total = float(np.mean([np.trace(matrix).real for matrix, _ in found]))
    for index, (number, (matrix, bound)) in enumerate(zip(numbers, found, strict=True)):
        channel = program.channels[number]
        channel["trace_bound"] = channel["eigen_bound"] = bound
        row = program.mixing[int(channel["mixing"])]
        row["weights"], row["amplitudes"] = _pure_states(matrix / total)
        row["sibling"] = numbers[1 - index] if len(numbers) == 2 else -1
    rows = [int(program.channels[number]["mixing"]) for number in numbers]
    program.mixing["largest_trace"][rows] = program.mixing["weights"][rows].sum(axis=1).max()


def _flavours(
    program: Program, number: int, parent: int, mass: float
) -> tuple[ComplexArray, float]:
    """Return what `flavour_matrix` does; with a table of the Dalitz plot, which has the bounds."""
    channel = program.channels[number]
    if channel["n_cells"] == 0:
        return flavour_matrix(program, number, parent, mass)
    species = program.species
    daughters = species[channel["daughters"][: int(channel["n_daughters"])]]
    scratch = plot_scratch(species[parent], daughters)
    return integrated_flavours(channel, mass, scratch), 0.0


def _pure_states(matrix: ComplexArray) -> tuple[ComplexArray, ComplexArray]:
    """Return weights and amplitudes of M0 and anti-M0 of the two pure states of a matrix."""
    weights, states = np.linalg.eigh(matrix)
    return np.maximum(weights[::-1], 0.0), states.T[::-1]


def bound_pairs(program: Program, daughters: Iterable[tuple[int, Sequence[int]]]) -> None:
    """Set the largest trace of pairs to that of the channels their mesons may decay by.

    Parameters
    ----------
    program
        Changed.
    daughters
        Row of each pair, and the species its mesons may be.
    """
    for row, numbers in daughters:
        for number in numbers:
            own = program.species[number]
            first = int(own["first_channel"])
            rows = program.channels["mixing"][first : first + int(own["n_channels"])]
            traces = program.mixing["largest_trace"][rows[rows >= 0]]
            pair = program.mixing[row]
            pair["largest_trace"] = max(pair["largest_trace"], *traces, 0.0)


def turning_channel(table: DecayTable, name: str, mixing: Mixing) -> Channel:
    """Return what a meson does that turns into its antiparticle, as a channel."""
    source = table.decided_by[name]
    return Channel(mixing.chance, (mixing.partner,), False, "(mixing)", (), source)


def add_single_mixing(
    table: DecayTable,
    mixed: Mapping[str, Mixing],
    numbers: Mapping[str, int],
    species: Any,
    channels: Any,
    mixing: Any,
) -> tuple[Any, Any]:
    """Add what mesons need that mix on their own.

    Parameters
    ----------
    table
        Decay table.
    mixed
        How mesons mix, by name.
    numbers
        Number of each species.
    species
        Their records, changed.
    channels, mixing
        Records of all channels and of mixing.

    Returns
    -------
    tuple
        Channels and records of mixing, with those of these mesons at the end.
    """
    species["mixing"] = -1
    rows, turning = list(mixing), np.zeros(len(mixed), CHANNEL)
    for offset, (name, each) in enumerate(mixed.items()):
        own = species[numbers[name]]
        own["mixing"], own["turns"] = len(rows), len(channels) + offset
        rows.append(oscillation_record(each.oscillation, table.particle(name).ctau))
        turning[offset]["n_daughters"] = turning[offset]["n_amplitudes"] = 1
        turning[offset]["daughters"][0] = numbers[each.partner]
        turning[offset]["mixing"] = -1
    return np.concatenate([channels, turning]), np.array(rows, MIXING)
