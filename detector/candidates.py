"""The table of reconstructed candidates, and how it is made from true events."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from detector.beam_knowledge import (
    known_beams,
    known_primary_vertices,
    stated_primary_vertex,
)
from detector.combinations import Passed
from detector.combinatorial import combine_block
from detector.config import CandidateConfig, SignalTopology
from detector.cutflow import PAIR_STEPS, CutFlow, combinatorial_stages
from detector.decay_vertices import (
    MeasuredVertex,
    measure_decay_vertices,
    to_covariance,
)
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
from detector.topology import Role, Slot, TagMeson, TauMode, find_topology
from detector.true_decays import N_CHAIN
from detector.vertex_parts import combined_parts, true_parts
from simgen.io.layout import CORRELATION, MOMENTUM, POSITION, Field, from_columns, to_columns
from simgen.random import Stage, open_stream

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import awkward as ak
    from numpy.typing import NDArray

    from detector.profiles import DetectorProfile
    from simgen.events import EventBlock
    from simgen.io.layout import Columns, Layout
    from simgen.typing import BoolArray, FloatArray, Int8Array, Int32Array, IntArray

__all__ = [
    "CANDIDATE_LAYOUT",
    "CandidateConfig",
    "CandidateTable",
    "CutFlow",
    "SignalTopology",
    "TagMeson",
    "TauMode",
    "smear_block",
]


def _number(dtype: str, description: str) -> Field:
    """Return a column of numbers."""
    return Field("candidates", dtype, "1", description)


def _momentum(description: str) -> Field:
    """Return a column of four-momenta."""
    return Field("candidates", "f8", "GeV", description, MOMENTUM)


def _position(description: str) -> Field:
    """Return a column of positions or their uncertainties."""
    return Field("candidates", "f8", "mm", description, POSITION)


def _correlation(description: str) -> Field:
    """Return columns of the correlations of a position's errors."""
    return Field("candidates", "f8", "1", description, CORRELATION)


def _combined(unit: str, description: str) -> Field:
    """Return a column of numbers that only combinatorial candidates have."""
    return Field("candidates", "f8", unit, f"{description}; nan where taken from truth")


def _decay(side: str) -> Field:
    """Return the columns of a true chain of decays."""
    return Field(
        "candidates",
        "i4",
        "1",
        f"true decays of the {side} side as PDG numbers: B, its daughters, 0, then the same of "
        "each D, tau and charmonium that a track comes from; 0 where taken from truth",
        tuple(f"n{i + 1}" for i in range(N_CHAIN)),
    )


_SOURCES: Final = tuple(SOURCES)

