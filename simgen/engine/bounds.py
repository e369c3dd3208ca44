"""Upper bounds of decay amplitudes, found by sampling when a decay table is compiled."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from simgen.engine.call import call_amplitude
from simgen.engine.finite import check_finite
from simgen.engine.lineshape import draw_breit_wigner
from simgen.engine.mass_tree import NO_MASSES, set_masses
from simgen.engine.program import N_OCTAVES
from simgen.engine.scratch import SCRATCH
from simgen.jit import kernel
from simgen.phasespace import phase_space, pole_phase_space, tangent_bound
from simgen.random import seek, set_key, uniform

if TYPE_CHECKING:
    from simgen.engine.program import Program
    from simgen.typing import ComplexArray, FloatArray, UInt64Array

N_SAMPLES = 4000
# With four and more bodies peaks of resonances may fill little of phase space: points are added,
# as many again each time, until so many are within half the margin of the largest.
_MANY = 4
_NEAR_TOP = 40
_MOST_SAMPLES = 128_000
# Two bodies of fixed masses have one configuration, up to a rotation, which changes neither trace
# nor eigenvalues.
_N_SAMPLES_FIXED = 4
# Three and more bodies of varying masses: samples spread evenly over octaves of kinetic energy.
_N_SAMPLES_SPREAD = 8000
# Of two bodies of varying masses the ratio of eigenvalue and trace is all that is used.
_N_SAMPLES_TWO = 400
_TWO_BODIES = 2
# What is added to the largest sampled value where kinematics vary from decay to decay; a decay
# whose probability still exceeds its bound is counted and reported.
MARGIN = 1.15
_SAME = 1e-9
_SHARE_MARGIN = 1.05
# Stream key of the sampling: apart from every stage's, so that bounds depend on nothing else.
_STAGE = 2**32


@kernel
def _sample_spin_matrices(
    species: Any, channels: Any, channel: Any, parent: Any, low: float, high: float,
    flavour: FloatArray, start: int, spread: bool, scratch_array: Any, out: ComplexArray,
    kinetic: FloatArray,
) -> None:  # fmt: skip
    """Write A A^dagger in the parent's spin space for random decays, (samples, states, states).

    And the kinetic energy of each. Masses are drawn from their lineshapes, or, if `spread`, such
    that the logarithm of the kinetic energy is spread evenly.
    """
    scratch = scratch_array[0]
    state, momenta, masses = scratch.stream, scratch.momenta, scratch.masses
    amplitude = scratch.level_amplitude[0]
    set_key(state, 0, _STAGE)
    none = -1
    n = channel.n_daughters
    size, n_states = channel.n_amplitudes, parent.n_states
    inner = size // n_states
    scratch.pdgids[0] = parent.pdgid
    for k in range(n):
        scratch.pdgids[1 + k] = species[channel.daughters[k]].pdgid
    for s in range(len(out)):
        seek(state, start + s, 0)
        mass = low
        if high > low:
            if spread and channel.n_broad == 0:
                share = 2.0 ** (-N_OCTAVES * uniform(state))
                mass = max(low, channel.threshold + share * (high - channel.threshold))
            elif parent.width > 0.0:
                mass = draw_breit_wigner(parent.mass, parent.width, low, high, state)
            else:
                mass = low + uniform(state) * (high - low)
        scratch.n_nodes = 0
        if spread:
            _spread_masses(species, channel, mass, masses, state)
        else:
            set_masses(species, channels, channel, parent, mass, none, scratch, state)
            if scratch.stuck:
                return
        kinetic[s] = mass
        for k in range(n):
            kinetic[s] -= masses[k]
        if channel.pole:
            pole_phase_space(mass, masses, channel.pole - 1, state, momenta[1:])
        else:
            bound = tangent_bound(mass, masses, n, channel.space_shares) if n > 2 else 0.0
            phase_space(mass, masses, n, bound, state, momenta[1:])
        momenta[0, 0], momenta[0, 1], momenta[0, 2], momenta[0, 3] = 0.0, 0.0, 0.0, mass
        if channel.mixing >= 0:
            momenta[1 + n, :] = flavour
        amplitude[:size] = np.nan
        call_amplitude(
            channel.address,
            channel.parameters,
            scratch.pdgids.ctypes.data,
            momenta.ctypes.data,
            amplitude.ctypes.data,
        )
        for a in range(n_states):
            for b in range(n_states):
                total = 0.0 + 0.0j
                for i in range(inner):
                    total += amplitude[a * inner + i] * np.conj(amplitude[b * inner + i])
                out[s, a, b] = total


@kernel
def _spread_masses(
    species: Any, channel: Any, mass: float, masses: FloatArray, state: UInt64Array
) -> None:
    """Draw a kinetic energy evenly in its logarithm, and give the rest to the broad daughters."""
    room = mass - channel.threshold
    extra = room * (1.0 - 2.0 ** (-N_OCTAVES * uniform(state)))
    total = 0.0
    for k in range(channel.n_daughters):
        masses[k] = 0.0
        if species[channel.daughters[k]].width > 0.0:
            masses[k] = -np.log(1.0 - uniform(state))
            total += masses[k]
    for k in range(channel.n_daughters):
        daughter = species[channel.daughters[k]]
        if daughter.width > 0.0:
            drawn = daughter.min_mass + extra * masses[k] / total
            masses[k] = min(drawn, daughter.max_mass)
        else:
            masses[k] = daughter.mass


@kernel
def octave(kinetic: float, room: float) -> int:
    """Return how many octaves a kinetic energy is below the most there is, at most the last."""
    if kinetic >= room:
        return 0
    if kinetic <= room * 2.0 ** (1 - N_OCTAVES):
        return N_OCTAVES - 1
    return int(np.log2(room / kinetic))


@kernel
def _fill_octaves(values: FloatArray, kinetic: FloatArray, room: float, top: FloatArray) -> None:
    """Raise `top`, (N_OCTAVES,), to the largest value in each octave of kinetic energy."""
    for i in range(len(values)):
        j = octave(kinetic[i], room)
        top[j] = max(top[j], values[i])


def set_amplitude_bounds(
    program: Program, channel: int, parent: int, low: float, high: float
) -> None:
    """Fill in the bounds of an amplitude.

    A decay with density matrix rho (trace 1) has Tr(rho A A^dagger) at most the largest
    eigenvalue of A A^dagger, and at most its trace times the largest eigenvalue of rho.

    The trace of two bodies is the same in all directions, so if their masses vary what is bounded
    is the ratio of eigenvalue and trace. Amplitudes of more bodies vanish with the kinetic energy,
    while their masses are drawn before: a bound for all masses together would make a decay into a
    resonance far above its pole take millions of trials. So each octave of kinetic energy has its
    own, the largest of what is found in it and the two beside it.

    Parameters
    ----------
    program, channel, parent
        A channel of the species `parent`, with everything but its bounds in place.
    low, high
        Range of the parent's mass, GeV; equal for a fixed mass.

    Raises
    ------
    ArithmeticError
        If the amplitude is no number at some point, or no masses of the daughters fit.
    """
    record = program.channels[channel]
    trace, eigen, kinetic = _sampled(program, channel, parent, low, high, 0)
    if program.channels[channel]["n_daughters"] >= _MANY:
        while len(trace) < _MOST_SAMPLES and not (_top_is_found(trace) and _top_is_found(eigen)):
            for _ in range(len(trace) // N_SAMPLES):
                more = _sampled(program, channel, parent, low, high, len(trace))
                trace, eigen = np.append(trace, more[0]), np.append(eigen, more[1])
                kinetic = np.append(kinetic, more[2])
    if len(trace) > _N_SAMPLES_FIXED and record["n_daughters"] == _TWO_BODIES:
        share = float((eigen[trace > 0.0] / trace[trace > 0.0]).max()) * _SHARE_MARGIN
        record["eigen_share"] = min(share, 1.0)
    elif record["n_daughters"] > _TWO_BODIES and (record["n_broad"] > 0 or low < high):
        more = _sampled(program, channel, parent, low, high, len(trace), spread=True)
        trace, eigen = np.append(trace, more[0]), np.append(eigen, more[1])
        kinetic = np.append(kinetic, more[2])
        record["room"] = high - float(record["threshold"])
        record["octaves"] = _octaves(trace, eigen, kinetic, float(record["room"]))
    record["trace_bound"], record["eigen_bound"] = _with_margin(trace), _with_margin(eigen)


def _octaves(trace: FloatArray, eigen: FloatArray, kinetic: FloatArray, room: float) -> FloatArray:
    """Return the bounds in octaves of kinetic energy relative to that of all together."""
    top = np.zeros(N_OCTAVES + 2)
    relative = np.maximum(trace / trace.max(), eigen / eigen.max())
    _fill_octaves(relative, kinetic, room, top[1:-1])
    widest = np.maximum(np.maximum(top[:-2], top[1:-1]), top[2:])
    # what no sample reached is bounded like the octave above it, at the top like all together
    bounds, above = np.ones(N_OCTAVES), 1.0
    for j in range(N_OCTAVES):
        above = widest[j] if widest[j] > 0.0 else above
        bounds[j] = above
    return bounds


def _top_is_found(values: FloatArray) -> bool:
    """Say whether enough values are close to the largest."""
    return bool(np.sum(values * (1.0 + 0.5 * (MARGIN - 1.0)) > values.max()) >= _NEAR_TOP)


def _sampled(
    program: Program,
    channel: int,
    parent: int,
    low: float,
    high: float,
    start: int,
    *,
    spread: bool = False,
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return trace and largest eigenvalue of A A^dagger for decays from number `start` on.

    And their kinetic energies; for `spread` see `_sample_spin_matrices`.
    """
    samples, kinetic = _spin_matrices(
        program, channel, parent, low, high, np.zeros(4), start, spread=spread
    )
    trace: FloatArray = np.einsum("sii->s", samples).real
    eigen: Any = np.linalg.eigvalsh(samples)[:, -1]
    return trace, eigen, kinetic


