r"""Decays of a scalar to three scalars: momenta drawn from a table of the Dalitz plot.

Phase space is uniform in the squared masses s_12 and s_23 (R. H. Dalitz, Phil. Mag. 44 (1953)
1068), and the amplitude depends on nothing else. Narrow resonances make it vary by orders of
magnitude, so that points drawn uniformly are rejected tens to hundreds of times. Here the plane is
covered with rectangles, small ones where the amplitude varies, each with an upper bound of
|A|^2. A rectangle is drawn by bound times area, a point in it uniformly, and accepted on |A|^2 over
the bound: the same distribution with less than two trials.

A meson that oscillates decays from a superposition alpha |M0> + beta |anti-M0> of norm 1, which the
engine draws before. What is bounded is then |A|^2 + |Abar|^2, the largest |alpha A + beta Abar|^2.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from simgen.engine.call import as_pointer, call_amplitude
from simgen.engine.finite import check_finite, gives_up
from simgen.engine.program import (
    N_EXCEEDED,
    N_TRIALS,
)
from simgen.engine.scratch import SCRATCH
from simgen.jit import kernel, lean_kernel
from simgen.phasespace import turn_plane
from simgen.random import uniform
from simgen.view import view

if TYPE_CHECKING:
    from simgen.typing import ComplexArray, FloatArray, IntArray, UInt64Array

# Columns of a rectangle.
_CUMULATIVE, _X, _Y, _DX, _DY, _BOUND, N_COLUMNS = 0, 1, 2, 3, 4, 5, 6

# Rectangles along each axis to begin with: so many, or more, so that none is wider than this and no
# rho meson passes between the points where |A|^2 is sampled.
_FIRST, _WIDEST = 32, 0.4  # GeV^2
_POINTS = 4  # where |A|^2 is sampled, along each axis of a rectangle, edges included
_EFFICIENCY = 0.65  # at which the table is good enough
_MOST = 4000  # rectangles, twice those to begin with if these are more
# What is added to the largest of the sampled values, and how much of the largest step from one to
# the next: a parabola has at most 1/8 of it between two points, a resonance more. Points beyond
# are counted and reported.
MARGIN = 1.08
_STEP, _STEP_AT_EDGE = 0.4, 1.5
# The least bound, relative to the mean of |A|^2: what is rare costs little.
_LEAST = 0.1
# Integrals over the whole plot: panels along s_12, and along s_23 at a given s_12; nodes in each.
_PANELS, _NODES = 60, 6
_FLAVOUR_ROW = 4  # of the momenta


@lean_kernel
def _range_of_s23(mass: float, m: FloatArray, s_12: float) -> tuple[float, float]:
    """Return the limits of s_23 at a given s_12, which is inside its own limits."""
    pair = np.sqrt(s_12)
    e_2 = (s_12 - m[0] * m[0] + m[1] * m[1]) / (2.0 * pair)
    e_3 = (mass * mass - s_12 - m[2] * m[2]) / (2.0 * pair)
    p_2 = np.sqrt(max(e_2 * e_2 - m[1] * m[1], 0.0))
    p_3 = np.sqrt(max(e_3 * e_3 - m[2] * m[2], 0.0))
    energy = (e_2 + e_3) ** 2
    return energy - (p_2 + p_3) ** 2, energy - (p_2 - p_3) ** 2


@lean_kernel
def _place(mass: float, m: FloatArray, s_12: float, s_23: float, out: FloatArray) -> None:
    """Write momenta with these masses of pairs: particle 1 along x, all in the x-y plane."""
    e_1 = (mass * mass + m[0] * m[0] - s_23) / (2.0 * mass)
    e_3 = (mass * mass + m[2] * m[2] - s_12) / (2.0 * mass)
    e_2 = mass - e_1 - e_3
    p_1 = np.sqrt(max(e_1 * e_1 - m[0] * m[0], 0.0))
    p_2_squared = max(e_2 * e_2 - m[1] * m[1], 0.0)
    p_3_squared = max(e_3 * e_3 - m[2] * m[2], 0.0)
    x = 0.0
    if p_1 > 0.0:
        x = (p_2_squared - p_1 * p_1 - p_3_squared) / (2.0 * p_1)
    y = np.sqrt(max(p_3_squared - x * x, 0.0))
    out[0, 0], out[0, 1], out[0, 2], out[0, 3] = p_1, 0.0, 0.0, e_1
    out[1, 0], out[1, 1], out[1, 2], out[1, 3] = -p_1 - x, -y, 0.0, e_2
    out[2, 0], out[2, 1], out[2, 2], out[2, 3] = x, y, 0.0, e_3


@lean_kernel
def draw_from_grid(
    channel: Any, mass: float, amplitude: Any, scratch: Any, state: UInt64Array, counter: IntArray
) -> None:
    """Draw a decay from the channel's table; the flavour state of what oscillates is set.

    Parameters
    ----------
    channel
        `CHANNEL` record with `n_cells` above 0.
    mass
        Mass of the parent, GeV, that the table is made for.
    amplitude
        (>= 1,) receives the amplitude.
    scratch
        `SCRATCH` record; ``masses`` and ``pdgids`` are set, ``momenta`` is written.
    state
        Random stream, advanced.
    counter
        Row of counters, added to.
    """
    n: int = channel.n_cells
    cells = view(as_pointer(channel.cells), n, N_COLUMNS)
    m, momenta = scratch.masses, scratch.momenta
    momenta[0, 0], momenta[0, 1], momenta[0, 2], momenta[0, 3] = 0.0, 0.0, 0.0, mass
    lowest, highest = (m[0] + m[1]) ** 2, (mass - m[2]) ** 2
    not_finite = 0
    while True:
        u = uniform(state)
        low, high = 0, n - 1
        while low < high:
            middle = (low + high) // 2
            if cells[middle, _CUMULATIVE] > u:
                high = middle
            else:
                low = middle + 1
        s_12 = cells[low, _X] + cells[low, _DX] * uniform(state)
        s_23 = cells[low, _Y] + cells[low, _DY] * uniform(state)
        if not lowest < s_12 < highest:
            continue
        least, most = _range_of_s23(mass, m, s_12)
        if not least < s_23 < most:
            continue
        counter[N_TRIALS] += 1
        _place(mass, m, s_12, s_23, momenta[1:])
        call_amplitude(
            channel.address,
            channel.parameters,
            scratch.pdgids.ctypes.data,
            momenta.ctypes.data,
            amplitude.ctypes.data,
        )
        probability = amplitude[0].real ** 2 + amplitude[0].imag ** 2
        if not probability <= cells[low, _BOUND]:  # true for nan, which would never be accepted
            if probability < np.inf:
                counter[N_EXCEEDED] += 1
            else:
                not_finite += 1
                if gives_up(not_finite, counter, scratch):
                    break
                continue
        if uniform(state) * cells[low, _BOUND] <= probability:
            break
    turn_plane(state, momenta[1:])


@lean_kernel
def _point(start: float, length: float, i: int, threshold: float) -> float:
    """Return point `i` on an edge, denser at the threshold of a pair: S waves rise as a root."""
    fraction = i / (_POINTS - 1)
    if start < threshold + length:
        fraction *= fraction
    return start + length * fraction


@lean_kernel
def _call(channel: Any, scratch: Any, amplitude: Any) -> complex:
    """Return the amplitude at the momenta of the scratch memory, nan where it writes none."""
    amplitude[0] = np.nan
    call_amplitude(
        channel.address,
        channel.parameters,
        scratch.pdgids.ctypes.data,
        scratch.momenta.ctypes.data,
        amplitude.ctypes.data,
    )
    return complex(amplitude[0])


@lean_kernel
def _call_flavour(channel: Any, scratch: Any, amplitude: Any, anti: bool) -> complex:
    """Return A, or Abar, of what oscillates."""
    flavour = scratch.momenta[_FLAVOUR_ROW]
    flavour[0], flavour[1], flavour[2], flavour[3] = 1.0, 0.0, 0.0, 0.0
    if anti:
        flavour[0], flavour[2] = 0.0, 1.0
    return _call(channel, scratch, amplitude)


@lean_kernel
def _largest_rate(channel: Any, scratch: Any, amplitude: Any) -> float:
    """Return |A|^2, for what oscillates that of the flavour state for which it is largest."""
    if channel.mixing < 0:
        a = _call(channel, scratch, amplitude)
        return float(a.real**2 + a.imag**2)
    total = 0.0
    for k in range(2):
        a = _call_flavour(channel, scratch, amplitude, k == 1)
        total += a.real**2 + a.imag**2
    return total


@kernel
def _sample(
    channel: Any, mass: float, scratch_array: Any, cells: FloatArray, bound: FloatArray,
    mean: FloatArray,
) -> None:  # fmt: skip
    """Write a bound of the rate in each rectangle, and its mean; outside of the plot it is 0.

    Points outside are moved onto the edge for the bound, because part of the rectangle may be
    inside.
    """
    scratch = scratch_array[0]
    m, momenta, amplitude = scratch.masses, scratch.momenta, scratch.level_amplitude[0]
    momenta[0, 0], momenta[0, 1], momenta[0, 2], momenta[0, 3] = 0.0, 0.0, 0.0, mass
    lowest, highest = (m[0] + m[1]) ** 2, (mass - m[2]) ** 2
    threshold = (m[1] + m[2]) ** 2
    before = np.zeros(_POINTS)
    for c in range(len(cells)):
        total, largest, step, inside = 0.0, 0.0, 0.0, 0
        for i in range(_POINTS):
            x = _point(cells[c, _X], cells[c, _DX], i, lowest)
            s_12 = min(max(x, lowest), highest)
            least, most = _range_of_s23(mass, m, s_12)
            left = 0.0
            for j in range(_POINTS):
                y = _point(cells[c, _Y], cells[c, _DY], j, threshold)
                s_23 = min(max(y, least), most)
                _place(mass, m, s_12, s_23, momenta[1:])
                value = _largest_rate(channel, scratch, amplitude)
                if not value < np.inf and (s_12 != x or s_23 != y):
                    continue  # on the edge, where no decay is drawn
                largest = max(largest, value)
                if i > 0:
                    step = max(step, abs(value - before[j]))
                if j > 0:
                    step = max(step, abs(value - left))
                before[j] = left = value
                if s_12 == x and s_23 == y:
                    total += value
                    inside += 1
        bound[c] = largest + (_STEP if inside == _POINTS * _POINTS else _STEP_AT_EDGE) * step
        mean[c] = total / (_POINTS * _POINTS)


@lean_kernel
def _touches(mass: float, m: FloatArray, cells: FloatArray, out: Any) -> None:
    """Say which rectangles have points of the Dalitz plot; none with points is left out."""
    lowest, highest = (m[0] + m[1]) ** 2, (mass - m[2]) ** 2
    s_23_low, s_23_high = (m[1] + m[2]) ** 2, (mass - m[0]) ** 2
    for c in range(len(cells)):
        a, b = max(cells[c, _X], lowest), min(cells[c, _X] + cells[c, _DX], highest)
        out[c] = a <= b
        if not out[c]:
            continue
        low_a, high_a = _range_of_s23(mass, m, a)
        low_b, high_b = _range_of_s23(mass, m, b)
        low, high = min(low_a, low_b), max(high_a, high_b)
        # s_23 is least where 2 and 3 move alike, and largest where 1 is at rest.
        at_least = m[0] ** 2 + m[1] ** 2 + m[1] * (mass**2 - m[0] ** 2 - s_23_low) / (m[1] + m[2])
        e_2 = (s_23_high + m[1] ** 2 - m[2] ** 2) / (2.0 * (mass - m[0]))
        at_most = m[0] ** 2 + m[1] ** 2 + 2.0 * m[0] * e_2
        if a < at_least < b:
            low = s_23_low
        if a < at_most < b:
            high = s_23_high
        out[c] = cells[c, _Y] <= high and cells[c, _Y] + cells[c, _DY] >= low


def plot_scratch(parent: Any, daughters: Any) -> Any:
    """Return scratch memory for the functions below: masses and PDG numbers of a decay are set.

    Parameters
    ----------
    parent, daughters
        `SPECIES` records; three daughters.
    """
    scratch = np.zeros(1, SCRATCH)
    scratch[0]["pdgids"][: 1 + len(daughters)] = [parent["pdgid"], *daughters["pdgid"]]
    scratch[0]["masses"][: len(daughters)] = daughters["mass"]
    return scratch


def build_grid(channel: Any, mass: float, scratch: Any) -> FloatArray:
    """Make the table of a channel.

    Parameters
    ----------
    channel
        `CHANNEL` record with the address of its amplitude and parameters.
    mass
        Mass of the parent, GeV.
    scratch
        Of `plot_scratch`.

    Returns
    -------
    (n, 6) array
        Rectangles: running sum of probabilities, s_12, s_23 of the lowest corner, lengths of the
        edges, all GeV^2, and bound of |A|^2.

    Raises
    ------
    FloatingPointError
        If |A|^2 is no number at some point.
    """
    m = scratch[0]["masses"][:3].copy()
    low = np.array([(m[0] + m[1]) ** 2, (m[1] + m[2]) ** 2])
    room = np.array([(mass - m[2]) ** 2, (mass - m[0]) ** 2]) - low
    first = max(_FIRST, int(np.ceil(room.max() / _WIDEST)))
    step = room / first
    x, y = (low + step * np.arange(first)[:, None]).T
    grid_x, grid_y = np.meshgrid(x, y, indexing="ij")
    cells = np.zeros((first * first, N_COLUMNS))
    cells[:, _X], cells[:, _Y] = grid_x.ravel(), grid_y.ravel()
    cells[:, _DX], cells[:, _DY] = step
    cells, mean = _measured(channel, mass, m, scratch, cells)
    most = max(_MOST, 2 * len(cells))
    while len(cells) < most:
        area = cells[:, _DX] * cells[:, _DY]
        weight = cells[:, _BOUND] * area
        if np.sum(mean * area) > _EFFICIENCY * np.sum(weight):
            break
        waste = weight - mean * area
        order = np.argsort(-waste)
        n_split = 1 + int(np.searchsorted(np.cumsum(waste[order]), 0.5 * waste.sum()))
        split, kept = order[:n_split], order[n_split:]
        quarters, their_mean = _measured(channel, mass, m, scratch, _quarters(cells[split]))
        cells = np.concatenate([cells[kept], quarters])
        mean = np.concatenate([mean[kept], their_mean])
    area = cells[:, _DX] * cells[:, _DY]
    least = _LEAST * np.sum(mean * area) / np.sum(area)
    cells[:, _BOUND] = np.maximum(MARGIN * cells[:, _BOUND], least)
    weight = np.cumsum(cells[:, _BOUND] * area)
    cells[:, _CUMULATIVE] = weight / weight[-1]
    return np.ascontiguousarray(cells)


@kernel
def _integrate(
    channel: Any, mass: float, scratch_array: Any, nodes: FloatArray, weights: FloatArray,
    matrix: ComplexArray,
) -> None:  # fmt: skip
    """Add the integrals of A A^*, A Abar^* and Abar Abar^* over the plot; nodes from 0 to 1."""
    scratch = scratch_array[0]
    m, momenta, amplitude = scratch.masses, scratch.momenta, scratch.level_amplitude[0]
    momenta[0, 0], momenta[0, 1], momenta[0, 2], momenta[0, 3] = 0.0, 0.0, 0.0, mass
    lowest, highest = (m[0] + m[1]) ** 2, (mass - m[2]) ** 2
    for i in range(len(nodes)):
        s_12 = lowest + (highest - lowest) * nodes[i]
        least, most = _range_of_s23(mass, m, s_12)
        for j in range(len(nodes)):
            s_23 = least + (most - least) * nodes[j]
            weight = weights[i] * weights[j] * (most - least)
            _place(mass, m, s_12, s_23, momenta[1:])
            a = _call_flavour(channel, scratch, amplitude, False)
            b = _call_flavour(channel, scratch, amplitude, True)
            matrix[0, 0] += weight * (a.real**2 + a.imag**2)
            matrix[1, 1] += weight * (b.real**2 + b.imag**2)
            matrix[0, 1] += weight * a * b.conjugate()
    matrix[1, 0] = matrix[0, 1].conjugate()


def integrated_flavours(channel: Any, mass: float, scratch: Any) -> ComplexArray:
    """Return the matrix A A^*, A Abar^*, ... of a meson that oscillates, integrated over the plot.

    Parameters
    ----------
    channel, mass, scratch
        As for `build_grid`.

    Returns
    -------
    (2, 2) array
        Up to a factor; sum of v_i M_ij v_j^* is the rate of alpha |M0> + beta |anti-M0>,
        v = (alpha, beta).

    Raises
    ------
    FloatingPointError
        If an amplitude is no number at some point.
    """
    x, w = np.polynomial.legendre.leggauss(_NODES)
    nodes = ((np.arange(_PANELS)[:, None] + 0.5 * (1.0 + x)) / _PANELS).ravel()
    weights = np.tile(0.5 * w / _PANELS, _PANELS)
    matrix = np.zeros((2, 2), complex)
    _integrate(channel, mass, scratch, nodes, weights, matrix)
    check_finite(matrix)
    return matrix


def _quarters(cells: FloatArray) -> FloatArray:
    """Return the four quarters of each rectangle."""
    half = cells[:, _DX : _DY + 1] / 2
    pieces = []
    for i in range(2):
        for j in range(2):
            piece = cells.copy()
            piece[:, _X] += i * half[:, 0]
            piece[:, _Y] += j * half[:, 1]
            piece[:, _DX : _DY + 1] = half
            pieces.append(piece)
    return np.concatenate(pieces)


def _measured(
    channel: Any, mass: float, m: FloatArray, scratch: Any, cells: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return the rectangles that touch the Dalitz plot, bounds filled in, and their means."""
    touches = np.zeros(len(cells), dtype=bool)
    _touches(mass, m, cells, touches)
    cells = cells[touches]
    bound, mean = np.zeros(len(cells)), np.zeros(len(cells))
    _sample(channel, mass, scratch, cells, bound, mean)
    check_finite(bound + mean)
    cells[:, _BOUND] = bound
    return cells, mean
