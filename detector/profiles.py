"""Detector profiles: what the beams and a detector measure, and how well.

A profile is a YAML file of `configs/detectors`, or a user's own, checked against
`DetectorProfile`. A file may begin with ``derive: <profile>`` and then hold only the numbers that
differ. Nothing here needs a compiler: the kernels' view of a profile is made by the modules that
smear.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import AfterValidator, Field, model_validator

from detector.coordinates import (
    DecayVertexResolution,
    PrimaryVertexResolution,
    Scale,
    Shift,
    TagMomentumResolution,
)
from detector.sections import (
    BremsstrahlungProfile,
    FindingEfficiency,
    KsProfile,
    Tail,
)
from detector.sections import Section as _Section
from detector.tables import (
    ImpactResolution,
    PhotonEfficiency,
    PhotonResolution,
    SqrtSShift,
    SqrtSSpread,
    TrackEfficiency,
    TrackResolution,
)
from simgen.beams import Beams
from simgen.config import anchor_paths, merge, read_derived, validate

if TYPE_CHECKING:
    from pathlib import Path


def _increasing_angles(interval: tuple[float, float]) -> tuple[float, float]:
    """Refuse an interval of polar angles that is empty or leaves 0 to 180 degrees."""
    low, high = interval
    if not 0.0 <= low < high <= 180.0:
        raise ValueError(f"[{low}, {high}] is not [min, max] in degrees with 0 <= min < max <= 180")
    return interval


PolarRange = Annotated[tuple[float, float], AfterValidator(_increasing_angles)]
Resolution = Annotated[float, Field(ge=0.0, le=1.0)]


class MomentumResolution(_Section):
    """Relative resolution of the transverse momentum, sigma(pT)/pT = a pT (+) b/beta (+) table."""

    curvature: Resolution = Field(description="a, measurement of the curvature, 1/GeV")
    scattering: Resolution = Field(description="b, multiple scattering in the tracker, pure number")
    table: TrackResolution = Field(
        default=0.0, description="one more term, a number or a table in p or pT and theta"
    )
    tail: Tail = Field(default=Tail(), description="errors beyond the Gaussian")


class AngularResolution(_Section):
    """Resolution of a track's direction at its origin.

    sigma(theta) = theta (+) b / (p beta sin^(1/2) theta) (+) theta_table,
    sigma(phi)   = phi (+) b / (p beta sin^(3/2) theta) (+) phi_table:

    the measurement itself, and multiple scattering by one angle b/(p beta) in the beam pipe and
    the first layer, whose thickness goes as 1/sin(theta); in azimuth the same angle counts
    1/sin(theta) times more.
    """

    theta: Resolution = Field(description="measurement of the polar angle, rad")
    phi: Resolution = Field(description="measurement of the azimuth, rad")
    scattering: Resolution = Field(description="b, multiple scattering, rad GeV")
    theta_table: TrackResolution = Field(
        default=0.0, description="one more term of theta, rad: a number or a table"
    )
    phi_table: TrackResolution = Field(
        default=0.0, description="one more term of phi, rad: a number or a table"
    )
    tail: Tail = Field(
        default=Tail(), description="errors beyond the Gaussian, of theta and of phi independently"
    )


class ImpactCurve(_Section):
    """Resolution of one impact parameter, hits (+) scattering / (p beta sin^k theta) (+) table."""

    hits: float = Field(ge=0.0, le=10.0, description="resolution at high momentum, mm")
    scattering: float = Field(ge=0.0, le=10.0, description="multiple scattering, mm GeV")
    table: ImpactResolution = Field(
        default=0.0, description="one more term, mm: a number or a table in p or pT and theta"
    )


class ImpactProfile(_Section):
    """Impact parameters at the perigee, and the magnetic field that bends tracks on the way.

    sigma(d0) with sin^(3/2) theta, sigma(z0) with sin^(5/2) theta; used by vertices that are
    fitted (``vertices.method: fit``).
    """

    d0: ImpactCurve = Field(description="across the beams, k = 3/2")
    z0: ImpactCurve = Field(description="along the beams, k = 5/2")
    magnetic_field: float = Field(ge=-10.0, le=10.0, description="along z, T")


class TrackProfile(_Section):
    """Charged particles: where they are seen, and how well."""

    theta: PolarRange = Field(description="acceptance in polar angle [min, max], degrees")
    pt_min: float = Field(ge=0.0, le=10.0, description="lowest transverse momentum, GeV")
    efficiency: FindingEfficiency = Field(
        default=FindingEfficiency(), description="share of those in the acceptance that are found"
    )
    momentum: MomentumResolution
    angles: AngularResolution
    impact: ImpactProfile


class EnergyCurve(_Section):
    """A resolution as a function of photon energy E in GeV: the quadratic sum of its terms.

    inverse/E (+) inverse_root/E^(1/2) (+) inverse_fourth_root/E^(1/4) (+) constant (+) table.
    """

    inverse: Resolution = Field(default=0.0, description="coefficient of 1/E")
    inverse_root: Resolution = Field(default=0.0, description="coefficient of 1/E^(1/2)")
    inverse_fourth_root: Resolution = Field(default=0.0, description="coefficient of 1/E^(1/4)")
    constant: Resolution = Field(default=0.0, description="term that does not depend on E")
    table: PhotonResolution = Field(
        default=0.0,
        description="rows [E in GeV, resolution], or a table in energy and theta; interpolated "
        "linearly in log(E) and constant beyond the ends",
    )


class PhotonProfile(_Section):
    """Photons in the calorimeter: where they are seen, and how well."""

    theta: tuple[PolarRange, ...] = Field(
        min_length=1, description="polar angles [min, max] covered, gaps left out, degrees"
    )
    energy_min: float = Field(ge=0.0, le=10.0, description="lowest energy, GeV")
    efficiency: PhotonEfficiency = Field(
        default=1.0,
        description="share of those in the acceptance that are found, a table in energy and theta; "
        "used with candidates.efficiency: applied",
    )
    energy: EnergyCurve = Field(
        description="sigma(E)/E, pure number: full width at half maximum over 2.355"
    )
    asymmetry: float = Field(
        default=0.0,
        ge=0.0,
        le=1.0,
        description="tail of the energy to low values, eta of the logarithmic Gaussian "
        "(Novosibirsk function); 0 is a Gaussian",
    )
    polar_angle: EnergyCurve = Field(description="sigma(theta), rad")
    azimuth: EnergyCurve = Field(description="sigma(phi), rad")

    @model_validator(mode="after")
    def _ranges_in_order(self) -> PhotonProfile:
        """Refuse ranges that overlap or are not in order."""
        ranges = list(self.theta)
        if any(b[0] < a[1] for a, b in pairwise(ranges)):
            raise ValueError(
                f"theta: ranges must follow each other without overlap, found {ranges}"
            )
        return self


class Pi0Profile(_Section):
    """Neutral pions, made of two photons whose energies are refitted to the pi0 mass."""

    mass: float = Field(gt=0.0, lt=1.0, description="mass the photon pair is fitted to, GeV")
    efficiency: PhotonEfficiency = Field(
        default=1.0,
        description="share found of those whose photons are, a table in energy and theta; used "
        "with candidates.efficiency: applied",
    )


class Hypothesis(_Section):
    """One hypothesis of particle identification: which share of each kind of track it accepts.

    That of its own kind is its efficiency, those of others are its fake rates. Each is a number or
    a table in p or pT and theta.
    """

    p_min: float = Field(ge=0.0, le=10.0, description="momentum below which none pass, GeV")
    electron: TrackEfficiency = Field(description="share of true electrons that pass")
    muon: TrackEfficiency = Field(description="share of true muons that pass")
    pion: TrackEfficiency = Field(description="share of true charged pions that pass")
    kaon: TrackEfficiency = Field(description="share of true charged kaons that pass")
    proton: TrackEfficiency = Field(description="share of true protons that pass")


class IdentificationProfile(_Section):
    """Particle identification of charged particles: one requirement for each hypothesis."""

    electron: Hypothesis = Field(description="electron identification")
    muon: Hypothesis = Field(description="muon identification")
    pion: Hypothesis = Field(description="pion identification, against kaons")
    kaon: Hypothesis = Field(description="kaon identification, against pions")
    proton: Hypothesis = Field(description="proton identification")


class BeamKnowledge(_Section):
    """How far the analyst's beams are from their true mean.

    The assumed total four-momentum is the mean scaled to sqrt(s) + sqrt_s_shift + a Gaussian of
    width sqrt_s_spread, another one in each event as events come from runs calibrated apart. The
    primary vertex r_0 is shifted by position, and its stated standard deviations are those of
    `vertices.r_0` times size. All may be tables in luminosity, at one place for each event
    (`detector.data_taking`).
    """

    sqrt_s_shift: SqrtSShift = Field(default=0.0, description="assumed less true mean sqrt(s), GeV")
    sqrt_s_spread: SqrtSSpread = Field(
        default=0.0, description="spread of the calibration of sqrt(s), GeV"
    )
    position: Shift = Field(
        default=Shift(), description="assumed less true position of the interaction point, mm"
    )
    size: Scale = Field(
        default=Scale(), description="stated over true standard deviations of r_0, pure numbers"
    )


class VertexProfile(_Section):
    """Vertices: smeared by independent Gaussians along x, y and z, or decay vertices fitted."""

    method: Literal["smear", "fit"] = Field(
        default="smear",
        description="decay vertices of the B mesons: smear, as arXiv:2209.03387; or fit, from the "
        "measured tracks. The primary vertex is always smeared",
    )
    constraint: Literal["none", "ip"] = Field(
        default="none",
        description="for method fit: none; or ip, the B starts at the primary vertex and flies as "
        "far as its lifetime and momentum let it",
    )
    r_0: PrimaryVertexResolution = Field(description="primary vertex, standard deviations in mm")
    r_sig: DecayVertexResolution = Field(
        description="decay vertex of the signal B, standard deviations in mm, for method smear"
    )
    r_tag: DecayVertexResolution = Field(
        description="decay vertex of the tag B, standard deviations in mm, for method smear"
    )

    @model_validator(mode="after")
    def _is_used(self) -> VertexProfile:
        """Refuse a constraint that nothing would use."""
        if self.constraint != "none" and self.method != "fit":
            raise ValueError("constraint is for method: fit; found method: smear")
        return self


class HadronicTagProfile(_Section):
    """A fully reconstructed hadronic tag, with which the semileptonic one is compared."""

    momentum: TagMomentumResolution = Field(
        description="standard deviations of px, py, pz in the lab, GeV"
    )


class DetectorProfile(_Section):
    """Beams and detector."""

    name: str = Field(min_length=1, description="shown in figures and tables")
    beams: Beams
    beam_knowledge: BeamKnowledge = BeamKnowledge()
    tracks: TrackProfile
    bremsstrahlung: BremsstrahlungProfile = BremsstrahlungProfile()
    identification: IdentificationProfile
    photons: PhotonProfile
    pi0: Pi0Profile
    ks: KsProfile = KsProfile()
    vertices: VertexProfile
    hadronic_tag: HadronicTagProfile


def load_profile(
    name_or_path: str | Path | Mapping[str, Any],
    overrides: Mapping[str, Any] | None = None,
    relative_to: Path | None = None,
) -> DetectorProfile:
    """Read a detector profile.

    Parameters
    ----------
    name_or_path
        Name of a shipped profile (``"belle2"``), path of a YAML file, or the profile itself, which
        may derive from another: ``{"derive": "belle2", "vertices": {"r_sig": 0.015}}``.
    overrides
        Values that replace those of the file, nested as in the file:
        ``{"vertices": {"r_0": {"z": 0.15}}}``. Mappings are merged, anything else is replaced.
    relative_to
        Folder against which a relative path is taken; the working directory if None.

    Returns
    -------
    DetectorProfile
        Checked and immutable.

    Raises
    ------
    ConfigError
        If the profile does not exist, derives from itself, has an unknown or missing key, or a
        value is out of range; the message names file, key and what is allowed.
    """
    spec = name_or_path if isinstance(name_or_path, Mapping) else str(name_or_path)
    data, source = read_derived(spec, "detectors", relative_to)
    if overrides:
        data = merge(data, anchor_paths(overrides, relative_to))
        source += " with overrides"
    return validate(DetectorProfile, data, source)
