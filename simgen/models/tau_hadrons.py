r"""Tau decays to one, two or three pions: currents dominated by rho, rho' and a_1.

J. H. Kuehn, A. Santamaria, Z. Phys. C 48 (1990) 445. With q_i the pions, Q their sum,

    pi pi0:    (q_1 - q_2) F(s),  F = (B_rho + beta B_rho') / (1 + beta)
    3 pi:      B_a1(Q^2) sum over i = 1, 2 of (v_i - Q (Q.v_i)/Q^2) F(s_i3),  v_i = q_i - q_3,

q_3 the pion that differs from the other two, B(s) = m^2 / (m^2 - s - i sqrt(s) Gamma(s)),
Gamma(s) = Gamma m^2/s (p(s)/p(m))^3 for the rho, and m_a1 Gamma g(Q^2)/g(m_a1^2) for the a_1, g the
three-pion phase space with a rho, eq. (3.15) there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numba import carray

from simgen.jit import kernel
from simgen.models.contract import SPIN_NAMES, DecayModel, Parameters
from simgen.spinors import charged_current, left_spinor, neutrino_spinor

if TYPE_CHECKING:
    from collections.abc import Sequence

    from simgen.particles import ParticleData

_HALF = 1
_PIONS = ("pi+", "pi-", "pi0")
_N_PARAMETERS = {1: 0, 2: 5, 3: 7}


@kernel
def _tau_currents(p: Any, n: int, anti: bool, hadrons: Any, out: Any) -> None:
    """Write J(tau, nu) . hadrons for the two spin states; the neutrino is row `n`."""
    m0, m1 = neutrino_spinor(p[n, 0], p[n, 1], p[n, 2], p[n, 3])
    for i in range(2):
        t0, t1 = left_spinor(0.0, 0.0, 0.0, p[0, 3], p[0, 3], i, anti)
        x, y, z, t = charged_current(t0, t1, m0, m1, not anti)
        out[i] = t * hadrons[3] - x * hadrons[0] - y * hadrons[1] - z * hadrons[2]


@kernel
def _square(p: Any) -> float:
    """Return the square of a four-momentum."""
    return float(p[3] ** 2 - p[0] ** 2 - p[1] ** 2 - p[2] ** 2)


@kernel
def rho_shape(s: float, mass: float, width: float, m_1: float, m_2: float) -> complex:
    """Return B(s) of a vector that decays to two pions in a P wave.

    Parameters
    ----------
    s
        Invariant mass squared of the pions, GeV^2.
    mass, width
        Of the resonance, GeV.
    m_1, m_2
        Masses of the pions, GeV.
    """
    threshold, difference = (m_1 + m_2) ** 2, (m_1 - m_2) ** 2
    running = 0.0
    if s > threshold:
        p_s = (s - threshold) * (s - difference) / s
        p_m = (mass**2 - threshold) * (mass**2 - difference) / mass**2
        running = width * mass**2 / s * (p_s / p_m) ** 1.5
    return complex(mass**2 / complex(mass**2 - s, -np.sqrt(s) * running))


@kernel
def pion_form_factor(s: float, m_1: float, m_2: float, v: Any) -> complex:
    """Return F(s); `v` holds beta, mass and width of the rho, mass and width of the rho'."""
    light = rho_shape(s, v[1], v[2], m_1, m_2)
    heavy = rho_shape(s, v[3], v[4], m_1, m_2)
    return complex((light + v[0] * heavy) / (1.0 + v[0]))


@kernel
def three_pion_space(q2: float, pion: float, rho: float) -> float:
    """Return g(Q^2), the phase space of a_1 -> rho pi -> 3 pi: Kuehn, Santamaria, eq. (3.15)."""
    if q2 < (rho + pion) ** 2:
        x = q2 - 9.0 * pion * pion
        return float(4.1 * x**3 * (1.0 - 3.3 * x + 5.8 * x * x))
    return float(1.623 * q2 + 10.38 - 9.32 / q2 + 0.65 / (q2 * q2))


