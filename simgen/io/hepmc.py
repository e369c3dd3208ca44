"""HepMC files: events of other generators in, events of this one out.

HepMC3: A. Buckley et al., Comput. Phys. Commun. 260 (2021) 107310, arXiv:1912.08005, through the
package `pyhepmc`.
"""

from __future__ import annotations

import gzip
import io
import mmap
import re
import shutil
import tempfile
import zlib
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from simgen.errors import FileFormatError, RunError
from simgen.events import DECAYED, FINAL, EventBlock
from simgen.io.atomic import atomic_file
from simgen.particles import particle_table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from simgen.typing import FloatArray, IntArray

GZIP_SUFFIX = ".gz"
_GZIP_MAGIC = b"\x1f\x8b"
_VPHO = 10022
_PROCESS = "signal_process_id"  # the name HepMC gives it
_BEAM_STATUS, _FINAL_STATUS = 4, 1
_PARTON_CODES = frozenset({*range(1, 10), 21, *range(81, 101)})
# By format: its first and last line, and where a particle's line has the PDG number.
_FORMATS = {
    "hepmc3": (b"HepMC::Asciiv3-START_EVENT_LISTING", b"HepMC::Asciiv3-END_EVENT_LISTING",
               re.compile(rb"^P \d+ -?\d+ (-?\d+) ", re.MULTILINE)),
    "hepmc2": (b"HepMC::IO_GenEvent-START_EVENT_LISTING", b"HepMC::IO_GenEvent-END_EVENT_LISTING",
               re.compile(rb"^P -?\d+ (-?\d+) ", re.MULTILINE)),
}  # fmt: skip
_EVENT_LINE = re.compile(rb"^E ", re.MULTILINE)
_HEAD_BYTES = 4096
_DIGITS = 17  # a double comes back as it was


class HepMCEvents:
    """The events of one HepMC file by their position, checked when it is opened.

    Parameters
    ----------
    path
        HepMC3 or HepMC2 (IO_GenEvent) text, which may be compressed by gzip.

    Raises
    ------
    FileFormatError
        If the file is not of these formats, is cut, or has a particle that is not known; names
        the event.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._text = _map_text(path)
        self._format = self._find_format()
        _, end, particle = _FORMATS[self._format]
        self._offsets = [m.start() for m in _EVENT_LINE.finditer(self._text)]
        last = self._text.rfind(end)
        if last < 0:
            raise FileFormatError(
                f"{path}: is cut: the line {end.decode()} is missing after event "
                f"{len(self._offsets) - 1} (counted from 0)"
            )
        self._offsets.append(last)
        if len(self._offsets) == 1:
            raise FileFormatError(f"{path}: has no events")
        self._head = self._text[: self._offsets[0]]
        self._tail = end + b"\n\n"
        self._check_particles(particle)

    def __len__(self) -> int:
        return len(self._offsets) - 1

    def _find_format(self) -> str:
        """Return the name of the file's format."""
        head = self._text[:_HEAD_BYTES]
        for name, (start, _, _) in _FORMATS.items():
            if start in head:
                return name
        starts = ", ".join(start.decode() for start, _, _ in _FORMATS.values())
        raise FileFormatError(
            f"{self.path}: is not a HepMC file; one of these is missing: {starts}"
        )

    def _check_particles(self, pattern: re.Pattern[bytes]) -> None:
        """Refuse particles that are not known, partons aside."""
        table = particle_table()
        seen: dict[bytes, bool] = {}
        for match in pattern.finditer(self._text):
            code = match.group(1)
            if code not in seen:
                pdgid = int(code)
                seen[code] = _is_parton(pdgid) or table.knows(pdgid)
                if not seen[code]:
                    event = np.searchsorted(self._offsets, match.start()) - 1
                    raise FileFormatError(
                        f"{self.path}: event {event} (counted from 0): particle {pdgid} is not "
                        "known here"
                    )

    def read(self, first: int, last: int) -> list[Any]:
        """Return the ``pyhepmc.GenEvent`` of events `first` to ``last - 1``.

        Raises
        ------
        RunError
            If an event cannot be read.
        """
        import pyhepmc

        chunk = self._text[self._offsets[first] : self._offsets[last]]
        text = b"".join((self._head, chunk, self._tail))
        events = []
        with pyhepmc.open(io.BytesIO(text), "r", format=self._format) as file:
            for number in range(first, last):
                event = file.read()
                if event is None or not self._is_whole(event, number):
                    raise RunError(f"{self.path}: event {number} (counted from 0) cannot be read")
                event.set_units(pyhepmc.Units.GEV, pyhepmc.Units.MM)
                events.append(event)
        return events

    def _is_whole(self, event: Any, number: int) -> bool:
        """Say whether an event has as many particles as lines of them."""
        chunk = self._text[self._offsets[number] : self._offsets[number + 1]]
        return bool(len(event.particles) == chunk.count(b"\nP "))


