"""The generator ``hepmc``: events that another generator wrote to HepMC files."""

from __future__ import annotations

import hashlib
import threading
from bisect import bisect_right
from functools import cached_property
from itertools import accumulate
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from simgen.errors import ConfigError, RunError
from simgen.events import EventBlock, concatenate
from simgen.generators.handover import Handover, HandoverSettings
from simgen.io.hepmc import HepMCEvents, to_events
from simgen.particles import particle_table

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from simgen.beams import Beams
    from simgen.typing import IntArray

_TRIED_EVENTS = 20
_HASHED_BYTES = 1 << 20


class HepMCSettings(BaseModel):
    """Settings of the generator ``hepmc``."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Literal["hepmc"]
    files: tuple[str, ...] = Field(
        min_length=1, description="HepMC3 or HepMC2 text files, one after the other"
    )
    decays: HandoverSettings | None = Field(
        default=None,
        description="what decay files decay of what is final in the files; null for nothing",
    )


class HepMCGenerator:
    """Take events from files: event k is the k-th of all files, counted from 0.

    Parameters
    ----------
    settings
        The files.
    beams
        Their direction is that of the spin of what e+e- make, where decay files decay it.
    folder
        Where relative paths start from.

    Raises
    ------
    ConfigError
        If a file does not exist.
    FileFormatError
        If a file is cut or has a particle that is not known.
    SimgenError
        What `simgen.generators.decfile.DecayFileGenerator` raises for decay files.
    """

    Settings: ClassVar[type[BaseModel]] = HepMCSettings

    def __init__(self, settings: HepMCSettings, beams: Beams, folder: Path) -> None:
        self._paths = {name: folder / name for name in settings.files}
        for name, path in self._paths.items():
            if not path.is_file():
                raise ConfigError(f"generator.files: there is no file {name}")
        self._files = [HepMCEvents(self._paths[name]) for name in settings.files]
        self._ends = list(accumulate(len(file) for file in self._files))
        self._lock = threading.Lock()
        self._handover = None
        if settings.decays is not None:
            self._handover = Handover(settings.decays, beams, folder, self)

    section, heaviest = "generator", 5

    def knows(self, pdgid: int) -> bool:
        """Say that any particle can be in a file."""
        return particle_table().knows(pdgid)

    def sample(self, undecayed: tuple[int, ...]) -> EventBlock:  # noqa: ARG002
        """Return the first few events, as they are in the files."""
        return self._read(np.arange(min(_TRIED_EVENTS, self._ends[-1])))

    def available(self) -> int:
        """Return the number of events in the files."""
        return self._ends[-1]

    def generate(self, event_id: IntArray, seed: int) -> EventBlock:
        """Return the events of these numbers; the seed is that of decays by decay files.

        Raises
        ------
        RunError
            If the files do not have one, or it cannot be read; if a particle has a mass that the
            decay files do not allow.
        """
        block = self._read(event_id)
        return block if self._handover is None else self._handover.decay(block, seed)

    def _read(self, event_id: IntArray) -> EventBlock:
        """Return events as they are in the files."""
        if event_id[-1] >= self._ends[-1] or event_id[0] < 0:
            raise RunError(f"there is no event {event_id[-1]}: the files have {self._ends[-1]}")
        with self._lock:
            return concatenate([self._take(run) for run in self._runs(event_id)])

    def _runs(self, event_id: IntArray) -> list[IntArray]:
        """Divide numbers into runs of consecutive ones in one file."""
        files = np.searchsorted(self._ends, event_id, side="right")
        breaks = np.flatnonzero((np.diff(event_id) != 1) | (np.diff(files) != 0)) + 1
        return np.split(event_id, breaks)

    def _take(self, run: IntArray) -> EventBlock:
        """Return consecutive events of one file."""
        number = bisect_right(self._ends, int(run[0]))
        start = self._ends[number - 1] if number else 0
        events = self._files[number].read(int(run[0]) - start, int(run[-1]) - start + 1)
        return to_events(events, run)

    def inputs(self) -> Mapping[str, Path]:
        """Return decay files and those with models; event files are not copied."""
        return {} if self._handover is None else self._handover.engine.inputs()

    @cached_property
    def _mean_size(self) -> float:
        """Particles in an event, from the first few."""
        n = min(_TRIED_EVENTS, self._ends[-1])
        return self.generate(np.arange(n), 0).n_particles / n

    def particles_per_event(self) -> float:
        """Return the number of particles in an event, the mean of the first few."""
        return self._mean_size

    def notes(self) -> tuple[str, ...]:
        """Say that seed and beams do nothing, or what decay files do not do."""
        if self._handover is None:
            return (
                "events are read from files: the seed and the configured beams do not change them",
            )
        return (
            "events are read from files: the seed and the configured beams change only what decay "
            "files decay",
            *self._handover.notes(),
        )

    @cached_property
    def _identities(self) -> list[dict[str, str]]:
        """Names and SHA-256 of the files."""
        return [{"name": n, "sha256": _sha256(path)} for n, path in self._paths.items()]

    def provenance(self) -> dict[str, Any]:
        """Return the files with their SHA-256."""
        own = {"hepmc_files": self._identities}
        return own if self._handover is None else {**own, **self._handover.engine.provenance()}

    def problems(self) -> tuple[str, ...]:
        """Say what went wrong in decays; an event that cannot be read ends the run."""
        return () if self._handover is None else self._handover.engine.problems()


def _sha256(path: Path) -> str:
    """Return the SHA-256 of a file."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_HASHED_BYTES):
            digest.update(chunk)
    return digest.hexdigest()
