"""The statistical errors of a scan are the spread of repeated experiments."""

from __future__ import annotations

import math

import numpy as np
import pytest

from m2solve.study.histograms import RECOIL_EDGES, Histogram
from m2solve.study.peak import full_width, half_width
from m2solve.study.report import figure_of_merit
from m2solve.study.scan_errors import half_width_error, replica_errors, share_error
from m2solve.study.scan_table import short_names, with_error

TOYS, N, WIDTH = 400, 6000, 0.08


def histogram(values, weight=1.0) -> Histogram:
    found = Histogram(RECOIL_EDGES)
    found.fill(values, np.full(len(values), weight))
    return found


@pytest.fixture(scope="module")
def toys() -> list[Histogram]:
    """Experiments with a peak at 1.8 GeV over a broad tail, as a solver's M_recoil has."""
    random = np.random.default_rng(7)
    made = []
    for _ in range(TOYS):
        n = random.poisson(N)
        peak, tail = random.normal(1.8, WIDTH, n), random.normal(1.6, 0.4, n)
        made.append(histogram(np.where(random.uniform(size=n) < 0.7, peak, tail)))
    return made


def test_errors_are_the_spread_of_repeated_experiments(toys):
    said = {"half_width": [], "share": [], "fwhm": [], "merit": []}
    for i, toy in enumerate(toys):
        n = toy.total
        said["half_width"].append(half_width_error(toy, n))
        said["share"].append(share_error(toy.fraction(1.7, 1.9), n))
        if i < 40:
            fwhm, merit = replica_errors(toy, n, seed=i)
            said["fwhm"].append(fwhm)
            said["merit"].append(merit)
    spread = {
        "half_width": np.std([half_width(t) for t in toys]),
        "share": np.std([t.fraction(1.7, 1.9) for t in toys]),
        "fwhm": np.std([full_width(t) for t in toys]),
        "merit": np.std([figure_of_merit(t) for t in toys]),
    }
    # The spread of 400 is known to 3.5 %; the widths of noisy histograms are only roughly normal.
    for name, allowed in {"half_width": 0.12, "share": 0.12, "fwhm": 0.25, "merit": 0.15}.items():
        assert np.mean(said[name]) / spread[name] == pytest.approx(1.0, abs=allowed), name


def test_full_width_of_a_normal_distribution():
    values = np.random.default_rng(3).normal(1.7, WIDTH, 4_000_000)
    binning = 0.010**2 / 12.0 + 0.5 * 0.010**2
    expected = 2.0 * math.sqrt(2.0 * math.log(2.0) * (WIDTH**2 + binning))
    assert full_width(histogram(values)) == pytest.approx(expected, rel=0.01)


def test_full_width_without_a_flank_is_not_a_number():
    assert math.isnan(full_width(histogram(np.linspace(0.0, 4.0, 100_000))))
    assert math.isnan(full_width(Histogram(RECOIL_EDGES)))


def test_weights_do_not_change_errors_of_as_many_candidates(toys):
    n = toys[0].total
    scaled = Histogram(RECOIL_EDGES)
    scaled.counts = 0.25 * toys[0].counts
    assert replica_errors(scaled, n, 1) == pytest.approx(replica_errors(toys[0], n, 1), rel=1e-12)
    assert half_width_error(scaled, n) == pytest.approx(half_width_error(toys[0], n), rel=1e-12)


def test_no_candidates_no_errors():
    empty = Histogram(RECOIL_EDGES)
    assert all(map(math.isnan, replica_errors(empty, 0.0, 1)))
    assert math.isnan(half_width_error(empty, 0.0))
    assert math.isnan(share_error(math.nan, 0.0))


@pytest.mark.parametrize(
    ("value", "error", "text"),
    [(47.07, 0.83, "47.1(8)"), (214.4, 0.97, "214(1)"), (171.3, 13.2, "171(13)"),
     (2.6214, 0.018, "2.62(2)"),
     (3.0, 0.0, "3"), (3.5, math.nan, "3.5"), (math.nan, math.nan, "")],
)  # fmt: skip
def test_errors_in_brackets(value, error, text):
    assert with_error(value, error) == text


def test_short_names_tell_axes_apart():
    r_0, r_sig = "detector.vertices.r_0.z", "detector.vertices.r_sig"
    assert short_names([r_0, r_sig]) == ["r_0.z", "r_sig"]
    both = ["detector.tracks.angles.scattering", "detector.tracks.momentum.scattering"]
    assert short_names(both) == both
