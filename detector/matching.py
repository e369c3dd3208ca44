"""What the parts of a combinatorial candidate truly are, and where they come from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from detector.reading import Part
from detector.topology import Found, Role, Slot, TagMeson, find_topology, longest_event
from detector.true_decays import (
    N_CHAIN,
    b_mesons,
    heavy_parents,
    mark_ancestors,
    other_parent,
    single_recoil,
    taus,
    write_chain,
)
from simgen.events import FINAL
from simgen.jit import kernel, lean_kernel

if TYPE_CHECKING:
    from collections.abc import Mapping

    from detector.combinatorial import Combined
    from detector.config import CandidateConfig
    from simgen.events import EventBlock
    from simgen.typing import FloatArray, Int8Array, Int32Array, IntArray

SOURCES: Final[Mapping[str, int]] = {
    "kaon": Part.KAON,
    "lepton": Part.LEPTON,
    "prong": Part.PRONG,
    "tag_lepton": Part.TAG_LEPTON,
    "d_kaon": Part.D_KAON,
    "d_pion1": Part.D_PION,
    "d_pion2": Part.D_PION + 1,
    "d_pion3": Part.D_PION + 2,
    "slow_pion": Part.SLOW_PION,
}
"""The tracks of a candidate, whose true kind and origin are kept, by their places in a reading."""

_PART_KAON, _PART_LEPTON, _PART_PRONG = int(Part.KAON), int(Part.LEPTON), int(Part.PRONG)
_PART_TAG_LEPTON, _PART_D_KAON = int(Part.TAG_LEPTON), int(Part.D_KAON)
_PART_D_PION, _PART_D_PHOTON = int(Part.D_PION), int(Part.D_PHOTON)
_PART_SLOW, _PART_SLOW_PHOTON = int(Part.SLOW_PION), int(Part.SLOW_PHOTON)
_PART_TAG_PHOTON = int(Part.TAG_PRONG_PHOTON)
_SLOT_KAON, _SLOT_LEPTON, _SLOT_PRONG = int(Slot.KAON), int(Slot.LEPTON), int(Slot.PRONG)
_SLOT_TAG_LEPTON, _ONE_PRONG_TAU = int(Slot.TAG_LEPTON), int(Found.ONE_PRONG_TAU)
_D_ALONE = int(TagMeson.D)
_ROLE_KAON, _ROLE_LEPTON, _ROLE_PRONG = int(Role.KAON), int(Role.LEPTON), int(Role.PRONG)
_ROLE_TAG_D, _ROLE_TAG_LEPTON = int(Role.TAG_D), int(Role.TAG_LEPTON)
_SOURCES = tuple(int(part) for part in SOURCES.values())
_FINAL = FINAL
_PHOTON, _PI0 = 22, 111
_PION, _KAON = 211, 321


class Matched(NamedTuple):
    """What m candidates truly are.

    Attributes
    ----------
    is_signal
        (m,) int8, 1 if kaon, lepton and prong are those of the true signal decay.
    is_tag
        (m,) int8, 1 if the tag is a B -> D(*) l nu X with this D and this lepton, or in a tau pair
        the prong of its tag.
    parents
        (m, 2) index in the event of the signal's and the tag's B, -1 for none: the tag's is the one
        its lepton descends from, or its D if the lepton descends from none. In a tau pair the taus
        that the prongs descend from.
    decays
        (m, 2, N_CHAIN) int32, `write_chain` of these; without a B, of the charmed hadrons or taus
        that the tracks of tag and signal come from.
    recoil
        (m,) int32, `single_recoil`.
    sources, origins
        (m, len(SOURCES)) int32, PDG numbers of the particles taken for `SOURCES`, and of what they
        came out of; 0 for none.
    true
        (len(Role), m, 4) true momenta of what the measured ones are made of.
    vertices
        (m, 2, 3) where the tracks of the signal's parent come from, the middle where there are
        two, and where the tag lepton comes from.
    """

    is_signal: Int8Array
    is_tag: Int8Array
    parents: IntArray
    decays: Int32Array
    recoil: Int32Array
    sources: Int32Array
    origins: Int32Array
    true: FloatArray
    vertices: FloatArray


def match_candidates(
    block: EventBlock, events: IntArray, found: Combined, config: CandidateConfig
) -> Matched:
    """Say what candidates truly are.

    Parameters
    ----------
    block
        True events.
    events
        (m,) rows of the events with a candidate.
    found
        The candidates of all events.
    config
        What was reconstructed.
    """
    m = len(events)
    matched = Matched(
        is_signal=np.zeros(m, dtype=np.int8),
        is_tag=np.zeros(m, dtype=np.int8),
        parents=np.full((m, 2), -1, dtype=np.int64),
        decays=np.zeros((m, 2, N_CHAIN), dtype=np.int32),
        recoil=np.zeros(m, dtype=np.int32),
        sources=np.zeros((m, len(SOURCES)), dtype=np.int32),
        origins=np.zeros((m, len(SOURCES)), dtype=np.int32),
        true=np.zeros((len(Role), m, 4)),
        vertices=np.zeros((m, 2, 3)),
    )
    if m == 0:
        return matched
    topology = find_topology(block, config)
    _match(
        events,
        block.offsets,
        block.pdgid,
        block.mother,
        block.status,
        np.ascontiguousarray(block.p4),
        np.ascontiguousarray(block.production),
        found.part[events],
        found.kind[events],
        topology.rows,
        topology.found,
        config.topology.tau is not None,
        config.topology.is_tau_pair,
        config.dstar == "full",
        matched,
    )
    return matched


@kernel
def _match(
    events: IntArray,
    offsets: IntArray,
    pdgid: Int32Array,
    mother: Int32Array,
    status: Int8Array,
    p4: FloatArray,
    production: FloatArray,
    parts: IntArray,
    kind: Int8Array,
    rows: IntArray,
    topology_found: Int8Array,
    with_tau: bool,
    is_pair: bool,
    with_slow: bool,
    matched: Matched,
) -> None:
    """Fill `matched` candidate by candidate."""
    longest = longest_event(offsets)
    scratch, marks = np.empty(longest, dtype=np.int64), np.empty(longest, dtype=np.bool_)
    for c in range(len(events)):
        i = events[c]
        a, b = offsets[i], offsets[i + 1]
        ids, mothers, states, momenta = pdgid[a:b], mother[a:b], status[a:b], p4[a:b]
        part, of, leads = parts[c], scratch[: b - a], marks[: b - a]
        if is_pair:
            taus(ids, mothers, of)
            is_found = topology_found[i] >= _ONE_PRONG_TAU
            matched.is_signal[c] = is_found and rows[i, _SLOT_PRONG] == part[_PART_PRONG]
            matched.is_tag[c] = rows[i, _SLOT_TAG_LEPTON] == part[_PART_TAG_LEPTON]
            tag, signal = of[part[_PART_TAG_LEPTON]], of[part[_PART_PRONG]]
        else:
            b_mesons(ids, mothers, of)
            matched.is_signal[c] = is_true_signal(rows[i], topology_found[i], with_tau, part)
            matched.is_tag[c] = is_true_tag(ids, mothers, states, of, part, kind[c, 3], kind[c, 1])
            tag = of[part[_PART_TAG_LEPTON]]
            if tag < 0:
                tag = of[part[_PART_D_KAON]]
            signal = other_b(tag, ids, mothers, of)
        matched.parents[c, 0], matched.parents[c, 1] = signal, tag
        matched.recoil[c] = single_recoil(
            signal, part[_PART_KAON], part[_PART_LEPTON], ids, mothers, states, of
        )
        if tag < 0 and signal < 0:
            heavy_parents(ids, mothers, of)
            tag = other_parent(-1, part[_PART_TAG_LEPTON : _PART_D_KAON + 1], of)
            signal = other_parent(tag, part[_PART_KAON : _PART_PRONG + 1], of)
        mark_ancestors(part, mothers, leads)
        write_chain(signal, ids, mothers, of, leads, matched.decays[c, 0])
        write_chain(tag, ids, mothers, of, leads, matched.decays[c, 1])
        for x in range(len(_SOURCES)):
            k = part[_SOURCES[x]]
            if k >= 0:
                m = origin(k, ids, mothers)
                matched.sources[c, x] = ids[k]
                matched.origins[c, x] = ids[m] if m >= 0 else 0

        true = matched.true
        add_true_momentum(_PART_KAON, 1, part, momenta, true[_ROLE_KAON, c])
        add_true_momentum(_PART_LEPTON, 1, part, momenta, true[_ROLE_LEPTON, c])
        add_true_momentum(_PART_PRONG, 3, part, momenta, true[_ROLE_PRONG, c])
        add_true_momentum(_PART_TAG_LEPTON, 1, part, momenta, true[_ROLE_TAG_LEPTON, c])
        add_true_momentum(_PART_TAG_PHOTON, 2, part, momenta, true[_ROLE_TAG_LEPTON, c])
        last = _PART_TAG_PHOTON if with_slow else _PART_SLOW
        add_true_momentum(_PART_D_KAON, last - _PART_D_KAON, part, momenta, true[_ROLE_TAG_D, c])

        made = 0
        for x in (_PART_KAON, _PART_LEPTON):
            if part[x] >= 0:
                made += 1
        for y in range(3):
            for x in (_PART_KAON, _PART_LEPTON):
                if part[x] >= 0:
                    matched.vertices[c, 0, y] += production[a + part[x], y] / made
            if is_pair:
                matched.vertices[c, 0, y] = production[a + part[_PART_PRONG], y]
            matched.vertices[c, 1, y] = production[a + part[_PART_TAG_LEPTON], y]


@lean_kernel
def other_b(one: int, pdgid: Int32Array, mother: Int32Array, of: IntArray) -> int:
    """Return the index of the B of an event that is not `one`, -1 if there is none.

    Only a B with a daughter that is no B counts, so that of copies it is the last.
    """
    for k in range(len(pdgid)):
        m = mother[k]
        if m >= 0 and of[m] == m and of[k] != k and m != one:
            return int(m)
    return -1


@lean_kernel
def is_true_signal(row: IntArray, found: int, with_tau: bool, part: IntArray) -> bool:
    """Return whether kaon, lepton and prong are those of the true signal decay.

    Parameters
    ----------
    row
        `Topology.rows` of the event.
    found
        `Topology.found` of the event.
    with_tau
        Whether the signal has a tau; then it has to have one prong.
    part
        (N_PARTS,) indices in the event, -1 for none; see `Part`.
    """
    if found < (2 if with_tau else 1):
        return False
    if part[_PART_KAON] >= 0 and row[_SLOT_KAON] != part[_PART_KAON]:
        return False
    if not with_tau:
        return True
    same: bool = row[_SLOT_LEPTON] == part[_PART_LEPTON] and row[_SLOT_PRONG] == part[_PART_PRONG]
    return same


@lean_kernel
def is_true_tag(
    pdgid: Int32Array,
    mother: Int32Array,
    status: Int8Array,
    of: IntArray,
    part: IntArray,
    flavour: int,
    meson: int,
) -> bool:
    """Return whether the tag is a B -> D(*) l nu X with this D and this lepton.

    The D has to be complete and of the right particles; X, the pions of a D** say, and the slow
    particle of a D* that is read as a D alone, may be missed. The slow particle of a D* has to be
    the true one.

    Parameters
    ----------
    pdgid, mother, status
        Particles of the event.
    of
        `b_mesons` of the event.
    part
        (N_PARTS,) indices in the event, -1 for none; see `Part`.
    flavour
        Absolute PDG number of the lepton, as reconstructed.
    meson
        `TagMeson`, as reconstructed.
    """
    lepton, kaon = part[_PART_TAG_LEPTON], part[_PART_D_KAON]
    if abs(pdgid[lepton]) != flavour or abs(pdgid[kaon]) != _KAON:
        return False
    b = origin(lepton, pdgid, mother)
    if b < 0 or of[b] != b:
        return False
    d = _ancestor_d(kaon, pdgid, mother)
    if d < 0 or of[d] != b or not _is_whole(d, pdgid, mother, status, part):
        return False
    if meson == _D_ALONE:
        return True
    dstar = origin(d, pdgid, mother)
    if dstar < 0 or abs(pdgid[dstar]) not in (413, 423):
        return False
    if part[_PART_SLOW] >= 0:
        slow = part[_PART_SLOW]
        return abs(pdgid[slow]) == _PION and origin(slow, pdgid, mother) == dstar
    first, second = part[_PART_SLOW_PHOTON], part[_PART_SLOW_PHOTON + 1]
    if second < 0:
        return origin(first, pdgid, mother) == dstar
    pi0 = mother[first]
    return mother[second] == pi0 and pdgid[pi0] == _PI0 and origin(pi0, pdgid, mother) == dstar


@lean_kernel
def origin(k: int, pdgid: Int32Array, mother: Int32Array) -> int:
    """Return what a particle came out of, -1 for nothing; its own earlier copies are skipped."""
    m = mother[k]
    while m >= 0 and pdgid[m] == pdgid[k]:
        m = mother[m]
    return int(m)


@lean_kernel
def _ancestor_d(k: int, pdgid: Int32Array, mother: Int32Array) -> int:
    """Return the nearest D0 or D+ a particle descends from, -1 for none."""
    m = mother[k]
    while m >= 0 and abs(pdgid[m]) not in (411, 421):
        m = mother[m]
    return int(m)


@lean_kernel
def _is_whole(
    d: int, pdgid: Int32Array, mother: Int32Array, status: Int8Array, part: IntArray
) -> bool:
    """Return whether the tag's D has all final particles of a true D, as what they are.

    Photons that charged particles radiate need not be there.
    """
    expected = 1  # the kaon
    for j in range(3):
        k = part[_PART_D_PION + j]
        if k < 0:
            continue
        if abs(pdgid[k]) != _PION or _ancestor_d(k, pdgid, mother) != d:
            return False
        expected += 1
    for j in range(2):
        k = part[_PART_D_PHOTON + j]
        if k < 0:
            continue
        if pdgid[mother[k]] != _PI0 or _ancestor_d(k, pdgid, mother) != d:
            return False
        expected += 1
    found = 0
    for k in range(d + 1, len(pdgid)):
        if status[k] != _FINAL or _ancestor_d(k, pdgid, mother) != d:
            continue
        if pdgid[k] != _PHOTON or pdgid[mother[k]] == _PI0:
            found += 1
    return found == expected


@lean_kernel
def add_true_momentum(
    first: int, count: int, part: IntArray, p4: FloatArray, out: FloatArray
) -> None:
    """Add the true momenta of `count` parts from place `first` on to `out`, (4,)."""
    for j in range(first, first + count):
        if part[j] >= 0:
            for x in range(4):
                out[x] += p4[part[j], x]
