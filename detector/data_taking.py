"""When the events were recorded, for what changes while data are taken.

Each event has a place in the integrated luminosity, uniform from 0 to 1, as events of every run
are as many as its luminosity; those of a table in ``luminosity`` are the same for all numbers of a
profile. A table whose values are the quantiles of a distribution draws from it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from detector.streams import DATA_TAKING
from detector.table_lookup import values_at
from detector.tables import Table
from simgen.jit import lean_kernel
from simgen.random import Stage, new_stream, seek, uniform

if TYPE_CHECKING:
    from collections.abc import Sequence

    from simgen.typing import FloatArray, IntArray, UInt64Array


def luminosity_shares(event_id: IntArray, seed: int) -> FloatArray:
    """Return how much of the luminosity had been taken before each event, (n,) in [0, 1).

    Parameters
    ----------
    event_id
        (n,) the events' numbers.
    seed
        The run's seed.
    """
    shares = np.empty(len(event_id))
    _draw(event_id, new_stream(seed, int(Stage.SMEAR)), shares)
    return shares


def values_of_events(tables: Sequence[float | Table], event_id: IntArray, seed: int) -> FloatArray:
    """Return the values of k numbers or tables in luminosity for n events, (n, k)."""
    nothing = np.zeros(len(event_id))
    shares = nothing
    if any(isinstance(table, Table) for table in tables):
        shares = luminosity_shares(event_id, seed)
    return values_at(tables, shares, nothing, nothing)


@lean_kernel
def _draw(event_id: IntArray, state: UInt64Array, out: FloatArray) -> None:
    """Write a uniform number of each event to `out`."""
    for i in range(len(out)):
        seek(state, event_id[i], DATA_TAKING)
        out[i] = uniform(state)
