r"""Three-body decays of scalars as a sum over resonances in pairs (the isobar model).

With A and B the daughters of a resonance R, C the third particle and D the decaying one, a term is

    c f_R f_D Z_L / (m_R^2 - m_AB^2 - i m_R Gamma(m_AB)),
    Gamma(m) = Gamma_R (p / p_R)^(2 L + 1) (m_R / m) f_R^2,

as in S. Kopp et al. (CLEO), Phys. Rev. D 63 (2001) 092001, hep-ex/0011065: p is the momentum of A
in the rest frame of the pair, f_R and f_D are Blatt-Weisskopf factors of the two vertices, each
relative to its value at m_R, and Z_L is the product of the spin tensors (C. Zemach, Phys. Rev. 140
(1965) B97),

    Z_0 = 1,  Z_1 = m_AC^2 - m_BC^2 + (m_D^2 - m_C^2)(m_B^2 - m_A^2) / m^2,
    Z_2 = Z_1^2 - (m_AB^2 - 2 m_D^2 - 2 m_C^2 + (m_D^2 - m_C^2)^2 / m^2)
                  (m_AB^2 - 2 m_A^2 - 2 m_B^2 + (m_A^2 - m_B^2)^2 / m^2) / 3,

with m either m_AB, which makes R transverse, or m_R. Some analyses use a non-relativistic
Breit-Wigner, c sqrt(Gamma / 2 pi) P_L(cos(theta)) / (m_AB - m_R - i Gamma / 2), and a resonance
close to the threshold of a second channel the form of S. Flatte, Phys. Lett. B 63 (1976) 224,

    c / (m_R^2 - m_AB^2 - i sum_k g_k^2 rho_k),  rho_k = sqrt(1 - 4 m_k^2 / m_AB^2),

continued below the threshold of channel k.
"""

from __future__ import annotations

import cmath
from dataclasses import dataclass
from math import radians
from typing import TYPE_CHECKING, Any

import numpy as np
from numba import carray

from simgen.jit import kernel

if TYPE_CHECKING:
    from collections.abc import Sequence

BREIT_WIGNER, NONRELATIVISTIC, FLATTE = 0, 1, 2
TRANSVERSE, POLE = 0, 1
"""What stands for m in Z_L: the mass of the pair, or that of the resonance."""

_HEAD, _ROW = 6, 15


@dataclass(frozen=True, slots=True)
class Isobar:
    """One resonance of one pair.

    Attributes
    ----------
    pair
        Which two of the three daughters, 1 to 3: A and B in this order.
    magnitude, phase
        Of its coefficient c; the phase in degrees.
    mass, width
        GeV; for `FLATTE` the width is not used.
    spin
        0, 1 or 2.
    angular
        `TRANSVERSE` or `POLE`.
    kind
        `BREIT_WIGNER`, `NONRELATIVISTIC` or `FLATTE`.
    radius, parent_radius
        Radii of the Blatt-Weisskopf factors f_R and f_D, 1/GeV; 0 leaves a factor out.
    couplings
        For `FLATTE`: (m_k, g_k) of the two channels, GeV.
    """

    pair: tuple[int, int]
    magnitude: float
    phase: float
    mass: float
    width: float
    spin: int
    angular: int = TRANSVERSE
    kind: int = BREIT_WIGNER
    radius: float = 1.5
    parent_radius: float = 5.0
    couplings: tuple[tuple[float, float], tuple[float, float]] = ((0.0, 0.0), (0.0, 0.0))

    def numbers(self) -> tuple[float, ...]:
        """Return the row of `pack`."""
        c = cmath.rect(self.magnitude, radians(self.phase))
        (m_1, g_1), (m_2, g_2) = self.couplings
        return (
            self.kind, *self.pair, c.real, c.imag, self.mass, self.width, self.spin, self.angular,
            self.radius, self.parent_radius, m_1, g_1, m_2, g_2,
        )  # fmt: skip


def pack(
    order: tuple[int, int, int], constant: complex, isobars: Sequence[Isobar]
) -> tuple[float, ...]:
    """Return the parameters of `isobar_amplitude`.

    Parameters
    ----------
    order
        Positions, 1 to 3, of particles 1, 2, 3 of the isobars among the daughters of the decay.
    constant
        The part without any resonance.
    isobars
        The resonances.
    """
    rows = [number for isobar in isobars for number in isobar.numbers()]
    head = (*order, constant.real, constant.imag, len(isobars))
    return tuple(float(number) for number in (*head, *rows))


