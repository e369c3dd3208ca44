"""Decays other than B -> K tau mu: from their own configuration to momenta, and closure."""

from __future__ import annotations

import numpy as np
import pytest
from command_line import succeeds

import detector
import m2solve
from detector.config import CandidateConfig
from detector.stage import read_candidates
from m2solve import Status
from m2solve.study import read_solutions, solve_file
from simgen.config import validate
from simgen.errors import ConfigError
from simgen.particles import particle_table

EVENTS = 2000


def mass(p):
    """Return masses of four-momenta, 0 where rounding makes the square negative."""
    return np.sqrt(np.maximum(p[:, 3] ** 2 - np.sum(p[:, :3] ** 2, axis=1), 0.0))


def distance(solution, truth):
    """Return how far the nearest solution's invisible momentum is from the true one, (n,) GeV."""
    return np.nanmin(np.linalg.norm(solution.k_sig - truth[:, None], axis=2), axis=1)


def closes(solution, truth):
    """Demand that one of the solutions is the truth."""
    # A double root, where rounding decides between exact and projected, is worth half the digits.
    assert np.mean(solution.status == Status.SOLVED) > 0.99
    assert np.max(distance(solution, truth)) < 1e-5
    assert np.quantile(distance(solution, truth), 0.99) < 1e-6


@pytest.fixture(scope="module", params=["taumu", "knunu"])
def run(request, tmp_path_factory):
    """Return the name of a topology and the folder of its run."""
    folder = tmp_path_factory.mktemp("runs") / request.param
    succeeds("run", f"{request.param}_belle2", "--events", EVENTS, "-o", folder)
    return request.param, folder


class TestRuns:
    def test_candidates_are_of_the_topology(self, run):
        name, folder = run
        table = read_candidates(folder)
        assert len(table) > 0.4 * EVENTS
        has_kaon, has_tau = name == "knunu", name == "taumu"
        assert np.all((table.kaon[:, 3] > 0.0) == has_kaon)
        assert np.all(np.abs(table.charge_kaon) == has_kaon)
        for column in (table.lepton, table.prong):
            assert np.all((column[:, 3] > 0.0) == has_tau)
        assert np.all((table.tau_mode > 0) == has_tau)
        flown = np.sum(table.true_flight_sig * table.true_parent_sig[:, :3], axis=1)
        norms = np.linalg.norm(table.true_flight_sig, axis=1) * np.linalg.norm(
            table.true_parent_sig[:, :3], axis=1
        )
        np.testing.assert_allclose(flown, norms, rtol=1e-9)

    @pytest.mark.parametrize("variable", ["M2sB", "M2sV"])
    def test_true_momenta_give_the_true_solution(self, run, variable):
        name, folder = run
        table = read_candidates(folder)
        parent = particle_table().by_name("B0" if name == "taumu" else "B+").mass
        more = {"parent_mass": parent} if variable == "M2sB" else {
            "flight_sig": table.true_parent_sig[:, :3]
        }  # fmt: skip
        solution = m2solve.solve(
            variable, table.true_visible_sig, table.true_visible_tag, table.true_total,
            m_sig=mass(table.true_k_sig), m_tag=0.0, **more,
        )  # fmt: skip
        closes(solution, table.true_k_sig)

    def test_smeared_candidates_have_sensible_statuses(self, run):
        """Shares of exact solutions on Belle II; B -> K tau mu has 0.8 for M2sB, 0.45 for M2sV."""
        name, folder = run
        # What is not solved is projected for M2sB, and for M2s unbalanced: a minimum of one mass.
        first = "M2sB" if name == "taumu" else "M2s"
        columns = read_solutions(folder)
        status = columns[f"{first}_true", "status"]
        assert 0.7 < np.mean(status == Status.SOLVED) < 0.95
        assert 0.35 < np.mean(columns["M2sV_true", "status"] == Status.SOLVED) < 0.65

    def test_the_true_angle_gives_the_true_recoil(self, run):
        """M_recoil against the muon is the tau's mass, against the kaon m_nunu."""
        name, folder = run
        columns = read_solutions(folder)
        expected = columns["candidate", "m_nunu"] if name == "knunu" else 1.77693
        pull = np.median(columns["truth", "m_recoil"] - expected)
        assert abs(pull) < 0.01


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    """Return the folder of a run with tau pairs."""
    folder = tmp_path_factory.mktemp("pair") / "run"
    succeeds("run", "tautau_belle2", "--events", EVENTS, "-o", folder)
    return folder


