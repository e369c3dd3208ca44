"""Time per particle of smearing, finding and identifying.

Run with ``python benchmarks/smearing.py [PARTICLES]``: the best CPU time of 5 on one core, kernels
compiled before. Particles have 0.1 to 4 GeV, log-uniform, within 20 to 145 degrees.
"""

from __future__ import annotations

import sys
from time import process_time
from typing import TYPE_CHECKING

import numpy as np

from detector import identify_tracks, load_profile
from detector.bremsstrahlung import smear_electrons
from detector.efficiency import find_particles
from detector.photons import smear_photons
from detector.tracks import smear_tracks

if TYPE_CHECKING:
    from collections.abc import Callable

REPEATS = 5


def momenta(n: int, mass: float) -> np.ndarray:
    rng = np.random.default_rng(1)
    p = np.exp(rng.uniform(np.log(0.1), np.log(4.0), n))
    cosine = rng.uniform(np.cos(np.radians(145)), np.cos(np.radians(20)), n)
    phi, sine = rng.uniform(-np.pi, np.pi, n), np.sqrt(1 - cosine**2)
    unit = np.stack([sine * np.cos(phi), sine * np.sin(phi), cosine], axis=1)
    return np.column_stack([p[:, None] * unit, np.sqrt(p**2 + mass**2)])


def best(work: Callable[[], object]) -> float:
    work()
    times = []
    for _ in range(REPEATS):
        start = process_time()
        work()
        times.append(process_time() - start)
    return min(times)


def main() -> None:
    n = int(sys.argv[1]) if len(sys.argv) > 1 else 500_000
    keys = np.arange(n) // 16, np.arange(n) % 16
    pions, electrons, photons = (momenta(n, m) for m in (0.13957, 0.000511, 0.0))
    pdgid, still = np.full(n, 211, np.int32), np.zeros(n)
    axes = {"p": np.geomspace(0.1, 4, 30).tolist(), "theta": np.linspace(17, 150, 20).tolist()}
    table = {"axes": axes, "values": np.full((30, 20), 0.005).tolist()}
    plain, realistic = load_profile("belle2"), load_profile("belle2_realistic")
    mine = load_profile("belle2", {"tracks": {"momentum": {"table": table}}})
    jobs: dict[str, Callable[[], object]] = {
        "track, belle2": lambda: smear_tracks(pions, *keys, plain.tracks, 1),
        "track, belle2_realistic": lambda: smear_tracks(pions, *keys, realistic.tracks, 1),
        "track, table of 30 x 20 points": lambda: smear_tracks(pions, *keys, mine.tracks, 1),
        "electron, belle2_realistic": lambda: smear_electrons(electrons, *keys, realistic, 1),
        "photon, belle2": lambda: smear_photons(photons, *keys, plain.photons, 1),
        "track found": lambda: find_particles(pions, pdgid, still, *keys, plain, 1),
        "track identified, five hypotheses": lambda: identify_tracks(
            pions, pdgid, *keys, plain.identification, 1
        ),
    }
    for name, work in jobs.items():
        print(f"{name:36} {1e6 * best(work) / n:6.3f} us")


if __name__ == "__main__":
    main()
