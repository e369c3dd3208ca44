"""``simgen inspect``: what is in a file."""

from __future__ import annotations

from pathlib import Path

import click

_EPILOG = """\b
Examples:
  simgen inspect runs/ktaumu_belle2
  simgen inspect truth.h5 --event 12345
  simgen inspect truth.h5 --config > again.yaml
"""


@click.command(epilog=_EPILOG)
@click.argument("path", type=click.Path())
@click.option(
    "--event", "event_id", type=click.IntRange(0), help="Print this event of a truth file."
)
@click.option("--config", "only_config", is_flag=True, help="Print the configuration and no more.")
def inspect(path: str, event_id: int | None, *, only_config: bool) -> None:
    """Show what a file, a folder of shards or a run folder holds and how it was made."""
    from simgen.io.truth import read_event
    from simgen.show import file_config, print_event, print_file

    if event_id is not None and only_config:
        raise click.UsageError("--event and --config exclude each other")
    if event_id is not None:
        print_event(read_event(Path(path), event_id))
    elif only_config:
        click.echo(file_config(Path(path)), nl=False)
    else:
        print_file(Path(path))
