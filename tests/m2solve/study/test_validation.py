"""``simgen validate``: a run against its own truth."""

from __future__ import annotations

import csv
from dataclasses import replace

import numpy as np
import pytest
from click.testing import CliRunner

from detector.profiles import load_profile
from detector.stage import read_candidates, smear
from m2solve.study import validation_residuals
from m2solve.study.methods import Method
from m2solve.study.pipeline import run
from m2solve.study.stage import solve_file
from m2solve.study.validate_command import validate as command
from m2solve.study.validation import validate
from m2solve.study.validation_pulls import INPUT, input_pulls, pull_row
from m2solve.study.validation_residuals import CHOSEN, NEARER, compare_with_truth, describe
from simgen.errors import ConfigError, FileFormatError, OutputError, SimgenError

SEED = 41
CONFIG = {
    "seed": SEED,
    "generator": {"name": "decfile", "decay_files": ["ktaumu.dec"], "base": None},
    "output": {"events_per_shard": 2000},
    "solver": {"variables": ["M2sB", "M2sV", "random", "truth"], "m_nunu": ["true"]},
}


def without_figures(function, *arguments, **keywords):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("m2solve.study.pipeline.draw_figures", lambda *_: [])
        patch.setattr("m2solve.study.validation.draw_validation", lambda *_: [])
        return function(*arguments, **keywords)


def made(folder, detector, events):
    config = CONFIG | {"detector": detector, "events": events}
    return without_figures(run, config, folder).folder


@pytest.fixture(scope="module")
def belle2(tmp_path_factory):
    """A run folder of three shards."""
    return made(tmp_path_factory.mktemp("belle2") / "run", "belle2", 5000)


@pytest.fixture(scope="module")
def validated(belle2):
    return without_figures(validate, belle2)


@pytest.fixture(scope="module")
def perfect(tmp_path_factory):
    """The validation of a run without any resolution or energy spread."""
    folder = made(tmp_path_factory.mktemp("perfect") / "run", "perfect", 2000)
    return without_figures(validate, folder)


def spread_of(result, method, quantity, solution=CHOSEN, group="all"):
    (found,) = (
        row.spread
        for row in result.residuals
        if (row.method, row.quantity) == (method, quantity)
        and (row.solution, row.group) == (solution, group)
    )
    return found


class TestPerfectDetector:
    def test_the_nearer_solution_is_the_truth(self, perfect):
        rows = [row for row in perfect.residuals if row.solution == NEARER]
        assert {row.method for row in rows} == {"M2sB_true", "M2sV_true"}
        assert len(rows) == 2 * 3 * len(validation_residuals.UNITS)
        for row in rows:
            assert row.spread.rms < 1e-6, row
            assert row.spread.within == 1.0

    def test_every_candidate_is_solved(self, perfect):
        for row in perfect.status:
            assert row.shares[0] > 0.999, row
            assert sum(row.shares) == pytest.approx(1.0, abs=1e-12)

    def test_the_choice_of_m2sb_is_a_coin(self, perfect):
        (row,) = (r for r in perfect.status if (r.method, r.group) == ("M2sB_true", "all"))
        assert row.chosen_nearer_error == pytest.approx(
            0.5 / np.sqrt(row.two_solutions * row.candidates), rel=0.01
        )
        assert abs(row.chosen_nearer - 0.5) < 4 * row.chosen_nearer_error

    def test_the_true_angle_gives_the_true_recoil(self, perfect):
        for quantity in ("m_recoil", "cos_theta"):
            assert spread_of(perfect, "truth", quantity).rms < 1e-6

    def test_nothing_has_an_uncertainty(self, perfect):
        assert perfect.pulls == ()


