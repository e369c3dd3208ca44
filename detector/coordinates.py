"""Numbers of a profile for each of x, y and z, which may be tables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from pydantic import field_validator, model_validator

from detector.sections import Section
from detector.tables import RUN_AXES, TRACK_AXES, Quantity, Table, read_number_or_table

_OF_TABLES = frozenset({"axes", "values", "file", "function"})
_COORDINATES = ("x", "y", "z")


class Axes(Section):
    """A number or a table for each coordinate; in a file a single one stands for all three."""

    quantity: ClassVar[Quantity]

    x: float | Table
    y: float | Table
    z: float | Table

    @model_validator(mode="before")
    @classmethod
    def _same_for_all(cls, data: Any) -> Any:
        """Read a single number or table as that of each coordinate."""
        if isinstance(data, Axes):
            return data
        if isinstance(data, Mapping):
            if not _OF_TABLES & set(data):
                return data
            if beside := [name for name in _COORDINATES if name in data]:
                raise ValueError(
                    f"{beside[0]} is beside a table for all coordinates; say either one table, or "
                    "a number or a table for each of x, y and z"
                )
        return dict.fromkeys(_COORDINATES, read_number_or_table(data, cls.quantity))

    @field_validator(*_COORDINATES, mode="before")
    @classmethod
    def _in_range(cls, value: Any) -> float | Table:
        """Refuse what is neither a number nor a table of the quantity."""
        return read_number_or_table(value, cls.quantity)

    def as_tuple(self) -> tuple[float | Table, float | Table, float | Table]:
        """Return (x, y, z)."""
        return self.x, self.y, self.z


class PrimaryVertexResolution(Axes):
    """Standard deviations of the primary vertex in mm, numbers or tables in luminosity."""

    quantity = Quantity("a resolution in mm", RUN_AXES, 0.0, 1e4, RUN_AXES)


class DecayVertexResolution(Axes):
    """Standard deviations of a decay vertex in mm.

    Numbers, or tables in p or pT and theta of the measured momentum of all that is seen on its
    side.
    """

    quantity = Quantity("a resolution in mm", TRACK_AXES, 0.0, 1e4, ("p", "theta"))


class TagMomentumResolution(Axes):
    """Standard deviations of px, py, pz in GeV, numbers or tables in the true p or pT and theta."""

    quantity = Quantity("a resolution in GeV", TRACK_AXES, 0.0, 1e4, ("p", "theta"))


class Shift(Axes):
    """A signed number in mm for each coordinate, or tables in luminosity."""

    quantity = Quantity("a shift in mm", RUN_AXES, -100.0, 100.0, RUN_AXES)

    x: float | Table = 0.0
    y: float | Table = 0.0
    z: float | Table = 0.0


class Scale(Axes):
    """A factor for each coordinate, or tables in luminosity."""

    quantity = Quantity("a factor", RUN_AXES, 1e-6, 1000.0, RUN_AXES)

    x: float | Table = 1.0
    y: float | Table = 1.0
    z: float | Table = 1.0
