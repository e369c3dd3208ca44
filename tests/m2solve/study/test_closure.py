"""With a perfect detector the solvers return what was generated."""

from __future__ import annotations

import numpy as np
import pytest

from detector.stage import read_candidates
from m2solve.solution import Status
from m2solve.study.pipeline import run
from m2solve.study.solutions import read_solutions
from simgen.particles import particle_table

EVENTS = 100_000
M_TAU = particle_table().by_name("tau-").mass
CONFIG = {
    "events": EVENTS,
    "seed": 5,
    "detector": "perfect",
    "generator": {"name": "decfile", "decay_files": ["ktaumu.dec"], "base": None},
    "solver": {"variables": ["M2sB", "M2sV", "random", "hadronic_tag", "truth"],
               "m_nunu": ["true", "m_hat"]},
}  # fmt: skip


def run_without_figures(folder, **changes):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("m2solve.study.pipeline.draw_figures", lambda *_: [])
        return run({**CONFIG, **changes}, folder)


@pytest.fixture(scope="module")
def perfect(tmp_path_factory):
    """Result, candidates and solutions of a run without any resolution or energy spread."""
    result = run_without_figures(tmp_path_factory.mktemp("perfect") / "run")
    return result, read_candidates(result.folder), read_solutions(result.folder)


def deviation(k, truth):
    """Return the largest deviation of a momentum, relative to the energy of the parent B."""
    return np.abs(k - truth).max(axis=1) / 5.5


def test_beams_have_no_spread_and_every_event_is_a_candidate(perfect):
    result, candidates, _ = perfect
    assert set(result.cut_flow.values()) == {EVENTS}
    assert np.ptp(candidates.total, axis=0).max() < 1e-12
    assert np.array_equal(candidates.total, candidates.true_total)


def test_one_solution_of_m2sb_is_the_truth(perfect):
    _, candidates, solutions = perfect
    both = [solutions["M2sB_true", name] for name in ("k_sig", "k_sig_other")]
    nearest = np.min([deviation(k, candidates.true_k_sig) for k in both], axis=0)
    # Where the two nearly coincide, the square root of a rounding error separates them.
    split = np.abs(both[0] - both[1]).max(axis=1)
    assert np.quantile(nearest, 0.99) < 1e-9
    assert nearest[split > 1e-2].max() < 1e-9
    assert nearest.max() < 1e-6
    assert (solutions["M2sB_true", "status"] != Status.UNPHYSICAL).all()
    first = deviation(both[0], candidates.true_k_sig) < 1e-6
    chosen_right = first[split > 1e-2].mean()
    assert chosen_right == pytest.approx(0.5, abs=4 * 0.5 / np.sqrt(EVENTS))


def test_m2sv_returns_the_truth(perfect):
    _, candidates, solutions = perfect
    k = [solutions["M2sV_true", name] for name in ("k_sig", "k_sig_other")]
    nearest = np.min([deviation(each, candidates.true_k_sig) for each in k], axis=0)
    assert np.quantile(nearest, 0.99) < 1e-9
    assert nearest.max() < 1e-6


def test_recoil_mass_at_the_true_angle_is_that_of_the_tau(perfect):
    _, _, solutions = perfect
    assert solutions["truth", "m_recoil"] == pytest.approx(M_TAU, abs=1e-6)
    assert solutions["hadronic_tag", "m_recoil"] == pytest.approx(M_TAU, abs=1e-6)


def test_share_of_imaginary_m_hat_in_muonic_tau_decays(perfect):
    _, _, solutions = perfect
    muonic = solutions["candidate", "tau_mode"] == 2
    n = int(muonic.sum())
    assert n / EVENTS == pytest.approx(0.1737 / 0.7153, abs=3 * np.sqrt(0.243 * 0.757 / EVENTS))
    share = float((solutions["candidate", "m_hat_squared"][muonic] < 0.0).mean())
    assert share == pytest.approx(0.141, abs=3 * np.sqrt(0.141 * 0.859 / n))


def test_invisible_mass_peaks_near_1_gev(perfect):
    _, _, solutions = perfect
    mode, m_nunu = solutions["candidate", "tau_mode"], solutions["candidate", "m_nunu"]
    counts, edges = np.histogram(m_nunu[np.isin(mode, (1, 2))], np.linspace(0.0, 1.8, 19))
    peak = edges[counts.argmax()] + 0.05
    assert peak == pytest.approx(1.0, abs=0.15)
    assert (m_nunu[mode == 3] < 1e-6).all()  # tau -> pi nu
    assert m_nunu[mode == 4].min() > 0.134  # the pi0 of the rho is not reconstructed


def test_methods_do_not_depend_on_the_size_of_shards(tmp_path):
    """Random angles and choices belong to the event."""
    variables = ["M2s", "M2sB", "M2sV", "random", "hadronic_tag", "truth"]
    changes = {"detector": "belle2", "events": 400, "solver": {"variables": variables}}
    folders = {size: tmp_path / str(size) for size in (400, 90)}
    for size, folder in folders.items():
        run_without_figures(folder, **changes, output={"events_per_shard": size})
    one, many = (read_solutions(folder) for folder in folders.values())
    assert len(list((folders[90] / "solutions").iterdir())) == 5
    assert set(one.columns) == set(many.columns)
    assert len(one) > 200
    for path, values in one.columns.items():
        assert np.array_equal(values, many.columns[path], equal_nan=True), path
