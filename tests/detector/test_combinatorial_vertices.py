"""Decay vertices fitted to candidates that are put together from everything seen."""

from __future__ import annotations

import numpy as np
import pytest
from closure import assert_covariance_is_right, chi2, straight_line_sigmas
from decay_trees import P, d0, event, make_block, pi0, signal, tag
from scipy import stats

from detector.candidates import smear_block
from detector.config import CandidateConfig, SignalTopology
from detector.profiles import load_profile
from simgen.events import concatenate

IDEAL = {"assignment": "combinatorial", "efficiency": "ignored", "identification": "ignored"}
COMBINATIONS = CandidateConfig(**IDEAL)
ONE_PERCENT = stats.chi2.ppf(0.99, 3)
MEASURED = [f"{v}{part}" for v in ("r_sig", "r_tag") for part in ("", "_sigma", "_correlation")]


def fitting(**changes):
    return load_profile("belle2", {"vertices": {"method": "fit"}, **changes})


def true_assignments(block, profile, topology=None, **settings):
    """Candidates of both kinds of the events where all combinations find the true one."""
    topology = SignalTopology() if topology is None else topology
    table, truth = (
        smear_block(block, profile, CandidateConfig(topology=topology, **kind, **settings), 1)[0]
        for kind in (IDEAL, {})
    )
    _, a, b = np.intersect1d(table.event_id, truth.event_id, return_indices=True)
    same = (table.is_signal[a] == 1) & (table.is_tag[a] == 1)
    same &= table.tag_meson[a] == truth.tag_meson[b]
    return table, truth, a[same], b[same]


def assert_same_vertices(table, truth, a, b):
    for name in MEASURED:
        np.testing.assert_array_equal(getattr(table, name)[a], getattr(truth, name)[b], name)


def deviation(table, vertex, chosen):
    """Position less truth, covariance."""
    residual = getattr(table, vertex) - getattr(table, f"true_{vertex}")
    return residual[chosen], getattr(table, f"{vertex}_covariance")[chosen]


class TestTrueAssignment:
    """The same bytes as where the assignment is taken from truth."""

    @pytest.mark.parametrize("constraint", ["none", "ip"])
    @pytest.mark.parametrize("dstar", ["full", "d_only"])
    def test_of_charged_b(self, channels, constraint, dstar):
        profile = fitting(vertices={"method": "fit", "constraint": constraint})
        table, truth, a, b = true_assignments(channels[0], profile, dstar=dstar)
        assert len(a) > 500
        assert set(table.tag_mode[a]) == {1, 2}  # with a pi0 and without
        assert len(set(table.tau_mode[a])) == 3
        assert_same_vertices(table, truth, a, b)

    @pytest.mark.parametrize(
        "charm",
        [
            P(421, [P(211), P(-321), P(211), P(-211)]),
            P(421, [pi0(), P(211), P(-321)]),  # the pi0 first in the event, and last in a sum
        ],
        ids=["K 3pi", "pi0 pi K"],
    )
    def test_of_other_charm(self, make, charm):
        block = make(event(signal(3), P(-521, [charm, P(13), P(-14)])), 300)
        table, truth, a, b = true_assignments(block, fitting())
        assert len(a) > 50
        assert_same_vertices(table, truth, a, b)

    @pytest.mark.parametrize(
        "charm",
        [
            P(411, [P(-321), P(211), P(211)]),
            P(413, [d0(), P(211)]),
            P(413, [P(421, [P(-321), P(211), P(211), P(-211)]), P(211)]),
        ],
        ids=["D+", "D*+", "D*+, K 3pi"],
    )
    @pytest.mark.parametrize("dstar", ["full", "d_only"])
    def test_of_neutral_b(self, make, charm, dstar):
        tree = event(signal(2, kaon=None), P(-511, [charm, P(11), P(-12)]))
        topology = SignalTopology(kaon=None)
        table, truth, a, b = true_assignments(make(tree, 500), fitting(), topology, dstar=dstar)
        assert len(a) > 50
        assert_same_vertices(table, truth, a, b)

    def test_of_k_nu_nu(self, make):
        topology = SignalTopology(lepton=None, tau=None)
        tree = event(P(521, [P(321), P(12), P(-12)]), tag("D* -> D gamma"))
        table, truth, a, b = true_assignments(make(tree, 500), fitting(), topology)
        assert len(a) > 100
        assert_same_vertices(table, truth, a, b)


JPSI = P(521, [P(321), P(443, [P(-13), P(13)])])
"""Kaon, lepton and prong from one point."""
CHARM = P(521, [P(-421, [P(321), P(-211)]), P(-13), P(14)])
"""Kaon and prong from a D that flew."""


