"""Yields of what survives a selection, by the true decays and by what was misidentified."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import yaml
from rich import box
from rich.table import Table

from detector.config import SignalTopology
from detector.matching import SOURCES
from detector.stage import iterate_candidates
from detector.topology import TauMode
from m2solve.study.sources import KINDS, PEAKING, RIGHT_TAGS, SIGNAL, is_conjugated, kinds
from m2solve.study.true_decay_names import chain_name, conjugate, particle_name, read_chain
from simgen.errors import ConfigError, FileFormatError
from simgen.luminosity import expected_events

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rich.console import Console

    from detector.candidate_table import CandidateTable

RIGHT = "right"
_POISSON_90 = 2.303  # -ln(0.1), the mean of which nothing is seen in a tenth of all cases
_ROWS = 100_000
_SHOWN = 10
_PRONG = {TauMode.E: 11, TauMode.MU: 13, TauMode.PI: 211, TauMode.RHO: 211}
_SHORT = {11: "e", 13: "mu", 211: "pi", 321: "K", 2212: "p"}


@dataclass(frozen=True)
class Yield:
    """Candidates that are the same in truth.

    Attributes
    ----------
    source
        What made the events: generator and process or decay file.
    kind
        One of `m2solve.study.sources.KINDS`.
    decay
        True decays of the signal side: that of the B, and of each D, charmonium and tau a track or
        photon of the candidate comes from; without B mesons, of the charmed hadron or tau.
    tag
        `RIGHT`, or the true decays of the tag side.
    misidentified
        Tracks that are not what they were taken for, as ``mu from pi``; those of the tag begin
        with ``tag``. Empty if there are none.
    peak
        The particle that all but kaon and lepton comes from, at whose mass M_recoil peaks; empty
        if it does not.
    candidates
        Number.
    weight
        Their mean weight.
    total
        Sum of weights: the yield at the luminosity.
    error
        Its statistical uncertainty, the root of the sum of squared weights.
    """

    source: str
    kind: str
    decay: str
    tag: str
    misidentified: str
    peak: str
    candidates: int
    weight: float
    total: float
    error: float

    @property
    def is_peaking(self) -> bool:
        """Whether this is a background that peaks."""
        return self.kind == PEAKING


@dataclass(frozen=True)
class Yields:
    """All that is left of one or more runs.

    Attributes
    ----------
    luminosity
        Of the yields, 1/fb; None where the weights are not scaled to any.
    rows
        The largest first.
    event_weights
        Weight of a generated event by source: of what is not there, 2.3 of it are excluded at 90 %.
    """

    luminosity: float | None
    rows: tuple[Yield, ...]
    event_weights: Mapping[str, float]

    @property
    def event_weight(self) -> float:
        """The largest of `event_weights`."""
        return max(self.event_weights.values())

    @property
    def heading(self) -> str:
        """What the sums of weights are."""
        return (
            "sums of weights" if self.luminosity is None else f"yields at {self.luminosity:g} /fb"
        )


def find_yields(folders: Sequence[str | Path]) -> Yields:
    """Add up the candidates of runs of combinatorial candidates.

    Parameters
    ----------
    folders
        Run folders, of the same luminosity and the same candidates.

    Raises
    ------
    ConfigError
        If the runs do not go together, or a run has candidates matched from truth.
    FileFormatError
        If a folder is no run folder, or a file is damaged.
    """
    configs = [_config_of(Path(folder)) for folder in folders]
    for i, (folder, config) in enumerate(zip(folders, configs, strict=True)):
        _require_same(folders[0], configs[0], folder, config)
        for j in range(i):
            if configs[j]["generator"] == config["generator"]:
                raise ConfigError(
                    f"{folder}: the same generator as {folders[j]}; the weights of each run add up "
                    "to the whole luminosity, so that the source would count twice"
                )
    rows: list[Yield] = []
    for folder, config in zip(folders, configs, strict=True):
        rows += _rows(Path(folder), config)
    rows.sort(key=lambda row: (-row.total, row.source, row.kind, row.decay, row.tag,
                               row.misidentified))  # fmt: skip
    weights: dict[str, float] = {}
    for config in configs:
        name = source_name(config)
        weights[name] = max(_event_weight(config), weights.get(name, 0.0))
    return Yields(configs[0].get("luminosity"), tuple(rows), weights)


def _event_weight(config: dict[str, Any]) -> float:
    """Return the weight of each event of a run."""
    luminosity, cross_section = config.get("luminosity"), config.get("cross_section")
    if luminosity is None or cross_section is None:
        return 1.0
    return expected_events(luminosity, cross_section) / float(config["events"])


def _config_of(folder: Path) -> dict[str, Any]:
    """Return the configuration a run folder keeps."""
    path = folder / "config.yaml"
    try:
        config: dict[str, Any] = yaml.safe_load(path.read_text())
    except OSError:
        raise FileFormatError(f"{folder}: no run folder, it has no config.yaml") from None
    if config.get("candidates", {}).get("assignment") != "combinatorial":
        raise ConfigError(
            f"{path}: candidates: assignment should be combinatorial; candidates matched from "
            "truth are signal"
        )
    return config


def _require_same(
    first: str | Path, expected: dict[str, Any], folder: str | Path, config: dict[str, Any]
) -> None:
    """Refuse runs whose yields cannot be added up."""
    for key in ("luminosity", "candidates"):
        if config.get(key) != expected.get(key):
            raise ConfigError(
                f"{folder}: {key} differs from that of {first}; yields of different ones do not "
                f"add up: {config.get(key)!r} and {expected.get(key)!r}"
            )


def source_name(config: dict[str, Any]) -> str:
    """Return what made the events of a run: generator and process, decay files or files."""
    generator = config["generator"]
    of = generator.get("process") or generator.get("decay_files") or generator.get("files") or ()
    names = [of] if isinstance(of, str) else [Path(str(x)).name for x in of]
    return " ".join([str(generator["name"]), *names])


def _rows(folder: Path, config: dict[str, Any]) -> list[Yield]:
    """Return the rows of one run."""
    source, topology = source_name(config), SignalTopology(**config["candidates"]["topology"])
    sums: dict[tuple[str, str, str, str, str], list[float]] = {}
    for table in iterate_candidates(folder, _ROWS):
        for key, weight in zip(_keys(table, topology), table.weight.tolist(), strict=True):
            part = sums.setdefault(key, [0, 0.0, 0.0])
            part[0] += 1
            part[1] += weight
            part[2] += weight**2
    return [
        Yield(source, *key, int(n), w / n, w, float(np.sqrt(ww)))
        for key, (n, w, ww) in sums.items()
    ]


def _keys(table: CandidateTable, topology: SignalTopology) -> list[tuple[str, str, str, str, str]]:
    """Return kind, decay, tag, misidentified and peak of each candidate."""
    keys = []
    taken, conjugated = misidentified(table, topology), is_conjugated(table)
    for i, number in enumerate(kinds(table).tolist()):
        kind, flip = KINDS[number], bool(conjugated[i])
        signal = chain_name(read_chain(table.true_decay_sig[i].tolist(), conjugated=flip))
        tag, peak = RIGHT, ""
        if kind not in RIGHT_TAGS:
            tag = chain_name(read_chain(table.true_decay_tag[i].tolist(), conjugated=flip))
        if kind in (SIGNAL, PEAKING):
            recoil = int(table.true_recoil[i])
            peak = particle_name(conjugate(recoil) if flip else recoil) if recoil else ""
        keys.append((kind, signal, tag, taken[i], peak))
    return keys


def misidentified(table: CandidateTable, topology: SignalTopology) -> list[str]:
    """Return which tracks of each candidate are not what they were taken for.

    As ``mu from pi``, in the order of `detector.matching.SOURCES`, those of the tag with ``tag``
    before them; empty if there are none.
    """
    n, pions = len(table), np.full(len(table), 211)
    prong = np.array([_PRONG.get(TauMode(mode), 0) for mode in range(len(TauMode))])
    taken = {
        "kaon": np.full(n, topology.kaon or 0),
        "lepton": np.full(n, topology.lepton or 0),
        "prong": prong[table.tau_mode],
        "tag_lepton": np.maximum(table.tag_lepton_flavour, prong[table.tag_tau_mode]),
        "d_kaon": np.full(n, 321),
    }
    found: list[list[str]] = [[] for _ in range(n)]
    for column, name in enumerate(SOURCES):
        true, expected = np.abs(table.true_ids[:, column]), taken.get(name, pions)
        side = "" if name in ("kaon", "lepton", "prong") else "tag "
        for i in np.flatnonzero((true != 0) & (true != expected)).tolist():
            found[i].append(f"{side}{_short(int(expected[i]))} from {_short(int(true[i]))}")
    return [", ".join(names) for names in found]


def _short(number: int) -> str:
    """Return a name without charge of what leaves a track."""
    return _SHORT.get(number) or particle_name(number)


def to_csv(yields: Yields) -> str:
    """Return all rows as CSV; `Yield` says what the columns are."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([name if name != "total" else "yield" for name in _COLUMNS])
    for row in yields.rows:
        values = [getattr(row, name) for name in _COLUMNS]
        writer.writerow([f"{v:.6g}" if isinstance(v, float) else v for v in values])
    return out.getvalue()


