"""The selection of combinatorial candidates: the windows a user can choose."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field


def _ordered(window: tuple[float, float]) -> tuple[float, float]:
    """Refuse a window that is empty."""
    if window[0] >= window[1]:
        raise ValueError(f"[{window[0]}, {window[1]}] is not [min, max] with min < max")
    return window


Window = Annotated[tuple[float, float], AfterValidator(_ordered)]
HalfWidth = Annotated[float, Field(gt=0.0, le=1.0)]


class CandidateCuts(BaseModel):
    """Windows of the selection, GeV. A mass window is nominal mass +- half-width."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    d_mass: HalfWidth = Field(
        default=0.020, description="half-width for a D of tracks alone: K pi, K 3pi, K 2pi"
    )
    d_mass_pi0: HalfWidth = Field(default=0.040, description="half-width for D0 -> K pi pi0")
    delta_m_pion: HalfWidth = Field(
        default=0.0025, description="half-width of M(D*) - M(D) for D*+ -> D0 pi+"
    )
    delta_m_pi0: HalfWidth = Field(
        default=0.0030, description="half-width of M(D*) - M(D) for D* -> D pi0"
    )
    delta_m_photon: HalfWidth = Field(
        default=0.015, description="half-width of M(D*) - M(D) for D*0 -> D0 gamma"
    )
    pi0_mass: Window = Field(
        default=(0.115, 0.150), description="mass of the two photons of a pi0 [min, max]"
    )
    rho_mass: HalfWidth = Field(
        default=0.30, description="half-width for tau -> pi pi0 nu, with `rho: pi_pi0`"
    )
    cos_theta_by: Window = Field(
        default=(-2.0, 1.1), description="cosine between B and D(*) l, one neutrino assumed"
    )
    kaon_opposite_mass_min: float = Field(
        default=0.0,
        ge=0.0,
        le=10.0,
        description="lowest mass of the kaon with whichever of lepton and prong has the opposite "
        "charge; 1.9 removes the two from one D -> K l nu",
    )
    cos_prongs_max: float = Field(
        default=0.0,
        ge=-1.0,
        le=1.0,
        description="tau pairs: highest cosine between the two prongs in the frame of the beams",
    )
    extra_photon_energy: float = Field(
        default=0.05, ge=0.0, le=10.0, description="photons below do not count for E_extra"
    )
    e_extra_max: float | None = Field(
        default=None, gt=0.0, le=20.0, description="highest E_extra; null for no limit"
    )
