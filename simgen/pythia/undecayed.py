"""Particles that Pythia makes and something else decays."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

# Pythia's number of Lambda_c(2625)+, and that of the PDG.
LAMBDA_C_2625, LAMBDA_C_2625_PDG = 4124, 104122


class Undecayed(NamedTuple):
    """A particle, and its antiparticle, that Pythia leaves as it is.

    Attributes
    ----------
    pdgid
        PDG number, positive.
    mass, width
        GeV; without a width its mass is the same everywhere.
    lowest, highest
        Limits of its mass where it has a width, GeV.
    """

    pdgid: int
    mass: float
    width: float
    lowest: float
    highest: float


def number_in_pythia(pdgid: int) -> int:
    """Return Pythia's number of a particle."""
    return LAMBDA_C_2625 if pdgid == LAMBDA_C_2625_PDG else pdgid


def leave_undecayed(pythia: Any, particles: Iterable[Undecayed]) -> None:
    """Keep Pythia from decaying particles, and give them these masses.

    Parameters
    ----------
    pythia
        Not yet initialised.
    particles
        Pythia knows all of them.
    """
    data = pythia.particleData
    for particle in particles:
        code = number_in_pythia(particle.pdgid)
        data.mayDecay(code, False)
        data.m0(code, particle.mass)
        data.mWidth(code, particle.width)
        data.mMin(code, particle.lowest)
        data.mMax(code, particle.highest)