CANDIDATE_LAYOUT: Final[Layout] = {
    "event_id": _number("i8", "number of the event"),
    "weight": _number("f8", "weight of the event"),
    "is_signal": _number("i1", "1 if the signal side is the true signal decay, else 0"),
    "tau_mode": _number(
        "i1",
        "tau decay, true or as reconstructed: 0 other or no tau, 1 e, 2 mu, 3 pi, 4 pi pi0",
    ),
    "tag_meson": _number(
        "i1",
        "tag meson, true or as reconstructed: 1 D, 2 D* -> D pi0, 3 D* -> D gamma, 4 D* -> D pi",
    ),
    "tag_tau_mode": _number(
        "i1", "tau pairs: decay of the tag's tau, true or as reconstructed, numbers as tau_mode"
    ),
    "tag_lepton_flavour": _number("i1", "absolute PDG number of the tag lepton, 11 or 13, or 0"),
    "charge_kaon": _number("i1", "charge of the kaon, 0 if the signal has none"),
    "charge_lepton": _number("i1", "charge of the signal lepton, 0 if the signal has none"),
    "charge_tag_lepton": _number("i1", "charge of the tag lepton, or of the tag in a tau pair"),
    "kaon": _momentum("measured kaon, 0 if the signal has none"),
    "lepton": _momentum("measured signal lepton, 0 if the signal has none"),
    "prong": _momentum("measured visible part of the tau decay, 0 without tau"),
    "tag_d": _momentum("measured D, or D* where it is reconstructed fully"),
    "tag_lepton": _momentum("measured tag lepton; in tau pairs the visible part of the tag"),
    "total": _momentum("beams as the analyst knows them: their mean, as far as calibrated"),
    "hadronic_tag": _momentum("tag B as a hadronic tag would measure it"),
    "r_0": _position("measured primary vertex"),
    "r_sig": _position("measured decay vertex of the signal B"),
    "r_tag": _position("measured decay vertex of the tag B"),
    "r_0_sigma": _position("standard deviations of r_0"),
    "r_sig_sigma": _position("standard deviations of r_sig"),
    "r_tag_sigma": _position("standard deviations of r_tag"),
    "r_sig_correlation": _correlation("correlations of the errors of r_sig"),
    "r_tag_correlation": _correlation("correlations of the errors of r_tag"),
    "vertex_constraint": _number("i1", "1 if r_sig and r_tag are constrained to r_0, else 0"),
    "true_kaon": _momentum("true kaon, 0 if the signal has none"),
    "true_lepton": _momentum("true signal lepton, 0 if the signal has none"),
    "true_prong": _momentum("truth of what prong is made of"),
    "true_tag_d": _momentum("truth of what tag_d is made of"),
    "true_tag_lepton": _momentum("truth of what tag_lepton is made of"),
    "true_total": _momentum("beams of this event"),
    "true_r_0": _position("true primary vertex"),
    "true_r_sig": _position("true decay vertex of the signal B"),
    "true_r_tag": _position("true decay vertex of the tag B"),
    "true_parent_sig": _momentum("true signal B"),
    "true_parent_tag": _momentum("true tag B"),
    "true_k_sig": _momentum("true signal B less true kaon, lepton, prong"),
    "true_k_tag": _momentum("true tag B less true tag_d, tag_lepton"),
    "charge_prong": _number("i1", "charge of the prong, 0 without tau"),
    "tag_mode": _number(
        "i1", "D decay as reconstructed: 1 K pi, 2 K pi pi0, 3 K 3pi, 4 K 2pi; 0 taken from truth"
    ),
    "is_tag": _number(
        "i1",
        "1 if the tag is a true B -> D(*) l nu with this D and lepton, or the true prong of a tau "
        "pair's tag, else 0",
    ),
    "n_readings": _number("i4", "combinations of the event that pass all cuts but E_extra"),
    "m_d": _combined("GeV", "measured mass of the D"),
    "delta_m": _combined("GeV", "measured M(D*) - M(D), nan without D*"),
    "cos_theta_by": _combined("1", "cosine between B and D(*) l, one neutrino assumed"),
    "e_extra": _combined("GeV", "energy of the photons that are not used"),
    "true_ids": Field("candidates", "i4", "1", "PDG numbers of what these truly are", _SOURCES),
    "true_origins": Field("candidates", "i4", "1", "PDG numbers of what they come from", _SOURCES),
    "true_decay_sig": _decay("signal"),
    "true_decay_tag": _decay("tag"),
    "true_recoil": _number(
        "i4",
        "PDG number of the one particle that all else of the signal's B comes from, if what is "
        "taken for kaon and lepton is of it, else 0; 0 where taken from truth",
    ),
}
"""How the fields of a `CandidateTable` are stored."""


