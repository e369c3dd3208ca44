r"""BTO3PI_CP: B0 -> pi+ pi- pi0 through rho mesons that interfere, with the asymmetry in time.

A. E. Snyder, H. R. Quinn, Phys. Rev. D 48 (1993) 2139. With F of `simgen.models.b_three_pions`,
f_+ = F(pi+ pi0; pi-), f_- = F(pi0 pi-; pi+) and f_0 = F(pi+ pi-; pi0), the amplitudes of B0 and
anti-B0 to the same point of the Dalitz plot are

    A = S_3 f_+ + S_4 f_- + S_5 f_0 / 2,  Abar = S_3~ f_- + S_4~ f_+ + S_5~ f_0 / 2,

    S_3 = T_+- + P_1 + P_0,  S_4 = T_-+ - P_1 + P_0,  S_5 = T_+0 + T_0+ - T_+- - T_-+ - 2 P_0.

All T of A have the phase -alpha, those of Abar alpha; the mixing phase is absorbed, so that q/p is
1 and the penguins P have strong phases only. Sizes are those of EvtGen, from factorisation and a
quark model (EvtGen guide): T_+- = 1, T_-+ = 0.47, T_+0 = 1.09, T_0+ = 0.66,
P_1 + P_0 = -0.2 exp(-0.5 i), P_0 - P_1 = 0.15 exp(2 i).

The parameters are the mass difference dm, 1/s, and alpha; `simgen.engine.oscillation` has the rest.
"""

from __future__ import annotations

import cmath
from typing import TYPE_CHECKING, Any

from numba import carray

from simgen.models.b_three_pions import pair_in_p_wave
from simgen.models.contract import Oscillation, Parameters
from simgen.models.oscillating import OscillatingModel

if TYPE_CHECKING:
    from collections.abc import Sequence

    from simgen.particles import ParticleData

_B0, _PI_PLUS, _PI_0 = 511, 211, 111
_TREES = (1.0, 0.47, 1.09, 0.66)  # +-, -+, +0, 0+
_PENGUIN_PLUS, _PENGUIN_MINUS = -0.2 * cmath.rect(1.0, -0.5), 0.15 * cmath.rect(1.0, 2.0)


def charge_amplitudes(alpha: float) -> tuple[complex, complex, complex]:
    """Return S_3, S_4 and S_5 of the module's docstring for B0; with -alpha for anti-B0."""
    weak = cmath.rect(1.0, -alpha)
    plus, minus, zero_1, zero_2 = (weak * size for size in _TREES)
    neutral = zero_1 + zero_2 - plus - minus - (_PENGUIN_PLUS + _PENGUIN_MINUS)
    return plus + _PENGUIN_PLUS, minus + _PENGUIN_MINUS, neutral


def neutral_b_to_three_pions(parameters: Any, pdgids: Any, momenta: Any, out: Any) -> None:
    """Write alpha A + beta Abar, with the flavour state in the last row of the momenta."""
    v = carray(parameters, 12)
    p, ids = carray(momenta, (5, 4)), carray(pdgids, 4)
    plus, minus, zero = 1, 2, 3
    for k in range(1, 4):
        if ids[k] == _PI_PLUS:
            plus = k
        elif ids[k] == -_PI_PLUS:
            minus = k
        else:
            zero = k
    f_plus = pair_in_p_wave(p, plus, zero, minus)
    f_minus = pair_in_p_wave(p, zero, minus, plus)
    f_zero = pair_in_p_wave(p, plus, minus, zero)
    a = complex(v[0], v[1]) * f_plus + complex(v[2], v[3]) * f_minus
    a += complex(v[4], v[5]) * f_zero
    b = complex(v[6], v[7]) * f_minus + complex(v[8], v[9]) * f_plus
    b += complex(v[10], v[11]) * f_zero
    carray(out, 1)[0] = complex(p[4, 0], p[4, 1]) * a + complex(p[4, 2], p[4, 3]) * b


class NeutralThreePionModel(OscillatingModel):
    """BTO3PI_CP, its daughters in any order."""

    def oscillation(self, parameters: Parameters) -> Oscillation:
        """Return how the meson mixes; see `DecayModel.oscillation`."""
        return Oscillation(float(parameters[0]))

    def prepare(
        self,
        parameters: Parameters,
        parent: ParticleData,  # noqa: ARG002
        daughters: Sequence[ParticleData],  # noqa: ARG002
    ) -> tuple[float, ...]:
        """Return S_3, S_4 and S_5 / 2 of B0, then those of anti-B0, real and imaginary parts."""
        alpha = float(parameters[1])
        values: list[float] = []
        for angle in (alpha, -alpha):
            plus, minus, neutral = charge_amplitudes(angle)
            for s in (plus, minus, 0.5 * neutral):
                values += [s.real, s.imag]
        return tuple(values)

    def problem(
        self, parameters: Parameters, parent: ParticleData, daughters: Sequence[ParticleData]
    ) -> str | None:
        """Say why this model cannot serve a decay; see `DecayModel.problem`."""
        found = OscillatingModel.problem(self, parameters, parent, daughters)
        if found is not None:
            return found
        if abs(parent.pdgid) != _B0:
            return f"{self.name} decays B0 or anti-B0, found {parent.name}"
        if sorted(d.pdgid for d in daughters) != [-_PI_PLUS, _PI_0, _PI_PLUS]:
            names = " ".join(d.name for d in daughters)
            return f"{self.name} makes pi+ pi- pi0, in any order, found {names}"
        if float(parameters[0]) < 0.0:
            return f"{self.name} needs dm >= 0, found {parameters[0]}"
        return None


BTO3PI_CP = NeutralThreePionModel(
    name="BTO3PI_CP",
    amplitude=neutral_b_to_three_pions,
    reference="A. E. Snyder, H. R. Quinn, Phys. Rev. D 48 (1993) 2139; EvtGen guide, BTO3PI_CP",
    parameters=("dm", "alpha"),
    n_required=2,
    parent_spin2=0,
    daughter_spins2=(0, 0, 0),
)
