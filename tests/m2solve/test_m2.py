"""M2: the convex problem with nothing but the missing momentum."""

from __future__ import annotations

import numpy as np

import m2solve
from m2solve import Status


def solve(events):
    return m2solve.solve(
        "M2",
        events.visible_sig,
        events.visible_tag,
        events.total,
        m_sig=events.m_sig,
        m_tag=0.0,
    )


def gradient(p, k):
    """Gradient of the squared parent mass with respect to k."""
    return 2.0 * (p[:, 3:] * k[:, :3] / k[:, 3:] - p[:, :3])


def test_balanced_minimum_satisfies_kkt(smeared):
    """Some mixture of the two gradients vanishes: they are antiparallel as functions of P."""
    solution = solve(smeared)
    balanced = solution.status == Status.SOLVED
    g1 = gradient(smeared.visible_sig[balanced], solution.k_sig[balanced, 0])
    g2 = -gradient(smeared.visible_tag[balanced], solution.k_tag[balanced, 0])
    difference = g2 - g1
    weight = np.sum(g2 * difference, axis=1) / np.sum(difference**2, axis=1)
    assert np.all((weight > -1e-6) & (weight < 1 + 1e-6))
    rest = weight[:, None] * g1 + (1 - weight[:, None]) * g2
    size = np.linalg.norm(g1, axis=1) + np.linalg.norm(g2, axis=1)
    assert np.quantile(np.linalg.norm(rest, axis=1) / size, 0.999) < 1e-6


def test_balanced_means_equal_masses(smeared, tools):
    solution = solve(smeared)
    gap = np.abs(tools.mass(solution.parent_sig) - tools.mass(solution.parent_tag))[:, 0]
    assert np.max(gap[solution.status == Status.SOLVED]) < 1e-7


def test_unbalanced_minimum_is_the_sum_of_masses_of_one_side(smeared, tools):
    """The invisible system moves with the visible one, and the parent mass is their sum."""
    solution = solve(smeared)
    rows = solution.status == Status.UNBALANCED
    own = np.stack(
        [tools.mass(smeared.visible_sig) + smeared.m_sig, tools.mass(smeared.visible_tag)]
    )
    assert np.sum(rows) > 50
    distance = np.min(np.abs(own[:, rows] - solution.value[rows]), axis=0)
    assert np.max(distance) < 1e-7


def test_is_below_every_variable_with_more_constraints(smeared):
    """The chain M2 <= M2s <= M2sV and M2 <= M2V <= M2sV where all are solved."""
    free = solve(smeared).value
    common = (smeared.visible_sig, smeared.visible_tag, smeared.total)
    masses = {"m_sig": smeared.m_sig, "m_tag": 0.0}
    s = m2solve.solve("M2s", *common, **masses)
    v = m2solve.solve("M2V", *common, **masses, flight_sig=smeared.flight_sig)
    sv = m2solve.solve("M2sV", *common, **masses, flight_sig=smeared.flight_sig)
    solved = sv.status == Status.SOLVED
    assert np.all(free <= v.value * (1 + 1e-12))
    assert np.all(free[solved] <= s.value[solved] * (1 + 1e-12))
    assert np.all(s.value[solved] <= sv.value[solved] * (1 + 1e-9))
    assert np.all(v.value[solved] <= sv.value[solved] * (1 + 1e-9))


def test_degenerate_inputs_are_finite():
    total = np.array([0.0, 0.0, 0.0, 10.0])
    for p1, p2, m_sig in (
        ([0.0, 0.0, 1.0, 1.0], [0.0, 0.0, -2.0, 2.0], 0.0),
        ([0.0, 0.0, 1.0, 1.0], [0.0, 0.0, 2.0, 2.0], 0.5),
        ([0.0, 0.0, 0.0, 2.0], [0.0, 0.0, 0.0, 2.0], 0.0),
        ([0.0, 0.0, 0.0, 2.0], [0.0, 0.0, 0.0, 2.0], 1.0),
        ([0.0, 0.0, 1e-9, 1e-9], [0.5, 1.0, 0.0, 3.0], 0.3),
        ([0.0, 0.0, 1.0, 2.0], [0.0, 0.0, -1.0, 2.0], 0.0),
    ):
        solution = m2solve.solve("M2", [p1], [p2], total, m_sig=m_sig, m_tag=0.0)
        assert solution.status[0] in {Status.SOLVED, Status.UNBALANCED}
        assert np.all(np.isfinite(solution.k_sig))
        assert np.isfinite(solution.value[0])
