"""Lorentz transformations as kernels."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simgen.jit import lean_kernel

if TYPE_CHECKING:
    from simgen.typing import FloatArray


@lean_kernel
def boost_matrix(
    px: float, py: float, pz: float, energy: float, mass: float, out: FloatArray
) -> None:
    """Write the pure boost from the rest frame of a four-momentum to the frame it is given in.

    Parameters
    ----------
    px, py, pz, energy, mass
        The four-momentum of the frame's origin and its invariant mass, GeV.
    out
        (4, 4); rows and columns in the order x, y, z, t. ``out @ (0, 0, 0, mass)`` is the
        four-momentum.
    """
    ux, uy, uz = px / mass, py / mass, pz / mass
    gamma = energy / mass
    c = 1.0 / (gamma + 1.0)
    out[0, 0], out[0, 1], out[0, 2], out[0, 3] = 1.0 + c * ux * ux, c * ux * uy, c * ux * uz, ux
    out[1, 0], out[1, 1], out[1, 2], out[1, 3] = c * uy * ux, 1.0 + c * uy * uy, c * uy * uz, uy
    out[2, 0], out[2, 1], out[2, 2], out[2, 3] = c * uz * ux, c * uz * uy, 1.0 + c * uz * uz, uz
    out[3, 0], out[3, 1], out[3, 2], out[3, 3] = ux, uy, uz, gamma


@lean_kernel
def boost_by_matrix(matrix: FloatArray, p: FloatArray, out: FloatArray) -> None:
    """Write ``matrix @ p`` to `out`; both (4,)."""
    for i in range(4):
        out[i] = (
            matrix[i, 0] * p[0] + matrix[i, 1] * p[1] + matrix[i, 2] * p[2] + matrix[i, 3] * p[3]
        )


@lean_kernel
def compose(a: FloatArray, b: FloatArray, out: FloatArray) -> None:
    """Write the (4, 4) matrix product ``a @ b`` to `out`."""
    for i in range(4):
        for j in range(4):
            out[i, j] = (
                a[i, 0] * b[0, j] + a[i, 1] * b[1, j] + a[i, 2] * b[2, j] + a[i, 3] * b[3, j]
            )


@lean_kernel
def boost_from_rest(
    p: FloatArray, px: float, py: float, pz: float, energy: float, mass: float
) -> None:
    """Boost `p`, given in the rest frame of a moving system, in place to the frame it moves in.

    Parameters
    ----------
    p
        (4,) four-momentum (px, py, pz, E).
    px, py, pz, energy, mass
        Four-momentum of the moving system and its invariant mass, GeV; the mass is passed because
        E^2 - p^2 loses digits.
    """
    ux, uy, uz = px / mass, py / mass, pz / mass
    gamma = energy / mass
    along = ux * p[0] + uy * p[1] + uz * p[2]
    factor = along / (gamma + 1.0) + p[3]
    p[0] += factor * ux
    p[1] += factor * uy
    p[2] += factor * uz
    p[3] = gamma * p[3] + along
