"""Compile a decay table to the flat arrays of a `Program`."""

from __future__ import annotations

import math
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from simgen.decfile.incoherent import Mixing, made_alone, single_mixing, why_not
from simgen.engine.bounds_cache import bounds_key, keep_bounds, restore_bounds, source_digest
from simgen.engine.channel_bounds import Unbounded, bound_channels
from simgen.engine.dalitz_grid import build_grid, plot_scratch
from simgen.engine.lineshape import fill_shape_bounds
from simgen.engine.mixing import (
    add_single_mixing,
    bound_pairs,
    oscillation_record,
    set_channels,
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
from simgen.engine.shapes import (
    birth_orbitals,
    decay_orbital,
    fill_shape,
    lineshape_of,
    shape_limits,
)
from simgen.errors import DecayFileError, UnsupportedModelError
from simgen.models import DecayModel, PairModel, compile_amplitude, compile_draw
from simgen.models.contract import Oscillation
from simgen.models.external import is_external
from simgen.particles import PROMPT_WIDTH
from simgen.phasespace import MAX_DAUGHTERS, best_shares, tangent_bound
from simgen.spin import NEUTRINO_CODES, n_spin_states

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from simgen.decfile import Channel, DecayTable
    from simgen.decfile.statements import SourceLine
    from simgen.engine.systems import Systems, SystemSource
    from simgen.typing import FloatArray

PHOTON = 22
_PHOTON_NAME = "gamma"
_FERMION_SPIN2 = 1
_DALITZ = 3  # daughters of a decay with a Dalitz plot
# A vector that makes a coherent pair of neutral B mesons even where the model says nothing of it.
_COHERENT = "Upsilon(4S)"
_B0 = 511
_SPIN2_OF_PAIRS = 2
_MOST_FRACTION = 0.5
# Lowest mass of a resonance relative to its decays' threshold: none is left without any room.
_ABOVE_THRESHOLD = 1.0 + 1e-9
# Pythia decays nothing with less than ParticleDecays:mSafety = 0.5 MeV to spare, GeV.
_ROOM_OF_SYSTEMS = 1e-3
# Range of the root's mass for which amplitudes are bounded, in standard deviations.
_ROOT_RANGE = 5.0
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


def describe(parent: str, channel: Channel) -> str:
    """Return "parent -> daughter daughter MODEL"."""
    return f"{parent} -> {' '.join(channel.daughters)} {channel.model}"


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
        table, root, root_mass, root_spread, frozenset(keep_stable), unsupported_models,
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
        keep_stable: frozenset[str],
        policy: UnsupportedPolicy,
        roots_per_event: float,
        source: SystemSource | None,
        photon_energy: float | None,
    ) -> None:
        self.table, self.root = table, root
        self.root_mass, self.root_spread = root_mass, root_spread
        self.keep_stable, self.policy = keep_stable, policy
        self.roots_per_event = roots_per_event
        self.source = source
        self.photon_energy = photon_energy
        self.systems: Mapping[tuple[str, Channel], Systems] = {}
        self.order: list[str] = []
        self.chains: dict[str, tuple[Channel, ...]] = {}
        self.low: dict[str, float] = {}
        self.high: dict[str, float] = {}
        self.drawn: dict[str, tuple[float, float]] = {}
        self.notes: list[str] = []
        self.mixed: dict[str, Mixing] = {}
        self.turns: dict[str, float] = {}  # how often mesons turn that mix on their own
        self.functions: dict[str, Any] = {}

    def run(self) -> CompiledDecays:
        """Compile."""
        self._walk()
        self._limit_masses()
        self._prepare_systems()
        numbers = {name: i for i, name in enumerate(self.order)}
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
        tables = self._set_tables(species, channels) + self._set_systems(numbers, channels)
        channels, mixing = add_single_mixing(
            self.table, self.mixed, numbers, species, channels, mixing
        )
        if any(systems.made for systems in self.systems.values()):
            largest_event = MAX_PARTICLES  # what was not in the sample may be larger
        program = Program(species, channels, mixing, parameters, largest_event, tables)
        self._set_bounds(program)
        used = [
            (name, channel, per_species[name] * fraction)
            for name in self.order
            for channel, fraction in zip(self.chains[name], self._fractions(name), strict=True)
        ]
        used += [
            (name, turning_channel(self.table, name, mixed), self.turns[name])
            for name, mixed in self.mixed.items()
        ]
        return CompiledDecays(
            program=program,
            species=tuple(self.order),
            channels=tuple(describe(name, channel) for name, channel, _ in used),
            per_event=tuple(often for _, _, often in used),
            mean_daughters=tuple(self._mean_daughters(name, c) for name, c, _ in used),
            system_uses=tuple(
                SystemUse(number, name, channel, 0 if found.made else len(found.pool), often)
                for number, (name, channel, often) in enumerate(used)
                for found in (self.systems.get((name, channel)),)
                if found is not None
            ),
            substitutions=tuple(substitutions),
            notes=tuple(self.notes),
            functions=tuple(self.functions.values()),
        )

    # ---- what is reachable -------------------------------------------------------------------

    def _channels_of(self, name: str) -> tuple[Channel, ...]:
        """Return the channels a species decays by; none if it stays."""
        data = self.table.particle(name)
        if name in self.keep_stable or data.name in self.keep_stable:
            return ()
        return tuple(
            each
            for listed in self.table.channels.get(name, ())
            if listed.daughters
            for each in self._made(name, listed)
        )

    def _made(self, name: str, channel: Channel) -> tuple[Channel, ...]:
        """Return what a channel makes, as channels of their own: some make conjugates, too.

        Each gets the same fraction; how often they happen follows from the flavour at decay.
        """
        model = self.table.model_of(name, channel)
        if model is None:
            return (channel,)
        daughters = [self.table.particle(d) for d in channel.daughters]
        if model.problem(channel.parameters, self.table.particle(name), daughters) is not None:
            return (channel,)  # `_check_model` says so
        states = model.final_states(channel.parameters, daughters)
        if len(states) == 1:
            return (channel,)
        return tuple(
            replace(
                channel,
                fraction=channel.fraction / len(states),
                daughters=tuple(self._conjugate(d) for d in channel.daughters)
                if state.conjugate
                else channel.daughters,
                parameters=state.parameters,
            )
            for state in states
        )

    def _conjugate(self, name: str) -> str:
        """Return the conjugate of a name or alias; of its particle where the alias has none."""
        return self.table.conjugates.get(name, self.table.particle(name).anti_name)

    def _oscillation(self, name: str, channel: Channel) -> Oscillation | None:
        """Return the oscillation a channel needs to know, None if it needs none."""
        model = self.table.model_of(name, channel)
        return None if model is None else model.oscillation(channel.parameters)

    def _pair(self, name: str, channel: Channel) -> tuple[tuple[str, ...], ...] | None:
        """Return the names each of a pair of oscillating mesons may have, listed ones first.

        None where a channel makes no such pair.
        """
        listed = channel.daughters
        if len(listed) not in (2, 4) or self.table.particle(name).spin2 != _SPIN2_OF_PAIRS:
            return None
        if isinstance(self.table.model_of(name, channel), PairModel):
            # Both may be either; of four names, the last two are those of the second meson.
            return listed[:2], listed[:1:-1] if len(listed) == 4 else listed[::-1]
        if self.table.particle(name).name != _COHERENT:
            return None
        if {self.table.particle(d).pdgid for d in listed} != {_B0, -_B0}:
            return None
        if not any(self._oscillation(d, c) for d in listed for c in self._channels_of(d)):
            return None
        # As in EvtGen: the partner of a decay that tells no flavour has either, unless an alias.
        return tuple(
            (d,) if d in self.table.aliases else (d, self.table.particle(d).anti_name)
            for d in listed
        )

    def _daughter_names(self, name: str, channel: Channel) -> tuple[tuple[str, ...], ...]:
        """Return the names each daughter of a channel may have; none if they come as a system."""
        if self._products(name, channel) is not None:
            return ()
        pair = self._pair(name, channel)
        return tuple((d,) for d in channel.daughters) if pair is None else pair

    def _products(self, name: str, channel: Channel) -> tuple[str, ...] | None:
        """Return what a channel may make if its daughters come as a system, None otherwise."""
        return None if self.source is None else self.source.products(name, channel)

    def _walk(self) -> None:
        """List species from the root on, with what single mesons turn into."""
        while True:
            self._walk_once()
            alone = self._find_alone()
            found = {name: single_mixing(self.table, name) for name in alone}
            mixed = {
                name: mixing
                for name, mixing in found.items()
                if mixing is not None and self._channels_of(mixing.partner)
            }
            if mixed == self.mixed:
                break
            self.mixed = mixed
        reasons = [why_not(self.table, name) for name in alone]
        self.notes += [reason for reason in reasons if reason is not None]

    def _find_alone(self) -> tuple[str, ...]:
        """Return all that decays and may be made on its own, and not as one of a pair."""
        alone = {self.root: None}
        for name in self.order:
            for channel in self.chains[name]:
                if made_alone(self.table, name, channel) and self._pair(name, channel) is None:
                    products = self._products(name, channel)
                    alone.update(dict.fromkeys(products or channel.daughters))
        return tuple(name for name in alone if self.chains.get(name))

    def _walk_once(self) -> None:
        """List species from the root on, parents before daughters; refuse loops."""
        self.notes.clear()
        if not self._channels_of(self.root):
            msg = f"{self.root} has no decays in {', '.join(f.name for f in self.table.files)}"
            raise DecayFileError(msg)
        finished: list[str] = []
        active: list[str] = []
        done: set[str] = set()

        def visit(name: str) -> None:
            if name in done:
                return
            if name in active:
                loop = " -> ".join([*active[active.index(name) :], name])
                msg = f"decays go round in a circle: {loop}"
                raise DecayFileError(msg)
            active.append(name)
            self.chains[name] = self._channels_of(name)
            self.notes += [
                f"{c.source.file}:{c.source.line}: {describe(name, c)} has no daughters and is "
                "left out"
                for c in self.table.channels.get(name, ())
                if not c.daughters
            ]
            if self.table.channels.get(name) and not any(
                c.daughters for c in self.table.channels[name]
            ):
                self.notes.append(f"{name} has no decay with daughters and stays")
            for channel in self.chains[name]:
                products = self._products(name, channel)
                for hadron in products or ():
                    visit(hadron)
                if products is None and len(channel.daughters) > MAX_DAUGHTERS:
                    raise DecayFileError(
                        f"{channel.source.file}:{channel.source.line}: {describe(name, channel)}: "
                        f"{len(channel.daughters)} daughters, at most {MAX_DAUGHTERS} are possible"
                    )
                for names in self._daughter_names(name, channel):
                    for daughter in names:
                        visit(daughter)
            # last, so that both stand side by side, before what either decays to
            if name in self.mixed and self.mixed[name].partner not in active:
                visit(self.mixed[name].partner)
            active.pop()
            done.add(name)
            finished.append(name)

        visit(self.root)
        self.order = finished[::-1]
        if self.photon_energy is not None and _PHOTON_NAME not in done:
            self.order.append(_PHOTON_NAME)
            self.chains[_PHOTON_NAME] = ()

    # ---- masses ------------------------------------------------------------------------------

    def _fixed(self, name: str) -> bool:
        """Say whether a species has one mass."""
        return name == self.root or self.table.particle(name).width < PROMPT_WIDTH

    def _mass(self, name: str) -> float:
        """Return the nominal mass of a species."""
        return self.root_mass if name == self.root else self.table.particle(name).mass

    def _threshold(self, name: str, channel: Channel) -> float:
        """Return the sum of the lowest masses of a channel's daughters.

        A single daughter is another name of the same state (K0 -> K_S0) and takes its mass.
        """
        systems = self.systems.get((name, channel))
        if systems is not None:
            return float(systems.pool.sums_of_masses().min()) + _ROOM_OF_SYSTEMS
        if len(channel.daughters) == 1:
            return 0.0
        return sum(
            max(self.low[each] for each in names) for names in self._daughter_names(name, channel)
        )

    def _limit_masses(self) -> None:
        """Set the mass limits of all species and drop channels that can never happen."""
        self._find_drawn()
        for name in reversed(self.order):  # daughters first
            self._set_low(name)
            self._drop_closed(name)
        self.high = {name: self._highest(name) for name in self.order}
        for name in self.order:  # parents first
            for channel in self.chains[name]:
                products = self._products(name, channel)
                if products is not None:
                    for hadron in products:
                        if not self._fixed(hadron):
                            self.high[hadron] = shape_limits(self.table, hadron)[1]
                    continue
                room = self.high[name] - self._threshold(name, channel)
                for daughter in channel.daughters:  # those with other names have fixed masses
                    if not self._fixed(daughter):
                        reach = min(
                            self.low[daughter] + room, shape_limits(self.table, daughter)[1]
                        )
                        self.high[daughter] = max(self.high[daughter], reach)
        for name in self.order:
            if not self._fixed(name):
                self.high[name] = min(self.high[name], shape_limits(self.table, name)[1])

    def _prepare_systems(self) -> None:
        """Let the source of systems make ready for the channels it serves."""
        if self.source is None:
            return
        found = [
            (name, channel)
            for name in self.order
            for channel in self.chains[name]
            if self._products(name, channel) is not None
        ]
        self.systems = self.source.prepare(found, self.low)
        for name in self.drawn:  # whose decays are known only now
            self._set_low(name)

    def _mean_daughters(self, name: str, channel: Channel) -> float:
        """Return the mean number of daughters of a channel."""
        systems = self.systems.get((name, channel))
        if systems is None:
            return float(len(channel.daughters))
        return float(np.diff(systems.pool.offsets).mean())

    def _set_low(self, name: str) -> None:
        """Set the lowest mass of a species.

        Where half of the branching fraction is open, because channels are chosen before masses:
        what makes a resonance must leave room for most of its channels.
        """
        if name in self.drawn:
            opens = min((self._threshold(name, c) for c in self.chains[name]), default=0.0)
            self.low[name] = max(self.drawn[name][0], opens * _ABOVE_THRESHOLD)
            return
        if self._fixed(name):
            self.low[name] = self._mass(name)
            return
        low, high = shape_limits(self.table, name)
        opened = 0.0
        for channel in sorted(self.chains[name], key=lambda c: self._threshold(name, c)):
            low = max(low, self._threshold(name, channel) * _ABOVE_THRESHOLD)
            opened += channel.fraction
            if opened >= _MOST_FRACTION:
                break
        if low >= high:
            raise DecayFileError(
                f"the lineshape of {name} ends at {high:.4f} GeV (ChangeMassMax), but begins at "
                f"{low:.4f} GeV (ChangeMassMin, or where it can decay)"
            )
        self.low[name] = low

    def _find_drawn(self) -> None:
        """Note the limits of masses that models draw with their kinematics."""
        for name in self.order:
            for channel in self.chains[name]:
                model = self.table.model_of(name, channel)
                if model is None or model.draw is None:
                    continue
                self._check_model(model, name, channel)
                daughter = channel.daughters[model.drawn]
                parent = self.table.particle(name)
                daughters = [self.table.particle(d) for d in channel.daughters]
                low, high = model.drawn_range(channel.parameters, parent, daughters)
                known = self.drawn.get(daughter, (math.inf, self._mass(daughter)))
                self.drawn[daughter] = (min(known[0], low), max(known[1], high))

    def _highest(self, name: str) -> float:
        """Return the highest mass of a species without a lineshape; the pole of all others."""
        return self.drawn[name][1] if name in self.drawn else self._mass(name)

    def _drop_closed(self, name: str) -> None:
        """Leave out the channels of a fixed mass that are below threshold."""
        if not self._fixed(name):
            return
        mass = self._highest(name)
        open_channels: list[Channel] = []
        for channel in self.chains[name]:
            needed = self._threshold(name, channel)
            if needed < mass:
                open_channels.append(channel)
            else:
                self.notes.append(
                    f"{channel.source.file}:{channel.source.line}: {describe(name, channel)} needs "
                    f"{needed:.4f} GeV and is left out: {name} has {mass:.4f} GeV"
                )
        if self.chains[name] and not open_channels:
            msg = f"no decay of {name} is kinematically possible; " + self.notes[-1]
            raise DecayFileError(msg)
        self.chains[name] = tuple(open_channels)

    # ---- how often ---------------------------------------------------------------------------

    def _fractions(self, name: str) -> list[float]:
        """Return branching fractions, summing to 1."""
        total = math.fsum(c.fraction for c in self.chains[name])
        return [c.fraction / total for c in self.chains[name]]

    def _expected(self) -> dict[str, float]:
        """Return the expected number of each species in an event."""
        expected = dict.fromkeys(self.order, 0.0)
        expected[self.root] = self.roots_per_event
        done: set[str] = set()
        for name in self.order:
            self._exchange_mixed(name, expected, done)
            done.add(name)
            for channel, fraction in zip(self.chains[name], self._fractions(name), strict=True):
                systems = self.systems.get((name, channel))
                for hadron, mean in (systems.pool.mean_numbers() if systems else {}).items():
                    expected[hadron] += expected[name] * fraction * mean
                for names in self._daughter_names(name, channel):
                    for daughter in names:
                        expected[daughter] += expected[name] * fraction / len(names)
        return expected

    def _exchange_mixed(self, name: str, expected: dict[str, float], done: set[str]) -> None:
        """Count decays by the flavour mesons have then; both flavours stand side by side."""
        mixing = self.mixed.get(name)
        if mixing is None or name in self.turns:
            return
        moved = self.turns[name] = expected[name] * mixing.chance
        if mixing.partner in done:
            return
        back = self.mixed.get(mixing.partner)
        if back is not None:
            self.turns[mixing.partner] = expected[mixing.partner] * back.chance
            moved -= self.turns[mixing.partner]
        expected[name] -= moved
        expected[mixing.partner] += moved

    def _substitutions(self, expected: dict[str, float]) -> list[Substitution]:
        """List channels whose model is not implemented, most frequent first."""
        found = [
            Substitution(
                decay=describe(name, channel),
                model=channel.model,
                per_event=expected[name] * fraction,
                where=f"{channel.source.file}:{channel.source.line}",
            )
            for name in self.order
            for channel, fraction in zip(self.chains[name], self._fractions(name), strict=True)
            if (name, channel) not in self.systems and self.table.model_of(name, channel) is None
        ]
        return sorted(found, key=lambda s: -s.per_event)

    # ---- flat arrays -------------------------------------------------------------------------

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
        self._check_model(model, parent, channel)
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
        massless = [d for d in charged if self.low[d] <= 0.0]
        if massless:
            raise _refusal(
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
            raise _refusal(
                parent, channel, f"`prepare` of the model failed: {type(error).__name__}: {error}"
            ) from error

    def _pole(self, parent: str, channel: Channel) -> int:
        """Return 1 + the first of the pair along whose pole momenta are proposed, 0 without."""
        model = self.table.model_of(parent, channel)
        return 0 if model is None or model.pole is None else 1 + model.pole

    def _check_model(self, model: DecayModel, parent: str, channel: Channel) -> None:
        """Refuse parameters or spins the model does not serve."""
        particles = [self.table.particle(d) for d in channel.daughters]
        problem = model.problem(channel.parameters, self.table.particle(parent), particles)
        if problem is not None:
            raise _refusal(parent, channel, problem)

    def _species_records(self) -> Any:
        """Return the species' records."""
        species = np.zeros(len(self.order), SPECIES)
        for row, name in zip(species, self.order, strict=True):
            data = self.table.particle(name)
            row["pdgid"] = data.pdgid
            row["mass"] = self._mass(name)
            row["width"] = 0.0 if self._fixed(name) else data.width
            row["min_mass"] = self._lowest(name)
            row["max_mass"] = self.high[name]
            row["shape_min"], row["shape_max"] = shape_limits(self.table, name)
            fill_shape(row, lineshape_of(self.table, name))
            row["ctau"] = self._ctau(name)
            row["n_states"] = self._n_states(name)
            row["charge"], row["fermion"] = data.charge3 / 3.0, data.spin2 == _FERMION_SPIN2
            row["n_channels"] = len(self.chains[name])
        species["first_channel"] = np.cumsum(species["n_channels"]) - species["n_channels"]
        return species

    def _channel_records(self, numbers: dict[str, int]) -> tuple[Any, FloatArray]:
        """Return the channels' records, bounds still missing, and all model parameters."""
        flat = [(name, channel) for name in self.order for channel in self.chains[name]]
        channels = np.zeros(len(flat), CHANNEL)
        parameters: list[float] = []
        starts: list[int] = []
        for row, (name, channel) in zip(channels, flat, strict=True):
            address = self._amplitude(name, channel)
            daughters = [names[0] for names in self._daughter_names(name, channel)]
            n_states = [self._n_states(n) for n in (name, *daughters)]
            row["threshold"] = self._threshold(name, channel)
            row["n_daughters"] = len(daughters)
            row["daughters"][: len(daughters)] = [numbers[d] for d in daughters]
            row["n_broad"] = sum(not self._fixed(d) for d in daughters)
            row["orbital"] = decay_orbital(self.table, name, daughters)
            row["birth_orbital"] = birth_orbitals(self.table, name, daughters, self._mass(name))
            row["mixing"], row["photon"] = -1, -1
            if self.photon_energy is not None and self._radiates(name, channel):
                row["photon"], row["photon_energy"] = numbers[_PHOTON_NAME], self.photon_energy
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
        for name in self.order:
            last = first + len(self.chains[name])
            channels["cumulative"][first:last] = np.cumsum(self._fractions(name))
            if last > first:
                # rounding must not run past the last channel
                channels["cumulative"][last - 1] = math.inf
            first = last
        return channels, values

    def _mixing_records(self, numbers: dict[str, int], channels: Any) -> Any:
        """Return the records of channels that know of mixing, and give the channels their rows."""
        flat = [(name, channel) for name in self.order for channel in self.chains[name]]
        rows: list[Any] = []
        for record, (name, channel) in zip(channels, flat, strict=True):
            oscillation = self._oscillation(name, channel)
            pair = self._pair(name, channel)
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

    def _lowest(self, name: str) -> float:
        """Return the lowest mass; for the root the lowest threshold of its channels."""
        if name == self.root:
            return min(self._threshold(name, c) for c in self.chains[name])
        return self.low[name]

    def _ctau(self, name: str) -> float:
        """Return the mean proper decay length, 0 for what stays."""
        ctau = self.table.particle(name).ctau
        return ctau if self.chains[name] and math.isfinite(ctau) else 0.0

    def _largest(self, combine: Any) -> int:
        """Return the largest value of a quantity that a decay combines from its daughters'."""
        size: dict[str, int] = {}
        for name in reversed(self.order):
            size[name] = max(
                (
                    combine([max(size[d] for d in ds) for ds in daughters])
                    for c in self.chains[name]
                    for daughters in self._possible_daughters(name, c)
                ),
                default=1,
            )
            mixing = self.mixed.get(name)
            if mixing is not None and mixing.partner in size:
                own, other = size[name], size[mixing.partner]
                size[name] = max(own, combine([other]))
                if mixing.partner in self.mixed:
                    size[mixing.partner] = max(other, combine([own]))
        return size[self.root]

    @contextmanager
    def _naming(self, number: int) -> Iterator[None]:
        """Name the decay, a channel's number, that turns out to be impossible to sample."""
        try:
            yield
        except ArithmeticError as error:
            flat = [(name, channel) for name in self.order for channel in self.chains[name]]
            raise _refusal(*flat[number], str(error)) from error

    def _possible_daughters(
        self, name: str, channel: Channel
    ) -> Sequence[tuple[tuple[str, ...], ...]]:
        """Return the names each daughter may have, for each set of daughters of a channel."""
        systems = self.systems.get((name, channel))
        if systems is None:
            return [self._daughter_names(name, channel)]
        return [tuple((hadron,) for hadron in each) for each in systems.pool.contents()]

    def _set_systems(self, numbers: dict[str, int], channels: Any) -> tuple[FloatArray, ...]:
        """Make the tables of pools; return them."""
        flat = [(name, channel) for name in self.order for channel in self.chains[name]]
        tables = []
        for row, each in zip(channels, flat, strict=True):
            systems = self.systems.get(each)
            if systems is None:
                continue
            if systems.made:
                row["n_systems"] = -1
                continue
            tables.append(systems.pool.table(numbers))
            row["systems"] = tables[-1].ctypes.data
            row["n_rows"], row["n_systems"] = len(tables[-1]), len(systems.pool)
        return tuple(tables)

    def _set_tables(self, species: Any, channels: Any) -> tuple[FloatArray, ...]:
        """Make the tables of Dalitz plots that are the same in every decay; return them."""
        tables: list[FloatArray] = []
        for parent, own in enumerate(species):
            if own["width"] > 0.0 or (parent == 0 and self.root_spread > 0.0):
                continue
            if self.order[parent] in self.drawn:
                continue
            first = int(own["first_channel"])
            for number in range(first, first + int(own["n_channels"])):
                channel = channels[number]
                daughters = species[channel["daughters"][: int(channel["n_daughters"])]]
                one_plot = len(daughters) == _DALITZ and not np.any(daughters["width"] > 0.0)
                plain = channel["address"] != 0 and channel["pole"] == 0
                if one_plot and plain and channel["n_amplitudes"] == 1:
                    scratch = plot_scratch(own, daughters)
                    with self._naming(number):
                        tables.append(build_grid(channel, float(own["mass"]), scratch))
                    channel["cells"] = tables[-1].ctypes.data
                    channel["n_cells"] = len(tables[-1])
        return tuple(tables)

    def _set_bounds(self, program: Program) -> None:
        """Fill in the bounds of phase-space weights and amplitudes, which may be known already."""
        self._set_space_bounds(program)
        flat = [(name, channel) for name in self.order for channel in self.chains[name]]
        models = [self.table.model_of(name, channel) for name, channel in flat]
        source = source_digest(models)
        key = source and bounds_key(program, models, self.root_spread, source)
        if not key or not restore_bounds(program, key):
            channels = self._unbounded(program)
            bound_channels(program, models, channels, source, self._naming)
            self._set_mixing_bounds(program)
            if key:
                keep_bounds(program, key)

    def _set_space_bounds(self, program: Program) -> None:
        """Prepare the bounds of phase-space weights."""
        for parent, own in enumerate(program.species):
            fixed_parent = parent != 0 and own["width"] == 0.0
            fixed_parent = fixed_parent and self.order[parent] not in self.drawn
            first = int(own["first_channel"])
            for channel in program.channels[first : first + int(own["n_channels"])]:
                n = int(channel["n_daughters"])
                if n > 2 and channel["n_cells"] == 0:
                    daughters = program.species[channel["daughters"][:n]]
                    self._set_space_bound(channel, own, daughters, fixed=fixed_parent)

    def _unbounded(self, program: Program) -> list[Unbounded]:
        """Return the channels whose amplitudes need bounds."""
        found = []
        for parent, own in enumerate(program.species):
            low, high = float(own["min_mass"]), float(own["max_mass"])
            if own["width"] == 0.0 and self.order[parent] not in self.drawn:
                low = high = float(own["mass"])
            if parent == 0:
                low -= _ROOT_RANGE * self.root_spread
                high += _ROOT_RANGE * self.root_spread
            first = int(own["first_channel"])
            for number in range(first, first + int(own["n_channels"])):
                channel = program.channels[number]
                if channel["n_cells"] > 0:
                    continue
                mixes = channel["mixing"] >= 0 and not self._makes_pair(program, channel)
                if channel["address"] != 0 and not mixes:
                    open_low = max(low, float(channel["threshold"]) * (1.0 + 1e-9))
                    found.append(Unbounded(number, parent, open_low, max(open_low, high)))
        return found

    @staticmethod
    def _makes_pair(program: Program, channel: Any) -> bool:
        """Say whether a channel that knows of mixing makes a pair of mesons that oscillate."""
        return bool(program.mixing["n_names"][int(channel["mixing"]), 0] > 0)

    def _set_mixing_bounds(self, program: Program) -> None:
        """Fill in what channels of mesons that oscillate need, then the bounds of pairs."""
        pairs: list[tuple[int, list[int]]] = []
        together: dict[tuple[int, SourceLine], list[int]] = {}
        for parent, own in enumerate(program.species):
            first = int(own["first_channel"])
            for offset, channel in enumerate(self.chains[self.order[parent]]):
                number = first + offset
                row = int(program.channels["mixing"][number])
                if row < 0:
                    continue
                if self._makes_pair(program, program.channels[number]):
                    names = program.mixing["names"][row]
                    count = program.mixing["n_names"][row]
                    pairs.append((row, [*names[0, : count[0]], *names[1, : count[1]]]))
                else:
                    together.setdefault((parent, channel.source), []).append(number)
        for (parent, _), numbers in together.items():
            with self._naming(numbers[0]):
                set_channels(program, parent, numbers, float(program.species["mass"][parent]))
        bound_pairs(program, pairs)

    @staticmethod
    def _set_space_bound(channel: Any, parent: Any, daughters: Any, *, fixed: bool) -> None:
        """Prepare the bound of the phase-space weight; it is final where no mass varies."""
        n = len(daughters)
        masses = np.ascontiguousarray(daughters["mass"])
        mass = float(parent["mass"])
        if mass <= masses.sum():
            # Possible in the tails only: take the plane for masses that just fit.
            masses = np.ascontiguousarray(daughters["min_mass"])
            mass = max(mass, float(parent["max_mass"]), 1.001 * masses.sum())
        shares = np.zeros(MAX_DAUGHTERS)
        best_shares(mass, masses, n, shares)
        channel["space_shares"] = shares
        varies = not fixed or bool(np.any(daughters["width"] > 0.0))
        channel["space_bound"] = math.nan if varies else tangent_bound(mass, masses, n, shares)

    def _check_sizes(self, largest_event: int, channels: Any) -> None:
        """Refuse what the event kernel has no room for."""
        limits = [
            ("particles in an event", largest_event, MAX_PARTICLES),
            ("decays in a row", self._largest(lambda sizes: 1 + max(sizes)), MAX_DEPTH),
            ("spin combinations", int(channels["n_amplitudes"].max()), MAX_AMPLITUDES),
        ]
        for what, found, most in limits:
            if found > most:
                msg = f"the decays of {self.root} make up to {found} {what}, at most {most} fit"
                raise DecayFileError(msg)


def _refusal(parent: str, channel: Channel, problem: str) -> DecayFileError:
    """Return the error for a decay that cannot be generated, with its line."""
    source = channel.source
    return DecayFileError(
        f"{source.file}:{source.line}: {describe(parent, channel)}: {problem}\n"
        f"  {source.text.strip()}"
    )


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
