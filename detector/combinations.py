r"""All ways to read an event as signal and tag, and the best of them.

The tag is B -> D(*) l nu, reconstructed as

    D0 -> K- pi+, K- pi+ pi0, K- pi+ pi- pi+;   D+ -> K- pi+ pi+;
    D*+ -> D0 pi+;   D* -> D pi0;   D*0 -> D0 gamma

with l = e, mu. The signal is what the topology asks for: a kaon, a lepton and one track for the
tau, opposite in charge to the lepton. All accepted tracks of the event are used, their charges add
up to zero, and the kaon of the signal has the charge of its B, which is opposite to the tag's.

The cosine between the momenta of B and Y = D(*) l in the frame of the beams follows from one
massless neutrino,

.. math::

    \cos\theta_{BY} = \frac{2 E_B E_Y - m_B^2 - m_Y^2}{2 |p_B| |p_Y|}, \quad
    E_B = \sqrt s/2,

and lies in [-1, 1] for a true tag, below if something is lost (Belle, PRD 82, 071101 (2010)).

The best candidate is one with a D* before one with a D alone; among those the one with the least
sum of squares of M(D) and M(D*) - M(D), each as its distance from nominal in units of its window;
then the one with cos(theta_BY) nearest to [-1, 1]; then the one whose signal lepton has the most
energy in the frame of the beams, which tells it from a lepton of the tau; then any of them at
random, keyed by the event.
"""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from detector.identification import SPECIES_PDG, Species
from detector.topology import Role, TagMeson, TauMode
from simgen.jit import kernel
from simgen.particles import particle_table
from simgen.random import uniform

if TYPE_CHECKING:
    from detector.config import CandidateConfig
    from detector.event_objects import EventObjects
    from simgen.typing import FloatArray, IntArray, UInt64Array


class Passed(enum.IntEnum):
    """How far the best reading of an event gets; each step includes those before it."""

    NOTHING = 0
    TRACKS = 1
    CHARGE = 2
    IDENTIFIED = 3
    TAG_MESON = 4
    COS_THETA_BY = 5
    MASSES = 6
    E_EXTRA = 7


class DMode(enum.IntEnum):
    """Decay of the D as reconstructed. The numbers are stable: files store them."""

    ANY = 0
    """Taken from truth, whatever its decay."""
    K_PI = 1
    K_PI_PI0 = 2
    K_3PI = 3
    K_2PI = 4
    """D+ -> K- pi+ pi+."""


class Part(enum.IntEnum):
    """Places in a reading of an event; what is made of photons has two."""

    KAON = 0
    LEPTON = 1
    PRONG = 2
    PRONG_PHOTON = 3
    TAG_LEPTON = 5
    D_KAON = 6
    D_PION = 7
    D_PHOTON = 10
    SLOW_PION = 12
    SLOW_PHOTON = 13


N_PARTS = 15


class Reading(NamedTuple):
    """One way to read an event.

    Attributes
    ----------
    part
        (N_PARTS,) tracks and photons as positions in `EventObjects`, -1 for none; see `Part`.
    flavour
        (1,) absolute PDG number of the tag lepton.
    prong
        (1,) `TauMode`, as reconstructed.
    meson, d_mode
        (1,) `TagMeson` and `DMode`, as reconstructed.
    value
        (4,) M(D), M(D*) - M(D) or nan, cos(theta_BY), E_extra.
    measured
        (len(Role) + 1, 4) momenta by `Role`; the rows that are no object's are scratch.
    """

    part: IntArray
    flavour: IntArray
    prong: IntArray
    meson: IntArray
    d_mode: IntArray
    value: FloatArray
    measured: FloatArray


class Selection(NamedTuple):
    """A `CandidateConfig` for kernels; hypotheses are -1 for what the signal does not have."""

    kaon: int
    lepton: int
    n_signal: int
    with_prong: bool
    with_prong_pi0: bool
    with_slow: bool
    mass: FloatArray
    m_d0: float
    m_dp: float
    delta_pi: float
    delta_pi0: float
    delta_pi0_dp: float
    delta_gamma: float
    m_rho: float
    m_b: float
    d_mass: float
    d_mass_pi0: float
    window_pi: float
    window_pi0: float
    window_gamma: float
    pi0_min: float
    pi0_max: float
    rho_mass: float
    cos_min: float
    cos_max: float
    opposite_min: float
    extra_energy: float
    extra_max: float


