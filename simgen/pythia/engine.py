"""Make events of a process with one Pythia object."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from simgen.errors import RunError
from simgen.events import EventBlock, concatenate
from simgen.pythia.collisions import (
    B_PLUS,
    B_ZERO,
    FIRST_ATTEMPT,
    PAIR_COLUMNS,
    draw_collisions,
    draw_pairs,
    draw_tables,
)
from simgen.pythia.forced import force_decays
from simgen.pythia.keyed import TABLE_SIZE, KeyedRandom
from simgen.pythia.record import made_none, read_record, to_events
from simgen.pythia.session import import_pythia, start_pythia
from simgen.pythia.undecayed import Undecayed, leave_undecayed
from simgen.random import Stage

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from simgen.beams import Beams
    from simgen.typing import FloatArray, IntArray

VPHO, UPSILON_4S = 10022, 300553
# f+- / f00 = 0.511 / 0.486, PDG 2024.
_CHARGED_SHARE = 0.511 / (0.511 + 0.486)
# x_d = dm_d / Gamma_d, PDG 2024.
_MIXING = 0.7697
# A call of nextBatch takes 1.4 ms whatever it makes; 70 MB more than for 2500 events.
_EVENTS_AT_ONCE = 10_000
_MOST_ATTEMPTS = 100
_FLIGHTS = PAIR_COLUMNS - 2
# Pythia's check of each event takes a sixth of the time of a light-quark event. Momentum and
# charge are conserved in the events of the tests.
_COMMON = ("Check:event = off",)
_FROM_PHOTON = (
    "Beams:idA = 11",
    "Beams:idB = -11",
    "Beams:frameType = 2",
    "Beams:allowMomentumSpread = on",
    "PDF:lepton = off",
)
_ANNIHILATION = ("WeakSingleBoson:ffbar2gmZ = on", "23:onMode = off", "23:mMin = 0.5")
_FROM_PAIR = ("ProcessLevel:all = off", "ParticleDecays:mixB = off")


class Process(NamedTuple):
    """What is made: settings of Pythia, or the share of charged B pairs.

    Attributes
    ----------
    settings
        In Pythia's notation.
    charged_share
        Probability of B+ B-; None for what Pythia's own hard processes make.
    """

    settings: tuple[str, ...]
    charged_share: float | None = None


def _annihilation(*products: int) -> Process:
    """Return the process e+e- -> gamma* (with the tail of the Z) -> fermion pairs."""
    chosen = f"23:onIfAny = {' '.join(map(str, products))}"
    return Process((*_FROM_PHOTON, *_ANNIHILATION, chosen))


PROCESSES: Mapping[str, Process] = {
    "uds": _annihilation(1, 2, 3),
    "uu": _annihilation(2),
    "dd": _annihilation(1),
    "ss": _annihilation(3),
    "cc": _annihilation(4),
    "qq": _annihilation(1, 2, 3, 4),
    "tautau": _annihilation(15),
    "settings": Process(_FROM_PHOTON),
    "BB": Process(_FROM_PAIR, _CHARGED_SHARE),
    "B+B-": Process(_FROM_PAIR, 1.0),
    "B0B0bar": Process(_FROM_PAIR, 0.0),
}


class Job(NamedTuple):
    """What a `PythiaEngine` is made of; sent to worker processes."""

    process: str
    settings: tuple[str, ...]
    forced: Mapping[str, tuple[str, ...]]
    beams: Beams
    undecayed: tuple[Undecayed, ...] = ()

    def start(self) -> PythiaEngine:
        """Return an engine for this."""
        return PythiaEngine(self)

    def describe(self, event_id: IntArray, seed: int) -> str:  # noqa: ARG002
        """Say which events a task is about."""
        return f"events {event_id[0]} to {event_id[-1]}"


class PythiaEngine:
    """One Pythia object; not for several threads at once.

    Parameters
    ----------
    job
        What to make.

    Raises
    ------
    MissingPackageError, ConfigError
        See `simgen.pythia.session.start_pythia` and `simgen.pythia.forced.force_decays`.
    """

    def __init__(self, job: Job) -> None:
        self._process = PROCESSES[job.process]
        self._beams = job.beams.compiled()
        self.again = 0
        # The half of the mean sqrt(s) that each beam has in the frame Pythia works in.
        self._half = 0.5 * job.beams.sqrt_s()
        own = [*_COMMON, *self._process.settings]
        if self._process.charged_share is None:
            own += [f"Beams:eA = {self._half!r}", f"Beams:eB = {self._half!r}"]
        self._hooks = _feed_of(self._process)

        def prepare(pythia: Any) -> None:
            data = pythia.particleData
            self._ctau = np.array([data.tau0(code) for code in (B_PLUS, B_ZERO)])
            if self._process.charged_share is not None:
                # Pythia draws lifetimes of its own, but mixing goes with both of a pair.
                for code in (B_PLUS, B_ZERO):
                    pythia.particleData.tau0(code, 0.0)
            force_decays(pythia, job.forced, "generator.forced")
            leave_undecayed(pythia, job.undecayed)
            self._hooks.attach(pythia)

        self._pythia = start_pythia(own, job.settings, prepare, "generator.settings")
        self._hooks.random = KeyedRandom(self._pythia)
        self._hooks.event = self._pythia.event
        self.version = f"{self._pythia.settings.parm('Pythia:versionNumber'):.3f}"
        self.radiates = bool(self._pythia.settings.flag("PDF:lepton"))
        data = self._pythia.particleData
        self._root = VPHO if self._process.charged_share is None else UPSILON_4S
        self._masses = np.array([data.m0(B_PLUS), data.m0(B_ZERO)])
        self.threshold = 2.0 * float(self._masses.max())

    def work(self, event_id: IntArray, seed: int) -> tuple[EventBlock, int]:
        """Return the events of these numbers, and how many attempts Pythia gave up."""
        before = self.again
        block = self.generate(event_id, seed)
        return block, self.again - before

    def generate(self, event_id: IntArray, seed: int) -> EventBlock:
        """Return the events of these numbers."""
        parts = [
            self._generate(event_id[i : i + _EVENTS_AT_ONCE], seed)
            for i in range(0, len(event_id), _EVENTS_AT_ONCE)
        ]
        return concatenate(parts)

    def _generate(self, event_id: IntArray, seed: int) -> EventBlock:
        """Return some events."""
        n, stage = len(event_id), int(Stage.GENERATE)
        beam, vertex = np.empty((n, 4)), np.empty((n, 3))
        pair = self._process.charged_share is not None
        minimum = self.threshold if pair else 0.0
        draw_collisions(self._beams, minimum, seed, stage, event_id, beam, vertex)
        sqrt_s = np.sqrt(beam[:, 3] ** 2 - (beam[:, :3] ** 2).sum(axis=1))
        start = self._starts(event_id, seed, sqrt_s)
        flights = start[:, _FLIGHTS:] if pair else np.empty((n, 0))
        blocks: list[EventBlock] = []
        places: list[IntArray] = []
        left = np.arange(n)
        for attempt in range(_MOST_ATTEMPTS):
            tables = np.empty((len(left), TABLE_SIZE))
            substream = np.full(len(left), FIRST_ATTEMPT + attempt)
            draw_tables(seed, stage, event_id[left], substream, tables)
            self._hooks.load(tables, start[left])
            batch = self._pythia.nextBatch(len(left), "none")
            made = ~made_none(batch)
            if made.any():
                these = left[made]
                record = read_record(batch)
                blocks.append(
                    to_events(record, event_id[these], beam[these], vertex[these],
                              self._beams.axis, self._root, flights[these])
                )  # fmt: skip
                places.append(these)
            left = left[~made]
            self.again += len(left)
            if len(left) == 0:
                break
        else:
            raise RunError(
                f"Pythia gave up event {event_id[left[0]]} {_MOST_ATTEMPTS} times: its settings "
                "leave it nothing to make"
            )
        block = blocks[0] if len(blocks) == 1 else _in_order(blocks, np.concatenate(places))
        if pair:
            block.process[:] = np.abs(start[:, 0]).astype(np.int32)
        return block

    def _starts(self, event_id: IntArray, seed: int, sqrt_s: FloatArray) -> FloatArray:
        """Return what the hooks give each event: B pairs, or a change of the beams' momenta."""
        if self._process.charged_share is None:
            return (0.5 * sqrt_s - self._half)[:, None]
        pairs = np.empty((len(event_id), PAIR_COLUMNS))
        draw_pairs(
            seed, int(Stage.GENERATE), event_id, sqrt_s, self._process.charged_share,
            self._masses, self._ctau, _MIXING, pairs,
        )  # fmt: skip
        return pairs


