from __future__ import annotations

import dataclasses
import itertools

import numpy as np
import pytest
from decay_trees import TAU_DECAYS, P, boost, make_block

from detector.candidate_table import CANDIDATE_LAYOUT
from detector.candidates import smear_block
from detector.config import CandidateConfig
from detector.cutflow import PAIR_STAGES
from detector.identification import Species, identify_tracks
from detector.pair_combinations import cos_between
from detector.profiles import load_profile
from detector.topology import TauMode
from m2solve.study.config import SolverConfig
from m2solve.study.methods import solve_candidates
from simgen.events import FINAL, concatenate

PAIR = {"kaon": None, "lepton": None, "tau": 15}
TRUE = CandidateConfig(topology=PAIR)
COMBINED = CandidateConfig(
    assignment="combinatorial", efficiency="ignored", identification="ignored", topology=PAIR
)
IDENTIFIED = CandidateConfig(assignment="combinatorial", efficiency="ignored", topology=PAIR)
ANY_ANGLE = {"cuts": {"cos_prongs_max": 1.0}}


def with_settings(config, **settings):
    return CandidateConfig(**config.model_dump() | settings)


@pytest.fixture(scope="module")
def pairs(total):
    """All one-prong decays against all others, three prongs among them."""
    rng = np.random.default_rng(5)
    decays = [TAU_DECAYS[mode]() for mode in (1, 2, 3, 4, 0)]
    decays.append([P(211), P(211), P(-211), P(-16)])
    blocks = []
    for i, (plus, minus) in enumerate(itertools.product(decays, decays)):
        tree = P(10022, [P(-15, plus), P(-15, minus).conjugate()])
        blocks.append(make_block(tree, 100, rng, total=total, first_id=1000 * i))
    return concatenate(blocks)


def shared(table, other):
    _, a, b = np.intersect1d(table.event_id, other.event_id, return_indices=True)
    return a, b


def test_where_all_is_seen_candidates_are_those_of_truth(pairs, belle2):
    """Measured momenta, vertices and beams, but for the rounding of energies."""
    table, _ = smear_block(pairs, belle2, with_settings(COMBINED, **ANY_ANGLE), 1)
    truth, _ = smear_block(pairs, belle2, TRUE, 1)
    assert set(truth.event_id.tolist()) <= set(table.event_id.tolist())
    a, b = shared(table, truth)
    assert len(a) > 500
    names = ["prong", "tag_lepton", "kaon", "lepton", "tag_d", "total", "r_0", "r_sig", "r_tag",
             "true_prong", "true_tag_lepton", "true_parent_sig", "true_parent_tag", "true_k_sig",
             "true_k_tag", "true_r_sig", "true_r_tag", "charge_prong", "charge_tag_lepton",
             "tag_lepton_flavour", "is_signal", "is_tag", "weight"]  # fmt: skip
    for name in names:
        np.testing.assert_allclose(
            getattr(table, name)[a], getattr(truth, name)[b], rtol=1e-9, atol=1e-12, err_msg=name
        )
    pion_alone = {TauMode.OTHER: TauMode.PI, TauMode.RHO: TauMode.PI}  # a pi0 is not looked for
    for name in ("tau_mode", "tag_tau_mode"):
        expected = [pion_alone.get(TauMode(m), m) for m in getattr(truth, name)[b].tolist()]
        assert getattr(table, name)[a].tolist() == expected
    assert np.all(table.true_ids[a][:, :4] == np.stack(
        [np.zeros(len(a)), np.zeros(len(a)), truth.true_ids[b, 2], truth.true_ids[b, 3]], axis=1
    ))  # fmt: skip
    assert np.all(table.true_decay_sig[a, 0] == -15)
    assert np.all(table.true_decay_tag[a, 0] == 15)


