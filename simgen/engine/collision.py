"""Draw the collision an event begins with."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from simgen.jit import lean_kernel
from simgen.random import normal_pair

if TYPE_CHECKING:
    from simgen.beams import CompiledBeams
    from simgen.typing import FloatArray, UInt64Array


@lean_kernel
def draw_collision(
    beams: CompiledBeams, minimum: float, state: UInt64Array, total: FloatArray, vertex: FloatArray
) -> float:
    """Draw one collision; return sqrt(s).

    Energies are drawn again until sqrt(s) is above `minimum`, the threshold of what is to be
    made: below it this collision does not make the process.

    Parameters
    ----------
    beams
        `Beams.compiled`.
    minimum
        Lowest sqrt(s), GeV; the mean sqrt(s) is above it.
    state
        Random stream, advanced.
    total
        (4,) receives the total four-momentum.
    vertex
        (3,) receives the primary vertex, mm.
    """
    while True:
        a, b = normal_pair(state)
        scale_1 = 1.0 + beams.relative_spread * a
        scale_2 = 1.0 + beams.relative_spread * b
        for i in range(4):
            total[i] = scale_1 * beams.electron[i] + scale_2 * beams.positron[i]
        s = total[3] ** 2 - total[0] ** 2 - total[1] ** 2 - total[2] ** 2
        if s > minimum * minimum:
            break
    x, y = normal_pair(state)
    z, _ = normal_pair(state)
    vertex[0] = beams.vertex_mean[0] + beams.vertex_size[0] * x
    vertex[1] = beams.vertex_mean[1] + beams.vertex_size[1] * y
    vertex[2] = beams.vertex_mean[2] + beams.vertex_size[2] * z
    mass: float = np.sqrt(s)
    return mass
