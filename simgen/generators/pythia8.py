"""The generator ``pythia8``: e+e- -> qq, tau tau or B pairs by Pythia 8."""

from __future__ import annotations

import threading
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from simgen.errors import ConfigError
from simgen.generators.handover import Handover, HandoverSettings
from simgen.particles import particle_table
from simgen.pythia.collisions import B_ZERO
from simgen.pythia.engine import Job, PythiaEngine
from simgen.pythia.maker import PythiaMaker, as_in_pythia
from simgen.pythia.undecayed import Undecayed
from simgen.pythia.workers import PythiaWorkers

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from simgen.beams import Beams
    from simgen.events import EventBlock
    from simgen.typing import IntArray

_PAIRS = ("BB", "B+B-", "B0B0bar")
_WITH_MIXING = ("BB", "B0B0bar")
_TRIED_EVENTS = 50
_NO_PAIRS = (
    "generator.decays.particles: B0 mesons of process {} cannot be left to decay files, because "
    "their mixing belongs to the decay of the pair: the generator `decfile` with root Upsilon(4S) "
    "makes these events. Name other particles, for instance [D0, D+, D_s+]; B+ can be left to them"
)


class PythiaSettings(BaseModel):
    """Settings of the generator ``pythia8``."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Literal["pythia8"]
    process: Literal[
        "uds", "uu", "dd", "ss", "cc", "qq", "tautau", "BB", "B+B-", "B0B0bar", "settings"
    ] = Field(description="what e+e- makes; `settings`: what the settings turn on")
    settings: tuple[str, ...] = Field(
        default=(), description="in Pythia's notation 'Group:name = value'; the last word counts"
    )
    forced: dict[str, tuple[str, ...]] = Field(
        default={},
        description="the only decays of some particles, by name, for instance "
        "B+: [K+ tau+ mu-]; antiparticles are not meant",
    )
    decays: HandoverSettings | None = Field(
        default=None, description="what decay files decay instead of Pythia; null for nothing"
    )


class PythiaGenerator:
    """Make events by Pythia 8.

    Parameters
    ----------
    settings
        Process, settings and forced decays.
    beams
        Of the events.
    folder
        Where relative paths of decay files start from.

    Raises
    ------
    MissingPackageError
        If Pythia is not installed.
    ConfigError
        If a setting does not exist or is out of range, or Pythia refuses to start; if a particle
        cannot be left to decay files.
    SimgenError
        What `simgen.generators.decfile.DecayFileGenerator` raises for decay files.
    """

    Settings: ClassVar[type[BaseModel]] = PythiaSettings

    def __init__(self, settings: PythiaSettings, beams: Beams, folder: Path) -> None:
        self._settings = settings
        self._job = Job(settings.process, settings.settings, dict(settings.forced), beams)
        self._handover = self._hand_over(settings, beams, folder)
        self._engine = PythiaEngine(self._job)
        if settings.process in _PAIRS and beams.sqrt_s() < self._engine.threshold:
            raise ConfigError(
                f"generator.process: {settings.process} needs {self._engine.threshold:.4f} GeV, "
                f"the beams have sqrt(s) = {beams.sqrt_s():.4f} GeV"
            )
        self._workers = PythiaWorkers(self._job, self._engine)
        self._lock = threading.Lock()
        self._again = 0

    def _hand_over(self, settings: PythiaSettings, beams: Beams, folder: Path) -> Handover | None:
        """Choose what decay files decay, and keep Pythia from it."""
        if settings.decays is None:
            return None
        if settings.process in _WITH_MIXING and settings.decays.particles == "heavy":
            raise ConfigError(_NO_PAIRS.format(settings.process))
        handover = Handover(settings.decays, beams, folder, PythiaMaker(self._job))
        codes = {particle.pdgid for particle in handover.particles}
        if settings.process in _WITH_MIXING and B_ZERO in codes:
            raise ConfigError(_NO_PAIRS.format(settings.process))
        both = [p.name for p in handover.particles if p.name in settings.forced]
        if both:
            raise ConfigError(
                f"generator.forced: decay files decay {both[0]}, not Pythia (generator.decays)"
            )
        left = [
            Undecayed(p.pdgid, p.mass, p.width, p.lowest, p.highest)
            for p in handover.particles
            if p.pdgid > 0
        ]
        stable = as_in_pythia([particle_table().by_name(n).pdgid for n in handover.stable])
        self._job = self._job._replace(undecayed=(*left, *stable))
        return handover

    def generate(self, event_id: IntArray, seed: int) -> EventBlock:
        """Return the events of these numbers; see `simgen.generators.base.Generator`."""
        block = self._make(event_id, seed)
        return block if self._handover is None else self._handover.decay(block, seed)

    def _make(self, event_id: IntArray, seed: int) -> EventBlock:
        """Return what Pythia makes.

        The first of several threads that ask at once is served in this process, each of the
        others by a process of its own.
        """
        block: EventBlock
        block, again = self._workers.work(event_id, seed)
        with self._lock:
            self._again += again
        return block

    def inputs(self) -> Mapping[str, Path]:
        """Return the decay files, and those with models, by their names in the settings."""
        return {} if self._handover is None else self._handover.engine.inputs()

    @cached_property
    def _mean_size(self) -> float:
        """Particles in an event, from a few events."""
        tried, _ = self._workers.work(np.arange(_TRIED_EVENTS), 0)
        if self._handover is not None:
            tried = self._handover.decay(tried, 0)
        return int(tried.n_particles) / _TRIED_EVENTS

    def available(self) -> None:
        """Return None: any number of events can be made."""

    def particles_per_event(self) -> float:
        """Return the number of particles in an event, the mean of a few."""
        return self._mean_size

    def notes(self) -> tuple[str, ...]:
        """Say what Pythia does not do here as a user may expect."""
        notes = []
        handed = self._handover
        names = {p.name for p in handed.particles} if handed else set()
        if self._settings.process in _PAIRS:
            notes.append(
                "Pythia decays hadrons without correlations of their spins; taus from B decays are "
                + (
                    "unpolarised, because decay files decay them and Pythia the B"
                    if "tau-" in names
                    else "polarised, at 0.1 ms an event, unless `TauDecays:mode = 0`"
                )
            )
        elif not self._engine.radiates:
            notes.append(
                "initial-state radiation is not simulated; the setting `PDF:lepton = on` turns "
                "it on"
            )
        if self._settings.process == "tautau" and "tau-" not in names:
            notes.append(
                "tau decays with spin correlations take about 10 ms an event; the setting "
                "`TauDecays:mode = 0` decays them without, in 0.02 ms"
            )
        return (*notes, *(handed.notes() if handed else ()))

    def provenance(self) -> dict[str, Any]:
        """Return the version of Pythia; the settings are part of the configuration."""
        own = {"pythia8": self._engine.version}
        return own if self._handover is None else {**own, **self._handover.engine.provenance()}

    def problems(self) -> tuple[str, ...]:
        """Say how many events Pythia gave up and made again, and what went wrong in decays."""
        with self._lock:
            again = self._again
        found = () if self._handover is None else self._handover.engine.problems()
        if again == 0:
            return found
        return (
            f"Pythia gave up {again} events, which were made again with other random numbers",
            *found,
        )
