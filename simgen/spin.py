"""Spin states and their polarisation vectors, as kernels for decay models.

A particle's spin states are defined in its own rest frame, whose axes are those of its parent's
rest frame carried along by a pure boost. Integer spin uses a Cartesian basis: state j of a vector
is polarised along axis j, state j of a tensor is that of `tensor_component`. Because the decay
engine reaches the rest frame of every particle that is produced by an amplitude through its
parent's, the states an amplitude writes for a daughter are the states that daughter's own decay
reads. (The axes of the root, of scalars and of what a phase-space decay produced are the lab's:
nothing depends on them.)

References: D. J. Lange, NIM A 462 (2001) 152; P. Richardson, JHEP 11 (2001) 029, hep-ph/0110108.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from simgen.jit import lean_kernel

NEUTRINO_CODES = (12, 14, 16)


def n_spin_states(spin2: int, *, massless: bool) -> int:
    """Return the number of spin states of a particle.

    Parameters
    ----------
    spin2
        Twice the spin.
    massless
        Massless particles have the two transverse states only; neutrinos, whose second
        helicity never couples, have one.
    """
    if massless:
        return {0: 1, 1: 1}.get(spin2, 2)
    return spin2 + 1


@lean_kernel
def vector_state(
    px: float, py: float, pz: float, energy: float, mass: float, j: int
) -> tuple[float, float, float, float]:
    """Return (x, y, z, t) of polarisation vector `j` of a massive vector with momentum p.

    The unit vector along axis j of the rest frame, boosted: eps^0 = p_j / m,
    eps^i = delta_ij + p_i p_j / (m (E + m)).
    """
    p_j = px if j == 0 else (py if j == 1 else pz)
    c = p_j / (mass * (energy + mass))
    return (
        (1.0 if j == 0 else 0.0) + c * px,
        (1.0 if j == 1 else 0.0) + c * py,
        (1.0 if j == 2 else 0.0) + c * pz,
        p_j / mass,
    )


@lean_kernel
def transverse_state(px: float, py: float, pz: float, j: int) -> tuple[float, float, float]:
    """Return linear polarisation vector `j` (0 or 1) of a photon, orthogonal to its momentum."""
    p = np.sqrt(px * px + py * py + pz * pz)
    x, y, z = px / p, py / p, pz / p
    # Built from the axis the momentum is least aligned with, so nothing small is divided by.
    if abs(z) < 0.8:
        norm = 1.0 / np.sqrt(x * x + y * y)
        ax, ay, az = -y * norm, x * norm, 0.0
    else:
        norm = 1.0 / np.sqrt(y * y + z * z)
        ax, ay, az = 0.0, -z * norm, y * norm
    if j == 0:
        return ax, ay, az
    return y * az - z * ay, z * ax - x * az, x * ay - y * ax


@lean_kernel
def tensor_component(j: int, ux: Any, uy: Any, uz: Any, vx: Any, vy: Any, vz: Any) -> Any:
    """Return u_a T_ab v_b, with T the polarisation of state `j` (0 to 4) of a tensor at rest.

    The vectors u and v are real or complex. The five states are real, symmetric, traceless and
    orthonormal: xy, yz, zx, xx - yy and 2 zz - xx - yy, scaled such that T_ab T_ab = 1.
    """
    if j == 0:
        return (ux * vy + uy * vx) / np.sqrt(2.0)
    if j == 1:
        return (uy * vz + uz * vy) / np.sqrt(2.0)
    if j == 2:
        return (uz * vx + ux * vz) / np.sqrt(2.0)
    if j == 3:
        return (ux * vx - uy * vy) / np.sqrt(2.0)
    return (2.0 * uz * vz - ux * vx - uy * vy) / np.sqrt(6.0)
