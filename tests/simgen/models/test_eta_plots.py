"""Dalitz plots of eta and eta' in events, against integrals in X and Y as published; fixed seeds.

Densities and variables are those of KLOE (arXiv:1601.06985) and of the PDG's section on eta decay
parameters: X = sqrt(3) (T_+ - T_-)/Q, Y = 3 T_0/Q - 1 for three pions, for eta' -> pi pi eta
Y = (2 + m_eta/m_pi) T_eta/Q - 1, T kinetic energies and Q their sum, and z = X^2 + Y^2 for 3 pi0.
"""

from __future__ import annotations

import numpy as np
import pytest
from decays import make_decay_generator
from scipy import stats

N = 200_000
LEAST = 1e-3  # p-value
PI, PI_0, ETA, ETA_PRIME = 0.13957039, 0.1349768, 0.547862, 0.95778
BEFORE = (
    f"Particle pi+ {PI} 0\nParticle pi0 {PI_0} 0\nParticle eta {ETA} 0\nParticle eta' {ETA_PRIME} 0"
)
CASES = {
    "charged": ("eta", "pi- pi+ pi0 ETA_FULLDALITZ", (-1.095, 0.145, 0.0, 0.081, 0.0, 0.141)),
    "odd": ("eta", "pi+ pi- pi0 ETA_FULLDALITZ", (-1.095, 0.145, 0.2, 0.081, -0.3, 0.141)),
    "neutral": ("eta", "pi0 pi0 pi0 ETA_PI0DALITZ", (-0.288,)),
    "eta'": ("eta'", "pi+ pi- eta ETAPRIME_DALITZ", (-0.047, -0.069, 0.1, 0.073)),
    "eta' neutral": ("eta'", "pi0 pi0 eta ETAPRIME_DALITZ", (-0.087, -0.073, 0.0, 0.074)),
}
MASSES = {
    "charged": (ETA, PI, PI_0, 3.0),
    "odd": (ETA, PI, PI_0, 3.0),
    "neutral": (ETA, PI_0, PI_0, 3.0),
    "eta'": (ETA_PRIME, PI, ETA, 2.0 + ETA / PI),
    "eta' neutral": (ETA_PRIME, PI_0, ETA, 2.0 + ETA / PI_0),
}


def terms(case, x, y):
    """Return the factors of the parameters in the density, which is 1 + their sum."""
    if case == "neutral":
        return [2 * (x**2 + y**2)]
    if case.startswith("eta'"):
        return [y, y**2, x, x**2]
    return [y, y**2, x, x**2, x * y, y**3]


def plot(case, n=300):
    """Return X, Y and weights over the plot: for each Y between the ends of X, Gauss-Legendre."""
    mass, pion, third, factor = MASSES[case]
    q = mass - 2 * pion - third
    u, w = np.polynomial.legendre.leggauss(n)
    top = ((mass - third) ** 2 - 4 * pion**2) / (2 * mass)  # largest kinetic energy of the third
    t = top * (u[:, None] + 1) / 2
    y = factor * t / q - 1
    s = (mass - third) ** 2 - 2 * mass * t
    # energies of the pions: E_pair/2 +- p_third/2 sqrt(1 - 4 m^2/s)
    p = np.sqrt(t * (t + 2 * third))
    half = p * np.sqrt(np.maximum(1 - 4 * pion**2 / s, 0))
    x = np.sqrt(3) * half * u / q
    return x, np.broadcast_to(y, x.shape), w[:, None] * w * half


def variables(case, p):
    """Return X and Y of events; X positive where a pi+ is the faster, or the first daughter."""
    mass, pion, third, factor = MASSES[case]
    q = mass - 2 * pion - third
    sign = -1 if CASES[case][1].startswith("pi- ") else 1
    x = sign * np.sqrt(3) * (p[:, 1, 3] - p[:, 2, 3]) / q
    return x, factor * (p[:, 3, 3] - third) / q - 1


@pytest.fixture(scope="module", params=list(CASES))
def events(request, tmp_path_factory):

    parent, line, values = CASES[request.param]
    folder = tmp_path_factory.mktemp("eta")
    numbers = " ".join(str(v) for v in values)
    generator = make_decay_generator(
        folder, parent, MASSES[request.param][0], f"{line} {numbers}", BEFORE
    )
    block = generator.generate(np.arange(N), 17)
    assert generator.problems() == ()
    return request.param, *variables(request.param, block.p4.reshape(N, 4, 4))


def check(seen, at, weight):
    order = np.argsort(at.ravel())
    below = (np.cumsum(weight.ravel()[order]) - 0.5 * weight.ravel()[order]) / weight.sum()
    grid = at.ravel()[order]
    assert stats.kstest(seen, lambda v: np.interp(v, grid, below)).pvalue > LEAST


def test_projections(events):
    case, x, y = events
    px, py, weight = plot(case)
    values = CASES[case][2]
    density = weight * (1 + sum(v * t for v, t in zip(values, terms(case, px, py), strict=True)))
    check(x, px, density)
    check(y, py[:, 0], density.sum(axis=1))
    check(x**2 + y**2, px**2 + py**2, density)


def test_parameters_are_those_of_the_decay_file(events):
    """The score of the likelihood at the true parameters is zero, to its errors.

    With these errors a and alpha are known to 1 %; the formulas are compared in `test_dalitz.py`.
    """
    case, x, y = events
    px, py, weight = plot(case, 120)
    true = np.array(CASES[case][2])
    seen, over = np.array(terms(case, x, y)), np.array(terms(case, px, py))
    density = 1 + np.tensordot(true, over, 1)
    weight = weight * density / np.sum(weight * density)
    over = over / density
    mean = np.tensordot(over, weight, 2)
    score = np.sum(seen / (1 + true @ seen), axis=1) - N * mean
    information = N * (np.einsum("aij,bij,ij->ab", over, over, weight) - np.outer(mean, mean))
    assert stats.chi2(len(true)).sf(score @ np.linalg.solve(information, score)) > LEAST
    if not case.startswith("eta'"):  # whose parameters are small
        assert 1 / np.sqrt(information[0, 0]) < 0.01 * abs(true[0])
