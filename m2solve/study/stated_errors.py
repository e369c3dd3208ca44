r"""The distributions of errors that a profile states, written apart from the kernels that smear.

An error x with the stated distribution F has the normal score Phi^-1(F(x)), a unit Gaussian, so one
test serves Gaussian errors, errors with tails and electrons that radiate
(`m2solve.study.electron_errors`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.interpolate import RegularGridInterpolator
from scipy.special import ndtr, ndtri

from detector.tables import Table

if TYPE_CHECKING:
    from collections.abc import Mapping

    from detector.profiles import DetectorProfile, EnergyCurve, PhotonProfile, TrackProfile
    from detector.sections import Tail
    from simgen.typing import FloatArray

_MOST_STEPS, _TOLERANCE = 100, 1e-5


def table_values(table: float | Table, where: Mapping[str, FloatArray]) -> FloatArray:
    """Return the values of a table of a profile.

    Parameters
    ----------
    table
        A table, or a number.
    where
        (n,) p, pT or energy in GeV, theta in degrees, flight in mm, luminosity as a share, by the
        name of the axis.

    Returns
    -------
    (n,) array
        Interpolated between points, or of the bins.
    """
    if not isinstance(table, Table):
        return np.full(len(next(iter(where.values()))), table)
    axes = [np.array(x) for x in table.axes.values()]
    places = [np.clip(where[name], x[0], x[-1]) for name, x in zip(table.axes, axes, strict=True)]
    values = np.array(table.values)
    if table.is_binned:
        bins = [np.minimum(np.searchsorted(x, at, side="right"), len(x) - 1) - 1
                for x, at in zip(axes, places, strict=True)]  # fmt: skip
        return np.asarray(values[tuple(bins)])
    for i, name in enumerate(table.axes):
        if name == "energy":
            axes[i], places[i] = np.log(axes[i]), np.log(places[i])
        if len(axes[i]) == 1:  # one point holds everywhere
            axes[i] = np.array([axes[i][0], axes[i][0] + 1.0])
            values = np.repeat(values, 2, axis=i)
    found = RegularGridInterpolator(axes, values)(np.column_stack(places))
    return np.asarray(found, np.float64)


def places_of(p4: FloatArray) -> dict[str, FloatArray]:
    """Return p, pT, energy (GeV) and theta (degrees) of momenta (n, 4), by the name of the axis."""
    pt = np.hypot(p4[:, 0], p4[:, 1])
    return {
        "p": np.hypot(pt, p4[:, 2]),
        "pt": pt,
        "energy": p4[:, 3],
        "theta": np.degrees(np.arctan2(pt, p4[:, 2])),
    }


def track_resolution(p4: FloatArray, profile: TrackProfile) -> FloatArray:
    r"""Return the standard deviations of charged particles, without tails.

    .. math::

        \sigma(p_T)/p_T = a p_T \oplus b/\beta, \quad
        \sigma(\theta) = \sigma_\theta \oplus c/(p\beta\sin^{1/2}\theta), \quad
        \sigma(\phi) = \sigma_\phi \oplus c/(p\beta\sin^{3/2}\theta),

    as `detector.profiles` defines them, with its tables.

    Parameters
    ----------
    p4
        (n, 4) true momenta (px, py, pz, E), lab frame, GeV.
    profile
        Resolutions.

    Returns
    -------
    (n, 3) array
        Of pT (relative), theta and phi (rad).
    """
    where = places_of(p4)
    p, pt = where["p"], where["pt"]
    beta, sine = p / p4[:, 3], pt / p
    momentum, angles = profile.momentum, profile.angles
    scattering = angles.scattering / (p * beta)
    terms = (
        (momentum.curvature * pt, momentum.scattering / beta, momentum.table),
        (angles.theta, scattering / sine**0.5, angles.theta_table),
        (angles.phi, scattering / sine**1.5, angles.phi_table),
    )
    return np.column_stack(
        [np.sqrt(a**2 + b**2 + table_values(table, where) ** 2) for a, b, table in terms]
    )


def impact_resolution(p4: FloatArray, profile: TrackProfile) -> FloatArray:
    r"""Return the standard deviations of d0 and z0, (n, 2) in mm.

    .. math::

        \sigma(d_0) = a \oplus b/(p\beta\sin^{3/2}\theta) \oplus t, \quad
        \sigma(z_0) = a \oplus b/(p\beta\sin^{5/2}\theta) \oplus t,

    as `detector.profiles` defines them; parameters as for `track_resolution`.
    """
    where = places_of(p4)
    size = where["p"] ** 2 / p4[:, 3]  # p beta
    sine = where["pt"] / where["p"]
    found = []
    for curve, power in ((profile.impact.d0, 1.5), (profile.impact.z0, 2.5)):
        scattering = curve.scattering / (size * sine**power)
        found.append(np.sqrt(curve.hits**2 + scattering**2 + table_values(curve.table, where) ** 2))
    return np.column_stack(found)


def photon_resolution(p4: FloatArray, profile: PhotonProfile) -> FloatArray:
    """Return the standard deviations of photons: energy (relative), theta and phi (rad), (n, 3)."""
    curves = (profile.energy, profile.polar_angle, profile.azimuth)
    return np.column_stack([curve_values(curve, places_of(p4)) for curve in curves])


def curve_values(curve: EnergyCurve, where: Mapping[str, FloatArray]) -> FloatArray:
    """Return the quadratic sum of a curve's terms, (n,), at (n,) energies (GeV) and thetas."""
    energy = where["energy"]
    terms = (
        curve.inverse / energy,
        curve.inverse_root / energy**0.5,
        curve.inverse_fourth_root / energy**0.25,
        curve.constant,
        table_values(curve.table, where),
    )
    return np.asarray(np.sqrt(sum(term**2 for term in terms)))


