"""PYTHIA modes of decay files: which systems of hadrons they make, one by one or from a pool.

A channel such as ``u anti-d c-bar s PYTHIA 23`` is decayed by Pythia with the number as ``meMode``,
by EvtGen's convention for Pythia 8, and its hadrons go on in the decay engine. Masses, widths and
limits of hadrons are those of the decay file. A system that the decay file has as a channel of its
own, by another model or with the fraction 0, is thrown away and made again, as EvtGen did with
Pythia 6: decay files are written for that ("put to 0 to keep PYTHIA from generating these").
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections import defaultdict
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from simgen.decfile.cache import read_arrays, write_arrays
from simgen.decfile.reach import find_reach
from simgen.engine.shapes import shape_limits
from simgen.engine.systems import Pool, Systems
from simgen.errors import DecayFileError, RunError
from simgen.models.external import PYTHIA
from simgen.particles import PROMPT_WIDTH, particle_table
from simgen.progress import inner_progress
from simgen.pythia.fragmentation import (
    SETTINGS,
    FragmentationJob,
    Fragmenter,
    Hadron,
    HadronSystems,
    Mode,
    Requests,
)
from simgen.pythia.session import import_pythia, is_owned
from simgen.pythia.workers import PythiaWorkers
from simgen.random import Stage

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from simgen.decfile import Channel, DecayTable
    from simgen.particles import ParticleData
    from simgen.typing import BoolArray, FloatArray, IntArray

SAMPLE, FEWEST_SAMPLE = 2000, 20
"""Systems from which mean numbers are taken where no pool is wanted, of the most frequent mode and
at least."""
FEWEST_SYSTEMS = 100
"""The smallest pool of a rare mode, unless less is asked for."""

# Raised whenever the same key would give other systems.
_VERSION = 1
_SMALLEST_HADRON = 100
# Pythia's random flavour and spectator, besides quarks, gluons and diquarks.
_PSEUDO_PARTONS = (81, 82, 83)
_APPLIED = ("PythiaGenericParam", "PythiaBothParam")
# The largest width, relative to the mass, of what a pool made at one mass serves.
_NARROW = 0.02
# Names that stand for systems of any mass, whatever the tables say of their width.
_ANY_MASS = frozenset({"Xu0", "Xu+", "Xu-", "Xsd", "anti-Xsd", "Xsu", "anti-Xsu", "Xss",
                       "anti-Xss", "Xdd", "anti-Xdd", "Xdu+", "anti-Xdu-"})  # fmt: skip
_CHARM, _BEAUTY = 4, 5
# Beyond this meMode partons are showered and fragmented as in a collision.
_FIRST_SHOWERED = 90
_OF_PHOTONS = ("gamma", "e-", "e+", "mu-", "mu+", "tau-", "tau+")


def is_parton(pdgid: int) -> bool:
    """Say whether a number is that of a quark, gluon, diquark or a placeholder of Pythia."""
    code = abs(pdgid)
    diquark = 1000 < code < 10_000 and (code // 10) % 10 == 0
    return code <= 8 or code == 21 or code in _PSEUDO_PARTONS or diquark


class _Place(NamedTuple):
    """The mode that a channel of the table is, and whether the conjugate of it."""

    mode: int
    conjugate: bool


class PythiaModes:
    """Decays by Pythia for a decay table; a `simgen.engine.systems.SystemSource`.

    Parameters
    ----------
    table
        Decay table.
    root
        What an event begins with.
    pool
        Systems for the most frequent PYTHIA mode; the others have fewer in proportion, but at least
        `FEWEST_SYSTEMS` or `pool`. None for a new system in each decay.
    pool_seed
        Of pools, and of the sample that mean numbers are taken from.
    leave_unknown
        Whether a mode with a particle that Pythia does not know is not one of these, rather than
        an error. One with the number 0 and no partons, which is phase space, never is.

    Raises
    ------
    MissingPackageError
        If Pythia is not installed.
    """

    def __init__(
        self,
        table: DecayTable,
        root: str,
        pool: int | None,
        pool_seed: int,
        *,
        leave_unknown: bool = False,
    ) -> None:
        self._table, self._pool, self._seed = table, pool, pool_seed
        self._leave_unknown = leave_unknown
        self._expected = find_reach(table, root).expected
        plain = import_pythia().Pythia("", False)
        self._plain = plain  # owns `_known`
        self._known = plain.particleData
        self.version = f"{plain.settings.parm('Pythia:versionNumber'):.3f}"
        applied = [p for p in table.pythia_parameters if p.kind in _APPLIED]
        self._settings = tuple(
            f"{p.parameter} = {p.value}" for p in applied if not is_owned(p.parameter)
        )
        self._owned = sorted({p.parameter for p in applied if is_owned(p.parameter)})
        self._candidates = self._find_candidates()
        self._products: dict[tuple[str, Channel], tuple[str, ...] | None] = {}
        self._places: dict[tuple[str, Channel], _Place] = {}
        self._excluded: dict[str, frozenset[tuple[int, ...]]] = {}
        self._workers: PythiaWorkers | None = None
        self._lock = threading.Lock()
        self._job: FragmentationJob | None = None

    def notes(self) -> list[str]:
        """Say which statements for Pythia are not used."""
        ignored = sorted({p.kind for p in self._table.pythia_parameters if p.kind not in _APPLIED})
        return [
            f"{', '.join(each)}: not used for PYTHIA modes"
            for each in (ignored, self._owned)
            if each
        ]

    # ---- what a channel can make -------------------------------------------------------------

    def products(self, name: str, channel: Channel) -> tuple[str, ...] | None:
        """Return all names that a channel can make; None if Pythia does not make it."""
        if channel.model != PYTHIA:
            return None
        key = (name, channel)
        if key not in self._products:
            self._products[key] = self._find_products(name, channel)
        return self._products[key]

    def _find_products(self, name: str, channel: Channel) -> tuple[str, ...] | None:
        """Return all names that a PYTHIA mode can make, None if it is left to others."""
        codes = [self._code(daughter) for daughter in channel.daughters]
        for daughter, code in zip(channel.daughters, codes, strict=True):
            if not self._known.isParticle(code):
                # 0 of particles is phase space, for which nobody needs Pythia
                space = self._me_mode(name, channel) == 0 and not any(map(is_parton, codes))
                if space or self._leave_unknown:
                    return None
                raise DecayFileError(f"{_where(name, channel)}: Pythia has no particle {daughter}")
        own: dict[int, str] = {}
        for daughter, code in zip(channel.daughters, codes, strict=True):
            if not is_parton(code) and own.setdefault(code, daughter) != daughter:
                raise DecayFileError(
                    f"{_where(name, channel)}: Pythia does not tell {own[code]} from {daughter}"
                )
        if not any(map(is_parton, codes)):
            return tuple(dict.fromkeys(channel.daughters))
        heaviest = np.inf if self._varies(name) else self._table.particle(name).mass
        charm = sum(_count(c, _CHARM) for c in codes)
        if self._me_mode(name, channel) > _FIRST_SHOWERED:
            charm += 2  # a gluon may split, and a photon
            own |= {self._code(each): each for each in _OF_PHOTONS}
        made = [
            data.name
            for data in self._candidates
            if data.mass < heaviest
            and _count(data.pdgid, _CHARM) <= charm
            and _count(data.pdgid, _BEAUTY) <= sum(_count(c, _BEAUTY) for c in codes)
        ]
        return tuple(dict.fromkeys([*own.values(), *made]))

    def _find_candidates(self) -> list[ParticleData]:
        """Return all hadrons that Pythia's strings can end in."""
        known = particle_table()
        found = []
        for data in map(known.by_name, known.names()):
            code = abs(data.pdgid)
            if is_parton(code) or not self._known.isParticle(code):
                continue
            if self._known.isHadron(code) and _from_string(code):
                found.append(self._table.particle(data.name))
        return found

    def _code(self, name: str) -> int:
        """Return the PDG number of a name or alias."""
        return self._table.particle(name).pdgid

    # ---- systems -----------------------------------------------------------------------------

    def prepare(
        self, channels: Sequence[tuple[str, Channel]], lowest: Mapping[str, float]
    ) -> Mapping[tuple[str, Channel], Systems]:
        """Return pools or samples of channels, given the lowest mass of each name, GeV."""
        if not channels:
            return {}
        modes: dict[tuple[Any, ...], int] = {}
        listed: list[Mode] = []
        for name, channel in channels:
            mode, conjugate = self._mode(name, channel)
            content = mode[1:]
            if content not in modes:
                modes[content] = len(listed)
                listed.append(mode)
            self._places[name, channel] = _Place(modes[content], conjugate)
        self._job = FragmentationJob(self._settings, self._hadrons(lowest), tuple(listed))
        groups, sizes = self._groups(channels)
        made = self._made(list(groups), sizes)
        found = {}
        for (place, mass), systems in zip(groups, made, strict=True):
            for name, channel in groups[place, mass]:
                own = self._own(systems, name, channel, conjugate=self._places[name, channel][1])
                found[name, channel] = Systems(own, made=not self._is_pooled(name))
        return found

    def _is_pooled(self, name: str) -> bool:
        """Say whether the systems of a particle come from a pool: not if its mass varies much."""
        return self._pool is not None and not self._varies(name)

    def _varies(self, name: str) -> bool:
        """Say whether the mass of a particle varies much."""
        data = self._table.particle(name)
        return data.width >= _NARROW * data.mass or data.name in _ANY_MASS

    def _mode(self, name: str, channel: Channel) -> tuple[Mode, bool]:
        """Return the mode of a channel, and whether it is the conjugate of this one."""
        codes = tuple(self._code(daughter) for daughter in channel.daughters)
        conjugate = self._code(name) < 0
        excluded: frozenset[tuple[int, ...]] = frozenset()
        if any(map(is_parton, codes)):
            if name not in self._excluded:
                self._excluded[name] = self._find_excluded(name, conjugate=conjugate)
            excluded = self._excluded[name]
        if conjugate:
            codes = tuple(map(self._anti, codes))
        me_mode = self._me_mode(name, channel)
        return Mode(_where(name, channel), codes, me_mode, excluded), conjugate

    @staticmethod
    def _me_mode(name: str, channel: Channel) -> int:
        """Return the number after PYTHIA; 0, phase space, if there is none."""
        me_mode = channel.parameters[0] if channel.parameters else 0
        if not isinstance(me_mode, (int, float)):
            raise DecayFileError(
                f"{_where(name, channel)}: a number is expected after PYTHIA, found {me_mode!r}"
            )
        return int(me_mode)

    def _anti(self, code: int) -> int:
        """Return the number of an antiparticle, as Pythia has it."""
        return -code if self._known.hasAnti(abs(code)) else code

    def _find_excluded(self, name: str, *, conjugate: bool) -> frozenset[tuple[int, ...]]:
        """Return the final states that are listed by another model or with the fraction 0.

        If so asked, their conjugates.
        """
        listed = [c.daughters for c in self._table.channels.get(name, ()) if c.model != PYTHIA]
        listed += self._table.excluded.get(name, ())
        known = [each for each in listed if each and all(map(self._table.is_known, each))]
        states = {tuple(map(self._code, each)) for each in known}
        if conjugate:
            states = {tuple(map(self._anti, each)) for each in states}
        return frozenset(tuple(sorted(each)) for each in states)

    def _hadrons(self, lowest: Mapping[str, float]) -> tuple[Hadron, ...]:
        """Return what Pythia is told about hadrons and taus."""
        found = []
        known = particle_table()
        for data in map(known.by_name, known.names()):
            code = data.pdgid
            if code <= 0 or is_parton(code) or not self._known.isParticle(code):
                continue
            own = self._table.particle(data.name)
            if code < _SMALLEST_HADRON and own.mass == 0.0:
                continue
            low, high = shape_limits(self._table, data.name)
            width = 0.0 if own.width < PROMPT_WIDTH else own.width
            low = max(low, lowest.get(data.name, low))
            found.append(Hadron(code, own.mass, width, low, max(high, low)))
        return tuple(found)

    def _groups(
        self, channels: Sequence[tuple[str, Channel]]
    ) -> tuple[dict[tuple[int, float], list[tuple[str, Channel]]], list[int]]:
        """Return the channels that share systems, by mode and mass, and how many those need."""
        groups: defaultdict[tuple[int, float], list[tuple[str, Channel]]] = defaultdict(list)
        for name, channel in channels:
            mass = self._table.particle(name).mass
            groups[self._places[name, channel].mode, mass].append((name, channel))
        rates = [
            sum(self._expected.get(name, 0.0) * channel.fraction for name, channel in each)
            for each in groups.values()
        ]
        sizes = []
        for each, rate in zip(groups.values(), rates, strict=True):
            most, least = SAMPLE, FEWEST_SAMPLE
            if self._pool is not None and self._is_pooled(each[0][0]):
                most, least = self._pool, FEWEST_SYSTEMS
            sizes.append(max(min(most, least), round(most * rate / max(rates))))
        return dict(groups), sizes

    def _made(
        self, groups: Sequence[tuple[int, float]], sizes: Sequence[int]
    ) -> list[HadronSystems]:
        """Return the systems of each mode and mass, from the cache if it has them."""
        job = self._job
        assert job is not None
        content = [
            _VERSION, self.version, SETTINGS, job.settings, job.hadrons, self._seed,
            [(mode.products, mode.me_mode, sorted(mode.excluded)) for mode in job.modes],
            list(groups), list(sizes),
        ]  # fmt: skip
        key = f"systems-{hashlib.sha256(json.dumps(content).encode()).hexdigest()}"
        stored = read_arrays(key)
        if stored is None:
            stored = self._make(groups, sizes)
            write_arrays(key, stored)
        everything = HadronSystems(*(stored[field] for field in HadronSystems._fields))
        starts = np.concatenate([[0], np.cumsum(sizes)])
        return [everything.take(np.arange(a, b)) for a, b in pairwise(starts)]

    def _make(self, groups: Sequence[tuple[int, float]], sizes: Sequence[int]) -> dict[str, Any]:
        """Let Pythia make the systems of each mode and mass."""
        parts = []
        with inner_progress("systems by Pythia", sum(sizes)) as advance:
            for (mode, mass), size in zip(groups, sizes, strict=True):
                requests = Requests(
                    mode=np.full(size, mode),
                    conjugate=np.zeros(size, np.bool_),
                    mass=np.full(size, mass),
                    event_id=np.arange(size),
                    ordinal=np.full(size, self._stream(mode, mass)),
                )
                try:
                    self._work(requests.take(np.arange(1)), self._seed, Stage.POOL)  # fails soon
                    parts.append(self._work(requests, self._seed, Stage.POOL))
                except RunError as error:
                    raise DecayFileError(str(error)) from error
                advance(size)
        joined = [np.concatenate(columns) for columns in zip(*(p[1:] for p in parts), strict=True)]
        counts = np.concatenate([np.diff(part.offsets) for part in parts])
        offsets = np.concatenate([[0], np.cumsum(counts)])
        return dict(zip(HadronSystems._fields, [offsets, *joined], strict=True))

    def _stream(self, mode: int, mass: float) -> int:
        """Return which random streams a mode has: they depend on what it is, not on its number."""
        assert self._job is not None
        _, products, me_mode, _ = self._job.modes[mode]
        words = json.dumps([products, me_mode, mass]).encode()
        return int.from_bytes(hashlib.sha256(words).digest()[:4], "big")

    def _own(self, systems: HadronSystems, name: str, channel: Channel, *, conjugate: bool) -> Pool:
        """Return the systems with the names that a channel gives its hadrons."""
        codes, kind = np.unique(systems.pdgid, return_inverse=True)
        own = [self._anti_of(code) if conjugate else code for code in codes.tolist()]
        names = self._names(name, channel)
        for code in own:
            if code not in names:
                raise DecayFileError(f"{_where(name, channel)}: Pythia makes {code} of it")
        return Pool(
            tuple(names[code] for code in own),
            systems.offsets,
            kind,
            systems.mass,
            systems.momentum,
        )

    def _anti_of(self, code: int) -> int:
        """Return the number of an antiparticle, as this package has it."""
        known = particle_table()
        return known.by_name(known.by_pdgid(code).anti_name).pdgid

    def _names(self, name: str, channel: Channel) -> dict[int, str]:
        """Return the names of what a channel makes by PDG number."""
        products = self.products(name, channel) or ()
        names = {self._code(each): each for each in products}
        return {**names, **{self._code(d): d for d in channel.daughters}}

    def _work(self, requests: Requests, seed: int, stage: Stage) -> HadronSystems:
        """Return a system for each request."""
        assert self._job is not None
        with self._lock:  # generators serve several threads
            if self._workers is None:
                self._workers = PythiaWorkers(self._job, Fragmenter(self._job))
        made: HadronSystems = self._workers.work(requests, seed, int(stage))
        return made

    def make(
        self,
        decays: Sequence[tuple[str, Channel]],
        which: IntArray,
        mass: FloatArray,
        event_id: IntArray,
        ordinal: IntArray,
        seed: int,
    ) -> HadronSystems:
        """Return new systems.

        Parameters
        ----------
        decays
            Particles or aliases and their channels, of those that `prepare` was given.
        which
            (n,) which of them each system is for.
        mass
            (n,) of what decays, GeV.
        event_id, ordinal
            (n,) number of the event, and how many systems it has already.
        seed
            Of the run.

        Raises
        ------
        RunError
            If Pythia makes nothing of one.
        """
        places = [self._places[each] for each in decays]
        mode = np.array([place.mode for place in places])
        conjugate: BoolArray = np.array([place.conjugate for place in places])
        requests = Requests(mode[which], conjugate[which], mass, event_id, ordinal)
        return self._work(requests, seed, Stage.FRAGMENT)

    def names(self, name: str, channel: Channel) -> dict[int, str]:
        """Return the names of what a channel makes by PDG number."""
        return self._names(name, channel)


def _from_string(code: int) -> bool:
    """Say whether a number is that of a hadron that Pythia's strings can end in.

    These are mesons and baryons without excitations, and mesons with L = 1 if settings ask for
    them; K0 and not K_S or K_L.
    """
    excitation, spin = code // 10_000, code % 10
    if code % 10_000 > 1000:
        return excitation == 0 and spin in (2, 4)
    if spin == 0 or code in (130, 310):
        return False
    return (excitation, spin) in {(0, 1), (0, 3), (0, 5), (1, 1), (1, 3), (2, 3)}


def _count(code: int, flavour: int) -> int:
    """Return how many quarks of a flavour a particle has."""
    digits = [abs(code) // 10**k % 10 for k in (1, 2, 3)] if abs(code) > 100 else [abs(code)]
    return digits.count(flavour)


def _where(name: str, channel: Channel) -> str:
    """Return file and line of a channel, and what it is."""
    source = channel.source
    shown = f"{name} -> {' '.join(channel.daughters)} {channel.model}"
    return f"{source.file}:{source.line}: {shown}"
