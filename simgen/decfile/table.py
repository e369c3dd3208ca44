"""The decays of all particles, as decay files say in the end."""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

from simgen.models import find_model, model_names
from simgen.models.external import can_be_made
from simgen.particles import ParticleData, particle_table

if TYPE_CHECKING:
    from collections.abc import Mapping

    from simgen.decfile.diagnostic import Diagnostic
    from simgen.decfile.statements import DecFile, PartialWave, PythiaParameter, SourceLine
    from simgen.models import DecayModel


@dataclass(frozen=True, slots=True)
class Channel:
    """One decay channel.

    Attributes
    ----------
    fraction
        Branching fraction; those of one particle sum to 1.
    daughters
        Names or aliases, in the order of the file.
    photos
        Whether the decay file asks for final-state radiation in this channel.
    model
        Decay model; never a model alias.
    parameters
        Of the model; text only where the file has a word that is no number and not defined.
    source
        The line it comes from; a conjugate has the line of its original.
    """

    fraction: float
    daughters: tuple[str, ...]
    photos: bool
    model: str
    parameters: tuple[float | str, ...]
    source: SourceLine


@dataclass(frozen=True, slots=True)
class Lineshape:
    """What decay files say about the mass distribution of a particle.

    Attributes
    ----------
    kind
        ``RELBW`` (relativistic Breit-Wigner, if nothing is said), ``FLAT``, ``NONRELBW`` or
        ``MANYDELTA``.
    mass_min, mass_max
        Limits in GeV, None where not set.
    blatt_weisskopf
        Barrier radius of the decay vertex in 1/GeV, None where not set.
    blatt_weisskopf_birth
        Barrier radius of the production vertex in 1/GeV, None where not set.
    include_birth, include_decay
        Whether the momentum factor of the production or decay vertex enters, None where not set.
    partial_waves
        Orbital angular momentum for pairs of daughters where it is not the lowest possible.
    """

    kind: str = "RELBW"
    mass_min: float | None = None
    mass_max: float | None = None
    blatt_weisskopf: float | None = None
    blatt_weisskopf_birth: float | None = None
    include_birth: bool | None = None
    include_decay: bool | None = None
    partial_waves: tuple[PartialWave, ...] = ()


@dataclass(frozen=True, slots=True)
class DecayFileInfo:
    """A file that went into a table: its name, the SHA-256 of its bytes, whether it is the base."""

    name: str
    sha256: str
    is_base: bool


class DecayTable:
    """The decays of all particles, as decay files say in the end.

    Attributes
    ----------
    channels
        By name or alias. Names without an entry are stable. Model aliases, defined parameters,
        conjugated and copied decays are resolved; channels of fraction 0 are left out.
    excluded
        By name or alias: daughters of the channels of fraction 0. They say what fragmentation
        (``PYTHIA``) must not make.
    aliases
        Alias -> particle.
    conjugates
        Name or alias -> conjugate, for all names used; an alias that needs a ``ChargeConj`` and
        has none is left out.
    lineshapes
        By name or alias, only where a file says something.
    photos
        Whether final-state radiation is asked for in any channel.
    pythia_parameters
        Settings for Pythia, in order.
    files
        The files, the base table first.
    diagnostics
        What was found while putting the files together; `simgen.decfile.diagnose` adds the rest.
    decided_by
        For each name: the statement that decided its decays.
    parsed
        The files, statement by statement.
    used_files
        Names of files whose ``Define`` or ``ModelAlias`` some channel uses.
    models
        By name: decay models of the user, beside those that come with this package.
    numbers
        What ``Define`` gave in the end, by name.
    """

    def __init__(
        self,
        *,
        channels: Mapping[str, tuple[Channel, ...]],
        excluded: Mapping[str, frozenset[tuple[str, ...]]],
        aliases: Mapping[str, str],
        conjugates: Mapping[str, str],
        particles: Mapping[str, ParticleData],
        lineshapes: Mapping[str, Lineshape],
        pythia_parameters: tuple[PythiaParameter, ...],
        files: tuple[DecayFileInfo, ...],
        diagnostics: tuple[Diagnostic, ...],
        decided_by: Mapping[str, SourceLine],
        parsed: tuple[DecFile, ...],
        used_files: frozenset[str],
        models: Mapping[str, DecayModel],
        numbers: Mapping[str, float],
    ) -> None:
        self.channels = MappingProxyType(dict(channels))
        self.excluded = MappingProxyType(dict(excluded))
        self.aliases = MappingProxyType(dict(aliases))
        self.conjugates = MappingProxyType(dict(conjugates))
        self.lineshapes = MappingProxyType(dict(lineshapes))
        self.photos = any(channel.photos for rows in channels.values() for channel in rows)
        self.pythia_parameters = pythia_parameters
        self.files = files
        self.diagnostics = diagnostics
        self.decided_by = MappingProxyType(dict(decided_by))
        self.parsed = parsed
        self.used_files = used_files
        self.models = MappingProxyType(dict(models))
        self.numbers = MappingProxyType(dict(numbers))
        self._particles = MappingProxyType(dict(particles))
        self._found: dict[str, ParticleData] = {}  # asked for hundreds of thousands of times

    def __repr__(self) -> str:
        return f"<DecayTable of {len(self.channels)} particles from {self._file_names()}>"

    def particle(self, name: str) -> ParticleData:
        """Return the particle of a name or alias, with what ``Particle`` statements changed.

        Raises
        ------
        UnknownParticleError
            Neither a particle nor an alias has this name.
        """
        found = self._found.get(name)
        if found is None:
            true_name = self.aliases.get(name, name)
            found = self._particles.get(true_name) or particle_table().by_name(true_name)
            self._found[name] = found
        return found

    def with_channels(self, name: str, channels: tuple[Channel, ...]) -> DecayTable:
        """Return this table with other decays of one particle."""
        changed = copy(self)
        changed.channels = MappingProxyType({**self.channels, name: channels})
        return changed

    def find_model(self, name: str) -> DecayModel | None:
        """Return the model that this table calls `name`, or None if it is not implemented."""
        return self.models.get(name) or find_model(name)

    def model_names(self) -> tuple[str, ...]:
        """Return the names of all models that `find_model` finds, sorted."""
        return tuple(sorted({*model_names(), *self.models}))

    def model_of(self, name: str, channel: Channel) -> DecayModel | None:
        """Return the model of a decay, None if it is not implemented, or not for these particles.

        Raises
        ------
        UnknownParticleError
            If the parent or a daughter is no particle.
        """
        model = self.find_model(channel.model)
        if model is None:
            return None
        particles = [self.particle(each) for each in (name, *channel.daughters)]
        return model if model.serves(particles) else None

    def is_made(self, name: str, channel: Channel) -> bool:
        """Tell whether a decay is generated by its model, here or by another program."""
        return can_be_made(channel.model) or self.model_of(name, channel) is not None

    def is_known(self, name: str) -> bool:
        """Tell whether a name is a particle or an alias of one."""
        return self.aliases.get(name, name) in particle_table()

    def is_base(self, source: SourceLine) -> bool:
        """Tell whether a line is one of the base table."""
        return any(info.is_base and info.name == source.file for info in self.files)

    def _file_names(self) -> str:
        """Return the names of the files, for people."""
        return ", ".join(info.name for info in self.files) or "no file"
