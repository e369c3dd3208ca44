"""Semileptonic decays with pole form factors: SLPOLE and SLBKPOLE.

SLPOLE gives each form factor four parameters,

    F(q^2) = F(0) / (1 + a x + b x^2)^n,  x = q^2/M^2,

for f_+ and f_0 of a scalar, A_1, A_2, V and A_0 of a vector, h, k, b_+ and b_- of a tensor.
SLBKPOLE is the two-pole form of D. Becirevic, A. B. Kaidalov, Phys. Lett. B 478 (2000) 417,
hep-ph/9904490: with x = q^2/m*^2 and m* the mass of the lowest vector of the current,

    f_+ = F/((1 - x)(1 - alpha x)),  f_0 = F/(1 - x/beta)

and for a vector V and A_0 with two poles each, A_1 with one, A_2 with two effective ones:

    V = V(0)/((1 - x)(1 - a x)),  A_0 = A_0(0)/((1 - y)(1 - a' y)),
    A_1 = A_1(0)/(1 - b' x),      A_2 = A_2(0)/((1 - b' x)(1 - b'' x))

where y = q^2/M^2 and m*, not a parameter here, is that of the parent's vector: B*, B_s*, D*, D_s*.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from numba import carray

from simgen.jit import kernel
from simgen.models.semileptonic import (
    SemileptonicModel,
    kinematics,
    meson_spin_states,
    polarised_amplitude,
    scalar_amplitude,
    vector_current,
)
from simgen.particles import particle_table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from simgen.models.contract import Parameters
    from simgen.particles import ParticleData

_SCALAR = 0
_SCALAR_STATES, _VECTOR_STATES = 1, 3


@kernel
def _pole(c: Any, first: int, x: float) -> float:
    """Return F(0) / (1 + a x + b x^2)^n of the four parameters that begin at `first`."""
    value: float = c[first] / (1.0 + c[first + 1] * x + c[first + 2] * x * x) ** c[first + 3]
    return value


def slpole_amplitude(parameters: Any, pdgids: Any, momenta: Any, out: Any) -> None:
    """P -> meson l nu, every form factor F(0) / (1 + a x + b x^2)^n."""
    p = carray(momenta, (4, 4))
    ids = carray(pdgids, 4)
    _, _, q2 = kinematics(p)
    x = q2 / (p[0, 3] * p[0, 3])
    n_states = meson_spin_states(ids[1])
    if n_states == _SCALAR_STATES:
        c = carray(parameters, 8)
        scalar_amplitude(p, ids, _pole(c, 0, x), _pole(c, 4, x), carray(out, (1, 2)))
        return
    c = carray(parameters, 16)
    one, two, three, four = _pole(c, 0, x), _pole(c, 4, x), _pole(c, 8, x), _pole(c, 12, x)
    if n_states == _VECTOR_STATES:
        f, g, plus, minus = vector_current(p, four, one, two, three)
        polarised_amplitude(p, ids, f, g, plus, minus, out)
    else:
        polarised_amplitude(p, ids, two, one, three, four, out)


def slbkpole_amplitude(parameters: Any, pdgids: Any, momenta: Any, out: Any) -> None:
    """P -> P' l nu or V l nu with the form factors of Becirevic and Kaidalov."""
    p = carray(momenta, (4, 4))
    ids = carray(pdgids, 4)
    _, _, q2 = kinematics(p)
    if meson_spin_states(ids[1]) == _SCALAR_STATES:
        c = carray(parameters, 4)
        x = q2 / (c[3] * c[3])
        f_plus = c[0] / ((1.0 - x) * (1.0 - c[1] * x))
        scalar_amplitude(p, ids, f_plus, c[0] / (1.0 - x / c[2]), carray(out, (1, 2)))
    else:
        c = carray(parameters, 9)
        x, y = q2 / (c[8] * c[8]), q2 / (p[0, 3] * p[0, 3])
        v = c[0] / ((1.0 - x) * (1.0 - c[4] * x))
        a0 = c[1] / ((1.0 - y) * (1.0 - c[5] * y))
        a1 = c[2] / (1.0 - c[6] * x)
        a2 = c[3] / ((1.0 - c[6] * x) * (1.0 - c[7] * x))
        f, g, plus, minus = vector_current(p, a0, a1, a2, v)
        polarised_amplitude(p, ids, f, g, plus, minus, out)


class TwoPoleModel(SemileptonicModel):
    """SLBKPOLE, which looks up the pole of the parent's vector meson."""

    def prepare(
        self, parameters: Parameters, parent: ParticleData, daughters: Sequence[ParticleData]
    ) -> tuple[float, ...]:
        """Return the parameters, and for a vector meson m* after them."""
        given = super().prepare(parameters, parent, daughters)
        if daughters[0].spin2 == _SCALAR:
            return given
        vector = particle_table().by_pdgid(abs(parent.pdgid) + 2)  # 511 -> 513
        return (*given, vector.mass)


def _four_each(*names: str) -> tuple[str, ...]:
    """Return the names of the parameters of SLPOLE."""
    return tuple(f"{name} {part}" for name in names for part in ("F(0)", "a", "b", "n"))


SLPOLE = SemileptonicModel(
    name="SLPOLE",
    amplitude=slpole_amplitude,
    reference="J. D. Richman, P. R. Burchat, Rev. Mod. Phys. 67 (1995) 893, hep-ph/9508250",
    scalar_parameters=_four_each("f_+", "f_0"),
    vector_parameters=_four_each("A_1", "A_2", "V", "A_0"),
    tensor_parameters=_four_each("h", "k", "b_+", "b_-"),
)

SLBKPOLE = TwoPoleModel(
    name="SLBKPOLE",
    amplitude=slbkpole_amplitude,
    reference="D. Becirevic, A. B. Kaidalov, Phys. Lett. B 478 (2000) 417, hep-ph/9904490",
    scalar_parameters=("f(0)", "alpha", "beta", "m*"),
    vector_parameters=("V(0)", "A0(0)", "A1(0)", "A2(0)", "a", "a'", "b'", "b''"),
)
