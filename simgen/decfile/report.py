"""What a decay table makes of a root particle: chains, models, the share of exact events."""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from simgen.decfile.diagnose import diagnose
from simgen.decfile.load import load_decay_table
from simgen.decfile.reach import Reach, find_reach
from simgen.models.external import can_be_made

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from simgen.decfile.diagnostic import Diagnostic
    from simgen.decfile.table import Channel, DecayFileInfo, DecayTable
    from simgen.models import DecayModel

MOST_CHANNELS = 12
"""How many channels of one particle are listed in the chains; the rest is added up."""

_DEEPEST, _MOST_ROWS = 4, 100

_CONVERGED = 1e-15


@dataclass(frozen=True, slots=True)
class ChainStep:
    """One decay in a chain and the decays that follow.

    Attributes
    ----------
    parent
        Name or alias of what decays.
    daughters
        What it decays to.
    model
        How.
    implemented
        Whether the model is implemented here.
    fraction
        Branching fraction of this decay.
    product
        Product of the fractions from the root on.
    following
        Decays of the daughters, down to the depth asked for.
    """

    parent: str
    daughters: tuple[str, ...]
    model: str
    implemented: bool
    fraction: float
    product: float
    following: tuple[ChainGroup, ...]


@dataclass(frozen=True, slots=True)
class ChainGroup:
    """The decays of one particle in a chain.

    Attributes
    ----------
    parent
        Name or alias.
    steps
        Its most frequent channels, at most `MOST_CHANNELS`.
    n_left_out
        How many more there are.
    fraction_left_out
        Their branching fraction together.
    """

    parent: str
    steps: tuple[ChainStep, ...]
    n_left_out: int
    fraction_left_out: float

    @property
    def n_rows(self) -> int:
        """Number of decays listed, those that follow included."""
        return len(self.steps) + sum(g.n_rows for step in self.steps for g in step.following)


@dataclass(frozen=True, slots=True)
class ModelUse:
    """How much of the events a model governs.

    Attributes
    ----------
    name
        Decay model.
    implemented
        Whether it is implemented here, or by another program that is installed.
    n_channels
        Channels that can occur.
    per_event
        Mean number of decays per event.
    share
        Its share of all decays.
    """

    name: str
    implemented: bool
    n_channels: int
    per_event: float
    share: float


@dataclass(frozen=True, slots=True)
class DecayReport:
    """What `describe_decays` found.

    Attributes
    ----------
    root
        What every event starts with.
    files
        The files that went in.
    chains
        Decays from the root on.
    models
        By mean number of decays per event, the most used first.
    decays_per_event
        Mean number of decays in an event; what a PYTHIA decay makes is not counted.
    implemented_events
        Probability that an event has only implemented models; what a PYTHIA decay makes is not
        looked into.
    diagnostics
        What is wrong or odd.
    """

    root: str
    files: tuple[DecayFileInfo, ...]
    chains: ChainGroup
    models: tuple[ModelUse, ...]
    decays_per_event: float
    implemented_events: float
    diagnostics: tuple[Diagnostic, ...]

    def as_dict(self) -> dict[str, Any]:
        """Return the report as plain data, ready for JSON."""
        plain = asdict(self)
        for entry, diagnostic in zip(plain["diagnostics"], self.diagnostics, strict=True):
            entry["name"] = diagnostic.name
        return plain


def describe_decays(
    user_files: Sequence[Path | str],
    base: str | Path | None = "DECAY_BELLE2.DEC",
    root: str = "Upsilon(4S)",
    *,
    depth: int | None = None,
    everything: bool = False,
    models: Sequence[DecayModel] = (),
) -> DecayReport:
    """Read decay files and say what events they give.

    Parameters
    ----------
    user_files
        In order; a later file overrides an earlier one.
    base
        Base table: ``DECAY_BELLE2.DEC``, ``DECAY_LHCB.DEC``, another file, or None for none.
    root
        Name or alias of the particle every event starts with.
    depth
        How many decays deep the chains are followed. None for 4, but no deeper into the decays of
        the base table than a page has room.
    everything
        Also report what does not matter for this root, and the oddities of the base table.
    models
        Decay models beside those that come with this package.

    Raises
    ------
    DecayFileError
        A file cannot be opened or read.
    UnknownParticleError
        The root is neither a particle nor an alias.
    """
    table = load_decay_table(user_files, base, models=models)
    reach = find_reach(table, root)
    uses = model_uses(table, reach)
    return DecayReport(
        root=root,
        files=table.files,
        chains=_chains(table, root, depth),
        models=uses,
        decays_per_event=math.fsum(use.per_event for use in uses),
        implemented_events=implemented_share(table, root),
        diagnostics=diagnose(table, root, everything=everything),
    )


