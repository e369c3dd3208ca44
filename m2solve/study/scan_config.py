"""The configuration of a scan: that of a run, and what is varied."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from detector.profiles import DetectorProfile, load_profile
from detector.stage import check_beams
from m2solve.study.config import RunConfig
from simgen.beams import load_beams
from simgen.config import find_config, read_derived, read_yaml, validate
from simgen.errors import ConfigError
from simgen.generation import ConfigSource, Generation, to_yaml
from simgen.generators.base import check_settings, make_generator

_EXAMPLE = "scan: {axes: {detector.vertices.r_sig: [0.005, 0.025]}}"
_STAGES = frozenset({"detector", "candidates", "solver", "paper"})


class ScanSettings(BaseModel):
    """What is varied, and how."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    mode: Literal["grid", "zip"] = Field(
        default="grid",
        description="grid: every combination of the axes' values; zip: the first values of all "
        "axes, the second ones, and so on",
    )
    axes: dict[str, list[Any]] = Field(
        min_length=1, description="values by the name of a field, for instance detector.pi0.mass"
    )


@dataclass(frozen=True)
class ScanConfig:
    """A checked configuration of a scan.

    Attributes
    ----------
    run
        The run that is varied.
    profile
        Its detector.
    generation
        Makes the truth that all points share.
    settings
        What is varied.
    source
        Where the configuration is from, for messages.
    """

    run: RunConfig
    profile: DetectorProfile
    generation: Generation
    settings: ScanSettings
    source: str

    def resolved(self) -> str:
        """Return the whole configuration as YAML; a scan of it makes the same files."""
        parts: dict[str, Any] = dict(self.generation.resolved)
        parts["detector"] = self.profile.model_dump()
        parts["candidates"] = self.run.candidates.model_dump()
        parts["solver"] = self.run.solver.model_dump()
        parts["scan"] = self.settings.model_dump()
        return to_yaml(parts)


def read_scan(
    config: ConfigSource, *, events: int | None = None, seed: int | None = None
) -> ScanConfig:
    """Read and check the configuration of a scan; its points are checked by `make_points`.

    Parameters
    ----------
    config
        A YAML file, the name of one that comes with the package, or a mapping: the configuration
        of a run with a section ``scan``. With a key ``run``, the name or path of a run's
        configuration, it holds only what differs from that; paths then start from its folder.
    events, seed
        Replace the configuration's.

    Raises
    ------
    SimgenError
        Naming what is wrong.
    """
    if isinstance(config, Mapping):
        data, source, folder = dict(config), "configuration", Path.cwd()
    else:
        path = find_config(config, "")
        data, source, folder = read_yaml(path), str(config), path.parent
    if "scan" not in data:
        raise ConfigError(f"{source}: the key 'scan' is missing, for instance {_EXAMPLE}")
    settings = _settings(data.pop("scan"), source)
    if "run" in data:
        data, folder = _derive(data, source, folder)
    data.update({k: v for k, v in (("events", events), ("seed", seed)) if v is not None})
    run = validate(RunConfig, data, source)
    if run.paper is not None:
        raise ConfigError(f"{source}: a run with a section 'paper' cannot be scanned; leave it out")
    profile = load_profile(run.detector, relative_to=folder)
    generation = _generation(run, profile, source, folder)
    return ScanConfig(run, profile, generation, settings, source)


def _settings(section: Any, source: str) -> ScanSettings:
    """Check the section ``scan``."""
    if not isinstance(section, Mapping):
        raise ConfigError(f"{source}: scan should be a mapping, for instance {_EXAMPLE}")
    return validate(ScanSettings, section, f"{source}: scan")


def _derive(data: dict[str, Any], source: str, folder: Path) -> tuple[dict[str, Any], Path]:
    """Return the configuration of the run that a scan names with its changes, and its folder."""
    name = data.pop("run")
    if not isinstance(name, str):
        raise ConfigError(f"{source}: run should be the name or path of a file, found {name!r}")
    path = find_config(name, "", folder)
    return read_derived({**data, "derive": str(path)}, "", None)[0], path.parent


def _generation(run: RunConfig, profile: DetectorProfile, source: str, folder: Path) -> Generation:
    """Return the same generation that the run has."""
    generator = check_settings(run.generator, source)
    beams = profile.beams if run.beams is None else load_beams(run.beams, folder)
    check_beams(profile, beams, source)
    resolved = run.model_dump(exclude=set(_STAGES))
    resolved |= {"beams": beams.model_dump(), "generator": generator.model_dump()}
    made = make_generator(generator, beams, folder)
    return Generation(run, resolved, beams, made, run.event_weight)
