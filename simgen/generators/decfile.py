"""The generator ``decfile``: decays as EvtGen decay files say, from e+e- collisions."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Protocol, Self

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, model_validator

from simgen.config import find_config
from simgen.decfile import BASE_TABLES, Diagnostic, diagnose, load_decay_table
from simgen.decfile.incoherent import single_mixing
from simgen.decfile.reach import find_reach
from simgen.engine.chains import describe
from simgen.engine.compiler import CompiledDecays, compile_decays
from simgen.engine.decay import Output, generate_events
from simgen.engine.mass_tree import NO_MASSES
from simgen.engine.program import (
    MAX_PARTICLES,
    N_DECAYS,
    N_EXCEEDED,
    N_NOT_FINITE,
    N_STUCK,
    STUCK_MASSES,
)
from simgen.engine.scratch import SCRATCH
from simgen.engine.starts import START
from simgen.engine.systems import GivenSystems
from simgen.errors import (
    ConfigError,
    DecayFileError,
    MissingPackageError,
    RunError,
    UnknownParticleError,
)
from simgen.events import EventBlock, concatenate
from simgen.models.external import PYTHIA, is_external
from simgen.models.user import load_user_models, user_model_file
from simgen.random import Stage

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from simgen.beams import Beams
    from simgen.decfile import Channel, DecayTable, SourceLine
    from simgen.pythia.modes import PythiaModes
    from simgen.typing import FloatArray, IntArray

_NOT_IMPLEMENTED = "SGD014"
_ROOM = 1.1
_MOST_SHOWN = 20
_PHOTON_ENERGY = 1e-3  # GeV; below what a tracker resolves


class DecayTableSettings(BaseModel):
    """Where decays are said, and what to do with them."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    decay_files: tuple[str, ...] = Field(
        default=(), description="user decay files; a later file overrides an earlier one"
    )
    models: tuple[str, ...] = Field(
        default=(),
        description="decay models of your own: FILE.py:NAME, module:NAME, or the name of an "
        "installed one (entry points `simgen.models`)",
    )
    base: str | None = Field(
        default="DECAY_BELLE2.DEC",
        description="table that the decay files override: DECAY_BELLE2.DEC, DECAY_LHCB.DEC, a "
        "path, or null for none",
    )
    keep_stable: tuple[str, ...] = Field(
        default=("mu+", "mu-", "pi+", "pi-", "K+", "K-", "K_L0", "n0", "anti-n0"),
        description="particles and aliases that stay even if they have decays in the table",
    )
    unsupported_models: Literal["error", "phsp"] = Field(
        default="error",
        description="what to do with a decay whose model is not implemented: stop, or generate "
        "it as phase space and list it",
    )
    pythia_modes: Literal["pythia", "pool", "phase_space"] = Field(
        default="pythia",
        description="PYTHIA modes: a new system of hadrons from Pythia in each decay, one from a "
        "pool that is made before the run and used again, or partons in phase space",
    )
    pythia_pool: int = Field(
        default=20_000,
        ge=1,
        le=10**6,
        description="with `pythia_modes: pool`, systems for the most frequent PYTHIA mode; the "
        "others have fewer, in proportion",
    )
    pythia_pool_seed: int = Field(
        default=0, ge=0, le=2**31 - 1, description="seed of the pool; `seed` does not change it"
    )
    final_state_radiation: Literal["ignored", "applied"] = Field(
        default="ignored",
        description="photons that charged products radiate in decays with the PHOTOS flag "
        "(`yesPhotos`: in all): applied by soft-photon exponentiation with the hard photons along "
        "a product, not by PHOTOS itself",
    )
    photon_energy: float = Field(
        default=_PHOTON_ENERGY,
        ge=1e-4,
        le=1.0,
        description="with `final_state_radiation: applied`, the lowest energy of radiated photons "
        "in the rest frame of what decays, GeV",
    )

    @model_validator(mode="after")
    def _used(self) -> Self:
        """Refuse a photon energy that nothing would use."""
        if self.final_state_radiation == "ignored" and self.photon_energy != _PHOTON_ENERGY:
            raise ValueError("photon_energy is for final_state_radiation: applied; found ignored")
        return self


class _Root(BaseModel):
    """What events begin with."""

    name: Literal["decfile"] = "decfile"
    root: str = Field(default="Upsilon(4S)", description="particle or alias an event begins with")


