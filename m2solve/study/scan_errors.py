"""Statistical errors of what a scan says of M_recoil.

n is the effective number of candidates, (sum w)^2 / sum w^2. Quantiles have the asymptotic
covariance p (1 - q) / (n f(x_p) f(x_q)), p <= q, of order statistics (H. Cramer, Mathematical
Methods of Statistics, 28.5), f the density; shares are binomial. The maximum of a histogram and
the figure of merit have no such formula worth having: theirs is the spread over Poisson replicas
of the histogram (B. Efron, Ann. Statist. 7 (1979) 1), drawn with a fixed seed.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from m2solve.study.histograms import Histogram
from m2solve.study.peak import BIN, full_width
from m2solve.study.report import figure_of_merit

if TYPE_CHECKING:
    from simgen.typing import FloatArray

_REPLICAS = 50  # so that an error is known to 10 %
_LOW, _HIGH = 0.16, 0.84
_STEP = 0.02  # in probability, over which the density at a quantile is measured


def half_width_error(recoil: Histogram, n: float) -> float:
    """Return the error of half the central 68 % interval, GeV, for n effective candidates."""
    low, high = _sparsity(recoil, _LOW), _sparsity(recoil, _HIGH)
    variance = _LOW * (1.0 - _LOW) * low**2 + _HIGH * (1.0 - _HIGH) * high**2
    variance -= 2.0 * _LOW * (1.0 - _HIGH) * low * high
    return 0.5 * math.sqrt(variance / n) if n > 0.0 else math.nan


def _sparsity(recoil: Histogram, p: float) -> float:
    """Return 1/f at the quantile of probability p."""
    return (recoil.quantile(p + _STEP) - recoil.quantile(p - _STEP)) / (2.0 * _STEP)


def share_error(share: float, n: float) -> float:
    """Return the binomial error of a share of n effective candidates."""
    return math.sqrt(max(share * (1.0 - share), 0.0) / n) if n > 0.0 else math.nan


def replica_errors(recoil: Histogram, n: float, seed: int) -> tuple[float, float]:
    """Return the errors of `full_width` (GeV) and `figure_of_merit` for n effective candidates."""
    if n <= 0.0 or recoil.total <= 0.0:
        return math.nan, math.nan
    per_weight = n / recoil.total
    _, counts = recoil.rebinned(BIN)
    outside = recoil.total - counts.sum()
    generator = np.random.default_rng(seed)
    drawn = generator.poisson(np.append(counts, outside) * per_weight, (_REPLICAS, len(counts) + 1))
    widths, merits = np.empty(_REPLICAS), np.empty(_REPLICAS)
    for i, replica in enumerate(drawn):
        copy = Histogram(recoil.edges)
        # Both look only at bins of 10 MeV, so it does not matter where in them the counts are.
        copy.counts[1 : 1 + len(counts) * BIN : BIN] = replica[:-1]
        copy.counts[-1] = replica[-1]
        widths[i], merits[i] = full_width(copy), figure_of_merit(copy)
    return _spread(widths), _spread(merits)


def _spread(values: FloatArray) -> float:
    """Return the standard deviation of the values that are numbers, nan if few are."""
    good = values[~np.isnan(values)]
    return float(good.std(ddof=1)) if len(good) > len(values) // 2 else math.nan
