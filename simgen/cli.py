"""The command ``simgen``; its subcommands come from the entry-point group ``simgen.commands``."""

from __future__ import annotations

import sys
from importlib.metadata import EntryPoint, entry_points

import click

from simgen import __version__
from simgen.errors import SimgenError

COMMAND_GROUP = "simgen.commands"
EXIT_INTERRUPTED = 130
_ORDER = (
    "run",
    "generate",
    "smear",
    "solve",
    "validate",
    "scan",
    "yields",
    "inspect",
    "export",
    "decays",
)


class EntryPointGroup(click.Group):
    """A group that imports a subcommand only when it is used or its help is needed."""

    def _found(self) -> dict[str, EntryPoint]:
        """Return the installed subcommands by name."""
        return {entry.name: entry for entry in entry_points(group=COMMAND_GROUP)}

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """Return the names of the subcommands, in the order of the work, others after."""
        found = self._found()
        first = [name for name in _ORDER if name in found]
        return first + sorted(set(found) - set(first))

    def get_command(
        self,
        ctx: click.Context,  # noqa: ARG002
        cmd_name: str,
    ) -> click.Command | None:
        """Import a subcommand."""
        entry = self._found().get(cmd_name)
        if entry is None:
            return None
        command: click.Command = entry.load()
        return command


_EPILOG = """\b
Examples:
  simgen run configs/ktaumu_belle2.yaml
  simgen generate configs/ktaumu_belle2.yaml --events 1000 --output truth.h5
  simgen smear truth.h5 --detector belle2_design --output candidates.h5
  simgen solve candidates.h5 --output solutions.h5
  simgen inspect solutions.h5
  simgen decays configs/decays/ktaumu.dec

\b
Exit codes: 0 done; 1 whatever reads the output has left; 2 something in the
input is wrong, nothing was started; 3 a run stopped on the way, what is
written is whole; 130 interrupted.
"""


@click.group(
    cls=EntryPointGroup,
    epilog=_EPILOG,
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(__version__, prog_name="simgen")
def cli() -> None:
    """Simulate B decays with neutrinos on both sides, smear them, and solve for the neutrinos."""


def main() -> None:
    """Run the command line; errors of the user end in one message and an exit code."""
    try:
        result = cli(standalone_mode=False)
    except SimgenError as error:
        click.echo(f"simgen: {error}", err=True)
        sys.exit(error.exit_code)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        click.echo(
            "simgen: interrupted; files that are there are whole, --resume goes on", err=True
        )
        sys.exit(EXIT_INTERRUPTED)
    sys.exit(result if isinstance(result, int) else 0)
