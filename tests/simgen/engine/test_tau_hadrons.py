"""Tau decays to pions: spectra against an integration of their own, and the tau's spin."""

from __future__ import annotations

import numpy as np
import pytest
from chains import P_MIN, child_rows, make_events, make_generator, mass_of
from scipy import stats

from simgen.errors import DecayFileError

N = 60_000
M_TAU = 1.77693
M_PI, M_PI0 = 0.13957039, 0.1349768
BETA, RHO, RHO_PRIME, A_1 = -0.108, (0.775, 0.149), (1.364, 0.400), (1.23, 0.4)
TWO = f"{BETA} {RHO[0]} {RHO[1]} {RHO_PRIME[0]} {RHO_PRIME[1]}"
THREE = f"{TWO} {A_1[0]} {A_1[1]}"


def events_of(folder, daughters, parameters, n=N):
    text = f"Decay tau-\n1.0 {daughters} TAUHADNU {parameters};\nEnddecay\n"
    generator = make_generator(
        folder, text, root="tau-", mass=M_TAU, keep_stable=("pi0", "pi+", "pi-")
    )
    events = generator.generate(np.arange(n), 1)
    assert generator.problems() == ()
    first = events.offsets[:-1]
    return [events.p4[first + 1 + k] for k in range(daughters.count("pi"))]


def breit_wigner(s, resonance, masses):
    """Return m^2 / (m^2 - s - i sqrt(s) Gamma(s)) with the width of a P wave."""
    m, width = resonance

    def momentum(square):
        kallen = (square - sum(masses) ** 2) * (square - (masses[0] - masses[1]) ** 2)
        return np.sqrt(np.maximum(kallen, 0.0)) / (2 * np.sqrt(square))

    running = width * m**2 / s * (momentum(s) / momentum(m**2)) ** 3
    return m**2 / (m**2 - s - 1j * np.sqrt(s) * running)


def form_factor(s, masses):
    """Return the pion form factor."""
    rho, prime = breit_wigner(s, RHO, masses), breit_wigner(s, RHO_PRIME, masses)
    return (rho + BETA * prime) / (1 + BETA)


def leptonic(q2):
    """Return the rate of a spin-1 current of mass^2 q2 and a neutrino, over |J|^2 / q2."""
    return (1 - q2 / M_TAU**2) ** 2 * (1 + 2 * q2 / M_TAU**2)


def test_two_pions_have_the_mass_of_the_rho(tmp_path):
    """dGamma/ds = (1 - s/m^2)^2 (1 + 2 s/m^2) (2 p / sqrt(s))^3 |F|^2, and sin^2 for the pions."""
    pions = events_of(tmp_path, "pi- pi0 nu_tau", TWO)
    found = mass_of(pions[0] + pions[1]) ** 2
    s = np.linspace((M_PI + M_PI0) ** 2, M_TAU**2, 200_001)
    kallen = (s - (M_PI + M_PI0) ** 2) * (s - (M_PI - M_PI0) ** 2)
    density = leptonic(s) * kallen**1.5 / s**3
    density *= abs(form_factor(s, (M_PI, M_PI0))) ** 2
    cumulative = np.cumsum(density)
    cdf = np.interp(found, s, cumulative / cumulative[-1])
    assert stats.kstest(cdf, "uniform").pvalue > P_MIN


def three_pion_space(q2, pion):
    """Return g(Q^2) of Kuehn and Santamaria."""
    x = q2 - 9 * pion**2
    near = 4.1 * x**3 * (1 - 3.3 * x + 5.8 * x**2)
    far = q2 * (1.623 + 10.38 / q2 - 9.32 / q2**2 + 0.65 / q2**3)
    return np.where(q2 < (RHO[0] + pion) ** 2, near, far)


def spectra(same, odd):
    """Return (Q^2, s_13, weights): the density integrated over the Dalitz plot by points."""
    rng = np.random.default_rng(8)
    n = 600_000
    q2 = rng.uniform((2 * same + odd) ** 2, M_TAU**2, n)
    mass = np.sqrt(q2)
    s_13 = rng.uniform((same + odd) ** 2, (mass - same) ** 2)
    # the angle of pion 1 in the frame of the pair; uniform in it with weight p q
    cosine = rng.uniform(-1, 1, n)
    pair = np.sqrt(s_13)
    p = np.sqrt((s_13 - (same + odd) ** 2) * (s_13 - (same - odd) ** 2)) / (2 * pair)
    q = np.sqrt((q2 - (pair + same) ** 2) * (q2 - (pair - same) ** 2)) / (2 * mass)
    energy = np.hypot(q, pair)
    # in the rest frame of the three, pair along z
    along = p * cosine
    across = p * np.sqrt(1 - cosine**2)
    e_1, e_3 = np.hypot(p, same), np.hypot(p, odd)
    z_1 = (energy * along + q * e_1) / pair
    z_3 = (-energy * along + q * e_3) / pair
    # 3-vectors (x, z) of pions 1, 2, 3
    one, two, three = (across, z_1), (0.0, -q), (-across, z_3)
    s_23 = q2 + 2 * same**2 + odd**2 - s_13
    s_12 = 2 * same**2 + 2 * (np.hypot(np.hypot(across, z_1), same) * np.hypot(q, same) + z_1 * q)
    s_23 -= s_12
    masses = (same, odd)
    f_13, f_23 = form_factor(s_13, masses), form_factor(s_23, masses)
    current = [(a - c) * f_13 + (b - c) * f_23 for a, b, c in zip(one, two, three, strict=True)]
    width = A_1[1] * three_pion_space(q2, same) / three_pion_space(np.float64(A_1[0] ** 2), same)
    a_1 = 1 / abs(A_1[0] ** 2 - q2 - 1j * A_1[0] * width) ** 2
    weight = leptonic(q2) / q2 * a_1 * sum(abs(j) ** 2 for j in current)
    # phase space: dQ^2 ds_13 p q / (sqrt(s_13) Q) dcos, and the ranges that were drawn
    weight *= p * q / (pair * mass) * ((mass - same) ** 2 - (same + odd) ** 2)
    return q2, s_13, weight


