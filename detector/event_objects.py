"""What a detector sees of one event: accepted tracks and photons, and pi0s made of the photons.

A measured particle has the same errors and the same identification as where particles are assigned
from truth: they come from the same random substreams.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from detector.identification import draw_hypotheses, species_of
from detector.photons import energy_error, photon_accepted
from detector.pi0 import constrain_pi0
from detector.reconstruct import DetectorModel, measure_particle, particle_found
from detector.streams import FIRST_IDENTIFICATION
from detector.topology import look_at_daughters
from detector.tracks import track_accepted
from simgen.events import FINAL
from simgen.jit import kernel, lean_kernel
from simgen.random import seek

if TYPE_CHECKING:
    from simgen.typing import BoolArray, FloatArray, Int8Array, Int32Array, IntArray, UInt64Array

_PHOTON, _PI0 = 22, 111
_FINAL = FINAL


class EventParticles(NamedTuple):
    """The true particles of one event: its number, and rows of the columns of an `EventBlock`."""

    event_id: int
    pdgid: Int32Array
    mother: Int32Array
    status: Int8Array
    p4: FloatArray
    production: FloatArray


class EventObjects(NamedTuple):
    """Tracks, photons and pi0s of one event.

    Attributes
    ----------
    track, photon
        (t,) and (g,) index of the true particle in the event.
    charge
        (t,) +-1.
    hypotheses
        (t,) what each track passes, bit h for `Species` h.
    track_p, photon_p
        (t, 4) and (g, 4) measured momenta; the energy of a track is that of its true mass.
    pi0
        (m, 2) photons of each pi0, as positions in `photon`.
    pi0_p
        (m, 4) momenta, constrained to the pi0's mass.
    """

    track: IntArray
    charge: IntArray
    hypotheses: IntArray
    track_p: FloatArray
    photon: IntArray
    photon_p: FloatArray
    pi0: IntArray
    pi0_p: FloatArray


@kernel
def find_tracks(
    event: EventParticles,
    all_found: bool,
    detector: DetectorModel,
    state: UInt64Array,
    continues: BoolArray,
    inside: BoolArray,
    rows: IntArray,
) -> tuple[int, int]:
    """Find the tracks of an event that are accepted and found.

    What is below a track, such as the electron of a muon that decays, is not seen.

    Parameters
    ----------
    event
        Its particles.
    all_found
        Whether efficiencies are ignored.
    detector
        `detector_model` of a profile.
    state
        Random stream of the smearing stage.
    continues, inside
        (>= n,) receive which particles radiate into a copy of themselves, and which are below a
        track.
    rows
        (>= n,) receives the tracks' indices.

    Returns
    -------
    (int, int)
        Number of tracks and their total charge.
    """
    n = len(event.pdgid)
    ids = np.abs(event.pdgid)
    decays = np.empty(n, dtype=np.bool_)
    look_at_daughters(ids, event.mother, continues, decays)
    count, charge = 0, 0
    for k in range(n):
        m = event.mother[k]
        inside[k] = m >= 0 and (inside[m] or (species_of(ids[m]) >= 0 and not continues[m]))
        if inside[k] or continues[k] or species_of(ids[k]) < 0:
            continue
        if not track_accepted(event.p4[k], detector.tracks):
            continue
        if all_found or _is_found(event, k, detector, state):
            rows[count] = k
            count += 1
            charge += charge_of(event.pdgid[k])
    return count, charge


@lean_kernel
def _is_found(event: EventParticles, k: int, detector: DetectorModel, state: UInt64Array) -> bool:
    """Return whether particle `k` is found."""
    e = event
    found: bool = particle_found(
        e.event_id, k, e.pdgid, e.mother, e.p4, e.production, detector, state
    )
    return found


@lean_kernel
def charge_of(pdgid: int) -> int:
    """Return the charge of a particle that leaves a track: leptons have positive numbers for -1."""
    sign = 1 if pdgid > 0 else -1
    return -sign if abs(pdgid) in (11, 13) else sign


@kernel
def measure_tracks(
    event: EventParticles,
    rows: IntArray,
    detector: DetectorModel,
    identified_as_true: bool,
    state: UInt64Array,
) -> tuple[IntArray, IntArray, FloatArray]:
    """Return charge, hypotheses and measured momentum of tracks given by index in their event."""
    pdgid, p4 = event.pdgid, event.p4
    n = len(rows)
    charge = np.empty(n, dtype=np.int64)
    hypotheses = np.empty(n, dtype=np.int64)
    measured = np.empty((n, 4))
    for i in range(n):
        k = rows[i]
        charge[i] = charge_of(pdgid[k])
        species = species_of(abs(pdgid[k]))
        if identified_as_true:
            hypotheses[i] = 1 << species
        else:
            seek(state, event.event_id, FIRST_IDENTIFICATION + k)
            hypotheses[i] = draw_hypotheses(p4[k], species, detector.identification, state)
        measure_particle(event.event_id, k, pdgid[k], p4[k], detector, state, measured[i])
    return charge, hypotheses, measured


@kernel
def measure_photons(
    event: EventParticles,
    all_found: bool,
    inside: BoolArray,
    detector: DetectorModel,
    state: UInt64Array,
) -> tuple[IntArray, FloatArray]:
    """Return the indices and measured momenta of photons that are accepted and found."""
    pdgid, status, p4 = event.pdgid, event.status, event.p4
    rows = np.empty(len(pdgid), dtype=np.int64)
    n = 0
    for k in range(len(pdgid)):
        seen = pdgid[k] == _PHOTON and status[k] == _FINAL and not inside[k]
        if not seen or not photon_accepted(p4[k], detector.photons):
            continue
        if all_found or _is_found(event, k, detector, state):
            rows[n] = k
            n += 1
    measured = np.empty((n, 4))
    for i in range(n):
        k = rows[i]
        measure_particle(event.event_id, k, _PHOTON, p4[k], detector, state, measured[i])
    return rows[:n].copy(), measured


@kernel
def combine_pi0s(
    event: EventParticles,
    all_found: bool,
    photon: IntArray,
    photon_p: FloatArray,
    window_min: float,
    window_max: float,
    detector: DetectorModel,
    state: UInt64Array,
) -> tuple[IntArray, FloatArray]:
    """Return all pairs of photons whose mass is in a window, and their constrained momenta.

    The efficiency of a pi0 is that of the two photons of a true one; other pairs have none.
    """
    n = len(photon_p)
    pairs = np.empty((n * (n - 1) // 2, 2), dtype=np.int64)
    momenta = np.empty((len(pairs), 4))
    sigma = np.empty(n)
    for i in range(n):
        sigma[i] = energy_error(photon_p[i], detector.photons)
    count = 0
    for i in range(n):
        for j in range(i + 1, n):
            m2 = (photon_p[i, 3] + photon_p[j, 3]) ** 2
            for x in range(3):
                m2 -= (photon_p[i, x] + photon_p[j, x]) ** 2
            if not window_min * window_min < m2 < window_max * window_max:
                continue
            m = event.mother[photon[i]]
            is_true = m >= 0 and m == event.mother[photon[j]] and event.pdgid[m] == _PI0
            if is_true and not (all_found or _is_found(event, m, detector, state)):
                continue
            pairs[count, 0], pairs[count, 1] = i, j
            constrain_pi0(
                photon_p[i], sigma[i], photon_p[j], sigma[j], detector.pi0_mass, momenta[count]
            )
            count += 1
    return pairs[:count].copy(), momenta[:count].copy()
