"""Numbers of a profile that may depend on momentum, angle, flight or date: a table, or one number.

A `Table` holds values over one or two axes. With as many values as numbers on an axis they are
points, between which the value is interpolated linearly (energy: in its logarithm); with one less
they are bins, and the numbers are their edges. Beyond the ends of an axis the value at the end
holds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import isfinite
from typing import Annotated, Any, Final

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

AXES: Final[Mapping[str, tuple[str, float]]] = {
    "p": ("GeV", 1e5),
    "pt": ("GeV", 1e5),
    "energy": ("GeV", 1e5),
    "theta": ("degrees", 180.0),
    "flight": ("mm", 1e5),
    "luminosity": ("1", 1.0),
}
"""Unit and largest number of every axis; the smallest is 0."""
_ALTERNATIVES = frozenset({"p", "pt"})
_MOST_AXES = 2


def _powers(low: float, high: float, n: int) -> tuple[float, ...]:
    """Return n numbers of equal ratios."""
    return tuple(low * (high / low) ** (i / (n - 1)) for i in range(n))


DEFAULT_GRID: Final[Mapping[str, tuple[float, ...]]] = {
    "p": _powers(0.03, 8.0, 41),
    "pt": _powers(0.03, 8.0, 41),
    "energy": _powers(0.01, 8.0, 41),
    "theta": tuple(5.0 * i for i in range(37)),
    "flight": tuple(25.0 * i for i in range(49)),
    "luminosity": tuple(0.01 * i for i in range(101)),
}
"""Where a function is tabulated if its axes are not given."""


class Table(BaseModel):
    """Values over one or two axes."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    axes: dict[str, tuple[float, ...]] = Field(
        description="increasing numbers of each axis by its name; theta in degrees, momenta and "
        "energies in GeV, flight in mm, luminosity as a share of all"
    )
    values: tuple[Any, ...] = Field(
        description="a number for each point or bin of the axis; of two axes, a list of those of "
        "the second for each of the first"
    )
    source: str = Field(default="", description="file or function it was read from")

    @property
    def is_binned(self) -> bool:
        """Whether the numbers of the axes are edges of bins."""
        return len(self.values) < len(next(iter(self.axes.values())))


@dataclass(frozen=True)
class Quantity:
    """What a number of a profile may be.

    Attributes
    ----------
    name
        For messages.
    axes
        Axes a table may have.
    low, high
        Smallest and largest value.
    default_axes
        Axes of a function whose axes are not given, in the order of its arguments.
    """

    name: str
    axes: tuple[str, ...]
    low: float
    high: float
    default_axes: tuple[str, ...]

    def checked(self, value: float) -> float:
        """Return a number that is in range.

        Raises
        ------
        ValueError
            If it is not.
        """
        if not self.low <= value <= self.high:
            raise ValueError(
                f"{self.name} should be between {self.low:g} and {self.high:g}, found {value:g}"
            )
        return value


