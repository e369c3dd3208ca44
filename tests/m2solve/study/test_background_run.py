from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from rich.console import Console

from detector.config import SignalTopology
from detector.stage import read_candidates
from m2solve.study import run
from m2solve.study.sources import ALL, KINDS, kinds
from m2solve.study.true_decay_names import chain_name, conjugate, read_chain
from m2solve.study.yields import find_yields, misidentified, print_totals
from simgen.config import config_root
from simgen.errors import ConfigError, FileFormatError
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
    assert both[0].candidates == np.sum(table.tau_mode > 0)
    assert both[0].total == pytest.approx(np.sum(table.weight[table.tau_mode > 0]))


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
    names = {"B+ -> K+ tau- mu+", "B+ -> K+ tau+ mu-"}
    assert found == {ALL, *names}  # charge conjugates are one
    right_tags = np.count_nonzero(table.is_tag), len(table)
    assert (sources.right_tags, sources.events) == (right_tags, N)
    assert sums["no B"].candidates == 0


def test_sources_are_a_table_and_a_figure(done, capsys):
    lines = (done.folder / "sources.csv").read_text().splitlines()
    assert lines[0].startswith("kind,decay,candidates,total,error")
    assert len(lines) == 1 + len(done.sources.rows)
    for suffix in (".png", ".pdf", ".csv"):
        assert (done.folder / "figures" / f"m_recoil_by_source{suffix}").stat().st_size > 0
    done.show()
    assert "true tag" in capsys.readouterr().out


def test_yields_add_up_to_the_candidates_and_name_their_decays(done, capsys):
    table, yields = read_candidates(done.folder), done.yields
    assert yields.luminosity == 710.0
    assert yields.event_weight == pytest.approx(710 * 3.0 / N)
    assert sum(row.candidates for row in yields.rows) == len(table)
    assert sum(row.total for row in yields.rows) == pytest.approx(np.sum(table.weight))
    for row in yields.rows:
        assert row.weight == pytest.approx(yields.event_weight)
        assert row.total == pytest.approx(row.candidates * row.weight)
        assert row.error == pytest.approx(np.sqrt(row.candidates) * row.weight)
    for kind in KINDS:
        of_sources = sum(
            r.candidates for r in done.sources.rows if (r.kind, r.decay) == (kind, ALL)
        )
        assert sum(r.candidates for r in yields.rows if r.kind == kind) == of_sources
    signal = [row for row in yields.rows if row.kind == "signal"]
    assert {row.peak for row in signal} == {"tau+", "tau-"}
    assert {row.tag for row in signal} == {"right"}
    largest = max(signal, key=lambda row: row.total)
    assert largest.decay.startswith(("B+ -> K+ tau- mu+, tau- -> ", "B+ -> K+ tau+ mu-, tau+ -> "))
    lines = (done.folder / "yields.csv").read_text().splitlines()
    assert lines[0] == "source,kind,decay,tag,misidentified,peak,candidates,weight,yield,error"
    assert len(lines) == 1 + len(yields.rows)
    done.show()
    assert "that do not peak, yields at 710 /fb" in capsys.readouterr().out


def test_yields_of_several_runs_add_up(done, tmp_path, capsys):
    again = {"decay_files": ["ktaumu.dec"], "base": None, "pythia_pool_seed": 1}
    config = CONFIG | {"seed": 6, "events": 1000, "generator": again}
    other = run(config, tmp_path / "other", workers=1)
    both = find_yields([done.folder, other.folder])
    assert sum(row.total for row in both.rows) == pytest.approx(
        sum(row.total for result in (done, other) for row in result.yields.rows)
    )
    assert both.event_weight == pytest.approx(3 * done.yields.event_weight)
    print_totals(both, Console(width=200))
    assert "decfile ktaumu.dec" in capsys.readouterr().out
    with pytest.raises(ConfigError, match="the source would count twice"):
        find_yields([done.folder, done.folder])
    config = config | {"luminosity": "1 /ab", "events": 100}
    different = run(config, tmp_path / "different", workers=1)
    with pytest.raises(ConfigError, match=r"luminosity differs .* 1000\.0 and 710\.0"):
        find_yields([done.folder, different.folder])
    with pytest.raises(FileFormatError, match=r"no run folder"):
        find_yields([tmp_path])


def test_misidentified_is_what_particles_truly_are(done):
    table, topology = read_candidates(done.folder), SignalTopology()
    names, true = misidentified(table, topology), np.abs(table.true_ids)
    assert len(set(names)) > 3
    for i, name in enumerate(names):
        assert ("mu from pi" in name.split(", ")) == (
            true[i, 1] == 211 or (true[i, 2] == 211 and table.tau_mode[i] == 2)
        )
        assert ("tag K from pi" in name.split(", ")) == (true[i, 4] == 211)
        assert (name == "") == (
            true[i, 0] == 321
            and true[i, 1] == 13
            and true[i, 2] == {1: 11, 2: 13, 3: 211, 4: 211}[int(table.tau_mode[i])]
            and true[i, 3] == table.tag_lepton_flavour[i]
            and true[i, 4] == 321
            and bool(np.all(np.isin(true[i, 5:], (0, 211))))
        )


def test_kinds_by_hand(done):
    """A narrow particle recoiling, and a right tag, are what makes a background peak."""
    table = read_candidates(done.folder).before(10**9)
    n = len(table)
    recoil = np.resize(np.array([411, -421, 20413, 113, 30353, 0, 43], np.int32), n)
    others = {"is_signal": np.zeros(n, np.int8), "true_recoil": recoil}
    found = np.array(KINDS)[kinds(replace(table, **others))]
    right = table.is_tag == 1
    narrow = np.isin(recoil, (411, -421))
    assert np.all((found == "peaking") == (right & narrow))
    assert np.all((found == "true tag") == (right & ~narrow))
    assert np.all((found == "wrong tag") == ~right)


def test_names_of_chains_by_hand():
    chain = [-521, 421, -14, 13, 0, 443, 13, -13, 0, 421, -321, 211, 0, 0]
    name = "B+ -> anti-D0 mu+ nu_mu, J/psi -> mu- mu+, anti-D0 -> K+ pi-"
    assert chain_name(read_chain(chain, conjugated=True)) == name
    back = [conjugate(x) for x in chain]
    assert chain_name(read_chain(back, conjugated=False)) == name
    assert chain_name(read_chain([0, 0], conjugated=True)) == "-"
    assert chain_name(read_chain([521, 43, 11, -12, 0], conjugated=True)) == "B- -> Xu0 e+ nu_e"
    assert chain_name(read_chain([521, -421, 211], conjugated=False)) == "B+ -> anti-D0 pi+ ..."
