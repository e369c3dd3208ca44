"""Which true particle is what: B_sig -> (K) tau l or K nu nu against B_tag -> D(*) l nu, tau pairs.

The paper assumes that the assignment of particles to candidates is known; it is taken from truth.
Photons that charged particles radiate are never part of a decay's pattern and never
reconstructed, whether a generator lists them as daughters or as a particle radiating into itself
and a photon.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from simgen.events import FINAL
from simgen.jit import kernel, lean_kernel

if TYPE_CHECKING:
    from detector.config import CandidateConfig
    from simgen.events import EventBlock
    from simgen.typing import BoolArray, Int8Array, Int32Array, IntArray


class TauMode(enum.IntEnum):
    """One-prong decays of the signal tau. The numbers are stable: files store them."""

    OTHER = 0
    """No tau, or one charged particle but none of the decays below (pi 2pi0 nu, K nu, ...)."""
    E = 1
    MU = 2
    PI = 3
    RHO = 4
    """tau -> pi pi0 nu, through a rho or not."""


class TagMeson(enum.IntEnum):
    """Charmed meson of the tag and how it decays. The numbers are stable: files store them."""

    NONE = 0
    D = 1
    DSTAR_PI0 = 2
    DSTAR_GAMMA = 3
    DSTAR_PI = 4


class Role(enum.IntEnum):
    """The reconstructed object a true particle contributes to."""

    NONE = 0
    KAON = 1
    LEPTON = 2
    PRONG = 3
    TAG_D = 4
    TAG_LEPTON = 5


class Slot(enum.IntEnum):
    """Columns of `Topology.rows`."""

    PARENT_SIG = 0
    PARENT_TAG = 1
    KAON = 2
    LEPTON = 3
    TAU = 4
    PRONG = 5
    PRONG_PI0 = 6
    TAG_LEPTON = 7
    TAG_MESON = 8
    D = 9
    SLOW = 10


class Found(enum.IntEnum):
    """How far an event matches; each step includes those before it."""

    NOTHING = 0
    SIGNAL = 1
    ONE_PRONG_TAU = 2
    TAG = 3
    VISIBLE_D = 4


@dataclass(frozen=True, slots=True)
class Topology:
    """What the true particles of n events are.

    Attributes
    ----------
    found
        (n,) int8, `Found`; the other arrays are complete for events with `Found.VISIBLE_D`.
    rows
        (n, len(Slot)) int64, index within the event of each `Slot`, -1 for none. PARENT_* are the
        B mesons, TAG_MESON is the D or D*, D the D below it, SLOW the pi0, photon or pion of the
        D*, PRONG_PI0 the pi0 of tau -> pi pi0 nu. In a tau pair PARENT_* are the taus, and
        TAG_LEPTON is the prong of the tag's.
    tau_mode, tag_meson
        (n,) int8, `TauMode` and `TagMeson`.
    tag_tau_mode
        (n,) int8, `TauMode` of the tag in a tau pair.
    role
        (N,) int8, for each particle the `Role` it is reconstructed for. A pi0 carries the role,
        its photons do not.
    """

    found: Int8Array
    rows: IntArray
    tau_mode: Int8Array
    tag_meson: Int8Array
    tag_tau_mode: Int8Array
    role: Int8Array


def find_topology(block: EventBlock, config: CandidateConfig) -> Topology:
    """Find signal and tag in each event.

    Parameters
    ----------
    block
        True events.
    config
        The signal decay, and what is to be reconstructed of a tau -> pi pi0 nu and of a D*.

    Returns
    -------
    Topology
        An event without the topology is marked as such, whatever else it holds.
    """
    n = len(block)
    topology = Topology(
        found=np.zeros(n, dtype=np.int8),
        rows=np.full((n, len(Slot)), -1, dtype=np.int64),
        tau_mode=np.zeros(n, dtype=np.int8),
        tag_meson=np.zeros(n, dtype=np.int8),
        tag_tau_mode=np.zeros(n, dtype=np.int8),
        role=np.zeros(block.n_particles, dtype=np.int8),
    )
    if config.topology.is_tau_pair:
        _match_pairs(
            block.offsets,
            block.pdgid,
            block.mother,
            block.status,
            config.rho == "pi_pi0",
            topology.found,
            topology.rows,
            topology.tau_mode,
            topology.tag_tau_mode,
            topology.role,
        )
        return topology
    _match_all(
        block.offsets,
        block.pdgid,
        block.mother,
        block.status,
        config.topology.kaon or _ABSENT,
        config.topology.lepton or _ABSENT,
        config.topology.tau or _ABSENT,
        config.rho == "pi_pi0",
        config.dstar == "full",
        topology.found,
        topology.rows,
        topology.tau_mode,
        topology.tag_meson,
        topology.role,
    )
    return topology


# Plain integers for the kernels.
_FINAL = FINAL
_E, _MU, _PI, _RHO = int(TauMode.E), int(TauMode.MU), int(TauMode.PI), int(TauMode.RHO)
_OTHER = int(TauMode.OTHER)
_NO_MESON, _D_ALONE = int(TagMeson.NONE), int(TagMeson.D)
_DSTAR_PI0, _DSTAR_GAMMA = int(TagMeson.DSTAR_PI0), int(TagMeson.DSTAR_GAMMA)
_DSTAR_PI = int(TagMeson.DSTAR_PI)
_ROLE_KAON, _ROLE_LEPTON, _ROLE_PRONG = int(Role.KAON), int(Role.LEPTON), int(Role.PRONG)
_ROLE_TAG_D, _ROLE_TAG_LEPTON = int(Role.TAG_D), int(Role.TAG_LEPTON)
_SLOT_PARENT_SIG, _SLOT_PARENT_TAG = int(Slot.PARENT_SIG), int(Slot.PARENT_TAG)
_SLOT_KAON, _SLOT_LEPTON, _SLOT_TAU = int(Slot.KAON), int(Slot.LEPTON), int(Slot.TAU)
_SLOT_PRONG, _SLOT_PRONG_PI0 = int(Slot.PRONG), int(Slot.PRONG_PI0)
_SLOT_TAG_LEPTON, _SLOT_TAG_MESON = int(Slot.TAG_LEPTON), int(Slot.TAG_MESON)
_SLOT_D, _SLOT_SLOW = int(Slot.D), int(Slot.SLOW)
_SIGNAL, _ONE_PRONG_TAU = int(Found.SIGNAL), int(Found.ONE_PRONG_TAU)
_TAG, _VISIBLE_D = int(Found.TAG), int(Found.VISIBLE_D)

_PHOTON, _PI0, _TAU = 22, 111, 15
_ABSENT = 0  # PDG number of what a signal decay does not have

# What a particle is in the walk down from a parent.
_OUTSIDE = 0  # not below the parent
_OPEN = 1  # decays; look at its daughters
_TRACK = 2
_NEUTRAL_PION = 3
_GAMMA = 4  # a photon of a decay such as eta -> gamma gamma
_INVISIBLE = 5  # leaves without being seen
_INSIDE = 6  # below a track, pi0 or photon, or a radiated photon: not looked at


@kernel
def _match_all(
    offsets: IntArray,
    pdgid: Int32Array,
    mother: Int32Array,
    status: Int8Array,
    kaon: int,
    lepton: int,
    tau: int,
    with_prong_pi0: bool,
    with_slow: bool,
    found: Int8Array,
    rows: IntArray,
    tau_mode: Int8Array,
    tag_meson: Int8Array,
    role: Int8Array,
) -> None:
    """Match every event; arguments as in `find_topology` and `Topology`."""
    longest = longest_event(offsets)
    continues = np.empty(longest, dtype=np.bool_)
    decays = np.empty(longest, dtype=np.bool_)
    kind = np.empty(longest, dtype=np.int8)
    for i in range(len(found)):
        a, b = offsets[i], offsets[i + 1]
        ids = np.abs(pdgid[a:b])
        mothers, states, roles, row = mother[a:b], status[a:b], role[a:b], rows[i]
        look_at_daughters(ids, mothers, continues, decays)

        if not _find_signal(ids, mothers, continues, kaon, lepton, tau, row):
            continue
        found[i] = _SIGNAL
        mode = _OTHER
        if tau != _ABSENT:
            mode = _tau_decay(ids, mothers, states, continues, decays, kind, row)
        if mode < 0:
            continue
        found[i], tau_mode[i] = _ONE_PRONG_TAU, mode
        meson = _find_tag(ids, mothers, continues, row)
        if meson == _NO_MESON:
            continue
        found[i], tag_meson[i] = _TAG, meson
        _descend(row[_SLOT_D], ids, mothers, states, continues, decays, kind)
        if not _is_visible(kind, row[_SLOT_D], len(ids)):
            continue
        found[i] = _VISIBLE_D

        for k in range(len(ids)):
            if kind[k] in (_TRACK, _NEUTRAL_PION, _GAMMA):
                roles[k] = _ROLE_TAG_D
        if with_slow and row[_SLOT_SLOW] >= 0:
            roles[row[_SLOT_SLOW]] = _ROLE_TAG_D
        if with_prong_pi0 and mode == _RHO:
            roles[row[_SLOT_PRONG_PI0]] = _ROLE_PRONG
        if row[_SLOT_KAON] >= 0:
            roles[row[_SLOT_KAON]] = _ROLE_KAON
        if tau != _ABSENT:
            roles[row[_SLOT_LEPTON]] = _ROLE_LEPTON
            roles[row[_SLOT_PRONG]] = _ROLE_PRONG
        roles[row[_SLOT_TAG_LEPTON]] = _ROLE_TAG_LEPTON


@lean_kernel
def longest_event(offsets: IntArray) -> int:
    """Return the largest number of particles in an event of a block."""
    longest = 0
    for i in range(len(offsets) - 1):
        longest = max(longest, offsets[i + 1] - offsets[i])
    return longest


@lean_kernel
def look_at_daughters(
    ids: Int32Array, mothers: Int32Array, continues: BoolArray, decays: BoolArray
) -> None:
    """Write which particles continue as themselves, and which have a daughter but photons."""
    for k in range(len(ids)):
        continues[k] = False
        decays[k] = False
    for k in range(len(ids)):
        m = mothers[k]
        if m < 0:
            continue
        if ids[k] != _PHOTON:
            decays[m] = True
        # radiation into itself and photons, or mixing into its antiparticle
        if ids[k] == ids[m]:
            continues[m] = True


@lean_kernel
def _last_copy(k: int, ids: Int32Array, mothers: Int32Array, continues: BoolArray) -> int:
    """Follow a particle through radiation and mixing to where it decays or leaves."""
    for j in range(k + 1, len(ids)):
        if not continues[k]:
            break
        if mothers[j] == k and ids[j] == ids[k]:
            k = j
    return k


@lean_kernel
def _is_b(pdgid: int) -> bool:
    """Return whether it is a B+ or B0, or antiparticle."""
    return pdgid in (511, 521)


@lean_kernel
def _find_signal(
    ids: Int32Array,
    mothers: Int32Array,
    continues: BoolArray,
    kaon: int,
    lepton: int,
    tau: int,
    row: IntArray,
) -> bool:
    """Write parents, kaon, lepton and tau to `row`; return whether there is a signal decay.

    In place of lepton and tau, if the signal has none, there are two neutrinos of one flavour.
    """
    n = len(ids)
    wanted = 3 if kaon != _ABSENT else 2
    for parent in range(n):
        if not _is_b(ids[parent]) or continues[parent]:
            continue
        k_kaon, k_lepton, k_tau, daughters = -1, -1, -1, 0
        neutrinos, flavour = 0, _ABSENT
        for j in range(parent + 1, n):
            if mothers[j] != parent or ids[j] == _PHOTON:
                continue
            daughters += 1
            if ids[j] == lepton:
                k_lepton = j
            elif ids[j] == tau:
                k_tau = j
            elif ids[j] == kaon:
                k_kaon = j
            elif ids[j] in (12, 14, 16) and (neutrinos == 0 or ids[j] == flavour):
                neutrinos += 1
                flavour = ids[j]
        if daughters != wanted or (kaon != _ABSENT and k_kaon < 0):
            continue
        if tau == _ABSENT and neutrinos != 2:
            continue
        if tau != _ABSENT and (k_lepton < 0 or k_tau < 0):
            continue
        row[_SLOT_PARENT_SIG] = parent
        if tau != _ABSENT:
            row[_SLOT_LEPTON] = _last_copy(k_lepton, ids, mothers, continues)
            row[_SLOT_TAU] = _last_copy(k_tau, ids, mothers, continues)
        if kaon != _ABSENT:
            row[_SLOT_KAON] = _last_copy(k_kaon, ids, mothers, continues)
        return True
    return False


@lean_kernel
def _find_tag(ids: Int32Array, mothers: Int32Array, continues: BoolArray, row: IntArray) -> int:
    """Write the tag's particles to `row`; return its `TagMeson`, NONE if there is no tag."""
    n = len(ids)
    for parent in range(n):
        if not _is_b(ids[parent]) or continues[parent] or parent == row[_SLOT_PARENT_SIG]:
            continue
        k_lepton, k_meson, k_neutrino, daughters = -1, -1, -1, 0
        for j in range(parent + 1, n):
            if mothers[j] != parent or ids[j] == _PHOTON:
                continue
            daughters += 1
            if ids[j] in (11, 13):
                k_lepton = j
            elif ids[j] in (12, 14):
                k_neutrino = j
            elif ids[j] in (411, 413, 421, 423):
                k_meson = j
        if daughters != 3 or k_lepton < 0 or k_meson < 0 or k_neutrino < 0:
            continue
        k_meson = _last_copy(k_meson, ids, mothers, continues)
        row[_SLOT_PARENT_TAG] = parent
        row[_SLOT_TAG_LEPTON] = _last_copy(k_lepton, ids, mothers, continues)
        row[_SLOT_TAG_MESON] = k_meson
        if ids[k_meson] in (411, 421):
            row[_SLOT_D] = k_meson
            return _D_ALONE
        return _dstar_decay(k_meson, ids, mothers, continues, row)
    return _NO_MESON


