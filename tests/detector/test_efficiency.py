"""Losses of tracks, photons, pi0 and K_S, alone and in candidates."""

from __future__ import annotations

import numpy as np
import pytest
from closure import N, random_momenta, spherical
from decay_trees import P, event, pi0, signal, tag
from scipy.stats import norm

from detector.candidates import smear_block
from detector.config import CandidateConfig
from detector.efficiency import find_particles
from detector.profiles import load_profile
from simgen.errors import ConfigError

APPLIED = CandidateConfig(efficiency="applied")
M_PI = 0.13957039
ALWAYS = {
    "tracks": {"efficiency": {"plateau": 1.0, "width": 0.0}},
    "photons": {"efficiency": 1.0},
    "pi0": {"efficiency": 1.0},
    "ks": {"flight_max": 1e4, "efficiency": 1.0},
}


def pull(found, share):
    """(observed - expected) / sigma of independent trials, each with its probability."""
    return (found.sum() - share.sum()) / np.sqrt((share * (1 - share)).sum())


def find(p4, pdgid, profile, flight=None, seed=5):
    n = len(p4)
    flight = np.zeros(n) if flight is None else flight
    ids = np.full(n, pdgid, dtype=np.int32)
    return find_particles(p4, ids, flight, np.arange(n) // 4, np.arange(n) % 4, profile, seed)


@pytest.fixture(scope="module")
def pions():
    return random_momenta(np.random.default_rng(1), N, M_PI, 0.05, 2.0)


@pytest.mark.parametrize("name", ["belle", "belle2"])
def test_slow_pions_turn_on(name, pions):
    profile = load_profile(name)
    found = find(pions, -211, profile)
    settings = profile.tracks.efficiency
    pt = spherical(pions)[0]
    share = settings.plateau * norm.cdf((pt - settings.pt_half) / settings.width)
    for low, high in ((0.0, 0.06), (0.06, 0.1), (0.1, 0.2), (0.2, 2.0)):
        chosen = (pt > low) & (pt < high)
        assert chosen.sum() > 5000
        assert abs(pull(found[chosen], share[chosen])) < 4
    at_100_mev = norm.cdf((0.1 - settings.pt_half) / settings.width)
    assert 0.6 < at_100_mev < 0.9


def test_without_a_width_there_is_no_turn_on(pions, perfect):
    assert find(pions, 211, perfect).all()


def test_a_plateau_can_be_a_table(pions):
    plateau = {"axes": {"theta": [17, 90, 150]}, "values": [0.7, 0.9]}
    profile = load_profile("belle2", {"tracks": {"efficiency": {"plateau": plateau, "width": 0}}})
    found = find(pions, 211, profile)
    share = np.where(spherical(pions)[1] < np.pi / 2, 0.7, 0.9)
    assert abs(pull(found, share)) < 4
    assert abs(pull(found[share > 0.8], share[share > 0.8])) < 4


@pytest.mark.parametrize(("pdgid", "section"), [(22, "photons"), (111, "pi0")])
def test_photons_and_pi0_have_tables_in_energy(pdgid, section):
    table = {"axes": {"energy": [0.1, 1.0]}, "values": [0.5, 0.9]}
    profile = load_profile("belle2", {section: {"efficiency": table}})
    p4 = random_momenta(np.random.default_rng(2), N, 0.0, 0.05, 3.0)
    share = np.interp(np.log(p4[:, 3]), np.log([0.1, 1.0]), [0.5, 0.9])
    found = find(p4, pdgid, profile)
    assert abs(pull(found, share)) < 4
    assert abs(pull(found[p4[:, 3] < 0.3], share[p4[:, 3] < 0.3])) < 4


def test_ks_by_their_flight(belle2):
    rng = np.random.default_rng(3)
    p4, flight = random_momenta(rng, N, 0.4976, 0.2, 3.0), rng.exponential(200.0, N)
    found = find(p4, 310, belle2, flight)
    axes = belle2.ks.efficiency.axes["flight"]
    share = np.interp(flight, axes, belle2.ks.efficiency.values)
    share[flight > belle2.ks.flight_max] = 0.0
    assert abs(pull(found, share)) < 4
    for low, high in zip(axes, (*axes[1:], 1e9), strict=False):
        chosen = (flight > low) & (flight < high)
        if share[chosen].any():
            assert abs(pull(found[chosen], share[chosen])) < 4
    assert not found[flight > belle2.ks.flight_max].any()


def test_an_answer_is_that_of_seed_event_and_place(pions, belle2):
    soft = pions[np.hypot(pions[:, 0], pions[:, 1]) < 0.1][:4000]
    assert np.array_equal(find(soft, 211, belle2), find(soft, -211, belle2))
    assert not np.array_equal(find(soft, 211, belle2), find(soft, 211, belle2, seed=6))
    loose = load_profile("belle2", {"tracks": {"efficiency": {"pt_half": 0.05}}})
    assert np.all(find(soft, 211, loose) >= find(soft, 211, belle2))


def lost(block, profile):
    """Which events with a candidate are lost to efficiencies."""
    without, flow = smear_block(block, profile, CandidateConfig(), seed=5)
    table, cut = smear_block(block, profile, APPLIED, seed=5)
    assert flow.counts[-1] == len(without)
    assert cut.counts[-1] == cut.counts[-2] == len(table)
    assert cut.counts[:-2] == flow.counts[:-2]
    kept = np.isin(without.event_id, table.event_id)
    np.testing.assert_array_equal(without.kaon[kept], table.kaon)
    return ~kept


@pytest.mark.parametrize(
    ("changes", "tag_name", "share"),
    [
        ({"tracks": {"efficiency": {"plateau": 0.9}}}, "D", 0.9**6),
        ({"photons": {"efficiency": 0.8}}, "D* -> D pi0", 0.8**2),
        ({"photons": {"efficiency": 0.8}}, "D* -> D gamma", 0.8),
        ({"photons": {"efficiency": 0.8}}, "D", 1.0),
        ({"pi0": {"efficiency": 0.7}}, "D* -> D pi0", 0.7),
    ],
)
def test_every_particle_of_a_candidate_counts_once(make, changes, tag_name, share):
    overrides = {name: {**ALWAYS[name], **changes.get(name, {})} for name in ALWAYS}
    if "tracks" in changes:
        overrides["tracks"] = {"efficiency": {"plateau": 0.9, "width": 0.0}}
    profile = load_profile("belle2", overrides)
    gone = lost(make(event(signal(), tag(tag_name)), n=4000), profile)
    if share == 1.0:
        assert not gone.any()
    else:
        assert abs(pull(~gone, np.full(len(gone), share))) < 4


def test_a_ks_counts_with_its_flight_once_and_only_if_charged(make):
    changes = {**ALWAYS, "ks": {"flight_min": 0.0, "flight_max": 1e4, "efficiency": 0.6}}
    profile = load_profile("belle2", changes)
    charged = P(421, [P(310, [P(211), P(-211)]), pi0()])
    neutral = P(421, [P(310, [pi0(), pi0()]), P(211), P(-211)])
    for d, share in ((charged, 0.6), (neutral, 1.0)):
        side = P(-521, [d, P(13), P(-14)])
        gone = lost(make(event(signal(), side), n=4000), profile)
        assert (abs(pull(~gone, np.full(len(gone), 0.6))) < 4) if share < 1 else not gone.any()


def test_a_perfect_detector_finds_everything(sharp_channels, perfect):
    table, _ = smear_block(sharp_channels[0], perfect, APPLIED, seed=5)
    assert len(table) == len(sharp_channels[0])


@pytest.mark.parametrize(
    ("overrides", "words"),
    [
        ({"tracks": {"efficiency": {"plateau": 1.2}}}, ["plateau", "between 0 and 1", "1.2"]),
        ({"tracks": {"efficiency": {"width": -0.1}}}, ["width", "-0.1"]),
        ({"photons": {"efficiency": {"axes": {"p": [1]}, "values": [1]}}}, ["'p'", "energy (GeV)"]),
        ({"photons": {"efficiency": {"axes": {"energy": [0, 1]}, "values": [1, 1]}}}, ["positive"]),
        ({"ks": {"flight_min": 700}}, ["flight_max should be above flight_min"]),
        ({"ks": {"efficiency": {"axes": {"p": [1]}, "values": [1]}}}, ["flight (mm)"]),
    ],
)
def test_what_is_out_of_range_is_refused(overrides, words):
    with pytest.raises(ConfigError) as error:
        load_profile("belle2", overrides)
    for word in words:
        assert word in str(error.value)
