r"""VUB: B -> X_u l nu with perturbative corrections and Fermi motion.

F. De Fazio, M. Neubert, JHEP 9906 (1999) 017, hep-ph/9905351. With x = 2 E_l/m_b, z = 2 v.p/m_b,
s = p^2/m_b^2 of the partons p = p_X - q_+ v, and r = 1 - x (eq. 2.10),

    d^3 Gamma ~ 12 [(1 + r - z)(z - r - s) W_1 + (1 - z + s) W_2
                    + (r (z - r) - s)(W_3 + W_4 + W_5)],

where m_b is m_B - q_+ and q_+ has the density (q_+/Lambda)^a exp(-(1 + a) q_+/Lambda), Lambda =
m_B - m_b. The W_i have at order alpha_s a delta function at s = 0 and distributions in s. These are
cut off at s = epsilon, such that the rate with s = 0 vanishes at z = 1 (where it would be minus
infinity); so does EvtGen. Where the rate is negative all the same, it is none.

Parameters: m_b, a, alpha_s, the number n of bins, and n pairs of a mass of X_u, GeV, where a bin
begins, and its weight: X_u is not lighter than the first, and the last bin has no end. Weights are
there to leave room for exclusive decays (hybrid model).
"""

from __future__ import annotations

from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from numba import carray

from simgen.jit import kernel
from simgen.models.contract import DecayModel, Parameters
from simgen.phasespace import turn_plane
from simgen.random import normal_pair, uniform

if TYPE_CHECKING:
    from collections.abc import Sequence

    from simgen.particles import ParticleData
    from simgen.typing import FloatArray

_SCALAR, _HALF = 0, 1
_HEAD = 5  # m_b, a, alpha_s, ln(epsilon), number of bins
_N_Z, _N_S = 64, 64  # cells of the table, along z and ln(s)
_N_DELTA = 128  # and along z at s = 0
_LOG_S = np.log(1e-6)  # below it there is nothing but what is at s = 0
_LOG_TOP = np.log(1.0)
_POINTS = 5
MARGIN = 1.2
_FIXED_PARAMETERS = 4


def log_epsilon(alpha_s: float) -> float:
    """Return ln(epsilon), see the module's docstring; 0 without corrections."""
    if alpha_s == 0.0:
        return 0.0
    square = 9.0 / 16.0 - 2.0 * np.pi**2 / 3.0 + 1.5 * np.pi / alpha_s
    return float(-1.75 - np.sqrt(max(square, 0.0)))


@kernel
def _dilogarithm(x: float) -> float:
    """Return Li_2(x) for 0 <= x <= 1."""
    if x > 0.5:
        if x >= 1.0:
            return float(np.pi**2 / 6.0)
        crossed = np.log(x) * np.log(1.0 - x)
        return float(np.pi**2 / 6.0 - crossed - _dilogarithm_series(1.0 - x))
    return _dilogarithm_series(x)


@kernel
def _dilogarithm_series(x: float) -> float:
    """Return Li_2(x) for 0 <= x <= 1/2."""
    total, power = 0.0, 1.0
    for k in range(1, 50):
        power *= x
        total += power / (k * k)
    return total


@kernel
def delta_rate(r: float, z: float, alpha_s: float, log_eps: float) -> float:
    """Return the rate with s = 0 at r < z < 1."""
    c = alpha_s / (3.0 * np.pi)
    log = np.log(z)
    ratio = log / (1.0 - z) if z < 1.0 else -1.0
    w1 = 8.0 * log * log - 10.0 * log + 2.0 * ratio + 4.0 * _dilogarithm(1.0 - z)
    w1 += 4.0 * np.pi**2 / 3.0 + 5.0
    w1 = 1.0 + c * ((8.0 * log - 7.0) * log_eps - 2.0 * log_eps * log_eps - w1)
    return float(12.0 * (z - r) * ((1.0 + r - z) * w1 + r * c * 2.0 * ratio))


