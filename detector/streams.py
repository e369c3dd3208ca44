"""Which random substream of an event smears what.

Every smeared thing has a substream of its own, so a change of one setting never moves the
deviates of another, and a scan of settings reuses the same deviates at every point.
"""

from __future__ import annotations

from typing import Final

FIRST_PARTICLE: Final = 1
"""Particle i of an event has substream FIRST_PARTICLE + i."""

R_0: Final = 1 << 40
R_SIG: Final = R_0 + 1
R_TAG: Final = R_0 + 2
HADRONIC_TAG: Final = R_0 + 3
BEAM_KNOWLEDGE: Final = R_0 + 8
BEST_CANDIDATE: Final = R_0 + 9
DATA_TAKING: Final = R_0 + 10
"""Beyond any number of particles."""

FIRST_IDENTIFICATION: Final = 1 << 41
"""Identification of particle i of an event has substream FIRST_IDENTIFICATION + i."""

FIRST_FOUND: Final = 1 << 42
"""Whether particle i of an event is found has substream FIRST_FOUND + i."""

FIRST_RADIATION: Final = 1 << 43
"""Bremsstrahlung of particle i of an event has substream FIRST_RADIATION + i."""

FIRST_IMPACT: Final = 1 << 44
"""Impact parameters of particle i of an event have substream FIRST_IMPACT + i."""
