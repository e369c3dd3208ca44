"""Generate truth: a configuration in, files of events out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from simgen.beams import Beams, load_beams, profile_beams
from simgen.config import (
    GenerateConfig,
    check_keys,
    config_root,
    find_config,
    read_derived,
    read_yaml,
    validate,
)
from simgen.errors import ConfigError
from simgen.events import EVENT_LAYOUT, EventBlock
from simgen.generators.base import Generator, check_settings, make_generator
from simgen.io.atomic import atomic_file
from simgen.io.hdf5 import Header
from simgen.io.truth import TRUTH, TruthAppender
from simgen.processors import default_workers
from simgen.progress import compiling, preparing, progress_bar, report_problems
from simgen.runner import (
    IfExists,
    Shard,
    Sink,
    check_room,
    disk_errors,
    is_file,
    missing_shards,
    open_stage,
    package_versions,
    plan_shards,
    run_shards,
    shard_path,
)

# Sections of a run's configuration that later stages read and check.
LATER_SECTIONS = ("candidates", "solver", "paper")
_BYTES_PER_PARTICLE = 60.0  # measured with gzip on signal events, benchmarks/README.md
_PACKAGES = ("simgen", "numpy", "numba", "h5py", "particle", "decaylanguage")

ConfigSource = str | Path | Mapping[str, Any]


@dataclass(frozen=True)
class Generation:
    """A checked configuration and the generator it asks for.

    Attributes
    ----------
    config
        The configuration.
    resolved
        All of it including defaults, as plain values.
    beams
        The beams.
    generator
        Ready to generate.
    weight
        What the generator's weights are multiplied by.
    """

    config: GenerateConfig
    resolved: dict[str, Any]
    beams: Beams
    generator: Generator
    weight: float = 1.0

    def header(self) -> Header:
        """Return the header of truth files."""
        return Header(
            stage=TRUTH,
            seed=self.config.seed,
            config=to_yaml(self.resolved),
            versions=package_versions(*_PACKAGES),
            provenance={**self.generator.provenance(), "notes": list(self.generator.notes())},
        )

    def sink(self, folder: Path) -> Sink[EventBlock]:
        """Return the sink of truth files, shards in `folder` or `folder` as the file."""
        return Sink(
            lambda shard: shard_path(folder, shard), self.header(), EVENT_LAYOUT, TruthAppender
        )

    def block(self, first: int, n: int) -> EventBlock:
        """Return the events `first` to ``first + n - 1``, with the weights of the luminosity."""
        block = self.generator.generate(np.arange(first, first + n), self.config.seed)
        return block if self.weight == 1.0 else replace(block, weight=self.weight * block.weight)

    def shards(self) -> list[Shard]:
        """Return the shards of this generation."""
        c = self.config
        return plan_shards(c.first_event, c.events, c.output.events_per_shard)

    def keep_inputs(self, folder: Path) -> None:
        """Copy the user's files that the configuration names by a relative path.

        The configuration kept in `folder` then finds them and can be run again from there.
        """
        for name, path in self.generator.inputs().items():
            relative = Path(name)
            outside = relative.is_absolute() or ".." in relative.parts
            shipped = config_root() in path.parents
            if outside or shipped or (folder / name).resolve() == path:
                continue
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            with atomic_file(folder / name) as copy:
                copy.write(path.read_bytes())

    def expected_bytes(self, shards: Sequence[Shard]) -> float:
        """Return about how large the truth of some shards is."""
        particles = self.generator.particles_per_event() * sum(s.n_events for s in shards)
        return particles * _BYTES_PER_PARTICLE


def to_yaml(data: Mapping[str, Any]) -> str:
    """Return YAML with keys in the order of `data`."""
    text: str = yaml.safe_dump(
        _plain(data), sort_keys=False, allow_unicode=True, default_flow_style=None
    )
    return text


def _plain(value: Any) -> Any:
    """Return a value made of dictionaries, lists and scalars."""
    if isinstance(value, Mapping):
        return {k: _plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(v) for v in value]
    return value


def read_config(
    config: ConfigSource, changes: Mapping[str, Any] | None = None
) -> tuple[dict[str, Any], str, Path]:
    """Return a configuration as a mapping, where it is from, and the folder of its paths.

    Parameters
    ----------
    config
        A YAML file, the name of one that comes with the package, or a mapping.
    changes
        Top-level values that replace those of the configuration; None values are skipped.

    Raises
    ------
    ConfigError
        If the file cannot be read or has a section that does not exist.
    """
    if isinstance(config, Mapping):
        data, source, folder = dict(config), "configuration", Path.cwd()
    else:
        path = find_config(config, "")
        data, source, folder = read_yaml(path), str(config), path.parent
    check_keys(data, {*GenerateConfig.model_fields, *LATER_SECTIONS}, source)
    data.update({k: v for k, v in (changes or {}).items() if v is not None})
    return data, source, folder


def prepare_generation(
    config: ConfigSource, changes: Mapping[str, Any] | None = None
) -> Generation:
    """Check a configuration and make its generator ready.

    Parameters
    ----------
    config
        A YAML file, the name of one that comes with the package, or a mapping. Sections of later
        stages may be there and are not looked at.
    changes
        Top-level values to replace, for instance ``{"events": 1000, "seed": 2}``.

    Raises
    ------
    SimgenError
        Naming what is wrong with the configuration or the decay files.
    """
    checked, source, folder = _check(config, changes)
    settings = check_settings(checked.generator, source)
    beams = _find_beams(checked, source, folder)
    resolved = checked.model_dump(exclude={"detector"})
    resolved["beams"] = beams.model_dump()
    resolved["generator"] = settings.model_dump()
    generator = make_generator(settings, beams, folder)
    _check_available(checked, generator, source)
    return Generation(checked, resolved, beams, generator, checked.event_weight)


def _check_available(config: GenerateConfig, generator: Generator, source: str) -> None:
    """Refuse events that a generator does not have."""
    available = generator.available()
    last = config.first_event + config.events - 1
    if available is not None and last >= available:
        raise ConfigError(
            f"{source}: events {config.first_event} to {last} are asked for; the generator has "
            f"{available}, numbered from 0"
        )


def _check(
    config: ConfigSource, changes: Mapping[str, Any] | None
) -> tuple[GenerateConfig, str, Path]:
    """Return the checked sections of generation, where they are from, and the folder of paths."""
    data, source, folder = read_config(config, changes)
    own = {k: v for k, v in data.items() if k not in LATER_SECTIONS}
    return validate(GenerateConfig, own, source), source, folder


def _find_beams(config: GenerateConfig, source: str, folder: Path) -> Beams:
    """Return the beams given in place or those of the detector."""
    if config.beams is not None:
        return load_beams(config.beams, folder)
    if config.detector is not None:
        return profile_beams(*read_derived(config.detector, "detectors", folder))
    raise ConfigError(
        f"{source}: the beams are not given: set `beams` or `detector`, for instance to belle2"
    )


def generate(
    config: ConfigSource,
    output: str | Path,
    *,
    events: int | None = None,
    seed: int | None = None,
    workers: int | None = None,
    if_exists: IfExists = "error",
    progress: bool = False,
) -> Path:
    """Generate events into files.

    Parameters
    ----------
    config
        A YAML file, the name of one that comes with the package, or a mapping.
    output
        A folder for shards, or a file ``NAME.h5``.
    events, seed
        Replace the configuration's.
    workers
        Number of threads; by default one a processor. Never changes the files.
    if_exists
        What to do if the output exists: ``"error"``, ``"resume"`` or ``"overwrite"``.
    progress
        Show a progress bar.

    Returns
    -------
    Path
        The output.

    Raises
    ------
    SimgenError
        Naming what is wrong with the configuration, the decay files or the output.
    """
    with preparing(show=progress):
        generation = prepare_generation(config, {"events": events, "seed": seed})
    target = Path(output)
    _write(
        generation,
        target,
        if_exists=if_exists,
        workers=workers or default_workers(),
        progress=progress,
    )
    return target


def _write(
    generation: Generation, target: Path, *, if_exists: IfExists, workers: int, progress: bool
) -> None:
    """Write the truth of a generation."""
    sink = generation.sink(target)
    every = generation.shards()
    check_room(target, generation.expected_bytes(missing_shards([target], every)))
    shards = open_stage(target, sink, sink.header.config, every, if_exists)
    with compiling(show=progress):
        generation.block(generation.config.first_event, 1)
    total = sum(shard.n_events for shard in shards)
    with disk_errors(target), progress_bar("events", total, show=progress) as advance:
        if not is_file(target):
            generation.keep_inputs(target)
        run_shards(
            shards,
            [sink],
            lambda shard: shard.blocks(),
            lambda events: [generation.block(events.start, len(events))],
            workers=workers,
            compression=generation.config.output.compression,
            advance=advance,
        )
    report_problems(generation.generator.problems(), show=progress)


def generate_event(
    config: ConfigSource,
    event_id: int,
    *,
    seed: int | None = None,
    output: Path | None = None,
    if_exists: IfExists = "error",
) -> EventBlock:
    """Generate the one event of a number, the same that a run of any size makes there.

    Parameters
    ----------
    config
        A YAML file, the name of one that comes with the package, or a mapping.
    event_id
        Number of the event.
    seed
        Replaces the configuration's.
    output
        Also write it to this file or folder.
    if_exists
        What to do if the output exists.

    Raises
    ------
    SimgenError
        Naming what is wrong with the configuration, the decay files or the output.
    """
    changes = {"events": 1, "first_event": event_id, "seed": seed}
    weight = _check(config, {"seed": seed})[0].event_weight
    generation = replace(prepare_generation(config, changes), weight=weight)
    block = generation.block(event_id, 1)
    if output is not None:
        _write(generation, output, if_exists=if_exists, workers=1, progress=False)
    return block
