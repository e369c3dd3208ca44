r"""Neutral pions from two photons whose energies are refitted to the pi0 mass.

The angle psi between the photons is measured far better than their energies and kept. The mass
m^2 = 2 E_1 E_2 (1 - cos psi) then fixes the product K of the energies, and one unknown is left:

.. math::

    \chi^2(x) = (x - E_1)^2/\sigma_1^2 + (K/x - E_2)^2/\sigma_2^2, \qquad
    K = \frac{m^2}{2 (1 - \cos\psi)}.

Its minimum is found by Newton steps in log(x), multiplied through by the variances so that a
photon without error is allowed. The mass constraint holds to rounding wherever the steps stop.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from simgen.jit import lean_kernel

if TYPE_CHECKING:
    from simgen.typing import FloatArray

_MAX_STEPS = 50
_TOLERANCE = 1e-14


@lean_kernel
def fit_photon_energies(
    energy_1: float, sigma_1: float, energy_2: float, sigma_2: float, product: float
) -> float:
    """Return the fitted energy of the first photon; the second has ``product`` divided by it.

    Parameters
    ----------
    energy_1, energy_2
        Measured energies, GeV, positive.
    sigma_1, sigma_2
        Their standard deviations, GeV, not both zero.
    product
        K, the product the mass requires, GeV^2.
    """
    w1, w2 = sigma_2 * sigma_2, sigma_1 * sigma_1
    x: float = energy_1 * np.sqrt(product / (energy_1 * energy_2))
    for _ in range(_MAX_STEPS):
        y = product / x
        slope = w1 * x * (x - energy_1) - w2 * y * (y - energy_2)
        curvature = w1 * x * (2.0 * x - energy_1) + w2 * y * (2.0 * y - energy_2)
        # Far from the minimum the full second derivative can be small or negative; without the
        # residuals it is always positive.
        curvature = max(curvature, 0.5 * (w1 * x * x + w2 * y * y))
        step = min(max(slope / curvature, -1.0), 1.0)
        x *= np.exp(-step)
        if abs(step) < _TOLERANCE:
            break
    return x


@lean_kernel
def constrain_pi0(
    photon_1: FloatArray,
    sigma_1: float,
    photon_2: FloatArray,
    sigma_2: float,
    mass: float,
    out: FloatArray,
) -> None:
    """Write the momentum of a pi0 from its two measured photons.

    Parameters
    ----------
    photon_1, photon_2
        (4,) measured momenta, GeV.
    sigma_1, sigma_2
        Standard deviations of their energies, GeV. If both are zero there is nothing to refit,
        and the photons are added as they are; as they are if they are parallel.
    mass
        Mass of the pi0, GeV.
    out
        (4,) receives the momentum.
    """
    e1, e2 = photon_1[3], photon_2[3]
    distance2 = 0.0
    for i in range(3):
        d = photon_1[i] / e1 - photon_2[i] / e2
        distance2 += d * d
    scale_1, scale_2 = 1.0, 1.0
    if sigma_1 + sigma_2 > 0.0 and distance2 > 0.0:
        product = mass * mass / distance2  # |n_1 - n_2|^2 = 2 (1 - cos psi)
        x = fit_photon_energies(e1, sigma_1, e2, sigma_2, product)
        scale_1, scale_2 = x / e1, product / (x * e2)
    for i in range(4):
        out[i] = scale_1 * photon_1[i] + scale_2 * photon_2[i]
