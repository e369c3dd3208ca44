"""Draw the decay channel of a particle."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from simgen.jit import lean_kernel
from simgen.random import uniform

if TYPE_CHECKING:
    from simgen.typing import UInt64Array


@lean_kernel
def choose_channel(species: Any, channels: Any, mass: float, state: UInt64Array) -> int:
    """Draw a channel that is open at this mass by branching fraction."""
    first: int = species.first_channel
    n: int = species.n_channels
    if n == 1:
        return first
    while True:
        u = uniform(state)
        low, high = first, first + n - 1
        while low < high:
            middle = (low + high) // 2
            if channels[middle].cumulative > u:
                high = middle
            else:
                low = middle + 1
        if channels[low].threshold < mass:
            return low
