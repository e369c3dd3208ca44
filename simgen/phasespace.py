r"""N-body phase space: unweighted momenta in the rest frame of the decaying particle.

The N-body phase space of a mass M factorises into two-body steps over the masses
M_2 <= ... <= M_n = M of the clusters of the first k particles (E. Byckling, K. Kajantie,
*Particle Kinematics*, 1973, ch. X):

    dPhi_n ~ prod_k p_k dM_k dOmega_k,    p_k = p(M_{k+1}; M_k, m_{k+1}).

With the kinetic energies t_k = M_{k+1} - M_k - m_{k+1}, sum_k t_k = M - sum_i m_i = Q,

    p_k^2 = t_k f_k,    f_k = (t_k + 2 m_{k+1}) (t_k + 2 M_k) (2 M_{k+1} - t_k) / (4 M_{k+1}^2).

The part prod_k sqrt(t_k) is the phase space of slow particles. It is exactly the distribution of
t_k = Q |g_k|^2 / sum_j |g_j|^2 with g_k independent three-dimensional unit normals, whose
directions serve as dOmega_k. What is left, prod_k sqrt(f_k), varies so little that 75 to 95 % of
the trials are accepted for any number of daughters, where uniform cluster masses (GENBOD, CERN
W515) accept 5 % of four-body and 0.1 % of six-body trials.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from simgen.jit import lean_kernel
from simgen.lorentz import boost_from_rest
from simgen.random import azimuth, normal_pair, uniform, unit_vector
from simgen.stack import stack_array

if TYPE_CHECKING:
    from simgen.typing import FloatArray, UInt64Array

MAX_DAUGHTERS = 16
_CLIMBING_STEPS = 40


@lean_kernel
def two_body_momentum(mass: float, mass_1: float, mass_2: float) -> float:
    """Return the momentum of either daughter in the rest frame, GeV; 0 below threshold."""
    t = mass - mass_1 - mass_2
    if t <= 0.0:
        return 0.0
    square = t * (t + 2.0 * mass_1) * (t + 2.0 * mass_2) * (2.0 * mass - t)
    p: float = np.sqrt(square) / (2.0 * mass)
    return p


@lean_kernel
def _log_weight(t: FloatArray, masses: FloatArray, n: int, gradient: FloatArray) -> float:
    """Return log(prod_k f_k) and write its gradient with respect to t_1 ... t_{n-1}."""
    for k in range(n - 1):
        gradient[k] = 0.0
    value = 0.0
    below = masses[0]
    for k in range(n - 1):
        m = masses[k + 1]
        above = below + m + t[k]
        a, b, c = t[k] + 2.0 * m, above + below - m, above + below + m
        value += np.log(a * b * c / (4.0 * above * above))
        d_above = 1.0 / b + 1.0 / c - 2.0 / above
        d_below = 1.0 / b + 1.0 / c
        gradient[k] += 1.0 / a + d_above
        for j in range(k):
            gradient[j] += d_above + d_below
        below = above
    return value


@lean_kernel
def tangent_bound(mass: float, masses: FloatArray, n: int, shares: FloatArray) -> float:
    """Return an upper bound of prod_k f_k over the phase space of `n` daughters.

    log(prod_k f_k) is, to the accuracy a test establishes on random masses, a concave function
    of the t_k, so a tangent plane lies above it. The closer the plane touches to the maximum,
    the closer the bound.

    Parameters
    ----------
    mass
        Mass of the parent, GeV, above the sum of the daughters' masses.
    masses
        (>= n,) masses of the daughters.
    n
        Number of daughters, at least 3.
    shares
        (>= n - 1,) t_k / Q at the point where the plane touches, all positive, sum 1; see
        `best_shares`.
    """
    q = mass
    for i in range(n):
        q -= masses[i]
    t = stack_array(1, MAX_DAUGHTERS)[0]
    gradient = stack_array(1, MAX_DAUGHTERS)[0]
    for k in range(n - 1):
        t[k] = q * shares[k]
    value = _log_weight(t, masses, n, gradient)
    steepest = gradient[0]
    along = 0.0
    for k in range(n - 1):
        steepest = max(steepest, gradient[k])
        along += gradient[k] * t[k]
    bound: float = np.exp(value + steepest * q - along)
    return bound


@lean_kernel
def best_shares(mass: float, masses: FloatArray, n: int, shares: FloatArray) -> None:
    """Write t_k / Q close to the maximum of prod_k f_k to `shares`, (>= n - 1,).

    All derivatives are positive, so multiplying each t_k by its derivative and scaling back to
    the sum climbs to the maximum.
    """
    q = mass
    for i in range(n):
        q -= masses[i]
    t = stack_array(1, MAX_DAUGHTERS)[0]
    gradient = stack_array(1, MAX_DAUGHTERS)[0]
    for k in range(n - 1):
        t[k] = q / (n - 1)
    for _ in range(_CLIMBING_STEPS):
        _log_weight(t, masses, n, gradient)
        total = 0.0
        for k in range(n - 1):
            t[k] *= gradient[k]
            total += t[k]
        for k in range(n - 1):
            t[k] *= q / total
    for k in range(n - 1):
        shares[k] = t[k] / q


@lean_kernel
def _two_body(mass: float, masses: FloatArray, state: UInt64Array, out: FloatArray) -> None:
    """Write an isotropic two-body decay to the first two rows of `out`."""
    p = two_body_momentum(mass, masses[0], masses[1])
    x, y, z = unit_vector(state)
    out[0, 0], out[0, 1], out[0, 2] = p * x, p * y, p * z
    out[1, 0], out[1, 1], out[1, 2] = -p * x, -p * y, -p * z
    out[0, 3] = np.sqrt(p * p + masses[0] * masses[0])
    out[1, 3] = np.sqrt(p * p + masses[1] * masses[1])


@lean_kernel
def _factor(t: float, m: float, below: float, above: float) -> float:
    """Return f_k = p_k^2 / t_k of the step from the cluster mass `above` to `below` and `m`."""
    return (t + 2.0 * m) * (t + 2.0 * below) * (2.0 * above - t) / (4.0 * above * above)


@lean_kernel
def _three_body(
    mass: float, masses: FloatArray, bound: float, state: UInt64Array, out: FloatArray
) -> int:
    """Draw a three-body decay: the general algorithm without arrays; see `phase_space`."""
    m_0, m_1, m_2 = masses[0], masses[1], masses[2]
    q = mass - m_0 - m_1 - m_2
    exceeded = 0
    while True:
        # t_1 / Q has density sqrt(x (1 - x)): the coordinate of a point uniform in a disk.
        t_1 = 0.5 * q * (1.0 + np.sqrt(uniform(state)) * azimuth(state)[0])
        t_2 = q - t_1
        pair = m_0 + m_1 + t_1
        f_1, f_2 = _factor(t_1, m_1, m_0, pair), _factor(t_2, m_2, pair, mass)
        weight = f_1 * f_2
        if weight > bound:
            exceeded += 1
        u = uniform(state)
        if u * u * bound <= weight:
            break
    _place_pair(masses, pair, np.sqrt(t_1 * f_1), np.sqrt(t_2 * f_2), 0, state, out)
    return exceeded


@lean_kernel
def _place_pair(
    masses: FloatArray,
    pair: float,
    p_1: float,
    p_2: float,
    first: int,
    state: UInt64Array,
    out: FloatArray,
) -> None:
    """Write a three-body decay whose particles `first` and `first` + 1 have the mass `pair`.

    The momentum is `p_1` in the rest frame of the pair and `p_2` in that of the parent; both
    directions are uniform.
    """
    a, b, single = first, first + 1, 2 - 2 * first
    x, y, z = unit_vector(state)
    out[a, 0], out[a, 1], out[a, 2] = p_1 * x, p_1 * y, p_1 * z
    out[b, 0], out[b, 1], out[b, 2] = -p_1 * x, -p_1 * y, -p_1 * z
    out[a, 3] = np.sqrt(p_1 * p_1 + masses[a] * masses[a])
    out[b, 3] = np.sqrt(p_1 * p_1 + masses[b] * masses[b])
    x, y, z = unit_vector(state)
    out[single, 0], out[single, 1], out[single, 2] = -p_2 * x, -p_2 * y, -p_2 * z
    out[single, 3] = np.sqrt(p_2 * p_2 + masses[single] * masses[single])
    energy = np.sqrt(p_2 * p_2 + pair * pair)
    for j in range(a, b + 1):
        boost_from_rest(out[j], p_2 * x, p_2 * y, p_2 * z, energy, pair)


@lean_kernel
def pole_phase_space(
    mass: float, masses: FloatArray, first: int, state: UInt64Array, out: FloatArray
) -> None:
    """Draw a three-body decay with the density of phase space over m^2.

    m is the mass of the two daughters `first` and `first` + 1, whose phase space is p_1 p_2 dm:
    with log(m) drawn uniformly, p_1 p_2 / m is left to accept on, of which p_1 / m is at most
    1/2. A pair from a virtual photon, which is nearly always light, is so found at once.

    Parameters
    ----------
    mass
        Mass of the parent, GeV.
    masses
        (>= 3,) masses of the daughters; their sum is below `mass`, that of the pair is above
        zero.
    first
        Position of the pair, 0 or 1.
    state
        Random stream, advanced.
    out
        (>= 3, 4) receives the daughters' (px, py, pz, E) in the parent's rest frame.
    """
    single = masses[2 - 2 * first]
    lowest = masses[first] + masses[first + 1]
    span = np.log((mass - single) / lowest)
    limit = 0.5 * two_body_momentum(mass, lowest, single)
    while True:
        pair = lowest * np.exp(uniform(state) * span)
        p_1 = two_body_momentum(pair, masses[first], masses[first + 1])
        p_2 = two_body_momentum(mass, pair, single)
        if uniform(state) * limit * pair <= p_1 * p_2:
            break
    _place_pair(masses, pair, p_1, p_2, first, state, out)


@lean_kernel
def _draw_energies(q: float, n: int, state: UInt64Array, t: FloatArray, axes: FloatArray) -> None:
    """Write kinetic energies t_k and unit vectors of the steps, before acceptance."""
    total = 0.0
    spare = 0.0
    for k in range(n - 1):
        if k % 2 == 0:
            a, b = normal_pair(state)
            c, spare = normal_pair(state)
        else:
            a, b = normal_pair(state)
            c = spare
        square = a * a + b * b + c * c
        length = np.sqrt(square)
        axes[k, 0], axes[k, 1], axes[k, 2] = a / length, b / length, c / length
        t[k] = square
        total += square
    for k in range(n - 1):
        t[k] *= q / total


@lean_kernel
def _many_body(
    mass: float, masses: FloatArray, n: int, bound: float, state: UInt64Array, out: FloatArray
) -> int:
    """Draw a decay to `n` > 3 daughters; see `phase_space`."""
    q = mass
    for i in range(n):
        q -= masses[i]
    t = stack_array(1, MAX_DAUGHTERS)[0]
    axes = stack_array(MAX_DAUGHTERS, 3)
    exceeded = 0
    while True:
        _draw_energies(q, n, state, t, axes)
        weight = 1.0
        below = masses[0]
        for k in range(n - 1):
            above = below + masses[k + 1] + t[k]
            weight *= _factor(t[k], masses[k + 1], below, above)
            below = above
        if weight > bound:
            exceeded += 1
        u = uniform(state)
        if u * u * bound <= weight:
            break
    _build(masses, n, t, axes, out)
    return exceeded


@lean_kernel
def _build(masses: FloatArray, n: int, t: FloatArray, axes: FloatArray, out: FloatArray) -> None:
    """Write the momenta of a chain of two-body steps, from the innermost cluster outwards."""
    below = masses[0]
    out[0, 0], out[0, 1], out[0, 2], out[0, 3] = 0.0, 0.0, 0.0, below
    for k in range(n - 1):
        m = masses[k + 1]
        above = below + m + t[k]
        p = np.sqrt(t[k] * _factor(t[k], m, below, above))
        x, y, z = p * axes[k, 0], p * axes[k, 1], p * axes[k, 2]
        energy = np.sqrt(p * p + below * below)
        out[k + 1, 0], out[k + 1, 1], out[k + 1, 2] = -x, -y, -z
        out[k + 1, 3] = np.sqrt(p * p + m * m)
        if k == 0:
            out[0, 0], out[0, 1], out[0, 2], out[0, 3] = x, y, z, energy
        else:
            for j in range(k + 1):
                boost_from_rest(out[j], x, y, z, energy, below)
        below = above


@lean_kernel
def phase_space(
    mass: float, masses: FloatArray, n: int, bound: float, state: UInt64Array, out: FloatArray
) -> int:
    """Draw one unweighted phase-space point.

    Parameters
    ----------
    mass
        Mass of the parent, GeV.
    masses
        (>= n,) masses of the daughters; their sum is at most `mass`.
    n
        Number of daughters, 1 to `MAX_DAUGHTERS`.
    bound
        `tangent_bound` for these masses; not used for n < 3.
    state
        Random stream, advanced.
    out
        (>= n, 4) receives the daughters' (px, py, pz, E) in the parent's rest frame.

    Returns
    -------
    int
        Number of trials whose weight was above `bound` (0 unless the bound is wrong).
    """
    if n == 1:
        out[0, 0], out[0, 1], out[0, 2], out[0, 3] = 0.0, 0.0, 0.0, mass
        return 0
    if n == 2:
        _two_body(mass, masses, state, out)
        return 0
    if n == 3:
        return _three_body(mass, masses, bound, state, out)
    return _many_body(mass, masses, n, bound, state, out)


@lean_kernel
def turn_plane(state: UInt64Array, out: FloatArray) -> None:
    """Give a decay to three bodies in the x-y plane a uniformly distributed orientation.

    Parameters
    ----------
    state
        Random stream, advanced.
    out
        (3, 4) momenta, changed; a decay with z = 0.
    """
    ax, ay, az = unit_vector(state)
    if abs(az) < 0.8:
        norm = 1.0 / np.sqrt(ax * ax + ay * ay)
        ux, uy, uz = -ay * norm, ax * norm, 0.0
    else:
        norm = 1.0 / np.sqrt(ay * ay + az * az)
        ux, uy, uz = 0.0, -az * norm, ay * norm
    vx, vy, vz = ay * uz - az * uy, az * ux - ax * uz, ax * uy - ay * ux
    cosine, sine = azimuth(state)
    bx, by, bz = cosine * ux + sine * vx, cosine * uy + sine * vy, cosine * uz + sine * vz
    for k in range(3):
        x, y = out[k, 0], out[k, 1]
        out[k, 0], out[k, 1], out[k, 2] = x * ax + y * bx, x * ay + y * by, x * az + y * bz
