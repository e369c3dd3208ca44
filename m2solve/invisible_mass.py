r"""The ansatz m_hat for the unknown mass of the invisible system of the signal side.

A parent at rest in the frame of the beams has momentum :math:`M u` with u the four-velocity of
the beams. Subtracting the visible signal momentum leaves :math:`\hat m^2 = (M u - p_{vis})^2`,
which is negative in about 14 % of tau -> l nu nu events; its sign is then flipped
(arXiv:2209.03387, section 3).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from m2solve.kinematics import four_vector, mass_squared, row_index
from m2solve.problem import make_problem
from simgen.jit import kernel

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from simgen.typing import FloatArray


def m_hat_squared(visible_sig: ArrayLike, total: ArrayLike, parent_mass: ArrayLike) -> FloatArray:
    """Return (M u - p_vis)^2 with its sign, u being the four-velocity of the beams.

    Parameters
    ----------
    visible_sig : (n, 4) array
        Visible signal momentum (px, py, pz, E), lab frame, GeV.
    total : (4,) or (n, 4) array
        Total four-momentum of the beams.
    parent_mass : float or (n,) array
        Mass M of the signal parent in GeV.

    Returns
    -------
    (n,) array
        Signed square in GeV^2; nan where the input is.

    Raises
    ------
    InputArrayError
        If an array has a wrong shape, or a value given once for all events is not usable.
    """
    problem = make_problem(
        visible_sig,
        visible_sig,
        total,
        m_sig=0.0,
        m_tag=0.0,
        parent_mass=parent_mass,
    )
    result = np.empty(len(problem.visible_sig))
    _m_hat_squared_loop(problem.visible_sig, problem.total, problem.mass_sig, result)
    return result


def m_hat(visible_sig: ArrayLike, total: ArrayLike, parent_mass: ArrayLike) -> FloatArray:
    """Return the square root of |m_hat^2|: the mass to use for the invisible system.

    Parameters, shapes and errors are those of `m_hat_squared`.
    """
    return np.asarray(np.sqrt(np.abs(m_hat_squared(visible_sig, total, parent_mass))))


@kernel
def _m_hat_squared_loop(
    visible: FloatArray, total: FloatArray, mass: FloatArray, result: FloatArray
) -> None:
    """Fill result for every event."""
    for i in range(visible.shape[0]):
        p = four_vector(visible, i)
        beams = four_vector(total, row_index(total.shape[0], i))
        m = mass[row_index(mass.shape[0], i)]
        dot = beams[3] * p[3] - (beams[0] * p[0] + beams[1] * p[1] + beams[2] * p[2])
        result[i] = m * m + mass_squared(p) - 2.0 * m * dot / np.sqrt(mass_squared(beams))
