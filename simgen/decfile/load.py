"""Decay files put together: which decays does each particle have in the end.

Files are read in order and the last word counts, as in EvtGen: a later ``Decay`` replaces an
earlier one, be it of the same file, of another user file or of the base table. ``Define``,
``ModelAlias``, ``CDecay``, ``CopyDecay`` and ``RemoveDecay`` act where they stand.

So ``CDecay`` conjugates what the partner decays to at that point, and a user's ``Decay D0``
leaves anti-D0 with the decays that the ``CDecay anti-D0`` of the base table gave it; a warning
says so, and a ``CDecay anti-D0`` after the new block makes them equal again. If the partner has
no decays yet, EvtGen silently leaves the particle without any; here that is an error.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from simgen.decfile import statements as st
from simgen.decfile.diagnostic import Diagnostic, Severity
from simgen.decfile.incoherent import sets_mixing
from simgen.decfile.parse import parse_decfile
from simgen.decfile.table import Channel, DecayFileInfo, DecayTable, Lineshape
from simgen.errors import DecayFileError
from simgen.particles import ParticleData, ParticleTable, particle_table

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from simgen.models import DecayModel

BASE_TABLES = ("DECAY_BELLE2.DEC", "DECAY_LHCB.DEC")
"""Full tables that come with decaylanguage."""

SUM_TOLERANCE = 1e-4
"""Largest deviation of a sum of branching fractions from 1 that is not worth a word (EvtGen's)."""


def load_decay_table(
    user_files: Sequence[Path | str],
    base: str | Path | None = "DECAY_BELLE2.DEC",
    names: Sequence[str] | None = None,
    models: Sequence[DecayModel] = (),
) -> DecayTable:
    """Read decay files on top of a base table.

    Parameters
    ----------
    user_files
        In order; a later file overrides an earlier one.
    base
        One of `BASE_TABLES`, another file, or None for no base table.
    names
        What messages call the user files; their paths by default.
    models
        Decay models beside those that come with this package.

    Returns
    -------
    DecayTable
        The decays in the end, with diagnostics for what was odd. Use `simgen.decfile.diagnose`
        to learn whether events can be made from it.

    Raises
    ------
    DecayFileError
        A file cannot be opened or read.
    """
    own = {model.name: model for model in models}
    parsed = [] if base is None else [_parse_base(base, tuple(own))]
    shown = names if names is not None else [None] * len(user_files)
    parsed += [
        parse_decfile(p, name, tuple(own)) for p, name in zip(user_files, shown, strict=True)
    ]
    builder = _Builder(particle_table())
    for number, decfile in enumerate(parsed):
        builder.add(decfile, is_base=base is not None and number == 0)
    return builder.build(own)


def _parse_base(base: str | Path, models: Sequence[str]) -> st.DecFile:
    """Read the base table, by name or from a file."""
    if str(base) in BASE_TABLES:
        spec = find_spec("decaylanguage")
        folders = spec.submodule_search_locations if spec is not None else None
        if folders:
            return parse_decfile(Path(folders[0]) / "data" / str(base), str(base), models)
    if not Path(base).exists():
        raise DecayFileError(
            f"unknown base decay table {str(base)!r}: it is neither a file nor one of "
            f"{', '.join(BASE_TABLES)}"
        )
    return parse_decfile(base, models=models)


class _Entry(NamedTuple):
    """One channel before its fraction is rescaled."""

    row: st.DecayLine
    daughters: tuple[str, ...]
    model: str
    parameters: tuple[float | str, ...]
    decfile: st.DecFile


class _Conjugated(NamedTuple):
    """Whose decays a ``CDecay`` conjugated, and which they were."""

    partner: str
    entries: tuple[_Entry, ...]


@dataclass(slots=True)
class _Symbols:
    """What ``Define`` and ``ModelAlias`` gave so far, each with the file it comes from."""

    numbers: dict[str, tuple[float, str]] = field(default_factory=dict)
    models: dict[str, tuple[str, tuple[float | str, ...], str]] = field(default_factory=dict)
    used_files: set[str] = field(default_factory=set)

    def parameters(self, words: Iterable[float | str]) -> tuple[float | str, ...]:
        """Return parameters with defined names replaced by their numbers."""
        return tuple(self._number(word) if isinstance(word, str) else word for word in words)

    def model(
        self, name: str, words: tuple[float | str, ...]
    ) -> tuple[str, tuple[float | str, ...]]:
        """Return model and parameters of a channel, a model alias replaced by what it means."""
        if name in self.models:
            name, first, file = self.models[name]
            self.used_files.add(file)
            words = first + words
        return name, self.parameters(words)

    def _number(self, word: str) -> float | str:
        """Return the number defined for a word, the word itself if there is none."""
        if word not in self.numbers:
            return word
        number, file = self.numbers[word]
        self.used_files.add(file)
        return number


def _nothing_to_conjugate(name: str, partner: str | None, decfile: st.DecFile) -> tuple[str, str]:
    """Return code and message for a ``CDecay`` that has nothing to conjugate."""
    if partner is None:
        add = f"put ChargeConj {name} <its partner> before this line"
        return "SGD018", f"the alias has no conjugate at this point; {add}"
    if partner == name:
        return "SGD008", f"{name} is its own conjugate; only a Decay block can give decays"
    blocks = [s for s in decfile.statements if isinstance(s, st.DecayBlock) and s.name == partner]
    where = f" at this point; put CDecay after its block on line {blocks[0].line}" if blocks else ""
    return "SGD008", f"{partner} has no decays to conjugate{where}"


class _Builder:
    """The state while statements are read one after the other."""

    def __init__(self, particles: ParticleTable) -> None:
        self.particles = particles
        self.files: list[DecayFileInfo] = []
        self.parsed: list[st.DecFile] = []
        self.symbols = _Symbols()
        self.aliases: dict[str, str] = {}
        self.alias_conjugates: dict[str, str] = {}
        self.blocks: dict[str, tuple[_Entry, ...]] = {}
        self.conjugated: dict[str, _Conjugated] = {}
        self.decided_by: dict[str, st.SourceLine] = {}
        self.changed: dict[str, ParticleData] = {}
        self.lineshapes: dict[str, Lineshape] = {}
        self.photos_policy = "flagged"
        self.pythia_parameters: list[st.PythiaParameter] = []
        self.diagnostics: list[Diagnostic] = []

    def add(self, decfile: st.DecFile, *, is_base: bool) -> None:
        """Read the statements of one more file."""
        self.files.append(DecayFileInfo(decfile.name, decfile.sha256, is_base))
        self.parsed.append(decfile)
        for statement in decfile.statements:
            self._add_statement(statement, decfile)

    def build(self, models: Mapping[str, DecayModel]) -> DecayTable:
        """Resolve what is left and return the table."""
        channels: dict[str, tuple[Channel, ...]] = {}
        for name in self.decided_by:
            self._check_partner(name)
            found = self._channels(name, self.blocks[name])
            if found:
                channels[name] = found
        return DecayTable(
            channels=channels,
            excluded={
                name: frozenset(e.daughters for e in entries if e.row.fraction == 0.0)
                for name, entries in self.blocks.items()
            },
            aliases=self.aliases,
            conjugates=self._conjugates(channels),
            particles=self.changed,
            lineshapes=self._lineshapes_of_aliases(),
            pythia_parameters=tuple(self.pythia_parameters),
            files=tuple(self.files),
            diagnostics=tuple(self.diagnostics),
            decided_by=self.decided_by,
            parsed=tuple(self.parsed),
            used_files=frozenset(self.symbols.used_files),
            models=models,
            numbers={name: number for name, (number, _) in self.symbols.numbers.items()},
        )

    # ---- one statement after the other -------------------------------------------------------

    def _add_statement(self, statement: st.Statement, decfile: st.DecFile) -> None:
        """Let one statement act."""
        source = decfile.source(statement.line)
        match statement:
            case st.DecayBlock():
                self._decide(statement.name, source, self._entries(statement, decfile))
            case st.CDecay():
                self._conjugate(statement.name, source, decfile)
            case st.CopyDecay():
                self._copy(statement, source)
            case st.RemoveDecay():
                self._remove(statement, source)
            case st.Alias():
                self._alias(statement, source)
            case st.ChargeConj():
                self.alias_conjugates[statement.name] = statement.conjugate
                self.alias_conjugates[statement.conjugate] = statement.name
            case st.Define():
                self.symbols.numbers[statement.name] = (statement.value, decfile.name)
                if sets_mixing(statement.name):
                    self.symbols.used_files.add(decfile.name)
            case st.ModelAlias():
                model, parameters = self.symbols.model(statement.model, statement.parameters)
                self.symbols.models[statement.name] = (model, parameters, decfile.name)
            case st.ParticleProperties():
                self._change_particle(statement)
            case st.Photos():
                self.photos_policy = statement.policy
            case st.PythiaParameter():
                self.pythia_parameters.append(statement)
            case _:
                self._change_lineshape(statement)

    def _entries(self, block: st.DecayBlock, decfile: st.DecFile) -> tuple[_Entry, ...]:
        """Return the channels of a block, those of fraction 0, too, but no negative ones."""
        entries = []
        for row in block.channels:
            if row.fraction < 0.0:
                self._say(
                    "SGD007",
                    "error",
                    f"negative branching fraction {row.fraction:g}",
                    decfile.source(row.line),
                    block.name,
                )
            if row.fraction > 0.0:
                model, parameters = self.symbols.model(row.model, row.parameters)
                entries.append(_Entry(row, row.daughters, model, parameters, decfile))
            elif row.fraction == 0.0:
                entries.append(_Entry(row, row.daughters, row.model, (), decfile))
        return tuple(entries)

    def _decide(self, name: str, source: st.SourceLine, entries: tuple[_Entry, ...]) -> None:
        """Give a particle the decays of a statement."""
        self.blocks[name] = entries
        self.conjugated.pop(name, None)
        self.decided_by[name] = source

    def _conjugate(self, name: str, source: st.SourceLine, decfile: st.DecFile) -> None:
        """Give a particle the conjugates of the decays its conjugate has at this point."""
        partner = self._conjugate_name(name)
        if partner is None or partner == name or partner not in self.blocks:
            code, problem = _nothing_to_conjugate(name, partner, decfile)
            self._say(code, "error", f"CDecay {name}: {problem}", source, name)
            self._decide(name, source, ())
            return
        self._check_daughters(name, partner, source)
        entries = self.blocks[partner]
        self._decide(name, source, tuple(self._conjugate_entry(entry) for entry in entries))
        self.conjugated[name] = _Conjugated(partner, entries)

    def _copy(self, statement: st.CopyDecay, source: st.SourceLine) -> None:
        """Let a particle decay as another does at this point."""
        if statement.original not in self.decided_by:
            self._say(
                "SGD019",
                "error",
                f"CopyDecay {statement.name}: {statement.original} has no decays to copy",
                source,
                statement.name,
            )
        self._decide(statement.name, source, self.blocks.get(statement.original, ()))

    def _remove(self, statement: st.RemoveDecay, source: st.SourceLine) -> None:
        """Take channels away from what a particle decays to at this point."""
        entries = self.blocks.get(statement.name, ())
        for daughters in statement.channels:
            kept = tuple(e for e in entries if sorted(e.daughters) != sorted(daughters))
            if len(kept) == len(entries):
                self._say(
                    "SGD021",
                    "warning",
                    f"RemoveDecay {statement.name}: there is no channel {' '.join(daughters)}",
                    source,
                    statement.name,
                )
            entries = kept
        self._decide(statement.name, source, entries)

    def _alias(self, statement: st.Alias, source: st.SourceLine) -> None:
        """Give a particle a second name; the first definition of an alias stays, as in EvtGen."""
        name = statement.name
        target = self.aliases.get(statement.particle, statement.particle)
        if name in self.particles:
            message = f"Alias {name}: this is the name of a particle; choose another name"
            self._say("SGD017", "error", message, source)
        elif self.aliases.setdefault(name, target) != target:
            message = f"Alias {name}: it already means {self.aliases[name]}, which stays"
            self._say("SGD017", "error", message, source)

    def _change_particle(self, statement: st.ParticleProperties) -> None:
        """Change mass and width of a particle and its antiparticle."""
        name = self.aliases.get(statement.name, statement.name)
        if name not in self.particles:
            return
        anti = self.particles.by_name(name).anti_name
        for each in {name, anti}:
            old = self.changed.get(each, self.particles.by_name(each))
            width = old.width if statement.width is None else statement.width
            self.changed[each] = replace(old, mass=statement.mass, width=width)

    def _change_lineshape(
        self,
        statement: st.LineshapeStatement,
    ) -> None:
        """Change the lineshape of a particle, which its aliases share."""
        name = self.aliases.get(statement.name, statement.name)
        old = self.lineshapes.get(name, Lineshape())
        match statement:
            case st.LineshapeKind():
                new = replace(old, kind=statement.kind)
            case st.MassLimit(side="min"):
                new = replace(old, mass_min=statement.mass)
            case st.MassLimit():
                new = replace(old, mass_max=statement.mass)
            case st.BlattWeisskopf(vertex="birth"):
                new = replace(old, blatt_weisskopf_birth=statement.radius)
            case st.BlattWeisskopf():
                new = replace(old, blatt_weisskopf=statement.radius)
            case st.MomentumFactor(vertex="birth"):
                new = replace(old, include_birth=statement.included)
            case st.MomentumFactor():
                new = replace(old, include_decay=statement.included)
            case st.PartialWave():
                new = replace(old, partial_waves=(*old.partial_waves, statement))
        self.lineshapes[name] = new

    # ---- what comes out ----------------------------------------------------------------------

    def _check_partner(self, name: str) -> None:
        """Say so if the decays that ``CDecay`` conjugated are no longer those of the partner."""
        if name not in self.conjugated:
            return
        partner, entries = self.conjugated[name]
        if self.blocks[partner] != entries:
            self._say(
                "SGD016",
                "warning",
                f"{name} keeps the conjugates of the decays {partner} had before "
                f"({self.decided_by[name]}), as in EvtGen; add CDecay {name} after this to give "
                "it the new ones",
                self.decided_by[partner],
                name,
            )

    def _check_daughters(self, name: str, partner: str, source: st.SourceLine) -> None:
        """Say which aliases among the daughters cannot be conjugated."""
        listed = self.blocks[partner]
        daughters = {d for entry in listed if entry.row.fraction > 0.0 for d in entry.daughters}
        for alias in sorted(daughters & self.aliases.keys()):
            if self._conjugate_name(alias) is None:
                self._say(
                    "SGD018",
                    "error",
                    f"CDecay {name}: the alias {alias} in the decays of {partner} has no "
                    f"conjugate; add ChargeConj {alias} <its partner>",
                    source,
                    name,
                )

    def _conjugate_name(self, name: str) -> str | None:
        """Return the conjugate of a name or alias, None for an alias that needs a ChargeConj."""
        if name in self.alias_conjugates:
            return self.alias_conjugates[name]
        true_name = self.aliases.get(name, name)
        if true_name not in self.particles:
            return None
        anti = self.particles.by_name(true_name).anti_name
        if name in self.aliases:
            return name if anti == true_name else None
        return anti

    def _conjugate_entry(self, entry: _Entry) -> _Entry:
        """Return the conjugate of a channel: other daughters, same model and parameters."""
        return entry._replace(
            daughters=tuple(self._conjugate_daughter(name) for name in entry.daughters)
        )

    def _conjugate_daughter(self, name: str) -> str:
        """Return the conjugate of a daughter; of its particle where the alias has none."""
        conjugate = self._conjugate_name(name)
        if conjugate is not None:
            return conjugate
        true_name = self.aliases.get(name, name)
        if true_name in self.particles:
            return self.particles.by_name(true_name).anti_name
        return name

    def _channels(self, name: str, entries: tuple[_Entry, ...]) -> tuple[Channel, ...]:
        """Return the channels of a particle with fractions that sum to 1."""
        entries = tuple(entry for entry in entries if entry.row.fraction > 0.0)
        total = math.fsum(entry.row.fraction for entry in entries)
        if entries and abs(total - 1.0) > SUM_TOLERANCE and name not in self.conjugated:
            self._say(
                "SGD006",
                "warning",
                f"branching fractions of {name} sum to {total:.6g}; rescaled to 1",
                self.decided_by[name],
                name,
            )
        always, never = self.photos_policy == "always", self.photos_policy == "never"
        return tuple(
            Channel(
                fraction=entry.row.fraction / total,
                daughters=entry.daughters,
                photos=not never and (always or entry.row.photos),
                model=entry.model,
                parameters=entry.parameters,
                source=entry.decfile.source(entry.row.line),
            )
            for entry in entries
        )

    def _conjugates(self, channels: Mapping[str, tuple[Channel, ...]]) -> dict[str, str]:
        """Return the conjugates of all names used."""
        names = set(channels) | set(self.aliases) | set(self.aliases.values())
        names |= {name for rows in channels.values() for row in rows for name in row.daughters}
        pairs = ((name, self._conjugate_name(name)) for name in sorted(names))
        return {name: conjugate for name, conjugate in pairs if conjugate is not None}

    def _lineshapes_of_aliases(self) -> dict[str, Lineshape]:
        """Return the lineshapes by particle and by every alias of it."""
        shared = {a: self.lineshapes[p] for a, p in self.aliases.items() if p in self.lineshapes}
        return {**self.lineshapes, **shared}

    def _say(
        self,
        code: str,
        severity: Severity,
        message: str,
        source: st.SourceLine,
        particle: str | None = None,
    ) -> None:
        """Note a finding."""
        self.diagnostics.append(Diagnostic(code, severity, message, source, particle))
