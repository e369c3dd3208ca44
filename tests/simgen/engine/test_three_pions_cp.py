"""BTO3PI_CP: rates over Dalitz plot and decay time against integrals; fixed seeds."""

from __future__ import annotations

import ctypes

import numpy as np
import pytest
from chains import P_MIN, child_rows, make_events, make_generator, mass_of, rows_of
from scipy import stats

from simgen.errors import DecayFileError
from simgen.models import compile_amplitude, find_model
from simgen.particles import particle_table

N = 120_000
DM, ALPHA = 0.507e12, 1.365
M_B, M_PI, M_PI0 = 5.27963, 0.13957018, 0.1349766
TABLE = particle_table()
CTAU = TABLE.by_name("B0").ctau
X = DM * CTAU / 2.99792458e11
BEFORE = f"Particle B0 {M_B} 0\nParticle pi+ {M_PI} 0\nParticle pi0 {M_PI0} 0\n"
PAIR = """
Alias B0sig B0
Alias anti-B0sig anti-B0
ChargeConj B0sig anti-B0sig
Decay Upsilon(4S)
1.0 B0sig anti-B0sig B0 anti-B0 VSS_BMIX {dm};
Enddecay
Decay B0sig
1.0 pi- pi+ pi0 BTO3PI_CP {dm} {alpha};
Enddecay
CDecay anti-B0sig
Decay B0
1.0 D- mu+ nu_mu PHSP;
Enddecay
CDecay anti-B0
"""
SINGLE = "Decay {name}\n1.0 pi0 pi+ pi- BTO3PI_CP {dm} {alpha};\nEnddecay\n"


def shape(s):
    """Three rho mesons with running widths, Kuehn and Santamaria, with ALEPH's values."""
    low, total = 4 * 0.13956995**2, 0
    for c, m, width in ((1, 0.7734, 0.1477), (-0.229, 1.465, 0.696), (0.075, 1.76, 0.215)):
        running = width * m**2 / s * (np.maximum(s - low, 0) / (m**2 - low)) ** 1.5
        total = total + c * m**2 / (m**2 - s - 1j * np.sqrt(s) * running)
    return total


def cosine(s, s_ac, m_a, m_b, m_c):
    """Return the cosine between a and c in the rest frame of a and b."""
    root = np.sqrt(s)
    e_a, e_c = (s + m_a**2 - m_b**2) / (2 * root), (M_B**2 - s - m_c**2) / (2 * root)
    p_a, p_c = (np.sqrt(np.maximum(e**2 - m**2, 1e-300)) for e, m in ((e_a, m_a), (e_c, m_c)))
    return (m_a**2 + m_c**2 + 2 * e_a * e_c - s_ac) / (2 * p_a * p_c)


def amplitudes(s_plus, s_minus, alpha):
    """Return A and Abar; T of charges, and penguins by isospin of rho pi: 0 and 1."""
    s_zero = M_B**2 + 2 * M_PI**2 + M_PI0**2 - s_plus - s_minus
    plus = shape(s_plus) * cosine(s_plus, s_zero, M_PI, M_PI0, M_PI)
    minus = shape(s_minus) * cosine(s_minus, s_plus, M_PI0, M_PI, M_PI)
    zero = shape(s_zero) * cosine(s_zero, s_plus, M_PI, M_PI, M_PI0)
    p_1 = 0.5 * (-0.2 * np.exp(-0.5j) - 0.15 * np.exp(2j))
    p_0 = 0.5 * (-0.2 * np.exp(-0.5j) + 0.15 * np.exp(2j))
    color = 0.5 * (1.09 + 0.66 - 1.0 - 0.47)
    found = []
    for one, other, weak in ((plus, minus, np.exp(-1j * alpha)), (minus, plus, np.exp(1j * alpha))):
        tree = weak * (1.0 * one + 0.47 * other + color * zero)
        found.append(tree + p_1 * (one - other) + p_0 * (one + other - zero))
    return found


