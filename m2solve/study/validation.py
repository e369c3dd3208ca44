"""Validation of a run against its own truth: residuals, pulls, statuses, the choice of solution."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import numpy as np
import yaml
from rich.console import Console

from detector.candidate_table import CANDIDATE_LAYOUT, CandidateTable
from detector.profiles import DetectorProfile
from detector.stage import CANDIDATES
from m2solve.recoil import cos_theta_tag
from m2solve.study.histograms import file_methods
from m2solve.study.methods import Method, solution_layout
from m2solve.study.pipeline import FIGURES
from m2solve.study.solutions import Solutions
from m2solve.study.stage import SOLUTIONS
from m2solve.study.validation_figures import MOST_FIGURES, draw_validation
from m2solve.study.validation_pulls import (
    ESTIMATE,
    INPUT,
    PullRow,
    input_pulls,
    input_rows,
    pull_row,
)
from m2solve.study.validation_residuals import (
    UNITS,
    WINDOWS,
    ResidualRow,
    StatusRow,
    compare_with_truth,
    groups_of,
    residual_rows,
    status_rows,
)
from m2solve.study.validation_tables import (
    print_pulls,
    print_residuals,
    print_status,
    pull_records,
    residual_records,
    status_records,
    to_csv,
)
from simgen.config import validate as validate_config
from simgen.errors import ConfigError, FileFormatError, OutputError
from simgen.io.atomic import write_text
from simgen.io.hdf5 import concatenate_columns, find_shards, read_header
from simgen.progress import progress_bar
from simgen.runner import disk_errors

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from simgen.typing import BoolArray, FloatArray

_Array = TypeVar("_Array", "FloatArray", "BoolArray")
VALIDATION = "validation"
_SAME_COSINE = 1e-9


@dataclass(frozen=True)
class Validation:
    """What a validation found.

    Attributes
    ----------
    folder
        Tables, and figures in ``figures`` below.
    residuals
        Estimates less truth by method, group of tau decays, solution and quantity.
    pulls
        Of measured inputs, and of estimates with an uncertainty.
    status
        How candidates were solved, by method and group.
    figures
        The PNG files.
    """

    folder: Path
    residuals: tuple[ResidualRow, ...]
    pulls: tuple[PullRow, ...]
    status: tuple[StatusRow, ...]
    figures: tuple[Path, ...]

    @property
    def disagreeing(self) -> tuple[PullRow, ...]:
        """Measured inputs whose pulls are not those of a unit Gaussian."""
        inputs = [row for row in self.pulls if row.kind == INPUT]
        return tuple(row for row in inputs if not row.agrees(len(inputs)))

    def show(self) -> None:
        """Print the tables."""
        console = Console(highlight=False)
        print_residuals(self.residuals, console)
        print_status(self.status, self.residuals, console)
        print_pulls(self.pulls, console)
        if self.disagreeing:
            names = ", ".join(row.name for row in self.disagreeing)
            console.print(f"uncertainties that do not agree with the errors: {names}")
        console.print(f"tables and figures are in {self.folder}", soft_wrap=True)


@dataclass(frozen=True)
class _Inputs:
    """Files that belong together: one pair a shard, or all of both as one pair."""

    pairs: tuple[tuple[list[Path], list[Path]], ...]
    methods: tuple[Method, ...]
    profile: DetectorProfile
    seed: int


@dataclass
class _Collected:
    """Everything a validation needs of all candidates."""

    found: dict[str, dict[str, FloatArray]]
    groups: dict[str, BoolArray]
    weights: FloatArray
    pulls: dict[str, FloatArray]


def validate(
    run: str | Path | None = None,
    *,
    candidates: str | Path | None = None,
    solutions: str | Path | None = None,
    output: str | Path | None = None,
    windows: Mapping[str, float] | None = None,
    progress: bool = False,
) -> Validation:
    """Compare the solutions of a run with the truth its candidates hold.

    With the default methods some 5 kB of memory are needed for each candidate.

    Parameters
    ----------
    run
        A run folder; or give both of the next.
    candidates, solutions
        A file or a folder of shards, and what was solved from it.
    output
        Folder for tables and figures; by default ``validation`` in the run folder, or beside the
        solutions. What an earlier validation left there is replaced.
    windows
        How far from the truth counts as near, in place of
        `m2solve.study.validation_residuals.WINDOWS`: GeV, rad, or 1 for cos(theta).
    progress
        Show a progress bar.

    Returns
    -------
    Validation
        All numbers; the same are in ``residuals.csv``, ``pulls.csv`` and ``status.csv``.

    Raises
    ------
    FileFormatError
        If a file is missing or damaged, the two do not belong together, or hold no signal.
    ConfigError
        If a window has an unknown name or is not positive, or input is given twice or not at all.
    OutputError
        If the output is a file.
    """
    checked = _check_windows(windows or {})
    paths = _input_paths(run, candidates, solutions)
    inputs = _find_inputs(*paths)
    folder = Path(output) if output is not None else _default_folder(run, paths[1])
    if folder.exists() and not folder.is_dir():
        raise OutputError(f"{folder}: is a file; a validation leaves a folder")
    steps = len(inputs.pairs) + len(inputs.methods) + MOST_FIGURES
    with progress_bar("steps of validation", steps, show=progress) as advance:
        collected = _collect(inputs, advance)
        residuals: list[ResidualRow] = []
        statuses: list[StatusRow] = []
        for method in inputs.methods:
            found = collected.found[method.name]
            of_sample = (collected.groups, collected.weights)
            residuals += residual_rows(method, found, *of_sample, checked)
            statuses += status_rows(method, found, *of_sample)
            advance(1)
        pulls = [*input_rows(collected.pulls), *_estimate_rows(collected)]
        with disk_errors(folder):
            (folder / FIGURES).mkdir(parents=True, exist_ok=True)
            write_text(folder / "residuals.csv", to_csv(residual_records(residuals)))
            write_text(folder / "pulls.csv", to_csv(pull_records(pulls)))
            write_text(folder / "status.csv", to_csv(status_records(statuses)))
            figures = draw_validation(
                inputs.methods, collected.found, collected.groups, collected.weights,
                collected.pulls, statuses, folder / FIGURES, advance,
            )  # fmt: skip
    return Validation(folder, tuple(residuals), tuple(pulls), tuple(statuses), tuple(figures))


def _check_windows(changes: Mapping[str, float]) -> dict[str, float]:
    """Return all windows, some of them changed."""
    for name, window in changes.items():
        if name not in WINDOWS:
            raise ConfigError(f"there is no window {name!r}; allowed: {', '.join(WINDOWS)}")
        if not 0.0 < window < np.inf:
            raise ConfigError(f"the window {name} has to be positive and finite, found {window}")
    return {**WINDOWS, **changes}


def _input_paths(
    run: str | Path | None, candidates: str | Path | None, solutions: str | Path | None
) -> tuple[Path, Path]:
    """Return where candidates and solutions are."""
    if run is None and candidates is not None and solutions is not None:
        return Path(candidates), Path(solutions)
    if run is None or candidates is not None or solutions is not None:
        raise ConfigError("give either a run folder, or both candidates and solutions")
    folder = Path(run)
    if not folder.exists():
        raise FileFormatError(f"{folder}: there is no such file or folder")
    if not folder.is_dir():
        raise FileFormatError(f"{folder}: not a run folder; give candidates and solutions")
    for stage, maker in ((CANDIDATES, "simgen smear"), (SOLUTIONS, "simgen solve")):
        if not (folder / stage).is_dir():
            raise FileFormatError(f"{folder}: has no folder {stage} ({maker} makes it)")
    return folder / CANDIDATES, folder / SOLUTIONS


def _default_folder(run: str | Path | None, solutions: Path) -> Path:
    """Return where tables and figures go."""
    return (solutions.parent if run is None else Path(run)) / VALIDATION


def _find_inputs(candidates: Path, solutions: Path) -> _Inputs:
    """Find all files and say how they belong together."""
    tables, solved = find_shards(candidates, CANDIDATES), find_shards(solutions, SOLUTIONS)
    headers = [[read_header(path) for path in paths] for paths in (tables, solved)]
    # The last shard of solutions may be of the first events only.
    by_shard = len(solved) <= len(tables) and all(
        s.first_event == t.first_event and s.n_events <= t.n_events
        for t, s in zip(*headers, strict=False)
    )
    pairs = [(tables, solved)]
    if by_shard:
        pairs = [([t], [s]) for t, s in zip(tables, solved, strict=False)]
    settings = yaml.safe_load(headers[0][0].config)["detector"]
    profile = validate_config(DetectorProfile, settings, str(tables[0]))
    return _Inputs(tuple(pairs), file_methods(solved[0]), profile, headers[0][0].seed)


def _read(inputs: _Inputs) -> Iterator[tuple[CandidateTable, Solutions]]:
    """Yield candidates and their solutions, pair by pair."""
    layout = solution_layout(inputs.methods)
    for tables, solved in inputs.pairs:
        last = read_header(solved[-1])
        table = CandidateTable.from_columns(concatenate_columns(tables, CANDIDATE_LAYOUT))
        table = table.before(last.first_event + last.n_events)
        solutions = Solutions(inputs.methods, concatenate_columns(solved, layout))
        if not _belong_together(table, solutions):
            raise FileFormatError(
                f"{solved[0]}: its solutions are not those of the candidates in {tables[0]}"
            )
        yield table, solutions


def _belong_together(table: CandidateTable, solutions: Solutions) -> bool:
    """Say whether numbers of events and true angles are the same."""
    if not np.array_equal(table.event_id, solutions["candidate", "event_id"]):
        return False
    cosine = cos_theta_tag(table.true_p_kl, table.true_parent_tag, table.true_total)
    stored = np.asarray(solutions["candidate", "cos_theta"], np.float64)
    return bool(np.allclose(cosine, stored, rtol=0.0, atol=_SAME_COSINE, equal_nan=True))


def _collect(inputs: _Inputs, advance: Callable[[int], None]) -> _Collected:
    """Read everything and keep what tables and figures are made of."""
    parts: list[_Collected] = []
    for table, solutions in _read(inputs):
        parts.append(
            _Collected(
                {m.name: compare_with_truth(table, solutions, m) for m in inputs.methods},
                groups_of(table),
                table.weight,
                input_pulls(table, inputs.profile, inputs.seed),
            )
        )
        advance(1)
    whole = _Collected(
        {m.name: _joined([p.found[m.name] for p in parts]) for m in inputs.methods},
        _joined([p.groups for p in parts]),
        np.concatenate([p.weights for p in parts]),
        _joined([p.pulls for p in parts]),
    )
    if not whole.groups["all"].any():
        raise FileFormatError(f"{inputs.pairs[0][0][0].parent}: there are no signal candidates")
    return whole


def _joined(parts: list[dict[str, _Array]]) -> dict[str, _Array]:
    """Concatenate the arrays of the same name."""
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _estimate_rows(collected: _Collected) -> Iterator[PullRow]:
    """Yield the pulls of the estimates that have an uncertainty, by group."""
    for method, found in collected.found.items():
        for quantity in UNITS:
            pulls = found.get(f"pull/{quantity}")
            if pulls is None:
                continue
            for group, chosen in collected.groups.items():
                row = pull_row(ESTIMATE, f"{method}/{quantity}", group, pulls[chosen])
                if row is not None:
                    yield row
