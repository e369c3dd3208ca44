"""From true events to candidates, all the way."""

from __future__ import annotations

from dataclasses import fields, replace

import awkward as ak
import numpy as np
import pytest
import vector
from closure import assert_uncorrelated, mass2
from decay_trees import P, event, pi0, signal, tag

from detector.candidate_table import CANDIDATE_LAYOUT, CandidateTable
from detector.candidates import smear_block
from detector.config import CandidateConfig, SignalTopology
from detector.photons import curve_model, resolution_at, smear_photons
from detector.pi0 import constrain_pi0
from detector.profiles import load_profile
from simgen.events import concatenate

DEFAULT = CandidateConfig()
PAIRS = ["kaon", "lepton", "prong", "tag_d", "tag_lepton", "total", "r_0", "r_sig", "r_tag"]
ALL_CONFIGS = [
    CandidateConfig(rho=rho, dstar=dstar)
    for rho in ("pi", "pi_pi0")
    for dstar in ("full", "d_only")
]


@pytest.fixture(scope="module")
def belle2_candidates(channels, belle2):
    return smear_block(channels[0], belle2, DEFAULT, seed=5)


def assert_same(a, b, names=tuple(CANDIDATE_LAYOUT)):
    for name in names:
        np.testing.assert_array_equal(getattr(a, name), getattr(b, name), err_msg=name)


class TestPerfectDetector:
    @pytest.mark.parametrize("config", ALL_CONFIGS, ids=str)
    def test_reconstructed_is_true(self, sharp_channels, perfect, config):
        table, flow = smear_block(sharp_channels[0], perfect, config, seed=5)
        assert len(table) == len(sharp_channels[0]) == flow.counts[-1]
        for name in PAIRS:
            measured, true = getattr(table, name), getattr(table, f"true_{name}")
            np.testing.assert_allclose(measured, true, rtol=0, atol=1e-12, err_msg=name)
        np.testing.assert_allclose(table.hadronic_tag, table.true_parent_tag, rtol=0, atol=1e-12)
        np.testing.assert_allclose(table.missing, table.true_missing, rtol=0, atol=1e-11)
        np.testing.assert_array_equal(table.flight_sig, table.true_flight_sig)
        np.testing.assert_array_equal(table.flight_tag, table.true_flight_tag)


