"""Mixing of B0 and B_s0 that are not one of a pair, against the analytic time dependence."""

from __future__ import annotations

import numpy as np
import pytest
from chains import P_MIN, child_rows, make_events, make_generator, mass_of, rows_of
from scipy import integrate, stats

from simgen.decfile import load_decay_table
from simgen.decfile.incoherent import single_mixing
from simgen.decfile.reach import find_reach
from simgen.particles import particle_table

N = 200_000
LIGHT = 2.99792458e11  # mm/s
DM_D, DM_S = 0.507e12, 17.8e12
DECAYS = """
Decay B0
0.7 D- mu+ nu_mu PHSP;
0.3 D- pi+ PHSP;
Enddecay
CDecay anti-B0
Decay B_s0
1.0 D_s- mu+ nu_mu PHSP;
Enddecay
CDecay anti-B_s0
"""
ALONE = "Decay chi_b1\n1.0 {} K- pi+ PHSP;\nEnddecay\n" + DECAYS


def mixes(meson, dm, ratio=1.0):
    return f"Define dm_incohMix_{meson} {dm}\nDefine qoverp_incohMix_{meson} {ratio}\n"


def single(events, meson):
    """Return whether each meson has turned, and its proper decay time in units of c tau."""
    rows = events.offsets[:-1] + 1
    assert (events.pdgid[rows] == meson).all()
    first = child_rows(events, rows)
    flight = events.production[first] - events.production[rows]
    time = flight[:, 3] * mass_of(events.p4[rows]) / events.p4[rows, 3]
    return events.pdgid[first] == -meson, time / particle_table().by_pdgid(abs(meson)).ctau


def constants(meson):
    """Return x and y."""
    table = particle_table()
    name, dm = ("B0", DM_D) if abs(meson) == 511 else ("B_s0", DM_S)
    light, heavy = (table.by_name(f"{name}{kind}").ctau for kind in "LH")
    return dm * table.by_name(name).ctau / LIGHT, (heavy - light) / (heavy + light)


@pytest.mark.parametrize("meson", [511, -511, 531, -531])
def test_share_and_times_of_mesons_that_turn(tmp_path, meson):
    """e^-t (cosh(y t) -+ cos(x t)); for B0, y = 0, the share is x^2 / (2 (1 + x^2))."""
    name, dm = ("B0", DM_D) if abs(meson) == 511 else ("B_s0", DM_S)
    text = mixes(name, dm) + ALONE.format(name if meson > 0 else f"anti-{name}")
    turned, time = single(make_events(tmp_path, text, N, root="chi_b1", mass=9.9), meson)
    x, y = constants(meson)
    if name == "B0":
        assert x**2 / (2 * (1 + x**2)) == pytest.approx(0.186, abs=0.002)  # PDG: 0.1858(11)
        assert y == 0.0
    chance = (x**2 + y**2) / (2 * (1 + x**2))
    assert stats.binomtest(int(turned.sum()), N, chance).pvalue > P_MIN
    for chosen, sign in ((turned, -1), (~turned, 1)):
        grid = np.linspace(0, 25, 200_001)
        density = np.exp(-grid) * (np.cosh(y * grid) + sign * np.cos(x * grid))
        below = integrate.cumulative_simpson(density, x=grid, initial=0)
        test = stats.kstest(time[chosen], lambda t, b=below, g=grid: np.interp(t, g, b / b[-1]))
        assert test.pvalue > P_MIN