def selection_model(config: CandidateConfig) -> Selection:
    """Return the numbers of `config` that a kernel needs; masses are the generator's."""
    t = particle_table()
    m_d0, m_dp = t.by_name("D0").mass, t.by_name("D+").mass
    m_dstar0, m_dstarp = t.by_name("D*0").mass, t.by_name("D*+").mass
    names = ("e-", "mu-", "pi+", "K+", "p+")
    topology, cuts = config.topology, config.cuts
    present = (topology.kaon, topology.lepton, topology.tau)
    return Selection(
        kaon=-1 if topology.kaon is None else SPECIES_PDG.index(topology.kaon),
        lepton=-1 if topology.lepton is None else SPECIES_PDG.index(topology.lepton),
        n_signal=sum(number is not None for number in present),
        with_prong=topology.tau is not None,
        with_prong_pi0=config.rho == "pi_pi0",
        with_slow=config.dstar == "full",
        mass=np.array([t.by_name(name).mass for name in names]),
        m_d0=m_d0,
        m_dp=m_dp,
        delta_pi=m_dstarp - m_d0,
        delta_pi0=m_dstar0 - m_d0,
        delta_pi0_dp=m_dstarp - m_dp,
        delta_gamma=m_dstar0 - m_d0,
        m_rho=t.by_name("rho+").mass,
        m_b=t.by_name("B+").mass,
        d_mass=cuts.d_mass,
        d_mass_pi0=cuts.d_mass_pi0,
        window_pi=cuts.delta_m_pion,
        window_pi0=cuts.delta_m_pi0,
        window_gamma=cuts.delta_m_photon,
        pi0_min=cuts.pi0_mass[0],
        pi0_max=cuts.pi0_mass[1],
        rho_mass=cuts.rho_mass,
        cos_min=cuts.cos_theta_by[0],
        cos_max=cuts.cos_theta_by[1],
        opposite_min=cuts.kaon_opposite_mass_min,
        extra_energy=cuts.extra_photon_energy,
        extra_max=np.inf if cuts.e_extra_max is None else cuts.e_extra_max,
    )


_E, _MU = int(Species.ELECTRON), int(Species.MUON)
_PI, _K = int(Species.PION), int(Species.KAON)
_TAU_E, _TAU_MU = int(TauMode.E), int(TauMode.MU)
_TAU_PI, _TAU_RHO = int(TauMode.PI), int(TauMode.RHO)
_D_ALONE, _DSTAR_PI0 = int(TagMeson.D), int(TagMeson.DSTAR_PI0)
_DSTAR_GAMMA, _DSTAR_PI = int(TagMeson.DSTAR_GAMMA), int(TagMeson.DSTAR_PI)
_K_PI, _K_PI_PI0 = int(DMode.K_PI), int(DMode.K_PI_PI0)
_K_3PI, _K_2PI = int(DMode.K_3PI), int(DMode.K_2PI)
_PART_KAON, _PART_LEPTON, _PART_PRONG = int(Part.KAON), int(Part.LEPTON), int(Part.PRONG)
_PART_PRONG_PHOTON, _PART_TAG_LEPTON = int(Part.PRONG_PHOTON), int(Part.TAG_LEPTON)
_PART_D_KAON, _PART_D_PION = int(Part.D_KAON), int(Part.D_PION)
_PART_D_PHOTON, _PART_SLOW = int(Part.D_PHOTON), int(Part.SLOW_PION)
_PART_SLOW_PHOTON = int(Part.SLOW_PHOTON)
_ROLE_KAON, _ROLE_LEPTON, _ROLE_PRONG = int(Role.KAON), int(Role.LEPTON), int(Role.PRONG)
_ROLE_TAG_D, _ROLE_TAG_LEPTON = int(Role.TAG_D), int(Role.TAG_LEPTON)
_CHARGE, _IDENTIFIED, _TAG_MESON = (
    int(Passed.CHARGE),
    int(Passed.IDENTIFIED),
    int(Passed.TAG_MESON),
)
_COS, _MASSES, _E_EXTRA = int(Passed.COS_THETA_BY), int(Passed.MASSES), int(Passed.E_EXTRA)
_N_PARTS, _N_ROLES = N_PARTS, len(Role)
_D, _SCRATCH = int(Role.NONE), len(Role)  # rows of momenta that are no object's


