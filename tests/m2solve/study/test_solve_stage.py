"""The stage solve: files of candidates in, files of solutions out."""

from __future__ import annotations

import numpy as np
import pytest
import yaml

from detector.stage import read_candidates, smear
from m2solve.solution import Status
from m2solve.study.solutions import read_solutions
from m2solve.study.stage import solve_file
from simgen.generation import generate
from simgen.io.hdf5 import file_compression, find_shards, read_header

CONFIG = {
    "events": 400,
    "seed": 31,
    "detector": "belle2",
    "generator": {"name": "decfile", "decay_files": ["ktaumu.dec"], "base": None},
    "output": {"events_per_shard": 150, "compression": "zstd"},
    "solver": {"variables": ["M2sB", "random"], "m_nunu": ["m_hat"]},
}


@pytest.fixture(scope="module")
def candidates(tmp_path_factory):
    """A folder of three shards of candidates."""
    folder = tmp_path_factory.mktemp("candidates")
    return smear(generate(CONFIG, folder / "truth"), folder / "candidates", detector="belle2")


@pytest.fixture(scope="module")
def solutions(candidates, tmp_path_factory):
    return solve_file(candidates, tmp_path_factory.mktemp("solutions") / "s.h5", config=CONFIG)


def test_a_row_for_every_candidate_in_order(candidates, solutions):
    table, solved = read_candidates(candidates), read_solutions(solutions)
    assert np.array_equal(solved["candidate", "event_id"], table.event_id)
    assert np.array_equal(solved["candidate", "tau_mode"], table.tau_mode)
    assert [method.name for method in solved.methods] == ["M2sB_m_hat", "random"]


def test_header_says_what_was_solved_how(candidates, solutions):
    header, solved = read_header(solutions, "solutions"), read_solutions(solutions)
    assert (header.seed, header.first_event, header.n_events) == (31, 0, 400)
    assert yaml.safe_load(header.config)["solver"]["m_nunu"] == ["m_hat"]
    made_of = [read_header(path).identity for path in find_shards(candidates)]
    assert header.provenance["candidates"] == made_of
    counted = np.bincount(solved["M2sB_m_hat", "status"], minlength=len(Status))
    assert header.provenance["status"] == {"M2sB_m_hat": counted.tolist()}
    assert counted.sum() == len(solved)


def test_compression_is_that_of_the_input(candidates, solutions):
    assert {file_compression(path) for path in find_shards(candidates)} == {"zstd"}
    assert file_compression(solutions) == "zstd"


def test_seed_moves_the_random_angle_and_the_choice_only(candidates, solutions, tmp_path):
    one = read_solutions(solutions)
    two = read_solutions(solve_file(candidates, tmp_path / "s.h5", config=CONFIG, seed=32))
    first, second = one["random", "cos_theta"], two["random", "cos_theta"]
    assert (first != second).all()
    assert np.corrcoef(first, second)[0, 1] == pytest.approx(0.0, abs=4 / np.sqrt(len(one)))
    assert (np.abs(first) <= 1.0).all()
    pairs = [
        np.sort([s["M2sB_m_hat", name] for name in ("m_recoil", "m_recoil_other")], axis=0)
        for s in (one, two)
    ]
    assert np.array_equal(*pairs)
    both = pairs[0][0] != pairs[0][1]
    swapped = (one["M2sB_m_hat", "m_recoil"] != two["M2sB_m_hat", "m_recoil"])[both].mean()
    assert swapped == pytest.approx(0.5, abs=4 * 0.5 / np.sqrt(both.sum()))


def test_first_events_only(candidates, solutions, tmp_path):
    whole = read_solutions(solutions)["candidate", "event_id"]
    some = solve_file(candidates, tmp_path / "s", config=CONFIG, events=151)
    assert len(find_shards(some)) == 2
    assert np.array_equal(read_solutions(some)["candidate", "event_id"], whole[whole < 151])