@lean_kernel
def _dstar_decay(
    dstar: int, ids: Int32Array, mothers: Int32Array, continues: BoolArray, row: IntArray
) -> int:
    """Write D and slow particle of a D* to `row`; return its `TagMeson`, NONE if none is known."""
    k_d, k_slow, k_photon, daughters = -1, -1, -1, 0
    for j in range(dstar + 1, len(ids)):
        if mothers[j] != dstar:
            continue
        if ids[j] == _PHOTON:
            # of several, the first is the decay's and the rest are radiated
            k_photon = j if k_photon < 0 else k_photon
            continue
        daughters += 1
        if ids[j] in (411, 421):
            k_d = j
        elif ids[j] in (_PI0, 211):
            k_slow = j
    if k_d < 0:
        return _NO_MESON
    row[_SLOT_D] = _last_copy(k_d, ids, mothers, continues)
    if daughters == 1 and k_photon >= 0:
        row[_SLOT_SLOW] = k_photon
        return _DSTAR_GAMMA
    if daughters != 2 or k_slow < 0:
        return _NO_MESON
    row[_SLOT_SLOW] = _last_copy(k_slow, ids, mothers, continues)
    return _DSTAR_PI0 if ids[k_slow] == _PI0 else _DSTAR_PI


@lean_kernel
def _is_track(pdgid: int) -> bool:
    """Return whether it is an electron, muon, charged pion or kaon, or proton."""
    return pdgid in (11, 13, 211, 321, 2212)


