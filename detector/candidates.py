"""Candidates of true events, matched from truth or from all combinations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from detector.beam_knowledge import (
    known_beams,
    known_primary_vertices,
    stated_primary_vertex,
)
from detector.candidate_table import CandidateTable
from detector.combinations import Passed
from detector.combinatorial import combine_block
from detector.cutflow import PAIR_STEPS, CutFlow, combinatorial_stages
from detector.decay_vertices import measure_decay_vertices
from detector.hadronic_tag import smear_hadronic_tags
from detector.matching import SOURCES, match_candidates
from detector.reconstruct import (
    FOUND,
    IDENTIFIED,
    PHOTONS_ACCEPTED,
    detector_model,
    require_acceptance,
    require_found,
    require_identification,
    smear_objects,
)
from detector.topology import Role, Slot, find_topology
from detector.true_decays import N_CHAIN
from detector.vertex_parts import combined_parts, true_parts
from simgen.random import Stage, open_stream

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from detector.config import CandidateConfig, SignalTopology
    from detector.profiles import DetectorProfile
    from detector.vertex_parts import VertexParts
    from simgen.events import EventBlock
    from simgen.typing import FloatArray, Int8Array, Int32Array, IntArray


def smear_block(
    block: EventBlock, profile: DetectorProfile, config: CandidateConfig, seed: int
) -> tuple[CandidateTable, CutFlow]:
    """Reconstruct the candidates of a block of true events.

    Particles are assigned from truth (`detector.topology`). An event has one candidate if it has
    the topology and everything that is to be reconstructed is in the acceptance, which true
    momenta decide, and, if the configuration asks for it, is found and identified; else it has none
    and the cut-flow says why. Where the configuration asks for combinatorial candidates, an event
    of any source has the best that passes the selection, if there is one (`detector.combinations`).

    Parameters
    ----------
    block
        True events.
    profile
        Beams and detector.
    config
        What is reconstructed.
    seed
        The run's seed; with an event's number it determines all deviates of that event.

    Returns
    -------
    candidates : CandidateTable
        In the order of the events.
    cutflow : CutFlow
        Numbers of events left after each requirement.
    """
    if config.is_combinatorial:
        return _combine(block, profile, config, seed)
    detector = detector_model(profile)
    pdgid, mother = block.pdgid, block.mother
    offsets, p4 = block.offsets, np.ascontiguousarray(block.p4)
    topology = find_topology(block, config)
    passed = topology.found.copy()
    require_acceptance(offsets, pdgid, mother, p4, topology.role, detector, passed)
    state = open_stream(seed, int(Stage.SMEAR))
    if config.efficiency == "applied":
        require_found(
            block.event_id, offsets, pdgid, mother, p4, block.production, topology.role, detector,
            state, passed,
        )  # fmt: skip
    else:
        passed[passed == PHOTONS_ACCEPTED] = FOUND
    if config.identification == "required":
        require_identification(
            block.event_id, offsets, pdgid, p4, topology.role, detector, state, passed
        )
    else:
        passed[passed == FOUND] = IDENTIFIED
    events = np.flatnonzero(passed == IDENTIFIED)

    measured = np.zeros((len(Role), len(events), 4))
    true = np.zeros_like(measured)
    smeared = np.empty_like(p4)
    smear_objects(
        events,
        block.event_id,
        offsets,
        pdgid,
        mother,
        p4,
        topology.role,
        detector,
        state,
        smeared,
        measured,
        true,
    )

    rows, start = topology.rows[events], offsets[events]
    ids = {slot: _pdg_numbers(block, start, rows[:, slot]) for slot in _CHARGED}
    parent_sig = p4[start + rows[:, Slot.PARENT_SIG]]
    parent_tag = p4[start + rows[:, Slot.PARENT_TAG]]
    from_parent = rows[:, _of_parent(config.topology)]
    true_r_sig = _decay_vertices(block, start, from_parent, rows[:, Slot.PARENT_SIG])
    true_r_tag = _decay_vertices(block, start, rows[:, Slot.TAG_LEPTON], rows[:, Slot.PARENT_TAG])
    table = CandidateTable(
        **_what_all_have(
            block,
            events,
            profile,
            config,
            seed,
            (measured, true),
            (parent_sig, parent_tag),
            (true_r_sig, true_r_tag),
            lambda: true_parts(block, events, topology, smeared, config.topology),
        ),
        is_signal=np.ones(len(events), dtype=np.int8),
        tau_mode=topology.tau_mode[events],
        tag_meson=topology.tag_meson[events],
        tag_tau_mode=topology.tag_tau_mode[events],
        tag_lepton_flavour=_flavours(ids[Slot.TAG_LEPTON]),
        charge_kaon=_charges(ids[Slot.KAON]),
        charge_lepton=_charges(ids[Slot.LEPTON]),
        charge_tag_lepton=-np.sign(ids[_tag_charge(config.topology)]).astype(np.int8),
        charge_prong=_charges(ids[Slot.PRONG]),
        tag_mode=np.zeros(len(events), dtype=np.int8),
        is_tag=np.ones(len(events), dtype=np.int8),
        n_readings=np.ones(len(events), dtype=np.int32),
        m_d=_nan(len(events)),
        delta_m=_nan(len(events)),
        cos_theta_by=_nan(len(events)),
        e_extra=_nan(len(events)),
        true_ids=_numbers_of_sources(len(events), [ids[slot] for slot in _SOURCE_SLOTS]),
        true_origins=_numbers_of_sources(len(events), []),
        true_decay_sig=np.zeros((len(events), N_CHAIN), dtype=np.int32),
        true_decay_tag=np.zeros((len(events), N_CHAIN), dtype=np.int32),
        true_recoil=np.zeros(len(events), dtype=np.int32),
    )
    return table, CutFlow.from_passed(passed)


def _combine(
    block: EventBlock, profile: DetectorProfile, config: CandidateConfig, seed: int
) -> tuple[CandidateTable, CutFlow]:
    """Reconstruct the combinatorial candidates of a block; see `smear_block`."""
    found = combine_block(block, profile, config, seed)
    events = np.flatnonzero(found.passed == Passed.E_EXTRA)
    matched = match_candidates(block, events, found, config)
    measured = found.measured[:, events]
    parents = tuple(_parents(block, events, matched.parents[:, i]) for i in (0, 1))
    true_r_sig = np.ascontiguousarray(matched.vertices[:, 0])
    true_r_tag = np.ascontiguousarray(matched.vertices[:, 1])
    charges = _charges(matched.sources)
    kind, value = found.kind[events], found.value[events]
    table = CandidateTable(
        **_what_all_have(
            block,
            events,
            profile,
            config,
            seed,
            (measured, matched.true),
            parents,
            (true_r_sig, true_r_tag),
            lambda: combined_parts(block, events, found, profile, config, seed),
        ),
        is_signal=matched.is_signal,
        tau_mode=kind[:, 0],
        tag_meson=kind[:, 1],
        tag_tau_mode=kind[:, 4],
        tag_lepton_flavour=kind[:, 3],
        charge_kaon=charges[:, 0],
        charge_lepton=charges[:, 1],
        charge_tag_lepton=charges[:, 3],
        charge_prong=charges[:, 2],
        tag_mode=kind[:, 2],
        is_tag=matched.is_tag,
        n_readings=found.readings[events].astype(np.int32),
        m_d=value[:, 0],
        delta_m=value[:, 1],
        cos_theta_by=value[:, 2],
        e_extra=value[:, 3],
        true_ids=matched.sources,
        true_origins=matched.origins,
        true_decay_sig=matched.decays[:, 0],
        true_decay_tag=matched.decays[:, 1],
        true_recoil=matched.recoil,
    )
    is_pair, prefiltered = config.topology.is_tau_pair, config.prefilter != "nothing"
    passed = PAIR_STEPS[found.passed] if is_pair else found.passed
    if prefiltered:
        passed = np.where(found.skipped, 0, passed + 1).astype(np.int8)
    stages = combinatorial_stages(prefiltered=prefiltered, is_pair=is_pair)
    return table, CutFlow.from_passed(passed, stages)


def _what_all_have(
    block: EventBlock,
    events: IntArray,
    profile: DetectorProfile,
    config: CandidateConfig,
    seed: int,
    momenta: tuple[FloatArray, FloatArray],
    parents: tuple[FloatArray, ...],
    origins: tuple[FloatArray, FloatArray],
    list_parts: Callable[[], VertexParts],
) -> dict[str, Any]:
    """Return the fields that do not depend on how candidates are put together.

    Parameters
    ----------
    block, events
        True events, and the rows of those with a candidate.
    profile, config, seed
        As for `smear_block`.
    momenta
        Measured and true momenta, (len(Role), n, 4).
    parents, origins
        True momenta (n, 4) and decay vertices (n, 3) of the signal's and the tag's parent.
    list_parts
        Returns what vertices are fitted from; called if they are.
    """
    event_id, n = block.event_id[events], len(events)
    measured, true = momenta
    total = known_beams(profile, event_id, seed)
    r_0 = known_primary_vertices(block.vertex[events], event_id, profile, seed)
    r_sig, r_tag = measure_decay_vertices(
        block, events, list_parts, r_0, total, *origins, _seen(measured), profile, config.topology,
        seed,
    )  # fmt: skip
    return {
        "event_id": event_id,
        "weight": block.weight[events],
        "kaon": measured[Role.KAON],
        "lepton": measured[Role.LEPTON],
        "prong": measured[Role.PRONG],
        "tag_d": measured[Role.TAG_D],
        "tag_lepton": measured[Role.TAG_LEPTON],
        "total": total,
        "hadronic_tag": smear_hadronic_tags(parents[1], event_id, profile.hadronic_tag, seed),
        "r_0": r_0,
        "r_sig": r_sig.position,
        "r_tag": r_tag.position,
        "r_0_sigma": stated_primary_vertex(profile, event_id, seed),
        "r_sig_sigma": r_sig.sigma,
        "r_tag_sigma": r_tag.sigma,
        "r_sig_correlation": r_sig.correlation,
        "r_tag_correlation": r_tag.correlation,
        "vertex_constraint": np.full(n, profile.vertices.constraint == "ip", dtype=np.int8),
        "true_kaon": true[Role.KAON],
        "true_lepton": true[Role.LEPTON],
        "true_prong": true[Role.PRONG],
        "true_tag_d": true[Role.TAG_D],
        "true_tag_lepton": true[Role.TAG_LEPTON],
        "true_total": block.beam[events],
        "true_r_0": block.vertex[events],
        "true_r_sig": origins[0],
        "true_r_tag": origins[1],
        "true_parent_sig": parents[0],
        "true_parent_tag": parents[1],
        "true_k_sig": parents[0] - true[Role.KAON] - true[Role.LEPTON] - true[Role.PRONG],
        "true_k_tag": parents[1] - true[Role.TAG_D] - true[Role.TAG_LEPTON],
    }


def _seen(measured: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the measured momenta (n, 4) of signal and tag, of (len(Role), n, 4)."""
    signal = measured[Role.KAON] + measured[Role.LEPTON] + measured[Role.PRONG]
    return signal, measured[Role.TAG_D] + measured[Role.TAG_LEPTON]


