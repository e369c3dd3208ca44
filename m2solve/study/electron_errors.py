r"""The distribution of the measured pT of electrons that radiate, exact for each of them.

Of its momentum an electron keeps the share z = exp(-y), y from Gamma(c) with c = X / (ln 2 sin
theta). A photon of more than the least energy is added back with the probability q(E). With a
track's relative error sigma, and the photon's sigma_E, the measured over the true pT is

.. math::

    x = z (1 + \sigma g) + r (1 - z) (1 + \sigma_E h)\,[\mathrm{recovered}], \qquad
    r = \sin\theta_{measured}/\sin\theta,

with g and h unit Gaussians, since the photon is taken to go along the measured electron
(`detector.bremsstrahlung`). Its integral F(x) is a sum over cells in y, of probabilities that are
differences of incomplete gamma functions. Where nothing is recovered the density in a cell of z is
a straight line with the slope of Gamma's density, (1 - c)/(y z) of its mean, and the integrals

.. math::

    \psi(t) = \int^t \Phi = t \Phi(t) + \phi(t), \qquad
    \chi(t) = \int^t u \Phi(u)\,du = \tfrac12 ((t^2 - 1) \Phi(t) + t \phi(t))

make the sum smooth, however sharp the track. What is recovered is added back to nearly the true
momentum, whatever z, and changes little in a cell. F(x) is right to 3e-5, is uniform for measured
x, and its normal score a unit Gaussian.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.special import gammainc, ndtr, ndtri

from m2solve.study.stated_errors import (
    curve_values,
    places_of,
    radiation_lengths,
    table_values,
    track_resolution,
)

if TYPE_CHECKING:
    from detector.profiles import DetectorProfile
    from simgen.typing import BoolArray, FloatArray

_SOFT_CELLS, _HARD_CELLS = 30, 80
_LEAST, _MOST = 1e-6, 50.0  # of y: far below any resolution, and nothing left of the electron
_SHARPEST = 1e-9  # a track without error
_ROWS = 1000  # at once, for the memory
_EDGE = 1e-15
_NARROW = 0.05  # a cell that is a point to a track


def electron_scores(measured: FloatArray, true: FloatArray, profile: DetectorProfile) -> FloatArray:
    """Return normal scores of the measured pT of electrons that radiate, (n,).

    Parameters are those of `electron_integral`.
    """
    below = electron_integral(measured, true, profile)
    return np.asarray(ndtri(np.clip(below, _EDGE, 1.0 - _EDGE)))


def electron_integral(
    measured: FloatArray, true: FloatArray, profile: DetectorProfile
) -> FloatArray:
    """Return the probability of a smaller measured pT, (n,).

    Parameters
    ----------
    measured, true
        (n, 4) momenta (px, py, pz, E) of electrons in front of some material, lab frame, GeV.
    profile
        The detector, with its tails of tracks.
    """
    below = np.empty(len(true))
    for start in range(0, len(true), _ROWS):
        rows = slice(start, start + _ROWS)
        below[rows] = _integral(*_shares(measured[rows], true[rows]), true[rows], profile)
    return below


def _shares(measured: FloatArray, true: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return measured over true pT, and over true sin(theta), each (n,)."""
    at, expected = places_of(measured), places_of(true)
    pt = at["pt"] / expected["pt"]
    return pt, pt * expected["p"] / at["p"]


