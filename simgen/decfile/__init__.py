"""Decay files: read them, put them together, say what is wrong with them."""

from __future__ import annotations

from simgen.decfile.diagnose import diagnose, has_errors
from simgen.decfile.diagnostic import Diagnostic
from simgen.decfile.load import BASE_TABLES, load_decay_table
from simgen.decfile.parse import parse_decfile, parse_decfile_text
from simgen.decfile.reach import Reach, find_reach
from simgen.decfile.report import DecayReport, describe_decays
from simgen.decfile.statements import DecFile, SourceLine
from simgen.decfile.table import Channel, DecayFileInfo, DecayTable, Lineshape

__all__ = [
    "BASE_TABLES",
    "Channel",
    "DecFile",
    "DecayFileInfo",
    "DecayReport",
    "DecayTable",
    "Diagnostic",
    "Lineshape",
    "Reach",
    "SourceLine",
    "describe_decays",
    "diagnose",
    "find_reach",
    "has_errors",
    "load_decay_table",
    "parse_decfile",
    "parse_decfile_text",
]
