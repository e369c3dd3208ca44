"""Tables from files and functions."""

from __future__ import annotations

import textwrap
from importlib.metadata import EntryPoint

import h5py
import numpy as np
import pytest
from closure import N, assert_unit_gaussian, random_momenta, spherical

import simgen.plugins
from detector import table_sources
from detector.profiles import load_profile
from detector.tracks import smear_tracks
from simgen.errors import ConfigError

POINTS = """\
# fake rate of pions
p, theta, value
0.7, 20, 0.04
0.7, 140, 0.05
2.0, 20, 0.02
2.0, 140, 0.03
"""
BINS = """\
p_min,p_max,theta_min,theta_max,value,error
0.7,1.5,17,60,0.04,0.001
1.5,8.0,17,60,0.02,0.001
0.7,1.5,60,150,0.05,0.001
1.5,8.0,60,150,0.03,0.001
"""
AXES = {"p": (0.7, 2.0), "theta": (20.0, 140.0)}
VALUES = ((0.04, 0.05), (0.02, 0.03))


def fake_rate(spec, **where):
    profile = {"derive": "belle2", "identification": {"muon": {"pion": spec}}}
    return load_profile(profile, **where).identification.muon.pion


@pytest.fixture
def write(tmp_path):
    def writer(text, name="fake.csv"):
        path = tmp_path / name
        path.write_text(textwrap.dedent(text))
        return str(path)

    return writer


@pytest.fixture
def write_hdf5(tmp_path):
    def writer(units=None, **datasets):
        path = tmp_path / "fake.h5"
        with h5py.File(path, "w") as file:
            for name, data in datasets.items():
                file[name] = data
                if units and name in units:
                    file[name].attrs["units"] = units[name]
        return str(path)

    return writer


def test_points_of_a_csv_file(write):
    table = fake_rate({"file": write(POINTS)})
    assert (table.axes, table.values, table.is_binned) == (AXES, VALUES, False)
    assert table.source.startswith("fake.csv, SHA-256 ")


def test_bins_of_a_csv_file_with_a_named_column(write):
    table = fake_rate({"file": write(BINS), "column": "value"})
    assert table.axes == {"p": (0.7, 1.5, 8.0), "theta": (17.0, 60.0, 150.0)}
    assert (table.values, table.is_binned) == (VALUES, True)


def test_columns_of_an_hdf5_file(write_hdf5):
    p, theta = np.meshgrid(*AXES.values(), indexing="ij")
    columns = {"p": p.ravel(), "theta": theta.ravel(), "value": np.ravel(VALUES)}
    path = write_hdf5(units={"p": "GeV", "theta": "deg"}, **columns)
    assert fake_rate({"file": path}).values == VALUES
    path = write_hdf5(**{f"muon/{name}": x for name, x in columns.items()})
    assert fake_rate({"file": path, "group": "muon"}).axes == AXES


def test_a_grid_of_an_hdf5_file(write_hdf5):
    table = fake_rate({"file": write_hdf5(p=AXES["p"], theta=AXES["theta"], value=VALUES)})
    assert (table.axes, table.values) == (AXES, VALUES)


def test_paths_start_from_the_folder_of_the_profile_that_says_them(write, tmp_path):
    write(POINTS)
    write("def rate(p, theta):\n    return 0.01 * p / (1 + p)\n", "rate.py")
    base = "derive: belle2\nidentification: {muon: {pion: {file: fake.csv}}}\n"
    write(base, "base.yaml")
    (tmp_path / "sub").mkdir()
    child = "derive: ../base.yaml\nidentification: {muon: {kaon: {function: 'rate.py:rate'}}}\n"
    child = child.replace("rate.py", "../rate.py")
    write(child, "sub/child.yaml")
    muon = load_profile(tmp_path / "sub/child.yaml").identification.muon
    assert muon.pion.values == VALUES
    assert muon.kaon.axes["p"][0] == pytest.approx(0.03)
    assert fake_rate({"file": "fake.csv"}, relative_to=tmp_path).values == VALUES


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (POINTS.replace("0.05", "1.05"), [":4", "between 0 and 1", "1.05"]),
        (POINTS.replace("0.02", "-0.02"), [":5", "between 0 and 1", "-0.02"]),
        (POINTS.replace("0.02", "nan"), [":5", "between 0 and 1", "nan"]),
        (POINTS.replace("0.02", "low"), [":5", "value should be a number", "'low'"]),
        (POINTS.replace("0.7, 140, 0.05\n", ""), ["hole", "p = 0.7, theta = 140"]),
        (POINTS + "2.0, 140, 0.03\n", [":7", "same place", ":6"]),
        (POINTS.replace("140, 0.05", "10, 0.05"), [":4", "theta 10 comes after 20", "increase"]),
        (POINTS.replace("2.0", "0.5"), [":5", "p 0.5 comes after 0.7", "increase"]),
        (POINTS.replace("2.0, 20, 0.02", "2.0, 20"), [":5", "2 numbers", "p, theta, value"]),
        (POINTS.replace("140", "190"), ["180 degrees"]),
        (POINTS.replace("theta,", "angle,"), ["angle", "p or p_min", "theta or theta_min"]),
        (POINTS.replace("value", "rate"), ["rate", "'value'"]),
        (POINTS.replace("theta", "p"), [":2", "twice"]),
        (BINS, ["error", "'value'"]),
        (BINS.replace(",error", "").replace(",0.001", "").replace("1.5,8.0,17", "1.6,8.0,17"),
         [":3", "begins at 1.6", "ends at 1.5"]),
        (BINS.replace(",error", "").replace(",0.001", "").replace("0.7,1.5,17", "1.7,1.5,17"),
         [":2", "p_min 1.7 is not below p_max"]),
        ("p,value\n", ["no rows"]),
        ("value\n0.1\n", ["p or p_min"]),
    ],
)  # fmt: skip
def test_what_is_wrong_in_a_file_is_named_with_its_line(write, text, words):
    path = write(text)
    with pytest.raises(ConfigError) as error:
        fake_rate({"file": path})
    for word in [f"identification.muon.pion: the table {path}", *words]:
        assert word in str(error.value)


