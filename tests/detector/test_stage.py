"""The stage smear: files of truth in, files of candidates out."""

from __future__ import annotations

import numpy as np
import pytest
import yaml

from detector.cutflow import STAGES
from detector.cuts import CandidateCuts
from detector.stage import check_beams, iterate_candidates, read_candidates, smear
from simgen.errors import ConfigError, OutputError
from simgen.generation import generate
from simgen.io.hdf5 import file_compression, find_shards, read_header

EVENTS = 600
CONFIG = {
    "events": EVENTS,
    "seed": 21,
    "detector": "belle2",
    "generator": {"name": "decfile", "decay_files": ["ktaumu.dec"], "base": None},
    "output": {"events_per_shard": 250, "compression": "none"},
    "candidates": {"rho": "pi_pi0"},
}


@pytest.fixture(scope="module")
def truth(tmp_path_factory):
    """A folder of three shards of truth."""
    return generate(CONFIG, tmp_path_factory.mktemp("truth") / "truth")


@pytest.fixture(scope="module")
def candidates(truth, tmp_path_factory):
    """The same as one file of candidates of Belle II."""
    return smear(truth, tmp_path_factory.mktemp("smeared") / "c.h5", detector="belle2")


def same(one, other, names=("event_id", "kaon", "lepton", "prong", "r_sig", "total")):
    """Compare columns of two tables of candidates."""
    return all(np.array_equal(getattr(one, n), getattr(other, n)) for n in names)


def test_file_and_folder_hold_the_same_candidates(truth, candidates, tmp_path):
    folder = smear(truth, tmp_path / "c", detector="belle2", workers=3)
    assert [path.name for path in find_shards(folder)] == [f"part-0000{i}.h5" for i in range(3)]
    whole = read_candidates(candidates)
    assert EVENTS / 2 < len(whole) < EVENTS
    assert same(read_candidates(folder), whole)


def test_blocks_put_together_are_the_whole(candidates):
    blocks = list(iterate_candidates(candidates, rows=100))
    whole = read_candidates(candidates)
    assert [len(block) for block in blocks[:-1]] == [100] * (len(blocks) - 1)
    assert np.array_equal(np.concatenate([block.kaon for block in blocks]), whole.kaon)


def test_header_says_what_was_smeared_how(truth, candidates):
    header = read_header(candidates, "candidates")
    assert (header.seed, header.first_event, header.n_events) == (21, 0, EVENTS)
    kept = yaml.safe_load(header.config)
    assert kept["detector"]["name"] == "Belle II"
    assert kept["candidates"]["rho"] == "pi"
    made_of = [read_header(path).identity for path in find_shards(truth)]
    assert header.provenance["truth"] == made_of
    assert len(set(made_of)) == 3


def test_cut_flow_of_shards_adds_up(truth, candidates, tmp_path):
    total = read_header(candidates).provenance["cut_flow"]
    assert tuple(total) == STAGES
    counts = list(total.values())
    assert counts == sorted(counts, reverse=True)
    assert (counts[0], counts[-1]) == (EVENTS, len(read_candidates(candidates)))
    folder = smear(truth, tmp_path / "c", detector="belle2")
    flows = [read_header(path).provenance["cut_flow"] for path in find_shards(folder)]
    assert [flow["events"] for flow in flows] == [250, 250, 100]
    assert {name: sum(flow[name] for flow in flows) for name in STAGES} == total


def test_first_events_only(truth, candidates, tmp_path):
    every = read_candidates(candidates)
    for n, shards in ((250, 1), (251, 2), (10**6, 3)):
        chosen = smear(truth, tmp_path / str(n), detector="belle2", events=n)
        assert len(find_shards(chosen)) == shards
        assert same(read_candidates(chosen), every.before(n))
        flows = [read_header(path).provenance["cut_flow"]["events"] for path in find_shards(chosen)]
        assert sum(flows) == min(n, EVENTS)


