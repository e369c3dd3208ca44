"""Jackknife errors are those of theory, and know what two histograms have in common."""

from __future__ import annotations

import math

import numpy as np
import pytest

from m2solve.study.histograms import RECOIL_EDGES
from m2solve.study.jackknife import PARTS, PartedHistogram, jackknife
from m2solve.study.peak import half_width, peak_height

N, TOYS = 20_000, 60


def parted(values, weights=None) -> PartedHistogram:
    found = PartedHistogram(RECOIL_EDGES)
    found.fill(values, np.ones(len(values)) if weights is None else weights, np.arange(len(values)))
    return found


def share(histogram) -> float:
    return histogram.fraction(1.7, 1.9)


@pytest.fixture(scope="module")
def toys() -> list[np.ndarray]:
    random = np.random.default_rng(5)
    return [random.normal(1.8, 0.1, N) for _ in range(TOYS)]


def test_error_of_a_share_is_binomial(toys):
    errors = np.array([jackknife(share, parted(t)).error for t in toys])
    p = math.erf(1.0 / math.sqrt(2.0))
    # Each is known to 1/sqrt(2 x 24) = 14 %, their root mean square to 1.9 %.
    rms = math.sqrt(np.mean(errors**2))
    assert rms == pytest.approx(math.sqrt(p * (1.0 - p) / N), rel=0.06)


def test_error_of_a_half_width_is_that_of_order_statistics(toys):
    errors = np.array([jackknife(half_width, parted(t)).error for t in toys])
    z = 0.99446  # quantile of 0.84
    density = math.exp(-0.5 * z * z) / math.sqrt(2.0 * math.pi) / 0.1
    expected = 0.5 * math.sqrt(2.0 * (0.16 * 0.84 - 0.16 * 0.16) / N) / density
    assert math.sqrt(np.mean(errors**2)) == pytest.approx(expected, rel=0.06)


def test_what_two_samples_have_in_common_drops_out(toys):
    def ratio(a, b):
        return half_width(a) / half_width(b)

    same = jackknife(ratio, parted(toys[0]), parted(1.0 + toys[0]))
    apart = jackknife(ratio, parted(toys[0]), parted(toys[1]))
    assert same.value == pytest.approx(1.0, abs=1e-6)
    assert same.error < 1e-6
    one = jackknife(half_width, parted(toys[0]))
    assert apart.error == pytest.approx(math.sqrt(2.0) * one.error / one.value, rel=0.5)


def test_weights_count():
    random = np.random.default_rng(6)
    values, weights = random.normal(1.8, 0.1, N), random.uniform(0.0, 2.0, N)
    found = jackknife(share, parted(values, weights))
    inside = weights[np.abs(values - 1.8) < 0.1].sum() / weights.sum()
    assert found.value == pytest.approx(inside, abs=1e-3)


def test_parts_add_up_and_nan_is_not_counted():
    values = np.array([1.0, 2.0, np.nan, 5.0, -1.0])
    found = parted(values)
    assert found.whole().total == 4.0
    assert sum(h.total for h in found.without_each()) == 4.0 * (PARTS - 1)
    assert (found + found).whole().total == 8.0


def test_an_empty_sample_has_no_number():
    empty = PartedHistogram(RECOIL_EDGES)
    assert math.isnan(jackknife(peak_height, empty).value)
    assert math.isnan(jackknife(peak_height, empty).error)


def test_peak_height_of_a_normal_distribution():
    values = np.random.default_rng(8).normal(1.7, 0.08, 2_000_000)
    binned = math.sqrt(0.08**2 + 0.010**2 / 12.0 + 0.5 * 0.010**2)
    expected = 1.0 / (math.sqrt(2.0 * math.pi) * binned)
    assert peak_height(parted(values).whole()) == pytest.approx(expected, rel=0.01)
