"""Decay vertices of both parents of candidates, fitted from measured tracks.

`detector.vertex_parts` says from which. The D flies: its vertex is fitted from its tracks that come
from there, and its momentum says where it came from.

A single track says nothing along itself: without a constraint the covariance is then as large as
the beam pipe in that direction.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from detector.beam_knowledge import stated_primary_vertex
from detector.event_objects import charge_of
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
from detector.topology import longest_event
from detector.vertex_fit import fit_tracks, fit_with_meson
from detector.vertex_parts import Use
from simgen.jit import kernel
from simgen.particles import particle_table
from simgen.random import Stage, new_stream, seek

if TYPE_CHECKING:
    from detector.config import SignalTopology
    from detector.profiles import DetectorProfile
    from detector.vertex_parts import VertexParts
    from simgen.events import EventBlock
    from simgen.particles import ParticleData
    from simgen.typing import FloatArray, Int32Array, IntArray, UInt64Array

BEAM_PIPE = 10.0
"""Without a constraint a B decays, in each coordinate, about so far from the beams' mean, mm."""

_SIGNAL, _TAG, _CHARM = int(Use.SIGNAL), int(Use.TAG), int(Use.CHARM)
_CHARM_PHOTON, _CHARM_PI0 = int(Use.CHARM_PHOTON), int(Use.CHARM_PI0)


class FittedVertices(NamedTuple):
    """Vertices of m candidates: (m, 3) in mm, covariances (m, 3, 3) in mm^2."""

    r_sig: FloatArray
    r_sig_covariance: FloatArray
    r_tag: FloatArray
    r_tag_covariance: FloatArray


def fit_block(
    block: EventBlock,
    events: IntArray,
    parts: VertexParts,
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
    parts
        What their vertices are fitted from.
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
    r_0_sigma = stated_primary_vertex(profile, block.event_id[events], seed)
    mean, covariance = vertex_prior(profile, parent, r_0, r_0_sigma, total)
    found = FittedVertices(*(np.empty(shape) for shape in ((m, 3), (m, 3, 3)) * 2))
    _fit_candidates(
        block.event_id[events],
        block.offsets[events],
        block.pdgid,
        np.ascontiguousarray(block.p4),
        np.ascontiguousarray(block.production),
        parts,
        impact_model(profile.tracks),
        photon_model(profile.photons),
        np.array(profile.beams.interaction_region.mean, dtype=np.float64),
        mean,
        np.ascontiguousarray(np.linalg.inv(covariance)),
        new_stream(seed, int(Stage.SMEAR)),
        found,
    )
    return found


def vertex_prior(
    profile: DetectorProfile,
    parent: ParticleData,
    r_0: FloatArray,
    r_0_sigma: FloatArray,
    total: FloatArray,
) -> tuple[FloatArray, FloatArray]:
    """Return where decay vertices are without tracks: means (m, 3), covariances (m, 3, 3).

    With the constraint ``ip`` at the mean flight from the measured primary vertex, with the
    uncertainty of both; else in the beam pipe.
    """
    if profile.vertices.constraint == "ip":
        flight, spread = flight_prior(total, parent)
        return r_0 + flight, spread + np.eye(3) * np.square(r_0_sigma)[:, np.newaxis]
    mean = np.array(profile.beams.interaction_region.mean, dtype=np.float64)
    return np.tile(mean, (len(r_0), 1)), np.tile(np.eye(3) * BEAM_PIPE**2, (len(r_0), 1, 1))


@kernel
def _fit_candidates(
    event_id: IntArray,
    start: IntArray,
    pdgid: Int32Array,
    p4: FloatArray,
    production: FloatArray,
    parts: VertexParts,
    impact: ImpactModel,
    photons: PhotonModel,
    reference: FloatArray,
    prior_mean: FloatArray,
    prior_weight: FloatArray,
    state: UInt64Array,
    found: FittedVertices,
) -> None:
    """Fit every candidate; `event_id` and `start` (m,) are its event's number and first row.

    The covariance of photons is that at their true momenta.
    """
    longest = longest_event(parts.offsets)
    q, v = np.empty((3, longest, N_PARAMETERS)), np.empty((3, longest, N_PARAMETERS))
    n = np.empty(3, dtype=np.int64)  # tracks of each use
    momentum, covariance = np.empty(3), np.empty((3, 3))
    for c in range(len(event_id)):
        n[:] = 0
        momentum[:] = 0.0
        covariance[:] = 0.0
        for t in range(parts.offsets[c], parts.offsets[c + 1]):
            use, k, measured = parts.use[t], parts.row[t], parts.p4[t]
            if use >= _CHARM:
                for x in range(3):
                    momentum[x] += measured[x]
                if use == _CHARM_PI0:
                    add_pi0_covariance(p4[k], p4[parts.partner[t]], photons, covariance)
                elif use == _CHARM_PHOTON:
                    add_photon_covariance(p4[k], photons, covariance)
                else:
                    add_track_covariance(measured, impact.track, covariance)
            if use <= _CHARM:
                seek(state, event_id[c], FIRST_IMPACT + k - start[c])
                measure_perigee(
                    p4[k], measured, charge_of(pdgid[k]), production[k], reference, impact, state,
                    q[use, n[use]], v[use, n[use]],
                )  # fmt: skip
                n[use] += 1
        mean, weight = prior_mean[c], prior_weight[c]
        fit_tracks(
            q[_SIGNAL], v[_SIGNAL], n[_SIGNAL], reference, mean, weight, found.r_sig[c],
            found.r_sig_covariance[c],
        )  # fmt: skip
        if n[_CHARM] == 0:
            fit_tracks(
                q[_TAG], v[_TAG], n[_TAG], reference, mean, weight, found.r_tag[c],
                found.r_tag_covariance[c],
            )  # fmt: skip
        else:
            fit_with_meson(
                q[_TAG], v[_TAG], n[_TAG], q[_CHARM], v[_CHARM], n[_CHARM], momentum, covariance,
                reference, mean, weight, found.r_tag[c], found.r_tag_covariance[c],
            )  # fmt: skip
