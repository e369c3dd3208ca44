r"""The mass recoiling against any visible subsystem of the signal side.

Eq. 1 of arXiv:2209.03387, in the frame of the beams,

.. math::

    M_{recoil}^2 = M^2 + m_X^2 - 2 (E_P E_X + |P| |p_X| \cos\theta),

with M the mass of the signal parent, :math:`E_P` and :math:`|P|` its energy and momentum (fixed
by s and the two parent masses; the tag parent has momentum -P), X the visible subsystem, e.g. K
l, and :math:`\theta` the angle between the momenta of X and of the tag parent. Only theta is
unknown; the solvers of this package estimate it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from simgen.errors import InputArrayError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from simgen.typing import FloatArray


def cos_theta_tag(visible: ArrayLike, parent_tag: ArrayLike, total: ArrayLike) -> FloatArray:
    """Return the cosine of the angle between a visible system and the tag parent.

    Parameters
    ----------
    visible : (..., 4) array
        Momentum (px, py, pz, E) of the visible system, lab frame, GeV.
    parent_tag : (..., 4) array
        Momentum of the tag parent, lab frame. The dimensions before the last broadcast against
        those of `visible`: for `Solution.parent_tag` (n, s, 4) give ``visible[:, None, :]``.
    total : (4,) or (..., 4) array
        Total four-momentum of the beams.

    Returns
    -------
    (...) array
        cos(theta) in the frame of the beams; nan where a momentum vanishes or is nan.

    Raises
    ------
    InputArrayError
        If the last dimension of an array is not 4.
    """
    p, tag, beams = _momenta(visible=visible, parent_tag=parent_tag, total=total)
    a, b = _momentum_in_cm(p, beams), _momentum_in_cm(tag, beams)
    norm = np.linalg.norm(a, axis=-1) * np.linalg.norm(b, axis=-1)
    dot = np.sum(a * b, axis=-1)
    cosine = np.divide(dot, norm, out=np.full_like(norm, np.nan), where=norm > 0.0)
    return np.asarray(np.clip(cosine, -1.0, 1.0))


def m_recoil_squared(
    visible: ArrayLike,
    cos_theta: ArrayLike,
    total: ArrayLike,
    parent_mass: ArrayLike | tuple[ArrayLike, ArrayLike],
) -> FloatArray:
    """Return the squared recoil mass of eq. 1 for a given angle.

    Parameters
    ----------
    visible : (..., 4) array
        Momentum (px, py, pz, E) of the visible subsystem, e.g. K l, lab frame, GeV.
    cos_theta : float or (...) array
        Cosine of the angle between it and the tag parent in the frame of the beams: a solver's
        (`cos_theta_tag`), the true one, or random numbers in [-1, 1].
    total : (4,) or (..., 4) array
        Total four-momentum of the beams.
    parent_mass : float or array, or a tuple (signal, tag) of two
        Masses of the parents in GeV.

    Returns
    -------
    (...) array
        M_recoil^2 in GeV^2, negative values included. Below threshold, sqrt(s) < M_sig + M_tag, the
        parents are taken at rest.

    Raises
    ------
    InputArrayError
        If the last dimension of an array is not 4.
    """
    p, beams = _momenta(visible=visible, total=total)
    pair = parent_mass if isinstance(parent_mass, tuple) else (parent_mass, parent_mass)
    mass1, mass2 = (np.asarray(m, dtype=np.float64) for m in pair)
    s = _product(beams, beams)
    rs = np.sqrt(s)
    energy = (s + (mass1 - mass2) * (mass1 + mass2)) / (2.0 * rs)
    momentum = np.sqrt(np.maximum((energy - mass1) * (energy + mass1), 0.0))
    m2 = _product(p, p)
    e = _product(p, beams) / rs
    q = np.sqrt(np.maximum(e * e - m2, 0.0))
    cosine = np.asarray(cos_theta, dtype=np.float64)
    return np.asarray(mass1 * mass1 + m2 - 2.0 * (energy * e + momentum * q * cosine))


def m_recoil(
    visible: ArrayLike,
    cos_theta: ArrayLike,
    total: ArrayLike,
    parent_mass: ArrayLike | tuple[ArrayLike, ArrayLike],
) -> FloatArray:
    """Return the recoil mass of eq. 1 in GeV, as -sqrt(-M^2) where its square is negative.

    Parameters, shapes and errors are those of `m_recoil_squared`.
    """
    squared = m_recoil_squared(visible, cos_theta, total, parent_mass)
    return np.asarray(np.copysign(np.sqrt(np.abs(squared)), squared))


def _momenta(**arrays: ArrayLike) -> list[FloatArray]:
    """Return the arrays as float64, all with a last dimension of four."""
    result = []
    for name, value in arrays.items():
        array = np.asarray(value, dtype=np.float64)
        if array.ndim == 0 or array.shape[-1] != 4:
            raise InputArrayError(f"{name} has shape {array.shape}; it must be (..., 4)")
        result.append(array)
    return result


def _product(a: FloatArray, b: FloatArray) -> FloatArray:
    """Return the Minkowski product of two four-momenta."""
    return np.asarray(a[..., 3] * b[..., 3] - np.sum(a[..., :3] * b[..., :3], axis=-1))


def _momentum_in_cm(p: FloatArray, total: FloatArray) -> FloatArray:
    """Return the three-momentum of p in the rest frame of total."""
    rs = np.sqrt(_product(total, total))
    factor = (p[..., 3] + _product(p, total) / rs) / (total[..., 3] + rs)
    return np.asarray(p[..., :3] - factor[..., np.newaxis] * total[..., :3])