@pytest.mark.parametrize(
    ("datasets", "units", "words"),
    [
        ({"p": [1, 2], "value": [0.1, 1.2]}, None, ["row 1", "1.2"]),
        ({"p": [1, 2], "value": [0.1, 0.2]}, {"p": "MeV"}, ["p should be in GeV", "'MeV'"]),
        ({"theta": [1, 2], "value": [0.1, 0.2]}, {"theta": "rad"}, ["degrees", "'rad'"]),
        ({"p": [1, 2, 3], "value": [0.1, 0.2]}, None, ["equal length", "p (3,)"]),
        ({"p": [2, 1], "theta": [10, 20], "value": [[0, 0], [0, 0]]}, None, ["p should increase"]),
        ({"p": ["a"], "value": [0.1]}, None, ["no numbers"]),
        ({}, None, ["no dataset"]),
    ],
)
def test_what_is_wrong_in_an_hdf5_file_is_named(write_hdf5, datasets, units, words):
    path = write_hdf5(units=units, **datasets)
    with pytest.raises(ConfigError) as error:
        fake_rate({"file": path})
    for word in [path, *words]:
        assert word in str(error.value)


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ({"file": "nothing.csv"}, ["nothing.csv", "No such file"]),
        ({"file": "table.txt"}, [".csv, .h5 or .hdf5"]),
        ({"file": "a.csv", "colunm": "x"}, ["'colunm'", "column"]),
        ({"file": 3}, ["file should be a name", "3"]),
        ({"file": "a.csv", "group": "x"}, ["group is for HDF5"]),
        ({"function": "no_such_plugin"}, ["file.py:function", "module:function"]),
        ({"function": "no_such_module:f"}, ["cannot be loaded", "no_such_module"]),
        ({"function": "math:no_such"}, ["no function 'no_such'"]),
        ({"function": "nothing.py:f"}, ["no file", "nothing.py"]),
        ({"function": "numpy:add", "axes": {"p": [2, 1]}}, ["p should increase"]),
        ({"function": "numpy:add", "axes": {"p": 1}}, ["p should be a list"]),
        ({"function": "numpy:add"}, ["numpy:add", "between 0 and 1"]),
        ({"function": "math:hypot"}, ["failed with arrays of p, theta", "TypeError"]),
    ],
)
def test_what_cannot_be_read_or_called_is_named(spec, words):
    with pytest.raises(ConfigError) as error:
        fake_rate(spec)
    for word in ["identification.muon.pion", *words]:
        assert word in str(error.value)


@pytest.mark.parametrize("body", ["1 / 0", "def rate(:\n"])
def test_a_file_that_does_not_run_is_named(write, body):
    with pytest.raises(ConfigError, match=r"rate\.py:rate cannot be loaded: (Zero|Syntax)"):
        fake_rate({"function": write(body, "rate.py") + ":rate"})


def test_a_function_is_tabulated_on_its_axes(write):
    path = write(
        """
        import numba

        @numba.vectorize
        def rate(pt, theta):
            return 0.01 * pt if theta < 90 else 0.0
        """,
        "rate.py",
    )
    table = fake_rate(
        {"function": f"{path}:rate", "axes": {"pt": [1.0, 2.0], "theta": [45.0, 135.0]}}
    )
    np.testing.assert_allclose(table.values, [[0.01, 0.0], [0.02, 0.0]])
    assert table.source == f"function {path}:rate"


def test_an_installed_function_is_found_by_its_name(monkeypatch):
    group = table_sources.ENTRY_POINT_GROUP
    plugin = EntryPoint("small", "tests_plugin:small", group)
    monkeypatch.setattr(EntryPoint, "load", lambda _: lambda p: 0.001 * p)
    monkeypatch.setattr(
        simgen.plugins, "entry_points", lambda group: [plugin] if group == plugin.group else []
    )
    table = fake_rate({"function": "small", "axes": {"p": [1.0, 2.0]}})
    assert table.values == (0.001, 0.002)


def test_a_resolution_from_a_function_is_what_tracks_are_smeared_with(write):
    path = write("def sigma(p, theta):\n    return 0.01 + 0.002 * p\n", "sigma.py")
    changes = {
        "momentum": {"curvature": 0.0, "scattering": 0.0, "table": {"function": f"{path}:sigma"}},
        "angles": {"theta": 0.0, "phi": 0.0, "scattering": 0.0, "theta_table": 0.003,
                   "phi_table": {"axes": {"theta": [20, 90, 145]},
                                 "values": [0.01, 0.002, 0.005]}},
    }  # fmt: skip
    profile = load_profile("belle2", {"tracks": changes}).tracks
    true = random_momenta(np.random.default_rng(2), N, 0.13957, 0.1, 4.0)
    measured = smear_tracks(true, np.arange(N), np.zeros(N, int), profile, seed=5)
    (pt, theta, phi), (pt_m, theta_m, phi_m) = spherical(true), spherical(measured)
    sigma_phi = np.interp(np.degrees(theta), [20, 90, 145], [0.01, 0.002, 0.005])
    p = np.linalg.norm(true[:, :3], axis=1)
    assert_unit_gaussian((pt_m / pt - 1) / (0.01 + 0.002 * p))
    assert_unit_gaussian((theta_m - theta) / 0.003)
    assert_unit_gaussian(((phi_m - phi + np.pi) % (2 * np.pi) - np.pi) / sigma_phi)
