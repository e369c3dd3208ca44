r"""Photons that the charged products of a decay radiate (final-state radiation).

Soft photons are radiated independently of each other (D. R. Yennie, S. C. Frautschi, H. Suura, Ann.
Phys. 13 (1961) 379): in the rest frame of what decays their number is Poisson with the density

.. math:: d\bar n = -\frac{\alpha}{4\pi^2} \frac{d^3k}{k} \sum_{ij} Z_i Z_j \theta_i \theta_j
          \frac{p_i \cdot p_j}{(p_i \cdot k)(p_j \cdot k)}
          = \frac{\alpha}{4\pi^2} \frac{dk}{k}\, d\Omega\, \Big|\sum_i v_i\Big|^2, \qquad
          v_i = \frac{Z_i\, \beta_i^\perp}{1 - \beta_i \cdot n}

where i, j run over all charged particles, theta is 1 for the products and -1 for the parent. The
second form holds because the current is conserved: only its part across the photon's direction n
counts, and a parent at rest has none.

For hard photons the density is shared among the charged products as v_i^2. Product i recoils
against all else: the photon keeps its momentum in the parent's rest frame; i and the rest, whose
mass stays, are put back to back along the old direction of i with the momenta q' that their mass
M'^2 = M^2 - 2 M k leaves them, then boosted by what the photon took. All masses stay, four-momentum
is conserved, and a photon along i changes nothing but the energy of i. The phase space of the
photon and the new momenta is then exactly dk k dOmega times that of the old ones and
(q' / M') / (q / M). The density has this factor and v_i of the new momenta; where i has spin 1/2,

.. math:: \frac{\alpha}{4\pi^2} \frac{d^3k}{k}\,
          \frac{Z_i^2\, R' \cdot k}{(p_i' \cdot k)\, M E_i}

is added, with R' the momentum of the rest, E_i the energy of i before, and the same factor. A
photon along i then takes the share x of its energy with (1 - x) / x for spin 0 and
(1 - x + x^2 / 2) / x for spin 1/2, as it should to order alpha, and as in PHOTOS (E. Barberio, Z.
Was, Comput. Phys. Commun. 79 (1994) 291; P. Golonka, Z. Was, Eur. Phys. J. C 45 (2006) 97,
hep-ph/0506026) and SOPHTY (K. Hamilton, P. Richardson, JHEP 07 (2006) 010, hep-ph/0603034). To
order alpha, pairs of spin 0 from a point-like scalar are exact, and so are pairs of spin 1/2 from a
vector but for m^2 / M^2. Products of other spins are taken as spin 0.

Photons come in falling energy, each radiated by what the harder ones left, so that a decay has no
photon above an energy with the probability exp(-mean number above it). The rate of the decay does
not change. Photons are drawn from a stream of their own: the rest of an event is the same decays
with the same spins whether they are radiated or not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from simgen.engine.program import MAX_PHOTONS
from simgen.jit import lean_kernel
from simgen.lorentz import boost_from_rest
from simgen.random import azimuth, exponential, uniform

if TYPE_CHECKING:
    from simgen.typing import FloatArray, UInt64Array

PHOTON_SUBSTREAM = 1
"""Of an event's random numbers; the engine's others are those of substream 0."""

FINE_STRUCTURE = 1.0 / 137.035999084
"""alpha at zero momentum transfer (CODATA 2018): that of real photons."""

_TWO_PI = 2.0 * np.pi
# Columns of an emitter: charge; rate of proposals; speed and what it lacks to 1; and the logarithm
# of the range of 1 - beta cos, 0 for slow ones, whose cos is proposed evenly.
_CHARGE, _RATE, _SPEED, _LACK, _SPAN = 0, 1, 2, 3, 4
# (p / m)^2 above which proposals along 1 / (1 - beta cos) are fewer than even ones.
_FAST = 3.0


@lean_kernel
def radiate(species: Any, channel: Any, mass: float, scratch: Any) -> int:
    """Let the products of a decay radiate.

    Parameters
    ----------
    species, channel
        Of a `Program`; the channel has a photon.
    mass
        Of what decays, GeV.
    scratch
        ``momenta`` of the products (parent's rest frame, parent in row 0) are changed, ``photons``
        filled, ``photon_stream`` advanced.

    Returns
    -------
    int
        Number of photons, at most `MAX_PHOTONS`.
    """
    n, state = channel.n_daughters, scratch.photon_stream
    heavy = 0.0
    for i in range(n):
        heavy += scratch.masses[i]
    highest = (mass - heavy) * (mass + heavy) / (2.0 * mass)
    if highest <= channel.photon_energy:
        return 0
    # The density is bounded by a simpler one, whose photons are kept with a probability.
    rate = _list_emitters(species, channel, scratch)
    end = np.log(highest / channel.photon_energy)
    u = uniform(state)
    if u >= rate * end:  # before the logarithm, for most decays
        return 0
    reached = -np.log(1.0 - u) / rate
    count = 0
    while reached < end and count < MAX_PHOTONS:
        energy = highest * np.exp(-reached)
        if _propose(species, channel, mass, energy, count, state, scratch):
            count += 1
            rate = _list_emitters(species, channel, scratch)
        reached += exponential(state) / rate
    return count


@lean_kernel
def _list_emitters(species: Any, channel: Any, scratch: Any) -> float:
    """Fill ``emitter`` from the momenta; return the rate of proposals per ln k."""
    charged, total = 0, 0.0
    for i in range(channel.n_daughters):
        own, p, mass = scratch.emitter[i], scratch.momenta[1 + i], scratch.masses[i]
        charge = species[channel.daughters[i]].charge
        own[_CHARGE], own[_RATE] = charge, 0.0
        square = p[0] * p[0] + p[1] * p[1] + p[2] * p[2]
        if charge == 0.0 or square == 0.0:
            continue
        charged += 1
        speed = np.sqrt(square) / p[3]
        own[_SPEED] = speed
        own[_LACK] = (mass / p[3]) ** 2 / (1.0 + speed)
        own[_SPAN] = 0.0
        over_angles = 2.0 * square / (mass * mass)
        if over_angles > 2.0 * _FAST:
            own[_SPAN] = np.log((1.0 + speed) / own[_LACK])
            over_angles = 2.0 * own[_SPAN] / speed
        own[_RATE] = charge * charge * over_angles
        total += own[_RATE]
    # |sum of v|^2 is at most `charged` times the sum of |v|^2
    scratch.charged = charged
    return float(total * charged * FINE_STRUCTURE / _TWO_PI)


@lean_kernel
def _propose(
    species: Any,
    channel: Any,
    mass: float,
    energy: float,
    count: int,
    state: UInt64Array,
    scratch: Any,
) -> bool:
    """Propose a photon, row `count` of ``photons``; say whether it is radiated."""
    photon, n = scratch.photons[count], channel.n_daughters
    i = _choose_emitter(n, uniform(state), scratch)
    bound = _draw_direction(scratch.emitter[i], scratch.momenta[1 + i], state, photon)
    photon[3] = energy
    own, before = scratch.masses[i], scratch.momenta[1 + i, 3]
    square = mass * (mass - 2.0 * before) + own * own
    rest = np.sqrt(max(square, 0.0))  # of massless particles, less than 0 by rounding
    left = np.sqrt(mass * (mass - 2.0 * energy))
    if left <= own + rest:
        return False
    phase_space = _recoil(i, n, mass, left, rest, count, scratch)
    density = _density(i, n, photon, scratch)
    if species[channel.daughters[i]].fermion != 0:
        lack = _lack(scratch.after[i], own, photon)
        charge = scratch.emitter[i, _CHARGE]
        density += (charge * energy) ** 2 * (mass - lack) / (lack * mass * before)
    if not uniform(state) * bound * scratch.charged < phase_space * density:
        return False
    for axis in range(3):
        photon[axis] *= energy
    for j in range(n + count):
        q = scratch.momenta[1 + j] if j < n else scratch.photons[j - n]
        for axis in range(4):
            q[axis] = scratch.after[j, axis]
    return True


@lean_kernel
def _choose_emitter(n: int, u: float, scratch: Any) -> int:
    """Draw one of n products by its rate of proposals."""
    left = 0.0
    for i in range(n):
        left += scratch.emitter[i, _RATE]
    left *= u
    chosen = 0
    for i in range(n):
        rate = scratch.emitter[i, _RATE]
        if rate > 0.0:
            chosen = i  # rounding must not run past the last
            if left < rate:
                break
            left -= rate
    return chosen


@lean_kernel
def _draw_direction(
    emitter: FloatArray, p: FloatArray, state: UInt64Array, direction: FloatArray
) -> float:
    """Draw a unit vector about a product of momentum `p`; return the bound of v_i^2 there."""
    speed = emitter[_SPEED]
    if emitter[_SPAN] == 0.0:
        off = 2.0 * uniform(state)  # 1 - cos, which keeps its digits near 0
        bound = speed * speed / (emitter[_LACK] * (1.0 + speed))
    else:
        inverse = (1.0 + speed) * np.exp(-emitter[_SPAN] * uniform(state))  # 1 - beta cos
        off = min(max((inverse - emitter[_LACK]) / speed, 0.0), 2.0)
        bound = 2.0 / inverse
    cos, sin = 1.0 - off, np.sqrt(off * (2.0 - off))
    cos_phi, sin_phi = azimuth(state)
    across, upward = sin * cos_phi, sin * sin_phi
    momentum = speed * p[3]
    ex, ey, ez = p[0] / momentum, p[1] / momentum, p[2] / momentum
    # two directions across e (J. R. Frisvad, J. Graphics Tools 16 (2012) 151, for either sign)
    sign = 1.0 if ez >= 0.0 else -1.0
    a = -1.0 / (sign + ez)
    b = ex * ey * a
    direction[0] = cos * ex + across * (1.0 + sign * ex * ex * a) + upward * b
    direction[1] = cos * ey + across * sign * b + upward * (sign + ey * ey * a)
    direction[2] = cos * ez - across * sign * ex - upward * ey
    return float(emitter[_CHARGE] ** 2 * bound)


@lean_kernel
def _density(i: int, n: int, direction: FloatArray, scratch: Any) -> float:
    """Return the part of product i in |sum of v|^2, after the recoil."""
    nx, ny, nz = direction[0], direction[1], direction[2]
    squares, own, vx, vy, vz = 0.0, 0.0, 0.0, 0.0, 0.0
    for j in range(n):
        charge, p = scratch.emitter[j, _CHARGE], scratch.after[j]
        if charge == 0.0:
            continue
        along = p[0] * nx + p[1] * ny + p[2] * nz
        tx, ty, tz = p[0] - along * nx, p[1] - along * ny, p[2] - along * nz
        square = tx * tx + ty * ty + tz * tz
        weight = charge / _lack(p, scratch.masses[j], direction)
        vx, vy, vz = vx + weight * tx, vy + weight * ty, vz + weight * tz
        squares += weight * weight * square
        if j == i:
            own = weight * weight * square
    if squares == 0.0:
        return 0.0
    return float((vx * vx + vy * vy + vz * vz) * own / squares)


@lean_kernel
def _lack(p: FloatArray, mass: float, direction: FloatArray) -> float:
    """Return what a momentum along a direction lacks to the energy: p k / k of a photon there."""
    along = p[0] * direction[0] + p[1] * direction[1] + p[2] * direction[2]
    if along <= 0.0:
        return float(p[3] - along)
    # (E - p_along) (E + p_along) keeps its digits
    across = (
        (p[0] - along * direction[0]) ** 2
        + (p[1] - along * direction[1]) ** 2
        + (p[2] - along * direction[2]) ** 2
    )
    return float((across + mass * mass) / (p[3] + along))


@lean_kernel
def _recoil(
    i: int, n: int, mass: float, left: float, rest: float, count: int, scratch: Any
) -> float:
    """Make room for the photon in row `count`, a direction and energy, which product i radiates.

    Parameters
    ----------
    i, n
        The product and their number.
    mass, left, rest
        Of the parent, of all but this photon, and of that without product i, GeV.
    count
        Number of photons before; they recoil, too.
    scratch
        ``after`` receives the momenta of products and photons.

    Returns
    -------
    float
        Two-body phase space of product i and the rest, relative to before.
    """
    momenta, photons, own = scratch.momenta, scratch.photons, scratch.masses[i]
    photon, p = photons[count], momenta[1 + i]
    # momentum of product i in the rest frame of all but the photon
    momentum = np.sqrt(
        (left - own - rest) * (left + own + rest) * (left - own + rest) * (left + own - rest)
    ) / (2.0 * left)
    before = np.sqrt(p[0] * p[0] + p[1] * p[1] + p[2] * p[2])
    ex, ey, ez = p[0] / before, p[1] / before, p[2] / before
    # the boost of the rest along -e, by what it does to E + |p|: it may be massless
    factor = (np.sqrt(momentum * momentum + rest * rest) + momentum) / (mass - p[3] + before)
    cosh, sinh = 0.5 * (factor + 1.0 / factor), 0.5 * (factor - 1.0 / factor)
    px, py, pz = (-photon[3] * photon[0], -photon[3] * photon[1], -photon[3] * photon[2])
    for j in range(n + count):
        q, old = scratch.after[j], momenta[1 + j] if j < n else photons[j - n]
        if j == i:
            q[0], q[1], q[2] = momentum * ex, momentum * ey, momentum * ez
            q[3] = np.sqrt(momentum * momentum + own * own)
        else:
            along = ex * old[0] + ey * old[1] + ez * old[2]
            change = (cosh - 1.0) * along - sinh * old[3]
            q[0], q[1], q[2] = old[0] + change * ex, old[1] + change * ey, old[2] + change * ez
            q[3] = cosh * old[3] - sinh * along
        boost_from_rest(q, px, py, pz, mass - photon[3], left)
    return float(momentum * mass / (left * before))
