"""Vertex fits: against scipy, exact tracks, symmetries, and whether the covariance is right."""

from __future__ import annotations

import numpy as np
import pytest
from closure import random_momenta
from helices import least_squares_decay, least_squares_vertex
from scipy import stats

from detector import fit_vertices, smear_perigees, smear_tracks
from detector.vertex_fit import fit_with_meson
from simgen.errors import InputArrayError

N = 60_000
M_K, M_PI = 0.493677, 0.13957039
WIDE = np.eye(3) * 100.0


def toy(profile, n, tracks=2, seed=1, low=0.3, high=3.0, spread=(0.05, 0.05, 0.3)):
    """n vertices with some tracks each: positions, true momenta, measured tracks, variances."""
    rng = np.random.default_rng(seed)
    vertex = rng.normal(0, spread, (n, 3))
    p4 = random_momenta(rng, n * tracks, M_PI, low, high)
    event, index = np.repeat(np.arange(n), tracks), np.tile(np.arange(tracks), n)
    charge = rng.choice([-1, 1], n * tracks)
    momenta = smear_tracks(p4, event, index, profile.tracks, seed)
    found = smear_perigees(
        p4, momenta, charge, np.repeat(vertex, tracks, axis=0), event, index, profile.tracks, seed
    )
    return vertex, *(x.reshape(n, tracks, 5) for x in found)


@pytest.fixture(scope="module")
def fitted(belle2):
    vertex, tracks, variances = toy(belle2, N)
    return vertex, *fit_vertices(tracks, variances, prior_covariance=WIDE)


class TestCovariance:
    def test_pulls_are_unit_gaussians(self, fitted):
        vertex, position, covariance, _ = fitted
        sigma = np.sqrt(np.diagonal(covariance, axis1=1, axis2=2))
        for pull in ((position - vertex) / sigma).T:
            assert stats.kstest(pull, "norm").pvalue > 1e-3
            assert abs(np.std(pull) - 1) < 0.0116  # 4 standard errors
            assert abs(np.mean(pull)) < 4 / np.sqrt(N)

    def test_chi2_of_the_position_has_three_degrees_of_freedom(self, fitted):
        vertex, position, covariance, _ = fitted
        residual = position - vertex
        chi2 = np.einsum("ni,nij,nj->n", residual, np.linalg.inv(covariance), residual)
        assert stats.kstest(chi2, "chi2", args=(3,)).pvalue > 1e-3
        assert np.mean(chi2) == pytest.approx(3.0, abs=4 * np.sqrt(6 / N))

    @pytest.mark.parametrize("tracks", [2, 4])
    def test_chi2_of_the_fit_has_two_a_track_less_three(self, belle2, tracks):
        _, q, v = toy(belle2, 20_000, tracks, seed=5)
        chi2 = fit_vertices(q, v, prior_covariance=WIDE)[2]
        assert stats.kstest(chi2, "chi2", args=(2 * tracks - 3,)).pvalue > 1e-3


class TestAgainstScipy:
    @pytest.mark.parametrize(("tracks", "prior"), [(2, 10.0), (3, 10.0), (3, 0.02), (1, 0.1)])
    def test_tracks_of_one_vertex(self, belle2, tracks, prior):
        mean = np.array([0.01, -0.02, 0.1])
        _, q, v = toy(belle2, 6, tracks, seed=8)
        covariance = np.diag([1.0, 0.5, 2.0]) * prior**2
        found = fit_vertices(q, v, prior_mean=mean, prior_covariance=covariance)
        root = np.linalg.inv(np.linalg.cholesky(covariance))
        for i in range(len(q)):
            position, error, chi2 = least_squares_vertex(q[i], np.sqrt(v[i]), mean, root)
            sigma = np.sqrt(np.diag(error))
            # scipy's covariance and ours are linearised at slightly different tracks
            np.testing.assert_allclose(found[0][i], position, atol=2e-3 * sigma.max())
            np.testing.assert_allclose(found[1][i], error, atol=5e-3 * sigma.max() ** 2, rtol=5e-3)
            assert found[2][i] == pytest.approx(chi2, rel=5e-3, abs=1e-3)

    @pytest.mark.parametrize("n_meson", [1, 2, 3])
    def test_with_a_meson_that_flies(self, belle2, n_meson):
        rng = np.random.default_rng(4)
        root, mean = np.eye(3) / 10.0, np.zeros(3)
        for event in range(5):
            vertex, q, v = toy(belle2, 1, 1, seed=20 + event)
            p = random_momenta(rng, n_meson, M_K, 0.4, 1.5)
            meson = p.sum(axis=0)[:3]
            spread = 1e-4 * np.diag([1.0, 2.0, 3.0])
            measured = meson + rng.standard_normal(3) * np.sqrt(np.diag(spread))
            decay = vertex + 0.6 * meson / np.linalg.norm(meson)
            where = (np.full(n_meson, event), np.arange(n_meson) + 10)
            momenta = smear_tracks(p, *where, belle2.tracks, 2)
            q_d, v_d = smear_perigees(
                p, momenta, np.ones(n_meson, dtype=np.int64), np.repeat(decay, n_meson, axis=0),
                *where, belle2.tracks, 2,
            )  # fmt: skip
            position, covariance = np.empty(3), np.empty((3, 3))
            fit_with_meson(
                q[0], v[0], 1, q_d, v_d, n_meson, measured, spread, np.zeros(3), mean,
                np.eye(3) / 100.0, position, covariance,
            )  # fmt: skip
            expected, error = least_squares_decay(
                q[0], np.sqrt(v[0]), q_d, np.sqrt(v_d), measured, spread, mean, root
            )
            # in standard deviations; where two tracks are nearly parallel the fit is not linear
            scaled = np.linalg.solve(np.linalg.cholesky(error), position - expected)
            assert np.max(np.abs(scaled)) < 0.03
            ratio = np.sqrt(np.diag(covariance) / np.diag(error))
            np.testing.assert_allclose(ratio, 1.0, atol=0.005)


