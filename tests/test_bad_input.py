"""Whatever is wrong with the input: one clear message, exit code 2, and nothing left behind."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import h5py
import numpy as np
import pytest
import yaml
from command_line import SMALL, columns, contents, simgen, succeeds

from simgen.config import config_root
from simgen.io.hdf5 import read_header


class DiskUsage(NamedTuple):
    total: int
    used: int
    free: int


@pytest.fixture
def work(tmp_path, monkeypatch):
    """An empty working folder."""
    folder = tmp_path / "place"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Folder with a small file of each stage."""
    folder = tmp_path_factory.mktemp("made")
    config = folder / "small.yaml"
    config.write_text(SMALL)
    succeeds("generate", config, "--events", 40, "-o", folder / "truth.h5")
    succeeds("smear", folder / "truth.h5", "--config", config, "-o", folder / "candidates.h5")
    succeeds("solve", folder / "candidates.h5", "-o", folder / "solutions.h5")
    return folder


@pytest.fixture
def no_figures(monkeypatch):
    monkeypatch.setattr("m2solve.study.pipeline.draw_figures", lambda *_: [])


def refused(*arguments: object, code: int = 2) -> str:
    """Run a command that must be refused before it does anything; return its message."""
    before = contents(Path.cwd())
    done = simgen(*arguments)
    assert done.code == code, done
    assert done.out == ""
    assert done.err.startswith(("simgen: ", "Usage: "))
    assert "Traceback" not in done.err
    assert contents(Path.cwd()) == before
    return done.err


def with_config(text: str, *arguments: object) -> str:
    """Run a configuration that must be refused; return the message without the file's name."""
    path = Path("my.yaml")
    path.write_text(text)
    message = refused("run", path, "-o", "out", *arguments)
    assert not Path("out").exists()
    message = message.removeprefix("simgen: ").removeprefix(f"{Path.cwd()}/")
    return message.removeprefix("my.yaml: ")


def changed(**sections: object) -> str:
    """Return the small configuration with sections replaced, None for taken away."""
    data = yaml.safe_load(SMALL) | sections
    return yaml.safe_dump({key: value for key, value in data.items() if value is not None})


@pytest.mark.usefixtures("work")
class TestKeys:
    @pytest.mark.parametrize(
        ("sections", "key", "nearest"),
        [
            ({"sead": 3}, "sead", "seed"),
            ({"output": {"compresion": "gzip"}}, "output.compresion", "compression"),
            ({"candidates": {"topology": {"kaonn": 321}}}, "candidates.topology.kaonn", "kaon"),
            ({"solver": {"variable": ["M2sB"]}}, "solver.variable", "variables"),
            ({"generator": {"name": "decfile", "bse": None}}, "bse", "base"),
            ({"detector": {"derive": "belle2", "vertices": {"r_sigg": 0.1}}},
             "vertices.r_sigg", "r_sig"),
            ({"beams": {"electorn": {}}}, "electorn", "electron"),
        ],
    )  # fmt: skip
    def test_unknown_key_is_answered_with_the_nearest(self, sections, key, nearest):
        message = with_config(changed(**sections))
        assert f"unknown key '{key}'. Did you mean '{nearest}'? Allowed here: " in message

    def test_every_unknown_key_is_named(self):
        message = with_config(changed(evnts=3, sead=4))
        assert [line.split("'")[1] for line in message.splitlines()] == ["evnts", "sead"]

    @pytest.mark.parametrize("key", ["events", "detector", "generator"])
    def test_missing_key(self, key):
        assert with_config(changed(**{key: None})) == f"the key '{key}' is missing\n"

    @pytest.mark.parametrize("command", ["smear", "solve"])
    def test_sections_of_the_configuration_of_a_stage(self, command, made):
        Path("my.yaml").write_text(changed(solvr={}))
        source = made / {"smear": "truth.h5", "solve": "candidates.h5"}[command]
        message = refused(command, source, "--config", "my.yaml", "-o", "out.h5")
        assert "unknown key 'solvr'. Did you mean 'solver'?" in message


