"""Compress chunks outside of HDF5, so that several threads can do it at once.

HDF5 runs its filters one at a time under one lock. Here a chunk is shuffled and deflated by
whichever thread has time, and handed to HDF5 ready made; the file is the same shuffle + gzip
that every HDF5 reads. Deflate is done by libdeflate, at twice the speed of zlib's fastest level
(``docs/format.md``). ISA-L is three times faster still, but does not qualify: once in some ten
thousand chunks its output depends on what the allocator left in the memory it works in.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import deflate
import numpy as np

from simgen.jit import kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray

_LEVEL = 1


@kernel
def _shuffle(source: NDArray[np.uint8], item_size: int, out: NDArray[np.uint8]) -> None:
    """Write byte 0 of all items, then byte 1 of all items, and so on (HDF5's shuffle filter)."""
    n = len(source) // item_size
    for byte in range(item_size):
        for i in range(n):
            out[byte * n + i] = source[i * item_size + byte]


def encode_gzip(chunk: NDArray[np.generic]) -> bytes:
    """Return a chunk as HDF5 stores it after the filters shuffle and gzip.

    Parameters
    ----------
    chunk
        A whole chunk, contiguous.
    """
    source = chunk.reshape(-1).view(np.uint8)
    shuffled = np.empty_like(source)
    _shuffle(source, chunk.itemsize, shuffled)
    return bytes(deflate.zlib_compress(shuffled, _LEVEL))
