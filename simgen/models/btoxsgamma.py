r"""BTOXSGAMMA: B -> X_s gamma, the mass of X_s drawn from a spectrum.

Kind 2 is the spectrum of A. L. Kagan, M. Neubert, Eur. Phys. J. C 7 (1999) 5, hep-ph/9805303,
next-to-leading order with Fermi motion, from 1.1 to 4.5 GeV; its values, linear in between, are
those EvtGen takes without further parameters. Kind 3 is one mass, 2 GeV unless given. Kind 4 is
flat in the energy of the photon in the frame of the B, from 1.7 GeV to where X_s -> K pi is
possible unless given.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numba import carray

from simgen.models.contract import DecayModel, Parameters
from simgen.random import uniform, unit_vector

if TYPE_CHECKING:
    from collections.abc import Sequence

    from simgen.particles import ParticleData

_KAGAN_NEUBERT, _FIXED, _FLAT = 2, 3, 4
_SCALAR, _PHOTON_SPIN2 = 0, 2
_PHOTON = 22
_N_PARAMETERS = {_KAGAN_NEUBERT: (1,), _FIXED: (1, 2), _FLAT: (1, 3)}
_LOW, _HIGH = 1.1, 4.5
STEP = 5.00796 / 80
"""Between the masses of `SPECTRUM`, GeV."""
SPECTRUM = (
    *(0, 1.03244e-3, 3.0239e-2, 0.199815, 0.729392, 1.93129, 4.17806, 7.86021, 13.3421, 20.9196),
    *(30.7815, 42.9854, 57.4406, 73.906, 92.003, 111.223, 130.977, 150.618, 169.483, 186.934),
    *(202.392, 215.366, 225.491, 232.496, 236.274, 236.835, 234.313, 228.942, 221.042, 210.994),
    *(199.215, 186.137, 172.194, 157.775, 143.255, 128.952, 115.133, 102.012, 89.7451, 78.4384),
    *(68.1519, 58.9048, 50.6851, 43.4515, 37.1506, 31.702, 27.0124, 23.0588, 19.6951, 16.8596),
    *(14.4909, 12.5102, 10.8596, 9.48476, 8.34013, 7.38477, 6.58627, 5.91541, 5.35022, 4.87047),
    *(4.46249, 4.11032, 3.80543, 3.54051, 3.30967, 3.10848, 2.93254, 2.78369, 2.65823, 2.55747),
    *(2.51068, 2.57179, 2.74684),
)
"""dB/dM at multiples of `STEP`, in 1e-6."""
_M_B, _M_K_PI = 5.2794, 0.634  # of kind 4, as in EvtGen
_E_MIN = 1.7


def _flat_limits(values: Sequence[float]) -> tuple[float, float]:
    """Return the limits of the mass for a flat photon energy."""
    most = (_M_B**2 - _M_K_PI**2) / (2.0 * _M_B)
    low, high = values or (_E_MIN, most)
    ends = sorted(np.sqrt(_M_B**2 - 2.0 * _M_B * e) for e in (low, min(high, most)))
    return float(ends[0]), float(ends[1])


def mass_spectrum(values: Sequence[float]) -> tuple[list[float], list[float]]:
    """Return masses of X_s, GeV, and the density there, linear in between.

    Parameters
    ----------
    values
        Parameters of the decay file.
    """
    kind = int(values[0])
    if kind == _FIXED:
        mass = values[1] if len(values) > 1 else 2.0
        return [mass, mass], [1.0, 1.0]
    if kind == _FLAT:
        low, high = _flat_limits(values[1:])
        return [low, high], [low, high]  # dE = M dM / M_B
    grid = STEP * np.arange(len(SPECTRUM))
    inside = grid[(grid > _LOW) & (grid < _HIGH)]
    masses = [_LOW, *(float(m) for m in inside), _HIGH]
    return masses, [float(v) for v in np.interp(masses, grid, SPECTRUM)]


def btoxsgamma_draw(parameters: Any, masses: Any, stream: Any, momenta: Any) -> int:
    """Draw the mass of X_s, then its direction.

    Parameters are the number of masses, then for each the mass, the density, and the integral of
    the density up to it.
    """
    n = int(carray(parameters, 1)[0])
    table = carray(parameters, 1 + 3 * n)
    m, state = carray(masses, 2), carray(stream, 11)
    p = carray(momenta, (3, 4))
    lowest, parent = m[0], p[0, 3]
    while True:
        wanted = uniform(state) * table[3 * n]
        k = 0
        while k < n - 2 and table[3 * k + 6] < wanted:
            k += 1
        left, right = table[3 * k + 1], table[3 * k + 4]
        f, slope = table[3 * k + 2], 0.0
        if right > left:
            slope = (table[3 * k + 5] - f) / (right - left)
        # f x + slope x^2 / 2 = area
        area = wanted - table[3 * k + 3]
        x = 2.0 * area / (f + np.sqrt(max(f * f + 2.0 * slope * area, 0.0)))
        mass = min(left + x, right)
        if lowest <= mass < parent:
            break
    m[0] = mass
    energy = (parent * parent - mass * mass) / (2.0 * parent)
    x, y, z = unit_vector(state)
    p[2, 0], p[2, 1], p[2, 2], p[2, 3] = energy * x, energy * y, energy * z, energy
    p[1, 0], p[1, 1], p[1, 2] = -energy * x, -energy * y, -energy * z
    p[1, 3] = parent - energy
    return 0


class RadiativeModel(DecayModel):
    """BTOXSGAMMA, whose first parameter says what spectrum it is."""

    def drawn_range(
        self,
        parameters: Parameters,
        parent: ParticleData,  # noqa: ARG002
        daughters: Sequence[ParticleData],  # noqa: ARG002
    ) -> tuple[float, float]:
        """Return the limits of the mass; see `DecayModel.drawn_range`."""
        masses, _ = mass_spectrum([float(v) for v in parameters])
        return masses[0], masses[-1]

    def prepare(
        self,
        parameters: Parameters,
        parent: ParticleData,  # noqa: ARG002
        daughters: Sequence[ParticleData],  # noqa: ARG002
    ) -> tuple[float, ...]:
        """Return the table of `btoxsgamma_draw`."""
        masses, density = mass_spectrum([float(v) for v in parameters])
        x, f = np.array(masses), np.array(density)
        steps = 0.5 * np.diff(x) * (f[1:] + f[:-1])
        if x[-1] == x[0]:
            steps = np.ones(1)  # one mass
        integral = np.concatenate([[0.0], np.cumsum(steps)])
        return (float(len(x)), *(float(v) for v in np.column_stack([x, f, integral]).ravel()))

    def problem(
        self, parameters: Parameters, parent: ParticleData, daughters: Sequence[ParticleData]
    ) -> str | None:
        """Say why this model cannot serve a decay; see `DecayModel.problem`."""
        found = DecayModel.problem(self, parameters, parent, daughters)
        if found is not None:
            return found
        if daughters[1].pdgid != _PHOTON:
            return f"{self.name} needs a photon as second daughter, found {daughters[1].name}"
        values = [float(v) for v in parameters]
        if values[0] not in _N_PARAMETERS:
            return f"{self.name} knows the spectra 2, 3 and 4 here, found {values[0]:g}"
        if len(values) not in _N_PARAMETERS[int(values[0])]:
            allowed = " or ".join(str(n) for n in _N_PARAMETERS[int(values[0])])
            return f"{self.name} {values[0]:g} takes {allowed} parameters, found {len(values)}"
        if values[0] == _FLAT and len(values) > 1 and not 0.0 < values[1] < values[2]:
            return f"{self.name} 4 needs energies 0 < E_min < E_max, found {values[1]} {values[2]}"
        if values[0] == _FIXED and len(values) > 1 and not 0.0 < values[1] < parent.mass:
            return f"{self.name} 3 needs a mass below that of {parent.name}, found {values[1]}"
        return None


BTOXSGAMMA = RadiativeModel(
    name="BTOXSGAMMA",
    amplitude=None,
    reference="A. L. Kagan, M. Neubert, Eur. Phys. J. C 7 (1999) 5, hep-ph/9805303",
    parameters=("spectrum", "mass or E_min", "E_max"),
    n_required=1,
    parent_spin2=_SCALAR,
    draw=btoxsgamma_draw,
)
