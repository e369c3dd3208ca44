"""Bounds of a program's amplitudes: those kept on disk, and the others sampled on threads."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, NamedTuple

from simgen.engine.bounds import set_amplitude_bounds
from simgen.engine.bounds_cache import (
    ChannelKeys,
    channel_bounds,
    read_channels,
    set_channel_bounds,
    write_channels,
)
from simgen.processors import default_workers

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from contextlib import AbstractContextManager

    from simgen.engine.program import Program
    from simgen.models import DecayModel


class Unbounded(NamedTuple):
    """A channel that needs bounds: its number, that of what decays, and the range of its mass."""

    number: int
    parent: int
    low: float
    high: float


def bound_channels(
    program: Program,
    models: Sequence[DecayModel | None],
    channels: Sequence[Unbounded],
    source: str | None,
    naming: Callable[[int], AbstractContextManager[None]],
    threads: int | None = None,
) -> None:
    """Fill in the bounds of channels.

    Each is sampled from random numbers of its own, so the result does not depend on threads, nor on
    what else is bounded. Channels that are alike are sampled once.

    Parameters
    ----------
    program
        Everything but its bounds in place; changed.
    models
        Of each channel of the program.
    channels
        What needs bounds.
    source
        `simgen.engine.bounds_cache.source_digest`; if None nothing is kept on disk.
    naming
        Returns the context in which errors of a channel are raised.
    threads
        Number of threads; by default that of processors.

    Raises
    ------
    ArithmeticError
        Or what `naming` makes of it: of the first channel that cannot be sampled.
    """
    keys = ChannelKeys(program, models)
    names = [keys.key(*each) if source is not None else str(each.number) for each in channels]
    known = read_channels(source) if source is not None else {}
    missing: dict[str, Unbounded] = {}
    for name, each in zip(names, channels, strict=True):
        if name not in known:
            missing.setdefault(name, each)
    found = {}
    with ThreadPoolExecutor(threads or default_workers()) as pool:
        sampled = {
            name: pool.submit(set_amplitude_bounds, program, *each)
            for name, each in missing.items()
        }
        try:
            for name, each in missing.items():
                with naming(each.number):
                    sampled[name].result()
                found[name] = channel_bounds(program.channels[each.number])
        finally:
            pool.shutdown(cancel_futures=True)
    for name, each in zip(names, channels, strict=True):
        set_channel_bounds(program.channels[each.number], found.get(name) or known[name])
    if found and source is not None:
        write_channels(source, found)
