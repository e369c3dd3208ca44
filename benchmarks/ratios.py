"""Time of a generator or reader, relative to the least that its library or input takes.

Run with ``python benchmarks/ratios.py [EVENTS] [REPEATS]``. Both sides take turns, block by block,
in processor time on one core, and the ratio is the median of those of the pairs: other work on the
machine slows both.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyhepmc
import pythia8mc
from rich.console import Console
from rich.table import Table

from detector.combinatorial import combine_block
from detector.config import CandidateConfig
from detector.profiles import load_profile
from simgen.beams import load_beams
from simgen.generators.base import check_settings, make_generator
from simgen.io.hepmc import write_hepmc

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from simgen.generators.base import Generator

MICRO = 1e6
FLAVOURS = {"uds": "1 2 3", "cc": "4"}


def generator_of(settings: Mapping[str, object]) -> Generator:
    """Return a generator at Belle II."""
    checked = check_settings(settings, "benchmark")
    return make_generator(checked, load_beams("belle2"), Path())


def generate(generator: Generator, events: int) -> Callable[[int], object]:
    """Return what makes block i."""
    return lambda i: generator.generate(np.arange(i * events, (i + 1) * events), 1)


def bare_pythia(process: str, events: int) -> Callable[[int], object]:
    """Return a plain loop over ``pythia.next()``."""
    pythia = pythia8mc.Pythia("", False)
    for line in ("Print:quiet = on", "Beams:idA = 11", "Beams:idB = -11", "PDF:lepton = off",
                 "Beams:eCM = 10.5794", "WeakSingleBoson:ffbar2gmZ = on", "23:onMode = off",
                 f"23:onIfAny = {FLAVOURS[process]}"):  # fmt: skip
        pythia.readString(line)
    pythia.init()

    def loop(_: int) -> None:
        for _ in range(events):
            pythia.next()

    return loop


def bare_hepmc(path: Path) -> Callable[[int], object]:
    """Return a plain loop over the events of a file."""

    def loop(_: int) -> None:
        with pyhepmc.open(path) as file:
            for event in file:
                assert len(event.particles) > 0

    return loop


def paired(
    ours: Callable[[int], object], bare: Callable[[int], object], events: int, repeats: int
) -> tuple[float, float, float]:
    """Return microseconds an event of both, the least, and the median ratio."""
    ours(0)
    bare(0)
    times = np.empty((repeats, 2))
    for i in range(repeats):
        for side, work in enumerate((ours, bare)):
            start = time.process_time()
            work(i)
            times[i, side] = time.process_time() - start
    least = MICRO * times.min(axis=0) / events
    return float(least[0]), float(least[1]), float(np.median(times[:, 0] / times[:, 1]))


def main() -> None:
    events = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    repeats = int(sys.argv[2]) if len(sys.argv) > 2 else 7
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    rows = []
    for process in FLAVOURS:
        generator = generator_of({"name": "pythia8", "process": process})
        rows.append(
            (f"pythia8, {process}", "pythia.next()",
             *paired(generate(generator, events), bare_pythia(process, events), events, repeats))
        )  # fmt: skip
    light = generator_of({"name": "pythia8", "process": "uds"})
    profile, config = load_profile("belle2"), CandidateConfig(assignment="combinatorial")
    blocks = [light.generate(np.arange(i * events, (i + 1) * events), 1) for i in range(repeats)]
    rows.append(
        ("candidates of uds events", "making them",
         *paired(lambda i: combine_block(blocks[i], profile, config, 1),
                 generate(light, events), events, repeats))
    )  # fmt: skip
    signal = generator_of({"name": "decfile", "decay_files": ["ktaumu.dec"], "base": None})
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "events.hepmc3"
        write_hepmc([signal.generate(np.arange(events), 1)], path, lambda _: None)
        reader = generator_of({"name": "hepmc", "files": [str(path)]})
        rows.append(
            ("hepmc, signal", "pyhepmc's loop",
             *paired(lambda _: reader.generate(np.arange(events), 1), bare_hepmc(path), events,
                     repeats))
        )  # fmt: skip
    table = Table("events", "us/event", "beside", "us/event", "ratio")
    for name, beside, ours, bare, ratio in rows:
        table.add_row(name, f"{ours:.1f}", beside, f"{bare:.1f}", f"{ratio:.2f}")
    Console(width=100).print(table)


if __name__ == "__main__":
    main()
