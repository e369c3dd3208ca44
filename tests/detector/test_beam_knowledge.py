from __future__ import annotations

import numpy as np
import pytest
from closure import (
    N,
    assert_uncorrelated,
    assert_unit_gaussian,
    assert_unit_gaussian_in_bins,
    mass2,
)
from decay_trees import event, signal, tag
from scipy import stats

from detector.beam_knowledge import (
    known_beams,
    known_primary_vertices,
    stated_primary_vertex,
)
from detector.candidates import smear_block
from detector.config import CandidateConfig
from detector.data_taking import luminosity_shares
from detector.flight_prior import flight_prior
from detector.profiles import load_profile
from simgen.errors import ConfigError
from simgen.particles import particle_table


def test_by_default_the_mean_is_known(belle2):
    assert np.all(known_beams(belle2, np.arange(5), seed=1) == belle2.beams.total())


def test_calibration_shifts_and_spreads_sqrt_s_alone(belle2):
    known = {"sqrt_s_shift": 0.002, "sqrt_s_spread": 0.001}
    profile = load_profile("belle2", {"beam_knowledge": known})
    beams = known_beams(profile, np.arange(N), seed=1)
    assert_unit_gaussian((np.sqrt(mass2(beams)) - belle2.beams.sqrt_s() - 0.002) / 0.001)
    velocity = beams[:, :3] / beams[:, 3:]
    mean = belle2.beams.total()
    np.testing.assert_allclose(velocity, np.tile(mean[:3] / mean[3], (N, 1)), rtol=1e-12)


def test_a_scan_of_the_spread_reuses_the_deviates():
    one, two = (
        load_profile("belle2", {"beam_knowledge": {"sqrt_s_spread": x}}) for x in (1e-3, 2e-3)
    )
    mean = one.beams.total()
    a, b = (known_beams(p, np.arange(100), seed=1) - mean for p in (one, two))
    np.testing.assert_allclose(b, 2 * a, atol=1e-12)


INTERACTION_POINT = {"position": {"x": 0.02, "z": -0.1}, "size": {"z": 2.0}}


def test_the_interaction_point_is_shifted_and_its_size_stated(belle2):
    profile = load_profile("belle2", {"beam_knowledge": INTERACTION_POINT})
    true = np.random.default_rng(2).normal(size=(N, 3))
    residual = known_primary_vertices(true, np.arange(N), profile, seed=1) - true
    sigma = np.array(belle2.vertices.r_0.as_tuple())
    for pull in ((residual - [0.02, 0.0, -0.1]) / sigma).T:
        assert_unit_gaussian(pull)
    for one, stated in ((profile, sigma * [1, 1, 2]), (belle2, sigma)):
        rows = stated_primary_vertex(one, np.arange(3), seed=1)
        np.testing.assert_array_equal(rows, np.tile(stated, (3, 1)))


@pytest.mark.parametrize("vertices", [{}, {"method": "fit", "constraint": "ip"}])
def test_candidates_follow_what_is_known_of_the_interaction_point(make, vertices):
    block = make(event(signal(), tag()), n=300)
    tables = []
    for known in ({}, INTERACTION_POINT):
        profile = load_profile("belle2", {"vertices": vertices, "beam_knowledge": known})
        tables.append(smear_block(block, profile, CandidateConfig(), seed=5)[0])
    right, wrong = tables
    np.testing.assert_allclose(wrong.r_0 - right.r_0, [[0.02, 0.0, -0.1]] * len(right), atol=1e-12)
    np.testing.assert_allclose(wrong.r_0_sigma, right.r_0_sigma * [1, 1, 2])
    moved = np.abs(wrong.r_sig - right.r_sig).max(axis=0)
    assert np.all(moved > 0) if vertices else np.all(moved == 0)


EDGES = [0.0, 0.2, 0.5, 1.0]
SHIFTS, SPREADS, SIZES = [0.004, -0.003, 0.0], [0.001, 0.01, 0.003], [1.0, 3.0, 0.5]


def runs(values):
    return {"axes": {"luminosity": EDGES}, "values": list(values)}


RUNS = {
    "beam_knowledge": {
        "sqrt_s_shift": runs(SHIFTS),
        "sqrt_s_spread": runs(SPREADS),
        "position": {"z": runs(SIZES)},
        "size": {"z": runs(SIZES)},
    },
    "vertices": {
        "r_0": {"x": {"axes": {"luminosity": [0.0, 1.0]}, "values": [0.001, 0.1]}, "z": runs(SIZES)}
    },
}


