from __future__ import annotations

import dataclasses
import itertools
from pathlib import Path

import decay_trees
import numpy as np
import pytest
from decay_trees import P, d0, event, make_block, mass2, pi0, signal, tag

from detector.candidate_table import CANDIDATE_LAYOUT
from detector.candidates import smear_block
from detector.combinatorial import combine_block
from detector.config import CandidateConfig
from detector.cutflow import COMBINATORIAL_STAGES
from detector.efficiency import find_particles
from detector.identification import Species, identify_tracks
from detector.profiles import load_profile
from detector.topology import TauMode
from m2solve.study.config import SolverConfig
from m2solve.study.methods import solve_candidates
from simgen.beams import load_beams
from simgen.config import validate
from simgen.errors import ConfigError
from simgen.events import FINAL, concatenate
from simgen.generators.base import check_settings, make_generator
from simgen.particles import particle_table

COMBINATIONS = CandidateConfig(
    assignment="combinatorial", efficiency="ignored", identification="ignored"
)
IDENTIFIED = CandidateConfig(assignment="combinatorial", efficiency="ignored")
REALISTIC = CandidateConfig(assignment="combinatorial")
LEVEL = {name: i for i, name in enumerate(COMBINATORIAL_STAGES)}


def replace(block, **columns):
    return dataclasses.replace(block, **columns)


def rows(table, other):
    """Rows of both tables of the events they share."""
    _, a, b = np.intersect1d(table.event_id, other.event_id, return_indices=True)
    return a, b


def assert_same(table, other, names=CANDIDATE_LAYOUT):
    for name in names:
        np.testing.assert_array_equal(getattr(table, name), getattr(other, name), err_msg=name)


@pytest.fixture(scope="module")
def mixed(total):
    """Events of many kinds: signal, wrong charges, other tracks, no kaon, no lepton."""
    rng = np.random.default_rng(11)
    k3pi = P(421, [P(-321), P(211), P(-211), P(211)])
    b_minus = {
        "K3pi": P(-521, [P(423, [k3pi, pi0()]), P(11), P(-12)]),
        "D pi": P(-521, [d0(), P(-211)]),
        "D pi pi pi": P(-521, [d0(), P(-211), P(211), P(-211)]),
        "D mu": tag("D -> K pi pi0"),
        "D* e": tag("D* -> D gamma", lepton=11),
    }
    b_plus = {
        "signal": signal(2),
        "same sign": signal(1, tau_sign=-1),
        "D K": P(521, [d0().conjugate(), P(321), P(-211), P(211)]),
        "D mu": P(521, [d0().conjugate(), P(-13), P(14)]),
        "K pi pi": P(521, [P(321), P(211), P(-211)]),
    }
    return concatenate(
        [
            make_block(event(plus, minus), 120, rng, total=total, first_id=1000 * i)
            for i, (plus, minus) in enumerate(itertools.product(b_plus.values(), b_minus.values()))
        ]
    )


@pytest.mark.parametrize("sign", [1, -1], ids=["opposite sign", "same sign"])
def test_a_known_event_is_read_as_what_it_is(make, perfect, sign):
    tree = event(signal(3, tau_sign=sign), tag("D* -> D pi0", lepton=11))
    block = make(tree, 200)
    table, _ = smear_block(block, perfect, COMBINATIONS, 1)
    truth, _ = smear_block(block, perfect, CandidateConfig(), 1)
    whole = table.tag_meson == 2
    assert len(table) > 150
    assert whole.mean() > 0.95  # else a photon is outside the acceptance
    assert np.all(table.is_signal == 1)
    assert np.all(table.is_tag == 1)
    assert np.all(table.tau_mode == TauMode.PI)
    assert np.all(table.tag_mode == 1)
    assert np.all(table.tag_lepton_flavour == 11)
    charges = [
        table.charge_kaon, table.charge_lepton, table.charge_prong, table.charge_tag_lepton
    ]  # fmt: skip
    assert np.all(np.stack(charges, axis=1) == [1, -sign, sign, -1])
    assert np.all(table.true_ids == [321, 13 * sign, 211 * sign, 11, -321, 211, 0, 0, 0])
    assert np.all(table.true_origins == [521, 521, -15 * sign, -521, 421, 421, 0, 0, 0])
    sides = table.true_decay_sig[:, :5], table.true_decay_tag[:, :9]
    assert np.all(sides[0] == [521, 321, -15 * sign, 13 * sign, 0])
    assert np.all(table.true_decay_sig[:, 5:9] == [-15 * sign, 211 * sign, -16 * sign, 0])
    assert np.all(sides[1] == [-521, 423, -12, 11, 0, 421, -321, 211, 0])
    assert np.all(table.true_recoil == -15 * sign)
    np.testing.assert_allclose(table.m_d, 1.86484, atol=1e-6)
    np.testing.assert_allclose(table.delta_m[whole], 2.00685 - 1.86484, atol=1e-6)
    np.testing.assert_allclose(table.e_extra[whole], 0.0, atol=1e-12)
    a, b = rows(table, truth)
    a, b = a[whole[a]], b[whole[a]]
    assert_equal_momenta(table, truth, a, b, 1e-6)