@lean_kernel
def _descend(
    root: int,
    ids: Int32Array,
    mothers: Int32Array,
    states: Int8Array,
    continues: BoolArray,
    decays: BoolArray,
    kind: Int8Array,
) -> None:
    """Write to `kind` what each particle of the event is, seen from its ancestor `root`."""
    for k in range(len(ids)):
        kind[k] = _OUTSIDE
        if k != root:
            m = mothers[k]
            if k < root or m < root or kind[m] == _OUTSIDE:
                continue
            if kind[m] != _OPEN:
                kind[k] = _INSIDE
                continue
        if continues[k]:
            kind[k] = _OPEN
        elif _is_track(ids[k]):
            kind[k] = _TRACK
        elif ids[k] == _PI0:
            kind[k] = _NEUTRAL_PION
        elif ids[k] == _PHOTON:
            kind[k] = _INSIDE if decays[mothers[k]] else _GAMMA
        elif states[k] == _FINAL:
            kind[k] = _INVISIBLE
        else:
            kind[k] = _OPEN


@lean_kernel
def _is_visible(kind: Int8Array, root: int, n: int) -> bool:
    """Return whether all that is below `root` can be reconstructed."""
    visible = 0
    for k in range(root, n):
        if kind[k] == _INVISIBLE:
            return False
        if kind[k] in (_TRACK, _NEUTRAL_PION, _GAMMA):
            visible += 1
    return visible > 0


