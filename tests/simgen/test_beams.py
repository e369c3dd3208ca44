"""Beams: total momentum, axis, energy spread, interaction region, profiles."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from simgen.beams import Beams, load_beams
from simgen.engine.collision import draw_collision
from simgen.errors import ConfigError
from simgen.random import open_stream, seek

P_MIN = 1e-3
SYMMETRIC = {
    "electron": {"energy": 5.29, "theta": 0.0},
    "positron": {"energy": 5.29, "theta": np.pi},
    "sqrt_s_spread": 0.0,
    "interaction_region": {"size": [0.0, 0.0, 0.0]},
}


def collisions(beams, n, minimum=0.0):
    """Return sqrt(s), total four-momenta and vertices of n collisions."""
    compiled, state = beams.compiled(), open_stream(4, 1)
    total, vertex, mass = np.zeros((n, 4)), np.zeros((n, 3)), np.zeros(n)
    for i in range(n):
        seek(state, i, 0)
        mass[i] = draw_collision(compiled, minimum, state, total[i], vertex[i])
    return mass, total, vertex


@pytest.mark.parametrize(("name", "sqrt_s"), [("belle2", 10.580), ("belle", 10.580)])
def test_shipped_beams_make_the_upsilon_4s(name, sqrt_s):
    assert load_beams(name).sqrt_s() == pytest.approx(sqrt_s, abs=2e-3)


def test_total_momentum_of_crossing_beams_is_the_vector_sum():
    beams = load_beams("belle2")
    p1, p2 = 7.004, 4.002
    total = beams.total()
    assert total[3] == pytest.approx(p1 + p2)
    assert total[0] == pytest.approx((p1 + p2) * np.sin(0.0415), rel=1e-6)
    assert total[1] == pytest.approx(0.0, abs=1e-12)
    assert total[2] == pytest.approx((p1 - p2) * np.cos(0.0415), rel=1e-6)


def test_axis_is_the_direction_of_the_electrons_in_the_centre_of_mass():
    """Both beams boosted to the rest frame of their sum are back to back along the axis."""
    beams = load_beams("belle2")
    total, mass = beams.total(), beams.sqrt_s()
    u, gamma = total[:3] / mass, total[3] / mass
    boost = np.eye(4)
    boost[:3, :3] += np.outer(u, u) / (1 + gamma)
    boost[:3, 3] = boost[3, :3] = -u
    boost[3, 3] = gamma
    electron, positron = boost @ beams.electron.momentum(), boost @ beams.positron.momentum()
    np.testing.assert_allclose(electron[:3], -positron[:3], atol=1e-12)
    unit = electron[:3] / np.linalg.norm(electron[:3])
    np.testing.assert_allclose(beams.axis(), unit, rtol=0, atol=1e-13)
    assert abs(unit[0]) > 5e-3  # the crossing angle tilts it


def test_beams_without_spread_have_one_momentum_and_one_vertex():
    mass, total, vertex = collisions(Beams(**SYMMETRIC), 5)
    np.testing.assert_allclose(mass, 10.58, rtol=1e-12)
    np.testing.assert_allclose(total, [[0, 0, 0, 10.58]] * 5, atol=1e-12)
    np.testing.assert_array_equal(vertex, 0.0)


def test_sqrt_s_has_the_mean_and_spread_of_the_profile():
    n, beams = 50_000, load_beams("belle2")
    mass, total, _ = collisions(beams, n)
    sigma = beams.sqrt_s_spread
    assert stats.kstest(mass, "norm", args=(beams.sqrt_s(), sigma)).pvalue > P_MIN
    # the standard deviation of a variance is 0.6 %
    assert abs(mass.var() / sigma**2 - 1) * np.sqrt(n / 2) < 3.3
    square = total[:, 3] ** 2 - np.sum(total[:, :3] ** 2, axis=1)
    np.testing.assert_allclose(np.sqrt(square), mass, rtol=1e-13)


def test_the_beams_spread_independently():
    """Energy sum and difference in the lab vary as two independent relative spreads say."""
    n, beams = 50_000, load_beams("belle2")
    _, total, _ = collisions(beams, n)
    relative = np.sqrt(2) * beams.sqrt_s_spread / beams.sqrt_s()
    expected = relative * np.hypot(7.004, 4.002)
    for column, scale in ((total[:, 3], 1.0), (total[:, 2], np.cos(0.0415))):
        assert abs(column.var() / (expected * scale) ** 2 - 1) * np.sqrt(n / 2) < 3.3


def test_vertices_are_gaussian_in_each_coordinate():
    region = {"mean": [0.1, -0.2, 3.0], "size": [0.01, 0.0003, 0.35]}
    beams = Beams(**{**SYMMETRIC, "interaction_region": region})
    _, _, vertex = collisions(beams, 20_000)
    for column, mean, size in zip(vertex.T, region["mean"], region["size"], strict=True):
        assert stats.kstest(column, "norm", args=(mean, size)).pvalue > P_MIN
    correlation = np.corrcoef(vertex.T) - np.eye(3)
    assert np.abs(correlation).max() * np.sqrt(20_000) < 3.5


def test_collisions_below_threshold_do_not_happen():
    beams = Beams(**{**SYMMETRIC, "sqrt_s_spread": 0.005})
    mass, _, _ = collisions(beams, 4000, minimum=10.58)
    assert mass.min() > 10.58
    upper_half = stats.kstest((mass - 10.58) / 0.005, "halfnorm")
    assert upper_half.pvalue > P_MIN


class TestProblems:
    def test_negative_size(self):
        bad = {**SYMMETRIC, "interaction_region": {"size": [0.0, -1.0, 0.0]}}
        with pytest.raises(ConfigError, match=r"size must not be negative.*-1"):
            load_beams(bad)

    def test_unknown_key_names_the_nearest(self):
        bad = {**SYMMETRIC, "sqrt_s_spred": 0.1}
        with pytest.raises(ConfigError, match=r"unknown key 'sqrt_s_spred'.*'sqrt_s_spread'"):
            load_beams(bad)

    def test_energy_out_of_range(self):
        bad = {**SYMMETRIC, "electron": {"energy": -7.0, "theta": 0.0}}
        with pytest.raises(ConfigError, match=r"electron\.energy.*greater than 0\.01.*-7"):
            load_beams(bad)

    def test_unknown_profile_lists_those_that_exist(self):
        with pytest.raises(ConfigError, match=r"no file bele2.*belle2"):
            load_beams("bele2")

    def test_profile_without_beams(self, tmp_path):
        (tmp_path / "half.yaml").write_text("name: half\n")
        with pytest.raises(ConfigError, match=r"half\.yaml.*'beams' is missing"):
            load_beams("half.yaml", tmp_path)
