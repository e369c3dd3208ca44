"""Estimates less truth: which quantities, and how their spread is described."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from m2solve.recoil import cos_theta_tag
from m2solve.solution import Status
from m2solve.study.histograms import GROUPS
from m2solve.study.methods import Method, method_layout
from m2solve.study.validation_pulls import CENTRAL, mass_squared, pull_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from detector.candidate_table import CandidateTable
    from m2solve.study.solutions import Solutions
    from simgen.typing import BoolArray, FloatArray, IntArray

CHOSEN, NEARER = "chosen", "nearer"
_COMPONENTS = ("px", "py", "pz")
_ANGLES = {"cos_theta": "1", "m_recoil": "GeV"}
_MOMENTA = {
    **{f"k_sig_{c}": "GeV" for c in (*_COMPONENTS, "energy", "p")},
    **{f"k_tag_{c}": "GeV" for c in (*_COMPONENTS, "p")},
    "direction": "rad",
}
UNITS: Mapping[str, str] = {**_ANGLES, **_MOMENTA}
"""The quantities with their units; ``_p`` is the magnitude of a momentum."""

WINDOWS: Mapping[str, float] = {
    "m_recoil": 0.1,
    "cos_theta": 0.2,
    "momentum": 0.2,
    "direction": 0.1,
}
"""How far from the truth counts as near; ``momentum`` stands for all of k_sig and k_tag."""

_AT_REST = 1e-6  # GeV; M2sV gives a B at rest where no forward flight is possible
_LOW, _, _HIGH = CENTRAL


class Spread(NamedTuple):
    """How residuals are distributed.

    Attributes
    ----------
    candidates
        Sum of weights of those that are finite.
    median, median_error
        Median and its statistical error.
    half_width, half_width_error
        Half of the central 68 % interval and its statistical error.
    rms
        Square root of the mean square, about 0.
    within, within_error
        Share that lies no further than the window from 0, and its statistical error.
    """

    candidates: float
    median: float
    median_error: float
    half_width: float
    half_width_error: float
    rms: float
    within: float
    within_error: float


@dataclass(frozen=True)
class ResidualRow:
    """The residuals of one quantity of one method in one group of tau decays.

    Attributes
    ----------
    method, group
        Names.
    solution
        ``chosen``, the one the method gives, or ``nearer``, that of its two nearer the truth.
    quantity, unit
        One of `UNITS`.
    window
        What counts as near, in that unit.
    spread
        Of the residuals.
    """

    method: str
    group: str
    solution: str
    quantity: str
    unit: str
    window: float
    spread: Spread


@dataclass(frozen=True)
class StatusRow:
    """How the candidates of a group were solved by a method.

    Attributes
    ----------
    method, group
        Names.
    candidates
        Sum of weights.
    shares
        Share of each `Status`.
    two_solutions
        Share with two solutions.
    chosen_nearer, chosen_nearer_error
        Of those, how often the chosen one is nearer the truth, with its statistical error; nan
        if no candidate has two.
    """

    method: str
    group: str
    candidates: float
    shares: tuple[float, ...]
    two_solutions: float
    chosen_nearer: float
    chosen_nearer_error: float


def window_of(quantity: str, windows: Mapping[str, float]) -> float:
    """Return the window of a quantity."""
    return windows["momentum" if quantity.startswith("k_") else quantity]


def describe(values: FloatArray, weights: FloatArray, window: float) -> Spread:
    r"""Return how residuals are distributed.

    The error of a quantile q(p) is half the distance of the quantiles at :math:`p \pm \delta`,
    :math:`\delta^2 = p (1 - p) / n`, which assumes no shape (R. S. Woodruff, J. Am. Stat. Assoc.
    47 (1952) 635); two quantiles p < p' of a sample have the correlation
    :math:`\sqrt{p (1 - p') / (p' (1 - p))}` (H. A. David and H. N. Nagaraja, *Order Statistics*,
    3rd edition, section 10.2). Of weighted candidates n is :math:`(\sum w)^2 / \sum w^2`.

    Parameters
    ----------
    values
        (n,) residuals; those that are not finite are left out.
    weights
        (n,) weights, positive.
    window
        What counts as near.
    """
    good = np.isfinite(values)
    order = np.argsort(values[good])
    value, weight = values[good][order], weights[good][order]
    total = float(weight.sum())
    if total == 0.0:
        return Spread(0.0, *[float("nan")] * 7)
    n = total**2 / float(np.sum(weight**2))
    middle = (np.cumsum(weight) - 0.5 * weight) / total

    def quantile(share: float) -> float:
        return float(np.interp(share, middle, value))

    def error(share: float) -> float:
        delta = np.sqrt(share * (1.0 - share) / n)
        return 0.5 * (quantile(share + delta) - quantile(share - delta))

    low, high = error(_LOW), error(_HIGH)
    correlation = np.sqrt(_LOW * (1.0 - _HIGH) / (_HIGH * (1.0 - _LOW)))
    within = float(weight[np.abs(value) <= window].sum()) / total
    return Spread(
        candidates=total,
        median=quantile(0.5),
        median_error=error(0.5),
        half_width=0.5 * (quantile(_HIGH) - quantile(_LOW)),
        half_width_error=0.5 * float(np.sqrt(low**2 + high**2 - 2.0 * correlation * low * high)),
        rms=float(np.sqrt(np.sum(weight * value**2) / total)),
        within=within,
        within_error=_share_error(within, n),
    )


def _share_error(share: float, n: float) -> float:
    """Return the binomial error of a share."""
    return float(np.sqrt(share * (1.0 - share) / n)) if n > 0.0 else float("nan")


def groups_of(table: CandidateTable) -> dict[str, BoolArray]:
    """Return which candidates belong to each group of tau decays, and ``all`` of the signal."""
    signal = table.is_signal == 1
    groups: dict[str, BoolArray] = {
        name: signal & np.isin(table.tau_mode, modes)
        for name, modes in GROUPS.items()
        if name != "both"
    }
    return {**groups, "all": signal}


def compare_with_truth(
    table: CandidateTable, solutions: Solutions, method: Method
) -> dict[str, FloatArray]:
    """Return the estimates of a method less their truth.

    The tag's invisible momentum is the missing momentum less k_sig; its energy that of a neutrino.
    The true M_recoil is the mass of the true B_sig less the true kaon and lepton. ``direction`` is
    the angle between estimated and true B_sig in the lab, from 0 to pi, nan if the estimate is
    at rest.

    Parameters
    ----------
    table, solutions
        The same candidates, in the same order.
    method
        One of the solutions.

    Returns
    -------
    dict
        (n,) arrays: ``chosen/QUANTITY`` for each of `UNITS`, and for methods that solve for
        momenta ``nearer/QUANTITY``, ``status``, ``n_solutions``, ``is_nearer`` (1 if the chosen
        solution is no further from the truth than the other), ``pull/QUANTITY`` of what has an
        uncertainty.
    """

    def column(name: str) -> FloatArray:
        return np.asarray(solutions[method.name, name], np.float64)

    true_recoil = np.sqrt(np.maximum(mass_squared(table.true_parent_sig - table.true_p_kl), 0.0))
    true_cosine = cos_theta_tag(table.true_p_kl, table.true_parent_tag, table.true_total)
    cosine, recoil = column("cos_theta"), column("m_recoil")
    found = {
        f"{CHOSEN}/cos_theta": cosine - true_cosine,
        f"{CHOSEN}/m_recoil": recoil - true_recoil,
    }
    for quantity in _ANGLES:
        if f"{quantity}_sigma" in method_layout(method):
            found[f"pull/{quantity}"] = pull_of(
                found[f"{CHOSEN}/{quantity}"], column(f"{quantity}_sigma")
            )
    if not method.is_solved:
        return found
    first, other = column("k_sig"), column("k_sig_other")
    distance = [np.linalg.norm((k - table.true_k_sig)[:, :3], axis=1) for k in (first, other)]
    is_nearer = ~(distance[1] < distance[0])  # where they are equal or nan nothing is exchanged
    nearer = np.where(is_nearer[:, np.newaxis], first, other)
    other_cosine = cos_theta_tag(table.p_kl, table.visible_tag + _k_tag(table, other), table.total)
    found |= {
        f"{NEARER}/cos_theta": np.where(is_nearer, cosine, other_cosine) - true_cosine,
        f"{NEARER}/m_recoil": np.where(is_nearer, recoil, column("m_recoil_other")) - true_recoil,
        "status": column("status"),
        "n_solutions": column("n_solutions"),
        "is_nearer": is_nearer.astype(np.float64),
    }
    for solution, k_sig in ((CHOSEN, first), (NEARER, nearer)):
        found |= {f"{solution}/{q}": r for q, r in _momentum_residuals(table, k_sig).items()}
    return found


def _k_tag(table: CandidateTable, k_sig: FloatArray) -> FloatArray:
    """Return the tag's invisible momentum, a neutrino's, (n, 4)."""
    p = (table.missing - k_sig)[:, :3]
    return np.column_stack([p, np.linalg.norm(p, axis=1)])


def _momentum_residuals(table: CandidateTable, k_sig: FloatArray) -> dict[str, FloatArray]:
    """Return the residuals of all quantities that follow from k_sig."""
    found: dict[str, FloatArray] = {}
    k_tag = _k_tag(table, k_sig)
    for name, k, true in (
        ("k_sig", k_sig, table.true_k_sig),
        ("k_tag", k_tag, table.true_k_tag),
    ):
        for i, component in enumerate(_COMPONENTS):
            found[f"{name}_{component}"] = k[:, i] - true[:, i]
        size, true_size = (np.linalg.norm(p[:, :3], axis=1) for p in (k, true))
        found[f"{name}_p"] = np.asarray(size - true_size)
    found["k_sig_energy"] = k_sig[:, 3] - table.true_k_sig[:, 3]
    parent = (table.visible_sig + k_sig)[:, :3]
    found["direction"] = _angle(parent, table.true_parent_sig[:, :3])
    return found


def _angle(a: FloatArray, b: FloatArray) -> FloatArray:
    """Return the angle between rows of (n, 3) arrays, precise if it is small; nan at rest."""
    across = np.linalg.norm(np.cross(a, b), axis=1)
    angle = np.arctan2(across, np.sum(a * b, axis=1))
    return np.where(np.linalg.norm(a, axis=1) > _AT_REST, angle, np.nan)


def residual_rows(
    method: Method,
    found: Mapping[str, FloatArray],
    groups: Mapping[str, BoolArray],
    weights: FloatArray,
    windows: Mapping[str, float],
) -> Iterator[ResidualRow]:
    """Yield the rows of one method.

    Parameters
    ----------
    method
        The method.
    found
        Of `compare_with_truth`.
    groups
        Of `groups_of`; those without candidates get no row.
    weights
        (n,) weights.
    windows
        As `WINDOWS`.
    """
    for group, chosen in groups.items():
        if not chosen.any():
            continue
        for solution in (CHOSEN, NEARER):
            for quantity, unit in UNITS.items():
                values = found.get(f"{solution}/{quantity}")
                if values is None:
                    continue
                window = window_of(quantity, windows)
                spread = describe(values[chosen], weights[chosen], window)
                yield ResidualRow(method.name, group, solution, quantity, unit, window, spread)


def status_rows(
    method: Method,
    found: Mapping[str, FloatArray],
    groups: Mapping[str, BoolArray],
    weights: FloatArray,
) -> Iterator[StatusRow]:
    """Yield how one method solved each group; parameters as of `residual_rows`."""
    if not method.is_solved:
        return
    status: IntArray = found["status"].astype(np.int64)
    two = found["n_solutions"] == 2.0
    for group, chosen in groups.items():
        weight = weights[chosen]
        total = float(weight.sum())
        if total == 0.0:
            continue
        both = weights[chosen & two]
        right = weights[chosen & two & (found["is_nearer"] == 1.0)]
        share = float(right.sum() / both.sum()) if len(both) else float("nan")
        n = float(both.sum() ** 2 / np.sum(both**2)) if len(both) else 0.0
        counts = np.bincount(status[chosen], weight, len(Status))
        yield StatusRow(
            method=method.name,
            group=group,
            candidates=total,
            shares=tuple(float(c) / total for c in counts),
            two_solutions=float(both.sum()) / total,
            chosen_nearer=share,
            chosen_nearer_error=_share_error(share, n),
        )
