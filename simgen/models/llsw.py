"""LLSW: B -> D** l nu with the form factors of Leibovich, Ligeti, Stewart and Wise.

A. K. Leibovich, Z. Ligeti, I. W. Stewart, M. B. Wise, Phys. Rev. D 57 (1998) 308, hep-ph/9705467,
sect. II and III, with corrections of order 1/m_c and 1/m_b (approximation B: kinetic and
chromomagnetic terms left out). The narrow states D_1, D_2* (j = 3/2) have the leading form factor
tau(w), the broad ones D_0*, D_1' (j = 1/2) zeta(w):

    tau(w) = tau(1) (1 + tau' (w - 1)),  tau_i(w) = tau_i tau(w);  zeta, zeta_1 likewise.

The interference of V and A has the sign of that paper's eq. 2.10, by which the c quark is
left-handed for all four states; basf2's D_2* (2024) has the opposite one. Masses as there:
m_c = 1.4, m_b = 4.2, Lambda = 0.40, Lambda' = 0.80, Lambda* = 0.76 GeV.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numba import carray

from simgen.jit import kernel
from simgen.models.form_factors_cln import recoil
from simgen.models.semileptonic import SemileptonicModel, current_amplitude, kinematics

if TYPE_CHECKING:
    from collections.abc import Sequence

    from simgen.models.contract import Parameters
    from simgen.particles import ParticleData

_LAMBDA, _LAMBDA_NARROW, _LAMBDA_BROAD = 0.40, 0.80, 0.76
_EPS_C, _EPS_B = 1.0 / (2.0 * 1.4), 1.0 / (2.0 * 4.2)
_D_0, _D_1, _D_1_BROAD, _D_2 = 0, 1, 2, 3
# Kind of state by the PDG number without its charm and light quark: 10411 -> 10001.
_KINDS = {10001: _D_0, 10003: _D_1, 20003: _D_1_BROAD, 5: _D_2}
_NARROW = (_D_1, _D_2)
_NARROW_PARAMETERS = ("tau(1)", "tau'", "tau_1", "tau_2")
_BROAD_PARAMETERS = ("zeta(1)", "zeta'", "zeta_1")


@kernel
def d0_form_factors(w: float, zeta: float, zeta_1: float) -> tuple[float, float]:
    """Return g_+ and g_- of B -> D_0*."""
    z_1 = zeta_1 * zeta
    c = (w * _LAMBDA_BROAD - _LAMBDA) * zeta
    b = ((2.0 * w + 1.0) * _LAMBDA_BROAD - (w + 2.0) * _LAMBDA) * zeta
    g_plus = _EPS_C * (2.0 * (w - 1.0) * z_1 - 3.0 * c / (w + 1.0))
    g_plus -= _EPS_B * (b / (w + 1.0) - 2.0 * (w - 1.0) * z_1)
    return g_plus, zeta


@kernel
def d1_broad_form_factors(
    w: float, zeta: float, zeta_1: float
) -> tuple[float, float, float, float]:
    """Return g_V1, g_V2, g_V3 and g_A of B -> D_1'."""
    z_1 = zeta_1 * zeta
    c = (w * _LAMBDA_BROAD - _LAMBDA) * zeta
    b = ((2.0 * w + 1.0) * _LAMBDA_BROAD - (w + 2.0) * _LAMBDA) * zeta
    b -= 2.0 * (w * w - 1.0) * z_1
    g_v1 = (w - 1.0) * zeta + _EPS_C * c - _EPS_B * b
    g_v2 = 2.0 * _EPS_C * z_1
    g_v3 = -zeta - _EPS_C * (c / (w + 1.0) + 2.0 * z_1) + _EPS_B * b / (w + 1.0)
    g_a = zeta + (_EPS_C * c - _EPS_B * b) / (w + 1.0)
    return g_v1, g_v2, g_v3, g_a


@kernel
def d1_form_factors(
    w: float, tau: float, tau_1: float, tau_2: float
) -> tuple[float, float, float, float]:
    """Return f_V1, f_V2, f_V3 and f_A of B -> D_1."""
    t_1, t_2 = tau_1 * tau, tau_2 * tau
    c = 4.0 * (w * _LAMBDA_NARROW - _LAMBDA) * tau
    b = (_LAMBDA_NARROW + _LAMBDA) * tau - (2.0 * w + 1.0) * t_1 - t_2
    u = w - 1.0
    f_v1 = -(w + 1.0) * (u * tau + _EPS_B * u * b + _EPS_C * (c - 3.0 * u * (t_1 - t_2)))
    f_v2 = -3.0 * (tau + _EPS_B * b) - _EPS_C * ((4.0 * w - 1.0) * t_1 + 5.0 * t_2)
    f_v3 = (w - 2.0) * tau + _EPS_B * (w + 2.0) * b
    f_v3 += _EPS_C * (c + (w + 2.0) * t_1 + (3.0 * w + 2.0) * t_2)
    f_a = -(w + 1.0) * tau - _EPS_B * u * b - _EPS_C * (c - 3.0 * u * (t_1 - t_2))
    root = np.sqrt(6.0)
    return f_v1 / root, f_v2 / root, f_v3 / root, f_a / root