class TestExact:
    def test_perfect_tracks_meet(self, perfect):
        vertex, q, v = toy(perfect, 1000, 3)
        position, _, chi2 = fit_vertices(q, v, prior_covariance=WIDE)
        np.testing.assert_allclose(position, vertex, atol=1e-7)
        assert chi2.max() < 1.0  # but for the prior, and the 1 nm they are given

    def test_slow_tracks_are_bent(self, perfect):
        """At 50 to 100 MeV a track leaves a straight line by 3 um in the first mm."""
        vertex, q, v = toy(perfect, 200, 2, low=0.05, high=0.1, spread=1.0)
        position = fit_vertices(q, v, prior_covariance=WIDE)[0]
        np.testing.assert_allclose(position, vertex, atol=1e-6)
        straight = q.copy()
        straight[:, :, 2] = 0.0
        missed = fit_vertices(straight, v, prior_covariance=WIDE)[0] - vertex
        assert np.median(np.linalg.norm(missed, axis=1)) > 1e-3


class TestSymmetry:
    def test_rotation_about_z(self, belle2):
        _, q, v = toy(belle2, 100, seed=3)
        angle = 0.7
        turned = q.copy()
        turned[:, :, 1] += angle
        c, s = np.cos(angle), np.sin(angle)
        rotation = np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]])
        one, covariance, _ = fit_vertices(q, v, prior_covariance=WIDE)
        other, turned_covariance, _ = fit_vertices(turned, v, prior_covariance=WIDE)
        np.testing.assert_allclose(other, one @ rotation.T, atol=1e-11)
        np.testing.assert_allclose(
            turned_covariance, rotation @ covariance @ rotation.T, atol=1e-10
        )

    def test_charge_conjugation_is_a_mirror(self, belle2):
        """Opposite charges in the mirror y -> -y, where d0, phi and omega change sign."""
        _, q, v = toy(belle2, 100, seed=3)
        mirror = np.diag([1.0, -1.0, 1.0])
        one, covariance, _ = fit_vertices(q, v, prior_covariance=WIDE)
        other, mirrored, _ = fit_vertices(q * [-1, -1, -1, 1, 1], v, prior_covariance=WIDE)
        np.testing.assert_allclose(other, one @ mirror, atol=1e-11)
        np.testing.assert_allclose(mirrored, mirror @ covariance @ mirror, atol=1e-10)


def test_a_single_track_says_nothing_along_itself(belle2):
    _, q, v = toy(belle2, 1, 1, seed=3)
    _, covariance, _ = fit_vertices(q, v, prior_covariance=WIDE)
    sizes = np.sqrt(np.linalg.eigvalsh(covariance[0]))
    assert sizes[2] == pytest.approx(10.0, rel=0.01)
    assert sizes[1] < 0.2


@pytest.mark.parametrize(
    ("tracks", "variances", "prior", "word"),
    [
        (np.zeros((3, 2, 4)), np.zeros((3, 2, 4)), np.eye(3), "(n, m, 5)"),
        (np.zeros((3, 2, 5)), np.zeros((3, 1, 5)), np.eye(3), "(3, 1, 5)"),
        (np.zeros((3, 2, 5)), np.ones((3, 2, 5)), np.zeros((3, 3)), "positive definite"),
    ],
)
def test_what_cannot_be_fitted_is_refused(tracks, variances, prior, word):
    with pytest.raises(InputArrayError) as error:
        fit_vertices(tracks, variances, prior_covariance=prior)
    assert word in str(error.value)
