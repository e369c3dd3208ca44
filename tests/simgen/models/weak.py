"""Weak decays evaluated outside the engine, for tests of their amplitudes."""

from __future__ import annotations

import ctypes

import numpy as np

from simgen.models import compile_amplitude, find_model


def dot(a, b):
    """Return the Minkowski product of (..., 4) vectors (x, y, z, t)."""
    return a[..., 3] * b[..., 3] - np.sum(a[..., :3] * b[..., :3], axis=-1)


def amplitudes(name, pdgids, momenta, shape, parameters=(0.0,)):
    """Return the amplitudes of (n, particles, 4) decays, (n, *shape)."""
    momenta = np.ascontiguousarray(momenta, dtype=float)
    out = np.full((len(momenta), *shape), np.nan, dtype=complex)
    given = np.array(parameters, dtype=float)
    ids = np.array(pdgids, dtype=np.int64)
    compiled = compile_amplitude(find_model(name).amplitude)
    call = ctypes.CFUNCTYPE(None, *[ctypes.c_void_p] * 4)(compiled.address)
    for p, a in zip(momenta, out, strict=True):
        call(given.ctypes.data, ids.ctypes.data, p.ctypes.data, a.ctypes.data)
    return out


def boost(p, frame):
    """Boost (..., 4) momenta from the rest frame of `frame` to where `frame` is given."""
    m = np.sqrt(dot(frame, frame))[..., None]
    u, gamma = frame[..., :3] / m, frame[..., 3:] / m
    along = np.sum(u * p[..., :3], axis=-1, keepdims=True)
    space = p[..., :3] + u * (along / (gamma + 1) + p[..., 3:])
    return np.concatenate([space, gamma * p[..., 3:] + along], axis=-1)


def two_body(mass, m_1, m_2, direction):
    """Return momenta of two daughters at rest frame `direction` (..., 3), each (..., 4)."""
    kallen = (mass**2 - (m_1 + m_2) ** 2) * (mass**2 - (m_1 - m_2) ** 2)
    p = np.sqrt(kallen) / (2 * mass)
    space = p * direction
    ones = np.ones((*direction.shape[:-1], 1))
    return (
        np.concatenate([space, np.hypot(p, m_1) * ones], axis=-1),
        np.concatenate([-space, np.hypot(p, m_2) * ones], axis=-1),
    )


def directions(rng, n):
    """Return n isotropic unit vectors."""
    v = rng.normal(size=(n, 3))
    return v / np.linalg.norm(v, axis=1, keepdims=True)
