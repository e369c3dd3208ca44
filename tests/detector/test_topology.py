"""Truth matching, on trees of which the answer is known."""

from __future__ import annotations

import numpy as np
import pytest
from decay_trees import TAGS, P, event, pi0, signal, tag

from detector.config import CandidateConfig, SignalTopology
from detector.topology import Found, Role, Slot, TagMeson, find_topology

DEFAULT = CandidateConfig()


def roles_of_first_event(block, config=DEFAULT):
    """PDG numbers of the first event's particles by role."""
    role = find_topology(block, config).role[: block.offsets[1]]
    pdgid = block.pdgid[: block.offsets[1]]
    return {r: sorted(pdgid[role == r].tolist()) for r in Role if r != Role.NONE}


def found(block, config=DEFAULT):
    (answer,) = set(find_topology(block, config).found.tolist())
    return Found(answer)


class TestModes:
    def test_every_channel_is_recognised(self, channels):
        block, truth = channels
        topology = find_topology(block, DEFAULT)
        assert np.all(topology.found == Found.VISIBLE_D)
        np.testing.assert_array_equal(topology.tau_mode, truth[:, 0])
        np.testing.assert_array_equal(topology.tag_meson, truth[:, 1])

    def test_rows_point_at_the_particles(self, channels):
        block, truth = channels
        rows = find_topology(block, DEFAULT).rows
        pdgid = np.where(rows < 0, 0, block.pdgid[block.offsets[:-1, None] + rows])
        expected = {
            Slot.PARENT_SIG: {521},
            Slot.PARENT_TAG: {521},
            Slot.KAON: {321},
            Slot.LEPTON: {13},
            Slot.TAU: {15},
            Slot.PRONG: {11, 13, 211},
            Slot.PRONG_PI0: {0, 111},
            Slot.TAG_MESON: {421, 423, 413},
            Slot.D: {421},
            Slot.SLOW: {0, 22, 111, 211},
        }
        for slot, ids in expected.items():
            assert set(np.abs(pdgid[:, slot]).tolist()) == ids
        np.testing.assert_array_equal(np.abs(pdgid[:, Slot.TAG_LEPTON]), truth[:, 2])
        assert np.all(rows[:, Slot.PARENT_SIG] != rows[:, Slot.PARENT_TAG])

    def test_a_kaon_prong_or_a_long_lived_kaon_is_another_mode(self, make):
        for daughters in ([P(321), P(-16)], [P(211), P(130), P(-16)]):
            side = P(521, [P(321), P(-15, daughters), P(13)])
            topology = find_topology(make(event(side, tag())), DEFAULT)
            assert np.all(topology.found == Found.VISIBLE_D)
            assert np.all(topology.tau_mode == 0)

    def test_a_pi0_to_electrons_does_not_make_a_prong(self, make):
        dalitz = P(111, [P(11), P(-11), P(22)])
        side = P(521, [P(321), P(-15, [P(211), dalitz, P(-16)]), P(13)])
        topology = find_topology(make(event(side, tag())), DEFAULT)
        assert np.all(topology.tau_mode == 4)

    def test_three_prongs_are_not_a_candidate(self, make):
        side = P(521, [P(321), P(-15, [P(211), P(211), P(-211), P(-16)]), P(13)])
        assert found(make(event(side, tag()))) == Found.SIGNAL


class TestSignal:
    @pytest.mark.parametrize("tau_sign", [1, -1])
    def test_both_charge_combinations(self, make, tau_sign):
        assert found(make(event(signal(tau_sign=tau_sign), tag()))) == Found.VISIBLE_D

    def test_either_b_can_be_the_signal(self, make):
        topology = find_topology(make(event(tag(), signal())), DEFAULT)
        assert np.all(topology.found == Found.VISIBLE_D)
        assert np.all(topology.rows[:, Slot.PARENT_TAG] < topology.rows[:, Slot.PARENT_SIG])

    def test_without_a_kaon(self, make):
        config = CandidateConfig(topology=SignalTopology(kaon=None))
        block = make(event(signal(kaon=None), tag()))
        assert found(block, config) == Found.VISIBLE_D
        assert roles_of_first_event(block, config)[Role.KAON] == []
        assert found(block) == Found.NOTHING
        assert found(make(event(signal(), tag())), config) == Found.NOTHING

    def test_with_an_electron(self, make):
        config = CandidateConfig(topology=SignalTopology(lepton=11))
        block = make(event(signal(lepton=11), tag()))
        assert found(block, config) == Found.VISIBLE_D
        assert found(block) == Found.NOTHING

    def test_one_more_particle_is_not_the_signal(self, make):
        side = signal()
        side.daughters.append(pi0())
        assert found(make(event(side, tag()))) == Found.NOTHING