@pytest.mark.usefixtures("work")
class TestValues:
    @pytest.mark.parametrize(
        ("sections", "words"),
        [
            ({"events": 0}, ["events", "greater than or equal to 1", "found 0"]),
            ({"events": 10**13}, ["events", "less than or equal to 1000000000000"]),
            ({"events": "many"}, ["events", "valid integer", "found 'many'"]),
            ({"events": 1.5}, ["events", "valid integer", "found 1.5"]),
            ({"events": True}, ["events", "truth value", "found True"]),
            ({"events": [1, 2]}, ["events", "valid integer", "found [1, 2]"]),
            ({"seed": -1}, ["seed", "greater than or equal to 0", "found -1"]),
            ({"seed": 2**63}, ["seed", "less than or equal to 9223372036854775807"]),
            ({"output": {"compression": "lzma"}},
             ["output.compression", "'gzip', 'zstd' or 'none'", "found 'lzma'"]),
            ({"output": {"events_per_shard": 0}}, ["output.events_per_shard", "found 0"]),
            ({"output": []}, ["output", "found []"]),
            ({"detector": 5}, ["detector", "found 5"]),
            ({"generator": "decfile"}, ["generator", "dictionary", "found 'decfile'"]),
            ({"candidates": {"rho": "pi0"}}, ["candidates.rho", "'pi' or 'pi_pi0'"]),
            ({"solver": {"variables": ["M2sB", "M2x"]}},
             ["solver.variables.1", "'M2sB'", "'hadronic_tag'", "found 'M2x'"]),
            ({"solver": {"variables": []}}, ["solver.variables", "at least 1"]),
            ({"solver": {"m_nunu": ["small"]}}, ["solver.m_nunu.0", "'m_hat' or 'zero'"]),
            ({"solver": {"parent_mass": -5.3}}, ["solver.parent_mass", "found -5.3"]),
        ],
    )  # fmt: skip
    def test_out_of_range_or_of_a_wrong_type(self, sections, words):
        message = with_config(changed(**sections))
        assert all(word in message for word in words), message
        assert len(message.splitlines()) <= 2

    @pytest.mark.parametrize(
        ("change", "words"),
        [
            ({"vertices": {"r_sig": {"z": -0.1}}}, ["vertices.r_sig.z", "found -0.1"]),
            ({"vertices": {"method": "fitted"}}, ["vertices.method", "'smear' or 'fit'"]),
            ({"vertices": {"constraint": "ip"}}, ["vertices", "method: fit"]),
            ({"tracks": {"impact": {"d0": {"hits": -0.1}}}}, ["tracks.impact.d0.hits", "-0.1"]),
            ({"tracks": {"momentum": {"curvature": -0.1}}}, ["tracks.momentum.curvature"]),
            ({"tracks": {"theta": [150.0, 17.0]}}, ["tracks.theta", "0 <= min < max <= 180"]),
            ({"photons": {"energy_min": float("nan")}}, ["photons.energy_min", "nan"]),
            ({"beams": {"sqrt_s_spread": -0.1}}, ["beams.sqrt_s_spread", "found -0.1"]),
            ({"beams": {"interaction_region": {"size": [-1.0, 0.0, 0.0]}}}, ["size", "negative"]),
        ],
    )
    def test_of_a_detector(self, change, words):
        message = with_config(changed(detector={"derive": "belle2"} | change))
        assert all(word in message for word in words), message

    @pytest.mark.parametrize(
        "option", [("--events", 0), ("--events", "x"), ("--seed", -1), ("--workers", 0)]
    )
    def test_of_an_option(self, option):
        assert option[0] in with_config(SMALL, *option)

    def test_options_that_exclude_each_other(self):
        both = "--resume and --overwrite exclude each other"
        assert both in with_config(SMALL, "--resume", "--overwrite")
        Path("my.yaml").write_text(SMALL)
        message = refused("generate", "my.yaml", "--event", 3, "--events", 5)
        assert "--event and --events exclude each other" in message

    def test_beams_that_are_not_the_detectors(self):
        message = with_config(changed(beams="belle"))
        assert "11.497" in message
        assert "the detector 'Belle II' has" in message


