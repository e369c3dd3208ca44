"""``simgen scan``: points are what runs would give, resumed or by any number of threads."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import TYPE_CHECKING

import h5py
import pytest
import yaml
from click.testing import CliRunner

from detector.tables import Table
from m2solve.study import run, scan
from m2solve.study.scan_command import scan as scan_command
from m2solve.study.scan_config import read_scan
from m2solve.study.scan_points import axis_unit, make_points
from simgen.errors import ConfigError, OutputError
from simgen.io.hdf5 import read_header

if TYPE_CHECKING:
    from m2solve.study.report import Row
    from m2solve.study.scan_table import ScanRow

CONFIG = {
    "events": 3000,
    "seed": 17,
    "detector": "belle2",
    "generator": {"name": "decfile", "decay_files": ["ktaumu.dec"], "base": None},
    "output": {"events_per_shard": 1100},
    "solver": {"variables": ["M2sB", "M2sV", "random"], "m_nunu": ["m_hat"]},
}
AXES = {"detector.vertices.r_sig": [0.005, 0.045], "detector.vertices.r_0.z": [0.15, 4.0]}
SCAN = {**CONFIG, "scan": {"mode": "zip", "axes": AXES}}
SAME = ("method", "group", "total", "half_width", "within_50", "within_100", "merit", "solved")


@pytest.fixture
def no_figures(monkeypatch):
    monkeypatch.setattr("m2solve.study.scan_stage.draw_scan", lambda *_, **__: [])
    monkeypatch.setattr("m2solve.study.pipeline.draw_figures", lambda *_: [])


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    """A scan of two points, by one thread."""
    return scan(SCAN, tmp_path_factory.mktemp("scan") / "scan", workers=1)


def contents(folder: Path) -> dict[str, bytes]:
    """Return the bytes of every file but the figures by its relative path."""
    files = {str(p.relative_to(folder)): p for p in folder.rglob("*") if p.is_file()}
    return {name: p.read_bytes() for name, p in files.items() if not name.startswith("figures")}


def numbers(row: Row | ScanRow) -> list[str]:
    """Return what the rows of a run and of a scan have in common, to the last bit."""
    return [repr(getattr(row, name)) for name in SAME]


@pytest.mark.usefixtures("no_figures")
def test_points_are_what_separate_runs_give(done, tmp_path):
    for point, (r_sig, z) in enumerate(zip(*AXES.values(), strict=True)):
        detector = {"derive": "belle2", "vertices": {"r_sig": r_sig, "r_0": {"z": z}}}
        alone = run({**CONFIG, "detector": detector}, tmp_path / str(point))
        rows = [row for row in done.rows if row.point == point]
        assert [numbers(row) for row in rows] == [numbers(row) for row in alone.summary]
        assert len(rows) == 9


def test_points_differ_where_vertices_are_used_only(done):
    rows = {(r.point, r.method, r.group): r for r in done.rows}
    for method, same in (("random", True), ("M2sB_m_hat", True), ("M2sV_m_hat", False)):
        one, two = (numbers(rows[point, method, "both"]) for point in (0, 1))
        assert (one == two) is same


@pytest.mark.usefixtures("no_figures")
def test_threads_and_resume_make_the_same_bytes(done, tmp_path):
    folder = tmp_path / "scan"
    scan(SCAN, folder, workers=3)
    whole = contents(done.folder)
    assert contents(folder) == whole
    (folder / "points" / "part-00001.h5").unlink()
    (folder / "scan.csv").unlink()
    kept = (folder / "points" / "part-00000.h5").stat()
    scan(SCAN, folder, if_exists="resume")
    assert contents(folder) == whole
    again = (folder / "points" / "part-00000.h5").stat()
    assert (kept.st_ino, kept.st_mtime_ns) == (again.st_ino, again.st_mtime_ns)


def test_resume_refuses_other_points(done):
    axes = {**AXES, "detector.vertices.r_sig": [0.005, 0.046]}
    with pytest.raises(OutputError, match=r"scan\.axes\.detector\.vertices\.r_sig: \[0\.005"):
        scan({**SCAN, "scan": {"mode": "zip", "axes": axes}}, done.folder, if_exists="resume")


@pytest.mark.usefixtures("no_figures")
def test_overwrite_leaves_nothing_of_the_old_scan(done, tmp_path):
    folder = tmp_path / "scan"
    other = {"axes": {"detector.vertices.r_sig": [0.01, 0.02, 0.03]}}
    scan({**SCAN, "scan": other}, folder, events=500)
    scan(SCAN, folder, if_exists="overwrite")
    whole = contents(done.folder)
    assert contents(folder) == whole


@pytest.mark.usefixtures("no_figures")
def test_kept_configuration_makes_the_same_scan(done, tmp_path):
    scan(done.folder / "config.yaml", tmp_path / "again")
    assert contents(tmp_path / "again")["scan.csv"] == contents(done.folder)["scan.csv"]


def test_table_has_a_row_a_point_method_and_group(done):
    with (done.folder / "scan.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == len(done.rows) == 2 * 3 * 3
    assert list(rows[0])[:5] == ["point", *AXES, "method", "group"]
    assert [float(rows[-1][name]) for name in AXES] == [0.045, 4.0]
    with h5py.File(done.folder / "scan.h5") as file:
        assert file["axes/detector.vertices.r_sig"][-1] == 0.045
        assert file["method"].asstr()[0] == rows[0]["method"]
        for name in ("half_width", "fwhm_error", "merit"):
            assert list(file[name]) == [getattr(row, name) for row in done.rows]
            assert file[name].attrs["units"]
    header = read_header(done.folder / "scan.h5", "scan")
    assert (header.seed, header.n_events) == (17, 3000)


def test_every_point_says_which_it_is(done):
    header = read_header(done.folder / "points" / "part-00001.h5", "scan")
    assert header.provenance["point"] == {name: values[1] for name, values in AXES.items()}


def test_figures(done):
    names = {path.name for path in (done.folder / "figures").iterdir()}
    quantities = ("half_width", "fwhm", "within_100", "merit")
    assert names == {f"{q}.{ending}" for q in quantities for ending in ("png", "pdf", "csv")}


@pytest.mark.usefixtures("no_figures")
def test_command_with_a_run_and_choices(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("base.yaml").write_text(yaml.safe_dump({**CONFIG, "events": 300}))
    Path("mine.yaml").write_text(
        "run: base.yaml\nseed: 3\n"
        "scan: {axes: {candidates.rho: [pi, pi_pi0], solver.parent_mass: [5.27, 5.28]}}\n"
    )
    result = CliRunner().invoke(scan_command, ["mine.yaml"])
    assert result.exit_code == 0, result.output
    assert "M_recoil, all tau decays, 4 points" in result.output
    with h5py.File("runs/mine/scan.h5") as file:
        assert set(file["axes/candidates.rho"].asstr()) == {"pi", "pi_pi0"}
        assert file.attrs["seed"] == 3


def refused(scan_section: object, **changes: object) -> str:
    """Run a scan that has to be refused; return the message."""
    path = Path("scan.yaml")
    path.write_text(yaml.safe_dump({**CONFIG, "scan": scan_section, **changes}))
    with pytest.raises(ConfigError) as error:
        scan(path, "out")
    assert not Path("out").exists()
    return str(error.value)


R_SIG = "detector.vertices.r_sig"


@pytest.mark.parametrize(
    ("section", "words"),
    [
        ({"axes": {"detector.vertices.r_sgi": [0.1]}}, [f"Did you mean '{R_SIG}'?"]),
        ({"axes": {"detector.vertices": [0.1]}}, ["cannot be an axis", f"{R_SIG}.x"]),
        ({"axes": {"detector.beams.sqrt_s_spread": [0.1]}}, ["the beams make the truth"]),
        ({"axes": {"solver.variables": [1]}}, ["cannot be an axis"]),
        ({"axes": {R_SIG: [0.1, "a"]}}, ["values should be numbers; found 'a'"]),
        ({"axes": {R_SIG: [0.1, True]}}, ["values should be numbers; found True"]),
        ({"axes": {R_SIG: [0.1, float("nan")]}}, ["values should be numbers; found nan"]),
        ({"axes": {R_SIG: [0.1, -0.2]}}, [f"at {R_SIG} = -0.2", "between 0 and 10000"]),
        ({"axes": {"detector.pi0.mass": [0.1, 2]}}, ["less than 1; found 2"]),
        ({"axes": {"candidates.rho": ["pi", "po"]}}, ["should be 'pi' or 'pi_pi0'; found 'po'"]),
        ({"axes": {"candidates.rho": [None]}}, ["words or numbers; found None"]),
        ({"axes": {R_SIG: [0.1, 0.1]}}, [f"the point {R_SIG} = 0.1 is there twice"]),
        ({"axes": {R_SIG: []}}, ["has no values"]),
        ({"axes": {R_SIG: 0.1}}, ["scan.yaml: scan: axes", "list"]),
        ({"axes": {R_SIG: [1], f"{R_SIG}.x": [2]}}, ["set the same field"]),
        ({"axes": {}}, ["at least 1 item"]),
        ({}, ["the key 'axes' is missing"]),
        ([], ["scan should be a mapping"]),
        ({"axis": {}}, ["unknown key 'axis'. Did you mean 'axes'?"]),
        ({"mode": "gird", "axes": {R_SIG: [1]}}, ["'grid' or 'zip'; found 'gird'"]),
        ({"mode": "zip", "axes": {**AXES, R_SIG: [0.1]}}, [f"{R_SIG} has 1", "r_0.z has 2"]),
        ({"axes": {R_SIG: [i / 1e3 for i in range(101)],
                   "detector.pi0.mass": [0.1 + i / 1e3 for i in range(100)]}}, ["10100 points"]),
        ({"axes": {"solver.delta": [0.1]}}, []),
        ({"axes": {"solver.delta": [2.0]}}, ["less than 1.57"]),
    ],
)  # fmt: skip
def test_bad_scans_are_refused_before_any_work(section, words, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    variables = ["M2sB"] if words == [] else ["M2sV"]
    message = refused(section, solver={"variables": variables})
    for word in words or ["delta is for M2V and M2sV"]:
        assert word in message


@pytest.mark.parametrize(
    ("axis", "are_tables"),
    [(R_SIG, (False, False)), (f"{R_SIG}.z", (True, False)), ("detector.pi0.mass", (True, True))],
)
def test_an_axis_puts_its_number_where_a_table_was(axis, are_tables):
    """In all coordinates, in the one it names, or elsewhere."""
    table = {"axes": {"p": [0.5, 3.0]}, "values": [0.1, 0.01]}
    detector = {"derive": "belle2", "vertices": {"r_sig": table}}
    config = read_scan({**CONFIG, "detector": detector, "scan": {"axes": {axis: [0.1, 0.2]}}})
    points = make_points(config)
    assert [point.values for point in points] == [{axis: 0.1}, {axis: 0.2}]
    r_sig = points[1].smearing.profile.vertices.r_sig
    assert (isinstance(r_sig.x, Table), isinstance(r_sig.z, Table)) == are_tables
    if not are_tables[1]:
        assert r_sig.z == 0.2


def test_bad_runs_are_refused(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    good = {"axes": {R_SIG: [0.1]}}
    assert "run should be the name" in refused(good, run=3)
    assert "no file nowhere.yaml" in refused(good, run="nowhere.yaml")
    assert "unknown key 'sead'. Did you mean 'seed'?" in refused(good, sead=1)
    Path("plain.yaml").write_text(yaml.safe_dump(CONFIG))
    with pytest.raises(ConfigError, match="the key 'scan' is missing"):
        scan("plain.yaml", "out")


@pytest.mark.parametrize(
    ("name", "unit"),
    [
        ("detector.vertices.r_sig", "mm"),
        ("detector.vertices.r_0.z", "mm"),
        ("detector.beam_knowledge.position.z", "mm"),
        ("detector.beam_knowledge.sqrt_s_shift", "GeV"),
        ("detector.tracks.impact.d0.table", "mm"),
        ("detector.tracks.momentum.curvature", "1/GeV"),
        ("detector.tracks.angles.scattering", "rad GeV"),
        ("detector.hadronic_tag.momentum.x", "GeV"),
        ("detector.tracks.momentum.scattering", ""),
        ("candidates.rho", ""),
    ],
)
def test_units_of_axes_are_those_of_their_descriptions(name, unit):
    assert axis_unit(name) == unit
