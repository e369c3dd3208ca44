"""Bounds of phase-space weights and amplitudes of a program, and tables of its Dalitz plots."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from simgen.engine.bounds_cache import bounds_key, keep_bounds, restore_bounds, source_digest
from simgen.engine.channel_bounds import Unbounded, bound_channels
from simgen.engine.dalitz_grid import build_grid, plot_scratch
from simgen.engine.mixing import bound_pairs, set_channels
from simgen.phasespace import MAX_DAUGHTERS, best_shares, tangent_bound

if TYPE_CHECKING:
    from collections.abc import Container

    from simgen.decfile.statements import SourceLine
    from simgen.engine.chains import DecayChains
    from simgen.engine.program import Program
    from simgen.typing import FloatArray

_DALITZ = 3  # daughters of a decay with a Dalitz plot
# Range of the root's mass for which amplitudes are bounded, in standard deviations.
_ROOT_RANGE = 5.0


class ProgramBounds:
    """What is bounded, and how its masses vary.

    Parameters
    ----------
    decays
        The chains of the program.
    drawn
        Species whose masses models draw with their kinematics.
    root_spread
        Standard deviation of the root's mass, GeV.
    """

    def __init__(self, decays: DecayChains, drawn: Container[str], root_spread: float) -> None:
        self.decays, self.table = decays, decays.table
        self.drawn, self.root_spread = drawn, root_spread

    def set_tables(self, species: Any, channels: Any) -> tuple[FloatArray, ...]:
        """Make the tables of Dalitz plots that are the same in every decay; return them."""
        tables: list[FloatArray] = []
        for parent, own in enumerate(species):
            if own["width"] > 0.0 or (parent == 0 and self.root_spread > 0.0):
                continue
            if self.decays.order[parent] in self.drawn:
                continue
            first = int(own["first_channel"])
            for number in range(first, first + int(own["n_channels"])):
                channel = channels[number]
                daughters = species[channel["daughters"][: int(channel["n_daughters"])]]
                one_plot = len(daughters) == _DALITZ and not np.any(daughters["width"] > 0.0)
                plain = channel["address"] != 0 and channel["pole"] == 0
                if one_plot and plain and channel["n_amplitudes"] == 1:
                    scratch = plot_scratch(own, daughters)
                    with self.decays.naming(number):
                        tables.append(build_grid(channel, float(own["mass"]), scratch))
                    channel["cells"] = tables[-1].ctypes.data
                    channel["n_cells"] = len(tables[-1])
        return tuple(tables)

    def set_bounds(self, program: Program) -> None:
        """Fill in the bounds of phase-space weights and amplitudes, which may be known already."""
        self._set_space_bounds(program)
        flat = self.decays.flat()
        models = [self.table.model_of(name, channel) for name, channel in flat]
        source = source_digest(models)
        key = source and bounds_key(program, models, self.root_spread, source)
        if not key or not restore_bounds(program, key):
            channels = self._unbounded(program)
            bound_channels(program, models, channels, source, self.decays.naming)
            self._set_mixing_bounds(program)
            if key:
                keep_bounds(program, key)

    def _set_space_bounds(self, program: Program) -> None:
        """Prepare the bounds of phase-space weights."""
        for parent, own in enumerate(program.species):
            fixed_parent = parent != 0 and own["width"] == 0.0
            fixed_parent = fixed_parent and self.decays.order[parent] not in self.drawn
            first = int(own["first_channel"])
            for channel in program.channels[first : first + int(own["n_channels"])]:
                n = int(channel["n_daughters"])
                if n > 2 and channel["n_cells"] == 0:
                    daughters = program.species[channel["daughters"][:n]]
                    self._set_space_bound(channel, own, daughters, fixed=fixed_parent)

    def _unbounded(self, program: Program) -> list[Unbounded]:
        """Return the channels whose amplitudes need bounds."""
        found = []
        for parent, own in enumerate(program.species):
            low, high = float(own["min_mass"]), float(own["max_mass"])
            if own["width"] == 0.0 and self.decays.order[parent] not in self.drawn:
                low = high = float(own["mass"])
            if parent == 0:
                low -= _ROOT_RANGE * self.root_spread
                high += _ROOT_RANGE * self.root_spread
            first = int(own["first_channel"])
            for number in range(first, first + int(own["n_channels"])):
                channel = program.channels[number]
                if channel["n_cells"] > 0:
                    continue
                mixes = channel["mixing"] >= 0 and not self._makes_pair(program, channel)
                if channel["address"] != 0 and not mixes:
                    open_low = max(low, float(channel["threshold"]) * (1.0 + 1e-9))
                    found.append(Unbounded(number, parent, open_low, max(open_low, high)))
        return found

    @staticmethod
    def _makes_pair(program: Program, channel: Any) -> bool:
        """Say whether a channel that knows of mixing makes a pair of mesons that oscillate."""
        return bool(program.mixing["n_names"][int(channel["mixing"]), 0] > 0)

    def _set_mixing_bounds(self, program: Program) -> None:
        """Fill in what channels of mesons that oscillate need, then the bounds of pairs."""
        pairs: list[tuple[int, list[int]]] = []
        together: dict[tuple[int, SourceLine], list[int]] = {}
        for parent, own in enumerate(program.species):
            first = int(own["first_channel"])
            for offset, channel in enumerate(self.decays.channels[self.decays.order[parent]]):
                number = first + offset
                row = int(program.channels["mixing"][number])
                if row < 0:
                    continue
                if self._makes_pair(program, program.channels[number]):
                    names = program.mixing["names"][row]
                    count = program.mixing["n_names"][row]
                    pairs.append((row, [*names[0, : count[0]], *names[1, : count[1]]]))
                else:
                    together.setdefault((parent, channel.source), []).append(number)
        for (parent, _), numbers in together.items():
            with self.decays.naming(numbers[0]):
                set_channels(program, parent, numbers, float(program.species["mass"][parent]))
        bound_pairs(program, pairs)

    @staticmethod
    def _set_space_bound(channel: Any, parent: Any, daughters: Any, *, fixed: bool) -> None:
        """Prepare the bound of the phase-space weight; it is final where no mass varies."""
        n = len(daughters)
        masses = np.ascontiguousarray(daughters["mass"])
        mass = float(parent["mass"])
        if mass <= masses.sum():
            # Possible in the tails only: take the plane for masses that just fit.
            masses = np.ascontiguousarray(daughters["min_mass"])
            mass = max(mass, float(parent["max_mass"]), 1.001 * masses.sum())
        shares = np.zeros(MAX_DAUGHTERS)
        best_shares(mass, masses, n, shares)
        channel["space_shares"] = shares
        varies = not fixed or bool(np.any(daughters["width"] > 0.0))
        channel["space_bound"] = math.nan if varies else tangent_bound(mass, masses, n, shares)