def _number(value: Any, what: str) -> float:
    """Return a finite number; YAML's true and false are none."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value):
        raise ValueError(f"{what} should be a number, found {value!r}")
    return float(value)


def _is_list(value: Any) -> bool:
    """Say whether something is a list or tuple."""
    return isinstance(value, list | tuple)


def check_axes(axes: Any, quantity: Quantity) -> dict[str, tuple[float, ...]]:
    """Check the axes of a table.

    Raises
    ------
    ValueError
        If an axis does not exist here, does not increase, or leaves its range.
    """
    if not isinstance(axes, Mapping) or not 1 <= len(axes) <= _MOST_AXES:
        raise ValueError(f"axes: one or two of {', '.join(quantity.axes)}, found {axes!r}")
    checked = {str(name): _axis(str(name), x, quantity) for name, x in axes.items()}
    if set(checked) == _ALTERNATIVES:
        raise ValueError("axes: p or pt, not both")
    return checked


def make_table(axes: Any, values: Any, quantity: Quantity, source: str = "") -> Table:
    """Check a table.

    Parameters
    ----------
    axes
        Mapping of names to numbers.
    values
        Nested lists in the order of the axes.
    quantity
        What is tabulated.
    source
        File or function the table is from.

    Raises
    ------
    ValueError
        If an axis is wrong (`check_axes`), values are missing or too many, or a value is out of
        range.
    """
    checked = check_axes(axes, quantity)
    lengths = [len(x) for x in checked.values()]
    if not _is_list(values):
        raise ValueError(f"values: a list is expected, found {values!r}")
    shapes = [tuple(lengths), tuple(n - 1 for n in lengths)]
    shape = next((s for s in shapes if s[0] == len(values) and min(s) > 0), None)
    if shape is None:
        raise ValueError(
            f"values: {len(values)} along {next(iter(checked))}, but its axis has {lengths[0]} "
            f"numbers: {lengths[0]} values are points, {lengths[0] - 1} are bins"
        )
    nested = _values(values, shape, list(checked), quantity)
    return Table(axes=checked, values=nested, source=source)


def _axis(name: str, numbers: Any, quantity: Quantity) -> tuple[float, ...]:
    """Check the numbers of an axis."""
    if name not in quantity.axes:
        allowed = ", ".join(f"{a} ({AXES[a][0]})" for a in quantity.axes)
        raise ValueError(f"axes: {quantity.name} has no axis {name!r}; allowed: {allowed}")
    if not _is_list(numbers) or not numbers:
        raise ValueError(f"axes: {name} should be a list of numbers, found {numbers!r}")
    axis = tuple(_number(x, f"axes: {name}") for x in numbers)
    unit, highest = AXES[name]
    if name == "energy" and min(axis) <= 0.0:
        raise ValueError(f"axes: energy should be positive, found {list(axis)}")
    if min(axis) < 0.0 or max(axis) > highest:
        shown = f"{highest:g}" if unit == "1" else f"{highest:g} {unit}"
        raise ValueError(f"axes: {name} should be between 0 and {shown}, found {list(axis)}")
    if any(b <= a for a, b in pairwise(axis)):
        raise ValueError(f"axes: {name} should increase, found {list(axis)}")
    return axis


def _values(
    values: Sequence[Any], shape: tuple[int, ...], names: list[str], quantity: Quantity
) -> tuple[Any, ...]:
    """Check values of one or two axes."""
    if len(shape) == 1:
        return tuple(quantity.checked(_number(v, "values")) for v in values)
    rows = []
    for i, row in enumerate(values):
        if not _is_list(row) or len(row) != shape[1]:
            found = len(row) if _is_list(row) else row
            raise ValueError(
                f"values: row {i + 1} should have {shape[1]} numbers, one for each {names[1]}, "
                f"found {found}"
            )
        rows.append(tuple(quantity.checked(_number(v, f"values: row {i + 1}")) for v in row))
    return tuple(rows)


def read_number_or_table(value: Any, quantity: Quantity) -> float | Table:
    """Check what a profile says where a number or a table is expected.

    Parameters
    ----------
    value
        A number; a mapping with the keys ``axes`` and ``values``; or one with the key ``file`` or
        ``function`` (`detector.table_sources`).
    quantity
        What it is.

    Raises
    ------
    ValueError
        Saying what is wrong and what is allowed.
    """
    if isinstance(value, Table):
        return make_table(value.axes, value.values, quantity, value.source)
    if not isinstance(value, Mapping):
        return quantity.checked(_number(value, quantity.name))
    if "file" in value or "function" in value:
        from detector.table_sources import read_source

        return read_source(value, quantity)
    if not {"axes", "values"} <= set(value) <= {"axes", "values", "source"}:
        raise ValueError(
            "a table has the keys axes and values, or file, or function, for instance "
            f"{{axes: {{{quantity.axes[0]}: [0.5, 1, 2]}}, values: [0.1, 0.2, 0.3]}}; "
            f"found {', '.join(map(str, value)) or 'none'}"
        )
    return make_table(value["axes"], value["values"], quantity, str(value.get("source", "")))


def _read_curve(value: Any) -> float | Table:
    """Check a resolution of photons, for which rows [energy, resolution] do as well."""
    if isinstance(value, Sequence) and not isinstance(value, str):
        if not value:
            return 0.0
        if not all(_is_list(row) and len(row) == 2 for row in value):
            raise ValueError(f"rows [energy, resolution] are expected, found {value!r}")
        value = {"axes": {"energy": [r[0] for r in value]}, "values": [r[1] for r in value]}
    return read_number_or_table(value, PHOTON_RESOLUTION)


TRACK_AXES: Final = ("p", "pt", "theta")
"""Axes of what depends on a momentum."""
RUN_AXES: Final = ("luminosity",)
"""Axes of what depends on when the data were taken (`detector.data_taking`)."""
_PHOTON_AXES = ("energy", "theta")
TRACK_EFFICIENCY: Final = Quantity("an efficiency", TRACK_AXES, 0.0, 1.0, ("p", "theta"))
PHOTON_EFFICIENCY: Final = Quantity("an efficiency", _PHOTON_AXES, 0.0, 1.0, _PHOTON_AXES)
FLIGHT_EFFICIENCY: Final = Quantity("an efficiency", ("flight", "theta"), 0.0, 1.0, ("flight",))
TRACK_RESOLUTION: Final = Quantity("a resolution", TRACK_AXES, 0.0, 1.0, ("p", "theta"))
PHOTON_RESOLUTION: Final = Quantity("a resolution", _PHOTON_AXES, 0.0, 1.0, _PHOTON_AXES)
IMPACT_RESOLUTION: Final = Quantity("a resolution in mm", TRACK_AXES, 0.0, 10.0, ("p", "theta"))
SQRT_S_SHIFT: Final = Quantity("a shift of sqrt(s)", RUN_AXES, -1.0, 1.0, RUN_AXES)
SQRT_S_SPREAD: Final = Quantity("a spread of sqrt(s)", RUN_AXES, 0.0, 1.0, RUN_AXES)
MATERIAL: Final = Quantity("a radiation length", ("theta",), 0.0, 1.0, ("theta",))

TrackEfficiency = Annotated[
    float | Table, BeforeValidator(lambda v: read_number_or_table(v, TRACK_EFFICIENCY))
]
"""Share of charged particles, a number or a table in p or pT and theta."""
PhotonEfficiency = Annotated[
    float | Table, BeforeValidator(lambda v: read_number_or_table(v, PHOTON_EFFICIENCY))
]
"""Share of photons, a number or a table in energy and theta."""
FlightEfficiency = Annotated[
    float | Table, BeforeValidator(lambda v: read_number_or_table(v, FLIGHT_EFFICIENCY))
]
"""Share of particles with a flight, a number or a table in its transverse length and theta."""
TrackResolution = Annotated[
    float | Table, BeforeValidator(lambda v: read_number_or_table(v, TRACK_RESOLUTION))
]
"""Resolution of charged particles, a number or a table in p or pT and theta."""
ImpactResolution = Annotated[
    float | Table, BeforeValidator(lambda v: read_number_or_table(v, IMPACT_RESOLUTION))
]
"""Resolution of an impact parameter in mm, a number or a table in p or pT and theta."""
Material = Annotated[float | Table, BeforeValidator(lambda v: read_number_or_table(v, MATERIAL))]
"""Thickness in radiation lengths, a number or a table in theta."""
SqrtSShift = Annotated[
    float | Table, BeforeValidator(lambda v: read_number_or_table(v, SQRT_S_SHIFT))
]
"""Shift of sqrt(s) in GeV, a number or a table in luminosity."""
SqrtSSpread = Annotated[
    float | Table, BeforeValidator(lambda v: read_number_or_table(v, SQRT_S_SPREAD))
]
"""Spread of sqrt(s) in GeV, a number or a table in luminosity."""
PhotonResolution = Annotated[float | Table, BeforeValidator(_read_curve)]
"""Resolution of photons, a number or a table in energy and theta."""
