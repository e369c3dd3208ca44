"""Tables of a profile for kernels, and looking a value up."""

from __future__ import annotations

from itertools import accumulate
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from detector.tables import Table
from simgen.jit import lean_kernel

if TYPE_CHECKING:
    from collections.abc import Sequence

    from simgen.typing import FloatArray, IntArray

# A packed table: what its first axis is, whether it is binned, the lengths of both axes, their
# numbers, then the values row by row.
_FIRST, _BINNED, _N_X, _N_Y, _HEADER = 0, 1, 2, 3, 4
_MOMENTUM, _PT, _LOG_ENERGY = 0.0, 1.0, 2.0


class PackedTables(NamedTuple):
    """Several tables in one array, each beginning at its start."""

    numbers: FloatArray
    start: IntArray


def pack_tables(tables: Sequence[float | Table]) -> PackedTables:
    """Return tables, or plain numbers, as kernels read them; `value_at` takes one by its place."""
    packed = [_pack(table) for table in tables]
    start = [0, *accumulate(len(one) for one in packed)]
    return PackedTables(np.concatenate(packed), np.array(start[:-1], dtype=np.int64))


def values_at(
    tables: Sequence[float | Table], momentum: FloatArray, transverse: FloatArray, theta: FloatArray
) -> FloatArray:
    """Return the values of k tables or numbers at n places, (n, k).

    Parameters
    ----------
    tables
        As for `pack_tables`.
    momentum, transverse, theta
        (n,) as for `value_at`.
    """
    if not any(isinstance(table, Table) for table in tables):
        return np.tile(np.array(tables, dtype=np.float64), (len(momentum), 1))
    out = np.empty((len(momentum), len(tables)))
    _look_up(pack_tables(tables), momentum, transverse, theta, out)
    return out


def values_at_momenta(tables: Sequence[float | Table], p4: FloatArray) -> FloatArray:
    """Return the values of k tables in p or pT, and theta, at momenta (n, 4), as (n, k)."""
    pt = np.hypot(p4[:, 0], p4[:, 1])
    return values_at(tables, np.hypot(pt, p4[:, 2]), pt, np.arctan2(pt, p4[:, 2]))


@lean_kernel
def _look_up(
    tables: PackedTables,
    momentum: FloatArray,
    transverse: FloatArray,
    theta: FloatArray,
    out: FloatArray,
) -> None:
    """Write the value of each table at each place to `out`."""
    for i in range(out.shape[0]):
        for k in range(out.shape[1]):
            out[i, k] = value_at(tables, k, momentum[i], transverse[i], theta[i])


def _pack(table: float | Table) -> FloatArray:
    """Return one table with theta, in rad, as its second axis; an axis it lacks has one number."""
    if not isinstance(table, Table):
        return np.array([0.0, 0.0, 1.0, 1.0, 0.0, 0.0, table])
    values = np.array(table.values, dtype=np.float64)
    names = list(table.axes)
    if names[0] == "theta":
        values, names = values.T, names[::-1]
    anywhere = (0.0, np.inf) if table.is_binned else (0.0,)
    x = np.array(anywhere if names[0] == "theta" else table.axes[names[0]])
    y = np.radians(table.axes.get("theta", anywhere))
    first = _PT if names[0] == "pt" else _MOMENTUM
    if names[0] == "energy" and not table.is_binned:
        first, x = _LOG_ENERGY, np.log(x)
    head = [first, float(table.is_binned), len(x), len(y)]
    return np.concatenate([head, x, y, values.ravel()])


@lean_kernel
def value_at(
    tables: PackedTables, which: int, momentum: float, transverse: float, theta: float
) -> float:
    """Return a table's value.

    Parameters
    ----------
    tables
        Of `pack_tables`.
    which
        Place of the table among them.
    momentum
        What its first axis is, GeV, mm or a share, unless that is pT.
    transverse
        pT, GeV.
    theta
        Polar angle, rad.
    """
    numbers, at = tables.numbers, tables.start[which]
    n_x, n_y = int(numbers[at + _N_X]), int(numbers[at + _N_Y])
    x = momentum
    if numbers[at + _FIRST] == _PT:
        x = transverse
    elif numbers[at + _FIRST] == _LOG_ENERGY:
        x = np.log(momentum)
    first = at + _HEADER
    if numbers[at + _BINNED] > 0.0:
        i = _interval(numbers, first, n_x, x)
        j = _interval(numbers, first + n_x, n_y, theta)
        return float(numbers[first + n_x + n_y + i * (n_y - 1) + j])
    i, j, u, v = 0, 0, 0.0, 0.0
    if n_x > 1:
        i = _interval(numbers, first, n_x, x)
        u = _fraction(numbers, first + i, x)
    if n_y > 1:
        j = _interval(numbers, first + n_x, n_y, theta)
        v = _fraction(numbers, first + n_x + j, theta)
    corner = first + n_x + n_y + i * n_y + j
    right, above = min(n_x - 1, 1) * n_y, min(n_y - 1, 1)
    near = (1.0 - v) * numbers[corner] + v * numbers[corner + above]
    far = (1.0 - v) * numbers[corner + right] + v * numbers[corner + right + above]
    return float((1.0 - u) * near + u * far)


@lean_kernel
def _interval(numbers: FloatArray, first: int, n: int, x: float) -> int:
    """Return i with axis[i] <= x < axis[i + 1], from 0 to n - 2; by bisection."""
    low, high = 0, n - 1
    while high - low > 1:
        middle = (low + high) // 2
        if numbers[first + middle] <= x:
            low = middle
        else:
            high = middle
    return low


@lean_kernel
def _fraction(numbers: FloatArray, at: int, x: float) -> float:
    """Return how far x is between two numbers of an axis, 0 to 1."""
    fraction = (x - numbers[at]) / (numbers[at + 1] - numbers[at])
    return float(min(max(fraction, 0.0), 1.0))
