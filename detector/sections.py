"""Sections of a profile beyond resolutions: losses, tails, radiation."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field, model_validator

from detector.tables import FlightEfficiency, Material, PhotonEfficiency, TrackEfficiency


class Section(BaseModel):
    """What all parts of a profile have in common."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Tail(Section):
    """A second, wider Gaussian: with this probability an error is `scale` times larger."""

    fraction: float = Field(default=0.0, ge=0.0, le=1.0, description="share of tracks in the tail")
    scale: float = Field(default=1.0, ge=1.0, le=100.0, description="how much wider the tail is")


class FindingEfficiency(Section):
    """Share of charged particles in the acceptance that are found.

    plateau times the turn-on Phi((pT - pt_half) / width) of soft tracks, Phi the integral of the
    unit Gaussian. Used with ``candidates.efficiency: applied``.
    """

    plateau: TrackEfficiency = Field(
        default=1.0, description="efficiency far above the turn-on, a table in p or pT and theta"
    )
    pt_half: float = Field(
        default=0.0, ge=0.0, le=10.0, description="pT at which half of the plateau is reached, GeV"
    )
    width: float = Field(
        default=0.0, ge=0.0, le=10.0, description="width of the turn-on, GeV; 0 for none"
    )


class BremsstrahlungProfile(Section):
    """Electrons that radiate in the material, and the photons that are added back.

    Material of a thickness of t radiation lengths, t = radiation_length / sin(theta), leaves an
    electron a share z of its momentum with -ln z distributed as Gamma(t / ln 2). A photon is added
    back with the probability `recovery` if it is in the acceptance of photons.
    """

    radiation_length: Material = Field(
        default=0.0,
        description="material straight out from the beams, radiation lengths; a table in theta is "
        "what it is there",
    )
    recovery: PhotonEfficiency = Field(
        default=0.0, description="share of photons added back, a table in energy and theta"
    )


class KsProfile(Section):
    """K_S -> pi+ pi- in the tracker, by the transverse distance of its flight.

    Its pions have the efficiencies of tracks besides. Used with ``candidates.efficiency: applied``.
    """

    flight_min: float = Field(
        default=0.0, ge=0.0, le=1e4, description="shortest usable transverse flight, mm"
    )
    flight_max: float = Field(
        default=1e4, ge=0.0, le=1e4, description="longest usable transverse flight, mm"
    )
    efficiency: FlightEfficiency = Field(
        default=1.0, description="share found between the two, a table in flight (mm) and theta"
    )

    @model_validator(mode="after")
    def _in_order(self) -> KsProfile:
        """Refuse a region that is empty."""
        if self.flight_max <= self.flight_min:
            raise ValueError(
                f"flight_max should be above flight_min, found {self.flight_min} and "
                f"{self.flight_max}"
            )
        return self
