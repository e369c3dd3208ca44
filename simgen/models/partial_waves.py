"""Two-body decays of bosons with given partial waves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numba import carray

from simgen.jit import kernel
from simgen.models.two_body import TwoBodyModel, spin_of, write_two_body

if TYPE_CHECKING:
    from collections.abc import Sequence

    from simgen.models.contract import Parameters
    from simgen.particles import ParticleData

_TENSOR, _VECTOR, _SCALAR = 4, 2, 0
_D_WAVE = np.sqrt(2.0) / 3.0  # of VVS_PWAVE: the root of 2/3 over 3


@kernel
def _factorial(n: int) -> float:
    """Return n!, n >= 0."""
    product = 1.0
    for i in range(2, n + 1):
        product *= i
    return product


@kernel
def clebsch_gordan(j_1: int, m_1: int, j_2: int, m_2: int, j: int) -> float:
    """Return <j1 m1 j2 m2 | j m1+m2> of integer angular momenta, Condon-Shortley phases.

    Racah's sum: A. R. Edmonds, Angular Momentum in Quantum Mechanics, eq. (3.6.10) f.
    """
    m = m_1 + m_2
    if j < abs(j_1 - j_2) or j > j_1 + j_2 or abs(m) > j or abs(m_1) > j_1 or abs(m_2) > j_2:
        return 0.0
    triangle = (
        _factorial(j_1 + j_2 - j) * _factorial(j_1 - j_2 + j) * _factorial(j_2 - j_1 + j)
    ) / _factorial(j_1 + j_2 + j + 1)
    heights = (
        _factorial(j + m) * _factorial(j - m) * _factorial(j_1 + m_1) * _factorial(j_1 - m_1)
    ) * (_factorial(j_2 + m_2) * _factorial(j_2 - m_2))
    low = max(0, j_2 - j - m_1, j_1 - j + m_2)
    high = min(j_1 + j_2 - j, j_1 - m_1, j_2 + m_2)
    total = 0.0
    for k in range(low, high + 1):
        total += (-1.0) ** k / (
            _factorial(k)
            * _factorial(j_1 + j_2 - j - k)
            * _factorial(j_1 - m_1 - k)
            * _factorial(j_2 + m_2 - k)
            * _factorial(j - j_2 + m_1 + k)
            * _factorial(j - j_1 - m_2 + k)
        )
    return float(np.sqrt((2 * j + 1) * triangle * heights) * total)


def partial_wave_amplitude(parameters: Any, pdgids: Any, momenta: Any, out: Any) -> None:
    r"""Decay A -> B C from partial waves a(L, S) = magnitude exp(i phase).

    H(l1, l2) = sum of a(L, S) sqrt((2L+1)/(2J+1)) <L 0 S l|J l> <s1 l1 s2 -l2|S l> with
    l = l1 - l2, so the rate is the sum of the |a|^2. L ascends and, for each L, the total spin S
    of the daughters from |s1 - s2| to s1 + s2, as far as they make J.
    """
    codes = carray(pdgids, 3)
    values = carray(parameters, 50)
    spin, spin_1, spin_2 = spin_of(codes[0]), spin_of(codes[1]), spin_of(codes[2])
    h = np.zeros((5, 5), dtype=np.complex128)
    n = 0
    for wave in range(spin + spin_1 + spin_2 + 1):
        for total in range(abs(spin_1 - spin_2), spin_1 + spin_2 + 1):
            if total < abs(spin - wave) or total > spin + wave:
                continue
            a = values[n] * np.exp(1j * values[n + 1])
            n += 2
            if a == 0.0:
                continue
            a *= np.sqrt((2 * wave + 1) / (2 * spin + 1))
            for l_1 in range(-spin_1, spin_1 + 1):
                for l_2 in range(-spin_2, spin_2 + 1):
                    h[l_1 + spin_1, l_2 + spin_2] += (
                        a
                        * clebsch_gordan(wave, 0, total, l_1 - l_2, spin)
                        * clebsch_gordan(spin_1, l_1, spin_2, -l_2, total)
                    )
    write_two_body(h, codes, carray(momenta, (3, 4)), carray(out, 125))


def _names(*pdgids: int) -> list[str]:
    """Return the names of the partial waves, in the order of the parameters."""
    spin, spin_1, spin_2 = (spin_of(pdgid) for pdgid in pdgids)
    return [
        f"a(L={wave}, S={total})"
        for wave in range(spin + spin_1 + spin_2 + 1)
        for total in range(abs(spin_1 - spin_2), spin_1 + spin_2 + 1)
        if abs(spin - wave) <= total <= spin + wave
    ]


class _UnevenWaves(TwoBodyModel):
    """VVS_PWAVE, whose D wave has another norm than its S wave.

    EvtGen has a_S delta_ij + a_D (delta_ij / 3 - n_i n_j), of rates 3 |a_S|^2 and 2/3 |a_D|^2.
    """

    def prepare(
        self,
        parameters: Parameters,
        parent: ParticleData,  # noqa: ARG002
        daughters: Sequence[ParticleData],  # noqa: ARG002
    ) -> tuple[float, ...]:
        """Return partial waves of equal norms."""
        values = [float(p) for p in parameters]
        values[4] *= _D_WAVE
        return tuple(values)


_REFERENCE = "M. Jacob, G. C. Wick, Ann. Phys. 7 (1959) 404; S. U. Chung, CERN 71-8, sect. 4.2"

PARTWAVE = TwoBodyModel(
    name="PARTWAVE",
    amplitude=partial_wave_amplitude,
    reference=f"{_REFERENCE}; EvtGen guide, model PARTWAVE (bosons)",
    couplings=_names,
)

VVS_PWAVE = _UnevenWaves(
    name="VVS_PWAVE",
    amplitude=partial_wave_amplitude,
    reference=f"{_REFERENCE}; EvtGen guide, model VVS_PWAVE (S, P and D wave)",
    parent_spin2=_VECTOR,
    daughter_spins2=(_VECTOR, _SCALAR),
    couplings=_names,
)

TVS_PWAVE = TwoBodyModel(
    name="TVS_PWAVE",
    amplitude=partial_wave_amplitude,
    reference=f"{_REFERENCE}; EvtGen guide, model TVS_PWAVE (P, D and F wave)",
    parent_spin2=_TENSOR,
    daughter_spins2=(_VECTOR, _SCALAR),
    couplings=_names,
)
