"""What an event begins with: the collision, the state of Pythia's random numbers, the B pair."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from simgen.engine.collision import draw_collision
from simgen.jit import kernel
from simgen.pythia.keyed import TABLE_SIZE
from simgen.random import azimuth, exponential, open_stream, seek, uniform

if TYPE_CHECKING:
    from simgen.beams import CompiledBeams
    from simgen.typing import FloatArray, IntArray

# Substreams of an event. Pythia's first attempt is FIRST_ATTEMPT, the next ones follow.
_COLLISION, _PAIR, FIRST_ATTEMPT = 0, 1, 2
# Columns of a B pair: PDG numbers, momentum of the first in the collision's frame, proper times.
PAIR_COLUMNS = 7
B_PLUS, B_ZERO = 521, 511


@kernel
def draw_collisions(
    beams: CompiledBeams,
    minimum: float,
    seed: int,
    stage: int,
    event_id: IntArray,
    total: FloatArray,
    vertex: FloatArray,
) -> None:
    """Draw collisions as the decay engine does, see `simgen.engine.collision.draw_collision`.

    Parameters
    ----------
    beams, minimum
        See there.
    seed, stage, event_id
        Keys of the random streams; event_id is (n,).
    total, vertex
        (n, 4) and (n, 3), filled.
    """
    state = open_stream(seed, stage)
    for i in range(len(event_id)):
        seek(state, event_id[i], _COLLISION)
        draw_collision(beams, minimum, state, total[i], vertex[i])


@kernel
def draw_tables(
    seed: int, stage: int, event_id: IntArray, substream: IntArray, tables: FloatArray
) -> None:
    """Fill the (n, 97) numbers each event's sequence begins with; see `simgen.pythia.keyed`."""
    state = open_stream(seed, stage)
    for i in range(len(event_id)):
        seek(state, event_id[i], substream[i])
        for j in range(TABLE_SIZE):
            tables[i, j] = uniform(state)


@kernel
def draw_pairs(
    seed: int,
    stage: int,
    event_id: IntArray,
    sqrt_s: FloatArray,
    charged_share: float,
    masses: FloatArray,
    ctau: FloatArray,
    mixing: float,
    pairs: FloatArray,
) -> None:
    """Draw the B pairs of Upsilon(4S) decays.

    The direction follows sin^2(theta), theta from the beams, as spin 1 with J_z = +-1 demands. The
    neutral pair is antisymmetric, so at equal times it is never B0 B0, and mixing goes with the
    difference of the proper times: P(same flavour) = (1 - cos(x dt / tau)) / 2, with no
    difference of the widths (A. B. Carter, A. I. Sanda, PRD 23 (1981) 1567).

    Parameters
    ----------
    seed, stage, event_id
        Keys of the random streams.
    sqrt_s
        (n,) GeV.
    charged_share
        Probability of B+ B-.
    masses, ctau
        (2,) of B+ and B0, GeV and mm.
    mixing
        x = dm / Gamma of the B0.
    pairs
        (n, PAIR_COLUMNS) filled: PDG numbers as they decay, the first one's momentum with z along
        the beams, proper times in mm/c.
    """
    state = open_stream(seed, stage)
    for i in range(len(event_id)):
        seek(state, event_id[i], _PAIR)
        kind = 0 if uniform(state) < charged_share else 1
        code = B_PLUS if kind == 0 else B_ZERO
        cos_theta = 2.0 * uniform(state) - 1.0
        while uniform(state) > 1.0 - cos_theta * cos_theta:
            cos_theta = 2.0 * uniform(state) - 1.0
        cosine, sine = azimuth(state)
        p = np.sqrt(0.25 * sqrt_s[i] ** 2 - masses[kind] ** 2)
        sin_theta = np.sqrt(1.0 - cos_theta * cos_theta)
        pairs[i, 2] = p * sin_theta * cosine
        pairs[i, 3] = p * sin_theta * sine
        pairs[i, 4] = p * cos_theta
        t_1, t_2 = exponential(state), exponential(state)
        pairs[i, 5], pairs[i, 6] = ctau[kind] * t_1, ctau[kind] * t_2
        first, second = code, -code
        # each of the four flavour combinations has the same chance of being first
        if uniform(state) < 0.5:
            first, second = -code, code
        if kind == 1 and uniform(state) < 0.5 * (1.0 - np.cos(mixing * (t_1 - t_2))):
            second = first
        pairs[i, 0], pairs[i, 1] = first, second
