"""The one way this project compiles kernels."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import numba

F = TypeVar("F", bound=Callable[..., object])


def kernel(function: F) -> F:
    """Compile `function` with numba: no GIL, cached on disk, strict IEEE arithmetic.

    A kernel loops over flat arrays and touches no Python object, so blocks of events run on
    threads side by side. ``error_model="numpy"`` makes a division by zero give inf or nan as in
    numpy; ``fastmath`` stays off because the same seed must give the same bytes.

    Notes
    -----
    Numba's cache notices a change in the file of a kernel, not in the files of kernels it calls.
    Whoever edits a helper kernel removes the ``__pycache__`` folders.
    """
    # said, because numba would take it from whichever kernel calls first
    compiled: F = numba.njit(nogil=True, cache=True, error_model="numpy", _nrt=True)(function)
    return compiled


def lean_kernel(function: F) -> F:
    """Compile as `kernel`, without counting references of arrays.

    For kernels that are called many times an event and make no arrays, nor call what does: every
    array that numba passes from one kernel to another is otherwise counted up and down again,
    which was a fifth of the time of an event. The caller keeps the arrays. A kernel that makes an
    array does not compile with this; `simgen.stack` has memory for a few numbers.
    """
    compiled: F = numba.njit(nogil=True, cache=True, error_model="numpy", _nrt=False)(function)
    return compiled
