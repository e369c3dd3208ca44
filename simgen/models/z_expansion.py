"""Semileptonic B decays with expansions in a conformal variable z: BGL and BCL.

**BGL** (C. G. Boyd, B. Grinstein, R. F. Lebed, Phys. Rev. Lett. 74 (1995) 4603, hep-ph/9412324;
Phys. Rev. D 56 (1997) 6895, hep-ph/9705252): F = sum a_n z^n / (P phi) with Blaschke factor P of
the B_c poles and outer function phi, z = (sqrt(w + 1) - sqrt(2)) / (sqrt(w + 1) + sqrt(2)).

- B -> D: eight coefficients, four of f_+ and four of f_0, P = 1, outer functions as in
  R. Glattauer et al. (Belle), Phys. Rev. D 93 (2016) 032006, arXiv:1510.03657.
- B -> D*: six coefficients a_0, a_1 of g, b_0, b_1 of f, c_1, c_2 of F_1; c_0 follows from b_0.
  Poles, chi and outer functions as in B. Grinstein, A. Kobach, Phys. Lett. B 771 (2017) 359,
  arXiv:1703.08170. There is no fourth form factor, the time-like amplitude is 0: e and mu only.

**BCL** (C. Bourrely, I. Caprini, L. Lellouch, Phys. Rev. D 79 (2009) 013008, arXiv:0807.2722), with
z of q^2, t_0 and the poles of each current:

- B -> P: four coefficients of f_+, whose behaviour at threshold fixes the next term, four of f_0.
  Coefficients of a fit with three are not the same with a 0 after them: f_+(0) of B -> pi in
  DECAY_BELLE2.DEC is 3 % above f_0(0) for that reason, here and in EvtGen;
- B -> V (A. Bharucha, D. M. Straub, R. Zwicky, JHEP 08 (2016) 098, arXiv:1503.05534): a_1, a_2 of
  A_0, three each of A_1, A_12 and V; a_0 of A_0 follows from A_12 at q^2 = 0. A_2 is that of the
  mass the meson has in the event.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numba import carray

from simgen.jit import kernel
from simgen.models.form_factors_cln import recoil
from simgen.models.semileptonic import (
    SemileptonicModel,
    kinematics,
    meson_spin_states,
    polarised_amplitude,
    scalar_amplitude,
    vector_current,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from simgen.models.contract import Parameters
    from simgen.particles import ParticleData

TAU = 15
_VECTOR = 2

# Masses of B_c states below the B D* threshold, GeV, and susceptibilities chi^T(1-), chi^T(1+).
_B_C_VECTORS = (6.337, 6.899, 7.012, 7.280)
_B_C_AXIALS = (6.730, 6.736, 7.135, 7.142)
_CHI_VECTOR, _CHI_AXIAL = 5.28e-4, 3.07e-4
_N_I = 2.6  # spectator quarks, reduced for SU(3) breaking

# Lowest states of the b u currents, GeV.
_POLE_0_MINUS, _POLE_1_MINUS, _POLE_1_PLUS = 5.279, 5.325, 5.724
# A_2 and A_12 are related through the momentum squared of the meson, which must not be 0.
_LEAST_RECOIL = 1e-9


@kernel
def bgl_scalar_form_factors(parent: float, meson: float, q2: float, c: Any) -> tuple[float, float]:
    """Return f_+ and f_0 of B -> D; `c` holds four coefficients of each."""
    r = meson / parent
    _, z = recoil(parent, meson, q2)
    s = (1.0 + r) * (1.0 - z) + 2.0 * np.sqrt(r) * (1.0 + z)
    phi_plus = 1.1213 * (1.0 + z) ** 2 * np.sqrt(1.0 - z) / s**5
    phi_zero = 0.5299 * (1.0 + z) * (1.0 - z) ** 1.5 / s**4
    plus = c[0] + z * (c[1] + z * (c[2] + z * c[3]))
    zero = c[4] + z * (c[5] + z * (c[6] + z * c[7]))
    return plus / phi_plus, zero / phi_zero


@kernel
def _blaschke(z: float, parent: float, meson: float, poles: tuple[float, ...]) -> float:
    """Return the product of (z - z_P)/(1 - z z_P) over the poles."""
    threshold = (parent + meson) ** 2
    end = np.sqrt(4.0 * parent * meson)
    product = 1.0
    for pole in poles:
        # The highest pole is 6 MeV below the threshold, so a light D* may bring it above, where
        # it counts no longer: z_P = -1.
        k = np.sqrt(max(threshold - pole * pole, 0.0))
        z_pole = (k - end) / (k + end)
        product *= (z - z_pole) / (1.0 - z * z_pole)
    return product


@kernel
def bgl_vector_form_factors(
    parent: float, meson: float, q2: float, c: Any
) -> tuple[float, float, float]:
    """Return g, f and F_1 of B -> D*; `c` is a_0, a_1, b_0, b_1, c_1, c_2."""
    r = meson / parent
    _, z = recoil(parent, meson, q2)
    s = (1.0 + r) * (1.0 - z) + 2.0 * np.sqrt(r) * (1.0 + z)
    axial = np.sqrt(16.0 * _N_I / (3.0 * np.pi * _CHI_AXIAL)) * r * (1.0 + z) / parent**2
    phi_f = axial * (1.0 - z) ** 1.5 / s**4
    phi_1 = axial * (1.0 - z) ** 2.5 / (np.sqrt(2.0) * parent * s**5)
    phi_g = np.sqrt(256.0 * _N_I / (3.0 * np.pi * _CHI_VECTOR)) * r * r * (1.0 + z) ** 2
    phi_g /= np.sqrt(1.0 - z) * s**4
    # F_1 = (M - m) f at w = 1, where phi_1 / phi_f is this over M - m
    c_zero = (1.0 - r) / (np.sqrt(2.0) * (1.0 + np.sqrt(r)) ** 2) * c[2]
    p_f = _blaschke(z, parent, meson, _B_C_AXIALS)
    p_g = _blaschke(z, parent, meson, _B_C_VECTORS)
    return (
        (c[0] + c[1] * z) / (p_g * phi_g),
        (c[2] + c[3] * z) / (p_f * phi_f),
        (c_zero + z * (c[4] + z * c[5])) / (p_f * phi_1),
    )


def bgl_amplitude(parameters: Any, pdgids: Any, momenta: Any, out: Any) -> None:
    """B -> D l nu or D* l nu with the form factors of BGL."""
    p = carray(momenta, (4, 4))
    ids = carray(pdgids, 4)
    mass = p[0, 3]
    meson, _, q2 = kinematics(p)
    if meson_spin_states(ids[1]) == 1:
        f_plus, f_zero = bgl_scalar_form_factors(mass, meson, q2, carray(parameters, 8))
        scalar_amplitude(p, ids, f_plus, f_zero, carray(out, (1, 2)))
        return
    g, f, f_one = bgl_vector_form_factors(mass, meson, q2, carray(parameters, 6))
    # F_1 = ((M^2 - m^2 - q^2) f / 2 + 2 M^2 p^2 a_+) / m, and A_0 = 0
    p2 = max(p[1, 3] ** 2 - meson * meson, _LEAST_RECOIL)
    split = mass * mass - meson * meson
    plus = (meson * f_one - 0.5 * (split - q2) * f) / (2.0 * mass * mass * p2)
    polarised_amplitude(p, ids, f, g / 2.0, plus, -(f + split * plus) / q2, out)


@kernel
def _z_of(q2: float, t_plus: float, t_zero: float) -> float:
    """Return the conformal variable of q^2 with z(t_0) = 0."""
    a, b = np.sqrt(t_plus - q2), np.sqrt(t_plus - t_zero)
    z: float = (a - b) / (a + b)
    return z


@kernel
def bcl_scalar_form_factors(parent: float, meson: float, q2: float, c: Any) -> tuple[float, float]:
    """Return f_+ and f_0 of B -> P; `c` holds four coefficients of each, `meson` is nominal."""
    t_plus = (parent + meson) ** 2
    z = _z_of(q2, t_plus, (parent + meson) * (np.sqrt(parent) - np.sqrt(meson)) ** 2)
    z4 = z**4
    # b_n (z^n - (-1)^(n - 4) n/4 z^4)
    plus = c[0] + c[1] * (z + z4 / 4.0) + c[2] * (z * z - z4 / 2.0) + c[3] * (z**3 + 0.75 * z4)
    zero = c[4] + z * (c[5] + z * (c[6] + z * c[7]))
    return plus / (1.0 - q2 / _POLE_1_MINUS**2), zero


@kernel
def bcl_vector_form_factors(
    parent: float, meson: float, nominal: float, q2: float, c: Any
) -> tuple[float, float, float, float]:
    """Return A_0, A_1, A_2 and V of B -> V; `c` holds the eleven coefficients.

    `nominal` is the mass of the meson in the expansion, `meson` the one it has.
    """
    t_plus, t_minus = (parent + nominal) ** 2, (parent - nominal) ** 2
    t_zero = t_plus * (1.0 - np.sqrt(1.0 - t_minus / t_plus))
    z = _z_of(q2, t_plus, t_zero) - _z_of(0.0, t_plus, t_zero)
    a0_zero = 8.0 * parent * nominal / (parent**2 - nominal**2) * c[5]
    axial = 1.0 / (1.0 - q2 / _POLE_1_PLUS**2)
    a0 = (a0_zero + z * (c[0] + z * c[1])) / (1.0 - q2 / _POLE_0_MINUS**2)
    a1 = axial * (c[2] + z * (c[3] + z * c[4]))
    a12 = axial * (c[5] + z * (c[6] + z * c[7]))
    v = (c[8] + z * (c[9] + z * c[10])) / (1.0 - q2 / _POLE_1_MINUS**2)
    total = parent + meson
    triangle = max((total**2 - q2) * ((parent - meson) ** 2 - q2), _LEAST_RECOIL)
    a2 = total * (total * (parent**2 - meson**2 - q2) * a1 - 16.0 * parent * meson**2 * a12)
    return a0, a1, a2 / triangle, v


def bcl_amplitude(parameters: Any, pdgids: Any, momenta: Any, out: Any) -> None:
    """B -> P l nu or V l nu with the form factors of BCL."""
    p = carray(momenta, (4, 4))
    ids = carray(pdgids, 4)
    meson, _, q2 = kinematics(p)
    if meson_spin_states(ids[1]) == 1:
        c = carray(parameters, 9)
        f_plus, f_zero = bcl_scalar_form_factors(p[0, 3], c[8], q2, c)
        scalar_amplitude(p, ids, f_plus, f_zero, carray(out, (1, 2)))
    else:
        c = carray(parameters, 12)
        a0, a1, a2, v = bcl_vector_form_factors(p[0, 3], meson, c[11], q2, c)
        f, g, plus, minus = vector_current(p, a0, a1, a2, v)
        polarised_amplitude(p, ids, f, g, plus, minus, out)


class LightLeptonModel(SemileptonicModel):
    """BGL, whose six coefficients of B -> D* leave out what a tau needs."""

    def problem(
        self, parameters: Parameters, parent: ParticleData, daughters: Sequence[ParticleData]
    ) -> str | None:
        """Say why this model cannot serve a decay; see `DecayModel.problem`."""
        problem = super().problem(parameters, parent, daughters)
        heavy = any(abs(d.pdgid) == TAU for d in daughters)
        if problem is None and heavy and daughters[0].spin2 == _VECTOR:
            return f"{self.name} has no time-like form factor of a vector meson, which a tau needs"
        return problem


class NominalMassModel(SemileptonicModel):
    """BCL, whose conformal variable is that of the nominal mass of the meson."""

    def prepare(
        self, parameters: Parameters, parent: ParticleData, daughters: Sequence[ParticleData]
    ) -> tuple[float, ...]:
        """Return the coefficients and the nominal mass of the meson after them."""
        return (*super().prepare(parameters, parent, daughters), daughters[0].mass)


BGL = LightLeptonModel(
    name="BGL",
    amplitude=bgl_amplitude,
    reference="C. G. Boyd, B. Grinstein, R. F. Lebed, Phys. Rev. D 56 (1997) 6895, hep-ph/9705252",
    scalar_parameters=(*(f"a+_{n}" for n in range(4)), *(f"a0_{n}" for n in range(4))),
    vector_parameters=("a_0", "a_1", "b_0", "b_1", "c_1", "c_2"),
)

BCL = NominalMassModel(
    name="BCL",
    amplitude=bcl_amplitude,
    reference="C. Bourrely, I. Caprini, L. Lellouch, Phys. Rev. D 79 (2009) 013008, "
    "arXiv:0807.2722; A. Bharucha, D. M. Straub, R. Zwicky, arXiv:1503.05534",
    scalar_parameters=(*(f"b+_{n}" for n in range(4)), *(f"b0_{n}" for n in range(4))),
    vector_parameters=(
        "A0_1",
        "A0_2",
        *(f"{name}_{n}" for name in ("A1", "A12", "V") for n in range(3)),
    ),
)