class TestTruth:
    @pytest.mark.parametrize("config", ALL_CONFIGS, ids=str)
    def test_momentum_is_conserved(self, channels, perfect, config):
        table, _ = smear_block(channels[0], perfect, config, seed=5)
        sides = table.true_parent_sig + table.true_parent_tag
        np.testing.assert_allclose(sides, table.true_total, atol=1e-12)
        invisible = table.true_k_sig + table.true_k_tag
        np.testing.assert_allclose(invisible, table.true_missing, atol=1e-12)

    def test_what_is_not_reconstructed_is_invisible(self, channels, perfect):
        masses = {}
        for config in ALL_CONFIGS:
            table, _ = smear_block(channels[0], perfect, config, seed=5)
            rho, dstar = table.tau_mode == 4, table.tag_meson > 1
            k_sig, k_tag = mass2(table.true_k_sig), mass2(table.true_k_tag)
            np.testing.assert_allclose(k_sig[table.tau_mode == 3], 0.0, atol=1e-11)
            np.testing.assert_allclose(k_tag[~dstar], 0.0, atol=1e-11)
            masses[config.rho, config.dstar] = np.abs(k_sig[rho]).max(), np.abs(k_tag[dstar]).max()
        assert max(masses["pi_pi0", "full"]) < 1e-11
        assert masses["pi", "full"][0] > 0.1
        assert masses["pi_pi0", "d_only"][1] > 0.1

    def test_parents_are_b_mesons_and_tag_systems_charmed_mesons(self, channels, perfect):
        table, _ = smear_block(channels[0], perfect, DEFAULT, seed=5)
        for parent in (table.true_parent_sig, table.true_parent_tag):
            np.testing.assert_allclose(np.sqrt(mass2(parent)), 5.27934, rtol=1e-12)
        mass = np.sqrt(mass2(table.true_tag_d))
        for meson, expected in ((1, 1.86484), (2, 2.00685), (3, 2.00685), (4, 2.01026)):
            np.testing.assert_allclose(mass[table.tag_meson == meson], expected, rtol=1e-10)

    def test_flights_point_along_the_parents(self, channels, perfect):
        table, _ = smear_block(channels[0], perfect, DEFAULT, seed=5)
        for flight, parent in (
            (table.true_flight_sig, table.true_parent_sig),
            (table.true_flight_tag, table.true_parent_tag),
        ):
            cross = np.cross(flight, parent[:, :3])
            np.testing.assert_allclose(cross, 0.0, atol=1e-12)
            c_tau = np.linalg.norm(flight, axis=1) / np.linalg.norm(parent[:, :3], axis=1) * 5.27934
            assert np.mean(c_tau) == pytest.approx(0.491, abs=4 * 0.491 / np.sqrt(len(table)))

    def test_event_columns_are_those_of_the_block(self, channels, perfect):
        block, truth = channels
        table, _ = smear_block(block, perfect, DEFAULT, seed=5)
        np.testing.assert_array_equal(table.event_id, block.event_id)
        np.testing.assert_array_equal(table.weight, block.weight)
        np.testing.assert_array_equal(table.true_total, block.beam)
        np.testing.assert_array_equal(table.true_r_0, block.vertex)
        np.testing.assert_array_equal(table.tau_mode, truth[:, 0])
        np.testing.assert_array_equal(table.tag_meson, truth[:, 1])
        np.testing.assert_array_equal(table.tag_lepton_flavour, truth[:, 2])
        np.testing.assert_array_equal(table.leptonic, (truth[:, 0] == 1) | (truth[:, 0] == 2))
        assert np.all(table.is_signal == 1)

    @pytest.mark.parametrize("conjugate", [False, True])
    @pytest.mark.parametrize("tau_sign", [1, -1])
    def test_charges_keep_the_sign_combinations_apart(self, make, perfect, tau_sign, conjugate):
        sides = [signal(tau_sign=tau_sign), tag()]
        if conjugate:
            sides = [side.conjugate() for side in sides]
        table, _ = smear_block(make(event(*sides)), perfect, DEFAULT, seed=5)
        b = -1 if conjugate else 1
        assert set(table.charge_kaon.tolist()) == {b}
        assert set(table.charge_lepton.tolist()) == {-tau_sign * b}
        assert set(table.charge_tag_lepton.tolist()) == {-b}

    def test_without_a_kaon_it_is_zero(self, make, perfect):
        config = CandidateConfig(topology=SignalTopology(kaon=None))
        table, _ = smear_block(make(event(signal(kaon=None), tag())), perfect, config, seed=5)
        assert len(table) == 50
        assert np.all(table.charge_kaon == 0)
        assert np.all(table.kaon == 0)
        np.testing.assert_allclose(table.p_kl, table.true_lepton, atol=1e-12)

    def test_decay_vertices_are_those_of_the_parents_also_with_copies(self, make, perfect):
        muon = P(13, [P(13, [P(13)])])
        side = signal()
        side.daughters[-1] = muon
        block = make(event(side, tag()))
        table, _ = smear_block(block, perfect, DEFAULT, seed=5)
        first_daughter = block.offsets[:-1] + 2
        np.testing.assert_array_equal(table.true_r_sig, block.production[first_daughter, :3])


