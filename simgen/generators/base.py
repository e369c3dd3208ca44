"""What an event generator is, and how one is found by name."""

from __future__ import annotations

from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from simgen.config import validate
from simgen.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from pydantic import BaseModel

    from simgen.beams import Beams
    from simgen.events import EventBlock
    from simgen.typing import IntArray

ENTRY_POINT_GROUP = "simgen.generators"


class Generator(Protocol):
    """A generator makes any event from its number and a seed.

    A class is made available under a name by an entry point of the group
    ``simgen.generators``. Its constructor takes (settings, beams, folder): an instance of its
    `Settings`, the beams, and the folder that relative paths in the settings start from. It
    raises a `simgen.errors.SimgenError` for anything that is wrong with them.
    """

    Settings: ClassVar[type[BaseModel]]

    def generate(self, event_id: IntArray, seed: int) -> EventBlock:
        """Return the events of these numbers; may be called from several threads at once.

        The same number and seed give the same event, whatever else is made.
        """
        ...

    def available(self) -> int | None:
        """Return how many events there are, numbered from 0; None for any number."""
        ...

    def notes(self) -> tuple[str, ...]:
        """Say what is not generated as the user may expect, one sentence each."""
        ...

    def provenance(self) -> dict[str, Any]:
        """Return what is needed to know where events come from (JSON values)."""
        ...

    def inputs(self) -> Mapping[str, Path]:
        """Return the files that the settings name, by the name they have there."""
        ...

    def particles_per_event(self) -> float:
        """Return the expected number of particles in an event."""
        ...

    def problems(self) -> tuple[str, ...]:
        """Say what went wrong in the events made so far, such as an exceeded maximum."""
        ...


def generator_names() -> tuple[str, ...]:
    """Return the names of all installed generators."""
    return tuple(sorted({e.name for e in entry_points(group=ENTRY_POINT_GROUP)}))


def find_generator(name: str) -> type[Any]:
    """Return the class of a generator.

    Raises
    ------
    ConfigError
        If no generator of this name is installed.
    """
    for entry in entry_points(group=ENTRY_POINT_GROUP):
        if entry.name == name:
            found: type[Any] = entry.load()
            return found
    raise ConfigError(
        f"there is no generator {name!r}; installed are: {', '.join(generator_names())}"
    )


def check_settings(data: Mapping[str, Any], source: str) -> BaseModel:
    """Check the section ``generator`` of a configuration against its generator's settings.

    Raises
    ------
    ConfigError
        If the generator does not exist or a setting is wrong.
    """
    name = data.get("name", "decfile")
    if not isinstance(name, str):
        raise ConfigError(f"{source}: generator.name: a name is expected, found {name!r}")
    settings: type[BaseModel] = find_generator(name).Settings
    return validate(settings, data, f"{source}: generator")


def make_generator(settings: BaseModel, beams: Beams, folder: Path) -> Generator:
    """Return a generator for settings that `check_settings` returned.

    Parameters
    ----------
    settings
        Settings of a generator; the field ``name`` says of which.
    beams
        Beams of the events.
    folder
        Where relative paths in the settings start from.
    """
    generator: Generator = find_generator(settings.name)(settings, beams, folder)  # type: ignore[attr-defined]
    return generator
