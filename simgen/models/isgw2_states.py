"""Form factors of the ISGW2 model as polynomials in w~ - 1, a function a state.

D. Scora, N. Isgur, Phys. Rev. D 52 (1995) 2783, appendix C: for heavy mesons P waves are states of
definite j of the light quark, for light ones (m_q = m_d) of definite total quark spin. Functions
return (f, g, a_+ + a_-, a_+ - a_-) less F_n and the powers of mbar/m~, in that paper's letters:
f_+-, (f, g, a_+-), (r, v, s_+-), u_+-, (l, q, c_+-), (k, h, b_+-).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.polynomial import Polynomial

if TYPE_CHECKING:
    from simgen.models.isgw2_quarks import QuarkContent

Four: TypeAlias = tuple[Polynomial, Polynomial, Polynomial, Polynomial]

_LAMBDA_QCD2 = 0.04  # GeV^2
_FROZEN, _FREEZES_BELOW = 0.6, 0.6  # alpha_s and GeV
_LOW_SCALE = 0.1  # GeV, where r^2 begins to run
_CHARM_SCALE = 1.85
_N_COEFFICIENTS = 3


def alpha_s(mass: float, scale: float) -> float:
    """Return the strong coupling: frozen below 0.6 GeV, three flavours for quarks up to charm."""
    if scale <= _FREEZES_BELOW:
        return _FROZEN
    flavours = 3.0 if mass < _CHARM_SCALE else 4.0
    return 12.0 * math.pi / (33.0 - 2.0 * flavours) / math.log(scale * scale / _LAMBDA_QCD2)


@dataclass(frozen=True)
class _Quarks:
    """A transition with the combinations that its form factors share."""

    c: QuarkContent

    @property
    def mt_b(self) -> float:
        """m~_B."""
        return self.c.m_b + self.c.m_d

    @property
    def mt_x(self) -> float:
        """m~_X."""
        return self.c.m_q + self.c.m_d

    @property
    def mu_plus(self) -> float:
        """mu_+ = 1/(1/m_q + 1/m_b)."""
        return 1.0 / (1.0 / self.c.m_q + 1.0 / self.c.m_b)

    @property
    def mu_minus(self) -> float:
        """mu_- = 1/(1/m_q - 1/m_b)."""
        return 1.0 / (1.0 / self.c.m_q - 1.0 / self.c.m_b)

    @property
    def b2(self) -> float:
        """beta_B^2."""
        return self.c.beta_b**2

    @property
    def x2(self) -> float:
        """beta_X^2."""
        return self.c.beta_x**2

    @property
    def bx2(self) -> float:
        """beta_BX^2, the mean of the two."""
        return 0.5 * (self.b2 + self.x2)

    @property
    def r2(self) -> float:
        """Transition charge radius squared r^2, GeV^-2."""
        c = self.c
        running = math.log(alpha_s(_LOW_SCALE, _LOW_SCALE) / alpha_s(c.m_q, c.m_q))
        masses = c.mbar_b * c.mbar_x
        return (
            3.0 / (4.0 * c.m_b * c.m_q)
            + 3.0 * c.m_d**2 / (2.0 * masses * self.bx2)
            + 16.0 * running / (masses * (33.0 - 2.0 * c.n_f_product))
        )

    # Radiative corrections, eqs. C and appendix A of the paper.

    @property
    def c_ji(self) -> float:
        """Running between the two quarks, C_ji."""
        exponent = -6.0 / (33.0 - 2.0 * self.c.n_f)
        running = alpha_s(self.c.m_b, self.c.m_b) / alpha_s(self.c.m_q, self.c.m_q)
        return math.exp(exponent * math.log(running))

    @property
    def z(self) -> float:
        """Ratio of the quark masses."""
        return self.c.m_q / self.c.m_b

    @property
    def gamma(self) -> float:
        """gamma_ji."""
        return -2.0 - 2.0 * self.z / (1.0 - self.z) * math.log(self.z)

    @property
    def chi(self) -> float:
        """chi_ji."""
        return -1.0 - self.gamma / (1.0 - self.z)

    @property
    def loop(self) -> float:
        """alpha_s/pi at the mean of the two quark masses."""
        return alpha_s(self.c.m_q, math.sqrt(self.c.m_b * self.c.m_q)) / math.pi


_W = Polynomial([1.0, 1.0])  # w~ in powers of w~ - 1
_U = Polynomial([0.0, 1.0])
_ONE = Polynomial([1.0])
_ZERO = Polynomial([0.0])


def _pseudoscalar(s: _Quarks) -> Four:
    """1S0: f_+ and f_-."""
    c = s.c
    common = 1.0 - c.m_d * c.m_q * s.b2 / (2.0 * s.mu_plus * s.mt_x * s.bx2)
    r_sum = s.c_ji * (1.0 + (s.gamma - 2.0 / 3.0 * s.chi) * s.loop)
    r_difference = s.c_ji * (1.0 + (s.gamma + 2.0 / 3.0 * s.chi) * s.loop)
    return (
        _ZERO,
        _ZERO,
        _ONE * (2.0 - s.mt_x / c.m_q * common) * r_sum,
        _ONE * s.mt_b / c.m_q * common * r_difference,
    )


def _vector(s: _Quarks) -> Four:
    """3S1: f, g, and (1 + w~) times a_+ + a_- and a_+ - a_-."""
    c = s.c
    z, gamma, chi = s.z, s.gamma, s.chi
    odd = 4.0 / (3.0 * (1.0 - z)) + 2.0 * (1.0 + z) * gamma / (3.0 * (1.0 - z) ** 2)
    beta_sum = -1.0 - chi + odd
    beta_difference = 1.0 / 3.0 - chi - odd + gamma
    size = s.x2 / s.bx2
    bent = c.m_d * size * (1.0 - c.m_d * size / (2.0 * s.mt_b)) / (c.m_q * c.m_b)
    f = c.c_f * s.mt_b * (_ONE + _W + c.m_d * _U / (2.0 * s.mu_plus))
    g = 0.5 * (1.0 / c.m_q - c.m_d * s.b2 / (2.0 * s.mu_minus * s.mt_x * s.bx2))
    a_sum = s.c_ji * (bent - (_ONE + _W) * beta_sum * s.loop / s.mt_b)
    a_difference = (_ONE + _W) * (s.mt_b / c.m_b - c.m_d * size / (2.0 * s.mu_plus))
    a_difference = -(a_difference + _W * bent * s.mt_b) / s.mt_x
    return (
        f * s.c_ji * (1.0 + (gamma - 2.0 / 3.0) * s.loop),
        _ONE * g * s.c_ji * (1.0 + (gamma + 2.0 / 3.0) * s.loop),
        a_sum,
        a_difference * s.c_ji * (1.0 + beta_difference * s.loop),
    )


def _excited_pseudoscalar(s: _Quarks) -> Four:
    """21S0: f_+' and f_-'."""
    c = s.c
    tau, u = _radial(s)
    v = s.b2 / (6.0 * s.bx2) * (1.0 + c.m_q / c.m_b) * (7.0 - s.b2 / s.bx2 * (5.0 + tau))
    root = math.sqrt(1.5)
    return (
        _ZERO,
        _ZERO,
        root * ((1.0 - c.m_d / c.m_q) * u - c.m_d / c.m_q * v),
        root * s.mt_b / c.m_q * (u + c.m_d / s.mt_x * v),
    )


def _excited_vector(s: _Quarks) -> Four:
    """23S1: f', g' and a_+-'."""
    c = s.c
    tau, u = _radial(s)
    size, x, b = s.b2 / s.bx2, s.x2 / s.bx2, c.m_d / s.mt_b
    spin = c.m_d / (s.mu_minus * s.mt_x)
    g = (1.0 / c.m_q - spin * size / 2.0) * u + spin * size * x / 3.0
    a_sum = (
        -7.0 / 8.0 * b * x * x * (1.0 + tau / 7.0)
        + 5.0 / 4.0 * x * (1.0 + tau / 5.0)
        + 3.0 / 8.0 * b * x * x / size
        - 3.0 / 4.0 * x / size
    )
    a_difference = (
        1.0
        - size * (1.0 + tau / 7.0)
        - b * x / 2.0 * (1.0 - 5.0 / 3.0 * size * (1.0 + tau / 5.0))
        - 7.0 / 12.0 * b * c.m_d / c.m_q * size * x * (1.0 - x + size * tau / 7.0)
    )
    return (
        c.c_f * math.sqrt(1.5) * s.mt_b * (1.0 + _W) * u,
        math.sqrt(3.0 / 8.0) * g,
        math.sqrt(2.0 / 3.0) * size * c.m_d / (c.m_q * c.m_b) * a_sum,
        math.sqrt(1.5) * s.mt_b / (c.m_b * s.mt_x) * a_difference,
    )


