"""Decay vertices of both parents, fitted from the measured tracks of a block of events.

B_sig from kaon and lepton, whose origin it is; the tau flies, and its prong is left out. B_tag from
the lepton, a charged pion of the D*, and the D, which flies: its vertex is fitted from its charged
particles that come from there, and its momentum says where it came from. What a K_S0 of the D
decays to, centimetres away, counts for the momentum only. In a tau pair each tau has its prong.

A single track says nothing along itself: without a constraint the covariance is then as large as
the beam pipe in that direction.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from detector.beam_knowledge import stated_primary_vertex
from detector.flight_prior import flight_prior
from detector.helix import N_PARAMETERS
from detector.impact import ImpactModel, impact_model, measure_perigee
from detector.momentum_covariance import (
    add_photon_covariance,
    add_pi0_covariance,
    add_track_covariance,
)
from detector.photons import PhotonModel, photon_model
from detector.streams import FIRST_IMPACT
from detector.topology import Role, Slot
from detector.vertex_fit import fit_tracks, fit_with_meson
from simgen.jit import kernel
from simgen.particles import particle_table
from simgen.random import Stage, new_stream, seek

if TYPE_CHECKING:
    from detector.config import SignalTopology
    from detector.profiles import DetectorProfile
    from detector.topology import Topology
    from simgen.events import EventBlock
    from simgen.particles import ParticleData
    from simgen.typing import FloatArray, Int8Array, Int32Array, IntArray, UInt64Array

BEAM_PIPE = 10.0
"""Without a constraint a B decays, in each coordinate, about so far from the beams' mean, mm."""

_PHOTON, _PI0, _PION = 22, 111, 211
_TAG_LEPTON, _D, _SLOW = int(Slot.TAG_LEPTON), int(Slot.D), int(Slot.SLOW)
_ROLE_TAG_D = int(Role.TAG_D)
_AT_VERTEX = 1e-6  # mm; resonances decay where they are made


class FittedVertices(NamedTuple):
    """Vertices of m candidates: (m, 3) in mm, covariances (m, 3, 3) in mm^2."""

    r_sig: FloatArray
    r_sig_covariance: FloatArray
    r_tag: FloatArray
    r_tag_covariance: FloatArray


def fit_block(
    block: EventBlock,
    events: IntArray,
    topology: Topology,
    smeared: FloatArray,
    r_0: FloatArray,
    total: FloatArray,
    profile: DetectorProfile,
    signal: SignalTopology,
    seed: int,
) -> FittedVertices:
    """Fit the decay vertices of both parents.

    Parameters
    ----------
    block
        True events.
    events
        (m,) rows of the events with a candidate.
    topology
        Of the block.
    smeared
        (N, 4) measured momenta of `detector.reconstruct.smear_objects`.
    r_0
        (m, 3) measured primary vertices, for the constraint ``ip``.
    total
        (m, 4) total momenta of the beams as they are known, for the same.
    profile
        Beams and detector.
    signal
        The signal decay.
    seed
        The run's seed.
    """
    m = len(events)
    parent = particle_table().by_name("tau+" if signal.is_tau_pair else "B+")
    mean, covariance = vertex_prior(profile, parent, r_0, total)
    found = FittedVertices(*(np.empty(shape) for shape in ((m, 3), (m, 3, 3)) * 2))
    _fit_events(
        events,
        block.event_id,
        block.offsets,
        block.pdgid,
        block.mother,
        np.ascontiguousarray(block.p4),
        np.ascontiguousarray(block.production),
        topology.role,
        topology.rows,
        np.array([Slot.PRONG] if signal.is_tau_pair else [Slot.KAON, Slot.LEPTON]),
        smeared,
        impact_model(profile.tracks),
        photon_model(profile.photons),
        np.array(profile.beams.interaction_region.mean, dtype=np.float64),
        mean,
        np.ascontiguousarray(np.linalg.inv(covariance)),
        new_stream(seed, int(Stage.SMEAR)),
        *found,
    )
    return found


