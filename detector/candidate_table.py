"""The table of reconstructed candidates: columns, and what follows from them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from detector.decay_vertices import to_covariance
from detector.matching import SOURCES
from detector.topology import TauMode
from detector.true_decays import N_CHAIN
from simgen.io.layout import CORRELATION, MOMENTUM, POSITION, Field, from_columns, to_columns

if TYPE_CHECKING:
    from collections.abc import Mapping

    import awkward as ak
    from numpy.typing import NDArray

    from simgen.io.layout import Columns, Layout
    from simgen.typing import BoolArray, FloatArray, Int8Array, Int32Array, IntArray


def _number(dtype: str, description: str) -> Field:
    """Return a column of numbers."""
    return Field("candidates", dtype, "1", description)


def _momentum(description: str) -> Field:
    """Return a column of four-momenta."""
    return Field("candidates", "f8", "GeV", description, MOMENTUM)


def _position(description: str) -> Field:
    """Return a column of positions or their uncertainties."""
    return Field("candidates", "f8", "mm", description, POSITION)


def _correlation(description: str) -> Field:
    """Return columns of the correlations of a position's errors."""
    return Field("candidates", "f8", "1", description, CORRELATION)


def _combined(unit: str, description: str) -> Field:
    """Return a column of numbers that only combinatorial candidates have."""
    return Field("candidates", "f8", unit, f"{description}; nan where taken from truth")


def _decay(side: str) -> Field:
    """Return the columns of a true chain of decays."""
    return Field(
        "candidates",
        "i4",
        "1",
        f"true decays of the {side} side as PDG numbers: B, its daughters, 0, then the same of "
        "each D, tau and charmonium that a track comes from; 0 where taken from truth",
        tuple(f"n{i + 1}" for i in range(N_CHAIN)),
    )


_SOURCES: Final = tuple(SOURCES)

CANDIDATE_LAYOUT: Final[Layout] = {
    "event_id": _number("i8", "number of the event"),
    "weight": _number("f8", "weight of the event"),
    "is_signal": _number("i1", "1 if the signal side is the true signal decay, else 0"),
    "tau_mode": _number(
        "i1",
        "tau decay, true or as reconstructed: 0 other or no tau, 1 e, 2 mu, 3 pi, 4 pi pi0",
    ),
    "tag_meson": _number(
        "i1",
        "tag meson, true or as reconstructed: 1 D, 2 D* -> D pi0, 3 D* -> D gamma, 4 D* -> D pi",
    ),
    "tag_tau_mode": _number(
        "i1", "tau pairs: decay of the tag's tau, true or as reconstructed, numbers as tau_mode"
    ),
    "tag_lepton_flavour": _number("i1", "absolute PDG number of the tag lepton, 11 or 13, or 0"),
    "charge_kaon": _number("i1", "charge of the kaon, 0 if the signal has none"),
    "charge_lepton": _number("i1", "charge of the signal lepton, 0 if the signal has none"),
    "charge_tag_lepton": _number("i1", "charge of the tag lepton, or of the tag in a tau pair"),
    "kaon": _momentum("measured kaon, 0 if the signal has none"),
    "lepton": _momentum("measured signal lepton, 0 if the signal has none"),
    "prong": _momentum("measured visible part of the tau decay, 0 without tau"),
    "tag_d": _momentum("measured D, or D* where it is reconstructed fully"),
    "tag_lepton": _momentum("measured tag lepton; in tau pairs the visible part of the tag"),
    "total": _momentum("beams as the analyst knows them: their mean, as far as calibrated"),
    "hadronic_tag": _momentum("tag B as a hadronic tag would measure it"),
    "r_0": _position("measured primary vertex"),
    "r_sig": _position("measured decay vertex of the signal B"),
    "r_tag": _position("measured decay vertex of the tag B"),
    "r_0_sigma": _position("standard deviations of r_0"),
    "r_sig_sigma": _position("standard deviations of r_sig"),
    "r_tag_sigma": _position("standard deviations of r_tag"),
    "r_sig_correlation": _correlation("correlations of the errors of r_sig"),
    "r_tag_correlation": _correlation("correlations of the errors of r_tag"),
    "vertex_constraint": _number("i1", "1 if r_sig and r_tag are constrained to r_0, else 0"),
    "true_kaon": _momentum("true kaon, 0 if the signal has none"),
    "true_lepton": _momentum("true signal lepton, 0 if the signal has none"),
    "true_prong": _momentum("truth of what prong is made of"),
    "true_tag_d": _momentum("truth of what tag_d is made of"),
    "true_tag_lepton": _momentum("truth of what tag_lepton is made of"),
    "true_total": _momentum("beams of this event"),
    "true_r_0": _position("true primary vertex"),
    "true_r_sig": _position("true decay vertex of the signal B"),
    "true_r_tag": _position("true decay vertex of the tag B"),
    "true_parent_sig": _momentum("true signal B"),
    "true_parent_tag": _momentum("true tag B"),
    "true_k_sig": _momentum("true signal B less true kaon, lepton, prong"),
    "true_k_tag": _momentum("true tag B less true tag_d, tag_lepton"),
    "charge_prong": _number("i1", "charge of the prong, 0 without tau"),
    "tag_mode": _number(
        "i1", "D decay as reconstructed: 1 K pi, 2 K pi pi0, 3 K 3pi, 4 K 2pi; 0 taken from truth"
    ),
    "is_tag": _number(
        "i1",
        "1 if the tag is a true B -> D(*) l nu with this D and lepton, or the true prong of a tau "
        "pair's tag, else 0",
    ),
    "n_readings": _number("i4", "combinations of the event that pass all cuts but E_extra"),
    "m_d": _combined("GeV", "measured mass of the D"),
    "delta_m": _combined("GeV", "measured M(D*) - M(D), nan without D*"),
    "cos_theta_by": _combined("1", "cosine between B and D(*) l, one neutrino assumed"),
    "e_extra": _combined("GeV", "energy of the photons that are not used"),
    "true_ids": Field("candidates", "i4", "1", "PDG numbers of what these truly are", _SOURCES),
    "true_origins": Field("candidates", "i4", "1", "PDG numbers of what they come from", _SOURCES),
    "true_decay_sig": _decay("signal"),
    "true_decay_tag": _decay("tag"),
    "true_recoil": _number(
        "i4",
        "PDG number of the one particle that all else of the signal's B comes from, if what is "
        "taken for kaon and lepton is of it, else 0; 0 where taken from truth",
    ),
}
"""How the fields of a `CandidateTable` are stored."""