@kernel
def real_rate(r: float, z: float, s: float, alpha_s: float, log_eps: float) -> float:
    """Return the rate with s > 0."""
    t2 = 1.0 - 4.0 * s / (z * z)
    if t2 < 1e-6:
        return 0.0
    t4 = t2 * t2
    t = np.sqrt(t2)
    log = np.log((1.0 + t) / (1.0 - t)) / t
    zz = z * z
    w1 = 4.0 / s * (log + np.log(s / zz)) + 1.0 - (8.0 - z) * (2.0 - z) / (zz * t2)
    w1 += ((2.0 - z) / (2.0 * z) + (8.0 - z) * (2.0 - z) / (2.0 * zz * t2)) * log
    if np.log(s) > log_eps:
        w1 += (8.0 * np.log(z) - 7.0 - 4.0 * np.log(s)) / s
    k = (32.0 - 8.0 * z + zz) / (4.0 * z * t2)
    w2 = (8.0 - z) / 4.0 + k - (z * t2 / 8.0 + (4.0 - z) / 4.0 + k / 2.0) * log
    w3 = z * t2 / 16.0 + 5.0 * (4.0 - z) / 16.0 + 3.0 * (12.0 - z) / (16.0 * t4)
    w3 = (w3 - (64.0 + 56.0 * z - 7.0 * zz) / (16.0 * z * t2)) * log
    w3 += -(8.0 - 3.0 * z) / 8.0 + (32.0 + 22.0 * z - 3.0 * zz) / (4.0 * z * t2)
    w3 -= 3.0 * (12.0 - z) / (8.0 * t4)
    w4 = (8.0 - 3.0 * z) / (4.0 * z) - (22.0 - 3.0 * z) / (2.0 * z * t2)
    w4 = -(w4 + 3.0 * (12.0 - z) / (4.0 * z * t4)) * log - 1.0
    w4 += -(32.0 - 5.0 * z) / (2.0 * z * t2) + 3.0 * (12.0 - z) / (2.0 * z * t4)
    w5 = 1.0 / (4.0 * z) - (2.0 - z) / (2.0 * zz * t2) + 3.0 * (12.0 - z) / (4.0 * zz * t4)
    w5 = w5 * log - (8.0 + z) / (2.0 * zz * t2) - 3.0 * (12.0 - z) / (2.0 * zz * t4)
    rate = (1.0 + r - z) * (z - r - s) * w1 + (1.0 - z + s) * w2
    rate += (r * (z - r) - s) * (w3 + w4 + w5)
    return float(12.0 * alpha_s / (3.0 * np.pi) * rate)


@kernel
def _weight(
    cell: int, a: float, b: float, c: float, alpha_s: float, log_eps: float
) -> tuple[float, float, float, float]:
    """Return r, z, s at the point (a, b, c) of a cell, each 0 to 1, and the rate in these."""
    if cell < _N_DELTA:
        z = (cell + a) / _N_DELTA
        if z <= 0.0:
            return 0.0, z, 0.0, 0.0
        r = c * z
        return r, z, 0.0, max(delta_rate(r, z, alpha_s, log_eps), 0.0) * z / _N_DELTA
    i, j = (cell - _N_DELTA) // _N_S, (cell - _N_DELTA) % _N_S
    z = 2.0 * (i + a) / _N_Z
    step = (_LOG_TOP - _LOG_S) / _N_S
    if z <= 0.0:
        return 0.0, z, 0.0, 0.0
    # The part of the cell that has phase space, so that its edge does not cross the cell.
    low, high = _LOG_S + j * step, _LOG_S + (j + 1) * step
    high = min(high, 2.0 * np.log(0.5 * z))
    if z > 1.0:
        low = max(low, np.log(z - 1.0))
    if low >= high:
        return 0.0, z, 0.0, 0.0
    step = high - low
    s = np.exp(low + b * step)
    if 4.0 * s >= z * z:
        return 0.0, z, s, 0.0
    width = z * np.sqrt(1.0 - 4.0 * s / (z * z))
    r = 0.5 * (z - width) + c * width
    rate = max(real_rate(r, z, s, alpha_s, log_eps), 0.0)
    return r, z, s, rate * width * s * step * 2.0 / _N_Z


