"""The check of a profile: it passes for what it states, and fails for what it does not."""

from __future__ import annotations

import csv

import numpy as np
import pytest
from click.testing import CliRunner
from scipy import optimize, stats

from detector.profiles import load_profile
from detector.sections import Tail
from m2solve.study.detector_check import check_detector
from m2solve.study.detector_efficiencies import efficiency_rows
from m2solve.study.detector_resolutions import closest_approach, resolution_rows
from m2solve.study.stated_errors import core_width, tail_scores
from m2solve.study.validate_command import validate as command
from simgen.errors import ConfigError, OutputError

REALISTIC = "belle2_realistic"
N = 20_000


@pytest.fixture(scope="module")
def checked(tmp_path_factory):
    return check_detector(REALISTIC, tmp_path_factory.mktemp("check") / "c", particles=400)


def test_a_profile_agrees_with_itself(checked):
    assert checked.disagreeing == ()
    # 4 angles x 10 momenta: 5 quantities of 5 kinds, 3 of photons; found, 5 hypotheses of 5;
    # photon, pi0; K_S
    assert len(checked.resolutions) == 40 * (5 * 5 + 3)
    assert len(checked.efficiencies) == 40 * (5 * 6 + 2) + 4 * 7


def test_scores_of_all_points_together_are_unit_gaussians(checked):
    """Means and widths of all points, in units of their errors."""
    n = np.sqrt([row.particles for row in checked.resolutions])
    means = np.array([row.mean for row in checked.resolutions]) * n
    widths = (np.array([row.width for row in checked.resolutions]) - 1) * n * np.sqrt(2)
    for z in (means, widths):
        assert abs(z.mean()) < 4 / np.sqrt(len(z))
        assert abs(z.std() - 1) < 4 / np.sqrt(2 * len(z))


