"""Export truth to the formats of other programs."""

from __future__ import annotations

from pathlib import Path

from simgen.errors import OutputError
from simgen.io.hdf5 import find_shards, read_header
from simgen.io.hepmc import write_hepmc
from simgen.io.root import write_root
from simgen.io.truth import TRUTH, iterate_events
from simgen.progress import progress_bar
from simgen.runner import disk_errors

_WRITERS = {
    ".hepmc": write_hepmc,
    ".hepmc3": write_hepmc,
    ".hepmc.gz": write_hepmc,
    ".hepmc3.gz": write_hepmc,
    ".root": write_root,
}
_EVENTS_AT_ONCE = 1000


def export_events(
    truth: str | Path, output: str | Path, *, overwrite: bool = False, progress: bool = False
) -> Path:
    """Write events as HepMC3 or as ROOT trees.

    Parameters
    ----------
    truth
        A truth file, a folder of shards, or a run folder.
    output
        The file; its ending says the format: ``.hepmc``, ``.hepmc3`` (both also with ``.gz``) or
        ``.root``.
    overwrite
        Replace the file if it exists.
    progress
        Show a progress bar.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    OutputError
        If the ending is none of these, or the file exists.
    FileFormatError
        If the input is not truth.
    """
    target = Path(output)
    ending = next((e for e in _WRITERS if target.name.endswith(e)), None)
    if ending is None:
        raise OutputError(
            f"{target}: the ending says the format; it is one of {', '.join(_WRITERS)}"
        )
    if target.exists() and not overwrite:
        raise OutputError(f"{target}: the file exists. Use --overwrite to replace it")
    if not target.parent.is_dir():
        raise OutputError(f"{target}: there is no folder {target.parent}")
    total = sum(read_header(shard, TRUTH).n_events for shard in find_shards(truth, TRUTH))
    with disk_errors(target), progress_bar("events", total, show=progress) as advance:
        _WRITERS[ending](iterate_events(truth, _EVENTS_AT_ONCE), target, advance)
    return target
