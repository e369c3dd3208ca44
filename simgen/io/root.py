"""Write events as flat ROOT trees."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import numpy as np

from simgen.events import EVENT_LAYOUT, EventBlock
from simgen.io.atomic import atomic_file

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from numpy.typing import NDArray

_OFFSETS = "events/offsets"
_EVENT_ID = "event_id"


def write_root(blocks: Iterable[EventBlock], path: Path, advance: Callable[[int], None]) -> None:
    """Write events as two trees, ``events`` and ``particles``, one branch a column.

    Branches are called as the datasets of truth files, ``beam_px`` for ``beam/px``. ``events`` has
    the number of particles of each event in place of offsets, ``particles`` the event's number
    in each row.

    Parameters
    ----------
    blocks
        In order, at least one.
    path
        The file, which appears when it is whole.
    advance
        Called with the number of events that are done.
    """
    import uproot

    with (
        atomic_file(path) as target,
        os.fdopen(os.dup(target.fileno()), "r+b") as own,  # uproot closes what it is given
        uproot.recreate(own) as file,
    ):
        made = False
        for block in blocks:
            trees = _trees(block)
            for name, columns in trees.items():
                if not made:
                    file.mktree(name, {key: column.dtype for key, column in columns.items()})
                file[name].extend(columns)
            made = True
            advance(len(block))


def _trees(block: EventBlock) -> dict[str, dict[str, NDArray[np.generic]]]:
    """Return the branches of each tree."""
    trees: dict[str, dict[str, NDArray[np.generic]]] = {}
    for dataset, column in block.columns().items():
        tree, _, rest = dataset.partition("/")
        if dataset != _OFFSETS:
            trees.setdefault(tree, {})[rest.replace("/", "_")] = column
    event_tree, particle_tree = (EVENT_LAYOUT[name].group for name in (_EVENT_ID, "pdgid"))
    trees[event_tree]["n_particles"] = np.diff(block.offsets)
    trees[particle_tree][_EVENT_ID] = block.event_id[block.event_index]
    return trees