def _spin_matrices(
    program: Program,
    channel: int,
    parent: int,
    low: float,
    high: float,
    flavour: FloatArray,
    start: int = 0,
    *,
    spread: bool = False,
) -> tuple[ComplexArray, FloatArray]:
    """Return A A^dagger of random decays, (samples, states, states), and their kinetic energies.

    The same decays each time.
    """
    species, record = program.species, program.channels[channel]
    n_states = int(species[parent]["n_states"])
    n = _N_SAMPLES_SPREAD if spread else _n_samples(species, record, low, high)
    samples, kinetic = np.zeros((n, n_states, n_states), complex), np.zeros(n)
    scratch = np.zeros(1, SCRATCH)
    _sample_spin_matrices(
        species, program.channels, record, species[parent], low, high, flavour,
        start, spread, scratch, samples, kinetic,
    )  # fmt: skip
    if scratch["stuck"][0]:
        raise ArithmeticError(NO_MASSES)
    check_finite(samples)
    return samples, kinetic


def flavour_matrix(
    program: Program, channel: int, parent: int, mass: float
) -> tuple[ComplexArray, float]:
    """Return the mean of the matrix A A^*, A Abar^*, ... of a channel, and its largest eigenvalue.

    Parameters
    ----------
    program, channel, parent
        A channel, with everything but its bounds in place, of a scalar that oscillates.
    mass
        Mass of the parent, GeV.

    Returns
    -------
    matrix
        (2, 2), over phase space and summed over spins; the rate of alpha |M0> + beta |anti-M0> is
        sum of v_i M_ij v_j^*, v = (alpha, beta).
    bound
        Upper bound of the rate of a state of norm 1 at any point of phase space.
    """
    root = np.sqrt(0.5)
    states = ((1.0, 0.0, 0.0, 0.0), (0.0, 0.0, 1.0, 0.0), (root, 0, root, 0), (root, 0, 0, root))
    first, second, real, imaginary = (
        _spin_matrices(program, channel, parent, mass, mass, np.array(s))[0][:, 0, 0].real
        for s in states
    )
    mean = 0.5 * (first + second)
    matrices = np.zeros((len(first), 2, 2), complex)
    matrices[:, 0, 0], matrices[:, 1, 1] = first, second
    # rate of (1, 1): mean + Re M_01; of (1, i): mean + Im M_01
    matrices[:, 0, 1] = real - mean + 1j * (imaginary - mean)
    matrices[:, 1, 0] = matrices[:, 0, 1].conj()
    return matrices.mean(axis=0), _with_margin(np.linalg.eigvalsh(matrices)[:, -1])


def _n_samples(species: Any, channel: Any, low: float, high: float) -> int:
    """Return how many configurations of a channel have to be looked at."""
    n = int(channel["n_daughters"])
    varies = low < high or bool(np.any(species[channel["daughters"][:n]]["width"] > 0.0))
    if n == _TWO_BODIES and varies:
        return _N_SAMPLES_TWO
    return N_SAMPLES if n > _TWO_BODIES else _N_SAMPLES_FIXED


def _with_margin(values: FloatArray) -> float:
    """Return a bound of what was sampled; values that are all the same need next to no margin.

    Two bodies of fixed mass have one configuration, up to a rotation that changes nothing here.
    """
    margin = MARGIN if np.ptp(values) > _SAME * values.max() else 1.0 + _SAME
    return float(values.max() * margin)
