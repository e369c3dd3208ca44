"""One way to read an event as signal and tag: what it is made of, and sums of its momenta."""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from detector.identification import SPECIES_PDG, Species
from detector.topology import Role, TauMode
from simgen.jit import kernel, lean_kernel
from simgen.particles import particle_table

if TYPE_CHECKING:
    from detector.config import CandidateConfig
    from detector.event_objects import EventObjects
    from simgen.typing import FloatArray, IntArray


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
    TAG_PRONG_PHOTON = 15
    """Of the tag of a tau pair, whose track is at TAG_LEPTON."""


N_PARTS = 17


class Reading(NamedTuple):
    """One way to read an event.

    Attributes
    ----------
    part
        (N_PARTS,) tracks and photons as positions in `EventObjects`, -1 for none; see `Part`.
    flavour
        (1,) absolute PDG number of the tag lepton.
    prong, tag_prong
        (1,) `TauMode`, as reconstructed; the second of the tag of a tau pair, else 0.
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
    tag_prong: IntArray
    meson: IntArray
    d_mode: IntArray
    value: FloatArray
    measured: FloatArray


class Selection(NamedTuple):
    """A `CandidateConfig` for kernels; hypotheses are -1 for what the signal does not have."""

    kaon: int
    lepton: int
    is_pair: bool
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
    cos_prongs_max: float
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
        is_pair=topology.is_tau_pair,
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
        cos_prongs_max=cuts.cos_prongs_max,
        extra_energy=cuts.extra_photon_energy,
        extra_max=np.inf if cuts.e_extra_max is None else cuts.e_extra_max,
    )


_E, _MU, _PI = int(Species.ELECTRON), int(Species.MUON), int(Species.PION)
_TAU_E, _TAU_MU = int(TauMode.E), int(TauMode.MU)
_TAU_PI, _TAU_RHO = int(TauMode.PI), int(TauMode.RHO)
_D_PHOTON, _SLOW_PHOTON = int(Part.D_PHOTON), int(Part.SLOW_PHOTON)
_PRONG_PHOTON, _TAG_PHOTON = int(Part.PRONG_PHOTON), int(Part.TAG_PRONG_PHOTON)
_N_PARTS, _N_ROLES = N_PARTS, len(Role)


@kernel
def new_reading() -> Reading:
    """Return an empty reading."""
    return Reading(
        np.full(_N_PARTS, -1, dtype=np.int64),
        np.zeros(1, dtype=np.int64),
        np.zeros(1, dtype=np.int64),
        np.zeros(1, dtype=np.int64),
        np.zeros(1, dtype=np.int64),
        np.zeros(1, dtype=np.int64),
        np.full(4, np.nan),
        np.zeros((_N_ROLES + 1, 4)),
    )


@lean_kernel
def keep_reading(source: Reading, target: Reading) -> None:
    """Copy one reading to another."""
    for j in range(_N_PARTS):
        target.part[j] = source.part[j]
    target.flavour[0] = source.flavour[0]
    target.prong[0] = source.prong[0]
    target.tag_prong[0] = source.tag_prong[0]
    target.meson[0] = source.meson[0]
    target.d_mode[0] = source.d_mode[0]
    for x in range(4):
        target.value[x] = source.value[x]
    for r in range(_N_ROLES):
        copy(source.measured[r], target.measured[r])


@lean_kernel
def prong_kind(hypotheses: int) -> int:
    """Return what a prong is taken for: an electron, else a muon, else a pion, 0 for none."""
    if hypotheses >> _E & 1:
        return _TAU_E
    if hypotheses >> _MU & 1:
        return _TAU_MU
    return _TAU_PI if hypotheses >> _PI & 1 else 0


@lean_kernel
def add_prong(o: EventObjects, s: Selection, track: int, out: FloatArray) -> int:
    """Write the momentum of a prong's track to `out`; return what it is taken for."""
    kind = prong_kind(o.hypotheses[track])
    clear(out)
    add_track(o, track, s.mass[_E if kind == _TAU_E else _MU if kind == _TAU_MU else _PI], out)
    return kind


@lean_kernel
def nearest_pi0(
    o: EventObjects, s: Selection, prong: FloatArray, part: IntArray, both: FloatArray
) -> tuple[int, float]:
    """Find the unused pi0 that makes the mass with a pion nearest to the rho's.

    Returns
    -------
    (int, float)
        Its position, -1 if none is in the window, and its distance from the mass.
    """
    nearest, chosen = s.rho_mass, -1
    for j in range(len(o.pi0)):
        if is_used(o.pi0[j, 0], part) or is_used(o.pi0[j, 1], part):
            continue
        add(prong, o.pi0_p[j], both)
        distance = abs(mass_of(both) - s.m_rho)
        if distance < nearest:
            nearest, chosen = distance, j
    return chosen, nearest


@lean_kernel
def use_pi0(o: EventObjects, pi0: int, place: int, part: IntArray, prong: FloatArray) -> int:
    """Make a pi0 part of a pion's prong, its photons at `place`; return what the prong is then."""
    add(prong, o.pi0_p[pi0], prong)
    for x in range(2):
        part[place + x] = o.pi0[pi0, x]
    return _TAU_RHO


@lean_kernel
def is_used(photon: int, part: IntArray) -> bool:
    """Return whether a photon, by its position, is part of a reading."""
    return (
        photon in (part[_D_PHOTON], part[_D_PHOTON + 1])
        or photon in (part[_PRONG_PHOTON], part[_PRONG_PHOTON + 1])
        or photon in (part[_SLOW_PHOTON], part[_SLOW_PHOTON + 1])
        or photon in (part[_TAG_PHOTON], part[_TAG_PHOTON + 1])
    )


@lean_kernel
def extra_energy(o: EventObjects, threshold: float, part: IntArray) -> float:
    """Return the energy of all photons above the threshold that are not used."""
    energy = 0.0
    for j in range(len(o.photon)):
        if o.photon_p[j, 3] > threshold and not is_used(j, part):
            energy += o.photon_p[j, 3]
    return energy


@lean_kernel
def add_track(o: EventObjects, track: int, mass: float, out: FloatArray) -> None:
    """Add a track's measured momentum under a mass hypothesis to `out`."""
    p = o.track_p[track]
    p2 = 0.0
    for x in range(3):
        out[x] += p[x]
        p2 += p[x] * p[x]
    out[3] += np.sqrt(p2 + mass * mass)


@lean_kernel
def dot(p: FloatArray, q: FloatArray) -> float:
    """Return the product of two four-momenta."""
    return float(p[3] * q[3] - p[0] * q[0] - p[1] * q[1] - p[2] * q[2])


@lean_kernel
def mass_of(p: FloatArray) -> float:
    """Return the mass of a momentum (4,), 0 where rounding makes its square negative."""
    return float(np.sqrt(max(dot(p, p), 0.0)))


@lean_kernel
def clear(p: FloatArray) -> None:
    """Make a momentum (4,) zero."""
    for x in range(4):
        p[x] = 0.0


@lean_kernel
def copy(p: FloatArray, out: FloatArray) -> None:
    """Write a momentum (4,) to `out`."""
    for x in range(4):
        out[x] = p[x]


@lean_kernel
def add(p: FloatArray, q: FloatArray, out: FloatArray) -> None:
    """Write the sum of two momenta (4,) to `out`, which may be one of them."""
    for x in range(4):
        out[x] = p[x] + q[x]
