"""Pythia's events: against Pythia alone, against measurements, and what a user may do wrong."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import chi2_contingency, kstest

from simgen.beams import Beams, load_beams
from simgen.errors import ConfigError, MissingPackageError
from simgen.events import FINAL
from simgen.generators.base import check_settings, make_generator
from simgen.particles import particle_table

# As Belle II fragments: basf2, generators/modules/fragmentation/data/pythia_belle2.dat.
BELLE2 = (
    "StringFlav:etaSup = 0.27", "StringFlav:etaPrimeSup = 0.12",
    "StringFragmentation:stopMass = 0.3", "StringZ:aLund = 0.32", "StringZ:bLund = 0.62",
    "StringZ:rFactC = 1.0",
)  # fmt: skip
ALONE = 3000
FAST_TAUS = "TauDecays:mode = 0"


def collider(energy, spread=0.0):
    """Return symmetric beams at an energy."""
    return Beams(
        electron={"energy": energy / 2, "theta": 0.0},
        positron={"energy": energy / 2, "theta": np.pi},
        sqrt_s_spread=spread,
        interaction_region={"size": (0.0, 0.0, 0.0)},
    )


def make(process, n, *, settings=(), forced=None, beams=None, seed=3):
    """Return n events."""
    data = {"name": "pythia8", "process": process, "settings": list(settings),
            "forced": forced or {}}  # fmt: skip
    generator = make_generator(check_settings(data, "t"), beams or load_beams("belle2"), Path())
    return generator.generate(np.arange(n), seed)


def charged(pdgid):
    """Say which particles are charged."""
    codes, back = np.unique(pdgid, return_inverse=True)
    return np.array([particle_table().by_pdgid(c).charge3 != 0 for c in codes])[back]


def multiplicity(block):
    """Return the number of charged final particles of each event."""
    seen = (block.status == FINAL) & charged(block.pdgid)
    return np.bincount(block.event_index[seen], minlength=len(block))


def in_cm(block):
    """Return the particles' three-momenta in the rest frame of their collision."""
    total = block.beam[block.event_index]
    mass = np.sqrt(total[:, 3] ** 2 - np.sum(total[:, :3] ** 2, axis=1))
    u, gamma = total[:, :3] / mass[:, None], total[:, 3] / mass
    along = np.sum(u * block.p4[:, :3], axis=1)
    return block.p4[:, :3] + u * (along / (gamma + 1.0) - block.p4[:, 3])[:, None]


def thrust(p):
    """Return the thrust of momenta (n, 3): the best plane goes through two of them."""
    i, j = np.triu_indices(len(p), 1)
    normal = np.cross(p[i], p[j])
    side = np.sign(normal @ p.T)
    side[np.arange(len(i)), i] = side[np.arange(len(i)), j] = 0.0
    rest = side @ p
    best = 0.0
    for a in (1.0, -1.0):
        for b in (1.0, -1.0):
            best = max(best, np.linalg.norm(rest + a * p[i] + b * p[j], axis=1).max())
    return best / np.linalg.norm(p, axis=1).sum()


def thrusts(block, n):
    """Return the thrust of the first n events."""
    p, final = in_cm(block), block.status == FINAL
    events = [slice(*block.offsets[i : i + 2]) for i in range(n)]
    return np.array([thrust(p[e][final[e]]) for e in events])


def mean_and_error(values):
    return np.mean(values), np.std(values) / np.sqrt(len(values))


