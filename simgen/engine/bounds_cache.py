"""Bounds of amplitudes that were sampled before, kept on disk.

Sampling a full table takes many seconds, reading the result back milliseconds. The name of an entry
is a hash of all that the bounds depend on: masses, channels, parameters, and the source of every
model, so entries never go stale. There is an entry for each program, and one for the channels of
all of them, each under a hash of its own: a decay file that changes one decay samples one decay.
"""

from __future__ import annotations

import hashlib
import inspect
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

import simgen
from simgen.decfile.cache import read_cache, write_cache
from simgen.engine import bounds
from simgen.engine.program import MIXING
from simgen.plugins import own_files

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from simgen.engine.program import Program
    from simgen.models import DecayModel

# What kernels of amplitudes and of phase space are made from.
_SOURCES = ("*.py", "engine/*.py", "models/*.py")
_BOUNDS = ("trace_bound", "eigen_bound", "eigen_share", "room", "octaves")
# Addresses, and what happens after momenta are drawn.
_UNRELATED = ("address", "parameters", "draw", "cells", "systems", "photon", "photon_energy")
# Channels that are kept; those found first are dropped for more. 100 bytes each.
_MOST_CHANNELS = 50_000
# Of the records of `simgen.engine.program` what a channel's bounds do not depend on, its own range
# of masses and daughters apart, which are said in other words.
_NOT_OF_SPECIES = ("first_channel", "ctau")
_NOT_OF_CHANNELS = (*_UNRELATED, *_BOUNDS, "daughters", "mixing", "n_cells", "n_rows")
_NOT_OF_OWN = ("cumulative", "n_systems")


def source_digest(models: Iterable[DecayModel | None]) -> str | None:
    """Return a hash of the code that bounds depend on; None if it cannot be known.

    Parameters
    ----------
    models
        Those of the channels.
    """
    digest = hashlib.sha256(f"{np.__version__}\n{bounds.MARGIN!r}\n".encode())
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
    return digest.hexdigest()


def bounds_key(
    program: Program, models: Sequence[DecayModel | None], root_spread: float, source: str
) -> str:
    """Return the name of the entry for a program without bounds.

    Parameters
    ----------
    program
        Everything but its bounds in place.
    models
        Of each channel.
    root_spread
        Standard deviation of the root's mass, GeV.
    source
        `source_digest` of the models.
    """
    digest = hashlib.sha256(source.encode())
    channels = program.channels.copy()
    for name in _UNRELATED:
        channels[name] = 0
    channels[channels["n_systems"] != 0] = 0  # these have no amplitude
    names = "\n".join("" if model is None else model.name for model in models)
    for data in (program.species, channels, program.mixing, program.parameters):
        digest.update(data.tobytes())
    digest.update(f"{names}\n{root_spread!r}".encode())
    return f"bounds-{digest.hexdigest()}"


class ChannelKeys:
    """Names of channels by all that their bounds depend on, the code apart.

    Parameters
    ----------
    program
        Everything but its bounds in place.
    models
        Of each channel.
    """

    def __init__(self, program: Program, models: Sequence[DecayModel | None]) -> None:
        self._program, self._models = program, models
        self._species, self._channels = program.species.copy(), program.channels.copy()
        for name in _NOT_OF_SPECIES:
            self._species[name] = 0
        for name in _NOT_OF_CHANNELS:
            self._channels[name] = 0
        values = program.parameters
        starts = (program.channels["parameters"] - values.ctypes.data) // values.itemsize
        self._spans = np.column_stack([starts, [*starts[1:], len(values)]])
        self._known: dict[int, bytes] = {}

    def key(self, number: int, parent: int, low: float, high: float) -> str:
        """Return the name of channel `number` of a species, whose mass is from `low` to `high`."""
        own, record = self._species[parent].copy(), self._channels[number].copy()
        own["min_mass"] = own["max_mass"] = own["n_channels"] = 0
        for name in _NOT_OF_OWN:
            record[name] = 0
        model = self._models[number]
        mixes = bool(self._program.channels["mixing"][number] >= 0)
        text = f"{'' if model is None else model.name} {low!r} {high!r} {mixes}"
        digest = hashlib.sha256(text.encode())
        for data in (own, record, self._program.parameters[slice(*self._spans[number])]):
            digest.update(data.tobytes())
        digest.update(self._daughters(number))
        return digest.hexdigest()[:32]

    def _daughters(self, number: int) -> bytes:
        """Return a hash of a channel's daughters."""
        record = self._program.channels[number]
        daughters = record["daughters"][: int(record["n_daughters"])].tolist()
        return b"".join(self._daughter(each) for each in daughters)

    def _daughter(self, species: int) -> bytes:
        """Return a hash of a daughter; if its mass varies, with all that it may decay to."""
        if species not in self._known:
            own = self._program.species[species]
            digest = hashlib.sha256(self._species[species].tobytes())
            if own["width"] > 0.0:
                first = int(own["first_channel"])
                for number in range(first, first + int(own["n_channels"])):
                    digest.update(self._channels[number].tobytes())
                    digest.update(self._daughters(number))
            self._known[species] = digest.digest()
        return self._known[species]


def read_channels(source: str) -> dict[str, Any]:
    """Return the bounds of all channels that are kept for a `source_digest`, by `ChannelKeys`."""
    data = read_cache(f"bounds-channels-{source}")
    return data if isinstance(data, dict) else {}


def write_channels(source: str, found: Mapping[str, Any]) -> None:
    """Keep bounds of channels, besides those kept before."""
    kept = list((read_channels(source) | dict(found)).items())
    write_cache(f"bounds-channels-{source}", dict(kept[-_MOST_CHANNELS:]))


def channel_bounds(record: Any) -> list[Any]:
    """Return the bounds in a `CHANNEL` record, for `write_channels`."""
    return [record[name].tolist() for name in _BOUNDS]


def set_channel_bounds(record: Any, values: Sequence[Any]) -> None:
    """Write bounds of `channel_bounds` to a `CHANNEL` record."""
    for name, value in zip(_BOUNDS, values, strict=True):
        record[name] = value


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
