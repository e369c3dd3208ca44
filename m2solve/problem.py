"""The input of a solver, checked and brought to contiguous float64 arrays."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from m2solve.vectors import as_vectors
from simgen.errors import InputArrayError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from m2solve.vertices import Vertices
    from simgen.typing import FloatArray


@dataclass(frozen=True)
class Problem:
    """Candidates to solve for (lab frame, GeV); n rows, or one row that holds for all events.

    Attributes
    ----------
    visible_sig, visible_tag : (n, 4) arrays
        Visible momenta p_1, p_2 as (px, py, pz, E).
    total : (n, 4) or (1, 4) array
        Total four-momentum of the beams, or only its px and py.
    m_sig, m_tag : (n,) or (1,) arrays
        Masses of the invisible systems.
    mass_sig, mass_tag : (n,) or (1,) arrays
        Masses of the parents; empty when none were given.
    flight_sig, flight_tag : (n, 3) arrays
        Vectors of any length along the flight of the parents; empty when none were given.
    delta : (n,) or (1,) array
        Half-angle of the cone around the flight direction in rad; empty when none was given.
    vertices : Vertices or None
        Measured vertices.
    """

    visible_sig: FloatArray
    visible_tag: FloatArray
    total: FloatArray
    m_sig: FloatArray
    m_tag: FloatArray
    mass_sig: FloatArray
    mass_tag: FloatArray
    flight_sig: FloatArray
    flight_tag: FloatArray
    delta: FloatArray
    vertices: Vertices | None = None

    def swapped(self) -> Problem:
        """Return the same problem with the names of the two sides exchanged."""
        return replace(
            self,
            visible_sig=self.visible_tag,
            visible_tag=self.visible_sig,
            m_sig=self.m_tag,
            m_tag=self.m_sig,
            mass_sig=self.mass_tag,
            mass_tag=self.mass_sig,
            flight_sig=self.flight_tag,
            flight_tag=self.flight_sig,
        )


def make_problem(
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
) -> Problem:
    """Check shapes and constants, and collect the arrays of a problem.

    Parameters are those of `m2solve.solve`.

    Raises
    ------
    InputArrayError
        If an array has a wrong shape, or a value given once for all events is not usable. A bad
        value in the row of one event is no error here: the solver gives it a status.
    """
    p1 = as_vectors("visible_sig", visible_sig, 4)
    p2 = as_vectors("visible_tag", visible_tag, 4)
    n = len(p1)
    if len(p2) != n:
        raise InputArrayError(f"visible_tag has {len(p2)} rows, but visible_sig has {n}")
    beams = as_vectors("total", total, 4)
    if len(beams) not in {1, n}:
        raise InputArrayError(
            f"total has {len(beams)} rows; allowed are one, or {n} (one an event)"
        )
    if len(beams) == 1 and n != 1:
        _check_total(beams[0], known)
    if vertices is not None and len(vertices) != n:
        raise InputArrayError(f"vertices has {len(vertices)} rows, but visible_sig has {n}")
    masses = parent_mass if isinstance(parent_mass, tuple) else (parent_mass, parent_mass)
    if len(masses) != 2:
        raise InputArrayError(f"parent_mass is a tuple of {len(masses)}; a pair (sig, tag) is two")
    return Problem(
        p1,
        p2,
        beams,
        _masses("m_sig", m_sig, n),
        _masses("m_tag", m_tag, n),
        _masses("parent_mass", masses[0], n),
        _masses("parent_mass", masses[1], n),
        _flights("flight_sig", flight_sig, n),
        _flights("flight_tag", flight_tag, n),
        _half_angles(delta, n),
        vertices,
    )


def _check_total(total: FloatArray, known: str) -> None:
    """Refuse a total momentum for all events of which the known components are not usable."""
    if known == "transverse":
        if not np.all(np.isfinite(total[:2])):
            raise InputArrayError(f"total = {total.tolist()}; px and py must be finite")
        return
    if not (np.all(np.isfinite(total)) and total[3] > np.linalg.norm(total[:3])):
        raise InputArrayError(
            f"total = {total.tolist()} is not the four-momentum (px, py, pz, E) of two beams: "
            "E must exceed |p|"
        )


def _numbers(name: str, value: ArrayLike | None, n: int) -> FloatArray:
    """Return one number or n of them as an array, or an empty one for None."""
    if value is None:
        return np.empty(0)
    array = np.ascontiguousarray(value, dtype=np.float64)
    if np.ndim(value) > 1 or array.size not in {1, n}:
        raise InputArrayError(
            f"{name} has shape {np.shape(value)}; it must be one number or {n} (one an event)"
        )
    return array.reshape(-1)


def _masses(name: str, value: ArrayLike | None, n: int) -> FloatArray:
    """Return masses; refuse one for all events that is negative or not finite."""
    array = _numbers(name, value, n)
    if value is not None and np.ndim(value) == 0 and not 0.0 <= array[0] < np.inf:
        raise InputArrayError(f"{name} = {array[0]} GeV; a mass must be finite and not negative")
    return array


def _half_angles(value: ArrayLike | None, n: int) -> FloatArray:
    """Return cone half-angles; refuse one for all events outside [0, pi/2)."""
    array = _numbers("delta", value, n)
    if value is not None and np.ndim(value) == 0 and not 0.0 <= array[0] < 0.5 * np.pi:
        raise InputArrayError(f"delta = {array[0]} rad; it must be in [0, pi/2)")
    return array


def _flights(name: str, value: ArrayLike | None, n: int) -> FloatArray:
    """Return flight vectors (n, 3), or an empty array for None."""
    if value is None:
        return np.empty((0, 3))
    array = as_vectors(name, value, 3)
    if len(array) != n:
        raise InputArrayError(f"{name} has {len(array)} rows, but visible_sig has {n}")
    return array
