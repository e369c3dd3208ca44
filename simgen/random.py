"""Event-keyed random streams.

A stream is the Philox4x64-10 counter-based generator of J. K. Salmon et al., *Parallel random
numbers: as easy as 1, 2, 3*, SC11 (2011), doi:10.1145/2063384.2063405, with

    key     = (seed, stage)
    counter = (block, substream, event_id, 0)

so every event of every stage has 2^64 streams of its own and nothing depends on which worker,
block or shard makes it. The numbers are those of ``numpy.random.Philox`` with the same key and
counter (a test compares them bit by bit). A stage gives each particle its own substream where
one more draw for one particle must not change the next, as in a scan of detector settings.
"""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING, Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from simgen.jit import kernel, lean_kernel

if TYPE_CHECKING:
    from simgen.typing import UInt64Array

_MULTIPLIER_0 = np.uint64(0xD2E7470EE14C6C93)
_MULTIPLIER_1 = np.uint64(0xCA5A826395121157)
_WEYL_0 = np.uint64(0x9E3779B97F4A7C15)
_WEYL_1 = np.uint64(0xBB67AE8584CAA73B)
_ONE = np.uint64(1)
_ELEVEN = np.uint64(11)
_TO_UNIT = 1.0 / 9007199254740992.0  # 2^-53: the 53 random bits of a double in [0, 1)
_TWO_PI = 2.0 * np.pi

# Layout of a stream's state: key, counter, four buffered words, position in the buffer.
_KEY, _COUNTER, _BUFFER, _POSITION, STATE_SIZE = 0, 2, 6, 10, 11


class Stage(enum.IntEnum):
    """The second half of the key: what the numbers are used for."""

    GENERATE = 1
    SMEAR = 2
    SOLVE = 3
    FRAGMENT = 4
    POOL = 5
    DECAY = 6


@intrinsic  # type: ignore[untyped-decorator]
def _multiply_high(typing_context: Any, a: Any, b: Any) -> Any:  # noqa: ARG001
    """Upper 64 bits of the 128-bit product of two uint64."""

    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:  # noqa: ARG001
        wide = ir.IntType(128)
        product = builder.mul(builder.zext(arguments[0], wide), builder.zext(arguments[1], wide))
        return builder.trunc(builder.lshr(product, ir.Constant(wide, 64)), ir.IntType(64))

    return types.uint64(types.uint64, types.uint64), codegen


@lean_kernel
def set_key(state: UInt64Array, seed: int, stage: int) -> None:
    """Make `state`, (STATE_SIZE,), a stream for `seed` and `stage`; see `open_stream`."""
    state[_KEY] = np.uint64(seed)
    state[_KEY + 1] = np.uint64(stage)


@kernel
def open_stream(seed: int, stage: int) -> UInt64Array:
    """Return the state of a stream for `seed` and `stage`; `seek` places it at an event.

    Parameters
    ----------
    seed
        The run's seed, any unsigned 64-bit integer.
    stage
        A value of `Stage`.
    """
    state = np.zeros(STATE_SIZE, dtype=np.uint64)
    set_key(state, seed, stage)
    return state


def new_stream(seed: int, stage: int) -> UInt64Array:
    """Return what `open_stream` returns, for a call from Python.

    Where a kernel that calls `open_stream` was loaded from numba's cache before it, numba 0.68
    cannot return its array to Python ("'descr' is NULL").
    """
    state = np.zeros(STATE_SIZE, dtype=np.uint64)
    set_key(state, seed, stage)
    return state


@lean_kernel
def seek(state: UInt64Array, event_id: int, substream: int) -> None:
    """Place `state` at the beginning of a substream of an event."""
    state[_COUNTER] = 0
    state[_COUNTER + 1] = np.uint64(substream)
    state[_COUNTER + 2] = np.uint64(event_id)
    state[_COUNTER + 3] = 0
    state[_POSITION] = 4


@lean_kernel
def _refill(state: UInt64Array) -> None:
    """Fill the buffer with the next Philox4x64-10 block."""
    state[_COUNTER] += _ONE
    c0, c1 = state[_COUNTER], state[_COUNTER + 1]
    c2, c3 = state[_COUNTER + 2], state[_COUNTER + 3]
    k0, k1 = state[_KEY], state[_KEY + 1]
    for _ in range(10):
        high0 = _multiply_high(_MULTIPLIER_0, c0)
        low0 = _MULTIPLIER_0 * c0
        high1 = _multiply_high(_MULTIPLIER_1, c2)
        low1 = _MULTIPLIER_1 * c2
        c0, c1, c2, c3 = high1 ^ c1 ^ k0, low1, high0 ^ c3 ^ k1, low0
        k0 += _WEYL_0
        k1 += _WEYL_1
    state[_BUFFER], state[_BUFFER + 1] = c0, c1
    state[_BUFFER + 2], state[_BUFFER + 3] = c2, c3
    state[_POSITION] = 0


@lean_kernel
def uniform(state: UInt64Array) -> float:
    """Return the next number uniform in [0, 1), with 53 random bits."""
    if state[_POSITION] == 4:
        _refill(state)
    word = state[_BUFFER + np.int64(state[_POSITION])]
    state[_POSITION] += _ONE
    number: float = np.float64(word >> _ELEVEN) * _TO_UNIT
    return number


@lean_kernel
def exponential(state: UInt64Array) -> float:
    """Return a number from exp(-x), x >= 0."""
    number: float = -np.log(1.0 - uniform(state))
    return number


@lean_kernel
def normal_pair(state: UInt64Array) -> tuple[float, float]:
    """Return two independent unit normal numbers (G. E. P. Box, M. E. Muller, 1958).

    Two uniforms always give two normals, so a substream's later numbers do not move when an
    earlier one is used differently.
    """
    radius = np.sqrt(-2.0 * np.log(1.0 - uniform(state)))
    angle = _TWO_PI * uniform(state)
    return radius * np.cos(angle), radius * np.sin(angle)


@lean_kernel
def unit_vector(state: UInt64Array) -> tuple[float, float, float]:
    """Return the components of an isotropic unit three-vector."""
    cos_theta = 2.0 * uniform(state) - 1.0
    sin_theta = np.sqrt(1.0 - cos_theta * cos_theta)
    phi = _TWO_PI * uniform(state)
    return sin_theta * np.cos(phi), sin_theta * np.sin(phi), cos_theta
