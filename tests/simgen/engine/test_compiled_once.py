"""A second process finds every kernel compiled."""

from __future__ import annotations

import os
import subprocess
import sys

PROGRAM = """
import numpy as np
from pathlib import Path
from simgen.beams import load_beams
from simgen.generators.decfile import DecayFileGenerator, DecayFileSettings

settings = DecayFileSettings(decay_files=("ktaumu.dec",), base=None)
generator = DecayFileGenerator(settings, load_beams("belle2"), Path.cwd())
print(generator.generate(np.arange(100), 1).p4.sum().hex())
"""


def run(cache, folder):
    """Run the generator in its own process; return its result and the compiled files."""
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(cache)}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env=environment,
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
    )
    files = {p: p.stat().st_mtime_ns for p in cache.rglob("*.nb[ci]")}
    return done.stdout, files


def test_a_second_process_compiles_nothing(tmp_path):
    cache = tmp_path / "numba"
    first, compiled = run(cache, tmp_path)
    assert any("generate_events" in path.name for path in compiled)
    assert any("vss_amplitude" in path.name for path in compiled)
    second, found = run(cache, tmp_path)
    assert found == compiled
    assert second == first
