"""The beams as the analyst knows them: the mean, and how far its calibration is off."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from detector.streams import BEAM_KNOWLEDGE
from simgen.jit import kernel
from simgen.random import Stage, normal_pair, open_stream, seek

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
    deviate = np.zeros(len(event_id))
    if known.sqrt_s_spread > 0.0:
        _deviates(event_id, open_stream(seed, int(Stage.SMEAR)), deviate)
    scale = 1.0 + (known.sqrt_s_shift + known.sqrt_s_spread * deviate) / sqrt_s
    beams: FloatArray = scale[:, np.newaxis] * profile.beams.total()
    return beams


@kernel
def _deviates(event_id: IntArray, state: UInt64Array, out: FloatArray) -> None:
    """Write a unit Gaussian number of each event to `out`."""
    for i in range(len(out)):
        seek(state, event_id[i], BEAM_KNOWLEDGE)
        out[i], _ = normal_pair(state)
