"""BTOSLLBALL, BTOSLLALI: B -> P l+ l- and V l+ l- with form factors of light-cone sum rules.

A. Ali, P. Ball, L. T. Handoko, G. Hiller, Phys. Rev. D 61 (2000) 074024, hep-ph/9910221, sect. III.
The amplitude is T_1.V + T_2.A, with V and A the vector and axial current of the leptons. All
divided by powers of M, p = p_B + p_K, q = p_B - p_K,

    P:  T_1 = A' p + B' q,  T_2 = C' p + D' q
    V:  T_1 = B e - C (e.p_B) p - D (e.p_B) q + i A epsilon(., e, p_B, p_K),  T_2 with F, G, H, E

and A to H of the form factors f_+, f_0, f_T or V, A_0, A_1, A_2, T_1, T_2, T_3 and the Wilson
coefficients (`simgen.models.wilson`). The sign of i is that of a b quark. The b quark in the
dipole term has 4.4 GeV.

BTOSLLALI has set 1 of K and K* below for every meson and no parameter. The one parameter of
BTOSLLBALL chooses form factors, 1 by default:

- 1, 2: hep-ph/9910221, smallest and central values, F(0) exp(c_1 s + c_2 s^2 + c_3 s^3), with
  s = q^2/M^2; for pi, eta, rho, omega 1 is F(0)/(1 - a s + b s^2) of P. Ball, R. Zwicky,
  hep-ph/0110115, and P. Ball, V. M. Braun, hep-ph/9805422;
- 6: P. Ball, R. Zwicky, Phys. Rev. D 71 (2005) 014015 and 014029, hep-ph/0406232, 0412079.

As DECAY_BELLE2.DEC does, list the resonances J/psi, psi(2S) apart; they are not in here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numba import carray

from simgen.jit import kernel
from simgen.models.btosll_form_factors import (
    SETS,
    Row,
    common_form_factor_rows,
    form_factor_rows,
)
from simgen.models.contract import DecayModel, Parameters
from simgen.models.semileptonic import antiquark_decays, meson_spin_states
from simgen.models.wilson import CKM_D, wilson_coefficients
from simgen.spin import vector_state
from simgen.spinors import left_current, left_spinor, vector_current

if TYPE_CHECKING:
    from collections.abc import Sequence

    from simgen.particles import ParticleData

_SCALAR, _HALF, _VECTOR = 0, 1, 2
_M_B_DIPOLE = 4.4
_ROW = 9  # numbers of a form factor
_LEPTONS = (11, 13, 15)


@kernel
def _form_factor(c: Any, n: int, q2: float, s: float) -> float:
    """Return form factor n of those prepared: exponential, rational, or a sum of two poles.

    A row holds the kind and eight numbers: (0) F(0), c_1, c_2, c_3; (1) F(0), a, b; (2) r_1, m_1^2,
    r_2, m_2^2 and 1 where the second pole is a square.
    """
    i = 1 + _ROW * n
    if c[i] == 0.0:
        return float(c[i + 1] * np.exp(s * (c[i + 2] + s * (c[i + 3] + s * c[i + 4]))))
    if c[i] == 1.0:
        return float(c[i + 1] / (1.0 - c[i + 2] * s + c[i + 3] * s * s))
    second = 1.0 / (1.0 - q2 / c[i + 4])
    if c[i + 5] > 0.0:
        second *= second
    return float(c[i + 1] / (1.0 - q2 / c[i + 2]) + c[i + 3] * second)


@kernel
def _write_scalar(p: Any, c: Any, ckm: complex, q2: float, t1: Any, t2: Any) -> None:
    """Write T_1 and T_2 of B -> P l l, rows (x, y, z, t)."""
    mass = p[0, 3]
    s = q2 / (mass * mass)
    meson = np.sqrt(max(p[1, 3] ** 2 - p[1, 0] ** 2 - p[1, 1] ** 2 - p[1, 2] ** 2, 0.0)) / mass
    f_plus, f_zero, f_t = (
        _form_factor(c, 0, q2, s),
        _form_factor(c, 1, q2, s),
        _form_factor(c, 2, q2, s),
    )
    c7, c9, c10 = wilson_coefficients(q2, ckm)
    dipole = 2.0 * _M_B_DIPOLE / mass * c7 * f_t / (1.0 + meson)
    f_minus = (f_zero - f_plus) * (1.0 - meson * meson) / s
    a = c9 * f_plus + dipole
    b = c9 * f_minus - dipole * (1.0 - meson * meson) / s
    for i in range(4):
        own = 1.0 if i == 3 else 0.0
        total, difference = own + p[1, i] / mass, own - p[1, i] / mass
        t1[0, i] = a * total + b * difference
        t2[0, i] = c10 * (f_plus * total + f_minus * difference)


@kernel
def _write_vector(p: Any, c: Any, ckm: complex, anti: bool, q2: float, t1: Any, t2: Any) -> None:
    """Write T_1 and T_2 of B -> V l l for the three spin states, rows (x, y, z, t)."""
    mass = p[0, 3]
    s = q2 / (mass * mass)
    full = np.sqrt(p[1, 3] ** 2 - p[1, 0] ** 2 - p[1, 1] ** 2 - p[1, 2] ** 2)
    m = full / mass
    v, a0 = _form_factor(c, 0, q2, s), _form_factor(c, 1, q2, s)
    a1, a2 = _form_factor(c, 2, q2, s), _form_factor(c, 3, q2, s)
    tensor1, tensor2 = _form_factor(c, 4, q2, s), _form_factor(c, 5, q2, s)
    tensor3 = _form_factor(c, 6, q2, s)
    if c[1 + _ROW * 6] > 1.0:  # Ball and Zwicky give T_3~ = T_2 + q^2/(M^2 - m^2) T_3
        tensor3 = (tensor3 - tensor2) * (1.0 - m * m) / s
    c7, c9, c10 = wilson_coefficients(q2, ckm)
    dipole = 2.0 * _M_B_DIPOLE / mass * c7
    timelike = (1.0 + m) * a1 - (1.0 - m) * a2 - 2.0 * m * a0
    ca = 2.0 / (1.0 + m) * c9 * v + 2.0 * dipole / s * tensor1
    cb = (1.0 + m) * (c9 * a1 + dipole / s * (1.0 - m) * tensor2)
    cc = c9 * a2 / (1.0 + m) + dipole * (tensor3 / (1.0 - m * m) + tensor2 / s)
    cd = (c9 * timelike - dipole * tensor3) / s
    ce, cf = 2.0 / (1.0 + m) * c10 * v, (1.0 + m) * c10 * a1
    cg, ch = c10 * a2 / (1.0 + m), c10 * timelike / s
    sign = -1.0j if anti else 1.0j
    x, y, z = p[1, 0] / mass, p[1, 1] / mass, p[1, 2] / mass
    for k in range(3):
        e = vector_state(p[1, 0], p[1, 1], p[1, 2], p[1, 3], full, k)
        # epsilon(L, e, p_B, p_K) = L.(e x p_K); the metric makes its vector -(e x p_K)
        cross = (e[1] * z - e[2] * y, e[2] * x - e[0] * z, e[0] * y - e[1] * x, 0.0)
        for i in range(4):
            own = 1.0 if i == 3 else 0.0
            total, difference = own + p[1, i] / mass, own - p[1, i] / mass
            t1[k, i] = cb * e[i] - e[3] * (cc * total + cd * difference) - sign * ca * cross[i]
            t2[k, i] = cf * e[i] - e[3] * (cg * total + ch * difference) - sign * ce * cross[i]


def btosllball_amplitude(parameters: Any, pdgids: Any, momenta: Any, out: Any) -> None:
    """B -> P l l or V l l: T_1.V + T_2.A, times the mass of the lepton pair."""
    p = carray(momenta, (4, 4))
    ids = carray(pdgids, 4)
    n_states = meson_spin_states(ids[1])
    a = carray(out, (n_states, 2, 2))
    c = carray(parameters, 64)
    q2 = (p[2, 3] + p[3, 3]) ** 2
    for i in range(3):
        q2 -= (p[2, i] + p[3, i]) ** 2
    t1, t2 = np.empty((3, 4), np.complex128), np.empty((3, 4), np.complex128)
    anti = antiquark_decays(ids[0])
    ckm = CKM_D if c[0] > 0.0 else 0.0j
    if anti:
        ckm = ckm.conjugate()
    if n_states == 1:
        _write_scalar(p, c, ckm, q2, t1, t2)
    else:
        _write_vector(p, c, ckm, anti, q2, t1, t2)
    root = np.sqrt(q2)
    lepton, antilepton = (2, 3) if ids[2] > 0 else (3, 2)
    mass = np.sqrt(max(p[2, 3] ** 2 - p[2, 0] ** 2 - p[2, 1] ** 2 - p[2, 2] ** 2, 0.0))
    row, other = p[lepton], p[antilepton]
    for i in range(2):
        s0, s1 = left_spinor(row[0], row[1], row[2], row[3], mass, i, False)
        for j in range(2):
            r0, r1 = left_spinor(other[0], other[1], other[2], other[3], mass, j, True)
            left = left_current(s0, s1, r0, r1)
            vector = vector_current(row, mass, i, other, mass, j)
            for k in range(n_states):
                value = 0.0j
                for n in range(4):
                    sign = 1.0 if n == 3 else -1.0
                    axial = vector[n] - left[n]
                    value += sign * (t1[k, n] * vector[n] + t2[k, n] * axial)
                if lepton == 2:
                    a[k, i, j] = root * value
                else:
                    a[k, j, i] = root * value


@dataclass(frozen=True)
class RareDecayModel(DecayModel):
    """A model whose daughters are a light meson and a pair of leptons.

    Attributes
    ----------
    common
        Whether all mesons of a spin have the same form factors.
    """

    common: bool = False

    def _rows(
        self, parameters: Parameters, parent: ParticleData, meson: ParticleData
    ) -> tuple[bool, tuple[Row, ...]] | None:
        """Return whether the transition is b -> d, and its form factors; None if there are none."""
        if self.common:
            return common_form_factor_rows(parent, meson)
        return form_factor_rows(parent, meson, _set_of(parameters))

    def problem(
        self, parameters: Parameters, parent: ParticleData, daughters: Sequence[ParticleData]
    ) -> str | None:
        """Say why this model cannot serve a decay; see `DecayModel.problem`."""
        problem = self._parameter_problem(parameters)
        if problem is not None:
            return problem
        spin = daughters[0].spin2 if daughters else _SCALAR
        variant = DecayModel(
            name=self.name,
            amplitude=self.amplitude,
            reference=self.reference,
            parent_spin2=_SCALAR,
            daughter_spins2=(_VECTOR if spin == _VECTOR else _SCALAR, _HALF, _HALF),
        )
        problem = variant.problem((), parent, daughters)
        if problem is not None:
            return problem
        first, second = daughters[1].pdgid, daughters[2].pdgid
        if first != -second or abs(first) not in _LEPTONS:
            names = f"{daughters[1].name} {daughters[2].name}"
            return f"{self.name} needs a charged lepton and its antiparticle, found {names}"
        if self._rows(parameters, parent, daughters[0]) is None:
            which = "" if self.common else f" {_set_of(parameters)}"
            has = "pi, eta, K, rho, omega, K*, phi of B and B_s" if self.common else SETS
            return (
                f"{self.name} has no form factors{which} of {parent.name} -> {daughters[0].name}; "
                f"it has {has}"
            )
        return None

    def prepare(
        self, parameters: Parameters, parent: ParticleData, daughters: Sequence[ParticleData]
    ) -> tuple[float, ...]:
        """Return 1 for b -> d, else 0, and nine numbers for each form factor; 64 in all."""
        found = self._rows(parameters, parent, daughters[0])
        if found is None:
            return ()
        to_down, rows = found
        numbers = [float(to_down)]
        for row in rows:
            numbers.extend((*row, *[0.0] * (_ROW - len(row))))
        return (*numbers, *[0.0] * (64 - len(numbers)))


def _set_of(parameters: Parameters) -> int:
    """Return the number of the set of form factors."""
    return int(float(parameters[0])) if parameters else 1


BTOSLLBALL = RareDecayModel(
    name="BTOSLLBALL",
    amplitude=btosllball_amplitude,
    reference="A. Ali, P. Ball, L. T. Handoko, G. Hiller, Phys. Rev. D 61 (2000) 074024, "
    "hep-ph/9910221",
    parameters=("form factors",),
    n_required=0,
    pole=1,
)

BTOSLLALI = RareDecayModel(
    name="BTOSLLALI",
    amplitude=btosllball_amplitude,
    reference="A. Ali, P. Ball, L. T. Handoko, G. Hiller, Phys. Rev. D 61 (2000) 074024, "
    "hep-ph/9910221",
    pole=1,
    common=True,
)
