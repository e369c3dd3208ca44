"""Identification against its tables, with hypotheses that go together as documented."""

from __future__ import annotations

import numpy as np
import pytest
from closure import N, random_momenta, spherical
from decay_trees import event, signal, tag
from scipy import stats

from detector.candidates import smear_block
from detector.config import CandidateConfig
from detector.identification import SPECIES_PDG, Species, acceptance_shares, identify_tracks
from detector.profiles import load_profile

MASS = {11: 0.511e-3, 13: 0.10566, 211: 0.13957, 321: 0.49368, 2212: 0.93827}
NAMES = [species.name.lower() for species in Species]
SHIPPED = ["belle", "belle2", "belle2_design", "perfect"]
TABLE = {
    "axes": {"p": [0.0, 0.7, 1.5, 8.0], "theta": [17, 60, 150]},
    "values": [[0.1, 0.2], [0.55, 0.9], [0.8, 0.95]],
}


def tracks(species, seed=1, n=N):
    pdg = SPECIES_PDG[species]
    p4 = random_momenta(np.random.default_rng(seed), n, MASS[pdg], 0.1, 4.0)
    return p4, np.full(n, pdg, dtype=np.int32)


def identify(species, profile, seed=5, n=N):
    p4, pdgid = tracks(species, n=n)
    keys = np.arange(n) // 4, np.arange(n) % 4
    return p4, identify_tracks(p4, pdgid, *keys, profile.identification, seed)


def binomial_pull(passed, share):
    """(observed - expected) / sigma of independent trials, each with its probability."""
    return (passed.sum() - share.sum()) / np.sqrt((share * (1 - share)).sum())


@pytest.mark.parametrize("name", SHIPPED)
@pytest.mark.parametrize("species", list(Species), ids=str)
def test_shares_that_pass_are_those_of_the_profile(name, species):
    profile = load_profile(name)
    p4, passed = identify(species, profile)
    p = np.linalg.norm(p4[:, :3], axis=1)
    for hypothesis in Species:
        section = getattr(profile.identification, NAMES[hypothesis])
        share = np.where(p >= section.p_min, getattr(section, NAMES[species]), 0.0)
        got = passed[:, hypothesis]
        if np.all(share * (1 - share) == 0):
            np.testing.assert_array_equal(got, share > 0)
        else:
            assert abs(binomial_pull(got, share)) < 4
            assert not got[share == 0].any()


def test_a_table_in_p_and_theta_holds_in_each_of_its_bins():
    profile = load_profile("belle2", {"identification": {"muon": {"p_min": 0, "pion": TABLE}}})
    p4, passed = identify(Species.PION, profile)
    p, theta = np.linalg.norm(p4[:, :3], axis=1), np.degrees(spherical(p4)[1])
    i = np.digitize(p, [0.7, 1.5])
    j = np.digitize(theta, [60])
    chi2 = 0.0
    for a, row in enumerate(TABLE["values"]):
        for b, share in enumerate(row):
            chosen = (i == a) & (j == b)
            assert chosen.sum() > 2000
            chi2 += binomial_pull(passed[chosen, Species.MUON], np.full(chosen.sum(), share)) ** 2
    assert stats.chi2.sf(chi2, 6) > 1e-3


@pytest.mark.parametrize("species", [Species.PION, Species.KAON, Species.PROTON])
def test_pion_and_kaon_are_two_sides_of_one_likelihood(belle2, species):
    _, passed = identify(species, belle2)
    both = passed[:, Species.PION] & passed[:, Species.KAON]
    assert not both.any()
    wide = load_profile(
        "belle2",
        {"identification": {h: {NAMES[species]: 0.8} for h in ("pion", "kaon")}},
    )
    _, passed = identify(species, wide)
    both = passed[:, Species.PION] & passed[:, Species.KAON]
    assert abs(binomial_pull(both, np.full(N, 0.6))) < 4


def test_lepton_and_proton_answers_are_independent_of_the_others():
    half = {h: {"p_min": 0.0, "pion": 0.5} for h in NAMES}
    _, passed = identify(Species.PION, load_profile("belle2", {"identification": half}))
    e, mu, pi, k, p = passed.T
    np.testing.assert_array_equal(k, ~pi)
    for a, b in ((e, mu), (e, k), (mu, k), (p, k), (p, e), (p, mu)):
        assert abs(binomial_pull(a & b, np.full(N, 0.25))) < 4


