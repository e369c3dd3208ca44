"""``simgen validate``: a run against its own truth."""

from __future__ import annotations

import click

_EPILOG = """\b
Examples:
  simgen validate runs/ktaumu_belle2
  simgen validate runs/ktaumu_belle2 --window m_recoil 0.05 --window momentum 0.1
  simgen validate --candidates candidates.h5 --solutions solutions.h5 -o check
"""


@click.command(epilog=_EPILOG)
@click.argument("run", type=click.Path(), required=False)
@click.option("--candidates", type=click.Path(), help="File or folder of candidates, without RUN.")
@click.option("--solutions", type=click.Path(), help="File or folder of their solutions.")
@click.option(
    "-o",
    "--output",
    type=click.Path(),
    metavar="PATH",
    help="Folder for tables and figures; by default `validation` in RUN or beside the solutions.",
)
@click.option(
    "--window",
    "windows",
    type=(str, float),
    multiple=True,
    metavar="NAME WIDTH",
    help="What counts as near the truth: m_recoil or momentum (GeV), cos_theta, direction (rad).",
)
def validate(
    run: str | None,
    candidates: str | None,
    solutions: str | None,
    output: str | None,
    windows: tuple[tuple[str, float], ...],
) -> None:
    """Compare the solutions of RUN, a run folder, with the truth.

    Residuals of M_recoil, cos(theta), invisible momenta and the B direction; pulls of everything
    measured; statuses; how often the chosen one of two solutions is the nearer one.
    """
    from m2solve.study.validation import validate as validate_run

    validate_run(
        run,
        candidates=candidates,
        solutions=solutions,
        output=output,
        windows=dict(windows),
        progress=True,
    ).show()
