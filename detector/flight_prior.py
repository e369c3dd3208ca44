r"""How far a B flies before it decays: mean and covariance, for a constraint to the beams.

In the frame of the beams a B of mass m has the momentum :math:`p^* = \sqrt{s/4 - m^2}` and, from
the Upsilon(4S), directions as :math:`\sin^2\theta^*`; the taus of a pair are taken as isotropic.
With g = P / m in the lab and the proper length s exponential with mean :math:`c\tau`, the flight
f = s g has

.. math::

    \langle f \rangle = c\tau \langle g \rangle, \qquad
    \mathrm{Cov}(f) = (c\tau)^2 (2\,\mathrm{Cov}(g) + \langle g \rangle \langle g \rangle^T),

where :math:`\mathrm{Cov}(g)` is :math:`(p^*/m)^2` times :math:`(1 - a)/2` across the boost, and
times :math:`\gamma^2 a` along it, a the mean of :math:`\cos^2\theta^*`: 1/5, or 1/3 for taus. The
axis of the angular distribution, a few mrad from the boost, is taken to be the boost. Belle
constrains vertices in the same way, across the beams only, with 21 um for the flight (H. Tajima et
al., NIM A 533 (2004) 370); here that is 27 um.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from simgen.particles import ParticleData
    from simgen.typing import FloatArray

_TAU = 15


def flight_prior(total: FloatArray, parent: ParticleData) -> tuple[FloatArray, FloatArray]:
    """Return means (n, 3) in mm and covariances (n, 3, 3) in mm^2 of the flights of parents.

    Parameters
    ----------
    total
        (n, 4) total four-momenta of the beams as they are known, lab frame, GeV.
    parent
        A B or a tau.
    """
    mass, c_tau = parent.mass, parent.ctau
    p, rest_energy = total[:, :3], np.sqrt(total[:, 3] ** 2 - np.sum(total[:, :3] ** 2, axis=1))
    gamma2 = np.square(total[:, 3] / rest_energy)
    cosine2 = 1.0 / 3.0 if abs(parent.pdgid) == _TAU else 0.2
    mean = p * (0.5 / mass)
    size2 = np.maximum(np.square(0.5 * rest_energy / mass) - 1.0, 0.0)
    boost = np.linalg.norm(p, axis=1, keepdims=True)
    along = np.divide(p, boost, out=np.tile([0.0, 0.0, 1.0], (len(p), 1)), where=boost > 0.0)
    parallel = along[:, :, np.newaxis] * along[:, np.newaxis, :]
    across = np.eye(3) - parallel
    across *= (size2 * 0.5 * (1.0 - cosine2))[:, np.newaxis, np.newaxis]
    parallel *= (size2 * gamma2 * cosine2)[:, np.newaxis, np.newaxis]
    square = mean[:, :, np.newaxis] * mean[:, np.newaxis, :]
    return c_tau * mean, c_tau**2 * (2.0 * (across + parallel) + square)