@kernel
def _three_pions(p: Any, codes: Any, v: Any, out: Any) -> None:
    """Write the current of three pions; the one that differs is found by its PDG number."""
    odd = 3
    if codes[1] == codes[3]:
        odd = 2
    elif codes[2] == codes[3]:
        odd = 1
    q = p[1] + p[2] + p[3]
    q2 = _square(q)
    out[:] = 0.0
    m_3 = np.sqrt(_square(p[odd]))
    for k in range(1, 4):
        if k == odd:
            continue
        difference = p[k] - p[odd]
        along = (
            q[3] * difference[3]
            - q[0] * difference[0]
            - q[1] * difference[1]
            - q[2] * difference[2]
        )
        form = pion_form_factor(_square(p[k] + p[odd]), np.sqrt(_square(p[k])), m_3, v)
        for i in range(4):
            out[i] += form * (difference[i] - q[i] * along / q2)
    width = v[6] * three_pion_space(q2, v[7], v[1]) / three_pion_space(v[5] ** 2, v[7], v[1])
    a_1 = v[5] ** 2 / complex(v[5] ** 2 - q2, -v[5] * width)
    for i in range(4):
        out[i] *= a_1


def tauhadnu_amplitude(parameters: Any, pdgids: Any, momenta: Any, out: Any) -> None:
    """Tau -> pi nu, pi pi nu, 3 pi nu: A = J(tau, nu) . J(pions); parameter 8 counts the pions."""
    v = carray(parameters, 9)
    n = int(v[8])
    p, codes = carray(momenta, (5, 4)), carray(pdgids, 5)
    hadrons = np.zeros(4, dtype=np.complex128)
    if n == 1:
        for i in range(4):
            hadrons[i] = p[1, i]
    elif n == 2:
        m_1, m_2 = np.sqrt(_square(p[1])), np.sqrt(_square(p[2]))
        form = pion_form_factor(_square(p[1] + p[2]), m_1, m_2, v)
        for i in range(4):
            hadrons[i] = form * (p[1, i] - p[2, i])
    else:
        _three_pions(p, codes, v, hadrons)
    _tau_currents(p, n + 1, codes[0] < 0, hadrons, carray(out, 2))


@dataclass(frozen=True)
class _TauHadrons(DecayModel):
    """A model whose parameters depend on the number of pions."""

    def prepare(
        self,
        parameters: Parameters,
        parent: ParticleData,  # noqa: ARG002
        daughters: Sequence[ParticleData],
    ) -> tuple[float, ...]:
        """Return the parameters, the mass of the pion that occurs twice, the number of pions."""
        pions = daughters[:-1]
        twice = [d.mass for i, d in enumerate(pions) if d.name in [e.name for e in pions[:i]]]
        numbers = [float(p) for p in parameters]
        numbers += [0.0] * (max(_N_PARAMETERS.values()) - len(numbers))
        return (*numbers, *(twice or [0.0])[:1], float(len(pions)))

    def problem(
        self, parameters: Parameters, parent: ParticleData, daughters: Sequence[ParticleData]
    ) -> str | None:
        """Say why this model cannot serve a decay; see `DecayModel.problem`."""
        found = self._parameter_problem(parameters)
        pions = len(daughters) - 1
        if found is None and parent.spin2 != _HALF:
            found = f"{self.name} decays a {SPIN_NAMES[_HALF]}, but {parent.name} is none"
        if found is not None:
            return found
        if pions not in _N_PARAMETERS or daughters[-1].spin2 != _HALF:
            return f"{self.name} needs one to three pions and then a neutrino"
        for pion in daughters[:-1]:
            if pions > 1 and pion.name not in _PIONS:
                return f"{self.name} takes pions only, found {pion.name}"
            if pion.spin2 != 0:
                return f"{self.name} takes scalars only, found {pion.name}"
        if pions == max(_N_PARAMETERS) and len({d.name for d in daughters[:-1]}) != 2:
            return f"{self.name} needs two equal pions and another"
        if len(parameters) != _N_PARAMETERS[pions]:
            wanted = ", ".join(self.parameters[: _N_PARAMETERS[pions]]) or "none"
            return (
                f"{self.name} takes {_N_PARAMETERS[pions]} parameters here ({wanted}), "
                f"found {len(parameters)}"
            )
        return None


TAUHADNU = _TauHadrons(
    name="TAUHADNU",
    amplitude=tauhadnu_amplitude,
    reference="J. H. Kuehn, A. Santamaria, Z. Phys. C 48 (1990) 445; EvtGen guide, TAUHADNU",
    parameters=("beta", "m_rho", "Gamma_rho", "m_rho'", "Gamma_rho'", "m_a1", "Gamma_a1"),
    parent_spin2=_HALF,
)
