"""Dipion transitions of the Upsilon against CLEO's density in m_pipi and cos(theta)."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

M_3S, M_1S, PI = 10.3552, 9.4603, 0.13957
N = 60_000
DECAY = "Upsilon pi+ pi- YMSTOYNSPIPICLEOBOOST {} {}"
PARTICLES = f"Particle Upsilon {M_1S} 0.0\nParticle pi+ {PI} 0.0"


def density(pair, cosine, ratio):
    """Return dGamma / dm dcos(theta), theta of a pion in the rest frame of the pair.

    E_1 E_2 = ((E_1 + E_2)^2 - (E_1 - E_2)^2) / 4, with E_1 + E_2 the pair's energy and E_1 - E_2
    its momentum times the pions' velocity times cos(theta). Polarisations give 2 + (E'/M')^2.
    """
    energy = (M_3S**2 - M_1S**2 + pair**2) / (2 * M_3S)
    momentum = np.sqrt(energy**2 - pair**2)
    velocity = np.sqrt(1 - 4 * PI**2 / pair**2)
    product = (energy**2 - (momentum * velocity * cosine) ** 2) / 4
    size = abs(pair**2 - 2 * PI**2 + ratio * product) ** 2
    return size * momentum * pair * velocity * (2 + ((M_3S - energy) / M_1S) ** 2)


@pytest.mark.parametrize("ratio", [-2.523 + 1.189j, -0.753 + 0j])
def test_masses_and_angles_of_the_pion_pair(decay, ratio):
    """chi^2 in 30 x 10 bins: the two peaks of Upsilon(3S) -> Upsilon pi pi need Im(B/A)."""
    line = DECAY.format(ratio.real, ratio.imag)
    p = decay("Upsilon(3S)", M_3S, line, N, before=PARTICLES)
    pair = p[:, 2] + p[:, 3]
    mass = np.sqrt(pair[:, 3] ** 2 - np.sum(pair[:, :3] ** 2, axis=1))
    energy = (M_3S**2 - M_1S**2 + mass**2) / (2 * M_3S)
    momentum = np.sqrt(energy**2 - mass**2)
    cosine = (p[:, 2, 3] - p[:, 3, 3]) / (momentum * np.sqrt(1 - 4 * PI**2 / mass**2))
    edges = np.linspace(2 * PI, M_3S - M_1S, 31), np.linspace(-1, 1, 11)
    counts, *_ = np.histogram2d(mass, cosine, edges)
    x, w = np.polynomial.legendre.leggauss(8)
    points = [(e[:-1, None] + e[1:, None]) / 2 + np.diff(e)[:, None] / 2 * x for e in edges]
    values = density(points[0][:, None, :, None], points[1][None, :, None, :], ratio)
    expected = np.einsum("abij,i,j->ab", values, w, w)
    expected *= N / expected.sum()
    assert counts.sum() == N
    # the hundred smallest bins, some of them where the amplitude is near zero, are one bin
    order = np.argsort(expected.ravel())
    found, wanted = (
        np.append(each.ravel()[order[100:]], each.ravel()[order[:100]].sum())
        for each in (counts, expected)
    )
    assert wanted.min() > 5
    assert stats.chisquare(found, wanted).pvalue > 1e-3
