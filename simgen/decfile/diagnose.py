"""Find what is wrong or odd in a decay table, and say where.

Each rule is one function that yields findings about the whole table. `diagnose` runs them all
and leaves out what does not matter: errors in parts of the base table that cannot be reached
from the root, and oddities of the base table a user has not asked about.
"""

from __future__ import annotations

from collections import defaultdict
from difflib import get_close_matches
from typing import TYPE_CHECKING

from simgen.decfile import statements as st
from simgen.decfile.diagnostic import NAMES, Diagnostic, Severity
from simgen.decfile.parse import evtgen_models
from simgen.decfile.reach import Reach, find_reach
from simgen.models.external import INSTALL, can_be_made, is_external
from simgen.particles import PROMPT_WIDTH, ParticleData, particle_table

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from simgen.decfile.table import Channel, DecayTable

__all__ = ["NAMES", "Diagnostic", "Severity", "diagnose", "has_errors"]

WIDTHS = 15.0
"""How many natural widths below and above its mass a resonance may lie (EvtGen's choice)."""

_DECAY_STATEMENTS = (st.DecayBlock, st.CDecay, st.CopyDecay, st.RemoveDecay)
_NAMING_STATEMENTS = (*_DECAY_STATEMENTS, st.ParticleProperties, st.LineshapeStatement)
_INCLUSIVE = frozenset({"Xu0", "Xu+", "Xsd", "Xsu", "Xss", "Xdd", "Xdu+"})


def diagnose(
    table: DecayTable, root: str = "Upsilon(4S)", *, everything: bool = False
) -> tuple[Diagnostic, ...]:
    """Find what is wrong or odd in a decay table.

    Parameters
    ----------
    table
        The decays.
    root
        Name or alias of the particle every event starts with.
    everything
        Also say what does not matter for this root, and the oddities of the base table.

    Returns
    -------
    tuple of Diagnostic
        Errors first; a channel and its conjugate are mentioned once.

    Raises
    ------
    UnknownParticleError
        The root is neither a particle nor an alias.
    """
    reach = find_reach(table, root)
    found = [
        *table.diagnostics,
        *_table_rules(table, reach, root),
        *_channel_findings(table, reach),
    ]
    kept = found if everything else [d for d in found if _matters(d, table, reach)]
    return tuple(sorted(kept, key=lambda d: (d.severity, table.is_base(d.source))))


def has_errors(diagnostics: Iterable[Diagnostic]) -> bool:
    """Tell whether any finding is an error."""
    return any(diagnostic.severity == "error" for diagnostic in diagnostics)


def _matters(diagnostic: Diagnostic, table: DecayTable, reach: Reach) -> bool:
    """Tell whether a finding is about a user file, or an error that an event can meet."""
    if not table.is_base(diagnostic.source):
        return True
    reachable = diagnostic.particle is None or diagnostic.particle in reach
    return diagnostic.severity == "error" and reachable


def _table_rules(table: DecayTable, reach: Reach, root: str) -> Iterator[Diagnostic]:
    """Run the rules that look at files or at the whole table."""
    yield from _root_rule(table, root)
    yield from _loop_rule(table, reach)
    yield from _unused_file_rule(table, reach)
    for decfile in table.parsed:
        yield from _after_end_rule(decfile)
        yield from _duplicate_rule(decfile)
        yield from _unknown_name_rule(table, decfile)
        yield from _alias_target_rule(table, decfile)
        yield from _charge_conj_rule(table, decfile)
        yield from _unused_alias_rule(table, decfile, root)
    yield from _unimplemented_base_rule(table, reach)


def _channel_findings(table: DecayTable, reach: Reach) -> list[Diagnostic]:
    """Run the rules about channels; of a channel and its conjugate the reachable one is named."""
    masses = _MassRange(table)
    findings: dict[tuple[str, st.SourceLine], Diagnostic] = {}
    for name in sorted(table.channels, key=lambda name: name not in reach):
        for channel in table.channels[name]:
            for finding in _channel_rules(table, masses, name, channel):
                findings.setdefault((finding.code, finding.source), finding)
    return list(findings.values())


def _channel_rules(
    table: DecayTable, masses: _MassRange, name: str, channel: Channel
) -> Iterator[Diagnostic]:
    """Run all rules about one channel, those about particles only if all are known."""
    yield from _unknown_daughter_rule(table, name, channel)
    yield from _model_rule(table, name, channel)
    if table.is_known(name) and all(table.is_known(daughter) for daughter in channel.daughters):
        yield from _parameter_rule(table, name, channel)
        yield from _charge_rule(table, name, channel)
        yield from _kinematic_rule(table, masses, name, channel)


