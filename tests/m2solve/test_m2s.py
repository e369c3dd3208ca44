"""M2s: the smallest maximum of two linear functions on a sphere."""

from __future__ import annotations

import numpy as np

import m2solve
from m2solve import Status


def solve(events, **changes):
    arguments = {"m_sig": events.m_sig, "m_tag": 0.0} | changes
    return m2solve.solve("M2s", events.visible_sig, events.visible_tag, events.total, **arguments)


def split(events, i, directions, tools):
    """Masses of both parents when k_1 goes along `directions` in the missing rest frame."""
    p1, p2, m1 = events.visible_sig[i], events.visible_tag[i], events.m_sig[i]
    missing = events.total - p1 - p2
    mu = tools.mass(missing)
    k = (mu**2 - m1**2) / (2 * mu)
    k1 = np.column_stack([k * directions, np.full(len(directions), np.hypot(k, m1))])
    k1 = tools.boost(k1, np.broadcast_to(missing, k1.shape))
    return tools.mass(p1 + k1), tools.mass(p2 + missing - k1)


def test_no_direction_on_a_dense_sphere_is_lower(smeared, tools):
    solution = solve(smeared)
    rng = np.random.default_rng(4)
    directions = tools.directions(rng, 20_000)
    gaps = []
    for i in range(100):
        if solution.status[i] == Status.PROJECTED:
            continue
        lowest = np.min(np.maximum(*split(smeared, i, directions, tools)))
        gaps.append(lowest / solution.value[i] - 1.0)
    assert np.min(gaps) > -1e-12
    assert np.median(gaps) < 1e-3


def test_status_says_whether_the_masses_are_equal(smeared, tools):
    solution = solve(smeared)
    gap = np.abs(tools.mass(solution.parent_sig) - tools.mass(solution.parent_tag))[:, 0]
    balanced = solution.status == Status.SOLVED
    unbalanced = solution.status == Status.UNBALANCED
    assert np.max(gap[balanced]) < 1e-7
    assert np.median(gap[unbalanced]) > 1e-3
    assert 0.005 < np.mean(unbalanced) < 0.15


def test_unbalanced_minimum_is_stationary_for_its_own_side(smeared, tools):
    """KKT: the heavier parent's mass is at its own minimum on the sphere."""
    solution = solve(smeared)
    rows = np.flatnonzero(solution.status == Status.UNBALANCED)[:50]
    rng = np.random.default_rng(8)
    directions = tools.directions(rng, 5000)
    for i in rows:
        masses = split(smeared, i, directions, tools)
        parents = solution.parent_sig[i, 0], solution.parent_tag[i, 0]
        heavier = int(tools.mass(parents[1]) > tools.mass(parents[0]))
        assert solution.value[i] <= np.min(masses[heavier]) * (1 + 1e-12)


def test_spacelike_missing_momentum_is_projected_to_least_energy(hadronic):
    solution = solve(hadronic, m_sig=0.0)
    missing = hadronic.total - hadronic.visible_sig - hadronic.visible_tag
    spacelike = missing[:, 3] < np.linalg.norm(missing[:, :3], axis=1)
    assert np.array_equal(solution.status == Status.PROJECTED, spacelike)
    assert np.sum(spacelike) > 100
    energy = (solution.k_sig + solution.k_tag)[spacelike, 0, 3]
    assert np.allclose(energy, np.linalg.norm(missing[spacelike, :3], axis=1), rtol=1e-12)


class TestDegenerateKinematics:
    TOTAL = np.array([0.0, 0.0, 0.0, 10.58])

    def run(self, p1, p2, m_sig=0.0, m_tag=0.0):
        return m2solve.solve("M2s", [p1], [p2], self.TOTAL, m_sig=m_sig, m_tag=m_tag)

    def test_threshold_of_the_invisible_masses(self):
        """k is zero in the missing rest frame: the invisible systems move together."""
        p1, p2 = [0.0, 0.0, 1.0, 3.29], [0.0, 0.0, -1.0, 3.29]
        solution = self.run(p1, p2, 2.0, 2.0)
        assert solution.status[0] in {Status.SOLVED, Status.UNBALANCED}
        assert np.allclose(solution.k_sig[0, 0], [0, 0, 0, 2.0], atol=1e-7)

    def test_missing_momentum_at_rest(self):
        solution = self.run([0.3, 0.0, 1.0, 3.0], [-0.3, 0.0, -1.0, 2.0])
        assert solution.status[0] in {Status.SOLVED, Status.UNBALANCED}
        assert np.allclose(solution.k_sig[0, 0, 3] + solution.k_tag[0, 0, 3], 5.58)

    def test_visibles_at_rest_in_the_missing_frame_leave_every_direction(self):
        solution = self.run([0, 0, 0, 3.0], [0, 0, 0, 2.0])
        assert solution.status[0] == Status.DEGENERATE
        assert np.all(np.isfinite(solution.k_sig))

    def test_parallel_visibles_leave_a_circle(self, tools):
        """Both masses depend on one component only; the balanced circle is a continuum."""
        solution = self.run([0.0, 0.0, 1.5, 3.0], [0.0, 0.0, 1.0, 2.5], 0.4, 0.1)
        masses = tools.mass(solution.parent_sig), tools.mass(solution.parent_tag)
        if solution.status[0] == Status.DEGENERATE:
            assert np.allclose(*masses, rtol=1e-9)
        assert np.allclose(solution.k_sig[..., 3] + solution.k_tag[..., 3], 5.08)

    def test_massless_and_soft_visibles(self):
        for p1 in ([0.0, 0.0, 1e-8, 1e-8], [1.0, -2.0, 2.0, 3.0]):
            solution = self.run(p1, [0.3, 1.0, 1.5, 3.0])
            assert solution.status[0] in {Status.SOLVED, Status.UNBALANCED}
            assert np.all(np.isfinite(solution.value))
