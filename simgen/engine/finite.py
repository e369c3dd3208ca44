"""Amplitudes that are no numbers: when a decay table is compiled, and in events."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from simgen.engine.program import N_NOT_FINITE, N_STUCK, STUCK_AMPLITUDE
from simgen.jit import lean_kernel

if TYPE_CHECKING:
    from simgen.typing import IntArray

# A decay whose amplitude is no number so often is given up.
_MOST = 1000


def check_finite(values: Any) -> None:
    """Refuse what was sampled of an amplitude if any of it is nan or infinite.

    Every entry of an amplitude is nan before its function is called, so one that the function
    does not write is noticed as well.

    Raises
    ------
    FloatingPointError
        Saying in how many of the points.
    """
    array = np.asarray(values)
    bad = ~np.isfinite(array.reshape(len(array), -1)).all(axis=1)
    if bad.any():
        raise FloatingPointError(
            f"the amplitude is nan, infinite or not written at {int(bad.sum())} of {len(bad)} "
            "points that were tried"
        )


@lean_kernel
def gives_up(not_finite: int, counter: IntArray, scratch: Any) -> bool:
    """Count a point where an amplitude is no number; say whether there are too many in a decay.

    Parameters
    ----------
    not_finite
        How many there were in this decay, this one included.
    counter
        Row of counters, added to.
    scratch
        `SCRATCH` record; ``stuck`` is set if the decay is given up.
    """
    counter[N_NOT_FINITE] += 1
    if not_finite < _MOST:
        return False
    counter[N_STUCK] += 1
    scratch.stuck = STUCK_AMPLITUDE
    return True
