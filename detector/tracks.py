"""Charged particles: acceptance, and Gaussian smearing of pT, theta and phi."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from detector.streams import FIRST_PARTICLE
from detector.table_lookup import PackedTables, pack_tables, value_at
from simgen.jit import lean_kernel
from simgen.random import Stage, normal_pair, open_stream, seek, uniform

if TYPE_CHECKING:
    from detector.profiles import TrackProfile
    from simgen.typing import FloatArray, IntArray, UInt64Array

# A resolution of tens of percent could make a Gaussian pT negative; a track has at least this.
_SMALLEST_SCALE = 0.01


class TailModel(NamedTuple):
    """A `Tail` for kernels."""

    fraction: float
    scale: float


class TrackModel(NamedTuple):
    """A `TrackProfile` for kernels; the range of the polar angle as cosines."""

    cos_min: float
    cos_max: float
    pt_min: float
    curvature: float
    scattering: float
    theta: float
    phi: float
    angle_scattering: float
    tables: PackedTables
    momentum_tail: TailModel
    angle_tail: TailModel


def track_model(profile: TrackProfile) -> TrackModel:
    """Return the numbers of `profile` that a kernel needs."""
    return TrackModel(
        cos_min=math.cos(math.radians(profile.theta[1])),
        cos_max=math.cos(math.radians(profile.theta[0])),
        pt_min=profile.pt_min,
        curvature=profile.momentum.curvature,
        scattering=profile.momentum.scattering,
        theta=profile.angles.theta,
        phi=profile.angles.phi,
        angle_scattering=profile.angles.scattering,
        tables=pack_tables(
            [profile.momentum.table, profile.angles.theta_table, profile.angles.phi_table]
        ),
        momentum_tail=TailModel(profile.momentum.tail.fraction, profile.momentum.tail.scale),
        angle_tail=TailModel(profile.angles.tail.fraction, profile.angles.tail.scale),
    )


def smear_tracks(
    p4: FloatArray, event_id: IntArray, index: IntArray, profile: TrackProfile, seed: int
) -> FloatArray:
    r"""Smear charged particles, each with the random substream of its place in its event.

    Transverse momentum, polar angle and azimuth get independent Gaussian errors,

    .. math::

        \sigma(p_T)/p_T = a p_T \oplus b/\beta, \quad
        \sigma(\theta) = \sigma_\theta \oplus c/(p\beta\sin^{1/2}\theta), \quad
        \sigma(\phi) = \sigma_\phi \oplus c/(p\beta\sin^{3/2}\theta),

    each with the table of the profile added in quadrature, evaluated at the true momentum. With the
    probability of its tail an error is wider. The energy follows from the true mass: the mass
    hypothesis is taken to be right.

    Parameters
    ----------
    p4
        (n, 4) true momenta (px, py, pz, E), lab frame, GeV; pT > 0.
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
    _smear_all(p4, event_id, index, track_model(profile), state, out)
    return out


@lean_kernel
def _smear_all(
    p4: FloatArray,
    event_id: IntArray,
    index: IntArray,
    model: TrackModel,
    state: UInt64Array,
    out: FloatArray,
) -> None:
    """Smear each row of `p4` into `out`."""
    for i in range(len(p4)):
        seek(state, event_id[i], FIRST_PARTICLE + index[i])
        smear_track(p4[i], model, state, out[i])


@lean_kernel
def track_accepted(p: FloatArray, model: TrackModel) -> bool:
    """Return whether the true momentum (4,) of a charged particle is in the acceptance."""
    pt2 = p[0] * p[0] + p[1] * p[1]
    if pt2 <= model.pt_min * model.pt_min:
        return False
    cosine = p[2] / np.sqrt(pt2 + p[2] * p[2])
    inside: bool = model.cos_min < cosine < model.cos_max
    return inside


@lean_kernel
def track_resolution(p: FloatArray, model: TrackModel) -> tuple[float, float, float]:
    """Return the standard deviations of pT (relative), theta and phi (rad) at a momentum (4,)."""
    pt2 = p[0] * p[0] + p[1] * p[1]
    pt = np.sqrt(pt2)
    momentum = np.sqrt(pt2 + p[2] * p[2])
    sine = pt / momentum
    inverse_beta = p[3] / momentum
    angle = model.angle_scattering * inverse_beta / (momentum * np.sqrt(sine))
    theta = np.arctan2(pt, p[2])
    t_pt = value_at(model.tables, 0, momentum, pt, theta)
    t_theta = value_at(model.tables, 1, momentum, pt, theta)
    t_phi = value_at(model.tables, 2, momentum, pt, theta)
    return (
        np.hypot(np.hypot(model.curvature * pt, model.scattering * inverse_beta), t_pt),
        np.hypot(np.hypot(model.theta, angle), t_theta),
        np.hypot(np.hypot(model.phi, angle / sine), t_phi),
    )


@lean_kernel
def smear_track(p: FloatArray, model: TrackModel, state: UInt64Array, out: FloatArray) -> None:
    """Write the measured momentum of a charged particle.

    Parameters
    ----------
    p
        (4,) true momentum with pT > 0.
    model
        `track_model` of a profile.
    state
        Random stream at the particle's substream; two pairs of normals are drawn, and if there are
        tails three more numbers.
    out
        (4,) receives the measured momentum; not the same array as `p`.
    """
    pt2 = p[0] * p[0] + p[1] * p[1]
    pt = np.sqrt(pt2)
    p2 = pt2 + p[2] * p[2]
    momentum = np.sqrt(p2)
    mass2 = max(p[3] * p[3] - p2, 0.0)
    sine, cosine = pt / momentum, p[2] / momentum
    n_pt, n_theta = normal_pair(state)
    n_phi, _ = normal_pair(state)
    if model.momentum_tail.fraction + model.angle_tail.fraction > 0.0:
        n_pt *= _widening(model.momentum_tail, uniform(state))
        n_theta *= _widening(model.angle_tail, uniform(state))
        n_phi *= _widening(model.angle_tail, uniform(state))

    sigma_pt, sigma_theta, sigma_phi = track_resolution(p, model)
    scale = 1.0 + n_pt * sigma_pt
    d_theta = n_theta * sigma_theta
    d_phi = n_phi * sigma_phi

    scale = max(scale, _SMALLEST_SCALE)
    ct, st = np.cos(d_theta), np.sin(d_theta)
    cp, sp = np.cos(d_phi), np.sin(d_phi)
    out[0] = scale * (p[0] * cp - p[1] * sp)
    out[1] = scale * (p[1] * cp + p[0] * sp)
    # theta + d_theta beyond a pole comes back on the other side: its sine is never negative
    out[2] = scale * pt * (cosine * ct - sine * st) / abs(sine * ct + cosine * st)
    out[3] = np.sqrt(out[0] * out[0] + out[1] * out[1] + out[2] * out[2] + mass2)


@lean_kernel
def _widening(tail: TailModel, u: float) -> float:
    """Return the factor of an error, by a number uniform in [0, 1)."""
    return tail.scale if u < tail.fraction else 1.0