def _radial(s: _Quarks) -> tuple[Polynomial, Polynomial]:
    """Return tau and U of the radial excitations."""
    tau = s.c.m_d**2 * s.x2 / (s.b2 * s.bx2) * _U
    return tau, (s.b2 - s.x2) / (2.0 * s.bx2) + s.b2 / (3.0 * s.bx2) * tau


def _axial_singlet(s: _Quarks) -> Four:
    """1P1: r, v and s_+-, for light mesons the quark spin singlet, for heavy ones j = 3/2."""
    c = s.c
    b, m_d = c.beta_b, c.m_d
    if c.m_q == m_d:
        r = (
            s.mt_b
            * b
            / math.sqrt(2.0)
            * (1.0 / s.mu_plus + m_d * s.mt_x / (3.0 * c.m_q * s.b2) * _U**2)
        )
        v = (
            s.mt_b * b / (4.0 * math.sqrt(2.0) * c.m_b * c.m_q * s.mt_x)
            + m_d / (6.0 * math.sqrt(2.0) * b * s.mt_x) * _U
        )
        s_sum = 1.0 - m_d / c.m_q + m_d * s.b2 / (2.0 * s.mu_plus * s.bx2)
        s_difference = (4.0 - _W) / 3.0 - m_d * c.m_q * s.b2 / (2.0 * s.mt_x * s.mu_plus * s.bx2)
        norm = m_d / (math.sqrt(2.0) * b)
        return r, v, _ONE * norm / s.mt_b * s_sum, norm / c.m_q * s_difference
    mixed = m_d * s.b2 / s.bx2 * (1.0 / (2.0 * s.mu_minus) - 1.0 / s.mu_plus)
    spin = (1.0 + _W) / (2.0 * c.m_q) - m_d * s.b2 / (2.0 * s.mu_minus * s.mt_x * s.bx2)
    r = 1.0 / c.m_q + s.mt_x * m_d / (2.0 * s.b2) * _U * spin
    v = (1.0 + _W) / 2.0 + s.b2 * s.mt_b / (2.0 * m_d * c.m_q * c.m_b)
    norm = -m_d / (2.0 * math.sqrt(3.0) * b)
    return (
        -2.0 * s.mt_b * b / math.sqrt(3.0) * r,
        norm / s.mt_x * v,
        _ONE * 3.0 * norm / s.mt_b * (1.0 - m_d / (3.0 * c.m_q) - mixed / 3.0),
        norm / s.mt_x * ((2.0 - _W) * s.mt_x / c.m_q + mixed),
    )


