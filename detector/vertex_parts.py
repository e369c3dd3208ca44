"""Which measured particles the decay vertices of candidates are fitted from.

B_sig has its kaon and lepton, whose origin it is; the tau flies, and its prong is left out. B_tag
has the lepton, the charged pion of a D*, and the D: its tracks that are made where it decays, and
everything else of it for its momentum. In a tau pair each tau has its prong.

Where particles are assigned from truth, a track of the D that is made elsewhere, such as a pion of
a K_S0 centimetres away, counts for the momentum only. What is read as a D among all combinations
has no K_S0, and all its tracks count for its vertex.
"""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from detector.identification import SPECIES_PDG, Species
from detector.photons import energy_error
from detector.pi0 import constrain_pi0
from detector.reading import Part, Selection, selection_model
from detector.reconstruct import DetectorModel, detector_model, measure_particle
from detector.topology import Role, Slot, TauMode
from simgen.jit import kernel, lean_kernel
from simgen.random import Stage, new_stream

if TYPE_CHECKING:
    from detector.combinatorial import Combined
    from detector.config import CandidateConfig, SignalTopology
    from detector.profiles import DetectorProfile
    from detector.topology import Topology
    from simgen.events import EventBlock
    from simgen.typing import FloatArray, Int8Array, Int32Array, IntArray, UInt64Array


class Use(enum.IntEnum):
    """What a particle says about the vertices of its candidate."""

    SIGNAL = 0
    """Track from the decay of the signal's parent."""
    TAG = 1
    """Track from that of the tag's."""
    CHARM = 2
    """Track from the decay of the D."""
    CHARM_MOMENTUM = 3
    """Track of the D from elsewhere."""
    CHARM_PHOTON = 4
    CHARM_PI0 = 5


class VertexParts(NamedTuple):
    """Particles of m candidates, t in all.

    Of a candidate they are in the order of `Use`; of the D tracks come before photons and pi0s,
    each as in the event. That and nothing else fixes the sums of floating-point numbers, so a
    candidate has the same vertices however it was found.

    Attributes
    ----------
    offsets
        (m + 1,) first of each candidate, first 0.
    use
        (t,) int8, `Use`.
    row, partner
        (t,) rows of the block: of a pi0 those of its photons, in order; else `partner` is -1.
    p4
        (t, 4) measured momenta, GeV. The energy of a track is that of what it is taken for.
    """

    offsets: IntArray
    use: Int8Array
    row: IntArray
    partner: IntArray
    p4: FloatArray


def _no_parts(m: int, most: int) -> VertexParts:
    """Return room for the parts of m candidates, `most` in all."""
    return VertexParts(
        offsets=np.zeros(m + 1, dtype=np.int64),
        use=np.zeros(most, dtype=np.int8),
        row=np.zeros(most, dtype=np.int64),
        partner=np.full(most, -1, dtype=np.int64),
        p4=np.zeros((most, 4)),
    )


def true_parts(
    block: EventBlock,
    events: IntArray,
    topology: Topology,
    smeared: FloatArray,
    signal: SignalTopology,
) -> VertexParts:
    """Return the parts of candidates that are assigned from truth.

    Parameters
    ----------
    block
        True events.
    events
        (m,) rows of the events with a candidate.
    topology
        Of the block.
    smeared
        (N, 4) measured momenta of `detector.reconstruct.smear_objects`.
    signal
        The signal decay.
    """
    slots = (Slot.PRONG,) if signal.is_tau_pair else (Slot.KAON, Slot.LEPTON)
    parts = _no_parts(len(events), int(np.count_nonzero(topology.role)))
    _list_true(
        events,
        block.offsets,
        block.pdgid,
        block.mother,
        np.ascontiguousarray(block.production),
        topology.role,
        topology.rows,
        np.array(slots, dtype=np.int64),
        smeared,
        parts,
    )
    return parts


def combined_parts(
    block: EventBlock,
    events: IntArray,
    found: Combined,
    profile: DetectorProfile,
    config: CandidateConfig,
    seed: int,
) -> VertexParts:
    """Return the parts of combinatorial candidates.

    Momenta are measured again, each from the random substream of its particle, and so are what they
    were when the candidate was found.

    Parameters
    ----------
    block
        True events.
    events
        (m,) rows of the events with a candidate.
    found
        The candidates of all events.
    profile
        Beams and detector.
    config
        What was reconstructed.
    seed
        The run's seed.
    """
    pair = config.topology.is_tau_pair
    places = (Part.PRONG,) if pair else (Part.KAON, Part.LEPTON)
    parts = _no_parts(len(events), found.part.shape[1] * len(events))
    _list_combined(
        events,
        block.event_id,
        block.offsets,
        block.pdgid,
        np.ascontiguousarray(block.p4),
        found.part[events],
        found.kind[events],
        np.array(places, dtype=np.int64),
        selection_model(config),
        detector_model(profile),
        new_stream(seed, int(Stage.SMEAR)),
        parts,
    )
    return parts


