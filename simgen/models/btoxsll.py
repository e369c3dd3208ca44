r"""BTOXSLL: B -> X_s l+ l- without resonances of the lepton pair, the mass of X_s drawn.

A b quark of momentum p, density p^2 exp(-p^2/p_F^2), and a spectator of mass m_q and momentum -p
make a B at rest, so that the b quark has the mass W(p)^2 = M^2 + m_q^2 - 2 M sqrt(p^2 + m_q^2)
(A. Ali, E. Pietarinen, Nucl. Phys. B 154 (1979) 519; G. Altarelli et al., Nucl. Phys. B 208
(1982) 365). It decays with the rate of `simgen.models.btoxsll_rate` for this mass and its time
dilation, W/E_b, as in A. Ali, G. Hiller, L. T. Handoko, T. Morozumi, Phys. Rev. D 55 (1997) 4105,
hep-ph/9609449, sect. 5. X_s is the s quark and the spectator, drawn again below a lowest mass.

Parameters are m_b, m_s, m_q, p_F and that lowest mass, GeV: 4.8, 0.2, 0, 0.41 and 1.1 unless given.
m_b is the scale of q^2 in the Wilson coefficients, and no mass in the kinematics, which W is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numba import carray

from simgen.jit import kernel
from simgen.lorentz import boost_from_rest
from simgen.models.btoxsll_rate import corrected_rate
from simgen.models.contract import DecayModel, Parameters
from simgen.models.semileptonic import antiquark_decays
from simgen.random import normal_pair, uniform, unit_vector

if TYPE_CHECKING:
    from collections.abc import Sequence

    from simgen.particles import ParticleData
    from simgen.typing import FloatArray

_SCALAR = 0
_X_S = (30343, 30353, 30363)
_LEPTONS = (11, 13, 15)
_DEFAULTS = (4.8, 0.2, 0.0, 0.41, 1.1)
_N_PARAMETERS = (0, 4, 5)
_HEAD = 8
# Above so many p_F there are 0.04 % of the b quarks: what only they can make is refused.
_REACH = 3.0
_MARGIN = 1.05
_N_W, _N_Q2 = 40, 400  # points where the rate is looked at for its bound
_SHARES = (0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7)


@kernel
def _quark_mass_squared(parent: float, m_q: float, p2: float) -> float:
    """Return W^2, which is negative where there is no such b quark."""
    return float(parent * parent + m_q * m_q - 2.0 * parent * np.sqrt(p2 + m_q * m_q))


@kernel
def _proposed(q2: float, low: float, high: float, share: float) -> float:
    """Return the density q^2 is proposed with: `share` of it as 1/q^2, all else evenly."""
    return float(share / (q2 * np.log(high / low)) + (1.0 - share) / (high - low))


@kernel
def _sample_ratios(
    parent: float, m_b: float, m_s: float, m_q: float, m_l: float, shares: FloatArray,
    largest: FloatArray,
) -> None:  # fmt: skip
    """Write the largest rate over the proposed density, for each share of 1/q^2."""
    low, top = 4.0 * m_l * m_l, parent - m_q
    least = m_s + 2.0 * m_l
    for i in range(_N_W):
        w = least + (top - least) * (i + 1.0) / _N_W
        high = (w - m_s) ** 2
        for j in range(2 * _N_Q2):
            f = (j % _N_Q2 + 0.5) / _N_Q2
            q2 = low * (high / low) ** f if j < _N_Q2 else low + (high - low) * f
            a, _, c = corrected_rate(w, m_s, m_l, q2, m_b)
            for k in range(len(shares)):
                ratio = (a + c / 3.0) / _proposed(q2, low, high, shares[k])
                largest[k] = max(largest[k], ratio)


@kernel
def _draw_cosine(a: float, b: float, c: float, state: Any) -> float:
    """Return a number between -1 and 1 with the density a + b z + c z^2."""
    most = a + abs(b) + max(c, 0.0)
    while True:
        z = 2.0 * uniform(state) - 1.0
        if uniform(state) * most <= a + z * (b + c * z):
            return z


@kernel
def _place_leptons(
    first: Any, second: Any, w: float, m_s: float, q2: float, m_l: float, z: float, state: Any
) -> None:
    """Write momenta of l- and l+ in the rest frame of the b quark."""
    energy = (w * w + q2 - m_s * m_s) / (2.0 * w)
    p = np.sqrt(max(energy * energy - q2, 0.0))
    nx, ny, nz = unit_vector(state)
    while True:  # a direction across
        x, y, t = unit_vector(state)
        along = x * nx + y * ny + t * nz
        x, y, t = x - along * nx, y - along * ny, t - along * nz
        size = np.sqrt(x * x + y * y + t * t)
        if size > 0.0:
            break
    root = np.sqrt(q2)
    half = 0.5 * np.sqrt(max(q2 - 4.0 * m_l * m_l, 0.0))
    side, front = half * np.sqrt(max(1.0 - z * z, 0.0)) / size, half * z
    first[0], first[1], first[2] = (
        front * nx + side * x,
        front * ny + side * y,
        front * nz + side * t,
    )
    first[3] = 0.5 * root
    for i in range(3):
        second[i] = -first[i]
    second[3] = 0.5 * root
    boost_from_rest(first, p * nx, p * ny, p * nz, energy, root)
    boost_from_rest(second, p * nx, p * ny, p * nz, energy, root)


def btoxsll_draw(parameters: Any, masses: Any, stream: Any, momenta: Any) -> int:
    """Draw the momentum of the b quark and q^2 together, then the angles; X_s is what is left."""
    c = carray(parameters, _HEAD)
    m_b, m_s, m_q, p_f, share, bound = c[0], c[1], c[2], c[3], c[5], c[6]
    negative = 2 if c[7] > 0.0 else 3  # row of the l-, or of the l+ if a b antiquark decays
    m, state = carray(masses, 3), carray(stream, 11)
    p = carray(momenta, (4, 4))
    parent, lowest, m_l = p[0, 3], max(m[0], c[4]), m[1]
    low = 4.0 * m_l * m_l
    exceeded = 0
    while True:
        x, y = normal_pair(state)
        z, _ = normal_pair(state)
        p2 = 0.5 * p_f * p_f * (x * x + y * y + z * z)
        w2 = _quark_mass_squared(parent, m_q, p2)
        if w2 <= (m_s + 2.0 * m_l) ** 2:
            continue
        w = np.sqrt(w2)
        high = (w - m_s) ** 2
        if uniform(state) < share:
            q2 = low * (high / low) ** uniform(state)
        else:
            q2 = low + (high - low) * uniform(state)
        constant, linear, square = corrected_rate(w, m_s, m_l, q2, m_b)
        energy = np.sqrt(w2 + p2)
        rate = (constant + square / 3.0) / _proposed(q2, low, high, share) * w / energy
        if rate > bound:
            exceeded += 1
        if uniform(state) * bound >= rate:
            continue
        cosine = _draw_cosine(constant, linear, square, state)
        _place_leptons(p[negative], p[5 - negative], w, m_s, q2, m_l, cosine, state)
        nx, ny, nz = unit_vector(state)
        size = np.sqrt(p2)
        for row in range(2, 4):
            boost_from_rest(p[row], size * nx, size * ny, size * nz, energy, w)
        for i in range(3):
            p[1, i] = -p[2, i] - p[3, i]
        p[1, 3] = parent - p[2, 3] - p[3, 3]
        mass2 = p[1, 3] ** 2 - p[1, 0] ** 2 - p[1, 1] ** 2 - p[1, 2] ** 2
        if mass2 >= lowest * lowest:
            m[0] = np.sqrt(mass2)
            return exceeded


class LeptonPairModel(DecayModel):
    """BTOXSLL, with no parameters, four, or five."""

    def drawn_range(
        self, parameters: Parameters, parent: ParticleData, daughters: Sequence[ParticleData]
    ) -> tuple[float, float]:
        """Return the limits of the mass; see `DecayModel.drawn_range`."""
        _, most = DecayModel.drawn_range(self, parameters, parent, daughters)
        return _complete(parameters)[4], most

    def prepare(
        self, parameters: Parameters, parent: ParticleData, daughters: Sequence[ParticleData]
    ) -> tuple[float, ...]:
        """Return all parameters, the share of 1/q^2, the bound, and whether a b quark decays."""
        values = _complete(parameters)
        shares, largest = np.array(_SHARES), np.zeros(len(_SHARES))
        m_b, m_s, m_q = values[:3]
        _sample_ratios(parent.mass, m_b, m_s, m_q, daughters[1].mass, shares, largest)
        best = int(np.argmin(largest))
        # The first lepton of the file may be either.
        plain = (daughters[1].pdgid > 0) != antiquark_decays(parent.pdgid)
        bound = _MARGIN * float(largest[best])
        return (*values, float(shares[best]), bound, 1.0 if plain else 0.0)

    def problem(
        self, parameters: Parameters, parent: ParticleData, daughters: Sequence[ParticleData]
    ) -> str | None:
        """Say why this model cannot serve a decay; see `DecayModel.problem`."""
        found = DecayModel.problem(self, parameters, parent, daughters)
        if found is not None:
            return found
        if len(parameters) not in _N_PARAMETERS:
            return f"{self.name} takes 0, 4 or 5 parameters, found {len(parameters)}"
        names = " ".join(d.name for d in daughters)
        if len(daughters) != 3 or abs(daughters[0].pdgid) not in _X_S:
            return f"{self.name} makes Xsd, Xsu or Xss and two leptons in this order, found {names}"
        first, second = daughters[1].pdgid, daughters[2].pdgid
        if first != -second or abs(first) not in _LEPTONS:
            return f"{self.name} needs a charged lepton and its antiparticle, found {names}"
        m_b, m_s, m_q, p_f, least = _complete(parameters)
        if not 0.0 < m_b < parent.mass or min(m_s, m_q, p_f, least) < 0.0:
            return (
                f"{self.name} needs m_b between 0 and {parent.mass} and no negative masses or "
                f"momentum, found {' '.join(f'{float(v):g}' for v in parameters)}"
            )
        m_l = daughters[1].mass
        most = _heaviest(parent.mass, m_s, m_q, m_l, _REACH * p_f)
        needed = max(m_q + m_s, least)
        if needed >= most:
            return (
                f"{self.name} makes X_s of at least {needed:g} GeV, but {parent.name} has too "
                f"little for it: with two leptons of {m_l:g} GeV and b quarks below {_REACH:g} p_F "
                f"it makes at most {most:.3f} GeV"
            )
        return None


def _heaviest(parent: float, m_s: float, m_q: float, m_l: float, p: float) -> float:
    """Return the highest mass of X_s that b quarks below a momentum make, 0 for none."""
    momenta = np.linspace(0.0, p, 200)
    w2 = parent * parent + m_q * m_q - 2.0 * parent * np.hypot(momenta, m_q)
    w = np.sqrt(w2[w2 > (m_s + 2.0 * m_l) ** 2])
    if len(w) == 0:
        return 0.0
    # in the rest frame of the b quark, the pair of leptons at its lightest
    strange = (w * w + m_s * m_s - 4.0 * m_l * m_l) / (2.0 * w)
    spectator = (parent * parent - w * w - m_q * m_q) / (2.0 * w)
    across = np.sqrt(np.maximum((strange**2 - m_s**2) * (spectator**2 - m_q**2), 0.0))
    return float(np.sqrt(m_s**2 + m_q**2 + 2.0 * (strange * spectator + across)).max())


def _complete(parameters: Parameters) -> tuple[float, ...]:
    """Return all five parameters."""
    return (*(float(v) for v in parameters), *_DEFAULTS[len(parameters) :])


BTOXSLL = LeptonPairModel(
    name="BTOXSLL",
    amplitude=None,
    reference=(
        "A. Ali, E. Lunghi, C. Greub, G. Hiller, Phys. Rev. D 66 (2002) 034002, hep-ph/0112300; "
        "A. Ali, G. Hiller, L. T. Handoko, T. Morozumi, Phys. Rev. D 55 (1997) 4105, hep-ph/9609449"
    ),
    parameters=("m_b", "m_s", "m_q", "p_F", "lowest mass"),
    parent_spin2=_SCALAR,
    draw=btoxsll_draw,
)
