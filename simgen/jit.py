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
    compiled: F = numba.njit(nogil=True, cache=True, error_model="numpy")(function)
    return compiled
