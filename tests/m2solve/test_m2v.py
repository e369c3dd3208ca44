"""M2V and M2V(delta): convex problems on a ray and in a cone."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize_scalar

import m2solve
from m2solve import Status


def arguments(events):
    return {"m_sig": events.m_sig, "m_tag": 0.0, "flight_sig": events.flight_sig}


def solve(events, **changes):
    return m2solve.solve(
        "M2V",
        events.visible_sig,
        events.visible_tag,
        events.total,
        **(arguments(events) | changes),
    )


def masses(events, i, momentum, tools):
    """Parent masses for lab momenta (k, 3) of the signal parent, from four-vectors."""
    k1 = momentum - events.visible_sig[i, :3]
    k2 = events.total[:3] - events.visible_tag[i, :3] - momentum
    e1 = np.sqrt(np.sum(k1**2, axis=-1) + events.m_sig[i] ** 2)
    e2 = np.sqrt(np.sum(k2**2, axis=-1))
    one = events.visible_sig[i] + np.concatenate([k1, e1[..., None]], axis=-1)
    two = events.visible_tag[i] + np.concatenate([k2, e2[..., None]], axis=-1)
    return np.maximum(tools.mass(one), tools.mass(two))


class TestRay:
    def test_minimum_is_that_of_a_bounded_search(self, smeared, tools):
        solution = solve(smeared)
        for i in range(100):
            v = smeared.flight_sig[i] / np.linalg.norm(smeared.flight_sig[i])
            found = minimize_scalar(
                lambda t, v=v, i=i: float(masses(smeared, i, t * v, tools)),
                bounds=(0.0, 20.0),
                method="bounded",
                options={"xatol": 1e-11},
            )
            assert solution.value[i] <= found.fun * (1 + 1e-12)
            assert solution.value[i] == pytest.approx(found.fun, rel=1e-7)

    def test_always_has_a_solution_and_may_be_unbalanced(self, smeared, tools):
        solution = solve(smeared)
        gap = np.abs(tools.mass(solution.parent_sig) - tools.mass(solution.parent_tag))[:, 0]
        assert not np.any(solution.status == Status.PROJECTED)
        assert np.max(gap[solution.status == Status.SOLVED]) < 1e-9
        assert np.median(gap[solution.status == Status.UNBALANCED]) > 0.01

    def test_direction_away_from_everything_stops_at_zero(self):
        solution = m2solve.solve(
            "M2V",
            [[0.0, 0.0, 2.0, 3.0]],
            [[0.0, 0.0, -1.0, 3.0]],
            [0.0, 0.0, 1.0, 10.0],
            m_sig=0.0,
            m_tag=0.0,
            flight_sig=[[0.0, 0.0, -1.0]],
        )
        assert np.allclose(solution.parent_sig[0, 0, :3], 0.0)
        assert solution.status[0] in {Status.SOLVED, Status.UNBALANCED}

    def test_massless_visible_along_the_line(self):
        """M_1 falls for ever along the line; the crossing with M_2 is still found."""
        solution = m2solve.solve(
            "M2V",
            [[0.0, 0.0, 2.0, 2.0]],
            [[0.5, 0.0, -1.0, 3.0]],
            [0.0, 0.0, 1.0, 10.0],
            m_sig=0.7,
            m_tag=0.0,
            flight_sig=[[0.0, 0.0, 1.0]],
        )
        assert solution.status[0] in {Status.SOLVED, Status.UNBALANCED}
        assert np.isfinite(solution.value[0])


class TestCone:
    def test_no_point_of_the_cone_is_lower(self, smeared, tools):
        """Random points in the cone, dense near the solution and anywhere."""
        delta = 0.1
        solution = solve(smeared, delta=delta)
        rng = np.random.default_rng(12)
        for i in range(200):
            v = smeared.flight_sig[i] / np.linalg.norm(smeared.flight_sig[i])
            best = solution.parent_sig[i, 0, :3]
            near = best + 10.0 ** rng.uniform(-6, 0, (1000, 1)) * rng.standard_normal((1000, 3))
            across = np.linalg.norm(np.cross(near, v), axis=1)
            near = near[np.arctan2(across, near @ v) <= delta]
            anywhere = v + delta * rng.uniform(-0.5, 0.5, (1000, 3))
            inside = np.concatenate([near, 10.0 ** rng.uniform(-4, 1, (1000, 1)) * anywhere])
            lowest = np.min(masses(smeared, i, inside, tools))
            assert solution.value[i] <= lowest * (1 + 1e-12)

    def test_zero_angle_is_the_ray(self, smeared):
        cone, ray = solve(smeared, delta=0.0), solve(smeared)
        assert np.allclose(cone.value, ray.value, rtol=1e-12)

    def test_wider_cones_are_lower_down_to_m2(self, smeared):
        free = m2solve.solve(
            "M2",
            smeared.visible_sig,
            smeared.visible_tag,
            smeared.total,
            m_sig=smeared.m_sig,
            m_tag=0.0,
        )
        last = solve(smeared).value
        for delta in (0.01, 0.1, 0.5, 1.5):
            value = solve(smeared, delta=delta).value
            assert np.all(value <= last * (1 + 1e-12))
            assert np.all(value >= free.value * (1 - 1e-12))
            last = value
        inside = np.mean(np.abs(last - free.value) < 1e-9)
        assert inside > 0.5

    def test_angle_of_each_event(self, smeared):
        delta = np.where(np.arange(len(smeared.visible_sig)) % 2 == 0, 0.05, 0.3)
        mixed = solve(smeared, delta=delta)
        assert np.array_equal(mixed.value[::2], solve(smeared, delta=0.05).value[::2])
        assert np.array_equal(mixed.value[1::2], solve(smeared, delta=0.3).value[1::2])

    def test_angle_out_of_range_in_one_event(self, smeared):
        delta = np.full(len(smeared.visible_sig), 0.1)
        delta[3] = -0.1
        assert solve(smeared, delta=delta).status[3] == Status.UNPHYSICAL
