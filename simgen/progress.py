"""What the user is told while work goes on: progress, compilation, problems."""

from __future__ import annotations

import threading
import warnings
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from contextlib import AbstractContextManager

_shown: ContextVar[bool] = ContextVar("shown", default=False)
_PATIENCE = 1.5  # seconds of silence before the user is told what is going on
_PREPARING = (
    "Preparing decays; the first time with these decay files this takes up to a minute, "
    "afterwards seconds ..."
)
_COMPILING = "Compiling kernels; this happens once after installation and takes about a minute ..."


@contextmanager
def progress_bar(
    label: str, total: int | None, *, show: bool, note: Callable[[], str] = str
) -> Iterator[Callable[[int], None]]:
    """Show a progress bar on the terminal's error stream; give the function that advances it.

    Nothing is shown where the error stream is not a terminal.

    Parameters
    ----------
    label
        What is counted.
    total
        How many there are, None if that is not known.
    show
        False for no bar.
    note
        Gives what else is said, asked at each advance; by default nothing.
    """
    if not show:
        yield lambda _: None
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(),
               TextColumn("{task.fields[note]}"), TimeRemainingColumn())  # fmt: skip
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        task = progress.add_task(label, total=total, note=note())
        yield lambda n: progress.update(task, advance=n, note=note())


@contextmanager
def preparing(*, show: bool) -> Iterator[None]:
    """Tell the user that decays are being made ready, if it takes long enough to matter."""
    before = _shown.set(show)
    try:
        with _told(_PREPARING, show=show):
            yield
    finally:
        _shown.reset(before)


def inner_progress(label: str, total: int) -> AbstractContextManager[Callable[[int], None]]:
    """Show a progress bar while something is prepared, if that is shown at all."""
    return progress_bar(label, total, show=_shown.get())


def compiling(*, show: bool) -> AbstractContextManager[None]:
    """Tell the user that kernels are being compiled, if the block takes long enough to matter."""
    return _told(_COMPILING, show=show)


@contextmanager
def _told(what: str, *, show: bool) -> Iterator[None]:
    """Say `what` is going on once the block has taken a while."""
    if not show:
        yield
        return
    timer = threading.Timer(_PATIENCE, lambda: click.echo(what, err=True))
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def report_problems(problems: Sequence[str], *, show: bool) -> None:
    """Say what went wrong in the events just made: to a person, or as a warning to a program."""
    for problem in problems:
        if show:
            click.echo(f"simgen: {problem}", err=True)
        else:
            warnings.warn(problem, RuntimeWarning, stacklevel=2)
