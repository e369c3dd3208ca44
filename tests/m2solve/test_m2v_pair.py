"""M2V with both flight directions: linear equations, and a fit where there are too many."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize_scalar, nnls

import m2solve
from m2solve import Status

KNOWN = ("all", "transverse")


def solve(events, **changes):
    arguments = {
        "m_sig": events.m_sig,
        "m_tag": 0.0,
        "flight_sig": events.flight_sig,
        "flight_tag": events.flight_tag,
    }
    return m2solve.solve(
        "M2V", events.visible_sig, events.visible_tag, events.total, **(arguments | changes)
    )


@pytest.mark.parametrize("known", KNOWN)
def test_truth_is_found_with_exact_directions(exact, known):
    solution = solve(exact, known=known)
    assert np.all(solution.status == Status.SOLVED)
    distance = np.linalg.norm(solution.k_sig[:, 0] - exact.k_sig, axis=1)
    assert np.quantile(distance, 0.99) < 1e-11
    assert np.max(distance) < 1e-7


@pytest.mark.parametrize("known", KNOWN)
def test_fit_is_that_of_nonnegative_least_squares(smeared, known):
    solution = solve(smeared, known=known)
    used = 3 if known == "all" else 2
    for i in range(300):
        v = [f[i] / np.linalg.norm(f[i]) for f in (smeared.flight_sig, smeared.flight_tag)]
        total = smeared.total[:used]
        t, residual = nnls(np.stack(v, axis=1)[:used], total)
        rest = np.zeros(3)
        rest[:used] = total - t[0] * v[0][:used] - t[1] * v[1][:used]
        expected = t[0] * v[0] + 0.5 * rest
        scale = 1.0 + np.sum(t)
        assert np.allclose(solution.parent_sig[i, 0, :3], expected, atol=1e-9 * scale**2)
        closed = residual < 1e-9 * scale
        assert solution.status[i] == (Status.SOLVED if closed else Status.PROJECTED)


@pytest.mark.parametrize("known", KNOWN)
def test_missing_momentum_holds_for_every_status(smeared, known):
    solution = solve(smeared, known=known)
    used = 3 if known == "all" else 2
    sums = (solution.parent_sig + solution.parent_tag)[:, 0, :used]
    size = 1.0 + np.linalg.norm(solution.parent_sig[:, 0, :3], axis=1)
    assert np.max(np.abs(sums - smeared.total[:used]) / size[:, None]) < 1e-12


@pytest.mark.parametrize("known", KNOWN)
def test_exchange_of_sides(smeared, known):
    one = solve(smeared, known=known)
    other = m2solve.solve(
        "M2V",
        smeared.visible_tag,
        smeared.visible_sig,
        smeared.total,
        m_sig=0.0,
        m_tag=smeared.m_sig,
        flight_sig=smeared.flight_tag,
        flight_tag=smeared.flight_sig,
        known=known,
    )
    assert np.array_equal(one.status, other.status)
    assert np.allclose(one.value, other.value, rtol=1e-9)


class TestParallelDirections:
    P1, P2 = np.array([[0.3, 0.2, 1.0, 2.5]]), np.array([[0.4, -0.5, -0.6, 3.0]])

    def solve(self, v1, v2, total):
        return m2solve.solve(
            "M2V",
            self.P1,
            self.P2,
            total,
            m_sig=0.3,
            m_tag=0.0,
            flight_sig=[v1],
            flight_tag=[v2],
            known="transverse",
        )

    def larger(self, p_sig, p_tag, tools):
        masses = []
        for visible, p, m in ((self.P1[0], p_sig, 0.3), (self.P2[0], p_tag, 0.0)):
            k = p - visible[:3]
            masses.append(tools.mass(visible + np.append(k, np.sqrt(k @ k + m**2))))
        return max(masses)

    @pytest.mark.parametrize("recoil", [0.0, 1.5, -1.5])
    def test_back_to_back_without_recoil_is_a_minimum_over_a_ray(self, tools, recoil):
        v1, v2 = np.array([0.6, 0.0, 0.8]), np.array([-0.8, 0.0, 0.6])
        solution = self.solve(v1, v2, [recoil, 0.0, 0.0, 0.0])
        assert solution.status[0] == Status.DEGENERATE

        def value(x):
            t1 = max(recoil, 0.0) / 0.6 + 0.8 * x
            return self.larger(t1 * v1, (0.6 * t1 - recoil) / 0.8 * v2, tools)

        best = minimize_scalar(value, bounds=(0.0, 40.0), method="bounded", options={"xatol": 1e-9})
        assert solution.value[0] == pytest.approx(best.fun, rel=1e-7)

    def test_side_by_side_is_a_minimum_over_a_segment(self, tools):
        v1, v2 = np.array([0.6, 0.0, 0.8]), np.array([0.8, 0.0, -0.6])
        solution = self.solve(v1, v2, [2.4, 0.0, 0.0, 0.0])
        assert solution.status[0] == Status.DEGENERATE

        def value(t1):
            return self.larger(t1 * v1, (2.4 - 0.6 * t1) / 0.8 * v2, tools)

        best = minimize_scalar(value, bounds=(0.0, 4.0), method="bounded", options={"xatol": 1e-9})
        assert solution.value[0] == pytest.approx(best.fun, rel=1e-7)

    def test_recoil_off_the_common_line_cannot_be_met(self):
        solution = self.solve([0.6, 0.0, 0.8], [-0.8, 0.0, 0.6], [0.0, 1.0, 0.0, 0.0])
        assert solution.status[0] == Status.PROJECTED

    def test_one_along_the_beam(self):
        solution = self.solve([0.0, 0.0, 1.0], [0.6, 0.0, 0.8], [1.2, 0.0, 0.0, 0.0])
        assert solution.status[0] == Status.DEGENERATE
        assert np.allclose(solution.parent_tag[0, 0, :3], [1.2, 0.0, 1.6])

    def test_both_along_the_beam_is_unusable(self):
        solution = self.solve([0.0, 0.0, 1.0], [0.0, 0.0, -1.0], [1.2, 0.0, 0.0, 0.0])
        assert solution.status[0] == Status.UNPHYSICAL
        assert np.isnan(solution.value[0])
