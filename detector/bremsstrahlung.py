r"""Bremsstrahlung of electrons in the material before and in the tracker, and its recovery.

Of the momentum of an electron a share z is left behind t radiation lengths of material, with the
density of H. Bethe, W. Heitler, Proc. R. Soc. A 146 (1934) 83,

.. math::

    f(z) = \frac{(-\ln z)^{c - 1}}{\Gamma(c)}, \qquad c = t / \ln 2, \qquad
    t = \frac{X}{\sin\theta},

so that -ln z has the distribution Gamma(c) and the mean of z is exp(-t); X may be a table in theta.
All that is radiated
counts as one photon along the electron.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from detector.energy_shape import shaped_error
from detector.photons import PhotonModel, photon_accepted, photon_model, resolution_at
from detector.streams import FIRST_PARTICLE, FIRST_RADIATION
from detector.table_lookup import PackedTables, pack_tables, value_at
from detector.tracks import TrackModel, smear_track, track_model
from simgen.jit import kernel, lean_kernel
from simgen.random import Stage, normal_pair, open_stream, seek, uniform

if TYPE_CHECKING:
    from detector.profiles import DetectorProfile
    from simgen.typing import FloatArray, IntArray, UInt64Array

_LOG_2 = math.log(2.0)
_MATERIAL, _RECOVERY = 0, 1


class BremsstrahlungModel(NamedTuple):
    """A `BremsstrahlungProfile` for kernels, with the photons it may recover."""

    tables: PackedTables
    can_radiate: bool
    photons: PhotonModel


def bremsstrahlung_model(profile: DetectorProfile) -> BremsstrahlungModel:
    """Return the numbers of `profile` that a kernel needs."""
    material = profile.bremsstrahlung.radiation_length
    return BremsstrahlungModel(
        tables=pack_tables([material, profile.bremsstrahlung.recovery]),
        can_radiate=material != 0.0,
        photons=photon_model(profile.photons),
    )


def smear_electrons(
    p4: FloatArray, event_id: IntArray, index: IntArray, profile: DetectorProfile, seed: int
) -> FloatArray:
    """Smear electrons, as other tracks, and let them radiate.

    Parameters
    ----------
    p4
        (n, 4) true momenta (px, py, pz, E), lab frame, GeV; pT > 0.
    event_id
        (n,) the events' numbers.
    index
        (n,) the particles' places in their events.
    profile
        Resolutions of tracks and photons, and material; the acceptance is not applied.
    seed
        The run's seed.

    Returns
    -------
    (n, 4) array
        Measured momenta, with recovered photons.
    """
    out = np.empty((len(p4), 4))
    state = open_stream(seed, int(Stage.SMEAR))
    models = track_model(profile.tracks), bremsstrahlung_model(profile)
    _smear_all(p4, event_id, index, *models, state, out)
    return out


@lean_kernel
def _smear_all(
    p4: FloatArray,
    event_id: IntArray,
    index: IntArray,
    tracks: TrackModel,
    model: BremsstrahlungModel,
    state: UInt64Array,
    out: FloatArray,
) -> None:
    """Smear each row of `p4` into `out`."""
    for i in range(len(p4)):
        seek(state, event_id[i], FIRST_PARTICLE + index[i])
        smear_track(p4[i], tracks, state, out[i])
        seek(state, event_id[i], FIRST_RADIATION + index[i])
        radiate(p4[i], model, state, out[i])


@kernel
def radiate(
    p: FloatArray, model: BremsstrahlungModel, state: UInt64Array, measured: FloatArray
) -> None:
    """Take what an electron radiates from its measured momentum, and add back what is recovered.

    Parameters
    ----------
    p
        (4,) true momentum with pT > 0.
    model
        `bremsstrahlung_model` of a profile.
    state
        Random stream at the electron's substream of radiation.
    measured
        (4,) momentum measured without radiation; changed in place. The mass stays.
    """
    if not model.can_radiate:
        return
    pt = np.hypot(p[0], p[1])
    theta = np.arctan2(pt, p[2])
    material = value_at(model.tables, _MATERIAL, 0.0, 0.0, theta)
    if material == 0.0:
        return
    momentum = np.hypot(pt, p[2])
    n_gamma, _ = normal_pair(state)
    u = uniform(state)
    left = np.exp(-_gamma(material * momentum / (pt * _LOG_2), state))
    radiated = (1.0 - left) * momentum
    scale, recovered = left, 0.0
    if radiated > model.photons.energy_min:
        share = radiated / momentum
        photon = np.array([share * p[0], share * p[1], share * p[2], radiated])
        seen = photon_accepted(photon, model.photons)
        if seen and u < value_at(model.tables, _RECOVERY, radiated, 0.0, theta):
            unit = shaped_error(n_gamma, model.photons.shape)
            error = unit * resolution_at(model.photons.energy, radiated, theta)
            recovered = radiated * max(1.0 + error, 0.0)
    square = measured[0] * measured[0] + measured[1] * measured[1] + measured[2] * measured[2]
    mass2 = max(measured[3] * measured[3] - square, 0.0)
    scale += recovered / np.sqrt(square)
    for i in range(3):
        measured[i] *= scale
    measured[3] = np.sqrt(scale * scale * square + mass2)


@lean_kernel
def _gamma(shape: float, state: UInt64Array) -> float:
    """Return a number from the distribution Gamma(shape), for any positive shape.

    G. Marsaglia, W. W. Tsang, ACM Trans. Math. Softw. 26 (2000) 363, for shape + 1, and a power of
    a uniform number to come down to shape.
    """
    power = np.exp(np.log(1.0 - uniform(state)) / shape)
    d = shape + 2.0 / 3.0
    c = 1.0 / np.sqrt(9.0 * d)
    while True:
        x, _ = normal_pair(state)
        v = 1.0 + c * x
        u = 1.0 - uniform(state)
        if v > 0.0:
            v = v * v * v
            if np.log(u) < 0.5 * x * x + d * (1.0 - v + np.log(v)):
                return float(d * v * power)
