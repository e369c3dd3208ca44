"""Where a detector is checked: kinds of particles, and points in momentum and polar angle."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from simgen.typing import FloatArray

MOMENTA = (0.1, 0.15, 0.25, 0.4, 0.6, 0.9, 1.4, 2.0, 3.0, 4.5)
"""GeV; of photons the energy."""
ANGLES = (25.0, 60.0, 95.0, 135.0)
"""Polar angles in degrees, away from gaps of the calorimeter."""
FLIGHTS = (2.0, 10.0, 50.0, 100.0, 200.0, 350.0, 550.0)
"""Transverse flights of K_S, mm."""
TRACKS = {"electron": 0.51099895e-3, "muon": 0.1056583755, "pion": 0.13957039,
          "kaon": 0.493677, "proton": 0.93827209}  # fmt: skip
"""Masses in GeV (PDG 2024), in the order of `Species`."""
KINDS = (*TRACKS, "photon", "pi0", "K_S")  # each has its own random numbers
SEED = 1
"""Of all that is smeared."""
ALLOWED_P = 1e-3
"""Least p-value of a comparison, over the number of comparisons."""


def momenta(p: float, theta: float, mass: float, n: int) -> FloatArray:
    """Return n momenta (px, py, pz, E) of one size and polar angle in degrees, around the axis."""
    phi = 2.0 * np.pi * (np.arange(n) + 0.5) / n - np.pi
    t = np.radians(theta)
    sine = np.sin(t)
    return np.column_stack(
        [p * sine * np.cos(phi), p * sine * np.sin(phi), np.full(n, p * np.cos(t)),
         np.full(n, np.hypot(p, mass))]
    )  # fmt: skip


def points(first: Sequence[float], second: Sequence[float]) -> Iterator[tuple[int, float, float]]:
    """Yield all pairs, numbered; `second` is the slower."""
    pairs = [(a, b) for b in second for a in first]
    yield from ((i, a, b) for i, (a, b) in enumerate(pairs))
