r"""Statistical errors of anything that is worked out from histograms, by leaving parts out.

Candidates are divided into K parts by the number of their event. With :math:`\theta_{(k)}` the
statistic without part k, the delete-a-group jackknife (J. Shao, D. Tu, The Jackknife and
Bootstrap, Springer 1995, 2.3) has the variance

.. math::

    \frac{K - 1}{K} \sum_k (\theta_{(k)} - \bar\theta)^2 .

A part has the same events in every histogram, so what a statistic of several histograms, such
as the ratio of two methods' figures of merit, gains from their correlation is in its error.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from m2solve.study.histograms import Histogram

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from simgen.typing import FloatArray, IntArray

PARTS = 25  # so that an error is known to 1 / sqrt(2 x 24) = 14 %


@dataclass(frozen=True)
class Estimate:
    """A number and its statistical error.

    Attributes
    ----------
    value, error
        Of one unit.
    """

    value: float
    error: float


@dataclass
class PartedHistogram:
    """A histogram in parts.

    Attributes
    ----------
    edges
        (n + 1,) bin edges.
    counts
        (PARTS, n + 2) sums of weights; first bin below, last above.
    """

    edges: FloatArray
    counts: FloatArray = field(init=False)

    def __post_init__(self) -> None:
        self.counts = np.zeros((PARTS, len(self.edges) + 1))

    def fill(self, values: FloatArray, weights: FloatArray, event_id: IntArray) -> None:
        """Add values, (n,) as weights and the events' numbers; nan is not counted."""
        good = ~np.isnan(values)
        index = np.searchsorted(self.edges, values[good], side="right")
        index += (event_id[good] % PARTS) * self.counts.shape[1]
        found = np.bincount(index, weights[good], minlength=self.counts.size)
        self.counts += found.reshape(self.counts.shape)

    def __add__(self, other: PartedHistogram) -> PartedHistogram:
        result = PartedHistogram(self.edges)
        result.counts = self.counts + other.counts
        return result

    def whole(self) -> Histogram:
        """Return the sum of all parts."""
        result = Histogram(self.edges)
        result.counts = self.counts.sum(axis=0)
        return result

    def without_each(self) -> Iterator[Histogram]:
        """Yield the sum of all parts but one, for each part in turn."""
        total = self.counts.sum(axis=0)
        for part in self.counts:
            result = Histogram(self.edges)
            result.counts = total - part
            yield result


def jackknife(statistic: Callable[..., float], *samples: PartedHistogram) -> Estimate:
    """Return a statistic of histograms with its error.

    Parameters
    ----------
    statistic
        Takes as many `Histogram` as there are samples.
    *samples
        Filled with the same events.

    Returns
    -------
    Estimate
        Its error is nan where the statistic is, or is for one of the parts left out.
    """
    value = statistic(*(s.whole() for s in samples))
    without = zip(*(s.without_each() for s in samples), strict=True)
    left = np.array([statistic(*histograms) for histograms in without])
    variance = (PARTS - 1) / PARTS * float(np.sum((left - left.mean()) ** 2))
    return Estimate(value, math.sqrt(variance))
