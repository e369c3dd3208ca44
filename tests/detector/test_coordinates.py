"""Resolutions of x, y and z that are tables: what may be said, and the closure of vertices."""

from __future__ import annotations

import numpy as np
import pytest
from closure import assert_uncorrelated, assert_unit_gaussian, assert_unit_gaussian_in_bins
from decay_trees import event, make_block, signal, tag
from scipy.interpolate import RegularGridInterpolator

from detector.candidates import smear_block
from detector.config import CandidateConfig
from detector.profiles import load_profile
from detector.tables import Table
from simgen.errors import ConfigError

P, THETA = [0.2, 1.0, 2.0, 4.0], [0.0, 30.0, 90.0, 180.0]
R_SIG = [[0.2, 0.1, 0.1, 0.3], [0.1, 0.01, 0.04, 0.1], [0.02, 0.06, 0.01, 0.1],
         [0.01, 0.02, 0.0, 0.1]]  # fmt: skip
GRID = {"axes": {"p": P, "theta": THETA}, "values": R_SIG}
PT, R_TAG_Z = [0.0, 0.5, 1.0, 4.0], [0.3, 0.03, 0.1]
TAG = {"x": 0.02, "y": 0.03, "z": {"axes": {"pt": PT}, "values": R_TAG_Z}}
VERTICES = {"r_sig": GRID, "r_tag": TAG}
N = 70_000  # three coordinates are 210 000 pulls


def vertices(section, base="belle2", **where):
    return load_profile(base, {"vertices": section}, **where).vertices


class TestWhatMayBeSaid:
    def test_one_table_stands_for_all_coordinates(self):
        r_sig = vertices({"r_sig": GRID}).r_sig
        assert isinstance(r_sig.x, Table)
        assert r_sig.x == r_sig.y == r_sig.z
        assert r_sig.x.values == tuple(tuple(row) for row in R_SIG)

    def test_one_coordinate_may_be_a_table(self):
        assert vertices({"r_sig": {"z": GRID}}).r_sig.as_tuple()[:2] == (0.025, 0.025)
        assert isinstance(vertices({"r_sig": {"z": GRID}}).r_sig.z, Table)

    def test_a_file_is_read_from_the_folder_of_the_profile(self, tmp_path):
        (tmp_path / "z.csv").write_text("p_min,p_max,value\n0,1,0.05\n1,8,0.02\n")
        (tmp_path / "mine.yaml").write_text("derive: belle2\nvertices: {r_sig: {file: z.csv}}\n")
        r_sig = load_profile(tmp_path / "mine.yaml").vertices.r_sig
        assert r_sig.y.values == (0.05, 0.02)
        assert r_sig.y.source.startswith("z.csv, SHA-256 ")

    def test_a_function_is_called_once_for_all_coordinates(self, tmp_path):
        (tmp_path / "f.py").write_text(
            "calls = []\ndef f(p, _):\n    calls.append(1)\n    return 0.01 * len(calls) + 0 * p\n"
        )
        r_sig = vertices({"r_sig": {"function": "f.py:f"}}, relative_to=tmp_path).r_sig
        assert {r_sig.x.values[0][0], r_sig.z.values[-1][-1]} == {0.01}

    def test_a_profile_with_tables_survives_being_written(self):
        profile = load_profile("belle2", {"vertices": VERTICES})
        assert load_profile(profile.model_dump(mode="json")) == profile

    def test_a_number_replaces_a_table_and_a_table_a_number(self):
        parent = {"derive": "belle2", "vertices": {"r_sig": GRID}}
        assert load_profile(parent, {"vertices": {"r_sig": 0.01}}).vertices.r_sig.x == 0.01
        both = load_profile(
            {"derive": "belle2", "vertices": {"r_sig": 0.01}}, {"vertices": VERTICES}
        )
        assert isinstance(both.vertices.r_sig.x, Table)

    @pytest.mark.parametrize(
        ("section", "words"),
        [
            ({"r_sig": {"x": 0.1} | GRID}, ["r_sig", "x is beside a table", "each of x, y and z"]),
            ({"r_0": GRID}, ["r_0", "no axis 'p'", "allowed: luminosity (1)"]),
            ({"r_sig": {"axes": {"luminosity": [0, 1]}, "values": [1, 2]}},
             ["r_sig", "no axis 'luminosity'", "p (GeV)"]),
            ({"r_0": {"axes": {"luminosity": [0, 2]}, "values": [1, 2]}},
             ["luminosity should be between 0 and 1, found"]),
            ({"r_sig": {"y": {"axes": {"p": [1, 2]}, "values": [0.1, -0.2]}}},
             ["r_sig.y", "between 0 and", "-0.2"]),
            ({"r_sig": -0.1}, ["r_sig", "between 0 and", "-0.1"]),
            ({"r_sig": "small"}, ["r_sig", "should be a number", "'small'"]),
            ({"r_sig": {"x": 0.1, "y": 0.1, "w": 0.1}}, ["r_sig", "w"]),
        ],
    )  # fmt: skip
    def test_what_is_wrong_is_named(self, section, words):
        with pytest.raises(ConfigError) as error:
            vertices(section)
        for word in words:
            assert word in str(error.value)

    def test_a_bad_file_is_named_with_its_line(self, tmp_path):
        (tmp_path / "z.csv").write_text("p,value\n1,0.05\n2,-0.02\n")
        with pytest.raises(ConfigError, match=r"vertices.r_sig: the table .*z.csv:3: .*-0.02"):
            vertices({"r_sig": {"file": "z.csv"}}, relative_to=tmp_path)


