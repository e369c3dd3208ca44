"""What holds for every variable of the family."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import m2solve
from m2solve import Status
from m2solve.reference import solve_reference

COVARIANT = ("M2s", "M2sB")


def run(case, events, **changes):
    arguments = {"m_sig": events.m_sig, "m_tag": 0.0} | case.arguments(events) | changes
    return m2solve.solve(
        case.variable, events.visible_sig, events.visible_tag, events.total, **arguments
    )


def is_solved(solution):
    return np.isin(solution.status, [Status.SOLVED, Status.UNBALANCED])


def relative(a, b):
    return np.max(np.abs(a - b) / np.maximum(np.abs(b), 1.0))


class TestConstraints:
    def test_name_and_shapes(self, case, smeared):
        solution = run(case, smeared)
        n, columns = len(smeared.visible_sig), solution.k_sig.shape[1]
        assert solution.variable == case.name
        assert solution.k_tag.shape == solution.parent_sig.shape == (n, columns, 4)
        assert solution.value.shape == solution.status.shape == solution.n_solutions.shape == (n,)
        assert np.all((solution.n_solutions >= 1) & (solution.n_solutions <= columns))

    def test_missing_momentum_and_mass_shells_hold_for_every_status(self, case, smeared):
        solution = run(case, smeared)
        sums = solution.parent_sig + solution.parent_tag
        assert np.max(np.abs(sums[..., :3] - smeared.total[:3])) < 1e-12
        for k, m in ((solution.k_sig, smeared.m_sig[:, None]), (solution.k_tag, 0.0)):
            energy = np.sqrt(np.sum(k[..., :3] ** 2, axis=-1) + np.square(m))
            assert relative(k[..., 3], energy) < 1e-14

    def test_the_letters_of_the_name_hold_where_solved(self, case, smeared, tools):
        solution = run(case, smeared)
        solved = is_solved(solution)
        assert np.mean(solved) > 0.35
        parents = solution.parent_sig[solved], solution.parent_tag[solved]
        if "s" in case.name:
            total = parents[0] + parents[1]
            assert relative(total[..., 3], smeared.total[3]) < 1e-9
        if "V" in case.name:
            v = smeared.flight_sig[solved][:, None, :]
            normal = np.linalg.norm(np.cross(parents[0][..., :3], v), axis=-1)
            along = np.sum(parents[0][..., :3] * v, axis=-1)
            limit = 0.1 if "delta" in case.name else 0.0
            assert np.max(np.arctan2(normal, along)) <= limit + 1e-9
        if "B" in case.name:
            for parent in parents if "s" in case.name else parents[:1]:
                assert relative(tools.mass(parent), tools.M_B) < 1e-9

    def test_value_is_the_larger_parent_mass_of_the_first_solution(self, case, smeared, tools):
        solution = run(case, smeared)
        masses = [tools.mass(p[:, 0]) for p in (solution.parent_sig, solution.parent_tag)]
        assert relative(np.maximum(*masses), solution.value) < 1e-9

    def test_unused_columns_repeat_the_first_solution(self, case, smeared):
        solution = run(case, smeared)
        one = solution.n_solutions == 1
        assert np.array_equal(solution.k_sig[one, 0], solution.k_sig[one, -1])

    def test_truth_is_never_below_a_minimum(self, case, exact, tools):
        """The true momenta meet every constraint of exact input, so no minimum is above them."""
        solution = run(case, exact)
        assert np.all(is_solved(solution))
        assert np.max(solution.value) < tools.M_B * (1 + 1e-9)


class TestReference:
    """SLSQP with independent gradients never finds a lower mass, nor one where we find none."""

    N = 25

    def test_value_is_not_above_slsqp(self, case, smeared):
        ours = run(case, smeared)
        arguments = {"m_sig": smeared.m_sig[: self.N], "m_tag": 0.0}
        for name, value in case.arguments(smeared).items():
            arguments[name] = value[: self.N] if name == "flight_sig" else value
        reference = solve_reference(
            case.variable,
            smeared.visible_sig[: self.N],
            smeared.visible_tag[: self.N],
            smeared.total,
            starts=4,
            **arguments,
        )
        solved = is_solved(ours)[: self.N]
        found = is_solved(reference)
        assert not np.any(found & ~solved)
        assert np.sum(found & solved) >= 0.8 * np.sum(solved)
        both = found & solved
        ratio = ours.value[: self.N][both] / reference.value[both] - 1.0
        assert np.max(ratio) < 1e-8
        assert np.median(np.abs(ratio)) < 1e-9


def rotation(axis, angle):
    x, y, z = axis / np.linalg.norm(axis)
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    return np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * cross @ cross


class TestInvariance:
    N = 200

    def problem(self, case, tools, transform=None, scale=1.0):
        events = tools.make_smeared(self.N, leptonic=True, seed=51)
        momenta = [events.visible_sig, events.visible_tag, events.total]
        if transform is not None:
            momenta = [transform(p) for p in momenta]
        arguments = case.arguments(events) | {"m_sig": events.m_sig * scale, "m_tag": 0.0}
        if "parent_mass" in arguments:
            arguments["parent_mass"] = tools.M_B * scale
        return [p * scale for p in momenta], arguments

    @given(axis=st.tuples(*[st.floats(-1, 1)] * 3), angle=st.floats(0, 6.3))
    @settings(max_examples=15, deadline=None, derandomize=True)
    def test_rotation(self, case, tools, axis, angle):
        axis = np.array(axis)
        r = rotation(axis if np.linalg.norm(axis) > 1e-3 else np.array([0.0, 0.0, 1.0]), angle)

        def rotate(p):
            return np.concatenate([p[..., :3] @ r.T, p[..., 3:]], axis=-1)

        momenta, arguments = self.problem(case, tools)
        before = m2solve.solve(case.variable, *momenta, **arguments)
        momenta, arguments = self.problem(case, tools, rotate)
        if "flight_sig" in arguments:
            arguments["flight_sig"] = arguments["flight_sig"] @ r.T
        after = m2solve.solve(case.variable, *momenta, **arguments)
        assert np.array_equal(before.status, after.status)
        assert relative(after.value, before.value) < 1e-9
        assert relative(after.k_sig, rotate(before.k_sig)) < 1e-6

    @given(scale=st.floats(1e-3, 1e6))
    @settings(max_examples=15, deadline=None, derandomize=True)
    def test_units(self, case, tools, scale):
        momenta, arguments = self.problem(case, tools)
        before = m2solve.solve(case.variable, *momenta, **arguments)
        momenta, arguments = self.problem(case, tools, scale=scale)
        after = m2solve.solve(case.variable, *momenta, **arguments)
        assert np.array_equal(before.status, after.status)
        assert relative(after.value / scale, before.value) < 1e-9
        assert relative(after.k_sig / scale, before.k_sig) < 1e-6

    def test_exchange_of_sides(self, case, smeared):
        before = run(case, smeared)
        arguments = case.arguments(smeared)
        if "flight_sig" in arguments:
            arguments["flight_tag"] = arguments.pop("flight_sig")
        after = m2solve.solve(
            case.variable,
            smeared.visible_tag,
            smeared.visible_sig,
            smeared.total,
            m_sig=0.0,
            m_tag=smeared.m_sig,
            **arguments,
        )
        assert np.array_equal(before.status, after.status)
        # Next to a threshold momenta are less well conditioned than values: leave out 0.1 %.
        difference = np.max(np.abs(after.k_tag - before.k_sig), axis=(1, 2))
        assert np.quantile(difference, 0.999) < 1e-6
        assert relative(after.value, before.value) < 1e-9

    @pytest.mark.parametrize("variable", COVARIANT)
    @given(beta=st.tuples(*[st.floats(-0.55, 0.55)] * 3))
    @settings(max_examples=15, deadline=None, derandomize=True)
    def test_boost_in_any_direction(self, tools, variable, beta):
        events = tools.make_smeared(self.N, leptonic=True, seed=51)
        beta = np.array(beta)
        frame = np.append(beta, 1.0) / np.sqrt(1.0 - beta @ beta)

        def boosted(p):
            return tools.boost(p, np.broadcast_to(frame, p.shape))

        arguments = {"m_sig": events.m_sig, "m_tag": 0.0, "parent_mass": tools.M_B}
        momenta = [events.visible_sig, events.visible_tag, events.total]
        before = m2solve.solve(variable, *momenta, **arguments)
        after = m2solve.solve(variable, *[boosted(p) for p in momenta], **arguments)
        assert np.array_equal(before.status, after.status)
        solved = is_solved(before)
        assert relative(after.value[solved], before.value[solved]) < 1e-8
        assert relative(after.k_sig[solved], boosted(before.k_sig[solved])) < 1e-5


class TestUnusableEvents:
    """One bad row has its status; the rows beside it are as if it were not there."""

    BAD = {  # noqa: RUF012
        "nan momentum": ("visible_sig", [np.nan, 0.0, 0.0, 3.0]),
        "infinite energy": ("visible_tag", [0.0, 0.0, 0.0, np.inf]),
        "spacelike": ("visible_sig", [3.0, 0.0, 0.0, 1.0]),
        "negative energy": ("visible_tag", [0.1, 0.0, 0.0, -3.0]),
    }

    @pytest.mark.parametrize("what", BAD)
    def test_bad_momentum(self, case, smeared, what):
        name, vector = self.BAD[what]
        momenta = {
            "visible_sig": smeared.visible_sig[:3].copy(),
            "visible_tag": smeared.visible_tag[:3].copy(),
        }
        momenta[name][1] = vector
        self.check(case, smeared, momenta)

    def test_negative_invisible_mass(self, case, smeared):
        m_sig = smeared.m_sig[:3].copy()
        m_sig[1] = -0.5
        self.check(case, smeared, {}, m_sig=m_sig)

    @pytest.mark.parametrize(
        "case", ["M2V", "M2sV", "M2BV", "M2V(delta)", "M2sV(delta)"], indirect=True
    )
    def test_no_flight(self, case, smeared):
        flight = smeared.flight_sig[:3].copy()
        flight[1] = 0.0
        self.check(case, smeared, {}, flight_sig=flight)

    @pytest.mark.parametrize("case", ["M2s", "M2sB", "M2sV", "M2sV(delta)"], indirect=True)
    def test_more_visible_than_total_energy(self, case, smeared):
        momenta = {"visible_sig": smeared.visible_sig[:3].copy()}
        momenta["visible_sig"][1] = [0.0, 0.0, 0.0, 12.0]
        self.check(case, smeared, momenta)

    @staticmethod
    def check(case, events, momenta, **changes):
        good = {"visible_sig": events.visible_sig[:3], "visible_tag": events.visible_tag[:3]}
        arguments = {"m_sig": events.m_sig[:3], "m_tag": 0.0}
        for name, value in case.arguments(events).items():
            arguments[name] = value[:3] if name == "flight_sig" else value
        expected = m2solve.solve(case.variable, **good, total=events.total, **arguments)
        got = m2solve.solve(
            case.variable, **(good | momenta), total=events.total, **(arguments | changes)
        )
        assert got.status[1] == Status.UNPHYSICAL
        assert got.n_solutions[1] == 0
        assert np.isnan(got.value[1])
        assert np.all(np.isnan(got.k_sig[1]))
        assert np.all(np.isnan(got.k_tag[1]))
        assert np.array_equal(got.k_sig[[0, 2]], expected.k_sig[[0, 2]])
        assert np.array_equal(got.status[[0, 2]], expected.status[[0, 2]])