# Plain integers for the kernels.
_SIGNAL, _TAG, _CHARM = int(Use.SIGNAL), int(Use.TAG), int(Use.CHARM)
_CHARM_MOMENTUM = int(Use.CHARM_MOMENTUM)
_CHARM_PHOTON, _CHARM_PI0 = int(Use.CHARM_PHOTON), int(Use.CHARM_PI0)
_SLOT_TAG_LEPTON, _SLOT_D, _SLOT_SLOW = int(Slot.TAG_LEPTON), int(Slot.D), int(Slot.SLOW)
_ROLE_TAG_D = int(Role.TAG_D)
_PART_LEPTON, _PART_PRONG = int(Part.LEPTON), int(Part.PRONG)
_PART_TAG_LEPTON, _PART_SLOW = int(Part.TAG_LEPTON), int(Part.SLOW_PION)
_PART_D_KAON, _PART_D_PHOTON = int(Part.D_KAON), int(Part.D_PHOTON)
_SPECIES_E, _SPECIES_MU = int(Species.ELECTRON), int(Species.MUON)
_SPECIES_PI, _SPECIES_K = int(Species.PION), int(Species.KAON)
_TAU_E, _TAU_MU = int(TauMode.E), int(TauMode.MU)
_PDG = np.array(SPECIES_PDG)
_PHOTON, _PI0, _PION = 22, 111, 211
_AT_VERTEX = 1e-6  # mm; resonances decay where they are made


@lean_kernel
def _add(parts: VertexParts, n: int, use: int, row: int, p: FloatArray) -> int:
    """Write part `n` with momentum `p` (4,); return the number of parts."""
    parts.use[n], parts.row[n] = use, row
    for x in range(4):
        parts.p4[n, x] = p[x]
    return n + 1


@lean_kernel
def _list_true(
    events: IntArray,
    offsets: IntArray,
    pdgid: Int32Array,
    mother: Int32Array,
    production: FloatArray,
    role: Int8Array,
    rows: IntArray,
    signal_slots: IntArray,
    smeared: FloatArray,
    parts: VertexParts,
) -> None:
    """Fill `parts` candidate by candidate; arguments as in `true_parts`."""
    n = 0
    for c in range(len(events)):
        i = events[c]
        a, b = offsets[i], offsets[i + 1]
        row = rows[i]
        for slot in signal_slots:
            if row[slot] >= 0:
                k = a + row[slot]
                n = _add(parts, n, _SIGNAL, k, smeared[k])
        for slot in (_SLOT_TAG_LEPTON, _SLOT_SLOW):
            k = a + row[slot]
            if row[slot] < 0 or role[k] == 0 or (slot == _SLOT_SLOW and abs(pdgid[k]) != _PION):
                continue
            n = _add(parts, n, _TAG, k, smeared[k])
        if row[_SLOT_D] >= 0:
            n = _list_true_d(a, b, row, pdgid, mother, production, role, smeared, parts, n)
        parts.offsets[c + 1] = n


@lean_kernel
def _list_true_d(
    a: int,
    b: int,
    row: IntArray,
    pdgid: Int32Array,
    mother: Int32Array,
    production: FloatArray,
    role: Int8Array,
    smeared: FloatArray,
    parts: VertexParts,
    n: int,
) -> int:
    """Add what the D of an event, rows `a` to `b`, is made of; return the number of parts."""
    d, slow = row[_SLOT_D], row[_SLOT_SLOW]
    decay = a + d + 1
    while mother[decay] != d:
        decay += 1
    for use in (_CHARM, _CHARM_MOMENTUM, _CHARM_PHOTON):
        for k in range(a + d + 1, b):
            if role[k] != _ROLE_TAG_D or k - a == slow:
                continue
            if pdgid[k] == _PHOTON or pdgid[k] == _PI0:
                if use != _CHARM_PHOTON:
                    continue
                n = _add(parts, n, _CHARM_PHOTON, k, smeared[k])
                if pdgid[k] == _PI0:
                    _write_photons(k, a, b, mother, parts, n - 1)
                continue
            distance = 0.0
            for x in range(3):
                distance = max(distance, abs(production[k, x] - production[decay, x]))
            if use == (_CHARM if distance < _AT_VERTEX else _CHARM_MOMENTUM):
                n = _add(parts, n, use, k, smeared[k])
    return n