class TestSmearing:
    def test_uncertainties_are_those_of_the_profile(self, belle2_candidates, belle2):
        table, _ = belle2_candidates
        for name in ("r_0", "r_sig", "r_tag"):
            sigma = np.array(getattr(belle2.vertices, name).as_tuple())
            assert np.all(getattr(table, f"{name}_sigma") == sigma)
            pull = (getattr(table, name) - getattr(table, f"true_{name}")) / sigma
            assert np.std(pull) == pytest.approx(1.0, abs=4 / np.sqrt(2 * pull.size))

    def test_the_analyst_knows_the_mean_of_the_beams(self, belle2_candidates, belle2):
        table, _ = belle2_candidates
        assert np.all(table.total == belle2.beams.total())
        assert np.std(table.true_total[:, 3]) > 0.001

    def test_constrained_pions_are_in_the_prong(self, make, belle2):
        config = CandidateConfig(rho="pi_pi0")
        table, _ = smear_block(make(event(signal(4), tag()), n=2000), belle2, config, seed=5)
        pi_only, _ = smear_block(make(event(signal(4), tag()), n=2000), belle2, DEFAULT, seed=5)
        in_both = np.isin(pi_only.event_id, table.event_id)
        pion = table.prong - pi_only.prong[in_both]
        np.testing.assert_allclose(np.sqrt(mass2(pion)), 0.1349768, rtol=1e-6)
        true_pion = table.true_prong - pi_only.true_prong[in_both]
        spread = np.std(pion[:, 3] / true_pion[:, 3])
        assert 0.01 < spread < 0.06

    def test_a_pi0_is_fitted_from_its_two_smeared_photons(self, make, belle2):
        block = make(event(signal(), tag("D* -> D pi0")), n=200)
        full, _ = smear_block(block, belle2, DEFAULT, seed=5)
        alone, _ = smear_block(block, belle2, CandidateConfig(dstar="d_only"), seed=5)
        d = alone.tag_d[np.isin(alone.event_id, full.event_id)]
        places = np.flatnonzero(block.pdgid[: block.offsets[1]] == 22)
        rows = block.offsets[full.event_id, None] + places
        curve = curve_model(belle2.photons.energy)
        photons, sigmas = [], []
        for i, place in enumerate(places):
            index = np.full(len(full), place)
            p4 = smear_photons(block.p4[rows[:, i]], full.event_id, index, belle2.photons, seed=5)
            photons.append(p4)
            sigmas.append([e * resolution_at(curve, e, 1.0) for e in p4[:, 3]])
        expected = np.empty((len(full), 4))
        for i, out in enumerate(expected):
            pair = (photons[0][i], sigmas[0][i], photons[1][i], sigmas[1][i])
            constrain_pi0(*pair, belle2.pi0.mass, out)
        np.testing.assert_allclose(full.tag_d - d, expected, rtol=0, atol=1e-12)

    def test_objects_and_vertices_have_independent_errors(self, make, belle2):
        table, _ = smear_block(make(event(signal(), tag()), n=5000), belle2, DEFAULT, seed=5)
        errors = [table.hadronic_tag - table.true_parent_tag]
        for name in ("kaon", "lepton", "prong", "tag_d", "tag_lepton", "r_0", "r_sig", "r_tag"):
            errors.append(getattr(table, name) - getattr(table, f"true_{name}"))
        assert_uncorrelated(*(e[:, 0] for e in errors))

    def test_nothing_is_unsmeared_and_nothing_is_wild(self, belle2_candidates):
        table, _ = belle2_candidates
        for name in ("kaon", "lepton", "prong", "tag_lepton"):
            true = getattr(table, f"true_{name}")
            change = np.linalg.norm(getattr(table, name) - true, axis=1) / true[:, 3]
            assert np.all(change > 0)
            assert 0.001 < np.median(change) < 0.01