@kernel
def new_reading() -> Reading:
    """Return an empty reading."""
    return Reading(
        np.full(_N_PARTS, -1, dtype=np.int64),
        np.zeros(1, dtype=np.int64),
        np.zeros(1, dtype=np.int64),
        np.zeros(1, dtype=np.int64),
        np.zeros(1, dtype=np.int64),
        np.full(4, np.nan),
        np.zeros((_N_ROLES + 1, 4)),
    )


@kernel
def track_number_fits(n: int, s: Selection) -> bool:
    """Return whether an event of `n` tracks can be read: D and lepton of the tag, the signal.

    With an odd number of signal tracks the tag is charged and has a D0, of two or four tracks;
    else it is neutral: D+ of three tracks, or D*+ of three or five.
    """
    rest = n - s.n_signal - 2
    return rest in ((1, 3) if s.n_signal % 2 == 1 else (2, 4))


def least_tracks(s: Selection) -> int:
    """Return the smallest number of tracks that fits, see `track_number_fits`."""
    return s.n_signal + 2 + (1 if s.n_signal % 2 == 1 else 2)


@kernel
def enough_identified(hypotheses: IntArray, s: Selection) -> bool:
    """Return whether there are as many identified kaons and leptons as any reading needs."""
    kaons, leptons = 0, 0
    for h in hypotheses:
        kaons += h >> _K & 1
        leptons += 1 if h & (1 << _E | 1 << _MU) else 0
    return kaons >= (2 if s.kaon == _K else 1) and leptons >= (1 if s.lepton < 0 else 2)


@kernel
def read_event(
    o: EventObjects, s: Selection, total: FloatArray, state: UInt64Array, best: Reading
) -> tuple[int, int]:
    """Find the best reading of an event whose tracks fit in number and charge.

    Parameters
    ----------
    o
        What is seen.
    s
        `selection_model` of a configuration.
    total
        (4,) mean momentum of the beams.
    state
        Random stream at the event's substream for equally good readings.
    best
        Receives the best reading, complete where the event passes `Passed.MASSES`.

    Returns
    -------
    (int, int)
        How far it passes (`Passed`), and the number of readings that pass all but E_extra.
    """
    trial = new_reading()
    rank = np.full(5, np.inf)  # of the best so far, and how many are as good
    rest = np.empty(4, dtype=np.int64)
    passed, readings = _CHARGE, 0
    nt = len(o.track)
    for t in range(nt):
        if not o.hypotheses[t] & (1 << _E | 1 << _MU):
            continue
        for kd in range(nt):
            if kd == t or o.charge[kd] != o.charge[t] or not o.hypotheses[kd] >> _K & 1:
                continue
            for ks in range(0 if s.kaon >= 0 else -1, nt if s.kaon >= 0 else 0):
                if ks >= 0 and (o.charge[ks] == o.charge[t] or not o.hypotheses[ks] >> s.kaon & 1):
                    continue
                for sl in range(0 if s.lepton >= 0 else -1, nt if s.lepton >= 0 else 0):
                    if sl >= 0 and (sl in (t, kd, ks) or not o.hypotheses[sl] >> s.lepton & 1):
                        continue
                    for pr in range(0 if s.with_prong else -1, nt if s.with_prong else 0):
                        if pr >= 0:
                            if pr in (t, kd, ks, sl) or o.charge[pr] == o.charge[sl]:
                                continue
                            if _prong_kind(o.hypotheses[pr]) == 0:
                                continue
                        if not _find_rest(o, t, kd, ks, sl, pr, rest):
                            continue
                        part = trial.part
                        part[_PART_TAG_LEPTON], part[_PART_D_KAON] = t, kd
                        part[_PART_KAON], part[_PART_LEPTON], part[_PART_PRONG] = ks, sl, pr
                        got, found = _read_tag(
                            o, s, total, state, rest[: nt - s.n_signal - 2], readings, trial, rank,
                            best,
                        )  # fmt: skip
                        passed, readings = max(passed, got), found
    if passed == _MASSES:
        energy = _extra_energy(o, s.extra_energy, best.part)
        best.value[3] = energy
        if energy <= s.extra_max:
            passed = _E_EXTRA
    return passed, readings


@kernel
def _prong_kind(hypotheses: int) -> int:
    """Return what a prong is taken for: an electron, else a muon, else a pion, 0 for none."""
    if hypotheses >> _E & 1:
        return _TAU_E
    if hypotheses >> _MU & 1:
        return _TAU_MU
    return _TAU_PI if hypotheses >> _PI & 1 else 0


