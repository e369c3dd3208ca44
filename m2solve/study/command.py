"""``simgen run``: the main job."""

from __future__ import annotations

from pathlib import Path

import click

from simgen.commands import options

_EPILOG = """\b
Examples:
  simgen run configs/ktaumu_belle2.yaml
  simgen run ktaumu_belle2 --events 1000000 --workers 8 -o runs/large
  simgen run configs/ktaumu_belle2.yaml --resume
"""


@click.command(epilog=_EPILOG)
@click.argument("config", type=click.Path())
@options.output("The run folder; by default runs/CONFIG.")
@options.events
@options.seed
@options.workers
@options.existing
def run(
    config: str,
    output: str | None,
    events: int | None,
    seed: int | None,
    workers: int | None,
    *,
    resume: bool,
    overwrite: bool,
) -> None:
    """Generate, smear and solve as CONFIG says; leave files, a table and figures.

    CONFIG is a YAML file or the name of one that is installed.
    """
    from m2solve.study.pipeline import run as run_all

    run_all(
        config,
        Path("runs") / Path(config).stem if output is None else output,
        events=events,
        seed=seed,
        workers=workers,
        if_exists=options.if_exists(resume=resume, overwrite=overwrite),
        progress=True,
    ).show()
