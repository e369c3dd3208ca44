"""Models that another program does, if it is installed."""

from __future__ import annotations

from importlib.util import find_spec

PYTHIA = "PYTHIA"
"""Fragmentation of quarks and gluons, by Pythia 8; see `simgen.pythia.modes`."""

_PACKAGES = {PYTHIA: "pythia8mc"}
INSTALL = "pip install 'simgen[pythia]', in a checkout pip install '.[pythia]'"


def is_external(model: str) -> bool:
    """Say whether a model is one that another program does."""
    return model in _PACKAGES


def can_be_made(model: str) -> bool:
    """Say whether a model is one that another program does, and that is installed."""
    return is_external(model) and find_spec(_PACKAGES[model]) is not None
