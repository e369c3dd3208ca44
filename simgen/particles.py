"""Particles by their EvtGen name: mass, width, lifetime, spin, charge, antiparticle.

The file ``simgen/data/evtgen_properties.csv`` has masses, widths and decay lengths of EvtGen's own
table, so that distributions look like those of EvtGen. What is not listed there is that of the
package `particle` (Particle Data Group). The file ``simgen/data/evtgen_particles.csv`` adds what
that package does not know or has no value for: inclusive pseudo-particles, partons of a string,
unobserved states; its last column says where each row comes from. An empty cell means "as
elsewhere".
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from difflib import get_close_matches
from functools import lru_cache
from importlib.resources import files
from math import inf
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

import particle.data
from particle import Particle

from simgen.errors import UnknownParticleError

if TYPE_CHECKING:
    from collections.abc import Mapping

PROMPT_WIDTH = 1e-6
"""Natural width in GeV from which a particle decays where it is made (c tau = 0)."""

HBAR_C = 1.973269804593025e-13
"""hbar c in GeV mm: c tau = HBAR_C / width."""

GEV_PER_MEV = 1e-3
_MASS_RANGE_WIDTHS = 15.0


@dataclass(frozen=True, slots=True)
class ParticleData:
    """What the generator knows about one kind of particle.

    Attributes
    ----------
    name
        EvtGen name, for example ``anti-D*0``.
    pdgid
        PDG Monte Carlo number; EvtGen's own where the PDG has none.
    mass
        Pole mass in GeV.
    width
        Natural width in GeV; 0 where it is too small to matter or not measured.
    ctau
        Mean proper decay length in mm: infinite if stable, 0 if the decay is prompt (a width of
        `PROMPT_WIDTH` or more, or no measured lifetime but surely below 1e-6 mm).
    spin2
        Twice the spin.
    charge3
        Three times the electric charge.
    anti_name
        Name of the antiparticle, its own name if it is self-conjugate.
    """

    name: str
    pdgid: int
    mass: float
    width: float
    ctau: float
    spin2: int
    charge3: int
    anti_name: str


class ParticleTable:
    """Particles by EvtGen name and by PDG number.

    Parameters
    ----------
    by_name
        The particles by name.
    by_pdgid
        The particles by PDG number; several numbers may give the same particle.
    """

    def __init__(
        self, by_name: Mapping[str, ParticleData], by_pdgid: Mapping[int, ParticleData]
    ) -> None:
        self._by_name = MappingProxyType(dict(by_name))
        self._by_pdgid = MappingProxyType(dict(by_pdgid))

    def __contains__(self, name: object) -> bool:
        return name in self._by_name

    def __len__(self) -> int:
        return len(self._by_name)

    def __repr__(self) -> str:
        return f"<ParticleTable of {len(self)} particles>"

    def names(self) -> tuple[str, ...]:
        """All names, in the order of the underlying tables."""
        return tuple(self._by_name)

    def by_name(self, name: str) -> ParticleData:
        """Return the particle with an EvtGen name.

        Raises
        ------
        UnknownParticleError
            No particle has this name; the message names the three nearest.
        """
        try:
            return self._by_name[name]
        except KeyError:
            raise UnknownParticleError(
                f"unknown particle {name!r}; nearest names: {', '.join(self.nearest(name))}"
            ) from None

    def by_pdgid(self, pdgid: int) -> ParticleData:
        """Return the particle with a PDG number.

        Raises
        ------
        UnknownParticleError
            No particle has this number; the message names the three nearest.
        """
        try:
            return self._by_pdgid[int(pdgid)]
        except KeyError:
            near = get_close_matches(str(pdgid), map(str, self._by_pdgid), n=3, cutoff=0.0)
            named = ", ".join(f"{i} ({self._by_pdgid[int(i)].name})" for i in near)
            raise UnknownParticleError(
                f"unknown PDG identifier {pdgid}; nearest identifiers: {named}"
            ) from None

    def knows(self, pdgid: int) -> bool:
        """Say whether a particle has this PDG number."""
        return pdgid in self._by_pdgid

    def nearest(self, name: str) -> tuple[str, ...]:
        """Return the three known names that look most like `name`."""
        return tuple(get_close_matches(name, self._by_name, n=3, cutoff=0.0))


@lru_cache(maxsize=1)
def particle_table() -> ParticleTable:
    """Load the particle table, once a process.

    Returns
    -------
    ParticleTable
        Every EvtGen name for which `particle` or the table in ``simgen/data`` has a mass.
    """
    overrides = _read_overrides()
    names = _evtgen_names()
    names.update({row.pdgid: name for name, row in overrides.items()})
    by_name: dict[str, ParticleData] = {}
    by_pdgid: dict[int, ParticleData] = {}
    for pdgid, name in names.items():
        if name not in by_name:
            anti = names.get(-pdgid, name)
            found = _particle_data(name, pdgid, anti, overrides.get(name))
            if found is None:
                continue
            by_name[name] = found
        by_pdgid[pdgid] = by_name[name]
    return ParticleTable(by_name, by_pdgid)


class _Properties(NamedTuple):
    """One row of EvtGen's table; None where the cell is empty."""

    mass: float | None
    width: float | None
    below: float | None
    ctau: float | None


