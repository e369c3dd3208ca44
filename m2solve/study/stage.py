"""The stage ``solve``: files of candidates in, files of solutions out."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from detector.stage import CANDIDATES, iterate_candidates
from m2solve.study.config import SolverConfig
from m2solve.study.methods import methods, solution_layout, solve_candidates
from simgen.config import validate
from simgen.generation import ConfigSource, read_config, to_yaml
from simgen.io.hdf5 import ColumnWriter, Header, find_shards, read_header
from simgen.runner import IfExists, Sink, package_versions, shard_path
from simgen.stage import run_stage

if TYPE_CHECKING:
    from collections.abc import Mapping

    from detector.candidate_table import CandidateTable
    from simgen.io.layout import Columns

SOLUTIONS = "solutions"
_PACKAGES = ("simgen", "numpy", "numba", "h5py")
_BYTES_PER_EVENT = 500.0  # measured with gzip on signal events and the default methods


@dataclass(frozen=True)
class Solving:
    """What solving needs, checked."""

    config: SolverConfig
    seed: int

    def block(self, table: CandidateTable) -> Columns:
        """Return the columns of a block of candidates."""
        return solve_candidates(table, self.config, self.seed)

    def header(self, source: Mapping[str, Any]) -> Header:
        """Return the header of solution files; `source` says what was solved."""
        config = {"seed": self.seed, "solver": self.config.model_dump()}
        names = [method.name for method in methods(self.config)]
        provenance = {**source, "methods": names}
        versions = package_versions(*_PACKAGES)
        return Header(SOLUTIONS, self.seed, to_yaml(config), versions, provenance)

    def sink(self, target: Path, source: Mapping[str, Any]) -> Sink[Columns]:
        """Return the sink of solution files, shards in `target` or `target` as the file."""
        return Sink(
            lambda shard: shard_path(target, shard),
            self.header(source),
            solution_layout(methods(self.config)),
            SolutionAppender,
        )


class SolutionAppender:
    """Append solutions to one file and count the status of each method."""

    def __init__(self, writer: ColumnWriter) -> None:
        self._writer = writer
        self._status: dict[str, list[int]] = {}

    def append(self, payload: Columns) -> None:
        """Append the solutions of one block."""
        self._writer.append(payload)
        for path, values in payload.items():
            if path.endswith("/status"):
                counts = np.bincount(np.asarray(values, np.int64), minlength=5)
                before = self._status.get(path, [0] * len(counts))
                self._status[path] = [a + int(b) for a, b in zip(before, counts, strict=True)]

    def provenance(self) -> dict[str, Any]:
        """Return how many candidates of each method have each status."""
        return {"status": {path.removesuffix("/status"): n for path, n in self._status.items()}}


def solver_settings(solver: Mapping[str, Any] | None, config: ConfigSource | None) -> SolverConfig:
    """Return the settings of the solver: given in place, those of a configuration, or defaults.

    Raises
    ------
    ConfigError
        If a setting is wrong.
    """
    sections = {} if config is None else read_config(config)[0]
    settings = solver if solver is not None else sections.get("solver", {})
    return validate(SolverConfig, settings, "solver")


def solve_file(
    candidates: str | Path,
    output: str | Path,
    *,
    solver: Mapping[str, Any] | None = None,
    config: ConfigSource | None = None,
    events: int | None = None,
    seed: int | None = None,
    workers: int | None = None,
    if_exists: IfExists = "error",
    progress: bool = False,
) -> Path:
    """Solve files of candidates.

    Parameters
    ----------
    candidates
        A file of candidates, a folder of shards, or a run folder.
    output
        A folder for shards, or a file ``NAME.h5``.
    solver
        Settings of `m2solve.study.config.SolverConfig`; by default the configuration's.
    config
        A configuration whose section ``solver`` to use.
    events
        Use only so many events, the first; by default all.
    seed
        Of the random angle and the random choice; by default that of the candidates.
    workers
        Number of threads; never changes the files.
    if_exists
        What to do if the output exists.
    progress
        Show a progress bar.

    Returns
    -------
    Path
        The output.

    Raises
    ------
    SimgenError
        Naming what is wrong with the configuration, the input or the output.
    """
    target = Path(output)
    inputs = [(p, read_header(p, CANDIDATES)) for p in find_shards(Path(candidates), CANDIDATES)]
    solving = Solving(
        solver_settings(solver, config),
        inputs[0][1].seed if seed is None else seed,
    )
    sink = solving.sink(target, {"candidates": [header.identity for _, header in inputs]})
    run_stage(
        inputs,
        target,
        sink,
        iterate_candidates,
        solving.block,
        label="candidates",
        bytes_per_event=_BYTES_PER_EVENT,
        events=events,
        workers=workers,
        if_exists=if_exists,
        progress=progress,
    )
    return target
