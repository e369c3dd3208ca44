r"""Vertices of tracks: a least-squares fit, linearised and iterated.

Each track says how far, across and along z, a vertex x is from it; to first order that is a 2 x 3
linear measurement of x (`detector.helix.add_track`). Their weights add up,

.. math:: W = W_{prior} + \sum_i H_i^T G_i^{-1} H_i, \qquad C = W^{-1},

and the sum is solved, linearised anew at the solution, and solved again: the fit of P. Billoir,
S. Qian, NIM A 311 (1992) 139 for vertex positions.

A charmed meson flies before it decays. The vertex X of its tracks is x + t e, with e the direction
of its momentum, measured with covariance S, and t unknown. Seen from x, the weight of X is

.. math:: W_t = (W_X^{-1} + t^2 S)^{-1}, \qquad W_t - W_t e e^T W_t / (e^T W_t e),

its tracks without what they say along e. Both hold for a W_X without inverse, so a single track
of the meson does not need its own case. What bends a charged meson in flight is left out
(t^2 omega / 2, 0.1 um in 1 mm).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from detector.helix import N_PARAMETERS, add_track
from simgen.errors import InputArrayError
from simgen.jit import kernel, lean_kernel

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from simgen.typing import FloatArray

MOST_STEPS = 10
CONVERGED = 1e-5
"""A fit is linearised anew until it moves by less, 10 nm; two or three times near the beams."""


def fit_vertices(
    tracks: ArrayLike,
    variances: ArrayLike,
    *,
    reference: ArrayLike = (0.0, 0.0, 0.0),
    prior_mean: ArrayLike = (0.0, 0.0, 0.0),
    prior_covariance: ArrayLike,
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Fit one vertex to each group of tracks.

    Parameters
    ----------
    tracks, variances
        (n, m, 5) perigee parameters of m tracks a vertex, as `detector.helix` defines them, and
        the variances of their independent errors.
    reference
        (3,) reference point of the perigees, mm.
    prior_mean, prior_covariance
        (3,) or (n, 3), and (3, 3): where the vertex is known to be, mm and mm^2. A wide one makes
        a vertex of tracks alone.

    Returns
    -------
    position : (n, 3) array
        mm.
    covariance : (n, 3, 3) array
        mm^2.
    chi2 : (n,) array
        Of the tracks and the prior, 2 m degrees of freedom.

    Raises
    ------
    InputArrayError
        If a shape is wrong, or the prior's covariance is not positive definite.
    """
    q = np.ascontiguousarray(tracks, dtype=np.float64)
    v = np.ascontiguousarray(variances, dtype=np.float64)
    if q.ndim != 3 or q.shape[2] != N_PARAMETERS or v.shape != q.shape:
        raise InputArrayError(
            f"tracks {q.shape} and variances {v.shape} must have the shape (n, m, {N_PARAMETERS})"
        )
    covariance = np.asarray(prior_covariance, dtype=np.float64)
    if covariance.shape != (3, 3) or np.linalg.eigvalsh(covariance)[0] <= 0.0:
        raise InputArrayError("prior_covariance must be a positive definite matrix (3, 3)")
    mean = np.array(np.broadcast_to(np.asarray(prior_mean, dtype=np.float64), (len(q), 3)))
    origin = np.ascontiguousarray(reference, dtype=np.float64)
    weight = np.ascontiguousarray(np.linalg.inv(covariance))
    position, fitted = np.empty((len(q), 3)), np.empty((len(q), 3, 3))
    chi2 = np.empty(len(q))
    _fit_all(q, v, origin, mean, weight, position, fitted, chi2)
    return position, fitted, chi2


@lean_kernel
def _fit_all(
    tracks: FloatArray,
    variances: FloatArray,
    reference: FloatArray,
    prior_mean: FloatArray,
    prior_weight: FloatArray,
    position: FloatArray,
    covariance: FloatArray,
    chi2: FloatArray,
) -> None:
    """Fit each row; arguments as in `fit_vertices`."""
    for i in range(len(tracks)):
        chi2[i] = fit_tracks(
            tracks[i], variances[i], tracks.shape[1], reference, prior_mean[i], prior_weight,
            position[i], covariance[i],
        )  # fmt: skip


