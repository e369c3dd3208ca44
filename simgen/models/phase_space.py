"""Decays with a constant amplitude."""

from __future__ import annotations

from simgen.models.contract import DecayModel

PHSP = DecayModel(
    name="PHSP",
    amplitude=None,
    reference="Constant amplitude: the N-body phase-space density alone, any spins, unpolarised.",
)
