"""PYTHIA modes of decay files: against Pythia alone, against measurements, and what goes wrong."""

from __future__ import annotations

import sys
from collections import Counter, defaultdict
from pathlib import Path

import numpy as np
import pytest
from chains import P_MIN, make_generator
from scipy.stats import chi2_contingency, kstest

from simgen.beams import load_beams
from simgen.decfile import describe_decays, find_reach, load_decay_table
from simgen.errors import ConfigError, DecayFileError, MissingPackageError
from simgen.events import FINAL
from simgen.generators.base import check_settings
from simgen.generators.decfile import DecayFileGenerator, DecayFileSettings
from simgen.particles import particle_table
from simgen.pythia.fragmentation import (
    SETTINGS,
    FragmentationJob,
    Fragmenter,
    Mode,
    Requests,
    _feed,
    stand_ins,
)
from simgen.pythia.keyed import TABLE_SIZE, KeyedRandom
from simgen.random import Stage

N = 20_000
B_MASS = 5.27934
# quarks, what is asked of Pythia, and the smallest number of hadrons that may come
CHANNELS = {
    "u anti-d anti-c u PYTHIA 23": ((2, -1, -4, 2), 23, 3),
    "c anti-s anti-c u PYTHIA 43": ((4, -3, -4, 2), 43, 3),
    "anti-cd_1 uu_1 PYTHIA 63": ((-4103, 2203), 63, 3),
    "anti-s u PYTHIA 91": ((-3, 2), 91, 2),
    "e+ nu_e u anti-u PYTHIA 22": ((-11, 12, 2, -2), 22, 3),
}


def decay_file(channel, *others, parent="B+"):
    """Return a decay file where a particle decays by one PYTHIA mode, and by others."""
    lines = "\n".join(others)
    return f"Decay {parent}\n1.0 {channel};\n{lines}\nEnddecay\n"


def systems(block):
    """Return the sorted PDG numbers of each event's particles but the root."""
    return [
        tuple(sorted(block.pdgid[a + 1 : b].tolist()))
        for a, b in zip(block.offsets[:-1], block.offsets[1:], strict=True)
    ]


def bare_pythia(products, me_mode, data=(), hooks=None):
    """Return a Pythia in which the B+ itself has one decay, as its manual says to set it up."""
    import pythia8mc

    pythia = pythia8mc.Pythia("", False)
    for line in ("Print:quiet = on", "Print:errors = off", "ParticleDecays:mixB = off", *SETTINGS):
        pythia.readString(line)
    code = pythia.particleData.nextId(1)
    while code:
        pythia.particleData.mayDecay(code, False)
        code = pythia.particleData.nextId(code)
    for code, mass, width, low, high in data:
        pythia.particleData.m0(code, mass)
        pythia.particleData.mWidth(code, width)
        pythia.particleData.mMin(code, low)
        pythia.particleData.mMax(code, high)
    pythia.readString(f"521:oneChannel = 1 1.0 {me_mode} {' '.join(map(str, products))}")
    pythia.readString("521:mayDecay = on")
    pythia.readString("521:tau0 = 0.0")
    if hooks is not None:
        pythia.setUserHooksPtr(hooks)
    pythia.init()
    return pythia


def bare_systems(pythia, n):
    """Return the final particles of n decays of a B+ at rest: numbers, and momenta."""
    numbers, momenta = [], []
    for _ in range(n):
        pythia.event.reset()
        pythia.event.append(521, 1, 0, 0, 0.0, 0.0, 0.0, B_MASS, B_MASS)
        assert pythia.next()
        final = [p for p in pythia.event if p.isFinal()]
        numbers.append([p.id() for p in final])
        momenta.append([(p.px(), p.py(), p.pz()) for p in final])
    return numbers, momenta