def assert_equal_momenta(table, truth, a, b, tolerance):
    names = ("kaon", "lepton", "prong", "tag_d", "tag_lepton", "r_0", "r_sig", "r_tag",
             "true_kaon", "true_prong", "true_parent_sig", "true_parent_tag", "true_k_sig",
             "true_k_tag", "true_r_sig", "true_r_tag", "hadronic_tag")  # fmt: skip
    for name in names:
        np.testing.assert_allclose(
            getattr(table, name)[a], getattr(truth, name)[b], atol=tolerance, err_msg=name
        )


def test_where_the_assignment_is_the_true_one_the_same_is_measured(channels, belle2):
    block, _ = channels
    table, _ = smear_block(block, belle2, COMBINATIONS, 1)
    truth, _ = smear_block(block, belle2, CandidateConfig(), 1)
    a, b = rows(table, truth)
    true = (table.is_signal[a] == 1) & (table.is_tag[a] == 1)
    same = true & (table.tag_meson[a] == truth.tag_meson[b])
    assert same.sum() > 1000
    assert_equal_momenta(table, truth, a[same], b[same], 1e-12)
    hadronic = np.isin(truth.tau_mode[b], (0, 3, 4))
    assert np.all(
        table.tau_mode[a] == np.where(hadronic, TauMode.PI, truth.tau_mode[b]), where=same
    )


def test_signal_is_found_and_mostly_as_it_truly_is(channels, belle2):
    """Closure: what the paper assumes, a known assignment, holds for most events."""
    block, kinds = channels
    table, flow = smear_block(block, belle2, COMBINATIONS, 1)
    truth, _ = smear_block(block, belle2, CandidateConfig(), 1)
    charged = kinds[:, 1] != 4  # D*+ is the tag of a B0; these charges do not add up
    possible = np.isin(truth.event_id, block.event_id[charged])
    found = np.isin(truth.event_id[possible], table.event_id)
    assert found.mean() > 0.97
    a, b = rows(table, truth)
    for mode, least in {1: 0.80, 2: 0.55, 3: 0.80}.items():  # three muons are hard to tell apart
        chosen = truth.tau_mode[b] == mode
        right = (table.is_signal[a] == 1) & (table.is_tag[a] == 1)
        assert right[chosen].mean() > least, mode
    assert flow.as_dict()["E_extra"] == len(table)


def test_rho_is_made_with_its_pi0_if_asked(make, belle2):
    config = COMBINATIONS.model_copy(update={"rho": "pi_pi0"})
    block = make(event(signal(4), tag("D", lepton=11)), 300)
    table, _ = smear_block(block, belle2, config, 1)
    truth, _ = smear_block(block, belle2, CandidateConfig(rho="pi_pi0"), 1)
    a, b = rows(table, truth)
    rho = table.tau_mode[a] == TauMode.RHO
    assert rho.mean() > 0.3  # mass windows around the rho; the hand-made decay is not one
    same = np.abs(table.prong[a] - truth.prong[b]).max(axis=1) < 1e-9
    assert same[rho].mean() > 0.95
    assert np.all(table.e_extra[a][rho & same] < 1e-9)