class TestTag:
    @pytest.mark.parametrize(
        "side",
        [
            P(-521, [P(421, [P(-321), P(211)]), P(-211)]),  # hadronic
            P(-521, [P(421, [P(-321), P(211)]), P(15, [P(-211), P(16)]), P(-16)]),  # tau
            P(-521, [P(421, [P(-321), P(211)]), P(13), P(-14), pi0()]),
            P(-521, [pi0(), P(13), P(-14)]),
            P(-521, [P(423, [P(421, [P(-321), P(211)]), P(11), P(-11)]), P(13), P(-14)]),
            P(-521),
        ],
        ids=["hadronic", "tau", "extra pi0", "charmless", "Dalitz D*", "not decayed"],
    )
    def test_other_decays_are_no_tag(self, make, side):
        assert found(make(event(signal(), side))) == Found.ONE_PRONG_TAU

    def test_two_signal_decays_have_no_tag(self, make):
        assert found(make(event(signal(), signal().conjugate()))) == Found.ONE_PRONG_TAU

    @pytest.mark.parametrize(
        "d_daughters",
        [[P(130), P(-211), P(211)], [P(-321), P(13), P(-14)], [P(310), P(211), P(-211)], []],
        ids=["K_L", "semileptonic", "K_S not decayed", "not decayed"],
    )
    def test_a_d_that_is_not_all_visible_is_no_candidate(self, make, d_daughters):
        side = P(-521, [P(421, d_daughters), P(13), P(-14)])
        assert found(make(event(signal(), side))) == Found.TAG

    @pytest.mark.parametrize(
        ("d", "expected"),
        [
            (P(421, [P(-321), P(211), P(211), P(-211)]), [-321, -211, 211, 211]),
            (P(411, [P(-321), P(211), P(211)]), [-321, 211, 211]),
            (P(421, [P(310, [P(211), P(-211)]), pi0()]), [-211, 111, 211]),
            (P(421, [P(310, [pi0(), pi0()]), P(211), P(-211)]), [-211, 111, 111, 211]),
        ],
        ids=["K 3pi", "K pi pi", "K_S pi0", "K_S to neutrals"],
    )
    def test_any_visible_d_decay_is_the_sum_of_its_final_particles(self, make, d, expected):
        block = make(event(signal(), P(-521, [d, P(13), P(-14)])))
        assert roles_of_first_event(block)[Role.TAG_D] == expected


class TestRoles:
    @pytest.mark.parametrize(("rho", "prong"), [("pi", [211]), ("pi_pi0", [111, 211])])
    def test_the_rho_is_reconstructed_as_configured(self, make, rho, prong):
        block = make(event(signal(4), tag()))
        assert roles_of_first_event(block, CandidateConfig(rho=rho))[Role.PRONG] == prong

    @pytest.mark.parametrize(
        ("name", "slow"), [("D* -> D pi0", 111), ("D* -> D gamma", 22), ("D* -> D pi", 211)]
    )
    def test_the_dstar_is_reconstructed_as_configured(self, make, name, slow):
        block = make(event(signal(), tag(name)))
        full = roles_of_first_event(block, CandidateConfig(dstar="full"))
        alone = roles_of_first_event(block, CandidateConfig(dstar="d_only"))
        assert full[Role.TAG_D] == sorted([-321, 211, slow])
        assert alone[Role.TAG_D] == [-321, 211]

    def test_each_object_gets_its_particles(self, make):
        assert roles_of_first_event(make(event(signal(2), tag(lepton=11)))) == {
            Role.KAON: [321],
            Role.LEPTON: [13],
            Role.PRONG: [-13],
            Role.TAG_D: [-321, 211],
            Role.TAG_LEPTON: [11],
        }


def radiate_everywhere(node):
    """The tree with a photon more in every decay that has a charged daughter."""
    daughters = [radiate_everywhere(d) for d in node.daughters]
    if any(abs(d.pdgid) in {11, 13, 15, 211, 321, 521} for d in daughters):
        daughters.append(P(22))
    return P(node.pdgid, daughters)


def radiate_into_copies(node):
    """The tree with every charged particle radiating a photon by itself (Pythia's way)."""
    daughters = [radiate_into_copies(d) for d in node.daughters]
    if abs(node.pdgid) in {11, 13, 15, 211, 321, 413}:
        return P(node.pdgid, [P(node.pdgid, daughters)])
    return P(node.pdgid, daughters)


class TestRadiation:
    @pytest.mark.parametrize("name", list(TAGS))
    @pytest.mark.parametrize("change", [radiate_everywhere, radiate_into_copies])
    def test_radiated_photons_change_nothing(self, make, name, change):
        plain, radiated = (
            make(tree, n=3)
            for tree in (
                event(signal(4), tag(name)),
                event(change(signal(4)), change(tag(name))),
            )
        )
        config = CandidateConfig(rho="pi_pi0")
        assert roles_of_first_event(plain, config) == roles_of_first_event(radiated, config)
        a, b = find_topology(plain, config), find_topology(radiated, config)
        assert np.all(b.found == Found.VISIBLE_D)
        np.testing.assert_array_equal(a.tag_meson, b.tag_meson)
        np.testing.assert_array_equal(a.tau_mode, b.tau_mode)

    def test_the_last_copy_is_measured(self, make):
        block = make(event(radiate_into_copies(signal()), tag()), n=1)
        row = find_topology(block, DEFAULT).rows[0, Slot.LEPTON]
        assert block.pdgid[row] == 13
        assert block.status[row] == 1

    def test_a_mixed_b0_is_followed_to_its_decay(self, make):
        config = CandidateConfig(topology=SignalTopology(kaon=None))
        charm = P(411, [P(-321), P(211), P(211)])
        anti_b0 = P(-511, [charm, P(13), P(-14)])
        topology = find_topology(make(event(signal(kaon=None), P(511, [anti_b0]))), config)
        assert np.all(topology.found == Found.VISIBLE_D)
        assert np.all(topology.tag_meson == TagMeson.D)


class TestAnythingElse:
    def test_events_without_b_mesons(self, make):
        assert found(make(P(300553, [P(211), P(-211)]))) == Found.NOTHING
        assert found(make(P(300553))) == Found.NOTHING

    def test_no_events(self, make):
        topology = find_topology(make(event(signal(), tag())).select(0, 0), DEFAULT)
        assert len(topology.found) == len(topology.role) == 0
