"""Studies that need all three packages: whole runs, their summary and figures.

The public names are imported when they are first used, so that ``import m2solve.study`` costs
nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from simgen.lazy import lazy_names

if TYPE_CHECKING:
    from m2solve.study.detector_check import DetectorCheck, check_detector
    from m2solve.study.histograms import fill_histograms
    from m2solve.study.pipeline import Result, run
    from m2solve.study.report import summarise
    from m2solve.study.scan_stage import scan
    from m2solve.study.solutions import Solutions, read_solutions
    from m2solve.study.stage import solve_file
    from m2solve.study.validation import Validation, validate
    from m2solve.study.yields import Yields, find_yields

__all__ = [
    "DetectorCheck",
    "Result",
    "Solutions",
    "Validation",
    "Yields",
    "check_detector",
    "fill_histograms",
    "find_yields",
    "read_solutions",
    "run",
    "scan",
    "solve_file",
    "summarise",
    "validate",
]

_HOME = {
    "DetectorCheck": "detector_check",
    "Result": "pipeline",
    "Solutions": "solutions",
    "Validation": "validation",
    "Yields": "yields",
    "check_detector": "detector_check",
    "fill_histograms": "histograms",
    "find_yields": "yields",
    "read_solutions": "solutions",
    "run": "pipeline",
    "scan": "scan_stage",
    "solve_file": "stage",
    "summarise": "report",
    "validate": "validation",
}

__getattr__, __dir__ = lazy_names(__name__, _HOME)
