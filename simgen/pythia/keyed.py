"""Key Pythia's random numbers by event.

Pythia draws from RANMAR (G. Marsaglia, A. Zaman, W.-W. Tsang, Stat. Prob. Lett. 9 (1990) 35;
F. James, Comput. Phys. Commun. 60 (1990) 329): a subtractive lagged Fibonacci sequence of 97
numbers in [0, 1), of which an arithmetic sequence is taken away. Here the 97 numbers are those of
the event's own stream (`simgen.random`), so an event does not depend on those before it; that
takes 1 us. The other ways are too slow for events of 50 us: Pythia's own seeding takes 64 us and
knows 9e8 seeds only, where 1e8 events would hold millions of twins; an engine in Python takes
0.6 us for each of the 340 numbers of an event.

Python cannot write the table of 97 through the interface of ``pythia8mc``, so it is written where
the object keeps it: its layout is that of the C++ class ``Pythia8::RndmState``. `KeyedRandom`
compares the layout with what it knows about it, number by number, before it is used.
"""

from __future__ import annotations

import ctypes
from typing import TYPE_CHECKING, Any

import numpy as np

from simgen.errors import ConfigError

if TYPE_CHECKING:
    from simgen.typing import FloatArray

TABLE_SIZE = 97
_HEAD_INTEGERS = 6  # i97, j97, seed, padding, and a long
_TAIL = 3  # c, cd, cm
_SEED = 19780503
_FIRST, _SECOND = 97 - 1, 33 - 1


class KeyedRandom:
    """Set the state of a Pythia object's random numbers.

    Parameters
    ----------
    pythia
        An initialised ``pythia8mc.Pythia``.

    Raises
    ------
    ConfigError
        If this build of pythia8mc keeps its state otherwise than those this was made for.
    """

    def __init__(self, pythia: Any) -> None:
        self._rndm = pythia.rndm
        self._rndm.init(_SEED)
        self._state, self._set_state = self._rndm.getState(), self._rndm.setState
        self._table = _table_of(self._state)
        if not self._predicts():
            raise ConfigError(
                "this build of pythia8mc keeps its random numbers in a way that is not known; "
                "pip install 'pythia8mc>=8.315,<8.318'"
            )

    def set(self, table: FloatArray) -> None:
        """Begin the sequence of a table, (97,), of numbers uniform in [0, 1)."""
        self._table[:] = table
        self._set_state(self._state)

    def _predicts(self) -> bool:
        """Say whether a table written here gives the numbers that it should."""
        if not np.array_equal(self._table, seeded_table(_SEED)):
            return False
        table = np.linspace(0.9, 0.1, TABLE_SIZE)
        self.set(table)
        drawn = [self._rndm.flat() for _ in range(3 * TABLE_SIZE)]
        state = self._state
        expected = sequence(table, len(drawn), float(state.c), float(state.cd), float(state.cm))
        return bool(np.array_equal(drawn, expected))


def _table_of(state: Any) -> FloatArray:
    """Return the table inside a ``RndmState`` as an array on its memory."""
    # An object of pybind11 holds the pointer to its C++ object after the two words of CPython.
    address = ctypes.c_void_p.from_address(id(state) + object.__basicsize__).value
    kind = ctypes.c_double * TABLE_SIZE
    if address is None:
        return np.zeros(TABLE_SIZE)
    head = (ctypes.c_int32 * _HEAD_INTEGERS).from_address(address)
    tail = (ctypes.c_double * _TAIL).from_address(
        address + ctypes.sizeof(head) + ctypes.sizeof(kind)
    )
    if (head[0], head[1], head[2]) != (state.i97, state.j97, _SEED) or (
        (tail[0], tail[1], tail[2]) != (state.c, state.cd, state.cm)
    ):
        return np.zeros(TABLE_SIZE)
    numbers = kind.from_address(address + ctypes.sizeof(head))
    return np.ctypeslib.as_array(numbers)


def seeded_table(seed: int) -> FloatArray:
    """Return the table that Pythia makes of a seed, (97,); see F. James, above."""
    ij, kl = (seed // 30082) % 31329, seed % 30082
    i, j = (ij // 177) % 177 + 2, ij % 177 + 2
    k, m = (kl // 169) % 178 + 1, kl % 169
    table = np.zeros(TABLE_SIZE)
    for row in range(TABLE_SIZE):
        bit = 0.5
        for _ in range(48):
            product = ((i * j) % 179) * k % 179
            i, j, k = j, k, product
            m = (53 * m + 1) % 169
            if (m * product) % 64 >= 32:
                table[row] += bit
            bit *= 0.5
    return table


def sequence(table: FloatArray, n: int, c: float, cd: float, cm: float) -> FloatArray:
    """Return the first `n` numbers that follow from a table; the reference for the layout."""
    u = table.copy()
    first, second = _FIRST, _SECOND
    out = np.zeros(n)
    for k in range(n):
        number = u[first] - u[second]
        if number < 0.0:
            number += 1.0
        u[first] = number
        first, second = (first - 1) % TABLE_SIZE, (second - 1) % TABLE_SIZE
        c -= cd
        if c < 0.0:
            c += cm
        number -= c
        if number < 0.0:
            number += 1.0
        out[k] = number
    return out
