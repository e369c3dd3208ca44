"""Time to generate an event in memory on one core, beside the package `phasespace`.

Run with ``python benchmarks/generation.py [EVENTS]``. Kernels are compiled (or loaded from the
cache) before the clock starts; the best of several blocks counts, because other work on the
machine only ever adds time. Where `phasespace` is installed, it makes the same chain of two
three-body decays; it returns weighted events, so the time of one unweighted event is given, too.
"""

from __future__ import annotations

import importlib.util
import itertools
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from rich.console import Console
from rich.table import Table

from simgen.beams import load_beams
from simgen.decfile import BASE_TABLES
from simgen.generation import prepare_generation
from simgen.generators.decfile import DecayFileGenerator, DecayFileSettings

if TYPE_CHECKING:
    from collections.abc import Callable

    from simgen.generators.base import Generator

REPEATS = 40
MICRO = 1e6
M_B, M_K, M_TAU, M_MU = 5.27934, 0.493677, 1.77693, 0.1056583755

# Chains that show what costs time, each without a base table.
CHAINS = {
    "Y(4S) -> B+ B-": "Decay Upsilon(4S)\n1.0 B+ B- VSS;\nEnddecay\n",
    "Y(4S) -> B+ B-, B+ -> K+ tau- mu+, tau- -> mu- nu nu": (
        "Alias B+sig B+\n"
        "Decay Upsilon(4S)\n1.0 B+sig B- VSS;\nEnddecay\n"
        "Decay B+sig\n1.0 K+ tau- mu+ PHSP;\nEnddecay\n"
        "Decay tau-\n1.0 mu- anti-nu_mu nu_tau PHSP;\nEnddecay\n"
    ),
    "the same with TAULNUNU, and B- -> D0 mu- nu by ISGW2, D0 -> K- pi+": (
        "Alias B+sig B+\n"
        "Decay Upsilon(4S)\n1.0 B+sig B- VSS;\nEnddecay\n"
        "Decay B+sig\n1.0 K+ tau- mu+ PHSP;\nEnddecay\n"
        "Decay tau-\n1.0 mu- anti-nu_mu nu_tau TAULNUNU;\nEnddecay\n"
        "Decay B-\n1.0 D0 mu- anti-nu_mu ISGW2;\nEnddecay\n"
        "Decay D0\n1.0 K- pi+ PHSP;\nEnddecay\n"
    ),
    "D0 -> K- pi+ pi+ pi- pi0 twice": (
        "Decay Upsilon(4S)\n1.0 D0 anti-D0 VSS;\nEnddecay\n"
        "Decay D0\n1.0 K- pi+ pi+ pi- pi0 PHSP;\nEnddecay\n"
    ),
}


def best_time(make: Callable[[int], object], events: int) -> float:
    """Return the shortest time for one event, microseconds."""
    make(0)
    times = []
    for i in range(1, REPEATS + 1):
        start = time.perf_counter()
        make(i)
        times.append(time.perf_counter() - start)
    return MICRO * min(times) / events


def decay_file_generator(text: str) -> DecayFileGenerator:
    """Return the generator of a decay file given as text, at Belle II."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "chain.dec"
        path.write_text(text, encoding="utf-8")
        settings = DecayFileSettings(decay_files=(str(path),), base=None)
        return DecayFileGenerator(settings, load_beams("belle2"), Path(folder))


def own_times(events: int) -> list[tuple[str, float, float]]:
    """Return (what, microseconds, particles) of events that simgen makes."""
    start = time.perf_counter()
    generation = prepare_generation("ktaumu_belle2")
    generation.block(0, 1)
    print(f"start-up with the base table, to the first event: {time.perf_counter() - start:.2f} s")
    generators: dict[str, Generator] = {"configs/ktaumu_belle2.yaml": generation.generator}
    generators |= {name: decay_file_generator(text) for name, text in CHAINS.items()}
    modes = (
        ("phase_space", "pythia", "pool")
        if importlib.util.find_spec("pythia8mc")
        else ("phase_space",)
    )
    for base, mode in itertools.product(BASE_TABLES, modes):
        start = time.process_time()
        settings = DecayFileSettings(base=base, unsupported_models="phsp", pythia_modes=mode)
        name = f"generic, {base}, pythia_modes: {mode}"
        generators[name] = DecayFileGenerator(settings, load_beams("belle2"), Path())
        print(f"ready, {name}: {time.process_time() - start:.2f} s of processor time")
    return [
        (name, generator_time(generator, events), generator.particles_per_event())
        for name, generator in generators.items()
    ]


def generator_time(generator: Generator, events: int) -> float:
    """Return the shortest time for one event of a generator, microseconds."""

    def make(i: int) -> None:
        generator.generate(np.arange(i * events, (i + 1) * events), 1)

    return best_time(make, events)


def phasespace_times(events: int) -> list[tuple[str, float, float]]:
    """Return the times of `phasespace` for B -> K tau mu, tau -> mu nu nu."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    import phasespace
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    particle = phasespace.GenParticle
    tau = particle("tau", M_TAU).set_children(
        particle("mu2", M_MU), particle("nu1", 0.0), particle("nu2", 0.0)
    )
    parent = particle("B", M_B).set_children(particle("K", M_K), tau, particle("mu1", M_MU))
    weights: list[np.ndarray[tuple[int], np.dtype[np.float64]]] = []

    def make(_: int) -> None:
        weight, _particles = parent.generate(n_events=events)
        weights.append(np.asarray(weight))

    spent = best_time(make, events)
    accepted = float(np.mean(weights[-1]) / np.max(weights[-1]))
    return [
        ("phasespace: B -> K tau mu, tau -> mu nu nu, weighted", spent, 7),
        ("the same, one unweighted event", spent / accepted, 7),
    ]


def main() -> None:
    events = int(sys.argv[1]) if len(sys.argv) > 1 else 5_000
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    rows = own_times(events)
    if importlib.util.find_spec("phasespace") is not None:
        rows += phasespace_times(events)
    table = Table("events", "us/event", "particles", "ns/particle")
    for name, spent, particles in rows:
        table.add_row(name, f"{spent:.2f}", f"{particles:.1f}", f"{1000 * spent / particles:.0f}")
    Console(width=100).print(table)


if __name__ == "__main__":
    main()