@kernel
def _fill_bounds(alpha_s: float, log_eps: float, bounds: FloatArray, means: FloatArray) -> None:
    """Sample the rate in all cells."""
    for cell in range(len(bounds)):
        for i in range(_POINTS):
            for j in range(_POINTS):
                for k in range(_POINTS):
                    u, v, w = i / (_POINTS - 1), j / (_POINTS - 1), k / (_POINTS - 1)
                    rate = _weight(cell, u, v, w, alpha_s, log_eps)[3]
                    bounds[cell] = max(bounds[cell], rate)
                    means[cell] += rate / _POINTS**3


@lru_cache(maxsize=16)
def _table(alpha_s: float) -> tuple[float, ...]:
    """Return the running sum of the bounds of all cells, then the bounds."""
    n = _N_DELTA + _N_Z * _N_S
    bounds, means = np.zeros(n), np.zeros(n)
    _fill_bounds(alpha_s, log_epsilon(alpha_s), bounds, means)
    bounds *= MARGIN
    near = bounds.copy()  # what begins inside a cell may be missed by its points
    block = bounds[_N_DELTA:].reshape(_N_Z, _N_S)
    grown = np.pad(block, 1)
    around = np.max([grown[1 + i : 1 + i + _N_Z, 1 + j : 1 + j + _N_S]
                     for i in (-1, 0, 1) for j in (-1, 0, 1)], axis=0)  # fmt: skip
    # A cell at an edge of phase space, or at epsilon, is bounded by those around it.
    ends = np.abs(around - block) > 0.5 * around
    near[_N_DELTA:] = np.where(ends, around, block).ravel()
    cumulative = np.cumsum(near)
    return (*(float(v) for v in cumulative), *(float(v) for v in near))


@kernel
def _gamma(shape: float, state: Any) -> float:
    """Return a number with the density x^(shape - 1) exp(-x), shape >= 1.

    G. Marsaglia, W. W. Tsang, ACM Trans. Math. Softw. 26 (2000) 363.
    """
    d = shape - 1.0 / 3.0
    c = 1.0 / np.sqrt(9.0 * d)
    while True:
        x, _ = normal_pair(state)
        v = (1.0 + c * x) ** 3
        if v > 0.0 and np.log(1.0 - uniform(state)) < 0.5 * x * x + d * (1.0 - v + np.log(v)):
            return float(d * v)


@kernel
def _place(
    parent: float, e_h: float, s_h: float, e_l: float, m_l: float, state: Any, p: Any
) -> bool:
    """Write momenta of X_u, lepton and neutrino with these energies, if they exist."""
    e_nu = parent - e_h - e_l
    p_h2, p_l2 = e_h * e_h - s_h, e_l * e_l - m_l * m_l
    if e_nu < 0.0 or p_h2 <= 0.0 or p_l2 <= 0.0:
        return False
    p_h, p_l = np.sqrt(p_h2), np.sqrt(p_l2)
    cosine = (e_nu * e_nu - p_h2 - p_l2) / (2.0 * p_h * p_l)
    if not -1.0 <= cosine <= 1.0:
        return False
    across, along = p_l * np.sqrt(1.0 - cosine * cosine), p_l * cosine
    p[1, 0], p[1, 1], p[1, 2], p[1, 3] = p_h, 0.0, 0.0, e_h
    p[2, 0], p[2, 1], p[2, 2], p[2, 3] = along, across, 0.0, e_l
    p[3, 0], p[3, 1], p[3, 2], p[3, 3] = -p_h - along, -across, 0.0, e_nu
    turn_plane(state, p[1:])
    return True


