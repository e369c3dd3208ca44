"""Decay files that were parsed before, and pools of PYTHIA modes, kept on disk.

Parsing a full table takes seconds, reading the result back milliseconds. An entry is two lines,
the SHA-256 of the second line and the data as JSON, or the SHA-256 and arrays. The name of an entry
is a hash of all it depends on, so entries never go stale. Whatever goes wrong here only costs time.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import platformdirs

if TYPE_CHECKING:
    from collections.abc import Mapping

CACHE_VARIABLE = "SIMGEN_CACHE_DIR"
"""Environment variable that names another cache folder."""

_DIGEST = 32  # bytes


def cache_folder() -> Path:
    """Return the folder of cached decay files: `CACHE_VARIABLE` or the user's cache folder."""
    chosen = os.environ.get(CACHE_VARIABLE)
    return (Path(chosen) if chosen else Path(platformdirs.user_cache_dir("simgen"))) / "decfiles"


def read_cache(key: str) -> Any:
    """Return the data stored under `key`, None if there is none or it is damaged."""
    try:
        digest, payload = _entry(key).read_text(encoding="utf-8").split("\n", 1)
        if hashlib.sha256(payload.encode()).hexdigest() != digest:
            return None
        return json.loads(payload)
    except (OSError, ValueError):
        return None


def write_cache(key: str, data: Any) -> None:
    """Store JSON data under `key`; done whole or, where the disk does not allow it, not at all."""
    payload = json.dumps(data, separators=(",", ":"))
    digest = hashlib.sha256(payload.encode()).hexdigest()
    _write(_entry(key), f"{digest}\n{payload}".encode())


def _entry(key: str) -> Path:
    """Return the file of a key."""
    return cache_folder() / f"{key}.json"


def read_arrays(key: str) -> dict[str, Any] | None:
    """Return the arrays stored under `key`, None if there are none or they are damaged."""
    try:
        content = _array_entry(key).read_bytes()
        digest, payload = content[:_DIGEST], content[_DIGEST:]
        if hashlib.sha256(payload).digest() != digest:
            return None
        with np.load(io.BytesIO(payload), allow_pickle=False) as stored:
            return dict(stored)
    except (OSError, ValueError):
        return None


def write_arrays(key: str, arrays: Mapping[str, Any]) -> None:
    """Store arrays under `key`; done whole or, where the disk does not allow it, not at all."""
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    payload = buffer.getvalue()
    _write(_array_entry(key), hashlib.sha256(payload).digest() + payload)


def _array_entry(key: str) -> Path:
    """Return the file of a key with arrays."""
    return cache_folder() / f"{key}.npz"


def _write(entry: Path, content: bytes) -> None:
    """Write a file whole or not at all."""
    with suppress(OSError):
        entry.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=entry.parent, suffix=".tmp")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
            Path(temporary).replace(entry)
        except OSError:
            Path(temporary).unlink(missing_ok=True)
            raise
