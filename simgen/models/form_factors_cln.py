"""Form factors of B -> D and B -> D* from heavy quark symmetry and dispersion relations.

I. Caprini, L. Lellouch, M. Neubert, Nucl. Phys. B 530 (1998) 153, hep-ph/9712417 (CLN), eqs. 33-36;
for lepton masses in B -> D*: S. Fajfer, J. F. Kamenik, I. Nisandzic, Phys. Rev. D 85 (2012)
094025, arXiv:1203.2654, whose R_0 this is. Units are GeV; form factors have none.
"""

from __future__ import annotations

import numpy as np

from simgen.jit import kernel


@kernel
def recoil(parent: float, meson: float, q2: float) -> tuple[float, float]:
    """Return w = v.v' and the conformal variable z(w)."""
    # At the end point rounding can bring w below 1.
    w = max((parent * parent + meson * meson - q2) / (2.0 * parent * meson), 1.0)
    root = np.sqrt(w + 1.0)
    return w, (root - np.sqrt(2.0)) / (root + np.sqrt(2.0))


@kernel
def _vector_of_scalar(
    parent: float, meson: float, q2: float, rho2: float, norm: float
) -> tuple[float, float, float]:
    """Return w, V_1(w) and 2 sqrt(M m)/(M + m) of B -> D."""
    w, z = recoil(parent, meson, q2)
    v1 = 1.0 - 8.0 * rho2 * z + (51.0 * rho2 - 10.0) * z * z - (252.0 * rho2 - 84.0) * z * z * z
    return w, norm * v1, 2.0 * np.sqrt(parent * meson) / (parent + meson)


@kernel
def scalar_form_factors(
    parent: float, meson: float, q2: float, rho2: float, norm: float, delta: float
) -> tuple[float, float]:
    """Return f_+ and f_0 of B -> D, with the S_1 of M. Tanaka, R. Watanabe, arXiv:1005.4306.

    S_1 = V_1 (1 + Delta (-0.019 + 0.041 (w - 1) - 0.015 (w - 1)^2)), Delta = 1 +- 1.

    Parameters
    ----------
    parent, meson
        Masses, GeV.
    q2
        Invariant mass squared of the lepton pair, GeV^2.
    rho2, norm, delta
        Slope rho_1^2, V_1(1), and the scale Delta of what breaks heavy quark symmetry in S_1.
    """
    w, v1, ratio = _vector_of_scalar(parent, meson, q2, rho2, norm)
    u = w - 1.0
    s1 = v1 * (1.0 + delta * (-0.019 + 0.041 * u - 0.015 * u * u))
    return v1 / ratio, s1 * ratio * (w + 1.0) / 2.0


@kernel
def vector_form_factors(
    parent: float,
    meson: float,
    q2: float,
    rho2: float,
    norm: float,
    r0_one: float,
    r1_one: float,
    r2_one: float,
) -> tuple[float, float, float, float]:
    """Return A_0, A_1, A_2 and V of B -> D*.

    Parameters
    ----------
    parent, meson
        Masses, GeV.
    q2
        Invariant mass squared of the lepton pair, GeV^2.
    rho2, norm, r0_one, r1_one, r2_one
        Slope rho^2, h_A1(1), R_0(1), R_1(1) and R_2(1).
    """
    w, z = recoil(parent, meson, q2)
    h = 1.0 - 8.0 * rho2 * z + (53.0 * rho2 - 15.0) * z * z - (231.0 * rho2 - 91.0) * z * z * z
    h *= norm
    u = w - 1.0
    r0 = r0_one - 0.11 * u + 0.01 * u * u
    r1 = r1_one - 0.12 * u + 0.05 * u * u
    r2 = r2_one + 0.11 * u - 0.06 * u * u
    ratio = 2.0 * np.sqrt(parent * meson) / (parent + meson)
    return r0 * h / ratio, h * ratio * (w + 1.0) / 2.0, r2 * h / ratio, r1 * h / ratio
