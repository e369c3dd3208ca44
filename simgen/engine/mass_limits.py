"""Between which masses each species of an event is made, and which channels that leaves open."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from simgen.engine.chains import describe
from simgen.engine.shapes import shape_limits
from simgen.errors import DecayFileError
from simgen.particles import PROMPT_WIDTH

if TYPE_CHECKING:
    from collections.abc import Mapping

    from simgen.decfile.table import Channel
    from simgen.engine.chains import DecayChains
    from simgen.engine.systems import Systems

_MOST_FRACTION = 0.5
# Lowest mass of a resonance relative to its decays' threshold: none is left without any room.
_ABOVE_THRESHOLD = 1.0 + 1e-9
# Pythia decays nothing with less than ParticleDecays:mSafety = 0.5 MeV to spare, GeV.
_ROOM_OF_SYSTEMS = 1e-3


class MassLimits:
    """Mass limits of all species; channels that can never happen are dropped from the chains.

    Parameters
    ----------
    decays
        What is reachable.
    root_mass
        Mean mass of the root, GeV.

    Attributes
    ----------
    low, high
        Lowest and highest mass of each species, GeV.
    drawn
        Limits of masses that models draw with their kinematics, GeV.
    systems
        What makes the daughters of channels that another program decays.

    Raises
    ------
    DecayFileError
        If a species can have no mass, or no channel.
    """

    def __init__(self, decays: DecayChains, root_mass: float) -> None:
        self.decays, self.table = decays, decays.table
        self.root_mass = root_mass
        self.low: dict[str, float] = {}
        self.high: dict[str, float] = {}
        self.drawn: dict[str, tuple[float, float]] = {}
        self.systems: Mapping[tuple[str, Channel], Systems] = {}
        self._limit_masses()
        self._prepare_systems()

    def is_fixed(self, name: str) -> bool:
        """Say whether a species has one mass."""
        return name == self.decays.root or self.table.particle(name).width < PROMPT_WIDTH

    def mass(self, name: str) -> float:
        """Return the nominal mass of a species."""
        return self.root_mass if name == self.decays.root else self.table.particle(name).mass

    def threshold(self, name: str, channel: Channel) -> float:
        """Return the sum of the lowest masses of a channel's daughters.

        A single daughter is another name of the same state (K0 -> K_S0) and takes its mass.
        """
        systems = self.systems.get((name, channel))
        if systems is not None:
            return float(systems.pool.sums_of_masses().min()) + _ROOM_OF_SYSTEMS
        if len(channel.daughters) == 1:
            return 0.0
        return sum(
            max(self.low[each] for each in names)
            for names in self.decays.daughter_names(name, channel)
        )

    def _limit_masses(self) -> None:
        """Set the mass limits of all species and drop channels that can never happen."""
        self._find_drawn()
        for name in reversed(self.decays.order):  # daughters first
            self._set_low(name)
            self._drop_closed(name)
        self.high = {name: self._highest(name) for name in self.decays.order}
        for name in self.decays.order:  # parents first
            for channel in self.decays.channels[name]:
                products = self.decays.products(name, channel)
                if products is not None:
                    for hadron in products:
                        if not self.is_fixed(hadron):
                            self.high[hadron] = shape_limits(self.table, hadron)[1]
                    continue
                room = self.high[name] - self.threshold(name, channel)
                for daughter in channel.daughters:  # those with other names have fixed masses
                    if not self.is_fixed(daughter):
                        reach = min(
                            self.low[daughter] + room, shape_limits(self.table, daughter)[1]
                        )
                        self.high[daughter] = max(self.high[daughter], reach)
        for name in self.decays.order:
            if not self.is_fixed(name):
                self.high[name] = min(self.high[name], shape_limits(self.table, name)[1])

    def _prepare_systems(self) -> None:
        """Let the source of systems make ready for the channels it serves."""
        if self.decays.source is None:
            return
        found = [
            (name, channel)
            for name in self.decays.order
            for channel in self.decays.channels[name]
            if self.decays.products(name, channel) is not None
        ]
        self.systems = self.decays.source.prepare(found, self.low)
        for name in self.drawn:  # whose decays are known only now
            self._set_low(name)

    def _set_low(self, name: str) -> None:
        """Set the lowest mass of a species.

        Where half of the branching fraction is open, because channels are chosen before masses:
        what makes a resonance must leave room for most of its channels.
        """
        if name in self.drawn:
            opens = min((self.threshold(name, c) for c in self.decays.channels[name]), default=0.0)
            self.low[name] = max(self.drawn[name][0], opens * _ABOVE_THRESHOLD)
            return
        if self.is_fixed(name):
            self.low[name] = self.mass(name)
            return
        low, high = shape_limits(self.table, name)
        opened = 0.0
        for channel in sorted(self.decays.channels[name], key=lambda c: self.threshold(name, c)):
            low = max(low, self.threshold(name, channel) * _ABOVE_THRESHOLD)
            opened += channel.fraction
            if opened >= _MOST_FRACTION:
                break
        if low >= high:
            raise DecayFileError(
                f"the lineshape of {name} ends at {high:.4f} GeV (ChangeMassMax), but begins at "
                f"{low:.4f} GeV (ChangeMassMin, or where it can decay)"
            )
        self.low[name] = low

    def _find_drawn(self) -> None:
        """Note the limits of masses that models draw with their kinematics."""
        for name in self.decays.order:
            for channel in self.decays.channels[name]:
                model = self.table.model_of(name, channel)
                if model is None or model.draw is None:
                    continue
                self.decays.check_model(model, name, channel)
                daughter = channel.daughters[model.drawn]
                parent = self.table.particle(name)
                daughters = [self.table.particle(d) for d in channel.daughters]
                low, high = model.drawn_range(channel.parameters, parent, daughters)
                known = self.drawn.get(daughter, (math.inf, self.mass(daughter)))
                self.drawn[daughter] = (min(known[0], low), max(known[1], high))

    def _highest(self, name: str) -> float:
        """Return the highest mass of a species without a lineshape; the pole of all others."""
        return self.drawn[name][1] if name in self.drawn else self.mass(name)

    def _drop_closed(self, name: str) -> None:
        """Leave out the channels of a fixed mass that are below threshold."""
        if not self.is_fixed(name):
            return
        mass = self._highest(name)
        open_channels: list[Channel] = []
        for channel in self.decays.channels[name]:
            needed = self.threshold(name, channel)
            if needed < mass:
                open_channels.append(channel)
            else:
                self.decays.notes.append(
                    f"{channel.source.file}:{channel.source.line}: {describe(name, channel)} needs "
                    f"{needed:.4f} GeV and is left out: {name} has {mass:.4f} GeV"
                )
        if self.decays.channels[name] and not open_channels:
            msg = f"no decay of {name} is kinematically possible; " + self.decays.notes[-1]
            raise DecayFileError(msg)
        self.decays.channels[name] = tuple(open_channels)

    def lowest(self, name: str) -> float:
        """Return the lowest mass; for the root the lowest threshold of its channels."""
        if name == self.decays.root:
            return min(self.threshold(name, c) for c in self.decays.channels[name])
        return self.low[name]