@lean_kernel
def _tau_decay(
    ids: Int32Array,
    mothers: Int32Array,
    states: Int8Array,
    continues: BoolArray,
    decays: BoolArray,
    kind: Int8Array,
    row: IntArray,
) -> int:
    """Write prong and pi0 to `row`; return the `TauMode`, -1 without exactly one track."""
    root = row[_SLOT_TAU]
    _descend(root, ids, mothers, states, continues, decays, kind)
    tracks, pions, others = 0, 0, 0
    for k in range(root, len(ids)):
        if kind[k] == _TRACK:
            tracks += 1
            row[_SLOT_PRONG] = k
        elif kind[k] == _NEUTRAL_PION:
            pions += 1
            row[_SLOT_PRONG_PI0] = k
        elif kind[k] == _GAMMA or (kind[k] == _INVISIBLE and ids[k] not in (12, 14, 16)):
            others += 1
    if tracks != 1:
        return -1
    prong = ids[row[_SLOT_PRONG]]
    if others == 0 and pions == 0:
        if prong == 11:
            return _E
        if prong == 13:
            return _MU
        if prong == 211:
            return _PI
    if others == 0 and pions == 1 and prong == 211:
        return _RHO
    row[_SLOT_PRONG_PI0] = -1
    return _OTHER


