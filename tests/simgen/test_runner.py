"""Shards, blocks, threads, output folders, full disks."""

from __future__ import annotations

import errno
import threading
import time

import pytest

from simgen.errors import OutputError, RunError
from simgen.processors import default_workers
from simgen.runner import (
    CONFIG_NAME,
    Workers,
    check_room,
    disk_errors,
    open_output,
    plan_shards,
)

CONFIG = "events: 10\nbeams: {spread: 0.1}\n"


class TestShards:
    @pytest.mark.parametrize(("events", "per_shard", "count"), [(10, 3, 4), (9, 3, 3), (1, 99, 1)])
    def test_cover_every_event_once(self, events, per_shard, count):
        shards = plan_shards(100, events, per_shard)
        covered = [i for s in shards for i in range(s.first_event, s.first_event + s.n_events)]
        assert covered == list(range(100, 100 + events))
        assert [s.number for s in shards] == list(range(count))
        assert shards[0].name == "part-00000.h5"


class TestWorkers:
    def test_results_come_in_the_order_of_the_items(self):
        def slow_first(i):
            time.sleep(0.02 if i == 0 else 0.0)
            return i * i

        with Workers(3) as workers:
            found = list(workers.map(slow_first, range(20)))
        assert found == [(i, i * i) for i in range(20)]

    def test_an_error_in_a_thread_reaches_the_caller(self):
        def fail(i):
            raise ValueError(i)

        with Workers(2) as workers, pytest.raises(ValueError, match="0"):
            list(workers.map(fail, range(5)))

    def test_only_a_few_items_are_worked_on_ahead_of_the_reader(self):
        started, lock = [], threading.Lock()

        def note(i):
            with lock:
                started.append(i)
            return i

        with Workers(2) as workers:
            results = workers.map(note, range(1000))
            next(results)
            time.sleep(0.05)
            with lock:
                assert len(started) < 20
            results.close()

    def test_there_is_at_least_one(self):
        assert default_workers() >= 1


class TestOutputFolder:
    @pytest.fixture
    def folder(self, tmp_path):
        """Return an output folder with one shard."""
        open_output(tmp_path / "out", CONFIG, "error")
        (tmp_path / "out" / "part-00000.h5").write_bytes(b"")
        return tmp_path / "out"

    def test_is_made_with_its_parents_and_the_configuration(self, tmp_path):
        open_output(tmp_path / "a" / "b", CONFIG, "error")
        assert CONFIG in (tmp_path / "a" / "b" / CONFIG_NAME).read_text()

    def test_an_empty_folder_may_be_used(self, tmp_path):
        open_output(tmp_path, CONFIG, "error")

    def test_that_exists_is_refused(self, folder):
        with pytest.raises(OutputError, match=r"out: the output folder exists.*--resume.*--overw"):
            open_output(folder, CONFIG, "error")

    def test_is_continued_with_the_same_configuration(self, folder):
        (folder / ".part-00001.h5.partial").write_bytes(b"half")
        open_output(folder, CONFIG, "resume")
        assert sorted(p.name for p in folder.iterdir()) == [CONFIG_NAME, "part-00000.h5"]

    def test_is_not_continued_with_another_configuration(self, folder):
        with pytest.raises(OutputError, match=r"another configuration") as caught:
            open_output(folder, CONFIG.replace("0.1", "0.2"), "resume")
        assert "0.1" in str(caught.value)
        assert "0.2" in str(caught.value)
        assert "events" not in str(caught.value)

    def test_is_emptied_of_what_a_run_made_and_no_more(self, folder):
        (folder / "my notes.txt").write_text("keep")
        open_output(folder, CONFIG.replace("10", "11"), "overwrite")
        assert sorted(p.name for p in folder.iterdir()) == [CONFIG_NAME, "my notes.txt"]
        assert "events: 11" in (folder / CONFIG_NAME).read_text()

    @pytest.mark.parametrize("policy", ["resume", "overwrite"])
    def test_of_somebody_else_is_never_touched(self, tmp_path, policy):
        (tmp_path / "part-00000.h5").write_bytes(b"precious")
        (tmp_path / CONFIG_NAME).write_text("mine: true\n")
        with pytest.raises(OutputError, match="not a folder of simgen"):
            open_output(tmp_path, CONFIG, policy)
        assert (tmp_path / "part-00000.h5").read_bytes() == b"precious"

    def test_that_is_a_file(self, tmp_path):
        (tmp_path / "out").write_bytes(b"")
        with pytest.raises(OutputError, match="is a file"):
            open_output(tmp_path / "out", CONFIG, "error")


class TestDisk:
    def test_too_small_for_the_run_is_said_before_it_starts(self, tmp_path):
        with pytest.raises(OutputError, match=r"GB free, but this run needs about 1e\+06 GB"):
            check_room(tmp_path / "not" / "yet", 1e15)
        check_room(tmp_path / "not" / "yet", 1e3)

    @pytest.mark.parametrize(
        "error",
        [
            OSError(errno.ENOSPC, "No space left on device"),
            OSError(errno.EDQUOT, "Disk quota exceeded"),
            OSError("Unable to write (errno = 28, error message = 'No space left on device')"),
            RuntimeError("Can't write data (No space left on device)"),
        ],
    )
    def test_full_is_one_message_that_says_how_to_go_on(self, tmp_path, error):
        with pytest.raises(RunError, match=r"the disk is full.*--resume"), disk_errors(tmp_path):
            raise error

    def test_other_failures_to_write_give_their_reason(self, tmp_path):
        with pytest.raises(RunError, match=r"writing failed.*Input/output"), disk_errors(tmp_path):
            raise OSError(errno.EIO, "Input/output error")

    def test_mistakes_of_the_program_are_not_hidden(self, tmp_path):
        with pytest.raises(RuntimeError, match="a mistake"), disk_errors(tmp_path):
            raise RuntimeError("a mistake")