@kernel
def _find_rest(o: EventObjects, t: int, kd: int, ks: int, sl: int, pr: int, rest: IntArray) -> bool:
    """Write the tracks that are left to `rest`; return whether all are identified as pions."""
    n = 0
    for j in range(len(o.track)):
        if j in (t, kd, ks, sl, pr):
            continue
        if not o.hypotheses[j] >> _PI & 1:
            return False
        rest[n] = j
        n += 1
    return True


@kernel
def _read_tag(
    o: EventObjects,
    s: Selection,
    total: FloatArray,
    state: UInt64Array,
    rest: IntArray,
    readings: int,
    trial: Reading,
    rank: FloatArray,
    best: Reading,
) -> tuple[int, int]:
    """Try all D and D* for given leptons and kaons; return how far any passes, and readings."""
    passed = _IDENTIFIED
    q_tag = o.charge[trial.part[_PART_TAG_LEPTON]]
    # The charges add up to zero, so those of the pions are right once the slow pion's is.
    for slow in range(-1, len(rest)):
        if slow < 0 and len(rest) == 4:
            continue  # a D+ of four pions is not reconstructed
        if slow >= 0 and (len(rest) % 2 == 1 or o.charge[rest[slow]] == q_tag):
            continue
        part = trial.part
        for j in range(_PART_D_PION, _N_PARTS):
            part[j] = -1
        part[_PART_SLOW] = -1 if slow < 0 else rest[slow]
        n = 0
        for j in range(len(rest)):
            if j != slow:
                part[_PART_D_PION + n] = rest[j]
                n += 1
        for pi0 in range(-1, len(o.pi0) if n == 1 else 0):
            got, readings = _read_d(o, s, total, state, n, pi0, readings, trial, rank, best)
            passed = max(passed, got)
    return passed, readings


@kernel
def _read_d(
    o: EventObjects,
    s: Selection,
    total: FloatArray,
    state: UInt64Array,
    n_pions: int,
    pi0: int,
    readings: int,
    trial: Reading,
    rank: FloatArray,
    best: Reading,
) -> tuple[int, int]:
    """Make a D of its kaon, `n_pions` pions and a pi0 (-1 for none), and try all D* with it."""
    part = trial.part
    d, dstar = trial.measured[_D], trial.measured[_ROLE_TAG_D]
    _clear(d)
    _add_track(o, part[_PART_D_KAON], s.mass[_K], d)
    for j in range(n_pions):
        _add_track(o, part[_PART_D_PION + j], s.mass[_PI], d)
    part[_PART_D_PHOTON], part[_PART_D_PHOTON + 1] = -1, -1
    window = s.d_mass
    if pi0 >= 0:
        _sum(d, o.pi0_p[pi0], d)
        part[_PART_D_PHOTON], part[_PART_D_PHOTON + 1] = o.pi0[pi0, 0], o.pi0[pi0, 1]
        window = s.d_mass_pi0
    is_charged = n_pions == 2
    m_d = mass_of(d)
    distance = (m_d - (s.m_dp if is_charged else s.m_d0)) / window
    if abs(distance) > 1.0:
        return _IDENTIFIED, readings
    trial.value[0] = m_d
    trial.d_mode[0] = _K_PI if pi0 < 0 else _K_PI_PI0
    if n_pions > 1:
        trial.d_mode[0] = _K_2PI if is_charged else _K_3PI
    passed = _IDENTIFIED

    slow = part[_PART_SLOW]
    if slow >= 0:
        _copy(d, dstar)
        _add_track(o, slow, s.mass[_PI], dstar)
        delta = mass_of(dstar) - m_d
        off = (delta - s.delta_pi) / s.window_pi
        if abs(off) > 1.0:
            return passed, readings
        if not s.with_slow:
            _copy(d, dstar)
        trial.meson[0], trial.value[1] = _DSTAR_PI, delta
        score = distance * distance + off * off
        return _complete(o, s, total, state, score, readings, trial, rank, best)

    _copy(d, dstar)
    trial.meson[0], trial.value[1] = _D_ALONE, np.nan
    score = distance * distance
    passed, readings = _complete(o, s, total, state, score, readings, trial, rank, best)
    if not s.with_slow:
        return passed, readings
    for j in range(len(o.pi0)):
        if _is_used(o.pi0[j, 0], part) or _is_used(o.pi0[j, 1], part):
            continue
        _sum(d, o.pi0_p[j], dstar)
        delta = mass_of(dstar) - m_d
        off = (delta - (s.delta_pi0_dp if is_charged else s.delta_pi0)) / s.window_pi0
        if abs(off) > 1.0:
            continue
        part[_PART_SLOW_PHOTON], part[_PART_SLOW_PHOTON + 1] = o.pi0[j, 0], o.pi0[j, 1]
        trial.meson[0], trial.value[1] = _DSTAR_PI0, delta
        score = distance * distance + off * off
        got, readings = _complete(o, s, total, state, score, readings, trial, rank, best)
        passed = max(passed, got)
        part[_PART_SLOW_PHOTON], part[_PART_SLOW_PHOTON + 1] = -1, -1
    for j in range(0 if is_charged else len(o.photon)):
        if _is_used(j, part):
            continue
        _sum(d, o.photon_p[j], dstar)
        delta = mass_of(dstar) - m_d
        off = (delta - s.delta_gamma) / s.window_gamma
        if abs(off) > 1.0:
            continue
        part[_PART_SLOW_PHOTON] = j
        trial.meson[0], trial.value[1] = _DSTAR_GAMMA, delta
        score = distance * distance + off * off
        got, readings = _complete(o, s, total, state, score, readings, trial, rank, best)
        passed = max(passed, got)
        part[_PART_SLOW_PHOTON] = -1
    return passed, readings


