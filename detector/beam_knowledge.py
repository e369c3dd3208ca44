"""The beams as the analyst knows them: momentum and interaction point, as far as calibrated."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from detector.data_taking import values_of_events
from detector.streams import BEAM_KNOWLEDGE, R_0
from detector.vertices import smear_vertices
from simgen.jit import lean_kernel
from simgen.random import Stage, new_stream, normal_pair, seek

if TYPE_CHECKING:
    from detector.profiles import DetectorProfile
    from simgen.typing import FloatArray, IntArray, UInt64Array


def known_beams(profile: DetectorProfile, event_id: IntArray, seed: int) -> FloatArray:
    """Return the total four-momentum that the analyst assumes for each event.

    The mean of the beams scaled to sqrt(s) + shift + spread * n, n a unit Gaussian: its velocity
    is that of the mean.

    Parameters
    ----------
    profile
        Beams, and knowledge of them.
    event_id
        (n,) the events' numbers.
    seed
        The run's seed.

    Returns
    -------
    (n, 4) array
        (px, py, pz, E), lab frame, GeV.
    """
    known, sqrt_s = profile.beam_knowledge, profile.beams.sqrt_s()
    shift, spread = values_of_events((known.sqrt_s_shift, known.sqrt_s_spread), event_id, seed).T
    deviate = np.zeros(len(event_id))
    if np.any(spread > 0.0):
        _deviates(event_id, new_stream(seed, int(Stage.SMEAR)), deviate)
    scale = 1.0 + (shift + spread * deviate) / sqrt_s
    beams: FloatArray = scale[:, np.newaxis] * profile.beams.total()
    return beams


def known_primary_vertices(
    true: FloatArray, event_id: IntArray, profile: DetectorProfile, seed: int
) -> FloatArray:
    """Return the measured primary vertices.

    Smeared with the standard deviations `vertices.r_0`, and shifted as the interaction point that
    the analyst assumes is.

    Parameters
    ----------
    true
        (n, 3) true positions, mm.
    event_id
        (n,) the events' numbers.
    profile
        Resolution, and knowledge of the interaction point.
    seed
        The run's seed.

    Returns
    -------
    (n, 3) array
        Measured positions, mm.
    """
    sigma = values_of_events(profile.vertices.r_0.as_tuple(), event_id, seed)
    measured = smear_vertices(true, event_id, sigma, R_0, seed)
    measured += values_of_events(profile.beam_knowledge.position.as_tuple(), event_id, seed)
    return measured


def stated_primary_vertex(profile: DetectorProfile, event_id: IntArray, seed: int) -> FloatArray:
    """Return the standard deviations of the primary vertex that the analyst assumes, (n, 3), mm.

    Parameters are those of `known_primary_vertices`.
    """
    sigma = values_of_events(profile.vertices.r_0.as_tuple(), event_id, seed)
    return sigma * values_of_events(profile.beam_knowledge.size.as_tuple(), event_id, seed)


@lean_kernel
def _deviates(event_id: IntArray, state: UInt64Array, out: FloatArray) -> None:
    """Write a unit Gaussian number of each event to `out`."""
    for i in range(len(out)):
        seek(state, event_id[i], BEAM_KNOWLEDGE)
        out[i], _ = normal_pair(state)
