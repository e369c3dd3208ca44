"""Single decays: random configurations, amplitudes called directly, events of one decay."""

from __future__ import annotations

import ctypes

import numpy as np

from simgen.beams import Beams
from simgen.generators.decfile import DecayFileGenerator, DecayFileSettings
from simgen.models import compile_amplitude, find_model


def three_body(mass, masses, seed):
    """Return a random three-body configuration, (4, 4), in the parent's rest frame."""
    rng = np.random.default_rng(seed)
    m_12 = rng.uniform(masses[0] + masses[1], mass - masses[2])

    def momentum(m, a, b):
        return np.sqrt((m**2 - (a + b) ** 2) * (m**2 - (a - b) ** 2)) / (2 * m)

    def direction():
        vector = rng.normal(size=3)
        return vector / np.linalg.norm(vector)

    p_3 = momentum(mass, m_12, masses[2]) * direction()
    q = momentum(m_12, masses[0], masses[1]) * direction()
    energy = np.hypot(np.linalg.norm(q), masses[0])
    pair = np.hypot(np.linalg.norm(p_3), m_12)
    p_1 = q - p_3 / m_12 * (energy - (q @ p_3) / (pair + m_12))
    vectors = [np.zeros(3), p_1, -p_3 - p_1, p_3]
    all_masses = [mass, *masses]
    return np.array(
        [[*v, np.hypot(np.linalg.norm(v), m)] for v, m in zip(vectors, all_masses, strict=True)]
    )


def evaluate(name, pdgids, momenta, shape, parameters=()):
    """Call the compiled amplitude of a model."""
    out = np.full(shape, np.nan, dtype=complex)
    arrays = [np.array([*parameters, 0.0]), np.array([0, *pdgids]), momenta, out]
    compiled = compile_amplitude(find_model(name).amplitude)
    call = ctypes.CFUNCTYPE(None, *[ctypes.c_void_p] * 4)(compiled.address)
    call(*(a.ctypes.data for a in arrays))
    return out


def make_decay_generator(folder, parent, mass, line, before=""):
    """Return the generator of a decay file with one decay, of a parent at rest."""
    path = folder / "decay.dec"
    path.write_text(f"{before}\nDecay {parent}\n1.0 {line};\nEnddecay\n", encoding="utf-8")
    settings = DecayFileSettings(decay_files=(str(path),), base=None, root=parent)
    half = {"energy": mass / 2}
    beams = Beams(
        electron={**half, "theta": 0.0},
        positron={**half, "theta": np.pi},
        sqrt_s_spread=0.0,
        interaction_region={"size": [0.0, 0.0, 0.0]},
    )
    return DecayFileGenerator(settings, beams, folder)
