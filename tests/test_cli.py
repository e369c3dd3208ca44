"""The commands: what they print and leave, and that the same request gives the same bytes."""

from __future__ import annotations

import csv
import shlex
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import click
import numpy as np
import pytest
import yaml
from click.testing import CliRunner
from command_line import SMALL, columns, contents, simgen, succeeds

from simgen import __version__
from simgen.cli import cli
from simgen.config import config_root
from simgen.decfile.cache import CACHE_VARIABLE
from simgen.io.truth import read_event, read_events

if TYPE_CHECKING:
    from pathlib import Path

COMMANDS = (
    "run",
    "generate",
    "smear",
    "solve",
    "validate",
    "scan",
    "yields",
    "inspect",
    "export",
    "decays",
)
STAGES = ("truth", "candidates", "solutions")
FIGURES = (
    "m_recoil_by_variable",
    "m_recoil_by_tau_mode",
    "m_hat_against_m_nunu",
    "solver_residuals",
)


@pytest.fixture(scope="module", autouse=True)
def _own_cache(tmp_path_factory):
    """Keep parsed decay files of these tests out of the user's cache."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(CACHE_VARIABLE, str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="module")
def shipped_run(tmp_path_factory):
    """Folder and output of the main job on 300 events."""
    folder = tmp_path_factory.mktemp("shipped") / "run"
    return folder, succeeds("run", "ktaumu_belle2", "--events", 300, "-o", folder)


@pytest.fixture(scope="module")
def config(tmp_path_factory):
    path = tmp_path_factory.mktemp("config") / "small.yaml"
    path.write_text(SMALL)
    return path


@pytest.fixture(scope="module")
def small_run(tmp_path_factory, config):
    """Folder of a run of 300 events in three shards on two threads."""
    folder = tmp_path_factory.mktemp("small") / "run"
    succeeds("run", config, "-o", folder, "--workers", 2)
    return folder


@pytest.fixture
def no_figures(monkeypatch):
    """Leave out the figures, which take longer than all the rest of a small run."""
    monkeypatch.setattr("m2solve.study.pipeline.draw_figures", lambda *_: [])


def shards(folder: Path) -> dict[str, bytes]:
    return {name: data for name, data in contents(folder).items() if name.endswith(".h5")}


def summary(folder: Path) -> list[dict[str, str]]:
    return list(csv.DictReader((folder / "summary.csv").read_text().splitlines()))


class TestHelp:
    @pytest.mark.parametrize("name", COMMANDS)
    def test_every_example_is_a_command_that_parses(self, name):
        result = CliRunner().invoke(cli, [name, "--help"])
        assert result.exit_code == 0
        epilog = cli.get_command(click.Context(cli), name).epilog
        examples = [line.strip() for line in epilog.splitlines() if line.startswith("  simgen")]
        assert len(examples) >= 3
        for example in examples:
            assert example in result.output
            words = shlex.split(example.partition(" > ")[0])
            command = cli.get_command(click.Context(cli), words[1])
            command.make_context(words[1], words[2:])  # raises for an option that does not exist

    def test_the_group_names_all_commands_in_the_order_of_the_work(self):
        output = CliRunner().invoke(cli, ["--help"]).output
        listed = output[output.index("Commands:") :].splitlines()[1 : 1 + len(COMMANDS)]
        assert [line.split()[0] for line in listed] == list(COMMANDS)
        assert "Exit codes" in output

    def test_version(self):
        assert succeeds("--version") == f"simgen, version {__version__}\n"

    def test_a_command_or_an_option_that_does_not_exist(self):
        for arguments in (["rnu"], ["run", "ktaumu_belle2", "--evnets", "3"], ["run"]):
            done = simgen(*arguments)
            assert done.code == 2
            assert "Traceback" not in done.err
            assert done.out == ""

    @pytest.mark.parametrize("code", ["import simgen.cli", "main"])
    def test_heavy_libraries_are_not_loaded_for_help(self, code):
        if code == "main":
            code = "import sys, simgen.cli; sys.argv[1:] = ['--help']; simgen.cli.main()"
        done = subprocess.run(
            [sys.executable, "-X", "importtime", "-c", code],
            capture_output=True, text=True, check=True, timeout=60,
        )  # fmt: skip
        loaded = {
            line.split("|")[-1].strip().partition(".")[0] for line in done.stderr.splitlines()
        }
        assert "simgen" in loaded
        assert loaded.isdisjoint({"numba", "h5py", "matplotlib", "scipy", "decaylanguage", "rich"})


class TestRun:
    def test_leaves_everything(self, shipped_run):
        folder, _ = shipped_run
        expected = {"config.yaml", "summary.csv"}
        expected |= {f"{stage}/part-00000.h5" for stage in STAGES}
        expected |= {f"figures/{name}.{end}" for name in FIGURES for end in ("png", "pdf", "csv")}
        made = contents(folder)
        assert set(made) == expected
        assert all(made.values())
        for name in FIGURES:
            assert made[f"figures/{name}.png"].startswith(b"\x89PNG")
            assert made[f"figures/{name}.pdf"].startswith(b"%PDF")
            table = np.loadtxt(folder / f"figures/{name}.csv", delimiter=",", skiprows=1)
            assert table.shape[0] > 50
            assert np.isfinite(table).all()

    def test_prints_cut_flow_summary_and_notes(self, shipped_run):
        folder, output = shipped_run
        rows = summary(folder)
        assert {row["group"] for row in rows} == {"hadronic", "leptonic", "both"}
        candidates = {row["group"]: float(row["candidates"]) for row in rows}
        assert candidates["both"] == candidates["hadronic"] + candidates["leptonic"]
        assert candidates["both"] == len(
            columns(folder / "candidates/part-00000.h5")["candidates/event_id"][0]
        )
        for text in ("signal decay", "tracks accepted", "M2sB_m_hat", "hadronic_tag",
                     "fractions-not-one", f"summary are in {folder}"):  # fmt: skip
            assert text in output
        assert f"tracks identified      {candidates['both']:.0f}" in output.replace(" │ ", " ")

    def test_summary_agrees_with_the_solutions(self, shipped_run):
        folder, _ = shipped_run
        solutions = columns(folder / "solutions/part-00000.h5")
        leptonic = np.isin(solutions["candidate/tau_mode"][0], (1, 2))
        recoil = solutions["M2sB_m_hat/m_recoil"][0][leptonic]
        (row,) = (
            row
            for row in summary(folder)
            if (row["group"], row["method"]) == ("leptonic", "M2sB_m_hat")
        )
        assert float(row["candidates"]) == len(recoil)
        assert float(row["median"]) == pytest.approx(np.median(recoil), abs=0.02)
        near = np.abs(recoil - 1.77693) < 0.1
        assert float(row["within_100"]) == pytest.approx(near.mean(), abs=1.5 / len(recoil))

    @pytest.mark.usefixtures("no_figures")
    def test_resolved_configuration_makes_the_same_bytes(self, shipped_run, tmp_path):
        folder, _ = shipped_run
        succeeds("run", folder / "config.yaml", "-o", tmp_path / "other")
        assert shards(tmp_path / "other") == shards(folder)
        for name in ("config.yaml", "summary.csv"):
            assert (tmp_path / "other" / name).read_bytes() == (folder / name).read_bytes()

    @pytest.mark.usefixtures("no_figures")
    def test_own_decay_files_go_with_the_run(self, tmp_path, monkeypatch):
        here = tmp_path / "here"
        (here / "decays").mkdir(parents=True)
        decays = (config_root() / "decays" / "ktaumu.dec").read_bytes()
        (here / "decays" / "mine.dec").write_bytes(decays)
        text = SMALL.replace("ktaumu.dec", "decays/mine.dec")
        (here / "mine.yaml").write_text(text)
        succeeds("run", here / "mine.yaml", "--events", 10, "-o", tmp_path / "first")
        shutil.rmtree(here)
        monkeypatch.chdir(tmp_path)
        succeeds("run", "first/config.yaml", "-o", "second")
        assert contents(tmp_path / "second") == contents(tmp_path / "first")
        assert (tmp_path / "second/decays/mine.dec").read_bytes() == decays

    @pytest.mark.parametrize("workers", [1, 4])
    @pytest.mark.usefixtures("no_figures")
    def test_workers_never_change_the_bytes(self, small_run, config, tmp_path, workers):
        succeeds("run", config, "-o", tmp_path / "run", "--workers", workers)
        assert len(shards(small_run)) == 9
        assert shards(tmp_path / "run") == shards(small_run)

    @pytest.mark.usefixtures("no_figures")
    def test_events_and_seed_of_the_command_line_count(self, small_run, config, tmp_path):
        succeeds("run", config, "-o", tmp_path / "few", "--events", 7)
        few, all_of_them = read_events(tmp_path / "few"), read_events(small_run)
        assert few.event_id.tolist() == list(range(7))
        assert np.array_equal(few.p4, all_of_them.select(0, 7).p4)
        succeeds("run", config, "-o", tmp_path / "other", "--events", 7, "--seed", 12)
        assert not np.array_equal(read_events(tmp_path / "other").beam, few.beam)
        kept = yaml.safe_load((tmp_path / "other/config.yaml").read_text())
        assert (kept["events"], kept["seed"]) == (7, 12)

    @pytest.mark.usefixtures("no_figures")
    def test_default_output_is_named_after_the_configuration(self, config, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        succeeds("run", config, "--events", 3)
        assert (tmp_path / "runs/small/solutions/part-00000.h5").is_file()


class TestStagesOneByOne:
    def test_files_have_the_columns_of_a_run(self, small_run, config, tmp_path):
        truth, candidates, solutions = (tmp_path / f"{stage}.h5" for stage in STAGES)
        succeeds("generate", config, "-o", truth)
        succeeds("smear", truth, "--config", config, "-o", candidates)
        succeeds("solve", candidates, "--config", config, "-o", solutions)
        assert set(contents(tmp_path)) == {f"{stage}.h5" for stage in STAGES}
        for single in (truth, candidates, solutions):
            ours = columns(single)
            theirs = columns(*sorted((small_run / single.stem).glob("*.h5")))
            assert set(ours) == set(theirs)
            for name in set(ours) - {"events/offsets"}:
                joined = np.concatenate(theirs[name])
                assert len(joined) >= 150
                assert np.array_equal(ours[name][0], joined, equal_nan=True), name

    def test_folders_have_the_shards_of_a_run(self, small_run, config, tmp_path):
        succeeds("generate", config, "-o", tmp_path / "truth")
        assert shards(tmp_path / "truth") == shards(small_run / "truth")
        succeeds("smear", tmp_path, "--detector", "belle2", "--workers", 2)
        succeeds("solve", tmp_path, "--workers", 3)
        for stage in ("candidates", "solutions"):
            names = sorted(path.name for path in (small_run / stage).iterdir())
            assert sorted(p.name for p in (tmp_path / stage).glob("*.h5")) == names
            for name in names:
                ours, theirs = columns(tmp_path / stage / name), columns(small_run / stage / name)
                for column, (expected,) in theirs.items():
                    assert np.array_equal(ours[column][0], expected, equal_nan=True), column

    def test_blocks_and_chunks_of_large_files_do_not_depend_on_workers(self, config, tmp_path):
        files = []
        for workers in (1, 4):
            files.append(tmp_path / f"{workers}.h5")
            succeeds("generate", config, "--events", 25_000, "--workers", workers, "-o", files[-1])
        assert files[0].read_bytes() == files[1].read_bytes()
        candidates = []
        for workers in (1, 4):
            candidates.append(tmp_path / f"c{workers}.h5")
            succeeds("smear", files[0], "--detector", "belle2", "--workers", workers,
                     "-o", candidates[-1])  # fmt: skip
        assert candidates[0].read_bytes() == candidates[1].read_bytes()

    def test_solve_for_chosen_variables(self, small_run, tmp_path):
        output = succeeds("solve", small_run, "--variable", "M2s", "--variable", "truth",
                          "--m-nunu", "m_hat", "-o", tmp_path / "s.h5")  # fmt: skip
        groups = {name.partition("/")[0] for name in columns(tmp_path / "s.h5")}
        assert groups == {"candidate", "M2s_m_hat", "truth"}
        assert "M2s_m_hat" in output

    def test_first_events_only(self, small_run, tmp_path):
        succeeds(
            "smear", small_run, "--detector", "belle2", "--events", 120, "-o", tmp_path / "c.h5"
        )
        chosen = columns(tmp_path / "c.h5")["candidates/event_id"][0]
        files = sorted((small_run / "candidates").glob("*.h5"))
        every = np.concatenate(columns(*files)["candidates/event_id"])
        assert np.array_equal(chosen, every[every < 120])


class TestOneEvent:
    def test_is_that_of_a_run(self, small_run, config, tmp_path):
        output = succeeds("generate", config, "--event", 123, "-o", tmp_path / "one.h5")
        alone, in_run = read_event(tmp_path / "one.h5", 123), read_event(small_run, 123)
        for name, (values,) in ((n, v) for n, v in columns(tmp_path / "one.h5").items()):
            assert np.array_equal(values, in_run.columns()[name]), name
        assert alone.n_particles > 10
        assert output == succeeds("inspect", small_run, "--event", 123)
        assert output.startswith("event 123 ")
        assert output.count("\n") == 2 + alone.n_particles

    def test_leaves_nothing_if_not_asked_to(self, config, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        assert "B+" in succeeds("generate", config, "--event", 5)
        assert contents(tmp_path) == {}

    def test_far_away(self, config):
        assert "event 999999999999 " in succeeds("generate", config, "--event", 10**12 - 1)


class TestInspect:
    def test_run_folder_shows_all_stages(self, small_run):
        output = succeeds("inspect", small_run)
        for stage in STAGES:
            assert f"{small_run / stage} (3 shards)" in output
        assert output.count("events 0 to 299 (300), seed 11") == 3
        for text in (
            "ktaumu.dec, SHA-256",
            "particles/px",
            "GeV",
            "M2sB_true/k_sig/energy",
            "numba",
        ):
            assert text in output

    def test_folder_and_file(self, small_run):
        assert "events 0 to 299 (300)" in succeeds("inspect", small_run / "candidates")
        output = succeeds("inspect", small_run / "truth/part-00001.h5")
        assert "events 100 to 199 (100)" in output

    def test_configuration_can_be_used_again(self, small_run, tmp_path):
        text = succeeds("inspect", small_run / "truth", "--config")
        (tmp_path / "again.yaml").write_text(text)
        succeeds("generate", tmp_path / "again.yaml", "-o", tmp_path / "truth")
        assert shards(tmp_path / "truth") == shards(small_run / "truth")

    def test_reader_that_leaves_early(self, small_run):
        command = f"{sys.executable} -c 'import simgen.cli; simgen.cli.main()' inspect {small_run}"
        done = subprocess.run(
            ["bash", "-c", f"{command} | true; echo ${{PIPESTATUS[0]}}"],
            capture_output=True, text=True, check=True, timeout=60,
        )  # fmt: skip
        assert (done.stdout, done.stderr) == ("1\n", "")


class TestResume:
    def test_makes_what_is_missing_and_nothing_else(self, small_run, config, tmp_path):
        folder = tmp_path / "run"
        folder.mkdir()
        for name, data in contents(small_run).items():
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).write_bytes(data)
        lost = ["truth/part-00002.h5", "candidates/part-00000.h5", "summary.csv"]
        lost += [f"figures/{name}.csv" for name in FIGURES]
        for name in lost:
            (folder / name).unlink()
        (folder / "solutions/.part-00001.h5.partial").write_bytes(b"half")
        kept = (folder / "solutions/part-00001.h5").stat().st_mtime_ns
        succeeds("run", config, "-o", folder, "--resume")
        assert contents(folder) == contents(small_run)
        assert (folder / "solutions/part-00001.h5").stat().st_mtime_ns == kept

    def test_of_one_stage(self, small_run, config, tmp_path):
        folder = tmp_path / "truth"
        succeeds("generate", config, "-o", folder)
        (folder / "part-00001.h5").unlink()
        succeeds("generate", config, "-o", folder, "--resume")
        assert shards(folder) == shards(small_run / "truth")

    def test_of_nothing_is_a_start(self, config, tmp_path):
        succeeds("generate", config, "--events", 5, "-o", tmp_path / "t", "--resume")
        assert len(read_events(tmp_path / "t")) == 5

    def test_of_a_file_that_is_there_changes_nothing(self, config, tmp_path):
        arguments = ("generate", config, "--events", 5, "-o", tmp_path / "t.h5", "--resume")
        succeeds(*arguments)
        made = (tmp_path / "t.h5").stat().st_mtime_ns
        succeeds(*arguments)
        assert (tmp_path / "t.h5").stat().st_mtime_ns == made


class TestOverwrite:
    @pytest.mark.usefixtures("no_figures")
    def test_replaces_a_run_and_keeps_what_is_not_its_own(self, config, tmp_path):
        folder = tmp_path / "run"
        succeeds("run", config, "-o", folder)
        (folder / "notes.txt").write_text("mine")
        succeeds("run", config, "-o", folder, "--events", 150, "--overwrite")
        assert (folder / "notes.txt").read_text() == "mine"
        assert len(shards(folder)) == 6
        assert len(read_events(folder)) == 150
        assert yaml.safe_load((folder / "config.yaml").read_text())["events"] == 150

    def test_replaces_a_file(self, config, tmp_path):
        succeeds("generate", config, "--events", 5, "-o", tmp_path / "t.h5")
        succeeds("generate", config, "--events", 6, "-o", tmp_path / "t.h5", "--overwrite")
        assert len(read_events(tmp_path / "t.h5")) == 6
        assert set(contents(tmp_path)) == {"t.h5"}
