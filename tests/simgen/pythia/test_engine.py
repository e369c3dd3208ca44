"""One Pythia object: its random numbers, and events that it gives up."""

from __future__ import annotations

import os
import time
from concurrent.futures import ThreadPoolExecutor

import awkward as ak
import numpy as np
import pytest

from simgen.beams import load_beams
from simgen.errors import ConfigError, RunError
from simgen.events import EventBlock
from simgen.pythia import keyed
from simgen.pythia.engine import Job, PythiaEngine
from simgen.pythia.session import _captured_output
from simgen.pythia.workers import PythiaWorker

JOB = Job("uds", (), {}, load_beams("belle2"))


class GivesUp:
    """A Pythia that gives up some events of its first batches."""

    def __init__(self, pythia, lost, batches):
        self.pythia, self.lost, self.batches = pythia, lost, batches

    def nextBatch(self, n, mode):  # noqa: N802
        batch = self.pythia.nextBatch(n, mode)
        self.batches -= 1
        if self.batches < 0:
            return batch
        return ak.mask(batch, ~np.isin(np.arange(n), self.lost))


class TestRandomNumbers:
    def test_the_seeded_table_is_pythias(self):
        """`KeyedRandom` compares them; another seed than its own shows that it does."""
        rndm = PythiaEngine(JOB)._pythia.rndm
        rndm.init(4711)
        state = rndm.getState()
        drawn = [rndm.flat() for _ in range(500)]
        table = keyed.seeded_table(4711)
        expected = keyed.sequence(table, 500, state.c, state.cd, state.cm)
        np.testing.assert_array_equal(drawn, expected)

    def test_another_layout_is_refused(self, monkeypatch):
        monkeypatch.setattr(keyed, "_HEAD_INTEGERS", 8)
        with pytest.raises(ConfigError, match="pythia8mc>=8"):
            PythiaEngine(JOB)


class TestEventsGivenUp:
    def test_are_made_again_and_the_others_stay(self):
        engine = PythiaEngine(JOB)
        ids = np.arange(50)
        whole = engine.generate(ids, 1)
        engine._pythia = GivesUp(engine._pythia, [0, 7, 49], 1)
        again = engine.generate(ids, 1)
        assert engine.again == 3
        np.testing.assert_array_equal(again.event_id, ids)
        for i in (1, 6, 8, 48):
            for name in EventBlock.__dataclass_fields__:
                a, b = (getattr(x.select(i, i + 1), name) for x in (again, whole))
                np.testing.assert_array_equal(a, b)
        # the same collision, other hadrons
        np.testing.assert_array_equal(again.beam, whole.beam)
        assert not np.array_equal(again.select(7, 8).p4, whole.select(7, 8).p4)

    def test_an_event_given_up_for_ever_ends_the_run(self):
        engine = PythiaEngine(JOB)
        engine._pythia = GivesUp(engine._pythia, [0], 1000)
        with pytest.raises(RunError, match="gave up event 12 100 times"):
            engine.generate(np.arange(12, 14), 1)


class TestWorker:
    def test_a_death_is_an_error_that_names_the_events(self):
        worker = PythiaWorker(JOB)
        worker.work(np.arange(5), 1)
        worker._process.kill()
        with pytest.raises(RunError, match=r"died .* in events 5 to 9"):
            worker.work(np.arange(5, 10), 1)


def test_output_is_given_back_by_threads_that_start_pythia_at_once():
    """It was lost where one thread kept what another had put in its place."""
    before = os.fstat(1)
    words = []

    def start(i):
        with _captured_output() as said:
            os.write(1, f"thread {i}".encode())
            time.sleep(0.01)
        words.append(said())

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(start, range(16)))
    after = os.fstat(1)
    assert (after.st_dev, after.st_ino) == (before.st_dev, before.st_ino)
    assert sorted(words) == sorted(f"thread {i}" for i in range(16))