@pytest.mark.usefixtures("work")
class TestYaml:
    @pytest.mark.parametrize(
        ("text", "line", "problem"),
        [
            (SMALL + "solver: [M2sB\nseed: 3\n", 7, "expected ',' or ']'"),
            (SMALL + "\tsolver: {}\n", 6, "cannot start any token"),
            (SMALL + "seed: 12\n", 6, "the key 'seed' is given twice"),
            (SMALL + "solver:\n  m_nunu: []\n  m_nunu: [zero]\n", 8, "'m_nunu' is given twice"),
            (SMALL + "? [seed]\n: 12\n", 6, "a key must be a single word"),
        ],
    )
    def test_syntax_is_said_with_file_and_line(self, text, line, problem):
        message = with_config(text)
        assert message.startswith(f"my.yaml:{line}: not valid YAML: ")
        assert problem in message

    @pytest.mark.parametrize(("text", "found"), [("", "nothing"), ("- a\n", "list"), ("a", "str")])
    def test_not_a_mapping(self, text, found):
        assert with_config(text) == f"a mapping of keys to values is expected, found {found}\n"

    def test_not_text(self):
        Path("my.yaml").write_bytes(b"\xff\xfe\x00")
        assert "my.yaml: cannot be read: it is not a text file" in refused("run", "my.yaml")


@pytest.mark.usefixtures("work")
class TestNames:
    def test_configuration(self):
        shipped = sorted(path.stem for path in config_root().glob("*.yaml"))
        assert "ktaumu_belle2" in shipped
        message = refused("run", "ktaumu_bell2")
        assert "there is no file ktaumu_bell2" in message
        assert message.endswith("Names that exist: " + ", ".join(shipped) + "\n")

    def test_detector(self, made):
        names = (
            "Names that exist: belle, belle2, belle2_design, belle2_realistic, belle_realistic, "
            "perfect"
        )
        assert names in with_config(changed(detector="bell3"))
        assert names in refused("smear", made / "truth.h5", "--detector", "bell3", "-o", "c.h5")

    def test_detector_that_derives_from_itself(self):
        Path("a.yaml").write_text("derive: a.yaml\n")
        assert "derives from itself" in with_config(changed(detector="a.yaml"))

    def test_generator(self):
        message = with_config(changed(generator={"name": "evtgen"}))
        assert message.startswith("there is no generator 'evtgen'; installed are: ")
        assert "decfile" in message

    def test_decay_file_root_and_stable_particle(self):
        def generator(**settings: object) -> str:
            return changed(generator=yaml.safe_load(SMALL)["generator"] | settings)

        decays = ", ".join(sorted(path.name for path in (config_root() / "decays").glob("*.dec")))
        assert "ktaumu.dec" in decays
        message = with_config(generator(decay_files=["kmutau.dec"]))
        assert message.endswith(f"Names that exist: {decays}\n")
        assert "no file MY.DEC" in with_config(generator(base="MY.DEC"))
        assert "nearest names: Upsilon" in with_config(generator(root="Upsilonn"))
        assert "'foo' is not a particle" in with_config(generator(keep_stable=["foo"]))

    def test_solver_variable_and_mass_of_the_command(self, made):
        candidates = made / "candidates.h5"
        message = refused("solve", candidates, "--variable", "M2x", "-o", "s.h5")
        assert "'M2sBV'" in message
        assert "found 'M2x'" in message
        assert "'m_hat'" in refused("solve", candidates, "--m-nunu", "big", "-o", "s.h5")

    def test_no_detector_for_smear(self, made):
        assert "no detector is given" in refused("smear", made / "truth.h5", "-o", "c.h5")


SEMILEPTONIC = """\
Decay Upsilon(4S)
1.0 B+ B- VSS;
Enddecay
Decay B-
1.0 D0 mu- anti-nu_mu {model};
Enddecay
CDecay B+
Decay D0
1.0 K- {daughter} PHSP;
Enddecay
CDecay anti-D0
"""
"""Both B decay semileptonically: no signal in any event."""


def own_decays(text: str, **settings: object) -> str:
    """Write a decay file; return a configuration of 300 events that uses it alone."""
    Path("own.dec").write_text(text)
    generator = {"decay_files": ["own.dec"], "base": None} | settings
    return changed(generator=generator)


