"""What decay files decay for other generators: spins, masses, times, and what is refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import binomtest, chisquare, kstest

from simgen.beams import load_beams
from simgen.errors import ConfigError, RunError, SimgenError
from simgen.events import DECAYED, FINAL, EventBlock
from simgen.generators.base import check_settings, make_generator
from simgen.io.hepmc import write_hepmc
from simgen.particles import particle_table

DATA = Path(__file__).parents[2] / "data"
TABLE = {"decay_files": [str(DATA / "handed.dec")], "base": None}
TAU = 1.77693


def make(data):
    """Return a generator at Belle II."""
    return make_generator(check_settings(data, "test"), load_beams("belle2"), Path())


def pythia(process, n, seed=4, **decays):
    """Return n events of Pythia."""
    data = {"name": "pythia8", "process": process, "decays": {**TABLE, **decays}}
    return make(data).generate(np.arange(n), seed)


def boosted(p, frame):
    """Return momenta (n, 4) as three-vectors in the rest frames of four-momenta (n, 4)."""
    mass = np.sqrt(frame[:, 3] ** 2 - np.sum(frame[:, :3] ** 2, axis=1))
    u, gamma = frame[:, :3] / mass[:, None], frame[:, 3] / mass
    along = np.sum(u * p[:, :3], axis=1)
    return p[:, :3] + u * (along / (gamma + 1.0) - p[:, 3])[:, None]


def with_energy(p3, mass):
    return np.concatenate([p3, np.sqrt(np.sum(p3**2, axis=1) + mass**2)[:, None]], axis=1)


def unit(p):
    return p / np.linalg.norm(p, axis=1, keepdims=True)


def rows_of(block, code, mother=None):
    """Return the rows of particles, of those with a mother of a number."""
    found = block.pdgid == code
    if mother is not None:
        found &= (block.mother >= 0) & (block.pdgid[block.mother_row] == mother)
    return np.flatnonzero(found)


@pytest.fixture(scope="module")
def spins():
    block = pythia("tautau", 40_000)
    minus, plus = rows_of(block, 15, 10022), rows_of(block, -15, 10022)
    # photons that Pythia radiates off the taus move their rest frame
    event = block.event_index[minus]
    total = block.beam[event]
    pair = block.p4[minus] + block.p4[plus]
    whole = np.linalg.norm(pair - total, axis=1) < 1e-3
    minus, plus, total = minus[whole], plus[whole], total[whole]
    p = with_energy(boosted(block.p4[minus], total), TAU)
    q = with_energy(boosted(block.p4[plus], total), TAU)
    sides = []
    for taus, in_cm, code in ((minus, p, -211), (plus, q, 211)):
        pions = rows_of(block, code, -15 if code > 0 else 15)
        pions = pions[np.isin(block.mother_row[pions], taus)]
        assert len(pions) == len(taus)
        pions = pions[np.argsort(block.mother_row[pions])]
        there = with_energy(boosted(block.p4[pions], total), 0.13957039)
        sides.append(unit(boosted(there, in_cm)))
    axis = load_beams("belle2").axis()
    k = unit(p[:, :3])
    cosine = k @ axis
    r = unit(axis - k * cosine[:, None])
    return {"frame": (k, r, np.cross(k, r)), "pions": sides, "cos": cosine}


class TestTauPairs:
    """tau- -> pi- nu, tau+ -> pi+ nu analyse the spins of e+e- -> gamma* -> tau tau.

    A photon of J_z = +-1 makes the pair in a triplet with vectors V = eps - k (eps.k) (1 - 1/gamma)
    (k: direction of the tau-, eps orthogonal to the beams), for which <s-_i s+_j> =
    delta_ij - 2 V_i V_j / V^2. The pions have the distribution (1 + s-.n-) (1 - s+.n+), so that
    <9 n-_i n+_j> = -<s-_i s+_j>, with the means over directions, of weight 1 + c^2 + s^2 / gamma^2:
    k along the tau, r in the plane of the beams, n across. Four errors of 40 000 pairs are 0.06;
    without the terms of m / E the first would be off by 0.11.
    """

    def correlation(self, spins, i, j, weight=1.0):
        minus, plus = spins["pions"]
        a, b = spins["frame"][i], spins["frame"][j]
        values = 9.0 * np.sum(minus * a, axis=1) * np.sum(plus * b, axis=1) * weight
        return values.mean(), values.std() / np.sqrt(len(values))

    @property
    def inverse_square(self):
        """1 / gamma^2."""
        return (2.0 * TAU / load_beams("belle2").sqrt_s()) ** 2

    @pytest.mark.parametrize(
        ("i", "expected"),
        [
            (0, lambda g: (4 / 3 - 2 / 3 * g) / (4 / 3 + 2 / 3 * g)),
            (1, lambda g: 2 / 3 * (1 + g) / (4 / 3 + 2 / 3 * g)),
            (2, lambda g: -2 / 3 * (1 - g) / (4 / 3 + 2 / 3 * g)),
        ],
        ids=["along", "in the plane", "across"],
    )
    def test_correlations(self, spins, i, expected):
        mean, error = self.correlation(spins, i, i)
        assert error < 0.017
        assert abs(mean + expected(self.inverse_square)) < 4.0 * error

    def test_correlation_between_axes(self, spins):
        g = self.inverse_square
        mean, error = self.correlation(spins, 0, 1, np.sign(spins["cos"]))
        expected = (2 / 3) * np.sqrt(g) / (4 / 3 + 2 / 3 * g)
        assert expected > 10.0 * error
        assert abs(mean + expected) < 4.0 * error

    def test_taus_alone_are_unpolarised(self, spins):
        for pions in spins["pions"]:
            for axis in spins["frame"]:
                cosine = np.sum(pions * axis, axis=1)
                assert kstest(cosine, "uniform", args=(-1, 2)).pvalue > 1e-3


@pytest.fixture(scope="module")
def charm():
    return pythia("cc", 4000)


class TestHadrons:
    def test_branching_fractions(self, charm):
        """40 % K pi, 60 % K 3 pi of the file; of about 5000 D0."""
        mesons = np.flatnonzero(np.abs(charm.pdgid) == 421)
        mothers = charm.mother_row[charm.mother >= 0]
        daughters = np.bincount(mothers, minlength=charm.n_particles)
        number = daughters[mesons]
        found = [np.count_nonzero(number == 2), np.count_nonzero(number == 4)]
        assert sum(found) == len(mesons) > 3000
        assert chisquare(found, np.array([0.4, 0.6]) * len(mesons)).pvalue > 1e-3

    def test_lifetime_begins_at_the_vertex_of_production(self, charm):
        """PDG 2024: c tau of the D0 is 0.1230 mm."""
        mesons = np.flatnonzero(np.abs(charm.pdgid) == 421)
        flown = (charm.decay_vertices() - charm.production)[mesons]
        times = flown[:, 3] / charm.p4[mesons, 3] * 1.86484
        assert kstest(times, "expon", args=(0, 0.1230)).pvalue > 1e-3
        np.testing.assert_allclose(
            flown[:, :3], charm.p4[mesons, :3] * (times / 1.86484)[:, None], atol=1e-9
        )

    def test_dstar_decays_to_d_in_the_chain(self, charm):
        slow = rows_of(charm, 211, 413)
        assert len(slow) > 300
        assert np.all(charm.status[rows_of(charm, 413)] == DECAYED)

    def test_a_resonance_has_the_lineshape_of_pythia_with_the_table_s_width(self):
        """Half of a Breit-Wigner is within half a width: 14.78 MeV of the Sigma_c(2520)++.

        Limits are those of the decay table; 0.5 becomes 0.52 by them and by phase space.
        """
        decays = {**TABLE, "particles": ["Sigma_c*++"]}
        data = {"name": "pythia8", "process": "cc", "decays": decays,
                "settings": ["StringFlav:probQQtoQ = 0.8"]}  # fmt: skip
        block = make(data).generate(np.arange(15_000), 4)
        p = block.p4[np.abs(block.pdgid) == 4224]
        mass = np.sqrt(p[:, 3] ** 2 - np.sum(p[:, :3] ** 2, axis=1))
        assert len(mass) > 300
        inside = np.mean(np.abs(mass - 2.51841) < 0.5 * 0.01478)
        assert abs(inside - 0.52) < 4.0 * np.sqrt(0.25 / len(mass))
        assert np.std(mass) > 0.005

    def test_the_other_particles_stay_as_they_are(self):
        data = {"name": "pythia8", "process": "cc", "decays": TABLE}
        generator = make(data)
        made = generator._make(np.arange(50), 4)
        block = generator.generate(np.arange(50), 4)
        for i in range(50):
            before, after = made.select(i, i + 1), block.select(i, i + 1)
            n = before.n_particles
            np.testing.assert_array_equal(after.pdgid[:n], before.pdgid)
            np.testing.assert_array_equal(after.mother[:n], before.mother)
            np.testing.assert_array_equal(after.production[:n], before.production)
            np.testing.assert_allclose(after.p4[:n], before.p4, atol=1e-9)


class TestRadiation:
    """What is handed over radiates as the decay files say; what made it has done so before."""

    def test_taus_radiate(self, tmp_path):
        path = tmp_path / "radiating.dec"
        path.write_text(
            "yesPhotos\n" + (DATA / "handed.dec").read_text(encoding="utf-8"), encoding="utf-8"
        )
        files = {"decay_files": [str(path)], "final_state_radiation": "applied"}
        plain, radiated = pythia("tautau", 5000), pythia("tautau", 5000, **files)
        difference = radiated.p4.copy()
        difference[radiated.status != DECAYED] = 0.0
        has_mother = radiated.mother >= 0
        mother = radiated.mother_row[has_mother]
        np.add.at(difference, mother, -radiated.p4[has_mother])
        taus = (np.abs(radiated.pdgid) == 15) & (radiated.status == DECAYED)
        assert np.abs(difference[taus]).max() < 1e-9
        photons = (radiated.pdgid[has_mother] == 22) & taus[mother]
        mean = np.count_nonzero(photons) / np.count_nonzero(taus)
        assert 0.03 < mean < 0.05  # 0.0405 in tau -> pi nu
        for code in (15, -15, 211, -211):
            assert len(rows_of(plain, code)) == len(rows_of(radiated, code))


def one_particle(code, p4):
    """Return events of one final particle each."""
    n = len(p4)
    return EventBlock(
        event_id=np.arange(n), weight=np.ones(n), process=np.zeros(n, np.int32), beam=p4,
        vertex=np.zeros((n, 3)), offsets=np.arange(n + 1), pdgid=np.full(n, code, np.int32),
        mother=np.full(n, -1, np.int32), status=np.full(n, FINAL, np.int8), p4=p4,
        production=np.zeros((n, 4)),
    )  # fmt: skip


class TestHepMC:
    def read(self, block, folder, seed=4, **decays):
        path = folder / "events.hepmc3"
        write_hepmc([block], path, lambda _: None)
        data = {"name": "hepmc", "files": [str(path)], "decays": {**TABLE, **decays}}
        return make(data).generate(np.arange(len(block)), seed)

    def test_an_upsilon_of_the_beams_is_polarised(self, tmp_path):
        """V -> P P of J_z = +-1: sin^2(theta) to the beams, here for D0 anti-D0."""
        beams = load_beams("belle2")
        total = np.tile(beams.total(), (2000, 1))
        block = self.read(one_particle(300553, total), tmp_path)
        p = boosted(block.p4[rows_of(block, 421, 300553)], total)
        cosine = unit(p) @ beams.axis()
        assert kstest(cosine, lambda c: 0.25 * (2 + 3 * c - c**3)).pvalue > 1e-3
        assert np.count_nonzero(np.abs(block.pdgid) == 421) == 4000

    def test_single_mesons_mix(self, tmp_path):
        """B0 of a file turn with the probability x^2 / (2 (1 + x^2)), at times of their own."""
        text = (
            "Define dm_incohMix_B0 0.507e12\nDecay B0\n1.0 D- mu+ nu_mu PHSP;\nEnddecay\n"
            "CDecay anti-B0\n"
        )
        path = tmp_path / "mixing.dec"
        path.write_text(text, encoding="utf-8")
        n, own = 4000, particle_table().by_name("B0")
        p = np.tile([0.3, -2.0, 7.0, 0.0], (n, 1))
        p[:, 3] = np.sqrt(np.sum(p[:, :3] ** 2, axis=1) + own.mass**2)
        block = self.read(one_particle(511, p), tmp_path, decay_files=[str(path)])
        x = 0.507e12 * own.ctau / 2.99792458e11
        turned = rows_of(block, -511, 511)
        assert binomtest(len(turned), n, x**2 / (2 * (1 + x**2))).pvalue > 1e-3
        charm = rows_of(block, 411, -511)
        assert len(charm) == len(turned)
        time = block.production[turned, 3] * own.mass / p[0, 3]
        assert time.mean() > 1.5 * own.ctau  # those that turn live longer: they need the time

    def test_the_seed_is_that_of_the_decays(self, tmp_path):
        p4 = np.tile([0.0, 0.0, 3.0, np.hypot(3.0, 1.86484)], (5, 1))
        a, b, c = (self.read(one_particle(421, p4), tmp_path, seed) for seed in (1, 1, 2))
        np.testing.assert_array_equal(a.p4, b.p4)
        assert not np.isin(c.production[c.mother == 0], a.production[a.mother == 0]).all()

    def test_what_has_decayed_in_the_file_stays(self, tmp_path):
        p4 = np.tile([0.0, 0.0, 3.0, np.hypot(3.0, 1.86484)], (5, 1))
        block = self.read(one_particle(421, p4), tmp_path)
        again = self.read(replace(block, weight=np.ones(5)), tmp_path, 7)
        np.testing.assert_array_equal(again.pdgid, block.pdgid)
        np.testing.assert_allclose(again.p4, block.p4, atol=1e-12)

    def test_a_mass_that_is_not_that_of_the_table_is_named(self, tmp_path):
        p4 = np.tile([0.0, 0.0, 3.0, np.hypot(3.0, 1.96)], (2, 1))
        with pytest.raises(
            RunError, match=r"event 0: D0 has a mass of 1\.96000 GeV; .* 1\.86283 to"
        ):
            self.read(one_particle(421, p4), tmp_path)

    def test_a_mass_a_little_off_becomes_that_of_the_table(self, tmp_path):
        """PDG masses differ from year to year: momenta stay, energies follow."""
        p4 = np.tile([0.0, 0.0, 3.0, np.hypot(3.0, 1.8655)], (2, 1))
        block = self.read(one_particle(421, p4), tmp_path)
        np.testing.assert_allclose(block.p4[block.mother < 0, 3], np.hypot(3.0, 1.86483), rtol=1e-9)


CHARGED = """
Decay B+
1.0 anti-D0 pi+ PHSP;
Enddecay
CDecay B-
Decay D0
1.0 K- pi+ PHSP;
Enddecay
CDecay anti-D0
"""


@pytest.fixture(scope="module")
def charged_pairs(tmp_path_factory):
    file = tmp_path_factory.mktemp("pairs") / "b.dec"
    file.write_text(CHARGED)
    decays = {"decay_files": [str(file)], "base": None, "particles": "heavy"}
    data = {"name": "pythia8", "process": "B+B-", "decays": decays}
    return make(data).generate(np.arange(20_000), 4)


class TestChargedPairs:
    """B+ B- do not mix, and without spin each decays on its own."""

    def test_both_decay_as_the_file_says(self, charged_pairs):
        block = charged_pairs
        assert np.sum(block.pdgid == 521) == np.sum(block.pdgid == -521) == len(block)
        for code, daughters in ((521, [-421, 211]), (-521, [421, -211])):
            of = (block.mother >= 0) & (block.pdgid[block.mother_row] == code)
            assert sorted(set(block.pdgid[of].tolist())) == sorted(daughters)
            assert of.sum() == 2 * len(block)
        total = np.add.reduceat(block.p4 * (block.status == FINAL)[:, None], block.offsets[:-1])
        np.testing.assert_allclose(total, block.beam, atol=1e-6)

    def test_pairs_have_the_angle_and_the_times_of_the_upsilon(self, charged_pairs):
        """sin^2(theta) to the beams, and exponential proper times of 0.491 mm."""
        block = charged_pairs
        rows = np.flatnonzero(block.pdgid == 521)
        p = unit(boosted(block.p4[rows], block.beam[block.event_index[rows]]))
        beams = load_beams("belle2")
        electron = np.tile(beams.electron.momentum(), (len(rows), 1))
        axis = unit(boosted(electron, block.beam[block.event_index[rows]]))
        cosine = np.sum(p * axis, axis=1)
        assert kstest(cosine, lambda x: 0.5 + 0.75 * x - 0.25 * x**3).pvalue > 1e-3
        first = np.flatnonzero(block.pdgid == -421)
        path = np.linalg.norm((block.production[first] - block.production[rows])[:, :3], axis=1)
        proper = path * 5.27934 / np.linalg.norm(block.p4[rows, :3], axis=1)
        assert kstest(proper, "expon", args=(0, 0.4911)).pvalue > 1e-3


class TestRefusals:
    @pytest.mark.parametrize(
        ("data", "message"),
        [
            ({"process": "BB", "decays": {}}, "process BB cannot be left to decay files.*decfile"),
            (
                {"process": "B0B0bar", "decays": TABLE},
                "B0 mesons of process B0B0bar cannot be left",
            ),
            ({"process": "cc", "decays": {**TABLE, "particles": ["D00"]}}, "unknown particle"),
            (
                {"process": "cc", "decays": {**TABLE, "particles": ["D+"]}},
                "no decays of D\\+, D-",
            ),
            (
                {"process": "cc", "decays": {**TABLE, "particles": ["Upsilon(4S)"]}},
                "does not occur in these events",
            ),
            (
                {"process": "cc", "decays": {**TABLE, "particles": ["D0"], "keep_stable": ["D0"]}},
                "D0 is also in generator.decays.keep_stable",
            ),
            ({"process": "cc", "decays": {**TABLE, "keep_stable": ["D00"]}}, "s.keep_stable: .D00"),
            ({"process": "cc", "decays": {**TABLE, "base": "NO.DEC"}}, "generator.decays.base: "),
            ({"process": "uds", "decays": {"base": None}}, "no decays of anything heavy"),
            (
                {"process": "cc", "decays": TABLE, "forced": {"D0": ["K- pi+"]}},
                "generator.forced: decay files decay D0",
            ),
            ({"process": "tautau", "decays": {"pythia_modes": "pythi"}}, "pythia_modes"),
        ],
    )  # fmt: skip
    def test_what_cannot_be_is_named(self, data, message):
        with pytest.raises(SimgenError, match=message):
            make({"name": "pythia8", **data})

    def test_keys_are_those_of_decay_files(self):
        with pytest.raises(ConfigError, match=r"unknown key 'decays.particle'. Did you mean 'part"):
            check_settings(
                {"name": "pythia8", "process": "cc", "decays": {"particle": ["D0"]}}, "test"
            )

    def test_notes_say_who_decays_what(self):
        generator = make({"name": "pythia8", "process": "cc", "decays": TABLE})
        notes = "\n".join(generator.notes())
        assert "decay files decay tau-, D*+, D0, Sigma_c*++" in notes
        assert "no decays of D+, D_s+" in notes.replace("D*0, ", "")

    def test_stable_ones_stay(self):
        block = pythia("cc", 200, particles="heavy", keep_stable=["D0", "anti-D0"])
        mesons = np.abs(block.pdgid) == 421
        assert np.count_nonzero(mesons) > 100
        assert np.all(block.status[mesons] == FINAL)