@pytest.fixture(scope="module")
def alone():
    import pythia8mc

    pythia = pythia8mc.Pythia("", False)
    for line in ("Print:quiet = on", "Beams:idA = 11", "Beams:idB = -11",
                 "Beams:eCM = 10.5794", "PDF:lepton = off",
                 "WeakSingleBoson:ffbar2gmZ = on", "23:onMode = off",
                 "23:onIfAny = 1 2 3 4", "Random:setSeed = on", "Random:seed = 8"):  # fmt: skip
        assert pythia.readString(line), line
    assert pythia.init()
    flavour, number, cos_theta, energy = [], [], [], []
    for _ in range(ALONE):
        assert pythia.next()
        event = pythia.event
        flavour.append(abs(event[6].id()))
        number.append(event.nFinal(True))
        kaons = [p for p in event if p.isFinal() and p.idAbs() == 321]
        energy += [p.e() for p in kaons]
        cos_theta += [p.pz() / p.pAbs() for p in kaons]
    return {"flavour": flavour, "number": number, "energy": energy, "cos": cos_theta}


@pytest.fixture(scope="module")
def ours():
    return make("qq", ALONE, beams=collider(10.5794))


@pytest.fixture(scope="module")
def charm():
    return make("cc", 3000, settings=BELLE2)


@pytest.fixture(scope="module")
def pairs():
    return make("BB", 4000, settings=[FAST_TAUS])


class TestAgainstPythiaAlone:
    """The same process by a plain loop over ``pythia.next()``, its record read by Pythia."""

    def test_flavours(self, alone, ours):
        table = [np.bincount(f, minlength=5)[1:5] for f in (alone["flavour"], ours.process)]
        assert chi2_contingency(table).pvalue > 1e-3

    def test_charged_multiplicity(self, alone, ours):
        counts = [np.bincount(n, minlength=30)[:30] for n in (alone["number"], multiplicity(ours))]
        table = np.array(counts)[:, 4:15:2]
        assert chi2_contingency(table).pvalue > 1e-3

    def test_kaon_energies_and_directions(self, alone, ours):
        kaons = (np.abs(ours.pdgid) == 321) & (ours.status == FINAL)
        p = ours.p4[kaons]
        assert kstest(p[:, 3], alone["energy"]).pvalue > 1e-3
        cos_theta = p[:, 2] / np.linalg.norm(p[:, :3], axis=1)
        assert kstest(cos_theta, alone["cos"]).pvalue > 1e-3


