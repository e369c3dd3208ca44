"""Both base tables as they are: from Upsilon(4S) and from baryons to what stays, with aliases."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from simgen.beams import Beams, load_beams
from simgen.errors import DecayFileError
from simgen.events import DECAYED, FINAL
from simgen.generators.decfile import DecayFileGenerator, DecayFileSettings
from simgen.particles import particle_table

pytest.importorskip("pythia8mc")

BASES = ("DECAY_BELLE2.DEC", "DECAY_LHCB.DEC")
N = 1000
STABLE = {11, 12, 13, 14, 16, 22, 130, 211, 321, 2112, 2212}
STRANGE = {"K_S0": 310, "Lambda0": 3122, "Sigma+": 3222, "Sigma-": 3112, "Xi0": 3322, "Xi-": 3312}
BOTH = tuple({n for name in STRANGE for n in (name, particle_table().by_name(name).anti_name)})
ROUNDING = 1e-9


def at_rest(mass):
    half = {"energy": mass / 2}
    return Beams(
        electron={**half, "theta": 0.0},
        positron={**half, "theta": np.pi},
        sqrt_s_spread=0.0,
        interaction_region={"size": [0.0, 0.0, 0.0]},
    )


def in_mothers(block, values):
    """Add up what daughters have, for each mother."""
    total = np.zeros((block.n_particles, *values.shape[1:]))
    rows = block.mother >= 0
    np.add.at(total, block.mother_row[rows], values[rows])
    return total


def each(block, number_of):
    """Return a quantum number of every particle."""
    codes, index = np.unique(block.pdgid, return_inverse=True)
    return np.array([float(number_of(int(code))) for code in codes])[index]


def charge(code):
    return particle_table().by_pdgid(code).charge3 / 3


def baryon_number(code):
    """Three digits of quarks in front of 2 J + 1: hadrons with a third quark are baryons."""
    digits = abs(code) // 1000 % 10
    return np.sign(code) if digits and abs(code) > 1000 and abs(code) // 10 % 10 else 0


def lepton_number(flavour):
    return lambda code: np.sign(code) if abs(code) in (flavour, flavour + 1) else 0


def four_momentum_is_conserved(generic):
    decayed = generic.status == DECAYED
    difference = (in_mothers(generic, generic.p4) - generic.p4)[decayed]
    assert (np.abs(difference).max(axis=1) / generic.p4[decayed, 3]).max() < ROUNDING


def is_conserved(generic, number_of):
    values = each(generic, number_of)
    decayed = generic.status == DECAYED
    assert np.abs(values).sum() > 0
    np.testing.assert_allclose(in_mothers(generic, values)[decayed], values[decayed], atol=1e-12)


def decays_go_on_to_what_stays(generic):
    final = np.abs(generic.pdgid[generic.status == FINAL])
    assert set(final.tolist()) <= STABLE
    assert {11, 13, 22, 130, 211, 321, 2112, 2212} <= set(final.tolist())


def mothers_stand_before_daughters_that_begin_where_they_end(generic):
    rows = np.flatnonzero(generic.mother >= 0)
    mother = generic.mother_row[rows]
    assert (mother < rows).all()
    assert (generic.status[mother] == DECAYED).all()
    counts = np.bincount(mother, minlength=generic.n_particles)
    np.testing.assert_array_equal(counts > 0, generic.status == DECAYED)
    same = (mother[1:] == mother[:-1]).nonzero()[0]
    np.testing.assert_array_equal(
        generic.production[rows[same]], generic.production[rows[same + 1]]
    )
    # a flight is along the momentum, of a length of its own time
    flight = generic.production[rows] - generic.production[mother]
    p = generic.p4[mother]
    time = flight[:, 3] / p[:, 3]
    np.testing.assert_allclose(flight[:, :3], time[:, None] * p[:, :3], atol=1e-6)
    assert (time >= 0).all()


@pytest.mark.parametrize("base", BASES)
def test_generic_events_of_a_whole_table(base):
    """Every decay conserves momentum, charge, baryons and each lepton; all ends in what stays."""
    generator = DecayFileGenerator(DecayFileSettings(base=base), load_beams("belle2"), Path())
    generic = generator.generate(np.arange(N), 1)
    assert generator.problems() == ()
    assert not [note for note in generator.notes() if "no daughters" in note]
    four_momentum_is_conserved(generic)
    for number_of in (charge, baryon_number, *(lepton_number(code) for code in (11, 13, 15))):
        is_conserved(generic, number_of)
    decays_go_on_to_what_stays(generic)
    mothers_stand_before_daughters_that_begin_where_they_end(generic)


@pytest.mark.parametrize(
    ("base", "stay"), [(BASES[0], ()), (BASES[0], BOTH), (BASES[1], ("K_S0",))]
)
def test_strange_particles_decay_or_stay(base, stay):
    """Generic Lambda_c: K_S0 and hyperons are final exactly where the configuration says so."""
    default = DecayFileSettings().keep_stable
    settings = DecayFileSettings(base=base, root="Lambda_c+", keep_stable=(*default, *stay))
    block = DecayFileGenerator(settings, at_rest(2.28646), Path()).generate(np.arange(2000), 2)
    for name, code in STRANGE.items():
        rows = np.abs(block.pdgid) == code
        if name in {"K_S0", "Lambda0", "Sigma+"}:
            assert rows.sum() > 100
        assert (block.status[rows] == (FINAL if name in stay else DECAYED)).all()
    values = each(block, baryon_number)
    final = block.status == FINAL
    total = np.bincount(block.event_index[final], values[final], minlength=len(block))
    np.testing.assert_array_equal(total, 1)


SIGNAL = """
Alias B+sig B+
Alias B-sig B-
ChargeConj B+sig B-sig
Alias B+tag B+
Alias B-tag B-
ChargeConj B+tag B-tag
Alias D0tag D0
Alias anti-D0tag anti-D0
ChargeConj D0tag anti-D0tag
Decay Upsilon(4S)
0.5 B+sig B-tag VSS;
0.5 B-sig B+tag VSS;
Enddecay
Decay B+sig
1.0 K+ tau+ mu- PHSP;
Enddecay
CDecay B-sig
Decay B-tag
1.0 D0tag mu- anti-nu_mu HQET2 1.18 1.074;
Enddecay
CDecay B+tag
Decay D0tag
1.0 K- pi+ PHSP;
Enddecay
"""


def forced(tmp_path, base, text):
    path = tmp_path / "forced.dec"
    path.write_text(text, encoding="utf-8")
    settings = DecayFileSettings(base=base, decay_files=(str(path),))
    return DecayFileGenerator(settings, load_beams("belle2"), tmp_path)


def daughters(block, row):
    return sorted(block.pdgid[(block.mother_row == row) & (block.mother >= 0)].tolist())


def test_both_sides_forced_with_the_rest_from_the_table(tmp_path):
    """Signal and tag have the decays of the file, taus those of the table."""
    generator = forced(tmp_path, BASES[0], SIGNAL + "CDecay anti-D0tag\n")
    block = generator.generate(np.arange(300), 3)
    seen, tau_modes = set(), set()
    for event in range(len(block)):
        first, second = block.offsets[event] + 1, block.offsets[event] + 2
        sign = int(np.sign(block.pdgid[first]))  # of the signal, listed first
        seen.add(sign)
        assert daughters(block, first) == sorted([sign * c for c in (321, -15, 13)])
        tag = [421, 13, -14] if sign > 0 else [-421, -13, 14]
        assert daughters(block, second) == sorted(tag)
        charm = np.flatnonzero((np.abs(block.pdgid) == 421) & (block.event_index == event))
        assert len(charm) == 1
        assert daughters(block, charm[0]) == ([-321, 211] if sign > 0 else [-211, 321])
        tau = np.flatnonzero((np.abs(block.pdgid) == 15) & (block.event_index == event))
        tau_modes.add(tuple(np.abs(daughters(block, tau[0]))))
    assert seen == {1, -1}
    assert len(tau_modes) > 5


def test_a_side_may_differ_from_its_partner(tmp_path):
    """The alias of the D0 decays to K pi, that of the anti-D0 to K pi pi0 only."""
    text = SIGNAL + "Decay anti-D0tag\n1.0 K+ pi- pi0 D_DALITZ;\nEnddecay\n"
    block = forced(tmp_path, BASES[1], text).generate(np.arange(200), 4)
    for code, wanted in ((421, [-321, 211]), (-421, [-211, 111, 321])):
        rows = np.flatnonzero(block.pdgid == code)
        assert len(rows) > 50
        assert all(daughters(block, row) == wanted for row in rows)


def test_an_alias_without_decays_stays(tmp_path):
    block = forced(tmp_path, None, SIGNAL).generate(np.arange(100), 5)
    alias = block.pdgid == -421
    assert alias.sum() > 30
    assert (block.status[alias] == FINAL).all()
    assert (block.status[block.pdgid == 421] == DECAYED).all()


@pytest.mark.parametrize(("base", "sign"), [(BASES[0], 1), (BASES[1], -1)])
def test_what_is_left_to_pythia_has_the_decays_of_pythia(base, sign):
    """Omega_c0 -> PYTHIA without daughters: e and mu with 0.018 each, and hadrons."""
    name = "Omega_c0" if sign > 0 else "anti-Omega_c0"
    settings = DecayFileSettings(base=base, root=name)
    generator = DecayFileGenerator(settings, at_rest(2.6975), Path())
    assert not [note for note in generator.notes() if "no daughters" in note]
    n = 3000
    block = generator.generate(np.arange(n), 6)
    direct = (block.mother >= 0) & (block.mother_row == block.offsets[:-1][block.event_index])
    for code in (-11, -13):
        found = int((direct & (block.pdgid == sign * code)).sum())
        assert stats.binomtest(found, n, 0.018).pvalue > 1e-3
    final = block.status == FINAL
    assert set(np.abs(block.pdgid[final]).tolist()) <= STABLE
    baryons = np.bincount(block.event_index[final], each(block, baryon_number)[final], minlength=n)
    np.testing.assert_array_equal(baryons, sign)
    strange = {3122, 3212, 3312, 3322, 3334, 3222, 3112}
    assert set(np.abs(block.pdgid[direct]).tolist()) & strange


def test_a_conjugate_of_nothing_is_refused(tmp_path):
    with pytest.raises(DecayFileError, match="CDecay D0tag"):
        forced(tmp_path, None, SIGNAL.replace("Decay D0tag\n1.0 K- pi+ PHSP;\nEnddecay\n",
                                                  "CDecay D0tag\n"))  # fmt: skip
