"""What a decay table says about lineshapes, as numbers for `simgen.engine.lineshape`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from simgen.decfile.table import Lineshape
from simgen.engine.program import COMBS, FLAT, NONRELATIVISTIC, RELATIVISTIC
from simgen.particles import mass_range

if TYPE_CHECKING:
    from collections.abc import Sequence

    from simgen.decfile import DecayTable
    from simgen.particles import ParticleData

KINDS = {
    "RELBW": RELATIVISTIC,
    "NONRELBW": NONRELATIVISTIC,
    "FLAT": FLAT,
    "MANYDELTA": COMBS,
}
# Limits of a lineshape in widths, as EvtGen has them: of Breit-Wigners, and of the other kinds.
_WIDTHS, _OTHER_WIDTHS = 15.0, 1.0
# Barrier radii, 1/GeV.
_RADIUS_DECAY, _RADIUS_BIRTH = 3.0, 1.0
# Twice the highest spin that barrier factors are known for.
_MOST_SPIN2 = 4
_TWO = 2


def lineshape_of(table: DecayTable, name: str) -> Lineshape:
    """Return what decay files say about the lineshape of a particle or alias."""
    return table.lineshapes.get(name) or Lineshape()


def shape_limits(table: DecayTable, name: str) -> tuple[float, float]:
    """Return the limits of a lineshape, GeV.

    Those of ``ChangeMassMin`` and ``ChangeMassMax``; by default 15 widths above the pole and
    `simgen.particles.mass_range` below, for ``LSFLAT`` and ``LSMANYDELTAFUNC`` one width.
    """
    data, shape = table.particle(name), lineshape_of(table, name)
    other = KINDS.get(shape.kind) in {FLAT, COMBS}
    below = data.width * _OTHER_WIDTHS if other else mass_range(data)
    above = data.width * (_OTHER_WIDTHS if other else _WIDTHS)
    low = max(data.mass - below, 0.0) if shape.mass_min is None else shape.mass_min
    high = data.mass + above if shape.mass_max is None else shape.mass_max
    return low, high


def fill_shape(row: Any, shape: Lineshape) -> None:
    """Write kind, radii and factors of a lineshape to a `SPECIES` record."""
    row["lineshape"] = KINDS[shape.kind]
    row["radius_decay"] = _RADIUS_DECAY if shape.blatt_weisskopf is None else shape.blatt_weisskopf
    row["radius_birth"] = (
        _RADIUS_BIRTH if shape.blatt_weisskopf_birth is None else shape.blatt_weisskopf_birth
    )
    row["decay"] = shape.include_decay is not False
    row["birth"] = shape.include_birth is not False


def decay_orbital(table: DecayTable, name: str, daughters: Sequence[str]) -> int:
    """Return the orbital angular momentum of a resonance's daughters; -1 for no barriers.

    ``SetLineshapePW`` decides; otherwise it is the lowest that the spins allow.
    """
    if len(daughters) != _TWO:
        return -1
    particles = [table.particle(d) for d in daughters]
    names = {particles[0].name, particles[1].name}
    for wave in lineshape_of(table, name).partial_waves[::-1]:
        if {table.particle(d).name for d in wave.daughters} == names:
            return wave.orbital
    return _lowest_orbital(table.particle(name), *particles)


def birth_orbitals(
    table: DecayTable, parent: str, daughters: Sequence[str], pole: float
) -> tuple[int, int]:
    """Return the orbital angular momentum of the vertex two daughters are made at, for each.

    It is -1 for no factor: other than two daughters, or a parent lighter than them at the poles.

    Parameters
    ----------
    table
        The decay table.
    parent, daughters
        Names or aliases.
    pole
        Mass of the parent, GeV.
    """
    if len(daughters) != _TWO:
        return -1, -1
    a, b = (table.particle(d) for d in daughters)
    if pole <= a.mass + b.mass:
        return -1, -1
    orbital = _lowest_orbital(table.particle(parent), a, b)
    return orbital, orbital


def _lowest_orbital(*particles: ParticleData) -> int:
    """Return the lowest orbital angular momentum of one particle and two others; -1 for none."""
    spins = sorted(p.spin2 for p in particles)
    if spins[-1] > _MOST_SPIN2:
        return -1
    return max(spins[2] - spins[1] - spins[0], 0) // 2