class TestRuns:
    """Tables in luminosity: at the same place of an event in every one."""

    @pytest.fixture(scope="module")
    @staticmethod
    def place():
        return luminosity_shares(np.arange(N), seed=1)

    def test_places_are_uniform_and_belong_to_seed_and_event(self, place):
        assert stats.kstest(place, "uniform").pvalue > 1e-3
        np.testing.assert_array_equal(luminosity_shares(np.arange(50, 60), seed=1), place[50:60])
        assert_uncorrelated(place, luminosity_shares(np.arange(N), seed=2))

    def test_what_is_known_of_sqrt_s_follows_the_run(self, belle2, place):
        profile = load_profile("belle2", RUNS)
        known = np.sqrt(mass2(known_beams(profile, np.arange(N), seed=1)))
        run = np.searchsorted(EDGES[1:-1], place, side="right")
        error = known - belle2.beams.sqrt_s() - np.array(SHIFTS)[run]
        pull = error / np.array(SPREADS)[run]
        assert_unit_gaussian(pull)
        assert_unit_gaussian_in_bins(pull, place, EDGES)
        for wrong in (1.01 * pull, pull + 0.01):
            with pytest.raises(AssertionError):
                assert_unit_gaussian(wrong)

    def test_the_interaction_point_follows_the_run(self, place):
        profile = load_profile("belle2", RUNS)
        true = np.random.default_rng(2).normal(size=(N, 3))
        residual = known_primary_vertices(true, np.arange(N), profile, seed=1) - true
        size = np.array(SIZES)[np.searchsorted(EDGES[1:-1], place, side="right")]
        residual[:, 2] -= size
        sigma = np.column_stack([0.001 + 0.099 * place, np.full(N, 0.0003), size])
        pulls = residual / sigma
        for pull in pulls.T:
            assert_unit_gaussian(pull)
            assert_unit_gaussian_in_bins(pull, place, EDGES)
            with pytest.raises(AssertionError):
                assert_unit_gaussian(1.01 * pull)
        assert_uncorrelated(place, *pulls.T)
        sigma[:, 2] *= size
        stated = stated_primary_vertex(profile, np.arange(N), seed=1)
        np.testing.assert_allclose(stated, sigma, rtol=1e-12)

    def test_quantiles_draw_from_their_distribution(self, tmp_path):
        """A calibration that is off by an exponential, given by its quantile function."""
        (tmp_path / "f.py").write_text(
            "import numpy as np\ndef f(u):\n    return -0.002 * np.log1p(-0.999 * u)\n"
        )
        axes = {"luminosity": np.linspace(0, 1, 2001).tolist()}
        shift = {"function": "f.py:f", "axes": axes}
        profile = load_profile("belle2", {"beam_knowledge": {"sqrt_s_shift": shift}}, tmp_path)
        error = np.sqrt(mass2(known_beams(profile, np.arange(N), seed=1))) - profile.beams.sqrt_s()
        uniform = -np.expm1(-error / 0.002) / 0.999
        assert stats.kstest(uniform, "uniform").pvalue > 1e-3
        mean = 0.002 * (1 + 0.001 * np.log(0.001) / 0.999)
        uncertainty = np.std(error) / np.sqrt(N)
        assert abs(np.mean(error) - mean) < 3 * uncertainty < 0.01 * mean

    def test_candidates_and_fits_state_what_is_known_in_their_run(self, make):
        """A vertex constrained to r_0 knows as much as the free one and the beams of its run."""
        block, tables = make(event(signal(), tag()), n=500), []
        for constraint in ("none", "ip"):
            fit = {"method": "fit", "constraint": constraint}
            profile = load_profile("belle2", {**RUNS, "vertices": {**RUNS["vertices"], **fit}})
            tables.append(smear_block(block, profile, CandidateConfig(), seed=5)[0])
        free, constrained = tables
        stated = stated_primary_vertex(profile, free.event_id, seed=5)
        np.testing.assert_array_equal(constrained.r_0_sigma, stated)
        assert len(np.unique(stated[:, 2])) == 3

        def expected(sigma):
            flight = flight_prior(free.total, particle_table().by_name("B+"))[1]
            beams = np.linalg.inv(flight + np.eye(3) * sigma[:, None] ** 2)
            covariance = np.linalg.inv(np.linalg.inv(free.r_sig_covariance) + beams)
            return np.sqrt(np.diagonal(covariance, axis1=1, axis2=2))

        np.testing.assert_allclose(constrained.r_sig_sigma, expected(stated), rtol=2e-3)
        blunt = stated[:, 0] > 0.02
        assert np.mean(expected(1.1 * stated)[blunt, 0] / constrained.r_sig_sigma[blunt, 0]) > 1.005


@pytest.mark.parametrize(
    ("known", "words"),
    [
        ({"size": {"z": 0.0}}, ["size.z", "between 1e-06 and 1000"]),
        ({"position": {"z": float("nan")}}, ["position.z", "number", "nan"]),
        ({"sqrt_s_shift": {"axes": {"luminosity": [0, 1]}, "values": [0, 2]}},
         ["sqrt_s_shift", "between -1 and 1"]),
        ({"sqrt_s_spread": {"axes": {"p": [0, 1]}, "values": [0, 0.1]}},
         ["sqrt_s_spread", "no axis 'p'; allowed: luminosity"]),
        ({"sqrt_s_spread": -1e-3}, ["sqrt_s_spread", "-0.001"]),
        ({"sqrts_shift": 1e-3}, ["sqrts_shift", "sqrt_s_shift"]),
    ],
)  # fmt: skip
def test_what_is_out_of_range_is_refused(known, words):
    with pytest.raises(ConfigError) as error:
        load_profile("belle2", {"beam_knowledge": known})
    for word in words:
        assert word in str(error.value)
