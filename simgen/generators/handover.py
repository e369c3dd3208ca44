"""Decays of what another generator makes, by the decay-file engine.

The particles are left undecayed by the other generator. Each begins a chain of the engine where it
was produced, with the momentum it was given, its lifetime and all spins of the chain; what it
decays to stands after the particles of the other generator.

It is unpolarised, but for the two taus of e+e- -> tau tau: see `simgen.engine.starts`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Protocol

import numpy as np
from pydantic import Field

from simgen.decfile import Channel, SourceLine
from simgen.engine.starts import PAIR, SINGLE, START
from simgen.errors import ConfigError, RunError, UnknownParticleError
from simgen.events import DECAYED, FINAL, EventBlock
from simgen.generators.decfile import DecayFileGenerator, DecayFileSettings, DecayTableSettings
from simgen.particles import particle_table

if TYPE_CHECKING:
    from pathlib import Path

    from simgen.beams import Beams
    from simgen.decfile import DecayTable
    from simgen.typing import FloatArray, Int32Array, IntArray

_ROOT = "vpho"
_VIRTUAL_BOSONS = (10022, 22, 23)
_TAU = 15
_CHARM = 4
_NUCLEI = 1_000_000_000
_NEUTRAL_B = ("B0", "anti-B0", "B_s0", "anti-B_s0")
# Random streams of an event, one for each particle or pair.
_STREAMS = 256
# A particle of fixed mass may come with another mass than that of the table, GeV.
_MOST_OFF = 2e-3
_ROUNDING = 1e-6
_LEAST_RATE = 1e-9
# Of a species of the engine.
_COPIED = ("pdgid", "n_states", "mass", "width", "min_mass", "max_mass")
_VECTOR_STATES = 3


class HandoverSettings(DecayTableSettings):
    """Which particles are decayed by decay files, and by which."""

    particles: Literal["heavy"] | tuple[str, ...] = Field(
        default="heavy",
        description="what decay files decay; heavy: taus and all hadrons with charm or beauty that "
        "the decay table has. Antiparticles are meant, too",
    )


class Maker(Protocol):
    """The generator that makes the particles."""

    section: str
    """Of the configuration, for messages."""
    heaviest: int
    """The heaviest quark of its hadrons: 4 or 5; 3 if there are only light ones."""

    def knows(self, pdgid: int) -> bool:
        """Say whether it can make a particle."""
        ...

    def sample(self, undecayed: tuple[int, ...]) -> EventBlock:
        """Return a few events in which these particles, of positive number, do not decay."""
        ...


class Handed(NamedTuple):
    """A particle that is handed over, GeV; its antiparticle is another.

    `lowest` and `highest` are the limits of its mass where it has a width.
    """

    name: str
    species: int
    pdgid: int
    n_states: int
    mass: float
    width: float
    lowest: float
    highest: float


class Handover:
    """Decay what is left of events.

    Parameters
    ----------
    settings
        What to decay, and how.
    beams
        Of the events.
    folder
        Where relative paths start from.
    maker
        What makes the events.

    Attributes
    ----------
    engine
        The decays.
    particles
        What is decayed.
    left
        Names of heavy particles of a few events that the table does not decay.
    stable
        Names of particles that neither side decays.

    Raises
    ------
    ConfigError
        If a particle is not known to either side, or has no decays.
    """

    def __init__(
        self, settings: HandoverSettings, beams: Beams, folder: Path, maker: Maker
    ) -> None:
        self.source = SourceLine(f"{maker.section}.decays", 0, "particles")
        self._settings, self._beams, self._maker = settings, beams, maker
        self._names: tuple[str, ...] = ()
        self.left: tuple[str, ...] = ()
        self.stable: tuple[str, ...] = ()
        plain = settings.model_dump(exclude={"particles"})
        self.engine = DecayFileGenerator(
            DecayFileSettings(**plain, root=_ROOT), beams, folder, self
        )
        self.particles = self._handed()
        self._codes = np.array([p.pdgid for p in self.particles])
        self._pair = self._pair_channel()

    # ---- what is handed over -----------------------------------------------------------------

    def prepare(self, table: DecayTable) -> tuple[DecayTable, float]:
        """Choose particles; return the table with one decay of the root for each.

        Its fractions are how often each is made, so that the shares of decays are those of events.
        """
        self._names = self._chosen(table)
        codes = {name: table.particle(name).pdgid for name in self._names}
        kept = (table.particle(name).pdgid for name in self.stable)
        sample = self._maker.sample(tuple(sorted({abs(c) for c in (*codes.values(), *kept)})))
        rows, pairs = _find(sample, np.array(list(codes.values())))
        singles = sample.pdgid[rows[~np.isin(rows, pairs)]]
        n = len(sample)
        there = set(np.abs(sample.pdgid).tolist())
        self.left = tuple(name for name in self.left if table.particle(name).pdgid in there)
        decays: list[tuple[float, tuple[str, ...], str]] = [
            (np.count_nonzero(singles == codes[name]) / n, (name,), "PHSP") for name in self._names
        ]
        if {"tau-", "tau+"} <= set(self._names) and self._beams.sqrt_s() > 2.0 * table.particle(
            "tau-"
        ).mass:
            decays.append((len(pairs) / n, ("tau-", "tau+"), "VLL"))
        rates = [max(rate, _LEAST_RATE) for rate, _, _ in decays]
        total = float(sum(rates))
        channels = tuple(
            Channel(rate / total, daughters, False, model, (), self.source)
            for rate, (_, daughters, model) in zip(rates, decays, strict=True)
        )
        return table.with_channels(_ROOT, channels), total

    def _chosen(self, table: DecayTable) -> tuple[str, ...]:
        """Return the names of the particles to decay."""
        if self._settings.particles == "heavy":
            names = self._heavy(table)
        else:
            names = tuple(self._checked(table, name) for name in self._settings.particles)
        both = {name: None for each in names for name in (each, table.particle(each).anti_name)}
        lacking = [name for name in both if not self._decays(table, name)]
        if lacking:
            raise ConfigError(
                f"{self.source.file}.particles: the decay table has no decays of "
                f"{', '.join(lacking)}"
            )
        if not both:
            raise ConfigError(
                f"{self.source.file}.particles: the decay table has no decays of anything heavy "
                "that these events have"
            )
        return tuple(both)

    def _heavy(self, table: DecayTable) -> tuple[str, ...]:
        """Return taus and heavy hadrons that both sides know."""
        chosen, left, stable = [], [], []
        kept = set(self._settings.keep_stable)
        for name in particle_table().names():
            data = table.particle(name)
            if data.pdgid < 0 or not self._is_heavy(data.pdgid):
                continue
            if data.mass >= self._beams.sqrt_s() or not self._maker.knows(data.pdgid):
                continue
            if {name, data.anti_name} & kept:
                stable += [name]
            elif self._decays(table, name) and self._decays(table, data.anti_name):
                chosen += [name]
            else:
                left += [name]
        self.left, self.stable = tuple(left), tuple(stable)
        return tuple(chosen)

    def _is_heavy(self, pdgid: int) -> bool:
        """Say whether a number is that of a tau, or of a hadron with a heavy quark."""
        if pdgid == _TAU:
            return True
        quarks = [pdgid // 10**k % 10 for k in (1, 2, 3)]
        is_hadron = quarks[0] > 0 and pdgid < _NUCLEI
        return is_hadron and _CHARM <= max(quarks) <= self._maker.heaviest

    def _checked(self, table: DecayTable, name: str) -> str:
        """Return the name of a particle the user asks for, if it is one."""
        where = f"{self.source.file}.particles"
        try:
            data = table.particle(name)
        except UnknownParticleError as error:
            raise ConfigError(f"{where}: {error}") from error
        if name in table.aliases:
            raise ConfigError(
                f"{where}: {name} is an alias, and only decay files make one; it stands for "
                f"{data.name}"
            )
        if {name, data.anti_name} & set(self._settings.keep_stable):
            raise ConfigError(f"{where}: {name} is also in {self.source.file}.keep_stable")
        if not self._maker.knows(abs(data.pdgid)):
            raise ConfigError(f"{where}: {name} ({data.pdgid}) does not occur in these events")
        return name

    @staticmethod
    def _decays(table: DecayTable, name: str) -> bool:
        """Say whether the table has all decays of a particle.

        A decay without daughters, such as ``PYTHIA 42``, leaves them to Pythia.
        """
        channels = table.channels.get(name, ())
        return len(channels) > 0 and all(channel.daughters for channel in channels)

    def _handed(self) -> tuple[Handed, ...]:
        """Return the particles with the masses the engine has for them."""
        decays = self.engine.decays
        numbers = [decays.species.index(name) for name in self._names]
        return tuple(
            Handed(name, number, *(decays.program.species[number][key].item() for key in _COPIED))
            for name, number in zip(self._names, numbers, strict=True)
        )

    def _pair_channel(self) -> int:
        """Return the number of the channel that makes a tau pair, -1 if there is none."""
        of_root = self.engine.decays.program.channels["n_daughters"]
        n = int(self.engine.decays.program.species[0]["n_channels"])
        found = np.flatnonzero(of_root[:n] > SINGLE)
        return int(found[0]) if len(found) else -1

    # ---- decays ------------------------------------------------------------------------------

    def decay(self, block: EventBlock, seed: int) -> EventBlock:
        """Return events with the decays of what is handed over.

        Parameters
        ----------
        block
            Events in which it is final.
        seed
            Of the run; the numbers of the events key the random streams.

        Raises
        ------
        RunError
            If a particle has a mass that the decay table does not allow.
        """
        rows, pairs = _find(block, self._codes)
        if len(rows) == 0:
            return block
        if self._pair < 0:
            pairs = pairs[:0]
        first = np.setdiff1d(rows, pairs[:, 1])
        second = np.full(len(first), -1)
        second[np.searchsorted(first, pairs[:, 0])] = pairs[:, 1]
        p4, mass = block.p4.copy(), np.zeros(block.n_particles)
        p4[rows, 3], mass[rows] = self._on_shell(block, rows)
        event = block.event_index[first]
        starts = self._starts(block, p4, mass, first, second)
        trees = self.engine.decay(starts, _keys(block.event_id, event), seed)
        return _join(replace(block, p4=p4), first, second, trees)

    def notes(self) -> tuple[str, ...]:
        """Say who decays what, and what is not as in a decay-file generator."""
        names = ", ".join(p.name for p in self.particles if p.pdgid > 0)
        notes = [f"decay files decay {names}, and their antiparticles"]
        if self.left:
            notes.append(
                f"the decay table has no decays of {', '.join(self.left)}: these are as the events "
                "have them"
            )
        mixing = [p.name for p in self.particles if p.name in _NEUTRAL_B]
        if mixing:
            notes.append(
                f"{', '.join(mixing)} begin with the flavour they are given and mix as single "
                "mesons do (dm_incohMix_... of the decay files), not as coherent pairs"
            )
        return (*notes, *self.engine.notes())

    def _which(self, pdgid: Int32Array) -> IntArray:
        """Return the rows of `particles` that have these numbers."""
        order = np.argsort(self._codes)
        return np.asarray(order[np.searchsorted(self._codes, pdgid, sorter=order)])

    def _column(self, name: str) -> Any:
        """Return one property of all `particles`."""
        return np.array([getattr(particle, name) for particle in self.particles])

    def _on_shell(self, block: EventBlock, rows: IntArray) -> tuple[FloatArray, FloatArray]:
        """Return energies and masses: fixed ones are those of the table, at the same momentum."""
        which = self._which(block.pdgid[rows])
        fixed = self._column("width")[which] == 0.0
        table, lowest, highest = (self._column(key)[which] for key in ("mass", "lowest", "highest"))
        p = block.p4[rows]
        square = np.sum(p[:, :3] ** 2, axis=1)
        mass = np.sqrt(np.maximum(p[:, 3] ** 2 - square, 0.0))
        low = np.where(fixed, table - _MOST_OFF, lowest - _ROUNDING)
        high = np.where(fixed, table + _MOST_OFF, highest + _ROUNDING)
        wrong = np.flatnonzero((mass < low) | (mass > high))
        if len(wrong):
            i = wrong[0]
            raise RunError(
                f"event {block.event_id[block.event_index[rows[i]]]}: "
                f"{self.particles[which[i]].name} has a mass of {mass[i]:.5f} GeV; the decay table "
                f"allows {low[i]:.5f} to {high[i]:.5f} GeV"
            )
        mass = np.where(fixed, table, np.clip(mass, lowest, highest))
        return np.sqrt(square + mass**2), mass

    def _starts(
        self, block: EventBlock, p4: FloatArray, mass: FloatArray, first: IntArray, second: IntArray
    ) -> Any:
        """Return what the chains of the engine begin with."""
        starts = np.zeros(len(first), START)
        which = self._which(block.pdgid[first])
        starts["species"] = self._column("species")[which]
        starts["channel"] = np.where(second >= 0, self._pair, -1)
        starts["production"] = block.production[first]
        for side, rows in enumerate((first, np.where(second >= 0, second, first))):
            starts["p4"][:, side] = p4[rows]
            starts["mass"][:, side] = mass[rows]
        vector = self._column("n_states")[which] == _VECTOR_STATES
        starts["polarised"] = vector & (block.mother[first] < 0)
        total = np.where((second >= 0)[:, None], starts["p4"].sum(axis=1), starts["p4"][:, 0])
        starts["axis"] = _axis_in(total, self._beams)
        return starts


def _find(block: EventBlock, codes: IntArray) -> tuple[IntArray, IntArray]:
    """Return the rows of final particles of these numbers, and (n, 2) of tau- tau+ pairs.

    A pair has a virtual boson as its mother, which has no other taus.
    """
    rows = np.flatnonzero((block.status == FINAL) & np.isin(block.pdgid, codes))
    mother = block.mother_row[rows]
    code = block.pdgid[rows]
    taus = (np.abs(code) == _TAU) & (mother >= 0)
    taus[taus] = np.isin(block.pdgid[mother[taus]], _VIRTUAL_BOSONS)
    minus, plus = (np.flatnonzero(taus & (code == sign * _TAU)) for sign in (1, -1))
    alone = []
    for side in (minus, plus):
        boson, count = np.unique(mother[side], return_counts=True)
        alone.append(boson[count == 1])
    bosons = np.intersect1d(*alone)
    sides = [rows[side][np.isin(mother[side], bosons)] for side in (minus, plus)]
    # each in the order of its bosons, which stand in the order of events
    return rows, np.stack([side[np.argsort(block.mother_row[side])] for side in sides], axis=1)


def _keys(event_id: IntArray, event: IntArray) -> IntArray:
    """Return the numbers of the random streams of chains, given the event of each."""
    ordinal = np.arange(len(event)) - np.searchsorted(event, event)
    if ordinal.max() >= _STREAMS:
        crowded = event_id[event[np.argmax(ordinal)]]
        raise RunError(f"event {crowded} has more than {_STREAMS} particles for decay files")
    return np.asarray(event_id[event] * _STREAMS + ordinal)


def _axis_in(total: FloatArray, beams: Beams) -> FloatArray:
    """Return (n, 3) the axis of the beams in the rest frames of four-momenta (n, 4).

    The difference of the directions of electrons and positrons there (J. C. Collins,
    D. E. Soper, PRD 16 (1977) 2219); without radiation they are opposite.
    """
    mass = np.sqrt(total[:, 3] ** 2 - np.sum(total[:, :3] ** 2, axis=1))
    u, gamma = total[:, :3] / mass[:, None], total[:, 3] / mass
    axis = np.zeros((len(total), 3))
    for sign, beam in ((1.0, beams.electron), (-1.0, beams.positron)):
        p = beam.momentum()
        along = u @ p[:3] / (gamma + 1.0) - p[3]
        inside = p[:3] + u * along[:, None]
        axis += sign * inside / np.linalg.norm(inside, axis=1, keepdims=True)
    return np.asarray(axis / np.linalg.norm(axis, axis=1, keepdims=True))


def _join(block: EventBlock, first: IntArray, second: IntArray, trees: EventBlock) -> EventBlock:
    """Put what particles decay to behind the other particles of their events.

    Parameters
    ----------
    block
        The events.
    first, second
        Rows of the particle that each tree begins with, and of the second of a pair, else -1.
    trees
        What they decay to. The first particles of a tree, `SINGLE` or `PAIR`, are left out.
    """
    n_given = np.where(second >= 0, PAIR, SINGLE)
    event = block.event_index[first]
    n_new = np.diff(trees.offsets) - n_given
    n_old = np.diff(block.offsets)
    added = np.zeros(len(block), np.int64)
    np.add.at(added, event, n_new)
    offsets = block.offsets + np.concatenate([[0], np.cumsum(added)])
    # where each tree begins within its event
    before = np.cumsum(n_new) - n_new
    begin = n_old[event] + before - before[np.searchsorted(event, event)]
    tree = trees.event_index
    within = np.arange(trees.n_particles) - trees.offsets[tree]
    new = within >= n_given[tree]
    tree, within, mother = tree[new], within[new], trees.mother[new].astype(np.int64)
    given = np.stack([first, first, second], axis=1) - block.offsets[event][:, None]
    is_given = mother < n_given[tree]
    own_mother = np.where(
        is_given,
        given[tree, np.minimum(mother, PAIR - 1)],
        begin[tree] + mother - n_given[tree],
    )
    places = offsets[event[tree]] + begin[tree] + within - n_given[tree]
    old = np.arange(block.n_particles) + (offsets - block.offsets)[block.event_index]
    status = block.status.copy()
    status[first], status[second[second >= 0]] = DECAYED, DECAYED

    def put(theirs: Any, own: Any) -> Any:
        column = np.empty((int(offsets[-1]), *theirs.shape[1:]), theirs.dtype)
        column[old], column[places] = theirs, own
        return column

    return replace(
        block,
        offsets=offsets,
        pdgid=put(block.pdgid, trees.pdgid[new]),
        mother=put(block.mother, own_mother),
        status=put(status, trees.status[new]),
        p4=put(block.p4, trees.p4[new]),
        production=put(block.production, trees.production[new]),
    )
