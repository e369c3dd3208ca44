"""Generation to files: the same bytes whatever happens on the way."""

from __future__ import annotations

import contextlib
import resource
import subprocess
import sys
import time

import numpy as np
import pytest
import yaml

import simgen.generation
import simgen.progress
from simgen.errors import (
    ConfigError,
    DecayFileError,
    FileFormatError,
    OutputError,
    RunError,
)
from simgen.events import EventBlock
from simgen.generation import generate, generate_event, prepare_generation
from simgen.io.hdf5 import find_shards, read_header
from simgen.io.truth import read_events
from simgen.progress import preparing, report_problems

FIELDS = tuple(EventBlock.__dataclass_fields__)


def config(**changes):
    """Return a configuration of 2500 signal events in five shards."""
    return {
        "events": 2500,
        "seed": 11,
        "detector": "belle2",
        "generator": {"name": "decfile", "decay_files": ["ktaumu.dec"], "base": None},
        "output": {"events_per_shard": 500},
        **changes,
    }


def contents(folder):
    """Return the bytes of every file below a folder."""
    return {
        str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()
    }


def assert_same(a, b):
    for name in FIELDS:
        np.testing.assert_array_equal(getattr(a, name), getattr(b, name), err_msg=name)


@pytest.fixture(scope="module")
def reference(tmp_path_factory):
    """Return the folder of an uninterrupted run of one worker."""
    return generate(config(), tmp_path_factory.mktemp("reference") / "out", workers=1)


class TestReproducible:
    @pytest.mark.parametrize("workers", [2, 4])
    def test_number_of_workers_does_not_change_a_byte(self, reference, tmp_path, workers):
        again = generate(config(), tmp_path / "out", workers=workers)
        assert contents(again) == contents(reference)

    @pytest.mark.parametrize("per_shard", [333, 2500, 10_000])
    def test_size_of_shards_does_not_change_an_event(self, reference, tmp_path, per_shard):
        changed = config(output={"events_per_shard": per_shard})
        assert_same(read_events(generate(changed, tmp_path / "out")), read_events(reference))

    @pytest.mark.parametrize("compression", ["zstd", "none"])
    def test_compression_does_not_change_an_event(self, reference, tmp_path, compression):
        changed = config(output={"events_per_shard": 500, "compression": compression})
        assert_same(read_events(generate(changed, tmp_path / "out")), read_events(reference))

    def test_one_file_holds_the_same_events(self, reference, tmp_path):
        path = generate(config(), tmp_path / "truth.h5")
        assert path.is_file()
        assert_same(read_events(path), read_events(reference))

    def test_blocks_longer_than_one_give_the_same_as_memory(self, tmp_path):
        """More events than a block and than a chunk of particles hold."""
        changed = config(events=25_000, output={"events_per_shard": 100_000})
        path = generate(changed, tmp_path / "truth.h5", workers=2)
        assert_same(read_events(path), prepare_generation(changed).block(0, 25_000))

    def test_events_and_seed_given_to_the_function_replace_the_configuration(self, tmp_path):
        path = generate(config(), tmp_path / "out", events=10, seed=99)
        assert_same(read_events(path), prepare_generation(config(seed=99)).block(0, 10))
        assert read_header(find_shards(path)[0]).seed == 99

    def test_one_event_alone_is_the_one_of_the_run(self, reference, tmp_path):
        alone = generate_event(config(), 1234, output=tmp_path / "one.h5")
        assert_same(alone, read_events(reference).select(1234, 1235))
        assert_same(read_events(tmp_path / "one.h5"), alone)


class TestHeader:
    def test_says_all_that_made_the_file(self, reference):
        header = read_header(find_shards(reference)[2], "truth")
        assert (header.first_event, header.n_events, header.seed) == (1000, 500, 11)
        resolved = yaml.safe_load(header.config)
        assert resolved["generator"]["base"] is None
        assert resolved["beams"]["electron"]["energy"] == pytest.approx(7.004)
        (file,) = header.provenance["decay_files"]
        assert file["name"].endswith("ktaumu.dec")
        assert len(file["sha256"]) == 64
        assert {"simgen", "numba", "python"} <= set(header.versions)

    def test_configuration_in_the_header_makes_the_same_events_again(self, reference, tmp_path):
        header = read_header(find_shards(reference)[0])
        path = tmp_path / "again.yaml"
        path.write_text(header.config, encoding="utf-8")
        assert_same(read_events(generate(path, tmp_path / "out")), read_events(reference))


