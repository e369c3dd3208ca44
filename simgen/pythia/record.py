"""From Pythia's event record to the columns of an `EventBlock`.

Pythia's record holds the collision, partons, showers, copies with recoil, and hadrons. Kept are
final particles and particles that decay. What came from a string has the collision as its
mother, or the hadron whose partons they were. The record is in the rest frame of the collision
with the electrons along z.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from simgen.events import DECAYED, FINAL, EventBlock
from simgen.jit import kernel, lean_kernel
from simgen.lorentz import boost_by_matrix, boost_matrix, compose
from simgen.pythia.undecayed import LAMBDA_C_2625, LAMBDA_C_2625_PDG

if TYPE_CHECKING:
    from simgen.typing import BoolArray, FloatArray, Int8Array, Int32Array, IntArray

_GLUON = 21
_HEAVIEST_QUARK = 8
_BARYONS = 10_000
# Status codes, arXiv:2203.11601 section 10.3: products of the hard process, products of decays.
_HARD = 23
_FIRST_OF_DECAYS, _LAST_OF_DECAYS = 91, 99


class Record(NamedTuple):
    """Pythia's record of some events, flat: rows ``offsets[i]:offsets[i + 1]`` are event i's.

    The production vertex of row i is row ``made_at[i]`` of x, y, z, t; it is the collision where
    that is negative.
    """

    offsets: IntArray
    pdgid: Int32Array
    status: Int32Array
    mother: Int32Array
    px: FloatArray
    py: FloatArray
    pz: FloatArray
    energy: FloatArray
    made_at: Int32Array
    x: FloatArray
    y: FloatArray
    z: FloatArray
    t: FloatArray


def read_record(batch: Any) -> Record:
    """Return the record of what ``Pythia.nextBatch`` returned, without the events it gave up.

    These are the arrays themselves: to flatten and fill them by awkward's operations costs as
    much as a fifth of an event.
    """
    layout = batch.layout
    if layout.is_option:
        whole = len(layout.content) == len(layout) and not made_none(batch).any()
        layout = layout.content if whole else _packed(batch)
    particles = layout["prt"].to_ListOffsetArray64()
    first, last = int(particles.offsets[0]), int(particles.offsets[-1])
    rows = particles.content[first:last]
    p, made_at = rows["p"], rows["vProd"].to_IndexedOptionArray64()
    x = made_at.content
    return Record(
        offsets=np.asarray(particles.offsets) - first,
        pdgid=rows["id"].data,
        status=rows["status"].data,
        mother=rows["mother1"].data,
        px=p["px"].data,
        py=p["py"].data,
        pz=p["pz"].data,
        energy=p["e"].data,
        made_at=np.asarray(made_at.index).astype(np.int32),
        x=x["px"].data,
        y=x["py"].data,
        z=x["pz"].data,
        t=x["e"].data,
    )


def made_none(batch: Any) -> BoolArray:
    """Say which events of a batch Pythia gave up."""
    layout = batch.layout
    if not layout.is_option:
        return np.zeros(len(batch), np.bool_)
    return np.asarray(layout.mask_as_bool(valid_when=False))


def _packed(batch: Any) -> Any:
    """Return the layout of the events that Pythia made, and of no others."""
    import awkward as ak

    return ak.to_packed(ak.drop_none(batch, axis=0)).layout


def to_events(
    record: Record,
    event_id: IntArray,
    beam: FloatArray,
    vertex: FloatArray,
    axis: FloatArray,
    root: int,
    flights: FloatArray,
) -> EventBlock:
    """Return the events of a record, in the lab.

    Parameters
    ----------
    record
        Of these events.
    event_id
        (n,) their numbers.
    beam
        (n, 4) total four-momentum of the beams.
    vertex
        (n, 3) primary vertices.
    axis
        (3,) direction of the electrons in the rest frame of the collision.
    root
        PDG number of the collision, the first particle of each event.
    flights
        (n, k) proper times in mm/c of the first k particles of the record, which Pythia decays on
        the spot.

    Returns
    -------
    EventBlock
        The process is the number of the quark or lepton that the hard process made, 0 if it made
        none.
    """
    n, rows = len(event_id), len(record.pdgid) + len(event_id)
    offsets = np.zeros(n + 1, np.int64)
    process = np.zeros(n, np.int32)
    pdgid, mother = np.empty(rows, np.int32), np.empty(rows, np.int32)
    status = np.empty(rows, np.int8)
    p4, production = np.empty((rows, 4)), np.empty((rows, 4))
    out = _Columns(offsets, process, pdgid, mother, status, p4, production)
    used = _convert(record, beam, vertex, _rotation_to(axis), root, flights, out)
    return EventBlock(
        event_id=event_id,
        weight=np.ones(n),
        process=process,
        beam=beam,
        vertex=vertex,
        offsets=offsets,
        pdgid=pdgid[:used],
        mother=mother[:used],
        status=status[:used],
        p4=p4[:used],
        production=production[:used],
    )


def _rotation_to(axis: FloatArray) -> FloatArray:
    """Return a (4, 4) rotation that takes the z axis to a unit vector."""
    z = axis / np.linalg.norm(axis)
    across = np.eye(3)[np.argmin(np.abs(z))]
    x = np.cross(across, z)
    x /= np.linalg.norm(x)
    rotation = np.eye(4)
    rotation[:3, :3] = np.stack([x, np.cross(z, x), z], axis=1)
    return rotation


@lean_kernel
def _is_parton(pdgid: int) -> bool:
    """Say whether a number is that of a quark, gluon or diquark."""
    code = abs(pdgid)
    if code <= _HEAVIEST_QUARK or code == _GLUON:
        return True
    return 1000 < code < _BARYONS and (code // 10) % 10 == 0


@lean_kernel
def _own_number(pdgid: int) -> int:
    """Return the PDG number of a particle that Pythia numbers otherwise."""
    if abs(pdgid) == LAMBDA_C_2625:
        return LAMBDA_C_2625_PDG if pdgid > 0 else -LAMBDA_C_2625_PDG
    return pdgid


@lean_kernel
def _choose(
    record: Record, first: int, n: int, decays: BoolArray, kept: BoolArray, above: IntArray
) -> None:
    """Say which entries of an event are kept, and what the nearest kept one above each is.

    `above` is 0 for the collision itself.
    """
    for i in range(n):
        decays[i] = False
    for i in range(n):
        code = abs(record.status[first + i])
        if _FIRST_OF_DECAYS <= code <= _LAST_OF_DECAYS:
            decays[record.mother[first + i]] = True
    kept[0] = False
    above[0] = 0
    for i in range(1, n):
        final_or_decays = record.status[first + i] > 0 or decays[i]
        kept[i] = final_or_decays and not _is_parton(record.pdgid[first + i])
        m = record.mother[first + i]
        # a mother stands above its daughters, so what is above it is known
        above[i] = m if kept[m] else above[m]


class _Columns(NamedTuple):
    """What is filled; see `simgen.events.EventBlock`."""

    offsets: IntArray
    process: Int32Array
    pdgid: Int32Array
    mother: Int32Array
    status: Int8Array
    p4: FloatArray
    production: FloatArray


class _Scratch(NamedTuple):
    """Working memory, for each entry of the largest record."""

    decays: BoolArray
    kept: BoolArray
    above: IntArray
    order: IntArray
    place: IntArray
    shift: FloatArray
    boost: FloatArray
    to_lab: FloatArray
    four: FloatArray


@kernel
def _convert(
    record: Record,
    beam: FloatArray,
    vertex: FloatArray,
    rotation: FloatArray,
    root: int,
    flights: FloatArray,
    out: _Columns,
) -> int:
    """Fill the columns of `to_events`; return the number of particles."""
    largest = np.max(np.diff(record.offsets))
    scratch = _Scratch(
        np.zeros(largest, np.bool_),
        np.zeros(largest, np.bool_),
        np.zeros(largest, np.int64),
        np.zeros(largest, np.int64),
        np.zeros(largest, np.int64),
        np.zeros((largest, 4)),
        np.zeros((4, 4)),
        np.zeros((4, 4)),
        np.zeros(4),
    )
    row = 0
    for e in range(len(beam)):
        out.offsets[e] = row
        row += _convert_event(record, e, beam[e], vertex[e], rotation, root, flights[e], row, out,
                              scratch)  # fmt: skip
    out.offsets[len(beam)] = row
    return row


@lean_kernel
def _in_order_of_mothers(n: int, scratch: _Scratch) -> int:
    """List the kept ones of n entries in ``order``; return their number.

    By the mother's place in the record: siblings side by side, and mothers before daughters,
    because the mother of a mother stands above her.
    """
    order, above = scratch.order, scratch.above
    count = 0
    for i in range(1, n):
        if not scratch.kept[i]:
            continue
        k = count
        while k > 0 and above[order[k - 1]] > above[i]:
            order[k] = order[k - 1]
            k -= 1
        order[k] = i
        count += 1
    return count


@lean_kernel
def _add_flight(
    i: int, row: int, flights: FloatArray, p4: FloatArray, scratch: _Scratch, made_at: FloatArray
) -> None:
    """Move what entry `i` is made at by the flights of what it descends from."""
    shift, m = scratch.shift, scratch.above[i]
    scale = 0.0
    parent = p4[row + scratch.place[m]]
    if 0 < m <= len(flights):
        mass_2 = parent[3] ** 2 - parent[0] ** 2 - parent[1] ** 2 - parent[2] ** 2
        scale = flights[m - 1] / np.sqrt(mass_2)
    for j in range(4):
        shift[i, j] = shift[m, j] if m > 0 else 0.0
        if scale != 0.0:
            shift[i, j] = parent[j] * scale
        made_at[j] += shift[i, j]


@lean_kernel
def _convert_event(
    record: Record,
    e: int,
    total: FloatArray,
    vertex: FloatArray,
    rotation: FloatArray,
    root: int,
    flights: FloatArray,
    row: int,
    out: _Columns,
    scratch: _Scratch,
) -> int:
    """Fill the rows of event `e` from `row` on; return their number."""
    first = record.offsets[e]
    n = record.offsets[e + 1] - first
    above, place = scratch.above, scratch.place
    four, to_lab = scratch.four, scratch.to_lab
    _choose(record, first, n, scratch.decays, scratch.kept, above)
    for i in range(n):
        if abs(record.status[first + i]) == _HARD:
            out.process[e] = abs(record.pdgid[first + i])
            break
    count = _in_order_of_mothers(n, scratch)
    s = total[3] ** 2 - total[0] ** 2 - total[1] ** 2 - total[2] ** 2
    boost_matrix(total[0], total[1], total[2], total[3], np.sqrt(s), scratch.boost)
    compose(scratch.boost, rotation, to_lab)
    out.pdgid[row], out.mother[row], out.status[row] = root, -1, DECAYED
    for j in range(4):
        out.p4[row, j] = total[j]
        out.production[row, j] = vertex[j] if j < 3 else 0.0
    place[0] = 0
    for k in range(count):
        i = scratch.order[k]
        place[i] = 1 + k
        at, own = row + 1 + k, first + i
        out.pdgid[at] = _own_number(record.pdgid[own])
        out.mother[at] = place[above[i]]
        out.status[at] = DECAYED if scratch.decays[i] else FINAL
        four[0], four[1] = record.px[own], record.py[own]
        four[2], four[3] = record.pz[own], record.energy[own]
        boost_by_matrix(to_lab, four, out.p4[at])
        made_at = out.production[at]
        v = record.made_at[own]
        if v >= 0:
            four[0], four[1] = record.x[v], record.y[v]
            four[2], four[3] = record.z[v], record.t[v]
            boost_by_matrix(to_lab, four, made_at)
        else:
            made_at[:] = 0.0
        if len(flights) > 0:
            _add_flight(i, row, flights, out.p4, scratch, made_at)
        for j in range(3):
            made_at[j] += vertex[j]
    return 1 + count
