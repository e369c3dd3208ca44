"""What a decay table can produce from its root particle, and how often."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from simgen.decfile.incoherent import Mixing, exchange_flavours, made_alone, single_mixing

if TYPE_CHECKING:
    from simgen.decfile.table import DecayTable


@dataclass(frozen=True, slots=True)
class Reach:
    """The particles that can occur in an event.

    Attributes
    ----------
    expected
        Name or alias -> mean number per event; parents stand before their daughters. Single mesons
        that mix count as what they are when they decay.
    loops
        Circles of names, each closed by its first name; decays that close a circle are not
        followed.
    """

    expected: dict[str, float]
    loops: tuple[tuple[str, ...], ...]

    def __contains__(self, name: object) -> bool:
        return name in self.expected


def find_reach(table: DecayTable, root: str) -> Reach:
    """Follow all decays from a particle on.

    Parameters
    ----------
    table
        The decays.
    root
        Name or alias of the particle every event starts with.

    Raises
    ------
    UnknownParticleError
        The root is neither a particle nor an alias.
    """
    table.particle(root)
    walk = _Walk(table)
    walk.visit(root, alone=True)
    order = walk.finished[::-1]
    position = {name: index for index, name in enumerate(order)}
    expected = dict.fromkeys(order, 0.0)
    expected[root] = 1.0
    for name in order:
        partner = walk.partner(name)
        if partner is not None and position[partner] > position[name]:
            exchange_flavours(walk.mixed, name, expected)
        for channel in table.channels.get(name, ()):
            for daughter in channel.daughters:
                if position[daughter] > position[name]:
                    expected[daughter] += expected[name] * channel.fraction
    return Reach(expected, tuple(walk.loops))


class _Walk:
    """Depth-first walk over the decays."""

    def __init__(self, table: DecayTable) -> None:
        self.table = table
        self.path: list[str] = []
        self.seen: set[str] = set()
        self.finished: list[str] = []
        self.loops: list[tuple[str, ...]] = []
        self.mixed: dict[str, Mixing] = {}

    def partner(self, name: str) -> str | None:
        """Return what a single meson may turn into."""
        return self.mixed[name].partner if name in self.mixed else None

    def visit(self, name: str, *, alone: bool) -> None:
        """Visit a particle and all it decays to; `alone`: a neutral B is not one of a pair."""
        mixing = single_mixing(self.table, name) if alone and name not in self.mixed else None
        if mixing is not None:
            self.mixed[name] = mixing
            if name in self.seen:
                self.visit(mixing.partner, alone=False)
        if name in self.path:
            self.loops.append((*self.path[self.path.index(name) :], name))
            return
        if name in self.seen:
            return
        self.seen.add(name)
        self.path.append(name)
        daughters: dict[str, bool] = {}
        for channel in self.table.channels.get(name, ()):
            single = made_alone(self.table, name, channel)
            for daughter in channel.daughters:
                daughters[daughter] = single or daughters.get(daughter, False)
        for daughter, single in daughters.items():
            self.visit(daughter, alone=single)
        partner = self.partner(name)
        if partner is not None and partner not in self.path:
            self.visit(partner, alone=False)
        self.path.pop()
        self.finished.append(name)
