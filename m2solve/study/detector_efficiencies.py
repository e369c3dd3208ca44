"""Shares of particles that are found and identified, against what a profile states."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import stats
from scipy.special import ndtr

from detector.efficiency import find_particles
from detector.identification import SPECIES_PDG, Species, identify_tracks
from m2solve.study.detector_points import (
    ALLOWED_P,
    ANGLES,
    FLIGHTS,
    KINDS,
    MOMENTA,
    SEED,
    TRACKS,
    momenta,
    points,
)
from m2solve.study.stated_errors import places_of, table_values

if TYPE_CHECKING:
    from collections.abc import Iterator

    from detector.profiles import DetectorProfile
    from simgen.typing import BoolArray, FloatArray


@dataclass(frozen=True)
class EfficiencyRow:
    """A share of particles of one kind that meet a requirement at a point.

    Attributes
    ----------
    particle, requirement
        For instance ``pion`` and ``found``, or a hypothesis such as ``muon``.
    p, theta
        Momentum in GeV (of K_S: transverse flight in mm), polar angle in degrees.
    particles
        How many were tried.
    stated, measured
        The profile's share, and that of the trials.
    p_value
        Two-sided, binomial.
    """

    particle: str
    requirement: str
    p: float
    theta: float
    particles: int
    stated: float
    measured: float
    p_value: float

    def agrees(self, n_tests: int = 1) -> bool:
        """Say whether the share is compatible, with p > 0.001 / `n_tests`."""
        return self.p_value > ALLOWED_P / n_tests


def efficiency_rows(
    particle: str, profile: DetectorProfile, stated: DetectorProfile, n: int
) -> Iterator[EfficiencyRow]:
    """Yield a row for each requirement and point.

    Parameters
    ----------
    particle
        One of `detector_points.KINDS`.
    profile
        Loses particles.
    stated
        Says what is expected; the same profile, but in a test.
    n
        Particles at each point.
    """
    first = FLIGHTS if particle == "K_S" else MOMENTA
    for place, x, theta in points(first, ANGLES):
        event_id, index = place * n + np.arange(n), np.full(n, KINDS.index(particle))
        flight = x if particle == "K_S" else 0.0
        p4 = momenta(1.0 if particle == "K_S" else x, theta, TRACKS.get(particle, 0.0), n)
        pdgid = np.full(n, _pdg_number(particle), np.int32)
        found = find_particles(p4, pdgid, np.full(n, flight), event_id, index, profile, SEED)
        share = share_found(particle, p4[:1], flight, stated)
        yield _efficiency_row(particle, "found", x, theta, found, share)
        if particle not in TRACKS:
            continue
        passed = identify_tracks(p4, pdgid, event_id, index, profile.identification, SEED)
        for hypothesis in Species:
            name = hypothesis.name.lower()
            share = share_identified(particle, name, p4[:1], stated)
            yield _efficiency_row(particle, name, x, theta, passed[:, hypothesis], share)


def _pdg_number(particle: str) -> int:
    """Return the PDG number of a kind of particle."""
    others = {"photon": 22, "pi0": 111, "K_S": 310}
    return others.get(particle) or SPECIES_PDG[list(TRACKS).index(particle)]


def share_found(particle: str, p4: FloatArray, flight: float, profile: DetectorProfile) -> float:
    """Return the stated efficiency of a particle of momentum (1, 4) and transverse flight in mm."""
    where = places_of(p4) | {"flight": np.array([flight])}
    if particle == "K_S":
        usable = profile.ks.flight_min <= flight <= profile.ks.flight_max
        return float(table_values(profile.ks.efficiency, where)[0]) * usable
    if particle in {"photon", "pi0"}:
        section = profile.photons if particle == "photon" else profile.pi0
        return float(table_values(section.efficiency, where)[0])
    settings = profile.tracks.efficiency
    share = float(table_values(settings.plateau, where)[0])
    if settings.width > 0.0:
        share *= float(ndtr((where["pt"][0] - settings.pt_half) / settings.width))
    return share


def share_identified(
    particle: str, hypothesis: str, p4: FloatArray, profile: DetectorProfile
) -> float:
    """Return the stated share of a kind of track of momentum (1, 4) that passes a hypothesis."""
    section, where = getattr(profile.identification, hypothesis), places_of(p4)
    if where["p"][0] < section.p_min:
        return 0.0
    return float(table_values(getattr(section, particle), where)[0])


def _efficiency_row(
    particle: str, requirement: str, x: float, theta: float, passed: BoolArray, share: float
) -> EfficiencyRow:
    """Compare one share."""
    n, k = len(passed), int(passed.sum())
    p_value = float(stats.binomtest(k, n, share).pvalue) if 0.0 < share < 1.0 else float(
        k == round(share * n)
    )  # fmt: skip
    return EfficiencyRow(particle, requirement, x, theta, n, share, k / n, p_value)
