"""What a solver returns: momenta, the value of the variable, and a status for every event."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import IntEnum
from functools import cached_property
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from m2solve.problem import Problem
    from simgen.typing import FloatArray, Int8Array


class Status(IntEnum):
    """How the solution of one event came about. The numbers are stable: files store them."""

    SOLVED = 0
    """All constraints hold; where something is minimised, the optimum has M_1 = M_2."""
    UNBALANCED = 1
    """All constraints hold and the optimum is one where M_1 and M_2 differ."""
    PROJECTED = 2
    """No real momenta meet all constraints; the nearest momenta the variable defines are given."""
    DEGENERATE = 3
    """All constraints hold for a continuum of momenta, of which one or two are given."""
    UNPHYSICAL = 4
    """The input of this event cannot be used (nan, E^2 < p^2, ...); the momenta are nan."""


# Plain integers for the kernels.
SOLVED: Final = int(Status.SOLVED)
UNBALANCED: Final = int(Status.UNBALANCED)
PROJECTED: Final = int(Status.PROJECTED)
DEGENERATE: Final = int(Status.DEGENERATE)
UNPHYSICAL: Final = int(Status.UNPHYSICAL)


@dataclass(frozen=True)
class Solution:
    """Invisible momenta of n events, up to s solutions each (lab frame, GeV).

    Attributes
    ----------
    variable : str
        Name of the variable, e.g. ``"M2sB"``.
    value : (n,) array
        max(M_1, M_2) of the first solution.
    visible_sig, visible_tag : (n, 4) arrays
        The visible momenta that were solved for.
    k_sig, k_tag : (n, s, 4) arrays
        Invisible momenta (px, py, pz, E), on their mass shells. Their three-momenta always sum to
        the missing momentum (where only that is known, their transverse momenta do). Columns beyond
        ``n_solutions`` repeat the first solution, so a column can be used without a mask.
    n_solutions : (n,) int8 array
        Number of different solutions; 0 where the input is unphysical.
    status : (n,) int8 array
        `Status` of each event.
    """

    variable: str
    value: FloatArray
    visible_sig: FloatArray
    visible_tag: FloatArray
    k_sig: FloatArray
    k_tag: FloatArray
    n_solutions: Int8Array
    status: Int8Array

    def __len__(self) -> int:
        """Return the number of events."""
        return len(self.value)

    @cached_property
    def parent_sig(self) -> FloatArray:
        """Momenta of the signal-side parent, (n, s, 4)."""
        return np.asarray(self.visible_sig[:, np.newaxis, :] + self.k_sig)

    @cached_property
    def parent_tag(self) -> FloatArray:
        """Momenta of the tag-side parent, (n, s, 4)."""
        return np.asarray(self.visible_tag[:, np.newaxis, :] + self.k_tag)

    def swapped(self) -> Solution:
        """Return the same solution with the names of the two sides exchanged."""
        return replace(
            self,
            visible_sig=self.visible_tag,
            visible_tag=self.visible_sig,
            k_sig=self.k_tag,
            k_tag=self.k_sig,
        )

    def count(self) -> dict[Status, int]:
        """Return the number of events of each status, those that do not occur included."""
        numbers = np.bincount(self.status, minlength=len(Status))
        return {status: int(numbers[status]) for status in Status}

    def __str__(self) -> str:
        n = max(len(self), 1)
        shares = ", ".join(
            f"{status.name.lower()} {100 * number / n:.1f} %"
            for status, number in self.count().items()
            if number
        )
        return f"{self.variable} of {len(self)} events: {shares}"


def empty_solution(variable: str, problem: Problem, columns: int) -> Solution:
    """Return a solution of `problem` with room for `columns` solutions, for a kernel to fill."""
    n = len(problem.visible_sig)
    # One piece of memory: freed in two, malloc gives it back to the system, and every call pays
    # for fresh pages again, a third of the time of an event.
    k_sig, k_tag = np.empty((2, n, columns, 4))
    return Solution(
        variable,
        np.empty(n),
        problem.visible_sig,
        problem.visible_tag,
        k_sig,
        k_tag,
        np.empty(n, np.int8),
        np.empty(n, np.int8),
    )
