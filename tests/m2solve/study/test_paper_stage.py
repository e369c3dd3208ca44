"""``simgen run configs/paper_2209_03387.yaml``: a run like any other, that leaves a page."""

from __future__ import annotations

import csv
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
import yaml

from detector.profiles import load_profile
from m2solve.study import read_solutions, run, scan
from m2solve.study.paper_points import make_paper_points, point_layout
from m2solve.study.paper_stage import PaperResult
from simgen import inspect
from simgen.errors import ConfigError, OutputError
from simgen.io.hdf5 import concatenate_columns, find_shards, read_header

CONFIG = Path(__file__).resolve().parents[3] / "configs" / "paper_2209_03387.yaml"
DATA = {**yaml.safe_load(CONFIG.read_text(encoding="utf-8")), "events": 1600}
DATA["output"] = {"events_per_shard": 900}
POINTS = ("now", "design", "hypothetical", "belle", "with_pi0")
FIGURES = ("fig1_m_hat", "fig2_masses", "fig3_vertices", "fig_belle")
VOID = frozenset({"meta", "img", "br"})


@pytest.fixture(scope="module")
def done(tmp_path_factory) -> PaperResult:
    """A small run by one thread."""
    result = run(DATA, tmp_path_factory.mktemp("paper") / "paper", workers=1)
    assert isinstance(result, PaperResult)
    return result


@pytest.fixture
def no_figures(done, monkeypatch):
    """Take the figures that are there."""
    made = {name: done.folder / "figures" / f"{name}.png" for name in FIGURES}
    monkeypatch.setattr("m2solve.study.paper_stage.draw_paper", lambda *_: made)


def contents(folder: Path) -> dict[str, bytes]:
    files = {str(p.relative_to(folder)): p for p in folder.rglob("*") if p.is_file()}
    return {name: p.read_bytes() for name, p in files.items() if not name.startswith("figures")}


