"""Print events and files for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
import numpy as np
from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from simgen.events import FINAL, EventBlock
from simgen.io.contents import Contents, inspect
from simgen.particles import particle_table

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_MOST_NOTES = 20


def print_event(block: EventBlock) -> None:
    """Print the particles of each event of a block as a table."""
    particles = particle_table()
    for row in range(len(block)):
        event = block.select(row, row + 1)
        depth = _depths(event)
        names = [
            "  " * depth[i] + particles.by_pdgid(int(event.pdgid[i])).name
            for i in range(event.n_particles)
        ]
        width = max(map(len, names))
        click.echo(f"event {event.event_id[0]}  (GeV, mm, mm/c; lab frame)")
        numbers = ("px", "py", "pz", "E", "mass", "x", "y", "z", "t")
        head = "".join(f"{name:>10}" for name in numbers)
        click.echo(f"{'':>3} {'particle':<{width}} {'mother':>6} status {head}")
        for i, name in enumerate(names):
            p, v = event.p4[i], event.production[i]
            mass = float(np.sqrt(max(p[3] ** 2 - p[:3] @ p[:3], 0.0)))
            status = "final" if event.status[i] == FINAL else "decays"
            cells = "".join(f"{x:10.4f}" for x in (*p, mass, *v))
            click.echo(f"{i:>3} {name:<{width}} {event.mother[i]:>6} {status:<6} {cells}")


def _depths(event: EventBlock) -> list[int]:
    """Return how many decays deep each particle of one event is."""
    depth: list[int] = []
    for mother in event.mother:
        depth.append(0 if mother < 0 else depth[mother] + 1)
    return depth


def file_config(path: Path) -> str:
    """Return the configuration a file, a folder of shards or a run folder was made with.

    Raises
    ------
    FileFormatError
        If there is no readable file.
    """
    return inspect(path)[-1].headers[0].config


def print_file(path: Path) -> None:
    """Print what a file, a folder of shards or a run folder holds and how it was made.

    Raises
    ------
    FileFormatError
        If a file is missing or damaged.
    """
    console = Console(highlight=False, soft_wrap=True)
    for contents in inspect(path):
        _print_contents(console, contents)


def _print_contents(console: Console, contents: Contents) -> None:
    """Print one stage: range of events, size, provenance, and its columns."""
    files, first = contents.files, contents.headers[0]
    where = str(files[0]) if len(files) == 1 else f"{files[0].parent} ({len(files)} shards)"
    last = first.first_event + contents.n_events - 1
    console.print(f"[bold]{contents.stage}[/bold]  {escape(where)}")
    console.print(
        f"  events {first.first_event} to {last} ({contents.n_events}), seed {first.seed}, "
        f"{contents.size / 1e6:.1f} MB"
    )
    versions = ", ".join(f"{name} {version}" for name, version in first.versions.items())
    console.print(f"  made with {versions}")
    for decay_file in first.provenance.get("decay_files", []):
        digest = decay_file["sha256"][:16]
        console.print(f"  decay file {escape(decay_file['name'])}, SHA-256 {digest}...")
    for model in first.provenance.get("decay_models", []):
        digest = model["sha256"][:16]
        console.print(
            f"  decay model {model['name']} of {escape(model['from'])}, SHA-256 {digest}..."
        )
    print_notes(console, first.provenance.get("notes", []), str(files[0]))
    table = Table(box=box.SIMPLE_HEAD)
    for name in ("column", "type", "rows", "unit", "description"):
        table.add_column(name, justify="right" if name == "rows" else "left")
    for column in contents.columns:
        cells = (column.path, column.dtype, str(column.rows), column.unit, column.description)
        table.add_row(*map(escape, cells))
    console.print(table)


def print_notes(console: Console, notes: Sequence[str], where: str) -> None:
    """Print what is not generated as the user may expect; of many notes the first.

    Parameters
    ----------
    console
        Where to.
    notes
        The most important first.
    where
        File whose header has all of them.
    """
    for note in notes[:_MOST_NOTES]:
        console.print(f"note: {note}", markup=False, soft_wrap=True)
    if len(notes) > _MOST_NOTES:
        more = len(notes) - _MOST_NOTES
        text = f"and {more} more notes, in the attribute `provenance` of {where}"
        console.print(text, markup=False, soft_wrap=True)
