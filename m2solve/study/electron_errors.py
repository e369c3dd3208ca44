r"""The distribution of the measured pT of electrons that radiate, exact for each of them.

Of its momentum an electron keeps the share z = exp(-y), y from Gamma(c) with c = X / (ln 2 sin
theta). A photon of more than the least energy is added back with the probability q(E). With a
track's relative error sigma, and the photon's sigma_E, the measured over the true pT is

.. math::

    x = z (1 + \sigma g) + r (1 - z) (1 + \sigma_E h)\,[\mathrm{recovered}], \qquad
    r = \sin\theta_{measured}/\sin\theta,

with g a unit Gaussian, and h one or, with an asymmetry, a logarithmic one
(`detector.energy_shape`), since the photon is taken to go along the measured electron
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

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy.special import gammainc, ndtri

from m2solve.study.stated_errors import (
    curve_values,
    log_width,
    places_of,
    radiation_lengths,
    shaped_errors,
    table_values,
    track_resolution,
)
from simgen.jit import kernel

if TYPE_CHECKING:
    from detector.profiles import DetectorProfile
    from simgen.typing import BoolArray, FloatArray

_SOFT_CELLS, _HARD_CELLS = 30, 80
_LEAST, _MOST = 1e-6, 50.0  # of y: far below any resolution, and nothing left of the electron
_SHARPEST = 1e-9  # a track without error
_ROWS = 1000  # at once, for the memory
_EDGE = 1e-15
_POINTS, _WEIGHTS = np.polynomial.hermite_e.hermegauss(8)
_WEIGHTS /= np.sqrt(2.0 * np.pi)
_NARROW = 0.05  # a cell that is a point to a track
_FAR = 9.0  # standard deviations
_ROOT_HALF, _ROOT_PI = math.sqrt(0.5), math.sqrt(math.pi)


class _Cells(NamedTuple):
    """Cells of y for each of n electrons.

    Attributes
    ----------
    edges
        (n, cells + 1) z, falling.
    z, mass, slope
        (n, cells) z in the middle, probability, and slope of the density over its mean.
    recovered, centre, error
        (n, cells) share that is recovered, and mean and standard deviation of x that the photon
        then gives it.
    """

    edges: FloatArray
    z: FloatArray
    mass: FloatArray
    slope: FloatArray
    recovered: FloatArray
    centre: FloatArray
    error: FloatArray


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

    below = np.empty(len(share))
    tail, eta = profile.tracks.momentum.tail, profile.photons.asymmetry
    sigma = track_resolution(true, profile.tracks)[:, 0]
    shaped = _POINTS if eta == 0.0 else shaped_errors(_POINTS, eta)
    cells = _Cells(np.exp(-edges), z, mass, slope, recovered, centre, error)
    _add_up(share, sigma, (tail.fraction, tail.scale), cells, (eta, log_width(eta)), shaped, below)
    return below


@kernel
def _add_up(
    share: FloatArray,
    sigma: FloatArray,
    tail: tuple[float, float],
    cells: _Cells,
    shape: tuple[float, float],
    shaped: FloatArray,
    below: FloatArray,
) -> None:
    """Write F (n,); `shape` is the photons' asymmetry and sigma_0, `shaped` errors at `_POINTS`."""
    fraction, scale = tail
    for i in range(len(share)):
        x = share[i]
        below[i] = 0.0
        for is_tail in range(2):
            weight = fraction if is_tail == 1 else 1.0 - fraction
            if weight == 0.0:
                continue
            width = sigma[i] * (scale if is_tail == 1 else 1.0)
            for j in range(cells.z.shape[1]):
                track, q = max(cells.z[i, j] * width, _SHARPEST), cells.recovered[i, j]
                part = 0.0
                if q < 1.0:
                    part += (1.0 - q) * _spread_below(
                        x, cells.edges[i, j], cells.edges[i, j + 1], cells.slope[i, j], track
                    )
                if q > 0.0:
                    part += q * _recovered_below(
                        x - cells.centre[i, j], track, cells.error[i, j], shape, shaped
                    )
                below[i] += weight * cells.mass[i, j] * part


@kernel
def _recovered_below(
    x: float, track: float, photon: float, shape: tuple[float, float], shaped: FloatArray
) -> float:
    """Return the probability that the errors of track and photon add up to less than x.

    With an asymmetry of the photon's, the narrower of the two is integrated over at the points of
    Gauss and Hermite, the other exactly.
    """
    eta, width = shape
    if eta == 0.0:
        return _phi(x / np.hypot(track, photon))
    below = 0.0
    for k in range(len(shaped)):
        if track >= photon:
            below += _WEIGHTS[k] * _phi((x - photon * shaped[k]) / track)
        else:
            inside = 1.0 - eta * (x - track * _POINTS[k]) / photon
            below += _WEIGHTS[k] * (_phi(width - np.log(inside) / width) if inside > 0.0 else 1.0)
    return below


@kernel
def _spread_below(x: float, high: float, low: float, slope: float, width: float) -> float:
    """Return the mean of Phi((x - z) / width) over a cell of z, `low` to `high`.

    The density is 1 + slope times z less the middle of the cell.
    """
    first, last = (x - high) / width, (x - low) / width
    if last < -_FAR:
        return 0.0
    if first > _FAR:
        return 1.0
    size, middle, tilt = last - first, 0.5 * (first + last), -slope * width
    if size < _NARROW:
        return _phi(middle + tilt * size * size / 12.0)
    p, q = _phi(first), _phi(last)
    f, g = _gauss(first), _gauss(last)
    psi = last * q + g - first * p - f
    chi = 0.5 * ((last * last - 1.0) * q + last * g - (first * first - 1.0) * p - first * f)
    return float((psi * (1.0 - tilt * middle) + tilt * chi) / size)


@kernel
def _phi(t: float) -> float:
    """Return the integral of the unit Gaussian."""
    return 0.5 * math.erfc(-t * _ROOT_HALF)


@kernel
def _gauss(t: float) -> float:
    """Return the unit Gaussian."""
    return float(np.exp(-0.5 * t * t) * _ROOT_HALF / _ROOT_PI)


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


def _in_calorimeter(theta: FloatArray, profile: DetectorProfile) -> BoolArray:
    """Return whether polar angles, degrees, are in the acceptance of photons."""
    inside = [(low < theta) & (theta < high) for low, high in profile.photons.theta]
    return np.asarray(np.any(inside, axis=0))
