r"""The same problems for a general minimiser: the independent cross-check of the fast solvers.

Every variable is stated literally, for scipy's SLSQP and in the lab: unknowns are the momentum
P of the signal parent (and the z-component of the tag parent's, where only the transverse total is
known) and a bound z,

.. math::

    \min z \quad\text{with}\quad z \ge M_1(P), \; z \ge M_2(P)

and the variable's constraints, with gradients written here and nothing shared with the kernels.
It is some thousand times slower than they are and can stop at points that are not the optimum;
several starting points help.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.optimize import minimize

from m2solve.problem import make_problem
from m2solve.solution import (
    DEGENERATE,
    PROJECTED,
    SOLVED,
    UNBALANCED,
    UNPHYSICAL,
    empty_solution,
)
from m2solve.solver import find_solver
from simgen.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import ArrayLike

    from m2solve.problem import Problem
    from m2solve.solution import Solution
    from simgen.typing import BoolArray, FloatArray, Int8Array, IntArray

# Largest violation of a constraint, relative to the energies, that counts as met.
FEASIBLE = 1e-9
BALANCED = 1e-7


def solve_reference(
    variable: str,
    visible_sig: ArrayLike,
    visible_tag: ArrayLike,
    total: ArrayLike,
    *,
    m_sig: ArrayLike,
    m_tag: ArrayLike,
    parent_mass: ArrayLike | tuple[ArrayLike, ArrayLike] | None = None,
    flight_sig: ArrayLike | None = None,
    flight_tag: ArrayLike | None = None,
    delta: ArrayLike | None = None,
    known: str = "all",
    rows: ArrayLike | None = None,
    starts: int = 20,
) -> Solution:
    """Find the invisible momenta with SLSQP from several starting points.

    Parameters
    ----------
    variable, visible_sig, visible_tag, total, m_sig, m_tag, parent_mass
        As for `m2solve.solve`; every event must have usable input.
    flight_sig, flight_tag, delta, known
        As for `m2solve.solve`. Both directions are possible for transverse totals only: with all
        components known they are a fit and not a minimum of masses.
    rows : (m,) array of int, optional
        The events to solve for; all by default.
    starts : int
        Number of starting points, spread around the visible momenta.

    Returns
    -------
    Solution
        One solution for each of the rows: the lowest max(M_1, M_2) that meets all constraints.
        Status ``PROJECTED`` where no start met them: the momenta are then those that came nearest.

    Raises
    ------
    ConfigError
        As `m2solve.solve`, and if there is no such minimum.
    InputArrayError
        As `m2solve.solve`.
    """
    flights = (flight_sig is not None) + (flight_tag is not None)
    find_solver(
        variable,
        parent_mass=parent_mass is not None,
        flights=flights,
        delta=delta is not None,
        known=known,
    )
    if flights == 2 and known == "all":
        raise ConfigError(f"{variable} with both flight directions is no minimum of masses")
    problem = make_problem(
        visible_sig,
        visible_tag,
        total,
        m_sig=m_sig,
        m_tag=m_tag,
        parent_mass=parent_mass,
        flight_sig=flight_sig,
        flight_tag=flight_tag,
        delta=delta,
        known=known,
    )
    chosen = np.arange(len(problem.visible_sig)) if rows is None else np.asarray(rows, np.int64)
    part = replace(
        problem,
        visible_sig=problem.visible_sig[chosen],
        visible_tag=problem.visible_tag[chosen],
    )
    solution = empty_solution(variable, part, 1)
    for i, row in enumerate(chosen):
        event = _Event.from_row(problem, int(row), transverse=known == "transverse")
        x, violation = _best(event, _constraints(variable, event), starts)
        solution.k_sig[i, 0], solution.k_tag[i, 0] = event.invisible(x)
        masses = event.mass(x, 0), event.mass(x, 1)
        solution.value[i] = max(masses)
        solution.n_solutions[i] = 1
        if violation > FEASIBLE:
            solution.status[i] = PROJECTED
        else:
            gap = abs(masses[0] - masses[1])
            solution.status[i] = SOLVED if gap < BALANCED * max(masses) else UNBALANCED
    return solution


@dataclass(frozen=True)
class Comparison:
    """Solutions beside those of SLSQP; one entry an event that was compared.

    Attributes
    ----------
    variable : str
        Name of the variable.
    rows : (m,) int64 array
        The events.
    status, reference_status : (m,) int8 arrays
        `Status` of the solution, and of SLSQP's.
    excess : (m,) array
        value / SLSQP's value - 1: negative where SLSQP stopped above the optimum. nan where one of
        the two does not meet the constraints.
    distance : (m,) array
        Smallest distance in GeV between k_sig of SLSQP and of any of the solutions; nan as above.
        Next to a flat minimum it is of the size of the square root of `excess`.
    """

    variable: str
    rows: IntArray
    status: Int8Array
    reference_status: Int8Array
    excess: FloatArray
    distance: FloatArray

    @property
    def worst(self) -> float:
        """Largest excess; nan if no event could be compared."""
        seen = self.excess[np.isfinite(self.excess)]
        return float(np.max(seen)) if seen.size else float("nan")

    @property
    def missed(self) -> IntArray:
        """Rows for which SLSQP meets all constraints and the solution does not."""
        return self.rows[_is_met(self.reference_status) & ~_is_met(self.status)]

    def __str__(self) -> str:
        compared = int(np.sum(np.isfinite(self.excess)))
        text = f"{self.variable}: {compared} of {len(self.rows)} events compared with SLSQP"
        if compared:
            text += f", worst excess {self.worst:.1e}, median distance "
            text += f"{float(np.nanmedian(self.distance)):.1e} GeV"
        return text + f", {len(self.missed)} missed"


def compare(
    solution: Solution,
    total: ArrayLike,
    *,
    m_sig: ArrayLike,
    m_tag: ArrayLike,
    parent_mass: ArrayLike | tuple[ArrayLike, ArrayLike] | None = None,
    flight_sig: ArrayLike | None = None,
    flight_tag: ArrayLike | None = None,
    delta: ArrayLike | None = None,
    known: str = "all",
    rows: ArrayLike | None = None,
    starts: int = 5,
) -> Comparison:
    """Solve some events again with SLSQP and say how far the solution is above.

    Parameters
    ----------
    solution : Solution
        What `m2solve.solve` returned.
    total, m_sig, m_tag, parent_mass, flight_sig, flight_tag, delta, known
        What it was given, for all events.
    rows : (m,) array of int, optional
        The events to check; all by default. Those with unusable input are left out.
    starts : int
        Starting points of SLSQP, some milliseconds each.

    Returns
    -------
    Comparison
        A row an event; ``print`` gives the summary.

    Raises
    ------
    ConfigError, InputArrayError
        As `solve_reference`.
    """
    chosen = np.arange(len(solution)) if rows is None else np.asarray(rows, np.int64)
    chosen = chosen[solution.status[chosen] != UNPHYSICAL]
    found = solve_reference(
        solution.variable.partition("(")[0],
        solution.visible_sig,
        solution.visible_tag,
        total,
        m_sig=m_sig,
        m_tag=m_tag,
        parent_mass=parent_mass,
        flight_sig=flight_sig,
        flight_tag=flight_tag,
        delta=delta,
        known=known,
        rows=chosen,
        starts=starts,
    )
    status = solution.status[chosen]
    both = _is_met(status) & _is_met(found.status)
    apart = np.linalg.norm(solution.k_sig[chosen, :, :3] - found.k_sig[:, :, :3], axis=2)
    return Comparison(
        solution.variable,
        chosen,
        status,
        found.status,
        np.where(both, solution.value[chosen] / found.value - 1.0, np.nan),
        np.where(both, np.min(apart, axis=1), np.nan),
    )


def _is_met(status: Int8Array) -> BoolArray:
    """Say whether a status means that all constraints hold."""
    return np.isin(status, (SOLVED, UNBALANCED, DEGENERATE))


@dataclass(frozen=True)
class _Event:
    """One event: index 0 is the signal side, 1 the tag side.

    The momenta of the parents are ``offset[side] + turn[side] @ x`` with x the unknowns.
    """

    visible: tuple[FloatArray, FloatArray]
    total: FloatArray
    m: tuple[float, float]
    parent: tuple[float, float]
    flight: tuple[FloatArray | None, FloatArray | None]
    delta: float
    offset: tuple[FloatArray, FloatArray]
    turn: tuple[FloatArray, FloatArray]

    @classmethod
    def from_row(cls, problem: Problem, i: int, *, transverse: bool) -> _Event:
        """Take the numbers of event i out of the arrays."""

        def number(array: FloatArray) -> float:
            return float(array[min(i, len(array) - 1)]) if array.size else np.nan

        def direction(array: FloatArray) -> FloatArray | None:
            return np.asarray(array[i] / np.linalg.norm(array[i])) if array.size else None

        total = problem.total[min(i, len(problem.total) - 1)].copy()
        turn = np.eye(3), -np.eye(3)
        if transverse:
            total[2:] = 0.0
            # The fourth unknown is the z-component of the tag parent.
            turn = np.eye(3, 4), np.diag([-1.0, -1.0, 0.0, 1.0])[[0, 1, 3]]
        return cls(
            (problem.visible_sig[i], problem.visible_tag[i]),
            total,
            (number(problem.m_sig), number(problem.m_tag)),
            (number(problem.mass_sig), number(problem.mass_tag)),
            (direction(problem.flight_sig), direction(problem.flight_tag)),
            number(problem.delta),
            (np.zeros(3), total[:3]),
            turn,
        )

    def momentum(self, x: FloatArray, side: int) -> FloatArray:
        """Return the three-momentum of a parent."""
        return np.asarray(self.offset[side] + self.turn[side] @ x)

    def invisible(self, x: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return k_1 and k_2 as four-momenta."""
        k1, k2 = (self.momentum(x, side) - self.visible[side][:3] for side in (0, 1))
        return (
            np.append(k1, np.sqrt(k1 @ k1 + self.m[0] ** 2)),
            np.append(k2, np.sqrt(k2 @ k2 + self.m[1] ** 2)),
        )

    def mass(self, x: FloatArray, side: int) -> float:
        """Return the mass of one parent."""
        parent = self.visible[side] + self.invisible(x)[side]
        return float(np.sqrt(max(parent[3] ** 2 - parent[:3] @ parent[:3], 0.0)))

    def mass_gradient(self, x: FloatArray, side: int) -> FloatArray:
        """Return the gradient of that mass with respect to the unknowns."""
        k = self.invisible(x)[side]
        parent = self.visible[side] + k
        velocity = k[:3] / max(k[3], 1e-300)
        mass = max(self.mass(x, side), 1e-12)
        return np.asarray((parent[3] * velocity - parent[:3]) / mass @ self.turn[side])

    def energy_gap(self, x: FloatArray) -> float:
        """Return the total energy minus that of the beams."""
        k1, k2 = self.invisible(x)
        return float(self.visible[0][3] + self.visible[1][3] + k1[3] + k2[3] - self.total[3])

    def energy_gradient(self, x: FloatArray) -> FloatArray:
        """Return the gradient of the total energy."""
        k = self.invisible(x)
        velocities = [k[side][:3] / max(k[side][3], 1e-300) for side in (0, 1)]
        return np.asarray(velocities[0] @ self.turn[0] + velocities[1] @ self.turn[1])


