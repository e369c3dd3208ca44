"""Configuration of the solver stage and of a whole run."""

from __future__ import annotations

import math
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from detector.config import CandidateConfig
from m2solve.study.mass_file import MASS_NAMES, MassFile
from m2solve.study.paper_settings import PaperSettings  # noqa: TC001  (pydantic needs it)
from simgen.config import GenerateConfig

SOLVED_VARIABLES = ("M2", "M2s", "M2sB", "M2V", "M2sV", "M2BV", "M2sBV")
VariableName = Literal[
    "M2", "M2s", "M2sB", "M2V", "M2sV", "M2BV", "M2sBV", "random", "hadronic_tag", "truth"
]
_MASSES_ALLOWED = (
    "should be 'true', 'posterior', 'm_hat' or 'zero', a mass in GeV, or {file: NAME.csv}"
)
NO_PAIR_POSTERIOR = "m_nunu: posterior is for a tag that loses one neutrino, not for tau pairs"
_CONE_VARIABLES = frozenset({"M2V", "M2sV"})
_ONE_SIDED_VARIABLES = _CONE_VARIABLES | {"M2BV"}


def _mass_choice(value: Any) -> Any:
    """Bring a choice of m_nunu to a name, a number or a `MassFile`.

    ``true`` and ``0`` are names, though YAML reads them as a truth value and a number.
    """
    if value is True:
        return "true"
    if value in MASS_NAMES or isinstance(value, (dict, MassFile)):
        return value
    try:
        number = math.nan if value is False else float(value)
    except (TypeError, ValueError):
        number = math.nan
    if not 0.0 <= number < 100.0:
        raise ValueError(_MASSES_ALLOWED)
    return number or "zero"


MassChoice = Annotated[str | float | MassFile, BeforeValidator(_mass_choice)]


def mass_name(choice: str | float | MassFile) -> str:
    """Return the name of a choice of m_nunu in names of methods, for instance ``m_hat`` or ``0.9``.

    Numbers keep 12 digits.
    """
    if isinstance(choice, MassFile):
        return choice.name
    return choice if isinstance(choice, str) else f"{choice:.12g}"


class SolverConfig(BaseModel):
    """What is solved for each candidate."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    variables: tuple[VariableName, ...] = Field(
        default=("M2sB", "M2sV", "random", "hadronic_tag", "truth"),
        min_length=1,
        description="solvers of the M2 family; random: cos(theta) uniform in [-1, 1]; "
        "hadronic_tag: B_tag measured as by a hadronic tag; truth: the true cos(theta)",
    )
    m_nunu: tuple[MassChoice, ...] = Field(
        default=("true", "m_hat", "zero"),
        min_length=1,
        description="mass of the invisible system of the signal side: true; m_hat, the ansatz of "
        "arXiv:2209.03387, in leptonic tau decays and 0 in hadronic ones; zero: 0 always; a number "
        "in GeV for all events; {file: NAME.csv} or NAME.h5, a mass for each event_id; posterior, "
        "for M2sBV: unknown and integrated over in the tau decays of posterior_in, 0 in others",
    )
    posterior_in: Literal["leptonic", "all"] = Field(
        default="leptonic",
        description="tau decays in which posterior takes the mass as unknown: leptonic, or all, "
        "for hadronic ones of which a pi0 may be lost (candidates.rho: pi)",
    )
    parent_mass: float | None = Field(
        default=None,
        gt=0.1,
        lt=100.0,
        description="mass of the parents in GeV; null for the PDG's B+, or tau",
    )
    vertices: tuple[Literal["r_sig", "r_tag"], ...] = Field(
        default=("r_sig", "r_tag"), description="decay vertices that M2sBV uses: r_sig, or both"
    )
    side: Literal["signal", "tag"] = Field(
        default="signal", description="B whose flight direction M2V, M2sV and M2BV use"
    )
    delta: float | None = Field(
        default=None,
        gt=0.0,
        lt=0.5 * math.pi,
        description="half-angle in rad of a cone around the flight direction in which M2V and M2sV "
        "look for the momentum; null for the direction itself",
    )

    @model_validator(mode="after")
    def _is_used(self) -> SolverConfig:
        """Refuse settings that nothing would use."""
        solved = set(self.variables) & set(SOLVED_VARIABLES)
        if "posterior" in self.m_nunu and "M2sBV" not in solved:
            raise ValueError("m_nunu: posterior is for M2sBV, which is not among the variables")
        others = [v for v in self.variables if v in solved - {"M2sBV"}]
        if others and set(self.m_nunu) == {"posterior"}:
            raise ValueError(f"m_nunu: posterior is for M2sBV only; {others[0]} needs another, too")
        if self.delta is not None and not solved & _CONE_VARIABLES:
            raise ValueError("delta is for M2V and M2sV, which are not among the variables")
        if self.side == "tag" and not solved & _ONE_SIDED_VARIABLES:
            raise ValueError("side is for M2V, M2sV and M2BV, which are not among the variables")
        if "r_sig" not in self.vertices or len(set(self.vertices)) != len(self.vertices):
            raise ValueError("vertices should be [r_sig] or [r_sig, r_tag]")
        names = {mass_name(choice) for choice in self.m_nunu}
        if len(names) < len(set(self.m_nunu)):
            raise ValueError("m_nunu: two choices have the same name, which names their methods")
        return self


class RunConfig(GenerateConfig):
    """A whole run: generation, detector, candidates, solver."""

    detector: str | dict[str, Any] = Field(
        description="a detector profile, or one derived in place"
    )
    candidates: CandidateConfig = CandidateConfig()
    solver: SolverConfig = SolverConfig()
    paper: PaperSettings | None = Field(
        default=None, description="detectors at which to compare with arXiv:2209.03387"
    )

    @model_validator(mode="after")
    def _suits_topology(self) -> RunConfig:
        """Refuse what the solver cannot do for the candidates."""
        if self.candidates.topology.is_tau_pair and "posterior" in self.solver.m_nunu:
            raise ValueError(f"solver: {NO_PAIR_POSTERIOR}")
        return self
