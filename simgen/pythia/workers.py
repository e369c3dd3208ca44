"""Pythia in processes of their own, so that several work at once.

Python holds its lock through all of ``Pythia.nextBatch``. A worker is a fresh interpreter that is
sent a job and lists of event numbers through a pipe; unlike `multiprocessing`, it does not import
the user's program again.
"""

from __future__ import annotations

import contextlib
import subprocess
import sys
import weakref
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING, Any

from simgen.errors import RunError, SimgenError

if TYPE_CHECKING:
    from simgen.events import EventBlock
    from simgen.pythia.engine import Job
    from simgen.typing import IntArray


class PythiaWorker:
    """A process with a `PythiaEngine`; it ends when this object goes or this program ends.

    Parameters
    ----------
    job
        What the engine is to make.
    """

    def __init__(self, job: Job) -> None:
        self._ours, theirs = Pipe()
        handle = theirs.fileno()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "simgen.pythia.workers", str(handle)],
            pass_fds=[handle],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            start_new_session=True,  # an interrupt from the keyboard is this program's
        )
        theirs.close()
        self._end = weakref.finalize(self, _end, self._ours, self._process)
        self._ours.send(job)

    def generate(self, event_id: IntArray, seed: int) -> tuple[EventBlock, int]:
        """Return the events of these numbers, and how many attempts Pythia gave up.

        Raises
        ------
        RunError
            If the process died.
        """
        try:
            self._ours.send((event_id, seed))
            answer: Any = self._ours.recv()
        except (EOFError, OSError) as error:
            code = self._process.wait()
            raise RunError(
                f"a Pythia process died (exit code {code}) in events {event_id[0]} to "
                f"{event_id[-1]}"
            ) from error
        if isinstance(answer, BaseException):
            raise answer
        block, again = answer
        return block, again


def _end(connection: Connection, process: subprocess.Popen[bytes]) -> None:
    """End a worker: it stops when it reads the end of its pipe."""
    connection.close()
    try:
        process.wait(timeout=1.0)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _work(connection: Connection) -> None:
    """Serve one `PythiaWorker` until it goes."""
    from simgen.pythia.engine import PythiaEngine

    with contextlib.suppress(EOFError, BrokenPipeError):
        job = connection.recv()
        engine = PythiaEngine(job)
        while True:
            event_id, seed = connection.recv()
            before = engine.again
            try:
                block = engine.generate(event_id, seed)
            except SimgenError as error:
                connection.send(error)
            else:
                connection.send((block, engine.again - before))


if __name__ == "__main__":
    _work(Connection(int(sys.argv[1])))
