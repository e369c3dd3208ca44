"""What the page says of the paper follows from numbers: verdicts on samples of known shape."""

from __future__ import annotations

import functools
import math

import numpy as np
import pytest

from m2solve.solution import Status
from m2solve.study.config import SolverConfig
from m2solve.study.histograms import RunHistograms
from m2solve.study.jackknife import Estimate
from m2solve.study.methods import methods
from m2solve.study.paper_points import DESIGN, HYPOTHETICAL, NOW, WITH_PI0
from m2solve.study.paper_samples import PointSamples
from m2solve.study.paper_statements import (
    Claim,
    Statement,
    Verdict,
    combined,
    limit_rows,
    make_statements,
)

YES, NO, OPEN, PARTLY = (
    Verdict.REPRODUCED, Verdict.NOT_REPRODUCED, Verdict.UNDECIDED, Verdict.PARTLY
)  # fmt: skip
N = 100_000
METHODS = methods(
    SolverConfig(
        variables=("M2s", "M2sB", "M2V", "M2sV", "random", "hadronic_tag", "truth"),
        m_nunu=("true", "m_hat", "zero"),
    )
)
# Widths of M_recoil in GeV, from which heights go as 1/width and S/sqrt(B) as 1/sqrt(width), such
# that all that the paper says is true; and those of the points that differ from the first.
WIDTHS = {
    "random": 0.300, "truth": 0.027, "hadronic_tag": 0.060,
    "M2s_zero": 0.20, "M2s_m_hat": 0.20, "M2s_true": 0.20,
    "M2V_zero": 0.180, "M2V_m_hat": 0.120, "M2V_true": 0.115,
    "M2sV_zero": 0.180, "M2sV_m_hat": 0.120, "M2sV_true": 0.115,
    "M2sB_zero": 0.120, "M2sB_m_hat": 0.113, "M2sB_true": 0.030,
}  # fmt: skip
HADRONIC = {"M2sB_m_hat": 0.104, "M2V_m_hat": 0.150, "M2sV_m_hat": 0.150}
LATER = {
    DESIGN: ({"M2V_m_hat": 0.116, "M2sV_m_hat": 0.116}, 0.125),
    HYPOTHETICAL: ({"M2V_m_hat": 0.095, "M2sV_m_hat": 0.095}, 0.110),
}


def point(changes=None, hadronic=None, *, negative=0.14, bias=-0.12) -> PointSamples:
    """Return a point whose M_recoil are Gaussians of given widths, of the same events."""
    random = np.random.default_rng(4)
    deviates, leptonic = random.standard_normal(N), np.arange(N) % 2 == 0
    columns = {
        "candidate/event_id": np.arange(N),
        "candidate/weight": np.ones(N),
        "candidate/tau_mode": np.where(leptonic, 1, 3),
        "candidate/m_nunu": np.ones(N),
        "candidate/m_hat_squared": np.where(random.uniform(size=N) < negative, -1.0, 1.0),
    }
    columns["candidate/m_hat_squared_true"] = columns["candidate/m_hat_squared"]
    of_leptonic = {**WIDTHS, **(changes or {})}
    of_hadronic = {**of_leptonic, **HADRONIC, **(hadronic or {})}
    for method in METHODS:
        name = method.name
        width = np.where(leptonic, of_leptonic[name], of_hadronic[name])
        centre = 1.7769 + (bias if name == "M2sB_zero" else 0.0)
        columns[f"{name}/m_recoil"] = centre + width * deviates
        # Every fourth candidate of M2sB and M2sV has no exact solution.
        columns[f"{name}/status"] = np.where(
            np.arange(N) % 8 < 2, Status.PROJECTED, Status.SOLVED
        )  # fmt: skip
    found = PointSamples(METHODS, RunHistograms(()))
    found.fill(columns)
    return found


@functools.cache
def later_points() -> dict[str, PointSamples]:
    return {
        name: point(leptonic, {"M2V_m_hat": width, "M2sV_m_hat": width})
        for name, (leptonic, width) in LATER.items()
    }


def world(**changes) -> dict[str, PointSamples]:
    now = point(**changes)
    return {NOW: now, **later_points(), WITH_PI0: now}


@pytest.fixture(scope="module")
def as_in_the_paper() -> list[Statement]:
    return make_statements(world())


def verdicts(statements) -> list[Verdict]:
    return [statement.verdict for statement in statements]


