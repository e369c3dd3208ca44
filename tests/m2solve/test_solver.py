"""The one call: what it accepts, and what it says when it does not."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

import m2solve
from m2solve import Status
from simgen.errors import ConfigError, InputArrayError

P1 = np.array([[0.1, 0.2, 1.0, 2.5], [0.3, 0.1, -1.0, 2.6]])
P2 = np.array([[0.3, 1.0, -0.5, 3.0], [0.3, -1.0, 0.5, 3.0]])
TOTAL = np.array([0.0, 0.0, 0.0, 10.58])
GOOD = {"m_sig": 0.0, "m_tag": 0.0, "parent_mass": 5.27934}
FLIGHT = np.ones((2, 3))
BOTH = {"flight_sig": FLIGHT, "flight_tag": FLIGHT}


class TestWrongCalls:
    @pytest.mark.parametrize(
        ("variable", "changes", "message"),
        [
            ("M2x", {}, "'M2x' is not implemented. Select from: M2, M2s, M2sB"),
            ("M2sB", {"parent_mass": None}, "M2sB needs parent_mass"),
            ("M2sV", {}, "needs one flight direction, .*; 0 were given"),
            ("M2sV", BOTH, "2 were given. Both are for: M2V; .*M2sBV takes vertices"),
            ("M2BV", BOTH, "2 were given. Both are for: M2V"),
            ("M2V", BOTH | {"delta": 0.1}, "delta is for one flight direction of M2V"),
            ("M2", {"known": "px"}, "known = 'px'. Select from: all, transverse"),
            ("M2s", {"known": "transverse"}, "M2s needs all components .* Without: M2, M2V"),
            (
                "M2V",
                {"flight_sig": FLIGHT, "delta": 0.1, "known": "transverse"},
                "delta of M2V needs known = 'all'",
            ),
            ("M2sB", {"flight_sig": FLIGHT}, "M2sB does not use a flight direction"),
            ("M2BV", {"flight_sig": FLIGHT, "delta": 0.1}, "has no cone.*exists for: M2V, M2sV"),
            ("M2sBV", {}, "M2sBV needs vertices"),
        ],
    )
    def test_argument_that_does_not_belong(self, variable, changes, message):
        with pytest.raises(ConfigError, match=message):
            m2solve.solve(variable, P1, P2, TOTAL, **(GOOD | changes))

    @pytest.mark.parametrize(
        ("changes", "message"),
        [
            ({"visible_sig": P1[:, :3]}, r"visible_sig has shape \(2, 3\); it must be \(n, 4\)"),
            ({"visible_tag": P2[:1]}, "visible_tag has 1 rows, but visible_sig has 2"),
            ({"total": np.zeros((3, 4))}, "total has 3 rows"),
            ({"total": [0.0, 0.0, 9.0, 5.0]}, "not the four-momentum"),
            ({"total": [0.0, 0.0, np.nan, 5.0]}, "not the four-momentum"),
            ({"m_sig": -1.0}, "m_sig = -1.0 GeV"),
            ({"m_tag": np.nan}, "m_tag = nan GeV"),
            ({"m_sig": [0.0, 0.0, 0.0]}, r"m_sig has shape \(3,\)"),
            ({"parent_mass": (5.0, 5.0, 5.0)}, "a pair"),
            ({"parent_mass": (5.0, -5.0)}, "parent_mass = -5.0"),
        ],
    )
    def test_unusable_argument_is_named(self, changes, message):
        arguments = {"visible_sig": P1, "visible_tag": P2, "total": TOTAL} | GOOD | changes
        with pytest.raises(InputArrayError, match=message):
            m2solve.solve("M2sB", **arguments)

    @pytest.mark.parametrize("delta", [-0.1, np.pi / 2, np.nan])
    def test_cone_angle_out_of_range(self, delta):
        with pytest.raises(InputArrayError, match="delta = "):
            m2solve.solve("M2V", P1, P2, TOTAL, **GOOD, flight_sig=FLIGHT, delta=delta)


class TestShapes:
    def test_one_value_an_event_is_the_same_as_one_for_all(self):
        once = m2solve.solve("M2sB", P1, P2, TOTAL, **GOOD)
        each = m2solve.solve(
            "M2sB",
            P1,
            P2,
            np.tile(TOTAL, (2, 1)),
            m_sig=np.zeros(2),
            m_tag=np.zeros(2),
            parent_mass=np.full(2, 5.27934),
        )
        assert np.array_equal(once.k_sig, each.k_sig)

    def test_no_events(self, case):
        nothing = np.empty((0, 4))
        arguments = dict(GOOD)
        if "V" in case.name:
            arguments["flight_sig"] = np.empty((0, 3))
        solution = m2solve.solve(case.variable, nothing, nothing, TOTAL, **arguments)
        assert len(solution) == 0
        assert "0 events" in str(solution)

    def test_arrays_that_are_not_contiguous_or_are_float32(self):
        wide = np.asfortranarray(P1)
        a = m2solve.solve("M2sB", wide, P2, TOTAL, **GOOD)
        b = m2solve.solve("M2sB", P1, P2, TOTAL, **GOOD)
        assert np.array_equal(a.k_sig, b.k_sig)
        c = m2solve.solve("M2sB", P1.astype(np.float32), P2.astype(np.float32), TOTAL, **GOOD)
        assert np.allclose(c.k_sig, b.k_sig, atol=1e-4)

    def test_any_length_of_the_flight_vector(self):
        a = m2solve.solve("M2sV", P1, P2, TOTAL, **GOOD, flight_sig=FLIGHT)
        b = m2solve.solve("M2sV", P1, P2, TOTAL, **GOOD, flight_sig=1e-3 * FLIGHT)
        assert np.allclose(a.k_sig, b.k_sig, atol=1e-12)


class TestArraysOfVectors:
    """`vector` and awkward arrays give the same momenta as plain numbers."""

    @staticmethod
    def check(convert, direction):
        expected = m2solve.solve("M2sV", P1, P2, TOTAL, **GOOD, flight_sig=FLIGHT)
        found = m2solve.solve(
            "M2sV", convert(P1), convert(P2), TOTAL, **GOOD, flight_sig=direction(FLIGHT)
        )
        assert np.array_equal(found.k_sig, expected.k_sig)

    def test_vector_numpy(self):
        vector = pytest.importorskip("vector")
        self.check(
            lambda p: vector.array(dict(zip(("px", "py", "pz", "E"), p.T, strict=True))),
            lambda v: vector.array(dict(zip("xyz", v.T, strict=True))),
        )

    def test_awkward_records(self):
        ak = pytest.importorskip("awkward")
        self.check(
            lambda p: ak.zip(dict(zip(("px", "py", "pz", "E"), p.T, strict=True))),
            lambda v: ak.zip(dict(zip("xyz", v.T, strict=True))),
        )

    def test_awkward_numbers(self):
        ak = pytest.importorskip("awkward")
        self.check(ak.Array, ak.Array)


class TestSolution:
    def test_counts_and_prints_the_statuses(self):
        p1 = P1.copy()
        p1[1] = np.nan
        solution = m2solve.solve("M2sB", p1, P2, TOTAL, **GOOD)
        assert solution.count()[Status.UNPHYSICAL] == 1
        assert sum(solution.count().values()) == 2
        assert "M2sB of 2 events" in str(solution)
        assert "unphysical 50.0 %" in str(solution)

    def test_status_numbers_are_stable(self):
        assert [status.value for status in Status] == [0, 1, 2, 3, 4]
        assert [status.name for status in Status] == [
            "SOLVED",
            "UNBALANCED",
            "PROJECTED",
            "DEGENERATE",
            "UNPHYSICAL",
        ]


def test_importing_the_package_does_not_import_numba():
    code = "import sys, m2solve; sys.exit('numba' in sys.modules or 'numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_every_public_name_can_be_imported():
    assert set(m2solve.__all__) <= set(dir(m2solve))
    for name in m2solve.__all__:
        assert getattr(m2solve, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        _ = m2solve.nonsense
