"""Events of small decay files, and the kinematics tests look at."""

from __future__ import annotations

import numpy as np

from simgen.beams import Beams
from simgen.generators.decfile import DecayFileGenerator, DecayFileSettings

P_MIN = 1e-3

UPSILON_4S = 10.5794

# The whole chain of a signal event with a polarised resonance of each kind.
FULL_CHAIN = """
Alias B+sig B+
Alias B-sig B-
ChargeConj B+sig B-sig
Decay Upsilon(4S)
0.5 B+sig B- VSS;
0.5 B-sig B+ VSS;
Enddecay
Decay B+sig
1.0 K+ tau- mu+ PHSP;
Enddecay
CDecay B-sig
Decay tau-
0.5 mu- anti-nu_mu nu_tau PHSP;
0.5 rho- nu_tau PHSP;
Enddecay
CDecay tau+
Decay rho-
1.0 pi- pi0 VSS;
Enddecay
CDecay rho+
Decay pi0
1.0 gamma gamma PHSP;
Enddecay
Decay B-
0.4 D*0 mu- anti-nu_mu PHSP;
0.4 D*0 pi- SVS;
0.2 D0 pi+ pi- pi- pi0 PHSP;
Enddecay
CDecay B+
Decay D*0
0.6 D0 pi0 VSS;
0.4 D0 gamma VSP_PWAVE;
Enddecay
CDecay anti-D*0
Decay D0
0.7 K- pi+ PHSP;
0.3 K_S0 pi+ pi- PHSP;
Enddecay
CDecay anti-D0
Decay K_S0
1.0 pi+ pi- PHSP;
Enddecay
"""


def beams_at_rest(mass=UPSILON_4S):
    """Return symmetric beams along z whose sqrt(s) is `mass`, without any spread."""
    return Beams(
        electron={"energy": mass / 2, "theta": 0.0},
        positron={"energy": mass / 2, "theta": np.pi},
        sqrt_s_spread=0.0,
        interaction_region={"size": [0.0, 0.0, 0.0]},
    )


def make_generator(folder, text, *, beams=None, mass=UPSILON_4S, **settings):
    """Return the generator of a decay file given as text, without a base table."""
    path = folder / "chain.dec"
    path.write_text(text, encoding="utf-8")
    chosen = DecayFileSettings(decay_files=(str(path),), base=None, **settings)
    return DecayFileGenerator(chosen, beams or beams_at_rest(mass), folder)


def make_events(folder, text, n, *, seed=1, **options):
    """Return n events of a decay file given as text."""
    return make_generator(folder, text, **options).generate(np.arange(n), seed)


def rows_of(block, *pdgids):
    """Return the rows of particles with any of these numbers."""
    return np.flatnonzero(np.isin(block.pdgid, pdgids))


def child_rows(block, parents, n=0):
    """Return the rows of the n-th daughter of each of the rows `parents`."""
    mother = block.mother_row
    first = np.full(block.n_particles, block.n_particles)
    rows = np.flatnonzero(mother >= 0)
    np.minimum.at(first, mother[rows], rows)  # siblings are side by side
    return first[parents] + n


def mass_of(p):
    """Return the invariant masses of (..., 4) momenta."""
    return np.sqrt(np.maximum(p[..., 3] ** 2 - np.sum(p[..., :3] ** 2, axis=-1), 0.0))


def boosted(p, frame):
    """Return momenta `p` in the rest frames of `frame`, axes kept; both (n, 4)."""
    m = mass_of(frame)[:, None]
    u, gamma = frame[:, :3] / m, frame[:, 3:] / m
    along = np.sum(u * p[:, :3], axis=1, keepdims=True)
    space = p[:, :3] + u * (along / (gamma + 1) - p[:, 3:])
    return np.hstack([space, gamma * p[:, 3:] - along])


def unit(p):
    """Return directions of (n, >= 3) vectors."""
    return p[:, :3] / np.linalg.norm(p[:, :3], axis=1, keepdims=True)


def cos_between(a, b):
    """Return the cosine of the angle between (n, >= 3) vectors."""
    return np.sum(unit(a) * unit(b), axis=1)


def helicity_cosine(grandparent, parent, daughter):
    """Return cos(theta) of `daughter` in the rest frame of `parent`, to its flight direction."""
    in_parent = boosted(daughter, parent)
    opposite = boosted(grandparent, parent)
    return -cos_between(in_parent, opposite)
