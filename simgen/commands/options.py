"""Options that several subcommands share."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from pathlib import Path

    from simgen.runner import IfExists

Command = TypeVar("Command", bound=Callable[..., Any])

workers = click.option(
    "--workers",
    type=click.IntRange(1, 1024),
    help="Number of threads; one a processor by default. Never changes the files.",
)
events = click.option(
    "--events", type=click.IntRange(1), help="Number of events, instead of the configuration's."
)
first_events = click.option(
    "--events", type=click.IntRange(1), help="Use only so many events of the input, the first."
)
seed = click.option(
    "--seed", type=click.IntRange(0), help="Random seed, instead of the configuration's."
)
_resume = click.option(
    "--resume", is_flag=True, help="Finish an output that was stopped: make what is missing."
)
_overwrite = click.option("--overwrite", is_flag=True, help="Replace the output if it exists.")


def output(help_text: str) -> Callable[[Command], Command]:
    """Return the option ``--output``."""
    return click.option("-o", "--output", type=click.Path(), metavar="PATH", help=help_text)


def existing(command: Command) -> Command:
    """Add ``--resume`` and ``--overwrite``."""
    return _resume(_overwrite(command))


def if_exists(*, resume: bool, overwrite: bool) -> IfExists:
    """Return what to do with an output that exists."""
    if resume and overwrite:
        raise click.UsageError("--resume and --overwrite exclude each other")
    return "resume" if resume else "overwrite" if overwrite else "error"


def beside(path: Path, stage: str) -> Path:
    """Return where the output of a stage goes by default.

    A file gets a file of the same name with the stage's beside it, a run folder or a folder of
    shards a folder of the stage's name.
    """
    if path.suffix in {".h5", ".hdf5"}:
        return path.with_name(f"{path.stem}_{stage}{path.suffix}")
    is_run_folder = any((path / name).is_dir() for name in ("truth", "candidates"))
    return path / stage if is_run_folder else path.parent / stage
