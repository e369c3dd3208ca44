"""Two-body decays of bosons with given helicity amplitudes."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import carray

from simgen.jit import kernel
from simgen.models.two_body import PHOTON, TwoBodyModel, spin_of, write_two_body

_TENSOR, _VECTOR, _SCALAR = 4, 2, 0


@kernel
def _allowed(pdgids: Any, l_1: int, l_2: int) -> bool:
    """Say whether a pair of helicities exists: |l1 - l2| <= J, and no photon of helicity 0."""
    if (pdgids[1] == PHOTON and l_1 == 0) or (pdgids[2] == PHOTON and l_2 == 0):
        return False
    return bool(abs(l_1 - l_2) <= spin_of(pdgids[0]))


def helicity_amplitude(parameters: Any, pdgids: Any, momenta: Any, out: Any) -> None:
    r"""Decay A -> B C with H(l1, l2) = magnitude exp(i phase), see `simgen.models.two_body`.

    Parameters are listed from the highest helicity of B downwards and, for each, from the highest
    of C downwards; pairs with |l1 - l2| > J do not exist and are left out.
    """
    codes = carray(pdgids, 3)
    values = carray(parameters, 50)
    spin_1, spin_2 = spin_of(codes[1]), spin_of(codes[2])
    h = np.zeros((5, 5), dtype=np.complex128)
    n = 0
    for l_1 in range(spin_1, -spin_1 - 1, -1):
        for l_2 in range(spin_2, -spin_2 - 1, -1):
            if _allowed(codes, l_1, l_2):
                h[l_1 + spin_1, l_2 + spin_2] = values[n] * np.exp(1j * values[n + 1])
                n += 2
    write_two_body(h, codes, carray(momenta, (3, 4)), carray(out, 125))


def _names(*pdgids: int) -> list[str]:
    """Return the names of the helicity amplitudes, in the order of the parameters."""
    spin_1, spin_2 = spin_of(pdgids[1]), spin_of(pdgids[2])
    return [
        f"H({l_1:+d},{l_2:+d})"
        for l_1 in range(spin_1, -spin_1 - 1, -1)
        for l_2 in range(spin_2, -spin_2 - 1, -1)
        if _allowed(pdgids, l_1, l_2)
    ]


@kernel
def zero_helicity(value: complex, codes: Any, momenta: Any, out: Any) -> None:
    """Write the amplitude of S -> D S, S -> S D or D -> S S with helicity 0 of size `value`."""
    h = np.zeros((5, 5), dtype=np.complex128)
    h[spin_of(codes[1]), spin_of(codes[2])] = value
    write_two_body(h, codes, momenta, out)


def zero_helicity_amplitude(
    parameters: Any,  # noqa: ARG001
    pdgids: Any,
    momenta: Any,
    out: Any,
) -> None:
    r"""T -> S S and S -> T S, with the tensor's helicity 0: A_j ~ T^j_ab n_a n_b.

    It is eps_{mu nu} q^mu q^nu with q the momentum of a scalar, divided by its length, so the rate
    does not depend on the masses drawn.
    """
    zero_helicity(1.0 + 0.0j, carray(pdgids, 3), carray(momenta, (3, 4)), carray(out, 125))


_JACOB_WICK = "M. Jacob, G. C. Wick, Ann. Phys. 7 (1959) 404"

HELAMP = TwoBodyModel(
    name="HELAMP",
    amplitude=helicity_amplitude,
    reference=f"{_JACOB_WICK}; EvtGen guide, model HELAMP (bosons)",
    couplings=_names,
)

SVV_HELAMP = TwoBodyModel(
    name="SVV_HELAMP",
    amplitude=helicity_amplitude,
    reference=f"{_JACOB_WICK}; G. Kramer, W. F. Palmer, PRD 45 (1992) 193; EvtGen guide",
    parent_spin2=_SCALAR,
    daughter_spins2=(_VECTOR, _VECTOR),
    couplings=_names,
)

SVP_HELAMP = TwoBodyModel(
    name="SVP_HELAMP",
    amplitude=helicity_amplitude,
    reference=f"{_JACOB_WICK}; EvtGen guide, model SVP_HELAMP (S -> V gamma)",
    parent_spin2=_SCALAR,
    daughter_spins2=(_VECTOR, _VECTOR),
    couplings=_names,
)

TSS = TwoBodyModel(
    name="TSS",
    amplitude=zero_helicity_amplitude,
    reference=f"{_JACOB_WICK}; EvtGen guide, model TSS",
    parent_spin2=_TENSOR,
    daughter_spins2=(_SCALAR, _SCALAR),
)

STS = TwoBodyModel(
    name="STS",
    amplitude=zero_helicity_amplitude,
    reference=f"{_JACOB_WICK}; EvtGen guide, model STS",
    parent_spin2=_SCALAR,
    daughter_spins2=(_TENSOR, _SCALAR),
)