class TestContinuumAgainstMeasurements:
    def test_multiplicity_and_thrust_at_14_gev(self):
        """TASSO, Z. Phys. C 22 (1984) 307, table 4: 9.08 +- 0.05 and 0.855 +- 0.002, statistical.

        Pythia is 1.8 % low in the first; the tolerance is that and three errors. The second is to
        agree within three errors, of 0.4 % together.
        """
        block = make("qq", 4000, beams=collider(14.0), settings=["23:onIfAny = 1 2 3 4 5"])
        mean, error = mean_and_error(multiplicity(block))
        assert abs(mean / 9.08 - 0.982) < 3.0 * np.hypot(error, 0.05) / 9.08 < 0.023
        mean, error = mean_and_error(thrusts(block, 800))
        assert abs(mean - 0.855) < 3.0 * np.hypot(error, 0.002) < 0.012

    def test_multiplicity_below_the_upsilon(self):
        """ARGUS, Z. Phys. C 54 (1992) 13: 8.35 +- 0.02 +- 0.20 at 10.47 GeV.

        Pythia is low, by 7.4 % with Belle II's parameters and 9.5 % with its own, 3 and 4 standard
        deviations: that it is, within four errors of these events.
        """
        for settings, off in ((BELLE2, -0.074), ((), -0.095)):
            block = make("qq", 3000, settings=settings, beams=collider(10.47))
            mean, error = mean_and_error(multiplicity(block))
            assert abs(mean / 8.35 - 1.0 - off) < 4.0 * error / 8.35 < 0.022

    def test_charm_has_more_particles_and_is_rounder_than_light_quarks(self, charm):
        light = make("uds", 2000, settings=BELLE2)
        assert multiplicity(charm).mean() - multiplicity(light).mean() > 0.5
        (c, c_error), (uds, uds_error) = (mean_and_error(thrusts(b, 300)) for b in (charm, light))
        assert abs(uds - c) > 2.0 * np.hypot(c_error, uds_error)
        assert 0.78 < c < 0.90
        assert 0.78 < uds < 0.90

    @pytest.fixture(scope="class")
    @staticmethod
    def radiating():
        """Return charm events with initial-state radiation, as those that Belle measured."""
        return make("cc", 4000, settings=[*BELLE2, "PDF:lepton = on"])

    def test_spectrum_of_dstar(self, radiating):
        """Belle, PRD 73 (2006) 032002, table of D*+ -> D0 pi+ with x_p in 50 bins below 1.

        Its mean is 0.582 +- 0.012, and 0.689 +- 0.004 of those above 0.5, with the errors of bins
        as if independent. x_p is the momentum over the largest possible; radiation is in the
        data. Tolerances: the error of the data and three of these events. Without radiation
        Pythia has 0.636 and 0.715, which fails both.
        """
        mass = 2.01026
        dstar = np.abs(radiating.pdgid) == 413
        p = np.linalg.norm(in_cm(radiating)[dstar], axis=1)
        total = radiating.beam[radiating.event_index[dstar]]
        half = 0.5 * np.sqrt(total[:, 3] ** 2 - np.sum(total[:, :3] ** 2, axis=1))
        x_p = p / np.sqrt(half**2 - mass**2)
        for values, measured, uncertainty in (
            (x_p, 0.582, 0.012),
            (x_p[x_p > 0.5], 0.689, 0.004),
        ):
            mean, error = mean_and_error(values)
            assert abs(mean - measured) < uncertainty + 3.0 * error < 0.028

    @pytest.mark.parametrize(
        ("pdgid", "measured", "uncertainty", "ratio"),
        # nb, Belle, PRD 73 (2006) 032002; Pythia's D+ are 1.8 of its errors too many
        [(421, 1.449, 0.074, 1.0), (413, 0.598, 0.080, 0.85), (411, 0.654, 0.058, 1.19)],
        ids=["D0", "D*+", "D+"],
    )
    def test_cross_sections_of_charm_mesons(self, radiating, pdgid, measured, uncertainty, ratio):
        """With sigma(cc) = 1.30 nb; `ratio` to the data is what Pythia is known to have."""
        number = np.count_nonzero(np.abs(radiating.pdgid) == pdgid) / len(radiating)
        assert abs(1.30 * number / measured - ratio) < 0.05
        assert abs(1.30 * number - measured) < 2.5 * uncertainty