def seen(table):
    """p and pT (GeV), theta (degrees) of what is measured of signal and tag."""
    sides = table.kaon + table.lepton + table.prong, table.tag_d + table.tag_lepton
    for p4 in sides:
        pt, p = np.hypot(p4[:, 0], p4[:, 1]), np.linalg.norm(p4[:, :3], axis=1)
        yield p, pt, np.degrees(np.arctan2(pt, p4[:, 2]))


class TestClosure:
    @pytest.fixture(scope="module")
    @staticmethod
    def candidates(total):
        block = make_block(event(signal(2), tag("D")), N, np.random.default_rng(2), total=total)
        return smear_block(block, load_profile("perfect", {"vertices": VERTICES}),
                           CandidateConfig(), seed=4)[0]  # fmt: skip

    def test_pulls_of_the_signal_are_unit_gaussians_everywhere(self, candidates):
        p, _, theta = next(seen(candidates))
        ends = np.array([[P[0], THETA[0]], [P[-1], THETA[-1]]])
        at = np.clip(np.column_stack([p, theta]), *ends)
        sigma = RegularGridInterpolator((P, THETA), R_SIG)(at)
        pull = (candidates.r_sig - candidates.true_r_sig) / sigma[:, None]
        assert_unit_gaussian(pull.ravel())
        assert_uncorrelated(*pull.T)
        assert_unit_gaussian_in_bins(pull.ravel(), np.repeat(p, 3), [0.5, 1.5, 2.0, 2.5, 4.0])
        assert_unit_gaussian_in_bins(pull.ravel(), np.repeat(theta, 3), [0, 20, 40, 60, 180])
        with pytest.raises(AssertionError):
            assert_unit_gaussian(1.01 * pull.ravel())
        np.testing.assert_allclose(candidates.r_sig_sigma, np.tile(sigma, (3, 1)).T, rtol=1e-9)
        covariance = candidates.r_sig_covariance
        np.testing.assert_allclose(covariance, sigma[:, None, None] ** 2 * np.eye(3), rtol=1e-9)

    def test_each_coordinate_of_the_tag_has_its_own(self, candidates):
        _, (_, pt, _) = seen(candidates)
        z = np.array(R_TAG_Z)[np.searchsorted(PT[1:-1], pt, side="right")]
        sigma = np.column_stack([np.full(N, 0.02), np.full(N, 0.03), z])
        np.testing.assert_array_equal(candidates.r_tag_sigma, sigma)
        pull = (candidates.r_tag - candidates.true_r_tag) / sigma
        assert_unit_gaussian(pull.ravel())
        assert_unit_gaussian_in_bins(pull[:, 2], pt, PT)

    def test_a_table_of_one_value_is_a_number(self, make):
        block, flat = make(event(signal(2), tag("D"))), {"axes": {"p": [1.0]}, "values": [0.025]}
        tables = [smear_block(block, load_profile("belle2", {"vertices": section}),
                              CandidateConfig(), seed=4)[0]
                  for section in ({}, {"r_sig": flat, "r_tag": flat})]  # fmt: skip
        for name, column in tables[0].columns().items():
            np.testing.assert_array_equal(tables[1].columns()[name], column, name)


@pytest.mark.parametrize("assignment", ["truth", "combinatorial"])
def test_every_candidate_has_the_resolution_of_what_is_measured(make, assignment):
    block = make(event(signal(2), tag("D")), n=1000)
    profile = load_profile("belle2", {"vertices": {"r_tag": GRID}})
    table, _ = smear_block(block, profile, CandidateConfig(assignment=assignment), seed=4)
    assert len(table) > 100
    _, (p, _, theta) = seen(table)
    at = np.column_stack([np.clip(p, P[0], P[-1]), theta])
    sigma = RegularGridInterpolator((P, THETA), R_SIG)(at)
    np.testing.assert_allclose(table.r_tag_sigma, np.tile(sigma, (3, 1)).T, rtol=1e-9)
