"""``simgen smear``: candidates from truth."""

from __future__ import annotations

from pathlib import Path

import click

from simgen.commands import options

_EPILOG = """\b
Examples:
  simgen smear runs/ktaumu_belle2/truth --detector belle2
  simgen smear truth.h5 --detector my_detector.yaml -o candidates.h5
  simgen smear truth.h5 --config configs/ktaumu_belle2.yaml --seed 3
"""


@click.command(epilog=_EPILOG)
@click.argument("truth", type=click.Path())
@options.output("Folder for shards, or a file NAME.h5; by default `candidates` beside TRUTH.")
@click.option("--detector", metavar="PROFILE", help="Name or file of a detector profile.")
@click.option(
    "--config", type=click.Path(), help="Take the sections detector and candidates from this file."
)
@options.first_events
@options.seed
@options.workers
@options.existing
def smear(
    truth: str,
    output: str | None,
    detector: str | None,
    config: str | None,
    events: int | None,
    seed: int | None,
    workers: int | None,
    *,
    resume: bool,
    overwrite: bool,
) -> None:
    """Make reconstructed candidates from TRUTH: a file, a folder of shards, or a run folder."""
    from detector.stage import CANDIDATES
    from detector.stage import smear as smear_files
    from simgen.show import print_file

    done = smear_files(
        truth,
        options.beside(Path(truth), CANDIDATES) if output is None else output,
        detector=detector,
        config=config,
        events=events,
        seed=seed,
        workers=workers,
        if_exists=options.if_exists(resume=resume, overwrite=overwrite),
        progress=True,
    )
    print_file(done)
