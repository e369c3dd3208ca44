"""Height, position and width of the peak of M_recoil, from bins of 10 MeV smoothed a little."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from m2solve.study.histograms import Histogram
    from simgen.typing import FloatArray

BIN = 10  # of 1 MeV


def _smooth(recoil: Histogram) -> tuple[FloatArray, FloatArray]:
    """Return edges and counts of bins of 10 MeV, smoothed with (1, 2, 1)/4."""
    edges, counts = recoil.rebinned(BIN)
    padded = np.pad(counts, 1)
    return edges, 0.25 * (padded[:-2] + 2.0 * padded[1:-1] + padded[2:])


def peak_height(recoil: Histogram) -> float:
    """Return the largest density, share of the candidates a GeV; nan if there are none."""
    edges, smooth = _smooth(recoil)
    if recoil.total == 0.0:
        return math.nan
    return float(smooth.max() / recoil.total / (edges[1] - edges[0]))


def full_width(recoil: Histogram) -> float:
    """Return the full width at half maximum, GeV; nan if a side does not fall to the half.

    Between the crossings nearest to the maximum, interpolated linearly. Bins and smoothing add
    18 MeV in quadrature.
    """
    edges, smooth = _smooth(recoil)
    peak = int(smooth.argmax())
    level = 0.5 * smooth[peak]
    below = np.flatnonzero(smooth < level)
    left, right = below[below < peak], below[below > peak]
    if len(left) == 0 or len(right) == 0:
        return math.nan
    i, j = int(left[-1]), int(right[0])
    a = i + (level - smooth[i]) / (smooth[i + 1] - smooth[i])
    b = j - (level - smooth[j]) / (smooth[j - 1] - smooth[j])
    return float((b - a) * (edges[1] - edges[0]))


def half_width(recoil: Histogram) -> float:
    """Return half of the central 68 % interval, GeV; nan if there are no candidates."""
    return 0.5 * (recoil.quantile(0.84) - recoil.quantile(0.16))
