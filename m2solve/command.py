"""``simgen solve``: invisible momenta and M_recoil from candidates."""

from __future__ import annotations

from pathlib import Path

import click

from simgen.commands import options

_EPILOG = """\b
Examples:
  simgen solve runs/ktaumu_belle2/candidates
  simgen solve candidates.h5 -o solutions.h5
  simgen solve candidates.h5 --variable M2sB --variable M2sV --m-nunu m_hat
  simgen solve candidates.h5 --variable M2sB --m-nunu 0.9 --m-nunu masses.csv
  simgen solve candidates.h5 -o solutions.h5 --check 100
"""


@click.command(epilog=_EPILOG)
@click.argument("candidates", type=click.Path())
@options.output("Folder for shards, or a file NAME.h5; by default `solutions` beside CANDIDATES.")
@click.option("--config", type=click.Path(), help="Take the section solver from this file.")
@click.option("--variable", "variables", multiple=True, metavar="NAME", help="Solve for this.")
@click.option(
    "--m-nunu",
    "masses",
    multiple=True,
    metavar="CHOICE",
    help="Mass of the invisible system of the signal side: true, m_hat, zero, posterior (M2sBV), "
    "a number in GeV, or a file NAME.csv or NAME.h5 with event_id and m_nunu.",
)
@click.option(
    "--check",
    "n_checked",
    type=click.IntRange(1),
    metavar="N",
    help="Also solve the first N candidates with a general minimiser and report the difference.",
)
@options.first_events
@options.seed
@options.workers
@options.existing
def solve(
    candidates: str,
    output: str | None,
    config: str | None,
    variables: tuple[str, ...],
    masses: tuple[str, ...],
    n_checked: int | None,
    events: int | None,
    seed: int | None,
    workers: int | None,
    *,
    resume: bool,
    overwrite: bool,
) -> None:
    """Solve CANDIDATES, a file, a folder of shards or a run folder, for the invisible momenta."""
    from m2solve.study.mass_file import MASS_FILES
    from m2solve.study.report import print_summary
    from m2solve.study.stage import SOLUTIONS, solve_file

    choices = [{"file": m} if m.endswith(MASS_FILES) else m for m in masses]
    given = {"variables": variables, "m_nunu": choices}
    solver = {key: list(value) for key, value in given.items() if value}
    if solver and config is not None:
        raise click.UsageError("--config and --variable or --m-nunu exclude each other")
    done = solve_file(
        candidates,
        options.beside(Path(candidates), SOLUTIONS) if output is None else output,
        solver=solver or None,
        config=config,
        events=events,
        seed=seed,
        workers=workers,
        if_exists=options.if_exists(resume=resume, overwrite=overwrite),
        progress=True,
    )
    print_summary(done)
    if n_checked is not None:
        from m2solve.study.check import check_candidates, print_check
        from m2solve.study.stage import solver_settings

        settings = solver_settings(solver or None, config)
        print_check(check_candidates(candidates, settings, n_checked, progress=True))
