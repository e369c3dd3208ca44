"""Three-body models against the published densities, written in invariant masses."""

from __future__ import annotations

import numpy as np
import pytest
from decays import evaluate, three_body

PI, PI_0, ETA, ETA_PRIME = 0.13957, 0.134977, 0.547862, 0.95778
CHARGED, NEUTRAL = (211, -211, 111), (111, 111, 111)


def square(p):
    return p[3] ** 2 - p[:3] @ p[:3]


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("sign", [1, -1])
def test_eta_to_charged_pions(seed, sign):
    """X = sqrt(3) (u - t) / (2 M Q), Y = 3 ((M - m0)^2 - s) / (2 M Q) - 1 (KLOE)."""
    a, b, c, d, e, f = -1.128, 0.153, 0.05, 0.085, 0.03, 0.173
    momenta = three_body(ETA, (PI, PI, PI_0), seed)
    q = ETA - 2 * PI - PI_0
    s, t, u = (square(momenta[i] + momenta[j]) for i, j in ((1, 2), (1, 3), (2, 3)))
    x = sign * np.sqrt(3) * (t - u) / (2 * ETA * q)  # the pion left out of t is daughter 2
    y = 3 * ((ETA - PI_0) ** 2 - s) / (2 * ETA * q) - 1
    expected = 1 + a * y + b * y**2 + c * x + d * x**2 + e * x * y + f * y**3
    pdgids = (sign * 211, -sign * 211, 111)
    found = evaluate("ETA_FULLDALITZ", pdgids, momenta, 1, (a, b, c, d, e, f))
    assert abs(found[0]) ** 2 == pytest.approx(expected, rel=1e-10)


@pytest.mark.parametrize("seed", range(5))
def test_eta_with_the_slope_of_layter(seed):
    momenta = three_body(ETA, (PI, PI, PI_0), seed)
    s = square(momenta[1] + momenta[2])
    y = 3 * ((ETA - PI_0) ** 2 - s) / (2 * ETA * (ETA - 2 * PI - PI_0)) - 1
    found = evaluate("ETA_DALITZ", CHARGED, momenta, 1)
    assert abs(found[0]) ** 2 == pytest.approx(1 - 1.07 * y, rel=1e-10)


@pytest.mark.parametrize("seed", range(5))
def test_eta_to_neutral_pions(seed):
    """z = X^2 + Y^2 is the squared distance from the centre, 1 at the edge's farthest point."""
    momenta = three_body(ETA, (PI_0,) * 3, seed)
    t = momenta[1:, 3] - PI_0
    x, y = np.sqrt(3) * (t[0] - t[1]) / t.sum(), 3 * t[2] / t.sum() - 1
    found = evaluate("ETA_PI0DALITZ", NEUTRAL, momenta, 1, (-0.0135,))
    assert abs(found[0]) ** 2 == pytest.approx(1 - 2 * 0.0135 * (x**2 + y**2), rel=1e-9)


@pytest.mark.parametrize("seed", range(5))
def test_eta_prime(seed):
    """Y from the invariant mass of the pions; see `test_eta_to_charged_pions`."""
    a, b, c, d = -0.047, -0.069, 0.02, 0.073
    momenta = three_body(ETA_PRIME, (PI, PI, ETA), seed)
    q = ETA_PRIME - 2 * PI - ETA
    s, t, u = (square(momenta[i] + momenta[j]) for i, j in ((1, 2), (1, 3), (2, 3)))
    x = np.sqrt(3) * (t - u) / (2 * ETA_PRIME * q)
    y = (2 + ETA / PI) * ((ETA_PRIME - ETA) ** 2 - s) / (2 * ETA_PRIME * q) - 1
    found = evaluate("ETAPRIME_DALITZ", (211, -211, 221), momenta, 1, (a, b, c, d))
    expected = 1 + a * y + b * y**2 + c * x + d * x**2
    assert abs(found[0]) ** 2 == pytest.approx(expected, rel=1e-10)


@pytest.mark.parametrize("seed", range(5))
def test_omega_is_the_boundary_function_of_the_dalitz_plot(seed):
    """|p1 x p2|^2 = -G / M^2 with the Gram determinant of p1, p2, p3; normal to the plane."""
    mass = 0.78266
    momenta = three_body(mass, (PI, PI, PI_0), seed)
    found = evaluate("OMEGA_DALITZ", CHARGED, momenta, 3)
    gram = np.linalg.det(momenta[1:] @ np.diag([-1, -1, -1, 1]) @ momenta[1:].T)
    q = mass - 2 * PI - PI_0
    assert np.sum(abs(found) ** 2) * (mass * q) ** 2 == pytest.approx(gram / mass**2, rel=1e-9)
    np.testing.assert_allclose(momenta[1:, :3] @ found, 0, atol=1e-14)


@pytest.mark.parametrize("seed", range(5))
def test_pion_pairs_of_quarkonium(seed):
    """eps . eps' (m_pipi^2 - 4 m_pi^2), zero at threshold (Brown and Cahn)."""
    mass, light = 3.6861, 3.0969
    p = three_body(mass, (light, PI, PI), seed)
    found = evaluate("VVPIPI", (443, 211, -211), p, (3, 3))
    pair = square(p[2] + p[3])
    k = p[1, :3]
    contraction = np.eye(3) + np.outer(k, k) / (light * (p[1, 3] + light))
    expected = contraction * (pair - 4 * PI**2) / (mass - light) ** 2
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-12)
