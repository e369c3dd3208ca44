"""Particle identification: which hypotheses a charged particle passes.

A hypothesis is one requirement on the track, such as muonID > 0.9, and accepts a share of true
electrons, muons, pions, kaons and protons that depends on p and theta. A track may pass several, or
none. The answers for electron, muon and proton are independent of the others. Those for pion and
kaon are the two sides of one likelihood ratio R(K/pi): a kaon requires it high and a pion requires
it low, so with one random number u for both

    kaon passes if u < share(kaon),    pion passes if u >= 1 - share(pion),

and no track passes both unless the two shares add up to more than 1.
"""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from detector.streams import FIRST_IDENTIFICATION
from detector.table_lookup import PackedTables, pack_tables, value_at
from simgen.jit import lean_kernel
from simgen.random import Stage, open_stream, seek, uniform

if TYPE_CHECKING:
    from detector.profiles import IdentificationProfile
    from simgen.typing import BoolArray, FloatArray, Int8Array, Int32Array, IntArray, UInt64Array


class Species(enum.IntEnum):
    """Kinds of charged particles that leave a track, in the order of all tables.

    Bit ``1 << Species.X`` of a number says that hypothesis X is passed.
    """

    ELECTRON = 0
    MUON = 1
    PION = 2
    KAON = 3
    PROTON = 4


SPECIES_PDG: Final = (11, 13, 211, 321, 2212)
"""Absolute PDG number of each `Species`."""
_E, _MU, _PI = int(Species.ELECTRON), int(Species.MUON), int(Species.PION)
_K, _P = int(Species.KAON), int(Species.PROTON)
_N = len(Species)


class IdentificationModel(NamedTuple):
    """An `IdentificationProfile` for kernels; table h * 5 + s is of hypothesis h, true kind s."""

    p_min: FloatArray
    share: PackedTables


def identification_model(profile: IdentificationProfile) -> IdentificationModel:
    """Return the numbers of `profile` that a kernel needs."""
    names = [species.name.lower() for species in Species]
    hypotheses = [getattr(profile, name) for name in names]
    return IdentificationModel(
        p_min=np.array([h.p_min for h in hypotheses]),
        share=pack_tables([getattr(h, name) for h in hypotheses for name in names]),
    )


def identify_tracks(
    p4: FloatArray,
    pdgid: Int32Array,
    event_id: IntArray,
    index: IntArray,
    profile: IdentificationProfile,
    seed: int,
) -> BoolArray:
    """Draw which hypotheses charged particles pass.

    The answer for a particle depends on the seed, its event and its place there, never on what
    else is asked.

    Parameters
    ----------
    p4
        (n, 4) true momenta (px, py, pz, E), lab frame, GeV.
    pdgid
        (n,) PDG numbers; a particle that is none of `Species` passes nothing.
    event_id
        (n,) the events' numbers.
    index
        (n,) the particles' places in their events.
    profile
        Shares that pass.
    seed
        The run's seed.

    Returns
    -------
    (n, 5) array
        Whether each hypothesis, in the order of `Species`, is passed.
    """
    out = np.zeros(len(p4), dtype=np.int8)
    state = open_stream(seed, int(Stage.SMEAR))
    model = identification_model(profile)
    _identify_all(p4, np.abs(pdgid), event_id, index, model, state, out)
    passed: BoolArray = (out[:, np.newaxis] >> np.arange(_N, dtype=np.int8)) & 1 > 0
    return passed


def acceptance_shares(
    p4: FloatArray, species: Int8Array, profile: IdentificationProfile
) -> FloatArray:
    """Return the probability that charged particles pass each hypothesis.

    Parameters
    ----------
    p4
        (n, 4) true momenta (px, py, pz, E), lab frame, GeV.
    species
        (n,) `Species` of each.
    profile
        Shares that pass.

    Returns
    -------
    (n, 5) array
        In the order of `Species`.
    """
    out = np.empty((len(p4), _N))
    _all_shares(p4, species, identification_model(profile), out)
    return out


@lean_kernel
def species_of(pdgid: int) -> int:
    """Return the `Species` of an absolute PDG number, -1 for none."""
    if pdgid == 11:
        return _E
    if pdgid == 13:
        return _MU
    if pdgid == 211:
        return _PI
    if pdgid == 321:
        return _K
    return _P if pdgid == 2212 else -1


@lean_kernel
def draw_hypotheses(
    p: FloatArray, species: int, model: IdentificationModel, state: UInt64Array
) -> int:
    """Return the hypotheses that a track passes, bit h for hypothesis h.

    Parameters
    ----------
    p
        (4,) true momentum.
    species
        Its `Species`.
    model
        `identification_model` of a profile.
    state
        Random stream at the particle's substream of identification; four numbers are drawn.
    """
    pt2 = p[0] * p[0] + p[1] * p[1]
    momentum, pt = np.sqrt(pt2 + p[2] * p[2]), np.sqrt(pt2)
    theta = np.arctan2(pt, p[2])
    u_e, u_mu = uniform(state), uniform(state)
    u_hadron, u_p = uniform(state), uniform(state)
    passed = 0
    if u_e < _share(_E, species, model, momentum, pt, theta):
        passed |= 1 << _E
    if u_mu < _share(_MU, species, model, momentum, pt, theta):
        passed |= 1 << _MU
    if u_hadron >= 1.0 - _share(_PI, species, model, momentum, pt, theta):
        passed |= 1 << _PI
    if u_hadron < _share(_K, species, model, momentum, pt, theta):
        passed |= 1 << _K
    if u_p < _share(_P, species, model, momentum, pt, theta):
        passed |= 1 << _P
    return passed


@lean_kernel
def _share(
    hypothesis: int,
    species: int,
    model: IdentificationModel,
    momentum: float,
    pt: float,
    theta: float,
) -> float:
    """Return the share of tracks of one kind that pass a hypothesis."""
    if momentum < model.p_min[hypothesis]:
        return 0.0
    return float(value_at(model.share, hypothesis * _N + species, momentum, pt, theta))


@lean_kernel
def _identify_all(
    p4: FloatArray,
    pdgid: Int32Array,
    event_id: IntArray,
    index: IntArray,
    model: IdentificationModel,
    state: UInt64Array,
    out: Int8Array,
) -> None:
    """Write the hypotheses that each row of `p4` passes to `out`."""
    for i in range(len(p4)):
        species = species_of(pdgid[i])
        if species >= 0:
            seek(state, event_id[i], FIRST_IDENTIFICATION + index[i])
            out[i] = draw_hypotheses(p4[i], species, model, state)


@lean_kernel
def _all_shares(
    p4: FloatArray, species: Int8Array, model: IdentificationModel, out: FloatArray
) -> None:
    """Write the share of each hypothesis for each row of `p4` to `out`."""
    for i in range(len(p4)):
        p = p4[i]
        pt = np.sqrt(p[0] * p[0] + p[1] * p[1])
        momentum = np.sqrt(pt * pt + p[2] * p[2])
        theta = np.arctan2(pt, p[2])
        for h in range(_N):
            out[i, h] = _share(h, species[i], model, momentum, pt, theta)