@dataclass(frozen=True, slots=True)
class CandidateTable:
    """Reconstructed candidates with their truth: a row a candidate.

    Lab frame, GeV and mm; momenta (n, 4) as (px, py, pz, E), positions (n, 3). The fields are
    those of `CANDIDATE_LAYOUT`, where each is described; names with ``true_`` are truth. Of a
    combinatorial candidate these are of the particles it is made of, whatever they are; without a
    true B, momenta of parents and what derives from them are nan.
    What is invisible on a side (``true_k_sig``, ``true_k_tag``) is all of the parent that is not
    reconstructed: neutrinos, radiated photons, the pi0 of a rho reconstructed as its pi.
    """

    event_id: IntArray
    weight: FloatArray
    is_signal: Int8Array
    tau_mode: Int8Array
    tag_meson: Int8Array
    tag_tau_mode: Int8Array
    tag_lepton_flavour: Int8Array
    charge_kaon: Int8Array
    charge_lepton: Int8Array
    charge_tag_lepton: Int8Array
    kaon: FloatArray
    lepton: FloatArray
    prong: FloatArray
    tag_d: FloatArray
    tag_lepton: FloatArray
    total: FloatArray
    hadronic_tag: FloatArray
    r_0: FloatArray
    r_sig: FloatArray
    r_tag: FloatArray
    r_0_sigma: FloatArray
    r_sig_sigma: FloatArray
    r_tag_sigma: FloatArray
    r_sig_correlation: FloatArray
    r_tag_correlation: FloatArray
    vertex_constraint: Int8Array
    true_kaon: FloatArray
    true_lepton: FloatArray
    true_prong: FloatArray
    true_tag_d: FloatArray
    true_tag_lepton: FloatArray
    true_total: FloatArray
    true_r_0: FloatArray
    true_r_sig: FloatArray
    true_r_tag: FloatArray
    true_parent_sig: FloatArray
    true_parent_tag: FloatArray
    true_k_sig: FloatArray
    true_k_tag: FloatArray
    charge_prong: Int8Array
    tag_mode: Int8Array
    is_tag: Int8Array
    n_readings: Int32Array
    m_d: FloatArray
    delta_m: FloatArray
    cos_theta_by: FloatArray
    e_extra: FloatArray
    true_ids: Int32Array
    true_origins: Int32Array
    true_decay_sig: Int32Array
    true_decay_tag: Int32Array
    true_recoil: Int32Array

    def __len__(self) -> int:
        return len(self.event_id)

    @property
    def p_kl(self) -> FloatArray:
        """(n, 4) measured kaon and signal lepton, against which M_recoil is taken.

        In a tau pair, which has neither, the prong.
        """
        return self.prong if self.is_tau_pair else self.kaon + self.lepton

    @property
    def visible_sig(self) -> FloatArray:
        """(n, 4) measured visible momentum of the signal side."""
        return self.kaon + self.lepton + self.prong

    @property
    def visible_tag(self) -> FloatArray:
        """(n, 4) measured visible momentum of the tag side."""
        return self.tag_d + self.tag_lepton

    @property
    def missing(self) -> FloatArray:
        """(n, 4) beams less all that is visible."""
        return self.total - self.visible_sig - self.visible_tag

    @property
    def flight_sig(self) -> FloatArray:
        """(n, 3) measured flight r_sig - r_0 of the signal B, mm."""
        return self.r_sig - self.r_0

    @property
    def flight_tag(self) -> FloatArray:
        """(n, 3) measured flight r_tag - r_0 of the tag B, mm."""
        return self.r_tag - self.r_0

    @property
    def r_0_covariance(self) -> FloatArray:
        """(n, 3, 3) covariance of r_0, mm^2."""
        return to_covariance(self.r_0_sigma, np.zeros_like(self.r_0_sigma))

    @property
    def r_sig_covariance(self) -> FloatArray:
        """(n, 3, 3) covariance of r_sig, mm^2."""
        return to_covariance(self.r_sig_sigma, self.r_sig_correlation)

    @property
    def r_tag_covariance(self) -> FloatArray:
        """(n, 3, 3) covariance of r_tag, mm^2."""
        return to_covariance(self.r_tag_sigma, self.r_tag_correlation)

    @property
    def true_p_kl(self) -> FloatArray:
        """(n, 4) truth of `p_kl`."""
        return self.true_prong if self.is_tau_pair else self.true_kaon + self.true_lepton

    @property
    def true_visible_sig(self) -> FloatArray:
        """(n, 4) true momentum of what is reconstructed on the signal side."""
        return self.true_kaon + self.true_lepton + self.true_prong

    @property
    def true_visible_tag(self) -> FloatArray:
        """(n, 4) true momentum of what is reconstructed on the tag side."""
        return self.true_tag_d + self.true_tag_lepton

    @property
    def true_missing(self) -> FloatArray:
        """(n, 4) this event's beams less the truth of all that is reconstructed."""
        return self.true_total - self.true_visible_sig - self.true_visible_tag

    @property
    def true_flight_sig(self) -> FloatArray:
        """(n, 3) true flight of the signal B, mm."""
        return self.true_r_sig - self.true_r_0

    @property
    def true_flight_tag(self) -> FloatArray:
        """(n, 3) true flight of the tag B, mm."""
        return self.true_r_tag - self.true_r_0

    @property
    def is_tau_pair(self) -> bool:
        """Whether the parents are taus: the signal has neither kaon nor lepton."""
        return len(self) > 0 and not np.any(self.kaon[0]) and not np.any(self.lepton[0])

    @property
    def leptonic(self) -> BoolArray:
        """(n,) whether the tau decays to a lepton and two neutrinos."""
        return np.isin(self.tau_mode, (TauMode.E, TauMode.MU))

    @property
    def tag_leptonic(self) -> BoolArray:
        """(n,) whether the tag is a tau that decays to a lepton and two neutrinos."""
        return np.isin(self.tag_tau_mode, (TauMode.E, TauMode.MU))

    def before(self, event_id: int) -> CandidateTable:
        """Return the candidates of events with smaller numbers; numbers ascend in a table."""
        n = int(np.searchsorted(self.event_id, event_id))
        return CandidateTable(*(getattr(self, name)[:n] for name in CANDIDATE_LAYOUT))

    def columns(self) -> Columns:
        """Return the datasets of a file, by path."""
        return to_columns(CANDIDATE_LAYOUT, self)

    @classmethod
    def from_columns(cls, columns: Mapping[str, NDArray[np.generic]]) -> CandidateTable:
        """Return the table whose datasets are `columns`, by path."""
        arrays: dict[str, Any] = from_columns(CANDIDATE_LAYOUT, columns)
        return cls(**arrays)

    def to_awkward(self) -> ak.Array:
        """Return one record a candidate, momenta as Momentum4D and positions as Vector3D.

        `vector.register_awkward` makes their ``pt``, ``mass``, ``boost`` and so on available.
        """
        import awkward as ak

        names = {MOMENTUM: "Momentum4D", POSITION: "Vector3D"}
        record: dict[str, Any] = {}
        for name, field in CANDIDATE_LAYOUT.items():
            array = getattr(self, name)
            if field.components:
                parts = dict(zip(field.components, array.T, strict=True))
                array = ak.zip(parts, with_name=names.get(field.components))
            record[name] = array
        return ak.zip(record, depth_limit=1)