@kernel
def fit_tracks(
    tracks: FloatArray,
    variances: FloatArray,
    n: int,
    reference: FloatArray,
    prior_mean: FloatArray,
    prior_weight: FloatArray,
    position: FloatArray,
    covariance: FloatArray,
) -> float:
    """Fit a vertex to tracks; return chi^2.

    Parameters
    ----------
    tracks, variances
        (>= n, 5) perigee parameters and variances.
    n
        Number of tracks.
    reference
        (3,) of the perigees, mm.
    prior_mean, prior_weight
        (3,) and (3, 3), mm and 1/mm^2; the weight has an inverse. The fit starts at the mean.
    position, covariance
        (3,) and (3, 3), receive the vertex, mm and mm^2.
    """
    weight, information = np.empty((3, 3)), np.empty(3)
    position[:] = prior_mean
    chi2 = 0.0
    for _ in range(MOST_STEPS):
        start_sum(prior_mean, prior_weight, weight, information)
        for j in range(n):
            add_track(tracks, variances, j, reference, position, weight, information)
        invert(weight, covariance)
        if _solve(covariance, information, position) < CONVERGED:
            break
    for i in range(3):
        for j in range(3):
            chi2 += (
                (position[i] - prior_mean[i]) * prior_weight[i, j] * (position[j] - prior_mean[j])
            )
    for j in range(n):
        chi2 += add_track(tracks, variances, j, reference, position, weight, information)
    return chi2


@kernel
def fit_with_meson(
    tracks: FloatArray,
    variances: FloatArray,
    n: int,
    meson_tracks: FloatArray,
    meson_variances: FloatArray,
    n_meson: int,
    momentum: FloatArray,
    momentum_covariance: FloatArray,
    reference: FloatArray,
    prior_mean: FloatArray,
    prior_weight: FloatArray,
    position: FloatArray,
    covariance: FloatArray,
) -> None:
    """Fit a vertex to tracks and to a meson that flies from it before it decays to tracks.

    Parameters
    ----------
    tracks, variances, n
        Tracks from the vertex, as in `fit_tracks`.
    meson_tracks, meson_variances, n_meson
        Those from the decay of the meson.
    momentum, momentum_covariance
        (>= 3,) and (3, 3), of the meson, GeV and GeV^2.
    reference, prior_mean, prior_weight, position, covariance
        As in `fit_tracks`.
    """
    weight, information = np.empty((3, 3)), np.empty(3)
    meson_weight, meson_information = np.empty((3, 3)), np.empty(3)
    unit, decay, along = np.empty(3), np.empty(3), np.empty(3)
    spread = np.empty((3, 3))
    _direction(momentum, momentum_covariance, unit, spread)
    position[:] = prior_mean
    decay[:] = prior_mean
    flight = 0.0
    for _ in range(MOST_STEPS):
        meson_weight[:] = 0.0
        meson_information[:] = 0.0
        for j in range(n_meson):
            add_track(
                meson_tracks, meson_variances, j, reference, decay,
                meson_weight, meson_information,
            )  # fmt: skip
        _blur(meson_weight, meson_information, spread, flight * flight)
        multiply(meson_weight, unit, along)
        size = unit[0] * along[0] + unit[1] * along[1] + unit[2] * along[2]
        told = 0.0
        for i in range(3):
            told += unit[i] * meson_information[i]

        start_sum(prior_mean, prior_weight, weight, information)
        for j in range(n):
            add_track(tracks, variances, j, reference, position, weight, information)
        for i in range(3):
            information[i] += meson_information[i] - along[i] * told / size
            for j in range(3):
                weight[i, j] += meson_weight[i, j] - along[i] * along[j] / size
        invert(weight, covariance)
        moved = _solve(covariance, information, position)
        for i in range(3):
            told -= along[i] * position[i]
        moved = max(moved, abs(told / size - flight))
        flight = told / size
        for i in range(3):
            decay[i] = position[i] + flight * unit[i]
        if moved < CONVERGED:
            break