def _parents(block: EventBlock, events: IntArray, index: IntArray) -> FloatArray:
    """Return the momenta of particles given by index in their events, nan for index -1."""
    momenta = block.p4[block.offsets[events] + np.maximum(index, 0)]
    momenta[index < 0] = np.nan
    return momenta


def _charges(pdgid: NDArray[np.int32]) -> Int8Array:
    """Return charges of particles that leave a track by their PDG numbers, 0 for number 0."""
    sign = np.sign(pdgid)
    return np.where(np.isin(np.abs(pdgid), (11, 13)), -sign, sign).astype(np.int8)


def _nan(n: int) -> FloatArray:
    """Return n times nan."""
    return np.full(n, np.nan)


def _numbers_of_sources(n: int, known: Sequence[Int32Array]) -> Int32Array:
    """Return (n, len(SOURCES)) PDG numbers: those known of the first, 0 for the others."""
    numbers = np.zeros((n, len(SOURCES)), dtype=np.int32)
    for column, values in enumerate(known):
        numbers[:, column] = values
    return numbers


_SOURCE_SLOTS = (Slot.KAON, Slot.LEPTON, Slot.PRONG, Slot.TAG_LEPTON)  # the first of SOURCES
_CHARGED = (*_SOURCE_SLOTS, Slot.PARENT_TAG)


