"""``simgen generate``: truth events."""

from __future__ import annotations

from pathlib import Path

import click

from simgen.commands import options

_EPILOG = """\b
Examples:
  simgen generate configs/ktaumu_belle2.yaml
  simgen generate configs/ktaumu_belle2.yaml --events 1000 --seed 7 -o truth.h5
  simgen generate configs/ktaumu_belle2.yaml --event 12345
"""


@click.command(epilog=_EPILOG)
@click.argument("config", type=click.Path())
@options.output("Folder for shards, or a file NAME.h5; by default runs/CONFIG/truth.")
@options.events
@options.seed
@options.workers
@options.existing
@click.option(
    "--event",
    "event_id",
    type=click.IntRange(0),
    help="Make only the event of this number and print it.",
)
def generate(
    config: str,
    output: str | None,
    events: int | None,
    seed: int | None,
    workers: int | None,
    event_id: int | None,
    *,
    resume: bool,
    overwrite: bool,
) -> None:
    """Generate truth events as CONFIG says: a YAML file, or the name of one that is installed."""
    from simgen.generation import generate as generate_files
    from simgen.generation import generate_event
    from simgen.show import print_event, print_file

    policy = options.if_exists(resume=resume, overwrite=overwrite)
    if event_id is not None and events is not None:
        raise click.UsageError("--event and --events exclude each other")
    if event_id is not None:
        target = None if output is None else Path(output)
        print_event(generate_event(config, event_id, seed=seed, output=target, if_exists=policy))
        return
    target = Path("runs") / Path(config).stem / "truth" if output is None else Path(output)
    done = generate_files(
        config,
        target,
        events=events,
        seed=seed,
        workers=workers,
        if_exists=policy,
        progress=True,
    )
    print_file(done)
