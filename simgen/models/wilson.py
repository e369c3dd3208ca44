"""Effective Wilson coefficients of b -> s l l and b -> d l l in the standard model.

A. Ali, E. Lunghi, C. Greub, G. Hiller, Phys. Rev. D 66 (2002) 034002, hep-ph/0112300 (table 1 and
eqs. 9-13), with the two-loop functions of H. H. Asatryan, H. M. Asatrian, C. Greub, M. Walker,
Phys. Rev. D 65 (2002) 074004, hep-ph/0109140, expanded in s = q^2/m_b^2, m_b = 4.8 GeV, and
m_c/m_b = 0.29. Up to s = 0.25 next-to-next-to-leading order at the scale 5 GeV, above leading
order at 2.5 GeV, where that expansion does not hold. For b -> d the part of u quarks in the loop is
added (F. Krueger, L. M. Sehgal, Phys. Rev. D 55 (1997) 2799, hep-ph/9608361).
"""

from __future__ import annotations

import numpy as np

from simgen.jit import kernel

M_B_QUARK = 4.8
_CHARM = 0.29
EXPANSION_ENDS = 0.25
"""Highest s of the expansion in s."""
_PI2 = np.pi**2
_LOG_MU = np.log(5.0 / M_B_QUARK)
SCALES = (5.0, 2.5)
ALPHA_S = (0.215, 0.267)
"""Scale, GeV, and alpha_s there, below and above `EXPANSION_ENDS`."""
_ALPHA_S = ALPHA_S[0] / (4.0 * np.pi)

# At 5 GeV and 2.5 GeV: A_7, A_9, A_10, T_9, U_9, W_9, C_1, C_2, A_8.
_A7 = (-0.312 + 0.008, -0.353 + 0.023)
_A9 = (4.174 - 0.035, 4.287 - 0.218)
_A10 = -4.592 + 0.379
_T9 = (0.374 + 0.252, 0.114 + 0.280)
_U9, _W9 = (0.033 + 0.015, 0.045 + 0.023), (0.032 + 0.012, 0.044 + 0.016)
_C1, _C2, _A8 = (-0.487, -0.697), (1.024, 1.046), -0.148

# Coefficients k of hep-ph/0109140, table 1: powers of s, without and with log(s).
_F7 = (
    (-0.68192 - 0.074998j, 0.0j),
    (-0.23935 - 0.12289j, 0.0027424 + 0.019676j),
    (-0.0018555 - 0.175j, 0.022864 + 0.011456j),
    (0.28248 - 0.12783j, 0.029027 - 0.0082265j),
)
_F91 = (
    (-11.973 + 0.16371j, -0.081271 - 0.059691j),
    (-28.432 - 0.25044j, -0.040243 + 0.016442j),
    (-57.114 - 0.86486j, -0.035191 + 0.027909j),
    (-128.80 - 2.5243j, -0.017587 + 0.050639j),
)
_F92 = (
    (6.6338 - 0.98225j, 0.48763 + 0.35815j),
    (3.3585 + 1.5026j, 0.24146 - 0.098649j),
    (-1.1906 + 5.1892j, 0.21115 - 0.16745j),
    (-17.120 + 15.146j, 0.10552 - 0.30383j),
)
# V_ub V_ud* / (V_tb V_td*), Wolfenstein rho = 0.159, eta = 0.348 (PDG)
CKM_D = (0.159 - 0.348j) / (1.0 - 0.159 + 0.348j)


@kernel
def _series(k: tuple[tuple[complex, complex], ...], s: float, log: float) -> complex:
    """Return the sum of (k_n0 + k_n1 log(s)) s^n."""
    total = 0.0j
    power = 1.0
    for plain, with_log in k:
        total += power * (plain + with_log * log)
        power *= s
    return total


@kernel
def quark_loop(z: float, s: float) -> complex:
    """Return h of a quark with z = m^2/m_b^2, eq. 10 of hep-ph/0112300; 0 for a massless one."""
    if z == 0.0:
        return complex(8.0 / 27.0 - 4.0 / 9.0 * np.log(s), 4.0 / 9.0 * np.pi)
    x = 4.0 * z / s
    value = -4.0 / 9.0 * np.log(z) + 8.0 / 27.0 + 4.0 / 9.0 * x
    if x < 1.0:
        root = np.sqrt(1.0 - x)
        cut = complex(np.log((1.0 + root) / (1.0 - root)), -np.pi)
    else:
        root = np.sqrt(x - 1.0)
        cut = complex(2.0 * np.arctan(1.0 / max(root, 1e-12)), 0.0)
    return complex(value - 2.0 / 9.0 * (2.0 + x) * root * cut)


