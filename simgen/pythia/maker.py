"""What Pythia can make, for decays that are handed over."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from simgen.pythia.engine import PROCESSES, Job, PythiaEngine
from simgen.pythia.session import import_pythia
from simgen.pythia.undecayed import Undecayed, number_in_pythia

if TYPE_CHECKING:
    from collections.abc import Iterable

    from simgen.events import EventBlock

_SAMPLE = 500
_LIGHT, _CHARM, _BEAUTY = 3, 4, 5
# Twice the mass of the B.
_OPEN_BEAUTY = 10.56


class PythiaMaker:
    """Which particles a Pythia job makes, and how often.

    Parameters
    ----------
    job
        With nothing left undecayed.
    """

    section = "generator"

    def __init__(self, job: Job) -> None:
        self._job = job
        self._data = import_pythia().Pythia("", False).particleData
        self.heaviest = _CHARM
        if job.process == "tautau":
            self.heaviest = _LIGHT
        elif PROCESSES[job.process].charged_share is not None or (
            job.process == "settings" and job.beams.sqrt_s() > _OPEN_BEAUTY
        ):
            self.heaviest = _BEAUTY

    def knows(self, pdgid: int) -> bool:
        """Say whether Pythia has a particle."""
        return bool(self._data.isParticle(number_in_pythia(pdgid)))

    def sample(self, undecayed: tuple[int, ...]) -> EventBlock:
        """Return a few events in which these particles do not decay."""
        job = self._job._replace(undecayed=as_in_pythia(undecayed))
        return PythiaEngine(job).generate(np.arange(_SAMPLE), 0)


def as_in_pythia(pdgids: Iterable[int]) -> tuple[Undecayed, ...]:
    """Return particles, left undecayed, with the masses Pythia has for them."""
    data = import_pythia().Pythia("", False).particleData
    return tuple(
        Undecayed(
            pdgid,
            *(get(number_in_pythia(pdgid)) for get in (data.m0, data.mWidth, data.mMin, data.mMax)),
        )
        for pdgid in pdgids
    )