@pytest.fixture(scope="module")
def background(total):
    """Candidates of a sample of B+ -> J/psi K+ and B+ -> D0 mu nu, and which is the former."""
    rng, n = np.random.default_rng(21), 12_000
    blocks = [
        make_block(event(side, tag(name)), n, rng, total=total, first_id=n * i)
        for i, (side, name) in enumerate(
            (side, name) for side in (JPSI, CHARM) for name in ("D", "D -> K pi pi0")
        )
    ]
    table, _ = smear_block(concatenate(blocks), fitting(), COMBINATIONS, 1)
    return table, table.event_id < 2 * n


class TestBackground:
    def test_pulls_of_a_true_tag(self, background):
        table, _ = background
        chosen = table.is_tag == 1
        assert chosen.sum() > 10_000
        assert_covariance_is_right(*deviation(table, "r_tag", chosen))

    def test_pulls_of_kaon_and_lepton_from_one_point(self, background):
        table, jpsi = background
        chosen = jpsi & (table.is_tag == 1)
        assert np.all(table.true_origins[chosen, :2] == [521, 443])
        assert chosen.sum() > 5000
        assert_covariance_is_right(*deviation(table, "r_sig", chosen))

    def test_what_is_from_two_points_is_far_from_its_middle(self, background):
        """A D0 flies 0.15 mm, some three times the error of the vertex."""
        table, jpsi = background
        wrong = ~jpsi & (table.is_tag == 1)
        assert wrong.sum() > 3000
        assert np.mean(chi2(*deviation(table, "r_sig", wrong)) > ONE_PERCENT) > 0.1
        sizes = [np.linalg.norm(deviation(table, "r_sig", x)[0], axis=1) for x in (wrong, jpsi)]
        assert np.quantile(sizes[0], 0.8) > 1.3 * np.quantile(sizes[1], 0.8)

    def test_a_wrong_tag_is_far_from_its_lepton(self, background):
        table, _ = background
        wrong = table.is_tag == 0
        assert wrong.sum() > 500
        assert np.mean(chi2(*deviation(table, "r_tag", wrong)) > ONE_PERCENT) > 0.2

    def test_an_event_does_not_depend_on_those_beside_it(self, total):
        block = make_block(event(JPSI, tag("D")), 200, np.random.default_rng(4), total=total)
        whole, part = (
            smear_block(b, fitting(), COMBINATIONS, 1)[0] for b in (block, block.select(90, 200))
        )
        assert len(part) > 30
        for name in MEASURED:
            np.testing.assert_array_equal(getattr(whole, name)[-len(part) :], getattr(part, name))


@pytest.fixture(scope="module")
def fakes(total):
    """Candidates with a pion that is taken for the kaon of the signal, and the lepton's B."""
    profile = fitting(identification={"kaon": {"pion": 1.0}})
    config = CandidateConfig(**{**IDEAL, "identification": "required"})
    tree = event(signal(2, kaon=211), tag("D"))
    block = make_block(tree, 30_000, np.random.default_rng(6), total=total)
    table, _ = smear_block(block, profile, config, 1)
    chosen = np.all(np.abs(table.true_ids[:, :2]) == [211, 13], axis=1)
    chosen &= np.all(table.true_origins[:, :2] == 521, axis=1)
    assert chosen.sum() > 3000
    return table, chosen


class TestMisidentified:
    """A pion that is taken for a kaon: same errors, and an analyst thinks it is slower."""

    def test_the_stated_error_is_that_of_a_kaon(self, fakes):
        """Scattering goes as 1 / (p beta)."""
        table, chosen = fakes
        p = table.kaon[:, :3]
        pion = np.column_stack([p, np.hypot(0.13957039, np.linalg.norm(p, axis=1))])
        for kaon, low, high in ((table.kaon, 0.999, 1.001), (pion, 1.02, 1.2)):
            ratio = table.r_sig_sigma / straight_line_sigmas(kaon, table.lepton)
            assert low < np.median(ratio[chosen]) < high

    def test_the_errors_are_those_of_a_pion(self, fakes):
        """So pulls are narrower than 1, which they would be if the pion were known."""
        residual, covariance = deviation(*fakes[:1], "r_sig", fakes[1])
        pull = residual / np.sqrt(np.diagonal(covariance, axis1=1, axis2=2))
        width = np.std(pull, axis=0)
        assert np.all((width > 0.85) & (width < 1 - 3 / np.sqrt(2 * len(pull))))
