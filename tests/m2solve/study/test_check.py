"""``simgen solve --check``: the fast solvers against a general minimiser, on a run's candidates."""

from __future__ import annotations

from pathlib import Path

from click.testing import CliRunner

from m2solve.command import solve
from m2solve.study import run
from m2solve.study.check import check_candidates
from m2solve.study.config import SolverConfig

ROOT = Path(__file__).resolve().parents[3]


def test_check_compares_every_solver_and_finds_none_above_slsqp(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    run(ROOT / "configs" / "ktaumu_belle2.yaml", folder, events=100)
    config = SolverConfig(variables=("M2sB", "M2sV", "M2s", "M2sBV", "truth"), m_nunu=("true",))
    found = check_candidates(folder, config, 20)
    assert {method.name for method in found} == {"M2sB_true", "M2sV_true", "M2s_true"}
    for comparison in found.values():
        assert len(comparison.rows) == 20
        assert comparison.worst < 1e-7
        assert len(comparison.missed) == 0


def test_check_prints_a_table(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    run(ROOT / "configs" / "ktaumu_belle2.yaml", folder, events=100)
    arguments = [str(folder / "candidates"), "-o", str(tmp_path / "s.h5"), "--check", "5"]
    arguments += ["--variable", "M2sB", "--m-nunu", "true"]
    result = CliRunner().invoke(solve, arguments)
    assert result.exit_code == 0, result.output
    assert "Against SLSQP" in result.output