def _in_order(blocks: Sequence[EventBlock], places: IntArray) -> EventBlock:
    """Join blocks whose events stand at `places`."""
    joined = concatenate(blocks)
    return concatenate([joined.select(i, i + 1) for i in np.argsort(places)])


def _feed_of(process: Process) -> Any:
    """Return the object that gives each event its random numbers and its beginning.

    Pythia calls it at the beginning of each event, from inside ``nextBatch``.
    """
    library = import_pythia()
    shape = process.charged_share is None
    base: Any = library.BeamShape if shape else library.UserHooks

    class Feed(base):  # type: ignore[misc]
        def __init__(self) -> None:
            base.__init__(self)
            self.random: Any = None
            self.event: Any = None
            self.load(np.empty((0, TABLE_SIZE)), np.empty((0, 1)))

        def load(self, tables: FloatArray, start: FloatArray) -> None:
            """Take what the next events begin with."""
            # as lists: a row of an array takes half as long again as all else that is done with it
            self._tables, self._start, self._next = list(tables), start.tolist(), 0

        def _seed(self) -> list[float]:
            """Begin the next event's random sequence; return what else it begins with."""
            i = self._next
            self._next = i + 1
            self.random.set(self._tables[i])
            row: list[float] = self._start[i]
            return row

    if shape:

        class BeamFeed(Feed):
            def attach(self, pythia: Any) -> None:
                pythia.setBeamShapePtr(self)

            def init(self, settings: Any, rndm: Any) -> None:
                """Do nothing: Pythia's own spread is not used."""

            def pick(self) -> None:
                """Give each beam half of what sqrt(s) is above its mean."""
                if self.random is None:  # Pythia's own initialisation
                    return
                (change,) = self._seed()
                self.deltaPzA, self.deltaPzB = change, -change

        return BeamFeed()

    class PairFeed(Feed):
        def attach(self, pythia: Any) -> None:
            pythia.setUserHooksPtr(self)
            data = pythia.particleData
            self._mass = {code: data.m0(code) for code in (B_PLUS, B_ZERO)}

        def onBeginEvent(self) -> None:  # noqa: N802  (Pythia's name)
            """Put the B pair into the empty record."""
            first, second, x, y, z, *_ = self._seed()
            event = self.event
            event.reset()
            mass = self._mass[abs(int(first))]
            energy = (x * x + y * y + z * z + mass * mass) ** 0.5
            event.append(int(first), 1, 0, 0, x, y, z, energy, mass)
            event.append(int(second), 1, 0, 0, -x, -y, -z, energy, mass)

    return PairFeed()