class TestScans:
    """The same deviates at every point of a scan."""

    @pytest.mark.parametrize(
        ("overrides", "touched"),
        [
            ({"vertices": {"r_0": 1.0}}, {"r_0", "r_0_sigma"}),
            ({"vertices": {"r_sig": 1.0}}, {"r_sig", "r_sig_sigma"}),
            ({"hadronic_tag": {"momentum": 0.1}}, {"hadronic_tag"}),
            ({"photons": {"energy": {"constant": 0.05}}}, {"tag_d"}),
            (
                {"tracks": {"momentum": {"curvature": 0.01}}},
                {"kaon", "lepton", "prong", "tag_d", "tag_lepton"},
            ),
        ],
    )
    def test_a_setting_moves_only_what_it_describes(
        self, channels, belle2_candidates, overrides, touched
    ):
        changed, _ = smear_block(channels[0], load_profile("belle2", overrides), DEFAULT, seed=5)
        table, _ = belle2_candidates
        assert_same(changed, table, set(CANDIDATE_LAYOUT) - touched)
        for name in touched:
            assert np.any(getattr(changed, name) != getattr(table, name))

    def test_leaving_a_particle_out_does_not_move_the_others(self, channels, belle2_candidates):
        config = CandidateConfig(dstar="d_only")
        changed, _ = smear_block(channels[0], load_profile("belle2"), config, seed=5)
        table, _ = belle2_candidates
        both = np.isin(changed.event_id, table.event_id)
        for name in ("kaon", "lepton", "prong", "tag_lepton", "r_0"):
            np.testing.assert_array_equal(getattr(changed, name)[both], getattr(table, name))
        same = both & (changed.tag_meson == 1)
        np.testing.assert_array_equal(changed.tag_d[same], table.tag_d[table.tag_meson == 1])

    def test_resolutions_do_not_change_who_is_a_candidate(self, channels, belle2_candidates):
        awful = load_profile("belle2", {"photons": {"energy": {"constant": 0.5}}})
        _, flow = smear_block(channels[0], awful, DEFAULT, seed=5)
        assert flow == belle2_candidates[1]


class TestBlocks:
    def test_a_part_of_the_events_gives_the_same_rows(self, channels, belle2, belle2_candidates):
        block, _ = channels
        table, flow = belle2_candidates
        pieces = [
            smear_block(block.select(a, b), belle2, DEFAULT, seed=5)
            for a, b in ((0, 1), (1, 1234), (1234, 1234), (1234, 5000))
        ]
        for name in CANDIDATE_LAYOUT:
            joined = np.concatenate([getattr(t, name) for t, _ in pieces])
            np.testing.assert_array_equal(joined, getattr(table, name), err_msg=name)
        assert sum((f for _, f in pieces[1:]), pieces[0][1]) == flow

    def test_seeds_and_events_differ(self, channels, belle2, belle2_candidates):
        other, _ = smear_block(channels[0], belle2, DEFAULT, seed=6)
        table, _ = belle2_candidates
        assert np.all(other.r_0 != table.r_0)
        moved = replace(channels[0], event_id=channels[0].event_id + 1)
        other, _ = smear_block(moved, belle2, DEFAULT, seed=5)
        assert np.all(other.kaon != table.kaon)

    def test_events_of_any_kind_in_one_block(self, make, perfect):
        block = concatenate(
            [
                make(event(signal(), tag()), n=5),
                make(P(300553, [P(211), P(-211)]), n=4, first_id=5),
                make(event(signal(), P(-521, [pi0(), P(-211)])), n=3, first_id=9),
                make(event(P(521, [P(321), pi0()]), tag()), n=2, first_id=12),
                make(event(signal(4), tag("D* -> D gamma")), n=1, first_id=14),
            ]
        )
        table, flow = smear_block(block, perfect, DEFAULT, seed=5)
        assert table.event_id.tolist() == [0, 1, 2, 3, 4, 14]
        assert flow.counts == (15, 9, 9, 6, 6, 6, 6, 6, 6)

    def test_no_events(self, make, belle2):
        empty = make(event(signal(), tag())).select(0, 0)
        table, flow = smear_block(empty, belle2, DEFAULT, seed=5)
        assert len(table) == 0
        assert table.kaon.shape == (0, 4)
        assert flow.counts[0] == 0


