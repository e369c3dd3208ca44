r"""Overloaded M2sBV where the invisible mass of the signal side is unknown: one angle is left.

With s and both parent masses known, :math:`k_2^2 = m_2^2` fixes the angle between the momentum
P of the signal parent (frame of the beams) and :math:`p_2`: P lies on a cone around
:math:`p_2`, and its azimuth :math:`\psi` is all that is unknown. Each azimuth implies a mass of
the invisible system,

.. math::

    m_1^2(\psi) = M_1^2 + p_1^2 - 2 (E_1 e_1 - P(\psi) \cdot p_1),

and flight directions of both parents. Its posterior density is the density of :math:`m_1^2`
(per unit of :math:`m_1^2`: phase space is flat in the azimuth) times the likelihood of the
measured vertices. The estimate is the posterior's median of :math:`\cos\theta`, the angle
between the tag parent and a visible subsystem, and its uncertainty the interval from 16 % to 84
%.

*Projected*: where no azimuth gives an allowed mass, the azimuth that comes nearest is returned;
where the cone does not exist (\|cos\| > 1), its limit, P along :math:`\pm p_2`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from m2solve.kinematics import (
    a_normal,
    are_sides_usable,
    boost_back_factor,
    boost_factors,
    four_vector,
    is_mass,
    is_visible,
    mass_squared,
    row_index,
    write_pair,
)
from m2solve.problem import make_problem
from m2solve.solution import PROJECTED, SOLVED, UNPHYSICAL
from m2solve.vectors import as_vectors
from m2solve.vertices import Vertices, log_likelihood
from simgen.errors import InputArrayError
from simgen.jit import kernel, lean_kernel

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from m2solve.invisible_density import InvisibleDensity
    from m2solve.kinematics import Row4
    from simgen.typing import FloatArray, Int8Array

# Azimuths on each half of the cone.
AZIMUTHS = 20
LEVELS = np.array([0.16, 0.5, 0.84])


@dataclass(frozen=True)
class ConePosterior:
    """What is known about the one remaining angle.

    Attributes
    ----------
    cos_theta : (n,) array
        Median of cos(theta) between the tag parent and the subsystem, frame of the beams.
    cos_theta_low, cos_theta_high : (n,) arrays
        Ends of the central 68 % interval; nan where the status is ``PROJECTED``.
    cos_theta_sigma : (n,) array
        Root of the mean squared distance of cos(theta) from its median; nan as above.
    k_sig, k_tag : (n, 1, 4) arrays
        Invisible momenta at the azimuth nearest to the median, lab frame, GeV.
    status : (n,) int8 array
        `Status` of each event: ``SOLVED``, ``PROJECTED`` or ``UNPHYSICAL``.
    """

    cos_theta: FloatArray
    cos_theta_low: FloatArray
    cos_theta_high: FloatArray
    cos_theta_sigma: FloatArray
    k_sig: FloatArray
    k_tag: FloatArray
    status: Int8Array


def cone_posterior(
    visible_sig: ArrayLike,
    visible_tag: ArrayLike,
    total: ArrayLike,
    subsystem: ArrayLike,
    *,
    density: InvisibleDensity,
    m_tag: ArrayLike,
    parent_mass: ArrayLike | tuple[ArrayLike, ArrayLike],
    vertices: Vertices | None = None,
) -> ConePosterior:
    """Estimate cos(theta) of a visible subsystem when the invisible signal mass is unknown.

    Parameters
    ----------
    visible_sig, visible_tag : (n, 4) arrays
        Visible momenta (px, py, pz, E) of the two sides, lab frame, GeV.
    total : (4,) or (n, 4) array
        Total four-momentum of the beams.
    subsystem : (n, 4) array
        Visible momentum whose angle to the tag parent is wanted, e.g. K l.
    density : InvisibleDensity
        Prior of the squared mass of the invisible signal system.
    m_tag : float or (n,) array
        Mass of the invisible tag system in GeV.
    parent_mass : float, (n,) array, or a tuple (signal, tag) of two
        Masses of the parents in GeV.
    vertices : Vertices, optional
        Measured vertices; without them the prior alone decides.

    Returns
    -------
    ConePosterior
        Median, 68 % interval, and momenta at the median.

    Raises
    ------
    InputArrayError
        If an array has a wrong shape, or a value given once for all events is not usable.
    """
    problem = make_problem(
        visible_sig,
        visible_tag,
        total,
        m_sig=0.0,
        m_tag=m_tag,
        parent_mass=parent_mass,
        vertices=vertices,
    )
    n = len(problem.visible_sig)
    x = as_vectors("subsystem", subsystem, 4)
    if len(x) != n:
        raise InputArrayError(f"subsystem has {len(x)} rows, but visible_sig has {n}")
    nothing = np.zeros((1, 3, 3))
    no_flight = np.empty((0, 3))
    summary = np.empty((n, 4))
    k_sig, k_tag = np.empty((2, n, 1, 4))
    status = np.empty(n, np.int8)
    cone_posterior_loop(
        problem.visible_sig,
        problem.visible_tag,
        problem.total,
        x,
        problem.m_tag,
        problem.mass_sig,
        problem.mass_tag,
        np.ascontiguousarray(density.values, dtype=np.float64),
        density.highest,
        vertices.flight_sig if vertices else no_flight,
        vertices.flight_tag if vertices else no_flight,
        vertices.weight_sig if vertices else nothing,
        vertices.weight_tag if vertices else nothing,
        vertices.weight_cross if vertices else nothing,
        1.0 / vertices.c_tau if vertices else 0.0,
        summary,
        k_sig,
        k_tag,
        status,
    )
    low, median, high, sigma = summary.T
    return ConePosterior(median, low, high, sigma, k_sig, k_tag, status)


@kernel
def cone_posterior_loop(
    visible_sig: FloatArray,
    visible_tag: FloatArray,
    total: FloatArray,
    subsystem: FloatArray,
    m_tag: FloatArray,
    mass_sig: FloatArray,
    mass_tag: FloatArray,
    density: FloatArray,
    highest: float,
    flight_sig: FloatArray,
    flight_tag: FloatArray,
    weight_sig: FloatArray,
    weight_tag: FloatArray,
    weight_cross: FloatArray,
    rate: float,
    summary: FloatArray,
    k_sig: FloatArray,
    k_tag: FloatArray,
    status: Int8Array,
) -> None:
    """Fill the last four arrays for every event; a row of `summary` is 16, 50, 84 %, sigma."""
    n = 2 * AZIMUTHS
    cosines, weights = np.empty(n), np.empty(n)
    momenta = np.empty((n, 3))
    none = np.zeros(3)
    for i in range(visible_sig.shape[0]):
        p1 = four_vector(visible_sig, i)
        p2 = four_vector(visible_tag, i)
        beams = four_vector(total, row_index(total.shape[0], i))
        m2 = m_tag[row_index(m_tag.shape[0], i)]
        mass1 = mass_sig[row_index(mass_sig.shape[0], i)]
        mass2 = mass_tag[row_index(mass_tag.shape[0], i)]
        w = row_index(weight_sig.shape[0], i)
        status[i] = _fill_cone(
            p1,
            p2,
            beams,
            four_vector(subsystem, i),
            m2,
            mass1,
            mass2,
            density,
            highest,
            flight_sig[i] if flight_sig.shape[0] > 0 else none,
            flight_tag[i] if flight_tag.shape[0] > 0 else none,
            weight_sig[w],
            weight_tag[w],
            weight_cross[w],
            rate,
            flight_sig.shape[0] > 0,
            flight_tag.shape[0] > 0,
            cosines,
            weights,
            momenta,
        )
        if status[i] == UNPHYSICAL:
            summary[i] = math.nan
            k_sig[i] = math.nan
            k_tag[i] = math.nan
            continue
        if status[i] == PROJECTED:
            nearest = 0
            summary[i] = math.nan
            summary[i, 1] = cosines[0]
        else:
            nearest = _summarise(cosines, weights, momenta, summary[i])
        px, py, pz = momenta[nearest, 0], momenta[nearest, 1], momenta[nearest, 2]
        e1 = math.sqrt(mass1 * mass1 + px * px + py * py + pz * pz)
        missing = (e1 - p1[3]) ** 2 - (px - p1[0]) ** 2 - (py - p1[1]) ** 2 - (pz - p1[2]) ** 2
        m1 = math.sqrt(max(missing, 0.0))
        write_pair(px, py, pz, p1, p2, beams, m1, m2, k_sig, k_tag, i, 0)


@lean_kernel
def _fill_cone(
    p1: Row4,
    p2: Row4,
    total: Row4,
    x: Row4,
    m2: float,
    mass1: float,
    mass2: float,
    density: FloatArray,
    highest: float,
    flight_sig: FloatArray,
    flight_tag: FloatArray,
    weight_sig: FloatArray,
    weight_tag: FloatArray,
    weight_cross: FloatArray,
    rate: float,
    with_sig: bool,
    with_tag: bool,
    cosines: FloatArray,
    weights: FloatArray,
    momenta: FloatArray,
) -> int:
    """Fill cos(theta), posterior weight and lab momentum for each azimuth; return the status.

    Where the status is ``PROJECTED`` only the first entries are to be used.
    """
    s = mass_squared(total)
    if not (
        s > 0.0
        and total[3] > p1[3] + p2[3]
        and are_sides_usable(p1, p2, 0.0, m2)
        and is_visible(x)
        and is_mass(mass1)
        and is_mass(mass2)
        and math.isfinite(flight_sig[0] + flight_sig[1] + flight_sig[2])
        and math.isfinite(flight_tag[0] + flight_tag[1] + flight_tag[2])
    ):
        return UNPHYSICAL
    rs = math.sqrt(s)
    e1, f1 = boost_factors(p1, total, rs)
    e2, f2 = boost_factors(p2, total, rs)
    _, fx = boost_factors(x, total, rs)
    ax, ay, az = p1[0] - f1 * total[0], p1[1] - f1 * total[1], p1[2] - f1 * total[2]
    bx, by, bz = p2[0] - f2 * total[0], p2[1] - f2 * total[1], p2[2] - f2 * total[2]
    cx, cy, cz = x[0] - fx * total[0], x[1] - fx * total[1], x[2] - fx * total[2]
    c = math.sqrt(cx * cx + cy * cy + cz * cz)
    b = math.sqrt(bx * bx + by * by + bz * bz)
    if c == 0.0 or b == 0.0:
        return UNPHYSICAL
    cx, cy, cz = cx / c, cy / c, cz / c
    bx, by, bz = bx / b, by / b, bz / b

    parent_e = (s + (mass1 - mass2) * (mass1 + mass2)) / (2.0 * rs)
    length = math.sqrt(max((parent_e - mass1) * (parent_e + mass1), 0.0))
    along = (0.5 * (mass2 * mass2 + mass_squared(p2) - m2 * m2) - (rs - parent_e) * e2) / b
    # The invisible systems must have positive energies, too.
    possible = e1 <= parent_e and e2 <= rs - parent_e
    open_cone = possible and length > 0.0 and abs(along) < length
    along = min(max(along, -length), length)
    radius = math.sqrt(max((length - along) * (length + along), 0.0))
    # Azimuth 0 is towards p_1: there the invisible mass is largest.
    dot = ax * bx + ay * by + az * bz
    ux, uy, uz = ax - dot * bx, ay - dot * by, az - dot * bz
    u = math.sqrt(ux * ux + uy * uy + uz * uz)
    if u > 0.0:
        ux, uy, uz = ux / u, uy / u, uz / u
    else:
        ux, uy, uz = a_normal(bx, by, bz)
    vx, vy, vz = by * uz - bz * uy, bz * ux - bx * uz, bx * uy - by * ux
    middle = mass1 * mass1 + mass_squared(p1) - 2.0 * (parent_e * e1 - along * dot)
    swing = 2.0 * radius * u

    # Azimuths with 0 <= m_1^2 <= highest, on each half of the cone.
    first, last = 0.0, math.pi
    allowed = open_cone
    if swing > 0.0:
        if middle + swing <= 0.0:
            allowed, last = False, 0.0
        elif middle - swing >= highest:
            allowed, first = False, math.pi
        else:
            first = math.acos(min((highest - middle) / swing, 1.0))
            last = math.acos(max(-middle / swing, -1.0))
    elif not 0.0 <= middle <= highest:
        allowed = False
    count = 2 * AZIMUTHS if allowed else 1
    top = -math.inf
    for j in range(count):
        # Both halves in turn; where no azimuth is allowed, the one that comes nearest.
        psi = first + (last - first) * (j // 2 + 0.5) / AZIMUTHS if allowed else first
        psi = -psi if j % 2 == 1 else psi
        cp, sp = radius * math.cos(psi), radius * math.sin(psi)
        px = along * bx + cp * ux + sp * vx
        py = along * by + cp * uy + sp * vy
        pz = along * bz + cp * uz + sp * vz
        cosines[j] = -(px * cx + py * cy + pz * cz) / length if length > 0.0 else 0.0
        f = boost_back_factor(parent_e, px, py, pz, total, rs)
        momenta[j, 0] = px + f * total[0]
        momenta[j, 1] = py + f * total[1]
        momenta[j, 2] = pz + f * total[2]
        if not allowed:
            break
        prior = _interpolated(density, (middle + swing * math.cos(psi)) / highest)
        weights[j] = -math.inf
        if prior > 0.0:
            weights[j] = math.log(prior)
            if with_sig:
                weights[j] += log_likelihood(
                    momenta[j, 0] / mass1,
                    momenta[j, 1] / mass1,
                    momenta[j, 2] / mass1,
                    (total[0] - momenta[j, 0]) / mass2,
                    (total[1] - momenta[j, 1]) / mass2,
                    (total[2] - momenta[j, 2]) / mass2,
                    flight_sig,
                    flight_tag,
                    weight_sig,
                    weight_tag,
                    weight_cross,
                    rate,
                    with_tag,
                )
        top = max(top, weights[j])
    if not allowed or top == -math.inf:
        return PROJECTED
    for j in range(count):
        weights[j] = math.exp(weights[j] - top)
    return SOLVED


@lean_kernel
def _interpolated(values: FloatArray, x: float) -> float:
    """Interpolate a table given on equal steps of x from 0 to 1."""
    position = min(max(x, 0.0), 1.0) * (values.shape[0] - 1)
    i = min(int(position), values.shape[0] - 2)
    return float(values[i] + (position - i) * (values[i + 1] - values[i]))


@lean_kernel
def _summarise(
    cosines: FloatArray, weights: FloatArray, momenta: FloatArray, result: FloatArray
) -> int:
    """Sort by cosine, fill quantiles and sigma, return the row of the momentum at the median."""
    n = cosines.shape[0]
    for i in range(1, n):
        c, w = cosines[i], weights[i]
        x, y, z = momenta[i, 0], momenta[i, 1], momenta[i, 2]
        j = i - 1
        while j >= 0 and cosines[j] > c:
            cosines[j + 1], weights[j + 1] = cosines[j], weights[j]
            for k in range(3):
                momenta[j + 1, k] = momenta[j, k]
            j -= 1
        cosines[j + 1], weights[j + 1] = c, w
        momenta[j + 1, 0], momenta[j + 1, 1], momenta[j + 1, 2] = x, y, z
    total = 0.0
    for i in range(n):
        total += weights[i]
    median_row = 0
    for k in range(LEVELS.shape[0]):
        # The weight of a point counts half on each side of it.
        target = LEVELS[k] * total - 0.5 * weights[0]
        i = 0
        while i < n - 2 and target > 0.5 * (weights[i] + weights[i + 1]):
            target -= 0.5 * (weights[i] + weights[i + 1])
            i += 1
        step = 0.5 * (weights[i] + weights[i + 1])
        share = min(max(target / step, 0.0), 1.0) if step > 0.0 else 0.0
        result[k] = cosines[i] + share * (cosines[i + 1] - cosines[i])
        if k == 1:
            median_row = i + 1 if share > 0.5 else i
    squares = 0.0
    for i in range(n):
        squares += weights[i] * (cosines[i] - result[1]) ** 2
    result[3] = math.sqrt(squares / total)
    return median_row
