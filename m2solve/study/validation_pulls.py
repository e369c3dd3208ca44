"""Pulls: are the uncertainties right? Measured less true, over the stated standard deviation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import stats

from detector.data_taking import luminosity_shares
from m2solve.study.electron_errors import electron_scores
from m2solve.study.stated_errors import (
    places_of,
    radiation_lengths,
    table_values,
    tail_scores,
    track_resolution,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from detector.candidate_table import CandidateTable
    from detector.profiles import DetectorProfile
    from simgen.typing import BoolArray, FloatArray

INPUT, ESTIMATE = "input", "estimate"
_AXES = ("x", "y", "z")
_TRACK = ("pt", "theta", "phi")
# One particle of a composite momentum has the mass of one of these, GeV (PDG 2024).
_TRACK_MASSES = (0.00051099895, 0.1056583755, 0.13957039, 0.493677, 0.93827209)
_MASS_TOLERANCE = 1e-6  # GeV^2; decay files give masses to 1e-5 GeV and better
CENTRAL = (0.16, 0.5, 0.84)  # the central 68 %, as in the summary of a run
_ALLOWED_SIGMA = 4.0
_ALLOWED_P = 1e-3


@dataclass(frozen=True)
class PullRow:
    """The pulls of one measured input, or of one estimate with an uncertainty.

    Attributes
    ----------
    kind
        ``input`` or ``estimate``.
    name, group
        What is measured or ``METHOD/QUANTITY``, and the group of tau decays.
    candidates
        Number of pulls.
    mean, mean_error
        Mean and its statistical error if the pulls are Gaussian.
    width, width_error
        Standard deviation and its statistical error if the pulls are Gaussian.
    median, half_width
        Median, and half of the central 68 % interval; of estimates, whose width a few with a tiny
        uncertainty decide.
    beyond_3
        Share beyond 3; 0.0027 of a Gaussian.
    p_value
        Of the Kolmogorov-Smirnov test against the unit Gaussian.
    """

    kind: str
    name: str
    group: str
    candidates: int
    mean: float
    mean_error: float
    width: float
    width_error: float
    median: float
    half_width: float
    beyond_3: float
    p_value: float

    def agrees(self, n_tests: int = 1) -> bool:
        """Say whether the pulls are those of a unit Gaussian.

        Mean and width have to be within 4 standard errors, and the p-value above 0.001 over
        the number of tests made (Bonferroni).
        """
        return (
            abs(self.mean) <= _ALLOWED_SIGMA * self.mean_error
            and abs(self.width - 1.0) <= _ALLOWED_SIGMA * self.width_error
            and self.p_value >= _ALLOWED_P / n_tests
        )


def pull_row(kind: str, name: str, group: str, pulls: FloatArray) -> PullRow | None:
    """Return the row of some pulls; nan is left out, and of fewer than two there is no row."""
    pull = pulls[np.isfinite(pulls)]
    n = len(pull)
    if n < 2:
        return None
    low, median, high = np.quantile(pull, CENTRAL)
    return PullRow(
        kind=kind,
        name=name,
        group=group,
        candidates=n,
        mean=float(pull.mean()),
        mean_error=1.0 / float(np.sqrt(n)),
        width=float(pull.std(ddof=1)),
        width_error=1.0 / float(np.sqrt(2.0 * (n - 1))),
        median=float(median),
        half_width=0.5 * float(high - low),
        beyond_3=float(np.mean(np.abs(pull) > 3.0)),
        p_value=float(stats.kstest(pull, "norm").pvalue),
    )


def input_pulls(
    table: CandidateTable, profile: DetectorProfile, seed: int
) -> dict[str, FloatArray]:
    """Return the pulls of everything measured that has a standard deviation.

    Vertices with the uncertainties stored in the table, along x, y and z, and with their
    correlations (`chi2_pull`). Charged particles in
    pT, theta and phi, in which their errors are independent Gaussians, with the resolution the
    profile gives at the true momentum, as normal scores if it states tails, or radiation of
    electrons; only where one particle makes up the momentum. The hadronic tag in px, py and pz,
    with the resolution at the true momentum; and the true sqrt(s) of the event against the assumed
    one.

    Parameters
    ----------
    table
        Candidates.
    profile
        The detector they were made with.
    seed
        Of the smearing, which says when an event was recorded.

    Returns
    -------
    dict
        (n,) pulls by name, nan where there is no uncertainty.
    """
    found: dict[str, FloatArray] = {}
    for vertex in ("r_0", "r_sig", "r_tag"):
        residual = getattr(table, vertex) - getattr(table, f"true_{vertex}")
        sigma = getattr(table, f"{vertex}_sigma")
        for i, axis in enumerate(_AXES):
            found[f"{vertex}_{axis}"] = pull_of(residual[:, i], sigma[:, i])
        found[f"{vertex}_chi2"] = chi2_pull(residual, getattr(table, f"{vertex}_covariance"))
    for track in ("kaon", "lepton", "prong", "tag_lepton"):
        measured, true = getattr(table, track), getattr(table, f"true_{track}")
        found |= {f"{track}_{q}": p for q, p in _track_pulls(measured, true, profile).items()}
    where = places_of(table.true_parent_tag)
    for i, axis in enumerate(_AXES):
        residual = table.hadronic_tag[:, i] - table.true_parent_tag[:, i]
        sigma = table_values(profile.hadronic_tag.momentum.as_tuple()[i], where)
        found[f"hadronic_tag_p{axis}"] = pull_of(residual, sigma)
    known, date = profile.beam_knowledge, {"luminosity": luminosity_shares(table.event_id, seed)}
    rest_energy = np.sqrt(mass_squared(table.true_total)) - np.sqrt(mass_squared(table.total))
    spread = np.hypot(profile.beams.sqrt_s_spread, table_values(known.sqrt_s_spread, date))
    found["beams_sqrts"] = pull_of(rest_energy + table_values(known.sqrt_s_shift, date), spread)
    return found


def pull_of(residual: FloatArray, sigma: FloatArray) -> FloatArray:
    """Return residual over standard deviation, nan where the latter is 0 or nan."""
    pull = np.full(len(residual), np.nan)
    np.divide(residual, sigma, out=pull, where=sigma > 0.0)
    return pull


def chi2_pull(residual: FloatArray, covariance: FloatArray) -> FloatArray:
    """Return chi^2 of residuals (n, 3) as the unit Gaussian of the same probability.

    Where the covariance (n, 3, 3) is right, chi^2 has three degrees of freedom; nan where it has
    no inverse.
    """
    pull = np.full(len(residual), np.nan)
    known = np.all(np.diagonal(covariance, axis1=1, axis2=2) > 0.0, axis=1)
    solved = np.linalg.solve(covariance[known], residual[known, :, np.newaxis])[..., 0]
    chi2 = np.sum(residual[known] * solved, axis=1)
    pull[known] = stats.norm.isf(stats.chi2.sf(chi2, 3))
    return pull


def _track_pulls(
    measured: FloatArray, true: FloatArray, profile: DetectorProfile
) -> dict[str, FloatArray]:
    """Return the pulls of one charged particle a candidate, nan where it is not one particle."""
    single = _is_single_track(true)
    found = {name: np.full(len(true), np.nan) for name in _TRACK}
    m, t = _spherical(measured[single]), _spherical(true[single])
    residual = m - t
    residual[:, 0] /= t[:, 0]
    residual[:, 2] = (residual[:, 2] + np.pi) % (2.0 * np.pi) - np.pi
    sigma = track_resolution(true[single], profile.tracks)
    tails = (profile.tracks.momentum.tail, profile.tracks.angles.tail, profile.tracks.angles.tail)
    for i, (name, tail) in enumerate(zip(_TRACK, tails, strict=True)):
        found[name][single] = tail_scores(pull_of(residual[:, i], sigma[:, i]), tail)
    electron = single & (np.abs(mass_squared(true)) < _MASS_TOLERANCE)
    radiating = np.flatnonzero(electron)[radiation_lengths(true[electron], profile) > 0.0]
    found["pt"][radiating] = electron_scores(measured[radiating], true[radiating], profile)
    return found


def _is_single_track(p4: FloatArray) -> BoolArray:
    """Return whether momenta have the mass of one charged particle."""
    squared = mass_squared(p4)[:, np.newaxis]
    near = np.abs(squared - np.square(_TRACK_MASSES)) < _MASS_TOLERANCE
    single: BoolArray = near.any(axis=1) & (p4[:, 3] > 0.0)
    return single


def mass_squared(p4: FloatArray) -> FloatArray:
    """Return the squared mass of momenta (n, 4), GeV^2."""
    return np.asarray(p4[:, 3] ** 2 - np.sum(p4[:, :3] ** 2, axis=1))


def _spherical(p4: FloatArray) -> FloatArray:
    """Return pT, theta and phi, (n, 3)."""
    pt = np.hypot(p4[:, 0], p4[:, 1])
    return np.column_stack([pt, np.arctan2(pt, p4[:, 2]), np.arctan2(p4[:, 1], p4[:, 0])])


def input_rows(pulls: Mapping[str, FloatArray]) -> list[PullRow]:
    """Return a row for each measured input that has pulls."""
    rows = (pull_row(INPUT, name, "all", values) for name, values in pulls.items())
    return [row for row in rows if row is not None]
