"""The comparison with SLSQP says what was compared, and sees a solution that is too high."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import m2solve
from m2solve import Status
from m2solve.reference import compare, solve_reference
from simgen.errors import ConfigError


def arguments(events):
    return {"m_sig": events.m_sig, "m_tag": 0.0, "flight_sig": events.flight_sig, "delta": 0.1}


def solve(events):
    return m2solve.solve(
        "M2sV", events.visible_sig, events.visible_tag, events.total, **arguments(events)
    )


def test_rows_are_those_asked_for(smeared):
    rows = np.array([7, 3, 11])
    found = compare(solve(smeared), smeared.total, **arguments(smeared), rows=rows, starts=3)
    assert found.variable == "M2sV(delta)"
    assert np.array_equal(found.rows, rows)
    assert "M2sV(delta)" in str(found)
    assert not found.worst > 1e-8


def test_unusable_events_are_left_out(smeared):
    solution = solve(smeared)
    status = solution.status.copy()
    status[1] = Status.UNPHYSICAL
    solution = replace(solution, status=status)
    found = compare(solution, smeared.total, **arguments(smeared), rows=[0, 1, 2], starts=1)
    assert found.rows.tolist() == [0, 2]


def test_a_solution_that_is_too_high_or_missing_is_seen(smeared):
    solution = solve(smeared)
    row = int(np.flatnonzero(solution.status == Status.SOLVED)[0])
    given = arguments(smeared) | {"rows": [row], "starts": 5}
    assert abs(compare(solution, smeared.total, **given).worst) < 1e-8
    high = compare(replace(solution, value=solution.value * 1.001), smeared.total, **given)
    assert high.worst == pytest.approx(1e-3, rel=1e-3)
    status = np.full_like(solution.status, Status.PROJECTED)
    lost = compare(replace(solution, status=status), smeared.total, **given)
    assert lost.missed.tolist() == [row]
    assert np.isnan(lost.worst)


def test_a_fit_is_no_minimum(smeared):
    with pytest.raises(ConfigError, match="no minimum of masses"):
        solve_reference(
            "M2V",
            smeared.visible_sig[:1],
            smeared.visible_tag[:1],
            smeared.total,
            m_sig=0.0,
            m_tag=0.0,
            flight_sig=smeared.flight_sig[:1],
            flight_tag=smeared.flight_tag[:1],
        )