class Reader(HTMLParser):
    """Checks that tags match, and keeps what the page refers to, its text and its images."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.references: list[str] = []
        self.text = ""

    def handle_starttag(self, tag, attrs):
        if tag not in VOID:
            self.open.append(tag)
        self.references += [value for name, value in attrs if name in {"src", "href"}]

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data


def read(page: Path) -> Reader:
    reader = Reader()
    reader.feed(page.read_text(encoding="utf-8"))
    assert not reader.open
    return reader


def test_the_page_is_one_file_with_every_statement_and_figure(done):
    page = read(done.folder / "summary.html")
    images = [r for r in page.references if r.startswith("data:image/png;base64,")]
    assert len(images) == len(FIGURES)
    assert [r for r in page.references if r not in images] == ["https://arxiv.org/abs/2209.03387"]
    for statement in done.statements:
        assert statement.text in page.text
        assert str(statement.verdict) in page.text
    assert "nan" not in page.text
    assert len(done.statements) == 9


def test_figures_have_their_numbers(done):
    for name in FIGURES:
        for suffix in (".png", ".pdf", ".csv"):
            assert (done.folder / "figures" / f"{name}{suffix}").stat().st_size > 1000
    text = (done.folder / "figures" / "fig3_vertices.csv").read_text(encoding="utf-8")
    columns = text.splitlines()[0].split(",")
    assert {f"M2sBV_{p}_{g}" for p in POINTS[:3] for g in ("hadronic", "leptonic", "both")} <= set(
        columns
    )


def test_the_claims_are_in_a_table(done):
    text = (done.folder / "summary_statements.csv").read_text(encoding="utf-8")
    rows = list(csv.DictReader(text.splitlines()))
    claims = [claim for s in done.statements for claim in (*s.claims, *s.if_dropped)]
    assert [row["verdict"] for row in rows] == [str(claim.verdict) for claim in claims]
    assert all(float(row["error"]) > 0.0 for row in rows)


@pytest.mark.usefixtures("no_figures")
def test_threads_resume_and_overwrite_make_the_same_bytes(done, tmp_path):
    whole, folder = contents(done.folder), tmp_path / "paper"
    run(DATA, folder, workers=3)
    assert contents(folder) == whole
    (folder / "design" / "part-00001.h5").unlink()
    (folder / "summary.html").unlink()
    run(DATA, folder, if_exists="resume")
    assert contents(folder) == whole
    with pytest.raises(OutputError, match="another configuration"):
        run({**DATA, "seed": 1}, folder, if_exists="resume")
    run(folder / "config.yaml", folder, if_exists="overwrite")
    assert contents(folder) == whole


def test_a_point_is_what_a_run_of_its_detector_gives(done, tmp_path, monkeypatch):
    monkeypatch.setattr("m2solve.study.pipeline.draw_figures", lambda *_: [])
    _, points = make_paper_points(DATA)
    for name in ("design", "belle", "with_pi0"):
        point = next(p for p in points if p.name == name)
        alone = {k: v for k, v in DATA.items() if k != "paper"}
        alone["detector"] = point.smearing.profile.model_dump()
        alone["candidates"] = point.smearing.candidates.model_dump()
        alone["solver"] = point.solving.config.model_dump()
        run(alone, tmp_path / name)
        expected = read_solutions(tmp_path / name)
        shards = find_shards(done.folder / name, "recoil")
        found = concatenate_columns(shards, point_layout(point.methods))
        for method in point.methods:
            recoil = expected[method.name, "m_recoil"].astype(np.float32)
            assert np.array_equal(found[f"{method.name}/m_recoil"], recoil, equal_nan=True)


def test_resolutions_are_named_in_micrometres_and_tables_by_their_ends():
    _, points = make_paper_points(DATA)
    now = points[0]
    assert (now.name, now.resolution) == ("now", "350/25 µm")
    runs = {"axes": {"luminosity": [0, 0.3, 1]}, "values": [2.0, 0.15]}
    profile = load_profile("belle2", {"vertices": {"r_0": {"z": runs}}})
    tabled = replace(now, smearing=replace(now.smearing, profile=profile))
    assert tabled.resolution == "150-2000/25 µm"


def test_inspect_shows_every_point(done):
    found = inspect(done.folder)
    assert [contents.files[0].parent.name for contents in found] == sorted(POINTS)
    assert {contents.stage for contents in found} == {"recoil"}


def test_points_with_the_same_beams_share_their_truth(done):
    truth = {
        name: read_header(find_shards(done.folder / name, "recoil")[0]).provenance["truth"]
        for name in POINTS
    }
    assert len({truth[name] for name in POINTS if name != "belle"}) == 1
    assert truth["belle"] != truth["now"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"paper": {"now": "belle2"}}, "design"),
        ({"paper": {**DATA["paper"], "tomorrow": "belle2"}}, "tomorrow"),
        ({"paper": {**DATA["paper"], "now": {"vertices": {"r_sig": -1.0}}}}, "paper.now"),
        ({"paper": {**DATA["paper"], "belle": "babar"}}, "babar"),
        ({"solver": {"variables": ["M2s"], "m_nunu": ["zero"]}}, "M2sB"),
        ({"candidates": {"rho": "pi_pi0"}}, "candidates.rho"),
        ({"beams": "belle2"}, "beams"),
    ],
)
def test_what_cannot_be_compared_is_refused_before_work(changes, message, tmp_path):
    with pytest.raises(ConfigError, match=message):
        run({**DATA, **changes}, tmp_path / "paper")
    assert not (tmp_path / "paper").exists()


def test_a_paper_is_not_scanned(tmp_path):
    axes = {"scan": {"axes": {"detector.vertices.r_sig": [0.005, 0.025]}}}
    with pytest.raises(ConfigError, match="paper"):
        scan({**DATA, **axes}, tmp_path / "scan")