@dataclass(frozen=True, slots=True)
class CandidateTable:
    """Reconstructed candidates with their truth: a row a candidate.

    Lab frame, GeV and mm; momenta (n, 4) as (px, py, pz, E), positions (n, 3). The fields are
    those of `CANDIDATE_LAYOUT`, where each is described; names with ``true_`` are truth. Of a
    combinatorial candidate these are of the particles it is made of, whatever they are; without a
    true B, momenta of parents and what derives from them are nan.
    What is invisible on a side (``true_k_sig``, ``true_k_tag``) is all of the parent that is not
    reconstructed: neutrinos, radiated photons, the pi0 of a rho reconstructed as its pi.
    """

    event_id: IntArray
    weight: FloatArray
    is_signal: Int8Array
    tau_mode: Int8Array
    tag_meson: Int8Array
    tag_tau_mode: Int8Array
    tag_lepton_flavour: Int8Array
    charge_kaon: Int8Array
    charge_lepton: Int8Array
    charge_tag_lepton: Int8Array
    kaon: FloatArray
    lepton: FloatArray
    prong: FloatArray
    tag_d: FloatArray
    tag_lepton: FloatArray
    total: FloatArray
    hadronic_tag: FloatArray
    r_0: FloatArray
    r_sig: FloatArray
    r_tag: FloatArray
    r_0_sigma: FloatArray
    r_sig_sigma: FloatArray
    r_tag_sigma: FloatArray
    r_sig_correlation: FloatArray
    r_tag_correlation: FloatArray
    vertex_constraint: Int8Array
    true_kaon: FloatArray
    true_lepton: FloatArray
    true_prong: FloatArray
    true_tag_d: FloatArray
    true_tag_lepton: FloatArray
    true_total: FloatArray
    true_r_0: FloatArray
    true_r_sig: FloatArray
    true_r_tag: FloatArray
    true_parent_sig: FloatArray
    true_parent_tag: FloatArray
    true_k_sig: FloatArray
    true_k_tag: FloatArray
    charge_prong: Int8Array
    tag_mode: Int8Array
    is_tag: Int8Array
    n_readings: Int32Array
    m_d: FloatArray
    delta_m: FloatArray
    cos_theta_by: FloatArray
    e_extra: FloatArray
    true_ids: Int32Array
    true_origins: Int32Array
    true_decay_sig: Int32Array
    true_decay_tag: Int32Array
    true_recoil: Int32Array

    def __len__(self) -> int:
        return len(self.event_id)

    @property
    def p_kl(self) -> FloatArray:
        """(n, 4) measured kaon and signal lepton, against which M_recoil is taken.

        In a tau pair, which has neither, the prong.
        """
        return self.prong if self.is_tau_pair else self.kaon + self.lepton

    @property
    def visible_sig(self) -> FloatArray:
        """(n, 4) measured visible momentum of the signal side."""
        return self.kaon + self.lepton + self.prong

    @property
    def visible_tag(self) -> FloatArray:
        """(n, 4) measured visible momentum of the tag side."""
        return self.tag_d + self.tag_lepton

    @property
    def missing(self) -> FloatArray:
        """(n, 4) beams less all that is visible."""
        return self.total - self.visible_sig - self.visible_tag

    @property
    def flight_sig(self) -> FloatArray:
        """(n, 3) measured flight r_sig - r_0 of the signal B, mm."""
        return self.r_sig - self.r_0

    @property
    def flight_tag(self) -> FloatArray:
        """(n, 3) measured flight r_tag - r_0 of the tag B, mm."""
        return self.r_tag - self.r_0

    @property
    def r_0_covariance(self) -> FloatArray:
        """(n, 3, 3) covariance of r_0, mm^2."""
        return to_covariance(self.r_0_sigma, np.zeros_like(self.r_0_sigma))

    @property
    def r_sig_covariance(self) -> FloatArray:
        """(n, 3, 3) covariance of r_sig, mm^2."""
        return to_covariance(self.r_sig_sigma, self.r_sig_correlation)

    @property
    def r_tag_covariance(self) -> FloatArray:
        """(n, 3, 3) covariance of r_tag, mm^2."""
        return to_covariance(self.r_tag_sigma, self.r_tag_correlation)

    @property
    def true_p_kl(self) -> FloatArray:
        """(n, 4) truth of `p_kl`."""
        return self.true_prong if self.is_tau_pair else self.true_kaon + self.true_lepton

    @property
    def true_visible_sig(self) -> FloatArray:
        """(n, 4) true momentum of what is reconstructed on the signal side."""
        return self.true_kaon + self.true_lepton + self.true_prong

    @property
    def true_visible_tag(self) -> FloatArray:
        """(n, 4) true momentum of what is reconstructed on the tag side."""
        return self.true_tag_d + self.true_tag_lepton

    @property
    def true_missing(self) -> FloatArray:
        """(n, 4) this event's beams less the truth of all that is reconstructed."""
        return self.true_total - self.true_visible_sig - self.true_visible_tag

    @property
    def true_flight_sig(self) -> FloatArray:
        """(n, 3) true flight of the signal B, mm."""
        return self.true_r_sig - self.true_r_0

    @property
    def true_flight_tag(self) -> FloatArray:
        """(n, 3) true flight of the tag B, mm."""
        return self.true_r_tag - self.true_r_0

    @property
    def is_tau_pair(self) -> bool:
        """Whether the parents are taus: the signal has neither kaon nor lepton."""
        return len(self) > 0 and not np.any(self.kaon[0]) and not np.any(self.lepton[0])

    @property
    def leptonic(self) -> BoolArray:
        """(n,) whether the tau decays to a lepton and two neutrinos."""
        return np.isin(self.tau_mode, (TauMode.E, TauMode.MU))

    @property
    def tag_leptonic(self) -> BoolArray:
        """(n,) whether the tag is a tau that decays to a lepton and two neutrinos."""
        return np.isin(self.tag_tau_mode, (TauMode.E, TauMode.MU))

    def before(self, event_id: int) -> CandidateTable:
        """Return the candidates of events with smaller numbers; numbers ascend in a table."""
        n = int(np.searchsorted(self.event_id, event_id))
        return CandidateTable(*(getattr(self, name)[:n] for name in CANDIDATE_LAYOUT))

    def columns(self) -> Columns:
        """Return the datasets of a file, by path."""
        return to_columns(CANDIDATE_LAYOUT, self)

    @classmethod
    def from_columns(cls, columns: Mapping[str, NDArray[np.generic]]) -> CandidateTable:
        """Return the table whose datasets are `columns`, by path."""
        arrays: dict[str, Any] = from_columns(CANDIDATE_LAYOUT, columns)
        return cls(**arrays)

    def to_awkward(self) -> ak.Array:
        """Return one record a candidate, momenta as Momentum4D and positions as Vector3D.

        `vector.register_awkward` makes their ``pt``, ``mass``, ``boost`` and so on available.
        """
        import awkward as ak

        names = {MOMENTUM: "Momentum4D", POSITION: "Vector3D"}
        record: dict[str, Any] = {}
        for name, field in CANDIDATE_LAYOUT.items():
            array = getattr(self, name)
            if field.components:
                parts = dict(zip(field.components, array.T, strict=True))
                array = ak.zip(parts, with_name=names.get(field.components))
            record[name] = array
        return ak.zip(record, depth_limit=1)


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
    event_id = block.event_id[events]
    r_0 = known_primary_vertices(block.vertex[events], event_id, profile, seed)
    total = known_beams(profile, event_id, seed)
    vertices = measure_decay_vertices(
        block,
        events,
        lambda: true_parts(block, events, topology, smeared, config.topology),
        r_0,
        total,
        true_r_sig,
        true_r_tag,
        _seen(measured),
        profile,
        config.topology,
        seed,
    )
    table = CandidateTable(
        **_what_all_have(
            block,
            events,
            profile,
            seed,
            (measured, true),
            (parent_sig, parent_tag),
            (true_r_sig, true_r_tag),
            (total, r_0),
            vertices,
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
    true_r_sig, true_r_tag = (np.ascontiguousarray(matched.vertices[:, i]) for i in (0, 1))
    event_id = block.event_id[events]
    r_0 = known_primary_vertices(block.vertex[events], event_id, profile, seed)
    total = known_beams(profile, event_id, seed)
    vertices = measure_decay_vertices(
        block,
        events,
        lambda: combined_parts(block, events, found, profile, config, seed),
        r_0,
        total,
        true_r_sig,
        true_r_tag,
        _seen(measured),
        profile,
        config.topology,
        seed,
    )
    charges = _charges(matched.sources)
    kind, value = found.kind[events], found.value[events]
    table = CandidateTable(
        **_what_all_have(
            block,
            events,
            profile,
            seed,
            (measured, matched.true),
            parents,
            (true_r_sig, true_r_tag),
            (total, r_0),
            vertices,
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
    seed: int,
    momenta: tuple[FloatArray, FloatArray],
    parents: tuple[FloatArray, ...],
    origins: tuple[FloatArray, ...],
    beams: tuple[FloatArray, FloatArray],
    vertices: tuple[MeasuredVertex, MeasuredVertex],
) -> dict[str, Any]:
    """Return the fields that do not depend on how candidates are put together.

    Parameters
    ----------
    block, events
        True events, and the rows of those with a candidate.
    profile, seed
        Detector and seed.
    momenta
        Measured and true momenta, (len(Role), n, 4).
    parents, origins
        True momenta (n, 4) and decay vertices (n, 3) of the signal's and the tag's parent.
    beams
        Measured momentum (n, 4) of the beams and r_0 (n, 3).
    vertices
        Measured decay vertices of signal and tag.
    """
    event_id, n = block.event_id[events], len(events)
    measured, true = momenta
    total, r_0 = beams
    r_sig, r_tag = vertices
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
