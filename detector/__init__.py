"""Reconstruct candidates: truth events in, smeared candidates out.

The public names are imported when they are first used, so that ``import detector`` costs nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from simgen.lazy import lazy_names

if TYPE_CHECKING:
    from detector.candidate_table import CANDIDATE_LAYOUT, CandidateTable
    from detector.candidates import smear_block
    from detector.config import CandidateConfig, SignalTopology
    from detector.cutflow import CutFlow
    from detector.identification import Species, acceptance_shares, identify_tracks
    from detector.impact import smear_perigees
    from detector.profiles import DetectorProfile, load_profile
    from detector.stage import read_candidates, smear
    from detector.topology import TagMeson, TauMode
    from detector.tracks import smear_tracks
    from detector.vertex_fit import fit_vertices

__all__ = [
    "CANDIDATE_LAYOUT",
    "CandidateConfig",
    "CandidateTable",
    "CutFlow",
    "DetectorProfile",
    "SignalTopology",
    "Species",
    "TagMeson",
    "TauMode",
    "acceptance_shares",
    "fit_vertices",
    "identify_tracks",
    "load_profile",
    "read_candidates",
    "smear",
    "smear_block",
    "smear_perigees",
    "smear_tracks",
]

_HOME = {
    "CANDIDATE_LAYOUT": "candidate_table",
    "CandidateConfig": "config",
    "CandidateTable": "candidate_table",
    "CutFlow": "cutflow",
    "DetectorProfile": "profiles",
    "SignalTopology": "config",
    "Species": "identification",
    "TagMeson": "topology",
    "TauMode": "topology",
    "acceptance_shares": "identification",
    "fit_vertices": "vertex_fit",
    "identify_tracks": "identification",
    "load_profile": "profiles",
    "read_candidates": "stage",
    "smear": "stage",
    "smear_block": "candidates",
    "smear_perigees": "impact",
    "smear_tracks": "tracks",
}

__getattr__, __dir__ = lazy_names(__name__, _HOME)
