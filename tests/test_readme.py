"""What the README promises works as it is written there."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

import simgen
from m2solve.study import run
from m2solve.study.scan_config import read_scan
from m2solve.study.scan_points import make_points

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def code(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, flags=re.DOTALL)


@pytest.fixture(scope="module")
def run_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("readme") / "runs" / "ktaumu_belle2"
    run(ROOT / "configs" / "ktaumu_belle2.yaml", folder, events=500)
    return folder


def test_python_example_draws_a_figure(run_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import matplotlib as mpl

    mpl.use("Agg")
    monkeypatch.chdir(run_folder.parents[1])
    (example,) = code("python")
    exec(compile(example, "README.md", "exec"), {})
    assert Path("m_recoil.png").stat().st_size > 1000


def test_study_example_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    example, _ = code("yaml")
    assert len(example.splitlines()) < 10
    monkeypatch.chdir(tmp_path)
    Path("study.yaml").write_text(example, encoding="utf-8")
    result = run("study.yaml", "out", events=200)
    resolved = yaml.safe_load((result.folder / "config.yaml").read_text(encoding="utf-8"))
    assert resolved["detector"]["vertices"]["r_sig"] == {"x": 0.015, "y": 0.015, "z": 0.015}


def test_scan_example_compares_with_now(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _, example = code("yaml")
    monkeypatch.chdir(tmp_path)
    Path("whatif.yaml").write_text(example, encoding="utf-8")
    points = make_points(read_scan("whatif.yaml"))
    assert [p.smearing.profile.vertices.r_sig.z for p in points] == [0.025, 0.015]


def test_ci_runs_the_test_line_of_the_readme() -> None:
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    assert "README.md" in script
    lines = [line for block in code("sh") for line in block.splitlines()]
    assert [line for line in lines if "-m pytest" in line]


def test_version_is_in_one_place() -> None:
    # the test line of the README does not activate its environment: look beside the interpreter
    command = Path(sys.executable).with_name("simgen")
    shown = subprocess.run(
        [command, "--version"], check=True, capture_output=True, text=True
    ).stdout  # fmt: skip
    assert simgen.__version__ in shown
