"""Photons: acceptance, and smearing of energy, theta and phi."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from detector.energy_shape import EnergyShape, energy_shape, shaped_error
from detector.streams import FIRST_PARTICLE
from detector.table_lookup import PackedTables, pack_tables, value_at
from simgen.jit import lean_kernel
from simgen.random import Stage, normal_pair, open_stream, seek

if TYPE_CHECKING:
    from detector.profiles import EnergyCurve, PhotonProfile
    from simgen.typing import FloatArray, IntArray, UInt64Array

# A Gaussian of a soft photon's energy could become negative; a photon keeps at least this.
_SMALLEST_SCALE = 0.01


class CurveModel(NamedTuple):
    """An `EnergyCurve` for kernels."""

    inverse: float
    inverse_root: float
    inverse_fourth_root: float
    constant: float
    table: PackedTables


class PhotonModel(NamedTuple):
    """A `PhotonProfile` for kernels; ranges of the polar angle as cosines."""

    cos_min: FloatArray
    cos_max: FloatArray
    energy_min: float
    energy: CurveModel
    shape: EnergyShape
    polar_angle: CurveModel
    azimuth: CurveModel


def curve_model(curve: EnergyCurve) -> CurveModel:
    """Return the numbers of `curve` that a kernel needs."""
    return CurveModel(
        inverse=curve.inverse,
        inverse_root=curve.inverse_root,
        inverse_fourth_root=curve.inverse_fourth_root,
        constant=curve.constant,
        table=pack_tables([curve.table]),
    )


def photon_model(profile: PhotonProfile) -> PhotonModel:
    """Return the numbers of `profile` that a kernel needs."""
    return PhotonModel(
        cos_min=np.array([math.cos(math.radians(high)) for _, high in profile.theta]),
        cos_max=np.array([math.cos(math.radians(low)) for low, _ in profile.theta]),
        energy_min=profile.energy_min,
        energy=curve_model(profile.energy),
        shape=energy_shape(profile.asymmetry),
        polar_angle=curve_model(profile.polar_angle),
        azimuth=curve_model(profile.azimuth),
    )


def smear_photons(
    p4: FloatArray, event_id: IntArray, index: IntArray, profile: PhotonProfile, seed: int
) -> FloatArray:
    """Smear photons, each with the random substream of its place in its event.

    Energy, polar angle and azimuth get independent Gaussian errors, whose sizes are the curves of
    the profile at the true energy; that of the energy has a tail if the profile gives it an
    asymmetry (`detector.energy_shape`), and its peak is where it was. The measured momentum is
    massless.

    Parameters
    ----------
    p4
        (n, 4) true momenta (px, py, pz, E), lab frame, GeV; not along the z axis.
    event_id
        (n,) the events' numbers.
    index
        (n,) the particles' places in their events.
    profile
        Resolutions; the acceptance is not applied.
    seed
        The run's seed.

    Returns
    -------
    (n, 4) array
        Measured momenta.
    """
    out = np.empty((len(p4), 4))
    state = open_stream(seed, int(Stage.SMEAR))
    _smear_all(p4, event_id, index, photon_model(profile), state, out)
    return out


@lean_kernel
def _smear_all(
    p4: FloatArray,
    event_id: IntArray,
    index: IntArray,
    model: PhotonModel,
    state: UInt64Array,
    out: FloatArray,
) -> None:
    """Smear each row of `p4` into `out`."""
    for i in range(len(p4)):
        seek(state, event_id[i], FIRST_PARTICLE + index[i])
        smear_photon(p4[i], model, state, out[i])


@lean_kernel
def resolution_at(curve: CurveModel, energy: float, theta: float) -> float:
    """Return a curve's value at an energy in GeV and a polar angle in rad."""
    root = np.sqrt(energy)
    a = curve.inverse / energy
    b = curve.inverse_root / root
    c = curve.inverse_fourth_root / np.sqrt(root)
    d = curve.constant
    t = value_at(curve.table, 0, energy, 0.0, theta)
    resolution: float = np.sqrt(a * a + b * b + c * c + d * d + t * t)
    return resolution


@lean_kernel
def photon_resolution(p: FloatArray, model: PhotonModel) -> tuple[float, float, float]:
    """Return the resolutions of energy (relative), theta and phi (rad) at a momentum.

    Standard deviations, but for the energy with an asymmetry: full width at half maximum / 2.355.
    """
    theta = np.arctan2(np.sqrt(p[0] * p[0] + p[1] * p[1]), p[2])
    return (
        resolution_at(model.energy, p[3], theta),
        resolution_at(model.polar_angle, p[3], theta),
        resolution_at(model.azimuth, p[3], theta),
    )


@lean_kernel
def photon_deviations(p: FloatArray, model: PhotonModel) -> tuple[float, float, float]:
    """Return the standard deviations of energy (relative), theta and phi (rad) at a momentum."""
    energy, theta, phi = photon_resolution(p, model)
    return energy * model.shape.spread, theta, phi


@lean_kernel
def energy_error(p: FloatArray, model: PhotonModel) -> float:
    """Return the standard deviation of a photon's energy, GeV, from its measured momentum (4,)."""
    theta = np.arctan2(np.hypot(p[0], p[1]), p[2])
    return float(p[3] * resolution_at(model.energy, p[3], theta) * model.shape.spread)


@lean_kernel
def photon_accepted(p: FloatArray, model: PhotonModel) -> bool:
    """Return whether the true momentum (4,) of a photon is in the acceptance."""
    if p[3] <= model.energy_min:
        return False
    cosine = p[2] / np.sqrt(p[0] * p[0] + p[1] * p[1] + p[2] * p[2])
    inside = False
    for i in range(len(model.cos_min)):
        inside = inside or model.cos_min[i] < cosine < model.cos_max[i]
    return inside


@lean_kernel
def smear_photon(p: FloatArray, model: PhotonModel, state: UInt64Array, out: FloatArray) -> None:
    """Write the measured momentum of a photon.

    Parameters
    ----------
    p
        (4,) true momentum, not along the z axis.
    model
        `photon_model` of a profile.
    state
        Random stream at the photon's substream; two pairs of normals are drawn.
    out
        (4,) receives the measured momentum; not the same array as `p`.
    """
    pt2 = p[0] * p[0] + p[1] * p[1]
    pt = np.sqrt(pt2)
    momentum = np.sqrt(pt2 + p[2] * p[2])
    sine, cosine = pt / momentum, p[2] / momentum
    n_energy, n_theta = normal_pair(state)
    n_phi, _ = normal_pair(state)

    sigma_energy, sigma_theta, sigma_phi = photon_resolution(p, model)
    scale = max(1.0 + shaped_error(n_energy, model.shape) * sigma_energy, _SMALLEST_SCALE)
    d_theta = n_theta * sigma_theta
    d_phi = n_phi * sigma_phi

    energy = scale * p[3]
    ct, st = np.cos(d_theta), np.sin(d_theta)
    cp, sp = np.cos(d_phi), np.sin(d_phi)
    # theta + d_theta beyond a pole comes back on the other side: its sine is never negative
    transverse = energy * abs(sine * ct + cosine * st) / pt
    out[0] = transverse * (p[0] * cp - p[1] * sp)
    out[1] = transverse * (p[1] * cp + p[0] * sp)
    out[2] = energy * (cosine * ct - sine * st)
    out[3] = energy
