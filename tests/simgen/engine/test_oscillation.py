"""B mixing and CP asymmetries of coherent pairs, against the analytic time dependence."""

from __future__ import annotations

import numpy as np
import pytest
from chains import P_MIN, child_rows, make_events, make_generator, mass_of, rows_of
from scipy import stats

from simgen.errors import DecayFileError
from simgen.particles import particle_table

N = 60_000
N_MIXING = 200_000
DM = 0.507e12
LIGHT = 2.99792458e11  # mm/s
CTAU = particle_table().by_name("B0").ctau
X = DM * CTAU / LIGHT
B_TO_D = """
Decay B0
1.0 D- mu+ nu_mu PHSP;
Enddecay
CDecay anti-B0
"""
MIXED = f"Decay Upsilon(4S)\n1.0 B0 anti-B0 VSS_BMIX {DM};\nEnddecay\n" + B_TO_D
BETA = 0.39
CP_DECAY = "Decay {}\n1.0 J/psi K_S0 SSD_CP {} 0.0 1.0 {} 1.0 0.0 {} 0.0;\nEnddecay\n"


def pairs(events):
    """Return PDG numbers of the two mesons and their proper decay times in units of c tau."""
    first = events.offsets[:-1] + 1
    rows = np.stack([first, first + 1])
    mass = mass_of(events.p4[rows])
    flight = events.production[child_rows(events, rows.ravel())].reshape(2, -1, 4)
    time = (flight - events.production[rows])[..., 3] * mass / events.p4[rows, 3]
    return events.pdgid[rows], time / CTAU


def follows(values, cdf):
    """Test a distribution."""
    assert stats.kstest(values, cdf).pvalue > P_MIN


def integral(values, density):
    """Return a distribution function on values from a density known up to a factor."""
    grid = np.linspace(-20.0, 20.0, 400_001)
    cumulative = np.cumsum(density(grid))
    return np.interp(values, grid, cumulative / cumulative[-1])


@pytest.fixture(scope="module")
def mixed_events(tmp_path_factory):
    return make_events(tmp_path_factory.mktemp("mixing"), MIXED, N_MIXING)


def test_time_integrated_mixing_is_chi_d(mixed_events):
    flavours, _ = pairs(mixed_events)
    chi = X**2 / (2 * (1 + X**2))
    same = flavours[0] == flavours[1]
    assert stats.binomtest(int(same.sum()), N_MIXING, chi).pvalue > P_MIN
    assert stats.binomtest(int((flavours[0][same] > 0).sum()), int(same.sum())).pvalue > P_MIN
    assert stats.binomtest(int((flavours[0][~same] > 0).sum()), int((~same).sum())).pvalue > P_MIN


def test_mixed_and_unmixed_pairs_oscillate_with_the_time_difference(mixed_events):
    flavours, times = pairs(mixed_events)
    dt = times[0] - times[1]
    same = flavours[0] == flavours[1]
    for chosen, sign in ((same, -1), (~same, 1)):
        follows(
            dt[chosen],
            lambda t, s=sign: integral(t, lambda u: np.exp(-abs(u)) * (1 + s * np.cos(X * u))),
        )
    # the sum of the times knows nothing of mixing beyond the difference: both are exponential
    for time in times:
        follows(time, "expon")


def test_daughters_are_those_of_the_flavour_at_decay(mixed_events):
    mesons = rows_of(mixed_events, 511, -511)
    charm = mixed_events.pdgid[child_rows(mixed_events, mesons)]
    np.testing.assert_array_equal(charm, np.where(mixed_events.pdgid[mesons] > 0, -411, 411))


def test_mixing_leaves_the_angle_about_the_beams(mixed_events):
    p = mixed_events.p4[mixed_events.offsets[:-1] + 1]
    cosine = p[:, 2] / np.linalg.norm(p[:, :3], axis=1)
    follows(cosine, lambda c: (2 + 3 * c - c**3) / 4)


