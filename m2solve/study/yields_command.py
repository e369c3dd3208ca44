"""``simgen yields``: what is left of several runs, by true decay."""

from __future__ import annotations

import click

_EPILOG = """\b
Examples:
  simgen yields runs/background_charged
  simgen yields runs/background_charged runs/background_mixed
  simgen yields runs/background_* -o yields.csv
"""


@click.command(name="yields", epilog=_EPILOG)
@click.argument("runs", type=click.Path(), nargs=-1, required=True)
@click.option("-o", "--output", type=click.Path(), metavar="PATH", help="CSV file of all rows.")
def yields(runs: tuple[str, ...], output: str | None) -> None:
    """Add up the yields of RUNS, run folders of one luminosity, by true decay.

    The largest backgrounds that peak in M_recoil and the largest that do not, with what was
    misidentified. The runs have combinatorial candidates, all with the same settings.
    """
    from pathlib import Path

    from rich.console import Console

    from m2solve.study.yields import find_yields, print_totals, print_yields, to_csv
    from simgen.io.atomic import write_text

    found = find_yields(runs)
    console = Console(highlight=False)
    print_totals(found, console)
    print_yields(found, console, with_source=True)
    if output is not None:
        write_text(Path(output), to_csv(found))
        console.print(f"all rows are in {output}", soft_wrap=True)
