"""Vertices constrained to the beams: the likelihood takes the constraint out again."""

from __future__ import annotations

import numpy as np
import pytest

import m2solve
from simgen.errors import InputArrayError

N, C_TAU = 200, 0.491
MEAN = np.array([0.003, 0.0, 0.14])
SPREAD = np.diag([0.027, 0.027, 0.15]) ** 2 + 1e-5
C_0 = np.diag([0.01, 0.0003, 0.35]) ** 2


def measured_by_tracks(rng, singular):
    """Positions and weights of vertices; of single tracks, these have no inverse."""
    rows = rng.normal(0, 40.0, (N, 2 if singular else 4, 3))  # 1/mm
    weight = np.einsum("nki,nkj->nij", rows, rows)
    return rng.normal(0, 0.3, (N, 3)), weight


def constrained(position, weight, r_0):
    """Position and covariance of a fit that has the constraint as well."""
    prior = np.linalg.inv(C_0 + SPREAD)
    covariance = np.linalg.inv(weight + prior)
    told = np.einsum("nij,nj->ni", weight, position) + (r_0 + MEAN) @ prior
    return np.einsum("nij,nj->ni", covariance, told), covariance


@pytest.mark.parametrize("with_tag", [False, True])
@pytest.mark.parametrize("singular", [False, True])
def test_is_taken_out(with_tag, singular):
    rng = np.random.default_rng(7)
    r_0 = rng.normal(0, [0.01, 0.0003, 0.35], (N, 3))
    names = ("sig", "tag") if with_tag else ("sig",)
    free, fitted = {}, {}
    for name in names:
        position, weight = measured_by_tracks(rng, singular)
        # of no use along a single track: as wide as the beam pipe
        free[f"r_{name}"] = position
        free[f"error_{name}"] = np.linalg.inv(weight + 1e-6 * np.eye(3))
        fitted[f"r_{name}"], fitted[f"error_{name}"] = constrained(position, weight, r_0)
    common = {"r_0": r_0, "error_0": C_0, "c_tau": C_TAU}
    one = m2solve.Vertices.measured(**common, **free)
    two = m2solve.Vertices.measured(**common, **fitted, flight_prior=(MEAN, SPREAD))
    for name in ("weight_sig", "weight_tag", "weight_cross"):
        a, b = getattr(one, name), getattr(two, name)
        np.testing.assert_allclose(b, a, atol=1e-6 * np.abs(a).max())
    for side in names:
        # what the likelihood sees of a flight: along a single track it is arbitrary
        for name in ("weight_sig",) if side == "sig" else ("weight_tag",):
            told = [
                np.einsum("nij,nj->ni", getattr(v, name), getattr(v, f"flight_{side}"))
                for v in (one, two)
            ]
            np.testing.assert_allclose(told[1], told[0], atol=1e-5 * np.abs(told[0]).max())


@pytest.mark.parametrize(
    ("prior", "word"),
    [
        ((np.zeros(2), SPREAD), "mean has shape (2,)"),
        ((np.full(3, np.nan), SPREAD), "mean is not finite"),
        ((MEAN, np.zeros((3, 3))), "flight_prior is not positive definite"),
        ((MEAN, np.eye(2)), "flight_prior has shape"),
    ],
)
def test_what_is_no_flight_is_refused(prior, word):
    with pytest.raises(InputArrayError) as error:
        m2solve.Vertices.measured(
            np.zeros((2, 3)), np.ones((2, 3)), error_0=C_0, error_sig=C_0, c_tau=C_TAU,
            flight_prior=prior,
        )  # fmt: skip
    assert word in str(error.value)
