"""Errors of smeared particles, against what a profile states."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import stats
from scipy.special import ndtr

from detector.bremsstrahlung import smear_electrons
from detector.helix import D0, Z0
from detector.impact import smear_perigees
from detector.photons import smear_photons
from detector.sections import Tail
from detector.tracks import smear_tracks
from m2solve.study.detector_points import (
    ALLOWED_P,
    ANGLES,
    KINDS,
    MOMENTA,
    SEED,
    TRACKS,
    momenta,
    points,
)
from m2solve.study.electron_errors import electron_scores
from m2solve.study.stated_errors import (
    core_width,
    energy_scores,
    impact_resolution,
    photon_resolution,
    radiation_lengths,
    tail_scores,
    track_resolution,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from detector.profiles import DetectorProfile
    from simgen.typing import FloatArray, IntArray


@dataclass(frozen=True)
class ResolutionRow:
    """The resolution of one quantity of one kind of particle at a point.

    Attributes
    ----------
    particle, quantity
        For instance ``pion`` and ``pt``; pt and energy are relative, angles in rad, d0 and z0 in
        mm.
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
        return bool(lowest > ALLOWED_P / n_tests)


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
    for place, p, theta in points(MOMENTA, ANGLES):
        true = momenta(p, theta, TRACKS.get(particle, 0.0), n)
        measured, errors = smear_particles(particle, true, place * n + np.arange(n), profile)
        for quantity, sigma in stated_resolutions(particle, true[0], stated).items():
            if sigma == 0.0:
                continue
            tail, error = _tail_of(particle, quantity, stated), errors[quantity]
            scores, fitted = tail_scores(error / sigma, tail), core_width(error, tail)
            if (particle, quantity) == ("electron", "pt") and radiation_lengths(true[:1], stated):
                scores = electron_scores(measured, true, stated)
                fitted = sigma * float(scores.std())
            if quantity == "energy" and stated.photons.asymmetry > 0.0:
                scores = energy_scores(error / sigma, stated.photons.asymmetry)
                fitted = sigma * float(scores.std())
            yield _resolution_row(particle, quantity, (p, theta), sigma, fitted, scores)


def stated_resolutions(particle: str, p4: FloatArray, profile: DetectorProfile) -> dict[str, float]:
    """Return the profile's resolutions at a momentum (4,) by quantity, tails left out."""
    one = p4[np.newaxis]
    if particle == "photon":
        return _named(("energy", "theta", "phi"), photon_resolution(one, profile.photons)[0])
    sizes = np.concatenate(
        [track_resolution(one, profile.tracks)[0], impact_resolution(one, profile.tracks)[0]]
    )
    return _named(("pt", "theta", "phi", "d0", "z0"), sizes)


def _named(names: tuple[str, ...], sizes: FloatArray) -> dict[str, float]:
    """Return numbers by name."""
    return {name: float(size) for name, size in zip(names, sizes, strict=True)}


def _tail_of(particle: str, quantity: str, profile: DetectorProfile) -> Tail:
    """Return the tail of the errors of a quantity."""
    if particle == "photon" or quantity in {"d0", "z0"}:
        return Tail()
    return (profile.tracks.momentum if quantity == "pt" else profile.tracks.angles).tail


def smear_particles(
    particle: str, true: FloatArray, event_id: IntArray, profile: DetectorProfile
) -> tuple[FloatArray, dict[str, FloatArray]]:
    """Return measured momenta (n, 4), and errors (n,) by quantity.

    Those of pT or energy (relative), theta, phi, and of tracks d0 and z0.

    Parameters
    ----------
    particle
        One of `TRACKS`, or ``photon``.
    true
        (n, 4) momenta, GeV.
    event_id
        (n,) whose random numbers are used.
    profile
        Smears.
    """
    keys = event_id, np.full(len(true), KINDS.index(particle))
    if particle == "photon":
        measured = smear_photons(true, *keys, profile.photons, SEED)
    elif particle == "electron":
        measured = smear_electrons(true, *keys, profile, SEED)
    else:
        measured = smear_tracks(true, *keys, profile.tracks, SEED)
    pt, pt_true = np.hypot(measured[:, 0], measured[:, 1]), np.hypot(true[:, 0], true[:, 1])
    phi = np.arctan2(measured[:, 1], measured[:, 0]) - np.arctan2(true[:, 1], true[:, 0])
    found = {
        "theta": np.arctan2(pt, measured[:, 2]) - np.arctan2(pt_true, true[:, 2]),
        "phi": (phi + np.pi) % (2.0 * np.pi) - np.pi,
    }
    if particle == "photon":
        return measured, found | {"energy": measured[:, 3] / true[:, 3] - 1.0}
    k = np.arange(len(true))
    charge, production = 1 - 2 * (k % 2), _points_near_the_beams(len(true))
    tracks, _ = smear_perigees(
        true, measured, charge, production, *keys, profile.tracks, SEED
    )  # fmt: skip
    at_perigee = closest_approach(true, charge, production, profile.tracks.impact.magnetic_field)
    found["d0"], found["z0"] = (tracks[:, [D0, Z0]] - at_perigee).T
    return measured, found | {"pt": pt / pt_true - 1.0}


def _points_near_the_beams(n: int) -> FloatArray:
    """Return n points (n, 3), mm, where particles are made: all around, up to 1 mm away."""
    k = np.arange(n) + 0.5
    size, turn = np.sqrt(k / n), np.pi * (3.0 - np.sqrt(5.0)) * k  # a sunflower
    return np.column_stack([size * np.cos(turn), size * np.sin(turn), np.cos(3.0 * turn)])


def closest_approach(
    p4: FloatArray, charge: IntArray, production: FloatArray, magnetic_field: float
) -> FloatArray:
    """Return d0 and z0 about the z axis, (n, 2) in mm, by the centres of the tracks' circles.

    Apart from `detector.helix`, which has no circles.

    Parameters
    ----------
    p4, charge, production
        (n, 4), (n,) and (n, 3): momenta in GeV, charges and where they are, mm.
    magnetic_field
        Along z, T.
    """
    pt = np.hypot(p4[:, 0], p4[:, 1])
    x, y, z = production.T
    ux, uy, slope = p4[:, 0] / pt, p4[:, 1] / pt, p4[:, 2] / pt
    if magnetic_field == 0.0:
        return np.column_stack([x * uy - y * ux, z - (x * ux + y * uy) * slope])
    radius = -pt / (0.299792458e-3 * charge * magnetic_field)  # positive: to the left
    cx, cy = x - radius * uy, y + radius * ux
    side = np.sign(radius)
    turn = np.arctan2(-side * cx, side * cy) - np.arctan2(uy, ux)  # to the perigee
    turn = (turn + np.pi) % (2.0 * np.pi) - np.pi
    return np.column_stack([radius - side * np.hypot(cx, cy), z + radius * turn * slope])


def _resolution_row(
    particle: str,
    quantity: str,
    point: tuple[float, float],
    sigma: float,
    fitted: float,
    scores: FloatArray,
) -> ResolutionRow:
    """Return the row of fitted errors and their normal scores."""
    n = len(scores)
    p_value = float(stats.kstest(scores, "norm", method="asymp").pvalue)
    return ResolutionRow(
        particle, quantity, *point, n, sigma, fitted, float(fitted / np.sqrt(2.0 * n)),
        float(scores.mean()), float(scores.std()), p_value,
    )  # fmt: skip
