"""B -> D(*) l nu with form factors of heavy quark symmetry: HQET, HQET2, HQET3.

HQET has a linear or quadratic form factor of w = v.v' and constant ratios,

    D:   f_+ = 1 - rho^2 (w - 1) + c (w - 1)^2,  f_0 = 0
    D*:  h = 1 - rho^2 (w - 1),  A_1 = R* (w + 1)/2 h,  V = R_1 h/R*,  A_2 = R_2 h/R*,  A_0 = 0,
         R* = 2 sqrt(M m)/(M + m)

without time-like part, so it is made for light leptons, and c has no effect on D*. HQET2 and HQET3
are those of Caprini, Lellouch and Neubert, see `simgen.models.form_factors_cln`, with R_0(1) for D*
and a scale Delta of S_1 for D as last parameter. Where it is left out of HQET2, f_0 or A_0 is 0 as
in EvtGen, which matters for taus. As in EvtGen and basf2 the order of parameters differs: rho^2
comes first in HQET2, second in HQET3.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numba import carray

from simgen.models.form_factors_cln import (
    recoil,
    scalar_form_factors,
    vector_form_factors,
)
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

_SCALAR = 0


def hqet_amplitude(parameters: Any, pdgids: Any, momenta: Any, out: Any) -> None:
    """B -> D l nu or D* l nu, form factors linear or quadratic in w."""
    p = carray(momenta, (4, 4))
    ids = carray(pdgids, 4)
    meson, _, q2 = kinematics(p)
    w, _ = recoil(p[0, 3], meson, q2)
    c = carray(parameters, 4)  # rho2, quadratic term, R1, R2
    h = 1.0 - c[0] * (w - 1.0) + c[1] * (w - 1.0) ** 2
    if meson_spin_states(ids[1]) == 1:
        scalar_amplitude(p, ids, h, 0.0, carray(out, (1, 2)))
    else:
        ratio = 2.0 * np.sqrt(p[0, 3] * meson) / (p[0, 3] + meson)
        a1, a2, v = ratio * (w + 1.0) / 2.0 * h, c[3] * h / ratio, c[2] * h / ratio
        f, g, plus, minus = vector_current(p, 0.0, a1, a2, v)
        polarised_amplitude(p, ids, f, g, plus, minus, out)


def hqet2_amplitude(parameters: Any, pdgids: Any, momenta: Any, out: Any) -> None:
    """B -> D l nu or D* l nu with the form factors of CLN; the last number is 0 for no f_0, A_0."""
    p = carray(momenta, (4, 4))
    ids = carray(pdgids, 4)
    meson, _, q2 = kinematics(p)
    if meson_spin_states(ids[1]) == 1:
        c = carray(parameters, 4)
        f_plus, f_zero = scalar_form_factors(p[0, 3], meson, q2, c[0], c[1], c[2])
        scalar_amplitude(p, ids, f_plus, c[3] * f_zero, carray(out, (1, 2)))
    else:
        c = carray(parameters, 6)
        a0, a1, a2, v = vector_form_factors(p[0, 3], meson, q2, c[0], c[1], c[4], c[2], c[3])
        f, g, plus, minus = vector_current(p, c[5] * a0, a1, a2, v)
        polarised_amplitude(p, ids, f, g, plus, minus, out)


def hqet3_amplitude(parameters: Any, pdgids: Any, momenta: Any, out: Any) -> None:
    """B -> D l nu or D* l nu with the form factors of CLN and a free scalar one."""
    p = carray(momenta, (4, 4))
    ids = carray(pdgids, 4)
    meson, _, q2 = kinematics(p)
    if meson_spin_states(ids[1]) == 1:
        c = carray(parameters, 3)
        f_plus, f_zero = scalar_form_factors(p[0, 3], meson, q2, c[1], c[0], c[2])
        scalar_amplitude(p, ids, f_plus, f_zero, carray(out, (1, 2)))
    else:
        c = carray(parameters, 5)
        a0, a1, a2, v = vector_form_factors(p[0, 3], meson, q2, c[1], c[0], c[2], c[3], c[4])
        f, g, plus, minus = vector_current(p, a0, a1, a2, v)
        polarised_amplitude(p, ids, f, g, plus, minus, out)


class LinearModel(SemileptonicModel):
    """HQET, which has an optional last parameter."""

    def prepare(
        self,
        parameters: Parameters,
        parent: ParticleData,  # noqa: ARG002
        daughters: Sequence[ParticleData],
    ) -> tuple[float, ...]:
        """Return rho^2, the quadratic term, R_1 and R_2."""
        c = [float(value) for value in parameters]
        if daughters[0].spin2 == _SCALAR:
            return c[0], c[1] if len(c) > 1 else 0.0, 0.0, 0.0
        return c[0], 0.0, c[1], c[2]


class TauParameterModel(SemileptonicModel):
    """HQET2, whose optional last parameter is that of the time-like form factor."""

    def prepare(
        self,
        parameters: Parameters,
        parent: ParticleData,  # noqa: ARG002
        daughters: Sequence[ParticleData],
    ) -> tuple[float, ...]:
        """Return all parameters, and 1 if the last one is given, else 0."""
        served = self.names_of(daughters[0])
        missing = 0 if served is None else len(served[0]) - len(parameters)
        return (*map(float, parameters), *[0.0] * missing, 0.0 if missing else 1.0)


HQET = LinearModel(
    name="HQET",
    amplitude=hqet_amplitude,
    reference="M. Neubert, Phys. Rept. 245 (1994) 259, hep-ph/9306320, with constant R_1 and R_2",
    scalar_parameters=("rho2", "quadratic term"),
    vector_parameters=("rho2", "R1", "R2", "quadratic term"),
    n_optional=1,
)

HQET2 = TauParameterModel(
    name="HQET2",
    amplitude=hqet2_amplitude,
    reference="I. Caprini, L. Lellouch, M. Neubert, Nucl. Phys. B 530 (1998) 153, hep-ph/9712417; "
    "scalar form factors as HQET3",
    scalar_parameters=("rho2", "V1(1)", "Delta"),
    vector_parameters=("rho2", "hA1(1)", "R1(1)", "R2(1)", "R0(1)"),
    n_optional=1,
)

HQET3 = SemileptonicModel(
    name="HQET3",
    amplitude=hqet3_amplitude,
    reference="as HQET2, with the scalar form factors of M. Tanaka, R. Watanabe, arXiv:1005.4306 "
    "(D) and S. Fajfer, J. F. Kamenik, I. Nisandzic, arXiv:1203.2654 (D*)",
    scalar_parameters=("V1(1)", "rho2", "Delta"),
    vector_parameters=("hA1(1)", "rho2", "R0(1)", "R1(1)", "R2(1)"),
)
