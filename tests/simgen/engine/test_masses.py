"""Masses of resonances: lineshapes, limits, several broad daughters at once."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from chains import P_MIN, make_events, make_generator, mass_of, rows_of
from scipy import integrate, stats

from simgen.errors import DecayFileError
from simgen.particles import particle_table

N = 200_000
TAU, PION, PI0 = 1.77693, 0.13957039, 0.1349768

TAU_TO_RHO = """
Decay tau-
1.0 rho- nu_tau PHSP;
Enddecay
Decay rho-
1.0 pi- pi0 VSS;
Enddecay
"""


def data(name):
    return particle_table().by_name(name)


def relativistic(m, m_0, width):
    """Density in m of ds / ((s - m0^2)^2 + m0^2 Gamma^2)."""
    return 2 * m / ((m * m - m_0 * m_0) ** 2 + (m_0 * width) ** 2)


def nonrelativistic(m, m_0, width):
    return 1.0 / ((m - m_0) ** 2 + width**2 / 4)


def flat(*_):
    return 1.0


def cdf_of(density, low, high, peak):
    """Return the distribution function of a density by quadrature."""
    grid = np.unique(np.concatenate([np.linspace(low, high, 801), [peak]]))
    steps = [integrate.quad(density, a, b)[0] for a, b in pairwise(grid)]
    cdf = np.concatenate([[0], np.cumsum(steps)])
    return lambda m: np.interp(m, grid, cdf / cdf[-1])


def assert_follows(values, cdf):
    assert stats.kstest(values, cdf).pvalue > P_MIN


def test_rho_from_a_tau_is_a_breit_wigner_within_kinematic_limits(tmp_path):
    events = make_events(tmp_path, TAU_TO_RHO, 2 * N, root="tau-", mass=TAU)
    rho = data("rho-")
    found = mass_of(events.p4[rows_of(events, -213)])
    low, high = PION + PI0, TAU
    assert low < found.min() < low + 0.05
    assert high - 0.01 < found.max() < high
    cdf = cdf_of(lambda m: relativistic(m, rho.mass, rho.width), low, high, rho.mass)
    assert_follows(found, cdf)
    # the likelihood sees a shift of the pole by 1 % of the width, or a width wrong by 1 %
    for mass, width in ((rho.mass + 0.01 * rho.width, rho.width), (rho.mass, 1.01 * rho.width)):
        assert abs(score(found, low, high, (rho.mass, rho.width), (mass, width))) < 3.3


def score(values, low, high, here, there):
    """Return the pull of the derivative of the log-likelihood from one shape to another."""

    def logarithm(shape):
        norm = integrate.quad(relativistic, low, high, args=shape, points=[shape[0]])[0]
        return np.log(relativistic(values, *shape) / norm)

    slope = logarithm(there) - logarithm(here)
    # subtract the second order, which is minus half the variance
    slope += slope.var() / 2
    return slope.sum() / (slope.std() * np.sqrt(len(values)))


@pytest.mark.parametrize(
    ("statements", "density", "low", "high"),
    [
        ("LSNONRELBW rho-", nonrelativistic, PION + PI0, TAU),
        ("LSFLAT rho-", flat, PION + PI0, TAU),
        ("ChangeMassMin rho- 0.6\nChangeMassMax rho- 0.9", relativistic, 0.6, 0.9),
        ("LSFLAT rho-\nChangeMassMin rho- 0.7", flat, 0.7, TAU),
    ],
)
def test_lineshape_statements_of_the_decay_file(tmp_path, statements, density, low, high):
    events = make_events(tmp_path, f"{statements}\n{TAU_TO_RHO}", N, root="tau-", mass=TAU)
    found = mass_of(events.p4[rows_of(events, -213)])
    assert low * (1 - 1e-9) <= found.min() < found.max() <= high * (1 + 1e-9)
    rho = data("rho-")
    assert_follows(found, cdf_of(lambda m: density(m, rho.mass, rho.width), low, high, rho.mass))


def test_two_broad_daughters_share_what_there_is(tmp_path):
    """D0 -> rho+ K*-: product of two Breit-Wigners inside m_1 + m_2 < m_D."""
    text = """
    Decay D0
    1.0 rho+ K*- PHSP;
    Enddecay
    Decay rho+
    1.0 pi+ pi0 VSS;
    Enddecay
    Decay K*-
    1.0 K- pi0 VSS;
    Enddecay
    """
    m_d = data("D0").mass
    events = make_events(tmp_path, text, N, root="D0", mass=m_d)
    m_1 = mass_of(events.p4[rows_of(events, 213)])
    m_2 = mass_of(events.p4[rows_of(events, -323)])
    assert (m_1 + m_2).max() < m_d
    rho, kstar = data("rho+"), data("K*-")
    low_1, low_2 = PION + PI0, data("K-").mass + PI0
    a = np.linspace(low_1, m_d - low_2, 3001)
    b = np.linspace(low_2, m_d - low_1, 3001)
    joint = np.outer(
        relativistic(a, rho.mass, rho.width), relativistic(b, kstar.mass, kstar.width)
    ) * (a[:, None] + b[None, :] < m_d)
    for values, grid, axis in ((m_1, a, 1), (m_2, b, 0)):
        cdf = np.cumsum(joint.sum(axis=axis))
        assert_follows(values, lambda m, g=grid, c=cdf: np.interp(m, g, c / c[-1]))
    # correlation, from the limit alone
    weights = joint / joint.sum()
    mean_1, mean_2 = (weights.sum(1) @ a), (weights.sum(0) @ b)
    expected = (a - mean_1) @ weights @ (b - mean_2)
    products = (m_1 - mean_1) * (m_2 - mean_2)
    assert abs(products.mean() - expected) / (products.std() / np.sqrt(N)) < 4
    assert expected < -1e-4


def test_a_narrow_daughter_above_threshold_has_its_mass(tmp_path):
    text = "Decay D0\n1.0 K- pi+ PHSP;\nEnddecay\n"
    events = make_events(tmp_path, text, 100, root="D0", mass=data("D0").mass)
    kaon = mass_of(events.p4[rows_of(events, -321)])
    np.testing.assert_allclose(kaon, data("K-").mass, rtol=1e-12)


def test_phase_space_with_a_broad_daughter_is_flat_at_each_mass(tmp_path):
    """tau -> rho pi0 nu with a wide rho: the Dalitz variable is uniform at fixed mass."""
    text = TAU_TO_RHO.replace("rho- nu_tau", "rho- pi0 nu_tau")
    generator = make_generator(tmp_path, text, root="tau-", mass=TAU)
    events = generator.generate(np.arange(N), 1)
    assert generator.problems() == ()
    rho = rows_of(events, -213)
    p = events.p4[rho], events.p4[rho + 1], events.p4[rho + 2]
    m = mass_of(p[0])
    # uniform in E_pi0 between its limits, given the mass of rho + nu
    s = mass_of(p[0] + p[2]) ** 2
    low, high = m**2, (TAU - PI0) ** 2

    def pair_density_cdf(x):
        """Distribution function of s = m_{rho nu}^2 for a rho mass m: ~ p p* / sqrt(s) ds."""
        nodes, weights = np.polynomial.legendre.leggauss(60)
        angle = np.pi / 4 * (nodes + 1)

        def integral(upper):
            t = low[:, None] + (upper - low)[:, None] * np.sin(angle) ** 2
            kallen = (TAU**2 - (np.sqrt(t) + PI0) ** 2) * (TAU**2 - (np.sqrt(t) - PI0) ** 2)
            f = np.sqrt(np.maximum(kallen, 0)) * (t - low[:, None]) / t
            return np.sum(weights * f * np.sin(2 * angle), axis=1) * (upper - low)

        return integral(x) / integral(high)

    uniform = pair_density_cdf(s)
    assert stats.kstest(uniform, "uniform").pvalue > P_MIN


def test_mass_limits_that_leave_no_mass_are_refused(tmp_path):
    text = "ChangeMassMin rho- 0.9\nChangeMassMax rho- 0.8\n" + TAU_TO_RHO
    with pytest.raises(DecayFileError, match=r"rho-.*ends at 0\.8000 GeV.*begins at 0\.9000 GeV"):
        make_generator(tmp_path, text, root="tau-", mass=TAU)


def test_channel_beyond_the_energy_of_the_beams_is_left_out_and_said(tmp_path):
    text = "Decay Upsilon(4S)\n0.5 B+ B- VSS;\n0.5 mu+ mu- PHSP;\nEnddecay\n"
    generator = make_generator(tmp_path, text, mass=10.5)
    assert any("B+ B- VSS" in note and "left out" in note for note in generator.notes())
    events = generator.generate(np.arange(2000), 1)
    assert len(rows_of(events, 13)) == 2000
