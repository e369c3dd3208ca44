"""``simgen scan``: detector and solver settings varied over one truth."""

from __future__ import annotations

from pathlib import Path

import click

from simgen.commands import options

_EPILOG = """\b
Examples:
  simgen scan configs/scan_vertex.yaml
  simgen scan scan_vertex --events 1000000 --workers 8 -o runs/vertex
  simgen scan scan_vertex --resume
"""


@click.command(epilog=_EPILOG)
@click.argument("config", type=click.Path())
@options.output("The folder of the scan; by default runs/CONFIG.")
@options.events
@options.seed
@options.workers
@options.existing
def scan(
    config: str,
    output: str | None,
    events: int | None,
    seed: int | None,
    workers: int | None,
    *,
    resume: bool,
    overwrite: bool,
) -> None:
    """Smear and solve one truth at many points; leave a table and figures.

    CONFIG is a YAML file, or the name of one that is installed: a run with a section `scan`.
    """
    from m2solve.study.scan_stage import scan as run_scan

    run_scan(
        config,
        Path("runs") / Path(config).stem if output is None else output,
        events=events,
        seed=seed,
        workers=workers,
        if_exists=options.if_exists(resume=resume, overwrite=overwrite),
        progress=True,
    ).show()
