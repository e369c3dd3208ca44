"""The stage ``smear``: files of truth in, files of candidates out."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import yaml

from detector.candidate_table import CANDIDATE_LAYOUT, CandidateTable
from detector.candidates import smear_block
from detector.config import CandidateConfig
from detector.cutflow import STAGES, CutFlow, combinatorial_stages
from detector.profiles import DetectorProfile, load_profile
from simgen.beams import Beams
from simgen.config import validate
from simgen.errors import ConfigError
from simgen.generation import ConfigSource, read_config, to_yaml
from simgen.io.hdf5 import (
    ColumnWriter,
    Header,
    concatenate_columns,
    find_shards,
    iterate_rows,
    read_header,
)
from simgen.io.truth import TRUTH, iterate_events
from simgen.runner import IfExists, Sink, package_versions, shard_path
from simgen.stage import run_stage

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from simgen.events import EventBlock

CANDIDATES = "candidates"
_PACKAGES = ("simgen", "numpy", "numba", "h5py")
_BEAM_TOLERANCE = 0.01  # GeV; twice the energy spread, far below any difference of beams
_BYTES_PER_EVENT = 700.0  # measured with gzip on signal events

Smeared = tuple[CandidateTable, CutFlow]


@dataclass(frozen=True)
class Smearing:
    """What smearing needs, checked."""

    profile: DetectorProfile
    candidates: CandidateConfig
    seed: int

    def block(self, events: EventBlock) -> Smeared:
        """Return candidates and cut-flow of a block of truth."""
        return smear_block(events, self.profile, self.candidates, self.seed)

    def header(self, source: Mapping[str, Any]) -> Header:
        """Return the header of candidate files; `source` says what was smeared."""
        config = {
            "seed": self.seed,
            "detector": self.profile.model_dump(),
            "candidates": self.candidates.model_dump(),
        }
        return Header(CANDIDATES, self.seed, to_yaml(config), package_versions(*_PACKAGES),
                      dict(source))  # fmt: skip

    def sink(self, target: Path, source: Mapping[str, Any]) -> Sink[Smeared]:
        """Return the sink of candidate files, shards in `target` or `target` as the file."""
        stages: tuple[str, ...] = STAGES
        if self.candidates.is_combinatorial:
            prefiltered = self.candidates.prefilter != "nothing"
            is_pair = self.candidates.topology.is_tau_pair
            stages = combinatorial_stages(prefiltered=prefiltered, is_pair=is_pair)
        return Sink(
            lambda shard: shard_path(target, shard),
            self.header(source),
            CANDIDATE_LAYOUT,
            lambda writer: CandidateAppender(writer, stages),
        )


class CandidateAppender:
    """Append candidates to one file and add up the cut-flow."""

    def __init__(self, writer: ColumnWriter, stages: tuple[str, ...]) -> None:
        self._writer, self._cutflow = writer, CutFlow.none(stages)

    def append(self, payload: Smeared) -> None:
        """Append the candidates of one block."""
        table, cutflow = payload
        self._writer.append(table.columns())
        self._cutflow += cutflow

    def provenance(self) -> dict[str, Any]:
        """Return the cut-flow of the file."""
        return {"cut_flow": self._cutflow.as_dict()}


def check_beams(profile: DetectorProfile, beams: Beams, source: str) -> None:
    """Refuse a detector whose beams are not those the events were made with.

    Raises
    ------
    ConfigError
        If the mean total four-momenta differ by more than 10 MeV.
    """
    expected, made = profile.beams.total(), beams.total()
    if np.abs(expected - made).max() > _BEAM_TOLERANCE:
        shown = [", ".join(f"{x:.3f}" for x in p) for p in (made, expected)]
        raise ConfigError(
            f"{source}: the events have beams with total (px, py, pz, E) = ({shown[0]}) GeV, but "
            f"the detector {profile.name!r} has ({shown[1]}) GeV"
        )


def smear(
    truth: str | Path,
    output: str | Path,
    *,
    detector: str | Mapping[str, Any] | None = None,
    candidates: Mapping[str, Any] | None = None,
    config: ConfigSource | None = None,
    events: int | None = None,
    seed: int | None = None,
    workers: int | None = None,
    if_exists: IfExists = "error",
    progress: bool = False,
) -> Path:
    """Make candidates from truth files.

    Parameters
    ----------
    truth
        A truth file, a folder of shards, or a run folder.
    output
        A folder for shards, or a file ``NAME.h5``.
    detector
        Name or path of a profile, or a profile derived in place; by default the configuration's.
    candidates
        Settings of `detector.CandidateConfig`; by default the configuration's.
    config
        A configuration whose sections ``detector`` and ``candidates`` to use.
    events
        Use only so many events, the first; by default all.
    seed
        Of the smearing; by default that of the truth.
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
    inputs = [(shard, read_header(shard, TRUTH)) for shard in find_shards(Path(truth), TRUTH)]
    smearing = prepare_smearing(
        inputs[0][1], detector=detector, candidates=candidates, config=config, seed=seed
    )
    sink = smearing.sink(target, {"truth": [header.identity for _, header in inputs]})
    run_stage(
        inputs,
        target,
        sink,
        iterate_events,
        smearing.block,
        label="events",
        bytes_per_event=_BYTES_PER_EVENT,
        events=events,
        workers=workers,
        if_exists=if_exists,
        progress=progress,
    )
    return target


def prepare_smearing(
    truth: Header,
    *,
    detector: str | Mapping[str, Any] | None,
    candidates: Mapping[str, Any] | None,
    config: ConfigSource | None,
    seed: int | None,
) -> Smearing:
    """Check everything that smearing needs against the header of the truth."""
    sections: dict[str, Any] = {}
    folder = Path.cwd()
    if config is not None:
        sections, _, folder = read_config(config)
    spec = detector if detector is not None else sections.get("detector")
    if spec is None:
        raise ConfigError("no detector is given: name a profile, for instance belle2")
    profile = load_profile(spec, relative_to=folder)
    settings = candidates if candidates is not None else sections.get("candidates", {})
    made_with = yaml.safe_load(truth.config)["beams"]
    check_beams(profile, validate(Beams, made_with, "truth"), "truth")
    return Smearing(
        profile,
        validate(CandidateConfig, settings, "candidates"),
        truth.seed if seed is None else seed,
    )


def iterate_candidates(path: str | Path, rows: int = 10_000) -> Iterator[CandidateTable]:
    """Read candidates block by block.

    Parameters
    ----------
    path
        A file of candidates, a folder of shards, or a run folder.
    rows
        Candidates in a block; the last of each file may be smaller.

    Raises
    ------
    FileFormatError
        If a file is missing, damaged or of another stage.
    """
    for shard in find_shards(path, CANDIDATES):
        for columns in iterate_rows(shard, CANDIDATE_LAYOUT, "candidates/event_id", rows):
            yield CandidateTable.from_columns(columns)


def read_candidates(path: str | Path) -> CandidateTable:
    """Read all candidates of a file, a folder of shards, or a run folder at once.

    Raises
    ------
    FileFormatError
        If a file is missing, damaged or of another stage.
    """
    shards = find_shards(path, CANDIDATES)
    return CandidateTable.from_columns(concatenate_columns(shards, CANDIDATE_LAYOUT))