class TestPulls:
    def test_all_inputs_agree(self, validated):
        assert len(validated.pulls) == 3 * 4 + 4 * 3 + 3 + 1
        assert validated.disagreeing == ()
        for row in validated.pulls:
            assert row.p_value > 1e-3, row

    def test_no_candidate_is_left_out(self, belle2, validated):
        assert {row.candidates for row in validated.pulls} == {len(read_candidates(belle2))}

    @pytest.mark.parametrize("factor", [0.9, 1.1])
    def test_a_wrong_sigma_of_a_vertex_is_found(self, belle2, factor):
        table = read_candidates(belle2)
        wrong = replace(table, r_sig_sigma=factor * table.r_sig_sigma)
        pulls = input_pulls(wrong, load_profile("belle2"), SEED)
        rows = {name: pull_row(INPUT, name, "all", pull) for name, pull in pulls.items()}
        bad = {name for name, row in rows.items() if not row.agrees(len(rows))}
        assert bad == {"r_sig_x", "r_sig_y", "r_sig_z", "r_sig_chi2"}

    def test_a_wrong_profile_is_found(self, belle2):
        changes = {"tracks": {"momentum": {"scattering": 0.0036}}}
        pulls = input_pulls(read_candidates(belle2), load_profile("belle2", changes), SEED)
        bad = {
            name
            for name, pull in pulls.items()
            if not pull_row(INPUT, name, "all", pull).agrees(len(pulls))
        }
        assert bad == {"kaon_pt", "lepton_pt", "prong_pt", "tag_lepton_pt"}

    @pytest.mark.parametrize(
        ("shift", "scale", "agrees"),
        [(0.0, 1.0, True), (0.0, 1.01, False), (0.0, 0.99, False), (0.01, 1.0, False)],
    )
    def test_one_percent_is_seen_with_200000_candidates(self, shift, scale, agrees):
        pull = shift + scale * np.random.default_rng(3).normal(size=200_000)
        assert pull_row(INPUT, "x", "all", pull).agrees() is agrees

    def test_a_wrong_shape_is_found(self):
        """A uniform distribution of mean 0 and width 1."""
        pull = np.random.default_rng(3).uniform(-np.sqrt(3), np.sqrt(3), 5000)
        row = pull_row(INPUT, "x", "all", pull)
        assert abs(row.width - 1.0) < 4 * row.width_error
        assert not row.agrees(25)

    def test_resolutions_with_tables_agree(self, belle2, tmp_path):
        """Points and bins, one axis and two, the one that is a single point among them."""
        changes = {
            "momentum": {"table": {"axes": {"pt": [0.2, 2.0], "theta": [20, 90, 140]},
                                   "values": [[0.01, 0.02, 0.01], [0.02, 0.005, 0.03]]}},
            "angles": {"theta_table": {"axes": {"theta": [17, 60, 150], "p": [0.0, 0.5, 8.0]},
                                       "values": [[0.001, 0.003], [0.004, 0.002]]},
                       "phi_table": {"axes": {"p": [1.0]}, "values": [0.002]}},
        }  # fmt: skip
        profile = load_profile("belle2", {"tracks": changes})
        table = read_candidates(
            smear(belle2 / "truth", tmp_path / "c.h5", detector=profile.model_dump())
        )
        pulls = input_pulls(table, profile, SEED)
        rows = {name: pull_row(INPUT, name, "all", pull) for name, pull in pulls.items()}
        assert [name for name, row in rows.items() if not row.agrees(len(rows))] == []
        plain = input_pulls(table, load_profile("belle2"), SEED)
        assert np.std(plain["kaon_theta"]) > 1.5

    def test_vertices_tags_and_beams_with_tables_agree(self, belle2, tmp_path):
        """Each stated with the number at one end of its table does not."""
        runs = {"luminosity": [0.0, 1.0]}
        changes = {
            "vertices": {"r_0": {"z": {"axes": runs, "values": [0.2, 2.0]}},
                         "r_sig": {"axes": {"p": [0.5, 3.0]}, "values": [0.1, 0.01]},
                         "r_tag": {"x": {"axes": {"theta": [0, 60]}, "values": [0.01, 0.1]}}},
            "hadronic_tag": {"momentum": {"y": {"axes": {"theta": [0, 10, 60]},
                                                "values": [0.1, 0.02]}}},
            "beam_knowledge": {"sqrt_s_shift": {"axes": runs, "values": [0.03, -0.02]},
                               "sqrt_s_spread": {"axes": runs, "values": [0.0, 0.03]}},
        }  # fmt: skip
        profile = load_profile("belle2", changes)
        path = smear(belle2 / "truth", tmp_path / "c.h5", detector=profile.model_dump())
        table = read_candidates(path)
        rows = {name: pull_row(INPUT, name, "all", pull)
                for name, pull in input_pulls(table, profile, SEED).items()}  # fmt: skip
        assert [name for name, row in rows.items() if not row.agrees(len(rows))] == []
        stated = load_profile("belle2", {
            "hadronic_tag": {"momentum": {"y": 0.02}},
            "beam_knowledge": changes["beam_knowledge"] | {"sqrt_s_spread": 0.03},
        })  # fmt: skip
        wrong = {name: pull_row(INPUT, name, "all", pull)
                 for name, pull in input_pulls(table, stated, SEED).items()}  # fmt: skip
        bad = {name for name, row in wrong.items() if not row.agrees(len(wrong))}
        assert bad == {"hadronic_tag_py", "beams_sqrts"}

    def test_tails_and_electrons_that_radiate_agree(self, belle2, tmp_path):
        profile = load_profile("belle2_realistic")
        table = read_candidates(
            smear(belle2 / "truth", tmp_path / "c.h5", detector=profile.model_dump())
        )
        pulls = input_pulls(table, profile, SEED)
        rows = {name: pull_row(INPUT, name, "all", pull) for name, pull in pulls.items()}
        assert [name for name, row in rows.items() if not row.agrees(len(rows))] == []
        electrons = table.tag_lepton_flavour == 11
        assert np.isfinite(pulls["tag_lepton_pt"]).all()
        assert electrons.sum() > 1000
        gaussian = (table.tag_lepton / table.true_tag_lepton)[electrons, 0] - 1
        assert np.mean(gaussian < -0.05) > 0.02  # what makes it a distribution of its own

    def test_composite_momenta_have_no_track_resolution(self, belle2):
        table = read_candidates(belle2)
        composite = replace(table, true_prong=table.true_tag_d)
        pulls = input_pulls(composite, load_profile("belle2"), SEED)
        assert np.isnan(pulls["prong_pt"]).all()
        assert np.isfinite(pulls["kaon_pt"]).all()