@dataclass(frozen=True)
class _Constraint:
    """A function of the unknowns, in GeV: ``eq`` must vanish, ``ineq`` must not be negative."""

    kind: str
    value: Callable[[FloatArray], float]
    gradient: Callable[[FloatArray], FloatArray]


def _constraints(variable: str, event: _Event) -> list[_Constraint]:
    """Return the constraints that the letters of a variable's name stand for."""
    result = []
    sides = [side for side in (0, 1) if event.flight[side] is not None]
    if "s" in variable:
        result.append(_Constraint("eq", event.energy_gap, event.energy_gradient))
    for side in sides:
        cone = not np.isnan(event.delta)
        result += _in_cone(event, side) if cone else _along_flight(event, side)
    if "B" in variable:
        result += [_parent_mass(event, side) for side in ((0, 1) if "s" in variable else sides)]
    return result


def _parent_mass(event: _Event, side: int) -> _Constraint:
    """Fix the mass of one parent."""
    return _Constraint(
        "eq",
        lambda x: event.mass(x, side) - event.parent[side],
        lambda x: event.mass_gradient(x, side),
    )


def _along_flight(event: _Event, side: int) -> list[_Constraint]:
    """Ask P to have no component normal to the flight direction, and a positive one along it."""
    flight = np.asarray(event.flight[side])
    _, _, axes = np.linalg.svd(flight[np.newaxis])
    normals = [_component(event, side, "eq", axis) for axis in axes[1:]]
    return [*normals, _component(event, side, "ineq", flight)]