def _axial_triplet(s: _Quarks) -> Four:
    """3P1: l, q and c_+-, for light mesons the quark spin triplet, for heavy ones j = 1/2."""
    c = s.c
    b, m_d = c.beta_b, c.m_d
    spin = m_d * s.b2 / (2.0 * s.mu_minus * s.mt_x * s.bx2)
    if c.m_q == m_d:
        fifth = (5.0 + _W) / 6.0
        ell = 1.0 / s.mu_minus + m_d * s.mt_x / s.b2 * _U * (fifth / c.m_q - spin)
        norm = m_d * s.mt_x / (2.0 * c.m_q * b)
        return (
            -s.mt_b * b * ell,
            -m_d / (2.0 * s.mt_x * b) * fifth,
            -_ONE * norm / s.mt_b * (1.0 - c.m_q * spin),
            norm / s.mt_x * ((2.0 + _W) / 3.0 - c.m_q * spin),
        )
    at_rest = 1.0 / (2.0 * c.m_q) - 3.0 / (2.0 * c.m_b)
    ell = at_rest + m_d * s.mt_x / s.b2 * _U * (1.0 / c.m_q - spin)
    size = s.x2 / s.bx2
    root = math.sqrt(6.0)
    return (
        math.sqrt(2.0 / 3.0) * s.mt_b * b * ell,
        _ONE * m_d / (root * b * s.mt_x) * (1.0 - s.b2 * s.mt_b / (4.0 * m_d * c.m_q * c.m_b)),
        _ONE * m_d**2 * size / (root * s.mt_b * c.m_q * b),
        -_ONE * 2.0 * m_d / (root * b * s.mt_x) * (1.0 + m_d * size / (2.0 * c.m_q)),
    )


