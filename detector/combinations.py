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
from typing import TYPE_CHECKING

import numpy as np

from detector.identification import Species
from detector.reading import (
    N_PARTS,
    Part,
    Reading,
    Selection,
    add,
    add_prong,
    add_track,
    clear,
    copy,
    dot,
    extra_energy,
    is_used,
    keep_reading,
    mass_of,
    nearest_pi0,
    new_reading,
    prong_kind,
    use_pi0,
)
from detector.topology import Role, TagMeson, TauMode
from simgen.jit import kernel, lean_kernel
from simgen.random import uniform

if TYPE_CHECKING:
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


_E, _MU = int(Species.ELECTRON), int(Species.MUON)
_PI, _K = int(Species.PION), int(Species.KAON)
_TAU_PI = int(TauMode.PI)
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
_N_PARTS = N_PARTS
_D, _SCRATCH = int(Role.NONE), len(Role)  # rows of momenta that are no object's


@lean_kernel
def track_number_fits(n: int, s: Selection) -> bool:
    """Return whether an event of `n` tracks can be read: D and lepton of the tag, the signal.

    With an odd number of signal tracks the tag is charged and has a D0, of two or four tracks;
    else it is neutral: D+ of three tracks, or D*+ of three or five. A tau pair has two tracks.
    """
    if s.is_pair:
        return n == 2
    rest = n - s.n_signal - 2
    return rest in ((1, 3) if s.n_signal % 2 == 1 else (2, 4))


def least_tracks(s: Selection) -> int:
    """Return the smallest number of tracks that fits, see `track_number_fits`."""
    if s.is_pair:
        return 2
    return s.n_signal + 2 + (1 if s.n_signal % 2 == 1 else 2)


@lean_kernel
def enough_identified(hypotheses: IntArray, s: Selection) -> bool:
    """Return whether there are as many identified kaons and leptons as any reading needs.

    In a tau pair each track has to be an electron, muon or pion.
    """
    kaons, leptons = 0, 0
    for h in hypotheses:
        if s.is_pair and prong_kind(h) == 0:
            return False
        kaons += h >> _K & 1
        leptons += 1 if h & (1 << _E | 1 << _MU) else 0
    if s.is_pair:
        return True
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
                            if prong_kind(o.hypotheses[pr]) == 0:
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
        energy = extra_energy(o, s.extra_energy, best.part)
        best.value[3] = energy
        if energy <= s.extra_max:
            passed = _E_EXTRA
    return passed, readings


@lean_kernel
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


@lean_kernel
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


@lean_kernel
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
    clear(d)
    add_track(o, part[_PART_D_KAON], s.mass[_K], d)
    for j in range(n_pions):
        add_track(o, part[_PART_D_PION + j], s.mass[_PI], d)
    part[_PART_D_PHOTON], part[_PART_D_PHOTON + 1] = -1, -1
    window = s.d_mass
    if pi0 >= 0:
        add(d, o.pi0_p[pi0], d)
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
        copy(d, dstar)
        add_track(o, slow, s.mass[_PI], dstar)
        delta = mass_of(dstar) - m_d
        off = (delta - s.delta_pi) / s.window_pi
        if abs(off) > 1.0:
            return passed, readings
        if not s.with_slow:
            copy(d, dstar)
        trial.meson[0], trial.value[1] = _DSTAR_PI, delta
        score = distance * distance + off * off
        return _complete(o, s, total, state, score, readings, trial, rank, best)

    copy(d, dstar)
    trial.meson[0], trial.value[1] = _D_ALONE, np.nan
    score = distance * distance
    passed, readings = _complete(o, s, total, state, score, readings, trial, rank, best)
    if not s.with_slow:
        return passed, readings
    for j in range(len(o.pi0)):
        if is_used(o.pi0[j, 0], part) or is_used(o.pi0[j, 1], part):
            continue
        add(d, o.pi0_p[j], dstar)
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
        if is_used(j, part):
            continue
        add(d, o.photon_p[j], dstar)
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


@lean_kernel
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
    clear(lepton)
    add_track(o, t, s.mass[_E if is_electron else _MU], lepton)
    both = measured[_SCRATCH]
    add(measured[_ROLE_TAG_D], lepton, both)
    cosine = cos_theta_by(both, total, s.m_b)
    if not s.cos_min < cosine < s.cos_max:
        return _TAG_MESON, readings
    trial.value[2] = cosine

    kaon, signal, prong = measured[_ROLE_KAON], measured[_ROLE_LEPTON], measured[_ROLE_PRONG]
    clear(kaon)
    clear(signal)
    clear(prong)
    ks, sl, pr = part[_PART_KAON], part[_PART_LEPTON], part[_PART_PRONG]
    if ks >= 0:
        add_track(o, ks, s.mass[s.kaon], kaon)
    if sl >= 0:
        add_track(o, sl, s.mass[s.lepton], signal)
    if pr >= 0:
        trial.prong[0] = add_prong(o, s, pr, prong)
        if trial.prong[0] == _TAU_PI and s.with_prong_pi0:
            pi0, _ = nearest_pi0(o, s, prong, part, both)
            if pi0 >= 0:
                trial.prong[0] = use_pi0(o, pi0, _PART_PRONG_PHOTON, part, prong)
    if ks >= 0 and sl >= 0:
        add(kaon, signal if o.charge[sl] != o.charge[ks] else prong, both)
        if mass_of(both) < s.opposite_min:
            return _COS, readings

    readings += 1
    alone = 1.0 if trial.meson[0] == _D_ALONE else 0.0
    excess = max(abs(cosine) - 1.0, 0.0)
    if _is_better((alone, score, excess, -dot(signal, total)), rank, state):
        keep_reading(trial, best)
    part[_PART_PRONG_PHOTON], part[_PART_PRONG_PHOTON + 1] = -1, -1
    return _MASSES, readings


@lean_kernel
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


@lean_kernel
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