@pytest.mark.usefixtures("work")
class TestDecayFiles:
    @pytest.mark.parametrize(
        ("model", "daughter", "code", "line", "text"),
        [
            ("PHSP", "pi++", "SGD001", 9, "nearest names: pi+"),
            ("PHSP", "pi-", "SGD004", 9, "charge +0 before, -2 after"),
            ("PHSPP", "pi+", "SGD002", 5, "unknown model PHSPP; nearest names: PHSP"),
            ("PHSP 1.0", "pi+", "SGD003", 5, "D0 mu- anti-nu_mu"),
            ("PHSP", "pi+ B-", "SGD004", 9, "K- pi+ B-"),
            ("PHSP", "pi+ J/psi", "SGD005", 9, "GeV"),
        ],
    )
    def test_error_is_shown_with_code_file_line_and_source(self, model, daughter, code, line, text):
        decays = SEMILEPTONIC.format(model=model, daughter=daughter)
        message = with_config(own_decays(decays))
        assert f"own.dec:{line}: error {code} " in message
        assert text in message
        assert decays.splitlines()[line - 1] in message

    def test_syntax(self):
        message = with_config(own_decays("Decay Upsilon(4S)\n1.0 B+ B- VSS\nEnddecay\n"))
        assert message.startswith("own.dec:2: cannot read the decay file: ")

    def test_model_that_is_not_implemented(self):
        decays = SEMILEPTONIC.format(model="ISGW", daughter="pi+")
        message = with_config(own_decays(decays))
        assert "ISGW" in message
        assert "own.dec:5" in message
        assert "unsupported_models: phsp" in message

    @pytest.mark.usefixtures("no_figures")
    def test_model_that_is_not_implemented_as_phase_space_is_listed(self):
        decays = SEMILEPTONIC.format(model="ISGW", daughter="pi+")
        Path("my.yaml").write_text(own_decays(decays, unsupported_models="phsp"))
        output = succeeds("run", "my.yaml", "-o", "out", "--events", 20)
        for said in (output, succeeds("inspect", "out")):
            notes = [line for line in said.splitlines() if "ISGW" in line]
            assert len(notes) == 2  # B+ and B-
            assert all("own.dec:5" in line and "1 per event" in line for line in notes)
        listed = read_header(Path("out/truth/part-00000.h5")).provenance["phase_space_instead"]
        assert [entry["model"] for entry in listed] == ["ISGW"] * 2
        assert [entry["per_event"] for entry in listed] == [1.0, 1.0]