# ---- rules about files ---------------------------------------------------------------------------


def _root_rule(table: DecayTable, root: str) -> Iterator[Diagnostic]:
    """Check that the particle every event starts with decays."""
    if root not in table.channels and table.files:
        source = st.SourceLine(table.files[-1].name, 1, "")
        yield Diagnostic("SGD020", "error", f"the root particle {root} has no decays", source)


def _loop_rule(table: DecayTable, reach: Reach) -> Iterator[Diagnostic]:
    """Check that no particle is among its own descendants."""
    for loop in reach.loops:
        message = f"decays go round in a circle: {' -> '.join(loop)}"
        yield Diagnostic("SGD022", "error", message, table.decided_by[loop[0]], loop[0])


def _unused_file_rule(table: DecayTable, reach: Reach) -> Iterator[Diagnostic]:
    """Check that each user file changes something about the events."""
    in_use = set(table.used_files)
    for name in reach.expected:
        if name in table.decided_by:
            in_use.add(table.decided_by[name].file)
        in_use.update(channel.source.file for channel in table.channels.get(name, ()))
    particles = {table.aliases.get(name, name) for name in reach.expected}
    for info, decfile in zip(table.files, table.parsed, strict=True):
        acts = any(_acts(statement, particles, table) for statement in decfile.statements)
        if not info.is_base and info.name not in in_use and not acts:
            yield Diagnostic(
                "SGD012",
                "error",
                f"nothing in this file is used: {_defined(decfile)}, and no event contains it",
                decfile.source(1),
            )


def _acts(statement: st.Statement, particles: set[str], table: DecayTable) -> bool:
    """Tell whether a statement other than a decay acts on an event with these particles."""
    if isinstance(statement, st.ParticleProperties) and table.is_known(statement.name):
        data = table.particle(statement.name)
        return not particles.isdisjoint({data.name, data.anti_name})
    if isinstance(statement, st.LineshapeStatement):
        return table.aliases.get(statement.name, statement.name) in particles
    return isinstance(statement, st.Photos | st.PythiaParameter)


def _defined(decfile: st.DecFile) -> str:
    """Say what a file defines."""
    decays = [s.name for s in decfile.statements if isinstance(s, _DECAY_STATEMENTS)]
    if not decays:
        return "it has no decays"
    shown = ", ".join(dict.fromkeys(decays[:5])) + (", ..." if len(decays) > 5 else "")
    return f"it has the decays of {shown}"


def _after_end_rule(decfile: st.DecFile) -> Iterator[Diagnostic]:
    """Check that nothing stands after ``End``."""
    if decfile.trailing_line is not None:
        message = "what follows End is not read, as in EvtGen; remove End or these lines"
        yield Diagnostic("SGD015", "warning", message, decfile.source(decfile.trailing_line))


def _duplicate_rule(decfile: st.DecFile) -> Iterator[Diagnostic]:
    """Check that a file has one block for each particle."""
    first: dict[str, int] = {}
    for statement in decfile.statements:
        if isinstance(statement, st.DecayBlock):
            if statement.name in first:
                yield Diagnostic(
                    "SGD010",
                    "warning",
                    f"second Decay block of {statement.name} in this file (the first is on line "
                    f"{first[statement.name]}); the last counts",
                    decfile.source(statement.line),
                    statement.name,
                )
            first[statement.name] = statement.line


def _unknown_name_rule(table: DecayTable, decfile: st.DecFile) -> Iterator[Diagnostic]:
    """Check that statements give decays and properties to known names only."""
    for statement in decfile.statements:
        if isinstance(statement, _NAMING_STATEMENTS):
            names = [statement.name]
            names += [statement.original] if isinstance(statement, st.CopyDecay) else []
            names += statement.daughters if isinstance(statement, st.PartialWave) else []
            for name in names:
                yield from _unknown(table, name, decfile.source(statement.line), statement.name)


def _unknown(
    table: DecayTable, name: str, source: st.SourceLine, particle: str
) -> Iterator[Diagnostic]:
    """Say so if a name is neither a particle nor an alias."""
    if name not in table.aliases and name not in particle_table():
        yield Diagnostic("SGD001", "error", _unknown_message(table, name), source, particle)


def _unknown_message(table: DecayTable, name: str) -> str:
    """Return what is said about an unknown name."""
    names = [*particle_table().names(), *table.aliases]
    near = ", ".join(get_close_matches(name, names, n=3, cutoff=0.0))
    return f"unknown particle {name}; nearest names: {near}"


