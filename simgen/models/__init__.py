"""Decay models by name; one file a family, one registry."""

from __future__ import annotations

from simgen.models.b_three_pions import CB3PI_MPP, CB3PI_P00
from simgen.models.b_three_pions_cp import BTO3PI_CP
from simgen.models.baryon_semileptonic import BARYONPCR
from simgen.models.baryons import HYPNONLEPTON
from simgen.models.btosll import BTOSLLALI, BTOSLLBALL
from simgen.models.btoxsgamma import BTOXSGAMMA
from simgen.models.btoxsll import BTOXSLL
from simgen.models.contract import DecayModel, compile_amplitude, compile_draw
from simgen.models.d_dalitz import D_DALITZ
from simgen.models.dalitz import (
    ETA_DALITZ,
    ETA_FULLDALITZ,
    ETA_PI0DALITZ,
    ETAPRIME_DALITZ,
    OMEGA_DALITZ,
)
from simgen.models.goity_roberts import GOITY_ROBERTS
from simgen.models.heavy_quark import HQET, HQET2, HQET3
from simgen.models.helicity import HELAMP, STS, SVP_HELAMP, SVV_HELAMP, TSS
from simgen.models.isgw2 import ISGW2
from simgen.models.lepton_pairs import KROLL_WADA, PI0_DALITZ
from simgen.models.leptonic import SLN, VLL
from simgen.models.llsw import LLSW
from simgen.models.oscillating import SSD_CP, SVV_CP, VSS_BMIX, VSS_MIX, PairModel
from simgen.models.partial_waves import PARTWAVE, TVS_PWAVE, VVS_PWAVE
from simgen.models.phase_space import PHSP
from simgen.models.poles import SLBKPOLE, SLPOLE
from simgen.models.scalar import SVS
from simgen.models.tau import TAULNUNU, TAUSCALARNU, TAUVECTORNU
from simgen.models.tau_hadrons import TAUHADNU
from simgen.models.vector import (
    VSP_PWAVE,
    VSS,
    VVP,
    VVPIPI,
    YMSTOYNSPIPICLEO,
    YMSTOYNSPIPICLEOBOOST,
)
from simgen.models.vub import VUB
from simgen.models.z_expansion import BCL, BGL

__all__ = [
    "DecayModel",
    "PairModel",
    "compile_amplitude",
    "compile_draw",
    "find_model",
    "model_names",
]

_REGISTRY = {
    model.name: model
    for model in (
        PHSP,
        VSS,
        VSP_PWAVE,
        SVS,
        TAULNUNU,
        TAUSCALARNU,
        TAUVECTORNU,
        SLN,
        HQET,
        HQET2,
        HQET3,
        ISGW2,
        BGL,
        BCL,
        LLSW,
        SLPOLE,
        SLBKPOLE,
        GOITY_ROBERTS,
        BTOSLLBALL,
        BTOSLLALI,
        SVV_HELAMP,
        SVP_HELAMP,
        HELAMP,
        TSS,
        STS,
        PARTWAVE,
        VVS_PWAVE,
        TVS_PWAVE,
        VVP,
        VVPIPI,
        YMSTOYNSPIPICLEO,
        YMSTOYNSPIPICLEOBOOST,
        ETA_DALITZ,
        ETA_FULLDALITZ,
        ETA_PI0DALITZ,
        ETAPRIME_DALITZ,
        OMEGA_DALITZ,
        D_DALITZ,
        PI0_DALITZ,
        KROLL_WADA,
        VSS_BMIX,
        VSS_MIX,
        SSD_CP,
        TAUHADNU,
        VLL,
        HYPNONLEPTON,
        BARYONPCR,
        SVV_CP,
        VUB,
        BTOXSGAMMA,
        BTOXSLL,
        CB3PI_P00,
        CB3PI_MPP,
        BTO3PI_CP,
    )
}


def find_model(name: str) -> DecayModel | None:
    """Return the model a decay file calls `name`, or None if it is not implemented."""
    return _REGISTRY.get(name)


def model_names() -> tuple[str, ...]:
    """Return the names of all implemented models, sorted."""
    return tuple(sorted(_REGISTRY))
