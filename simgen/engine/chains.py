"""What an event may hold: everything reachable from its root, and how each of it decays."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from simgen.decfile.incoherent import COHERENT, Mixing, made_alone, single_mixing, why_not
from simgen.errors import DecayFileError
from simgen.models import PairModel
from simgen.phasespace import MAX_DAUGHTERS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from simgen.decfile import DecayTable
    from simgen.decfile.table import Channel
    from simgen.engine.systems import SystemSource
    from simgen.models import DecayModel
    from simgen.models.contract import Oscillation

PHOTON_NAME = "gamma"
_B0 = 511
_SPIN2_OF_PAIRS = 2


def describe(parent: str, channel: Channel) -> str:
    """Return "parent -> daughter daughter MODEL"."""
    return f"{parent} -> {' '.join(channel.daughters)} {channel.model}"


def refusal(parent: str, channel: Channel, problem: str) -> DecayFileError:
    """Return the error for a decay that cannot be generated, with its line."""
    source = channel.source
    return DecayFileError(
        f"{source.file}:{source.line}: {describe(parent, channel)}: {problem}\n"
        f"  {source.text.strip()}"
    )


class DecayChains:
    """Species from the root on, parents before daughters, and the channels of each.

    Parameters
    ----------
    table
        Decay table.
    root
        Particle or alias an event begins with.
    keep_stable
        Particles and aliases that are not decayed.
    source
        Makes the daughters of channels whose model is another program's; None without.
    with_photons
        Whether photons are a species even if no decay makes them: some radiate.

    Attributes
    ----------
    order
        Names of the species.
    channels
        Channels of each species; none if it stays. `simgen.engine.mass_limits` drops what cannot
        happen.
    mixed
        What turns into its antiparticle, not being one of a coherent pair.
    notes
        What is not generated as the decay file says.

    Raises
    ------
    DecayFileError
        If the root has no decays, decays go round in a circle, or one has too many daughters.
    """

    def __init__(
        self,
        table: DecayTable,
        root: str,
        keep_stable: Sequence[str],
        source: SystemSource | None,
        *,
        with_photons: bool,
    ) -> None:
        self.table, self.root = table, root
        self.source = source
        self.order: list[str] = []
        self.channels: dict[str, tuple[Channel, ...]] = {}
        self.mixed: dict[str, Mixing] = {}
        self.notes: list[str] = []
        self._keep_stable = frozenset(keep_stable)
        self._with_photons = with_photons
        self._walk()

    def flat(self) -> list[tuple[str, Channel]]:
        """Return all channels in the order of their numbers, with the name of what decays."""
        return [(name, channel) for name in self.order for channel in self.channels[name]]

    def channels_of(self, name: str) -> tuple[Channel, ...]:
        """Return the channels a species decays by; none if it stays."""
        data = self.table.particle(name)
        if name in self._keep_stable or data.name in self._keep_stable:
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

    def oscillation(self, name: str, channel: Channel) -> Oscillation | None:
        """Return the oscillation a channel needs to know, None if it needs none."""
        model = self.table.model_of(name, channel)
        return None if model is None else model.oscillation(channel.parameters)

    def pair(self, name: str, channel: Channel) -> tuple[tuple[str, ...], ...] | None:
        """Return the names each of a pair of oscillating mesons may have, listed ones first.

        None where a channel makes no such pair.
        """
        listed = channel.daughters
        if len(listed) not in (2, 4) or self.table.particle(name).spin2 != _SPIN2_OF_PAIRS:
            return None
        if isinstance(self.table.model_of(name, channel), PairModel):
            # Both may be either; of four names, the last two are those of the second meson.
            return listed[:2], listed[:1:-1] if len(listed) == 4 else listed[::-1]
        if self.table.particle(name).name != COHERENT:
            return None
        if {self.table.particle(d).pdgid for d in listed} != {_B0, -_B0}:
            return None
        if not any(self.oscillation(d, c) for d in listed for c in self.channels_of(d)):
            return None
        # As in EvtGen: the partner of a decay that tells no flavour has either, unless an alias.
        return tuple(
            (d,) if d in self.table.aliases else (d, self.table.particle(d).anti_name)
            for d in listed
        )

    def daughter_names(self, name: str, channel: Channel) -> tuple[tuple[str, ...], ...]:
        """Return the names each daughter of a channel may have; none if they come as a system."""
        if self.products(name, channel) is not None:
            return ()
        pair = self.pair(name, channel)
        return tuple((d,) for d in channel.daughters) if pair is None else pair

    def products(self, name: str, channel: Channel) -> tuple[str, ...] | None:
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
                if mixing is not None and self.channels_of(mixing.partner)
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
            for channel in self.channels[name]:
                if made_alone(self.table, name, channel) and self.pair(name, channel) is None:
                    products = self.products(name, channel)
                    alone.update(dict.fromkeys(products or channel.daughters))
        return tuple(name for name in alone if self.channels.get(name))

    def _walk_once(self) -> None:
        """List species from the root on, parents before daughters; refuse loops."""
        self.notes.clear()
        if not self.channels_of(self.root):
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
            self.channels[name] = self.channels_of(name)
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
            for channel in self.channels[name]:
                products = self.products(name, channel)
                for hadron in products or ():
                    visit(hadron)
                if products is None and len(channel.daughters) > MAX_DAUGHTERS:
                    raise DecayFileError(
                        f"{channel.source.file}:{channel.source.line}: {describe(name, channel)}: "
                        f"{len(channel.daughters)} daughters, at most {MAX_DAUGHTERS} are possible"
                    )
                for names in self.daughter_names(name, channel):
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
        if self._with_photons and PHOTON_NAME not in done:
            self.order.append(PHOTON_NAME)
            self.channels[PHOTON_NAME] = ()

    def check_model(self, model: DecayModel, parent: str, channel: Channel) -> None:
        """Refuse parameters or spins the model does not serve."""
        particles = [self.table.particle(d) for d in channel.daughters]
        problem = model.problem(channel.parameters, self.table.particle(parent), particles)
        if problem is not None:
            raise refusal(parent, channel, problem)

    @contextmanager
    def naming(self, number: int) -> Iterator[None]:
        """Name the decay, a channel's number, that turns out to be impossible to sample."""
        try:
            yield
        except ArithmeticError as error:
            flat = self.flat()
            raise refusal(*flat[number], str(error)) from error
