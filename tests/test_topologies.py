"""Decays other than B -> K tau mu: from their own configuration to momenta, and closure."""

from __future__ import annotations

import numpy as np
import pytest
from command_line import succeeds

import m2solve
import simgen
from detector.config import CandidateConfig
from detector.stage import read_candidates
from m2solve import Status
from m2solve.study import read_solutions
from simgen.config import validate
from simgen.errors import ConfigError
from simgen.particles import particle_table

EVENTS = 2000


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
        k = table.true_k_sig
        mass = particle_table().by_name("B0" if name == "taumu" else "B+").mass
        more = {"parent_mass": mass} if variable == "M2sB" else {
            "flight_sig": table.true_parent_sig[:, :3]
        }  # fmt: skip
        solution = m2solve.solve(
            variable, table.true_visible_sig, table.true_visible_tag, table.true_total,
            m_sig=np.sqrt(np.maximum(k[:, 3] ** 2 - np.sum(k[:, :3] ** 2, axis=1), 0.0)),
            m_tag=0.0, **more,
        )  # fmt: skip
        closes(solution, k)

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
    """Return beams, parents (2, n, 4) and the momenta of their prongs (2, n, 4)."""
    path = tmp_path_factory.mktemp("pair") / "truth.h5"
    succeeds("generate", "tautau_belle2", "--events", EVENTS, "-o", path)
    events = simgen.read_events(path)
    number = np.repeat(np.arange(len(events)), np.diff(events.offsets))
    mother = events.offsets[number] + events.mother
    of_tau = (events.mother >= 0) & (np.abs(events.pdgid[mother]) == 15)
    seen = of_tau & ~np.isin(np.abs(events.pdgid), (12, 14, 16))
    taus = [events.p4[events.pdgid == sign * 15] for sign in (-1, 1)]
    prongs = [events.p4[seen & (events.pdgid[mother] == sign * 15)] for sign in (-1, 1)]
    return events.beam, np.array(taus), np.array(prongs)


class TestTauPair:
    @pytest.mark.parametrize("variable", ["M2sB", "M2sV"])
    def test_true_momenta_give_the_true_solution(self, pair, variable):
        total, taus, prongs = pair
        invisible = taus - prongs
        m2 = invisible[..., 3] ** 2 - np.sum(invisible[..., :3] ** 2, axis=-1)
        mass = np.sqrt(np.maximum(m2, 0.0))
        parent = particle_table().by_name("tau-").mass
        more = {"parent_mass": parent} if variable == "M2sB" else {"flight_sig": taus[0][:, :3]}
        solution = m2solve.solve(
            variable, prongs[0], prongs[1], total, m_sig=mass[0], m_tag=mass[1], **more
        )
        closes(solution, invisible[0])


@pytest.mark.parametrize(
    ("topology", "said"),
    [
        ({"lepton": None}, "lepton and tau go together"),
        ({"tau": None}, "lepton and tau go together"),
        ({"kaon": None, "lepton": None, "tau": None}, "nothing is visible"),
    ],
)
def test_what_is_no_topology_is_refused(topology, said):
    with pytest.raises(ConfigError, match=said):
        validate(CandidateConfig, {"topology": topology}, "candidates")