@kernel
def d2_form_factors(
    w: float, tau: float, tau_1: float, tau_2: float
) -> tuple[float, float, float, float]:
    """Return k_A1, k_A2, k_A3 and k_V of B -> D_2*."""
    t_1, t_2 = tau_1 * tau, tau_2 * tau
    b = (_LAMBDA_NARROW + _LAMBDA) * tau - (2.0 * w + 1.0) * t_1 - t_2
    k_a1 = -(w + 1.0) * tau - (w - 1.0) * (_EPS_B * b + _EPS_C * (t_1 - t_2))
    k_a2 = -2.0 * _EPS_C * t_1
    k_a3 = tau + _EPS_B * b - _EPS_C * (t_1 + t_2)
    k_v = -tau - _EPS_B * b - _EPS_C * (t_1 - t_2)
    return k_a1, k_a2, k_a3, k_v


def llsw_amplitude(parameters: Any, pdgids: Any, momenta: Any, out: Any) -> None:
    """B -> D** l nu: form factors of velocities, turned into those of momenta."""
    p = carray(momenta, (4, 4))
    ids = carray(pdgids, 4)
    c = carray(parameters, 5)  # kind, F(1), slope, F_1, F_2
    mass = p[0, 3]
    meson, _, q2 = kinematics(p)
    w, _ = recoil(mass, meson, q2)
    leading = c[1] * (1.0 + c[2] * (w - 1.0))
    norm, r = np.sqrt(mass * meson), meson / mass
    if c[0] == _D_0:
        g_plus, g_minus = d0_form_factors(w, leading, c[3])
        total, split = mass + meson, mass - meson
        plus = (total * g_plus - split * g_minus) / (2.0 * norm)
        minus = (total * g_minus - split * g_plus) / (2.0 * norm)
        current_amplitude(p, ids, 0.0, 0.0, plus, minus, out)
        return
    if c[0] == _D_2:
        one, two, three, side = d2_form_factors(w, leading, c[3], c[4])
        norm /= mass  # e.v of the tensor has one more power of 1/M than that of a vector
    elif c[0] == _D_1:
        one, two, three, side = d1_form_factors(w, leading, c[3], c[4])
    else:
        one, two, three, side = d1_broad_form_factors(w, leading, c[3])
    both = norm / (2.0 * mass * meson)
    plus, minus = both * (three + r * two), both * (r * two - three)
    current_amplitude(p, ids, norm * one, both * side, plus, minus, out)


class ExcitedCharmModel(SemileptonicModel):
    """LLSW, whose parameters depend on the doublet of the meson."""

    def names_of(self, meson: ParticleData) -> tuple[tuple[str, ...], int] | None:
        """Return the parameters' names for a meson, two of them needed; None if not served."""
        kind = _kind(meson)
        if kind is None:
            return None
        return _NARROW_PARAMETERS if kind in _NARROW else _BROAD_PARAMETERS, 2

    @property
    def mesons(self) -> str:
        """The mesons that are served, for people."""
        return "D_0*, D_1, D'_1 or D_2*"

    def prepare(
        self,
        parameters: Parameters,
        parent: ParticleData,  # noqa: ARG002
        daughters: Sequence[ParticleData],
    ) -> tuple[float, ...]:
        """Return the kind of state and its parameters; those left out are 0."""
        kind = _kind(daughters[0])
        given = [float(value) for value in parameters]
        return (float(_D_0 if kind is None else kind), *given, *[0.0] * (4 - len(given)))


def _kind(meson: ParticleData) -> int | None:
    """Return which of the four charmed states a meson is."""
    number = abs(meson.pdgid)
    if number // 100 % 10 != 4:
        return None
    return _KINDS.get(number - number % 1000 + number % 10)


LLSW = ExcitedCharmModel(
    name="LLSW",
    amplitude=llsw_amplitude,
    reference="A. K. Leibovich, Z. Ligeti, I. W. Stewart, M. B. Wise, Phys. Rev. D 57 (1998) 308, "
    "hep-ph/9705467",
)
