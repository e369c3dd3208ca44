"""Two-body decays with given helicity amplitudes."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import carray

from simgen.jit import kernel
from simgen.models.two_body import TwoBodyModel, exists, spin2_of, write_two_body

_TENSOR, _VECTOR, _SCALAR = 4, 2, 0


def helicity_amplitude(parameters: Any, pdgids: Any, momenta: Any, out: Any) -> None:
    r"""Decay A -> B C with H(l1, l2) = magnitude exp(i phase), see `simgen.models.two_body`.

    Parameters are listed from the highest helicity of B downwards and, for each, from the highest
    of C downwards; pairs that do not exist (|l1 - l2| > J, a photon of helicity 0, a right-handed
    neutrino) are left out.
    """
    codes = carray(pdgids, 3)
    values = carray(parameters, 50)
    spin_1, spin_2 = spin2_of(codes[1]), spin2_of(codes[2])
    h = np.zeros((5, 5), dtype=np.complex128)
    n = 0
    for a in range(spin_1, -1, -1):
        for b in range(spin_2, -1, -1):
            if exists(codes, 2 * a - spin_1, 2 * b - spin_2):
                h[a, b] = values[n] * np.exp(1j * values[n + 1])
                n += 2
    write_two_body(h, codes, carray(momenta, (3, 4)), carray(out, 125))


def _signed(doubled: int) -> str:
    """Return a helicity or spin component as people write it: +1, 0, -3/2."""
    return f"{doubled:+d}/2" if doubled % 2 else f"{doubled // 2:+d}"


def _names(*pdgids: int) -> list[str]:
    """Return the names of the helicity amplitudes, in the order of the parameters."""
    spin_1, spin_2 = spin2_of(pdgids[1]), spin2_of(pdgids[2])
    return [
        f"H({_signed(l_1)},{_signed(l_2)})"
        for l_1 in range(spin_1, -spin_1 - 1, -2)
        for l_2 in range(spin_2, -spin_2 - 1, -2)
        if exists(pdgids, l_1, l_2)
    ]


@kernel
def zero_helicity(value: complex, codes: Any, momenta: Any, out: Any) -> None:
    """Write the amplitude of S -> D S, S -> S D or D -> S S with helicity 0 of size `value`."""
    h = np.zeros((5, 5), dtype=np.complex128)
    h[spin2_of(codes[1]) // 2, spin2_of(codes[2]) // 2] = value
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
    reference=f"{_JACOB_WICK}; EvtGen guide, model HELAMP",
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
