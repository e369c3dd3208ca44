"""Decay vertices fitted from the tracks of whole events."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from closure import assert_covariance_is_right, chi2, straight_line_sigmas
from decay_trees import P, d0, event, make_block, pi0, signal, tag

from detector import fit_vertices, smear_perigees, smear_tracks
from detector.candidate_table import CANDIDATE_LAYOUT
from detector.candidates import smear_block
from detector.config import CandidateConfig, SignalTopology
from detector.flight_prior import flight_prior
from detector.profiles import load_profile
from simgen.errors import ConfigError
from simgen.particles import particle_table

N = 20_000


def fitting(name="belle2", **vertices):
    return load_profile(name, {"vertices": {"method": "fit", **vertices}})


@pytest.fixture(scope="module")
def block(total):
    return make_block(event(signal(2), tag("D")), N, np.random.default_rng(2), total=total)


@pytest.fixture(scope="module")
def free(block):
    return smear_block(block, fitting(), CandidateConfig(), 1)[0]


@pytest.fixture(scope="module")
def constrained(block):
    return smear_block(block, fitting(constraint="ip"), CandidateConfig(), 1)[0]


def deviation(table, vertex):
    """Position less truth, covariance."""
    residual = getattr(table, vertex) - getattr(table, f"true_{vertex}")
    return residual, getattr(table, f"{vertex}_covariance")


def half_widths(residual):
    low, high = np.quantile(residual, [0.16, 0.84], axis=0)
    return 0.5 * (high - low)


class TestPulls:
    @pytest.mark.parametrize("vertex", ["r_sig", "r_tag"])
    def test_of_both_vertices(self, free, vertex):
        assert len(free) > 10_000
        assert_covariance_is_right(*deviation(free, vertex))

    @pytest.mark.parametrize(
        "charm",
        [
            lambda: P(421, [P(-321), P(211), pi0()]),
            lambda: P(413, [d0(), P(211)]),
            lambda: P(411, [P(-321), P(211), P(211)]),
            lambda: P(411, [P(310, [P(211), P(-211)]), P(211)]),  # one track at the D vertex
        ],
        ids=["K pi pi0", "D* -> D pi", "D+ -> K pi pi", "D+ -> KS pi"],
    )
    def test_of_the_tag_with_other_charm(self, total, charm):
        tree = event(signal(3), P(-521, [charm(), P(13), P(-14)]))
        block = make_block(tree, 8000, np.random.default_rng(5), total=total)
        table, _ = smear_block(block, fitting(), CandidateConfig(), 1)
        assert len(table) > 1500
        assert_covariance_is_right(*deviation(table, "r_tag"))


class TestClosure:
    def test_perfect_tracks_find_both_vertices(self, block):
        table, _ = smear_block(block.select(0, 2000), fitting("perfect"), CandidateConfig(), 1)
        for vertex in ("r_sig", "r_tag"):
            assert np.max(np.abs(deviation(table, vertex)[0])) < 1e-6, vertex

    def test_the_prong_of_the_tau_is_left_out(self, block):
        few = block.select(0, 300)
        from_tau = np.abs(few.pdgid[few.mother_row]) == 15
        moved = replace(few, production=few.production + 1.0 * from_tau[:, None])
        one, other = (smear_block(b, fitting(), CandidateConfig(), 1)[0] for b in (few, moved))
        np.testing.assert_array_equal(one.r_sig, other.r_sig)
        np.testing.assert_array_equal(one.r_tag, other.r_tag)


class TestResolution:
    def test_is_that_of_straight_lines_with_impact_parameters(self, free):
        """Near the beams, errors of direction and curvature do not matter."""
        expected = straight_line_sigmas(free.true_kaon, free.true_lepton)
        ratio = free.r_sig_sigma / expected
        assert np.median(ratio) == pytest.approx(1.0, abs=1e-3)
        assert np.quantile(np.abs(ratio - 1), 0.95) < 0.05

    def test_belle_is_worse(self, free, block):
        profile = fitting("belle").model_copy(update={"beams": fitting().beams})
        table, _ = smear_block(block, profile, CandidateConfig(), 1)
        belle2, belle = (half_widths(deviation(t, "r_sig")[0]) for t in (free, table))
        assert np.all((belle > 1.3 * belle2) & (belle < 1.6 * belle2))


def test_muons_of_a_jpsi_have_the_published_resolution(total, belle2):
    """B0 -> J/psi(mu mu) K_S: 26 um along z at Belle II (Physics Book, PTEP 2019, 123C01)."""
    jpsi = P(511, [P(443, [P(-13), P(13)]), P(310)])
    tree = event(jpsi, P(-511, [P(211), P(-211)]))
    block = make_block(tree, N, np.random.default_rng(1), total=total)
    rows = np.flatnonzero(np.abs(block.pdgid) == 13)
    where = (block.event_id[block.event_index[rows]], rows - block.offsets[block.event_index[rows]])
    p4, true = block.p4[rows], np.ascontiguousarray(block.production[rows, :3])
    tracks, variances = smear_perigees(
        p4, smear_tracks(p4, *where, belle2.tracks, 1), -np.sign(block.pdgid[rows]).astype(int),
        true, *where, belle2.tracks, 1,
    )  # fmt: skip
    theta = np.degrees(np.arctan2(np.hypot(p4[:, 0], p4[:, 1]), p4[:, 2]))
    seen = ((theta > 17) & (theta < 150)).reshape(-1, 2).all(axis=1)
    position, _, _ = fit_vertices(
        tracks.reshape(-1, 2, 5)[seen], variances.reshape(-1, 2, 5)[seen],
        prior_covariance=100 * np.eye(3),
    )  # fmt: skip
    assert half_widths(position - true[::2][seen])[2] == pytest.approx(0.026, rel=0.1)


def from_upsilon(table, rng):
    """Pick candidates whose B fly as sin^2 of the angle to the boost; all are isotropic."""
    b, total = table.true_parent_sig, table.true_parent_sig + table.true_parent_tag
    boost = total[:, :3] / total[:, 3:]
    beta = np.linalg.norm(boost, axis=1)
    along = np.sum(b[:, :3] * boost, axis=1) / beta
    across2 = np.sum(b[:, :3] ** 2, axis=1) - along**2
    star2 = (along - beta * b[:, 3]) ** 2 / (1 - beta**2)
    return rng.uniform(size=len(b)) < across2 / (across2 + star2)


class TestConstraint:
    def test_improves_what_the_beams_know(self, free, constrained):
        for vertex in ("r_sig", "r_tag"):
            before, after = (half_widths(deviation(t, vertex)[0]) for t in (free, constrained))
            assert np.all(after < [0.55 * before[0], 0.5 * before[1], 0.85 * before[2]])

    def test_variance_is_right_though_flights_are_not_gaussian(self, constrained):
        picked = from_upsilon(constrained, np.random.default_rng(1))
        for vertex in ("r_sig", "r_tag"):
            residual, covariance = (x[picked] for x in deviation(constrained, vertex))
            far = chi2(residual, covariance)
            assert np.mean(far) == pytest.approx(3.0, abs=4 * np.std(far) / np.sqrt(len(far)))
            pull = residual / np.sqrt(np.diagonal(covariance, axis1=1, axis2=2))
            error = np.std(pull, axis=0) / np.sqrt(len(pull))
            assert np.all(np.abs(np.mean(pull, axis=0)) < 4 * error)

    def test_is_marked(self, free, constrained):
        assert not free.vertex_constraint.any()
        assert constrained.vertex_constraint.all()

    def test_needs_a_fit(self):
        with pytest.raises(ConfigError) as error:
            load_profile("belle2", {"vertices": {"constraint": "ip"}})
        assert "method: fit" in str(error.value)


class TestFlightPrior:
    @pytest.mark.parametrize(("name", "power"), [("B+", "sin2"), ("tau+", "flat")])
    def test_mean_and_covariance(self, total, name, power):
        rng, n = np.random.default_rng(3), 400_000
        parent = particle_table().by_name(name)
        cosine = rng.uniform(-1, 1, 4 * n)
        if power == "sin2":
            cosine = cosine[rng.uniform(size=len(cosine)) < 1 - cosine**2]
        cosine = cosine[:n]
        energy = 0.5 * np.sqrt(total[3] ** 2 - total[:3] @ total[:3])
        size = np.sqrt(energy**2 - parent.mass**2)
        phi = rng.uniform(0, 2 * np.pi, n)
        axis = total[:3] / np.linalg.norm(total[:3])
        x = np.cross(axis, [0, 1, 0]) / np.linalg.norm(np.cross(axis, [0, 1, 0]))
        y = np.cross(axis, x)
        sine = np.sqrt(1 - cosine**2)
        gamma = total[3] / (2 * energy)
        beta_gamma = np.linalg.norm(total[:3]) / (2 * energy)
        along = gamma * size * cosine + beta_gamma * energy
        p = np.outer(along, axis) + size * (
            np.outer(sine * np.cos(phi), x) + np.outer(sine * np.sin(phi), y)
        )
        flight = p / parent.mass * rng.exponential(parent.ctau, n)[:, None]
        mean, covariance = (x[0] for x in flight_prior(total[None], parent))
        scale = np.sqrt(np.diag(covariance))
        np.testing.assert_allclose(flight.mean(axis=0), mean, atol=4 * scale.max() / np.sqrt(n))
        found = np.cov(flight.T) / np.outer(scale, scale)
        np.testing.assert_allclose(found, covariance / np.outer(scale, scale), atol=0.02)


class TestSettings:
    def test_smeared_vertices_do_not_notice(self, block):
        few = block.select(0, 500)
        plain, _ = smear_block(few, load_profile("belle2"), CandidateConfig(), 1)
        fit, _ = smear_block(few, fitting(), CandidateConfig(), 1)
        changed = {"r_sig", "r_tag", "r_sig_sigma", "r_tag_sigma", "r_sig_correlation",
                   "r_tag_correlation"}  # fmt: skip
        for name in CANDIDATE_LAYOUT:
            # nan where a column is of combinatorial candidates
            same = np.array_equal(getattr(plain, name), getattr(fit, name), equal_nan=True)
            assert same == (name not in changed), name
        assert not plain.r_sig_correlation.any()

    def test_scaled_errors_use_the_same_deviates(self, block):
        """With only one number changed, the residuals of a fit grow in proportion."""
        few = block.select(0, 500)
        tables = []
        for factor in (1.0, 1e-3):
            impact = {
                name: {"hits": 0.012 * factor, "scattering": 0.025 * factor}
                for name in ("d0", "z0")
            }
            profile = load_profile(
                "perfect", {"tracks": {"impact": impact}, "vertices": {"method": "fit"}}
            )
            tables.append(smear_block(few, profile, CandidateConfig(), 1)[0])
        large, small = (deviation(t, "r_sig")[0] for t in tables)
        typical = np.linalg.norm(small, axis=1)
        wrong = np.linalg.norm(1e-3 * large - small, axis=1) / typical
        assert np.median(wrong) < 0.01

    def test_any_block_gives_the_same(self, block):
        whole = smear_block(block.select(0, 200), fitting(), CandidateConfig(), 1)[0]
        part = smear_block(block.select(100, 200), fitting(), CandidateConfig(), 1)[0]
        np.testing.assert_array_equal(whole.r_tag[-len(part) :], part.r_tag)

    @pytest.mark.parametrize(
        "topology",
        [SignalTopology(kaon=None), SignalTopology(lepton=None, tau=None)],
        ids=["B -> tau mu", "B -> K nu nu"],
    )
    def test_one_track_is_not_known_along_itself(self, total, topology):
        side = signal(2, kaon=None) if topology.kaon is None else P(521, [P(321), P(12), P(-12)])
        block = make_block(event(side, tag("D")), 300, np.random.default_rng(1), total=total)
        config = CandidateConfig(topology=topology)
        for constraint, largest in (("none", 10.0), ("ip", 0.4)):
            table, _ = smear_block(block, fitting(constraint=constraint), config, 1)
            assert len(table) > 100
            sizes = np.sqrt(np.linalg.eigvalsh(table.r_sig_covariance))
            assert np.all(sizes[:, 2] < 1.001 * largest)
            assert np.median(sizes[:, 2]) > 0.05 * largest
