"""The run that compares with arXiv:2209.03387: its points to files, then figures and a page."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rich import box
from rich.console import Console
from rich.table import Table

from m2solve.study.paper_figures import draw_paper
from m2solve.study.paper_page import PAGE, paper_page
from m2solve.study.paper_points import PaperPoint, make_paper_points
from m2solve.study.paper_samples import read_samples
from m2solve.study.paper_statements import Statement, limit_rows, make_statements
from m2solve.study.paper_table import STATEMENTS, SUMMARY, numbers, numbers_csv, statements_csv
from simgen.generation import to_yaml
from simgen.io.atomic import write_text
from simgen.show import print_notes

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from m2solve.study.config import RunConfig
    from simgen.generation import ConfigSource, Generation
    from simgen.runner import Shard, Sink

FIGURES = "figures"
_BYTES_PER_EVENT = 100.0  # of a point, measured with gzip


@dataclass(frozen=True)
class PaperResult:
    """What a comparison with the paper leaves.

    Attributes
    ----------
    folder
        ``config.yaml``, ``summary.html`` (the page), ``summary.csv`` (numbers),
        ``summary_statements.csv``, ``figures``, and a folder of M_recoil for each detector.
    statements
        Each statement of the paper with what was found.
    notes
        What is not generated as the decay files say.
    problems
        What went wrong in the events made now.
    """

    folder: Path
    statements: tuple[Statement, ...]
    notes: tuple[str, ...]
    problems: tuple[str, ...]

    def show(self) -> None:
        """Print the statements and where the page is."""
        console = Console(highlight=False)
        table = Table(title="arXiv:2209.03387", title_justify="left", box=box.SIMPLE_HEAD)
        table.add_column("statement", overflow="fold")
        table.add_column("here", no_wrap=True)
        for statement in self.statements:
            table.add_row(statement.text, str(statement.verdict))
        console.print(table)
        print_notes(console, (*self.problems, *self.notes), str(self.folder))
        console.print(f"the page is {self.folder / PAGE}", soft_wrap=True)


@dataclass(frozen=True)
class PaperPlan:
    """A checked configuration of a comparison with the paper."""

    config: RunConfig
    points: tuple[PaperPoint, ...]

    @property
    def generation(self) -> Generation:
        """What makes the truth of the first point."""
        return self.points[0].generation

    @property
    def stages(self) -> tuple[str, ...]:
        """Folders of shards."""
        return tuple(point.name for point in self.points)

    def resolved(self) -> str:
        """Return the whole configuration as YAML; a run of it makes the same files."""
        assert self.config.paper is not None
        parts: dict[str, Any] = {
            k: v for k, v in self.generation.resolved.items() if k != "beams"
        }  # fmt: skip
        profiles = {point.name: point.smearing.profile.model_dump() for point in self.points}
        parts["detector"] = profiles[self.points[0].name]
        parts["candidates"] = self.config.candidates.model_dump()
        parts["solver"] = self.config.solver.model_dump()
        parts["paper"] = {n: profiles[n] for n in type(self.config.paper).model_fields}
        return to_yaml(parts)

    def sinks(self, folder: Path) -> list[Sink[Any]]:
        """Return the files of the points."""
        return [point.sink(folder) for point in self.points]

    def expected_bytes(self, shards: Sequence[Shard]) -> float:
        """Return about how large the files of some shards are."""
        return _BYTES_PER_EVENT * len(self.points) * sum(s.n_events for s in shards)

    def work(self, events: range) -> list[Any]:
        """Take a block of events to every point."""
        blocks = {
            id(g): g.block(events.start, len(events))
            for g in {id(p.generation): p.generation for p in self.points}.values()
        }
        return [point.block(blocks[id(point.generation)]) for point in self.points]

    def finish(self, folder: Path) -> PaperResult:
        """Make tables, figures and page from the files, so that a resumed run has the same."""
        samples = {p.name: read_samples(folder / p.name, p.methods) for p in self.points}
        statements = make_statements(samples)
        limits = limit_rows(samples)
        rows = {name: numbers(point) for name, point in samples.items()}
        write_text(folder / SUMMARY, numbers_csv(rows))
        write_text(folder / STATEMENTS, statements_csv(statements))
        figures = draw_paper(samples, self.points, folder / FIGURES)
        page = paper_page(self.config, self.points, rows, statements, limits, figures)
        write_text(folder / PAGE, page)
        generator = self.generation.generator
        return PaperResult(
            folder, tuple(statements), tuple(generator.notes()), tuple(generator.problems())
        )


def plan_paper(
    config: ConfigSource, *, events: int | None = None, seed: int | None = None
) -> PaperPlan:
    """Check the configuration of a comparison with the paper.

    Raises
    ------
    SimgenError
        Naming what is wrong.
    """
    checked, points = make_paper_points(config, events=events, seed=seed)
    return PaperPlan(checked, tuple(points))