def test_width_difference_and_indirect_cp_violation(tmp_path):
    """q/p of size 0.7 and y = 0.2: rates of B0 B0 and anti-B0 anti-B0 go as |p/q|^2 and |q/p|^2."""
    y, size = 0.2, 0.7
    text = MIXED.replace(f"VSS_BMIX {DM}", f"VSS_BMIX {DM} {2 * y} {size} 0.3")
    flavours, times = pairs(make_events(tmp_path, text, N))
    dt = times[0] - times[1]
    even = 2 / (1 - y**2) + 2 / (1 + X**2)
    odd = 2 / (1 - y**2) - 2 / (1 + X**2)
    expected = np.array([odd / size**2, even, even, odd * size**2])
    index = 2 * (flavours[0] < 0) + (flavours[1] < 0)
    counts = np.bincount(index, minlength=4)
    assert stats.chisquare(counts, N * expected / expected.sum()).pvalue > P_MIN
    follows(
        dt[index == 0],
        lambda t: integral(t, lambda u: np.exp(-abs(u)) * (np.cosh(y * u) - np.cos(X * u))),
    )


def cp_text(eigenvalue=-1.0, production="VSS_BMIX 0.507e12"):
    """Return decays of one B to J/psi K_S0, of the other to a flavour-specific state."""
    names = "B0sig anti-B0sig B0 anti-B0" if "MIX" in production else "B0sig anti-B0"
    return (
        "Alias B0sig B0\nAlias anti-B0sig anti-B0\nChargeConj B0sig anti-B0sig\n"
        f"Decay Upsilon(4S)\n1.0 {names} {production};\nEnddecay\n"
        + CP_DECAY.format("B0sig", DM, -2 * BETA, eigenvalue)
        + "CDecay anti-B0sig\n"
        + B_TO_D
    )


@pytest.mark.parametrize("production", [f"VSS_BMIX {DM}", "VSS"])
@pytest.mark.parametrize("eigenvalue", [-1.0, 1.0])
def test_golden_mode_has_the_sine_of_two_beta(tmp_path, production, eigenvalue):
    """Rate of a B0 tag: 1 + eta sin(2 beta) sin(dm dt); K_S0 has eta = -1, so S = + sin(2 beta)."""
    text = cp_text(eigenvalue, production)
    events = make_events(tmp_path, text, N, keep_stable=("K_S0", "J/psi"))
    flavours, times = pairs(events)
    dt = times[0] - times[1]
    s = -eigenvalue * np.sin(2 * BETA)
    tag_b0 = flavours[1] > 0
    assert stats.binomtest(int(tag_b0.sum()), N).pvalue > P_MIN
    for chosen, sign in ((tag_b0, 1), (~tag_b0, -1)):
        follows(
            dt[chosen],
            lambda t, q=sign: integral(t, lambda u: np.exp(-abs(u)) * (1 + q * s * np.sin(X * u))),
        )


def test_direct_cp_violation_and_both_final_states(tmp_path):
    """B -> rho+- pi-+ with four amplitudes: counts of tag and final state, time-integrated."""
    a_f, b_f, a_c, b_c = 1.0, 0.6, 0.4, 0.8
    # both flavours list the same final state, which is f of the four amplitudes
    text = cp_text().replace("CDecay anti-B0sig", "CopyDecay anti-B0sig B0sig")
    text = text.replace(
        CP_DECAY.format("B0sig", DM, -2 * BETA, -1.0),
        f"Decay B0sig\n1.0 rho+ pi- SSD_CP {DM} 0.0 1.0 {-2 * BETA} {a_f} 0.2 {b_f} 1.0 "
        f"{a_c} 0.5 {b_c} 0.1;\nEnddecay\n",
    )
    events = make_events(tmp_path, text, N, keep_stable=("rho+", "rho-"))
    flavours, _ = pairs(events)
    charge = events.pdgid[child_rows(events, events.offsets[:-1] + 1)]
    index = 2 * (flavours[1] > 0) + (charge < 0)
    counts = np.bincount(index, minlength=4)
    cosine = 1 / (1 + X**2)

    def rates(a, b):
        """Return the rates with an anti-B0 and with a B0 tag."""
        return a**2 * (1 + cosine) + b**2 * (1 - cosine), b**2 * (1 + cosine) + a**2 * (1 - cosine)

    (f_0, f_1), (c_0, c_1) = rates(a_f, b_f), rates(a_c, b_c)
    expected = np.array([f_0, c_0, f_1, c_1])
    assert stats.chisquare(counts, N * expected / expected.sum()).pvalue > P_MIN


