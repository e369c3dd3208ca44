"""Working memory on the stack and views of memory, as lean kernels use them."""

from __future__ import annotations

import re

import numba
import numpy as np
import pytest
from numba.core.errors import TypingError

from simgen.engine.call import as_pointer
from simgen.jit import lean_kernel
from simgen.stack import stack_array
from simgen.view import view


@lean_kernel
def sum_of_squares(n: int) -> float:
    """Fill an array on the stack row by row, and sum it column by column."""
    numbers = stack_array(4, 3)
    for i in range(4):
        for j in range(3):
            numbers[i, j] = (n + 3 * i + j) ** 2
    total = 0.0
    for j in range(3):
        for i in range(4):
            total += numbers[i, j]
    return total


@lean_kernel
def twice(n: int) -> float:
    """Hold two arrays at once: they must not share memory."""
    first, second = stack_array(1, 2)[0], stack_array(1, 2)[0]
    first[0], second[0] = 1.0 * n, 10.0 * n
    return first[0] + second[0]


@lean_kernel
def last_of_rows(address: int, n: int, out: np.ndarray) -> None:
    """Copy the last column of an array at an address."""
    rows = view(as_pointer(address), n, 3)
    for i in range(len(rows)):
        out[i] = rows[i, 2]


def test_array_on_the_stack_has_rows_and_columns() -> None:
    assert sum_of_squares(1) == sum(k * k for k in range(1, 13))


def test_two_arrays_are_apart() -> None:
    assert twice(3) == 33.0


def test_arrays_of_two_shapes_have_memory_of_their_own_size() -> None:
    @numba.njit
    def use(numbers: np.ndarray) -> None:
        for i in range(len(numbers)):
            numbers[i, 0] += 1.0

    @numba.njit
    def two_shapes() -> float:
        large, small = stack_array(6, 7), stack_array(1, 5)
        use(large)
        use(small)
        return large[5, 0] + small[0, 0]

    two_shapes()
    (code,) = two_shapes.inspect_llvm().values()
    # the small one need not be in memory at all
    assert "42" in re.findall(r"alloca \[(\d+) x double\]", code)


def test_a_shape_that_is_not_constant_is_refused() -> None:
    @lean_kernel
    def variable(n: int) -> float:
        return stack_array(n, 2)[0, 0]

    with pytest.raises(TypingError, match="shape of an array on the stack is constant"):
        variable(3)


def test_a_view_reads_the_rows_of_a_table() -> None:
    table = np.arange(15.0).reshape(5, 3)
    out = np.zeros(5)
    last_of_rows(table.ctypes.data, 5, out)
    np.testing.assert_array_equal(out, table[:, 2])


def test_a_lean_kernel_cannot_make_an_array() -> None:
    @lean_kernel
    def makes(n: int) -> float:
        return np.zeros(n)[0]

    with pytest.raises(Exception, match=r"(?i)nrt|returning of array"):
        makes(3)