def vertex_prior(
    profile: DetectorProfile, parent: ParticleData, r_0: FloatArray, total: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return where decay vertices are without tracks: means (m, 3), covariances (m, 3, 3).

    With the constraint ``ip`` at the mean flight from the measured primary vertex, with the
    uncertainty of both; else in the beam pipe.
    """
    if profile.vertices.constraint == "ip":
        flight, spread = flight_prior(total, parent)
        return r_0 + flight, spread + np.diag(np.square(stated_primary_vertex(profile).as_tuple()))
    mean = np.array(profile.beams.interaction_region.mean, dtype=np.float64)
    return np.tile(mean, (len(r_0), 1)), np.tile(np.eye(3) * BEAM_PIPE**2, (len(r_0), 1, 1))


@kernel
def _fit_events(
    events: IntArray,
    event_id: IntArray,
    offsets: IntArray,
    pdgid: Int32Array,
    mother: Int32Array,
    p4: FloatArray,
    production: FloatArray,
    role: Int8Array,
    rows: IntArray,
    signal_slots: IntArray,
    smeared: FloatArray,
    impact: ImpactModel,
    photons: PhotonModel,
    reference: FloatArray,
    prior_mean: FloatArray,
    prior_weight: FloatArray,
    state: UInt64Array,
    r_sig: FloatArray,
    c_sig: FloatArray,
    r_tag: FloatArray,
    c_tag: FloatArray,
) -> None:
    """Fit every candidate; arguments as in `fit_block` and `FittedVertices`.

    `signal_slots` are the tracks that come from the signal's parent.
    """
    longest = 0
    for i in events:
        longest = max(longest, offsets[i + 1] - offsets[i])
    q, v = np.empty((longest, N_PARAMETERS)), np.empty((longest, N_PARAMETERS))
    q_d, v_d = np.empty((longest, N_PARAMETERS)), np.empty((longest, N_PARAMETERS))
    momentum, covariance = np.empty(3), np.empty((3, 3))
    for c in range(len(events)):
        i = events[c]
        a, b = offsets[i], offsets[i + 1]
        row = rows[i]

        n = 0
        for slot in signal_slots:
            if row[slot] >= 0:
                _measure_track(
                    event_id[i], row[slot], a + row[slot], pdgid, p4, production, smeared, impact,
                    reference, state, q[n], v[n],
                )  # fmt: skip
                n += 1
        fit_tracks(q, v, n, reference, prior_mean[c], prior_weight[c], r_sig[c], c_sig[c])

        n = 0
        for slot in (_TAG_LEPTON, _SLOW):
            k = a + row[slot]
            if row[slot] < 0 or role[k] == 0 or (slot == _SLOW and abs(pdgid[k]) != _PION):
                continue
            _measure_track(
                event_id[i], row[slot], k, pdgid, p4, production, smeared, impact, reference, state,
                q[n], v[n],
            )  # fmt: skip
            n += 1
        n_d = 0
        if row[_D] >= 0:
            n_d = _measure_d(
            event_id[i], a, b, row[_D], row[_SLOW], pdgid, mother, p4, production, role, smeared,
            impact, photons, reference, state, q_d, v_d, momentum, covariance,
        )  # fmt: skip
        if n_d == 0:
            fit_tracks(q, v, n, reference, prior_mean[c], prior_weight[c], r_tag[c], c_tag[c])
        else:
            fit_with_meson(
                q, v, n, q_d, v_d, n_d, momentum, covariance, reference, prior_mean[c],
                prior_weight[c], r_tag[c], c_tag[c],
            )  # fmt: skip


@kernel
def _measure_d(
    event: int,
    a: int,
    b: int,
    d: int,
    slow: int,
    pdgid: Int32Array,
    mother: Int32Array,
    p4: FloatArray,
    production: FloatArray,
    role: Int8Array,
    smeared: FloatArray,
    impact: ImpactModel,
    photons: PhotonModel,
    reference: FloatArray,
    state: UInt64Array,
    track: FloatArray,
    variance: FloatArray,
    momentum: FloatArray,
    covariance: FloatArray,
) -> int:
    """Measure the D of an event, rows `a` to `b`, index `d`: its tracks, momentum, covariance.

    Returns the number of tracks that come from its decay vertex. The covariance of photons is that
    at their true momenta.
    """
    momentum[:] = 0.0
    covariance[:] = 0.0
    decay = -1
    n = 0
    for k in range(a + d + 1, b):
        if decay < 0 and mother[k] == d:
            decay = k
        if role[k] != _ROLE_TAG_D or k - a == slow:
            continue
        for x in range(3):
            momentum[x] += smeared[k, x]
        if pdgid[k] == _PI0:
            first = -1
            for j in range(k + 1, b):
                if mother[j] == k - a:
                    if first >= 0:
                        add_pi0_covariance(p4[first], p4[j], photons, covariance)
                        break
                    first = j
        elif pdgid[k] == _PHOTON:
            add_photon_covariance(p4[k], photons, covariance)
        else:
            add_track_covariance(smeared[k], impact.track, covariance)
            distance = 0.0
            for x in range(3):
                distance = max(distance, abs(production[k, x] - production[decay, x]))
            if distance < _AT_VERTEX:
                _measure_track(
                    event, k - a, k, pdgid, p4, production, smeared, impact, reference, state,
                    track[n], variance[n],
                )  # fmt: skip
                n += 1
    return n


@kernel
def _measure_track(
    event: int,
    index: int,
    k: int,
    pdgid: Int32Array,
    p4: FloatArray,
    production: FloatArray,
    smeared: FloatArray,
    impact: ImpactModel,
    reference: FloatArray,
    state: UInt64Array,
    track: FloatArray,
    variance: FloatArray,
) -> None:
    """Measure the perigee of the particle of row `k`, number `index` of its event."""
    seek(state, event, FIRST_IMPACT + index)
    charge = _charge(pdgid[k])
    measure_perigee(
        p4[k], smeared[k], charge, production[k], reference, impact, state, track, variance
    )


@kernel
def _charge(pdgid: int) -> int:
    """Return the charge of an electron, muon, pion, kaon or proton by its PDG number."""
    sign = 1 if pdgid > 0 else -1
    return -sign if abs(pdgid) in (11, 13) else sign