class DecayFileSettings(DecayTableSettings, _Root):
    """Settings of the generator ``decfile``."""


class HandedOver(Protocol):
    """What other generators leave to the decays of a table."""

    source: SourceLine
    """What the decays of the root come from; its file is the section of the configuration."""

    def prepare(self, table: DecayTable) -> tuple[DecayTable, float]:
        """Return the table with decays of the root, and how often an event decays the root."""
        ...


class DecayFileGenerator:
    """Make events from a decay table.

    Parameters
    ----------
    settings
        Decay files and what to do with them.
    beams
        Their mean sqrt(s) is the mass of the root particle, their spread that of its mass.
    folder
        Where relative paths of decay files and of files with models start from.
    handed
        What makes the particles that `decay` is given; None if there are none.

    Raises
    ------
    ConfigError
        If a decay file or a model does not exist, or `keep_stable` names no particle.
    DecayFileError
        If the decay table has errors that matter for these events; the message lists them.
    UnsupportedModelError
        If a decay needs a model that is not implemented, unless the settings allow phase space.
    """

    Settings: ClassVar[type[BaseModel]] = DecayFileSettings

    def __init__(
        self,
        settings: DecayFileSettings,
        beams: Beams,
        folder: Path,
        handed: HandedOver | None = None,
    ) -> None:
        self._section = "generator" if handed is None else handed.source.file
        self._handed = handed
        files = {name: find_config(name, "decays", folder) for name in settings.decay_files}
        self._inputs = dict(files)
        base = settings.base
        if base is not None and base not in BASE_TABLES:
            self._inputs[base] = _find_base(base, folder, self._section)
            base = str(self._inputs[base])
        self._models = load_user_models(settings.models, folder)
        scripts = {user_model_file(spec) for spec in settings.models}
        self._inputs |= {file: (folder / file).resolve() for file in scripts if file is not None}
        own = [user.model for user in self._models]
        self._table = load_decay_table(list(files.values()), base, list(files), own)
        for name in settings.keep_stable:
            if not self._table.is_known(name):
                raise ConfigError(
                    f"{self._section}.keep_stable: {name!r} is not a particle or an alias"
                )
        self._roots = 1.0
        if handed is not None:
            self._table, self._roots = handed.prepare(self._table)
        self._diagnostics = self._check(settings)
        self._modes = self._pythia_modes(settings)
        self._radiation = settings.final_state_radiation == "applied"
        self._photon_energy = settings.photon_energy
        self.decays: CompiledDecays = compile_decays(
            self._table,
            settings.root,
            beams.sqrt_s(),
            root_spread=beams.sqrt_s_spread,
            keep_stable=settings.keep_stable,
            unsupported_models=settings.unsupported_models,
            roots_per_event=self._roots,
            source=self._modes,
            photon_energy=settings.photon_energy if self._radiation else None,
        )
        self._made = _MadeSystems(self._modes, self.decays) if self._modes else None
        self._beams = beams.compiled()
        self._counters = self.decays.program.new_counters()
        self._lock = threading.Lock()

    def _check(self, settings: DecayFileSettings) -> tuple[Diagnostic, ...]:
        """Refuse a table with errors; models that are not implemented are the compiler's."""
        try:
            findings = diagnose(self._table, settings.root)
        except UnknownParticleError as error:
            raise ConfigError(f"{self._section}.root: {error}") from error
        own = self._handed.source if self._handed else None
        found = tuple(d for d in findings if d.code != _NOT_IMPLEMENTED and d.source != own)
        errors = [d for d in found if d.severity == "error"]
        if errors:
            shown = [f"{d}\n    {d.source.text.strip()}" for d in errors[:_MOST_SHOWN]]
            if len(errors) > _MOST_SHOWN:
                shown.append(f"and {len(errors) - _MOST_SHOWN} more")
            raise DecayFileError("\n".join(shown))
        return found

    def _pythia_channels(self, settings: DecayFileSettings) -> list[tuple[float, str, Channel]]:
        """Return the PYTHIA modes that events can have and how often, not counting their own."""
        expected = find_reach(self._table, settings.root).expected
        found: list[tuple[float, str, Channel]] = []
        seen, waiting = {settings.root}, [settings.root]
        while waiting:
            name = waiting.pop()
            if not {name, self._table.particle(name).name}.isdisjoint(settings.keep_stable):
                continue
            for channel in self._table.channels.get(name, ()):
                if channel.model == PYTHIA:
                    found.append((self._roots * expected[name] * channel.fraction, name, channel))
                new = set(channel.daughters) - seen
                seen |= new
                waiting += new
            mixing = single_mixing(self._table, name)
            if mixing is not None and mixing.partner in expected and mixing.partner not in seen:
                seen.add(mixing.partner)
                waiting.append(mixing.partner)
        return found

    def _pythia_modes(self, settings: DecayFileSettings) -> PythiaModes | None:
        """Return what decays PYTHIA modes, None if no event has one or phase space is wanted."""
        found = self._pythia_channels(settings)
        if not found or settings.pythia_modes == "phase_space":
            return None
        from simgen.pythia.modes import PythiaModes
        from simgen.pythia.own import with_own_decays

        pool = settings.pythia_pool if settings.pythia_modes == "pool" else None
        try:
            self._table = with_own_decays(self._table)
            return PythiaModes(
                self._table, settings.root, pool, settings.pythia_pool_seed,
                leave_unknown=settings.unsupported_models == "phsp",
            )  # fmt: skip
        except MissingPackageError as error:
            found.sort(key=lambda entry: -entry[0])
            shown = [
                f"  {c.source.file}:{c.source.line}: {describe(name, c)} ({often:.2g} per event)"
                for often, name, c in found[:_MOST_SHOWN]
            ]
            if len(found) > _MOST_SHOWN:
                shown.append(f"  and {len(found) - _MOST_SHOWN} more")
            raise MissingPackageError(
                f"{error}\nPYTHIA modes, {sum(often for often, *_ in found):.3g} per event:\n"
                + "\n".join(shown)
                + "\nSet `pythia_modes: phase_space` to leave their quarks as they are, in phase "
                "space; they are then listed in the output."
            ) from error

    def generate(self, event_id: IntArray, seed: int) -> EventBlock:
        """Return the events of these numbers; see `simgen.generators.base.Generator`."""
        return self._run(event_id, seed, Stage.GENERATE, np.zeros(0, START))

    def decay(self, starts: Any, keys: IntArray, seed: int) -> EventBlock:
        """Decay given particles.

        Parameters
        ----------
        starts
            (n,) of `simgen.engine.starts.START`, at least one.
        keys
            (n,) numbers of their random streams, those of `Stage.DECAY`.
        seed
            Of the run.

        Returns
        -------
        EventBlock
            An event for each start; the first particles are those that were given.
        """
        return self._run(keys, seed, Stage.DECAY, starts)

    def _run(self, event_id: IntArray, seed: int, stage: Stage, starts: Any) -> EventBlock:
        """Run the kernel until all events are made.

        An event that needs a system of hadrons which is not there is made again with it.
        """
        program = self.decays.program
        counters = program.new_counters()
        scratch = np.zeros(1, SCRATCH)
        given = GivenSystems(len(event_id))
        blocks: list[EventBlock] = []
        places: list[IntArray] = []
        left = np.arange(len(event_id))
        while not blocks or len(left):
            ids = event_id[left]
            rows = int(_ROOM * self._particles_per_root() * len(ids)) + program.max_particles
            out = _new_output(len(ids), rows)
            made = generate_events(
                program.species, program.channels, program.mixing, self._beams, seed,
                int(stage), ids, starts[left] if len(starts) else starts, given.of(left),
                given.hadrons, scratch, out, counters,
            )  # fmt: skip
            self._refuse_stuck(counters, scratch)
            asked = out.asked_channel[:made]
            whole = np.flatnonzero(asked < 0)
            block = _to_block(ids[:made], out, made)
            blocks.append(block if len(whole) == made else block.take(whole))
            places.append(left[whole])
            if len(whole) < made and self._made is not None:
                waiting = np.flatnonzero(asked >= 0)
                self._made.give(
                    given,
                    left[waiting],
                    asked[waiting],
                    out.asked_mass[waiting],
                    ids[waiting],
                    seed,
                )
                left = np.concatenate([left[waiting], left[made:]])
            else:
                left = left[made:]
        with self._lock:
            self._counters += counters
        block = concatenate(blocks)
        order = np.concatenate(places)
        return block if np.all(order[:-1] < order[1:]) else block.take(np.argsort(order))

    def _refuse_stuck(self, counters: IntArray, scratch: Any) -> None:
        """Stop if an event came to no end: a decay was given up, or it is too large."""
        if scratch["overflow"][0]:
            raise RunError(f"an event has more than {MAX_PARTICLES} particles")
        stuck = np.flatnonzero(counters[:, N_STUCK])
        if len(stuck):
            reason = "the amplitude was nan or infinite wherever it was tried in one decay; the "
            reason += "model cannot generate it"
            if scratch["stuck"][0] == STUCK_MASSES:
                reason = NO_MASSES
            raise RunError(f"{self.decays.channels[stuck[0]]}: {reason}")

    def inputs(self) -> Mapping[str, Path]:
        """Return the decay files, and those with models, by their names in the settings."""
        return self._inputs

    def available(self) -> None:
        """Return None: any number of events can be made."""

    def particles_per_event(self) -> float:
        """Return the expected number of particles in an event, of those decayed and below."""
        return self._roots * self._particles_per_root()

    def _particles_per_root(self) -> float:
        """Return the expected number of particles that a root is and decays to."""
        n = self.decays.mean_daughters
        return 1.0 + float(np.dot(n, self.decays.per_event)) / self._roots

    def notes(self) -> tuple[str, ...]:
        """Say what is not generated as the decay files say."""
        notes = [str(d) for d in self._diagnostics]
        notes += self._radiation_notes()
        notes += [
            f"{s.where}: {s.decay}: {s.model} is {self._why(s.model)} and generated as phase "
            f"space, {s.per_event:.3g} per event"
            for s in self.decays.substitutions
        ]
        notes += self.decays.notes
        notes += self._system_notes()
        return tuple(notes)

    def _radiation_notes(self) -> list[str]:
        """Say what is radiated and what is not."""
        if not self._radiation:
            return ["PHOTOS: final-state radiation is not simulated"] if self._table.photos else []
        radiating = self.decays.program.channels["photon"] >= 0
        if not np.any(radiating):
            return ["final-state radiation: no decay that events have has the PHOTOS flag"]
        often = float(np.dot(self.decays.per_event, radiating))
        notes = [
            f"PHOTOS: final-state radiation in {often:.3g} decays per event, by soft-photon "
            f"exponentiation: photons above {1e3 * self._photon_energy:.3g} MeV in the rest frame "
            "of what decays. Left out are softer photons, what it does to rates and spins, and "
            "radiation that depends on the structure of hadrons"
        ]
        if self.decays.system_uses:
            notes.append("PHOTOS: Pythia's part of PYTHIA modes is not radiated")
        return notes

    def _why(self, model: str) -> str:
        """Say why a model is replaced by phase space."""
        if not is_external(model):
            return "not implemented"
        return "not wanted (`pythia_modes`)" if self._modes is None else "beyond Pythia's particles"

    def _system_notes(self) -> list[str]:
        """Say how PYTHIA modes are decayed."""
        used = self.decays.system_uses
        if self._modes is None or not used:
            return []
        notes = self._modes.notes()
        drawn = [use for use in used if use.in_pool]
        if drawn:
            most = max(drawn, key=lambda use: use.per_event / use.in_pool)
            notes.append(
                f"PYTHIA modes: {sum(u.per_event for u in drawn):.3g} decays per event draw from "
                f"{sum(u.in_pool for u in drawn)} systems of {len(drawn)} channels, which are used "
                f"again: the most often in {describe(most.name, most.channel)}, "
                f"{1e6 * most.per_event / most.in_pool:.3g} times in 1e6 events"
            )
        return notes

    def provenance(self) -> dict[str, Any]:
        """Return the decay files and the user's models with SHA-256, and the substituted models."""
        pythia = {}
        if self._modes is not None and self.decays.system_uses:
            pythia["pythia_modes"] = {
                "pythia8": self._modes.version,
                "per_event": sum(use.per_event for use in self.decays.system_uses),
                "pools": [
                    {
                        "decay": describe(use.name, use.channel),
                        "systems": use.in_pool,
                        "per_event": use.per_event,
                        "used_again_per_event": use.per_event / use.in_pool,
                    }
                    for use in self.decays.system_uses
                    if use.in_pool
                ],
            }
        return {
            **pythia,
            "decay_files": [{"name": f.name, "sha256": f.sha256} for f in self._table.files],
            "decay_models": [
                {"name": user.model.name, "from": user.spec, "sha256": user.sha256}
                for user in self._models
            ],
            "phase_space_instead": [
                {"decay": s.decay, "model": s.model, "per_event": s.per_event, "where": s.where}
                for s in self.decays.substitutions
            ],
        }

    def problems(self) -> tuple[str, ...]:
        """Say in which decays an amplitude exceeded its sampled maximum, or was no number."""
        again = ", events made again for PYTHIA modes counted each time" if self._made else ""
        exceeded = tuple(
            f"{label}: the maximum probability was exceeded in {row[N_EXCEEDED]} of "
            f"{row[N_DECAYS]} decays{again}; their distribution is cut there"
            for label, row in zip(self.decays.channels, self._counters, strict=True)
            if row[N_EXCEEDED] > 0
        )
        return exceeded + tuple(
            f"{label}: the amplitude was nan or infinite at {row[N_NOT_FINITE]} points, which were "
            f"left out, in {row[N_DECAYS]} decays{again}"
            for label, row in zip(self.decays.channels, self._counters, strict=True)
            if row[N_NOT_FINITE] > 0
        )


