"""Names of true decay chains of candidates, charge conjugates together."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from simgen.particles import particle_table

if TYPE_CHECKING:
    from collections.abc import Sequence

NOTHING = "-"


class Decay(NamedTuple):
    """A decay by PDG numbers; `whole` is False where the file has not room for all daughters."""

    parent: int
    daughters: tuple[int, ...]
    whole: bool

    @property
    def name(self) -> str:
        """The decay in names of particles, `NOTHING` for none."""
        if not self.parent:
            return NOTHING
        names = [particle_name(number) for number in self.daughters]
        return " ".join(
            [particle_name(self.parent), "->", *names, *([] if self.whole else ["..."])]
        )


NO_DECAY = Decay(0, (), whole=True)


def particle_name(number: int) -> str:
    """Return the name of a particle, its number where the table has none."""
    table = particle_table()
    return table.by_pdgid(number).name if table.knows(number) else str(number)


def conjugate(number: int) -> int:
    """Return the number of the antiparticle, the same for what is its own, 0 among them."""
    return number if _is_own_antiparticle(abs(number)) else -number


@lru_cache
def _is_own_antiparticle(number: int) -> bool:
    """Say whether a particle is its own antiparticle, by its absolute number."""
    table = particle_table()
    if not table.knows(number):
        return number == 0
    data = table.by_pdgid(number)
    return data.name == data.anti_name


def read_chain(numbers: Sequence[int], *, conjugated: bool) -> tuple[Decay, ...]:
    """Return the decays of `detector.true_decays.write_chain`.

    Parameters
    ----------
    numbers
        A row of ``true_decay_sig`` or ``true_decay_tag``.
    conjugated
        Whether to return the charge conjugate.

    Returns
    -------
    tuple of Decay
        The first is that of the B; the others follow in an order that does not depend on
        conjugation. `NO_DECAY` alone for none.
    """
    decays: list[Decay] = []
    rest = [conjugate(int(x)) if conjugated else int(x) for x in numbers]
    while rest and rest[0]:
        whole = 0 in rest
        end = rest.index(0) if whole else len(rest)
        daughters = tuple(sorted(rest[1:end], key=_place))
        decays.append(Decay(rest[0], daughters, whole))
        rest = rest[end + 1 :]
    if not decays:
        return (NO_DECAY,)
    return (decays[0], *sorted(decays[1:], key=lambda d: (_place(d.parent), d.daughters)))


def _place(number: int) -> tuple[float, int]:
    """Order daughters: heavy quarks first, a lepton before its neutrino, then by sign."""
    size = abs(number)
    return (-(size - 1.5 if size in (12, 14, 16) else size), -number)


def chain_name(decays: Sequence[Decay]) -> str:
    """Return a chain in names: ``B+ -> anti-D0 mu+ nu_mu, anti-D0 -> K+ pi-``."""
    return ", ".join(decay.name for decay in decays)
