"""The main job: generate, smear and solve in one go, then table and figures."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console

from detector.profiles import load_profile
from detector.stage import CANDIDATES, Smearing, check_beams
from m2solve.study.config import RunConfig
from m2solve.study.figures import draw_figures
from m2solve.study.histograms import fill_histograms
from m2solve.study.paper_stage import PaperPlan, PaperResult, plan_paper
from m2solve.study.report import (
    Row,
    print_cut_flow,
    print_rows,
    summarise,
    to_csv,
    total_cut_flow,
)
from m2solve.study.source_figure import draw_sources
from m2solve.study.sources import Sources, find_sources, print_sources
from m2solve.study.sources import to_csv as sources_csv
from m2solve.study.stage import SOLUTIONS, Solving
from m2solve.study.yields import Yields, find_yields, print_yields
from m2solve.study.yields import to_csv as yields_csv
from simgen.beams import load_beams
from simgen.config import validate
from simgen.errors import OutputError
from simgen.generation import ConfigSource, Generation, prepare_generation, read_config, to_yaml
from simgen.io.atomic import write_text
from simgen.io.truth import TRUTH
from simgen.processors import default_workers
from simgen.progress import compiling, preparing, progress_bar
from simgen.runner import (
    IfExists,
    Shard,
    Sink,
    check_room,
    check_shards,
    disk_errors,
    is_file,
    missing_shards,
    open_output,
    run_shards,
)
from simgen.show import print_notes

if TYPE_CHECKING:
    from collections.abc import Sequence

SUMMARY, SOURCES, YIELDS, FIGURES = "summary.csv", "sources.csv", "yields.csv", "figures"
_BYTES_PER_EVENT = 1000.0  # candidates and solutions, measured with gzip
_SELECTED = 0.01  # of background events; what is selected of signal is small beside its truth


@dataclass(frozen=True)
class Result:
    """What a run leaves.

    Attributes
    ----------
    folder
        The run folder: ``config.yaml``, ``summary.csv``, folders ``truth``, ``candidates``,
        ``solutions`` of shards, and ``figures``.
    summary
        The rows of the summary.
    cut_flow
        Events left after each requirement.
    sources
        What combinatorial candidates truly are; None where they are matched from truth.
    yields
        Their yields by true decay; None likewise.
    notes
        What is not generated as the decay files say.
    problems
        What went wrong in the events made now.
    """

    folder: Path
    summary: tuple[Row, ...]
    cut_flow: dict[str, int]
    sources: Sources | None
    yields: Yields | None
    notes: tuple[str, ...]
    problems: tuple[str, ...]

    def show(self) -> None:
        """Print notes, cut-flow and summary."""
        console = Console(highlight=False)
        print_cut_flow(self.cut_flow, console)
        if self.sources is None or any(row.candidates for row in self.sources.rows):
            print_rows(self.summary, console)
        if self.sources is not None:
            print_sources(self.sources, console)
        if self.yields is not None:
            print_yields(self.yields, console)
        where = TRUTH if (self.folder / TRUTH).is_dir() else CANDIDATES
        print_notes(console, (*self.problems, *self.notes), str(self.folder / where))
        console.print(f"files, figures and summary are in {self.folder}", soft_wrap=True)


@dataclass(frozen=True)
class Plan:
    """A checked configuration of a run."""

    config: RunConfig
    generation: Generation
    smearing: Smearing
    solving: Solving

    @property
    def stages(self) -> tuple[str, ...]:
        """Folders of shards; the truth may not be written."""
        return (TRUTH, CANDIDATES, SOLUTIONS) if self.keeps_truth else (CANDIDATES, SOLUTIONS)

    def resolved(self) -> str:
        """Return the whole configuration as YAML; a run of it makes the same files."""
        parts: dict[str, Any] = dict(self.generation.resolved)
        parts["detector"] = self.smearing.profile.model_dump()
        parts["candidates"] = self.config.candidates.model_dump()
        parts["solver"] = self.config.solver.model_dump()
        return to_yaml(parts)

    @property
    def keeps_truth(self) -> bool:
        """Whether the true events are written."""
        return self.config.output.keep == "all"

    def sinks(self, folder: Path) -> list[Sink[Any]]:
        """Return the files of the stages that are written."""
        truth = self.generation.sink(folder / TRUTH)
        source: dict[str, Any] = {"truth": truth.header.identity}
        if not self.keeps_truth:
            source["notes"] = list(self.generation.generator.notes())
        candidates = self.smearing.sink(folder / CANDIDATES, source)
        solutions = self.solving.sink(
            folder / SOLUTIONS, {"candidates": candidates.header.identity}
        )
        return [truth, candidates, solutions] if self.keeps_truth else [candidates, solutions]

    def expected_bytes(self, shards: Sequence[Shard]) -> float:
        """Return about how large the files of some shards are."""
        share = _SELECTED if self.config.candidates.is_combinatorial else 1.0
        others = share * _BYTES_PER_EVENT * sum(s.n_events for s in shards)
        return others + (self.generation.expected_bytes(shards) if self.keeps_truth else 0.0)

    def work(self, events: range) -> list[Any]:
        """Take a block of events through all stages; return the results that are written."""
        block = self.generation.block(events.start, len(events))
        smeared = self.smearing.block(block)
        later = [smeared, self.solving.block(smeared[0])]
        return [block, *later] if self.keeps_truth else later

    @staticmethod
    def n_candidates(results: Sequence[Any]) -> int:
        """Return the number of candidates in the results of `work`."""
        table, _ = results[-2]
        return len(table)

    def finish(self, folder: Path) -> Result:
        """Make summary and figures from the files, so that a resumed run has the same."""
        histograms = fill_histograms(folder, folder)
        rows = summarise(histograms)
        write_text(folder / SUMMARY, to_csv(rows))
        draw_figures(histograms, folder / FIGURES)
        generator = self.generation.generator
        sources, yields = None, None
        if self.config.candidates.is_combinatorial:
            sources = find_sources(folder)
            write_text(folder / SOURCES, sources_csv(sources))
            draw_sources(sources, folder / FIGURES / "m_recoil_by_source")
            yields = find_yields([folder])
            write_text(folder / YIELDS, yields_csv(yields))
        return Result(
            folder=folder,
            summary=tuple(rows),
            cut_flow=total_cut_flow(folder),
            sources=sources,
            yields=yields,
            notes=generator.notes(),
            problems=generator.problems(),
        )


def plan_run(config: ConfigSource, *, events: int | None = None, seed: int | None = None) -> Plan:
    """Check the configuration of a run and make its generator ready.

    Raises
    ------
    SimgenError
        Naming what is wrong.
    """
    data, source, folder = read_config(config, {"events": events, "seed": seed})
    checked = validate(RunConfig, data, source)
    profile = load_profile(checked.detector, relative_to=folder)
    if checked.beams is not None:  # before the decays are prepared, which may take a minute
        check_beams(profile, load_beams(checked.beams, folder), source)
    generation = prepare_generation(config, {"events": events, "seed": seed})
    return Plan(
        checked,
        generation,
        Smearing(profile, checked.candidates, checked.seed),
        Solving(checked.solver, checked.seed),
    )


def run(
    config: ConfigSource,
    output: str | Path,
    *,
    events: int | None = None,
    seed: int | None = None,
    workers: int | None = None,
    if_exists: IfExists = "error",
    progress: bool = False,
) -> Result | PaperResult:
    """Generate, smear and solve; leave files, table and figures in a run folder.

    With a section ``paper`` in the configuration, compare with arXiv:2209.03387 instead: several
    detectors at once, and a page with the paper's figures and statements.

    Parameters
    ----------
    config
        A YAML file, the name of one that comes with the package, or a mapping.
    output
        The run folder.
    events, seed
        Replace the configuration's.
    workers
        Number of threads; by default one a processor. Never changes the files.
    if_exists
        What to do if the folder exists: ``"error"``, ``"resume"`` or ``"overwrite"``.
    progress
        Show a progress bar.

    Returns
    -------
    Result or PaperResult
        Where everything is, and the summary or the statements.

    Raises
    ------
    SimgenError
        Naming what is wrong with the configuration, the decay files or the output.
    """
    has_paper = read_config(config)[0].get("paper") is not None
    with preparing(show=progress):
        plan: Plan | PaperPlan = (plan_paper if has_paper else plan_run)(
            config, events=events, seed=seed
        )
    folder = Path(output)
    if is_file(folder):
        raise OutputError(f"{folder}: a run leaves a folder; give a name without {folder.suffix}")
    stages = [folder / name for name in plan.stages]
    every, sinks = plan.generation.shards(), plan.sinks(folder)
    check_room(folder, plan.expected_bytes(missing_shards(stages, every)))
    open_output(folder, plan.resolved(), if_exists)
    check_shards(every, sinks)
    shards = missing_shards(stages, every)
    with disk_errors(folder):
        for stage in stages:
            stage.mkdir(exist_ok=True)
        plan.generation.keep_inputs(folder)
        with compiling(show=progress):
            plan.work(range(plan.config.first_event, plan.config.first_event + 1))
        total = sum(shard.n_events for shard in shards)
        selected: list[int] = []

        def work(events: range) -> list[Any]:
            results = plan.work(events)
            if isinstance(plan, Plan):
                selected.append(plan.n_candidates(results))
            return results

        def note() -> str:
            return f"{sum(selected):,} candidates" if isinstance(plan, Plan) else ""

        with progress_bar("events", total, show=progress, note=note) as advance:
            run_shards(
                shards,
                sinks,
                lambda shard: shard.blocks(),
                work,
                workers=workers or default_workers(),
                compression=plan.config.output.compression,
                advance=advance,
            )
        with progress_bar("summary and figures", None, show=progress):
            return plan.finish(folder)