class TestTauPair:
    def test_both_taus_are_candidates(self, pair):
        table = read_candidates(pair)
        assert len(table) > 0.8 * EVENTS
        assert table.is_tau_pair
        tau = particle_table().by_name("tau+").mass
        for parent in (table.true_parent_sig, table.true_parent_tag):
            np.testing.assert_allclose(mass(parent), tau, rtol=1e-9)
        total = table.true_parent_sig + table.true_parent_tag
        np.testing.assert_allclose(total, table.true_total, atol=1e-9)
        assert np.all(table.charge_tag_lepton == -1)
        # the four decays of the file, on either side, in their proportions
        wanted = np.array([0.1785, 0.1737, 0.1082, 0.2549]) / 0.7153
        for mode in (table.tau_mode, table.tag_tau_mode):
            share = np.bincount(mode, minlength=5)[1:] / len(table)
            assert np.all(np.abs(share - wanted) < 0.05)
        lepton = np.select([table.tag_tau_mode == 1, table.tag_tau_mode == 2], [11, 13], 0)
        np.testing.assert_array_equal(table.tag_lepton_flavour, lepton)

    def test_vertices_are_those_of_the_taus(self, pair):
        table = read_candidates(pair)
        for flight, parent in (
            (table.true_flight_sig, table.true_parent_sig),
            (table.true_flight_tag, table.true_parent_tag),
        ):
            along = np.sum(flight * parent[:, :3], axis=1)
            norms = np.linalg.norm(flight, axis=1) * np.linalg.norm(parent[:, :3], axis=1)
            np.testing.assert_allclose(along, norms, rtol=1e-9)
            decay_length = np.mean(along * mass(parent) / np.sum(parent[:, :3] ** 2, axis=1))
            expected = particle_table().by_name("tau+").ctau
            assert abs(decay_length / expected - 1) < 4 / np.sqrt(len(table))

    @pytest.mark.parametrize("variable", ["M2sB", "M2sV"])
    def test_true_momenta_give_the_true_solution(self, pair, variable):
        table = read_candidates(pair)
        parent = particle_table().by_name("tau-").mass
        more = {"parent_mass": parent} if variable == "M2sB" else {
            "flight_sig": table.true_parent_sig[:, :3]
        }  # fmt: skip
        solution = m2solve.solve(
            variable, table.true_visible_sig, table.true_visible_tag, table.true_total,
            m_sig=mass(table.true_k_sig), m_tag=mass(table.true_k_tag), **more,
        )  # fmt: skip
        closes(solution, table.true_k_sig)

    def test_the_run_solves_with_the_masses_of_both_sides(self, pair):
        """With the true ones most of M2sB is exact, M_recoil against the prong is m_nunu."""
        columns = read_solutions(pair)
        solved = columns["M2sB_true", "status"] == Status.SOLVED
        assert np.mean(solved) > 0.9
        assert np.mean(columns["M2sB_zero", "status"] == Status.SOLVED) < 0.8
        off = columns["M2sB_true", "m_recoil"] - columns["candidate", "m_nunu"]
        assert np.median(np.abs(off[solved])) < 1e-4

    def test_with_a_seen_pi0_hadronic_taus_lose_one_neutrino(self, pair, tmp_path):
        detector.smear(pair, tmp_path / "c.h5", detector="belle2", candidates={
            "topology": {"kaon": None, "lepton": None, "tau": 15}, "rho": "pi_pi0"
        })  # fmt: skip
        table = read_candidates(tmp_path / "c.h5")
        assert np.count_nonzero(table.tag_tau_mode == 4) > 300
        for k, mode in ((table.true_k_sig, table.tau_mode), (table.true_k_tag, table.tag_tau_mode)):
            assert np.all(mass(k[mode >= 3]) < 1e-4)

    def test_a_posterior_is_refused(self, pair, tmp_path):
        solver = {"variables": ["M2sBV"], "m_nunu": ["posterior"]}
        with pytest.raises(ConfigError, match="not for tau pairs"):
            solve_file(pair, tmp_path / "s.h5", solver=solver)
        assert not (tmp_path / "s.h5").exists()


@pytest.mark.parametrize(
    ("topology", "said"),
    [
        ({"lepton": None}, "lepton and tau go together"),
        ({"tau": None}, "lepton and tau go together"),
        ({"kaon": None, "lepton": None, "tau": None}, "nothing is visible"),
        ({"kaon": None, "tau": None}, "lepton and tau go together"),
    ],
)
def test_what_is_no_topology_is_refused(topology, said):
    with pytest.raises(ConfigError, match=said):
        validate(CandidateConfig, {"topology": topology}, "candidates")
