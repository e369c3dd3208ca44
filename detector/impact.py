r"""Impact parameters: where a charged particle passes the beams, and how well it is measured.

The perigee of a track (`detector.helix`) is measured with independent Gaussian errors. Those of
phi, pT and theta are the errors of its momentum (`detector.tracks`), the same deviates; to them
come

.. math::

    \sigma(d_0) = a \oplus b/(p\beta\sin^{3/2}\theta) \oplus t, \quad
    \sigma(z_0) = a \oplus b/(p\beta\sin^{5/2}\theta) \oplus t,

the hits' resolution, multiple scattering in beam pipe and first layer, whose thickness goes
as 1/sin(theta), and t a table of the profile. A real d0 is correlated with phi, z0 with theta. A
vertex sees of that an angular error times its distance from the reference point, some 0.3 mm:
0.1 um, next to errors of 15 um.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from detector.helix import COT_THETA, CURVATURE, D0, N_PARAMETERS, OMEGA, PHI, Z0, to_perigee
from detector.streams import FIRST_IMPACT
from detector.table_lookup import PackedTables, pack_tables, value_at
from detector.tracks import TrackModel, track_model, track_resolution
from simgen.jit import lean_kernel
from simgen.random import Stage, normal_pair, open_stream, seek

if TYPE_CHECKING:
    from detector.profiles import TrackProfile
    from simgen.typing import FloatArray, IntArray, UInt64Array

# What is measured exactly is given this uncertainty, 1 nm, so that a fit can weigh it.
SHARPEST = 1e-6
_D0_TABLE, _Z0_TABLE = 0, 1


class ImpactModel(NamedTuple):
    """Impact parameters of a `TrackProfile` for kernels."""

    d0_hits: float
    d0_scattering: float
    z0_hits: float
    z0_scattering: float
    tables: PackedTables
    magnetic_field: float
    track: TrackModel


def impact_model(profile: TrackProfile) -> ImpactModel:
    """Return the numbers of `profile` that a kernel needs."""
    d0, z0 = profile.impact.d0, profile.impact.z0
    return ImpactModel(
        d0_hits=d0.hits,
        d0_scattering=d0.scattering,
        z0_hits=z0.hits,
        z0_scattering=z0.scattering,
        tables=pack_tables([d0.table, z0.table]),
        magnetic_field=profile.impact.magnetic_field,
        track=track_model(profile),
    )


def smear_perigees(
    p4: FloatArray,
    measured: FloatArray,
    charge: IntArray,
    production: FloatArray,
    event_id: IntArray,
    index: IntArray,
    profile: TrackProfile,
    seed: int,
    reference: FloatArray | None = None,
) -> tuple[FloatArray, FloatArray]:
    """Measure perigees of charged particles, for `detector.fit_vertices`.

    Parameters
    ----------
    p4, measured
        (n, 4) true momenta where the particles were made, and those of `detector.smear_tracks`
        with the same `event_id`, `index` and seed; GeV.
    charge
        (n,) 1 or -1.
    production
        (n, 3) where they were made, mm.
    event_id, index
        (n,) the events' numbers, and the particles' places in them.
    profile
        Resolutions and magnetic field.
    seed
        The run's seed.
    reference
        (3,) the reference point, mm; the origin if None.

    Returns
    -------
    tracks, variances : (n, 5) arrays
        Perigee parameters as `detector.helix` defines them, and variances of their errors.
    """
    origin = np.zeros(3) if reference is None else np.ascontiguousarray(reference, dtype=np.float64)
    tracks, variances = np.empty((len(p4), N_PARAMETERS)), np.empty((len(p4), N_PARAMETERS))
    state = open_stream(seed, int(Stage.SMEAR))
    _measure_all(
        p4, measured, charge, production, event_id, index, impact_model(profile), origin, state,
        tracks, variances,
    )  # fmt: skip
    return tracks, variances


@lean_kernel
def _measure_all(
    p4: FloatArray,
    measured: FloatArray,
    charge: IntArray,
    production: FloatArray,
    event_id: IntArray,
    index: IntArray,
    model: ImpactModel,
    reference: FloatArray,
    state: UInt64Array,
    tracks: FloatArray,
    variances: FloatArray,
) -> None:
    """Measure each row."""
    for i in range(len(p4)):
        seek(state, event_id[i], FIRST_IMPACT + index[i])
        measure_perigee(
            p4[i], measured[i], charge[i], production[i], reference, model, state,
            tracks[i], variances[i],
        )  # fmt: skip


@lean_kernel
def impact_resolution(p: FloatArray, model: ImpactModel) -> tuple[float, float]:
    """Return the standard deviations of d0 and z0 in mm at a momentum (4,)."""
    pt2 = p[0] * p[0] + p[1] * p[1]
    p2 = pt2 + p[2] * p[2]
    sine = np.sqrt(pt2 / p2)
    pt, momentum = np.sqrt(pt2), np.sqrt(p2)
    theta = np.arctan2(pt, p[2])
    t_d0 = value_at(model.tables, _D0_TABLE, momentum, pt, theta)
    t_z0 = value_at(model.tables, _Z0_TABLE, momentum, pt, theta)
    # p beta sin^(3/2)(theta)
    pt_eff = p2 / p[3] * sine * np.sqrt(sine)
    return (
        np.hypot(np.hypot(model.d0_hits, model.d0_scattering / pt_eff), t_d0),
        np.hypot(np.hypot(model.z0_hits, model.z0_scattering / (pt_eff * sine)), t_z0),
    )


@lean_kernel
def measure_perigee(
    p: FloatArray,
    measured: FloatArray,
    charge: int,
    production: FloatArray,
    reference: FloatArray,
    model: ImpactModel,
    state: UInt64Array,
    track: FloatArray,
    variance: FloatArray,
) -> None:
    """Write the measured perigee of a charged particle and the variances an analyst gives it.

    Parameters
    ----------
    p, measured
        (4,) true and measured momentum where the particle was made.
    charge
        1 or -1.
    production
        (>= 3,) where it was made, mm.
    reference
        (3,) the reference point, mm.
    model
        `impact_model` of a profile.
    state
        Random stream at the particle's substream of impact parameters; one pair of normals is
        drawn. The errors of phi, pT and theta are those of `measured`.
    track, variance
        (5,) receive the parameters of `detector.helix` and, from the measured momentum, their
        variances.
    """
    pt, m_pt = np.hypot(p[0], p[1]), np.hypot(measured[0], measured[1])
    bending = -CURVATURE * charge * model.magnetic_field
    to_perigee(production, np.arctan2(p[1], p[0]), bending / pt, p[2] / pt, reference, track)
    n_d0, n_z0 = normal_pair(state)
    sigma_d0, sigma_z0 = impact_resolution(p, model)
    track[D0] += n_d0 * sigma_d0
    track[Z0] += n_z0 * sigma_z0
    # the azimuth is wrong at the perigee by as much as where the particle was made
    cross = p[0] * measured[1] - p[1] * measured[0]
    track[PHI] += np.arctan2(cross, p[0] * measured[0] + p[1] * measured[1])
    track[OMEGA] = bending / m_pt
    track[COT_THETA] = measured[2] / m_pt

    sigma_d0, sigma_z0 = impact_resolution(measured, model)
    sigma_pt, sigma_theta, sigma_phi = track_resolution(measured, model.track)
    sigma_omega = track[OMEGA] * sigma_pt
    sigma_cot = sigma_theta * (1.0 + track[COT_THETA] * track[COT_THETA])
    variance[D0] = sigma_d0 * sigma_d0 + SHARPEST * SHARPEST
    variance[Z0] = sigma_z0 * sigma_z0 + SHARPEST * SHARPEST
    variance[PHI] = sigma_phi * sigma_phi
    variance[OMEGA] = sigma_omega * sigma_omega
    variance[COT_THETA] = sigma_cot * sigma_cot
