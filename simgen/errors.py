"""Every error a user can cause, in one place.

All derive from `SimgenError`; the command line prints the message and exits with the error's
`exit_code`, never with a traceback.
"""

from __future__ import annotations


class SimgenError(Exception):
    """Something is wrong with what the user gave; the message says what and what is allowed."""

    exit_code = 2


class ConfigError(SimgenError):
    """A configuration file has an unknown key, a value out of range, or cannot be read."""


class DecayFileError(SimgenError):
    """A decay file cannot be parsed, or what it says cannot be generated."""


class UnknownParticleError(SimgenError):
    """A particle name or PDG identifier is not in the particle table."""


class ModelError(SimgenError):
    """A decay model of the user cannot be compiled; names its file and line."""


class UnsupportedModelError(DecayFileError):
    """A decay that would be generated uses a model this version does not implement."""


class FileFormatError(SimgenError):
    """A data file is missing, truncated, of another stage, or of a newer format."""


class MissingPackageError(SimgenError):
    """A package is not installed that only what the user asks for needs; says how to get it."""


class OutputError(SimgenError):
    """The output cannot be written: it exists already, or the disk has no room."""


class InputArrayError(SimgenError):
    """An array argument has a wrong shape or unusable values; names the argument and the row."""


class RunError(SimgenError):
    """A run stopped after it had started, for example because the disk filled up."""

    exit_code = 3
