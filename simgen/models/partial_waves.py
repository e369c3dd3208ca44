"""Two-body decays with given partial waves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numba import carray

from simgen.jit import kernel
from simgen.models.two_body import TwoBodyModel, spin2_of, write_two_body

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
    """Return <j1 m1 j2 m2 | j m1+m2>, all numbers doubled, with Condon-Shortley phases.

    Racah's sum: A. R. Edmonds, Angular Momentum in Quantum Mechanics, eq. (3.6.10) f.
    """
    m = m_1 + m_2
    if j < abs(j_1 - j_2) or j > j_1 + j_2 or abs(m) > j or abs(m_1) > j_1 or abs(m_2) > j_2:
        return 0.0
    first, second, third = (j_1 + j_2 - j) // 2, (j_1 - j_2 + j) // 2, (j_2 - j_1 + j) // 2
    up_1, down_1 = (j_1 + m_1) // 2, (j_1 - m_1) // 2
    up_2, down_2 = (j_2 + m_2) // 2, (j_2 - m_2) // 2
    triangle = (_factorial(first) * _factorial(second) * _factorial(third)) / _factorial(
        (j_1 + j_2 + j) // 2 + 1
    )
    heights = _factorial((j + m) // 2) * _factorial((j - m) // 2)
    heights *= _factorial(up_1) * _factorial(down_1) * _factorial(up_2) * _factorial(down_2)
    low = max(0, down_1 - second, up_2 - third)
    high = min(first, down_1, up_2)
    total = 0.0
    for k in range(low, high + 1):
        total += (-1.0) ** k / (
            _factorial(k)
            * _factorial(first - k)
            * _factorial(down_1 - k)
            * _factorial(up_2 - k)
            * _factorial(second - down_1 + k)
            * _factorial(third - up_2 + k)
        )
    return float(np.sqrt((j + 1) * triangle * heights) * total)


@kernel
def _is_wave(spin: int, wave: int, total: int) -> bool:
    """Say whether orbital angular momentum and total spin, both doubled, make the parent's spin."""
    return abs(spin - wave) <= total <= spin + wave


def partial_wave_amplitude(parameters: Any, pdgids: Any, momenta: Any, out: Any) -> None:
    r"""Decay A -> B C from partial waves a(L, S) = magnitude exp(i phase).

    H(l1, l2) = sum of a(L, S) sqrt((2L+1)/(2J+1)) <L 0 S l|J l> <s1 l1 s2 -l2|S l> with
    l = l1 - l2, so the rate is the sum of the |a|^2, less what they give to helicities that a
    photon or a neutrino has not. L ascends and, for each L, the total spin S
    of the daughters from |s1 - s2| to s1 + s2, as far as they make J.
    """
    codes = carray(pdgids, 3)
    values = carray(parameters, 50)
    spin, spin_1, spin_2 = spin2_of(codes[0]), spin2_of(codes[1]), spin2_of(codes[2])
    h = np.zeros((5, 5), dtype=np.complex128)
    n = 0
    for wave in range(0, spin + spin_1 + spin_2 + 1, 2):
        for total in range(abs(spin_1 - spin_2), spin_1 + spin_2 + 1, 2):
            if not _is_wave(spin, wave, total):
                continue
            amplitude = values[n] * np.exp(1j * values[n + 1])
            n += 2
            if amplitude == 0.0:
                continue
            amplitude *= np.sqrt((wave + 1) / (spin + 1))
            for a in range(spin_1 + 1):
                for b in range(spin_2 + 1):
                    l_1, l_2 = 2 * a - spin_1, 2 * b - spin_2
                    h[a, b] += (
                        amplitude
                        * clebsch_gordan(wave, 0, total, l_1 - l_2, spin)
                        * clebsch_gordan(spin_1, l_1, spin_2, -l_2, total)
                    )
    write_two_body(h, codes, carray(momenta, (3, 4)), carray(out, 125))


def _names(*pdgids: int) -> list[str]:
    """Return the names of the partial waves, in the order of the parameters."""
    spin, spin_1, spin_2 = (spin2_of(pdgid) for pdgid in pdgids)
    return [
        f"a(L={wave // 2}, S={_spin(total)})"
        for wave in range(0, spin + spin_1 + spin_2 + 1, 2)
        for total in range(abs(spin_1 - spin_2), spin_1 + spin_2 + 1, 2)
        if _is_wave(spin, wave, total)
    ]


def _spin(doubled: int) -> str:
    """Return a spin as people write it: 1, 3/2."""
    return f"{doubled}/2" if doubled % 2 else f"{doubled // 2}"


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
    reference=f"{_REFERENCE}; EvtGen guide, model PARTWAVE",
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