class TestAcceptance:
    def test_every_accepted_track_is_inside_and_every_rejected_event_has_one_outside(
        self, make, belle2
    ):
        block = make(event(signal(), tag()), n=500)
        table, flow = smear_block(block, belle2, DEFAULT, seed=5)
        pt = np.hypot(block.p4[:, 0], block.p4[:, 1])
        theta = np.degrees(np.arctan2(pt, block.p4[:, 2]))
        charged = (block.status == 1) & np.isin(np.abs(block.pdgid), [11, 13, 211, 321])
        inside = (theta > 17) & (theta < 150) & (pt > 0.05)
        outside_per_event = np.add.reduceat(charged & ~inside, block.offsets[:-1])
        np.testing.assert_array_equal(table.event_id, block.event_id[outside_per_event == 0])
        assert 50 < flow.counts[-1] < 450

    def test_only_photons_that_are_used_must_be_seen(self, make, belle2):
        block = make(event(signal(4), tag("D* -> D gamma")), n=500)
        counts = {
            (c.rho, c.dstar): smear_block(block, belle2, c, seed=5)[1].counts for c in ALL_CONFIGS
        }
        assert counts["pi", "d_only"][5] == counts["pi", "d_only"][6]
        assert counts["pi", "full"][6] < counts["pi", "full"][5]
        assert counts["pi_pi0", "full"][-1] < counts["pi", "full"][-1]

    def test_a_pi0_needs_two_photons(self, make, perfect):
        config = CandidateConfig(rho="pi_pi0")
        for daughters in ([P(11), P(-11), P(22)], []):
            pion = P(111, daughters)
            side = P(521, [P(321), P(-15, [P(211), pion, P(-16)]), P(13)])
            _, flow = smear_block(make(event(side, tag())), perfect, config, seed=5)
            assert flow.counts[-4:] == (50, 0, 0, 0)


class TestTable:
    def test_the_layout_is_the_table(self):
        assert list(CANDIDATE_LAYOUT) == [f.name for f in fields(CandidateTable)]

    def test_columns_and_back(self, belle2_candidates):
        table, _ = belle2_candidates
        columns = table.columns()
        assert columns["candidates/kaon/energy"].dtype == np.float64
        assert columns["candidates/tau_mode"].dtype == np.int8
        assert_same(CandidateTable.from_columns(columns), table)

    def test_types_in_memory_are_those_on_disk(self, belle2_candidates):
        table, _ = belle2_candidates
        for name, field in CANDIDATE_LAYOUT.items():
            array = getattr(table, name)
            assert array.dtype == np.dtype(field.dtype)
            assert array.shape[1:] == ((len(field.components),) if field.components else ())
            assert len(array) == len(table)

    def test_derived_momenta(self, belle2_candidates):
        table, _ = belle2_candidates
        visible = table.kaon + table.lepton + table.prong + table.tag_d + table.tag_lepton
        np.testing.assert_allclose(table.visible_sig + table.visible_tag, visible, atol=1e-14)
        np.testing.assert_allclose(table.missing, table.total - visible, atol=1e-14)
        np.testing.assert_array_equal(table.p_kl, table.kaon + table.lepton)
        np.testing.assert_array_equal(table.true_p_kl, table.true_kaon + table.true_lepton)
        np.testing.assert_array_equal(table.flight_sig, table.r_sig - table.r_0)
        np.testing.assert_array_equal(table.flight_tag, table.r_tag - table.r_0)

    def test_awkward_records_know_their_physics(self, belle2_candidates):
        vector.register_awkward()
        table, _ = belle2_candidates
        records = table.to_awkward()
        assert len(records) == len(table)
        mass = ak.to_numpy(records.kaon.mass)
        np.testing.assert_allclose(mass, 0.493677, rtol=1e-10)
        np.testing.assert_allclose(
            ak.to_numpy((records.r_sig - records.r_0).z), table.flight_sig[:, 2]
        )
