"""What is said about a decay table: one finding, and the list of all kinds of findings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from simgen.decfile.statements import SourceLine

Severity: TypeAlias = Literal["error", "warning"]

NAMES = {
    "SGD001": "unknown-particle",
    "SGD002": "unknown-model",
    "SGD003": "wrong-parameters",
    "SGD004": "charge-not-conserved",
    "SGD005": "kinematically-forbidden",
    "SGD006": "fractions-not-one",
    "SGD007": "negative-fraction",
    "SGD008": "cdecay-without-source",
    "SGD009": "alias-of-unknown",
    "SGD010": "duplicated-block",
    "SGD011": "wrong-conjugate",
    "SGD012": "unused-file",
    "SGD013": "unused-alias",
    "SGD014": "model-not-implemented",
    "SGD015": "after-end",
    "SGD016": "conjugate-unchanged",
    "SGD017": "alias-redefined",
    "SGD018": "alias-without-conjugate",
    "SGD019": "missing-original",
    "SGD020": "root-does-not-decay",
    "SGD021": "nothing-removed",
    "SGD022": "circular-decay",
}
"""Name of each code."""


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One finding in a decay table.

    Attributes
    ----------
    code
        ``SGD001`` ...; see `NAMES`.
    severity
        ``error`` if events cannot be generated as the file says, else ``warning``.
    message
        What was found and what is allowed.
    source
        The line it is about.
    particle
        Whose decays it is about, None if it is not about decays.
    """

    code: str
    severity: Severity
    message: str
    source: SourceLine
    particle: str | None = None

    @property
    def name(self) -> str:
        """The kind of finding in words, for example ``unknown-particle``."""
        return NAMES[self.code]

    def __str__(self) -> str:
        return f"{self.source}: {self.severity} {self.code} {self.name}: {self.message}"
