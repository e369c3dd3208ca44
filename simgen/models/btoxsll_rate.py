r"""b -> s l l of free quarks: rate in q^2 and the angle of the leptons, all masses kept.

With C_7, C_9, C_10 of `simgen.models.wilson` the amplitude is (A. Ali, G. Hiller, L. T. Handoko,
T. Morozumi, Phys. Rev. D 55 (1997) 4105, hep-ph/9609449)

    C_9 (s gamma_mu P_L b)(l gamma^mu l) + C_10 (s gamma_mu P_L b)(l gamma^mu gamma_5 l)
    - 2 C_7 / q^2 (s i sigma_mu,nu q^nu (m_b P_R + m_s P_L) b)(l gamma^mu l).

The rate is a sum over helicities of the virtual boson and the s quark; for m_s = 0 and massless
leptons, s = q^2/m_b^2,

    dGamma/ds ~ (1 - s)^2 [(1 + 2 s)(|C_9|^2 + |C_10|^2) + 4 (1 + 2/s)|C_7|^2 + 12 Re(C_7 C_9^*)].

Soft gluons are in factors of this rate (A. Ali, E. Lunghi, C. Greub, G. Hiller, Phys. Rev. D 66
(2002) 034002, hep-ph/0112300; H. H. Asatryan, H. M. Asatrian, C. Greub, M. Walker,
Phys. Rev. D 65 (2002) 074004, hep-ph/0109140): the parts of C_9 and C_10 without two-loop
functions times 1 + omega_9 alpha_s/pi, that of C_7 times 1 + omega_7 alpha_s/pi, and in
Re(C_7 C_9^*) both times 1 + omega_79 alpha_s/pi. At given q^2 they change no angle.
"""

from __future__ import annotations

import numpy as np

from simgen.jit import kernel
from simgen.models.wilson import (
    ALPHA_S,
    EXPANSION_ENDS,
    M_B_QUARK,
    SCALES,
    coefficient_parts,
)

_PI2 = np.pi**2
# Where (1 - s)^2 makes the rate negligible, but a difference of poles in omega loses digits.
_MOST_S = 1.0 - 1e-3


@kernel
def _dilogarithm(x: float) -> float:
    """Return Li_2(x), 0 <= x < 1; Li_2(x) + Li_2(1 - x) = pi^2/6 - ln(x) ln(1 - x)."""
    y = min(x, 1.0 - x)
    total, power = 0.0, 1.0
    for n in range(1, 60):
        power *= y
        total += power / (n * n)
    if x > 0.5:
        return float(_PI2 / 6.0 - np.log(x) * np.log(1.0 - x) - total)
    return total


@kernel
def gluon_corrections(s: float, log_scale: float) -> tuple[float, float, float]:
    """Return omega_7, omega_79 and omega_9.

    Parameters
    ----------
    s
        q^2/m_b^2, between 0 and 1.
    log_scale
        log(mu/m_b).
    """
    s = min(s, _MOST_S)
    log, rest = np.log(s), np.log(1.0 - s)
    common = -4.0 / 3.0 * _dilogarithm(s) - 2.0 / 9.0 * _PI2 - 2.0 / 3.0 * log * rest
    r, r2 = 1.0 - s, (1.0 - s) * (1.0 - s)
    seven = common - 8.0 / 3.0 * log_scale - (8.0 + s) / (3.0 * (2.0 + s)) * rest
    seven -= 2.0 * s * (2.0 - 2.0 * s - s * s) / (3.0 * r2 * (2.0 + s)) * log
    seven -= (16.0 - 11.0 * s - 17.0 * s * s) / (18.0 * (2.0 + s) * r)
    mixed = common - 4.0 / 3.0 * log_scale - (2.0 + 7.0 * s) / (9.0 * s) * rest
    mixed += -2.0 * s * (3.0 - 2.0 * s) / (9.0 * r2) * log + (5.0 - 9.0 * s) / (18.0 * r)
    w = 1.0 + 2.0 * s
    nine = common - (5.0 + 4.0 * s) / (3.0 * w) * rest
    nine -= 2.0 * s * (1.0 + s) * (1.0 - 2.0 * s) / (3.0 * r2 * w) * log
    nine += (5.0 + 9.0 * s - 6.0 * s * s) / (6.0 * r * w)
    return seven, mixed, nine


@kernel
def _massless_rate(s: float, c7: complex, c9: complex, c10: float, both: float) -> float:
    """Return the rate of the module's docstring without (1 - s)^2; `both` is Re(C_7 C_9^*)."""
    vector = c9.real**2 + c9.imag**2 + c10 * c10
    dipole = c7.real**2 + c7.imag**2
    return (1.0 + 2.0 * s) * vector + 4.0 * (1.0 + 2.0 / s) * dipole + 12.0 * both


