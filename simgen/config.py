"""Configuration files: find, read, check.

Every YAML file is read by `read_yaml` and checked by `validate`, so that whatever is wrong is
said with the file, the key, and what is allowed, before any work starts.
"""

from __future__ import annotations

import difflib
import re
import types
import typing
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, Literal, TypeVar

import yaml
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
    model_validator,
)

from simgen.errors import ConfigError
from simgen.luminosity import CrossSection, Luminosity, expected_events

Model = TypeVar("Model", bound=BaseModel)

_KINDS = {"": "configuration", "detectors": "detector", "decays": "decay file"}
# Keys that say that a mapping is one value: a table, in place or from elsewhere.
_WHOLE = frozenset({"values", "file", "function"})
MAX_SEED = 2**63 - 1
MAX_EVENTS = 10**12


class _Strict(BaseModel):
    """Unknown keys are errors; values do not change after reading."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    @field_validator("*", mode="before")
    @classmethod
    def _no_truth_value(cls, value: Any) -> Any:
        """Refuse true and false, which pydantic would take for the numbers 1 and 0."""
        if isinstance(value, bool):
            raise ValueError("a truth value is not allowed here")  # noqa: TRY004  (pydantic's way)
        return value


class OutputSettings(_Strict):
    """How files are written."""

    compression: Literal["gzip", "zstd", "none"] = Field(
        default="gzip", description="gzip is readable everywhere; zstd needs hdf5plugin to read"
    )
    events_per_shard: int = Field(
        default=100_000, ge=1, le=10**8, description="events in one file part-NNNNN.h5"
    )
    keep: Literal["all", "candidates"] = Field(
        default="all",
        description="candidates: `simgen run` writes candidates and solutions, but no truth",
    )


class _DataSet(BaseModel):
    """What says how many events there are."""

    luminosity: Luminosity
    cross_section: CrossSection


class GenerateConfig(_Strict):
    """A generation: which events, from which beams, by which generator."""

    events: int = Field(
        ge=1,
        le=MAX_EVENTS,
        description="number of events; by default those of `luminosity` and `cross_section`",
    )
    luminosity: Luminosity | None = Field(
        default=None,
        description="integrated luminosity that the weights of all events add up to, 1/fb, or a "
        "text as `710 /fb`; null for weights of 1",
    )
    cross_section: CrossSection | None = Field(
        default=None, description="of the process, nb, or a text as `919 pb`"
    )
    first_event: int = Field(default=0, ge=0, le=MAX_EVENTS, description="number of the first")
    seed: int = Field(default=1, ge=0, le=MAX_SEED)
    beams: str | dict[str, Any] | None = Field(
        default=None,
        description="a detector profile whose beams to use, or beams given in place; by default "
        "those of the section `detector`",
    )
    detector: str | dict[str, Any] | None = Field(
        default=None, description="a detector profile, or one derived in place"
    )
    generator: dict[str, Any] = Field(description="name of a generator and its settings")
    output: OutputSettings = OutputSettings()

    @model_validator(mode="before")
    @classmethod
    def _events_of_luminosity(cls, data: Any) -> Any:
        """Make as many events as the luminosity has if their number is not given."""
        if not isinstance(data, dict) or data.get("events") is not None:
            return data
        given = {k: data[k] for k in ("luminosity", "cross_section") if data.get(k) is not None}
        if len(given) < 2:
            return data
        try:
            size = _DataSet.model_validate(given)
        except ValidationError:
            return data  # the fields themselves say what is wrong
        return {**data, "events": round(expected_events(size.luminosity, size.cross_section))}

    @model_validator(mode="after")
    def _luminosity_has_cross_section(self) -> GenerateConfig:
        """Refuse one without the other."""
        if (self.luminosity is None) != (self.cross_section is None):
            raise ValueError("luminosity and cross_section go together: give both or neither")
        return self

    @property
    def event_weight(self) -> float:
        """Weight of each event: sums of weights are numbers of events at the luminosity."""
        if self.luminosity is None or self.cross_section is None:
            return 1.0
        return expected_events(self.luminosity, self.cross_section) / self.events


def config_root() -> Path:
    """Return the folder of the configurations that come with this package."""
    here = Path(__file__).resolve().parent
    installed = here / "configs"
    return installed if installed.is_dir() else here.parent / "configs"


def find_config(name: str | Path, kind: str, relative_to: Path | None = None) -> Path:
    """Find a configuration file by path or by the name of one that comes with the package.

    Parameters
    ----------
    name
        A path, absolute or relative to the working folder or to `relative_to`; or the name of a
        file in ``configs/<kind>``, with or without its ending.
    kind
        Folder below ``configs``: ``"detectors"``, ``"decays"``, or ``""`` for runs.
    relative_to
        Folder of the file that names this one.

    Raises
    ------
    ConfigError
        If there is no such file; lists the names that exist.
    """
    shipped = config_root() / kind
    candidates = [Path(name), shipped / name, shipped / f"{name}.yaml"]
    if relative_to is not None:
        candidates.insert(0, relative_to / name)
    for candidate in candidates:
        if candidate.is_file():
            return candidate.resolve()
    names = sorted(p.stem if p.suffix == ".yaml" else p.name for p in shipped.glob("*.*"))
    what = _KINDS[kind]
    raise ConfigError(
        f"there is no file {name}, and no {what} of that name. Names that exist: {', '.join(names)}"
    )


def read_derived(spec: str | Path | Mapping[str, Any], kind: str, relative_to: Path | None,
                 below: tuple[Path, ...] = ()) -> tuple[dict[str, Any], str]:  # fmt: skip
    """Read a file, or take a mapping, on top of what it derives from.

    A mapping with the key ``derive`` holds only what differs from the file ``derive`` names.

    Parameters
    ----------
    spec
        Name or path of a file, or a mapping.
    kind, relative_to
        See `find_config`.
    below
        Files that derive from this one, to notice a circle.

    Returns
    -------
    (dict, str)
        The merged mapping without ``derive``, and where it comes from, for messages.

    Raises
    ------
    ConfigError
        If a file does not exist or derives from itself.
    """
    if isinstance(spec, Mapping):
        data, source, folder = dict(spec), kind.removesuffix("s"), relative_to
    else:
        path = find_config(spec, kind, relative_to)
        if path in below:
            chain = " -> ".join(str(p) for p in (*below, path))
            raise ConfigError(f"a configuration derives from itself: {chain}")
        data, source, folder = read_yaml(path), str(path), path.parent
        below = (*below, path)
    if kind == "detectors":
        data = anchor_paths(data, folder)
    parent = data.pop("derive", None)
    if parent is None:
        return data, source
    if not isinstance(parent, str):
        raise ConfigError(f"{source}: derive must be a name or a path, found {parent!r}")
    return merge(read_derived(parent, kind, folder, below)[0], data), source


def anchor_paths(data: Mapping[str, Any], folder: Path | None) -> dict[str, Any]:
    """Let paths of tables start from a folder.

    These are the values of keys ``file``, and what comes before the colon of ``file.py:name`` in
    those of keys ``function``, wherever they are in mappings; absolute ones stay.

    Parameters
    ----------
    data
        A mapping; not changed.
    folder
        Where the paths are said; None leaves them.
    """
    anchored = dict(data)
    for key, value in data.items():
        if isinstance(value, Mapping):
            anchored[key] = anchor_paths(value, folder)
        elif folder is not None and isinstance(value, str):
            is_script = key == "function" and ".py:" in value
            anchored[key] = str(folder / value) if key == "file" or is_script else value
    return anchored


def merge(base: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return `base` with `changes` put in; mappings inside are merged, all else is replaced.

    A mapping that is one value, a table, is replaced as well: half of one table and half of another
    are no table.
    """
    merged = dict(base)
    for key, value in changes.items():
        old = merged.get(key)
        both = isinstance(old, Mapping) and isinstance(value, Mapping) and not _WHOLE & set(value)
        merged[key] = merge(merged[key], value) if both else value
    return merged


