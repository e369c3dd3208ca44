"""Beams: mean momenta, energy spread, and where the bunches meet."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from simgen.config import read_derived, validate
from simgen.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path

    from simgen.typing import FloatArray

ELECTRON_MASS = 0.51099895e-3  # GeV, PDG 2024


class Beam(BaseModel):
    """One beam: energy and direction."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    energy: float = Field(gt=0.01, lt=1e5, description="GeV")
    theta: float = Field(ge=0, le=math.pi, description="polar angle of the momentum, rad")
    phi: float = Field(default=0.0, ge=-math.pi, le=math.pi, description="azimuth, rad")

    def momentum(self) -> FloatArray:
        """(4,) mean four-momentum in the lab, GeV."""
        p = math.sqrt(self.energy**2 - ELECTRON_MASS**2)
        s = math.sin(self.theta)
        return np.array(
            [
                p * s * math.cos(self.phi),
                p * s * math.sin(self.phi),
                p * math.cos(self.theta),
                self.energy,
            ]
        )


class InteractionRegion(BaseModel):
    """Where primary vertices are: a Gaussian in each coordinate."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    mean: tuple[float, float, float] = Field(default=(0.0, 0.0, 0.0), description="x, y, z in mm")
    size: tuple[float, float, float] = Field(description="standard deviations in x, y, z, mm")

    def model_post_init(self, context: Any, /) -> None:  # noqa: ARG002
        """Refuse negative sizes."""
        if min(self.size) < 0:
            msg = f"size must not be negative, found {list(self.size)}"
            raise ValueError(msg)


class Beams(BaseModel):
    """An electron and a positron beam.

    The total four-momentum of an event is the sum of the two beams, each with its energy scaled
    by an independent Gaussian such that sqrt(s) has the standard deviation `sqrt_s_spread`.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    electron: Beam
    positron: Beam
    sqrt_s_spread: float = Field(ge=0, lt=1, description="standard deviation of sqrt(s), GeV")
    interaction_region: InteractionRegion

    def total(self) -> FloatArray:
        """(4,) mean total four-momentum in the lab, GeV."""
        total: FloatArray = self.electron.momentum() + self.positron.momentum()
        return total

    def sqrt_s(self) -> float:
        """Invariant mass of the mean total four-momentum, GeV."""
        p = self.total()
        return float(np.sqrt(p[3] ** 2 - p[:3] @ p[:3]))

    def axis(self) -> FloatArray:
        """(3,) unit vector along the electrons in the rest frame of the mean total momentum."""
        total, electron = self.total(), self.electron.momentum()
        mass = self.sqrt_s()
        beta_gamma, gamma = total[:3] / mass, total[3] / mass
        along = float(beta_gamma @ electron[:3])
        p = electron[:3] + beta_gamma * (along / (gamma + 1.0) - electron[3])
        unit: FloatArray = p / np.linalg.norm(p)
        return unit

    def compiled(self) -> CompiledBeams:
        """Return the numbers a kernel needs."""
        return CompiledBeams(
            electron=self.electron.momentum(),
            positron=self.positron.momentum(),
            # d sqrt(s) / sqrt(s) = (d E1 / E1 + d E2 / E2) / 2 for independent energies
            relative_spread=math.sqrt(2.0) * self.sqrt_s_spread / self.sqrt_s(),
            axis=self.axis(),
            vertex_mean=np.array(self.interaction_region.mean),
            vertex_size=np.array(self.interaction_region.size),
        )


def load_beams(spec: str | Mapping[str, Any], relative_to: Path | None = None) -> Beams:
    """Return beams given in place, or those of a detector profile.

    Parameters
    ----------
    spec
        A mapping with the fields of `Beams`, or the name or path of a detector profile.
    relative_to
        Folder that a relative path starts from.

    Raises
    ------
    ConfigError
        If the profile does not exist or its beams are not valid.
    """
    if isinstance(spec, Mapping):
        return validate(Beams, spec, "beams")
    data, source = read_derived(spec, "detectors", relative_to)
    return profile_beams(data, source)


def profile_beams(profile: Mapping[str, Any], source: str) -> Beams:
    """Return the beams of a detector profile that `simgen.config.read_derived` read."""
    beams = profile.get("beams")
    if not isinstance(beams, Mapping):
        raise ConfigError(f"{source}: the section 'beams' is missing")
    return validate(Beams, beams, f"{source}: beams")


class CompiledBeams(NamedTuple):
    """Beams as arrays, for kernels."""

    electron: FloatArray
    positron: FloatArray
    relative_spread: float
    axis: FloatArray
    vertex_mean: FloatArray
    vertex_size: FloatArray
