r"""Tracks as helices about z: perigee parameters, and how far a point is from a track.

A track is (d0, phi, omega, z0, cot_theta) at its perigee, the point nearest to the line through a
reference point along z:

- d0 in mm, with the sign of the track's angular momentum about that line, so that the perigee is
  at reference + d0 (sin phi, -cos phi);
- phi, the azimuth of the momentum at the perigee;
- omega in 1/mm, the signed curvature: the azimuth grows by omega for each mm travelled in the
  transverse plane, omega = -0.299792458e-3 q B / pT (B in T, pT in GeV);
- z0 in mm, z of the perigee less that of the reference;
- cot_theta, pz / pT.

These are the parameters of Belle II (V. Bertacchi et al., Comput. Phys. Commun. 259 (2021) 107610)
but for the sign of omega, which there is that of the charge. Formulas are exact and hold for
omega = 0, a straight line.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from simgen.jit import lean_kernel

if TYPE_CHECKING:
    from simgen.typing import FloatArray

D0, PHI, OMEGA, Z0, COT_THETA = 0, 1, 2, 3, 4
N_PARAMETERS = 5
# omega = -CURVATURE q B / pT: the speed of light in units of GeV / (T mm)
CURVATURE = 0.299792458e-3
# Where an angle is so small, atan(t)/t is 1 - t^2/3 to rounding.
_SMALL_ANGLE = 1e-5


@lean_kernel
def nearest(
    dx: float, dy: float, cos_phi: float, sin_phi: float, omega: float
) -> tuple[float, float, float, float]:
    """Return where, in the transverse plane, a circle is nearest to a point.

    Parameters
    ----------
    dx, dy
        The point, seen from a point of the circle, mm.
    cos_phi, sin_phi
        Direction of flight there.
    omega
        Signed curvature, 1/mm.

    Returns
    -------
    distance
        Of the point from the circle, mm; positive if the point is to the left.
    arc
        Way along the circle to the nearest point, mm.
    cos_psi, sin_psi
        The angle by which the direction of flight turns on this way.
    """
    along = cos_phi * dx + sin_phi * dy
    left = cos_phi * dy - sin_phi * dx
    root = np.sqrt(1.0 - omega * (2.0 * left - omega * (dx * dx + dy * dy)))
    distance = (2.0 * left - omega * (dx * dx + dy * dy)) / (1.0 + root)
    forward = 1.0 - omega * left
    cos_psi, sin_psi = forward / root, omega * along / root
    tangent = omega * along / forward
    if abs(tangent) < _SMALL_ANGLE:
        arc = along / forward * (1.0 - tangent * tangent / 3.0)
    else:
        arc = np.arctan2(sin_psi, cos_psi) / omega
    return distance, arc, cos_psi, sin_psi


@lean_kernel
def to_perigee(
    position: FloatArray,
    phi: float,
    omega: float,
    cot_theta: float,
    reference: FloatArray,
    out: FloatArray,
) -> None:
    """Write the perigee parameters (5,) of the helix through a point.

    Parameters
    ----------
    position
        (>= 3,) a point of the track, mm.
    phi, omega, cot_theta
        Azimuth there, curvature in 1/mm, cotangent of the polar angle.
    reference
        (3,) the reference point, mm.
    out
        (5,) receives the parameters.
    """
    distance, arc, cos_psi, sin_psi = nearest(
        reference[0] - position[0], reference[1] - position[1], np.cos(phi), np.sin(phi), omega
    )
    out[D0] = distance
    out[PHI] = phi + np.arctan2(sin_psi, cos_psi)
    out[OMEGA] = omega
    out[Z0] = position[2] + arc * cot_theta - reference[2]
    out[COT_THETA] = cot_theta


@lean_kernel
def add_track(
    tracks: FloatArray,
    variances: FloatArray,
    row: int,
    reference: FloatArray,
    point: FloatArray,
    weight: FloatArray,
    information: FloatArray,
) -> float:
    r"""Add to a vertex what a track, linearised near a point, knows about it.

    The distances f = (transverse, along z) of a vertex x from the track have gradients H with
    respect to x and J with respect to the parameters, so with the parameters' covariance C

    .. math:: \chi^2 = (f + H (x - x_0))^T (J C J^T)^{-1} (f + H (x - x_0)),

    which is the fit of P. Billoir, S. Qian, NIM A 311 (1992) 139 with the track's three momentum
    parameters at the vertex eliminated. In J, terms of third order in omega times arc are left out:
    below 1e-6 of it near the beams.

    Parameters
    ----------
    tracks, variances
        (n, 5) perigee parameters and their variances; errors are independent.
    row
        Which of them.
    reference
        (3,) the parameters' reference point, mm.
    point
        (3,) where to linearise, mm.
    weight, information
        (3, 3) and (3,), to which the information W and W x are added, in 1/mm^2 and 1/mm.

    Returns
    -------
    float
        chi^2 of `point` itself.
    """
    cos_phi, sin_phi = np.cos(tracks[row, PHI]), np.sin(tracks[row, PHI])
    x, y = point[0] - reference[0], point[1] - reference[1]
    d0, omega, cot = tracks[row, D0], tracks[row, OMEGA], tracks[row, COT_THETA]
    distance, arc, cos_psi, sin_psi = nearest(
        x - d0 * sin_phi, y + d0 * cos_phi, cos_phi, sin_phi, omega
    )
    # Direction of flight at the nearest point; the way along the track changes by `stretch`
    # times what a vertex moves along it.
    ux, uy = cos_phi * cos_psi - sin_phi * sin_psi, sin_phi * cos_psi + cos_phi * sin_psi
    stretch = 1.0 / (1.0 - omega * distance)
    slope = cot * stretch
    above = point[2] - reference[2] - tracks[row, Z0] - arc * cot

    # Rotating the track about the reference by d phi is rotating the vertex by -d phi.
    t_d0, t_phi, t_omega = cos_psi, -(ux * x + uy * y), -0.5 * arc * arc
    z_d0, z_phi = -slope * sin_psi, -slope * (ux * y - uy * x)
    z_omega = -slope * distance * arc
    v_d0, v_phi, v_omega = variances[row, D0], variances[row, PHI], variances[row, OMEGA]
    g_tt = t_d0 * t_d0 * v_d0 + t_phi * t_phi * v_phi + t_omega * t_omega * v_omega
    g_zz = (
        z_d0 * z_d0 * v_d0 + z_phi * z_phi * v_phi + z_omega * z_omega * v_omega
        + variances[row, Z0] + arc * arc * variances[row, COT_THETA]
    )  # fmt: skip
    g_tz = t_d0 * z_d0 * v_d0 + t_phi * z_phi * v_phi + t_omega * z_omega * v_omega
    determinant = g_tt * g_zz - g_tz * g_tz
    w_tt, w_zz, w_tz = g_zz / determinant, g_tt / determinant, -g_tz / determinant

    # Rows of H: (-uy, ux, 0) and (-slope ux, -slope uy, 1); H x_0 - f is what is measured.
    hx, hy = -slope * ux, -slope * uy
    m_t = -uy * point[0] + ux * point[1] - distance
    m_z = hx * point[0] + hy * point[1] + point[2] - above
    a_t, a_z = w_tt * m_t + w_tz * m_z, w_tz * m_t + w_zz * m_z
    information[0] += -uy * a_t + hx * a_z
    information[1] += ux * a_t + hy * a_z
    information[2] += a_z
    tx, ty, tz = -uy * w_tt + hx * w_tz, ux * w_tt + hy * w_tz, w_tz
    zx, zy, zz = -uy * w_tz + hx * w_zz, ux * w_tz + hy * w_zz, w_zz
    weight[0, 0] += -uy * tx + hx * zx
    weight[0, 1] += -uy * ty + hx * zy
    weight[0, 2] += -uy * tz + hx * zz
    weight[1, 0] += ux * tx + hy * zx
    weight[1, 1] += ux * ty + hy * zy
    weight[1, 2] += ux * tz + hy * zz
    weight[2, 0] += zx
    weight[2, 1] += zy
    weight[2, 2] += zz
    chi2: float = w_tt * distance * distance + 2.0 * w_tz * distance * above + w_zz * above * above
    return chi2