def _component(event: _Event, side: int, kind: str, axis: FloatArray) -> _Constraint:
    """Constrain the component of P along an axis."""
    gradient = np.asarray(axis @ event.turn[side])
    return _Constraint(kind, lambda x: float(event.momentum(x, side) @ axis), lambda _x: gradient)


def _in_cone(event: _Event, side: int) -> list[_Constraint]:
    """Ask P to be at most delta away from the flight direction."""
    cosine, flight = np.cos(event.delta), np.asarray(event.flight[side])

    def value(x: FloatArray) -> float:
        p = event.momentum(x, side)
        return float(p @ flight - cosine * np.linalg.norm(p))

    def gradient(x: FloatArray) -> FloatArray:
        p = event.momentum(x, side)
        unit = p / max(float(np.linalg.norm(p)), 1e-300)
        return np.asarray((flight - cosine * unit) @ event.turn[side])

    return [_Constraint("ineq", value, gradient)]


def _best(event: _Event, constraints: list[_Constraint], starts: int) -> tuple[FloatArray, float]:
    """Return the lowest point that meets the constraints, or the one that nearly does."""
    scale = float(event.visible[0][3] + event.visible[1][3])
    unknowns = event.turn[0].shape[1]
    objective = np.append(np.zeros(unknowns), 1.0)
    stated = _bounds(event) + [_for_scipy(constraint) for constraint in constraints]
    best: tuple[bool, float, float, FloatArray] | None = None
    for start in _starting_points(event, starts):
        x0 = np.append(start, max(event.mass(start, 0), event.mass(start, 1)))
        found = minimize(
            lambda x: x[-1],
            x0,
            jac=lambda _x: objective,
            constraints=stated,
            method="SLSQP",
            options={"ftol": 1e-15, "maxiter": 300},
        )
        p = np.asarray(found.x[:-1], dtype=np.float64)
        if not np.all(np.isfinite(p)):
            continue
        violation = max((_violation(c, p) for c in constraints), default=0.0) / scale
        mass = max(event.mass(p, 0), event.mass(p, 1))
        infeasible = violation > FEASIBLE
        key = (infeasible, violation if infeasible else mass, violation, p)
        if best is None or key[:2] < best[:2]:
            best = key
    if best is None:
        return _starting_points(event, 1)[0], np.inf
    return best[3], best[2]