def read_yaml(path: Path) -> dict[str, Any]:
    """Read a YAML mapping.

    Raises
    ------
    ConfigError
        If the file cannot be read, is not YAML (with line), repeats a key, or is not a mapping.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not a text file"
        raise ConfigError(f"{path}: cannot be read: {reason}") from error
    try:
        data = yaml.load(text, Loader=_UniqueKeyLoader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"{path}:{mark.line + 1}" if mark is not None else str(path)
        problem = getattr(error, "problem", None) or str(error)
        raise ConfigError(f"{where}: not valid YAML: {problem}") from error
    if not isinstance(data, dict):
        found = "nothing" if data is None else type(data).__name__
        raise ConfigError(f"{path}: a mapping of keys to values is expected, found {found}")
    return data


class _UniqueKeyLoader(yaml.SafeLoader):
    """A safe loader that reads 1e-3 as a number and refuses a key given twice."""


def _unique_mapping(loader: yaml.SafeLoader, node: yaml.MappingNode) -> dict[Any, Any]:
    """Build a mapping; YAML itself lets the last of two equal keys win without a word."""
    seen: set[Any] = set()
    for key_node, _ in node.value:
        if not isinstance(key_node, yaml.ScalarNode):
            raise yaml.MarkedYAMLError(
                problem="a key must be a single word", problem_mark=key_node.start_mark
            )
        key = loader.construct_object(key_node)
        if key in seen:
            raise yaml.MarkedYAMLError(
                problem=f"the key {key!r} is given twice", problem_mark=key_node.start_mark
            )
        seen.add(key)
    loader.flatten_mapping(node)
    return loader.construct_mapping(node, deep=True)


_UniqueKeyLoader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _unique_mapping)
_UniqueKeyLoader.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(r"^[-+]?(\d[\d_]*\.?[\d_]*|\.\d[\d_]*)[eE][-+]?\d+$"),
    list("-+0123456789."),
)


def validate(model: type[Model], data: Mapping[str, Any], source: str) -> Model:
    """Check `data` against `model`.

    Parameters
    ----------
    model
        A pydantic model.
    data
        What a YAML file or a caller gave.
    source
        Where it is from, for messages.

    Raises
    ------
    ConfigError
        Naming every key that is wrong, what was found and what is allowed; unknown keys with the
        nearest valid one.
    """
    try:
        return model.model_validate(data)
    except ValidationError as error:
        lines = dict.fromkeys(_explain(model, details) for details in _causes(error))
        raise ConfigError("\n".join(f"{source}: {line}" for line in lines)) from error


def _causes(error: ValidationError) -> list[Any]:
    """Return the errors without those of a list whose items have errors of their own."""
    found = error.errors()
    places = [tuple(details["loc"]) for details in found]
    return [
        details
        for details, place in zip(found, places, strict=True)
        if not any(len(p) > len(place) and p[: len(place)] == place for p in places)
    ]


def _explain(model: type[BaseModel], details: Any) -> str:
    """Say in one line what one validation error means."""
    location = tuple(details["loc"])
    # Strip the tags pydantic adds for the members of a union.
    key = ".".join(str(part) for part in location if not _is_union_tag(part)) or "(top level)"
    if details["type"] == "extra_forbidden":
        return _unknown_key(key, str(location[-1]), _keys_at(model, location[:-1]))
    if details["type"] == "missing":
        return f"the key {key!r} is missing"
    message = str(details["msg"]).removeprefix("Value error, ")
    return f"{key}: {message[0].lower()}{message[1:]}; found {details['input']!r}"


def _unknown_key(key: str, name: str, allowed: Collection[str]) -> str:
    """Say that there is no key `name`, where it is, and which there are."""
    near = difflib.get_close_matches(name, sorted(allowed), n=1, cutoff=0.5)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    return f"unknown key {key!r}.{hint} Allowed here: {', '.join(sorted(allowed))}"


def check_keys(data: Mapping[str, Any], allowed: Collection[str], source: str) -> None:
    """Refuse keys that are not among those allowed.

    Raises
    ------
    ConfigError
        Naming every unknown key with the nearest valid one.
    """
    unknown = [str(key) for key in data if key not in allowed]
    if unknown:
        lines = [f"{source}: {_unknown_key(key, key, allowed)}" for key in unknown]
        raise ConfigError("\n".join(lines))


def _is_union_tag(part: Any) -> bool:
    """Say whether a part of an error's location names a member of a union, not a key."""
    return isinstance(part, str) and (part in {"str", "int", "float"} or "[" in part)


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    """Return the pydantic models inside a type annotation."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    if typing.get_origin(annotation) is not None or isinstance(annotation, types.UnionType):
        return [m for a in typing.get_args(annotation) for m in _models_in(a)]
    return []


def _keys_at(model: type[BaseModel], location: tuple[Any, ...]) -> set[str]:
    """Return the keys allowed at a location inside `model`."""
    models = [model]
    for part in location:
        below = [
            found
            for m in models
            if isinstance(part, str) and part in m.model_fields
            for found in _models_in(m.model_fields[part].annotation)
        ]
        models = below or models
    return {name for m in models for name in m.model_fields}
