"""Semileptonic decays of pseudoscalars to a scalar, vector or tensor meson and l nu.

The amplitude is H_mu L^mu, with L the left-handed current of the leptons and H the current of
the mesons, q = P - p. For a scalar or pseudoscalar meson, and for one with spin states
(M. Wirbel, B. Stech, M. Bauer, Z. Phys. C 29 (1985) 637; N. Isgur, D. Scora, B. Grinstein,
M. B. Wise, Phys. Rev. D 39 (1989) 799),

    f_+ (P + p - q (M^2 - m^2)/q^2) + f_0 q (M^2 - m^2)/q^2
    f e + (e.P) (a_+ (P + p) + a_- q) +- 2 i g epsilon(e, P, p)

e is the polarisation vector eps* of a vector or axial vector, eps*_mu,nu P^nu of a tensor, where
f, a_+, a_-, g are called k, b_+, b_-, h. The sign makes a vector left-handed where a quark decays,
right-handed where an antiquark does. Vectors often have form factors A_0, A_1, A_2, V:

    f = (M + m) A_1,  a_+ = -A_2/(M + m),  a_- = 2 m (A_0 - A_3)/q^2,  g = V/(M + m),
    2 m A_3 = (M + m) A_1 - (M - m) A_2

Lepton masses are kept everywhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from simgen.jit import lean_kernel
from simgen.models.contract import DecayModel, Parameters
from simgen.spin import tensor_component, vector_state
from simgen.spinors import charged_current, contracted, left_spinor, neutrino_spinor
from simgen.view import view

if TYPE_CHECKING:
    from collections.abc import Sequence

    from simgen.particles import ParticleData

_SCALAR, _HALF, _VECTOR, _TENSOR = 0, 1, 2, 4
_TENSOR_STATES = 5


@lean_kernel
def antiquark_decays(pdgid: int) -> bool:
    """Say whether the heaviest quark of a meson is an antiquark: K+, B+, B0, but D-, anti-D0."""
    down_type = (abs(pdgid) // 100) % 2 == 1
    return down_type == (pdgid > 0)


@lean_kernel
def kinematics(p: Any) -> tuple[float, float, float]:
    """Return the masses of meson and lepton, and q^2, from the rows of momenta."""
    meson = p[1, 3] ** 2 - p[1, 0] ** 2 - p[1, 1] ** 2 - p[1, 2] ** 2
    lepton = p[2, 3] ** 2 - p[2, 0] ** 2 - p[2, 1] ** 2 - p[2, 2] ** 2
    p2 = p[1, 0] ** 2 + p[1, 1] ** 2 + p[1, 2] ** 2
    return np.sqrt(meson), np.sqrt(lepton), (p[0, 3] - p[1, 3]) ** 2 - p2


@lean_kernel
def lepton_current(
    p: Any, mass: float, j: int, anti: bool
) -> tuple[complex, complex, complex, complex]:
    """Return the current (x, y, z, t) of rows 2 (lepton, spin state j) and 3 (neutrino)."""
    n0, n1 = neutrino_spinor(p[3, 0], p[3, 1], p[3, 2], p[3, 3])
    l0, l1 = left_spinor(p[2, 0], p[2, 1], p[2, 2], p[2, 3], mass, j, anti)
    return charged_current(l0, l1, n0, n1, anti)


@lean_kernel
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
    meson, lepton, q2 = kinematics(p)
    mass = p[0, 3]
    c = (f_zero - f_plus) * (mass * mass - meson * meson) / q2
    # H = f_+ (P + p) + c q, and q = (M - E, -p)
    time = f_plus * (mass + p[1, 3]) + c * (mass - p[1, 3])
    along = f_plus - c
    anti = pdgids[2] < 0
    # H is real, so H_mu sigmabar^mu acts on the neutrino on either side of the current
    n0, n1 = neutrino_spinor(p[3, 0], p[3, 1], p[3, 2], p[3, 3])
    h0, h1 = contracted(along * p[1, 0], along * p[1, 1], along * p[1, 2], time, n0, n1)
    for j in range(2):
        l0, l1 = left_spinor(p[2, 0], p[2, 1], p[2, 2], p[2, 3], lepton, j, anti)
        value = l0.conjugate() * h0 + l1.conjugate() * h1
        a[0, j] = 2.0 * (value.conjugate() if anti else value)


@lean_kernel
def vector_current(
    p: Any, a_zero: float, a_one: float, a_two: float, v: float
) -> tuple[float, float, float, float]:
    """Return f, g, a_+ and a_- of the form factors A_0, A_1, A_2 and V of P -> V l nu.

    Parameters
    ----------
    p
        (4, 4) momenta (px, py, pz, E) of parent, meson, lepton, neutrino; parent's rest frame, GeV.
    a_zero, a_one, a_two, v
        Form factors at this q^2.
    """
    meson, _, q2 = kinematics(p)
    mass = p[0, 3]
    total = mass + meson
    minus = (2.0 * meson * a_zero - total * a_one + (mass - meson) * a_two) / q2
    return total * a_one, v / total, -a_two / total, minus


@lean_kernel
def meson_spin_states(pdgid: int) -> int:
    """Return the number of spin states of a meson: 1, 3 or 5 (K_S0 and K_L0 have 0 at the end)."""
    return max(abs(pdgid) % 10, 1)


@lean_kernel
def _tensor_vector(p: Any, mass: float, i: int) -> tuple[float, float, float, float]:
    """Return (x, y, z, t) of eps_mu,nu P^nu for spin state i of the tensor in row 1.

    In its rest frame P is M (E, -p) / m, so the contraction is the vector T_ab p_b M / m there.
    """
    px, py, pz, energy = p[1, 0], p[1, 1], p[1, 2], p[1, 3]
    scale = p[0, 3] / mass
    x = scale * tensor_component(i, 1.0, 0.0, 0.0, px, py, pz)
    y = scale * tensor_component(i, 0.0, 1.0, 0.0, px, py, pz)
    z = scale * tensor_component(i, 0.0, 0.0, 1.0, px, py, pz)
    along = (px * x + py * y + pz * z) / mass
    c = along / (energy + mass)
    return x + c * px, y + c * py, z + c * pz, along


@lean_kernel
def polarised_amplitude(
    p: Any, pdgids: Any, f: float, g: float, a_plus: float, a_minus: float, out: Any
) -> None:
    """Write the amplitude of P -> V l nu or P -> T l nu.

    Parameters
    ----------
    p
        (4, 4) momenta (px, py, pz, E) of parent, meson, lepton, neutrino; parent's rest frame, GeV.
    pdgids
        (4,) their PDG numbers.
    f, g, a_plus, a_minus
        Form factors at this q^2; k, h, b_+ and b_- of a tensor.
    out
        Pointer to the amplitude: (3 or 5, 2) values for the spin states of meson and lepton.
    """
    n_states = meson_spin_states(pdgids[1])
    a = view(out, n_states, 2)
    meson, lepton, _ = kinematics(p)
    mass = p[0, 3]
    # epsilon(e, P, p) = M e x p in the parent's rest frame
    side = -2.0j * mass * g if antiquark_decays(pdgids[0]) else 2.0j * mass * g
    px, py, pz, energy = p[1, 0], p[1, 1], p[1, 2], p[1, 3]
    anti = pdgids[2] < 0
    up, down = lepton_current(p, lepton, 0, anti), lepton_current(p, lepton, 1, anti)
    for i in range(n_states):
        if n_states == _TENSOR_STATES:
            ex, ey, ez, et = _tensor_vector(p, meson, i)
        else:
            ex, ey, ez, et = vector_state(px, py, pz, energy, meson, i)
        cx, cy, cz = ey * pz - ez * py, ez * px - ex * pz, ex * py - ey * px
        for j in range(2):
            x, y, z, t = up if j == 0 else down
            along = px * x + py * y + pz * z
            sum_l = (mass + energy) * t - along
            q_l = (mass - energy) * t + along
            e_l = et * t - ex * x - ey * y - ez * z
            cross = cx * x + cy * y + cz * z
            a[i, j] = f * e_l + mass * et * (a_plus * sum_l + a_minus * q_l) + side * cross


@lean_kernel
def current_amplitude(
    p: Any, pdgids: Any, f: float, g: float, plus: float, minus: float, out: Any
) -> None:
    """Write the amplitude of form factors as quark models give them, for a meson of any spin.

    As `polarised_amplitude`; of a scalar f_+ and f_- are `plus` and `minus`, and
    f_0 = f_+ + f_- q^2/(M^2 - m^2).
    """
    if meson_spin_states(pdgids[1]) > 1:
        polarised_amplitude(p, pdgids, f, g, plus, minus, out)
        return
    meson, _, q2 = kinematics(p)
    f_zero = plus + minus * q2 / (p[0, 3] ** 2 - meson * meson)
    scalar_amplitude(p, pdgids, plus, f_zero, view(out, 1, 2))


@dataclass(frozen=True)
class SemileptonicModel(DecayModel):
    """A model of P -> meson l nu whose parameters depend on the spin of the meson.

    Attributes
    ----------
    scalar_parameters, vector_parameters, tensor_parameters
        Names of the parameters for each kind of meson; None for a kind that is not served.
    n_optional
        How many of them, from the last on, may be left out.
    """

    scalar_parameters: tuple[str, ...] | None = None
    vector_parameters: tuple[str, ...] | None = None
    tensor_parameters: tuple[str, ...] | None = None
    n_optional: int = 0

    def names_of(self, meson: ParticleData) -> tuple[tuple[str, ...], int] | None:
        """Return the parameters' names for a meson and how many are needed; None if not served."""
        names = {
            _SCALAR: self.scalar_parameters,
            _VECTOR: self.vector_parameters,
            _TENSOR: self.tensor_parameters,
        }.get(meson.spin2)
        return None if names is None else (names, len(names) - self.n_optional)

    def problem(
        self, parameters: Parameters, parent: ParticleData, daughters: Sequence[ParticleData]
    ) -> str | None:
        """Say why this model cannot serve a decay; see `DecayModel.problem`."""
        served = self.names_of(daughters[0]) if daughters else None
        if served is None:
            found = f"{daughters[0].name} first" if daughters else "no daughters"
            return f"{self.name} decays to {self.mesons}, a lepton and a neutrino, found {found}"
        names, n_required = served
        variant = DecayModel(
            name=self.name,
            amplitude=self.amplitude,
            reference=self.reference,
            parameters=names,
            n_required=n_required,
            parent_spin2=_SCALAR,
            daughter_spins2=(daughters[0].spin2, _HALF, _HALF),
        )
        return variant.problem(parameters, parent, daughters)

    @property
    def mesons(self) -> str:
        """The kinds of mesons that are served, for people."""
        kinds = {
            "scalar": self.scalar_parameters,
            "vector": self.vector_parameters,
            "tensor": self.tensor_parameters,
        }
        return "a " + " or ".join(kind for kind, names in kinds.items() if names is not None)
