"""``simgen decays``: show what decay files make, and what is wrong with them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import Console

    from simgen.decfile.diagnostic import Diagnostic
    from simgen.decfile.report import ChainGroup, DecayReport

EXIT_WITH_ERRORS = 2
"""Exit code if a diagnostic is an error."""

_EPILOG = """\b
Examples:
  simgen decays configs/decays/ktaumu.dec
  simgen decays signal.dec tag.dec --depth 6
  simgen decays signal.dec --base none --format json
  simgen decays --base DECAY_LHCB.DEC --root Lambda_b0 --all
  simgen decays signal.dec --model my_models.py:MY_MODEL

\b
Exit code: 0 if events can be made, 2 if a diagnostic is an error.
"""


@click.command(epilog=_EPILOG)
@click.argument("decay_files", nargs=-1, metavar="[FILE.dec]...", type=click.Path())
@click.option(
    "--base",
    default="DECAY_BELLE2.DEC",
    show_default=True,
    metavar="NAME|none",
    help="Base table under the files: DECAY_BELLE2.DEC, DECAY_LHCB.DEC, a file, or none.",
)
@click.option(
    "--root",
    default="Upsilon(4S)",
    show_default=True,
    metavar="NAME",
    help="Particle or alias every event starts with.",
)
@click.option(
    "--model",
    "models",
    multiple=True,
    metavar="FILE.py:NAME",
    help="A decay model of your own, as in `generator.models`; may be given several times.",
)
@click.option(
    "--depth",
    type=click.IntRange(min=1),
    help="How many decays deep the chains are shown.  [default: 4, but no deeper into the base "
    "table than a page has room]",
)
@click.option(
    "--all",
    "everything",
    is_flag=True,
    help="Also diagnose what no event reaches, and the oddities of the base table.",
)
@click.option(
    "--format",
    "output_format",
    default="table",
    show_default=True,
    type=click.Choice(["table", "json"]),
    help="For people or for programs.",
)
@click.pass_context
def decays(
    context: click.Context,
    decay_files: tuple[str, ...],
    *,
    base: str,
    root: str,
    models: tuple[str, ...],
    depth: int | None,
    everything: bool,
    output_format: str,
) -> None:
    """Show the decay chains of decay files, their models, and what is wrong.

    The files are read in order on top of the base table; the last decay of a particle counts.
    """
    from simgen.decfile import describe_decays, has_errors
    from simgen.models.user import load_user_models

    chosen_base = None if base == "none" else base
    if chosen_base is None and not decay_files:
        raise click.UsageError("give at least one decay file, or a base table other than none")
    own = [user.model for user in load_user_models(models, Path.cwd(), "--model")]
    report = describe_decays(
        decay_files, chosen_base, root, depth=depth, everything=everything, models=own
    )
    if output_format == "json":
        _print_json(report)
    else:
        _print_tables(report)
    if has_errors(report.diagnostics):
        context.exit(EXIT_WITH_ERRORS)


def _print_json(report: DecayReport) -> None:
    """Print the report for programs."""
    import json

    click.echo(json.dumps(report.as_dict(), indent=1))


def _print_tables(report: DecayReport) -> None:
    """Print the report for people."""
    from rich.console import Console

    console = Console(highlight=False)
    console.print(f"{report.root} from {', '.join(info.name for info in report.files)}")
    _print_chains(console, report)
    _print_models(console, report)
    for diagnostic in report.diagnostics:
        _print_diagnostic(console, diagnostic)
    errors = sum(diagnostic.severity == "error" for diagnostic in report.diagnostics)
    console.print(
        f"{report.decays_per_event:.4g} decays per event; "
        f"{report.implemented_events:.4%} of the events have only implemented models; "
        f"{errors} errors, {len(report.diagnostics) - errors} warnings"
    )


def _print_chains(console: Console, report: DecayReport) -> None:
    """Print the decays, one a row, indented by how deep they are."""
    from rich.table import Table
    from rich.text import Text

    table = Table(title="Decay chains", title_justify="left")
    table.add_column("decay", overflow="fold")
    table.add_column("model", no_wrap=True)
    table.add_column("fraction", justify="right", no_wrap=True)
    table.add_column("product", justify="right", no_wrap=True)
    for decay, model, implemented, numbers in _rows(report.chains, 0):
        table.add_row(Text(decay), Text(model, style="" if implemented else "red"), *numbers)
    console.print(table)


def _rows(group: ChainGroup, level: int) -> Iterator[tuple[str, str, bool, tuple[str, str]]]:
    """Yield the rows of the chains: decay, model, whether implemented, fraction and product."""
    indent = "  " * level
    for step in group.steps:
        decay = f"{indent}{step.parent} -> {' '.join(step.daughters) or '(left to the model)'}"
        numbers = (f"{step.fraction:.5g}", f"{step.product:.4g}")
        yield decay, step.model, step.implemented, numbers
        for following in step.following:
            yield from _rows(following, level + 1)
    if group.n_left_out:
        rest = f"{indent}{group.parent} -> {group.n_left_out} more"
        yield rest, "", True, (f"{group.fraction_left_out:.5g}", "")


def _print_models(console: Console, report: DecayReport) -> None:
    """Print the models and how much they govern."""
    from rich.table import Table
    from rich.text import Text

    table = Table(title="Models", title_justify="left")
    table.add_column("model", no_wrap=True)
    table.add_column("implemented")
    for title in ("channels", "decays per event", "share of decays"):
        table.add_column(title, justify="right")
    for use in report.models:
        implemented = Text("yes") if use.implemented else Text("no", style="red")
        numbers = (str(use.n_channels), f"{use.per_event:.4g}", f"{use.share:.3%}")
        table.add_row(Text(use.name), implemented, *numbers)
    console.print(table)


def _print_diagnostic(console: Console, diagnostic: Diagnostic) -> None:
    """Print a finding and the line it is about."""
    style = "red" if diagnostic.severity == "error" else "yellow"
    console.print(str(diagnostic), style=style, markup=False, soft_wrap=True)
    if diagnostic.source.text.strip():
        console.print(f"    {diagnostic.source.text.strip()}", markup=False, soft_wrap=True)