@kernel
def _complete(
    o: EventObjects,
    s: Selection,
    total: FloatArray,
    state: UInt64Array,
    score: float,
    readings: int,
    trial: Reading,
    rank: FloatArray,
    best: Reading,
) -> tuple[int, int]:
    """Finish a reading that has its D(*), and keep it in `best` if it is the best so far."""
    part, measured = trial.part, trial.measured
    t = part[_PART_TAG_LEPTON]
    is_electron = o.hypotheses[t] >> _E & 1 == 1
    trial.flavour[0] = 11 if is_electron else 13
    lepton = measured[_ROLE_TAG_LEPTON]
    _clear(lepton)
    _add_track(o, t, s.mass[_E if is_electron else _MU], lepton)
    both = measured[_SCRATCH]
    _sum(measured[_ROLE_TAG_D], lepton, both)
    cosine = cos_theta_by(both, total, s.m_b)
    if not s.cos_min < cosine < s.cos_max:
        return _TAG_MESON, readings
    trial.value[2] = cosine

    kaon, signal, prong = measured[_ROLE_KAON], measured[_ROLE_LEPTON], measured[_ROLE_PRONG]
    _clear(kaon)
    _clear(signal)
    _clear(prong)
    ks, sl, pr = part[_PART_KAON], part[_PART_LEPTON], part[_PART_PRONG]
    if ks >= 0:
        _add_track(o, ks, s.mass[s.kaon], kaon)
    if sl >= 0:
        _add_track(o, sl, s.mass[s.lepton], signal)
    if pr >= 0:
        kind = _prong_kind(o.hypotheses[pr])
        _add_track(o, pr, s.mass[_E if kind == _TAU_E else _MU if kind == _TAU_MU else _PI], prong)
        trial.prong[0] = kind
        if kind == _TAU_PI and s.with_prong_pi0:
            _add_prong_pi0(o, s, trial)
    if ks >= 0 and sl >= 0:
        _sum(kaon, signal if o.charge[sl] != o.charge[ks] else prong, both)
        if mass_of(both) < s.opposite_min:
            return _COS, readings

    readings += 1
    alone = 1.0 if trial.meson[0] == _D_ALONE else 0.0
    excess = max(abs(cosine) - 1.0, 0.0)
    if _is_better((alone, score, excess, -dot(signal, total)), rank, state):
        _keep(trial, best)
    part[_PART_PRONG_PHOTON], part[_PART_PRONG_PHOTON + 1] = -1, -1
    return _MASSES, readings


@kernel
def _is_better(
    new: tuple[float, float, float, float], rank: FloatArray, state: UInt64Array
) -> bool:
    """Compare with the best so far and rank it; of m equals each wins with probability 1/m."""
    for x in range(4):
        if new[x] != rank[x]:
            if new[x] > rank[x]:
                return False
            for y in range(4):
                rank[y] = new[y]
            rank[4] = 1.0
            return True
    rank[4] += 1.0
    wins: bool = uniform(state) * rank[4] < 1.0
    return wins


