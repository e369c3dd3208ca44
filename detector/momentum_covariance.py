r"""Covariance of the momentum of a composite particle, added up from what it is made of.

Each measured quantity with standard deviation :math:`\sigma` that moves the momentum by v adds
:math:`\sigma^2 v v^T`: pT, theta and phi of a track, energy and angles of a photon. The energies of
the photons of a pi0 are refitted to its mass (`detector.pi0`), which leaves one of the two free
and moves both where an angle moves.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from detector.photons import PhotonModel, photon_deviations
from detector.tracks import TrackModel, track_resolution
from simgen.jit import lean_kernel

if TYPE_CHECKING:
    from simgen.typing import FloatArray


@lean_kernel
def add_track_covariance(p: FloatArray, model: TrackModel, covariance: FloatArray) -> None:
    """Add to a covariance (3, 3) that of a charged particle's measured momentum (4,), GeV^2."""
    sigma_pt, sigma_theta, sigma_phi = track_resolution(p, model)
    pt2 = p[0] * p[0] + p[1] * p[1]
    # pz = pT cot(theta), and theta is independent of pT
    stretch = (pt2 + p[2] * p[2]) / np.sqrt(pt2)
    _add(covariance, sigma_pt, p[0], p[1], p[2])
    _add(covariance, sigma_theta, 0.0, 0.0, -stretch)
    _add(covariance, sigma_phi, -p[1], p[0], 0.0)


@lean_kernel
def add_photon_covariance(p: FloatArray, model: PhotonModel, covariance: FloatArray) -> None:
    """Add to a covariance (3, 3) that of a photon's momentum (4,), GeV^2."""
    pt = np.hypot(p[0], p[1])
    slope = p[2] / pt
    sigma_energy, sigma_theta, sigma_phi = photon_deviations(p, model)
    _add(covariance, sigma_energy, p[0], p[1], p[2])
    _add(covariance, sigma_theta, slope * p[0], slope * p[1], -pt)
    _add(covariance, sigma_phi, -p[1], p[0], 0.0)


@lean_kernel
def add_pi0_covariance(
    first: FloatArray, second: FloatArray, model: PhotonModel, covariance: FloatArray
) -> None:
    """Add to a covariance (3, 3) that of a pi0 with two photons (4,), refitted to its mass, GeV^2.

    To first order in the errors.
    """
    s1, s2 = photon_deviations(first, model)[0], photon_deviations(second, model)[0]
    v1, v2 = s1 * s1, s2 * s2
    # 1 - cos(psi) times both energies; without it or without errors nothing is refitted
    opening = first[3] * second[3]
    for i in range(3):
        opening -= first[i] * second[i]
    share_1, share_2 = 0.0, 0.0
    if v1 + v2 > 0.0 and opening > 0.0:
        share_1, share_2 = v1 / (v1 + v2), v2 / (v1 + v2)
        free = np.sqrt(v1 * v2 / (v1 + v2))
        _add(covariance, free, first[0] - second[0], first[1] - second[1], first[2] - second[2])
    for k in range(2):
        p, q = (first, second) if k == 0 else (second, first)
        pt = np.hypot(p[0], p[1])
        slope = p[2] / pt
        _, sigma_theta, sigma_phi = photon_deviations(p, model)
        for angle in range(2):
            sigma, dx, dy, dz = sigma_theta, slope * p[0], slope * p[1], -pt
            if angle == 1:
                sigma, dx, dy, dz = sigma_phi, -p[1], p[0], 0.0
            # log(1 - cos(psi)) grows by this, so the energies shrink, by their shares
            grows = 0.0
            if opening > 0.0:
                grows = -(dx * q[0] + dy * q[1] + dz * q[2]) / opening
            a, b = share_1 * grows, share_2 * grows
            _add(
                covariance,
                sigma,
                dx - a * first[0] - b * second[0],
                dy - a * first[1] - b * second[1],
                dz - a * first[2] - b * second[2],
            )


@lean_kernel
def _add(covariance: FloatArray, sigma: float, x: float, y: float, z: float) -> None:
    """Add sigma^2 v v^T."""
    x, y, z = sigma * x, sigma * y, sigma * z
    covariance[0, 0] += x * x
    covariance[0, 1] += x * y
    covariance[0, 2] += x * z
    covariance[1, 0] += y * x
    covariance[1, 1] += y * y
    covariance[1, 2] += y * z
    covariance[2, 0] += z * x
    covariance[2, 1] += z * y
    covariance[2, 2] += z * z
