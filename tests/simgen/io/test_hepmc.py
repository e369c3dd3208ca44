"""HepMC in and out: nothing lost, nothing half read."""

from __future__ import annotations

import gzip

import numpy as np
import pyhepmc
import pytest

from simgen.errors import ConfigError, FileFormatError, RunError
from simgen.events import DECAYED, FINAL, EventBlock
from simgen.generation import generate, prepare_generation
from simgen.io.hepmc import HepMCEvents, to_events, write_hepmc
from simgen.io.truth import read_events

CONFIG = {
    "events": 30,
    "detector": "belle2",
    "generator": {"name": "decfile", "decay_files": ["ktaumu.dec"], "base": None},
}


@pytest.fixture(scope="module")
def events():
    return prepare_generation(CONFIG).block(0, 30)


def write(events, path):
    write_hepmc([events.select(0, 12), events.select(12, 30)], path, lambda _: None)
    return path


def config(*paths, **changes):
    generator = {"name": "hepmc", "files": [str(p) for p in paths]}
    return {"events": 30, "detector": "belle2", "generator": generator, **changes}


def assert_same(a, b):
    for name in EventBlock.__dataclass_fields__:
        np.testing.assert_array_equal(getattr(a, name), getattr(b, name), err_msg=name)


class TestRoundTrip:
    @pytest.mark.parametrize("name", ["e.hepmc3", "e.hepmc3.gz"])
    def test_every_bit_comes_back(self, events, tmp_path, name):
        path = write(events, tmp_path / name)
        assert_same(read_events(generate(config(path), tmp_path / "out")), events)

    def test_several_files_follow_each_other(self, events, tmp_path):
        parts = []
        for i, (a, b) in enumerate([(0, 7), (7, 8), (8, 30)]):
            path = tmp_path / f"{i}.hepmc3"
            write_hepmc([events.select(a, b)], path, lambda _: None)
            parts.append(path)
        assert_same(prepare_generation(config(*parts)).block(0, 30), events)

    def test_weights_and_processes_come_back(self, events, tmp_path):
        block = events.select(0, 3)
        weight, process = np.array([0.25, 2.0, -1.0]), np.array([4, 0, 521], np.int32)
        columns = {n: getattr(block, n) for n in EventBlock.__dataclass_fields__}
        changed = EventBlock(**{**columns, "weight": weight, "process": process})
        path = tmp_path / "w.hepmc3"
        write_hepmc([changed], path, lambda _: None)
        assert_same(to_events(HepMCEvents(path).read(0, 3), np.arange(3)), changed)


def foreign_event():
    """Return e+ e- -> q qbar -> rho0 K+ K-, rho0 -> pi pi, with a copy of the K+, in MeV and cm."""
    event = pyhepmc.GenEvent(pyhepmc.Units.MEV, pyhepmc.Units.CM)

    def particle(px, e, pdgid, status):
        return pyhepmc.GenParticle((px, 0.0, 0.0, e), pdgid, status)

    beams = particle(4000.0, 7000.0, 11, 4), particle(-1000.0, 4000.0, -11, 4)
    quarks = particle(2000.0, 5000.0, 2, 23), particle(1000.0, 6000.0, -2, 23)
    rho, copied, kaon, plus = (
        particle(1500.0, 4000.0, 113, 2), particle(900.0, 3500.0, -321, 1),
        particle(600.0, 3500.0, 321, 1), particle(600.0, 3500.0, 321, 52),
    )  # fmt: skip
    pions = particle(1000.0, 2500.0, 211, 1), particle(500.0, 1500.0, -211, 1)
    for into, out, x in (
        (beams, quarks, 0.1), (quarks, (rho, copied, plus), 0.1), ((plus,), (kaon,), 0.1),
        ((rho,), pions, 0.2),
    ):  # fmt: skip
        vertex = pyhepmc.GenVertex((x, 0.0, 0.0, x))
        for p in into:
            vertex.add_particle_in(p)
        for p in out:
            vertex.add_particle_out(p)
        event.add_vertex(vertex)
    return event


