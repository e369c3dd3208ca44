"""M2BV: the quadratic of flight direction and parent mass."""

from __future__ import annotations

import numpy as np
from scipy.optimize import minimize_scalar

import m2solve
from m2solve import Status


def solve(events, tools, **changes):
    arguments = {
        "m_sig": events.m_sig,
        "m_tag": 0.0,
        "parent_mass": tools.M_B,
        "flight_sig": events.flight_sig,
    }
    return m2solve.solve(
        "M2BV", events.visible_sig, events.visible_tag, events.total, **(arguments | changes)
    )


def test_one_of_the_solutions_is_the_truth(exact, tools):
    solution = solve(exact, tools)
    assert np.all(solution.status == Status.SOLVED)
    distance = np.min(np.linalg.norm(solution.k_sig - exact.k_sig[:, None], axis=2), axis=1)
    assert np.quantile(distance, 0.999) < 1e-8
    assert np.max(distance) < 1e-5


def test_known_two_fold_ambiguity(exact, tools):
    """A visible system emitted forwards or backwards leaves the same line and mass."""
    solution = solve(exact, tools)
    two = solution.n_solutions == 2
    assert np.mean(two) > 0.5
    assert np.allclose(tools.mass(solution.parent_sig[two]), tools.M_B, rtol=1e-9)
    other = tools.mass(solution.parent_tag[two])
    assert np.all(other[:, 0] <= other[:, 1] + 1e-12)


def test_total_energy_is_not_used(smeared, tools):
    raised = smeared.total + np.array([0, 0, 0, 5.0])
    before = solve(smeared, tools)
    after = m2solve.solve(
        "M2BV",
        smeared.visible_sig,
        smeared.visible_tag,
        raised,
        m_sig=smeared.m_sig,
        m_tag=0.0,
        parent_mass=tools.M_B,
        flight_sig=smeared.flight_sig,
    )
    assert np.array_equal(before.k_sig, after.k_sig)


def test_projected_solution_has_the_least_mass_on_the_ray(smeared, tools):
    solution = solve(smeared, tools)
    rows = np.flatnonzero(solution.status == Status.PROJECTED)
    assert len(rows) > 1000
    for i in rows[:200]:
        v = smeared.flight_sig[i] / np.linalg.norm(smeared.flight_sig[i])

        def mass(t, i=i, v=v):
            k = t * v - smeared.visible_sig[i, :3]
            energy = np.sqrt(k @ k + smeared.m_sig[i] ** 2)
            return float(tools.mass(smeared.visible_sig[i] + np.append(k, energy)))

        t = float(solution.parent_sig[i, 0, :3] @ v)
        best = minimize_scalar(mass, bounds=(0, 30), method="bounded")
        assert mass(t) <= best.fun * (1 + 1e-9)
        assert t < 1e-9 or mass(t) > tools.M_B