def test_prongs_take_their_pi0s(pairs, perfect):
    """Of tau -> pi pi0 nu against anything with at most one pi0 there is no choice."""
    config = {"rho": "pi_pi0"} | ANY_ANGLE
    table, _ = smear_block(pairs, perfect, with_settings(COMBINED, **config), 1)
    truth, _ = smear_block(pairs, perfect, with_settings(TRUE, rho="pi_pi0"), 1)
    a, b = shared(table, truth)
    rhos = (truth.tau_mode[b] == TauMode.RHO, truth.tag_tau_mode[b] == TauMode.RHO)
    others = np.isin(truth.tau_mode[b], (1, 2, 4)) & np.isin(truth.tag_tau_mode[b], (1, 2, 4))
    mass = [np.sqrt(p[:, 3] ** 2 - np.sum(p[:, :3] ** 2, axis=1))
            for p in (truth.prong[b], truth.tag_lepton[b])]  # fmt: skip
    window = np.ones(len(b), dtype=np.bool_)
    for rho, m in zip(rhos, mass, strict=True):
        window &= ~rho | (np.abs(m - 0.77526) < 0.30)
    one = others & window & (rhos[0] ^ rhos[1])
    assert one.sum() > 60
    for name in ("prong", "tag_lepton", "true_prong", "true_tag_lepton"):
        np.testing.assert_allclose(
            getattr(table, name)[a][one], getattr(truth, name)[b][one], atol=1e-6
        )
    np.testing.assert_allclose(table.e_extra[a][one], 0.0, atol=1e-9)
    assert np.all(table.tau_mode[a][one] == truth.tau_mode[b][one])
    assert np.all(table.tag_tau_mode[a][one] == truth.tag_tau_mode[b][one])
    two = others & window & rhos[0] & rhos[1]
    right = (table.tau_mode[a] == 4) & (table.tag_tau_mode[a] == 4)
    assert two.sum() > 12
    assert np.mean(right[two]) > 0.8
    total = table.prong + table.tag_lepton
    wrong_or_right = two & right  # whoever takes which, both are used
    np.testing.assert_allclose(
        total[a][wrong_or_right], (truth.prong + truth.tag_lepton)[b][wrong_or_right], atol=1e-6
    )


def test_events_are_those_of_two_identified_tracks(pairs, belle2):
    """Number, charge and identification of tracks by hand."""
    table, flow = smear_block(pairs, belle2, with_settings(IDENTIFIED, **ANY_ANGLE), 4)
    is_track = np.isin(np.abs(pairs.pdgid), (11, 13, 211)) & (pairs.status == FINAL)
    pt = np.hypot(pairs.p4[:, 0], pairs.p4[:, 1])
    theta = np.degrees(np.arctan2(pt, pairs.p4[:, 2]))
    low, high = belle2.tracks.theta
    is_track &= (pt > belle2.tracks.pt_min) & (theta > low) & (theta < high)
    expected, modes, two, neutral = [], [], 0, 0
    for i in range(len(pairs)):
        a, b = pairs.offsets[i], pairs.offsets[i + 1]
        k = np.flatnonzero(is_track[a:b])
        if len(k) != 2:
            continue
        two += 1
        ids = pairs.pdgid[a + k]
        charge = np.where(np.abs(ids) == 211, np.sign(ids), -np.sign(ids))
        if charge.sum() != 0:
            continue
        neutral += 1
        passes = identify_tracks(
            pairs.p4[a + k], ids, np.full(2, pairs.event_id[i]), k, belle2.identification, 4
        )
        kinds = [
            next((mode for species, mode in ((Species.ELECTRON, 1), (Species.MUON, 2),
                                             (Species.PION, 3)) if row[species]), 0)
            for row in passes
        ]  # fmt: skip
        if all(kinds):
            expected.append(int(pairs.event_id[i]))
            modes.append(kinds if charge[0] > 0 else kinds[::-1])
    assert table.event_id.tolist() == expected
    assert np.stack([table.tau_mode, table.tag_tau_mode], axis=1).tolist() == modes
    assert list(flow.as_dict()) == list(PAIR_STAGES)
    assert list(flow.counts) == [len(pairs), two, neutral, len(table), len(table), len(table)]
    assert 0 < len(table) < neutral < two < len(pairs)