class _MadeSystems:
    """Gives events the systems of hadrons that they ask for."""

    def __init__(self, modes: PythiaModes, decays: CompiledDecays) -> None:
        self._modes = modes
        made = [use for use in decays.system_uses if not use.in_pool]
        self._decays = [(use.name, use.channel) for use in made]
        self._place = np.full(len(decays.channels), -1)
        self._place[[use.number for use in made]] = np.arange(len(made))
        numbers = {name: i for i, name in enumerate(decays.species)}
        self._species = [
            {code: numbers[name] for code, name in modes.names(*each).items() if name in numbers}
            for each in self._decays
        ]

    def give(
        self, given: GivenSystems, place: IntArray, channel: IntArray, mass: FloatArray,
        event_id: IntArray, seed: int,
    ) -> None:  # fmt: skip
        """Give one more system to events at some places, for a channel and a mass each."""
        which = self._place[channel]
        made = self._modes.make(self._decays, which, mass, event_id, given.count[place], seed)
        species = np.empty(len(made.pdgid), np.int64)
        of_row = np.repeat(which, np.diff(made.offsets))
        for k in np.unique(which):
            rows = of_row == k
            codes, kind = np.unique(made.pdgid[rows], return_inverse=True)
            unknown = [code for code in codes.tolist() if code not in self._species[k]]
            if unknown:
                raise RunError(
                    f"{describe(*self._decays[k])}: Pythia makes {unknown[0]} of it, which was "
                    "not expected"
                )
            species[rows] = np.array([self._species[k][code] for code in codes.tolist()])[kind]
        given.add(place, made.offsets, species, made.mass, made.momentum)


