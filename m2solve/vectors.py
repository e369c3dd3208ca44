"""Vectors as users have them, brought to contiguous float64 arrays."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from simgen.errors import InputArrayError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from simgen.typing import FloatArray


def as_vectors(name: str, value: ArrayLike, width: int) -> FloatArray:
    """Return an (n, width) array; a single vector becomes one row.

    Parameters
    ----------
    name : str
        Name of the argument, for messages.
    value : array-like, or array of vectors
        Numbers (n, width), or anything whose attributes are the components, such as arrays of the
        `vector` package and awkward records: px, py, pz, E for four-momenta, x, y, z for
        three-vectors.
    width : int
        Number of components, 3 or 4.

    Raises
    ------
    InputArrayError
        If the shape is wrong.
    """
    names = ("px", "py", "pz", "E") if width == 4 else ("x", "y", "z")
    if all(hasattr(value, component) for component in names):
        columns = [np.asarray(getattr(value, component), np.float64) for component in names]
        array = np.ascontiguousarray(np.stack(columns, axis=-1))
    else:
        array = np.ascontiguousarray(value, dtype=np.float64)
    if array.ndim == 1:
        array = array[np.newaxis]
    if array.ndim != 2 or array.shape[1] != width:
        raise InputArrayError(f"{name} has shape {array.shape}; it must be (n, {width})")
    return array