class TestResume:
    @pytest.fixture
    def unfinished(self, reference, tmp_path):
        """Return a copy of the reference without two of its shards."""
        folder = tmp_path / "out"
        folder.mkdir()
        for name, data in contents(reference).items():
            if name not in {"part-00001.h5", "part-00004.h5"}:
                (folder / name).write_bytes(data)
        return folder

    def test_makes_the_missing_shards_to_the_same_bytes(self, reference, unfinished):
        kept = {p: p.stat().st_mtime_ns for p in unfinished.glob("part-*.h5")}
        generate(config(), unfinished, if_exists="resume", workers=2)
        assert contents(unfinished) == contents(reference)
        assert {p: p.stat().st_mtime_ns for p in kept} == kept

    def test_of_a_finished_run_does_nothing(self, reference, tmp_path):
        folder = generate(config(), tmp_path / "out")
        times = {p: p.stat().st_mtime_ns for p in folder.glob("part-*.h5")}
        generate(config(), folder, if_exists="resume")
        assert {p: p.stat().st_mtime_ns for p in times} == times
        assert contents(folder) == contents(reference)

    def test_with_another_seed_is_refused(self, unfinished):
        before = contents(unfinished)
        with pytest.raises(OutputError, match=r"another configuration.*\n.*seed.*11.*12"):
            generate(config(seed=12), unfinished, if_exists="resume")
        assert contents(unfinished) == before

    def test_with_a_damaged_shard_is_refused(self, unfinished):
        path = unfinished / "part-00002.h5"
        path.write_bytes(path.read_bytes()[:1000])
        with pytest.raises(FileFormatError, match=r"part-00002\.h5"):
            generate(config(), unfinished, if_exists="resume")

    def test_after_a_kill_gives_the_same_bytes(self, tmp_path):
        """SIGKILL while shards are written: only whole files, and the rest is made later."""
        program = (
            "import sys, yaml\n"
            "from simgen.generation import generate\n"
            "generate(yaml.safe_load(sys.argv[1]), sys.argv[2], workers=2)\n"
        )
        long = config(events=10_000, output={"events_per_shard": 200})
        folder = tmp_path / "out"
        process = subprocess.Popen([sys.executable, "-c", program, yaml.safe_dump(long), folder])
        try:
            deadline = time.monotonic() + 120
            while not (folder / "part-00003.h5").exists():
                assert process.poll() is None
                assert time.monotonic() < deadline
                time.sleep(0.002)
        finally:
            process.kill()
            process.wait()
        left = sorted(p.name for p in folder.iterdir())
        shards = [name for name in left if name.startswith("part-")]
        assert left == ["config.yaml", *shards]
        assert 4 <= len(shards) < 50
        for name in shards:
            assert len(read_events(folder / name)) == 200
        generate(long, folder, if_exists="resume", workers=2)
        assert contents(folder) == contents(generate(long, tmp_path / "whole", workers=2))


class TestExistingOutput:
    def test_is_refused_and_nothing_changes(self, reference):
        before = contents(reference)
        with pytest.raises(OutputError, match=r"--resume.*--overwrite"):
            generate(config(), reference)
        assert contents(reference) == before

    def test_is_replaced_on_request(self, tmp_path):
        folder = generate(config(events=1500), tmp_path / "out")
        generate(config(events=600), folder, if_exists="overwrite")
        assert len(find_shards(folder)) == 2
        assert len(read_events(folder)) == 600

    def test_file_is_refused_and_replaced_on_request(self, tmp_path):
        path = generate(config(events=10), tmp_path / "truth.h5")
        with pytest.raises(OutputError, match="the file exists"):
            generate(config(events=20), path)
        generate(config(events=20), path, if_exists="overwrite")
        assert len(read_events(path)) == 20


