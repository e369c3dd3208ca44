"""Integrated luminosity and cross section: how many events a data set has."""

from __future__ import annotations

import math
import re
from typing import Annotated, Any

from pydantic import BeforeValidator

_INVERSE_FB = {"/fb": 1.0, "/ab": 1e3, "/pb": 1e-3}
_NB = {"nb": 1.0, "pb": 1e-3, "fb": 1e-6}
_FB_PER_NB = 1e6


def _quantity(value: Any, units: dict[str, float]) -> float:
    """Return a number in the first of `units` from a number or a text such as ``710 /fb``."""
    factor = 1.0
    if isinstance(value, str):
        match = re.fullmatch(r"\s*(\S+?)\s*(/?[a-z]+)\s*", value)
        factor = units.get(match[2], math.nan) if match else math.nan
        value = match[1] if match else value
    try:
        number = float(value) * factor
    except (TypeError, ValueError):
        number = math.nan
    if not 0.0 < number < math.inf:
        first, *others = units
        raise ValueError(
            f"should be a positive number in {first}, or one with its unit, as '1.2 {first}'; "
            f"other units: {', '.join(others)}"
        )
    return number


Luminosity = Annotated[float, BeforeValidator(lambda value: _quantity(value, _INVERSE_FB))]
"""1/fb; from a number, or a text with unit."""

CrossSection = Annotated[float, BeforeValidator(lambda value: _quantity(value, _NB))]
"""nb; from a number, or a text with unit."""


def expected_events(luminosity: float, cross_section: float) -> float:
    """Return the mean number of events.

    Parameters
    ----------
    luminosity
        1/fb.
    cross_section
        nb.
    """
    return luminosity * cross_section * _FB_PER_NB