def _alias_target_rule(table: DecayTable, decfile: st.DecFile) -> Iterator[Diagnostic]:
    """Check that each alias stands for a particle."""
    for statement in decfile.statements:
        if isinstance(statement, st.Alias) and not table.is_known(statement.particle):
            near = ", ".join(particle_table().nearest(statement.particle))
            message = (
                f"Alias {statement.name}: unknown particle {statement.particle}; "
                f"nearest names: {near}"
            )
            yield Diagnostic("SGD009", "error", message, decfile.source(statement.line))


def _charge_conj_rule(table: DecayTable, decfile: st.DecFile) -> Iterator[Diagnostic]:
    """Check that ``ChargeConj`` joins names of a particle and of its antiparticle."""
    for statement in decfile.statements:
        if not isinstance(statement, st.ChargeConj):
            continue
        source = decfile.source(statement.line)
        names = (statement.name, statement.conjugate)
        unknown = [name for name in names if not table.is_known(name)]
        for name in unknown:
            yield from _unknown(table, name, source, name)
        if unknown:
            continue
        anti = table.particle(statement.name).anti_name
        if table.particle(statement.conjugate).name != anti:
            message = (
                f"ChargeConj {statement.name} {statement.conjugate}: "
                f"{statement.conjugate} stands for {table.particle(statement.conjugate).name}, "
                f"the antiparticle is {anti}"
            )
            yield Diagnostic("SGD011", "error", message, source, statement.name)


def _unused_alias_rule(table: DecayTable, decfile: st.DecFile, root: str) -> Iterator[Diagnostic]:
    """Check that each alias occurs in some decay."""
    used = {d for channels in table.channels.values() for c in channels for d in c.daughters}
    for statement in decfile.statements:
        if isinstance(statement, st.Alias) and statement.name not in used | {root}:
            message = f"the alias {statement.name} occurs in no decay"
            yield Diagnostic("SGD013", "warning", message, decfile.source(statement.line))


# ---- rules about channels ------------------------------------------------------------------------


def _unknown_daughter_rule(table: DecayTable, name: str, channel: Channel) -> Iterator[Diagnostic]:
    """Check that every daughter is a particle or an alias."""
    particles = particle_table()
    unknown = [d for d in channel.daughters if d not in table.aliases and d not in particles]
    if unknown:
        message = "; ".join(_unknown_message(table, each) for each in dict.fromkeys(unknown))
        yield Diagnostic("SGD001", "error", message, channel.source, name)


def _model_rule(table: DecayTable, name: str, channel: Channel) -> Iterator[Diagnostic]:
    """Check that the model exists and, in user files, that it is implemented here."""
    if table.find_model(channel.model) is not None or can_be_made(channel.model):
        return
    if is_external(channel.model):
        if not table.is_base(channel.source):
            message = f"the model {channel.model} needs another program: {INSTALL}"
            yield Diagnostic("SGD014", "error", message, channel.source, name)
        return
    evtgen = evtgen_models()
    if channel.model not in evtgen:
        near = get_close_matches(channel.model, {*table.model_names(), *evtgen}, n=3, cutoff=0.0)
        message = f"unknown model {channel.model}; nearest names: {', '.join(near)}"
        yield Diagnostic("SGD002", "error", message, channel.source, name)
    elif not table.is_base(channel.source):
        message = f"the model {channel.model} is not implemented here"
        yield Diagnostic("SGD014", "error", message, channel.source, name)


def _unimplemented_base_rule(table: DecayTable, reach: Reach) -> Iterator[Diagnostic]:
    """Check that the base table's models are implemented here; one finding for each model."""
    used: defaultdict[str, list[tuple[str, Channel]]] = defaultdict(list)
    for name in sorted(table.channels, key=lambda name: name not in reach):
        for channel in table.channels[name]:
            if table.is_base(channel.source) and not table.is_made(name, channel):
                used[channel.model].append((name, channel))
    for model, rows in used.items():
        if model in evtgen_models():
            reached = [(name, channel) for name, channel in rows if name in reach]
            share = sum(reach.expected[name] * channel.fraction for name, channel in reached)
            lacks = (
                f"needs another program ({INSTALL})"
                if is_external(model)
                else "is not implemented here"
            )
            message = (
                f"the model {model} {lacks}: {len(reached)} reachable channels, "
                f"{share:.4g} decays per event; the first is this"
            )
            name, channel = rows[0]
            yield Diagnostic("SGD014", "error", message, channel.source, name)