def test_asymmetry_of_mixing(tmp_path):
    """|q/p| = 0.8: B0 turn 0.64 as often as they would, anti-B0 1 / 0.64."""
    x, _ = constants(511)
    kept, turned = 1 + 1 / (1 + x**2), 1 - 1 / (1 + x**2)
    for meson, name, factor in ((511, "B0", 0.64), (-511, "anti-B0", 1 / 0.64)):
        text = mixes("B0", DM_D, 0.8) + ALONE.format(name)
        events = make_events(tmp_path, text, N // 4, root="chi_b1", mass=9.9)
        expected = factor * turned / (kept + factor * turned)
        found = int(single(events, meson)[0].sum())
        assert stats.binomtest(found, N // 4, expected).pvalue > P_MIN


def test_record_of_a_meson_that_turns(tmp_path):
    """It has one daughter, its antiparticle, with its momentum, which decays where it is made."""
    text = mixes("B0", DM_D) + ALONE.format("B0")
    events = make_events(tmp_path, text, 2000, root="chi_b1", mass=9.9)
    turned = rows_of(events, -511)
    mother = events.mother_row[turned]
    assert (events.pdgid[mother] == 511).all()
    np.testing.assert_allclose(events.p4[turned], events.p4[mother], rtol=1e-12, atol=1e-12)
    np.testing.assert_array_equal(
        events.production[turned], events.production[child_rows(events, turned)]
    )
    charm = events.pdgid[child_rows(events, turned)]
    np.testing.assert_array_equal(charm, 411)
    assert events.production[turned, 3].min() > 0


def test_what_tells_no_flavour_has_the_sine_of_its_own(tmp_path):
    """J/psi K_S0 keeps its share of the decays, and its asymmetry, beside decays that turn."""
    cp = f"0.5 J/psi K_S0 SSD_CP {DM_D} 0.0 1.0 -0.78 1.0 0.0 -1.0 0.0;\n"
    text = mixes("B0", DM_D) + ALONE.format("B0")
    text = text.replace("Decay B0\n0.7 D- mu+ nu_mu PHSP;\n0.3 ", f"Decay B0\n{cp}0.5 ")
    events = make_events(tmp_path, text, N, root="chi_b1", mass=9.9, keep_stable=("K_S0", "J/psi"))
    rows = events.offsets[:-1] + 1
    first = child_rows(events, rows)
    is_cp = events.pdgid[first] == 443
    assert stats.binomtest(int(is_cp.sum()), N, 0.5).pvalue > P_MIN
    turned, time = single(events, 511)
    x, _ = constants(511)
    assert (
        stats.binomtest(int(turned.sum()), int((~is_cp).sum()), x**2 / (2 * (1 + x**2))).pvalue
        > P_MIN
    )
    grid = np.linspace(0, 25, 100_001)
    below = integrate.cumulative_simpson(
        np.exp(-grid) * (1 - np.sin(0.78) * np.sin(x * grid)), x=grid, initial=0
    )
    assert stats.kstest(time[is_cp], lambda t: np.interp(t, grid, below / below[-1])).pvalue > P_MIN
    after = child_rows(events, rows_of(events, -511))
    assert not np.isin(events.pdgid[after], [443]).any()


def test_a_file_may_begin_with_a_meson(tmp_path):
    """The root B0 flies and mixes, both flavours with the base table's numbers."""
    text = mixes("B0", DM_D) + DECAYS
    events = make_events(tmp_path, text, 50_000, root="B0", mass=5.27964)
    first = events.pdgid[events.offsets[:-1] + 1]
    chance = single_mixing(load_decay_table([]), "B0").chance
    assert stats.binomtest(int((first == -511).sum()), 50_000, chance).pvalue > P_MIN
    time = events.production[events.offsets[:-1] + 1, 3]
    assert time.mean() == pytest.approx(particle_table().by_name("B0").ctau, rel=0.02)


def test_pairs_are_not_mixed_again(tmp_path):
    """VSS_BMIX decides the flavours; VSS of Upsilon(4S) keeps them, as in EvtGen."""
    for model in (f"VSS_BMIX {DM_D}", "VSS"):
        text = f"Decay Upsilon(4S)\n1.0 B0 anti-B0 {model};\nEnddecay\n" + DECAYS
        events = make_events(tmp_path, mixes("B0", DM_D) + text, 2000)
        rows = rows_of(events, 511, -511)
        assert len(rows) == 4000
        charm = events.pdgid[child_rows(events, rows)]
        np.testing.assert_array_equal(charm, np.where(events.pdgid[rows] > 0, -411, 411))


def test_pairs_of_other_mesons_mix_each_on_its_own(tmp_path):
    """Upsilon(5S) -> B_s0 anti-B_s0: both turned as often as the square of one."""
    text = "Decay Upsilon(5S)\n1.0 B_s0 anti-B_s0 PHSP;\nEnddecay\n" + DECAYS
    text = mixes("B_s0", DM_S) + text
    events = make_events(tmp_path, text, 50_000, root="Upsilon(5S)", mass=10.8852)
    first = child_rows(events, rows_of(events, 531, -531)[: 2 * 50_000])
    rows = np.stack([events.offsets[:-1] + 1, events.offsets[:-1] + 2])
    turned = np.abs(events.pdgid[child_rows(events, rows.ravel())].reshape(2, -1)) == 531
    x, y = constants(531)
    chance = (x**2 + y**2) / (2 * (1 + x**2))
    assert len(first) > 0
    assert stats.binomtest(int(turned.all(axis=0).sum()), 50_000, chance**2).pvalue > P_MIN


@pytest.mark.parametrize(
    ("extra", "says"),
    [
        ("Alias mine B0\n", "mine keeps its flavour: the alias has no ChargeConj"),
        (
            "Alias mine B0\nAlias other anti-B0\nChargeConj mine other\n",
            "mine keeps its flavour: other has no decay that tells its own",
        ),
    ],
)
def test_what_keeps_its_flavour_is_said(tmp_path, extra, says):
    text = mixes("B0", DM_D) + extra + ALONE.format("mine")
    text += "Decay mine\n1.0 D- pi+ PHSP;\nEnddecay\n"
    generator = make_generator(tmp_path, text, root="chi_b1", mass=9.9)
    assert says in generator.notes()
    assert (rows_of(generator.generate(np.arange(500), 1), -511).size) == 0


def test_an_alias_turns_into_its_conjugate(tmp_path):
    text = mixes("B0", DM_D) + "Alias mine B0\nAlias other anti-B0\nChargeConj mine other\n"
    text += ALONE.format("mine") + "Decay mine\n1.0 D- pi+ PHSP;\nEnddecay\nCDecay other\n"
    events = make_events(tmp_path, text, 2000, root="chi_b1", mass=9.9)
    charm = rows_of(events, 411)
    assert 300 < len(charm) < 450
    assert (events.pdgid[charm + 1] == -211).all()  # of the alias, not of anti-B0


@pytest.mark.parametrize("define", ["", mixes("B0", 0.0)])
def test_without_a_mass_difference_nothing_mixes(tmp_path, define):
    events = make_events(tmp_path, define + ALONE.format("B0"), 2000, root="chi_b1", mass=9.9)
    assert rows_of(events, -511).size == 0


def test_what_is_expected_counts_flavours_at_decay(tmp_path):
    """Reach of the table and compiled program: as often as events have the decays."""
    text = mixes("B0", DM_D) + ALONE.format("B0")
    generator = make_generator(tmp_path, text, root="chi_b1", mass=9.9)
    x, _ = constants(511)
    chance = x**2 / (2 * (1 + x**2))
    expected = find_reach(load_decay_table([tmp_path / "chain.dec"], None), "chi_b1").expected
    assert expected["B0"] == pytest.approx(1 - chance)
    assert expected["anti-B0"] == pytest.approx(chance)
    found = dict(zip(generator.decays.channels, generator.decays.per_event, strict=True))
    assert found["B0 -> anti-B0 (mixing)"] == pytest.approx(chance)
    assert found["B0 -> D- pi+ PHSP"] == pytest.approx(0.3 * (1 - chance))
    assert found["anti-B0 -> D+ pi- PHSP"] == pytest.approx(0.3 * chance)
