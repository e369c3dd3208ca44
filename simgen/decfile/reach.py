"""What a decay table can produce from its root particle, and how often."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from simgen.decfile.table import DecayTable


@dataclass(frozen=True, slots=True)
class Reach:
    """The particles that can occur in an event.

    Attributes
    ----------
    expected
        Name or alias -> mean number per event; parents stand before their daughters.
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
    walk.visit(root)
    order = walk.finished[::-1]
    position = {name: index for index, name in enumerate(order)}
    expected = dict.fromkeys(order, 0.0)
    expected[root] = 1.0
    for name in order:
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

    def visit(self, name: str) -> None:
        """Visit a particle and all it decays to."""
        if name in self.path:
            self.loops.append((*self.path[self.path.index(name) :], name))
            return
        if name in self.seen:
            return
        self.seen.add(name)
        self.path.append(name)
        daughters = (d for c in self.table.channels.get(name, ()) for d in c.daughters)
        for daughter in dict.fromkeys(daughters):
            self.visit(daughter)
        self.path.pop()
        self.finished.append(name)