def _map_text(path: Path) -> mmap.mmap:
    """Return the text of a file in memory that the system pages in; gzip is expanded."""
    try:
        with path.open("rb") as file:
            if file.read(2) != _GZIP_MAGIC:
                return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
            file.seek(0)
            with tempfile.TemporaryFile() as expanded, gzip.open(file) as source:
                shutil.copyfileobj(source, expanded)
                expanded.flush()
                return mmap.mmap(expanded.fileno(), 0, access=mmap.ACCESS_READ)
    except (EOFError, zlib.error) as error:
        raise FileFormatError(f"{path}: is cut: the compressed data end too early") from error
    except ValueError as error:
        raise FileFormatError(f"{path}: is empty") from error
    except OSError as error:
        raise FileFormatError(f"{path}: cannot be read: {error.strerror or error}") from error


def _is_parton(pdgid: int) -> bool:
    """Say whether a number is that of a quark, gluon, diquark, or of a generator's string."""
    code = abs(pdgid)
    return code in _PARTON_CODES or (1000 < code < 10_000 and (code // 10) % 10 == 0)


class _Tree(NamedTuple):
    """The particles kept of one event, mothers first, the collision at 0."""

    pdgid: list[int]
    mother: list[int]
    status: list[int]
    p4: FloatArray
    production: FloatArray
    beam: FloatArray


def to_events(events: Sequence[Any], event_id: IntArray) -> EventBlock:
    """Return an `EventBlock` of HepMC events.

    Kept are final particles (status 1) and, of what has a decay vertex, all but beams (status 4),
    partons and copies of the same particle. Where more than one particle is then without a
    mother, a virtual photon is put above them.

    Parameters
    ----------
    events
        In GeV and mm.
    event_id
        Their numbers here.
    """
    trees = [_read_tree(event) for event in events]
    counts = [len(t.pdgid) for t in trees]
    return EventBlock(
        event_id=event_id,
        weight=np.array([float(e.weights[0]) if len(e.weights) else 1.0 for e in events]),
        process=np.array([_process(e) for e in events], dtype=np.int32),
        beam=np.array([t.beam for t in trees]),
        vertex=np.array([t.production[0, :3] for t in trees]),
        offsets=np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
        pdgid=np.concatenate([t.pdgid for t in trees]).astype(np.int32),
        mother=np.concatenate([t.mother for t in trees]).astype(np.int32),
        status=np.concatenate([t.status for t in trees]).astype(np.int8),
        p4=np.concatenate([t.p4 for t in trees]),
        production=np.concatenate([t.production for t in trees]),
    )


def _process(event: Any) -> int:
    """Return the number of the hard process, 0 if the event has none."""
    if _PROCESS not in event.attributes:
        return 0
    found = event.attributes[_PROCESS]  # text that has not been parsed, or a number
    return int(found.astype(int) if hasattr(found, "astype") else found)


def _read_tree(event: Any) -> _Tree:
    """Return the particles kept of one event."""
    columns = event.numpy.particles
    pdgid, status = columns.pid.tolist(), columns.status.tolist()
    p4 = np.stack([columns.px, columns.py, columns.pz, columns.e], axis=1)
    n = len(pdgid)
    production, decay = np.zeros((n, 4)), np.zeros((n, 4))
    mother, copied, decays = [-1] * n, [False] * n, [False] * n
    for vertex in event.vertices:
        x = vertex.position
        place = (x.x, x.y, x.z, x.t)
        into = [p.id - 1 for p in vertex.particles_in]
        out = [p.id - 1 for p in vertex.particles_out]
        for i in out:
            mother[i] = into[0] if into else -1
            production[i] = place
        for i in into:
            decays[i] = bool(out)
            decay[i] = place
            copied[i] = len(into) == len(out) == 1 and pdgid[i] == pdgid[out[0]]
    beams = [i for i in range(n) if status[i] == _BEAM_STATUS]
    kept = [
        (status[i] == _FINAL_STATUS and not decays[i])
        or (decays[i] and not copied[i] and i not in beams and not _is_parton(pdgid[i]))
        for i in range(n)
    ]
    above = [_nearest(i, mother, kept) for i in range(n)]
    rows = _siblings_together([i for i in range(n) if kept[i]], above)
    tops = [i for i in rows if above[i] < 0]
    final = [i for i in rows if not decays[i]]
    total = p4[final].sum(axis=0)
    whole = p4[tops[0]] if len(tops) == 1 else total
    beam = p4[beams].sum(axis=0) if beams else whole
    states = [DECAYED if decays[i] else FINAL for i in rows]
    if len(tops) == 1:
        at = {i: k for k, i in enumerate(rows)}
        production[tops[0]] = decay[tops[0]]
        mothers = [at.get(above[i], -1) for i in rows]
        return _Tree([pdgid[i] for i in rows], mothers, states, p4[rows], production[rows], beam)
    at = {i: k + 1 for k, i in enumerate(rows)}
    origin = production[tops[0]] if tops else np.zeros(4)
    return _Tree(
        [_VPHO, *(pdgid[i] for i in rows)],
        [-1, *(at.get(above[i], 0) for i in rows)],
        [DECAYED, *states],
        np.concatenate([total[None], p4[rows]]),
        np.concatenate([origin[None], production[rows]]),
        beam,
    )


def _nearest(i: int, mother: Sequence[int], kept: Sequence[bool]) -> int:
    """Return the nearest kept particle above one, -1 for none."""
    m = mother[i]
    while m >= 0 and not kept[m]:
        m = mother[m]
    return m


def _siblings_together(rows: Sequence[int], above: Sequence[int]) -> list[int]:
    """Return rows as the decay engine orders them: all daughters, then what is below each."""
    below: dict[int, list[int]] = {}
    for i in rows:
        below.setdefault(above[i], []).append(i)
    ordered: list[int] = []
    waiting = [-1]
    while waiting:
        daughters = below.get(waiting.pop(), [])
        ordered.extend(daughters)
        waiting.extend(reversed(daughters))
    return ordered


def write_hepmc(blocks: Iterable[EventBlock], path: Path, advance: Callable[[int], None]) -> None:
    """Write events as HepMC3 text, compressed if the name ends in ``.gz``.

    Parameters
    ----------
    blocks
        In order.
    path
        The file, which appears when it is whole.
    advance
        Called with the number of events that are done.
    """
    import pyhepmc

    run_info = pyhepmc.GenRunInfo()
    run_info.weight_names = ["weight"]
    with atomic_file(path) as target:
        stream: Any = target
        if path.suffix == GZIP_SUFFIX:
            stream = gzip.GzipFile(fileobj=target, mode="wb", mtime=0, filename="")
        with pyhepmc.open(stream, "w", precision=_DIGITS, format="hepmc3") as file:
            for block in blocks:
                for i in range(len(block)):
                    file.write(_to_hepmc(block, i, run_info))
                advance(len(block))
        if stream is not target:
            stream.close()


def _to_hepmc(block: EventBlock, i: int, run_info: Any) -> Any:
    """Return one event as ``pyhepmc.GenEvent``."""
    import pyhepmc

    rows = slice(int(block.offsets[i]), int(block.offsets[i + 1]))
    p4, production = block.p4[rows], block.production[rows]
    mass = np.sqrt(np.maximum(p4[:, 3] ** 2 - np.sum(p4[:, :3] ** 2, axis=1), 0.0))
    mother = block.mother[rows].astype(np.int32) + 1
    event = pyhepmc.GenEvent(pyhepmc.Units.GEV, pyhepmc.Units.MM)
    event.from_hepevt(
        int(block.event_id[i]), *p4.T, mass, block.pdgid[rows], block.status[rows].astype(np.int32),
        np.stack([mother, mother], axis=1), None, *production.T, True,
    )  # fmt: skip
    event.run_info = run_info
    event.weights = [float(block.weight[i])]
    event.attributes[_PROCESS] = int(block.process[i])
    return event
