from __future__ import annotations

import numpy as np
import pytest

from detector.stage import read_candidates
from m2solve.study import run
from m2solve.study.sources import ALL, KINDS, conjugated, decay_name
from simgen.config import config_root
from simgen.generation import prepare_generation
from simgen.io.hdf5 import find_shards, read_header

N = 3000
CONFIG = {
    "events": N,
    "seed": 5,
    "luminosity": "710 /fb",
    "cross_section": "0.003 pb",
    "detector": "belle2",
    "generator": {"decay_files": ["ktaumu.dec"], "base": None},
    "candidates": {"assignment": "combinatorial"},
    "solver": {"variables": ["M2sB", "random"], "m_nunu": ["m_hat"]},
    "output": {"keep": "candidates", "events_per_shard": 1000},
}


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    return run(CONFIG, tmp_path_factory.mktemp("run") / "run", workers=1)


def test_weights_add_up_to_luminosity_times_cross_section_times_efficiency(done):
    table = read_candidates(done.folder)
    efficiency = len(table) / N
    assert 0.2 < efficiency < 0.5
    assert np.sum(table.weight) == pytest.approx(710 * 3.0 * efficiency)
    flow = done.cut_flow
    assert flow["events"] == N
    assert flow["E_extra"] == len(table)
    both = [row for row in done.summary if row.method == "random" and row.group == "both"]
    assert both[0].candidates == pytest.approx(np.sum(table.weight))


def test_truth_is_not_written_and_the_notes_are_where_it_says(done, capsys):
    assert not (done.folder / "truth").exists()
    provenance = read_header(find_shards(done.folder, "candidates")[0]).provenance
    assert provenance["notes"] == list(done.notes)
    done.show()
    assert "candidates" in capsys.readouterr().out


def test_the_same_bytes_for_any_number_of_workers_and_after_a_resume(done, tmp_path):
    again = run(CONFIG, tmp_path / "run", workers=3)
    shards = sorted(done.folder.glob("*/part-*.h5"))
    assert len(shards) == 6
    for shard in shards:
        other = again.folder / shard.relative_to(done.folder)
        assert other.read_bytes() == shard.read_bytes()
    lost = again.folder / "candidates" / "part-00001.h5"
    lost.unlink()
    run(CONFIG, again.folder, workers=2, if_exists="resume")
    assert lost.read_bytes() == (done.folder / "candidates" / "part-00001.h5").read_bytes()


def test_the_same_candidates_for_any_size_of_shards(done, tmp_path):
    config = CONFIG | {"output": {"keep": "candidates", "events_per_shard": 700}}
    table = read_candidates(done.folder)
    other = read_candidates(run(config, tmp_path / "run").folder)
    np.testing.assert_array_equal(other.event_id, table.event_id)
    np.testing.assert_array_equal(other.tag_d, table.tag_d)
    np.testing.assert_array_equal(other.e_extra, table.e_extra)


@pytest.mark.parametrize("name", ["uds", "cc", "tautau"])
def test_shipped_backgrounds_have_the_cross_sections_of_the_table(name):
    """uu 1.61, dd 0.40, ss 0.38, cc 1.30, tau tau 0.919 nb."""
    expected = {"uds": 2.39, "cc": 1.30, "tautau": 0.919}
    config = prepare_generation(config_root() / f"background_{name}.yaml").config
    assert config.luminosity == 710.0
    assert config.cross_section == expected[name]


def test_sources_say_what_each_candidate_is(done):
    table, sources = read_candidates(done.folder), done.sources
    sums = {row.kind: row for row in sources.rows if row.decay == ALL}
    assert list(sums) == list(KINDS)
    assert sum(row.candidates for row in sums.values()) == len(table)
    assert sum(row.total for row in sums.values()) == pytest.approx(np.sum(table.weight))
    for kind, row in sums.items():
        parts = [r for r in sources.rows if r.kind == kind and r.decay != ALL]
        assert sum(r.candidates for r in parts) == row.candidates
        assert sum(r.total for r in parts) == pytest.approx(row.total)
        assert sources.recoil[kind].total == pytest.approx(row.total)
    right = (table.is_signal == 1) & (table.is_tag == 1)
    assert sums["signal"].candidates == np.sum(right) > 0.7 * len(table)
    assert sums["signal"].mass == pytest.approx(1.777, abs=1e-3)
    assert sums["signal"].spread < 1e-3
    assert sums["signal"].error == pytest.approx(np.sqrt(np.sum(table.weight[right] ** 2)))
    found = {row.decay for row in sources.rows if row.kind == "signal"}
    assert found == {ALL, "K+ tau- mu+", "K+ tau+ mu-"}  # charge conjugates are one
    assert sums["no B"].candidates == 0


def test_sources_are_a_table_and_a_figure(done, capsys):
    lines = (done.folder / "sources.csv").read_text().splitlines()
    assert lines[0].startswith("kind,decay,candidates,total,error")
    assert len(lines) == 1 + len(done.sources.rows)
    for suffix in (".png", ".pdf", ".csv"):
        assert (done.folder / "figures" / f"m_recoil_by_source{suffix}").stat().st_size > 0
    done.show()
    assert "true tag" in capsys.readouterr().out


def test_kinds_and_names_by_hand():
    decay = np.array([[421, 211, 0, 0, 0, 0], [-431, 421, 111, 0, 0, 0], [443, -321, 22, 0, 0, 0]])
    conjugate = conjugated(decay.astype(np.int32), np.array([-1, 1, -1], dtype=np.int8))
    names = [decay_name(row) for row in conjugate]
    assert names == ["anti-D0 pi-", "D_s- D0 pi0", "J/psi K+ gamma"]
    assert decay_name([0] * 6) == "-"
    inclusive = np.array([[43, 11, -12, 0, 0, 0]], dtype=np.int32)  # X_u0 has no antiparticle
    (conjugate,) = conjugated(inclusive, np.array([-1], dtype=np.int8))
    assert decay_name(conjugate) == "Xu0 nu_e e+"