class TestFullDisk:
    def test_is_noticed_before_anything_is_made(self, tmp_path):
        with pytest.raises(OutputError, match="GB free, but this run needs"):
            generate(config(events=10**12, output={"events_per_shard": 10**8}), tmp_path / "out")
        assert not (tmp_path / "out").exists()

    def test_on_the_way_leaves_whole_files_and_can_be_finished(
        self, reference, tmp_path, monkeypatch
    ):
        """Files may not grow beyond what a shard needs: writing fails as on a full disk."""
        generate(config(events=500), tmp_path / "warm")  # compiled kernels are files, too
        limits = resource.getrlimit(resource.RLIMIT_FSIZE)
        smaller = config(output={"events_per_shard": 2000})
        with monkeypatch.context() as patch:
            patch.setattr(simgen.generation, "check_room", lambda *_: None)
            resource.setrlimit(resource.RLIMIT_FSIZE, (600_000, limits[1]))
            try:
                with pytest.raises(RunError, match=r"--resume"):
                    generate(smaller, tmp_path / "out", workers=2)
            finally:
                resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        assert [p.name for p in (tmp_path / "out").iterdir()] == ["config.yaml"]
        generate(smaller, tmp_path / "out", if_exists="resume")
        assert_same(read_events(tmp_path / "out"), read_events(reference))

    def test_of_a_real_file_system(self, reference, tmp_path, monkeypatch):
        disk = tmp_path / "disk"
        disk.mkdir()
        with small_disk(disk, "700k"):
            monkeypatch.setattr(simgen.generation, "check_room", lambda *_: None)
            with pytest.raises(RunError, match=r"the disk is full.*--resume"):
                generate(config(), disk / "out", workers=2)
            left = [p for p in (disk / "out").iterdir() if p.name != "config.yaml"]
            assert 1 <= len(left) < 5
            for path in left:
                assert path.read_bytes() == (reference / path.name).read_bytes()


@contextlib.contextmanager
def small_disk(folder, size):
    """Mount a file system of a given size, where that is permitted."""
    command = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        pytest.skip("there is no mount command")
    if done.returncode != 0:
        pytest.skip(f"mounting is not permitted: {done.stderr.strip()}")
    try:
        yield
    finally:
        subprocess.run(["umount", str(folder)], check=True)


class TestProblems:
    def test_unknown_generator(self, tmp_path):
        with pytest.raises(ConfigError, match=r"no generator 'herwig'.*decfile"):
            generate(config(generator={"name": "herwig"}), tmp_path / "out")

    def test_unknown_setting_of_the_generator(self, tmp_path):
        wrong = {"name": "decfile", "decay_file": ["ktaumu.dec"]}
        with pytest.raises(ConfigError, match=r"generator: unknown key.*'decay_files'"):
            generate(config(generator=wrong), tmp_path / "out")

    def test_missing_decay_file(self, tmp_path):
        wrong = {"name": "decfile", "decay_files": ["ktaumv.dec"], "base": None}
        with pytest.raises(ConfigError, match=r"no file ktaumv\.dec.*ktaumu\.dec"):
            generate(config(generator=wrong), tmp_path / "out")

    def test_no_beams(self, tmp_path):
        with pytest.raises(ConfigError, match="`beams` or `detector`"):
            generate(config(detector=None), tmp_path / "out")

    def test_errors_in_the_decay_file(self, tmp_path):
        (tmp_path / "bad.dec").write_text("Decay Upsilon(4S)\n1.0 B+ B+ VSS;\nEnddecay\n")
        wrong = {"name": "decfile", "decay_files": [str(tmp_path / "bad.dec")], "base": None}
        with pytest.raises(DecayFileError, match=r"bad\.dec:2: .*charge"):
            generate(config(generator=wrong), tmp_path / "out")
        assert not (tmp_path / "out").exists()


class TestPreparing:
    """A person is told what takes long, and only that."""

    @pytest.mark.parametrize(("show", "patience", "said"), [
        (True, 0.0, "Preparing decays"), (True, 60.0, ""), (False, 0.0, ""),
    ])  # fmt: skip
    def test_is_said_where_it_takes_long(
        self,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
        show: bool,
        patience: float,
        said: str,
    ) -> None:
        monkeypatch.setattr(simgen.progress, "_PATIENCE", patience)
        with preparing(show=show):
            time.sleep(0.2)
        assert capsys.readouterr().err[: len("Preparing decays")] == said


class TestExceededMaximum:
    """It is said, never swallowed."""

    def test_a_program_is_warned(self) -> None:
        with pytest.warns(RuntimeWarning, match="exceeded in 3 of 10"):
            report_problems(["B+ -> x: exceeded in 3 of 10 decays"], show=False)

    def test_a_person_is_told(self, capsys: pytest.CaptureFixture[str]) -> None:
        report_problems(["B+ -> x: exceeded in 3 of 10 decays"], show=True)
        assert capsys.readouterr().err == "simgen: B+ -> x: exceeded in 3 of 10 decays\n"
