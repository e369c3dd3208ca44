"""Closure of a detector profile: particles of known momentum smeared, against what it states.

At points in p and theta, particles of each kind are smeared, found and identified, and their errors
and shares compared with the curves of the profile (`m2solve.study.stated_errors`).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from rich import box
from rich.console import Console
from rich.table import Table as Printed
from scipy import stats
from scipy.special import ndtr

from detector.bremsstrahlung import smear_electrons
from detector.efficiency import find_particles
from detector.identification import SPECIES_PDG, Species, identify_tracks
from detector.photons import smear_photons
from detector.profiles import DetectorProfile, load_profile
from detector.tracks import smear_tracks
from m2solve.study.pipeline import FIGURES
from m2solve.study.stated_errors import (
    core_width,
    electron_scores,
    photon_resolution,
    places_of,
    radiation_lengths,
    table_values,
    tail_scores,
    track_resolution,
)
from m2solve.study.validation_tables import to_csv
from simgen.errors import ConfigError, OutputError
from simgen.io.atomic import write_text
from simgen.progress import progress_bar
from simgen.runner import disk_errors

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from simgen.typing import BoolArray, FloatArray, IntArray

MOMENTA = (0.1, 0.15, 0.25, 0.4, 0.6, 0.9, 1.4, 2.0, 3.0, 4.5)
"""GeV; of photons the energy."""
ANGLES = (25.0, 60.0, 95.0, 135.0)
"""Polar angles in degrees, away from gaps of the calorimeter."""
FLIGHTS = (2.0, 10.0, 50.0, 100.0, 200.0, 350.0, 550.0)
"""Transverse flights of K_S, mm."""
TRACKS = {"electron": 0.51099895e-3, "muon": 0.1056583755, "pion": 0.13957039,
          "kaon": 0.493677, "proton": 0.93827209}  # fmt: skip
"""Masses in GeV (PDG 2024), in the order of `Species`."""
_KINDS = (*TRACKS, "photon", "pi0", "K_S")  # each has its own random numbers
_SEED = 1
_ALLOWED_P = 1e-3
_MOST_ROWS = 12


@dataclass(frozen=True)
class ResolutionRow:
    """The resolution of one quantity of one kind of particle at a point.

    Attributes
    ----------
    particle, quantity
        For instance ``pion`` and ``pt``; pt and energy are relative, angles in rad.
    p, theta
        Momentum in GeV (energy of photons), polar angle in degrees.
    particles
        How many were smeared.
    stated
        The profile's resolution, without tails and radiation.
    fitted, fitted_error
        The same from a fit of the stated shape to the errors.
    mean, width
        Of the normal scores of the errors: 0 and 1.
    p_value
        Of the Kolmogorov-Smirnov test of the scores against the unit Gaussian.
    """

    particle: str
    quantity: str
    p: float
    theta: float
    particles: int
    stated: float
    fitted: float
    fitted_error: float
    mean: float
    width: float
    p_value: float

    def agrees(self, n_tests: int = 1) -> bool:
        """Say whether mean, width and shape are compatible, each with p > 0.001 / `n_tests`."""
        z = np.array([self.mean, (self.width - 1.0) * np.sqrt(2.0)]) * np.sqrt(self.particles)
        lowest = min(self.p_value, *(2.0 * ndtr(-np.abs(z))))
        return bool(lowest > _ALLOWED_P / n_tests)


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
        return self.p_value > _ALLOWED_P / n_tests


@dataclass(frozen=True)
class DetectorCheck:
    """What a check of a profile found.

    Attributes
    ----------
    name
        Of the profile.
    folder
        Tables, and figures in ``figures`` below.
    resolutions, efficiencies
        A row a point.
    figures
        The PNG files.
    """

    name: str
    folder: Path
    resolutions: tuple[ResolutionRow, ...]
    efficiencies: tuple[EfficiencyRow, ...]
    figures: tuple[Path, ...]

    @property
    def disagreeing(self) -> tuple[ResolutionRow | EfficiencyRow, ...]:
        """Rows that are not as the profile states."""
        rows: list[ResolutionRow | EfficiencyRow] = [*self.resolutions, *self.efficiencies]
        return tuple(row for row in rows if not row.agrees(len(rows)))

    def show(self) -> None:
        """Print a summary of each kind of row, and the first rows that disagree."""
        console = Console(highlight=False)
        _print_summary(self, console)
        n = len(self.resolutions) + len(self.efficiencies)
        console.print(f"{n - len(self.disagreeing)} of {n} points agree with the profile")
        for row in self.disagreeing[:_MOST_ROWS]:
            what = row.quantity if isinstance(row, ResolutionRow) else row.requirement
            console.print(f"does not agree: {row.particle} {what} at {row.p:g}, {row.theta:g} deg")
        console.print(f"tables and figures are in {self.folder}", soft_wrap=True)


def check_detector(
    detector: str | Path | Mapping[str, Any],
    output: str | Path,
    *,
    particles: int = 10_000,
    progress: bool = False,
) -> DetectorCheck:
    """Smear particles at points in p and theta and compare with what a profile states.

    Parameters
    ----------
    detector
        Name or path of a profile, or a profile derived in place.
    output
        Folder for ``resolutions.csv``, ``efficiencies.csv`` and figures; replaced.
    particles
        At each point.
    progress
        Show a progress bar.

    Raises
    ------
    ConfigError
        If the profile is wrong, or there are fewer than 100 particles.
    OutputError
        If the output is a file.
    """
    from m2solve.study.detector_check_figures import MOST_FIGURES, draw_check

    if particles < 100:
        raise ConfigError(f"particles should be 100 or more, found {particles}")
    profile, folder = load_profile(detector), Path(output)
    if folder.exists() and not folder.is_dir():
        raise OutputError(f"{folder}: is a file; a check leaves a folder")
    steps = len(TRACKS) + 1 + MOST_FIGURES
    with progress_bar("steps of the check", steps, show=progress) as advance:
        resolutions: list[ResolutionRow] = []
        efficiencies: list[EfficiencyRow] = []
        for particle in (*TRACKS, "photon"):
            resolutions += resolution_rows(particle, profile, profile, particles)
            efficiencies += efficiency_rows(particle, profile, profile, particles)
            advance(1)
        for particle in ("pi0", "K_S"):
            efficiencies += efficiency_rows(particle, profile, profile, particles)
        with disk_errors(folder):
            (folder / FIGURES).mkdir(parents=True, exist_ok=True)
            write_text(folder / "resolutions.csv", to_csv([vars(row) for row in resolutions]))
            write_text(folder / "efficiencies.csv", to_csv([vars(row) for row in efficiencies]))
            figures = draw_check(profile, resolutions, efficiencies, folder / FIGURES, advance)
    return DetectorCheck(
        profile.name, folder, tuple(resolutions), tuple(efficiencies), tuple(figures)
    )


def momenta(p: float, theta: float, mass: float, n: int) -> FloatArray:
    """Return n momenta (px, py, pz, E) of one size and polar angle in degrees, around the axis."""
    phi = 2.0 * np.pi * (np.arange(n) + 0.5) / n - np.pi
    t = np.radians(theta)
    sine = np.sin(t)
    return np.column_stack(
        [p * sine * np.cos(phi), p * sine * np.sin(phi), np.full(n, p * np.cos(t)),
         np.full(n, np.hypot(p, mass))]
    )  # fmt: skip


def resolution_rows(
    particle: str, profile: DetectorProfile, stated: DetectorProfile, n: int
) -> Iterator[ResolutionRow]:
    """Yield a row for each quantity and point; what has no resolution is left out.

    Parameters
    ----------
    particle
        One of `TRACKS`, or ``photon``.
    profile
        Smears.
    stated
        Says what is expected; the same profile, but in a test.
    n
        Particles at each point.
    """
    for place, p, theta in _points(MOMENTA, ANGLES):
        true = momenta(p, theta, TRACKS.get(particle, 0.0), n)
        errors = _smear(particle, true, place * n + np.arange(n), profile)
        if particle == "photon":
            sigma, first = photon_resolution(true[:1], stated.photons)[0], "energy"
        else:
            sigma, first = track_resolution(true[:1], stated.tracks)[0], "pt"
        for i, quantity in enumerate((first, "theta", "phi")):
            if sigma[i] > 0.0:
                yield _resolution_row(particle, quantity, (p, theta), true[0], errors[:, i],
                                      float(sigma[i]), stated)  # fmt: skip


def _points(first: Sequence[float], second: Sequence[float]) -> Iterator[tuple[int, float, float]]:
    """Yield all pairs, numbered."""
    pairs = [(a, b) for b in second for a in first]
    yield from ((i, a, b) for i, (a, b) in enumerate(pairs))


def _smear(
    particle: str, true: FloatArray, event_id: IntArray, profile: DetectorProfile
) -> FloatArray:
    """Return errors of pT or energy (relative), theta and phi, (n, 3)."""
    keys = event_id, np.full(len(true), _KINDS.index(particle))
    if particle == "photon":
        measured = smear_photons(true, *keys, profile.photons, _SEED)
    elif particle == "electron":
        measured = smear_electrons(true, *keys, profile, _SEED)
    else:
        measured = smear_tracks(true, *keys, profile.tracks, _SEED)
    pt, pt_true = np.hypot(measured[:, 0], measured[:, 1]), np.hypot(true[:, 0], true[:, 1])
    size = measured[:, 3] / true[:, 3] if particle == "photon" else pt / pt_true
    theta = np.arctan2(pt, measured[:, 2]) - np.arctan2(pt_true, true[:, 2])
    phi = np.arctan2(measured[:, 1], measured[:, 0]) - np.arctan2(true[:, 1], true[:, 0])
    return np.column_stack([size - 1.0, theta, (phi + np.pi) % (2.0 * np.pi) - np.pi])


def _resolution_row(
    particle: str,
    quantity: str,
    point: tuple[float, float],
    true: FloatArray,
    error: FloatArray,
    sigma: float,
    stated: DetectorProfile,
) -> ResolutionRow:
    """Fit one resolution."""
    tail = (stated.tracks.momentum if quantity == "pt" else stated.tracks.angles).tail
    if particle == "photon":
        scores, fitted = error / sigma, float(np.sqrt(np.mean(error**2)))
    elif (particle, quantity) == ("electron", "pt") and radiation_lengths(true[np.newaxis], stated):
        scores = electron_scores(error + 1.0, true, stated)
        fitted = sigma * float(scores.std())
    else:
        scores, fitted = tail_scores(error / sigma, tail), core_width(error, tail)
    n = len(error)
    p_value = float(stats.kstest(scores, "norm", method="asymp").pvalue)
    return ResolutionRow(
        particle, quantity, *point, n, sigma, fitted, float(fitted / np.sqrt(2.0 * n)),
        float(scores.mean()), float(scores.std()), p_value,
    )  # fmt: skip


def efficiency_rows(
    particle: str, profile: DetectorProfile, stated: DetectorProfile, n: int
) -> Iterator[EfficiencyRow]:
    """Yield a row for each requirement and point; arguments as for `resolution_rows`.

    `particle` can be ``pi0`` and ``K_S`` as well.
    """
    first = FLIGHTS if particle == "K_S" else MOMENTA
    for place, x, theta in _points(first, ANGLES):
        event_id, index = place * n + np.arange(n), np.full(n, _KINDS.index(particle))
        flight = x if particle == "K_S" else 0.0
        p4 = momenta(1.0 if particle == "K_S" else x, theta, TRACKS.get(particle, 0.0), n)
        pdgid = np.full(n, _pdg_number(particle), np.int32)
        found = find_particles(p4, pdgid, np.full(n, flight), event_id, index, profile, _SEED)
        share = share_found(particle, p4[:1], flight, stated)
        yield _efficiency_row(particle, "found", x, theta, found, share)
        if particle not in TRACKS:
            continue
        passed = identify_tracks(p4, pdgid, event_id, index, profile.identification, _SEED)
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


def _print_summary(check: DetectorCheck, console: Console) -> None:
    """Print a line for each kind of row."""
    table = Printed(title=f"{check.name}: smeared particles against the profile",
                    title_justify="left", box=box.SIMPLE_HEAD)  # fmt: skip
    for name in ("particle", "what", "points", "fitted / stated", "lowest p", "agree"):
        table.add_column(name, justify="left" if name in {"particle", "what"} else "right")
    n = len(check.resolutions) + len(check.efficiencies)
    kinds: dict[tuple[str, str], list[ResolutionRow]] = {}
    for row in check.resolutions:
        kinds.setdefault((row.particle, row.quantity), []).append(row)
    for (particle, what), rows in kinds.items():
        ratios = [row.fitted / row.stated for row in rows]
        agree = sum(row.agrees(n) for row in rows)
        table.add_row(particle, f"sigma({what})", str(len(rows)),
                      f"{min(ratios):.3f} to {max(ratios):.3f}",
                      f"{min(row.p_value for row in rows):.2g}", str(agree))  # fmt: skip
    shares: dict[tuple[str, str], list[EfficiencyRow]] = {}
    for share in check.efficiencies:
        what = "found" if share.requirement == "found" else "identified"
        shares.setdefault((share.particle, what), []).append(share)
    for (particle, what), found in shares.items():
        agree = sum(row.agrees(n) for row in found)
        table.add_row(particle, what, str(len(found)), "",
                      f"{min(row.p_value for row in found):.2g}", str(agree))  # fmt: skip
    console.print(table)