def print_totals(yields: Yields, console: Console) -> None:
    """Print the yield of each source by kind, with all of them together last."""
    sources = list(yields.event_weights)
    shown = [kind for kind in KINDS if any(row.kind == kind for row in yields.rows)]
    table = Table(
        title=f"What is left, {yields.heading}", title_justify="left", box=box.SIMPLE_HEAD,
        pad_edge=False, collapse_padding=True,
    )  # fmt: skip
    table.add_column("source")
    for kind in [*shown, "all"]:
        table.add_column(kind, justify="right")
    for source in [*sources, *(["all"] if len(sources) > 1 else [])]:
        of = [row for row in yields.rows if source in ("all", row.source)]
        cells = [_total([row for row in of if row.kind == kind]) for kind in shown]
        none = f"below {_POISSON_90 * yields.event_weights.get(source, 0.0):,.0f}"
        table.add_row(source, *cells, _total(of) if of else none)
    console.print(table)


def _total(rows: Sequence[Yield]) -> str:
    """Return the sum of rows with its uncertainty."""
    total, error = sum(row.total for row in rows), np.sqrt(sum(row.error**2 for row in rows))
    return f"{total:,.0f} ± {error:,.0f}"


def print_yields(yields: Yields, console: Console, *, with_source: bool = False) -> None:
    """Print the largest backgrounds that peak, and the largest of those that do not."""
    rows = [row for row in yields.rows if row.kind != SIGNAL]
    if not rows:
        limit = _POISSON_90 * yields.event_weight
        console.print(
            f"Backgrounds, {yields.heading}: no candidates, below {limit:,.0f} at 90 % confidence"
        )
        return
    _print_table(yields, "that peak", [row for row in rows if row.is_peaking], console, with_source)
    others = [row for row in rows if not row.is_peaking]
    _print_table(yields, "that do not peak", others, console, with_source)
    console.print(
        "true decay: of the signal side, and of the tag where that is not right (D and lepton of "
        "one B -> D(*) l nu X). misidentified: what tracks truly are. peak: with a right tag, the "
        "one particle that all of the B but kaon and lepton comes from; M_recoil peaks at its mass."
    )