def _find_base(base: str, folder: Path, section: str) -> Path:
    """Return the file of a base table that does not come with decaylanguage."""
    try:
        return find_config(base, "decays", folder)
    except ConfigError as error:
        tables = ", ".join(BASE_TABLES)
        raise ConfigError(f"{section}.base: {error}; base tables: {tables}") from error


def _new_output(events: int, rows: int) -> Output:
    """Allocate the arrays the kernel fills."""
    # One piece of memory: freed in two, malloc gives it back to the system, and every block pays
    # for fresh pages again (up to 0.4 us an event).
    p4, production = np.empty((2, rows, 4))
    return Output(
        process=np.empty(events, np.int32),
        beam=np.empty((events, 4)),
        vertex=np.empty((events, 3)),
        offsets=np.zeros(events + 1, np.int64),
        pdgid=np.empty(rows, np.int32),
        mother=np.empty(rows, np.int32),
        status=np.empty(rows, np.int8),
        p4=p4,
        production=production,
        asked_channel=np.empty(events, np.int64),
        asked_mass=np.empty(events),
    )


def _to_block(event_id: IntArray, out: Output, made: int) -> EventBlock:
    """Cut the arrays to what the kernel made."""
    rows = int(out.offsets[made])
    return EventBlock(
        event_id=event_id,
        weight=np.ones(made),
        process=out.process[:made],
        beam=out.beam[:made],
        vertex=out.vertex[:made],
        offsets=out.offsets[: made + 1],
        pdgid=out.pdgid[:rows],
        mother=out.mother[:rows],
        status=out.status[:rows],
        p4=out.p4[:rows],
        production=out.production[:rows],
    )