class TestPairs:
    def test_charged_multiplicity(self, pairs):
        """ARGUS, Z. Phys. C 54 (1992) 13: 10.81 +- 0.05 +- 0.23; CLEO, hep-ex/9907057: 10.71."""
        mean, error = mean_and_error(multiplicity(pairs))
        assert error < 0.06
        assert abs(mean - 10.81) < 0.235

    @pytest.mark.parametrize(
        ("pdgid", "measured", "uncertainty", "ratio"),
        # B+-/B0 admixture, PDG 2026 (S049.107, 116, 111, 113, 106, 105, 220, 115), and what Pythia
        # has relative to it, from 40 000 B: too many D mesons, too few baryons
        [
            (421, 0.646, 0.020, 1.107),
            (411, 0.233, 0.012, 1.408),
            (413, 0.225, 0.015, 1.280),
            (431, 0.106, 0.006, 1.261),
            (443, 0.0109, 0.0003, 1.053),
            (321, 0.789, 0.025, 1.051),
            (211, 3.585, 0.074, 1.091),
            (4122, 0.0353, 0.0034, 0.662),
        ],
        ids=["D0", "D+", "D*+", "D_s", "J/psi", "K", "pi", "Lambda_c"],
    )
    def test_inclusive_rates(self, pairs, pdgid, measured, uncertainty, ratio):
        """Pythia's table is off, by as much as `ratio` says and no more: four errors of 8000 B.

        What is within two standard deviations of the PDG must stay there.
        """
        found = np.abs(pairs.pdgid) == pdgid
        number = np.bincount(pairs.event_index[found], minlength=len(pairs)) / 2.0
        mean, error = mean_and_error(number)
        assert abs(mean - ratio * measured) < 4.0 * error
        if abs(ratio - 1.0) * measured < 2.0 * uncertainty:
            assert abs(mean - measured) < 2.0 * uncertainty + 3.0 * error

    def test_directions_follow_sin_squared(self, pairs):
        first = pairs.offsets[:-1] + 1
        axis = load_beams("belle2").axis()
        p = in_cm(pairs)[first]
        cos_theta = p @ axis / np.linalg.norm(p, axis=1)
        assert kstest(cos_theta, lambda c: 0.25 * (2 + 3 * c - c**3)).pvalue > 1e-3

    def test_shares_of_charged_and_neutral_pairs(self, pairs):
        share = np.mean(pairs.process == 521)
        assert abs(share - 0.511 / 0.997) < 4 * np.sqrt(0.25 / len(pairs))

    def proper_times(self, block, code):
        rows = np.flatnonzero(np.abs(block.pdgid) == code)
        flown = (block.decay_vertices() - block.production)[rows]
        p = block.p4[rows]
        mass = np.sqrt(p[:, 3] ** 2 - np.sum(p[:, :3] ** 2, axis=1))
        return flown[:, 3] / p[:, 3] * mass

    def test_lifetimes(self, pairs):
        """PDG 2024: c tau of B+ 0.491 mm, of B0 0.455 mm; Pythia's are within 1 %."""
        for code, ctau in ((521, 0.491), (511, 0.455)):
            times = self.proper_times(pairs, code)
            assert times.mean() == pytest.approx(ctau, abs=4 * ctau / np.sqrt(len(times)))
            assert kstest(times / times.mean(), "expon").pvalue > 1e-3

    def test_mixing_goes_with_the_difference_of_times(self):
        """chi_d = x^2 / (2 + 2 x^2) = 0.1858 (PDG 2024), and none at equal times."""
        block = make("B0B0bar", 4000, settings=[FAST_TAUS])
        first = block.offsets[:-1] + 1
        mixed = block.pdgid[first] == block.pdgid[first + 1]
        assert abs(mixed.mean() - 0.1858) < 4 * np.sqrt(0.1858 * 0.8142 / 4000)
        t = self.proper_times(block, 511).reshape(-1, 2)
        near = np.abs(t[:, 0] - t[:, 1]) < 0.1
        assert near.sum() > 400
        # (1 - cos(x 0.1 / 0.455)) / 2 = 0.007 at the edge
        assert mixed[near].mean() < 0.02


class TestForcedDecays:
    def test_signal_and_tag(self):
        forced = {
            "B+": ["K+ tau+ mu-"],
            "B-": ["0.75 D0 mu- anti-nu_mu", "0.25 D*0 mu- anti-nu_mu"],
            "tau+": ["pi+ anti-nu_tau"],
        }
        block = make("B+B-", 1000, forced=forced, settings=[FAST_TAUS])
        mother = block.pdgid[np.maximum(block.mother_row, 0)]
        from_plus = block.pdgid[mother == 521]
        assert sorted(set(from_plus)) == sorted({321, -15, 13})
        assert len(from_plus) == 3 * 1000
        from_minus = block.pdgid[mother == -521]
        assert np.count_nonzero(from_minus == 13) == 1000
        share = np.mean(np.isin(from_minus, (421, 423)) * (from_minus == 423)) * 3
        assert abs(share - 0.25) < 4 * np.sqrt(0.25 * 0.75 / 1000)
        taus = block.pdgid[mother == -15]
        assert sorted(set(taus)) == sorted({211, -16})

    @pytest.mark.parametrize(
        ("forced", "message"),
        [
            ({"B+": ["K+ mu+ mu+"]}, r"B\+: 'K\+ mu\+ mu\+': the charge is \+3"),
            ({"B+": ["K+ B0 anti-B0"]}, "needs .* GeV"),
            ({"B+": ["K+ muu-"]}, "unknown particle 'muu-'"),
            ({"B+": ["K+"]}, "not a decay"),
            ({"B+": ["0 K+ mu- tau+"]}, "not a decay"),
            ({"Xsd": ["K+ pi-"]}, "Pythia does not know Xsd"),
        ],
    )
    def test_what_cannot_be_is_refused(self, forced, message):
        with pytest.raises(ConfigError, match=message):
            make("B+B-", 1, forced=forced)


