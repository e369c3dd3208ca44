"""Export of truth: what other programs read is what was generated."""

from __future__ import annotations

import numpy as np
import pytest
import uproot
from command_line import succeeds

import simgen
from simgen.errors import OutputError
from simgen.generation import generate
from simgen.io.truth import read_events


@pytest.fixture(scope="module")
def truth(tmp_path_factory):
    """Return a folder of three shards."""
    config = {
        "events": 50,
        "detector": "belle2",
        "generator": {"name": "decfile", "decay_files": ["ktaumu.dec"], "base": None},
        "output": {"events_per_shard": 20},
    }
    return generate(config, tmp_path_factory.mktemp("truth") / "truth")


def test_root_trees_hold_every_column(truth, tmp_path):
    events = read_events(truth)
    with uproot.open(simgen.export_events(truth, tmp_path / "t.root")) as file:
        tree = file["events"].arrays(library="np")
        rows = file["particles"].arrays(library="np")
    np.testing.assert_array_equal(tree["event_id"], events.event_id)
    np.testing.assert_array_equal(tree["n_particles"], np.diff(events.offsets))
    np.testing.assert_array_equal(tree["beam_energy"], events.beam[:, 3])
    np.testing.assert_array_equal(tree["vertex_z"], events.vertex[:, 2])
    np.testing.assert_array_equal(rows["event_id"], events.event_id[events.event_index])
    for i, name in enumerate(("px", "py", "pz", "energy")):
        np.testing.assert_array_equal(rows[name], events.p4[:, i])
    for name in ("pdgid", "mother", "status"):
        np.testing.assert_array_equal(rows[name], getattr(events, name))


def test_hepmc_goes_in_again(truth, tmp_path):
    path = tmp_path / "events.hepmc3.gz"
    succeeds("export", truth, path)
    generator = {"name": "hepmc", "files": [str(path)]}
    config = {"events": 50, "detector": "belle2", "generator": generator}
    again, events = read_events(generate(config, tmp_path / "out")), read_events(truth)
    np.testing.assert_array_equal(again.p4, events.p4)
    np.testing.assert_array_equal(again.mother, events.mother)


def test_what_cannot_be_is_refused(truth, tmp_path):
    with pytest.raises(OutputError, match=r"the ending says the format.*\.root"):
        simgen.export_events(truth, tmp_path / "t.csv")
    path = simgen.export_events(truth, tmp_path / "t.root")
    with pytest.raises(OutputError, match="--overwrite"):
        simgen.export_events(truth, path)
    simgen.export_events(truth, path, overwrite=True)
    with pytest.raises(OutputError, match="there is no folder"):
        simgen.export_events(truth, tmp_path / "none" / "t.root")
