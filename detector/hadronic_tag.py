"""The tag B as if it were fully reconstructed in a hadronic mode."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from detector.streams import HADRONIC_TAG
from detector.table_lookup import values_at_momenta
from detector.vertices import add_errors
from simgen.jit import lean_kernel
from simgen.random import Stage, open_stream, seek

if TYPE_CHECKING:
    from detector.profiles import HadronicTagProfile
    from simgen.typing import FloatArray, IntArray, UInt64Array


def smear_hadronic_tags(
    p4: FloatArray, event_id: IntArray, profile: HadronicTagProfile, seed: int
) -> FloatArray:
    """Smear the momenta of tag B mesons by independent Gaussians along x, y and z.

    The energy follows from the true mass: a hadronic tag is constrained to the B mass. Tables of
    the profile hold at the true momentum.

    Parameters
    ----------
    p4
        (n, 4) true momenta (px, py, pz, E) of the tag B, lab frame, GeV.
    event_id
        (n,) the events' numbers.
    profile
        Resolution.
    seed
        The run's seed.

    Returns
    -------
    (n, 4) array
        Measured momenta.
    """
    out = np.empty((len(p4), 4))
    state = open_stream(seed, int(Stage.SMEAR))
    sigma = values_at_momenta(profile.momentum.as_tuple(), p4)
    _smear_all(p4, event_id, sigma, state, out)
    return out


@lean_kernel
def _smear_all(
    p4: FloatArray, event_id: IntArray, sigma: FloatArray, state: UInt64Array, out: FloatArray
) -> None:
    """Smear each row of `p4` into `out`."""
    for i in range(len(p4)):
        p, q = p4[i], out[i]
        seek(state, event_id[i], HADRONIC_TAG)
        add_errors(p, sigma[i], state, q)
        mass2 = p[3] * p[3] - p[0] * p[0] - p[1] * p[1] - p[2] * p[2]
        q[3] = np.sqrt(max(mass2, 0.0) + q[0] * q[0] + q[1] * q[1] + q[2] * q[2])
