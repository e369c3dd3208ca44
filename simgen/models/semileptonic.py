"""Semileptonic decays of pseudoscalars, P -> P' l nu and P -> V l nu.

The amplitude is H_mu L^mu, with L the left-handed current of the leptons and H the current of
the mesons (M. Wirbel, B. Stech, M. Bauer, Z. Phys. C 29 (1985) 637), q = P - p:

    P':  f_+ (P + p - q (M^2 - m^2)/q^2) + f_0 q (M^2 - m^2)/q^2
    V:   (M + m) A_1 eps* - A_2/(M + m) (eps*.q) (P + p) - 2 m (A_3 - A_0)/q^2 (eps*.q) q
         +- 2 i V/(M + m) epsilon(eps*, P, p),  2 m A_3 = (M + m) A_1 - (M - m) A_2

The sign makes the vector left-handed where a quark decays, right-handed where an antiquark does.
Lepton masses are kept everywhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numba import carray

from simgen.jit import kernel
from simgen.models.contract import DecayModel, Parameters
from simgen.models.form_factors_cln import scalar_form_factors, vector_form_factors
from simgen.spin import vector_state
from simgen.spinors import charged_current, left_spinor, neutrino_spinor

if TYPE_CHECKING:
    from collections.abc import Sequence

    from simgen.particles import ParticleData

_HALF, _VECTOR, _SCALAR = 1, 2, 0


@kernel
def _antiquark_decays(pdgid: int) -> bool:
    """Say whether the heaviest quark of a meson is an antiquark: K+, B+, B0, but D-, anti-D0."""
    down_type = (abs(pdgid) // 100) % 2 == 1
    return down_type == (pdgid > 0)


@kernel
def _masses(p: Any) -> tuple[float, float, float]:
    """Return the masses of meson and lepton, and q^2, from the rows of momenta."""
    meson = p[1, 3] ** 2 - p[1, 0] ** 2 - p[1, 1] ** 2 - p[1, 2] ** 2
    lepton = p[2, 3] ** 2 - p[2, 0] ** 2 - p[2, 1] ** 2 - p[2, 2] ** 2
    p2 = p[1, 0] ** 2 + p[1, 1] ** 2 + p[1, 2] ** 2
    return np.sqrt(meson), np.sqrt(lepton), (p[0, 3] - p[1, 3]) ** 2 - p2


@kernel
def _leptons(p: Any, mass: float, j: int, anti: bool) -> tuple[complex, complex, complex, complex]:
    """Return the current (x, y, z, t) of rows 2 (lepton, spin state j) and 3 (neutrino)."""
    n0, n1 = neutrino_spinor(p[3, 0], p[3, 1], p[3, 2], p[3, 3])
    l0, l1 = left_spinor(p[2, 0], p[2, 1], p[2, 2], p[2, 3], mass, j, anti)
    return charged_current(l0, l1, n0, n1, anti)


@kernel
def scalar_amplitude(p: Any, pdgids: Any, f_plus: float, f_zero: float, a: Any) -> None:
    """Write the amplitude of P -> P' l nu.

    Parameters
    ----------
    p
        (4, 4) momenta (px, py, pz, E) of parent, meson, lepton, neutrino; parent's rest frame, GeV.
    pdgids
        (4,) their PDG numbers.
    f_plus, f_zero
        Form factors at this q^2.
    a
        (1, 2) receives the amplitude for the lepton's spin states.
    """
    meson, lepton, q2 = _masses(p)
    mass = p[0, 3]
    c = (f_zero - f_plus) * (mass * mass - meson * meson) / q2
    # H = f_+ (P + p) + c q, and q = (M - E, -p)
    time = f_plus * (mass + p[1, 3]) + c * (mass - p[1, 3])
    for j in range(2):
        x, y, z, t = _leptons(p, lepton, j, pdgids[2] < 0)
        a[0, j] = time * t - (f_plus - c) * (x * p[1, 0] + y * p[1, 1] + z * p[1, 2])


@kernel
def vector_amplitude(
    p: Any, pdgids: Any, a_zero: float, a_one: float, a_two: float, v: float, a: Any
) -> None:
    """Write the amplitude of P -> V l nu.

    Parameters
    ----------
    p
        (4, 4) momenta (px, py, pz, E) of parent, meson, lepton, neutrino; parent's rest frame, GeV.
    pdgids
        (4,) their PDG numbers.
    a_zero, a_one, a_two, v
        Form factors at this q^2.
    a
        (3, 2) receives the amplitude for the spin states of vector and lepton.
    """
    meson, lepton, q2 = _masses(p)
    mass = p[0, 3]
    total = mass + meson
    c1, c2 = total * a_one, a_two / total
    c3 = (total * a_one - (mass - meson) * a_two - 2.0 * meson * a_zero) / q2
    # epsilon(eps, P, p) = M eps x p in the parent's rest frame
    cv = 2.0 * mass * v / total
    if not _antiquark_decays(pdgids[0]):
        cv = -cv
    px, py, pz = p[1, 0], p[1, 1], p[1, 2]
    for j in range(2):
        x, y, z, t = _leptons(p, lepton, j, pdgids[2] < 0)
        along = px * x + py * y + pz * z
        sum_l = (mass + p[1, 3]) * t - along
        q_l = (mass - p[1, 3]) * t + along
        for i in range(3):
            ex, ey, ez, et = vector_state(px, py, pz, p[1, 3], meson, i)
            eps_l = et * t - ex * x - ey * y - ez * z
            cross = (ey * pz - ez * py) * x + (ez * px - ex * pz) * y + (ex * py - ey * px) * z
            # eps.q = eps.P, as eps.p = 0
            a[i, j] = c1 * eps_l - mass * et * (c2 * sum_l + c3 * q_l) - 1j * cv * cross


@dataclass(frozen=True)
class SemileptonicModel(DecayModel):
    """A model whose parameters depend on the spin of the meson.

    Attributes
    ----------
    scalar_parameters, vector_parameters
        Names of the parameters, all needed, for a scalar and for a vector meson.
    """

    scalar_parameters: tuple[str, ...] = ()
    vector_parameters: tuple[str, ...] = ()

    def problem(
        self, parameters: Parameters, parent: ParticleData, daughters: Sequence[ParticleData]
    ) -> str | None:
        """Say why this model cannot serve a decay; see `DecayModel.problem`."""
        vector = len(daughters) > 0 and daughters[0].spin2 == _VECTOR
        names = self.vector_parameters if vector else self.scalar_parameters
        variant = DecayModel(
            name=self.name,
            amplitude=self.amplitude,
            reference=self.reference,
            parameters=names,
            n_required=len(names),
            parent_spin2=_SCALAR,
            daughter_spins2=(_VECTOR if vector else _SCALAR, _HALF, _HALF),
        )
        return variant.problem(parameters, parent, daughters)


def hqet2_amplitude(parameters: Any, pdgids: Any, momenta: Any, out: Any) -> None:
    """B -> D l nu or D* l nu with the form factors of CLN."""
    p = carray(momenta, (4, 4))
    ids = carray(pdgids, 4)
    meson, _, q2 = _masses(p)
    if abs(ids[1]) % 10 == 1:  # 2 J + 1 of the PDG numbering scheme
        c = carray(parameters, 2)
        f_plus, f_zero = scalar_form_factors(p[0, 3], meson, q2, c[0], c[1])
        scalar_amplitude(p, ids, f_plus, f_zero, carray(out, (1, 2)))
    else:
        c = carray(parameters, 4)
        a0, a1, a2, v = vector_form_factors(p[0, 3], meson, q2, c[0], c[1], c[2], c[3])
        vector_amplitude(p, ids, a0, a1, a2, v, carray(out, (3, 2)))


HQET2 = SemileptonicModel(
    name="HQET2",
    amplitude=hqet2_amplitude,
    reference="I. Caprini, L. Lellouch, M. Neubert, Nucl. Phys. B 530 (1998) 153, hep-ph/9712417",
    scalar_parameters=("rho2", "V1(1)"),
    vector_parameters=("rho2", "hA1(1)", "R1(1)", "R2(1)"),
)
