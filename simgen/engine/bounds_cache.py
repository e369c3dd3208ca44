"""Bounds of amplitudes that were sampled before, kept on disk.

Sampling a full table takes many seconds, reading the result back milliseconds. The name of an entry
is a hash of all that the bounds depend on: masses, channels, parameters, and the source of every
model, so entries never go stale.
"""

from __future__ import annotations

import hashlib
import inspect
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

import simgen
from simgen.decfile.cache import read_cache, write_cache
from simgen.engine import bounds
from simgen.engine.program import MIXING
from simgen.plugins import own_files

if TYPE_CHECKING:
    from collections.abc import Sequence

    from simgen.engine.program import Program
    from simgen.models import DecayModel

# What kernels of amplitudes and of phase space are made from.
_SOURCES = ("*.py", "engine/*.py", "models/*.py")
_BOUNDS = ("trace_bound", "eigen_bound", "eigen_share", "room", "octaves")
# Addresses, and what happens after momenta are drawn.
_UNRELATED = ("address", "parameters", "draw", "cells", "systems", "photon", "photon_energy")


def bounds_key(
    program: Program, models: Sequence[DecayModel | None], root_spread: float
) -> str | None:
    """Return the name of the entry for a program without bounds; None if it cannot be known.

    Parameters
    ----------
    program
        Everything but its bounds in place.
    models
        Of each channel.
    root_spread
        Standard deviation of the root's mass, GeV.
    """
    digest = hashlib.sha256()
    folder = Path(simgen.__file__).parent
    files = {path for pattern in _SOURCES for path in folder.glob(pattern)}
    own = f"{simgen.__name__}."
    for amplitude in {m.amplitude for m in models if m is not None and m.amplitude is not None}:
        if amplitude.__module__.startswith(own):
            continue  # one of `_SOURCES`
        module = inspect.getmodule(amplitude)
        if module is None or not (sources := own_files(module)):
            return None
        files.update(sources)
    for path in sorted(files):
        digest.update(path.read_bytes())
    channels = program.channels.copy()
    for name in _UNRELATED:
        channels[name] = 0
    channels[channels["n_systems"] != 0] = 0  # these have no amplitude
    names = "\n".join("" if model is None else model.name for model in models)
    for data in (program.species, channels, program.mixing, program.parameters):
        digest.update(data.tobytes())
    digest.update(f"{names}\n{root_spread!r}\n{np.__version__}\n{bounds.MARGIN!r}".encode())
    return f"bounds-{digest.hexdigest()}"


def restore_bounds(program: Program, key: str) -> bool:
    """Fill in bounds that are kept under a name; return False if there are none."""
    data = read_cache(key)
    if data is None:
        return False
    for name in _BOUNDS:
        program.channels[name] = data[name]
    program.mixing[:] = np.frombuffer(bytes.fromhex(data["mixing"]), MIXING)
    return True


def keep_bounds(program: Program, key: str) -> None:
    """Keep the bounds of a program under a name."""
    data = {
        **{name: program.channels[name].tolist() for name in _BOUNDS},
        "mixing": program.mixing.tobytes().hex(),
    }
    write_cache(key, data)