def _parameter_rule(table: DecayTable, name: str, channel: Channel) -> Iterator[Diagnostic]:
    """Check that the model can be used with these parameters and these spins."""
    base = table.is_base(channel.source)
    model = table.model_of(name, channel) if base else table.find_model(channel.model)
    if model is None:
        return
    daughters = tuple(table.particle(daughter) for daughter in channel.daughters)
    problem = model.problem(channel.parameters, table.particle(name), daughters)
    if problem is not None:
        message = f"{_shown(name, channel)}: {problem}"
        yield Diagnostic("SGD003", "error", message, channel.source, name)


def _charge_rule(table: DecayTable, name: str, channel: Channel) -> Iterator[Diagnostic]:
    """Check charge conservation; a channel without daughters leaves them to its model."""
    before = table.particle(name).charge3
    after = sum(table.particle(daughter).charge3 for daughter in channel.daughters)
    if channel.daughters and before != after:
        message = (
            f"{_shown(name, channel)}: charge {_charge(before)} before, {_charge(after)} after"
        )
        yield Diagnostic("SGD004", "error", message, channel.source, name)


def _kinematic_rule(
    table: DecayTable, masses: _MassRange, name: str, channel: Channel
) -> Iterator[Diagnostic]:
    """Check that the lightest daughters fit into the heaviest parent.

    Left out: daughters whose mass the model draws (partons, inclusive states), and models that
    list more daughters than they make (mixing with aliases for both flavours).
    """
    daughters = [table.particle(daughter) for daughter in channel.daughters]
    if "MIX" in channel.model or any(_has_no_mass(data) for data in daughters):
        return
    available = masses.largest(name)
    needed = sum(masses.smallest(daughter) for daughter in channel.daughters)
    if needed > available:
        severity: Severity = "warning" if table.is_base(channel.source) else "error"
        message = (
            f"{_shown(name, channel)}: the daughters need {needed:.4f} GeV, "
            f"{name} has at most {available:.4f} GeV"
        )
        yield Diagnostic("SGD005", severity, message, channel.source, name)


def _has_no_mass(data: ParticleData) -> bool:
    """Tell whether a particle's mass is drawn by the model: partons and inclusive states."""
    code = abs(data.pdgid)
    diquark = 1000 < code < 10000 and code // 10 % 10 == 0
    inclusive = not _INCLUSIVE.isdisjoint({data.name, data.anti_name})
    return code <= 8 or 80 < code < 100 or diquark or inclusive


class _MassRange:
    """Smallest and largest masses the particles of a table may have, in GeV."""

    def __init__(self, table: DecayTable) -> None:
        self.table = table
        self.known: dict[str, float] = {}

    def largest(self, name: str) -> float:
        """Return the largest mass a particle may have."""
        data, shape = self.table.particle(name), self.table.lineshapes.get(name)
        if data.width < PROMPT_WIDTH:
            return data.mass
        if shape is not None and shape.mass_max is not None:
            return shape.mass_max
        return data.mass + WIDTHS * data.width

    def smallest(self, name: str) -> float:
        """Return the smallest mass a particle may have, given what it decays to."""
        if name not in self.known:
            self.known[name] = self._own_limit(name)  # what a circle of decays falls back to
            self.known[name] = max(self.known[name], self._threshold(name))
        return self.known[name]

    def _own_limit(self, name: str) -> float:
        """Return the smallest mass by the lineshape alone."""
        data, shape = self.table.particle(name), self.table.lineshapes.get(name)
        if data.width < PROMPT_WIDTH:
            return data.mass
        if shape is not None and shape.mass_min is not None:
            return shape.mass_min
        return max(0.0, data.mass - WIDTHS * data.width)

    def _threshold(self, name: str) -> float:
        """Return the smallest sum of daughter masses of a resonance, 0 for other particles."""
        if self.table.particle(name).width < PROMPT_WIDTH:
            return 0.0
        rows = [channel.daughters for channel in self.table.channels.get(name, ())]
        known = [row for row in rows if all(self.table.is_known(daughter) for daughter in row)]
        return min((sum(self.smallest(d) for d in row) for row in known), default=0.0)


def _shown(name: str, channel: Channel) -> str:
    """Return a channel as people write it."""
    return f"{name} -> {' '.join(channel.daughters) or '(left to the model)'}"


def _charge(charge3: int) -> str:
    """Return a charge as people write it."""
    return f"{charge3 // 3:+d}" if charge3 % 3 == 0 else f"{charge3:+d}/3"
