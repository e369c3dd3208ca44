"""``simgen export``: truth in the formats of other programs."""

from __future__ import annotations

import click

_EPILOG = """\b
Examples:
  simgen export runs/ktaumu_belle2 events.hepmc3.gz
  simgen export truth.h5 truth.root
  simgen export truth.h5 events.hepmc3 --overwrite
"""


@click.command(epilog=_EPILOG)
@click.argument("truth", type=click.Path())
@click.argument("output", type=click.Path())
@click.option("--overwrite", is_flag=True, help="Replace the output if it exists.")
def export(truth: str, output: str, *, overwrite: bool) -> None:
    """Write the events of TRUTH to OUTPUT: HepMC3 (.hepmc3, .hepmc3.gz) or ROOT trees (.root)."""
    from simgen.export import export_events

    done = export_events(truth, output, overwrite=overwrite, progress=True)
    click.echo(done)
