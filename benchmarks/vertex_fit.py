"""Time and resolution of fitted vertices.

Run with ``python benchmarks/vertex_fit.py [EVENTS]``; one core. The kernels are compiled (or loaded
from the cache) before the clock starts. The first lines are vertices of given tracks; the others
signal events of configs/ktaumu_belle2.yaml with the profiles Belle and Belle II, measuring the
tracks included: the time a vertex, and how far, half of the central 68 %, measured vertices are
from the true ones.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from detector import CandidateConfig, fit_vertices, load_profile, smear_block
from simgen.generators.base import check_settings, make_generator

if TYPE_CHECKING:
    from collections.abc import Callable

    from detector import CandidateTable, DetectorProfile
    from simgen.events import EventBlock

REPEATS = 5


def best_time(work: Callable[[], object]) -> float:
    """Return the shortest of some times of this thread, after a first one, in s."""
    work()
    times = []
    for _ in range(REPEATS):
        start = time.thread_time()
        work()
        times.append(time.thread_time() - start)
    return min(times)


def half_widths(table: CandidateTable, name: str) -> str:
    """Return half of the central 68 % of measured less true x, y, z in um."""
    residual = getattr(table, name) - getattr(table, f"true_{name}")
    low, high = np.quantile(residual, [0.16, 0.84], axis=0)
    return " ".join(f"{500 * x:5.1f}" for x in high - low)


def given_tracks(n: int, tracks: int) -> float:
    """Return the time to fit a vertex of some tracks, us."""
    rng = np.random.default_rng(1)
    q = rng.normal(0.0, [0.03, 2.0, 4e-4, 0.1, 1.0], (n, tracks, 5))
    v = np.broadcast_to(np.square([0.03, 1e-3, 2e-6, 0.04, 1e-3]), q.shape)
    prior = 100.0 * np.eye(3)
    return best_time(lambda: fit_vertices(q, v, prior_covariance=prior)) / n * 1e6


def fit_time(
    block: EventBlock, name: str, fitted: DetectorProfile, config: CandidateConfig
) -> float:
    """Return by how much fitted vertices take longer than smeared ones, us a vertex."""
    smeared = load_profile(name)
    vertices = 2 * len(smear_block(block, smeared, config, 1)[0])
    times = [best_time(lambda p=p: smear_block(block, p, config, 1)) for p in (fitted, smeared)]
    return (times[0] - times[1]) / vertices * 1e6


def main(n: int) -> None:
    for tracks in (2, 4, 8):
        print(f"{tracks} given tracks: {given_tracks(n, tracks):.2f} us a vertex")
    settings = check_settings({"decay_files": ["ktaumu.dec"], "base": None}, "benchmark")
    for name in ("belle2", "belle"):
        generator = make_generator(settings, load_profile(name).beams, Path.cwd())
        block = generator.generate(np.arange(n, dtype=np.int64), 1)
        for constraint in ("none", "ip"):
            changes = {"vertices": {"method": "fit", "constraint": constraint}}
            fitted = load_profile(name, changes)
            table, _ = smear_block(block, fitted, CandidateConfig(), 1)
            costs = [fit_time(block, name, fitted, CandidateConfig(assignment=assignment))
                     for assignment in ("truth", "combinatorial")]  # fmt: skip
            print(f"{name}, constraint {constraint}: {costs[0]:.2f} us a vertex, "
                  f"{costs[1]:.2f} of combinatorial candidates; "
                  f"r_sig x y z {half_widths(table, 'r_sig')} um, "
                  f"r_tag {half_widths(table, 'r_tag')} um")  # fmt: skip


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 20_000)