def test_a_world_as_the_paper_says_reproduces_it(as_in_the_paper):
    found = verdicts(as_in_the_paper)
    assert found[:8] == [YES] * 8
    assert found[8] == YES


@pytest.mark.parametrize(
    ("changes", "number", "verdict"),
    [
        ({"negative": 0.16}, 0, NO),
        ({"negative": 0.1450}, 0, OPEN),
        ({"changes": {"M2sB_m_hat": 0.070}}, 1, PARTLY),
        ({"changes": {"M2V_m_hat": 0.178, "M2sV_m_hat": 0.178, "M2sB_m_hat": 0.08}}, 1, NO),
        ({"bias": 0.0}, 2, PARTLY),
        ({"changes": {"M2sB_true": 0.110}}, 3, PARTLY),
        ({"hadronic": {"M2sB_m_hat": 0.2}}, 4, PARTLY),
        ({"changes": {"M2sB_m_hat": 0.05}, "hadronic": {"M2sB_m_hat": 0.2}}, 4, NO),
        ({"hadronic": {"M2V_m_hat": 0.110, "M2sV_m_hat": 0.110}}, 5, PARTLY),
        ({"changes": {"hadronic_tag": 0.03}}, 7, NO),
        ({"changes": {"truth": 0.1}, "hadronic": {"M2sB_m_hat": 0.2}}, 8, NO),
    ],
)
def test_a_world_that_differs_does_not(as_in_the_paper, changes, number, verdict):
    found = verdicts(make_statements(world(**changes)))
    assert found[number] == verdict
    assert verdicts(as_in_the_paper)[number] == YES


@pytest.mark.parametrize(
    ("value", "error", "low", "high", "verdict"),
    [
        (1.20, 0.04, 1.10, math.inf, YES),
        (1.15, 0.04, 1.10, math.inf, OPEN),
        (1.00, 0.04, 1.10, math.inf, NO),
        (1.00, 0.04, 0.90, 1.10, YES),
        (1.30, 0.04, 0.90, 1.10, NO),
        (0.85, 0.04, 0.90, 1.10, OPEN),
        (1.00, 0.06, 0.90, 1.10, OPEN),
        (-0.1, 0.01, -math.inf, -0.05, YES),
        (1.20, math.nan, 1.10, math.inf, OPEN),
        (math.nan, 0.01, 1.10, math.inf, OPEN),
    ],
)
def test_verdict_of_a_claim(value, error, low, high, verdict):
    assert Claim("x", Estimate(value, error), low, high).verdict == verdict


@pytest.mark.parametrize(
    ("found", "verdict"),
    [
        ((YES, YES), YES), ((YES, NO), PARTLY), ((YES, NO, OPEN), PARTLY), ((NO, NO), NO),
        ((NO, OPEN), NO), ((YES, OPEN), OPEN), ((OPEN,), OPEN),
    ],
)  # fmt: skip
def test_verdict_of_several_claims(found, verdict):
    value = {YES: 1.0, NO: -1.0, OPEN: 0.0}
    claims = tuple(Claim("x", Estimate(value[v], 0.1), low=0.0) for v in found)
    assert combined(claims) == verdict


def test_candidates_without_solution_are_left_out_where_it_matters():
    now = point()
    for name, left in (("M2sB_m_hat", 0.75), ("M2sV_zero", 0.75), ("M2V_m_hat", 1.0)):
        assert now.solved_share(name, "both") == pytest.approx(left, abs=1e-6)
    assert now.recoil("M2sB_m_hat", "pi").whole().total == N / 2


def test_limit_rows_are_ratios_to_random():
    rows = {row.method: row for row in limit_rows(world())}
    assert rows["random"].merit.value == 1.0
    assert rows["M2sB_m_hat"].limit_ratio == pytest.approx(2.0 / 1.2)
    assert rows["truth"].limit_ratio == pytest.approx(2.0 / 0.6)
    assert math.isnan(rows["M2V_m_hat"].limit)
    # Gaussians: S/sqrt(B) goes as 1/sqrt(width); 10 MeV bins and the range change it a little.
    expected = math.sqrt(WIDTHS["random"] / WIDTHS["truth"])
    assert rows["truth"].merit.value == pytest.approx(expected, rel=0.03)
    assert rows["hadronic_tag"].merit.value > rows["M2sB_m_hat"].merit.value
