"""Settings of the solver: choices of m_nunu, and what is refused."""

from __future__ import annotations

import re

import h5py
import numpy as np
import pytest
import yaml

from m2solve.study.config import SolverConfig, mass_name
from m2solve.study.mass_file import MassFile
from m2solve.study.pipeline import run
from simgen.config import validate
from simgen.errors import ConfigError
from simgen.generation import to_yaml

OVERLOADED = ["M2sB", "M2sBV"]


@pytest.fixture
def masses(tmp_path):
    """A file of masses as a user would write it."""
    path = tmp_path / "network.csv"
    path.write_text("event_id, m_nunu, score\n3, 0.25, 1\n1, 0.75, 0\n")
    return path


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ("true", "true"),
        ("~", None),
        ("m_hat", "m_hat"),
        ("zero", "zero"),
        ("0", "zero"),
        ("0.0", "zero"),
        ("0.9", "0.9"),
        ("'0.90'", "0.9"),
        ("1", "1"),
        ("posterior", "posterior"),
        ("false", None),
        ("-0.1", None),
        (".nan", None),
        ("200", None),
        ("[true]", None),
    ],
)
def test_choices_of_the_mass_as_yaml_gives_them(given, name):
    settings = yaml.safe_load(f"{{variables: [M2sB, M2sBV], m_nunu: [m_hat, {given}]}}")
    if name is None:
        with pytest.raises(ConfigError, match=re.escape("'m_hat' or 'zero', a mass in GeV")):
            validate(SolverConfig, settings, "solver")
    else:
        assert mass_name(validate(SolverConfig, settings, "solver").m_nunu[1]) == name


def test_resolved_settings_are_the_same_settings(masses):
    choices = ["true", "m_hat", 0, 0.9, "posterior", {"file": str(masses)}]
    config = SolverConfig(variables=("M2sBV", "M2V"), m_nunu=choices, side="tag", delta=0.1)
    again = yaml.safe_load(to_yaml({"solver": config.model_dump()}))["solver"]
    assert validate(SolverConfig, again, "solver") == config


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"variables": ["M2sB"], "m_nunu": ["true", "posterior"]}, "posterior is for M2sBV"),
        ({"variables": OVERLOADED, "m_nunu": ["posterior"]}, "M2sB needs another, too"),
        ({"variables": OVERLOADED, "delta": 0.1}, "delta is for M2V and M2sV"),
        ({"variables": ["M2V"], "delta": 1.6}, "delta: input should be less than 1.57"),
        ({"variables": OVERLOADED, "side": "tag"}, "side is for M2V, M2sV and M2BV"),
        ({"variables": ["M2V"], "side": "both"}, "'signal' or 'tag'"),
        ({"variables": OVERLOADED, "vertices": ["r_tag"]}, "[r_sig] or [r_sig, r_tag]"),
        ({"variables": OVERLOADED, "vertices": ["r_0"]}, "'r_sig' or 'r_tag'"),
        ({"posterior_in": "hadronic"}, "'leptonic' or 'all'"),
    ],
)
def test_settings_that_nothing_would_use_are_refused(settings, message):
    with pytest.raises(ConfigError, match=re.escape(message)):
        validate(SolverConfig, settings, "solver")


class TestMassFile:
    def test_csv_and_hdf5_say_the_same(self, masses, tmp_path):
        with h5py.File(tmp_path / "network.h5", "w") as file:
            file["event_id"], file["m_nunu"] = [3, 1], [0.25, 0.75]
        for path in (masses, tmp_path / "network.h5"):
            choice = MassFile(file=str(path))
            assert choice.name == "network"
            found = choice.of_events(np.array([0, 1, 2, 3, 4]))
            assert np.array_equal(found, [np.nan, 0.75, np.nan, 0.25, np.nan], equal_nan=True)

    @pytest.mark.parametrize(
        ("name", "text", "message"),
        [
            ("a.csv", "event_id,mass\n1,0.5\n", "has no column m_nunu"),
            ("a.csv", "event_id,m_nunu\n1,0.5\n1,0.6\n", "event 1 is there twice"),
            ("a.csv", "event_id,m_nunu\n1,x\n", "cannot be read"),
            ("a.csv", "event_id,m_nunu\n1,0.5,3\n", "2 names, but 3 columns"),
            ("a.h5", "no HDF5", "cannot be read"),
            ("a.txt", "", "should end in .csv"),
            ("m_hat.csv", "event_id,m_nunu\n1,0.5\n", "names its methods"),
            ("0.9.csv", "event_id,m_nunu\n1,0.5\n", "names its methods"),
        ],
    )
    def test_unusable_file_is_refused_before_anything_is_solved(
        self, tmp_path, name, text, message
    ):
        (tmp_path / name).write_text(text)
        settings = {"variables": ["M2s"], "m_nunu": [{"file": str(tmp_path / name)}]}
        with pytest.raises(ConfigError, match=re.escape(message)):
            validate(SolverConfig, settings, "solver")

    def test_file_that_is_not_there(self, tmp_path):
        settings = {"m_nunu": [{"file": str(tmp_path / "none.csv")}]}
        with pytest.raises(ConfigError, match=r"none\.csv: cannot be read: No such file"):
            validate(SolverConfig, settings, "solver")

    def test_two_files_of_one_name(self, masses, tmp_path):
        (tmp_path / "other").mkdir()
        other = tmp_path / "other" / masses.name
        other.write_text(masses.read_text())
        settings = {"m_nunu": [{"file": str(masses)}, {"file": str(other)}]}
        with pytest.raises(ConfigError, match="two choices have the same name"):
            validate(SolverConfig, settings, "solver")


def test_run_with_every_choice_has_summary_and_figures(masses, tmp_path, capsys):
    solver = {
        "variables": ["M2sB", "M2sBV", "random"],
        "m_nunu": ["m_hat", 0.9, "posterior", {"file": str(masses)}],
        "vertices": ["r_sig"],
    }
    result = run(
        {"events": 60, "detector": "belle2", "solver": solver,
         "generator": {"name": "decfile", "decay_files": ["ktaumu.dec"], "base": None}},
        tmp_path / "run",
    )  # fmt: skip
    result.show()
    printed = capsys.readouterr().out
    names = ["M2sB_0.9", "M2sBV_posterior", "M2sBV_network"]
    assert all(f" {name} " in printed for name in names)
    assert "the median over the angle left" in printed
    assert all(len(line) <= 80 for line in printed.splitlines() if " GeV " in line)
    figures = result.folder / "figures"
    header = (figures / "m_recoil_by_variable.csv").read_text().splitlines()[0]
    assert len(list(figures.glob("*.png"))) == 4
    assert all(f"{name}_both" in header.split(",") for name in names)
