"""Run ``simgen`` inside the test process, and look at what it leaves."""

from __future__ import annotations

import contextlib
import io
from typing import TYPE_CHECKING, NamedTuple
from unittest import mock

import h5py
import pytest

from simgen.cli import main

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np

SMALL = """\
events: 300
seed: 11
detector: belle2
generator: {name: decfile, decay_files: [ktaumu.dec], base: null}
output: {events_per_shard: 100}
"""
"""Three shards of signal events; without a base table it starts at once."""


class Done(NamedTuple):
    """How a command ended."""

    code: int
    out: str
    err: str


def simgen(*arguments: object) -> Done:
    """Run the command line as the installed script does."""
    out, err = io.StringIO(), io.StringIO()
    with (
        mock.patch("sys.argv", ["simgen", *map(str, arguments)]),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
        pytest.raises(SystemExit) as ended,
    ):
        main()
    assert isinstance(ended.value.code, int)
    return Done(ended.value.code, out.getvalue(), err.getvalue())


def succeeds(*arguments: object) -> str:
    """Run a command that has to work and return what it prints."""
    done = simgen(*arguments)
    # On a first run the user is told that kernels are being compiled.
    said = [
        line
        for line in done.err.splitlines()
        if not line.startswith(("Compiling kernels", "Preparing decays"))
    ]
    assert (done.code, said) == (0, []), done.err
    return done.out


def columns(*files: Path) -> dict[str, list[np.ndarray]]:
    """Return every dataset of each file by its path."""
    found: dict[str, list[np.ndarray]] = {}
    for path in files:
        with h5py.File(path, "r") as file:

            def visit(name: str, item: object) -> None:
                if isinstance(item, h5py.Dataset):
                    found.setdefault(name, []).append(item[:])

            file.visititems(visit)
    return found


def contents(folder: Path) -> dict[str, bytes]:
    """Return the bytes of every file below a folder by its relative path."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
