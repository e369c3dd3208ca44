"""M2 and M2V where only the transverse total momentum is known: MT2 and its companion."""

from __future__ import annotations

import numpy as np
import pytest

import m2solve
from m2solve import Status
from m2solve.reference import compare


def solve(variable, events, **changes):
    arguments = {"m_sig": events.m_sig, "m_tag": 0.0, "known": "transverse"} | changes
    return m2solve.solve(
        variable, events.visible_sig, events.visible_tag, events.total, **arguments
    )


def boosted_along_z(p, rapidity):
    c, s = np.cosh(rapidity), np.sinh(rapidity)
    return np.stack(
        [p[..., 0], p[..., 1], c * p[..., 2] + s * p[..., 3], c * p[..., 3] + s * p[..., 2]], -1
    )


class TestM2:
    def test_massless_without_recoil_is_the_closed_form_of_mt2(self, tools):
        """MT2^2 = 2 (|p_1T| |p_2T| + p_1T . p_2T) for massless systems and no upstream momentum."""
        rng = np.random.default_rng(61)
        p = [rng.uniform(1, 50, (2000, 1)) * tools.directions(rng, 2000) for _ in range(2)]
        visible = [np.column_stack([q, np.linalg.norm(q, axis=1)]) for q in p]
        solution = m2solve.solve(
            "M2", *visible, np.zeros(4), m_sig=0.0, m_tag=0.0, known="transverse"
        )
        sizes = np.linalg.norm(p[0][:, :2], axis=1) * np.linalg.norm(p[1][:, :2], axis=1)
        squared = 2.0 * (sizes + np.sum(p[0][:, :2] * p[1][:, :2], axis=1))
        difference = np.abs(solution.value**2 / squared - 1.0)
        assert np.quantile(difference, 0.99) < 1e-11
        # Nearly parallel massless systems have a flat minimum.
        assert np.max(difference) < 1e-8

    def test_no_longitudinal_momenta_of_a_scan_are_lower(self, smeared, tools):
        solution = solve("M2", smeared)
        rng = np.random.default_rng(62)
        for i in range(100):
            best = np.concatenate([solution.k_sig[i, 0, :3], solution.k_tag[i, 0, 2:3]])
            trial = best + 10.0 ** rng.uniform(-5, 0.5, (1000, 1)) * rng.standard_normal((1000, 4))
            missing = (smeared.total - smeared.visible_sig[i] - smeared.visible_tag[i])[:2]
            k1, k2 = trial[:, :3], np.column_stack([missing - trial[:, :2], trial[:, 3]])
            masses = []
            for visible, k, m in (
                (smeared.visible_sig[i], k1, smeared.m_sig[i]),
                (smeared.visible_tag[i], k2, 0.0),
            ):
                energy = np.sqrt(np.sum(k**2, axis=1) + m**2)
                masses.append(tools.mass(visible + np.column_stack([k, energy])))
            assert solution.value[i] <= np.min(np.maximum(*masses)) * (1 + 1e-12)

    def test_boost_along_the_beam_changes_nothing_but_frames(self, smeared):
        before = solve("M2", smeared)
        after = m2solve.solve(
            "M2",
            boosted_along_z(smeared.visible_sig, 1.3),
            boosted_along_z(smeared.visible_tag, 1.3),
            [*smeared.total[:2], np.nan, np.nan],
            m_sig=smeared.m_sig,
            m_tag=0.0,
            known="transverse",
        )
        assert np.allclose(after.value, before.value, rtol=1e-9)
        assert np.allclose(after.k_sig, boosted_along_z(before.k_sig, 1.3), atol=1e-6)

    def test_is_below_m2_with_all_components(self, smeared):
        assert np.all(solve("M2", smeared).value <= solve("M2", smeared, known="all").value + 1e-12)

    def test_massless_visible_along_the_beam_has_no_rapidity(self):
        solution = m2solve.solve(
            "M2",
            [[0.0, 0.0, 5.0, 5.0]],
            [[1.0, 0.0, 0.0, 2.0]],
            np.zeros(4),
            m_sig=0.1,
            m_tag=0.0,
            known="transverse",
        )
        assert solution.status[0] == Status.UNPHYSICAL
        assert np.all(np.isnan(solution.k_sig))


class TestM2V:
    def test_lies_between_m2_and_m2v_with_all_components(self, smeared):
        flight = {"flight_sig": smeared.flight_sig}
        value = solve("M2V", smeared, **flight).value
        assert np.all(value >= solve("M2", smeared).value * (1 - 1e-12))
        assert np.all(value <= solve("M2V", smeared, known="all", **flight).value * (1 + 1e-12))

    def test_constraints(self, smeared):
        solution = solve("M2V", smeared, flight_sig=smeared.flight_sig)
        sums = (solution.parent_sig + solution.parent_tag)[:, 0, :2]
        assert np.max(np.abs(sums - smeared.total[:2])) < 1e-11
        p = solution.parent_sig[:, 0, :3]
        v = smeared.flight_sig / np.linalg.norm(smeared.flight_sig, axis=1, keepdims=True)
        assert np.max(np.linalg.norm(np.cross(p, v), axis=1)) < 1e-11
        assert np.min(np.sum(p * v, axis=1)) > -1e-11

    def test_flight_along_the_beam(self):
        """Nothing is left to choose for M_2; where it is the larger mass, t is free."""
        solution = m2solve.solve(
            "M2V",
            [[0.2, 0.0, 1.0, 2.0]] * 2,
            [[1.0, 0.5, 0.0, 6.0], [0.1, 0.0, 0.0, 0.2]],
            np.zeros(4),
            m_sig=0.1,
            m_tag=0.0,
            flight_sig=[[0.0, 0.0, 1.0]] * 2,
            known="transverse",
        )
        assert solution.status.tolist() == [Status.DEGENERATE, Status.UNBALANCED]
        assert np.allclose(solution.parent_sig[:, 0, :2], 0.0)

    def test_exchange_of_sides(self, smeared):
        one = solve("M2V", smeared, flight_sig=smeared.flight_sig)
        other = m2solve.solve(
            "M2V",
            smeared.visible_tag,
            smeared.visible_sig,
            smeared.total,
            m_sig=0.0,
            m_tag=smeared.m_sig,
            flight_tag=smeared.flight_sig,
            known="transverse",
        )
        assert np.allclose(one.value, other.value, rtol=1e-12)
        assert np.allclose(one.k_sig, other.k_tag, atol=1e-6)


@pytest.mark.parametrize("variable", ["M2", "M2V"])
def test_is_not_above_slsqp(smeared, variable):
    given = {"m_sig": smeared.m_sig, "m_tag": 0.0, "known": "transverse"}
    if variable == "M2V":
        given["flight_sig"] = smeared.flight_sig
    solution = m2solve.solve(
        variable, smeared.visible_sig, smeared.visible_tag, smeared.total, **given
    )
    found = compare(solution, smeared.total, **given, rows=np.arange(25), starts=4)
    assert found.worst < 1e-8
    assert np.nanmedian(np.abs(found.excess)) < 1e-9
    assert np.sum(np.isfinite(found.excess)) >= 20
    assert len(found.missed) == 0
