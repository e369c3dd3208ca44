"""Compressed chunks: what zlib reads back, and the same bytes whatever else is in memory."""

from __future__ import annotations

import zlib

import numpy as np
import pytest
from isal import isal_zlib

from simgen.io import encode


def shuffled(chunk: np.ndarray) -> bytes:
    return chunk.view(np.uint8).reshape(-1, chunk.itemsize).T.tobytes()


@pytest.mark.parametrize("dtype", ["i1", "i4", "f8"])
@pytest.mark.parametrize("n", [1, 7, 272, 5000])
def test_zlib_reads_the_shuffled_chunk(dtype: str, n: int) -> None:
    chunk = np.random.default_rng(n).integers(0, 5, n).astype(dtype)
    assert zlib.decompress(encode.encode_gzip(chunk)) == shuffled(chunk)


def test_what_follows_in_memory_does_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    """The compressor looks beyond the end of its input: there must be the same bytes always."""
    beyond, plain = [], isal_zlib.compress

    def compress(data: np.ndarray, level: int) -> bytes:
        whole = data.base
        assert isinstance(whole, np.ndarray)
        beyond.append(whole[len(data) :].copy())
        return plain(data, level)

    monkeypatch.setattr(encode.isal_zlib, "compress", compress)
    for n in (1, 272, 5000):
        encode.encode_gzip(np.full(n, 7, dtype=np.int8))
    assert all(len(after) >= 258 for after in beyond)  # the longest match of deflate
    assert not np.any(beyond)