@kernel
def _momentum_squared(s: float, a: float, b: float) -> float:
    """Return the squared momentum of two particles of squared masses a, b and pair mass s."""
    return ((s - a - b) ** 2 - 4.0 * a * b) / (4.0 * s)


@kernel
def _barrier(spin: int, z: float) -> float:
    """Return the denominator of the squared Blatt-Weisskopf factor, z = (p radius)^2."""
    if spin == 0:
        return 1.0
    if spin == 1:
        return 1.0 + z
    return 9.0 + 3.0 * z + z * z


@kernel
def _term(
    row: Any, s: float, s_ac: float, s_bc: float, a: float, b: float, c: float, d: float
) -> complex:
    """Return the amplitude of one isobar; all arguments after `row` are squared masses."""
    kind, spin = int(row[0]), int(row[7])
    m_r, width = row[5], row[6]
    coefficient = complex(row[3], row[4])
    if kind == FLATTE:
        denominator = complex(m_r * m_r - s, 0.0)
        for k in range(2):
            phase_space = np.sqrt(complex(1.0 - 4.0 * row[11 + 2 * k] ** 2 / s, 0.0))
            denominator -= 1j * row[12 + 2 * k] ** 2 * phase_space
        return complex(coefficient / denominator)
    pole = m_r * m_r
    scale = s if kind == NONRELATIVISTIC or row[8] == TRANSVERSE else pole
    z_1 = s_ac - s_bc + (d - c) * (b - a) / scale
    p = _momentum_squared(s, a, b)
    if kind == NONRELATIVISTIC:
        # Z_1 = 4 p q cos(theta), q the momentum of C in the rest frame of the pair
        m = np.sqrt(s)
        angle = 1.0
        if spin > 0:
            q = _momentum_squared(d, s, c) * d / s
            cosine = z_1 / (4.0 * np.sqrt(max(p * q, 1e-300)))
            angle = cosine if spin == 1 else 1.5 * cosine * cosine - 0.5
        factor = np.sqrt(width / (2.0 * np.pi)) * angle
        return complex(coefficient * factor / complex(m - m_r, -0.5 * width))
    p_r = _momentum_squared(pole, a, b)
    in_parent = max(_momentum_squared(d, s, c), 0.0)
    at_pole = max(_momentum_squared(d, pole, c), 0.0)
    inner, outer = row[9] ** 2, row[10] ** 2
    f_r = _barrier(spin, inner * p_r) / _barrier(spin, inner * p)
    f_d = _barrier(spin, outer * at_pole) / _barrier(spin, outer * in_parent)
    ratio = max(p, 0.0) / p_r
    running = width * np.sqrt(ratio) * ratio**spin * f_r * np.sqrt(pole / s)
    z = 1.0
    if spin == 1:
        z = z_1
    elif spin == 2:
        parent = s - 2.0 * d - 2.0 * c + (d - c) ** 2 / scale
        daughters = s - 2.0 * a - 2.0 * b + (a - b) ** 2 / scale
        z = z_1 * z_1 - parent * daughters / 3.0
    return complex(coefficient * np.sqrt(f_r * f_d) * z / complex(pole - s, -m_r * running))


@kernel
def _pair_mass(p: Any, i: int, j: int) -> float:
    """Return the squared mass of two particles."""
    x, y, z = p[i, 0] + p[j, 0], p[i, 1] + p[j, 1], p[i, 2] + p[j, 2]
    e = p[i, 3] + p[j, 3]
    return float(e * e - x * x - y * y - z * z)


def isobar_amplitude(parameters: Any, pdgids: Any, momenta: Any, out: Any) -> None:  # noqa: ARG001
    """Sum the constant and all isobars of `pack`; see the module's docstring."""
    p = carray(momenta, (4, 4))
    head = carray(parameters, _HEAD)
    n = int(head[5])
    rows = carray(parameters, _HEAD + _ROW * n)
    place = (int(head[0]), int(head[1]), int(head[2]))
    total = complex(head[3], head[4])
    for r in range(n):
        row = rows[_HEAD + _ROW * r : _HEAD + _ROW * (r + 1)]
        first, second = int(row[1]), int(row[2])
        i, j = place[first - 1], place[second - 1]
        k = place[5 - first - second]
        total += _term(
            row,
            _pair_mass(p, i, j),
            _pair_mass(p, i, k),
            _pair_mass(p, j, k),
            0.25 * _pair_mass(p, i, i),
            0.25 * _pair_mass(p, j, j),
            0.25 * _pair_mass(p, k, k),
            p[0, 3] * p[0, 3],
        )
    carray(out, 1)[0] = total
