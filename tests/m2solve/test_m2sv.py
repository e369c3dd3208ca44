"""M2sV: a convex energy along the flight line, so at most two roots."""

from __future__ import annotations

import numpy as np
from scipy.optimize import brentq, minimize_scalar

import m2solve
from m2solve import Status

N = 100


def solve(events, **changes):
    arguments = {"m_sig": events.m_sig, "m_tag": 0.0, "flight_sig": events.flight_sig} | changes
    return m2solve.solve("M2sV", events.visible_sig, events.visible_tag, events.total, **arguments)


def energy_function(events, i):
    v = events.flight_sig[i] / np.linalg.norm(events.flight_sig[i])
    p1, p2 = events.visible_sig[i], events.visible_tag[i]

    def energy(t):
        k1 = t * v - p1[:3]
        k2 = events.total[:3] - p2[:3] - t * v
        return (
            np.sqrt(k1 @ k1 + events.m_sig[i] ** 2)
            + np.linalg.norm(k2)
            + (p1[3] + p2[3] - events.total[3])
        )

    return v, energy


def test_one_of_the_solutions_is_the_truth(exact):
    solution = solve(exact)
    assert np.all(solution.status == Status.SOLVED)
    distance = np.min(np.linalg.norm(solution.k_sig - exact.k_sig[:, None], axis=2), axis=1)
    assert np.quantile(distance, 0.999) < 1e-9
    # Two roots that nearly merge are worth half the digits.
    assert np.max(distance) < 1e-6


def test_roots_are_those_of_brentq(smeared):
    solution = solve(smeared)
    for i in range(N):
        v, energy = energy_function(smeared, i)
        low = minimize_scalar(energy, bounds=(0, 30), method="bounded", options={"xatol": 1e-12})
        found = np.sort(solution.parent_sig[i, : solution.n_solutions[i], :3] @ v)
        if solution.status[i] == Status.PROJECTED:
            assert low.fun > 0.0
            continue
        expected = [brentq(energy, low.x, 60, xtol=1e-13)] if low.fun < 0.0 else [low.x]
        if low.fun < 0.0 < energy(0.0):
            expected.insert(0, brentq(energy, 0.0, low.x, xtol=1e-13))
        assert np.allclose(found, expected, atol=1e-7)


def test_projected_solution_has_the_least_total_energy_on_the_ray(smeared):
    solution = solve(smeared)
    for i in range(N):
        if solution.status[i] == Status.PROJECTED:
            v, energy = energy_function(smeared, i)
            t = float(solution.parent_sig[i, 0, :3] @ v)
            assert t >= 0.0
            best = minimize_scalar(energy, bounds=(0, 30), method="bounded")
            assert energy(t) <= best.fun + 1e-9


def test_solutions_are_ordered_by_the_larger_mass(smeared, tools):
    solution = solve(smeared)
    larger = np.maximum(tools.mass(solution.parent_sig), tools.mass(solution.parent_tag))
    assert np.all(larger[:, 0] <= larger[:, 1] + 1e-12)


def test_share_of_events_with_a_real_solution_at_350_and_25_um(hadronic):
    """A measured line misses the ellipsoid of allowed momenta in more than half of the events."""
    share = np.mean(solve(hadronic, m_sig=0.0).status == Status.SOLVED)
    assert 0.40 < share < 0.50


def test_line_through_both_foci_needs_no_height():
    """k_1 = 0 at t = |p_1| is allowed; nothing divides by the distance from the line."""
    p1 = np.array([[0.0, 0.0, 1.0, 3.0]])
    p2 = np.array([[0.0, 0.0, -2.0, 3.0]])
    total = np.array([0.0, 0.0, 0.0, 10.0])
    solution = m2solve.solve("M2sV", p1, p2, total, m_sig=0.0, m_tag=0.0, flight_sig=[[0, 0, 5.0]])
    assert solution.status[0] == Status.SOLVED
    assert np.allclose(solution.k_sig[..., 3] + solution.k_tag[..., 3], 4.0)


class TestCone:
    def test_zero_angle_is_the_line(self, smeared):
        cone, line = solve(smeared, delta=0.0), solve(smeared)
        assert np.array_equal(cone.status == Status.PROJECTED, line.status == Status.PROJECTED)
        solved = line.status == Status.SOLVED
        assert np.allclose(cone.value[solved], line.value[solved], rtol=1e-10)

    def test_wider_cones_are_lower_and_lose_no_event(self, smeared):
        """Also a test that no arc of azimuths and no local minimum was missed."""
        free = m2solve.solve(
            "M2s",
            smeared.visible_sig,
            smeared.visible_tag,
            smeared.total,
            m_sig=smeared.m_sig,
            m_tag=0.0,
        )
        last = solve(smeared)
        for delta in (0.003, 0.02, 0.1, 0.3, 0.7, 1.2):
            wider = solve(smeared, delta=delta)
            before = last.status != Status.PROJECTED
            assert np.all(wider.status[before] != Status.PROJECTED)
            assert np.all(wider.value[before] <= last.value[before] * (1 + 1e-9))
            solved = wider.status != Status.PROJECTED
            assert np.all(wider.value[solved] >= free.value[solved] * (1 - 1e-9))
            last = wider

    def test_no_direction_of_the_cone_is_lower(self, smeared):
        """Every direction in the cone is an M2sV problem of its own."""
        delta = 0.15
        solution = solve(smeared, delta=delta)
        rng = np.random.default_rng(14)
        n = 1500
        for i in range(60):
            v = smeared.flight_sig[i] / np.linalg.norm(smeared.flight_sig[i])
            inside = v + np.tan(delta) * rng.uniform(-1, 1, (n, 3))
            across = np.linalg.norm(np.cross(inside, v), axis=1)
            inside = inside[np.arctan2(across, inside @ v) <= delta]
            found = m2solve.solve(
                "M2sV",
                np.tile(smeared.visible_sig[i], (len(inside), 1)),
                np.tile(smeared.visible_tag[i], (len(inside), 1)),
                smeared.total,
                m_sig=smeared.m_sig[i],
                m_tag=0.0,
                flight_sig=inside,
            )
            real = found.status == Status.SOLVED
            if solution.status[i] == Status.PROJECTED:
                assert not np.any(real)
                # No direction needs less energy, either.
                energy = (found.k_sig + found.k_tag)[:, 0, 3]
                ours = (solution.k_sig + solution.k_tag)[i, 0, 3]
                assert ours <= np.min(energy) * (1 + 1e-9)
            elif np.any(real):
                assert solution.value[i] <= np.min(found.value[real]) * (1 + 1e-9)