def _scalar(s: _Quarks) -> Four:
    """3P0: u_+ and u_-."""
    size = math.sqrt(2.0 / 3.0) * s.c.m_d / s.c.beta_b
    return _ZERO, _ZERO, -_ONE * size, _ONE * size * s.mt_b / s.mt_x


def _tensor(s: _Quarks) -> Four:
    """3P2: k, h and b_+-."""
    c = s.c
    b, m_d, size = c.beta_b, c.m_d, s.x2 / s.bx2
    bent = 1.0 - m_d * size / (2.0 * s.mt_b)
    norm = m_d / (math.sqrt(2.0) * b)
    h = 1.0 / c.m_q - m_d * s.b2 / (2.0 * s.mu_minus * s.mt_x * s.bx2)
    b_difference = 1.0 - m_d * c.m_b * size / (2.0 * s.mu_plus * s.mt_b)
    b_difference += m_d * size * bent / (4.0 * c.m_q)
    return (
        norm * (1.0 + _W),
        _ONE * norm / (2.0 * s.mt_b) * h,
        _ONE * norm * m_d * size / (4.0 * c.m_q * c.m_b * s.mt_b) * bent,
        -_ONE * norm / (c.m_b * s.mt_x) * b_difference,
    )


# By state: function, n and k of F_n, and the powers of mbar_B/m~_B that go with f, g, the sum and
# the difference; mbar_X/m~_X has +1/2 with f and the sum, -1/2 with g and the difference.
_STATES = {
    "1S0": (_pseudoscalar, 3, 2, (0.0, 0.0, -0.5, 0.5)),
    "3S1": (_vector, 3, 2, (0.5, -0.5, -1.5, -0.5)),
    "21S0": (_excited_pseudoscalar, 3, 4, (0.0, 0.0, -0.5, 0.5)),
    "23S1": (_excited_vector, 3, 4, (0.5, -0.5, -1.5, -0.5)),
    "1P1": (_axial_singlet, 5, 3, (0.5, -0.5, -1.5, -0.5)),
    "3P1": (_axial_triplet, 5, 3, (0.5, -0.5, -1.5, -0.5)),
    "3P0": (_scalar, 5, 3, (0.0, 0.0, -0.5, 0.5)),
    "3P2": (_tensor, 5, 3, (-0.5, -1.5, -2.5, -1.5)),
}
_POWERS_OF_X = (0.5, -0.5, 0.5, -0.5)
_DIVIDED = "3S1"


def form_factor_coefficients(content: QuarkContent) -> tuple[float, ...]:
    """Return what the amplitude needs of a transition: 16 numbers, see `simgen.models.isgw2`."""
    s = _Quarks(content)
    function, n, k, powers = _STATES[content.state]
    overlap = content.beta_b * content.beta_x / s.bx2
    norm = math.sqrt(s.mt_x / s.mt_b) * overlap ** (n / 2.0)
    parent, meson = content.mbar_b / s.mt_b, content.mbar_x / s.mt_x
    f, g, total, difference = (
        factor * norm * parent**b * meson**x
        for factor, b, x in zip(function(s), powers, _POWERS_OF_X, strict=True)
    )
    rows = np.zeros((4, _N_COEFFICIENTS))
    for row, polynomial in zip(
        rows, (f, g, (total + difference) / 2.0, (total - difference) / 2.0), strict=True
    ):
        row[: len(polynomial.coef)] = polynomial.coef
    return (
        1.0 / (2.0 * content.mbar_b * content.mbar_x),
        s.r2 / (6.0 * k),
        float(k),
        1.0 if content.state == _DIVIDED else 0.0,
        *(float(value) for value in rows.ravel()),
    )