def test_cos_theta_by_is_the_true_cosine_where_one_neutrino_is_lost(make, perfect, monkeypatch):
    monkeypatch.setitem(decay_trees.MASS, 521, particle_table().by_name("B+").mass)
    block = make(event(signal(3), tag("D", lepton=11)), 100, spread=0.0)
    table, _ = smear_block(block, perfect, COMBINATIONS, 1)
    total, y, b = table.total, table.visible_tag, table.true_parent_tag

    def in_frame(p):
        m = np.sqrt(mass2(total))
        dot = total[:, 3] * p[:, 3] - np.sum(total[:, :3] * p[:, :3], axis=1)
        shift = (p[:, 3] + dot / m) / (total[:, 3] + m)
        return p[:, :3] - shift[:, None] * total[:, :3]

    y, b = in_frame(y), in_frame(b)
    cosine = np.sum(y * b, axis=1) / np.linalg.norm(y, axis=1) / np.linalg.norm(b, axis=1)
    np.testing.assert_allclose(table.cos_theta_by, cosine, atol=1e-5)


def test_charge_conjugation_changes_charges_and_nothing_else(mixed, belle2):
    table, flow = smear_block(mixed, belle2, IDENTIFIED, 4)
    neutral = np.isin(np.abs(mixed.pdgid), (22, 111, 300553))
    conjugate = replace(mixed, pdgid=np.where(neutral, mixed.pdgid, -mixed.pdgid).astype(np.int32))
    other, other_flow = smear_block(conjugate, belle2, IDENTIFIED, 4)
    assert len(table) > 100
    assert flow == other_flow
    odd = {"charge_kaon", "charge_lepton", "charge_prong", "charge_tag_lepton", "true_ids",
           "true_origins", "true_recoil"}  # fmt: skip
    assert_same(table, other, CANDIDATE_LAYOUT.keys() - odd - {"true_decay_sig", "true_decay_tag"})
    for name in odd:
        np.testing.assert_array_equal(getattr(table, name), -getattr(other, name), err_msg=name)


def accepted_tracks(block, profile):
    """(N,) whether a particle is a track in the acceptance, written without kernels."""
    is_track = np.isin(np.abs(block.pdgid), (11, 13, 211, 321, 2212)) & (block.status == FINAL)
    pt = np.hypot(block.p4[:, 0], block.p4[:, 1])
    theta = np.degrees(np.arctan2(pt, block.p4[:, 2]))
    low, high = profile.tracks.theta
    return is_track & (pt > profile.tracks.pt_min) & (theta > low) & (theta < high)


def track_charges(pdgid):
    return np.where(np.isin(np.abs(pdgid), (11, 13)), -np.sign(pdgid), np.sign(pdgid))


@pytest.mark.parametrize("config", [IDENTIFIED, REALISTIC], ids=["all found", "efficiency"])
def test_events_given_up_early_are_never_candidates(mixed, belle2, config):
    """The early requirement counts the tracks of which every candidate uses all."""
    passed = accepted_tracks(mixed, belle2)
    if config is REALISTIC:
        start = mixed.offsets[:-1][mixed.event_index]
        place = np.arange(mixed.n_particles) - start
        event_id = mixed.event_id[mixed.event_index]
        passed &= find_particles(
            mixed.p4, mixed.pdgid, np.zeros(len(place)), event_id, place, belle2, 4
        )
    number = np.add.reduceat(passed, mixed.offsets[:-1])
    charge = np.add.reduceat(np.where(passed, track_charges(mixed.pdgid), 0), mixed.offsets[:-1])
    hopeful = np.isin(number, (6, 8)) & (charge == 0)
    found = combine_block(mixed, belle2, config, 4)
    assert np.array_equal(found.passed >= LEVEL["total charge zero"], hopeful)
    candidates = found.passed == LEVEL["E_extra"]
    photons = np.isin(np.arange(found.part.shape[1]), (3, 4, 10, 11, 13, 14))
    used = np.sum(found.part[:, ~photons] >= 0, axis=1)
    assert np.array_equal(used[candidates], number[candidates])

    table, _ = smear_block(mixed, belle2, config, 4)
    kept = concatenate([mixed.select(i, i + 1) for i in np.flatnonzero(hopeful)])
    assert 0 < len(table) < len(kept) < len(mixed)
    assert_same(smear_block(kept, belle2, config, 4)[0], table)


