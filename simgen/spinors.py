"""Spin-1/2 states and left-handed currents, as kernels for decay models.

The weak charged current sees left-handed (Weyl) spinors only, two complex numbers each. Spin
states are those of `simgen.spin`: state 0 has spin up, state 1 spin down along z of the particle's
rest frame, whose axes are carried from its parent's by a pure boost, so

    u_L(p, s) = sqrt(p.sigma) chi_s,  v_L(p, s) = sqrt(p.sigma) (-i sigma_2) chi_s*,
    sqrt(p.sigma) = (E + m - p.sigma) / sqrt(2 (E + m)),

with sigma the Pauli matrices. v is the charge conjugate of u, so both kinds turn alike under
rotations. Momenta are in GeV, in any one frame; spinors are normalised to u^dagger u = 2 E.

References: M. E. Peskin, D. V. Schroeder, *An Introduction to Quantum Field Theory*, sect. 3.3;
H. K. Dreiner, H. E. Haber, S. P. Martin, Phys. Rept. 494 (2010) 1, arXiv:0812.1594, sect. 3.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from simgen.jit import lean_kernel


@lean_kernel
def left_spinor(
    px: float, py: float, pz: float, energy: float, mass: float, s: int, antiparticle: bool
) -> tuple[complex, complex]:
    """Return the two components of u_L(p, s), or of v_L(p, s) of an antiparticle.

    Parameters
    ----------
    px, py, pz, energy
        Four-momentum, GeV.
    mass
        Mass, GeV, above zero; see `neutrino_spinor` for massless particles.
    s
        Spin state, 0 (up) or 1 (down).
    antiparticle
        True for v_L.
    """
    up, down = 1.0 - s, 1.0 * s
    if antiparticle:
        up, down = -down, up
    norm = 1.0 / np.sqrt(2.0 * (energy + mass))
    sum_ = energy + mass
    return (
        ((sum_ - pz) * up - complex(px, -py) * down) * norm,
        ((sum_ + pz) * down - complex(px, py) * up) * norm,
    )


@lean_kernel
def right_spinor(
    px: float, py: float, pz: float, energy: float, mass: float, s: int, antiparticle: bool
) -> tuple[complex, complex]:
    """Return the two components of u_R(p, s), or of v_R(p, s) of an antiparticle.

    sqrt(p.sigmabar) in place of sqrt(p.sigma), and a sign for v; parameters as of `left_spinor`.
    """
    first, second = left_spinor(-px, -py, -pz, energy, mass, s, antiparticle)
    if antiparticle:
        return -first, -second
    return first, second


@lean_kernel
def neutrino_spinor(px: float, py: float, pz: float, energy: float) -> tuple[complex, complex]:
    """Return the left-handed spinor of a neutrino or antineutrino, the same up to a phase.

    sqrt(p.sigma) of a massless particle leaves only the spin opposite to p.

    Parameters
    ----------
    px, py, pz, energy
        Four-momentum, GeV.
    """
    # Two ways to write it, each without cancellation on its half of the sphere.
    if pz > 0.0:
        norm = 1.0 / np.sqrt(energy + pz)
        return complex(-px, py) * norm, complex((energy + pz) * norm, 0.0)
    norm = 1.0 / np.sqrt(energy - pz)
    return complex((energy - pz) * norm, 0.0), complex(-px, -py) * norm


@lean_kernel
def left_current(
    a0: complex, a1: complex, b0: complex, b1: complex
) -> tuple[complex, complex, complex, complex]:
    """Return (x, y, z, t) of the current abar gamma^mu (1 - gamma_5) b = 2 a^dagger sigmabar^mu b.

    Parameters
    ----------
    a0, a1
        Left spinor of the outgoing particle or incoming antiparticle.
    b0, b1
        Left spinor of the incoming particle or outgoing antiparticle.
    """
    c0, c1 = 2.0 * a0.conjugate(), 2.0 * a1.conjugate()
    return (
        -(c0 * b1 + c1 * b0),
        1j * (c0 * b1 - c1 * b0),
        c1 * b1 - c0 * b0,
        c0 * b0 + c1 * b1,
    )


@lean_kernel
def contracted(
    x: float, y: float, z: float, t: float, spinor0: complex, spinor1: complex
) -> tuple[complex, complex]:
    """Return H_mu sigmabar^mu = t + H.sigma times a left spinor, for a four-vector H."""
    return (
        (t + z) * spinor0 + complex(x, -y) * spinor1,
        complex(x, y) * spinor0 + (t - z) * spinor1,
    )


@lean_kernel
def antisymmetric(a0: complex, a1: complex, b0: complex, b1: complex) -> complex:
    """Return the invariant product a_0 b_1 - a_1 b_0 of two left spinors."""
    return a0 * b1 - a1 * b0


@lean_kernel
def vector_current(
    p: Any, mass_1: float, s_1: int, q: Any, mass_2: float, s_2: int
) -> tuple[complex, complex, complex, complex]:
    """Return (x, y, z, t) of the current ubar(p, s_1) gamma^mu v(q, s_2) of a lepton pair.

    Half the left-handed current and half the right-handed one. With the momenta reversed
    sqrt(p.sigma) is sqrt(p.sigmabar), which makes the right-handed spinors, and v_R has a sign.

    Parameters
    ----------
    p, mass_1, s_1
        Four-momentum (px, py, pz, E) of the lepton, its mass, GeV, and its spin state.
    q, mass_2, s_2
        The same of the antilepton.
    """
    a0, a1 = left_spinor(p[0], p[1], p[2], p[3], mass_1, s_1, False)
    b0, b1 = left_spinor(q[0], q[1], q[2], q[3], mass_2, s_2, True)
    lx, ly, lz, lt = left_current(a0, a1, b0, b1)
    a0, a1 = left_spinor(-p[0], -p[1], -p[2], p[3], mass_1, s_1, False)
    b0, b1 = left_spinor(-q[0], -q[1], -q[2], q[3], mass_2, s_2, True)
    rx, ry, rz, rt = left_current(a0, a1, b0, b1)
    return 0.5 * (lx + rx), 0.5 * (ly + ry), 0.5 * (lz + rz), 0.5 * (lt - rt)


@lean_kernel
def charged_current(
    spinor0: complex, spinor1: complex, nu0: complex, nu1: complex, nu_is_bra: bool
) -> tuple[complex, complex, complex, complex]:
    """Return the current (x, y, z, t) of a charged lepton and its neutrino.

    Parameters
    ----------
    spinor0, spinor1
        Left spinor of the charged lepton.
    nu0, nu1
        Spinor of the neutrino.
    nu_is_bra
        True where the neutrino line leaves the vertex: tau- -> nu, or a pair l+ nu.
    """
    if nu_is_bra:
        return left_current(nu0, nu1, spinor0, spinor1)
    return left_current(spinor0, spinor1, nu0, nu1)