@kernel
def _direction(
    momentum: FloatArray, covariance: FloatArray, unit: FloatArray, spread: FloatArray
) -> None:
    """Write the direction (3,) of a momentum and its covariance (3, 3)."""
    size = np.sqrt(momentum[0] ** 2 + momentum[1] ** 2 + momentum[2] ** 2)
    for i in range(3):
        unit[i] = momentum[i] / size
    across = np.empty((3, 3))  # projection across the direction, over |p|
    for i in range(3):
        for j in range(3):
            across[i, j] = ((1.0 if i == j else 0.0) - unit[i] * unit[j]) / size
    for i in range(3):
        for j in range(3):
            total = 0.0
            for k in range(3):
                for m in range(3):
                    total += across[i, k] * covariance[k, m] * across[j, m]
            spread[i, j] = total


@kernel
def _blur(weight: FloatArray, information: FloatArray, spread: FloatArray, factor: float) -> None:
    """Add the covariance ``factor * spread`` to a measurement with a weight, which may be singular.

    W becomes (1 + W S)^-1 W, and W x becomes (1 + W S)^-1 W x.
    """
    if factor == 0.0:
        return
    mixed, inverse = np.empty((3, 3)), np.empty((3, 3))
    old_weight, old_information = weight.copy(), information.copy()
    for i in range(3):
        for j in range(3):
            total = 1.0 if i == j else 0.0
            for k in range(3):
                total += factor * weight[i, k] * spread[k, j]
            mixed[i, j] = total
    invert(mixed, inverse)
    multiply(inverse, old_information, information)
    for i in range(3):
        for j in range(3):
            total = 0.0
            for k in range(3):
                total += inverse[i, k] * old_weight[k, j]
            weight[i, j] = total
    for i in range(3):
        for j in range(i):
            mean = 0.5 * (weight[i, j] + weight[j, i])
            weight[i, j], weight[j, i] = mean, mean


@lean_kernel
def start_sum(
    mean: FloatArray, prior_weight: FloatArray, weight: FloatArray, information: FloatArray
) -> None:
    """Let W and W x be those of the prior."""
    for i in range(3):
        information[i] = 0.0
        for j in range(3):
            weight[i, j] = prior_weight[i, j]
            information[i] += prior_weight[i, j] * mean[j]


@lean_kernel
def invert(a: FloatArray, out: FloatArray) -> None:
    """Write the inverse of a matrix (3, 3), by cofactors."""
    for i in range(3):
        i1, i2 = (i + 1) % 3, (i + 2) % 3
        for j in range(3):
            j1, j2 = (j + 1) % 3, (j + 2) % 3
            out[j, i] = a[i1, j1] * a[i2, j2] - a[i1, j2] * a[i2, j1]
    determinant = a[0, 0] * out[0, 0] + a[0, 1] * out[1, 0] + a[0, 2] * out[2, 0]
    for i in range(3):
        for j in range(3):
            out[i, j] /= determinant


@lean_kernel
def _solve(covariance: FloatArray, information: FloatArray, position: FloatArray) -> float:
    """Write the position that solves W x = information; return how far it moved."""
    moved = 0.0
    for i in range(3):
        x = (
            covariance[i, 0] * information[0]
            + covariance[i, 1] * information[1]
            + covariance[i, 2] * information[2]
        )
        moved += (x - position[i]) ** 2
        position[i] = x
    distance: float = np.sqrt(moved)
    return distance


@lean_kernel
def multiply(a: FloatArray, x: FloatArray, out: FloatArray) -> None:
    """Write the product of a matrix (3, 3) and a vector (3,), which is not `out`."""
    for i in range(3):
        out[i] = a[i, 0] * x[0] + a[i, 1] * x[1] + a[i, 2] * x[2]
