"""What a statistical closure test demands."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from scipy import stats

N = 200_000  # the width of a pull is known to 0.16 %, so one wrong by 1 % fails


def assert_unit_gaussian(pull):
    """Kolmogorov-Smirnov p-value above 1e-3, width 1 to 0.5 %, mean 0 to 4 sigma."""
    assert stats.kstest(pull, "norm").pvalue > 1e-3
    assert abs(np.std(pull) - 1) < 0.005
    assert abs(np.mean(pull)) < 4 / np.sqrt(len(pull))


def assert_unit_gaussian_in_bins(pull, x, edges):
    """The same in each bin of `x` with the statistics there: p-value above 1e-3, 4 sigma."""
    for low, high in pairwise(edges):
        some = pull[(x >= low) & (x < high)]
        assert len(some) > 5000, (low, high)
        assert stats.kstest(some, "norm").pvalue > 1e-3, (low, high)
        assert abs(np.std(some) - 1) < 4 / np.sqrt(2 * len(some)), (low, high)
        assert abs(np.mean(some)) < 4 / np.sqrt(len(some)), (low, high)


def assert_uncorrelated(*pulls):
    """Correlation coefficients within 4 sigma of 0."""
    off_diagonal = np.corrcoef(pulls)[~np.eye(len(pulls), dtype=bool)]
    assert np.max(np.abs(off_diagonal)) < 4 / np.sqrt(len(pulls[0]))


def random_momenta(rng, n, mass, low, high):
    """Momenta uniform in log(p) and isotropic within 20 to 145 degrees."""
    p = np.exp(rng.uniform(np.log(low), np.log(high), n))
    cosine = rng.uniform(np.cos(np.radians(145)), np.cos(np.radians(20)), n)
    phi = rng.uniform(-np.pi, np.pi, n)
    sine = np.sqrt(1 - cosine**2)
    unit = np.stack([sine * np.cos(phi), sine * np.sin(phi), cosine], axis=1)
    return np.column_stack([p[:, None] * unit, np.sqrt(p**2 + mass**2)])


def mass2(p):
    return p[..., 3] ** 2 - np.sum(p[..., :3] ** 2, axis=-1)


def spherical(p4):
    """pT, theta, phi of (n, 4) momenta."""
    pt = np.hypot(p4[:, 0], p4[:, 1])
    return pt, np.arctan2(pt, p4[:, 2]), np.arctan2(p4[:, 1], p4[:, 0])


def wrap(angle):
    return (angle + np.pi) % (2 * np.pi) - np.pi


def impact_sigmas(p4):
    """Resolutions of d0 and z0 at momenta (n, 4), with the numbers of Belle II, mm."""
    p = np.linalg.norm(p4[:, :3], axis=1)
    sine, beta = np.hypot(p4[:, 0], p4[:, 1]) / p, p / p4[:, 3]
    return (
        np.sqrt(0.012**2 + (0.025 / (p * beta * sine**1.5)) ** 2),
        np.sqrt(0.015**2 + (0.027 / (p * beta * sine**2.5)) ** 2),
    )


def straight_line_sigmas(*momenta):
    """Errors (n, 3) of a vertex of straight lines with the impact parameters of `impact_sigmas`."""
    weight = np.zeros((len(momenta[0]), 3, 3))
    for p in momenta:
        sigma_d0, sigma_z0 = impact_sigmas(p)
        pt = np.hypot(p[:, 0], p[:, 1])
        x, y, cot = p[:, 0] / pt, p[:, 1] / pt, p[:, 2] / pt
        for h, sigma in (
            (np.stack([-y, x, 0 * x], axis=1), sigma_d0),
            (np.stack([-cot * x, -cot * y, 1 + 0 * x], axis=1), sigma_z0),
        ):
            weight += h[:, :, None] * h[:, None, :] / sigma[:, None, None] ** 2
    return np.sqrt(np.diagonal(np.linalg.inv(weight), axis1=1, axis2=2))


def assert_covariance_is_right(residual, covariance):
    """Unit Gaussian pulls, chi^2 with three degrees of freedom."""
    sigma = np.sqrt(np.diagonal(covariance, axis1=1, axis2=2))
    n = len(residual)
    for pull in (residual / sigma).T:
        assert abs(np.mean(pull)) < 4 / np.sqrt(n)
        assert abs(np.std(pull) - 1) < 4 / np.sqrt(2 * n)
        assert stats.kstest(pull, "norm").pvalue > 1e-3
    assert stats.kstest(chi2(residual, covariance), "chi2", args=(3,)).pvalue > 1e-3


def chi2(residual, covariance):
    """Squares of (n, 3) residuals in units of covariances (n, 3, 3)."""
    return np.einsum("ni,nij,nj->n", residual, np.linalg.inv(covariance), residual)
