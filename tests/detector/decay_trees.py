"""A small event maker: trees of decays with momenta and vertices, written without the generator."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field

import numpy as np

from simgen.events import DECAYED, FINAL, EventBlock, concatenate

MASS = {
    11: 0.51099895e-3,
    12: 0.0,
    13: 0.1056583755,
    14: 0.0,
    15: 1.77693,
    16: 0.0,
    22: 0.0,
    111: 0.1349768,
    130: 0.497611,
    211: 0.13957039,
    310: 0.497611,
    321: 0.493677,
    411: 1.86966,
    413: 2.01026,
    421: 1.86484,
    423: 2.00685,
    443: 3.0969,
    511: 5.27966,
    521: 5.27934,
}
C_TAU = {511: 0.455, 521: 0.491, 411: 0.310, 421: 0.123, 15: 0.087}  # mm


@dataclass
class P:
    """A particle of a decay tree; no daughters means final."""

    pdgid: int
    daughters: list[P] = field(default_factory=list)

    def conjugate(self) -> P:
        own = self.pdgid if self.pdgid in {22, 111, 130, 310} else -self.pdgid
        return P(own, [d.conjugate() for d in self.daughters])


def mass2(p):
    return p[..., 3] ** 2 - np.sum(p[..., :3] ** 2, axis=-1)


def boost(p, frame, mass):
    """Boost p from the rest frame of `frame` to the frame in which `frame` is given."""
    dot = np.sum(p[:, :3] * frame[:, :3], axis=1)
    energy = (frame[:, 3] * p[:, 3] + dot) / mass
    factor = (p[:, 3] + energy) / (frame[:, 3] + mass)
    return np.column_stack([p[:, :3] + factor[:, None] * frame[:, :3], energy])


def two_body(rng, parent, mass, m1, m2):
    n = len(parent)
    q = np.sqrt(np.maximum((mass**2 - (m1 + m2) ** 2) * (mass**2 - (m1 - m2) ** 2), 0)) / (2 * mass)
    cosine, phi = rng.uniform(-1, 1, n), rng.uniform(0, 2 * np.pi, n)
    sine = np.sqrt(1 - cosine**2)
    unit = np.stack([sine * np.cos(phi), sine * np.sin(phi), cosine], axis=1)
    first = np.column_stack([q[:, None] * unit, np.sqrt(q**2 + m1**2)])
    second = np.column_stack([-q[:, None] * unit, np.sqrt(q**2 + m2**2)])
    return boost(first, parent, mass), boost(second, parent, mass)


def decay(rng, parent, mass, masses):
    """Momenta of any number of daughters; masses of the clusters uniform, which is enough here."""
    if len(masses) == 1:
        return [parent]
    if len(masses) == 2:
        return list(two_body(rng, parent, mass, *(np.full(len(parent), m) for m in masses)))
    rest = rng.uniform(sum(masses[1:]), mass - masses[0])
    first, cluster = two_body(rng, parent, mass, np.full(len(parent), masses[0]), rest)
    return [first, *decay(rng, cluster, rest, masses[1:])]


def make_block(tree, n, rng, *, total, spread=0.005, first_id=0, vertex_size=(0.01, 0.0003, 0.35)):
    """n events of one decay tree; the root is the beams."""
    scale = 1 + spread / np.sqrt(mass2(total)) * rng.standard_normal(n)
    beam = total * scale[:, None]
    vertex = np.array(vertex_size) * rng.standard_normal((n, 3))
    particles = []

    def walk(node, mother, p4, production):
        index = len(particles)
        status = DECAYED if node.daughters else FINAL
        particles.append((node.pdgid, mother, status, p4, production))
        if not node.daughters:
            return
        mass = np.sqrt(mass2(p4)) if mother < 0 else np.full(n, MASS[abs(node.pdgid)])
        end = production
        c_tau = C_TAU.get(abs(node.pdgid), 0.0)
        if c_tau:
            end = production + p4 / mass[:, None] * rng.exponential(c_tau, n)[:, None]
        copies = len(node.daughters) == 1
        masses = [MASS[abs(d.pdgid)] for d in node.daughters]
        momenta = [p4] if copies else decay(rng, p4, mass, masses)
        for daughter, p in zip(node.daughters, momenta, strict=True):
            walk(daughter, index, p, end)

    walk(tree, -1, beam, np.column_stack([vertex, np.zeros(n)]))
    k = len(particles)

    def per_particle(position, dtype):
        return np.tile(np.array([p[position] for p in particles], dtype=dtype), n)

    return EventBlock(
        event_id=np.arange(first_id, first_id + n, dtype=np.int64),
        weight=rng.uniform(0.5, 1.5, n),
        process=np.zeros(n, dtype=np.int32),
        beam=beam,
        vertex=vertex,
        offsets=np.arange(n + 1, dtype=np.int64) * k,
        pdgid=per_particle(0, np.int32),
        mother=per_particle(1, np.int32),
        status=per_particle(2, np.int8),
        p4=np.stack([p[3] for p in particles], axis=1).reshape(-1, 4),
        production=np.stack([p[4] for p in particles], axis=1).reshape(-1, 4),
    )


def pi0():
    return P(111, [P(22), P(22)])


def d0():
    return P(421, [P(-321), P(211)])


TAU_DECAYS = {  # of the tau+, by tau_mode
    1: lambda: [P(-11), P(12), P(-16)],
    2: lambda: [P(-13), P(14), P(-16)],
    3: lambda: [P(211), P(-16)],
    4: lambda: [P(211), pi0(), P(-16)],
    0: lambda: [P(211), pi0(), pi0(), P(-16)],
}
TAGS = {  # charm of B-, by tag_meson and which D decay
    "D": (1, d0),
    "D -> K pi pi0": (1, lambda: P(421, [P(-321), P(211), pi0()])),
    "D* -> D pi0": (2, lambda: P(423, [d0(), pi0()])),
    "D* -> D gamma": (3, lambda: P(423, [d0(), P(22)])),
    "D* -> D pi": (4, lambda: P(413, [d0(), P(211)])),
}


def signal(tau=3, *, tau_sign=1, lepton=13, kaon=321):
    """B+ -> K+ tau+ l- or K+ tau- l+; B0 -> tau l without a kaon."""
    tau_node = P(-15, TAU_DECAYS[tau]())
    lepton_node = P(lepton)
    pair = [tau_node, lepton_node]
    if tau_sign < 0:
        pair = [p.conjugate() for p in pair]
    return P(521, [P(kaon), *pair]) if kaon else P(511, pair)


def tag(name="D", *, lepton=13):
    """B- -> D(*) l- nu-bar."""
    charm = TAGS[name][1]()
    return P(-521, [charm, P(lepton), P(-lepton - 1)])


def event(signal_side, tag_side):
    return P(300553, [signal_side, tag_side])


def all_channels(n_each, total, seed, **options):
    """Every tau decay against every tag, with both charges and both lepton flavours on the tag."""
    rng = np.random.default_rng(seed)
    blocks, truth = [], []
    for i, (tau, name) in enumerate(itertools.product(TAU_DECAYS, TAGS)):
        lepton = 11 if i % 3 == 0 else 13
        tree = event(signal(tau, tau_sign=1 if i % 2 else -1), tag(name, lepton=lepton))
        if i % 4 > 1:
            tree = P(tree.pdgid, [d.conjugate() for d in tree.daughters])
        blocks.append(make_block(tree, n_each, rng, total=total, first_id=1000 * i, **options))
        truth += [(tau, TAGS[name][0], lepton)] * n_each
    return concatenate(blocks), np.array(truth)
