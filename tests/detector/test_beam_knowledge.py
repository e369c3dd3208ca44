from __future__ import annotations

import numpy as np
import pytest
from closure import N, assert_unit_gaussian, mass2
from decay_trees import event, signal, tag

from detector.beam_knowledge import (
    known_beams,
    known_primary_vertices,
    stated_primary_vertex,
)
from detector.candidates import smear_block
from detector.config import CandidateConfig
from detector.profiles import load_profile
from simgen.errors import ConfigError


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
    assert stated_primary_vertex(profile).as_tuple() == (sigma[0], sigma[1], 2 * sigma[2])
    assert stated_primary_vertex(belle2) == belle2.vertices.r_0


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


@pytest.mark.parametrize(
    ("known", "words"),
    [
        ({"size": {"z": 0.0}}, ["size.z", "greater than 0"]),
        ({"position": {"z": float("nan")}}, ["position.z", "finite"]),
        ({"sqrt_s_spread": -1e-3}, ["sqrt_s_spread", "-0.001"]),
        ({"sqrts_shift": 1e-3}, ["sqrts_shift", "sqrt_s_shift"]),
    ],
)
def test_what_is_out_of_range_is_refused(known, words):
    with pytest.raises(ConfigError) as error:
        load_profile("belle2", {"beam_knowledge": known})
    for word in words:
        assert word in str(error.value)
