"""The section ``paper`` of a run: the detectors at which arXiv:2209.03387 is compared with."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

_SPEC = "a detector profile, one derived in place, or what differs from `detector`"
DetectorSpec = str | dict[str, Any]


class PaperSettings(BaseModel):
    """The detectors of the paper; with this section, a run leaves its figures and a page."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    now: DetectorSpec = Field(description=f"Belle II now, 350/25 um: {_SPEC}")
    design: DetectorSpec = Field(description=f"Belle II as designed, 150/25 um: {_SPEC}")
    hypothetical: DetectorSpec = Field(description=f"a better vertex, 150/5 um: {_SPEC}")
    belle: DetectorSpec = Field(description=f"Belle, 4 mm/45 um: {_SPEC}")