class TestForeignEvents:
    @pytest.fixture(params=["hepmc3", "hepmc2"])
    def block(self, request, tmp_path):
        path = tmp_path / "foreign.hepmc"
        with pyhepmc.open(path, "w", format=request.param, precision=17) as file:
            file.write(foreign_event())
        return to_events(HepMCEvents(path).read(0, 1), np.array([0]))

    def test_hadrons_are_kept_below_a_virtual_photon(self, block):
        rho = int(np.flatnonzero(block.pdgid == 113)[0])
        assert block.pdgid[0] == 10022
        assert sorted(block.pdgid[block.mother == 0]) == [-321, 113, 321]
        assert sorted(block.pdgid[block.mother == rho]) == [-211, 211]
        assert len(block.pdgid) == 6
        np.testing.assert_array_equal(block.status == DECAYED, np.isin(block.pdgid, (10022, 113)))
        assert np.count_nonzero(block.status == FINAL) == 4

    def test_units_are_gev_and_mm(self, block):
        np.testing.assert_allclose(block.beam, [[3.0, 0.0, 0.0, 11.0]])
        np.testing.assert_allclose(block.p4[0], [3.0, 0.0, 0.0, 11.0])
        np.testing.assert_allclose(block.vertex, [[1.0, 0.0, 0.0]])
        np.testing.assert_allclose(block.production[block.pdgid == 211], [[2.0, 0.0, 0.0, 2.0]])


class TestProblems:
    @pytest.mark.parametrize("kept", [0.2, 0.55, 0.98])
    def test_a_file_cut_in_the_middle(self, events, tmp_path, kept):
        path = write(events, tmp_path / "e.hepmc3")
        data = path.read_bytes()
        path.write_bytes(data[: int(kept * len(data))])
        with pytest.raises(FileFormatError, match=r"e\.hepmc3: is cut: .* after event \d+"):
            generate(config(path), tmp_path / "out")
        assert not (tmp_path / "out").exists()

    def test_a_compressed_file_cut_in_the_middle(self, events, tmp_path):
        path = write(events, tmp_path / "e.hepmc3.gz")
        path.write_bytes(path.read_bytes()[:-2000])
        with pytest.raises(FileFormatError, match="is cut: the compressed data"):
            generate(config(path), tmp_path / "out")

    def test_an_unknown_particle_is_named_with_its_event(self, events, tmp_path):
        path = write(events, tmp_path / "e.hepmc3")
        lines = path.read_bytes().split(b"\n")
        starts = [i for i, line in enumerate(lines) if line.startswith(b"E ")]
        row = next(i for i in range(starts[4] + 5, len(lines)) if lines[i].startswith(b"P "))
        words = lines[row].split(b" ")
        lines[row] = b" ".join([*words[:3], b"9912345", *words[4:]])
        path.write_bytes(b"\n".join(lines))
        with pytest.raises(FileFormatError, match=r"event 4 .* particle 9912345 is not known"):
            generate(config(path), tmp_path / "out")
        assert not (tmp_path / "out").exists()

    def test_a_damaged_event_is_named_and_nothing_is_half_written(self, events, tmp_path):
        path = write(events, tmp_path / "e.hepmc3")
        lines = path.read_bytes().split(b"\n")
        starts = [i for i, line in enumerate(lines) if line.startswith(b"E ")]
        del lines[starts[21] + 4]
        path.write_bytes(b"\n".join(lines))
        with pytest.raises(RunError, match=r"e\.hepmc3: event 21 .* cannot be read"):
            generate(config(path), tmp_path / "out")
        assert not list((tmp_path / "out").glob("part-*"))

    @pytest.mark.parametrize(
        ("data", "message"), [(b"", "is empty"), (b"E 1 2 3\n", "is not a HepMC file")]
    )
    def test_other_files(self, tmp_path, data, message):
        path = tmp_path / "x.hepmc"
        path.write_bytes(data)
        with pytest.raises(FileFormatError, match=message):
            generate(config(path), tmp_path / "out")

    def test_a_file_that_is_not_there(self, tmp_path):
        with pytest.raises(ConfigError, match="there is no file"):
            generate(config(tmp_path / "none.hepmc"), tmp_path / "out")

    def test_more_events_than_there_are(self, events, tmp_path):
        path = write(events, tmp_path / "e.hepmc3")
        with pytest.raises(
            ConfigError, match="events 20 to 49 are asked for; the generator has 30"
        ):
            generate(config(path, first_event=20), tmp_path / "out")

    def test_gzip_is_the_same_every_time(self, events, tmp_path):
        a, b = (write(events, tmp_path / name) for name in ("a.hepmc3.gz", "b.hepmc3.gz"))
        assert a.read_bytes() == b.read_bytes()
        assert gzip.decompress(a.read_bytes()).startswith(b"HepMC::Version 3")
