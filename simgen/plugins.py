"""Python objects that a user names: of a file, of a module, or installed under a name."""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import sys
import sysconfig
from importlib.metadata import entry_points
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

_DIGITS = 16
_PACKAGES = frozenset({"site-packages", "dist-packages"})


class Plugin(NamedTuple):
    """A Python object and the module it was found in, None if that is not known."""

    value: Any
    module: ModuleType | None


def find_plugin(name: str, group: str, kind: str) -> Plugin:
    """Return an object by ``file.py:object``, ``module:object``, or the name it is installed under.

    Parameters
    ----------
    name
        Of the object; a relative file starts from the working folder.
    group
        Entry points that installed packages register such objects in.
    kind
        What the object is called in messages.

    Raises
    ------
    ValueError
        If there is none, or what it is in cannot be run; the message names what, and of a file
        the line.
    """
    place, colon, attribute = name.rpartition(":")
    try:
        if not colon:
            found = {entry.name: entry for entry in entry_points(group=group)}
            if name not in found:
                raise ValueError(
                    f"there is no {kind} {name!r}: write file.py:{kind} or module:{kind}, or "
                    f"one that is installed ({', '.join(sorted(found)) or 'none is'})"
                )
            return Plugin(found[name].load(), sys.modules.get(found[name].module))
        module = _run_file(Path(place)) if place.endswith(".py") else _import(place)
    except (OSError, ImportError) as error:
        raise ValueError(f"the {kind} {name} cannot be loaded: {error}") from error
    if not hasattr(module, attribute):
        raise ValueError(f"{place} has no {kind} {attribute!r}")
    return Plugin(getattr(module, attribute), module)


def own_files(module: ModuleType) -> tuple[Path, ...]:
    """Return the files a module's objects come from, sorted.

    These are its own and those of modules whose objects it has and that are neither of this
    package, of Python, nor of other installed packages.
    """
    family = module.__name__.partition(".")[0]
    files: set[Path] = set()
    seen: set[str] = set()
    pending = [module]
    while pending:
        here = pending.pop()
        seen.add(here.__name__)
        if getattr(here, "__file__", None) is None:
            continue
        path = Path(str(here.__file__)).resolve()
        if here.__name__.partition(".")[0] != family and _is_installed(path):
            continue
        files.add(path)
        for value in list(vars(here).values()):
            origin = value if isinstance(value, ModuleType) else None
            where = getattr(value, "__module__", None)
            if origin is None and isinstance(where, str):
                origin = sys.modules.get(where)
            if origin is not None and origin.__name__ not in seen:
                pending.append(origin)
    return tuple(sorted(files))


def _is_installed(path: Path) -> bool:
    """Say whether a file belongs to this package, to Python, or to an installed package."""
    if not _PACKAGES.isdisjoint(path.parts):
        return True
    folders = (Path(__file__).parent, Path(sysconfig.get_path("stdlib")))
    return any(folder.resolve() in path.parents for folder in folders)


def _import(name: str) -> ModuleType:
    """Import a module; whatever goes wrong in it is an ImportError."""
    try:
        return importlib.import_module(name)
    except ImportError:
        raise
    except Exception as error:
        raise ImportError(f"{type(error).__name__}: {error}") from error


def _run_file(path: Path) -> ModuleType:
    """Return the module that a file makes; whatever goes wrong in it is an ImportError."""
    if not path.is_file():
        raise ImportError(f"there is no file {path}")
    # Dataclasses and numba look a module up by its name, so each content of a file needs one.
    digest = hashlib.sha256(str(path.resolve()).encode() + path.read_bytes()).hexdigest()
    name = f"simgen_plugin_{path.stem}_{digest[:_DIGITS]}"
    if name in sys.modules:
        return sys.modules[name]
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} is not a Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        del sys.modules[name]
        line = _line_of(error, path)
        where = "" if line is None else f" (line {line})"
        raise ImportError(f"{type(error).__name__}: {error}{where}") from error
    return module


def _line_of(error: Exception, path: Path) -> int | None:
    """Return the last line of a file that an error went through; a syntax error says its own."""
    line, trace = None, error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == str(path):
            line = trace.tb_lineno
        trace = trace.tb_next
    return line
