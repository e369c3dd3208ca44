"""The points of the paper's study: one detector each, with the events it sees.

Points with the same beams share their truth, and all share random numbers, event by event, so
what differs between points is not noise.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from detector.cutflow import CutFlow
from detector.profiles import DetectorProfile, load_profile
from detector.stage import Smearing
from detector.tables import Table
from m2solve.invisible_mass import m_hat_squared
from m2solve.study.config import RunConfig, SolverConfig
from m2solve.study.methods import methods, parent_mass, solution_layout
from m2solve.study.stage import Solving
from simgen.config import merge, validate
from simgen.errors import ConfigError
from simgen.generation import ConfigSource, Generation, prepare_generation, read_config, to_yaml
from simgen.generators.base import check_settings, make_generator
from simgen.io.hdf5 import Header
from simgen.io.layout import Field
from simgen.runner import Sink, package_versions, shard_path

if TYPE_CHECKING:
    from pathlib import Path

    from m2solve.study.methods import Method
    from m2solve.study.paper_settings import DetectorSpec, PaperSettings
    from simgen.events import EventBlock
    from simgen.io.hdf5 import ColumnWriter
    from simgen.io.layout import Columns, Layout

RECOIL = "recoil"
NOW, DESIGN, HYPOTHETICAL, BELLE, WITH_PI0 = "now", "design", "hypothetical", "belle", "with_pi0"
_VARIABLES = ("M2s", "M2sB", "M2V", "M2sV", "M2sBV", "random", "hadronic_tag", "truth")
_MASSES = ("true", "m_hat", "zero")
_WITH_PI0_SOLVER = {"variables": ("M2sB", "M2V", "M2sV", "random", "truth"), "m_nunu": ("m_hat",)}
_PACKAGES = ("simgen", "numpy", "numba", "h5py")
_OWN = "candidate.m_hat_squared_true"
_KEPT = ("event_id", "weight", "tau_mode", "m_nunu", "m_hat_squared", "m_recoil", "status")
_SINGLE = frozenset({"m_nunu", "m_hat_squared", "m_recoil"})


@dataclass(frozen=True)
class PaperPoint:
    """One detector.

    Attributes
    ----------
    name
        ``now``, ``design``, ``hypothetical`` or ``belle``; ``with_pi0`` is ``now`` with the pi0 of
        the rho reconstructed.
    generation
        Makes its truth; the same object where the truth is the same.
    smearing, solving
        What is done with it.
    """

    name: str
    generation: Generation
    smearing: Smearing
    solving: Solving

    @property
    def methods(self) -> tuple[Method, ...]:
        """What is compared."""
        return methods(self.solving.config)

    @property
    def resolution(self) -> str:
        """Resolutions of r_0 along z and of r_sig, for people, for instance ``350/25 µm``."""
        vertices = self.smearing.profile.vertices
        return f"{_micrometres(vertices.r_0.z)}/{_micrometres(vertices.r_sig.z)} µm"

    @property
    def title(self) -> str:
        """Name of the detector and resolutions."""
        return f"{self.smearing.profile.name}, {self.resolution}"

    def block(self, truth: EventBlock) -> tuple[Columns, CutFlow]:
        """Return the columns that are kept of a block of truth."""
        table, cut_flow = self.smearing.block(truth)
        solved = self.solving.block(table)
        mass = parent_mass(table, self.solving.config)
        visible = table.true_parent_sig - table.true_k_sig
        solved["candidate/m_hat_squared_true"] = m_hat_squared(visible, table.true_total, mass)
        columns = {
            path: np.asarray(solved[path], field.dtype)
            for name, field in point_layout(self.methods).items()
            for path in field.paths(name)
        }
        return columns, cut_flow

    def sink(self, folder: Path) -> Sink[Any]:
        """Return the files of this point, shards in the folder of its name."""
        config = {
            "detector": self.smearing.profile.model_dump(),
            "candidates": self.smearing.candidates.model_dump(),
            "solver": self.solving.config.model_dump(),
        }
        names = [method.name for method in self.methods]
        provenance = {"truth": self.generation.header().identity, "methods": names}
        header = Header(RECOIL, self.solving.seed, to_yaml(config), package_versions(*_PACKAGES),
                        provenance)  # fmt: skip
        return Sink(
            lambda shard: shard_path(folder / self.name, shard),
            header,
            point_layout(self.methods),
            PointAppender,
        )


def _micrometres(resolution: float | Table) -> str:
    """Return a resolution in mm as a number in µm, of a table the smallest and largest."""
    values = resolution.values if isinstance(resolution, Table) else resolution
    ends = {float(1000.0 * end) for end in (np.min(values), np.max(values))}
    return "-".join(f"{x:g}" for x in sorted(ends))


class PointAppender:
    """Append what is kept of a point's candidates and add up the cut-flow."""

    def __init__(self, writer: ColumnWriter) -> None:
        self._writer, self._cut_flow = writer, CutFlow()

    def append(self, payload: tuple[Columns, CutFlow]) -> None:
        """Append one block."""
        columns, cut_flow = payload
        self._writer.append(columns)
        self._cut_flow += cut_flow

    def provenance(self) -> dict[str, Any]:
        """Return the cut-flow of the file."""
        return {"cut_flow": self._cut_flow.as_dict()}