def test_the_angle_between_prongs_is_that_in_the_frame_of_the_beams(pairs, belle2):
    every, _ = smear_block(pairs, belle2, with_settings(IDENTIFIED, **ANY_ANGLE), 4)
    total = belle2.beams.total()
    mass = np.sqrt(total[3] ** 2 - np.sum(total[:3] ** 2))
    back = np.tile(total * np.array([-1, -1, -1, 1.0]), (len(every), 1))
    p, q = (boost(x, back, np.full(len(every), mass)) for x in (every.prong, every.tag_lepton))
    lengths = [np.linalg.norm(x[:, :3], axis=1) for x in (p, q)]
    cosine = np.sum(p[:, :3] * q[:, :3], axis=1) / (lengths[0] * lengths[1])
    found = [cos_between(a, b, total) for a, b in zip(every.prong, every.tag_lepton, strict=True)]
    np.testing.assert_allclose(found, cosine, atol=1e-9)
    for limit in (0.0, -0.9):
        cuts = {"cos_prongs_max": limit, "e_extra_max": 0.3}
        table, flow = smear_block(pairs, belle2, with_settings(IDENTIFIED, cuts=cuts), 4)
        assert flow.as_dict()["angle between prongs"] == np.sum(cosine <= limit)
        kept = (cosine <= limit) & (every.e_extra <= 0.3)
        assert table.event_id.tolist() == every.event_id[kept].tolist()


def test_pairs_that_are_none_have_no_parents(pairs, belle2):
    """The same events with their taus renamed: all measured is the same, truth is not there."""
    table, _ = smear_block(pairs, belle2, IDENTIFIED, 4)
    pdgid = np.where(np.abs(pairs.pdgid) == 15, 9000001, pairs.pdgid).astype(np.int32)
    other, _ = smear_block(dataclasses.replace(pairs, pdgid=pdgid), belle2, IDENTIFIED, 4)
    for name in ("event_id", "prong", "tag_lepton", "e_extra", "tau_mode", "tag_tau_mode"):
        np.testing.assert_array_equal(getattr(table, name), getattr(other, name), err_msg=name)
    assert not np.any(other.is_signal | other.is_tag)
    assert np.all(np.isnan(other.true_parent_sig))
    assert not np.any(other.true_decay_sig)
    config = SolverConfig(variables=("M2sB", "M2s"), m_nunu=("zero",))
    before, after = (solve_candidates(t, config, 1) for t in (table, other))
    np.testing.assert_array_equal(before["M2sB_zero/m_recoil"], after["M2sB_zero/m_recoil"])


def test_a_lost_track_makes_no_true_pair(pairs, belle2):
    """Three prongs of which two are out of the acceptance are candidates, and not true ones."""
    table, _ = smear_block(pairs, belle2, IDENTIFIED, 4)
    one_prong = np.zeros(len(table), dtype=np.bool_)
    for i, event in enumerate(table.event_id // 1000):
        one_prong[i] = event // 6 < 5 and event % 6 < 5
    assert np.all((table.is_signal & table.is_tag) == one_prong)
    assert np.sum(~one_prong) > 3


def test_an_event_does_not_depend_on_those_beside_it(pairs, belle2):
    config = with_settings(IDENTIFIED, prefilter="tracks", efficiency="applied")
    table, flow = smear_block(pairs, belle2, config, 4)
    half = len(pairs) // 2 + 7
    parts = [smear_block(pairs.select(*x), belle2, config, 4)
             for x in ((0, half), (half, len(pairs)))]  # fmt: skip
    assert parts[0][1] + parts[1][1] == flow
    assert flow.stages[1] == "enough charged particles"
    for name in CANDIDATE_LAYOUT:
        both = np.concatenate([getattr(part[0], name) for part in parts])
        np.testing.assert_array_equal(both, getattr(table, name), err_msg=name)


def test_vertices_are_fitted_from_the_prongs(pairs):
    profile = load_profile({"derive": "belle2", "vertices": {"method": "fit"}})
    config = with_settings(COMBINED, **ANY_ANGLE)
    table, _ = smear_block(pairs, profile, config, 1)
    truth, _ = smear_block(pairs, profile, TRUE, 1)
    a, b = shared(table, truth)
    assert len(a) > 500
    for name in ("r_sig", "r_tag", "r_sig_sigma", "r_tag_sigma", "r_tag_correlation"):
        np.testing.assert_array_equal(getattr(table, name)[a], getattr(truth, name)[b], name)