class TestSpread:
    def test_gaussian_toys(self):
        """Numbers of a Gaussian of mean 1, width 2; errors that cover: mean square pull 1."""
        rng = np.random.default_rng(5)
        toys = [describe(rng.normal(1.0, 2.0, 2000), np.ones(2000), 1.0) for _ in range(1000)]
        median, half, within = (
            np.array([(getattr(t, n), getattr(t, f"{n}_error")) for t in toys]).T
            for n in ("median", "half_width", "within")
        )
        expected = {"median": 1.0, "half": 2.0 * 0.994458, "within": 0.341345}  # Phi(0) - Phi(-1)
        for (value, error), true in zip((median, half, within), expected.values(), strict=True):
            assert abs(value.mean() - true) < 4 * value.std() / np.sqrt(1000) + 1e-3
            # width of a pull known to 2.2 %; a quantile's error is itself a rough estimate
            assert np.std((value - true) / error) == pytest.approx(1.0, abs=0.09)
        rms = np.mean([t.rms**2 for t in toys])
        assert rms == pytest.approx(5.0, abs=4 * np.sqrt(48.0 / 2e6))

    def test_a_weight_counts_as_so_many_candidates(self):
        rng = np.random.default_rng(6)
        values, weights = rng.normal(size=3000), rng.integers(1, 4, 3000)
        one = describe(values, weights.astype(float), 0.5)
        many = describe(np.repeat(values, weights), np.ones(weights.sum()), 0.5)
        assert one.candidates == many.candidates
        for name in ("median", "half_width", "rms", "within"):
            assert getattr(one, name) == pytest.approx(getattr(many, name), abs=2e-3)
        assert one.within_error > many.within_error

    def test_nan_is_left_out_and_nothing_is_nan(self):
        spread = describe(np.array([np.nan, 0.1, -0.1]), np.array([5.0, 1.0, 1.0]), 0.1)
        assert (spread.candidates, spread.within) == (2.0, 1.0)
        empty = describe(np.array([np.nan]), np.ones(1), 0.1)
        assert empty.candidates == 0.0
        assert np.isnan(empty.half_width)


def test_momenta_on_the_two_sides_balance(validated):
    """k_sig + k_tag is the missing momentum, so without errors of it residuals are opposite."""
    for axis in ("px", "py", "pz"):
        sig, tag = (spread_of(validated, "M2sB_true", f"k_{s}_{axis}") for s in ("sig", "tag"))
        assert sig.half_width == pytest.approx(tag.half_width, rel=0.1)


def test_the_nearer_solution_is_better_than_the_chosen(validated):
    for quantity in ("m_recoil", "cos_theta", "direction"):
        chosen = spread_of(validated, "M2sB_true", quantity)
        nearer = spread_of(validated, "M2sB_true", quantity, NEARER)
        assert nearer.rms < 0.9 * chosen.rms


def test_an_angle_recomputed_from_momenta_is_that_of_the_solver(belle2):
    """Where there is one solution the other repeats it: its angle comes from momenta here."""
    from m2solve.study.solutions import read_solutions

    table, solutions = read_candidates(belle2), read_solutions(belle2)
    columns = {("s", n): solutions["M2sB_true", n] for n in ("cos_theta", "m_recoil", "status")}
    far = solutions["M2sB_true", "k_sig"] + 1e3
    columns |= {
        ("s", "k_sig"): far,
        ("s", "k_sig_other"): solutions["M2sB_true", "k_sig"],
        ("s", "m_recoil_other"): solutions["M2sB_true", "m_recoil"],
        ("s", "n_solutions"): solutions["M2sB_true", "n_solutions"],
    }

    class Named(Method):
        name = "s"

    found = compare_with_truth(table, columns, Named("M2sB", "true"))
    assert not found["is_nearer"].any()
    np.testing.assert_allclose(found["nearer/cos_theta"], found["chosen/cos_theta"], atol=1e-9)