def model_uses(table: DecayTable, reach: Reach) -> tuple[ModelUse, ...]:
    """Return how many decays per event each model governs, the most used first."""
    rates: defaultdict[str, list[float]] = defaultdict(list)
    for name, expected in reach.expected.items():
        for channel in table.channels.get(name, ()):
            rates[channel.model].append(expected * channel.fraction)
    total = math.fsum(rate for each in rates.values() for rate in each)
    uses = [
        ModelUse(
            name=model,
            implemented=can_be_made(model) or table.find_model(model) is not None,
            n_channels=len(each),
            per_event=math.fsum(each),
            share=math.fsum(each) / total,
        )
        for model, each in rates.items()
    ]
    return tuple(sorted(uses, key=lambda use: -use.per_event))


def implemented_share(table: DecayTable, root: str) -> float:
    """Return the probability that an event of a root has only implemented models.

    It is p(root), where p = 1 for stable particles and p(X) = sum over channels of
    fraction x [model implemented] x product of p(daughters); exact as long as the decays of
    siblings are drawn independently. Iterated from below, so that decays in a circle count as
    not implemented where they never end.
    """
    order = list(find_reach(table, root).expected)[::-1]
    share = {name: 0.0 if name in table.channels else 1.0 for name in order}
    change = 1.0
    while change > _CONVERGED:
        change = 0.0
        for name in order:
            if name in table.channels:
                new = math.fsum(
                    _exact(table, name, channel, share) for channel in table.channels[name]
                )
                change = max(change, abs(new - share[name]))
                share[name] = new
    return min(share[root], 1.0)


def _exact(table: DecayTable, name: str, channel: Channel, share: dict[str, float]) -> float:
    """Return the probability of a channel and of only implemented models in and below it."""
    if not table.is_made(name, channel):
        return 0.0
    return channel.fraction * math.prod(share[daughter] for daughter in channel.daughters)


def _chains(table: DecayTable, root: str, depth: int | None) -> ChainGroup:
    """Return the decays from the root on, see `describe_decays`."""
    if depth is not None:
        return _group(table, root, 1.0, depth, depth)
    chains = _group(table, root, 1.0, _DEEPEST, 1)
    for of_base in range(2, _DEEPEST + 1):
        longer = _group(table, root, 1.0, _DEEPEST, of_base)
        if longer.n_rows > _MOST_ROWS:
            break
        chains = longer
    return chains


def _group(
    table: DecayTable, name: str, product: float, depth: int, depth_of_base: int
) -> ChainGroup:
    """Return the decays of a particle, some decays deep: the user's own, and the base table's."""
    channels = sorted(table.channels.get(name, ()), key=lambda channel: -channel.fraction)
    rest = channels[MOST_CHANNELS:]
    return ChainGroup(
        parent=name,
        steps=tuple(
            _step(table, name, channel, product, depth, depth_of_base)
            for channel in channels[:MOST_CHANNELS]
        ),
        n_left_out=len(rest),
        fraction_left_out=math.fsum(channel.fraction for channel in rest),
    )


def _step(
    table: DecayTable,
    name: str,
    channel: Channel,
    product: float,
    depth: int,
    depth_of_base: int,
) -> ChainStep:
    """Return one decay and, if the depth allows, those of its daughters."""
    here = product * channel.fraction
    decaying = [d for d in dict.fromkeys(channel.daughters) if d in table.channels]
    followed = [
        d
        for d in decaying
        if depth > 1 and (depth_of_base > 1 or not table.is_base(table.channels[d][0].source))
    ]
    return ChainStep(
        parent=name,
        daughters=channel.daughters,
        model=channel.model,
        implemented=table.is_made(name, channel),
        fraction=channel.fraction,
        product=here,
        following=tuple(
            _group(table, daughter, here, depth - 1, depth_of_base - 1) for daughter in followed
        ),
    )
