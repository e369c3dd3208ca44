"""The points of a scan: which fields can be varied, and the configuration at each point."""

from __future__ import annotations

import difflib
import itertools
import math
import re
import types
import typing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel

from detector.config import CandidateConfig
from detector.coordinates import Axes
from detector.profiles import DetectorProfile
from detector.stage import Smearing
from detector.tables import Table
from m2solve.study.config import SolverConfig
from m2solve.study.stage import Solving
from simgen.config import merge, validate
from simgen.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from m2solve.study.scan_config import ScanConfig

AxisValue = float | int | str
Kind = Literal["number", "choice"]
MOST_POINTS = 10_000
_SECTIONS: Mapping[str, type[BaseModel]] = {
    "detector": DetectorProfile,
    "candidates": CandidateConfig,
    "solver": SolverConfig,
}
_MADE_ONCE = "detector.beams"
_UNIT = re.compile(r"(?:, | in )((?:1/)?(?:mm|GeV|rad|degrees)(?: GeV)?)(?=$|[,:])")


@dataclass(frozen=True)
class Point:
    """One point of a scan, checked.

    Attributes
    ----------
    number
        Counts from 0.
    values
        Value of each axis.
    smearing, solving
        What is done with the truth at this point.
    """

    number: int
    values: dict[str, AxisValue]
    smearing: Smearing
    solving: Solving


def axis_kinds() -> dict[str, Kind]:
    """Return what can be an axis: dotted names of fields that are a number or a choice.

    A field with one number for each coordinate is an axis, too, with one number for all three.
    The beams are not among them, because all points share one truth.
    """
    found = {name: kind for s, model in _SECTIONS.items() for name, kind in _fields(model, s)}
    return {k: v for k, v in found.items() if not k.startswith(_MADE_ONCE)}


def axis_unit(name: str) -> str:
    """Return the unit that the description of a field states, empty if it states none.

    Parameters
    ----------
    name
        Dotted name of an axis, for instance ``detector.vertices.r_0.z``.
    """
    section, *path = name.split(".")
    model, description = _SECTIONS[section], ""
    for key in path:
        field = model.model_fields[key]
        described = field.description or ""
        description = described or description if issubclass(model, Axes) else described
        annotation = field.annotation
        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            model = annotation
    found = _UNIT.search(description)
    return found.group(1) if found else ""


def _fields(model: type[BaseModel], prefix: str) -> Iterator[tuple[str, Kind]]:
    """Yield names and kinds of the fields of a model and of those inside it."""
    for name, field in model.model_fields.items():
        annotation, path = field.annotation, f"{prefix}.{name}"
        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            if issubclass(annotation, Axes):
                yield path, "number"
            yield from _fields(annotation, path)
        elif (kind := _kind(annotation)) is not None:
            yield path, kind


def _kind(annotation: Any) -> Kind | None:
    """Say whether a field is a number or a choice, None if it is neither.

    Null is not counted; a field that is a number or a table is a number.
    """
    is_union = isinstance(annotation, types.UnionType) or typing.get_origin(annotation) is (
        typing.Union
    )
    members = typing.get_args(annotation) if is_union else (annotation,)
    members = tuple(m for m in members if m not in {types.NoneType, Table})
    if all(m in {int, float} for m in members):
        return "number"
    return "choice" if all(typing.get_origin(m) is Literal for m in members) else None