def damaged_files(made: Path) -> None:
    """Write files with something wrong each into the working folder."""
    whole = (made / "truth.h5").read_bytes()
    Path("cut.h5").write_bytes(whole[: len(whole) // 2])
    Path("empty.h5").write_bytes(b"")
    Path("text.h5").write_text("events: 3\n" * 1000)
    with h5py.File("foreign.h5", "w") as file:
        file["x"] = np.arange(3)
    Path("newer.h5").write_bytes(whole)
    with h5py.File("newer.h5", "r+") as file:
        file.attrs["format_version"] = 99
    Path("lost.h5").write_bytes(whole)
    with h5py.File("lost.h5", "r+") as file:
        del file["particles/px"]


@pytest.mark.usefixtures("work")
class TestFiles:
    @pytest.mark.parametrize(
        ("name", "reason"),
        [
            ("missing.h5", "there is no such file or folder"),
            ("cut.h5", "the file is cut short"),
            ("empty.h5", "not an HDF5 file"),
            ("text.h5", "not an HDF5 file"),
            ("foreign.h5", "not one that simgen wrote"),
            ("newer.h5", "format version 99 is newer than this program reads"),
        ],
    )
    def test_that_cannot_be_used(self, made, name, reason):
        damaged_files(made)
        for command in (("smear", name, "--detector", "belle2", "-o", "c"),
                        ("solve", name, "-o", "s.h5"), ("inspect", name)):  # fmt: skip
            message = refused(*command)
            assert message.startswith(f"simgen: {name}: ")
            assert reason in message

    def test_column_that_is_missing(self, made):
        damaged_files(made)
        message = refused("smear", "lost.h5", "--detector", "belle2", "-o", "c.h5")
        assert "lost.h5: the dataset particles/px is missing" in message

    @pytest.mark.parametrize(
        ("command", "stage", "needed"),
        [
            ("smear", "candidates", "truth are needed here (simgen generate makes them)"),
            ("smear", "solutions", "truth are needed here"),
            ("solve", "truth", "candidates are needed here (simgen smear makes them)"),
            ("solve", "solutions", "candidates are needed here"),
        ],
    )
    def test_of_another_stage(self, made, command, stage, needed):
        path = made / f"{stage}.h5"
        options = ["--detector", "belle2"] if command == "smear" else []
        message = refused(command, path, *options, "-o", "out.h5")
        assert f"{path}: holds {stage}, but {needed}" in message

    def test_folder_without_shards_or_with_a_gap(self, made):
        Path("shards").mkdir()
        assert "no files part-NNNNN.h5" in refused("inspect", "shards")
        shutil.copy(made / "truth.h5", "shards/part-00001.h5")
        message = refused("smear", "shards", "--detector", "belle2", "-o", "c")
        assert "part-00000.h5 is missing; finish the run with --resume" in message

    def test_event_that_is_not_there(self, made):
        message = refused("inspect", made / "truth.h5", "--event", 40)
        assert "there is no event 40; events are 0 to 39" in message

    def test_detector_with_other_beams_than_the_truth(self, made):
        message = refused("smear", made / "truth.h5", "--detector", "belle", "-o", "c.h5")
        assert "11.006" in message
        assert "the detector 'Belle' has" in message


@pytest.mark.usefixtures("work")
class TestOutput:
    def small(self) -> Path:
        path = Path("small.yaml")
        path.write_text(SMALL)
        return path

    def test_that_exists(self, made):
        succeeds("generate", self.small(), "--events", 5, "-o", "t")
        succeeds("generate", self.small(), "--events", 5, "-o", "t.h5")
        for command in ("generate", "run"):
            message = refused(command, "small.yaml", "-o", "t")
            assert "t: the output folder exists. Use --resume" in message
            assert "--overwrite to replace it" in message
        assert "t.h5: the file exists" in refused("generate", "small.yaml", "-o", "t.h5")
        truth = made / "truth.h5"
        assert "exists" in refused("smear", truth, "--detector", "belle2", "-o", "t.h5")

    def test_that_is_a_file_or_a_folder_where_the_other_is_needed(self):
        Path("file").write_text("mine")
        Path("folder.h5").mkdir()
        for policy in ("--overwrite", "--resume"):
            message = refused("run", self.small(), "-o", "file", policy)
            assert "file: is a file; a folder is needed" in message
        assert "cannot be written: Not a directory" in refused("run", "small.yaml", "-o", "file/x")
        assert "is a folder" in refused("generate", "small.yaml", "-o", "folder.h5", "--overwrite")
        assert "a run leaves a folder" in refused("run", "small.yaml", "-o", "run.h5")

    @pytest.mark.parametrize("policy", ["--overwrite", "--resume"])
    def test_foreign_folder_is_not_touched(self, policy):
        folder = Path("foreign")
        (folder / "figures").mkdir(parents=True)
        (folder / "figures/mine.png").write_bytes(b"1")
        (folder / "summary.csv").write_text("mine")
        for command in ("run", "generate"):
            assert "not a folder of simgen" in refused(command, self.small(), "-o", folder, policy)
        (folder / "config.yaml").write_text("setting: mine\n")
        for command in ("run", "generate"):
            assert "not a folder of simgen" in refused(command, self.small(), "-o", folder, policy)

    def test_that_is_the_input(self, made):
        shutil.copy(made / "truth.h5", "truth.h5")
        Path("run/truth").mkdir(parents=True)
        shutil.copy(made / "truth.h5", "run/truth/part-00000.h5")
        smear = ("smear", "--detector", "belle2", "--overwrite")
        assert "is, or holds, the input" in refused(*smear, "truth.h5", "-o", "truth.h5")
        for target in ("run/truth", "run", "../place/run"):
            assert "is, or holds, the input" in refused(*smear, "run", "-o", target)

    @pytest.mark.usefixtures("no_figures")
    def test_resume_with_another_configuration(self):
        succeeds("run", self.small(), "-o", "run", "--events", 5)
        message = refused("run", "small.yaml", "-o", "run", "--events", 6, "--seed", 1, "--resume")
        assert "made with another configuration" in message
        assert "events: 5 there, 6 now" in message
        assert "seed: 11 there, 1 now" in message
        Path("small.yaml").write_text(
            changed(detector={"derive": "belle2", "vertices": {"r_0": {"z": 0.15}}})
        )
        message = refused("run", "small.yaml", "-o", "run", "--events", 5, "--resume")
        assert "detector.vertices.r_0.z: 0.35 there, 0.15 now" in message
        assert len(message.splitlines()) == 2

    def test_resume_after_a_decay_file_has_changed(self):
        Path("my.yaml").write_text(own_decays(SEMILEPTONIC.format(model="PHSP", daughter="pi+")))
        succeeds("generate", "my.yaml", "-o", "t")
        Path("t/part-00001.h5").unlink()
        Path("own.dec").write_text(SEMILEPTONIC.format(model="PHSP", daughter="pi+ pi0"))
        message = refused("generate", "my.yaml", "-o", "t", "--resume")
        assert "part-00000.h5: cannot be part of this output, its decay files" in message

    def test_resume_of_a_file_made_otherwise(self, made):
        Path("small.yaml").write_text(SMALL)
        succeeds("generate", "small.yaml", "--events", 5, "-o", "t.h5")
        message = refused("generate", "small.yaml", "--events", 6, "-o", "t.h5", "--resume")
        assert "its configuration, number of events would be different now" in message
        shutil.copy(made / "candidates.h5", "c.h5")
        smear = ("smear", made / "truth.h5", "--detector", "belle2_design", "-o", "c.h5")
        assert "its configuration would be different" in refused(*smear, "--resume")

    def test_resume_of_candidates_of_another_truth(self, made):
        Path("small.yaml").write_text(SMALL)
        smear = ("smear", "--detector", "belle2", "-o", "c")
        succeeds(*smear, made / "truth.h5")
        succeeds("generate", "small.yaml", "--events", 40, "--seed", 9, "-o", "t.h5")
        message = refused(*smear, "t.h5", "--seed", 11, "--resume")
        assert "made with another configuration" in message
        assert "input: " in message

    def test_resume_with_a_damaged_shard(self):
        succeeds("generate", self.small(), "-o", "t")
        os.truncate("t/part-00001.h5", 5000)
        message = refused("generate", "small.yaml", "-o", "t", "--resume")
        assert "part-00001.h5: cannot be read: the file is cut short" in message

    @pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
    def test_folder_without_permission(self):
        Path("locked").mkdir(mode=0o500)
        message = refused("run", self.small(), "-o", "locked/run")
        assert "locked/run: cannot be written: Permission denied" in message


@pytest.mark.usefixtures("work")
class TestDiskTooSmall:
    @pytest.fixture(autouse=True)
    def _little_room(self, monkeypatch):
        usage = DiskUsage(10**9, 10**9 - 100_000, 100_000)
        monkeypatch.setattr("shutil.disk_usage", lambda _: usage)

    def test_estimate_refuses_before_anything_is_made(self, made):
        Path("small.yaml").write_text(SMALL)
        words = "the disk has 0.0001 GB free, but this run needs about"
        for command in ("run", "generate"):
            assert words in refused(command, "small.yaml", "--events", 1000, "-o", "deep/er/out")
        smear = ("smear", made / "truth.h5", "--detector", "belle2", "-o", "c.h5")
        succeeds(*smear)  # 40 events fit
        big = changed(events=10**6)
        Path("big.yaml").write_text(big)
        assert "needs about" in refused("generate", "big.yaml", "-o", "t.h5")

    @pytest.mark.usefixtures("no_figures")
    def test_only_what_is_missing_needs_room(self, monkeypatch):
        Path("small.yaml").write_text(SMALL)
        with monkeypatch.context() as patch:
            patch.setattr("shutil.disk_usage", lambda _: DiskUsage(10**9, 0, 10**9))
            succeeds("run", "small.yaml", "-o", "run")
        expected = contents(Path("run"))
        Path("run/solutions/part-00002.h5").unlink()
        with monkeypatch.context() as patch:  # room for about one shard of the three
            patch.setattr("shutil.disk_usage", lambda _: DiskUsage(10**9, 0, 300_000))
            succeeds("run", "small.yaml", "-o", "run", "--resume")
        assert contents(Path("run")) == expected


class TestDiskThatFillsUp:
    """The disk is full in the middle of a run: exit code 3, and whole files only."""

    @pytest.fixture
    def tiny_disk(self, tmp_path):
        """A file system of 2 MB, where one may be mounted."""
        place = tmp_path / "disk"
        place.mkdir()
        mount = ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(place)]
        if sys.platform != "linux" or shutil.which("mount") is None:
            pytest.skip("no file system can be mounted here")
        if subprocess.run(mount, check=False, capture_output=True).returncode != 0:
            pytest.skip("no file system may be mounted here")
        yield place
        subprocess.run(["umount", str(place)], check=True)

    def check_what_is_left(self, folder: Path, reference: Path) -> None:
        """Every file is whole, and is the same as without the failure."""
        left = [path for path in folder.rglob("*") if path.is_file()]
        assert left
        for path in left:
            assert path.read_bytes() == (reference / path.relative_to(folder)).read_bytes()
        assert len(left) < len(contents(reference))

    @pytest.mark.usefixtures("no_figures")
    def test_file_system(self, tiny_disk, tmp_path, monkeypatch):
        config = tmp_path / "small.yaml"
        config.write_text(changed(events=4000, output={"events_per_shard": 500}))
        monkeypatch.setattr("simgen.runner.check_room", lambda *_: None)
        monkeypatch.setattr("m2solve.study.pipeline.check_room", lambda *_: None)
        done = simgen("run", config, "-o", tiny_disk / "run")
        assert done.code == 3
        assert done.err == (
            f"simgen: {tiny_disk / 'run'}: the disk is full. Files that are there are whole; make "
            "room and go on with --resume\n"
        )
        shutil.copytree(tiny_disk / "run", tmp_path / "moved")
        shutil.copytree(tiny_disk / "run", tmp_path / "left")
        succeeds("run", config, "-o", tmp_path / "moved", "--resume")
        self.check_what_is_left(tmp_path / "left", tmp_path / "moved")
        succeeds("run", config, "-o", tmp_path / "whole")
        assert contents(tmp_path / "moved") == contents(tmp_path / "whole")

    @pytest.mark.usefixtures("no_figures")
    @pytest.mark.parametrize("fails_at", [1, 5, 10])
    def test_any_write(self, tmp_path, monkeypatch, fails_at):
        """The same where nothing may be mounted: the n-th fsync says that there is no room."""
        config = tmp_path / "small.yaml"
        config.write_text(changed(events=30, output={"events_per_shard": 10}))
        count = iter(range(10**6))

        def fsync(_: int) -> None:
            if next(count) >= 2 * fails_at:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        with monkeypatch.context() as patch:
            patch.setattr("os.fsync", fsync)
            done = simgen("run", config, "-o", tmp_path / "run")
        assert done.code == 3, done
        assert "the disk is full" in done.err
        succeeds("run", config, "-o", tmp_path / "whole")
        self.check_what_is_left(tmp_path / "run", tmp_path / "whole")
        succeeds("run", config, "-o", tmp_path / "run", "--resume")
        assert contents(tmp_path / "run") == contents(tmp_path / "whole")


@pytest.mark.usefixtures("work")
class TestFewOrNoCandidates:
    """Not wrong, but easily forgotten."""

    def test_truth_without_signal_gives_an_empty_result(self):
        decays = SEMILEPTONIC.format(model="PHSP", daughter="pi+")
        Path("my.yaml").write_text(own_decays(decays))
        output = succeeds("run", "my.yaml", "-o", "run")
        assert "signal decay 0 0.0%" in " ".join(output.split())
        assert "no candidates" in output
        assert "nan" not in output
        assert len(list(Path("run/figures").iterdir())) == 12
        assert len(columns(Path("run/solutions/part-00000.h5"))["M2sB_true/m_recoil"][0]) == 0
        succeeds("solve", "run/candidates", "-o", "s.h5")
        succeeds("inspect", "run")

    def test_one_event(self):
        Path("small.yaml").write_text(SMALL)
        output = succeeds("run", "small.yaml", "--events", 1, "-o", "run")
        assert "nan" not in output
        assert len(list(Path("run/figures").iterdir())) == 12

    @pytest.mark.usefixtures("no_figures")
    def test_shards_without_candidates(self):
        Path("small.yaml").write_text(changed(events=8, output={"events_per_shard": 1}))
        succeeds("run", "small.yaml", "-o", "run")
        numbers = [
            len(columns(path)["candidate/event_id"][0])
            for path in sorted(Path("run/solutions").iterdir())
        ]
        assert len(numbers) == 8
        assert set(numbers) == {0, 1}
        for command in ("smear", "solve"):
            options = ["--detector", "belle2"] if command == "smear" else []
            succeeds(command, "run", *options, "-o", command)
        found = columns(*sorted(Path("solve").glob("*.h5")))["candidate/event_id"]
        assert [len(ids) for ids in found] == numbers