def _of_parent(topology: SignalTopology) -> Slot:
    """Return a particle whose origin is the decay vertex of the signal's parent."""
    if topology.is_tau_pair:
        return Slot.PRONG
    return Slot.KAON if topology.lepton is None else Slot.LEPTON


def _tag_charge(topology: SignalTopology) -> Slot:
    """Return the lepton whose charge is the tag's."""
    return Slot.PARENT_TAG if topology.is_tau_pair else Slot.TAG_LEPTON


def _flavours(pdgid: NDArray[np.int32]) -> Int8Array:
    """Return absolute PDG numbers of leptons, 0 for other particles."""
    number = np.abs(pdgid)
    return np.where(np.isin(number, (11, 13)), number, 0).astype(np.int8)


def _pdg_numbers(block: EventBlock, start: IntArray, row: IntArray) -> NDArray[np.int32]:
    """Return the PDG numbers of particles given by index in their events, 0 for index -1."""
    return np.where(row < 0, np.int32(0), block.pdgid[start + row])


def _decay_vertices(
    block: EventBlock, start: IntArray, daughter: IntArray, parent: IntArray
) -> FloatArray:
    """Return (n, 3) where parents decayed, from one of the particles that came out of it.

    A daughter that radiated into a copy of itself is followed back to the first of them.
    """
    daughter = daughter.copy()
    while np.any(moving := block.mother[start + daughter] != parent):
        daughter[moving] = block.mother[start[moving] + daughter[moving]]
    return np.ascontiguousarray(block.production[start + daughter, :3])
