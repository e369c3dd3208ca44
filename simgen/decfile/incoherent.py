"""Mixing of single neutral B mesons, which decay files set by defined numbers.

``Define dm_incohMix_B0 0.507e12`` (1/s) lets each B0 and anti-B0 mix that is not one of a pair from
Upsilon(4S) or of a model that mixes pairs, as in EvtGen; ``qoverp_incohMix_B0`` is the size of q/p.
``B_s0`` in place of ``B0`` does the same for B_s. The width difference is that of the lifetimes of
EvtGen's B_s0L and B_s0H. Without the number, or with 0, such a meson keeps its flavour.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from simgen.models import PairModel
from simgen.models.contract import Oscillation
from simgen.models.oscillating import OscillatingModel

if TYPE_CHECKING:
    from collections.abc import Mapping, MutableMapping

    from simgen.decfile.table import Channel, DecayTable

_MESONS = ("B0", "B_s0")
COHERENT = "Upsilon(4S)"
"""Makes a coherent pair of neutral B mesons even where its model says nothing of it."""
_LIGHT = 2.99792458e11  # mm/s
DM, RATIO = "dm_incohMix_", "qoverp_incohMix_"


class Mixing(NamedTuple):
    """What a single meson may turn into, and how."""

    partner: str
    oscillation: Oscillation
    chance: float
    """Fraction of mesons that have turned when they decay."""


def sets_mixing(name: str) -> bool:
    """Say whether a defined number is one of this file's."""
    return name.startswith((DM, RATIO))


def made_alone(table: DecayTable, parent: str, channel: Channel) -> bool:
    """Say whether neutral B mesons of a channel are on their own, and not one of a pair."""
    if table.aliases.get(parent, parent) == COHERENT:
        return False
    return not isinstance(table.find_model(channel.model), PairModel)


def single_mixing(table: DecayTable, name: str) -> Mixing | None:
    """Return how a meson mixes that is on its own, None if it does not.

    It turns into its conjugate, an alias into that of its ``ChargeConj``; see `why_not` for what
    keeps its flavour all the same.

    Parameters
    ----------
    table
        The decays.
    name
        Particle or alias.
    """
    meson = _meson(table, name)
    dm = table.numbers.get(f"{DM}{meson}", 0.0)
    partner = None if meson is None else _partner(table, name)
    if dm == 0.0 or partner is None or not _tells_flavour(table, partner):
        return None
    data = table.particle(name)
    light, heavy = (table.particle(f"{meson}{kind}").ctau for kind in "LH")
    y = (heavy - light) / (heavy + light)
    size = table.numbers.get(f"{RATIO}{meson}", 1.0)
    x = dm * data.ctau / _LIGHT
    both, difference = 1.0 / (1.0 - y * y), 1.0 / (1.0 + x * x)
    kept, turned = both + difference, both - difference
    turned *= size**2 if data.pdgid > 0 else size**-2
    oscillation = Oscillation(dm, dgamma=2.0 * y, ratio=size)
    return Mixing(partner, oscillation, turned / (kept + turned))


def why_not(table: DecayTable, name: str) -> str | None:
    """Say why a meson does not mix although decay files set its mixing; None else."""
    meson = _meson(table, name)
    if meson is None or table.numbers.get(f"{DM}{meson}", 0.0) == 0.0:
        return None
    partner = _partner(table, name)
    if partner is None:
        return f"{name} keeps its flavour: the alias has no ChargeConj"
    if not _tells_flavour(table, partner):
        return f"{name} keeps its flavour: {partner} has no decay that tells its own"
    return None


def exchange_flavours(
    mixed: Mapping[str, Mixing], name: str, expected: MutableMapping[str, float]
) -> dict[str, float]:
    """Count a meson that mixes and its partner as what they are when they decay.

    Parameters
    ----------
    mixed
        What mixes, `name` and maybe its partner among it.
    name
        One of the two.
    expected
        Mean numbers as they are made, changed to those at decay.

    Returns
    -------
    dict
        How many of each turn.
    """
    partner = mixed[name].partner
    turned = {
        each: expected[each] * mixed[each].chance for each in (name, partner) if each in mixed
    }
    moved = turned[name] - turned.get(partner, 0.0)
    expected[name] -= moved
    expected[partner] += moved
    return turned


def _meson(table: DecayTable, name: str) -> str | None:
    """Return B0 or B_s0 for what is one or its antiparticle, None for all else."""
    meson = table.aliases.get(name, name).removeprefix("anti-")
    return meson if meson in _MESONS else None


def _partner(table: DecayTable, name: str) -> str | None:
    """Return the conjugate of a name, None of an alias that has none."""
    if name in table.aliases:
        return table.conjugates.get(name)
    return table.particle(name).anti_name


def _tells_flavour(table: DecayTable, name: str) -> bool:
    """Say whether any decay of a meson is one of its flavour alone."""
    return any(
        not isinstance(table.find_model(channel.model), OscillatingModel)
        for channel in table.channels.get(name, ())
    )