def point_layout(chosen: tuple[Method, ...]) -> Layout:
    """Return the columns that are kept: M_recoil and status of each method, and the masses.

    In single precision, which is 0.2 eV; momenta can be had with `simgen run`.
    """
    layout = {}
    for name, field in solution_layout(chosen).items():
        column = name.rpartition(".")[2]
        if column in _KEPT:
            layout[name] = replace(field, dtype="f4") if column in _SINGLE else field
    layout[_OWN] = Field("candidate", "f4", "GeV^2", "m_hat^2 of the true visible momentum")
    return layout


def make_paper_points(
    config: ConfigSource, *, events: int | None = None, seed: int | None = None
) -> tuple[RunConfig, list[PaperPoint]]:
    """Check the configuration of a paper's run and return its points.

    Parameters
    ----------
    config
        A YAML file, the name of one that comes with the package, or a mapping, with a section
        ``paper``.
    events, seed
        Replace the configuration's.

    Raises
    ------
    SimgenError
        Naming what is wrong.
    """
    data, source, folder = read_config(config, {"events": events, "seed": seed})
    checked = validate(RunConfig, data, source)
    settings = checked.paper
    assert settings is not None
    _check(checked, source)
    base = load_profile(checked.detector, relative_to=folder)
    profiles = _profiles(settings, base, folder, f"{source}: paper")
    first = prepare_generation(config, {"events": events, "seed": seed})
    made = [first]
    points = []
    for name, profile in profiles.items():
        generation = next((g for g in made if g.beams == profile.beams), None)
        if generation is None:
            generation = _other_beams(first, profile, source, folder)
            made.append(generation)
        candidates, solver = checked.candidates, checked.solver
        if name == WITH_PI0:
            candidates = candidates.model_copy(update={"rho": "pi_pi0"})
            changes = {**solver.model_dump(), **_WITH_PI0_SOLVER}
            solver = validate(SolverConfig, changes, f"{source}: solver")
        points.append(
            PaperPoint(
                name,
                generation,
                Smearing(profile, candidates, checked.seed),
                Solving(solver, checked.seed),
            )
        )
    return checked, points


def _check(config: RunConfig, source: str) -> None:
    """Refuse what the figures and statements cannot be made from."""
    missing = [v for v in _VARIABLES if v not in config.solver.variables]
    missing += [m for m in _MASSES if m not in config.solver.m_nunu]
    if missing:
        raise ConfigError(
            f"{source}: paper: the figures need solver.variables [{', '.join(_VARIABLES)}] and "
            f"solver.m_nunu [{', '.join(_MASSES)}]; {', '.join(missing)} missing"
        )
    if config.candidates.rho != "pi":
        raise ConfigError(
            f"{source}: paper: candidates.rho should be pi, as in the paper; what pi_pi0 changes "
            f"is worked out, too; found {config.candidates.rho!r}"
        )
    if config.beams is not None:
        raise ConfigError(f"{source}: paper: beams are those of each detector; leave out `beams`")


def _profiles(
    settings: PaperSettings, base: DetectorProfile, folder: Path, where: str
) -> dict[str, DetectorProfile]:
    """Return the detector of each point."""

    def profile(name: str, spec: DetectorSpec) -> DetectorProfile:
        if isinstance(spec, Mapping) and "derive" not in spec:
            return validate(DetectorProfile, merge(base.model_dump(), spec), f"{where}.{name}")
        return load_profile(spec, relative_to=folder)

    found = {name: profile(name, getattr(settings, name)) for name in type(settings).model_fields}
    return {**found, WITH_PI0: found[NOW]}


def _other_beams(
    first: Generation, profile: DetectorProfile, source: str, folder: Path
) -> Generation:
    """Return the same generation with the beams of another detector."""
    settings = check_settings(first.config.generator, source)
    resolved = {**first.resolved, "beams": profile.beams.model_dump()}
    generator = make_generator(settings, profile.beams, folder)
    return Generation(first.config, resolved, profile.beams, generator)
