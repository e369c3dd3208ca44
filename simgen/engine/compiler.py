"""Compile a decay table to the flat arrays of a `Program`."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from simgen.decfile.incoherent import exchange_flavours
from simgen.engine.chains import PHOTON_NAME, DecayChains, describe, refusal
from simgen.engine.lineshape import fill_shape_bounds
from simgen.engine.mass_limits import MassLimits
from simgen.engine.mixing import (
    add_single_mixing,
    oscillation_record,
    set_pair,
    turning_channel,
)
from simgen.engine.program import (
    CHANNEL,
    MAX_AMPLITUDES,
    MAX_DEPTH,
    MAX_PARTICLES,
    MAX_STATES,
    MIXING,
    SPECIES,
    Program,
)
from simgen.engine.program_bounds import ProgramBounds
from simgen.engine.shapes import (
    birth_orbitals,
    decay_orbital,
    fill_shape,
    lineshape_of,
    shape_limits,
)
from simgen.errors import DecayFileError, UnsupportedModelError
from simgen.models import PairModel, compile_amplitude, compile_draw
from simgen.models.contract import Oscillation
from simgen.models.external import is_external
from simgen.spin import NEUTRINO_CODES, n_spin_states

if TYPE_CHECKING:
    from collections.abc import Sequence

    from simgen.decfile import Channel, DecayTable
    from simgen.engine.systems import SystemSource
    from simgen.typing import FloatArray

PHOTON = 22
_FERMION_SPIN2 = 1
UnsupportedPolicy = Literal["error", "phsp"]


@dataclass(frozen=True, slots=True)
class Substitution:
    """A channel generated as phase space because its model is not implemented."""

    decay: str
    model: str
    per_event: float
    where: str


@dataclass(frozen=True, slots=True)
class SystemUse:
    """A channel whose daughters come as a system of hadrons, and how often it happens.

    Attributes
    ----------
    number
        Of the channel.
    name, channel
        What decays, and how.
    in_pool
        Number of systems that are used again and again, 0 if each decay has its own.
    per_event
        Expected number of times in an event.
    """

    number: int
    name: str
    channel: Channel
    in_pool: int
    per_event: float


@dataclass(frozen=True)
class CompiledDecays:
    """A program and what people want to know about it.

    Attributes
    ----------
    program
        The flat arrays.
    species
        Name of each species.
    channels
        Description of each channel, "parent -> daughters MODEL".
    per_event
        (channels,) expected number of times an event uses each channel.
    mean_daughters
        (channels,) mean number of daughters.
    system_uses
        Channels whose daughters come as systems of hadrons.
    substitutions
        Channels generated as phase space instead of their model.
    notes
        Anything else that is not generated as the decay file says.
    """

    program: Program
    species: tuple[str, ...]
    channels: tuple[str, ...]
    per_event: tuple[float, ...]
    mean_daughters: tuple[float, ...]
    system_uses: tuple[SystemUse, ...]
    substitutions: tuple[Substitution, ...]
    notes: tuple[str, ...]
    # Compiled C functions; the program holds their addresses, so they must live as long.
    functions: tuple[Any, ...] = field(repr=False)


def compile_decays(
    table: DecayTable,
    root: str,
    root_mass: float,
    *,
    root_spread: float = 0.0,
    keep_stable: Sequence[str] = (),
    unsupported_models: UnsupportedPolicy = "error",
    roots_per_event: float = 1.0,
    source: SystemSource | None = None,
    photon_energy: float | None = None,
) -> CompiledDecays:
    """Compile everything reachable from `root`.

    Parameters
    ----------
    table
        Decay table.
    root
        Particle or alias an event begins with.
    root_mass
        Its mean mass, GeV: sqrt(s) of the beams.
    root_spread
        Standard deviation of its mass, GeV.
    keep_stable
        Particles and aliases that are not decayed.
    unsupported_models
        ``"error"``: refuse a reachable channel whose model is not implemented; ``"phsp"``:
        generate it as phase space and list it in the result.
    roots_per_event
        How often an event decays the root.
    source
        Makes the daughters of channels whose model is another program's; None for phase space of
        what the decay file lists.
    photon_energy
        The lowest of photons that the products of a decay radiate, in the rest frame of what
        decays, GeV, in channels with the PHOTOS flag; None for no radiation.

    Raises
    ------
    DecayFileError
        If the root does not decay, decays into itself, or has no channel that is kinematically
        possible.
    UnsupportedModelError
        If a reachable channel has a model that is not implemented.
    """
    return _Compiler(
        table, root, root_mass, root_spread, keep_stable, unsupported_models,
        roots_per_event, source, photon_energy,
    ).run()  # fmt: skip


class _Compiler:
    """The state of one compilation."""

    def __init__(
        self,
        table: DecayTable,
        root: str,
        root_mass: float,
        root_spread: float,
        keep_stable: Sequence[str],
        policy: UnsupportedPolicy,
        roots_per_event: float,
        source: SystemSource | None,
        photon_energy: float | None,
    ) -> None:
        self.table, self.policy = table, policy
        self.decays = DecayChains(
            table, root, keep_stable, source, with_photons=photon_energy is not None
        )
        self.masses = MassLimits(self.decays, root_mass)
        self.bounds = ProgramBounds(self.decays, self.masses.drawn, root_spread)
        self.roots_per_event, self.photon_energy = roots_per_event, photon_energy
        self.turns: dict[str, float] = {}  # how often mesons turn that mix on their own
        self.functions: dict[str, Any] = {}

    def run(self) -> CompiledDecays:
        """Compile."""
        numbers = {name: i for i, name in enumerate(self.decays.order)}
        per_species = self._expected()
        substitutions = self._substitutions(per_species)
        refused = [s for s in substitutions if not is_external(s.model)]
        if refused and self.policy == "error":
            raise UnsupportedModelError(_unsupported_message(refused))
        channels, parameters = self._channel_records(numbers)
        largest_event = self._largest(lambda sizes: 1 + sum(sizes))
        self._check_sizes(largest_event, channels)
        if np.any(channels["photon"] >= 0):
            largest_event = MAX_PARTICLES  # photons in every decay never happen
        species = self._species_records()
        mixing = self._mixing_records(numbers, channels)
        fill_shape_bounds(species, channels)
        tables = self.bounds.set_tables(species, channels) + self._set_systems(numbers, channels)
        channels, mixing = add_single_mixing(
            self.table, self.decays.mixed, numbers, species, channels, mixing
        )
        if any(systems.made for systems in self.masses.systems.values()):
            largest_event = MAX_PARTICLES  # what was not in the sample may be larger
        program = Program(species, channels, mixing, parameters, largest_event, tables)
        self.bounds.set_bounds(program)
        used = [
            (name, channel, per_species[name] * fraction)
            for name in self.decays.order
            for channel, fraction in self._shares(name)
        ]
        used += [
            (name, turning_channel(self.table, name, mixed), self.turns[name])
            for name, mixed in self.decays.mixed.items()
        ]
        return CompiledDecays(
            program=program,
            species=tuple(self.decays.order),
            channels=tuple(describe(name, channel) for name, channel, _ in used),
            per_event=tuple(often for _, _, often in used),
            mean_daughters=tuple(self._mean_daughters(name, c) for name, c, _ in used),
            system_uses=tuple(
                SystemUse(number, name, channel, 0 if found.made else len(found.pool), often)
                for number, (name, channel, often) in enumerate(used)
                for found in (self.masses.systems.get((name, channel)),)
                if found is not None
            ),
            substitutions=tuple(substitutions),
            notes=tuple(self.decays.notes),
            functions=tuple(self.functions.values()),
        )

    def _mean_daughters(self, name: str, channel: Channel) -> float:
        """Return the mean number of daughters of a channel."""
        systems = self.masses.systems.get((name, channel))
        if systems is None:
            return float(len(channel.daughters))
        return float(np.diff(systems.pool.offsets).mean())

    def _fractions(self, name: str) -> list[float]:
        """Return branching fractions, summing to 1."""
        total = math.fsum(c.fraction for c in self.decays.channels[name])
        return [c.fraction / total for c in self.decays.channels[name]]

    def _shares(self, name: str) -> list[tuple[Channel, float]]:
        """Return the channels of a species with their branching fractions."""
        return list(zip(self.decays.channels[name], self._fractions(name), strict=True))

    def _expected(self) -> dict[str, float]:
        """Return the expected number of each species in an event."""
        expected = dict.fromkeys(self.decays.order, 0.0)
        expected[self.decays.root] = self.roots_per_event
        done: set[str] = set()
        for name in self.decays.order:
            self._exchange_mixed(name, expected, done)
            done.add(name)
            for channel, fraction in self._shares(name):
                systems = self.masses.systems.get((name, channel))
                for hadron, mean in (systems.pool.mean_numbers() if systems else {}).items():
                    expected[hadron] += expected[name] * fraction * mean
                for names in self.decays.daughter_names(name, channel):
                    for daughter in names:
                        expected[daughter] += expected[name] * fraction / len(names)
        return expected

    def _exchange_mixed(self, name: str, expected: dict[str, float], done: set[str]) -> None:
        """Count decays by the flavour mesons have then; both flavours stand side by side."""
        mixing = self.decays.mixed.get(name)
        if mixing is None or name in self.turns:
            return
        if mixing.partner in done:
            self.turns[name] = expected[name] * mixing.chance
        else:
            self.turns |= exchange_flavours(self.decays.mixed, name, expected)

    def _substitutions(self, expected: dict[str, float]) -> list[Substitution]:
        """List channels whose model is not implemented, most frequent first."""
        found = [
            Substitution(
                decay=describe(name, channel),
                model=channel.model,
                per_event=expected[name] * fraction,
                where=f"{channel.source.file}:{channel.source.line}",
            )
            for name in self.decays.order
            for channel, fraction in self._shares(name)
            if (name, channel) not in self.masses.systems
            and self.table.model_of(name, channel) is None
        ]
        return sorted(found, key=lambda s: -s.per_event)

    def _n_states(self, name: str) -> int:
        """Return the number of spin states, 1 for spins that no amplitude serves."""
        data = self.table.particle(name)
        massless = abs(data.pdgid) in NEUTRINO_CODES or data.pdgid == PHOTON
        n = n_spin_states(data.spin2, massless=massless)
        return n if n <= MAX_STATES else 1

    def _amplitude(self, parent: str, channel: Channel) -> int:
        """Return the address of a channel's compiled amplitude, 0 for phase space."""
        model = self.table.model_of(parent, channel)
        if model is None or model.amplitude is None:
            return 0
        self.decays.check_model(model, parent, channel)
        if model.name not in self.functions:
            # Numba's cache would not notice a change in what a user's amplitude calls.
            cache = model.name not in self.table.models
            self.functions[model.name] = compile_amplitude(model.amplitude, cache=cache)
        return int(self.functions[model.name].address)

    def _draw(self, parent: str, channel: Channel) -> int:
        """Return the address of the compiled function that draws a channel's kinematics, or 0."""
        model = self.table.model_of(parent, channel)
        if model is None or model.draw is None:
            return 0
        if model.name not in self.functions:
            cache = model.name not in self.table.models
            self.functions[model.name] = compile_draw(model.draw, cache=cache)
        return int(self.functions[model.name].address)

    def _radiates(self, parent: str, channel: Channel) -> bool:
        """Say whether the products of a channel radiate; partons and Pythia's systems do not."""
        if not channel.photos or is_external(channel.model) or len(channel.daughters) == 1:
            return False
        charged = [d for d in channel.daughters if self.table.particle(d).charge3 != 0]
        massless = [d for d in charged if self.masses.low[d] <= 0.0]
        if massless:
            raise refusal(
                parent, channel,
                f"{massless[0]} is charged and has no mass, and would radiate without limit",
            )  # fmt: skip
        return len(charged) > 0

    def _parameters(self, parent: str, channel: Channel) -> tuple[float, ...]:
        """Return the numbers a channel's amplitude is called with."""
        model = self.table.model_of(parent, channel)
        if model is None:
            return ()
        particles = [self.table.particle(d) for d in channel.daughters]
        try:
            return model.prepare(channel.parameters, self.table.particle(parent), particles)
        except Exception as error:
            if model.name not in self.table.models:
                raise
            raise refusal(
                parent, channel, f"`prepare` of the model failed: {type(error).__name__}: {error}"
            ) from error

    def _pole(self, parent: str, channel: Channel) -> int:
        """Return 1 + the first of the pair along whose pole momenta are proposed, 0 without."""
        model = self.table.model_of(parent, channel)
        return 0 if model is None or model.pole is None else 1 + model.pole

    def _species_records(self) -> Any:
        """Return the species' records."""
        species = np.zeros(len(self.decays.order), SPECIES)
        for row, name in zip(species, self.decays.order, strict=True):
            data = self.table.particle(name)
            row["pdgid"] = data.pdgid
            row["mass"] = self.masses.mass(name)
            row["width"] = 0.0 if self.masses.is_fixed(name) else data.width
            row["min_mass"] = self.masses.lowest(name)
            row["max_mass"] = self.masses.high[name]
            row["shape_min"], row["shape_max"] = shape_limits(self.table, name)
            fill_shape(row, lineshape_of(self.table, name))
            row["ctau"] = self._ctau(name)
            row["n_states"] = self._n_states(name)
            row["charge"], row["fermion"] = data.charge3 / 3.0, data.spin2 == _FERMION_SPIN2
            row["n_channels"] = len(self.decays.channels[name])
        species["first_channel"] = np.cumsum(species["n_channels"]) - species["n_channels"]
        return species

    def _channel_records(self, numbers: dict[str, int]) -> tuple[Any, FloatArray]:
        """Return the channels' records, bounds still missing, and all model parameters."""
        flat = self.decays.flat()
        channels = np.zeros(len(flat), CHANNEL)
        parameters: list[float] = []
        starts: list[int] = []
        for row, (name, channel) in zip(channels, flat, strict=True):
            address = self._amplitude(name, channel)
            daughters = [names[0] for names in self.decays.daughter_names(name, channel)]
            n_states = [self._n_states(n) for n in (name, *daughters)]
            row["threshold"] = self.masses.threshold(name, channel)
            row["n_daughters"] = len(daughters)
            row["daughters"][: len(daughters)] = [numbers[d] for d in daughters]
            row["n_broad"] = sum(not self.masses.is_fixed(d) for d in daughters)
            row["orbital"] = decay_orbital(self.table, name, daughters)
            row["birth_orbital"] = birth_orbitals(
                self.table, name, daughters, self.masses.mass(name)
            )
            row["mixing"], row["photon"] = -1, -1
            if self.photon_energy is not None and self._radiates(name, channel):
                row["photon"], row["photon_energy"] = numbers[PHOTON_NAME], self.photon_energy
            row["address"] = address
            row["draw"] = self._draw(name, channel)
            row["pole"] = self._pole(name, channel)
            row["n_amplitudes"] = math.prod(n_states) if address else 1
            starts.append(len(parameters))
            if address or row["draw"]:
                parameters.extend(self._parameters(name, channel))
        # one more, so that a channel without parameters still points into the array
        values = np.array([*parameters, 0.0])
        channels["parameters"] = values.ctypes.data + values.itemsize * np.array(starts)
        first = 0
        for name in self.decays.order:
            last = first + len(self.decays.channels[name])
            channels["cumulative"][first:last] = np.cumsum(self._fractions(name))
            if last > first:
                # rounding must not run past the last channel
                channels["cumulative"][last - 1] = math.inf
            first = last
        return channels, values

    def _mixing_records(self, numbers: dict[str, int], channels: Any) -> Any:
        """Return the records of channels that know of mixing, and give the channels their rows."""
        flat = self.decays.flat()
        rows: list[Any] = []
        for record, (name, channel) in zip(channels, flat, strict=True):
            oscillation = self.decays.oscillation(name, channel)
            pair = self.decays.pair(name, channel)
            if pair is None and oscillation is None:
                continue
            meson = name if pair is None else channel.daughters[0]
            row = oscillation_record(
                oscillation or Oscillation(0.0), self.table.particle(meson).ctau
            )
            if pair is not None:
                model = self.table.model_of(name, channel)
                amplitudes = None
                if isinstance(model, PairModel):
                    amplitudes = model.label_amplitudes(channel.parameters)
                set_pair(row, [[numbers[each] for each in names] for names in pair], amplitudes)
            record["mixing"] = len(rows)
            rows.append(row)
        return np.array(rows, MIXING)

    def _ctau(self, name: str) -> float:
        """Return the mean proper decay length, 0 for what stays."""
        ctau = self.table.particle(name).ctau
        return ctau if self.decays.channels[name] and math.isfinite(ctau) else 0.0

    def _largest(self, combine: Any) -> int:
        """Return the largest value of a quantity that a decay combines from its daughters'."""
        size: dict[str, int] = {}
        for name in reversed(self.decays.order):
            size[name] = max(
                (
                    combine([max(size[d] for d in ds) for ds in daughters])
                    for c in self.decays.channels[name]
                    for daughters in self._possible_daughters(name, c)
                ),
                default=1,
            )
            mixing = self.decays.mixed.get(name)
            if mixing is not None and mixing.partner in size:
                own, other = size[name], size[mixing.partner]
                size[name] = max(own, combine([other]))
                if mixing.partner in self.decays.mixed:
                    size[mixing.partner] = max(other, combine([own]))
        return size[self.decays.root]

    def _possible_daughters(
        self, name: str, channel: Channel
    ) -> Sequence[tuple[tuple[str, ...], ...]]:
        """Return the names each daughter may have, for each set of daughters of a channel."""
        systems = self.masses.systems.get((name, channel))
        if systems is None:
            return [self.decays.daughter_names(name, channel)]
        return [tuple((hadron,) for hadron in each) for each in systems.pool.contents()]

    def _set_systems(self, numbers: dict[str, int], channels: Any) -> tuple[FloatArray, ...]:
        """Make the tables of pools; return them."""
        flat = self.decays.flat()
        tables = []
        for row, each in zip(channels, flat, strict=True):
            systems = self.masses.systems.get(each)
            if systems is None:
                continue
            if systems.made:
                row["n_systems"] = -1
                continue
            tables.append(systems.pool.table(numbers))
            row["systems"] = tables[-1].ctypes.data
            row["n_rows"], row["n_systems"] = len(tables[-1]), len(systems.pool)
        return tuple(tables)

    def _check_sizes(self, largest_event: int, channels: Any) -> None:
        """Refuse what the event kernel has no room for."""
        limits = [
            ("particles in an event", largest_event, MAX_PARTICLES),
            ("decays in a row", self._largest(lambda sizes: 1 + max(sizes)), MAX_DEPTH),
            ("spin combinations", int(channels["n_amplitudes"].max()), MAX_AMPLITUDES),
        ]
        for what, found, most in limits:
            if found > most:
                root = self.decays.root
                msg = f"the decays of {root} make up to {found} {what}, at most {most} fit"
                raise DecayFileError(msg)


def _unsupported_message(substitutions: Sequence[Substitution]) -> str:
    """Name the models, and the most frequent decays that use them."""
    models = sorted({s.model for s in substitutions})
    shown = substitutions[:10]
    lines = [f"  {s.where}: {s.decay} ({s.per_event:.2g} per event)" for s in shown]
    more = len(substitutions) - len(shown)
    if more > 0:
        lines.append(f"  and {more} more")
    return (
        f"decay models not implemented: {', '.join(models)}\n"
        + "\n".join(lines)
        + "\nSet `unsupported_models: phsp` in the configuration to generate these decays as "
        "phase space; they are then listed in the output."
    )