def _violation(constraint: _Constraint, p: FloatArray) -> float:
    """Return by how much p misses a constraint, in GeV."""
    value = constraint.value(p)
    return abs(value) if constraint.kind == "eq" else max(-value, 0.0)


def _bounds(event: _Event) -> list[dict[str, Any]]:
    """State that z bounds both masses."""
    return [
        {
            "type": "ineq",
            "fun": lambda x, s=side: x[-1] - event.mass(x[:-1], s),
            "jac": lambda x, s=side: np.append(-event.mass_gradient(x[:-1], s), 1.0),
        }
        for side in (0, 1)
    ]


def _for_scipy(constraint: _Constraint) -> dict[str, Any]:
    """State a constraint on P as one on (P, z)."""
    return {
        "type": constraint.kind,
        "fun": lambda x: constraint.value(x[:-1]),
        "jac": lambda x: np.append(constraint.gradient(x[:-1]), 0.0),
    }


def _starting_points(event: _Event, starts: int) -> list[FloatArray]:
    """Share the missing momentum in the middle, plus points of a spiral on growing spheres."""
    missing = event.total[:3] - event.visible[0][:3] - event.visible[1][:3]
    middle = event.visible[0][:3] + 0.5 * missing
    points = [np.asarray(middle)]
    size = 0.5 * (float(np.linalg.norm(missing)) + 0.25 * float(event.visible[0][3]))
    for j in range(1, starts):
        cosine = 1.0 - 2.0 * (j - 0.5) / max(starts - 1, 1)
        phi = j * np.pi * (3.0 - np.sqrt(5.0))
        sine = np.sqrt(1.0 - cosine**2)
        direction = np.array([sine * np.cos(phi), sine * np.sin(phi), cosine])
        points.append(middle + size * (0.25 + 0.75 * (j % 3) / 2.0) * direction)
    if event.turn[0].shape[1] == 4:
        # Let the tag parent start with its visible rapidity.
        return [np.append(point, event.visible[1][2]) for point in points]
    return points
