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
    energy_error,
    photon_accepted,
    photon_model,
    smear_photon,
)
from detector.pi0 import constrain_pi0
from detector.streams import FIRST_IDENTIFICATION, FIRST_PARTICLE, FIRST_RADIATION
from detector.topology import Found
from detector.tracks import TrackModel, smear_track, track_accepted, track_model
from simgen.jit import kernel, lean_kernel
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


@lean_kernel
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


@lean_kernel
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


@lean_kernel
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
            of_pi0 = mother[k] >= 0 and pdgid[m] == _PI0
            if role[k] == 0 and not (of_pi0 and role[m] != 0):
                continue
            found = found and particle_found(
                event_id[i], k - a, pdgid[a:b], mother[a:b], p4[a:b], production[a:b], detector,
                state,
            )  # fmt: skip
        if found:
            passed[i] = FOUND


@lean_kernel
def particle_found(
    event_id: int,
    k: int,
    pdgid: Int32Array,
    mother: Int32Array,
    p4: FloatArray,
    production: FloatArray,
    detector: DetectorModel,
    state: UInt64Array,
) -> bool:
    """Return whether particle `k` of an event is found; a pion of a K_S needs the K_S.

    Parameters
    ----------
    event_id
        Number of the event.
    k
        Index of the particle.
    pdgid, mother, p4, production
        Particles of the event.
    detector
        `detector_model` of a profile.
    state
        Random stream of the smearing stage.
    """
    kind, m = abs(pdgid[k]), mother[k]
    if not is_found(p4[k], kind, 0.0, event_id, k, detector.efficiency, state):
        return False
    if m < 0 or pdgid[m] != _KS or kind == _PI0:
        return True
    x = production[k, 0] - production[m, 0]
    y = production[k, 1] - production[m, 1]
    seen: bool = is_found(p4[m], _KS, np.hypot(x, y), event_id, m, detector.efficiency, state)
    return seen


@lean_kernel
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
                measure_particle(event_id[i], k - a, pdgid[k], p4[k], detector, state, p)
            for x in range(4):
                measured[r, c, x] += p[x]
                true[r, c, x] += p4[k, x]


@lean_kernel
def measure_particle(
    event_id: int,
    index: int,
    pdgid: int,
    p: FloatArray,
    detector: DetectorModel,
    state: UInt64Array,
    out: FloatArray,
) -> None:
    """Write the measured momentum of a photon or a track.

    Parameters
    ----------
    event_id, index
        Number of the event, and the particle's index in it.
    pdgid, p
        What it is, and its true momentum (4,).
    detector
        `detector_model` of a profile.
    state
        Random stream of the smearing stage.
    out
        (4,) receives the momentum; not the same array as `p`.
    """
    seek(state, event_id, FIRST_PARTICLE + index)
    if pdgid == _PHOTON:
        smear_photon(p, detector.photons, state, out)
        return
    smear_track(p, detector.tracks, state, out)
    if abs(pdgid) == _ELECTRON:
        seek(state, event_id, FIRST_RADIATION + index)
        radiate(p, detector.bremsstrahlung, state, out)


@lean_kernel
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
        sigma_1 = sigma_2
        sigma_2 = energy_error(photons[count], detector.photons)
        count += 1
    constrain_pi0(photons[0], sigma_1, photons[1], sigma_2, detector.pi0_mass, out)