def _print_table(
    yields: Yields, which: str, rows: list[Yield], console: Console, with_source: bool
) -> None:
    """Print the first rows and what the others add up to."""
    if not rows:
        limit = _POISSON_90 * yields.event_weight
        console.print(f"Backgrounds {which}: none, below {limit:,.0f} at 90 % confidence")
        return
    n = sum(row.candidates for row in rows)
    heading = (
        f"Largest backgrounds {which}, {yields.heading}; all: {_total(rows)} from {n:,} candidates"
    )
    table = Table(
        title=heading, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False,
        collapse_padding=True,
    )  # fmt: skip
    peaks = any(row.peak for row in rows)
    names = [*(["source"] if with_source else []), "true decay", "misidentified"]
    for name in [*names, *(["peak"] if peaks else [])]:
        table.add_column(name)
    for name in ("n", "yield"):
        table.add_column(name, justify="right", no_wrap=True)
    for row in rows[:_SHOWN]:
        decay = row.decay if row.tag == RIGHT else f"{row.decay}\n  tag: {row.tag}"
        cells = [*([row.source] if with_source else []), decay, row.misidentified]
        cells += [row.peak] if peaks else []
        table.add_row(*cells, str(row.candidates), f"{row.total:,.0f} ± {row.error:,.0f}")
    console.print(table)


_COLUMNS = tuple(field.name for field in fields(Yield))