def test_tables_and_figures_are_there(checked):
    with (checked.folder / "resolutions.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == len(checked.resolutions)
    assert {row["quantity"] for row in rows} == {"pt", "theta", "phi", "energy", "d0", "z0"}
    names = ["resolutions", "impact", "electrons", "scores", "efficiencies"]
    assert [path.stem for path in checked.figures] == names
    for path in checked.figures:
        assert path.stat().st_size > 20_000
        assert path.with_suffix(".pdf").exists()


@pytest.mark.parametrize(
    ("particle", "changes", "quantity"),
    [
        ("pion", {"tracks": {"momentum": {"scattering": 0.00315}}}, "pt"),
        ("kaon", {"tracks": {"angles": {"scattering": 0.00105}}}, "theta"),
        ("proton", {"tracks": {"angles": {"tail": {"fraction": 0.04}}}}, "phi"),
        ("muon", {"tracks": {"momentum": {"tail": {"fraction": 0.06}}}}, "pt"),
        ("electron", {"bremsstrahlung": {"radiation_length": 0.06}}, "pt"),
        ("electron", {"bremsstrahlung": {"recovery": 0.3}}, "pt"),
        ("photon", {"photons": {"energy": {"constant": 0.01}}}, "energy"),
        ("photon", {"photons": {"asymmetry": 0.1}}, "energy"),
        ("kaon", {"tracks": {"impact": {"d0": {"scattering": 0.02625}}}}, "d0"),
        ("muon", {"tracks": {"impact": {"z0": {"table": 0.008}}}}, "z0"),
    ],
)
def test_a_profile_that_smears_otherwise_does_not_agree(particle, changes, quantity):
    stated, smears = load_profile(REALISTIC), load_profile(REALISTIC, changes)
    n = 2000 if particle == "electron" else 5000
    rows = list(resolution_rows(particle, smears, stated, n))
    bad = {row.quantity for row in rows if not row.agrees(len(rows))}
    assert quantity in bad
    assert bad <= {quantity, "phi", "theta"}


@pytest.mark.parametrize(
    ("particle", "changes", "requirement"),
    [
        ("pion", {"tracks": {"efficiency": {"pt_half": 0.065}}}, "found"),
        ("K_S", {"ks": {"flight_max": 500.0}}, "found"),
        ("pi0", {"pi0": {"efficiency": 0.93}}, "found"),
        ("kaon", {"identification": {"pion": {"kaon": 0.11}}}, "pion"),
        ("muon", {"identification": {"muon": {"p_min": 0.5}}}, "muon"),
    ],
)
def test_other_efficiencies_do_not_agree(particle, changes, requirement):
    stated, differs = load_profile(REALISTIC), load_profile(REALISTIC, changes)
    rows = list(efficiency_rows(particle, differs, stated, 4000))
    assert {row.requirement for row in rows if not row.agrees(len(rows))} == {requirement}


def test_material_that_depends_on_theta_agrees_with_itself():
    """None at one of the angles: there electrons are tracks like others."""
    material = {"axes": {"theta": [25, 60, 95, 135]}, "values": [0.2, 0.05, 0.0, 0.1]}
    profile = load_profile(REALISTIC, {"bremsstrahlung": {"radiation_length": material}})
    rows = list(resolution_rows("electron", profile, profile, 1000))
    assert [row for row in rows if not row.agrees(len(rows))] == []
    plain = load_profile(REALISTIC, {"bremsstrahlung": {"radiation_length": 0.05}})
    others = list(resolution_rows("electron", profile, plain, 1000))
    bad = {row.theta for row in others if not row.agrees(len(others))}
    assert bad == {25.0, 95.0, 135.0}


class TestImpactParameters:
    @pytest.mark.parametrize(("quantity", "power"), [("d0", 1.5), ("z0", 2.5)])
    @pytest.mark.parametrize("profile", ["belle2", "belle"])
    def test_hits_and_scattering_are_found(self, profile, quantity, power):
        """A straight line through sigma^2 over (p beta sin^k theta)^-2, fitted to all points."""
        detector, n = load_profile(profile), 4000
        rows = [row for row in resolution_rows("pion", detector, detector, n)
                if row.quantity == quantity]  # fmt: skip
        p, theta, sigma = (np.array([getattr(row, name) for row in rows])
                           for name in ("p", "theta", "fitted"))  # fmt: skip
        beta = p / np.hypot(p, 0.13957039)
        x = (p * beta * np.sin(np.radians(theta)) ** power) ** -2
        weight = 1 / (sigma**2 * np.sqrt(2 / n))  # of the square of a width
        design = np.column_stack([np.ones_like(x), x])
        covariance = np.linalg.inv(design.T @ (design * weight[:, None] ** 2))
        found = np.sqrt(covariance @ design.T @ (weight**2 * sigma**2))
        error = np.sqrt(np.diag(covariance)) / (2 * found)
        curve = getattr(detector.tracks.impact, quantity)
        pull = (found - [curve.hits, curve.scattering]) / error
        assert np.all(np.abs(pull) < 4)
        assert np.all(error / found < [0.02, 0.0025])  # 1 % of scattering would show

    @pytest.mark.parametrize("magnetic_field", [1.5, -1.5, 0.0, 0.01])
    def test_the_closest_approach_is_the_least_distance(self, magnetic_field):
        """Along a helix by its equation of motion, minimised with scipy."""
        rng = np.random.default_rng(1)
        for charge in (1, -1):
            p4 = np.append(rng.normal(size=3), 5.0)
            start = rng.normal(size=3)
            turn = -0.299792458e-3 * charge * magnetic_field / np.hypot(*p4[:2])

            def at(s, p=p4, start=start, turn=turn):
                """Position and direction after s mm across the beams."""
                angle = np.arctan2(p[1], p[0]) + turn * s
                if turn == 0.0:
                    way = s * np.array([np.cos(angle), np.sin(angle)])
                else:
                    old = np.arctan2(p[1], p[0])
                    way = np.array([np.sin(angle) - np.sin(old), np.cos(old) - np.cos(angle)])
                    way /= turn
                return start + np.append(way, s * p[2] / np.hypot(*p[:2])), angle

            found = optimize.minimize_scalar(
                lambda s, at=at: np.hypot(*at(s)[0][:2]), bracket=(-3.0, 0.1, 3.0), tol=1e-12
            )
            place, angle = at(found.x)
            d0 = place[0] * np.sin(angle) - place[1] * np.cos(angle)
            approach = closest_approach(
                p4[None], np.array([charge]), start[None], magnetic_field
            )  # fmt: skip
            np.testing.assert_allclose(approach[0], [d0, place[2]], atol=1e-6)


def test_a_perfect_detector_has_no_resolution_to_fit(perfect_profile):
    assert list(resolution_rows("pion", perfect_profile, perfect_profile, 100)) == []
    rows = list(efficiency_rows("pion", perfect_profile, perfect_profile, 100))
    assert all(row.agrees() for row in rows)


@pytest.fixture
def perfect_profile():
    return load_profile("perfect")


class TestStatedErrors:
    TAIL = Tail(fraction=0.1, scale=3.0)

    def mixture(self, n, seed=1):
        rng = np.random.default_rng(seed)
        return rng.normal(size=n) * np.where(rng.uniform(size=n) < 0.1, 3.0, 1.0)

    def test_scores_of_a_mixture_are_a_unit_gaussian(self):
        scores = tail_scores(self.mixture(200_000), self.TAIL)
        assert stats.kstest(scores, "norm").pvalue > 1e-3
        assert abs(scores.std() - 1) < 0.005
        np.testing.assert_allclose(tail_scores(np.array([-50.0, 50.0]), self.TAIL)[0],
                                   -tail_scores(np.array([50.0]), self.TAIL)[0])  # fmt: skip

    def test_the_width_of_the_core_is_found(self):
        for seed in range(3):
            width = core_width(0.02 * self.mixture(200_000, seed), self.TAIL)
            assert width == pytest.approx(0.02, rel=0.01)


def test_the_command(checked, monkeypatch):
    run = CliRunner().invoke
    assert run(command, ["--detector", "belle"]).exit_code == 2
    assert run(command, ["runs", "--detector", "belle", "-o", "x"]).exit_code == 2
    asked = {}

    def check(detector, output, *, progress):
        asked.update(detector=detector, output=output, progress=progress)
        return checked

    monkeypatch.setattr("m2solve.study.detector_check.check_detector", check)
    done = run(command, ["--detector", "belle", "-o", "c"])
    assert done.exit_code == 0, done.output
    assert asked == {"detector": "belle", "output": "c", "progress": True}
    assert "of 2428 points agree" in done.output


def test_bad_input_is_said(tmp_path):
    with pytest.raises(ConfigError, match="100 or more"):
        check_detector("belle2", tmp_path / "c", particles=10)
    with pytest.raises(ConfigError, match="belle3"):
        check_detector("belle3", tmp_path / "c")
    (tmp_path / "f").write_text("")
    with pytest.raises(OutputError, match="is a file"):
        check_detector("belle2", tmp_path / "f")
