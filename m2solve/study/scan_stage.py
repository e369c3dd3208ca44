"""A scan: one truth, smeared and solved again at every point of detector or solver settings.

Random streams are keyed by event, so every point smears the same truth with the same deviates:
differences between points are not noise. A point is a file of fine histograms in ``points``; all
that is printed, tabled and drawn is made from these.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console

from m2solve.study.methods import methods
from m2solve.study.scan_config import read_scan
from m2solve.study.scan_figures import draw_scan
from m2solve.study.scan_histograms import PointAppender, fill_point, point_layout, read_point
from m2solve.study.scan_points import make_points
from m2solve.study.scan_table import point_rows, print_scan, scan_csv, write_scan
from simgen.errors import OutputError
from simgen.io.atomic import write_text
from simgen.io.hdf5 import Header
from simgen.io.truth import TRUTH, iterate_events
from simgen.processors import default_workers
from simgen.progress import compiling, progress_bar, report_problems
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
    package_versions,
    run_shards,
    shard_path,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from m2solve.study.methods import Method
    from m2solve.study.scan_config import ScanConfig
    from m2solve.study.scan_points import AxisValue, Point
    from m2solve.study.scan_table import ScanRow
    from simgen.events import EventBlock
    from simgen.generation import ConfigSource
    from simgen.typing import FloatArray

SCAN, POINTS, FIGURES = "scan", "points", "figures"
_PACKAGES = ("simgen", "numpy", "numba", "h5py")
_BYTES_PER_POINT = 200e3
_BYTES_PER_PARTICLE = 100.0  # in memory
_MOST_MEMORY = 1e9  # of truth kept in memory, bytes


@dataclass(frozen=True)
class ScanResult:
    """What a scan leaves.

    Attributes
    ----------
    folder
        ``config.yaml``, ``scan.csv``, ``scan.h5``, folders ``truth`` and ``points`` of shards, and
        ``figures``.
    rows
        The table.
    """

    folder: Path
    rows: tuple[ScanRow, ...]

    def show(self) -> None:
        """Print the table."""
        console = Console(highlight=False)
        print_scan(self.rows, console)
        console.print(f"table, figures and truth are in {self.folder}", soft_wrap=True)


@dataclass(frozen=True)
class _Task:
    """A block of truth at a point."""

    point: Point
    block: EventBlock

    def __len__(self) -> int:
        return len(self.block)


def scan(
    config: ConfigSource,
    output: str | Path,
    *,
    events: int | None = None,
    seed: int | None = None,
    workers: int | None = None,
    if_exists: IfExists = "error",
    progress: bool = False,
) -> ScanResult:
    """Run a scan; leave its truth, table and figures in a folder.

    Parameters
    ----------
    config
        A YAML file, the name of one that comes with the package, or a mapping; see
        `m2solve.study.scan_config.read_scan`.
    output
        The folder.
    events, seed
        Replace the configuration's.
    workers
        Number of threads; by default one a processor. Never changes the files.
    if_exists
        What to do if the folder exists: ``"error"``, ``"resume"`` (finished points are kept; the
        configuration has to be the same) or ``"overwrite"``.
    progress
        Show progress bars.

    Returns
    -------
    ScanResult
        Where everything is, and the table.

    Raises
    ------
    SimgenError
        Naming what is wrong with the configuration, the decay files or the output.
    """
    plan = read_scan(config, events=events, seed=seed)
    points = make_points(plan)
    folder = Path(output)
    if is_file(folder):
        raise OutputError(f"{folder}: a scan leaves a folder; give a name without {folder.suffix}")
    truth, results = folder / TRUTH, folder / POINTS
    shards = plan.generation.shards()
    of_points = [Shard(p.number, plan.run.first_event, plan.run.events) for p in points]
    chosen = methods(plan.run.solver)
    truth_sink = plan.generation.sink(truth)
    header = Header(SCAN, plan.run.seed, plan.resolved(), package_versions(*_PACKAGES),
                    {"truth": truth_sink.header.identity})  # fmt: skip
    sink = Sink[Any](
        lambda shard: shard_path(results, shard), header, point_layout(chosen), PointAppender
    )
    needed = plan.generation.expected_bytes(missing_shards([truth], shards))
    check_room(folder, needed + _BYTES_PER_POINT * len(missing_shards([results], of_points)))
    open_output(folder, plan.resolved(), if_exists)
    if if_exists == "overwrite":
        for suffix in (".csv", ".h5"):
            (folder / f"{SCAN}{suffix}").unlink(missing_ok=True)
    check_shards(shards, [truth_sink])
    check_shards(of_points, [sink])
    with disk_errors(folder):
        for part in (truth, results):
            part.mkdir(exist_ok=True)
        plan.generation.keep_inputs(folder)
        with compiling(show=progress):
            first = plan.generation.block(plan.run.first_event, 1)
            _work(_Task(points[0], first))
        _make_truth(plan, truth_sink, missing_shards([truth], shards), workers, show=progress)
        left = missing_shards([results], of_points)
        n_particles = plan.generation.generator.particles_per_event() * plan.run.events
        read = _truth_reader(truth, keep=n_particles * _BYTES_PER_PARTICLE < _MOST_MEMORY)
        label = f"events at {len(left)} points"
        with progress_bar(label, len(left) * plan.run.events, show=progress) as advance:
            run_shards(
                left,
                [sink],
                lambda shard: (_Task(points[shard.number], block) for block in read()),
                lambda task: [_work(task)],
                workers=workers or default_workers(),
                compression=plan.run.output.compression,
                advance=advance,
            )
        rows = _finish(plan, points, chosen, folder, header)
    return ScanResult(folder, tuple(rows))


def _work(task: _Task) -> tuple[dict[str, AxisValue], dict[str, FloatArray]]:
    """Smear and solve a block at a point; return the point's values and histograms."""
    point = task.point
    table, _ = point.smearing.block(task.block)
    columns = point.solving.block(table)
    return point.values, fill_point(columns, methods(point.solving.config))


