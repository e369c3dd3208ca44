r"""CB3PI-P00 and CB3PI-MPP: B+ -> pi+ pi0 pi0 and pi- pi+ pi+ through rho mesons.

A. E. Snyder, H. R. Quinn, Phys. Rev. D 48 (1993) 2139. With a the pion that is not like the others
b and c, the amplitude is F(ab; c) + F(ac; b), F(ab; c) = f(s_ab) cos(theta), theta between a and c
in the rest frame of a and b, and (J. H. Kuehn, A. Santamaria, Z. Phys. C 48 (1990) 445)

    f(s) = sum_R c_R m_R^2 / (m_R^2 - s - i sqrt(s) Gamma_R(s)),
    Gamma_R(s) = Gamma_R (m_R^2 / s) ((s - 4 m_pi^2) / (m_R^2 - 4 m_pi^2))^(3/2)

over rho(770), rho(1450) and rho(1700), with ALEPH's values (Z. Phys. C 76 (1997) 15). Between the
threshold with a pi0 and 4 m_pi^2 the widths are 0, where EvtGen has f = 0. The parameter alpha is
in a factor common to all of the Dalitz plot; branching fractions are the decay file's.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numba import carray

from simgen.jit import kernel
from simgen.models.contract import DecayModel, Parameters

if TYPE_CHECKING:
    from collections.abc import Sequence

    from simgen.particles import ParticleData

_M_PI_2 = 0.13956995**2
# c, m and Gamma of each, GeV
_RHOS = ((1.0, 0.7734, 0.1477), (-0.229, 1.465, 0.696), (0.075, 1.760, 0.215))
_PIONS = (111, 211)


@kernel
def _rhos(s: float) -> complex:
    """Return f(s)."""
    total = 0.0j
    room = max(s - 4.0 * _M_PI_2, 0.0)
    for c, m, width in _RHOS:
        m_2 = m * m
        ratio = room / (m_2 - 4.0 * _M_PI_2)
        running = width * m_2 / s * ratio * np.sqrt(ratio)
        total += c * m_2 / complex(m_2 - s, -np.sqrt(s) * running)
    return total


@kernel
def _product(p: Any, i: int, j: int) -> float:
    """Return p_i . p_j."""
    space = p[i, 0] * p[j, 0] + p[i, 1] * p[j, 1] + p[i, 2] * p[j, 2]
    return float(p[i, 3] * p[j, 3] - space)


@kernel
def pair_in_p_wave(p: Any, a: int, b: int, c: int) -> complex:
    """Return F(ab; c)."""
    aa, bb, cc = _product(p, a, a), _product(p, b, b), _product(p, c, c)
    ab, ac, bc = _product(p, a, b), _product(p, a, c), _product(p, b, c)
    s = aa + bb + 2.0 * ab
    # energies and momenta of a and c in the rest frame of a and b, times sqrt(s)
    e_a, e_c = aa + ab, ac + bc
    p_a, p_c = e_a * e_a - s * aa, e_c * e_c - s * cc
    if p_a <= 0.0 or p_c <= 0.0:
        return 0.0j
    return complex(_rhos(s) * (e_a * e_c - s * ac) / np.sqrt(p_a * p_c))


def charged_b_to_three_pions(parameters: Any, pdgids: Any, momenta: Any, out: Any) -> None:  # noqa: ARG001
    """Write F(ab; c) + F(ac; b)."""
    p, ids = carray(momenta, (4, 4)), carray(pdgids, 4)
    a = 1
    if ids[1] == ids[3]:
        a = 2
    elif ids[1] == ids[2]:
        a = 3
    b = 2 if a == 1 else 1
    c = 6 - a - b
    carray(out, 1)[0] = pair_in_p_wave(p, a, b, c) + pair_in_p_wave(p, a, c, b)


class ThreePionModel(DecayModel):
    """CB3PI-P00 and CB3PI-MPP."""

    def problem(
        self, parameters: Parameters, parent: ParticleData, daughters: Sequence[ParticleData]
    ) -> str | None:
        """Say why this model cannot serve a decay; see `DecayModel.problem`."""
        found = DecayModel.problem(self, parameters, parent, daughters)
        if found is not None:
            return found
        ids = [d.pdgid for d in daughters]
        if any(abs(i) not in _PIONS for i in ids) or len(set(ids)) != len(ids) - 1:
            found_names = " ".join(d.name for d in daughters)
            return f"{self.name} makes three pions, two of them alike, found {found_names}"
        return None


CB3PI_P00 = ThreePionModel(
    name="CB3PI-P00",
    amplitude=charged_b_to_three_pions,
    reference="A. E. Snyder, H. R. Quinn, Phys. Rev. D 48 (1993) 2139",
    parameters=("alpha",),
    n_required=1,
    parent_spin2=0,
    daughter_spins2=(0, 0, 0),
)

CB3PI_MPP = replace(CB3PI_P00, name="CB3PI-MPP")