def radiation_lengths(p4: FloatArray, profile: DetectorProfile) -> FloatArray:
    """Return the material that electrons (n, 4) cross, (n,) in radiation lengths."""
    where = places_of(p4)
    straight = table_values(profile.bremsstrahlung.radiation_length, where)
    return np.asarray(straight / np.sin(np.radians(where["theta"])))


def tail_scores(pull: FloatArray, tail: Tail) -> FloatArray:
    """Return normal scores of pulls that a wider Gaussian is mixed into."""
    if tail.fraction == 0.0 or tail.scale == 1.0:
        return pull
    size = np.abs(pull)  # the upper side is exact far out
    beyond = (1.0 - tail.fraction) * ndtr(-size) + tail.fraction * ndtr(-size / tail.scale)
    return np.asarray(-np.sign(pull) * ndtri(beyond))


def energy_scores(pull: FloatArray, asymmetry: float) -> FloatArray:
    """Return normal scores of photon energies less true ones, in units of the resolution.

    The logarithmic Gaussian of H. Ikeda et al., NIM A 441 (2000) 401, which is a Gaussian of
    ln(1 - asymmetry * pull); see `detector.energy_shape`.
    """
    width = log_width(asymmetry)
    if width == 0.0:
        return pull
    inside = np.maximum(1.0 - asymmetry * pull, 1e-300)
    return np.asarray(width - np.log(inside) / width)


def shaped_errors(scores: FloatArray, asymmetry: float) -> FloatArray:
    """Return the errors in units of the resolution of normal scores: `energy_scores` backwards."""
    width = log_width(asymmetry)
    return np.asarray(-np.expm1(width * width - width * scores) / asymmetry)


def log_width(asymmetry: float) -> float:
    """Return sigma_0 of the logarithmic Gaussian, with sinh(sigma_0 sqrt(ln 4)) in place of y."""
    root = np.sqrt(np.log(4.0))
    y = asymmetry * root
    return float(np.log(y + np.sqrt(1.0 + y * y)) / root)


def core_width(residual: FloatArray, tail: Tail) -> float:
    """Return the width of the core of errors with a stated tail, by maximum likelihood.

    Expectation and maximisation for the width alone: fraction and scale of the tail stay.
    """
    width = float(np.sqrt(np.mean(residual**2)))
    if tail.fraction == 0.0 or tail.scale == 1.0:
        return width
    odds = tail.fraction / (1.0 - tail.fraction) / tail.scale if tail.fraction < 1.0 else np.inf
    gain = 0.5 * (1.0 - 1.0 / tail.scale**2)
    for _ in range(_MOST_STEPS):
        with np.errstate(over="ignore"):  # certainly of the tail
            core = 1.0 / (1.0 + odds * np.exp(gain * (residual / width) ** 2))
        before = width
        width = float(np.sqrt(np.mean((core + (1.0 - core) / tail.scale**2) * residual**2)))
        if abs(width - before) < _TOLERANCE * width:
            break
    return width
