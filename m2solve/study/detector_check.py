"""Closure of a detector profile: particles of known momentum smeared, against what it states.

At points in p and theta, particles of each kind are smeared, found and identified, and their errors
and shares compared with the curves of the profile (`m2solve.study.stated_errors`).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich import box
from rich.console import Console
from rich.table import Table as Printed

from detector.profiles import load_profile
from m2solve.study.detector_efficiencies import EfficiencyRow, efficiency_rows
from m2solve.study.detector_points import TRACKS
from m2solve.study.detector_resolutions import ResolutionRow, resolution_rows
from m2solve.study.pipeline import FIGURES
from m2solve.study.validation_tables import to_csv
from simgen.errors import ConfigError, OutputError
from simgen.io.atomic import write_text
from simgen.progress import progress_bar
from simgen.runner import disk_errors

if TYPE_CHECKING:
    from collections.abc import Mapping

_MOST_ROWS = 12


@dataclass(frozen=True)
class DetectorCheck:
    """What a check of a profile found.

    Attributes
    ----------
    name
        Of the profile.
    folder
        Tables, and figures in ``figures`` below.
    resolutions, efficiencies
        A row a point.
    figures
        The PNG files.
    """

    name: str
    folder: Path
    resolutions: tuple[ResolutionRow, ...]
    efficiencies: tuple[EfficiencyRow, ...]
    figures: tuple[Path, ...]

    @property
    def disagreeing(self) -> tuple[ResolutionRow | EfficiencyRow, ...]:
        """Rows that are not as the profile states."""
        rows: list[ResolutionRow | EfficiencyRow] = [*self.resolutions, *self.efficiencies]
        return tuple(row for row in rows if not row.agrees(len(rows)))

    def show(self) -> None:
        """Print a summary of each kind of row, and the first rows that disagree."""
        console = Console(highlight=False)
        _print_summary(self, console)
        n = len(self.resolutions) + len(self.efficiencies)
        console.print(f"{n - len(self.disagreeing)} of {n} points agree with the profile")
        for row in self.disagreeing[:_MOST_ROWS]:
            what = row.quantity if isinstance(row, ResolutionRow) else row.requirement
            console.print(f"does not agree: {row.particle} {what} at {row.p:g}, {row.theta:g} deg")
        console.print(f"tables and figures are in {self.folder}", soft_wrap=True)


def check_detector(
    detector: str | Path | Mapping[str, Any],
    output: str | Path,
    *,
    particles: int = 10_000,
    progress: bool = False,
) -> DetectorCheck:
    """Smear particles at points in p and theta and compare with what a profile states.

    Parameters
    ----------
    detector
        Name or path of a profile, or a profile derived in place.
    output
        Folder for ``resolutions.csv``, ``efficiencies.csv`` and figures; replaced.
    particles
        At each point.
    progress
        Show a progress bar.

    Raises
    ------
    ConfigError
        If the profile is wrong, or there are fewer than 100 particles.
    OutputError
        If the output is a file.
    """
    from m2solve.study.detector_check_figures import MOST_FIGURES, draw_check

    if particles < 100:
        raise ConfigError(f"particles should be 100 or more, found {particles}")
    profile, folder = load_profile(detector), Path(output)
    if folder.exists() and not folder.is_dir():
        raise OutputError(f"{folder}: is a file; a check leaves a folder")
    steps = len(TRACKS) + 1 + MOST_FIGURES
    with progress_bar("steps of the check", steps, show=progress) as advance:
        resolutions: list[ResolutionRow] = []
        efficiencies: list[EfficiencyRow] = []
        for particle in (*TRACKS, "photon"):
            resolutions += resolution_rows(particle, profile, profile, particles)
            efficiencies += efficiency_rows(particle, profile, profile, particles)
            advance(1)
        for particle in ("pi0", "K_S"):
            efficiencies += efficiency_rows(particle, profile, profile, particles)
        with disk_errors(folder):
            (folder / FIGURES).mkdir(parents=True, exist_ok=True)
            write_text(folder / "resolutions.csv", to_csv([vars(row) for row in resolutions]))
            write_text(folder / "efficiencies.csv", to_csv([vars(row) for row in efficiencies]))
            figures = draw_check(profile, resolutions, efficiencies, folder / FIGURES, advance)
    return DetectorCheck(
        profile.name, folder, tuple(resolutions), tuple(efficiencies), tuple(figures)
    )


def _print_summary(check: DetectorCheck, console: Console) -> None:
    """Print a line for each kind of row."""
    table = Printed(title=f"{check.name}: smeared particles against the profile",
                    title_justify="left", box=box.SIMPLE_HEAD)  # fmt: skip
    for name in ("particle", "what", "points", "fitted / stated", "lowest p", "agree"):
        table.add_column(name, justify="left" if name in {"particle", "what"} else "right")
    n = len(check.resolutions) + len(check.efficiencies)
    kinds: dict[tuple[str, str], list[ResolutionRow]] = {}
    for row in check.resolutions:
        kinds.setdefault((row.particle, row.quantity), []).append(row)
    for (particle, what), rows in kinds.items():
        ratios = [row.fitted / row.stated for row in rows]
        agree = sum(row.agrees(n) for row in rows)
        table.add_row(particle, f"sigma({what})", str(len(rows)),
                      f"{min(ratios):.3f} to {max(ratios):.3f}",
                      f"{min(row.p_value for row in rows):.2g}", str(agree))  # fmt: skip
    shares: dict[tuple[str, str], list[EfficiencyRow]] = {}
    for share in check.efficiencies:
        what = "found" if share.requirement == "found" else "identified"
        shares.setdefault((share.particle, what), []).append(share)
    for (particle, what), found in shares.items():
        agree = sum(row.agrees(n) for row in found)
        table.add_row(particle, what, str(len(found)), "",
                      f"{min(row.p_value for row in found):.2g}", str(agree))  # fmt: skip
    console.print(table)
