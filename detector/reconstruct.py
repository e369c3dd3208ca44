"""From matched particles to reconstructed objects: acceptance and smearing over a block.

Acceptance is a matter of the true momenta, so the same events have candidates whatever the
resolutions are, and a scan of resolutions compares the same candidates.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from detector.bremsstrahlung import BremsstrahlungModel, bremsstrahlung_model, radiate
from detector.efficiency import EfficiencyModel, efficiency_model, is_found
from detector.identification import (
    IdentificationModel,
    draw_hypotheses,
    identification_model,
    species_of,
)
from detector.photons import (
    PhotonModel,
    photon_accepted,
    photon_model,
    resolution_at,
    smear_photon,
)
from detector.pi0 import constrain_pi0
from detector.streams import FIRST_IDENTIFICATION, FIRST_PARTICLE, FIRST_RADIATION
from detector.topology import Found
from detector.tracks import TrackModel, smear_track, track_accepted, track_model
from simgen.jit import kernel
from simgen.random import seek

if TYPE_CHECKING:
    from detector.profiles import DetectorProfile
    from simgen.typing import FloatArray, Int8Array, Int32Array, IntArray, UInt64Array

_ELECTRON, _PHOTON, _PI0, _KS = 11, 22, 111, 310
_VISIBLE_D = int(Found.VISIBLE_D)
TRACKS_ACCEPTED = _VISIBLE_D + 1
PHOTONS_ACCEPTED = _VISIBLE_D + 2
FOUND = _VISIBLE_D + 3
IDENTIFIED = _VISIBLE_D + 4


class DetectorModel(NamedTuple):
    """A `DetectorProfile` for kernels: what is needed for tracks, photons and pi0s."""

    tracks: TrackModel
    bremsstrahlung: BremsstrahlungModel
    efficiency: EfficiencyModel
    identification: IdentificationModel
    photons: PhotonModel
    pi0_mass: float


def detector_model(profile: DetectorProfile) -> DetectorModel:
    """Return the numbers of `profile` that a kernel needs."""
    return DetectorModel(
        tracks=track_model(profile.tracks),
        bremsstrahlung=bremsstrahlung_model(profile),
        efficiency=efficiency_model(profile),
        identification=identification_model(profile.identification),
        photons=photon_model(profile.photons),
        pi0_mass=profile.pi0.mass,
    )


@kernel
def require_acceptance(
    offsets: IntArray,
    pdgid: Int32Array,
    mother: Int32Array,
    p4: FloatArray,
    role: Int8Array,
    detector: DetectorModel,
    passed: Int8Array,
) -> None:
    """Raise `passed` of events whose tracks, and then whose photons, are all accepted.

    Parameters
    ----------
    offsets, pdgid, mother, p4
        Columns of an `EventBlock`.
    role
        (N,) `Topology.role`.
    detector
        `detector_model` of a profile.
    passed
        (n,) `Topology.found` on entry; `TRACKS_ACCEPTED` or `PHOTONS_ACCEPTED` where it applies.
    """
    for i in range(len(passed)):
        if passed[i] < _VISIBLE_D:
            continue
        a, b = offsets[i], offsets[i + 1]
        tracks, photons = True, True
        for k in range(a, b):
            if role[k] == 0:
                continue
            if pdgid[k] == _PI0:
                photons = photons and _pi0_accepted(k, a, b, pdgid, mother, p4, detector.photons)
            elif pdgid[k] == _PHOTON:
                photons = photons and photon_accepted(p4[k], detector.photons)
            else:
                tracks = tracks and track_accepted(p4[k], detector.tracks)
        if tracks:
            passed[i] = PHOTONS_ACCEPTED if photons else TRACKS_ACCEPTED


@kernel
def _pi0_accepted(
    k: int,
    a: int,
    b: int,
    pdgid: Int32Array,
    mother: Int32Array,
    p4: FloatArray,
    photons: PhotonModel,
) -> bool:
    """Return whether the pi0 of row `k` decays to two accepted photons."""
    daughters = 0
    for j in range(k + 1, b):
        if mother[j] != k - a:
            continue
        daughters += 1
        if pdgid[j] != _PHOTON or not photon_accepted(p4[j], photons):
            return False
    return daughters == 2


@kernel
def require_found(
    event_id: IntArray,
    offsets: IntArray,
    pdgid: Int32Array,
    mother: Int32Array,
    p4: FloatArray,
    production: FloatArray,
    role: Int8Array,
    detector: DetectorModel,
    state: UInt64Array,
    passed: Int8Array,
) -> None:
    """Raise `passed` of accepted events of which every particle is found.

    A pi0 needs its photons as well, and a pion of a K_S the K_S.

    Parameters
    ----------
    event_id, offsets, pdgid, mother, p4, production
        Columns of an `EventBlock`.
    role
        (N,) `Topology.role`.
    detector
        `detector_model` of a profile.
    state
        Random stream of the smearing stage.
    passed
        (n,) of `require_acceptance`; `FOUND` where it applies.
    """
    for i in range(len(passed)):
        if passed[i] < PHOTONS_ACCEPTED:
            continue
        a, b = offsets[i], offsets[i + 1]
        found = True
        for k in range(a, b):
            m = a + mother[k]
            of_ks = mother[k] >= 0 and pdgid[m] == _KS
            of_pi0 = mother[k] >= 0 and pdgid[m] == _PI0
            if role[k] == 0 and not (of_pi0 and role[m] != 0):
                continue
            kind = abs(pdgid[k])
            found = found and is_found(
                p4[k], kind, 0.0, event_id[i], k - a, detector.efficiency, state
            )
            if of_ks and kind != _PI0:
                x = production[k, 0] - production[m, 0]
                y = production[k, 1] - production[m, 1]
                found = found and is_found(
                    p4[m], _KS, np.hypot(x, y), event_id[i], m - a, detector.efficiency, state
                )
        if found:
            passed[i] = FOUND


@kernel
def require_identification(
    event_id: IntArray,
    offsets: IntArray,
    pdgid: Int32Array,
    p4: FloatArray,
    role: Int8Array,
    detector: DetectorModel,
    state: UInt64Array,
    passed: Int8Array,
) -> None:
    """Raise `passed` of events whose tracks all pass the hypothesis of their true kind.

    Parameters
    ----------
    event_id, offsets, pdgid, p4
        Columns of an `EventBlock`.
    role
        (N,) `Topology.role`.
    detector
        `detector_model` of a profile.
    state
        Random stream of the smearing stage.
    passed
        (n,) on entry `FOUND` where all particles are; `IDENTIFIED` where it applies.
    """
    for i in range(len(passed)):
        if passed[i] < FOUND:
            continue
        identified = True
        for k in range(offsets[i], offsets[i + 1]):
            species = species_of(abs(pdgid[k]))
            if role[k] == 0 or species < 0:
                continue
            seek(state, event_id[i], FIRST_IDENTIFICATION + k - offsets[i])
            hypotheses = draw_hypotheses(p4[k], species, detector.identification, state)
            identified = identified and hypotheses >> species & 1 == 1
        if identified:
            passed[i] = IDENTIFIED


@kernel
def smear_objects(
    events: IntArray,
    event_id: IntArray,
    offsets: IntArray,
    pdgid: Int32Array,
    mother: Int32Array,
    p4: FloatArray,
    role: Int8Array,
    detector: DetectorModel,
    state: UInt64Array,
    smeared: FloatArray,
    measured: FloatArray,
    true: FloatArray,
) -> None:
    """Measure every particle of accepted events, and add up, by role, measured and true momenta.

    Parameters
    ----------
    events
        (m,) rows of the events with a candidate.
    event_id, offsets, pdgid, mother, p4
        Columns of an `EventBlock`.
    role
        (N,) `Topology.role`.
    detector
        `detector_model` of a profile.
    state
        Random stream of the smearing stage.
    smeared
        (N, 4), of which the rows of particles with a role in these events receive their measured
        momenta.
    measured, true
        (len(Role), m, 4), zero on entry.
    """
    scratch = np.empty((2, 4))
    for c in range(len(events)):
        i = events[c]
        a, b = offsets[i], offsets[i + 1]
        for k in range(a, b):
            r = role[k]
            if r == 0:
                continue
            p = smeared[k]
            if pdgid[k] == _PI0:
                _smear_pi0(k, a, event_id[i], mother, p4, detector, state, scratch, p)
            else:
                seek(state, event_id[i], FIRST_PARTICLE + k - a)
                if pdgid[k] == _PHOTON:
                    smear_photon(p4[k], detector.photons, state, p)
                else:
                    smear_track(p4[k], detector.tracks, state, p)
                    if abs(pdgid[k]) == _ELECTRON:
                        seek(state, event_id[i], FIRST_RADIATION + k - a)
                        radiate(p4[k], detector.bremsstrahlung, state, p)
            for x in range(4):
                measured[r, c, x] += p[x]
                true[r, c, x] += p4[k, x]


@kernel
def _smear_pi0(
    k: int,
    a: int,
    event_id: int,
    mother: Int32Array,
    p4: FloatArray,
    detector: DetectorModel,
    state: UInt64Array,
    photons: FloatArray,
    out: FloatArray,
) -> None:
    """Write the momentum of the pi0 of row `k`, which has two photons; `photons` is scratch."""
    sigma_1, sigma_2 = 0.0, 0.0
    j, count = k, 0
    while count < 2:
        j += 1
        if mother[j] != k - a:
            continue
        seek(state, event_id, FIRST_PARTICLE + j - a)
        smear_photon(p4[j], detector.photons, state, photons[count])
        measured = photons[count]
        theta = np.arctan2(np.hypot(measured[0], measured[1]), measured[2])
        sigma_1 = sigma_2
        sigma_2 = measured[3] * resolution_at(detector.photons.energy, measured[3], theta)
        count += 1
    constrain_pi0(photons[0], sigma_1, photons[1], sigma_2, detector.pi0_mass, out)
