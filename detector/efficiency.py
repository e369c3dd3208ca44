"""Which particles are found: tracks with the turn-on of soft ones, photons, pi0, and K_S in flight.

Whether a particle is found is one random number of its own against its efficiency, so a scan of an
efficiency loses the same events first, and a change for one kind of particle leaves the others.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from detector.streams import FIRST_FOUND
from detector.table_lookup import PackedTables, pack_tables, value_at
from simgen.jit import lean_kernel
from simgen.random import Stage, open_stream, seek, uniform

if TYPE_CHECKING:
    from detector.profiles import DetectorProfile
    from simgen.typing import BoolArray, FloatArray, Int32Array, IntArray, UInt64Array

_PHOTON, _PI0, _KS = 22, 111, 310
_TRACKS, _PHOTONS, _PI0S, _FLIGHT = 0, 1, 2, 3  # places of the tables
_ROOT_2 = math.sqrt(2.0)


class EfficiencyModel(NamedTuple):
    """The efficiencies of a `DetectorProfile` for kernels."""

    share: PackedTables
    pt_half: float
    width: float
    flight_min: float
    flight_max: float


def efficiency_model(profile: DetectorProfile) -> EfficiencyModel:
    """Return the numbers of `profile` that a kernel needs."""
    tracks, ks = profile.tracks.efficiency, profile.ks
    return EfficiencyModel(
        share=pack_tables(
            [tracks.plateau, profile.photons.efficiency, profile.pi0.efficiency, ks.efficiency]
        ),
        pt_half=tracks.pt_half,
        width=tracks.width,
        flight_min=ks.flight_min,
        flight_max=ks.flight_max,
    )


def find_particles(
    p4: FloatArray,
    pdgid: Int32Array,
    flight: FloatArray,
    event_id: IntArray,
    index: IntArray,
    profile: DetectorProfile,
    seed: int,
) -> BoolArray:
    """Draw which particles are found, of those that are in the acceptance.

    Parameters
    ----------
    p4
        (n, 4) true momenta (px, py, pz, E), lab frame, GeV.
    pdgid
        (n,) PDG numbers. Photons, pi0 (without their photons) and K_S (without their pions) have
        efficiencies of their own; all others are tracks.
    flight
        (n,) transverse flight, mm; used for K_S only.
    event_id
        (n,) the events' numbers.
    index
        (n,) the particles' places in their events.
    profile
        Efficiencies.
    seed
        The run's seed.

    Returns
    -------
    (n,) array
        Whether each is found.
    """
    out = np.empty(len(p4), dtype=np.bool_)
    state = open_stream(seed, int(Stage.SMEAR))
    model = efficiency_model(profile)
    _find_all(p4, np.abs(pdgid), flight, event_id, index, model, state, out)
    return out


@lean_kernel
def _find_all(
    p4: FloatArray,
    pdgid: Int32Array,
    flight: FloatArray,
    event_id: IntArray,
    index: IntArray,
    model: EfficiencyModel,
    state: UInt64Array,
    out: BoolArray,
) -> None:
    """Write whether each row of `p4` is found to `out`."""
    for i in range(len(p4)):
        out[i] = is_found(p4[i], pdgid[i], flight[i], event_id[i], index[i], model, state)


@lean_kernel
def is_found(
    p: FloatArray,
    pdgid: int,
    flight: float,
    event_id: int,
    index: int,
    model: EfficiencyModel,
    state: UInt64Array,
) -> bool:
    """Return whether a particle is found; arguments as for `find_particles`, pdgid absolute."""
    seek(state, event_id, FIRST_FOUND + index)
    found: bool = uniform(state) < share_found(p, pdgid, flight, model)
    return found


@lean_kernel
def share_found(p: FloatArray, pdgid: int, flight: float, model: EfficiencyModel) -> float:
    """Return the efficiency of a particle with true momentum (4,) and transverse flight in mm."""
    pt = np.hypot(p[0], p[1])
    theta = np.arctan2(pt, p[2])
    if pdgid == _PHOTON:
        return float(value_at(model.share, _PHOTONS, p[3], pt, theta))
    if pdgid == _PI0:
        return float(value_at(model.share, _PI0S, p[3], pt, theta))
    if pdgid == _KS:
        if not model.flight_min <= flight <= model.flight_max:
            return 0.0
        return float(value_at(model.share, _FLIGHT, flight, pt, theta))
    share: float = value_at(model.share, _TRACKS, np.hypot(pt, p[2]), pt, theta)
    if model.width > 0.0:
        share *= 0.5 * math.erfc((model.pt_half - pt) / (_ROOT_2 * model.width))
    return share