def assert_same_composition(a, b):
    """Compare how often systems occur: the frequent ones, and all others together."""
    counts = Counter(a), Counter(b)
    frequent = [s for s, n in (counts[0] + counts[1]).most_common(200) if n >= 20]
    rows = [[c[s] for s in frequent] + [len(x) - sum(c[s] for s in frequent)]
            for c, x in zip(counts, (a, b), strict=True)]  # fmt: skip
    table = np.array(rows)
    assert chi2_contingency(table[:, table.sum(axis=0) > 0]).pvalue > P_MIN


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Return a generator and events of each channel, a system made for each decay."""
    found = {}
    for i, channel in enumerate(CHANNELS):
        folder = tmp_path_factory.mktemp(f"made{i}")
        generator = make_generator(folder, decay_file(channel), root="B+", mass=B_MASS)
        found[channel] = generator, generator.generate(np.arange(N), 1)
    return found


class TestSystems:
    @pytest.mark.parametrize("channel", CHANNELS)
    def test_momentum_mass_and_charge_are_those_of_what_decays(self, made, channel):
        _, block = made[channel]
        own = block.mother == 0
        total = np.zeros((N, 4))
        np.add.at(total, block.event_index[own], block.p4[own])
        np.testing.assert_allclose(total, block.beam, atol=1e-13)
        sizes = np.diff(block.offsets) - 1
        assert sizes.min() >= CHANNELS[channel][2]
        fixed = channel.endswith(("63", "22"))
        assert fixed == (sizes.max() == CHANNELS[channel][2])

    @pytest.mark.parametrize("channel", CHANNELS)
    def test_systems_of_a_stand_in_are_those_of_the_particle_itself(self, made, channel):
        """The same random numbers give the same decay, whatever it is that decays."""
        products, me_mode, _ = CHANNELS[channel]
        hadrons = made[channel][0]._modes._job.hadrons
        job = FragmentationJob((), hadrons, (Mode("", products, me_mode, frozenset()),))
        n = 200
        tables = np.random.default_rng(3).random((n, TABLE_SIZE))
        fragmenter = Fragmenter(job)
        hooks = _feed()
        pythia = bare_pythia(products, me_mode, hadrons, hooks)
        hooks.random, hooks.event = KeyedRandom(pythia), pythia.event
        found = []
        for feed, made_by, code in (
            (fragmenter._hooks, fragmenter._pythia, stand_ins(1)[0]), (hooks, pythia, 521)
        ):  # fmt: skip
            feed.load(tables, np.full(n, code), np.full(n, B_MASS))
            found.append(fragmenter._hadrons.read(made_by.nextBatch(n, "none")))
        for name in ("offsets", "pdgid", "mass", "momentum"):
            np.testing.assert_array_equal(getattr(found[0], name), getattr(found[1], name))

    def test_an_antiparticle_decays_to_the_conjugates(self, made):
        fragmenter = Fragmenter(made["u anti-d anti-c u PYTHIA 23"][0]._modes._job)
        n = 100
        zeros = np.zeros(n, np.int64)
        both = [
            fragmenter.work(
                Requests(zeros, np.full(n, anti), np.full(n, B_MASS), np.arange(n), zeros),
                1, int(Stage.FRAGMENT),
            )
            for anti in (False, True)
        ]  # fmt: skip
        np.testing.assert_array_equal(both[0].momentum, both[1].momentum)
        import pythia8mc

        data = pythia8mc.Pythia("", False).particleData
        np.testing.assert_array_equal([data.antiId(int(c)) for c in both[0].pdgid], both[1].pdgid)

    @pytest.mark.parametrize("channel", list(CHANNELS)[:3])
    def test_composition_and_spectra_are_those_of_pythia(self, made, channel):
        generator, block = made[channel]
        products, me_mode, _ = CHANNELS[channel]
        hadrons = generator._modes._job.hadrons
        numbers, momenta = bare_systems(bare_pythia(products, me_mode, hadrons), 4000)
        assert_same_composition(systems(block), [tuple(sorted(each)) for each in numbers])
        of_pions = np.linalg.norm(block.p4[block.pdgid == 211, :3], axis=1)
        theirs = np.concatenate(momenta)[np.concatenate(numbers) == 211]
        assert kstest(of_pions, np.linalg.norm(theirs, axis=1)).pvalue > P_MIN

    def test_masses_that_vary_are_kept(self, tmp_path):
        text = ("Decay B0\n1.0 eta_c(2S) K0 PHSP;\nEnddecay\n"
                "Decay eta_c(2S)\n1.0 rndmflav anti-rndmflav PYTHIA 42;\nEnddecay\n")  # fmt: skip
        block = make_generator(tmp_path, text, root="B0", mass=5.27965).generate(np.arange(2000), 1)
        rows = np.flatnonzero(block.pdgid == 100441)
        mass = np.sqrt(block.p4[rows, 3] ** 2 - (block.p4[rows, :3] ** 2).sum(axis=1))
        assert mass.std() > 0.005
        total = np.zeros((block.n_particles, 4))
        below = block.mother >= 0
        np.add.at(total, block.mother_row[below], block.p4[below])
        np.testing.assert_allclose(total[rows], block.p4[rows], atol=1e-12)

    def test_a_mass_beyond_that_of_the_table_opens_heavier_hadrons(self, tmp_path):
        """X_u weighs 1 GeV in the table and more than 2.5 GeV here: it can make two baryons."""
        text = """
        Decay B+
        1.0 Xu0 e+ nu_e VUB 4.8 1.29 0.22 2 0.3 0.0 2.5 1.0;
        Enddecay
        Decay Xu0
        1.0 u anti-u PYTHIA 42;
        Enddecay
        """
        generator = make_generator(tmp_path, text, root="B+", mass=B_MASS)
        block = generator.generate(np.arange(N // 2), 1)
        assert np.isin(block.pdgid, [1114, 2224]).sum() >= 5
        total = np.add.reduceat(block.p4 * (block.status == FINAL)[:, None], block.offsets[:-1])
        np.testing.assert_allclose(total, block.p4[block.offsets[:-1]], atol=1e-9)


class TestPool:
    @pytest.mark.parametrize("channel", list(CHANNELS)[:3])
    def test_is_not_told_from_new_systems(self, made, channel, tmp_path):
        """The pool holds as many systems as there are events: its own spread is theirs."""
        generator = make_generator(
            tmp_path, decay_file(channel), root="B+", mass=B_MASS, pythia_modes="pool",
            pythia_pool=N,
        )  # fmt: skip
        (use,) = generator.decays.system_uses
        assert use.in_pool == N
        block, new = generator.generate(np.arange(N), 2), made[channel][1]
        # drawn with replacement from a sample, counts vary twice as much: compare half as many
        assert_same_composition(systems(block)[: N // 4], systems(new))
        for a, b in ((block, new), (new, block)):
            p = [np.linalg.norm(x.p4[x.pdgid == 211, :3], axis=1) for x in (a, b)]
            assert kstest(p[0][: len(p[0]) // 4], p[1]).pvalue > P_MIN

    def test_systems_are_turned_at_random(self, tmp_path):
        generator = make_generator(
            tmp_path, decay_file("anti-s u PYTHIA 91"), root="B+", mass=B_MASS,
            pythia_modes="pool", pythia_pool=1,
        )  # fmt: skip
        block = generator.generate(np.arange(N), 1)
        first = block.p4[block.offsets[:-1] + 1, :3]
        second = block.p4[block.offsets[:-1] + 2, :3]
        size = np.linalg.norm(first, axis=1)
        np.testing.assert_allclose(size, size[0], rtol=1e-12)  # it is one system
        for axis in range(3):
            assert kstest(first[:, axis] / size, "uniform", (-1, 2)).pvalue > P_MIN
        # and around any of its momenta
        across = second - first * ((first * second).sum(axis=1) / size**2)[:, None]
        e = np.cross(first, [0.0, 0.0, 1.0])
        angle = np.arctan2(
            (np.cross(first, e) * across).sum(axis=1) / size, (e * across).sum(axis=1)
        )
        assert kstest(angle, "uniform", (-np.pi, 2 * np.pi)).pvalue > P_MIN

    def test_size_and_use_are_in_the_provenance_and_the_notes(self, tmp_path):
        generator = make_generator(
            tmp_path, decay_file("anti-s u PYTHIA 91"), root="B+", mass=B_MASS,
            pythia_modes="pool", pythia_pool=500,
        )  # fmt: skip
        (pool,) = generator.provenance()["pythia_modes"]["pools"]
        assert pool == {"decay": "B+ -> anti-s u PYTHIA", "systems": 500, "per_event": 1.0,
                        "used_again_per_event": 1 / 500}  # fmt: skip
        assert any("500 systems of 1 channels" in note for note in generator.notes())

    def test_conjugates_share_one(self, tmp_path):
        text = (
            decay_file("anti-s u PYTHIA 91")
            + "CDecay B-\n"
            + ("Decay Upsilon(4S)\n1.0 B+ B- VSS;\nEnddecay\n")
        )
        generator = make_generator(tmp_path, text, pythia_modes="pool", pythia_pool=400)
        pools = [generator.decays.program.tables[i] for i in range(2)]
        np.testing.assert_array_equal(pools[0][:, 1:], pools[1][:, 1:])


# Final states that are listed, as 0 or a little, by other models.
EXCLUDED = ("anti-D0 pi+ pi0", "anti-D0 rho+ pi0", "anti-D*0 eta pi+")


@pytest.fixture(scope="module")
def without(tmp_path_factory):
    """Return events of a mode where some final states are excluded."""
    others = [f"{f} {s} PHSP;" for f, s in zip(("0.0", "1e-9", "0"), EXCLUDED, strict=True)]
    text = decay_file(TestExcluded.CHANNEL, *others)
    folder = tmp_path_factory.mktemp("excluded")
    return make_generator(folder, text, root="B+", mass=B_MASS).generate(np.arange(N), 1)


class TestExcluded:
    CHANNEL = "u anti-d anti-c u PYTHIA 23"
    CODES = ((-421, 111, 211), (-421, 111, 213), (-423, 211, 221))

    def test_states_that_are_listed_are_not_made(self, without, made):
        free, found = (Counter(systems(x)) for x in (made[self.CHANNEL][1], without))
        for state in self.CODES:
            assert free[tuple(sorted(state))] > 20
            assert found[tuple(sorted(state))] == 0

    def test_all_others_keep_their_proportions(self, without, made):
        listed = {tuple(sorted(state)) for state in self.CODES}
        others = [s for s in systems(made[self.CHANNEL][1]) if s not in listed]
        assert_same_composition(systems(without), others)

    def test_fraction_zero_is_kept_through_conjugation(self, tmp_path):
        path = tmp_path / "zero.dec"
        path.write_text("Decay B+\n1.0 anti-s u PYTHIA 91;\n0.0 K+ pi0 SVS;\nEnddecay\nCDecay B-\n")
        table = load_decay_table([path], None)
        assert table.excluded["B+"] == {("K+", "pi0")}
        assert table.excluded["B-"] == {("K-", "pi0")}
        assert len(table.channels["B-"]) == 1

    def test_nothing_left_is_an_error_with_its_line(self, tmp_path):
        text = "Particle B+ 0.7 0.0\n" + decay_file(
            "anti-s u PYTHIA 62", "0.0 K+ pi0 PHSP;", "0.0 K0 pi+ PHSP;"
        )
        with pytest.raises(DecayFileError, match=r"chain.dec:3: B\+ -> anti-s u PYTHIA"):
            make_generator(tmp_path, text, root="B+", mass=0.7)


class TestAsked:
    TEXT = decay_file("u anti-d anti-c u PYTHIA 23")

    def test_phase_space_on_request_is_listed(self, tmp_path):
        generator = make_generator(
            tmp_path, self.TEXT, root="B+", mass=B_MASS, pythia_modes="phase_space"
        )
        assert set(generator.generate(np.arange(10), 1).pdgid.tolist()) == {521, 2, -1, -4}
        assert any("PYTHIA is not wanted" in note for note in generator.notes())
        (listed,) = generator.provenance()["phase_space_instead"]
        assert listed["model"] == "PYTHIA"

    def test_without_pythia_the_modes_are_named_before_a_run(self, tmp_path, monkeypatch):
        monkeypatch.setitem(sys.modules, "pythia8mc", None)
        with pytest.raises(MissingPackageError) as caught:
            make_generator(tmp_path, self.TEXT, root="B+", mass=B_MASS)
        message = str(caught.value)
        assert "pip install 'simgen[pythia]', in a checkout pip install '.[pythia]'" in message
        assert "chain.dec:2: B+ -> u anti-d anti-c u PYTHIA (1 per event)" in message
        assert "pythia_modes: phase_space" in message

    def test_without_pythia_what_needs_none_goes_on(self, tmp_path, monkeypatch):
        monkeypatch.setitem(sys.modules, "pythia8mc", None)
        text = self.TEXT + "Decay B-\n1.0 K- pi0 PHSP;\nEnddecay\n"
        make_generator(tmp_path, text, root="B-", mass=B_MASS)
        text = self.TEXT + "Decay B*+\n1.0 B+ gamma PHSP;\nEnddecay\n"
        make_generator(tmp_path, text, root="B*+", mass=5.3248, keep_stable=("B+",))

    def test_the_report_knows_what_pythia_does(self, tmp_path, monkeypatch):
        path = tmp_path / "chain.dec"
        path.write_text(self.TEXT)
        assert describe_decays([path], None, "B+").implemented_events == 1.0
        monkeypatch.setitem(sys.modules, "pythia8mc", None)
        report = describe_decays([path], None, "B+")
        assert report.implemented_events == 0.0
        assert any("pip install" in d.message for d in report.diagnostics)

    @pytest.mark.parametrize(
        ("channel", "text"),
        [
            ("u anti-d anti-c u PYTHIA some", "a number is expected after PYTHIA, found 'some'"),
            ("f_0(1500) K+ PYTHIA 23", r"Pythia has no particle f_0\(1500\)"),
            ("f_0(1500) u anti-s PYTHIA 0", r"Pythia has no particle f_0\(1500\)"),
        ],
    )
    def test_what_pythia_cannot_do_is_named_with_its_line(self, tmp_path, channel, text):
        with pytest.raises(DecayFileError, match=f"chain.dec:2: .*{text}"):
            make_generator(tmp_path, decay_file(channel), root="B+", mass=B_MASS)

    @pytest.mark.parametrize(("number", "policy"), [(0, "error"), (23, "phsp")])
    def test_what_pythia_does_not_know_can_be_phase_space(self, tmp_path, number, policy):
        generator = make_generator(
            tmp_path, decay_file(f"f_0(1500) K+ PYTHIA {number}"), root="B+", mass=B_MASS,
            unsupported_models=policy,
        )  # fmt: skip
        assert generator.generate(np.arange(10), 1).n_particles >= 30
        assert any("beyond Pythia's particles" in note for note in generator.notes())

    def test_two_names_of_one_particle(self, tmp_path):
        text = "Alias MyK K+\n" + decay_file("MyK K+ K- PYTHIA 0")
        with pytest.raises(DecayFileError, match="Pythia does not tell MyK from K\\+"):
            make_generator(tmp_path, text, root="B+", mass=B_MASS)

    def test_names_of_particles_that_are_listed_are_kept(self, tmp_path):
        text = ("Alias MyD anti-D0\n" + decay_file("MyD e+ nu_e PYTHIA 22")
                + "Decay MyD\n1.0 K+ pi- PHSP;\nEnddecay\n")  # fmt: skip
        block = make_generator(tmp_path, text, root="B+", mass=B_MASS).generate(np.arange(10), 1)
        assert (block.pdgid == 321).sum() == 10

    @pytest.mark.parametrize(
        ("setting", "text"),
        [
            ({"pythia_modes": "pythi"}, "pythia_modes"),
            ({"pythia_pool": 0}, "pythia_pool"),
            ({"pythia_pool_seed": -1}, "pythia_pool_seed"),
        ],
    )
    def test_bad_settings(self, setting, text):
        with pytest.raises(ConfigError, match=text):
            check_settings({"name": "decfile", **setting}, "test")

    def test_a_setting_of_the_decay_file_that_pythia_lacks(self, tmp_path):
        text = "PythiaBothParam ParticleDecays:multIncreas=3.0\n" + self.TEXT
        with pytest.raises(ConfigError, match=r"multIncreas.*Did you mean"):
            make_generator(tmp_path, text, root="B+", mass=B_MASS)

    def test_a_setting_that_is_ours_is_named_and_not_used(self, tmp_path):
        """DECAY_LHCB.DEC says what is to be printed."""
        text = "PythiaBothParam Init:showChangedSettings=off\n" + self.TEXT
        generator = make_generator(tmp_path, text, root="B+", mass=B_MASS)
        assert "Init:showChangedSettings: not used for PYTHIA modes" in generator.notes()

    def test_a_setting_of_the_decay_file_acts(self, made, tmp_path):
        text = "PythiaBothParam ParticleDecays:multIncreaseWeak=4.0\n" + self.TEXT
        block = make_generator(tmp_path, text, root="B+", mass=B_MASS).generate(np.arange(2000), 1)
        few = made["u anti-d anti-c u PYTHIA 23"][1]
        assert block.n_particles / 2000 > 1.0 + few.n_particles / N


@pytest.fixture(scope="module", params=["pythia", "pool"])
def generic(request):
    """Return 20 000 generic events."""
    settings = DecayFileSettings(
        unsupported_models="phsp", pythia_modes=request.param, pythia_pool=5000
    )
    generator = DecayFileGenerator(settings, load_beams("belle2"), Path())
    return generator.generate(np.arange(20_000), 1)


@pytest.fixture(scope="module")
def quarks():
    """Return generic events with the quarks of PYTHIA modes left as the file lists them."""
    settings = DecayFileSettings(unsupported_models="phsp", pythia_modes="phase_space")
    generator = DecayFileGenerator(settings, load_beams("belle2"), Path())
    return generator.generate(np.arange(40_000), 1)


@pytest.fixture(scope="module")
def by_fractions():
    """Return mean numbers per event by the fractions of the file alone."""
    table = load_decay_table([], "DECAY_BELLE2.DEC")
    numbers = defaultdict(float)
    for name, mean in find_reach(table, "Upsilon(4S)").expected.items():
        real = particle_table().by_name(table.aliases.get(name, name))
        numbers[abs(real.pdgid)] += mean
    return numbers


@pytest.mark.parametrize(
    "code",
    [511, 521, 421, 411, 423, 413, 431, 443, 100443, 321, 310, 4122, 2212, 333, 15, 10423,
     20423, 223, 221, 113, 323, 313],
)  # fmt: skip
def test_particles_are_as_many_as_the_fractions_say(quarks, by_fractions, code):
    """Four standard errors, from 0.6 % for D0 on."""
    number = np.bincount(quarks.event_index[np.abs(quarks.pdgid) == code], minlength=len(quarks))
    error = number.std() / np.sqrt(len(quarks))
    assert abs(number.mean() - by_fractions[code]) < 4 * error


class TestGenericEvents:
    def charged(self, block):
        """Return how many charged particles each event has, those of K_S and Lambda included."""
        seen = (block.status == FINAL) & np.isin(np.abs(block.pdgid), [11, 13, 211, 321, 2212])
        return np.bincount(block.event_index[seen], minlength=len(block))

    def semileptonic(self, block):
        """Return how many B of each event decay to e or mu directly, -1 without two B."""
        code = np.abs(block.pdgid)
        of_b = (block.mother >= 0) & np.isin(code[block.mother_row], [511, 521])
        leptons = np.bincount(block.event_index[of_b & np.isin(code, [11, 13])],
                              minlength=len(block))  # fmt: skip
        b = np.bincount(block.event_index[np.isin(code, [511, 521])], minlength=len(block))
        return np.where(b == 2, leptons, -1)

    @pytest.mark.parametrize(
        ("which", "measured", "error"), [(None, 10.71, 0.18), (0, 11.62, 0.21), (2, 7.82, 0.21)]
    )
    def test_charged_particles(self, generic, which, measured, error):
        """CLEO, hep-ex/9907057: of a B pair; neither, or both, semileptonic. Two errors."""
        n = self.charged(generic)
        if which is not None:
            n = n[self.semileptonic(generic) == which]
        assert abs(n.mean() - measured) < 2 * error

    @pytest.mark.parametrize(
        ("code", "measured", "error", "model"),
        [
            (421, 0.646, 0.020, 0.06),
            (411, 0.233, 0.012, 0.27),
            (423, 0.260, 0.027, 0.0),
            (413, 0.225, 0.015, 0.10),
            (431, 0.1063, 0.0065, 0.30),
            (443, 0.01094, 0.00032, 0.15),
            (321, 0.789, 0.025, 0.0),
            (310, 0.320, 0.019, 0.12),  # half of K0
            (111, 2.35, 0.11, 0.02),
            (221, 0.176, 0.016, 0.23),
            (113, 0.208, 0.053, 0.0),
            (333, 0.0343, 0.0012, 0.0),
            (4122, 0.0353, 0.0034, 0.12),
            (2212, 0.0802, 0.0043, 0.27),
            (3122, 0.0398, 0.0053, 0.0),
        ],
    )
    def test_inclusive_rates(self, generic, code, measured, error, model):
        """Per B, antiparticles included: B+/B0 admixture, PDG 2026 (S049), two errors.

        `model` is by how much more the decay table and Pythia are off, see docs/generators.md.
        """
        n = (np.abs(generic.pdgid) == code).sum()
        found, own_error = n / (2 * len(generic)), np.sqrt(n) / (2 * len(generic))
        assert abs(found - measured) < 2 * np.hypot(error, own_error) + model * measured

    def test_what_has_no_decay_of_its_own(self, generic):
        """Of short-lived particles these are left; the mode of Omega_c0 in the file is empty."""
        codes, counts = np.unique(
            np.abs(generic.pdgid[generic.status == FINAL]), return_counts=True
        )
        final = dict(zip(codes.tolist(), counts.tolist(), strict=True))
        stable = {11, 12, 13, 14, 16, 22, 130, 211, 321, 2112, 2212}
        assert final.keys() <= stable | {4332, 100221}
        assert final.get(4332, 0) < 2e-3 * len(generic)
        assert final.get(100221, 0) < 5e-4 * len(generic)

    def test_the_table_of_lhcb_runs(self):
        """It has settings for printing, and a state that Pythia does not know."""
        settings = DecayFileSettings(base="DECAY_LHCB.DEC")
        generator = DecayFileGenerator(settings, load_beams("belle2"), Path())
        block = generator.generate(np.arange(2000), 1)
        total = np.add.reduceat(block.p4 * (block.status == FINAL)[:, None], block.offsets[:-1])
        np.testing.assert_allclose(total, block.p4[block.offsets[:-1]], atol=1e-9)
        assert any("Upsilon_3(1D) PYTHIA" in note for note in generator.notes())

    def test_no_partons_are_left(self, generic):
        code = np.abs(generic.pdgid[generic.status == FINAL])
        assert not np.any((code <= 8) | (code == 21) | ((code > 1000) & (code // 10 % 10 == 0)
                                                        & (code < 10_000)))  # fmt: skip
