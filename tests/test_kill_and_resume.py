"""A run that is killed leaves whole files only, and --resume finishes it to the same bytes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import h5py
import numpy as np
import pytest
from command_line import SMALL, contents, succeeds

from simgen.io.atomic import is_partial

if TYPE_CHECKING:
    from pathlib import Path

EVENTS, SHARD = 4_000, 500
FILES = 3 * EVENTS // SHARD
PATIENCE = 120.0  # seconds


@pytest.fixture(scope="module")
def config(tmp_path_factory):
    path = tmp_path_factory.mktemp("config") / "kill.yaml"
    text = SMALL.replace("events_per_shard: 100", f"events_per_shard: {SHARD}")
    path.write_text(text.replace("events: 300", f"events: {EVENTS}"))
    return path


@pytest.fixture(scope="module")
def whole(tmp_path_factory, config):
    """What a run leaves that nobody stops; made first, so that kernels are compiled after it."""
    folder = tmp_path_factory.mktemp("whole") / "run"
    succeeds("run", config, "-o", folder)
    return contents(folder)


def start(config: Path, folder: Path, *options: str) -> subprocess.Popen[str]:
    """Start a run as a process of its own.

    Started in the background, as by a CI service, a process ignores the keyboard and so do its
    children; this one is to be as at a terminal.
    """
    code = (
        "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "import simgen.cli; simgen.cli.main()"
    )
    command = [sys.executable, "-c", code, "run", str(config), "-o", str(folder), *options]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)


def stop(process: subprocess.Popen[str], folder: Path, files: int, delay: float, how: int) -> str:
    """Send a signal a moment after the folder has so many files; return what the process said."""
    deadline = time.monotonic() + PATIENCE
    while len(contents_names(folder)) < files:
        assert process.poll() is None, "the run ended before it could be stopped"
        assert time.monotonic() < deadline
        time.sleep(0.002)
    time.sleep(delay)
    process.send_signal(how)
    return process.communicate(timeout=PATIENCE)[1]


def contents_names(folder: Path) -> list[str]:
    """Return the names of the files below a folder, which may not exist yet."""
    return [name for _, _, names in os.walk(folder) for name in names]


def check_whole(folder: Path, whole: dict[str, bytes]) -> int:
    """Check that what a killed run left is a part of what a whole one leaves; return its size."""
    left = contents(folder)
    for name in list(left):
        # Where a file cannot be made without a name, half a file may be left, named as such.
        if is_partial(folder / name) and not hasattr(os, "O_TMPFILE"):
            del left[name]
    assert set(left) <= set(whole)
    for name, data in left.items():
        assert data == whole[name], name
        if name.endswith(".h5"):
            with h5py.File(folder / name, "r") as file:
                assert file.attrs["n_events"] == SHARD
    return len(left)


def test_killed_again_and_again(config, whole, tmp_path):
    folder = tmp_path / "run"
    assert len([name for name in whole if name.endswith(".h5")]) == FILES
    random = np.random.default_rng(20)
    sizes = []
    # From the first file to the figures; each delay is about the time that one shard takes.
    for files in (1, 4, FILES // 2, FILES + 3):
        process = start(config, folder, "--resume")
        stop(process, folder, files, random.uniform(0.0, 0.1), signal.SIGKILL)
        assert process.returncode == -signal.SIGKILL
        sizes.append(check_whole(folder, whole))
    assert sizes == sorted(sizes)
    assert sizes[0] < FILES // 2
    assert sizes[-1] >= FILES + 3
    succeeds("run", config, "-o", folder, "--resume")
    assert contents(folder) == whole


def test_killed_while_it_overwrites(config, whole, tmp_path, monkeypatch):
    """Whatever is left of the old run and made of the new can be overwritten or resumed."""
    folder = tmp_path / "run"
    succeeds("generate", config, "--events", 1500, "--seed", 12, "-o", folder)
    process = start(config, folder, "--overwrite")
    deadline = time.monotonic() + PATIENCE
    while (folder / "part-00002.h5").exists():
        assert time.monotonic() < deadline
        time.sleep(0.0005)
    process.kill()
    process.communicate(timeout=PATIENCE)
    assert (folder / "config.yaml").is_file()
    monkeypatch.setattr("m2solve.study.pipeline.draw_figures", lambda *_: [])
    succeeds("run", config, "-o", folder, "--overwrite")
    expected = {name: data for name, data in whole.items() if not name.startswith("figures")}
    assert contents(folder) == expected


def test_interrupted_with_the_keyboard(config, whole, tmp_path):
    folder = tmp_path / "run"
    process = start(config, folder)
    said = stop(process, folder, 7, 0.0, signal.SIGINT)
    assert process.returncode == 130
    assert said == "\nsimgen: interrupted; files that are there are whole, --resume goes on\n"
    assert 7 <= check_whole(folder, whole) < FILES