def test_an_event_does_not_depend_on_those_beside_it(mixed, belle2):
    table, flow = smear_block(mixed, belle2, IDENTIFIED, 4)
    half = len(mixed) // 2 + 7
    first, flow_1 = smear_block(mixed.select(0, half), belle2, IDENTIFIED, 4)
    second, flow_2 = smear_block(mixed.select(half, len(mixed)), belle2, IDENTIFIED, 4)
    assert flow_1 + flow_2 == flow
    for name in CANDIDATE_LAYOUT:
        both = np.concatenate([getattr(first, name), getattr(second, name)])
        np.testing.assert_array_equal(both, getattr(table, name), err_msg=name)


def test_cut_flow_falls_and_ends_at_the_candidates(mixed, belle2):
    cuts = {"e_extra_max": 0.5, "kaon_opposite_mass_min": 1.0, "cos_theta_by": (-1.0, 1.0)}
    tight = IDENTIFIED.model_copy(update={"cuts": type(IDENTIFIED.cuts)(**cuts)})
    table, flow = smear_block(mixed, belle2, tight, 4)
    loose, loose_flow = smear_block(mixed, belle2, IDENTIFIED, 4)
    assert list(flow.as_dict()) == list(COMBINATORIAL_STAGES)
    counts = list(flow.as_dict().values())
    assert counts == sorted(counts, reverse=True)
    assert counts[0] == len(mixed)
    assert counts[-1] == len(table) < len(loose)
    assert counts[:5] == list(loose_flow.counts)[:5]
    assert np.all(table.e_extra <= 0.5)
    assert np.all(np.abs(table.cos_theta_by) < 1.0)
    opposite = np.where(
        (table.charge_lepton != table.charge_kaon)[:, None], table.lepton, table.prong
    )
    assert np.all(mass2(table.kaon + opposite) >= 1.0)


def test_identification_agrees_with_all_permutations(mixed, belle2):
    """Which events have a reading that passes charges and identification, by brute force."""
    found = combine_block(mixed, belle2, IDENTIFIED, 4)
    tracks = accepted_tracks(mixed, belle2)
    chosen = np.flatnonzero(found.passed >= LEVEL["total charge zero"])
    chosen = chosen[np.diff(mixed.offsets)[chosen] < 40][::3]
    expected = []
    for i in chosen:
        a, b = mixed.offsets[i], mixed.offsets[i + 1]
        k = np.flatnonzero(tracks[a:b])
        passes = identify_tracks(
            mixed.p4[a + k], mixed.pdgid[a + k], np.full(len(k), mixed.event_id[i]), k,
            belle2.identification, 4,
        )  # fmt: skip
        expected.append(has_reading(passes, track_charges(mixed.pdgid[a + k])))
    assert 0.1 < np.mean(expected) < 0.9
    assert np.array_equal(found.passed[chosen] >= LEVEL["tracks identified"], expected)


def has_reading(passes, charge):
    e, mu, pi, kaon = (passes[:, s] for s in
                       (Species.ELECTRON, Species.MUON, Species.PION, Species.KAON))  # fmt: skip
    for t, kd, ks, sl, pr in itertools.permutations(range(len(charge)), 5):
        if not (e[t] or mu[t]) or not kaon[kd] or not kaon[ks] or not mu[sl]:
            continue
        if charge[kd] != charge[t] or charge[ks] == charge[t] or charge[pr] == charge[sl]:
            continue
        rest = [j for j in range(len(charge)) if j not in (t, kd, ks, sl, pr)]
        if (e[pr] or mu[pr] or pi[pr]) and all(pi[j] for j in rest):
            return True
    return False