def make_points(config: ScanConfig) -> list[Point]:
    """Check the axes of a scan and return its points.

    Raises
    ------
    ConfigError
        If an axis does not exist (the nearest that does is offered), has no values or values of
        a wrong kind, two axes set the same field, a value is out of range at a point, axes of a
        zip differ in length, or two points are the same.
    """
    settings, where = config.settings, f"{config.source}: scan.axes"
    _check_axes(settings.axes, where)
    lengths = {name: len(values) for name, values in settings.axes.items()}
    if settings.mode == "zip" and len(set(lengths.values())) > 1:
        shown = ", ".join(f"{name} has {n}" for name, n in lengths.items())
        raise ConfigError(f"{where}: with mode: zip all axes need equally many values; {shown}")
    n_points = next(iter(lengths.values())) if settings.mode == "zip" else math.prod(
        lengths.values()
    )  # fmt: skip
    if n_points > MOST_POINTS:
        raise ConfigError(f"{where}: {n_points} points; at most {MOST_POINTS} are possible")
    combine = zip if settings.mode == "zip" else itertools.product
    rows = list(combine(*settings.axes.values()))
    if len(set(rows)) < len(rows):
        twice = next(row for i, row in enumerate(rows) if row in rows[:i])
        raise ConfigError(f"{where}: the point {_shown(settings.axes, twice)} is there twice")
    return [
        _point(config, number, dict(zip(settings.axes, row, strict=True)), where)
        for number, row in enumerate(rows)
    ]


def _check_axes(axes: Mapping[str, Sequence[Any]], where: str) -> None:
    """Refuse axes that do not exist, overlap, or have values of a wrong kind."""
    kinds = axis_kinds()
    for name, values in axes.items():
        if name.startswith(_MADE_ONCE):
            raise ConfigError(
                f"{where}: {name!r} cannot be an axis: the beams make the truth, which all points "
                "share"
            )
        if name not in kinds:
            inside = [k for k in kinds if k.startswith(f"{name}.")]
            near = difflib.get_close_matches(name, kinds, n=1, cutoff=0.4)
            hint = f" Did you mean {near[0]!r}?" if near and not inside else ""
            section = ".".join((inside or near or [""])[0].split(".")[:2])
            allowed = [k for k in kinds if k.startswith(section)]
            raise ConfigError(
                f"{where}: {name!r} cannot be an axis.{hint} Axes are numbers and choices of "
                f"detector, candidates and solver; {f'in {section}' if section else 'these'}: "
                f"{', '.join(allowed)}"
            )
        if not values:
            raise ConfigError(f"{where}: {name} has no values")
        for value in values:
            _check_value(name, value, kinds[name], where)
    for first, second in itertools.permutations(axes, 2):
        if second.startswith(f"{first}."):
            raise ConfigError(f"{where}: {first} and {second} set the same field")


def _check_value(name: str, value: Any, kind: Kind, where: str) -> None:
    """Refuse a value that is not of an axis's kind."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if kind == "number" and not (is_number and math.isfinite(value)):
        raise ConfigError(f"{where}: {name}: values should be numbers; found {value!r}")
    if kind == "choice" and not (is_number or isinstance(value, str)):
        raise ConfigError(f"{where}: {name}: values should be words or numbers; found {value!r}")


def _point(config: ScanConfig, number: int, values: dict[str, AxisValue], where: str) -> Point:
    """Check one point: put the values of the axes into the sections they belong to."""
    sections: dict[str, BaseModel] = {
        "detector": config.profile,
        "candidates": config.run.candidates,
        "solver": config.run.solver,
    }
    source = f"{where}: at {_shown(values, values.values())}"
    for section, model in _SECTIONS.items():
        data: dict[str, Any] = sections[section].model_dump()
        changed = {k: v for k, v in values.items() if k.split(".")[0] == section}
        for name, value in changed.items():
            data = merge(data, _nested(name.split(".")[1:], value))
        if changed:
            sections[section] = validate(model, data, source)
    profile, candidates, solver = sections.values()
    assert isinstance(profile, DetectorProfile)
    assert isinstance(candidates, CandidateConfig)
    assert isinstance(solver, SolverConfig)
    seed = config.run.seed
    return Point(number, values, Smearing(profile, candidates, seed), Solving(solver, seed))


def _nested(keys: Sequence[str], value: AxisValue) -> dict[str, Any]:
    """Return nested mappings that hold one value."""
    for key in reversed(keys):
        value = {key: value}  # type: ignore[assignment]
    return value  # type: ignore[return-value]


def _shown(names: Iterable[str], values: Iterable[Any]) -> str:
    """Say which point it is."""
    return ", ".join(f"{name} = {value}" for name, value in zip(names, values, strict=True))
