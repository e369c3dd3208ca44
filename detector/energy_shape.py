r"""The shape of errors of photon energies: a Gaussian, or with a tail to low energies.

Where a shower leaks out of the crystals a photon has less energy than at the peak, never much more.
The logarithmic Gaussian of H. Ikeda et al., NIM A 441 (2000) 401 (the Novosibirsk function) says so
with one number, the asymmetry eta. Of x, the energy less its peak in units of sigma,

.. math::

    f(x) \propto \exp\left(-\frac{\ln^2(1 - \eta x)}{2\sigma_0^2}\right), \qquad
    \sigma_0 = \frac{2}{\xi}\,\mathrm{arsinh}\frac{\eta\xi}{2}, \qquad \xi = 2\sqrt{2\ln 2},

peaks at 0, has the full width xi at half of it, as the unit Gaussian that it is for eta = 0, and
ends at 1/eta. With a unit Gaussian n

.. math::

    x = \frac{1 - e^{\sigma_0^2 - \sigma_0 n}}{\eta}, \qquad
    \langle x \rangle = \frac{1 - e^{3\sigma_0^2/2}}{\eta}, \qquad
    \mathrm{Var}(x) = \frac{e^{3\sigma_0^2}(e^{\sigma_0^2} - 1)}{\eta^2}.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from simgen.jit import lean_kernel

_FULL_WIDTH = 2.0 * math.sqrt(2.0 * math.log(2.0))


class EnergyShape(NamedTuple):
    """Shape of errors for kernels.

    Attributes
    ----------
    asymmetry
        eta; 0 for a Gaussian.
    log_width
        sigma_0.
    mean, spread
        Mean and standard deviation of an error in units of sigma.
    """

    asymmetry: float
    log_width: float
    mean: float
    spread: float


def energy_shape(asymmetry: float) -> EnergyShape:
    """Return the shape of an asymmetry, which is not negative."""
    if asymmetry == 0.0:
        return EnergyShape(0.0, 0.0, 0.0, 1.0)
    width = 2.0 / _FULL_WIDTH * math.asinh(0.5 * asymmetry * _FULL_WIDTH)
    square = width * width
    return EnergyShape(
        asymmetry=asymmetry,
        log_width=width,
        mean=-math.expm1(1.5 * square) / asymmetry,
        spread=math.sqrt(math.exp(3.0 * square) * math.expm1(square)) / asymmetry,
    )


@lean_kernel
def shaped_error(n: float, shape: EnergyShape) -> float:
    """Return the error in units of sigma that a unit Gaussian number stands for."""
    if shape.asymmetry == 0.0:
        return n
    width = shape.log_width
    return float((1.0 - np.exp(width * width - width * n)) / shape.asymmetry)
