"""Leave a particle only the decays that are asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from simgen.errors import ConfigError, UnknownParticleError
from simgen.particles import particle_table

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from simgen.particles import ParticleData

# Pythia's onMode of a channel by whether it is on for the particle and for the antiparticle.
_ON_MODE = {(False, False): 0, (True, True): 1, (True, False): 2, (False, True): 3}
_IS_ON = {mode: on for on, mode in _ON_MODE.items()}
_PHASE_SPACE, _WEAK = 0, 22
_LEPTONS, _NEUTRINOS = (11, 13, 15), (12, 14, 16)


def force_decays(pythia: Any, forced: Mapping[str, Sequence[str]], source: str) -> None:
    """Turn off all decays of some particles but those given.

    A decay that Pythia knows keeps its matrix element. One that it does not know is added: as
    phase space, or, if it is a hadron, a charged lepton and its neutrino, with Pythia's weak
    matrix element (meMode 22).

    Parameters
    ----------
    pythia
        Not yet initialised.
    forced
        Decays by the EvtGen name of the particle, which does not include its antiparticle; each
        is a list of names, with the relative fraction in front if it is not 1.
    source
        Where they are from, for messages.

    Raises
    ------
    ConfigError
        If a particle is not known, or a decay does not conserve charge or energy.
    """
    for name, decays in forced.items():
        parent = _particle(pythia, name, source)
        entry = pythia.particleData.particleDataEntryPtr(abs(parent.pdgid))
        _turn_off(entry, positive=parent.pdgid > 0)
        for decay in decays:
            fraction, products = _read(pythia, decay, parent, f"{source}: {name}")
            _turn_on(entry, parent.pdgid, fraction, products)


def _particle(pythia: Any, name: str, source: str) -> ParticleData:
    """Return a particle that both sides know."""
    try:
        found = particle_table().by_name(name)
    except UnknownParticleError as error:
        raise ConfigError(f"{source}: {error}") from error
    if not pythia.particleData.isParticle(found.pdgid):
        raise ConfigError(f"{source}: Pythia does not know {name} ({found.pdgid})")
    return found


def _read(pythia: Any, decay: str, parent: ParticleData, source: str) -> tuple[float, list[int]]:
    """Return the fraction and the products' numbers of a decay, checked."""
    words = decay.split()
    fraction = 1.0
    try:
        fraction = float(words[0]) if words else 0.0
        words = words[1:]
    except ValueError:
        pass
    products = [_particle(pythia, word, f"{source}: {decay!r}") for word in words]
    if not fraction > 0.0 or not 2 <= len(products) <= 8:
        raise ConfigError(
            f"{source}: {decay!r} is not a decay: two to eight particles, with a positive fraction "
            "in front if it is not 1"
        )
    charge = sum(p.charge3 for p in products)
    if charge != parent.charge3:
        raise ConfigError(
            f"{source}: {decay!r}: the charge is {charge / 3:+.0f}, that of {parent.name} "
            f"{parent.charge3 / 3:+.0f}"
        )
    mass = sum(p.mass for p in products)
    if mass >= parent.mass:
        raise ConfigError(
            f"{source}: {decay!r} needs {mass:.4f} GeV, {parent.name} has {parent.mass:.4f} GeV"
        )
    return fraction, [p.pdgid for p in products]


def _turn_off(entry: Any, *, positive: bool) -> None:
    """Turn off all channels for the particle or for the antiparticle."""
    for i in range(entry.sizeChannels()):
        channel = entry.channel(i)
        particle, anti = _IS_ON[channel.onMode()]
        channel.onMode(_ON_MODE[(False, anti) if positive else (particle, False)])


def _turn_on(entry: Any, pdgid: int, fraction: float, products: Sequence[int]) -> None:
    """Turn on the channel with these products, or add it."""
    positive = pdgid > 0
    table = particle_table()
    signed = [p if positive else table.by_name(table.by_pdgid(p).anti_name).pdgid for p in products]
    for i in range(entry.sizeChannels()):
        channel = entry.channel(i)
        own = sorted(channel.product(k) for k in range(channel.multiplicity()))
        particle, anti = _IS_ON[channel.onMode()]
        # A channel that is on for the other charge has a fraction of its own: add another.
        if own == sorted(signed) and not (anti if positive else particle):
            channel.onMode(_ON_MODE[positive, not positive])
            channel.bRatio(fraction)
            return
    mode, ordered = _matrix_element(signed)
    entry.addChannel(_ON_MODE[positive, not positive], fraction, mode, *ordered)


def _matrix_element(products: Sequence[int]) -> tuple[int, list[int]]:
    """Return Pythia's matrix element for some products, and the order it wants them in."""
    leptons = [p for p in products if abs(p) in _LEPTONS]
    neutrinos = [p for p in products if abs(p) in _NEUTRINOS]
    hadrons = [p for p in products if p not in leptons and p not in neutrinos]
    if len(leptons) == len(neutrinos) == len(hadrons) == 1 and (
        abs(neutrinos[0]) == abs(leptons[0]) + 1
    ):
        return _WEAK, [*neutrinos, *leptons, *hadrons]
    return _PHASE_SPACE, list(products)