@kernel
def wilson_coefficients(q2: float, ckm: complex) -> tuple[complex, complex, float]:
    """Return C_7, C_9 and C_10, effective, at q^2 in GeV^2.

    Parameters
    ----------
    q2
        Mass squared of the lepton pair, GeV^2, above zero.
    ckm
        V_ub V_uq* / (V_tb V_tq*) of the decay, 0 for b -> s.
    """
    c7, more7, c9, more9, c10 = coefficient_parts(q2 / M_B_QUARK**2, ckm)
    return c7 + more7, c9 + more9, c10


@kernel
def coefficient_parts(s: float, ckm: complex) -> tuple[complex, complex, complex, complex, float]:
    """Return leading part and two-loop part of C_7, those of C_9, and C_10.

    Parameters
    ----------
    s
        q^2/m_b^2, above zero.
    ckm
        As for `wilson_coefficients`.
    """
    i = 1 if s > EXPANSION_ENDS else 0
    charm, light = quark_loop(_CHARM**2, s), quark_loop(0.0, s)
    c9 = _A9[i] + _T9[i] * charm + _U9[i] * quark_loop(1.0, s) + _W9[i] * light
    c9 += ckm * (4.0 / 3.0 * _C1[i] + _C2[i]) * (charm - light)
    more7, more9 = 0.0j, 0.0j
    if i == 0:
        log = np.log(s)
        f71 = -208.0 / 243.0 * _LOG_MU + _series(_F7, s, log)
        f72 = 416.0 / 81.0 * _LOG_MU - 6.0 * _series(_F7, s, log)
        more7 -= _ALPHA_S * (_C1[0] * f71 + _C2[0] * f72 + _A8 * _f78(s, log))
        f91, f92 = _f9(s, log)
        more9 -= _ALPHA_S * (_C1[0] * f91 + _C2[0] * f92 + _A8 * _f98(s, log))
    return _A7[i] + 0.0j, more7, c9, more9, _A10


@kernel
def _f78(s: float, log: float) -> complex:
    """Return F_8^(7)."""
    real = (
        -32.0 / 9.0 * _LOG_MU
        + 8.0 / 27.0 * _PI2
        - 44.0 / 9.0
        + s * (4.0 / 3.0 * _PI2 - 40.0 / 3.0)
        + s * s * (32.0 / 9.0 * _PI2 - 316.0 / 9.0)
        + s**3 * (200.0 / 27.0 * _PI2 - 658.0 / 9.0)
        - 8.0 / 9.0 * log * (s + s * s + s**3)
    )
    return complex(real, -8.0 / 9.0 * np.pi)


@kernel
def _f98(s: float, log: float) -> float:
    """Return F_8^(9)."""
    return (
        104.0 / 9.0
        - 32.0 / 27.0 * _PI2
        + s * (1184.0 / 27.0 - 40.0 / 9.0 * _PI2)
        + s * s * (14212.0 / 135.0 - 32.0 / 3.0 * _PI2)
        + s**3 * (193444.0 / 945.0 - 560.0 / 27.0 * _PI2)
        + 16.0 / 9.0 * log * (1.0 + s + s * s + s**3)
    )


@kernel
def _f9(s: float, log: float) -> tuple[complex, complex]:
    """Return F_1^(9) and F_2^(9)."""
    c2 = 1.0 / _CHARM**2
    charm = np.log(_CHARM)
    one = -1424.0 / 729.0 + 16.0j / 243.0 * np.pi + 64.0 / 27.0 * charm - 16.0 / 243.0 * log
    one += s * (16.0 / 1215.0 - 32.0 / 135.0 * c2)
    one += s * s * (4.0 / 2835.0 - 8.0 / 315.0 * c2 * c2)
    one += s**3 * (16.0 / 76545.0 - 32.0 / 8505.0 * c2**3) - 256.0 / 243.0 * _LOG_MU
    two = 256.0 / 243.0 - 32.0j / 81.0 * np.pi - 128.0 / 9.0 * charm + 32.0 / 81.0 * log
    two += s * (-32.0 / 405.0 + 64.0 / 45.0 * c2)
    two += s * s * (-8.0 / 945.0 + 16.0 / 105.0 * c2 * c2)
    two += s**3 * (-32.0 / 25515.0 + 64.0 / 2835.0 * c2**3) + 512.0 / 81.0 * _LOG_MU
    return one * _LOG_MU + _series(_F91, s, log), two * _LOG_MU + _series(_F92, s, log)
