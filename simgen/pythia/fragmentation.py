"""Let Pythia decay particles by given channels, to the hadrons that come of their partons.

Pythia decays a stand-in for each channel, a particle of its own with this one decay, so that
channels of one parent need no switching, and a parent that Pythia does not know, such as the
inclusive X_u, is no exception; the decay of a particle does not depend on what it is called. All
hadrons are stable (arXiv:2203.11601, sections 7.1 and 10.2).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from simgen.errors import RunError
from simgen.events import ragged_rows
from simgen.pythia.collisions import draw_tables
from simgen.pythia.keyed import TABLE_SIZE, KeyedRandom
from simgen.pythia.record import made_none, read_record
from simgen.pythia.session import import_pythia, start_pythia

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from simgen.typing import BoolArray, FloatArray, IntArray, UInt64Array

# As EvtGen's interface to Pythia 8 sets them; the mean number of hadrons grows with the logarithm
# of the mass that is left, by these factors (Pythia: 4.0 and 2.5). Taus decay as the mode says,
# not by Pythia's own matrix elements.
SETTINGS = (
    "ProcessLevel:all = off",
    "Check:event = off",
    "TauDecays:mode = 0",
    "ParticleDecays:multIncrease = 4.5",
    "ParticleDecays:multIncreaseWeak = 2.0",
)
MOST_ATTEMPTS = 200
# Numbers of the stand-ins begin here; Pythia has nothing there.
_FIRST_NUMBER = 9_100_000
_SYSTEMS_AT_ONCE = 5000
# Pythia's number of Lambda_c(2625)+, and that of the PDG.
_OWN_NUMBERS = {4124: 104122, -4124: -104122}
_ROUNDING = 1e-9


class Mode(NamedTuple):
    """A channel that Pythia decays.

    Attributes
    ----------
    label
        File, line and decay, for messages.
    products
        PDG numbers.
    me_mode
        Pythia's number for how.
    excluded
        Final states, as sorted PDG numbers, that are thrown away and made again.
    """

    label: str
    products: tuple[int, ...]
    me_mode: int
    excluded: frozenset[tuple[int, ...]]


class Hadron(NamedTuple):
    """What Pythia is told about a particle: PDG number, mass, width and limits in GeV."""

    pdgid: int
    mass: float
    width: float
    lowest: float
    highest: float


class FragmentationJob(NamedTuple):
    """What a `Fragmenter` is made of; sent to worker processes."""

    settings: tuple[str, ...]
    hadrons: tuple[Hadron, ...]
    modes: tuple[Mode, ...]

    def start(self) -> Fragmenter:
        """Return what does this job."""
        return Fragmenter(self)

    def describe(self, requests: Requests, *_: Any) -> str:
        """Say which events a task is about."""
        return f"PYTHIA modes of events {requests.event_id.min()} to {requests.event_id.max()}"


class Requests(NamedTuple):
    """Systems to make, arrays (n,).

    Attributes
    ----------
    mode
        Number of the mode.
    conjugate
        Whether its antiparticle decays, to the conjugates of the products.
    mass
        Of what decays, GeV.
    event_id, ordinal
        Keys of the random streams.
    """

    mode: IntArray
    conjugate: BoolArray
    mass: FloatArray
    event_id: IntArray
    ordinal: IntArray

    def take(self, chosen: IntArray) -> Requests:
        """Return these requests."""
        return Requests(
            self.mode[chosen],
            self.conjugate[chosen],
            self.mass[chosen],
            self.event_id[chosen],
            self.ordinal[chosen],
        )


class HadronSystems(NamedTuple):
    """Systems of hadrons: system i has the rows ``offsets[i]:offsets[i + 1]``.

    PDG numbers, masses and momenta (rows, 3) in GeV, in the rest frame of what decayed.
    """

    offsets: IntArray
    pdgid: IntArray
    mass: FloatArray
    momentum: FloatArray

    def take(self, chosen: IntArray) -> HadronSystems:
        """Return these systems, in this order."""
        rows = ragged_rows(self.offsets, chosen)
        counts = np.diff(self.offsets)[chosen]
        return HadronSystems(
            np.concatenate([[0], np.cumsum(counts)]),
            self.pdgid[rows],
            self.mass[rows],
            self.momentum[rows],
        )

    def join(self, other: HadronSystems) -> HadronSystems:
        """Return these systems and others."""
        return HadronSystems(
            np.concatenate([self.offsets, self.offsets[-1] + other.offsets[1:]]),
            np.concatenate([self.pdgid, other.pdgid]),
            np.concatenate([self.mass, other.mass]),
            np.concatenate([self.momentum, other.momentum]),
        )


def no_systems() -> HadronSystems:
    """Return no systems."""
    return HadronSystems(
        np.zeros(1, np.int64), np.empty(0, np.int64), np.empty(0), np.empty((0, 3))
    )


def stand_ins(n: int) -> IntArray:
    """Return numbers of particles that Pythia does not know, but that are hadrons to it.

    Those have no 0 among the last three digits.
    """
    i = np.arange(n)
    digits = 1 + i % 9 + 10 * (1 + i // 9 % 9) + 100 * (1 + i // 81 % 9)
    return np.asarray(_FIRST_NUMBER + digits + 1000 * (i // 729))


class Fragmenter:
    """One Pythia object that decays stand-ins; not for several threads at once.

    Parameters
    ----------
    job
        What can be asked for.

    Raises
    ------
    MissingPackageError, ConfigError
        See `simgen.pythia.session.start_pythia`.
    """

    def __init__(self, job: FragmentationJob) -> None:
        self._modes = job.modes
        self._hadrons = _HadronTable(job.hadrons)
        # modes of one particle share what is excluded
        prints = {excluded: _fingerprints(excluded) for excluded in {m.excluded for m in job.modes}}
        self._excluded = [prints[mode.excluded] for mode in job.modes]
        self._hooks = _feed()
        self._numbers = stand_ins(len(job.modes))

        def prepare(pythia: Any) -> None:
            data = pythia.particleData
            for hadron in job.hadrons:
                data.m0(hadron.pdgid, hadron.mass)
                data.mWidth(hadron.pdgid, hadron.width)
                data.mMin(hadron.pdgid, hadron.lowest)
                data.mMax(hadron.pdgid, hadron.highest)
            code = data.nextId(1)
            while code:
                data.mayDecay(code, False)
                code = data.nextId(code)
            for mode, number in zip(job.modes, self._numbers.tolist(), strict=True):
                name = f"mode{number}"
                pythia.readString(f"{number}:new = {name} {name}bar 1 0 0 5.0 0.0 0.0 0.0 0.0")
                data.particleDataEntryPtr(number).addChannel(1, 1.0, mode.me_mode, *mode.products)
                data.mayDecay(number, True)
            pythia.setUserHooksPtr(self._hooks)

        self._pythia = start_pythia(SETTINGS, job.settings, prepare, "PythiaBothParam")
        self._hooks.random = KeyedRandom(self._pythia)
        self._hooks.event = self._pythia.event

    def work(self, requests: Requests, seed: int, stage: int) -> HadronSystems:
        """Return a system for each request.

        Raises
        ------
        RunError
            If a mode gives nothing, or only what is excluded.
        """
        n = len(requests.mode)
        made = no_systems()
        for first in range(0, n, _SYSTEMS_AT_ONCE):
            part = requests.take(np.arange(first, min(first + _SYSTEMS_AT_ONCE, n)))
            made = made.join(self._work(part, seed, stage))
        return made

    def _work(self, requests: Requests, seed: int, stage: int) -> HadronSystems:
        """Return a system for each of not too many requests."""
        left = np.arange(len(requests.mode))
        places: list[IntArray] = []
        found = no_systems()
        for attempt in range(MOST_ATTEMPTS):
            tried = requests.take(left)
            tables = np.empty((len(left), TABLE_SIZE))
            substream = tried.ordinal * MOST_ATTEMPTS + attempt
            draw_tables(seed, stage, tried.event_id, substream, tables)
            code = self._numbers[tried.mode]
            self._hooks.load(tables, np.where(tried.conjugate, -code, code), tried.mass)
            batch = self._pythia.nextBatch(len(left), "none")
            made = np.flatnonzero(~made_none(batch))
            if len(made):
                systems = self._hadrons.read(batch)
                good = self._wanted(systems, tried.mode[made], tried.conjugate[made])
                found = found.join(systems.take(np.flatnonzero(good)))
                places.append(left[made[good]])
                left = np.setdiff1d(left, places[-1], assume_unique=True)
            if len(left) == 0:
                return found.take(np.argsort(np.concatenate(places)))
        mode = self._modes[int(requests.mode[left[0]])]
        raise RunError(
            f"{mode.label}: Pythia makes nothing of it that the decay file does not list by "
            f"another model, at a mass of {requests.mass[left[0]]:.4f} GeV"
        )

    def _wanted(self, systems: HadronSystems, mode: IntArray, conjugate: BoolArray) -> BoolArray:
        """Say which systems may be used."""
        light = self._hadrons.too_light(systems)
        left = np.isin(np.abs(systems.pdgid), self._numbers)  # too light for any hadrons
        good = np.add.reduceat(light + left, systems.offsets[:-1]) == 0
        signs = np.repeat(np.where(conjugate, -1, 1), np.diff(systems.offsets))
        own = self._hadrons.conjugated(systems.pdgid, signs)
        prints = np.add.reduceat(_prints(own), systems.offsets[:-1])
        for number in np.unique(mode):
            rows = mode == number
            good[rows] &= ~np.isin(prints[rows], self._excluded[number])
        return np.asarray(good)


class _HadronTable:
    """Masses of hadrons, and which have an antiparticle."""

    def __init__(self, hadrons: Sequence[Hadron]) -> None:
        data = import_pythia().Pythia("", False).particleData
        both = [h for h in hadrons if data.hasAnti(h.pdgid)]
        self._alone = np.array([h.pdgid for h in hadrons if not data.hasAnti(h.pdgid)])
        rows = sorted([*hadrons, *(h._replace(pdgid=-h.pdgid) for h in both)])
        self._codes = np.array([h.pdgid for h in rows])
        self._fixed = np.array([h.mass if h.width == 0.0 else np.nan for h in rows])
        self._lowest = np.array([0.0 if h.width == 0.0 else h.lowest for h in rows])

    def _rows(self, pdgid: IntArray) -> tuple[IntArray, BoolArray]:
        """Return the rows of particles, and whether they have any."""
        rows = np.minimum(np.searchsorted(self._codes, pdgid), len(self._codes) - 1)
        return rows, self._codes[rows] == pdgid

    def read(self, batch: Any) -> HadronSystems:
        """Return the final particles of the events that Pythia made."""
        record = read_record(batch)
        final = record.status > 0
        counts = np.add.reduceat(final.astype(np.int64), record.offsets[:-1])
        offsets = np.concatenate([[0], np.cumsum(counts)])
        pdgid = record.pdgid[final].astype(np.int64)
        momentum = np.stack([record.px[final], record.py[final], record.pz[final]], axis=1)
        square = record.energy[final] ** 2 - (momentum**2).sum(axis=1)
        rows, known = self._rows(pdgid)
        mass = np.where(known, self._fixed[rows], np.nan)
        mass = np.where(np.isnan(mass), np.sqrt(np.maximum(square, 0.0)), mass)
        for theirs, own in _OWN_NUMBERS.items():
            pdgid[pdgid == theirs] = own
        # what Pythia's rounding leaves over is taken from all
        mean = np.add.reduceat(momentum, offsets[:-1]) / counts[:, None]
        return HadronSystems(offsets, pdgid, mass, momentum - np.repeat(mean, counts, axis=0))

    def too_light(self, systems: HadronSystems) -> IntArray:
        """Return 1 for each particle that has less than its lowest mass, else 0."""
        rows, known = self._rows(systems.pdgid)
        light = systems.mass < self._lowest[rows] * (1.0 - _ROUNDING)
        return (light & known).astype(np.int64)

    def conjugated(self, pdgid: IntArray, signs: IntArray) -> IntArray:
        """Return the numbers of particles, of their antiparticles where the sign is negative."""
        return np.where(np.isin(pdgid, self._alone), pdgid, signs * pdgid)


def _prints(pdgid: IntArray) -> UInt64Array:
    """Return 64 mixed bits for each number (the finalizer of S. Vigna's splitmix64)."""
    x = pdgid.astype(np.int64).view(np.uint64) + np.uint64(0x9E3779B97F4A7C15)
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


def _fingerprints(states: Iterable[tuple[int, ...]]) -> UInt64Array:
    """Return the sums of mixed bits of final states: the same for any order of the particles.

    Different states agree by chance once in 1e19.
    """
    listed = list(states)
    if not listed:
        return np.empty(0, np.uint64)
    starts = np.cumsum([0, *map(len, listed[:-1])])
    return np.add.reduceat(_prints(np.array([code for state in listed for code in state])), starts)


def _feed() -> Any:
    """Return the object that gives each event its random numbers and what decays."""

    class Feed(import_pythia().UserHooks):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.random: Any = None
            self.event: Any = None
            self.load(np.empty((0, TABLE_SIZE)), np.empty(0, np.int64), np.empty(0))

        def load(self, tables: FloatArray, codes: IntArray, masses: FloatArray) -> None:
            """Take what the next events begin with."""
            self._tables, self._next = tables, 0
            self._codes, self._masses = codes.tolist(), masses.tolist()

        def onBeginEvent(self) -> None:  # noqa: N802  (Pythia's name)
            i = self._next
            self._next = i + 1
            self.random.set(self._tables[i])
            event = self.event
            event.reset()
            mass = self._masses[i]
            event.append(self._codes[i], 1, 0, 0, 0.0, 0.0, 0.0, mass, mass)

    return Feed()