def vub_draw(parameters: Any, masses: Any, stream: Any, momenta: Any) -> int:
    """Draw q_+, then r, z and s; all again where there is no such decay or its weight says so."""
    head = carray(parameters, _HEAD)
    m_b, a, alpha_s, log_eps, n_bins = head[0], head[1], head[2], head[3], int(head[4])
    n = _N_DELTA + _N_Z * _N_S
    first = _HEAD + 2 * n_bins
    table = carray(parameters, first + 2 * n)
    m, state = carray(masses, 3), carray(stream, 11)
    p = carray(momenta, (4, 4))
    parent, lowest, m_l = p[0, 3], max(m[0], table[_HEAD]), m[1]
    exceeded = 0
    while True:
        q_plus = (parent - m_b) / (1.0 + a) * _gamma(1.0 + a, state)
        wanted = uniform(state) * table[first + n - 1]
        low, high = 0, n - 1
        while low < high:
            middle = (low + high) // 2
            if table[first + middle] > wanted:
                high = middle
            else:
                low = middle + 1
        bound = table[first + n + low]
        u, v, w = uniform(state), uniform(state), uniform(state)
        r, z, s, rate = _weight(low, u, v, w, alpha_s, log_eps)
        if rate > bound:
            exceeded += 1
        if uniform(state) * bound >= rate:
            continue
        scale = parent - q_plus
        if scale <= 0.0:
            continue
        e_h = 0.5 * z * scale + q_plus
        s_h = s * scale * scale + 2.0 * q_plus * e_h - q_plus * q_plus
        if s_h <= lowest * lowest:
            continue
        mass = np.sqrt(s_h)
        k = n_bins - 1
        while table[_HEAD + 2 * k] >= mass and k > 0:
            k -= 1
        if uniform(state) >= table[_HEAD + 2 * k + 1]:
            continue
        if _place(parent, e_h, s_h, 0.5 * (1.0 - r) * scale, m_l, state, p):
            m[0] = mass
            return exceeded


class InclusiveModel(DecayModel):
    """VUB, with as many parameters as it has bins."""

    def drawn_range(
        self, parameters: Parameters, parent: ParticleData, daughters: Sequence[ParticleData]
    ) -> tuple[float, float]:
        """Return the limits of the mass; see `DecayModel.drawn_range`."""
        _, most = DecayModel.drawn_range(self, parameters, parent, daughters)
        return float(parameters[_FIXED_PARAMETERS]), most

    def prepare(
        self,
        parameters: Parameters,
        parent: ParticleData,  # noqa: ARG002
        daughters: Sequence[ParticleData],  # noqa: ARG002
    ) -> tuple[float, ...]:
        """Return what `vub_draw` reads."""
        m_b, a, alpha_s, n, *bins = (float(v) for v in parameters)
        top = max(bins[1::2])
        scaled = [v / top if i % 2 else v for i, v in enumerate(bins)]
        return (m_b, a, alpha_s, log_epsilon(alpha_s), n, *scaled, *_table(alpha_s))

    def problem(
        self, parameters: Parameters, parent: ParticleData, daughters: Sequence[ParticleData]
    ) -> str | None:
        """Say why this model cannot serve a decay; see `DecayModel.problem`."""
        found = self._spin_problem(parent, daughters)
        if found is not None:
            return found
        if any(isinstance(v, str) for v in parameters) or len(parameters) < _FIXED_PARAMETERS + 2:
            return f"{self.name} takes m_b, a, alpha_s, n and n pairs of a mass and its weight"
        m_b, a, alpha_s, n, *bins = (float(v) for v in parameters)
        if n < 1 or n != int(n) or len(bins) != 2 * n:
            return (
                f"{self.name} takes n >= 1 pairs of a mass and its weight; n is {n:g}, found "
                f"{len(bins)} numbers after it"
            )
        if not 0.0 < m_b < parent.mass or a < 0.0 or not 0.0 <= alpha_s < 1.0:
            return (
                f"{self.name} needs m_b between 0 and {parent.mass}, a >= 0 and 0 <= alpha_s < 1, "
                f"found {m_b:g}, {a:g} and {alpha_s:g}"
            )
        edges, weights = bins[::2], bins[1::2]
        if edges[0] < 0.0 or any(x >= y for x, y in pairwise(edges)):
            return f"{self.name} needs masses in ascending order"
        if min(weights) < 0.0 or max(weights) == 0.0:
            return f"{self.name} needs weights >= 0, one of them above 0"
        return None


VUB = InclusiveModel(
    name="VUB",
    amplitude=None,
    reference="F. De Fazio, M. Neubert, JHEP 9906 (1999) 017, hep-ph/9905351",
    parameters=("m_b", "a", "alpha_s", "n", "mass", "weight"),
    n_required=6,
    parent_spin2=_SCALAR,
    daughter_spins2=(_SCALAR, _HALF, _HALF),
    draw=vub_draw,
)