def test_transversities_have_opposite_cp(tmp_path):
    """B0 -> J/psi K*: the odd amplitude has the opposite sine; the share of each stays."""
    text = cp_text().replace(
        CP_DECAY.format("B0sig", DM, -2 * BETA, -1.0),
        f"Decay B0sig\n1.0 J/psi rho0 SVV_CP {BETA} {DM} 1 0.5 2.5 0.0 0.0 0.8 0.4;\nEnddecay\n",
    )
    events = make_events(tmp_path, text, N, keep_stable=("rho0", "J/psi"))
    flavours, times = pairs(events)
    dt = times[0] - times[1]
    s = np.sin(2 * BETA) * (0.5**2 - 0.8**2) / (0.5**2 + 0.8**2)
    for sign in (1, -1):
        # tag anti-B0 (sign -1): |cos + i e^(-2 i beta) sin|^2 = 1 + sin(2 beta) sin(dm dt)
        follows(
            dt[np.sign(flavours[1]) == sign],
            lambda t, q=sign: integral(t, lambda u: np.exp(-abs(u)) * (1 - q * s * np.sin(X * u))),
        )


def test_two_decays_to_the_same_cp_eigenstate_vanish_at_equal_times(tmp_path):
    text = f"Decay Upsilon(4S)\n1.0 B0 anti-B0 VSS_BMIX {DM};\nEnddecay\n"
    text += CP_DECAY.format("B0", DM, -2 * BETA, -1.0) + "CDecay anti-B0\n"
    _, times = pairs(make_events(tmp_path, text, N, keep_stable=("K_S0", "J/psi")))
    follows(
        times[0] - times[1],
        lambda t: integral(t, lambda u: np.exp(-abs(u)) * (1 - np.cos(X * u))),
    )


def test_a_lone_meson_keeps_its_flavour_at_production(tmp_path):
    """B0 from elsewhere: the sine is that of the time since its production."""
    text = "Decay chi_b1\n1.0 B0 K- pi+ PHSP;\nEnddecay\n"
    text += CP_DECAY.format("B0", DM, -2 * BETA, -1.0)
    events = make_events(tmp_path, text, N, root="chi_b1", mass=9.9, keep_stable=("K_S0", "J/psi"))
    rows = rows_of(events, 511)
    flight = events.production[child_rows(events, rows)] - events.production[rows]
    time = flight[:, 3] * mass_of(events.p4[rows]) / events.p4[rows, 3] / CTAU
    s = np.sin(2 * BETA)
    follows(
        time,
        lambda t: integral(
            t, lambda u: np.where(u > 0, np.exp(-u), 0.0) * (1 - s * np.sin(X * np.maximum(u, 0)))
        ),
    )


def test_one_side_can_be_forced_by_an_alias(tmp_path):
    events = make_events(tmp_path, cp_text(), 1000, keep_stable=("K_S0", "J/psi"))
    first = events.offsets[:-1] + 1
    assert (events.pdgid[child_rows(events, first)] == 443).all()
    assert (np.abs(events.pdgid[child_rows(events, first + 1)]) == 411).all()


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (f"1.0 B0 B0 VSS_BMIX {DM};", "a meson and its antiparticle"),
        ("1.0 B0 anti-B0 VSS_BMIX;", "VSS_BMIX takes 1 to 14 parameters"),
        (f"1.0 B0 anti-B0 anti-B0 B0 VSS_BMIX {DM};", "third and fourth daughter"),
    ],
)
def test_what_cannot_mix_is_refused(tmp_path, line, message):
    with pytest.raises(DecayFileError, match=message):
        make_generator(tmp_path, f"Decay Upsilon(4S)\n{line}\nEnddecay\n" + B_TO_D)