@kernel
def _add_prong_pi0(o: EventObjects, s: Selection, trial: Reading) -> None:
    """Add the unused pi0 that makes the mass nearest to the rho's to the prong, if any does."""
    part, prong = trial.part, trial.measured[_ROLE_PRONG]
    nearest, chosen = s.rho_mass, -1
    for j in range(len(o.pi0)):
        if _is_used(o.pi0[j, 0], part) or _is_used(o.pi0[j, 1], part):
            continue
        both = trial.measured[_SCRATCH]
        _sum(prong, o.pi0_p[j], both)
        distance = abs(mass_of(both) - s.m_rho)
        if distance < nearest:
            nearest, chosen = distance, j
    if chosen >= 0:
        _sum(prong, o.pi0_p[chosen], prong)
        trial.prong[0] = _TAU_RHO
        for x in range(2):
            part[_PART_PRONG_PHOTON + x] = o.pi0[chosen, x]


@kernel
def _is_used(photon: int, part: IntArray) -> bool:
    """Return whether a photon, by its position, is part of a reading's tag or prong."""
    return (
        photon in (part[_PART_D_PHOTON], part[_PART_D_PHOTON + 1])
        or photon in (part[_PART_PRONG_PHOTON], part[_PART_PRONG_PHOTON + 1])
        or photon in (part[_PART_SLOW_PHOTON], part[_PART_SLOW_PHOTON + 1])
    )


@kernel
def _extra_energy(o: EventObjects, threshold: float, part: IntArray) -> float:
    """Return the energy of all photons above the threshold that are not used."""
    energy = 0.0
    for j in range(len(o.photon)):
        if o.photon_p[j, 3] > threshold and not _is_used(j, part):
            energy += o.photon_p[j, 3]
    return energy


@kernel
def _add_track(o: EventObjects, track: int, mass: float, out: FloatArray) -> None:
    """Add a track's measured momentum under a mass hypothesis to `out`."""
    p = o.track_p[track]
    p2 = 0.0
    for x in range(3):
        out[x] += p[x]
        p2 += p[x] * p[x]
    out[3] += np.sqrt(p2 + mass * mass)


@kernel
def dot(p: FloatArray, q: FloatArray) -> float:
    """Return the product of two four-momenta."""
    return float(p[3] * q[3] - p[0] * q[0] - p[1] * q[1] - p[2] * q[2])


@kernel
def mass_of(p: FloatArray) -> float:
    """Return the mass of a momentum (4,), 0 where rounding makes its square negative."""
    return float(np.sqrt(max(dot(p, p), 0.0)))


@kernel
def cos_theta_by(y: FloatArray, total: FloatArray, m_b: float) -> float:
    """Return cos(theta_BY) of a momentum Y (4,) in the lab; the module has the equation.

    Parameters
    ----------
    y
        D(*) and lepton.
    total
        (4,) momentum of the beams, whose rest frame is the one meant.
    m_b
        Mass of the B.
    """
    s = dot(total, total)
    e_y, m_y = dot(total, y) / np.sqrt(s), mass_of(y)
    p_b, p_y = np.sqrt(0.25 * s - m_b * m_b), np.sqrt(max(e_y * e_y - m_y * m_y, 0.0))
    return float((np.sqrt(s) * e_y - m_b * m_b - m_y * m_y) / (2.0 * p_b * p_y))


@kernel
def _clear(p: FloatArray) -> None:
    """Make a momentum (4,) zero."""
    for x in range(4):
        p[x] = 0.0


@kernel
def _copy(p: FloatArray, out: FloatArray) -> None:
    """Write a momentum (4,) to `out`."""
    for x in range(4):
        out[x] = p[x]


@kernel
def _sum(p: FloatArray, q: FloatArray, out: FloatArray) -> None:
    """Write the sum of two momenta (4,) to `out`, which may be one of them."""
    for x in range(4):
        out[x] = p[x] + q[x]


@kernel
def _keep(source: Reading, target: Reading) -> None:
    """Copy one reading to another."""
    for j in range(_N_PARTS):
        target.part[j] = source.part[j]
    target.flavour[0] = source.flavour[0]
    target.prong[0] = source.prong[0]
    target.meson[0] = source.meson[0]
    target.d_mode[0] = source.d_mode[0]
    for x in range(4):
        target.value[x] = source.value[x]
    for r in range(_N_ROLES):
        _copy(source.measured[r], target.measured[r])