def _integral(
    share: FloatArray, turn: FloatArray, true: FloatArray, profile: DetectorProfile
) -> FloatArray:
    """Return F at shares (n,) of true momenta (n, 4); `turn` is r."""
    where = places_of(true)
    shape = (radiation_lengths(true, profile) / np.log(2.0))[:, np.newaxis]
    edges = _edges(where["p"], profile.photons.energy_min)
    lower = gammainc(shape, edges)
    lower[:, -1] = 1.0
    mass = np.diff(lower, axis=1)
    middle = np.sqrt(edges[:, :-1] * edges[:, 1:])
    middle[:, 0] = 0.0
    z = np.exp(-middle)
    lost = where["p"][:, np.newaxis] * -np.expm1(-middle)
    hard = (lost > profile.photons.energy_min) & (np.arange(lost.shape[1]) >= _SOFT_CELLS)
    hard &= _in_calorimeter(where["theta"], profile)[:, np.newaxis]
    theta = np.broadcast_to(where["theta"][:, np.newaxis], lost.shape)
    of_photons = {"energy": lost[hard], "theta": theta[hard]}
    recovered, error = np.zeros_like(lost), np.zeros_like(lost)
    recovered[hard] = table_values(profile.bremsstrahlung.recovery, of_photons)
    error[hard] = curve_values(profile.photons.energy, of_photons)
    error *= turn[:, np.newaxis] * (1.0 - z)
    slope = np.zeros_like(z)
    slope[:, 1:] = (1.0 - shape) / (middle * z)[:, 1:]
    centre = z + turn[:, np.newaxis] * (1.0 - z)

    x = share[:, np.newaxis]
    sigma = track_resolution(true, profile.tracks)[:, 0][:, np.newaxis]
    below = np.zeros(len(share))
    tail = profile.tracks.momentum.tail
    for weight, scale in ((1.0 - tail.fraction, 1.0), (tail.fraction, tail.scale)):
        if weight > 0.0:
            track = np.maximum(z * sigma * scale, _SHARPEST)
            part = (1.0 - recovered) * _spread_below(x, np.exp(-edges), slope, track)
            part += recovered * ndtr((x - centre) / np.hypot(track, error))
            below += weight * np.sum(mass * part, axis=1)
    return below


def _edges(p: FloatArray, energy_min: float) -> FloatArray:
    """Return edges of cells in y, (n, cells + 1); the least energy of a photon is one."""
    least = np.clip(energy_min / p, 2.0 * _LEAST, 1.0 - np.exp(-0.5 * _MOST))
    first = np.log(-np.log1p(-least))[:, np.newaxis]
    soft = np.linspace(0.0, 1.0, _SOFT_CELLS + 1)[np.newaxis]
    hard = np.linspace(0.0, 1.0, _HARD_CELLS + 1)[np.newaxis, 1:]
    low, high = np.log(_LEAST), np.log(_MOST)
    logs = np.concatenate([low + soft * (first - low), first + hard * (high - first)], axis=1)
    edges = np.exp(logs)
    edges[:, 0] = 0.0
    return np.asarray(edges)


def _spread_below(
    x: FloatArray, edges: FloatArray, slope: FloatArray, width: FloatArray
) -> FloatArray:
    """Return means of Phi((x - z) / width) over cells of z with edges (n, cells + 1).

    The density is 1 + slope times z less the middle of its cell.
    """
    top, bottom = (x - edges[:, :-1]) / width, (x - edges[:, 1:]) / width
    size, middle = bottom - top, 0.5 * (bottom + top)
    slope = -slope * width  # in t = (x - z) / width
    found = ndtr(middle + slope * size**2 / 12.0)
    wide = size > _NARROW
    low, high, a, b = top[wide], bottom[wide], middle[wide], slope[wide]
    below_low, below_high = _integrals(low), _integrals(high)
    even, tilted = (y - x for x, y in zip(below_low, below_high, strict=True))
    found[wide] = (even * (1.0 - b * a) + b * tilted) / size[wide]
    return np.asarray(found)


def _integrals(t: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return psi(t) and chi(t)."""
    below, density = ndtr(t), np.exp(-0.5 * t * t) / np.sqrt(2.0 * np.pi)
    return t * below + density, 0.5 * ((t * t - 1.0) * below + t * density)


def _in_calorimeter(theta: FloatArray, profile: DetectorProfile) -> BoolArray:
    """Return whether polar angles, degrees, are in the acceptance of photons."""
    inside = [(low < theta) & (theta < high) for low, high in profile.photons.theta]
    return np.asarray(np.any(inside, axis=0))