class TestSettings:
    @pytest.mark.parametrize(
        ("line", "message"),
        [
            ("PDF:leptn = on", "no setting 'PDF:leptn'. Did you mean 'PDF:lepton'"),
            ("PDF:lepton = maybe", "on or off"),
            ("TauDecays:mode = 77", "at least 0 and at most 5"),
            ("TauDecays:mode = x", "whole number"),
            ("StringZ:aLund = -4", "at least 0 and at most 2"),
            ("999999:onMode = off", "no particle 999999"),
            ("521:onMod = off", "Did you mean 'onMode'"),
            ("Beams:eCM = 3", "section `beams`"),
            ("Random:seed = 3", "keyed by `seed`"),
            ("nonsense", "'Group:name = value'"),
        ],
    )
    def test_what_is_wrong_is_named(self, line, message):
        with pytest.raises(ConfigError, match=message):
            make("uds", 1, settings=[line])

    def test_settings_reach_pythia(self):
        """Without decays of pi0 there are pi0 and nearly no photons."""
        block = make("uds", 200, settings=["111:mayDecay = off"])
        pi0 = block.pdgid == 111
        assert pi0.sum() > 200
        assert np.all(block.status[pi0] == FINAL)

    def test_own_process(self):
        block = make(
            "settings", 200, settings=["WeakSingleBoson:ffbar2ffbar(s:gm) = on", FAST_TAUS]
        )
        assert set(np.unique(block.process)) <= {1, 2, 3, 4, 5, 11, 13, 15}
        assert np.count_nonzero(block.process == 13) > 5

    def test_a_process_that_does_not_start(self):
        with pytest.raises(ConfigError, match="does not start"):
            make("settings", 1)

    def test_pairs_below_threshold_are_refused(self):
        with pytest.raises(ConfigError, match=r"needs 10\.559. GeV"):
            make("BB", 1, beams=collider(10.5))

    def test_initial_state_radiation_can_be_turned_on(self):
        data = {"name": "pythia8", "process": "uds", "settings": ["PDF:lepton = on"]}
        generator = make_generator(check_settings(data, "t"), load_beams("belle2"), Path())
        block = generator.generate(np.arange(200), 1)
        assert not any("radiation" in note for note in generator.notes())
        hard = (block.pdgid == 22) & (block.mother == 0) & (block.p4[:, 3] > 1.0)
        assert 0.02 < hard.sum() / 200 < 0.5

    def test_energy_spread_moves_the_hadrons(self):
        """The beams' spread reaches Pythia: energy is conserved event by event."""
        block = make("uds", 200, beams=collider(10.58, spread=0.1))
        final = block.status == FINAL
        energy = np.bincount(block.event_index[final], block.p4[final, 3])
        np.testing.assert_allclose(energy, block.beam[:, 3], atol=1e-8)
        assert energy.std() > 0.05


class TestLibrary:
    def test_missing_package_is_said_in_one_line(self, monkeypatch):
        monkeypatch.setitem(sys.modules, "pythia8mc", None)
        with pytest.raises(MissingPackageError, match=r"pip install 'simgen\[pythia\]'"):
            make("uds", 1)

    def test_nothing_is_printed(self, capfd):
        make("uds", 5)
        assert capfd.readouterr() == ("", "")

    def test_the_command_line_does_not_import_it(self):
        code = (
            "import sys, simgen.cli, simgen.commands.generate\n"
            "sys.exit(any(m.startswith(('pythia8mc', 'simgen.pythia')) for m in sys.modules))"
        )
        assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