@lru_cache(maxsize=1)
def _evtgen_properties() -> dict[str, _Properties]:
    """Return masses, widths, ranges below the pole, GeV, and c tau, mm, of EvtGen, by name."""
    text = files("simgen.data").joinpath("evtgen_properties.csv").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    return {
        row["name"]: _Properties(*(_number(row[key]) for key in _Properties._fields))
        for row in csv.DictReader(lines)
    }


def _properties_of(name: str, anti_name: str) -> _Properties:
    """Return what EvtGen's table has of a particle or its antiparticle."""
    table = _evtgen_properties()
    return table.get(name) or table.get(anti_name) or _Properties(None, None, None, None)


def mass_range(data: ParticleData) -> float:
    """Return how far below its pole the lineshape of a particle begins, GeV."""
    listed = _properties_of(data.name, data.anti_name).below
    return _MASS_RANGE_WIDTHS * data.width if listed is None else listed


class _Override(NamedTuple):
    """One row of the override table; None where the cell is empty."""

    pdgid: int
    mass: float | None
    width: float | None
    ctau: float | None
    spin2: int | None
    charge3: int | None


def _read_overrides() -> dict[str, _Override]:
    """Read the override table; a row with an antiparticle gives two entries."""
    overrides: dict[str, _Override] = {}
    text = files("simgen.data").joinpath("evtgen_particles.csv").read_text(encoding="utf-8")
    for row in csv.DictReader(text.splitlines()):
        mass, width, ctau = (_number(row[key]) for key in ("mass", "width", "lifetime"))
        spin2, charge3 = (_integer(row[key]) for key in ("spin2", "charge3"))
        pdgid = int(row["pdgid"])
        overrides[row["name"]] = _Override(pdgid, mass, width, ctau, spin2, charge3)
        if row["anti"]:
            opposite = None if charge3 is None else -charge3
            overrides[row["anti"]] = _Override(-pdgid, mass, width, ctau, spin2, opposite)
    return overrides


def _number(cell: str) -> float | None:
    """Return the number in a cell, None for an empty one."""
    return float(cell) if cell else None


def _integer(cell: str) -> int | None:
    """Return the integer in a cell, None for an empty one."""
    return int(cell) if cell else None


def _evtgen_names() -> dict[int, str]:
    """Return the EvtGen name of each PDG number that `particle` lists."""
    text = particle.data.basepath.joinpath("pdgid_to_evtgenname.csv").read_text(encoding="utf-8")
    rows = csv.reader(line for line in text.splitlines() if not line.startswith("#"))
    next(rows)
    return {int(pdgid): name for pdgid, name in rows}


def _particle_data(
    name: str, pdgid: int, anti_name: str, override: _Override | None
) -> ParticleData | None:
    """Merge `particle` and the override; None if neither has a mass and a spin."""
    known = _known_particles().get(pdgid)
    if override is None and known is None:
        return None
    own = override or _Override(pdgid, None, None, None, None, None)
    listed = _properties_of(name, anti_name)
    mass = own.mass if listed.mass is None else listed.mass
    width = own.width if listed.width is None else listed.width
    if listed.ctau is not None:
        width = HBAR_C / listed.ctau
    spin2 = own.spin2
    charge3 = own.charge3
    if known is not None:
        if mass is None and known.mass is not None:
            mass = known.mass * GEV_PER_MEV
        if width is None and known.width is not None:
            width = known.width * GEV_PER_MEV
        if charge3 is None:
            charge3 = known.three_charge
        if spin2 is None and known.J is not None:
            spin2 = int(2 * known.J)
    if mass is None or spin2 is None or charge3 is None:
        return None
    ctau = own.ctau if own.ctau is not None else _proper_length(width)
    return ParticleData(name, pdgid, mass, width or 0.0, ctau, spin2, charge3, anti_name)


def _proper_length(width: float | None) -> float:
    """Return c tau in mm of a width in GeV; an unmeasured width (None) counts as prompt."""
    if width is None or width >= PROMPT_WIDTH:
        return 0.0
    return HBAR_C / width if width > 0.0 else inf


@lru_cache(maxsize=1)
def _known_particles() -> dict[int, Particle]:
    """Return the particles of `particle` by PDG number."""
    return {int(known.pdgid): known for known in Particle.all()}