@kernel
def _match_pairs(
    offsets: IntArray,
    pdgid: Int32Array,
    mother: Int32Array,
    status: Int8Array,
    with_pi0: bool,
    found: Int8Array,
    rows: IntArray,
    tau_mode: Int8Array,
    tag_tau_mode: Int8Array,
    role: Int8Array,
) -> None:
    """Match every event to a tau pair; arguments as in `find_topology` and `Topology`."""
    longest = longest_event(offsets)
    continues = np.empty(longest, dtype=np.bool_)
    decays = np.empty(longest, dtype=np.bool_)
    kind = np.empty(longest, dtype=np.int8)
    tag = np.empty(rows.shape[1], dtype=np.int64)
    for i in range(len(found)):
        a, b = offsets[i], offsets[i + 1]
        ids = np.abs(pdgid[a:b])
        mothers, states, roles, row = mother[a:b], status[a:b], role[a:b], rows[i]
        look_at_daughters(ids, mothers, continues, decays)

        if not _find_pair(pdgid[a:b], mothers, continues, row):
            continue
        found[i] = _SIGNAL
        row[_SLOT_TAU] = row[_SLOT_PARENT_SIG]
        mode = _tau_decay(ids, mothers, states, continues, decays, kind, row)
        if mode < 0:
            continue
        found[i], tau_mode[i] = _ONE_PRONG_TAU, mode
        tag[:] = -1
        tag[_SLOT_TAU] = row[_SLOT_PARENT_TAG]
        tag_mode = _tau_decay(ids, mothers, states, continues, decays, kind, tag)
        if tag_mode < 0:
            continue
        found[i], tag_tau_mode[i] = _VISIBLE_D, tag_mode
        row[_SLOT_TAG_LEPTON] = tag[_SLOT_PRONG]

        roles[row[_SLOT_PRONG]] = _ROLE_PRONG
        roles[tag[_SLOT_PRONG]] = _ROLE_TAG_LEPTON
        if with_pi0 and mode == _RHO:
            roles[row[_SLOT_PRONG_PI0]] = _ROLE_PRONG
        if with_pi0 and tag_mode == _RHO:
            roles[tag[_SLOT_PRONG_PI0]] = _ROLE_TAG_LEPTON


@lean_kernel
def _find_pair(pdgid: Int32Array, mothers: Int32Array, continues: BoolArray, row: IntArray) -> bool:
    """Write the taus to `row`; return whether they are one tau+ and one tau- of one origin."""
    origin_sig, origin_tag, count = -1, -1, 0
    for k in range(len(pdgid)):
        if abs(pdgid[k]) != _TAU:
            continue
        if mothers[k] < 0 or pdgid[mothers[k]] != pdgid[k]:  # the first of its copies
            count += 1
            if pdgid[k] < 0:
                origin_sig = mothers[k]
            else:
                origin_tag = mothers[k]
        if not continues[k]:
            row[_SLOT_PARENT_SIG if pdgid[k] < 0 else _SLOT_PARENT_TAG] = k
    both = row[_SLOT_PARENT_SIG] >= 0 and row[_SLOT_PARENT_TAG] >= 0
    return both and count == 2 and origin_sig == origin_tag