@pytest.mark.parametrize(
    ("daughters", "same", "odd", "order"),
    [("pi- pi- pi+ nu_tau", M_PI, M_PI, (0, 1, 2)), ("pi- pi0 pi0 nu_tau", M_PI0, M_PI, (1, 2, 0))],
)
def test_three_pions_have_the_masses_of_a_1_and_rho(tmp_path, daughters, same, odd, order):
    made = events_of(tmp_path, daughters, THREE)
    pions = [made[k] for k in order]
    q2, s_13, weight = spectra(same, odd)
    for found, drawn in (
        (mass_of(pions[0] + pions[1] + pions[2]) ** 2, q2),
        (mass_of(pions[0] + pions[2]) ** 2, s_13),
        (mass_of(pions[1] + pions[2]) ** 2, s_13),
    ):
        edges = np.quantile(found, np.linspace(0, 1, 41))
        edges[0], edges[-1] = 0.0, 4.0
        expected, _ = np.histogram(drawn, edges, weights=weight)
        variance, _ = np.histogram(drawn, edges, weights=weight**2)
        counts, _ = np.histogram(found, edges)
        scale = N / expected.sum()
        chi2 = np.sum((counts - scale * expected) ** 2 / (counts + scale**2 * variance))
        assert stats.chi2.sf(chi2, 39) > P_MIN


@pytest.mark.parametrize("conjugate", [False, True])
@pytest.mark.parametrize(
    ("decay", "scalar"),
    [
        ("pi- nu_tau TAUSCALARNU", True),
        ("pi- nu_tau TAUHADNU", True),
        (f"pi- pi0 nu_tau TAUHADNU {TWO}", False),
        (f"pi- pi- pi+ nu_tau TAUHADNU {THREE}", False),
    ],
)
def test_taus_of_a_scalar_analyse_each_other(tmp_path, decay, scalar, conjugate):
    """B+ -> tau+ nu: a tau+ of helicity -1/2 whose mesons go as 1 + alpha cos(theta).

    A tau- has h = +1/2 with an antineutrino. alpha = (m^2 - 2 Q^2) / (m^2 + 2 Q^2) for a vector of
    mass Q; its sign against the tau's spin is + for tau- and - for tau+.
    """
    text = "Decay B-\n1.0 tau- anti-nu_tau SLN;\nEnddecay\nCDecay B+\n"
    text += f"Decay tau-\n1.0 {decay};\nEnddecay\nCDecay tau+\n"
    events = make_events(
        tmp_path, text, N, root="B+" if conjugate else "B-", mass=5.27934,
        keep_stable=("pi0", "pi+", "pi-"),
    )  # fmt: skip
    tau = events.offsets[:-1] + 1
    first = child_rows(events, tau)
    n = decay.count("pi")
    hadrons = sum(events.p4[first + k] for k in range(n))
    q2 = mass_of(hadrons) ** 2
    p = events.p4[tau]
    energy = np.sum(hadrons * p * [-1, -1, -1, 1], axis=1) / M_TAU
    momentum = np.sqrt(energy**2 - q2)
    gamma, flight = p[:, 3] / M_TAU, np.linalg.norm(p[:, :3], axis=1) / M_TAU
    cosine = (hadrons[:, 3] - gamma * energy) / (flight * momentum)
    slope = np.ones(N) if scalar else (M_TAU**2 - 2 * q2) / (M_TAU**2 + 2 * q2)
    # the distribution function of each event's own density is uniform
    cdf = (1 + cosine) / 2 + slope * (cosine**2 - 1) / 4
    assert stats.kstest(cdf, "uniform").pvalue > P_MIN


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (f"pi- pi0 nu_tau TAUHADNU {THREE}", "takes 5 parameters here"),
        (f"K- pi0 nu_tau TAUHADNU {TWO}", "takes pions only, found K-"),
        (f"pi- pi- pi- nu_tau TAUHADNU {THREE}", "two equal pions and another"),
        ("nu_tau pi- TAUHADNU", "then a neutrino"),
    ],
)
def test_what_is_refused(tmp_path, line, message):
    text = f"Decay tau-\n1.0 {line};\nEnddecay\n"
    with pytest.raises(DecayFileError, match=message):
        make_generator(tmp_path, text, root="tau-", mass=M_TAU)
