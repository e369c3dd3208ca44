"""A small event maker: Y(4S) -> B B, B -> K tau mu against B -> D mu nu, with smearing.

It knows nothing of the packages under test.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import SimpleNamespace

import numpy as np
import pytest

M_B, M_K, M_MU, M_PI, M_TAU, M_D = 5.27934, 0.493677, 0.1056584, 0.1395704, 1.77686, 1.86966
C_TAU_B = 0.4911  # mm
R0_ERROR = np.array([0.010, 0.0003, 0.350])  # mm
VERTEX_ERROR = 0.025  # mm


@dataclass(frozen=True)
class Events:
    """What a candidate file holds, with the truth beside it; arrays of n rows."""

    total: np.ndarray
    visible_sig: np.ndarray
    visible_tag: np.ndarray
    p_kl: np.ndarray
    k_sig: np.ndarray
    k_tag: np.ndarray
    r_0: np.ndarray
    r_sig: np.ndarray
    r_tag: np.ndarray
    parent_sig: np.ndarray
    parent_tag: np.ndarray

    @property
    def m_sig(self):
        return np.sqrt(np.maximum(minkowski(self.k_sig, self.k_sig), 0.0))

    @property
    def flight_sig(self):
        return self.r_sig - self.r_0

    @property
    def flight_tag(self):
        return self.r_tag - self.r_0


def minkowski(a, b):
    return a[..., 3] * b[..., 3] - np.sum(a[..., :3] * b[..., :3], axis=-1)


def mass(p):
    return np.sqrt(np.maximum(minkowski(p, p), 0.0))


def boost(p, frame):
    """Boost p from the rest frame of `frame` to the frame in which `frame` is given."""
    m = mass(frame)[..., None]
    dot = np.sum(p[..., :3] * frame[..., :3], axis=-1, keepdims=True)
    energy = (frame[..., 3:] * p[..., 3:] + dot) / m
    factor = (p[..., 3:] + energy) / (frame[..., 3:] + m)
    return np.concatenate([p[..., :3] + factor * frame[..., :3], energy], axis=-1)


def directions(rng, n):
    cosine, phi = rng.uniform(-1, 1, n), rng.uniform(0, 2 * np.pi, n)
    sine = np.sqrt(1 - cosine**2)
    return np.stack([sine * np.cos(phi), sine * np.sin(phi), cosine], axis=1)


def momentum(m, m1, m2):
    return np.sqrt(np.maximum((m**2 - (m1 + m2) ** 2) * (m**2 - (m1 - m2) ** 2), 0)) / (2 * m)


def two_body(rng, parent, m1, m2):
    q = momentum(mass(parent), m1, m2)[:, None] * directions(rng, len(parent))
    q2 = np.sum(q**2, axis=1)
    first = np.column_stack([q, np.sqrt(q2 + np.square(m1))])
    second = np.column_stack([-q, np.sqrt(q2 + np.square(m2))])
    return boost(first, parent), boost(second, parent)


def three_body(rng, parent, m1, m2, m3):
    """Flat in the Dalitz plot: the pair mass by accept-reject on the product of momenta."""
    m = mass(parent)
    low, high = m2 + m3, m - m1
    bound = momentum(m, m1, low) * momentum(high, m2, m3)
    pair = np.full(len(parent), np.nan)
    while np.any(todo := np.isnan(pair)):
        trial = rng.uniform(low, high[todo])
        weight = momentum(m[todo], m1, trial) * momentum(trial, m2, m3)
        pair[todo] = np.where(rng.uniform(0, bound[todo]) < weight, trial, np.nan)
    first, rest = two_body(rng, parent, m1, pair)
    return first, *two_body(rng, rest, m2, m3)


def belle2_total():
    x = np.sin(0.0415)
    return np.array([(7.004 + 4.002) * x, 0.0, (7.004 - 4.002) * np.cos(0.0415), 7.004 + 4.002])


def make_events(n, *, leptonic, seed):
    """Exact events: nothing smeared, vertices where the parents decayed."""
    rng = np.random.default_rng(seed)
    total = belle2_total()
    parent_sig, parent_tag = two_body(rng, np.tile(total, (n, 1)), M_B, M_B)
    kaon, tau, muon = three_body(rng, parent_sig, M_K, M_TAU, M_MU)
    if leptonic:
        track, nu1, nu2 = three_body(rng, tau, M_MU, 0.0, 0.0)
        k_sig = nu1 + nu2
    else:
        track, k_sig = two_body(rng, tau, M_PI, 0.0)
    d, lepton, k_tag = three_body(rng, parent_tag, M_D, M_MU, 0.0)

    def flight(p):
        return p[:, :3] / M_B * rng.exponential(C_TAU_B, n)[:, None]

    return Events(
        total,
        kaon + muon + track,
        d + lepton,
        kaon + muon,
        k_sig,
        k_tag,
        np.zeros((n, 3)),
        flight(parent_sig),
        flight(parent_tag),
        parent_sig,
        parent_tag,
    ), (kaon, muon, track, d, lepton)


def smear_track(rng, p, resolution=0.005, angle=0.001):
    n, m = len(p), mass(p)
    size = np.linalg.norm(p[:, :3], axis=1) * (1 + resolution * rng.standard_normal(n))
    unit = p[:, :3] / np.linalg.norm(p[:, :3], axis=1, keepdims=True)
    unit = unit + angle * rng.standard_normal((n, 3))
    q = size[:, None] * unit / np.linalg.norm(unit, axis=1, keepdims=True)
    return np.column_stack([q, np.sqrt(size**2 + m**2)])


def make_smeared(n, *, leptonic, seed):
    truth, tracks = make_events(n, leptonic=leptonic, seed=seed)
    rng = np.random.default_rng(seed + 1)
    kaon, muon, track, d, lepton = (smear_track(rng, p) for p in tracks)
    return Events(
        truth.total,
        kaon + muon + track,
        d + lepton,
        kaon + muon,
        truth.k_sig,
        truth.k_tag,
        truth.r_0 + R0_ERROR * rng.standard_normal((n, 3)),
        truth.r_sig + VERTEX_ERROR * rng.standard_normal((n, 3)),
        truth.r_tag + VERTEX_ERROR * rng.standard_normal((n, 3)),
        truth.parent_sig,
        truth.parent_tag,
    )


# Every variable with the arguments it needs beyond the momenta and the masses of the invisibles.
CASES = {
    "M2": lambda _: {},
    "M2s": lambda _: {},
    "M2sB": lambda _: {"parent_mass": M_B},
    "M2V": lambda events: {"flight_sig": events.flight_sig},
    "M2sV": lambda events: {"flight_sig": events.flight_sig},
    "M2BV": lambda events: {"parent_mass": M_B, "flight_sig": events.flight_sig},
    "M2V(delta)": lambda events: {"flight_sig": events.flight_sig, "delta": 0.1},
    "M2sV(delta)": lambda events: {"flight_sig": events.flight_sig, "delta": 0.1},
}


@pytest.fixture(scope="session")
def tools():
    return SimpleNamespace(
        M_B=M_B,
        M_TAU=M_TAU,
        Events=Events,
        belle2_total=belle2_total,
        boost=boost,
        directions=directions,
        make_events=make_events,
        make_smeared=make_smeared,
        mass=mass,
        minkowski=minkowski,
        two_body=two_body,
    )


@pytest.fixture(scope="session", params=CASES)
def case(request):
    """One variable at a time: its full name, its name for `solve`, and its arguments."""
    name = request.param
    return SimpleNamespace(name=name, variable=name.removesuffix("(delta)"), arguments=CASES[name])


@pytest.fixture(scope="session", params=["hadronic", "leptonic"])
def exact(request):
    return make_events(10_000, leptonic=request.param == "leptonic", seed=11)[0]


@pytest.fixture(scope="session", params=["hadronic", "leptonic"])
def smeared(request):
    return make_smeared(10_000, leptonic=request.param == "leptonic", seed=21)


@pytest.fixture(scope="session")
def hadronic():
    return make_smeared(50_000, leptonic=False, seed=31)


@pytest.fixture(scope="session")
def leptonic():
    return make_smeared(50_000, leptonic=True, seed=41)
