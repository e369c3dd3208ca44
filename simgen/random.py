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

# sin(2 pi r) = r (S0 + S1 r^2 + ...) and cos(2 pi r) = 1 + C1 r^2 + ... for |r| <= 1/8: the
# polynomials of least relative error (Remez algorithm, 50 digits), 3e-18 and 4e-20.
_S0, _S1, _S2 = 6.283185307179586, -41.34170224039963, 81.60524927594451
_S3, _S4, _S5 = -76.70585970331514, 42.05868490205476, -15.093797505265383
_S6 = 3.7807261726947013
_C1, _C2, _C3 = -19.739208802178717, 64.93939402266798, -85.45681720652828
_C4, _C5, _C6 = 60.244641329385726, -26.426250927313417, 7.903091591282807
_C7 = -1.696834757184729

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
def azimuth(state: UInt64Array) -> tuple[float, float]:
    """Return cosine and sine of 2 pi u, u the next uniform number: a point on the unit circle.

    u is taken apart into quarters of a turn and a rest, which is exact, and so nothing is lost by
    rounding 2 pi u: the error is below 2.3e-16. Three times as fast as the C library's `sincos`.
    """
    u = uniform(state)
    quarter = np.int64(4.0 * u + 0.5)
    r = u - 0.25 * quarter
    z = r * r
    y = z * z
    # Written in pairs, which are computed side by side; the rest is a hundredth of the first term.
    sine = r * (_S0 + z * ((_S1 + z * _S2) + y * ((_S3 + z * _S4) + y * (_S5 + z * _S6))))
    cosine = 1.0 + z * (_C1 + z * ((_C2 + z * _C3) + y * ((_C4 + z * _C5) + y * (_C6 + z * _C7))))
    a, b = (sine, cosine) if quarter & 1 else (cosine, sine)
    return (-a if (quarter + 1) & 2 else a), (-b if quarter & 2 else b)


@lean_kernel
def normal_pair(state: UInt64Array) -> tuple[float, float]:
    """Return two independent unit normal numbers (G. E. P. Box, M. E. Muller, 1958).

    Two uniforms always give two normals, so a substream's later numbers do not move when an
    earlier one is used differently.
    """
    radius = np.sqrt(-2.0 * np.log(1.0 - uniform(state)))
    cosine, sine = azimuth(state)
    return radius * cosine, radius * sine


@lean_kernel
def unit_vector(state: UInt64Array) -> tuple[float, float, float]:
    """Return the components of an isotropic unit three-vector."""
    cos_theta = 2.0 * uniform(state) - 1.0
    sin_theta = np.sqrt(1.0 - cos_theta * cos_theta)
    cosine, sine = azimuth(state)
    return sin_theta * cosine, sin_theta * sine, cos_theta