@lean_kernel
def _write_photons(k: int, a: int, b: int, mother: Int32Array, parts: VertexParts, n: int) -> None:
    """Make part `n` the pi0 of row `k`, with the rows of its two photons."""
    parts.use[n] = _CHARM_PI0
    first = -1
    for j in range(k + 1, b):
        if mother[j] != k - a:
            continue
        if first >= 0:
            parts.row[n], parts.partner[n] = first, j
            return
        first = j


@kernel
def _list_combined(
    events: IntArray,
    event_id: IntArray,
    offsets: IntArray,
    pdgid: Int32Array,
    p4: FloatArray,
    part: IntArray,
    kind: Int8Array,
    signal_places: IntArray,
    selection: Selection,
    detector: DetectorModel,
    state: UInt64Array,
    parts: VertexParts,
) -> None:
    """Fill `parts` candidate by candidate; arguments as in `combined_parts`."""
    n = 0
    charm = np.empty(4, dtype=np.int64)
    photons, momentum = np.empty((2, 4)), np.empty(4)
    for c in range(len(events)):
        i = events[c]
        a, mine = offsets[i], part[c]
        lepton = _SPECIES_E if kind[c, 3] == _PDG[_SPECIES_E] else _SPECIES_MU
        if kind[c, 3] == 0:
            lepton = _SPECIES_PI  # of a tau pair
        for place in signal_places:
            species = selection.kaon
            if place == _PART_LEPTON:
                species = selection.lepton
            elif place == _PART_PRONG:
                species = _prong_species(kind[c, 0])
            if mine[place] >= 0:
                k = a + mine[place]
                _measure(event_id[i], a, k, species, pdgid, p4, selection, detector, state,
                         momentum)  # fmt: skip
                n = _add(parts, n, _SIGNAL, k, momentum)
        for place in (_PART_TAG_LEPTON, _PART_SLOW):
            if mine[place] < 0 or (place == _PART_SLOW and not selection.with_slow):
                continue
            k = a + mine[place]
            species = lepton if place == _PART_TAG_LEPTON else _SPECIES_PI
            _measure(event_id[i], a, k, species, pdgid, p4, selection, detector, state, momentum)
            n = _add(parts, n, _TAG, k, momentum)

        m = 0
        for place in range(_PART_D_KAON, _PART_D_PHOTON):
            if mine[place] >= 0:
                charm[m] = mine[place]
                m += 1
        charm[:m].sort()
        for k in charm[:m]:
            species = _SPECIES_K if k == mine[_PART_D_KAON] else _SPECIES_PI
            _measure(event_id[i], a, a + k, species, pdgid, p4, selection, detector, state,
                     momentum)  # fmt: skip
            n = _add(parts, n, _CHARM, a + k, momentum)
        if mine[_PART_D_PHOTON] >= 0:
            for j in range(2):
                k = mine[_PART_D_PHOTON + j]
                measure_particle(
                    event_id[i], k, _PHOTON, p4[a + k], detector, state, photons[j]
                )  # fmt: skip
            constrain_pi0(
                photons[0], energy_error(photons[0], detector.photons),
                photons[1], energy_error(photons[1], detector.photons),
                detector.pi0_mass, momentum,
            )  # fmt: skip
            n = _add(parts, n, _CHARM_PI0, a + mine[_PART_D_PHOTON], momentum)
            parts.partner[n - 1] = a + mine[_PART_D_PHOTON + 1]
        parts.offsets[c + 1] = n


@lean_kernel
def _prong_species(mode: int) -> int:
    """Return what the track of a prong is taken for by its `TauMode`."""
    if mode == _TAU_E:
        return _SPECIES_E
    return _SPECIES_MU if mode == _TAU_MU else _SPECIES_PI


@lean_kernel
def _measure(
    event: int,
    a: int,
    k: int,
    species: int,
    pdgid: Int32Array,
    p4: FloatArray,
    selection: Selection,
    detector: DetectorModel,
    state: UInt64Array,
    out: FloatArray,
) -> None:
    """Write the measured momentum (4,) of the track of row `k`, taken for a `Species`."""
    measure_particle(event, k - a, pdgid[k], p4[k], detector, state, out)
    if abs(pdgid[k]) != _PDG[species]:
        square = selection.mass[species] ** 2
        for x in range(3):
            square += out[x] * out[x]
        out[3] = np.sqrt(square)
