"""Helices: the nearest point, perigees, and what a track says about a vertex."""

from __future__ import annotations

import numpy as np
import pytest
from helices import distances, perigee_of
from scipy import optimize

from detector.helix import add_track, nearest, to_perigee


@pytest.fixture
def rng():
    return np.random.default_rng(11)


def random_track(rng, omega=None):
    omega = rng.choice([-1, 1]) * np.exp(rng.uniform(-9, -4)) if omega is None else omega
    return np.array(
        [rng.normal(0, 0.3), rng.uniform(-np.pi, np.pi), omega, rng.normal(0, 2), rng.normal()]
    )


class TestNearest:
    @pytest.mark.parametrize("omega", [0.0, 1e-6, -1e-4, 3e-3, -0.02])
    def test_against_a_search(self, rng, omega):
        phi = rng.uniform(-np.pi, np.pi)
        point = rng.normal(0, 3, 2)

        def on_circle(s):
            if omega == 0.0:
                return s * np.array([np.cos(phi), np.sin(phi)])
            end = phi + omega * s
            return np.array([np.sin(end) - np.sin(phi), np.cos(phi) - np.cos(end)]) / omega

        found = optimize.minimize_scalar(
            lambda s: np.sum((on_circle(s) - point) ** 2), bracket=(-1, 1), tol=1e-12
        )
        distance, arc, cos_psi, sin_psi = nearest(*point, np.cos(phi), np.sin(phi), omega)
        assert arc == pytest.approx(found.x, abs=1e-6)
        assert abs(distance) == pytest.approx(np.sqrt(found.fun), rel=1e-9)
        turned = phi + omega * arc
        left = np.array([-np.sin(turned), np.cos(turned)])
        assert (point - on_circle(arc)) @ left == pytest.approx(distance, abs=1e-9)
        assert (cos_psi, sin_psi) == pytest.approx(
            (np.cos(omega * arc), np.sin(omega * arc)), abs=1e-14
        )

    def test_goes_over_into_a_straight_line(self):
        straight = nearest(0.4, -0.3, 0.8, 0.6, 0.0)
        np.testing.assert_allclose(straight, (-0.48, 0.14, 1.0, 0.0), atol=1e-15)
        np.testing.assert_allclose(nearest(0.4, -0.3, 0.8, 0.6, 1e-13), straight, atol=1e-12)


class TestPerigee:
    def test_against_the_centre_of_the_circle(self, rng):
        reference = np.array([0.1, -0.2, 0.3])
        for _ in range(50):
            position = rng.normal(0, 1, 3)
            _, phi, omega, _, cot = random_track(rng)
            out = np.empty(5)
            to_perigee(position, phi, omega, cot, reference, out)
            expected = perigee_of(position - reference, phi, omega, cot)
            np.testing.assert_allclose(out, expected, atol=1e-10)

    def test_d0_has_the_sign_of_the_angular_momentum(self):
        out = np.empty(5)
        to_perigee(np.array([0.0, -0.5, 1.0]), 0.0, 0.0, 2.0, np.zeros(3), out)
        np.testing.assert_allclose(out, [0.5, 0.0, 0.0, 1.0, 2.0])


class TestInformation:
    """W, W x and chi^2 against derivatives of the distances, taken numerically."""

    @pytest.mark.parametrize("omega", [None, 0.0])
    def test_against_numerical_derivatives(self, rng, omega):
        for _ in range(30):
            track, reference = random_track(rng, omega), rng.normal(0, 0.1, 3)
            variance = np.array([0.02, 1e-3, 1e-6, 0.03, 2e-3]) ** 2
            d0, phi, _, z0, cot = track
            along = rng.normal(0, 1)
            perigee = np.array([d0 * np.sin(phi), -d0 * np.cos(phi), z0])
            ahead = along * np.array([np.cos(phi), np.sin(phi), cot])
            point = reference + perigee + ahead + rng.normal(0, 0.02, 3)
            f = distances(point - reference, track)
            h = np.stack([
                (distances(point - reference + d, track) - distances(point - reference - d, track))
                / 2e-4 for d in 1e-4 * np.eye(3)
            ], axis=1)  # fmt: skip
            steps = np.array([1e-4, 1e-5, 1e-7, 1e-4, 1e-5])
            j = np.stack([
                (distances(point - reference, track + d) - distances(point - reference, track - d))
                / (2 * step) for step, d in zip(steps, np.diag(steps), strict=True)
            ], axis=1)  # fmt: skip
            g = np.linalg.inv(j * variance @ j.T)
            weight, information = np.zeros((3, 3)), np.zeros(3)
            chi2 = add_track(track[None], variance[None], 0, reference, point, weight, information)
            expected = h.T @ g @ h
            size = np.abs(expected).max()
            np.testing.assert_allclose(weight, expected, atol=1e-6 * size)
            np.testing.assert_allclose(
                information, h.T @ g @ (h @ point - f), atol=1e-6 * size * np.abs(point).max()
            )
            assert chi2 == pytest.approx(f @ g @ f, rel=1e-5)
