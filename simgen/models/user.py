"""Decay models of a user's own, in Python, that a configuration names."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from types import FunctionType, ModuleType
from typing import TYPE_CHECKING

from simgen.errors import ConfigError
from simgen.models import find_model
from simgen.models.contract import DecayModel
from simgen.plugins import find_plugin, own_files

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

ENTRY_POINT_GROUP = "simgen.models"
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_+-]*")


@dataclass(frozen=True)
class UserModel:
    """A decay model of a user.

    Attributes
    ----------
    spec
        How the configuration names it.
    model
        The model.
    sha256
        Of the Python files it comes from (`simgen.plugins.own_files`), one after the other.
    """

    spec: str
    model: DecayModel
    sha256: str


def user_model_file(spec: str) -> str | None:
    """Return the file in ``FILE.py:NAME``, None if a model is named in another way."""
    file = spec.rpartition(":")[0]
    return file if file.endswith(".py") else None


def load_user_models(
    specs: Sequence[str], folder: Path, source: str = "generator.models"
) -> tuple[UserModel, ...]:
    """Load decay models.

    Nothing is registered: the models serve the decay table they are given to.

    Parameters
    ----------
    specs
        ``FILE.py:NAME``, ``module:NAME``, or names of the entry-point group ``simgen.models``;
        NAME is a variable that holds a `DecayModel`.
    folder
        Where relative paths of files start from.
    source
        Where the models are said, for messages.

    Raises
    ------
    ConfigError
        If a model cannot be loaded, is no `DecayModel`, or has the name of another.
    """
    loaded: dict[str, UserModel] = {}
    for spec in specs:
        found = _load(spec, folder, source)
        name = found.model.name
        if find_model(name) is not None:
            raise ConfigError(
                f"{source}: {spec}: a model called {name} comes with simgen; give it another name"
            )
        if name in loaded:
            raise ConfigError(f"{source}: {loaded[name].spec} and {spec} are both called {name}")
        loaded[name] = found
    return tuple(loaded.values())


def _load(spec: str, folder: Path, source: str) -> UserModel:
    """Load one model and check that it is one."""
    place = spec if user_model_file(spec) is None else str(folder / spec)
    try:
        model, module = find_plugin(place, ENTRY_POINT_GROUP, "model")
    except ValueError as error:
        raise ConfigError(f"{source}: {error}") from error
    if not isinstance(model, DecayModel):
        there = () if module is None else vars(module).items()
        names = sorted(name for name, value in there if isinstance(value, DecayModel))
        hint = f"; models there: {', '.join(names)}" if names else ""
        raise ConfigError(
            f"{source}: {place} should be a simgen.models.DecayModel, found a "
            f"{type(model).__name__}{hint}"
        )
    if not isinstance(model.name, str) or not _NAME.fullmatch(model.name):
        raise ConfigError(
            f"{source}: {place}: its name should be letters, digits and _ + -, beginning with a "
            f"letter, found {model.name!r}"
        )
    if model.amplitude is not None and not isinstance(model.amplitude, FunctionType):
        raise ConfigError(
            f"{source}: {place}: its amplitude should be a plain Python function, which simgen "
            f"compiles, found a {type(model.amplitude).__name__}"
        )
    return UserModel(spec, model, _sha256(module))


def _sha256(module: ModuleType | None) -> str:
    """Return the SHA-256 of the files of a module."""
    digest = hashlib.sha256()
    for path in () if module is None else own_files(module):
        digest.update(path.read_bytes())
    return digest.hexdigest()
