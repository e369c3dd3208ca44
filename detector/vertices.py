"""Vertices: independent Gaussian errors along x, y and z, as in arXiv:2209.03387."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from simgen.jit import lean_kernel
from simgen.random import Stage, normal_pair, open_stream, seek

if TYPE_CHECKING:
    from simgen.typing import FloatArray, IntArray, UInt64Array


def smear_vertices(
    position: FloatArray, event_id: IntArray, sigma: FloatArray, substream: int, seed: int
) -> FloatArray:
    """Smear one vertex an event.

    Parameters
    ----------
    position
        (n, 3) true positions, mm.
    event_id
        (n,) the events' numbers.
    sigma
        (n, 3) standard deviations, mm.
    substream
        Which vertex it is: `detector.streams.R_0`, `R_SIG` or `R_TAG`.
    seed
        The run's seed.

    Returns
    -------
    (n, 3) array
        Measured positions.
    """
    out = np.empty((len(position), 3))
    state = open_stream(seed, int(Stage.SMEAR))
    _smear_all(position, event_id, sigma, substream, state, out)
    return out


@lean_kernel
def _smear_all(
    position: FloatArray,
    event_id: IntArray,
    sigma: FloatArray,
    substream: int,
    state: UInt64Array,
    out: FloatArray,
) -> None:
    """Smear each row of `position` into `out`."""
    for i in range(len(position)):
        seek(state, event_id[i], substream)
        add_errors(position[i], sigma[i], state, out[i])


@lean_kernel
def add_errors(true: FloatArray, sigma: FloatArray, state: UInt64Array, out: FloatArray) -> None:
    """Write three numbers with independent Gaussian errors.

    Parameters
    ----------
    true
        (>= 3,) numbers; the first three are used.
    sigma
        (3,) standard deviations.
    state
        Random stream; two pairs of normals are drawn.
    out
        (>= 3,) receives the three measured numbers.
    """
    a, b = normal_pair(state)
    c, _ = normal_pair(state)
    out[0] = true[0] + sigma[0] * a
    out[1] = true[1] + sigma[1] * b
    out[2] = true[2] + sigma[2] * c
