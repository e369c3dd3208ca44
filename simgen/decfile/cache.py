"""Decay files that were parsed before, kept on disk.

Parsing a full table takes seconds, reading the result back milliseconds. An entry is two lines:
the SHA-256 of the second line, and the data as JSON. The name of an entry is a hash of all it
depends on, so entries never go stale. Whatever goes wrong here only costs time.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any

import platformdirs

CACHE_VARIABLE = "SIMGEN_CACHE_DIR"
"""Environment variable that names another cache folder."""


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
    entry = _entry(key)
    with suppress(OSError):
        entry.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=entry.parent, suffix=".tmp")
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(f"{digest}\n{payload}")
            Path(temporary).replace(entry)
        except OSError:
            Path(temporary).unlink(missing_ok=True)
            raise


def _entry(key: str) -> Path:
    """Return the file of a key."""
    return cache_folder() / f"{key}.json"
