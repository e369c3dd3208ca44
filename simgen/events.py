"""The columnar event record every stage shares."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

import numpy as np

from simgen.io.layout import (
    MOMENTUM,
    POSITION,
    SPACETIME,
    Columns,
    Field,
    Layout,
    from_columns,
    to_columns,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import awkward as ak
    from numpy.typing import NDArray

    from simgen.typing import FloatArray, Int8Array, Int32Array, IntArray

FINAL, DECAYED = 1, 2


@dataclass(frozen=True, slots=True)
class EventBlock:
    """Truth of consecutive events: one row an event, one row a particle.

    Lab frame, GeV, mm and mm/c. The particles of event ``i`` are rows
    ``offsets[i]:offsets[i + 1]``, mothers before daughters, siblings side by side.

    Attributes
    ----------
    event_id
        (n,) int64, the number that keys the event's random streams.
    weight
        (n,) float64.
    process
        (n,) int32; for decay files the index of the root particle's channel.
    beam
        (n, 4) float64, total four-momentum of the two beams in this event.
    vertex
        (n, 3) float64, primary vertex.
    offsets
        (n + 1,) int64, first 0.
    pdgid
        (N,) int32, PDG Monte Carlo number.
    mother
        (N,) int32, index within the event, -1 for the root.
    status
        (N,) int8, `FINAL` (1) or `DECAYED` (2).
    p4
        (N, 4) float64 (px, py, pz, E).
    production
        (N, 4) float64 (x, y, z, t), where and when the particle was made.
    """

    event_id: IntArray
    weight: FloatArray
    process: Int32Array
    beam: FloatArray
    vertex: FloatArray
    offsets: IntArray
    pdgid: Int32Array
    mother: Int32Array
    status: Int8Array
    p4: FloatArray
    production: FloatArray

    def __len__(self) -> int:
        return len(self.event_id)

    @property
    def n_particles(self) -> int:
        """Number of particles in all events."""
        return int(self.offsets[-1])

    @property
    def event_index(self) -> IntArray:
        """(N,) row of the event each particle belongs to."""
        return np.repeat(np.arange(len(self), dtype=np.int64), np.diff(self.offsets))

    @property
    def mother_row(self) -> IntArray:
        """(N,) row of each particle's mother in this block, -1 for roots."""
        start = np.repeat(self.offsets[:-1], np.diff(self.offsets))
        return np.where(self.mother < 0, -1, start + self.mother)

    def decay_vertices(self) -> FloatArray:
        """(N, 4) where and when each particle decayed; nan for final particles."""
        out = np.full((self.n_particles, 4), np.nan)
        mother = self.mother_row
        has_mother = mother >= 0
        out[mother[has_mother]] = self.production[has_mother]
        return out

    def columns(self) -> Columns:
        """Return one array a dataset of a truth file; ``offsets`` start at 0."""
        return to_columns(EVENT_LAYOUT, self)

    @classmethod
    def from_columns(cls, columns: Mapping[str, NDArray[np.generic]]) -> EventBlock:
        """Build a block from the datasets of a truth file."""
        return cls(**from_columns(EVENT_LAYOUT, columns))  # type: ignore[arg-type]

    def select(self, first: int, last: int) -> EventBlock:
        """Return events ``first:last`` of this block."""
        a, b = int(self.offsets[first]), int(self.offsets[last])
        return EventBlock(
            **{name: getattr(self, name)[first:last] for name in EVENT_FIELDS},
            offsets=self.offsets[first : last + 1] - a,
            **{name: getattr(self, name)[a:b] for name in PARTICLE_FIELDS},
        )

    def take(self, chosen: IntArray) -> EventBlock:
        """Return the events of these rows, in this order."""
        rows = ragged_rows(self.offsets, chosen)
        counts = np.diff(self.offsets)[chosen]
        return EventBlock(
            **{name: getattr(self, name)[chosen] for name in EVENT_FIELDS},
            offsets=np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
            **{name: getattr(self, name)[rows] for name in PARTICLE_FIELDS},
        )

    def before(self, event_id: int) -> EventBlock:
        """Return the events with smaller numbers; numbers ascend in a block."""
        return self.select(0, int(np.searchsorted(self.event_id, event_id)))

    def to_awkward(self) -> ak.Array:
        """Return one record an event, its particles as a jagged list of Momentum4D records.

        A particle's production vertex is its field ``production``, a Vector4D record.
        `vector.register_awkward` makes the particles' ``pt``, ``mass``, ``boost`` and so on
        available.
        """
        import awkward as ak

        particles = ak.zip(
            {
                "px": self.p4[:, 0],
                "py": self.p4[:, 1],
                "pz": self.p4[:, 2],
                "energy": self.p4[:, 3],
                "pdgid": self.pdgid,
                "mother": self.mother,
                "status": self.status,
                "production": ak.zip(
                    dict(zip(SPACETIME, self.production.T, strict=True)), with_name="Vector4D"
                ),
            },
            with_name="Momentum4D",
            depth_limit=1,
        )
        return ak.zip(
            {
                "event_id": self.event_id,
                "weight": self.weight,
                "process": self.process,
                "beam": ak.zip(
                    dict(zip(MOMENTUM, self.beam.T, strict=True)),
                    with_name="Momentum4D",
                ),
                "vertex": ak.zip(
                    dict(zip(POSITION, self.vertex.T, strict=True)), with_name="Vector3D"
                ),
                "particles": ak.unflatten(particles, np.diff(self.offsets)),
            },
            depth_limit=1,
        )


EVENT_LAYOUT: Layout = {
    "event_id": Field("events", "i8", "1", "number that keys the event's random streams"),
    "weight": Field("events", "f8", "1", "event weight"),
    "process": Field("events", "i4", "1", "channel of the root particle"),
    "beam": Field("events", "f8", "GeV", "total four-momentum of the beams", MOMENTUM),
    "vertex": Field("events", "f8", "mm", "primary vertex", POSITION),
    "offsets": Field("events", "i8", "1", "event i has particles offsets[i]:offsets[i + 1]"),
    "pdgid": Field("particles", "i4", "1", "PDG Monte Carlo number"),
    "mother": Field("particles", "i4", "1", "index of the mother in the event, -1 for the root"),
    "status": Field("particles", "i1", "1", "1 final, 2 decayed"),
    "p4": Field("particles", "f8", "GeV", "four-momentum", MOMENTUM, flat=True),
    "production": Field(
        "particles", "f8", "mm", "production vertex; t in mm/c", SPACETIME, flat=True
    ),
}
EVENT_FIELDS = ("event_id", "weight", "process", "beam", "vertex")
PARTICLE_FIELDS = ("pdgid", "mother", "status", "p4", "production")


def ragged_rows(offsets: IntArray, chosen: IntArray) -> IntArray:
    """Return the rows ``offsets[i]:offsets[i + 1]`` of each chosen i, one after the other."""
    counts = np.diff(offsets)[chosen]
    starts = np.cumsum(counts) - counts
    rows: IntArray = np.arange(counts.sum()) + np.repeat(offsets[chosen] - starts, counts)
    return rows


def concatenate(blocks: Sequence[EventBlock]) -> EventBlock:
    """Join blocks in order.

    Parameters
    ----------
    blocks
        At least one.
    """
    if len(blocks) == 1:
        return blocks[0]
    columns: dict[str, Any] = {
        f.name: np.concatenate([getattr(b, f.name) for b in blocks])
        for f in fields(EventBlock)
        if f.name != "offsets"
    }
    counts = np.concatenate([np.diff(b.offsets) for b in blocks])
    columns["offsets"] = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    return EventBlock(**columns)