def test_an_answer_is_that_of_seed_event_and_place(belle2):
    p4, pdgid = tracks(Species.KAON, n=4000)
    event_id, index = np.arange(4000) // 4, np.arange(4000) % 4
    profile = belle2.identification
    all_of_them = identify_tracks(p4, pdgid, event_id, index, profile, seed=5)
    some = slice(100, 900)
    alone = identify_tracks(p4[some], pdgid[some], event_id[some], index[some], profile, seed=5)
    np.testing.assert_array_equal(alone, all_of_them[some])
    other = identify_tracks(p4, -pdgid, event_id, index, profile, seed=5)
    np.testing.assert_array_equal(other, all_of_them)
    for changed in (
        identify_tracks(p4, pdgid, event_id + 1, index, profile, seed=5),
        identify_tracks(p4, pdgid, event_id, index + 1, profile, seed=5),
        identify_tracks(p4, pdgid, event_id, index, profile, seed=6),
    ):
        assert np.any(changed != all_of_them)


def test_a_looser_requirement_keeps_what_a_tighter_one_had():
    loose, tight = (
        load_profile("belle2", {"identification": {"kaon": {"pion": fake}}})
        for fake in (0.10, 0.03)
    )
    _, a = identify(Species.PION, loose)
    _, b = identify(Species.PION, tight)
    assert np.all(a[:, Species.KAON] >= b[:, Species.KAON])
    others = [h for h in Species if h != Species.KAON]
    np.testing.assert_array_equal(a[:, others], b[:, others])


def test_what_leaves_no_track_passes_nothing(belle2):
    p4 = np.ones((3, 4))
    ids = np.array([22, 111, 130], dtype=np.int32)
    passed = identify_tracks(p4, ids, np.arange(3), np.arange(3), belle2.identification, seed=5)
    assert not passed.any()


def test_acceptance_shares_are_the_tables_interpolated():
    points = {"axes": {"pt": [0.2, 1.0, 3.0]}, "values": [0.3, 0.7, 0.9]}
    profile = load_profile("belle2", {"identification": {"kaon": {"kaon": points}}})
    p4, _ = tracks(Species.KAON, n=5000)
    shares = acceptance_shares(p4, np.full(5000, int(Species.KAON), np.int8),
                               profile.identification)  # fmt: skip
    expected = np.interp(spherical(p4)[0], points["axes"]["pt"], points["values"])
    np.testing.assert_allclose(shares[:, Species.KAON], expected, rtol=1e-12)
    np.testing.assert_array_equal(shares[:, Species.PION], profile.identification.pion.kaon)


class TestCandidates:
    REQUIRED = CandidateConfig(identification="required")

    def test_ignored_by_default_and_the_cut_flow_says_what_is_lost(self, make, belle2):
        block = make(event(signal(2), tag(lepton=11)), n=4000)
        without, flow = smear_block(block, belle2, CandidateConfig(), seed=5)
        table, cut = smear_block(block, belle2, self.REQUIRED, seed=5)
        assert flow.counts[-1] == flow.counts[-2] == len(without)
        assert cut.counts[:-1] == flow.counts[:-1]
        assert cut.counts[-1] == len(table) < len(without)
        same = np.isin(without.event_id, table.event_id)
        np.testing.assert_array_equal(without.lepton[same], table.lepton)

    def test_the_share_of_identified_events_is_the_product_of_efficiencies(self, make, belle2):
        block = make(event(signal(2), tag(lepton=11)), n=4000)
        without, _ = smear_block(block, belle2, CandidateConfig(), seed=5)
        table, _ = smear_block(block, belle2, self.REQUIRED, seed=5)
        charged = np.isin(np.abs(block.pdgid), SPECIES_PDG)
        species = np.array([SPECIES_PDG.index(i) for i in np.abs(block.pdgid[charged])], np.int8)
        shares = acceptance_shares(block.p4[charged], species, belle2.identification)
        own = shares[np.arange(len(species)), species].reshape(4000, -1)
        expected = own.prod(axis=1)[without.event_id]
        assert 0.1 < expected.mean() < 0.6
        passed = np.isin(without.event_id, table.event_id)
        assert abs(binomial_pull(passed, expected)) < 4

    def test_a_perfect_detector_loses_nothing(self, make, perfect):
        table, _ = smear_block(make(event(signal(), tag())), perfect, self.REQUIRED, seed=5)
        assert len(table) == 50
