"""The statements a decay file is made of, as data.

Each carries the line it starts on. Nothing is resolved here: names may be aliases or unknown,
parameters may be names given by ``Define``, fractions need not sum to one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class SourceLine:
    """A line of a decay file, to show to a person.

    Attributes
    ----------
    file
        Name of the file as it was given.
    line
        Line number, the first is 1.
    text
        The line itself, without its end.
    """

    file: str
    line: int
    text: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


@dataclass(frozen=True, slots=True)
class DecayLine:
    """One channel as written in a Decay block."""

    line: int
    fraction: float
    daughters: tuple[str, ...]
    photos: bool
    model: str
    parameters: tuple[float | str, ...]


@dataclass(frozen=True, slots=True)
class DecayBlock:
    """``Decay name`` ... ``Enddecay``."""

    line: int
    name: str
    channels: tuple[DecayLine, ...]


@dataclass(frozen=True, slots=True)
class RemoveDecay:
    """``RemoveDecay name`` ... ``Enddecay``: drops the channels with these daughters."""

    line: int
    name: str
    channels: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class CDecay:
    """``CDecay name``: decays as the charge conjugate of its conjugate."""

    line: int
    name: str


@dataclass(frozen=True, slots=True)
class CopyDecay:
    """``CopyDecay name original``: decays as `original` does at this point."""

    line: int
    name: str
    original: str


@dataclass(frozen=True, slots=True)
class Alias:
    """``Alias name particle``: a second name with decays of its own."""

    line: int
    name: str
    particle: str


@dataclass(frozen=True, slots=True)
class ChargeConj:
    """``ChargeConj name conjugate``: two aliases are each other's conjugates."""

    line: int
    name: str
    conjugate: str


@dataclass(frozen=True, slots=True)
class Define:
    """``Define name value``: a number to be used by name as a model parameter."""

    line: int
    name: str
    value: float


@dataclass(frozen=True, slots=True)
class ModelAlias:
    """``ModelAlias name model parameters;``: a model with its parameters under one name."""

    line: int
    name: str
    model: str
    parameters: tuple[float | str, ...]


@dataclass(frozen=True, slots=True)
class ParticleProperties:
    """``Particle name mass [width]`` in GeV; width None leaves it as it is."""

    line: int
    name: str
    mass: float
    width: float | None


@dataclass(frozen=True, slots=True)
class PythiaParameter:
    """``JetSetPar`` and ``Pythia...Param``: a setting for Pythia, as text."""

    line: int
    kind: str
    parameter: str
    value: str


@dataclass(frozen=True, slots=True)
class LineshapeKind:
    """``LSFLAT``, ``LSNONRELBW`` or ``LSMANYDELTAFUNC name``; kind without the ``LS``."""

    line: int
    kind: str
    name: str


@dataclass(frozen=True, slots=True)
class BlattWeisskopf:
    """``BlattWeisskopf`` (vertex "decay") or ``BlattWeisskopfBirth`` (vertex "birth") radius."""

    line: int
    vertex: str
    name: str
    radius: float


@dataclass(frozen=True, slots=True)
class PartialWave:
    """``SetLineshapePW name daughter daughter L``."""

    line: int
    name: str
    daughters: tuple[str, str]
    orbital: int


@dataclass(frozen=True, slots=True)
class MassLimit:
    """``ChangeMassMin`` (side "min") or ``ChangeMassMax`` (side "max") in GeV."""

    line: int
    side: str
    name: str
    mass: float


@dataclass(frozen=True, slots=True)
class MomentumFactor:
    """``IncludeBirthFactor`` or ``IncludeDecayFactor`` (vertex "birth" or "decay")."""

    line: int
    vertex: str
    name: str
    included: bool


@dataclass(frozen=True, slots=True)
class Photos:
    """``yesPhotos`` ("always"), ``noPhotos`` ("never") or ``normalPhotos`` ("flagged")."""

    line: int
    policy: str


LineshapeStatement: TypeAlias = (
    LineshapeKind | BlattWeisskopf | PartialWave | MassLimit | MomentumFactor
)

Statement: TypeAlias = (
    DecayBlock
    | RemoveDecay
    | CDecay
    | CopyDecay
    | Alias
    | ChargeConj
    | Define
    | ModelAlias
    | ParticleProperties
    | PythiaParameter
    | LineshapeKind
    | BlattWeisskopf
    | PartialWave
    | MassLimit
    | MomentumFactor
    | Photos
)


@dataclass(frozen=True, slots=True)
class DecFile:
    """One decay file, read but not interpreted.

    Attributes
    ----------
    name
        The file as the user names it.
    sha256
        Of the file's bytes, hexadecimal.
    lines
        The text, line by line.
    statements
        In the order of the file.
    trailing_line
        First line with a statement after ``End``, which EvtGen does not read; None if none.
    """

    name: str
    sha256: str
    lines: tuple[str, ...]
    statements: tuple[Statement, ...]
    trailing_line: int | None

    def source(self, line: int) -> SourceLine:
        """Return line number `line` (from 1) with its place."""
        text = self.lines[line - 1] if 0 < line <= len(self.lines) else ""
        return SourceLine(self.name, line, text)
