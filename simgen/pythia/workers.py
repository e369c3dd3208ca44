"""Pythia in processes of their own, so that several work at once.

Python holds its lock through all of ``Pythia.nextBatch``. A worker is a fresh interpreter that is
sent a job and tasks through a pipe; unlike `multiprocessing`, it does not import
the user's program again.
"""

from __future__ import annotations

import contextlib
import subprocess
import sys
import threading
import weakref
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from typing import Any, Protocol

from simgen.errors import RunError, SimgenError


class Worker(Protocol):
    """Does one kind of work with one Pythia object; not for several threads at once."""

    def work(self, *task: Any) -> Any:
        """Return the result of a task."""
        ...


class Job(Protocol):
    """What a worker is made of; can be sent to another process."""

    def start(self) -> Worker:
        """Return a worker."""
        ...

    def describe(self, *task: Any) -> str:
        """Say what a task is about, such as "events 1 to 5"."""
        ...


class PythiaWorkers:
    """As many workers for a job as are needed at once: the first here, others in processes.

    Parameters
    ----------
    job
        Of all workers.
    first
        The worker of this process, made by the job.
    """

    def __init__(self, job: Job, first: Worker) -> None:
        self._job, self._first = job, first
        self._here = threading.Lock()
        self._lock = threading.Lock()
        self._idle: list[PythiaWorker] = []

    def work(self, *task: Any) -> Any:
        """Return the result of a task; may be called from several threads at once."""
        if self._here.acquire(blocking=False):
            try:
                return self._first.work(*task)
            finally:
                self._here.release()
        with self._lock:
            worker = self._idle.pop() if self._idle else None
        worker = worker or PythiaWorker(self._job)
        result = worker.work(*task)
        with self._lock:
            self._idle.append(worker)
        return result


class PythiaWorker:
    """A worker in a process of its own; it ends when this object goes or this program ends.

    Parameters
    ----------
    job
        What the worker is made of.
    """

    def __init__(self, job: Job) -> None:
        self._job = job
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

    def work(self, *task: Any) -> Any:
        """Return the result of a task.

        Raises
        ------
        RunError
            If the process died.
        """
        try:
            self._ours.send(task)
            answer: Any = self._ours.recv()
        except (EOFError, OSError) as error:
            code = self._process.wait()
            about = self._job.describe(*task)
            raise RunError(f"a Pythia process died (exit code {code}) in {about}") from error
        if isinstance(answer, BaseException):
            raise answer
        return answer


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
    with contextlib.suppress(EOFError, BrokenPipeError):
        worker = connection.recv().start()
        while True:
            task = connection.recv()
            try:
                connection.send(worker.work(*task))
            except SimgenError as error:
                connection.send(error)


if __name__ == "__main__":
    _work(Connection(int(sys.argv[1])))