def test_uncertainties_of_estimates_give_pulls(belle2, monkeypatch):
    table = read_candidates(belle2)
    rng = np.random.default_rng(9)
    sigma = rng.uniform(0.05, 0.2, len(table))
    error = sigma * rng.normal(size=len(table))
    p = table.true_parent_sig - table.true_p_kl
    recoil = np.sqrt(p[:, 3] ** 2 - np.sum(p[:, :3] ** 2, axis=1))
    columns = {
        ("random", "cos_theta"): np.zeros(len(table)),
        ("random", "m_recoil"): recoil + error,
        ("random", "m_recoil_sigma"): sigma,
    }
    monkeypatch.setattr(validation_residuals, "method_layout", lambda _: {"m_recoil_sigma": None})
    found = compare_with_truth(table, columns, Method("random", None))
    np.testing.assert_allclose(found["pull/m_recoil"], error / sigma, atol=1e-9)
    assert "pull/cos_theta" not in found


class TestFiles:
    def test_tables_hold_every_row(self, belle2, validated):
        folder = belle2 / "validation"
        assert validated.folder == folder
        lengths = {"residuals": validated.residuals, "pulls": validated.pulls,
                   "status": validated.status}  # fmt: skip
        for name, rows in lengths.items():
            with (folder / f"{name}.csv").open() as file:
                assert len(list(csv.DictReader(file))) == len(rows)

    def test_one_file_of_solutions_for_many_shards(self, belle2, validated, tmp_path):
        solutions = solve_file(belle2, tmp_path / "s.h5", config=CONFIG | {"detector": "belle2"})
        result = without_figures(validate, candidates=belle2 / "candidates", solutions=solutions)
        assert result.folder == tmp_path / "validation"
        assert result.residuals == validated.residuals
        assert result.status == validated.status

    def test_solutions_of_the_first_events(self, belle2, tmp_path):
        config = CONFIG | {"detector": "belle2"}
        some = solve_file(belle2, tmp_path / "s", config=config, events=2500)
        result = without_figures(validate, candidates=belle2, solutions=some)
        events = read_candidates(belle2).event_id
        assert spread_of(result, "truth", "m_recoil").candidates == (events < 2500).sum()

    def test_solutions_of_other_candidates(self, belle2, tmp_path):
        other = made(tmp_path / "run", "perfect", 5000)
        with pytest.raises(FileFormatError, match="not those of the candidates"):
            validate(candidates=belle2, solutions=other)


class TestCommand:
    def test_prints_tables_and_draws_figures(self, belle2, tmp_path):
        arguments = [str(belle2), "-o", str(tmp_path / "v"), "--window", "m_recoil", "0.05"]
        result = CliRunner().invoke(command, arguments)
        assert result.exit_code == 0, result.output
        for title in ("Estimate less truth, all tau decays", "How candidates were solved", "Pulls"):
            assert title in result.output
        assert {line.rstrip() for line in result.output.splitlines() if "…" in line} == set()
        names = {"residuals_m_recoil", "residuals_cos_theta", "residuals_momenta", "pulls",
                 "status"}  # fmt: skip
        made_files = {path.name for path in (tmp_path / "v" / "figures").iterdir()}
        assert made_files == {f"{n}.{suffix}" for n in names for suffix in ("png", "pdf", "csv")}

    @pytest.mark.parametrize(
        ("arguments", "error", "words"),
        [
            (["nowhere"], FileFormatError, "nowhere: there is no such file or folder"),
            ([], ConfigError, "either a run folder, or both candidates and solutions"),
            (["--candidates", "c.h5"], ConfigError, "both candidates and solutions"),
            (["RUN", "--solutions", "s.h5"], ConfigError, "either a run folder"),
            (["UNSOLVED"], FileFormatError, "no folder solutions (simgen solve makes it)"),
            (["RUN/config.yaml"], FileFormatError, "not a run folder"),
            (["RUN", "--window", "recoil", "1"], ConfigError, "allowed: m_recoil, cos_theta"),
            (["RUN", "--window", "m_recoil", "0"], ConfigError, "has to be positive"),
            (["RUN", "-o", "RUN/config.yaml"], OutputError, "is a file"),
        ],
    )
    def test_bad_input_is_said(self, belle2, tmp_path, arguments, error, words):
        unsolved = tmp_path / "unsolved"
        unsolved.mkdir()
        (unsolved / "candidates").symlink_to(belle2 / "candidates")
        places = {"RUN": str(belle2), "UNSOLVED": str(unsolved)}
        given = []
        for argument in arguments:
            first, slash, rest = argument.partition("/")
            given.append(places.get(first, first) + slash + rest)
        result = CliRunner().invoke(command, given)
        assert isinstance(result.exception, SimgenError)
        assert isinstance(result.exception, error)
        assert words in str(result.exception)
