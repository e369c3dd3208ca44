"""Combinatorial candidates of a block of events of any source."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from detector.combinations import (
    Passed,
    enough_identified,
    least_tracks,
    read_event,
    track_number_fits,
)
from detector.event_objects import (
    EventObjects,
    EventParticles,
    combine_pi0s,
    find_tracks,
    measure_photons,
    measure_tracks,
)
from detector.identification import species_of
from detector.pair_combinations import read_pair
from detector.reading import N_PARTS, Part, Reading, Selection, new_reading, selection_model
from detector.reconstruct import DetectorModel, detector_model
from detector.streams import BEST_CANDIDATE
from detector.topology import Role, longest_event
from detector.tracks import track_accepted
from simgen.jit import kernel, lean_kernel
from simgen.random import Stage, new_stream, seek

if TYPE_CHECKING:
    from detector.config import CandidateConfig
    from detector.profiles import DetectorProfile
    from simgen.events import EventBlock
    from simgen.typing import BoolArray, FloatArray, Int8Array, Int32Array, IntArray, UInt64Array


class Combined(NamedTuple):
    """The best candidate of each of n events; rows of events without one are not filled.

    Attributes
    ----------
    skipped
        (n,) which events were not read at all; see `CandidateConfig.prefilter`.
    passed
        (n,) int8, `Passed`; those with the last are candidates.
    readings
        (n,) number of readings that pass all but E_extra.
    part
        (n, N_PARTS) tracks and photons by index in the event, -1 for none; see `Part`.
    kind
        (n, 5) int8: `TauMode` of the prong, `TagMeson`, `DMode` and flavour of the tag lepton,
        `TauMode` of the tag of a tau pair.
    value
        (n, 4) M(D), M(D*) - M(D), cos(theta_BY), E_extra.
    measured
        (len(Role), n, 4) momenta.
    """

    skipped: BoolArray
    passed: Int8Array
    readings: IntArray
    part: IntArray
    kind: Int8Array
    value: FloatArray
    measured: FloatArray


def combine_block(
    block: EventBlock, profile: DetectorProfile, config: CandidateConfig, seed: int
) -> Combined:
    """Find the best candidate of each event of a block.

    An event of which the tracks cannot be a candidate by their number or charge is given up before
    anything is measured. That changes no candidate, since every random
    number belongs to a particle of its event.

    Parameters
    ----------
    block
        True events of any source.
    profile
        Beams and detector.
    config
        What is reconstructed, and the selection.
    seed
        The run's seed.
    """
    n, selection = len(block), selection_model(config)
    found = Combined(
        skipped=np.zeros(n, dtype=np.bool_),
        passed=np.zeros(n, dtype=np.int8),
        readings=np.zeros(n, dtype=np.int64),
        part=np.full((n, N_PARTS), -1, dtype=np.int64),
        kind=np.zeros((n, 5), dtype=np.int8),
        value=np.full((n, 4), np.nan),
        measured=np.zeros((len(Role), n, 4)),
    )
    _combine(
        block.event_id,
        block.offsets,
        block.pdgid,
        block.mother,
        block.status,
        np.ascontiguousarray(block.p4),
        np.ascontiguousarray(block.production),
        detector_model(profile),
        selection,
        least_tracks(selection) if config.prefilter == "tracks" else 0,
        config.efficiency == "ignored",
        config.identification == "ignored",
        profile.beams.total(),
        new_stream(seed, int(Stage.SMEAR)),
        found,
    )
    return found


_CANDIDATE = int(Passed.E_EXTRA)
_TRACKS, _CHARGE = int(Passed.TRACKS), int(Passed.CHARGE)
_N_PARTS, _N_ROLES = N_PARTS, len(Role)
_D_PHOTON, _SLOW_PHOTON = int(Part.D_PHOTON), int(Part.SLOW_PHOTON)
_PRONG_PHOTON = int(Part.PRONG_PHOTON)


@kernel
def _combine(
    event_id: IntArray,
    offsets: IntArray,
    pdgid: Int32Array,
    mother: Int32Array,
    status: Int8Array,
    p4: FloatArray,
    production: FloatArray,
    detector: DetectorModel,
    selection: Selection,
    least: int,
    all_found: bool,
    identified_as_true: bool,
    total: FloatArray,
    state: UInt64Array,
    found: Combined,
) -> None:
    """Fill `found` event by event."""
    longest = longest_event(offsets)
    continues = np.empty(longest, dtype=np.bool_)
    inside = np.empty(longest, dtype=np.bool_)
    rows = np.empty(longest, dtype=np.int64)
    best = new_reading()
    for i in range(len(event_id)):
        a, b = offsets[i], offsets[i + 1]
        if _fewer_than(least, pdgid, p4, a, b, detector):
            found.skipped[i] = True
            continue
        event = EventParticles(
            event_id[i], pdgid[a:b], mother[a:b], status[a:b], p4[a:b], production[a:b]
        )
        n, charge = find_tracks(event, all_found, detector, state, continues, inside, rows)
        if not track_number_fits(n, selection):
            continue
        found.passed[i] = _TRACKS
        if charge != 0:
            continue
        found.passed[i] = _CHARGE
        charges, hypotheses, tracks = measure_tracks(
            event, rows[:n], detector, identified_as_true, state
        )
        if not enough_identified(hypotheses, selection):
            continue
        photon_rows, photons = measure_photons(event, all_found, inside, detector, state)
        pairs, pi0s = combine_pi0s(
            event,
            all_found,
            photon_rows,
            photons,
            selection.pi0_min,
            selection.pi0_max,
            detector,
            state,
        )
        objects = EventObjects(
            rows[:n], charges, hypotheses, tracks, photon_rows, photons, pairs, pi0s
        )
        if selection.is_pair:
            found.passed[i], found.readings[i] = read_pair(objects, selection, total, best)
        else:
            seek(state, event_id[i], BEST_CANDIDATE)
            found.passed[i], found.readings[i] = read_event(objects, selection, total, state, best)
        if found.passed[i] == _CANDIDATE:
            _keep(i, objects, best, found)


@lean_kernel
def _fewer_than(
    least: int, pdgid: Int32Array, p4: FloatArray, first: int, last: int, detector: DetectorModel
) -> bool:
    """Say whether fewer particles than `least` can be tracks.

    All that is charged and in the acceptance counts, whether or not it is final: tracks are some
    of these.
    """
    count = 0
    for k in range(first, last):
        if count >= least:
            return False
        if species_of(abs(pdgid[k])) >= 0 and track_accepted(p4[k], detector.tracks):
            count += 1
    return count < least


@lean_kernel
def _keep(i: int, objects: EventObjects, best: Reading, found: Combined) -> None:
    """Write the best reading of event `i` to its row."""
    for j in range(_N_PARTS):
        k = best.part[j]
        is_photon = (
            _PRONG_PHOTON <= j < _PRONG_PHOTON + 2
            or _D_PHOTON <= j < _D_PHOTON + 2
            or j >= _SLOW_PHOTON
        )
        if k < 0:
            found.part[i, j] = -1
        else:
            found.part[i, j] = objects.photon[k] if is_photon else objects.track[k]
    found.kind[i, 0] = best.prong[0]
    found.kind[i, 1] = best.meson[0]
    found.kind[i, 2] = best.d_mode[0]
    found.kind[i, 3] = best.flavour[0]
    found.kind[i, 4] = best.tag_prong[0]
    for x in range(4):
        found.value[i, x] = best.value[x]
        for r in range(1, _N_ROLES):
            found.measured[r, i, x] = best.measured[r, x]
