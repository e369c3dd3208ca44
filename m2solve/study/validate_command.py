"""``simgen validate``: a run against its own truth."""

from __future__ import annotations

import click

_EPILOG = """\b
Examples:
  simgen validate runs/ktaumu_belle2
  simgen validate runs/ktaumu_belle2 --window m_recoil 0.05 --window momentum 0.1
  simgen validate --candidates candidates.h5 --solutions solutions.h5 -o check
  simgen validate --detector my_detector.yaml -o check_detector
"""


@click.command(epilog=_EPILOG)
@click.argument("run", type=click.Path(), required=False)
@click.option("--candidates", type=click.Path(), help="File or folder of candidates, without RUN.")
@click.option("--solutions", type=click.Path(), help="File or folder of their solutions.")
@click.option(
    "--detector", metavar="PROFILE", help="Check a detector profile instead: smear, fit, compare."
)
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
    detector: str | None,
    output: str | None,
    windows: tuple[tuple[str, float], ...],
) -> None:
    """Compare the solutions of RUN, a run folder, with the truth.

    Residuals of M_recoil, cos(theta), invisible momenta and the B direction; pulls of everything
    measured; statuses; how often the chosen one of two solutions is the nearer one.

    With --detector, particles of known momentum are smeared, found and identified, and compared
    with what the profile states.
    """
    if detector is not None:
        _check_detector(detector, output, others=(run, candidates, solutions, *windows))
        return
    from m2solve.study.validation import validate as validate_run

    validate_run(
        run,
        candidates=candidates,
        solutions=solutions,
        output=output,
        windows=dict(windows),
        progress=True,
    ).show()


def _check_detector(detector: str, output: str | None, others: tuple[object, ...]) -> None:
    """Check a profile; nothing of a run goes with it."""
    if any(other is not None for other in others):
        raise click.UsageError("--detector checks a profile alone, without a run or windows")
    if output is None:
        raise click.UsageError("--detector needs -o, a folder for tables and figures")
    from m2solve.study.detector_check import check_detector

    check_detector(detector, output, progress=True).show()
