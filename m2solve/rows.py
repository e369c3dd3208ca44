"""Rows of a problem as solvers take them in, and of the solution that they fill."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from m2solve.kinematics import four_vector, row_index
from m2solve.solution import UNPHYSICAL, empty_solution
from simgen.jit import lean_kernel

if TYPE_CHECKING:
    from collections.abc import Callable

    from m2solve.kinematics import Row4
    from m2solve.problem import Problem
    from m2solve.solution import Solution
    from simgen.typing import FloatArray, Int8Array

    Candidate: TypeAlias = tuple[Row4, Row4, Row4, float, float]


class Inputs(NamedTuple):
    """What every solver reads; arrays of `m2solve.problem.Problem`."""

    visible_sig: FloatArray
    visible_tag: FloatArray
    total: FloatArray
    m_sig: FloatArray
    m_tag: FloatArray


class Filled(NamedTuple):
    """What every solver writes; arrays of `m2solve.solution.Solution`."""

    value: FloatArray
    k_sig: FloatArray
    k_tag: FloatArray
    n_solutions: Int8Array
    status: Int8Array


def solve_all(
    variable: str,
    columns: int,
    loop: Callable[..., None],
    problem: Problem,
    *more: FloatArray | float,
) -> Solution:
    """Solve all candidates of a problem.

    Parameters
    ----------
    variable
        Its name.
    columns
        Most solutions of an event.
    loop
        Kernel that takes `Inputs`, what is in `more`, and `Filled`.
    problem
        The candidates.
    more
        What this variable reads besides.
    """
    solution = empty_solution(variable, problem, columns)
    loop(
        Inputs(
            problem.visible_sig, problem.visible_tag, problem.total, problem.m_sig, problem.m_tag
        ),
        *more,
        Filled(
            solution.value,
            solution.k_sig,
            solution.k_tag,
            solution.n_solutions,
            solution.status,
        ),
    )
    return solution


def solve_along_flight(
    variable: str,
    columns: int,
    loop: Callable[..., None],
    problem: Problem,
    more: Callable[[Problem], tuple[FloatArray, ...]],
) -> Solution:
    """Solve with the flight direction on the side that has one, which the loop calls the signal.

    Parameters are those of `solve_all`, but that `more` picks from the problem, sides exchanged
    where they are.
    """
    if len(problem.flight_sig) > 0:
        return solve_all(variable, columns, loop, problem, *more(problem))
    exchanged = problem.swapped()
    return solve_all(variable, columns, loop, exchanged, *more(exchanged)).swapped()


@lean_kernel
def candidate(given: Inputs, i: int) -> Candidate:
    """Return both visible momenta, the total momentum, and both invisible masses of event i."""
    return (
        four_vector(given.visible_sig, i),
        four_vector(given.visible_tag, i),
        four_vector(given.total, row_index(given.total.shape[0], i)),
        given.m_sig[row_index(given.m_sig.shape[0], i)],
        given.m_tag[row_index(given.m_tag.shape[0], i)],
    )


@lean_kernel
def leave_out(out: Filled, i: int) -> None:
    """Say that the input of event i cannot be used."""
    out.status[i] = UNPHYSICAL
    out.n_solutions[i] = 0
    out.value[i] = math.nan
    out.k_sig[i] = math.nan
    out.k_tag[i] = math.nan


@lean_kernel
def exchange_solutions(out: Filled, i: int) -> None:
    """Exchange the first and the second solution of event i."""
    for k in range(4):
        out.k_sig[i, 0, k], out.k_sig[i, 1, k] = out.k_sig[i, 1, k], out.k_sig[i, 0, k]
        out.k_tag[i, 0, k], out.k_tag[i, 1, k] = out.k_tag[i, 1, k], out.k_tag[i, 0, k]
