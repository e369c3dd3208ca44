"""How many events are left after each requirement on the way to a candidate."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from simgen.typing import Int8Array

STAGES: Final = (
    "events",
    "signal decay",
    "one-prong tau",
    "semileptonic tag",
    "visible D decay",
    "tracks accepted",
    "photons accepted",
    "particles found",
    "tracks identified",
)
"""In order; those after the first are the values 1, 2, ... of what an event has passed.

A signal without a tau passes the one-prong tau with its signal decay. A tau pair passes the
semileptonic tag and the visible D decay where its other tau, too, has one prong. Where
efficiency or identification is ignored, all particles count as found, or identified.
"""


COMBINATORIAL_STAGES: Final = (
    "events",
    "number of tracks",
    "total charge zero",
    "tracks identified",
    "D and D* mass",
    "cos theta_BY",
    "kaon mass with opposite charge",
    "E_extra",
)
"""The same for combinatorial candidates: how far the best reading of an event gets."""


PAIR_STAGES: Final = (
    "events",
    "number of tracks",
    "total charge zero",
    "tracks identified",
    "angle between prongs",
    "E_extra",
)
"""The same for combinatorial tau pairs."""
PAIR_STEPS: Final = np.array([0, 1, 2, 3, 3, 3, 4, 5], dtype=np.int8)
"""The stage in `PAIR_STAGES` of each `detector.combinations.Passed`."""


def combinatorial_stages(*, prefiltered: bool, is_pair: bool) -> tuple[str, ...]:
    """Return the stages of combinatorial candidates, with that of the prefilter if there is one."""
    stages = PAIR_STAGES if is_pair else COMBINATORIAL_STAGES
    first, *rest = stages
    return (first, "enough charged particles", *rest) if prefiltered else stages


@dataclass(frozen=True, slots=True)
class CutFlow:
    """Numbers of events, one for each of `stages`; the last is the number of candidates.

    Cut-flows of several blocks are added with ``+``; ``CutFlow()`` is none at all.
    """

    counts: tuple[int, ...] = (0,) * len(STAGES)
    stages: tuple[str, ...] = STAGES

    @classmethod
    def none(cls, stages: tuple[str, ...]) -> CutFlow:
        """Return the cut-flow of no events."""
        return cls((0,) * len(stages), stages)

    @classmethod
    def from_passed(cls, passed: Int8Array, stages: tuple[str, ...] = STAGES) -> CutFlow:
        """Count events by the number of requirements each has passed, (n,) int8."""
        exactly = np.bincount(passed, minlength=len(stages))
        return cls(tuple(int(c) for c in np.cumsum(exactly[::-1])[::-1]), stages)

    def __add__(self, other: CutFlow) -> CutFlow:
        if self.stages != other.stages:
            raise ValueError(f"cut-flows of different stages: {self.stages} and {other.stages}")
        counts = tuple(a + b for a, b in zip(self.counts, other.counts, strict=True))
        return CutFlow(counts, self.stages)

    def __iter__(self) -> Iterator[tuple[str, int]]:
        return iter(zip(self.stages, self.counts, strict=True))

    def as_dict(self) -> dict[str, int]:
        """Return the numbers by name of the requirement, in order."""
        return dict(self)

    def __str__(self) -> str:
        width = max(len(name) for name in self.stages)
        lines, before = [], self.counts[0]
        for name, count in self:
            share = count / before if before else 0.0
            lines.append(f"{name:<{width}}  {count:>12,}  {share:7.1%}")
            before = count
        return "\n".join(lines)