@kernel
def angular_rate(
    m_b: float, m_s: float, m_l: float, q2: float, coefficients: tuple[complex, complex, float]
) -> tuple[float, float, float]:
    r"""Return a, b, c of dGamma/dq^2 dz ~ a + b z + c z^2, without corrections of soft gluons.

    z is the cosine of the l- and the pair's direction in the rest frame of the pair, seen from
    the b quark: of the l- and minus the s quark. For an anti-b quark the l+ takes its place.

    Parameters
    ----------
    m_b, m_s, m_l
        Masses, GeV.
    q2
        GeV^2, between 4 m_l^2 and (m_b - m_s)^2.
    coefficients
        C_7, C_9, C_10.
    """
    c7, c9, c10 = coefficients
    energy = (m_b * m_b + m_s * m_s - q2) / (2.0 * m_b)
    p = np.sqrt(max(energy * energy - m_s * m_s, 0.0))
    q0, root = m_b - energy, np.sqrt(q2)
    high, low = np.sqrt(energy + p), np.sqrt(max(energy - p, 0.0))  # helicity -1/2 and 1/2 of s
    above, below = q0 + p, q2 / (q0 + p)  # q0 - p
    dipole, strange = 2.0 * c7 * m_b / q2, 2.0 * c7 * m_s / q2
    beta = np.sqrt(max(1.0 - 4.0 * m_l * m_l / q2, 0.0))
    # V and A of helicity -1, 1, and 0 with either helicity of s
    v_minus = np.sqrt(2.0) * (high * (c9 + dipole * above) - low * strange * below)
    a_minus = np.sqrt(2.0) * high * c10
    v_plus = -np.sqrt(2.0) * (low * (c9 + dipole * below) - high * strange * above)
    a_plus = -np.sqrt(2.0) * low * c10
    v_zero = (high * above * (c9 + dipole * below) - low * strange * q2) / root
    v_flip = (-low * below * (c9 + dipole * above) + high * strange * q2) / root
    a_zero, a_flip = high * above * c10 / root, -low * below * c10 / root
    left = abs(v_minus - beta * a_minus) ** 2 + abs(v_plus + beta * a_plus) ** 2
    right = abs(v_minus + beta * a_minus) ** 2 + abs(v_plus - beta * a_plus) ** 2
    v_long = abs(v_zero) ** 2 + abs(v_flip) ** 2
    a_long = a_zero**2 + a_flip**2
    v_side = abs(v_minus) ** 2 + abs(v_plus) ** 2
    along = 2.0 * q2 * (v_long + beta * beta * a_long)
    flip = 8.0 * m_l * m_l
    a = 0.5 * q2 * (left + right) + along + flip * (0.5 * v_side + a_long)
    b = q2 * (left - right)
    c = 0.5 * q2 * (left + right) - along + flip * (v_long - 0.5 * v_side)
    phase_space = p * beta / m_b
    return phase_space * a, phase_space * b, phase_space * c


@kernel
def corrected_rate(
    m_b: float, m_s: float, m_l: float, q2: float, m_scale: float
) -> tuple[float, float, float]:
    """Return a, b, c of `angular_rate` with coefficients and soft gluons.

    Parameters
    ----------
    m_b, m_s, m_l, q2
        As for `angular_rate`.
    m_scale
        Mass of the b quark in the coefficients, GeV: they are functions of q^2 over its square.
    """
    c7, more7, c9, more9, c10 = coefficient_parts(q2 / (m_scale * m_scale), 0.0j)
    i = 1 if q2 > EXPANSION_ENDS * m_scale * m_scale else 0
    s = q2 / (m_b * m_b)
    seven, mixed, nine = gluon_corrections(s, np.log(SCALES[i] / M_B_QUARK))
    unit = ALPHA_S[i] / np.pi
    k7, k79, k9 = 1.0 + unit * seven, 1.0 + unit * mixed, 1.0 + unit * nine
    full7, full9 = c7 + more7, c9 + more9
    plain = _massless_rate(s, full7, full9, c10, (full7 * full9.conjugate()).real)
    both = ((k79 * c7 + more7) * (k79 * c9 + more9).conjugate()).real
    corrected = _massless_rate(s, k7 * c7 + more7, k9 * c9 + more9, k9 * c10, both)
    a, b, c = angular_rate(m_b, m_s, m_l, q2, (full7, full9, c10))
    ratio = corrected / plain
    return ratio * a, ratio * b, ratio * c
