"""Runs with final-state radiation: the truth that is found, and what makes no difference."""

from __future__ import annotations

import numpy as np
import pytest
from command_line import simgen, succeeds

from detector.config import CandidateConfig
from detector.stage import read_candidates
from detector.topology import Found, Slot, find_topology
from m2solve.study import read_solutions
from simgen.io.truth import read_events

EVENTS = 1500
PHOTON = 22
TABLE = """\
events: {events}
seed: 5
detector: belle2
generator: {{decay_files: [ktaumu.dec, photos.dec], base: null, final_state_radiation: {radiation}}}
solver: {{variables: [M2sB, truth], m_nunu: ["true"]}}
output: {{events_per_shard: {shard}}}
"""


def write(folder, radiation, shard=EVENTS):
    """Write a configuration in which everything radiates; return its file."""
    folder.mkdir(exist_ok=True)
    (folder / "photos.dec").write_text("yesPhotos\n", encoding="utf-8")
    config = folder / "run.yaml"
    text = TABLE.format(events=EVENTS, radiation=radiation, shard=shard)
    config.write_text(text, encoding="utf-8")
    return config


def run(folder, radiation, *, shard=EVENTS, workers=1):
    """Run the configuration; return the folder of the run."""
    succeeds("run", write(folder, radiation, shard), "--workers", workers, "-o", folder / "out")
    return folder / "out"


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    folder = tmp_path_factory.mktemp("radiation")
    return {mode: run(folder / mode, mode) for mode in ("ignored", "applied")}


class TestTruth:
    def test_the_same_decays_are_found(self, folders):
        config = CandidateConfig()
        plain, radiated = (read_events(folders[mode]) for mode in ("ignored", "applied"))
        a, b = (find_topology(block, config) for block in (plain, radiated))
        np.testing.assert_array_equal(a.found, b.found)
        np.testing.assert_array_equal(a.tau_mode, b.tau_mode)
        np.testing.assert_array_equal(a.tag_meson, b.tag_meson)
        assert np.mean(a.found == Found.VISIBLE_D) > 0.8
        # each slot has the same particle
        rows = (a.rows >= 0) & (a.found == Found.VISIBLE_D)[:, None]
        for column in Slot:
            event = np.flatnonzero(rows[:, column])
            first, second = (
                block.pdgid[block.offsets[event] + each.rows[event, column]]
                for block, each in ((plain, a), (radiated, b))
            )
            np.testing.assert_array_equal(first, second)

    def test_radiated_photons_have_no_role(self, folders):
        block = read_events(folders["applied"])
        topology = find_topology(block, CandidateConfig())
        mother = np.abs(block.pdgid[block.mother_row])
        charged = (block.pdgid == PHOTON) & np.isin(mother, [15, 211, 521])
        assert np.count_nonzero(charged) > 100
        assert not topology.role[charged].any()

    def test_what_is_invisible_is_all_that_is_not_reconstructed(self, folders):
        for mode in ("ignored", "applied"):
            table = read_candidates(folders[mode])
            visible = table.true_kaon + table.true_lepton + table.true_prong
            missing = table.true_parent_sig - visible
            np.testing.assert_allclose(missing, table.true_k_sig, atol=1e-9)


class TestRun:
    def test_candidates_and_solutions(self, folders):
        n = [len(read_candidates(folders[mode])) for mode in ("ignored", "applied")]
        # soft particles move in and out of the acceptance
        assert abs(n[1] - n[0]) < 0.03 * n[0]
        assert len(read_solutions(folders["applied"])) > 0

    def test_any_shards_and_workers_give_the_same(self, folders, tmp_path):
        again = run(tmp_path / "again", "applied", shard=EVENTS // 3, workers=2)
        a, b = read_events(folders["applied"]), read_events(again)
        for name in ("pdgid", "mother", "p4", "production"):
            np.testing.assert_array_equal(getattr(a, name), getattr(b, name))

    def test_notes_say_so(self, folders):
        applied, ignored = (simgen("inspect", folders[mode]).out for mode in ("applied", "ignored"))
        assert "photons above 1 MeV" in " ".join(applied.split())
        assert "final-state radiation is not simulated" in " ".join(ignored.split())

    def test_a_cut_that_is_too_low_is_named(self, tmp_path):
        config = write(tmp_path, "applied, photon_energy: 1e-6")
        done = simgen("generate", config, "-o", tmp_path / "out")
        assert done.code != 0
        assert "photon_energy: input should be greater" in done.err

    def test_a_cut_that_nothing_would_use_is_refused(self, tmp_path):
        config = write(tmp_path, "ignored, photon_energy: 0.01")
        done = simgen("generate", config, "-o", tmp_path / "out")
        assert done.code != 0
        assert "photon_energy is for final_state_radiation: applied; found ignored" in done.err
        assert not (tmp_path / "out").exists()
