"""Masses of resonances: lineshapes, limits, several broad daughters at once."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from chains import P_MIN, make_events, make_generator, mass_of, rows_of
from scipy import integrate, stats

from simgen.errors import DecayFileError, RunError
from simgen.particles import particle_table

N = 200_000
REFERENCE = Path(__file__).parents[2] / "data" / "rho_mass_evtgen.npz"
TAU, PION, PI0 = (particle_table().by_name(name).mass for name in ("tau-", "pi-", "pi0"))
RHO = particle_table().by_name("rho-").mass

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


def momentum(m, a, b):
    return np.sqrt(np.maximum((m * m - (a + b) ** 2) * (m * m - (a - b) ** 2), 0)) / (2 * m)


def vertex(p, p_0, orbital, radius):
    """(p / p_0)^(2 L + 1) times Blatt-Weisskopf factors."""
    form = {0: lambda z: 1 + 0 * z, 1: lambda z: 1 + z, 2: lambda z: 9 + 3 * z + z * z}[orbital]
    return (p / p_0) ** (2 * orbital + 1) * form((p_0 * radius) ** 2) / form((p * radius) ** 2)


def shape(
    m, name, daughters, orbital, birth=None, *, radius=3.0, decay=True, width=None, pole=None
):
    """Density of a resonance in its mass; birth is (parent, sibling, L), masses in GeV."""
    m_0, gamma = pole or data(name).mass, width or data(name).width
    p, p_0 = momentum(m, *daughters), momentum(m_0, *daughters)
    inner = vertex(p, p_0, orbital, radius)
    density = 1 / ((m_0**2 - m * m) ** 2 + (m_0 * gamma * m_0 / m * inner) ** 2)
    if decay:
        density = density * inner
    if birth is not None:
        parent, sibling, wave = birth
        q, q_0 = momentum(parent, m, sibling), momentum(parent, m_0, sibling)
        outer = vertex(q, q_0, wave, 1.0)
        density = density * np.where(m + sibling < parent, outer, 1.0 if wave == 0 else 0.0)
    return density


def nonrelativistic(m):
    rho = data("rho-")
    return 1.0 / ((m - rho.mass) ** 2 + rho.width**2 / 4)


def cdf_of(density, low, high, peak):
    """Return the distribution function of a density by quadrature."""
    grid = np.unique(np.concatenate([np.linspace(low, high, 801), [peak]]))
    steps = [integrate.quad(density, a, b)[0] for a, b in pairwise(grid)]
    cdf = np.concatenate([[0], np.cumsum(steps)])
    return lambda m: np.interp(m, grid, cdf / cdf[-1])


def assert_follows(values, cdf):
    assert stats.kstest(values, cdf).pvalue > P_MIN


RHO_LOW = RHO - 0.48  # EvtGen's range below the pole
PIONS = (PION, PI0)


def from_tau(m, **options):
    return shape(m, "rho-", PIONS, 1, (TAU, 0.0, 0), **options)


def test_rho_from_a_tau_has_barriers_a_running_width_and_the_phase_space_of_the_tau(tmp_path):
    events = make_events(tmp_path, TAU_TO_RHO, 2 * N, root="tau-", mass=TAU)
    rho = data("rho-")
    found = mass_of(events.p4[rows_of(events, -213)])
    assert RHO_LOW < found.min() < RHO_LOW + 0.02
    assert TAU - 0.05 < found.max() < TAU
    assert_follows(found, cdf_of(from_tau, RHO_LOW, TAU, rho.mass))
    # the likelihood sees a shift of the pole by 1 % of the width, or a width wrong by 1 %
    for pole, width in ((rho.mass + 0.01 * rho.width, rho.width), (rho.mass, 1.01 * rho.width)):
        assert abs(score(found, (rho.mass, rho.width), (pole, width))) < 3.3


def score(values, here, there):
    """Return the pull of the derivative of the log-likelihood from one shape to another."""

    def logarithm(pole, width):
        def density(m):
            return from_tau(m, pole=pole, width=width)

        norm = integrate.quad(density, RHO_LOW, TAU, points=[pole])[0]
        return np.log(density(values) / norm)

    slope = logarithm(*there) - logarithm(*here)
    # subtract the second order, which is minus half the variance
    slope += slope.var() / 2
    return slope.sum() / (slope.std() * np.sqrt(len(values)))


def test_rho_from_a_tau_is_evtgens(tmp_path):
    """8000 masses of EvtGen 2.2.0, tau- -> rho- nu_tau TAUVECTORNU."""
    text = TAU_TO_RHO.replace("PHSP", "TAUVECTORNU")
    events = make_events(tmp_path, text, N, root="tau-", mass=TAU)
    found = mass_of(events.p4[rows_of(events, -213)])
    with np.load(REFERENCE) as file:
        assert stats.ks_2samp(found, file["rho_from_tau"]).pvalue > P_MIN


@pytest.mark.parametrize(
    ("statements", "density", "low", "high"),
    [
        ("LSNONRELBW rho-", nonrelativistic, RHO_LOW, TAU),
        ("LSFLAT rho-", np.ones_like, RHO - 0.1491, RHO + 0.1491),
        ("ChangeMassMin rho- 0.6\nChangeMassMax rho- 0.9", from_tau, 0.6, 0.9),
        ("LSFLAT rho-\nChangeMassMin rho- 0.7", np.ones_like, 0.7, RHO + 0.1491),
        ("BlattWeisskopf rho- 1.0", lambda m: from_tau(m, radius=1.0), RHO_LOW, TAU),
        ("IncludeDecayFactor rho- no", lambda m: from_tau(m, decay=False), RHO_LOW, TAU),
        ("IncludeBirthFactor rho- no", lambda m: shape(m, "rho-", PIONS, 1), RHO_LOW, TAU),
        (
            "SetLineshapePW rho- pi- pi0 2",
            lambda m: shape(m, "rho-", PIONS, 2, (TAU, 0.0, 0)),
            RHO_LOW,
            TAU,
        ),
    ],
)
def test_lineshape_statements_of_the_decay_file(tmp_path, statements, density, low, high):
    events = make_events(tmp_path, f"{statements}\n{TAU_TO_RHO}", N, root="tau-", mass=TAU)
    found = mass_of(events.p4[rows_of(events, -213)])
    assert low * (1 - 1e-9) <= found.min() < found.max() <= high * (1 + 1e-9)
    peak = min(data("rho-").mass, high)
    assert_follows(found, cdf_of(density, max(low, PION + PI0), high, peak))


def test_many_delta_functions(tmp_path):
    """Masses a width apart, equally likely."""
    events = make_events(
        tmp_path, f"LSMANYDELTAFUNC rho-\n{TAU_TO_RHO}", 3000, root="tau-", mass=TAU
    )
    masses, counts = np.unique(
        np.round(mass_of(events.p4[rows_of(events, -213)]), 9), return_counts=True
    )
    np.testing.assert_allclose(masses, RHO + 0.1491 * np.array([-1, 0, 1]), atol=1e-8)
    assert stats.chisquare(counts).pvalue > P_MIN


def test_momentum_at_birth_follows_the_orbital_angular_momentum(tmp_path):
    """B0 -> D- rho+, a P wave, where the amplitude has no say: SVS."""
    text = """
    Decay B0
    1.0 rho+ D- SVS;
    Enddecay
    Decay rho+
    1.0 pi+ pi0 VSS;
    Enddecay
    """
    m_b = data("B0").mass
    events = make_events(tmp_path, text, N, root="B0", mass=m_b)
    found = mass_of(events.p4[rows_of(events, 213)])
    birth = (m_b, data("D-").mass, 1)

    def density(m):
        return shape(m, "rho+", PIONS, 1, birth)

    high = min(m_b - data("D-").mass, RHO + 15 * 0.1491)
    assert_follows(found, cdf_of(density, RHO_LOW, high, 0.775))


def test_resonances_in_resonances_are_drawn_from_the_bottom_up(tmp_path):
    """a_1+ -> rho0 pi+ from a heavy parent: the rho first, then the a_1 given the rho."""
    text = """
    Decay B0
    1.0 a_1+ pi- pi0 PHSP;
    Enddecay
    Decay a_1+
    1.0 rho0 pi+ VVS_PWAVE 1 0 0 0 0 0;
    Enddecay
    Decay rho0
    1.0 pi+ pi- VSS;
    Enddecay
    """
    events = make_events(tmp_path, text, N // 10, root="B0", mass=data("B0").mass)
    a_1 = mass_of(events.p4[rows_of(events, 20213)])
    rho = mass_of(events.p4[rows_of(events, 113)])
    below = 0.77526 - 0.48
    pole = data("a_1+").mass

    def density(m):
        return shape(m, "rho0", (PION, PION), 1, (pole, PION, 0))

    # a heavier rho leaves the a_1 no mass as often as not, and both are drawn again
    light = rho + PION < pole
    assert_follows(rho[light], cdf_of(density, below, pole - PION, 0.775))
    a_1, rho = a_1[light], rho[light]
    low = np.maximum(pole - 0.6, rho + PION)
    high = np.full_like(rho, data("B0").mass - PION - PI0)
    nodes, weights = np.polynomial.legendre.leggauss(400)

    def integral(upper):
        middle, half = (upper + low) / 2, (upper - low) / 2
        m = middle[:, None] + half[:, None] * nodes
        p, p_0 = momentum(m, rho[:, None], PION), momentum(pole, rho, PION)[:, None]
        width = data("a_1+").width * pole / m * p / p_0
        found = p / p_0 / ((pole**2 - m * m) ** 2 + (pole * width) ** 2)
        return half * (np.minimum(found, 1.2 / (pole * data("a_1+").width) ** 2) @ weights)

    uniform = integral(a_1) / integral(high)
    assert stats.kstest(uniform, "uniform").pvalue > P_MIN


def test_a_density_is_cut_off_at_that_of_the_pole_times_a_factor_as_in_evtgen(tmp_path):
    """K_1+ -> rho0 K+: the pole of the rho is 3 MeV below the end, its density higher elsewhere."""
    text = """
    Decay B0
    1.0 K_1+ pi- pi0 PHSP;
    Enddecay
    Decay K_1+
    1.0 rho0 K+ VVS_PWAVE 1 0 0 0 0 0;
    Enddecay
    Decay rho0
    1.0 pi+ pi- VSS;
    Enddecay
    """
    events = make_events(tmp_path, text, N // 10, root="B0", mass=data("B0").mass)
    rho = mass_of(events.p4[rows_of(events, 113)])
    pole, kaon = data("K_1+").mass, data("K+").mass

    def density(m):
        found = shape(m, "rho0", (PION, PION), 1, (pole, kaon, 0))
        return np.minimum(found, 1.2 * shape(RHO, "rho0", (PION, PION), 1, (pole, kaon, 0)))

    end = pole - kaon  # a heavier rho leaves the K_1 no room as often as not
    light = rho[rho < end]
    assert_follows(light, cdf_of(density, RHO_LOW, end, RHO))

    def uncut(m):
        return shape(m, "rho0", (PION, PION), 1, (pole, kaon, 0))

    assert stats.kstest(light, cdf_of(uncut, RHO_LOW, end, RHO)).pvalue < 1e-9


def test_two_broad_daughters_share_what_there_is(tmp_path):
    """D0 -> rho+ K*-: product of two lineshapes inside m_1 + m_2 < m_D."""
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
    low_1, low_2 = RHO_LOW, kstar.mass - 0.23
    a = np.linspace(low_1, m_d - low_2, 3001)
    b = np.linspace(low_2, m_d - low_1, 3001)
    joint = np.outer(
        shape(a, "rho+", PIONS, 1, (m_d, kstar.mass, 0)),
        shape(b, "K*-", (data("K-").mass, PI0), 1, (m_d, rho.mass, 0)),
    ) * (a[:, None] + b[None, :] < m_d)
    for values, grid, axis in ((m_1, a, 1), (m_2, b, 0)):
        cdf = integrate.cumulative_trapezoid(joint.sum(axis=axis), grid, initial=0)
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


# Masses of this comb are 0.5, 1.5 and 2.5 GeV; K+ K- need 0.99 GeV, and beside an eta 1.32 is left.
COMB = """
Particle f_0 1.5 1.0
LSMANYDELTAFUNC f_0
Decay f_0
1.0 K+ K- PHSP;
Enddecay
"""
D_ZERO = {"root": "D0", "mass": particle_table().by_name("D0").mass}


def test_a_decay_whose_masses_never_fit_is_named(tmp_path):
    generator = make_generator(tmp_path, COMB + "Decay D0\n1.0 f_0 eta PHSP;\nEnddecay\n", **D_ZERO)
    with pytest.raises(RunError, match=r"^D0 -> f_0 eta PHSP: no masses of its daughters"):
        generator.generate(np.arange(10), 1)


def test_a_decay_with_an_amplitude_whose_masses_never_fit_is_named_at_the_start(tmp_path):
    comb = COMB.replace("f_0", "rho0").replace("K+ K- PHSP", "K+ K- VSS")
    text = comb + "Decay D0\n1.0 rho0 eta SVS;\nEnddecay\n"
    with pytest.raises(DecayFileError, match=r":\d+: D0 -> rho0 eta SVS: no masses") as caught:
        make_generator(tmp_path, text, **D_ZERO)
    assert "1.0 rho0 eta SVS;" in str(caught.value)