def plot(n=900, panel=3):
    """Return s_+, s_- and weights over the plot, along the mass of pi+ pi- and its angle."""
    x, w = np.polynomial.legendre.leggauss(panel)
    u = ((np.arange(n // panel)[:, None] + 0.5 * (1 + x)) * panel / n).ravel()
    w = np.tile(0.5 * w * panel / n, n // panel)
    low, high = 4 * M_PI**2, (M_B - M_PI0) ** 2
    s, c = (low + (high - low) * u)[:, None], 2 * u - 1
    root = np.sqrt(s)
    e_a, e_c = root / 2, (M_B**2 - s - M_PI0**2) / (2 * root)
    p = np.sqrt(e_a**2 - M_PI**2) * np.sqrt(e_c**2 - M_PI0**2)
    s_plus = M_PI**2 + M_PI0**2 + 2 * (e_a * e_c - p * c)
    s_minus = M_PI**2 + M_PI0**2 + 2 * (e_a * e_c + p * c)
    return s_plus, s_minus, p * w[:, None] * w


def regions(s_plus, s_minus):
    """Number the bands of the rho mesons, the corners where two cross, and the rest."""
    s_zero = M_B**2 + 2 * M_PI**2 + M_PI0**2 - s_plus - s_minus
    inside = [s < 1.0 for s in (s_plus, s_minus, s_zero)]
    return inside[0] + 2 * inside[1] + 4 * inside[2]


@pytest.fixture(scope="module")
def rates():
    s_plus, s_minus, weight = plot()
    a, b = amplitudes(s_plus, s_minus, ALPHA)
    return s_plus, s_minus, weight, a, b


@pytest.fixture(scope="module")
def tagged(tmp_path_factory):
    """Return s_+, s_-, the time difference, and whether the other B is an anti-B0."""
    text = BEFORE + PAIR.format(dm=DM, alpha=ALPHA)
    generator = make_generator(tmp_path_factory.mktemp("tagged"), text)
    events = generator.generate(np.arange(N), 1)
    assert generator.problems() == ()  # no point above its bound
    first = events.offsets[:-1] + 1
    rows = np.stack([first, first + 1])
    flight = events.production[child_rows(events, rows.ravel())].reshape(2, -1, 4)
    since = (flight - events.production[rows])[..., 3]
    time = since * mass_of(events.p4[rows]) / events.p4[rows, 3] / CTAU
    return *masses(events, first), time[0] - time[1], events.pdgid[first + 1] < 0


def masses(events, parents):
    """Return s_+ and s_- of the pions of some particles."""
    daughters = np.stack([child_rows(events, parents, k) for k in range(3)])
    ids, p = events.pdgid[daughters], events.p4[daughters]
    zero = np.sum(p * (ids == 111)[..., None], axis=0)
    return tuple(
        mass_of(zero + np.sum(p * (ids == code)[..., None], axis=0)) ** 2 for code in (211, -211)
    )


def coefficients(rates, chosen):
    """Return the integrals of sum, difference and interference: 1, cos and sin of dm dt."""
    _, _, weight, a, b = rates
    parts = abs(a) ** 2 + abs(b) ** 2, abs(a) ** 2 - abs(b) ** 2, -2 * (np.conj(a) * b).imag
    return [np.sum(part[chosen] * weight[chosen]) for part in parts]


def test_bands_their_crossings_and_tags(tagged, rates):
    """Counts in each region for either tag, integrated over time: the cosine leaves 1/(1 + x^2)."""
    s_plus, s_minus, _, tag = tagged
    seen, where = regions(s_plus, s_minus), regions(*rates[:2])
    expected, counts = [], []
    for region in range(7):
        flat, even, _ = coefficients(rates, where == region)
        for sign in (1, -1):
            expected.append(flat + sign * even / (1 + X**2))
            counts.append(np.sum((seen == region) & (tag == (sign > 0))))
    expected = np.array(expected)
    keep = expected > 1e-4 * expected.sum()
    assert keep.sum() >= 12  # the corners, too
    chi2 = stats.chisquare(np.array(counts)[keep], N * expected[keep] / expected.sum())
    assert chi2.pvalue > P_MIN


@pytest.mark.parametrize("region", [0, 1, 2, 3, 4, 5, 6])
def test_time_dependence_in_each_region(tagged, rates, region):
    """exp(-|t|) (1 + C cos(x t) + S sin(x t)), both of the other sign for the other tag."""
    s_plus, s_minus, dt, tag = tagged
    flat, even, odd = coefficients(rates, regions(*rates[:2]) == region)
    inside = regions(s_plus, s_minus) == region
    grid = np.linspace(-25, 25, 100_001)
    for sign, chosen in ((1, inside & tag), (-1, inside & ~tag)):
        wave = even * np.cos(X * grid) + odd * np.sin(X * grid)
        below = np.cumsum(np.exp(-abs(grid)) * (flat + sign * wave))
        times = dt[chosen]
        assert len(times) > 150
        assert stats.kstest(times, lambda t, b=below: np.interp(t, grid, b / b[-1])).pvalue > P_MIN


def test_the_sine_over_the_dalitz_plot(tagged, rates):
    """Mean of q sin(x dt) in bins of s_+, of which the density is |A|^2 + |Abar|^2."""
    s_plus, _, dt, tag = tagged
    q = np.where(tag, 1, -1) * np.sin(X * dt)
    edges = np.array([0.1, 0.5, 0.6, 0.7, 1.0, 3.0, 24.0, 25.5, 26.0, 28.0])
    where, seen = np.digitize(rates[0], edges), np.digitize(s_plus, edges)
    pulls = []
    for k in range(1, len(edges)):
        flat, _, odd = coefficients(rates, where == k)
        expected = odd / flat * 0.5 * (1 - 1 / (1 + 4 * X**2))
        values = q[seen == k]
        pulls.append((values.mean() - expected) / (values.std() / np.sqrt(len(values))))
    assert stats.chi2(len(pulls)).sf(np.sum(np.square(pulls))) > P_MIN


def test_pairs_that_are_not_tagged_have_both_rates(tagged, rates):
    """Without tag and time the plot is that of |A|^2 + |Abar|^2."""
    _, _, weight, a, b = rates
    density = ((abs(a) ** 2 + abs(b) ** 2) * weight).ravel()
    for seen, grid in zip(tagged[:2], rates[:2], strict=True):
        order = np.argsort(grid.ravel())
        below = np.cumsum(density[order]) / density.sum()
        at = grid.ravel()[order]
        assert stats.kstest(seen, lambda v, x=at, y=below: np.interp(v, x, y)).pvalue > P_MIN


@pytest.mark.parametrize(("name", "which"), [("B0", 3), ("anti-B0", 4)])
def test_without_mixing_each_flavour_has_its_own_rate(tmp_path, rates, name, which):
    """dm = 0, and a B that is not one of a pair: |A|^2 or |Abar|^2, the same for all times."""
    text = BEFORE + SINGLE.format(name=name, dm=0.0, alpha=ALPHA)
    events = make_events(tmp_path, text, N // 2, mass=M_B, root=name)
    s_plus, s_minus = masses(events, rows_of(events, 511, -511))
    density = abs(rates[which]) ** 2 * rates[2]
    where, seen = regions(*rates[:2]), regions(s_plus, s_minus)
    expected = np.array([density[where == k].sum() for k in range(7)])
    counts = np.bincount(seen, minlength=7)[:7]
    assert stats.chisquare(counts, len(seen) * expected / expected.sum()).pvalue > P_MIN
    order = np.argsort(rates[0].ravel())
    at, below = rates[0].ravel()[order], np.cumsum(density.ravel()[order]) / density.sum()
    assert stats.kstest(s_plus, lambda v: np.interp(v, at, below)).pvalue > P_MIN


def test_a_single_b0_oscillates_before_it_decays(tmp_path, rates):
    """1 + C cos + S sin with its own decay time; the plot integrated over."""
    text = BEFORE + "Decay Upsilon(4S)\n1.0 B0 B- pi+ PHSP;\nEnddecay\n" + SINGLE.format(
        name="B0", dm=DM, alpha=ALPHA
    )  # fmt: skip
    events = make_events(tmp_path, text, N // 2, mass=10.9)
    mesons = rows_of(events, 511)
    since = (events.production[child_rows(events, mesons)] - events.production[mesons])[:, 3]
    time = since * mass_of(events.p4[mesons]) / events.p4[mesons, 3] / CTAU
    flat, even, odd = coefficients(rates, np.full(rates[0].shape, True))
    grid = np.linspace(0, 30, 100_001)
    wave = even * np.cos(X * grid) + odd * np.sin(X * grid)
    below = np.cumsum(np.exp(-grid) * (flat + wave))
    assert stats.kstest(time, lambda t: np.interp(t, grid, below / below[-1])).pvalue > P_MIN


def test_amplitude_in_any_order_of_daughters():
    """Values at one point, for B0 and anti-B0; CP turns one into the other with -alpha."""
    call = ctypes.CFUNCTYPE(None, *[ctypes.c_void_p] * 4)(
        compile_amplitude(find_model("BTO3PI_CP").amplitude).address
    )
    s_plus, s_minus = 2.3, 17.0
    s_zero = M_B**2 + 2 * M_PI**2 + M_PI0**2 - s_plus - s_minus
    e = [(M_B**2 + m**2 - s) / (2 * M_B)
         for m, s in ((M_PI, s_minus), (M_PI, s_plus), (M_PI0, s_zero))]  # fmt: skip
    k = [np.sqrt(x**2 - m**2) for x, m in zip(e, (M_PI, M_PI, M_PI0), strict=True)]
    c = (k[2] ** 2 - k[0] ** 2 - k[1] ** 2) / (2 * k[0] * k[1])
    plus, minus = (
        np.array([k[0], 0, 0, e[0]]),
        np.array([k[1] * c, k[1] * np.sqrt(1 - c * c), 0, e[1]]),
    )
    zero = np.array([0, 0, 0, M_B]) - plus - minus
    pions = {211: plus, -211: minus, 111: zero}
    expected = amplitudes(np.array(s_plus), np.array(s_minus), ALPHA)
    mirrored = amplitudes(np.array(s_minus), np.array(s_plus), -ALPHA)
    np.testing.assert_allclose([-expected[1], -expected[0]], mirrored, rtol=1e-12)
    for ids in ((211, -211, 111), (111, 211, -211), (-211, 111, 211)):
        values = np.array(find_model("BTO3PI_CP").prepare((DM, ALPHA), TABLE.by_name("B0"), ()))
        for flavour, wanted in (([1, 0, 0, 0], expected[0]), ([0, 0, 1, 0], expected[1])):
            p = np.array([[0, 0, 0, M_B], *(pions[i] for i in ids), flavour], dtype=float)
            out, codes = np.zeros(1, complex), np.array([511, *ids])
            call(*(a.ctypes.data for a in (values, codes, p, out)))
            assert out[0] == pytest.approx(complex(wanted), rel=1e-9)


def test_penguins_of_isospin_zero_are_antisymmetric():
    """Rho pi with isospin 0 is odd when any two pions change places (equal masses)."""

    def f(s, t, u):  # cosine of a and c between the limits of s_ac, given s_ab = s; s_ac = t
        m2 = M_PI**2
        p = np.sqrt((s / 4 - m2) * (((M_B**2 - s - m2) ** 2 / (4 * s)) - m2))
        return shape(s) * (u - t) / (4 * p)

    # as in the model: f_+ = F(+0; -), f_- = F(0-; +), f_0 = F(+-; 0)
    def isospin_zero(plus_zero, minus_zero, plus_minus):
        first = f(plus_zero, plus_minus, minus_zero)
        second = f(minus_zero, plus_zero, plus_minus)
        return first + second - f(plus_minus, plus_zero, minus_zero)

    s, t = np.array(3.0), np.array(8.0)
    u = M_B**2 + 3 * M_PI**2 - s - t
    value = isospin_zero(s, t, u)
    assert abs(value) > 1e-3
    for other in (isospin_zero(t, s, u), isospin_zero(u, t, s), isospin_zero(s, u, t)):
        assert other == pytest.approx(-value, rel=1e-12)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("pi+ pi- pi0 BTO3PI_CP 0.5e12", "takes 2 parameters \\(dm, alpha\\), found 1"),
        ("pi+ pi- pi0 BTO3PI_CP dm 1.3", "a number for dm, found 'dm'"),
        ("pi+ pi- pi0 BTO3PI_CP -1.0 1.3", "needs dm >= 0"),
        ("pi+ pi0 pi0 BTO3PI_CP 0.5e12 1.3", "makes pi\\+ pi- pi0, in any order"),
        ("pi+ pi- rho0 BTO3PI_CP 0.5e12 1.3", "needs daughters of spin"),
    ],
)
def test_what_is_wrong_is_said(tmp_path, line, message):
    with pytest.raises(DecayFileError, match=message) as found:
        make_events(tmp_path, f"Decay B0\n1.0 {line};\nEnddecay\n", 1, mass=M_B, root="B0")
    assert "chain.dec:2:" in str(found.value)


def test_mesons_that_do_not_oscillate_are_refused(tmp_path):
    text = "Decay B+\n1.0 pi+ pi- pi0 BTO3PI_CP 0.5e12 1.3;\nEnddecay\n"
    with pytest.raises(DecayFileError, match="decays a neutral meson that oscillates"):
        make_events(tmp_path, text, 1, mass=M_B, root="B+")
