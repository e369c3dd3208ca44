"""What is reconstructed as a candidate: the settings a user can choose."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from detector.cuts import CandidateCuts


class SignalTopology(BaseModel):
    """The signal decay, as absolute PDG numbers; charges are free.

    B -> kaon tau lepton; without the kaon B -> tau lepton; without the leptons B -> kaon nu nu;
    with the tau alone e+ e- -> tau tau, where the tau+ is the signal and the tau- the tag.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    kaon: Literal[211, 321, 2212] | None = Field(
        default=321, description="charged hadron of the signal; null for B -> tau lepton"
    )
    lepton: Literal[11, 13] | None = Field(
        default=13, description="lepton beside the tau; null for B -> kaon nu nu and for a tau pair"
    )
    tau: Literal[15] | None = Field(
        default=15, description="the lepton that decays; null for B -> kaon nu nu"
    )

    @model_validator(mode="after")
    def _is_a_decay(self) -> SignalTopology:
        """Refuse what is none of the four decays."""
        if (self.lepton is None) != (self.tau is None) and not self.is_tau_pair:
            raise ValueError(
                "lepton and tau go together: give both, or null for both; "
                "for a tau pair null for kaon and lepton"
            )
        if self.kaon is None and self.tau is None:
            raise ValueError("nothing is visible: give kaon, lepton and tau, or tau")
        return self

    @property
    def is_tau_pair(self) -> bool:
        """Whether the parents are the two taus of e+ e- -> tau tau."""
        return self.kaon is None and self.lepton is None and self.tau is not None


class CandidateConfig(BaseModel):
    """How candidates are put together, from truth-matched particles or from all there are."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    assignment: Literal["truth", "combinatorial"] = Field(
        default="truth",
        description="which track is what: truth, as in arXiv:2209.03387, or the best of all "
        "combinations that pass `cuts`, in events of any source",
    )
    cuts: CandidateCuts = Field(
        default_factory=CandidateCuts, description="selection of combinatorial candidates"
    )
    rho: Literal["pi", "pi_pi0"] = Field(
        default="pi",
        description="prong of tau -> pi pi0 nu: the pi alone, as in arXiv:2209.03387, or with pi0",
    )
    dstar: Literal["full", "d_only"] = Field(
        default="full",
        description="tag meson of B -> D* l nu: D with its pi0, photon or pion, or the D alone",
    )
    efficiency: Literal["ignored", "applied"] = Field(
        default="ignored",
        description="ignored: every particle in the acceptance is found; applied: each track, "
        "photon, pi0 and K_S of a candidate is found with its efficiency, else the event is lost, "
        "which the cut-flow shows as `particles found`. Combinatorial candidates, for which "
        "applied is the default, are made of what is found",
    )
    identification: Literal["ignored", "required"] = Field(
        default="ignored",
        description="ignored: every track is what it truly is, as in arXiv:2209.03387; required: "
        "each track of a candidate has to pass the hypothesis of its true kind, else the event is "
        "lost, which the cut-flow shows as `tracks identified`. Combinatorial candidates: ignored: "
        "a track passes the hypothesis of its true kind and no other; required, their default: it "
        "passes those drawn for it, which may be several or none",
    )
    prefilter: Literal["nothing", "tracks"] = Field(
        default="nothing",
        description="events of combinatorial candidates that are not read at all. tracks: those "
        "with fewer charged particles in the acceptance than any candidate has tracks. It changes "
        "no candidate; the cut-flow shows how many are left as `enough charged particles`",
    )
    topology: SignalTopology = Field(default_factory=SignalTopology)

    @model_validator(mode="before")
    @classmethod
    def _combinations_are_realistic(cls, data: Any) -> Any:
        """Lose and misidentify tracks of combinatorial candidates unless the user has chosen."""
        if isinstance(data, dict) and data.get("assignment") == "combinatorial":
            return {"efficiency": "applied", "identification": "required", **data}
        return data

    @model_validator(mode="after")
    def _suits_assignment(self) -> CandidateConfig:
        """Refuse what the assignment does not do."""
        if not self.is_combinatorial and self.cuts != CandidateCuts():
            raise ValueError("cuts are for combinatorial candidates: set assignment: combinatorial")
        if not self.is_combinatorial and self.prefilter != "nothing":
            raise ValueError(
                "prefilter is for combinatorial candidates: set assignment: combinatorial"
            )
        return self

    @property
    def is_combinatorial(self) -> bool:
        """Whether candidates are searched for among all combinations."""
        return self.assignment == "combinatorial"
