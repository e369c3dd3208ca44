"""CB3PI-P00 and CB3PI-MPP against an integral over the Dalitz plot."""

from __future__ import annotations

import numpy as np
import pytest
from decays import make_decay_generator
from scipy import stats

from simgen.errors import DecayFileError

M_B, M_PI, M_PI0 = 5.27934, 0.13957039, 0.1349768
N = 20_000
BEFORE = "Particle B+ 5.27934 0\nParticle pi+ 0.13957039 0\nParticle pi0 0.1349768 0"


def shape(s):
    total = 0
    for c, m, width in ((1, 0.7734, 0.1477), (-0.229, 1.465, 0.696), (0.075, 1.76, 0.215)):
        low = 4 * 0.13956995**2
        running = width * m**2 / s * (np.maximum(s - low, 0) / (m**2 - low)) ** 1.5
        total = total + c * m**2 / (m**2 - s - 1j * np.sqrt(s) * running)
    return total


def cosine(s, other, m_a, m_b, m_c):
    """Cosine between a and c at a mass squared of a and b, from where s_ac lies in its range."""
    root = np.sqrt(s)
    e_a, e_c = (s + m_a**2 - m_b**2) / (2 * root), (M_B**2 - s - m_c**2) / (2 * root)
    p_a, p_c = (np.sqrt(np.maximum(e**2 - m**2, 0)) for e, m in ((e_a, m_a), (e_c, m_c)))
    middle = m_a**2 + m_c**2 + 2 * e_a * e_c
    with np.errstate(divide="ignore", invalid="ignore"):
        return (middle - other) / (2 * p_a * p_c)


def cumulative(m_a, m_b):
    """Return the distribution of the mass of a and one of the others, b."""
    low, high = (m_a + m_b) ** 2, (M_B - m_b) ** 2
    edges = low + (high - low) * np.linspace(0, 1, 2001) ** 2
    x = 0.5 * (edges[1:] + edges[:-1])
    s, t = np.meshgrid(x, x, indexing="ij")
    c_1, c_2 = cosine(s, t, m_a, m_b, m_b), cosine(t, s, m_a, m_b, m_b)
    inside = (np.abs(c_1) < 1) & (np.abs(c_2) < 1)
    a = np.where(inside, shape(s) * c_1 + shape(t) * c_2, 0)
    weights = np.sum(np.abs(a) ** 2 * np.diff(edges), axis=1) * np.diff(edges)
    running = np.concatenate([[0.0], np.cumsum(weights)])
    return lambda value: np.interp(value, edges, running / running[-1])


@pytest.mark.parametrize(
    ("line", "masses"),
    [
        ("pi+ pi0 pi0 CB3PI-P00 1.365", (M_PI, M_PI0)),
        ("pi+ pi- pi+ CB3PI-MPP 1.365", (M_PI, M_PI)),
    ],
)
def test_mass_of_pairs(tmp_path, line, masses):
    generator = make_decay_generator(tmp_path, "B+", M_B, line, BEFORE)
    block = generator.generate(np.arange(N), 5)
    p = block.p4.reshape(N, 4, 4)[:, 1:]
    odd, first = (0, 1) if "P00" in line else (1, 0)
    pair = p[:, odd] + p[:, first]
    s = pair[:, 3] ** 2 - np.sum(pair[:, :3] ** 2, axis=1)
    assert stats.kstest(s, cumulative(*masses)).pvalue > 1e-3


def test_other_decays_are_refused(tmp_path):
    with pytest.raises(DecayFileError, match="two of them alike"):
        make_decay_generator(tmp_path, "B+", M_B, "pi+ pi- pi0 CB3PI-P00 1.365").generate(
            np.arange(1), 1
        )