def _make_truth(
    plan: ScanConfig, sink: Sink[Any], shards: Sequence[Shard], workers: int | None, *, show: bool
) -> None:
    """Generate the truth that is missing."""
    generation = plan.generation
    total = sum(shard.n_events for shard in shards)
    with progress_bar("events of truth", total, show=show) as advance:
        run_shards(
            shards,
            [sink],
            lambda shard: shard.blocks(),
            lambda events: [generation.block(events.start, len(events))],
            workers=workers or default_workers(),
            compression=plan.run.output.compression,
            advance=advance,
        )
    report_problems(generation.generator.problems(), show=show)


def _truth_reader(truth: Path, *, keep: bool) -> Callable[[], Iterator[EventBlock]]:
    """Return what reads the truth block by block; after the first time from memory if kept."""
    kept: list[EventBlock] = []

    def read() -> Iterator[EventBlock]:
        if kept:
            yield from kept
            return
        blocks = []
        for block in iterate_events(truth):
            if keep:
                blocks.append(block)
            yield block
        kept.extend(blocks)

    return read


def _finish(
    plan: ScanConfig,
    points: Sequence[Point],
    chosen: Sequence[Method],
    folder: Path,
    header: Header,
) -> list[ScanRow]:
    """Make table and figures from the files, so that a resumed scan has the same."""
    rows = []
    for point in points:
        path = folder / POINTS / Shard(point.number, 0, 0).name
        rows += point_rows(point, read_point(path, chosen))
    write_text(folder / f"{SCAN}.csv", scan_csv(rows))
    events = plan.run.first_event, plan.run.events
    write_scan(folder / f"{SCAN}.h5", rows, header.for_events(*events))
    draw_scan(rows, chosen, folder / FIGURES, zipped=plan.settings.mode == "zip")
    return rows