def test_seed_of_the_smearing_is_that_of_the_truth_unless_given(truth, candidates, tmp_path):
    again = smear(truth, tmp_path / "same.h5", detector="belle2", seed=21)
    other = smear(truth, tmp_path / "other.h5", detector="belle2", seed=22)
    assert again.read_bytes() == candidates.read_bytes()
    assert read_header(other).seed == 22
    first, second = read_candidates(candidates), read_candidates(other)
    common = np.intersect1d(first.event_id, second.event_id)
    assert len(common) > EVENTS / 2
    rows = [np.searchsorted(table.event_id, common) for table in (first, second)]
    assert np.array_equal(first.true_kaon[rows[0]], second.true_kaon[rows[1]])
    assert (first.kaon[rows[0], 0] != second.kaon[rows[1], 0]).mean() > 0.99


def test_scan_of_one_resolution_leaves_all_other_deviates(truth, candidates, tmp_path):
    """Only r_sig changes, by the ratio of the resolutions: nothing is drawn anew."""
    sharp = {"derive": "belle2", "vertices": {"r_sig": 0.005}}
    one = read_candidates(candidates)
    two = read_candidates(smear(truth, tmp_path / "c.h5", detector=sharp))
    assert same(one, two, ("event_id", "kaon", "lepton", "prong", "r_0", "r_tag"))
    ratio = (one.r_sig - one.true_r_sig) / (two.r_sig - two.true_r_sig)
    assert ratio == pytest.approx(5.0, rel=1e-6)


def test_sections_of_a_configuration_and_what_comes_before_them(truth, tmp_path):
    by_config = smear(truth, tmp_path / "1.h5", config=CONFIG)
    kept = yaml.safe_load(read_header(by_config).config)
    assert (kept["detector"]["name"], kept["candidates"]["rho"]) == ("Belle II", "pi_pi0")
    given = smear(truth, tmp_path / "2.h5", config=CONFIG, detector="belle2_design",
                  candidates={"dstar": "d_only"})  # fmt: skip
    kept = yaml.safe_load(read_header(given).config)
    assert kept["detector"]["vertices"]["r_0"]["z"] == 0.15
    assert kept["candidates"] == {
        "assignment": "truth", "cuts": CandidateCuts().model_dump(mode="json"),
        "rho": "pi", "dstar": "d_only", "efficiency": "ignored", "identification": "ignored",
        "prefilter": "nothing", "topology": {"kaon": 321, "lepton": 13, "tau": 15},
    }  # fmt: skip


def test_detector_file_beside_the_configuration(truth, tmp_path):
    (tmp_path / "mine.yaml").write_text("derive: belle2\nname: mine\n")
    (tmp_path / "run.yaml").write_text(yaml.safe_dump(CONFIG | {"detector": "mine.yaml"}))
    made = smear(truth, tmp_path / "c.h5", config=tmp_path / "run.yaml")
    assert yaml.safe_load(read_header(made).config)["detector"]["name"] == "mine"


@pytest.mark.parametrize("compression", ["none", "gzip", "zstd"])
def test_compression_is_that_of_the_input(candidates, tmp_path, compression):
    settings = CONFIG | {"output": {"compression": compression}}
    truth = generate(settings, tmp_path / "t.h5")
    made = smear(truth, tmp_path / "c.h5", detector="belle2")
    assert [file_compression(path) for path in (truth, made)] == [compression] * 2
    assert same(read_candidates(made), read_candidates(candidates))


def test_beams_of_truth_and_detector_have_to_agree_to_10_mev(belle2):
    def moved(energy):
        electron = belle2.beams.electron.model_copy(
            update={"energy": belle2.beams.electron.energy + energy}
        )
        return belle2.beams.model_copy(update={"electron": electron})

    check_beams(belle2, moved(0.009), "here")
    with pytest.raises(ConfigError, match=r"^here: the events have beams .* 11\.017\) GeV, but"):
        check_beams(belle2, moved(0.011), "here")


def test_output_may_not_hold_the_input(truth):
    for target in (truth, truth.parent, truth / "part-00001.h5"):
        with pytest.raises(OutputError, match="is, or holds, the input"):
            smear(truth, target, detector="belle2", if_exists="overwrite")
    assert len(find_shards(truth)) == 3
