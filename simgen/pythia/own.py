"""PYTHIA modes without daughters: the decays that Pythia itself has for a particle.

``1.0 PYTHIA 42;`` in the decays of Omega_c0 leaves all to Pythia. It becomes the decays of Pythia's
particle table, with their fractions and meModes, as if the decay file listed them:
``u anti-d s ss_1 PYTHIA 42``. Semileptonic ones are left out where the decay file has some with the
same leptons, as it takes away what else it lists itself.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from simgen.errors import DecayFileError, UnknownParticleError
from simgen.models.external import PYTHIA
from simgen.particles import particle_table
from simgen.pythia.session import import_pythia

if TYPE_CHECKING:
    from collections.abc import Iterable

    from simgen.decfile import Channel, DecayTable

_FIRST, _LAST = 11, 16  # PDG numbers of leptons


def with_own_decays(table: DecayTable) -> DecayTable:
    """Return a decay table in which PYTHIA modes without daughters are Pythia's own decays.

    Parameters
    ----------
    table
        Decay table.

    Raises
    ------
    DecayFileError
        If Pythia has no decays of such a particle, or one to something without an EvtGen name.
    MissingPackageError
        If Pythia is not installed.
    """
    known: Any = None
    plain: Any = None
    for name, channels in table.channels.items():
        if not any(_is_open(channel) for channel in channels):
            continue
        if known is None:
            plain = import_pythia().Pythia("", False)  # owns `known`
            known = plain.particleData
        rows = []
        for channel in channels:
            rows += _own(table, name, channel, known) if _is_open(channel) else [channel]
        table = table.with_channels(name, tuple(rows))
    return table


def _is_open(channel: Channel) -> bool:
    """Say whether a channel leaves everything to Pythia."""
    return channel.model == PYTHIA and not channel.daughters


def _own(table: DecayTable, name: str, channel: Channel, known: Any) -> list[Channel]:
    """Return Pythia's decays of a particle in place of a channel."""
    where = f"{channel.source.file}:{channel.source.line}: {name} -> PYTHIA without daughters"
    code = table.particle(name).pdgid
    taken = {
        _leptons(table.particle(each).pdgid for each in other.daughters)
        for other in table.channels[name]
    } - {()}
    rows: list[tuple[float, list[int], int]] = []
    for row in _rows(known, abs(code)):
        codes = [row.product(k) for k in range(row.multiplicity())]
        if code < 0:
            codes = [-each if known.hasAnti(abs(each)) else each for each in codes]
        if row.onMode() and _leptons(codes) not in taken:
            rows.append((row.bRatio(), codes, row.meMode()))
    total = sum(fraction for fraction, _, _ in rows)
    if total == 0.0:
        raise DecayFileError(f"{where}: Pythia has no decays of this particle")
    found = []
    for fraction, codes, me_mode in rows:
        try:
            daughters = tuple(particle_table().by_pdgid(each).name for each in codes)
        except UnknownParticleError as error:
            raise DecayFileError(f"{where}: {error}") from error
        share = channel.fraction * fraction / total
        found.append(
            replace(channel, fraction=share, daughters=daughters, parameters=(float(me_mode),))
        )
    return found


def _rows(known: Any, code: int) -> list[Any]:
    """Return Pythia's decays of a particle."""
    if not known.isParticle(code):
        return []
    entry = known.findParticle(code)
    return [entry.channel(i) for i in range(entry.sizeChannels())]


def _leptons(codes: Iterable[int]) -> tuple[int, ...]:
    """Return the leptons among daughters."""
    return tuple(sorted(each for each in codes if _FIRST <= abs(each) <= _LAST))
