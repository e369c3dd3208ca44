"""One call for all variables: check the input, then look the variable up in one table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from m2solve.m2 import m2
from m2solve.m2_transverse import m2_transverse
from m2solve.m2bv import m2bv
from m2solve.m2s import m2s
from m2solve.m2sb import m2sb
from m2solve.m2sbv import m2sbv
from m2solve.m2sv import m2sv
from m2solve.m2sv_cone import m2sv_cone
from m2solve.m2v import m2v
from m2solve.m2v_cone import m2v_cone
from m2solve.m2v_pair import m2v_pair, m2v_pair_transverse
from m2solve.m2v_transverse import m2v_transverse
from m2solve.problem import make_problem
from simgen.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import ArrayLike

    from m2solve.problem import Problem
    from m2solve.solution import Solution
    from m2solve.vertices import Vertices


@dataclass(frozen=True)
class Variable:
    """A variable of the M2 family: its solver and the input it needs beyond the momenta.

    Attributes
    ----------
    function : callable
        The solver.
    cone : callable or None
        The solver of the same variable with a cone of half-angle delta around the direction.
    pair : callable or None
        The same with the flight directions of both sides.
    transverse, transverse_pair : callable or None
        `function` and `pair` where only the transverse total momentum is known.
    needs_parent_mass, needs_flight, needs_vertices : bool
        Whether the parent mass, the flight direction of one side, or the vertices are used.
    """

    function: Callable[[Problem], Solution]
    cone: Callable[[Problem], Solution] | None = None
    pair: Callable[[Problem], Solution] | None = None
    transverse: Callable[[Problem], Solution] | None = None
    transverse_pair: Callable[[Problem], Solution] | None = None
    needs_parent_mass: bool = False
    needs_flight: bool = False
    needs_vertices: bool = False


VARIABLES: dict[str, Variable] = {
    "M2": Variable(m2, transverse=m2_transverse),
    "M2s": Variable(m2s),
    "M2sB": Variable(m2sb, needs_parent_mass=True),
    "M2V": Variable(
        m2v,
        cone=m2v_cone,
        pair=m2v_pair,
        transverse=m2v_transverse,
        transverse_pair=m2v_pair_transverse,
        needs_flight=True,
    ),
    "M2sV": Variable(m2sv, cone=m2sv_cone, needs_flight=True),
    "M2BV": Variable(m2bv, needs_parent_mass=True, needs_flight=True),
    "M2sBV": Variable(m2sbv, needs_parent_mass=True, needs_vertices=True),
}
KNOWN = ("all", "transverse")


def solve(
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
    vertices: Vertices | None = None,
    known: str = "all",
) -> Solution:
    """Find the invisible momenta of both sides with one variable of the M2 family.

    Parameters
    ----------
    variable : str
        A key of `VARIABLES`, e.g. ``"M2sB"``.
    visible_sig, visible_tag : (n, 4) arrays
        Visible momenta (px, py, pz, E) of the two sides, lab frame, GeV. Here and for the other
        vectors, arrays of the `vector` package and awkward records serve as well.
    total : (4,) or (n, 4) array
        Total four-momentum of the beams.
    m_sig, m_tag : float or (n,) array
        Masses of the invisible systems in GeV.
    parent_mass : float, (n,) array, or a tuple of two of these
        Mass of the parents in GeV; a tuple is (signal, tag). Variables without a mass constraint
        do not need it and do not look at it.
    flight_sig, flight_tag : (n, 3) array
        Any non-zero vector along the flight of a parent in the lab. One of the two; M2V takes both,
        too. For M2sV with both see M2sBV, which weighs measured vertices.
    delta : float or (n,) array
        Half-angle in rad, below pi/2, of a cone around the flight direction in which the parent's
        momentum must lie (eq. 6 of arXiv:2209.03387). Without it the direction is an equality.
    vertices : Vertices
        Measured vertices with their errors, for M2sBV.
    known : {"all", "transverse"}
        What is known of `total`. With ``"transverse"``, for M2 and M2V at hadron colliders, only
        its px and py are looked at: the sum of the transverse momenta of both parents.

    Returns
    -------
    Solution
        Momenta, value and status; for M2sBV a `WeightedSolution`. An event whose own numbers are
        unusable has the status ``UNPHYSICAL`` and nan momenta.

    Raises
    ------
    ConfigError
        If the variable does not exist, needs an argument that is missing, or does not use one
        that was given.
    InputArrayError
        If an array has a wrong shape, or a value given once for all events is not usable.
    """
    function = find_solver(
        variable,
        parent_mass=parent_mass is not None,
        flights=(flight_sig is not None) + (flight_tag is not None),
        delta=delta is not None,
        vertices=vertices is not None,
        known=known,
    )
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
        vertices=vertices,
        known=known,
    )
    return function(problem)


def find_solver(
    variable: str,
    *,
    parent_mass: bool,
    flights: int,
    delta: bool,
    vertices: bool = False,
    known: str = "all",
) -> Callable[[Problem], Solution]:
    """Return the solver of a variable, if the given arguments are those it uses.

    Parameters
    ----------
    variable : str
        Name of the variable.
    parent_mass, delta, vertices : bool
        Whether these arguments were given.
    flights : int
        Number of flight directions that were given.
    known : str
        One of `KNOWN`.

    Raises
    ------
    ConfigError
        If there is no such variable, an argument is missing, or one is not used.
    """
    entry = VARIABLES.get(variable)
    if entry is None:
        raise ConfigError(
            f"variable = {variable!r} is not implemented. Select from: {', '.join(VARIABLES)}"
        )
    if known not in KNOWN:
        raise ConfigError(f"known = {known!r}. Select from: {', '.join(KNOWN)}")
    if entry.needs_parent_mass and not parent_mass:
        raise ConfigError(f"{variable} needs parent_mass")
    if entry.needs_vertices != vertices:
        verb = "needs" if entry.needs_vertices else "does not use"
        raise ConfigError(f"{variable} {verb} vertices")
    _check_flights(variable, entry, flights)
    if delta:
        _check_cone(variable, entry, flights, known)
    if known == "transverse":
        function = entry.transverse_pair if flights == 2 else entry.transverse
        if function is None:
            names = _names_with("transverse")
            raise ConfigError(f"{variable} needs all components of total. Without: {names}")
        return function
    if delta and entry.cone is not None:
        return entry.cone
    return entry.pair if flights == 2 and entry.pair is not None else entry.function


def _check_flights(variable: str, entry: Variable, flights: int) -> None:
    """Refuse a number of flight directions that the variable has no use for."""
    if flights and not entry.needs_flight:
        raise ConfigError(f"{variable} does not use a flight direction, but {flights} were given")
    if entry.needs_flight and flights == 0:
        raise ConfigError(
            f"{variable} needs one flight direction, flight_sig or flight_tag; 0 were given"
        )
    if flights == 2 and entry.pair is None:
        raise ConfigError(
            f"{variable} needs one flight direction, flight_sig or flight_tag; 2 were given. Both "
            f"are for: {_names_with('pair')}; with s and the parent masses, M2sBV takes vertices"
        )


def _check_cone(variable: str, entry: Variable, flights: int, known: str) -> None:
    """Refuse delta where there is no cone."""
    if entry.cone is None:
        raise ConfigError(
            f"{variable} has no cone, but delta was given. It exists for: {_names_with('cone')}"
        )
    if flights == 2:
        raise ConfigError(f"delta is for one flight direction of {variable}, but 2 were given")
    if known != "all":
        raise ConfigError(f"delta of {variable} needs known = 'all', but it is {known!r}")


def _names_with(solver: str) -> str:
    """List the variables that have a certain solver."""
    return ", ".join(name for name, entry in VARIABLES.items() if getattr(entry, solver))
