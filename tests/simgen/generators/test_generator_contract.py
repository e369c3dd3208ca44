"""What every generator promises, over all that are installed."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from simgen.beams import load_beams
from simgen.errors import ConfigError
from simgen.events import DECAYED, FINAL, EventBlock, concatenate
from simgen.generation import generate, prepare_generation
from simgen.generators.base import check_settings, generator_names, make_generator
from simgen.io.hepmc import write_hepmc
from simgen.io.truth import read_events
from simgen.particles import particle_table

FIELDS = tuple(EventBlock.__dataclass_fields__)
EVENTS = 300
HANDED = {"decay_files": [str(Path(__file__).parents[2] / "data" / "handed.dec")], "base": None}
CASES = {
    "decfile": {"name": "decfile", "decay_files": ["ktaumu.dec"], "base": None},
    "decfile-pythia": {"name": "decfile", "base": None},
    "decfile-pool": {"name": "decfile", "base": None, "pythia_modes": "pool", "pythia_pool": 300},
    "hepmc": {"name": "hepmc"},
    "pythia8": {"name": "pythia8", "process": "cc"},
    "pythia8-pairs": {
        "name": "pythia8",
        "process": "BB",
        "forced": {"B+": ["K+ mu- tau+"], "B-": ["D0 mu- anti-nu_mu"], "tau+": ["pi+ anti-nu_tau"]},
        "settings": ["TauDecays:mode = 0"],
    },
    "pythia8-handed": {"name": "pythia8", "process": "cc", "decays": HANDED},
    "pythia8-taus": {"name": "pythia8", "process": "tautau", "decays": HANDED},
    "hepmc-handed": {"name": "hepmc", "decays": HANDED},
}
# Mesons whose hadrons may be mesons of the same kind: systems within systems, at varying masses.
PYTHIA_MODES = """
Decay Upsilon(4S)
0.5 B+ B- VSS;
0.5 B0 anti-B0 VSS;
Enddecay
Decay B+
0.2 anti-D0 pi+ PHSP;
0.4 u anti-d anti-c u PYTHIA 23;
0.4 c anti-s anti-c u PYTHIA 43;
Enddecay
CDecay B-
Decay B0
0.2 eta_c K0 PHSP;
0.3 eta_c(2S) K0 PHSP;
0.5 anti-cd_1 ud_1 PYTHIA 63;
Enddecay
CDecay anti-B0
Decay eta_c
1.0 rndmflav anti-rndmflav PYTHIA 42;
Enddecay
Decay eta_c(2S)
1.0 g g PYTHIA 91;
Enddecay
Decay J/psi
1.0 g g gamma PYTHIA 92;
Enddecay
Decay D0
1.0 K- pi+ PHSP;
Enddecay
CDecay anti-D0
Decay rho0
1.0 pi+ pi- VSS;
Enddecay
Decay pi0
1.0 gamma gamma PHSP;
Enddecay
"""


def test_every_installed_generator_is_here():
    assert {case["name"] for case in CASES.values()} == set(generator_names())


@pytest.fixture(scope="module")
def hepmc_file(tmp_path_factory):
    """Return a file of 1300 events of the decay-file generator, in which no D0 decays."""
    stable = ["D0", "anti-D0", "mu+", "mu-", "pi+", "pi-", "K+", "K-"]
    made = {**CASES["decfile"], "keep_stable": stable}
    config = {"events": 1000 + EVENTS, "detector": "belle2", "generator": made}
    path = tmp_path_factory.mktemp("hepmc") / "events.hepmc3"
    write_hepmc([prepare_generation(config).block(0, 1000 + EVENTS)], path, lambda _: None)
    return path


@pytest.fixture(scope="module")
def pythia_file(tmp_path_factory):
    """Return a decay file with PYTHIA modes."""
    path = tmp_path_factory.mktemp("modes") / "modes.dec"
    path.write_text(PYTHIA_MODES, encoding="utf-8")
    return path


@pytest.fixture(scope="module", params=CASES)
def case(request, hepmc_file, pythia_file):
    """Return settings, a generator, and events 1000 to 1299 of seed 5."""
    data = dict(CASES[request.param])
    if data["name"] == "hepmc":
        data["files"] = [str(hepmc_file)]
    if data["name"] == "decfile" and "decay_files" not in data:
        data["decay_files"] = [str(pythia_file)]
    settings = check_settings(data, "test")
    generator = make_generator(settings, load_beams("belle2"), Path())
    ids = np.arange(1000, 1000 + EVENTS)
    return SimpleNamespace(
        data=data, settings=settings, generator=generator, ids=ids,
        block=generator.generate(ids, 5),
    )  # fmt: skip


def assert_same(a, b):
    for name in FIELDS:
        np.testing.assert_array_equal(getattr(a, name), getattr(b, name), err_msg=name)


class TestKeys:
    def test_an_event_alone_is_the_same(self, case):
        for i in (0, 7, EVENTS - 1):
            assert_same(
                case.generator.generate(case.ids[i : i + 1], 5), case.block.select(i, i + 1)
            )

    def test_a_new_generator_makes_the_same_in_other_portions(self, case):
        again = make_generator(case.settings, load_beams("belle2"), Path())
        parts = [again.generate(case.ids[i : i + 77], 5) for i in range(0, EVENTS, 77)]
        assert_same(concatenate(parts), case.block)

    def test_seeds_and_numbers_give_different_events(self, case):
        if case.generator.available() is not None:
            pytest.skip("events that are read do not depend on the seed")
        other = case.generator.generate(case.ids[:20], 6)
        assert not np.isin(other.p4[other.mother == 0, 0], case.block.p4[:, 0]).any()
        first = case.block.p4[case.block.mother == 0, 0]
        assert len(np.unique(first)) > 0.4 * len(first)

    def test_threads_at_once_make_the_same(self, case):
        portions = np.array_split(case.ids, 2)
        with ThreadPoolExecutor(2) as pool:
            parts = list(pool.map(lambda ids: case.generator.generate(ids, 5), portions))
        assert_same(concatenate(parts), case.block)


class TestRecord:
    def test_event_numbers_and_types(self, case):
        block = case.block
        np.testing.assert_array_equal(block.event_id, case.ids)
        assert np.all(block.weight == 1.0)
        for name in FIELDS:
            stored = getattr(EventBlock.from_columns(block.columns()), name)
            assert getattr(block, name).dtype == stored.dtype
        assert set(np.unique(block.status)) == {FINAL, DECAYED}

    def test_mothers_stand_before_daughters_and_siblings_side_by_side(self, case):
        block = case.block
        root = np.arange(block.n_particles) == np.repeat(block.offsets[:-1], np.diff(block.offsets))
        np.testing.assert_array_equal(block.mother < 0, root)
        assert np.all(block.mother_row[~root] < np.flatnonzero(~root))
        # as many runs of one mother as there are particles with daughters
        runs = 1 + np.count_nonzero(np.diff(block.mother_row[~root]))
        assert runs <= np.count_nonzero(block.status == DECAYED)
        assert runs == len(np.unique(block.mother_row[~root]))

    def test_those_that_decayed_are_those_with_daughters(self, case):
        block = case.block
        has_daughters = np.zeros(block.n_particles, bool)
        has_daughters[block.mother_row[block.mother >= 0]] = True
        np.testing.assert_array_equal(block.status == DECAYED, has_daughters)

    def test_every_decay_conserves_four_momentum(self, case):
        block = case.block
        total = np.zeros((block.n_particles, 4))
        daughters = block.mother >= 0
        np.add.at(total, block.mother_row[daughters], block.p4[daughters])
        decayed = block.status == DECAYED
        np.testing.assert_allclose(total[decayed], block.p4[decayed], rtol=0, atol=1e-8)

    def test_charge_is_conserved(self, case):
        block, table = case.block, particle_table()
        final = block.status == FINAL
        charge = np.array([table.by_pdgid(i).charge3 for i in block.pdgid[final]])
        assert not np.bincount(block.event_index[final], charge, EVENTS).any()

    def test_the_root_is_the_beams_at_the_primary_vertex(self, case):
        block = case.block
        root = block.offsets[:-1]
        np.testing.assert_allclose(block.p4[root], block.beam, rtol=1e-12)
        np.testing.assert_array_equal(block.production[root, :3], block.vertex)
        np.testing.assert_array_equal(block.production[root, 3], 0.0)

    def test_time_runs_forward(self, case):
        block = case.block
        has_mother = block.mother >= 0
        step = block.production[has_mother] - block.production[block.mother_row[has_mother]]
        assert np.all(step[:, 3] >= -1e-9)
        assert np.all(np.linalg.norm(step[:, :3], axis=1) <= step[:, 3] * (1 + 1e-9) + 1e-9)

    def test_collisions_are_those_of_the_beams(self, case):
        beams = load_beams("belle2")
        beam = case.block.beam
        sqrt_s = np.sqrt(beam[:, 3] ** 2 - np.sum(beam[:, :3] ** 2, axis=1))
        error = beams.sqrt_s_spread / np.sqrt(EVENTS)
        assert abs(sqrt_s.mean() - beams.sqrt_s()) < 5 * error
        assert abs(sqrt_s.std() / beams.sqrt_s_spread - 1) < 5 / np.sqrt(2 * EVENTS)


class TestDescription:
    def test_says_how_large_events_are(self, case):
        mean = case.block.n_particles / EVENTS
        assert case.generator.particles_per_event() == pytest.approx(mean, rel=0.2)

    def test_notes_problems_and_provenance_are_plain(self, case):
        assert all(isinstance(n, str) for n in case.generator.notes())
        assert case.generator.problems() == ()
        assert case.generator.provenance()

    def test_unknown_settings_are_refused_by_name(self, case):
        with pytest.raises(ConfigError, match="unknown key 'colour'"):
            check_settings({**case.data, "colour": 3}, "test")


class TestFiles:
    def test_neither_workers_nor_shards_change_an_event(self, case, tmp_path):
        config = {"events": 60, "seed": 5, "first_event": 1000, "detector": "belle2",
                  "generator": case.data, "output": {"events_per_shard": 60}}  # fmt: skip
        one = generate(config, tmp_path / "one", workers=1)
        two = generate(config, tmp_path / "two", workers=2)
        assert (one / "part-00000.h5").read_bytes() == (two / "part-00000.h5").read_bytes()
        small = generate({**config, "output": {"events_per_shard": 17}}, tmp_path / "s", workers=4)
        for folder in (one, small):
            assert_same(read_events(folder), case.block.select(0, 60))

    def test_the_configuration_in_the_header_makes_them_again(self, case):
        config = {"events": 20, "seed": 5, "first_event": 1000, "detector": "belle2",
                  "generator": case.data}  # fmt: skip
        first = prepare_generation(config)
        again = prepare_generation(first.resolved)
        assert again.resolved == first.resolved
        assert_same(again.block(1000, 20), case.block.select(0, 20))