def test_events_without_a_b_are_reconstructed_and_solved(channels, belle2):
    """The same events with their B renamed: nothing measured changes, truth is not there."""
    block, _ = channels
    table, _ = smear_block(block, belle2, IDENTIFIED, 1)
    pdgid = np.where(np.abs(block.pdgid) == 521, 9000001, block.pdgid).astype(np.int32)
    other, _ = smear_block(replace(block, pdgid=pdgid), belle2, IDENTIFIED, 1)
    assert_same(table, other, ("event_id", "kaon", "tag_d", "m_d", "e_extra", "tau_mode", "r_sig"))
    assert not np.any(other.is_signal)
    assert not np.any(other.is_tag)
    of_no_b = np.abs(other.true_decay_tag[:, 0])
    assert set(of_no_b.tolist()) <= {0, 15, 413, 421, 423}
    assert np.mean(of_no_b > 100) > 0.95
    assert not np.any(other.true_recoil)
    assert np.all(np.isnan(other.true_parent_sig))
    assert np.all(np.isnan(other.true_k_tag))
    config = SolverConfig(variables=("M2sB", "random", "truth"), m_nunu=("m_hat",))
    before, after = (solve_candidates(t, config, 1) for t in (table, other))
    np.testing.assert_array_equal(before["M2sB_m_hat/m_recoil"], after["M2sB_m_hat/m_recoil"])
    np.testing.assert_array_equal(before["random/m_recoil"], after["random/m_recoil"])
    assert np.all(np.isnan(after["truth/m_recoil"]))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"cuts": {"d_mass": 0.01}}, "set assignment: combinatorial"),
        ({"assignment": "combinatorial", "cuts": {"pi0_mass": [0.2, 0.1]}}, "with min < max"),
        ({"assignment": "combinatorial", "cuts": {"d_mas": 0.1}}, "Did you mean 'd_mass'"),
        ({"assignment": "all"}, "'truth' or 'combinatorial'"),
    ],
)
def test_settings_that_cannot_be_are_refused(settings, message):
    with pytest.raises(ConfigError, match=message):
        validate(CandidateConfig, settings, "candidates")


def test_combinatorial_candidates_are_identified_unless_the_user_says_no():
    assert (REALISTIC.efficiency, REALISTIC.identification) == ("applied", "required")
    assert COMBINATIONS.identification == "ignored"
    assert CandidateConfig().identification == "ignored"


class TestPrefilter:
    """Skipping events by their charged particles changes no candidate."""

    @pytest.fixture(scope="class")
    @staticmethod
    def light():
        """Return 6000 events e+e- -> uds by Pythia."""
        data = {"name": "pythia8", "process": "uds"}
        generator = make_generator(check_settings(data, "t"), load_beams("belle2"), Path())
        return generator.generate(np.arange(6000), 3)

    @pytest.mark.parametrize("profile", ["belle", "belle2"])
    @pytest.mark.parametrize("topology", [{}, {"kaon": None}], ids=["K tau mu", "tau mu"])
    @pytest.mark.parametrize("settings", [REALISTIC, COMBINATIONS], ids=["realistic", "ideal"])
    def test_candidates_are_the_same(self, mixed, light, profile, topology, settings):
        config = settings.model_dump() | {"topology": topology}
        plain, filtered = (
            validate(CandidateConfig, {**config, "prefilter": how}, "t")
            for how in ("nothing", "tracks")
        )
        for block in (mixed, light):
            table, flow = smear_block(block, load_profile(profile), plain, 5)
            other, other_flow = smear_block(block, load_profile(profile), filtered, 5)
            assert_same(table, other)
            counts = other_flow.as_dict()
            assert counts.pop("enough charged particles") < counts["events"]
            assert counts == flow.as_dict()
            number = len(table) + (1000 if topology or block is light else 0)
            assert number > 50  # of the events that are made to be candidates

    def test_it_skips_what_has_too_few(self, light):
        """K tau mu and D0 -> K pi with a lepton are six tracks."""
        config = CandidateConfig(assignment="combinatorial", prefilter="tracks")
        found = combine_block(light, load_profile("belle2"), config, 5)
        tracks = load_profile("belle2").tracks
        pt = np.hypot(light.p4[:, 0], light.p4[:, 1])
        angle = np.degrees(np.arctan2(pt, light.p4[:, 2]))
        low, high = tracks.theta
        seen = np.isin(np.abs(light.pdgid), (11, 13, 211, 321, 2212))
        seen &= (pt > tracks.pt_min) & (angle > low) & (angle < high)
        number = np.bincount(light.event_index[seen], minlength=len(light))
        np.testing.assert_array_equal(found.skipped, number < 6)
        assert 0.2 < found.skipped.mean() < 0.4

    def test_it_is_for_combinations(self):
        with pytest.raises(ConfigError, match="prefilter is for combinatorial candidates"):
            validate(CandidateConfig, {"prefilter": "tracks"}, "t")
