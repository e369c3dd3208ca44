"""Impact parameters: their resolution, and their independence of the momentum."""

from __future__ import annotations

import numpy as np
import pytest
from closure import (
    N,
    assert_uncorrelated,
    assert_unit_gaussian,
    assert_unit_gaussian_in_bins,
    impact_sigmas,
    random_momenta,
    spherical,
    wrap,
)
from decay_trees import event, signal, tag
from helices import perigee_of
from scipy.interpolate import RegularGridInterpolator

from detector.candidates import smear_block
from detector.config import CandidateConfig
from detector.impact import smear_perigees
from detector.profiles import load_profile
from detector.tracks import smear_tracks
from simgen.errors import ConfigError

M_PI = 0.13957039
CURVATURE = 0.299792458e-3


@pytest.fixture(scope="module")
def measured(belle2):
    """True momenta, charges and origins of pions, with measured tracks and variances."""
    rng = np.random.default_rng(1)
    p4 = random_momenta(rng, N, M_PI, 0.1, 4.0)
    charge = rng.choice([-1, 1], N)
    production = rng.normal(0, [0.1, 0.1, 0.3], (N, 3))
    event, index = np.arange(N), np.full(N, 5)
    momenta = smear_tracks(p4, event, index, belle2.tracks, 3)
    tracks, variances = smear_perigees(
        p4, momenta, charge, production, event, index, belle2.tracks, 3
    )
    return p4, charge, production, momenta, tracks, variances


def true_perigees(p4, charge, production):
    pt, phi = np.hypot(p4[:, 0], p4[:, 1]), np.arctan2(p4[:, 1], p4[:, 0])
    omega = -CURVATURE * 1.5 * charge / pt
    rows = zip(production, phi, omega, p4[:, 2] / pt, strict=True)
    return np.array([perigee_of(*row) for row in rows])


class TestClosure:
    def test_pulls_of_impact_parameters(self, measured):
        p4, charge, production, _, tracks, _ = measured
        true = true_perigees(p4, charge, production)
        sigma_d0, sigma_z0 = impact_sigmas(p4)
        d0, z0 = (tracks[:, 0] - true[:, 0]) / sigma_d0, (tracks[:, 3] - true[:, 3]) / sigma_z0
        assert_unit_gaussian(d0)
        assert_unit_gaussian(z0)
        momentum = (
            wrap(tracks[:, 1] - true[:, 1]), tracks[:, 2] / true[:, 2], tracks[:, 4] - true[:, 4]
        )  # fmt: skip
        assert_uncorrelated(d0, z0, *(np.argsort(np.argsort(m)) for m in momentum))

    def test_variances_are_those_of_the_errors(self, measured):
        p4, charge, production, _, tracks, variances = measured
        some = slice(0, 50_000)
        true = true_perigees(p4[some], charge[some], production[some])
        residual = tracks[some] - true
        residual[:, 1] = wrap(residual[:, 1])
        for i in range(5):
            pull = residual[:, i] / np.sqrt(variances[some, i])
            # the variance is that at the measured momentum, off by its error, up to 1 %
            assert np.std(pull) == pytest.approx(1.0, abs=0.015), i

    def test_direction_is_that_of_the_measured_momentum(self, measured):
        p4, _, _, momenta, tracks, _ = measured
        np.testing.assert_allclose(
            1 / np.abs(tracks[:, 2]), np.hypot(momenta[:, 0], momenta[:, 1]) / (1.5 * CURVATURE)
        )
        turned = wrap(tracks[:, 1] - np.arctan2(momenta[:, 1], momenta[:, 0]))
        assert np.max(np.abs(turned)) < 1.5 * CURVATURE / np.hypot(p4[:, 0], p4[:, 1]).min() * 2.0


P, THETA = [0.1, 0.5, 1.5, 4.0], [20.0, 60.0, 100.0, 145.0]
D0 = [[0.4, 0.2, 0.1, 0.3], [0.1, 0.03, 0.02, 0.1], [0.05, 0.02, 0.01, 0.04], [0.3, 0.0, 0.1, 0.2]]
Z0 = [0.5, 0.05, 0.1]  # bins of pT
PT = [0.0, 0.4, 1.0, 4.0]
IMPACT = {
    "d0": {"hits": 0.0, "scattering": 0.0,
           "table": {"axes": {"p": P, "theta": THETA}, "values": D0}},
    "z0": {"table": {"axes": {"pt": PT}, "values": Z0}},
}  # fmt: skip


@pytest.fixture(scope="module")
def tabled():
    """Momenta, pulls of d0 and z0, and the variances over the squared resolutions."""
    profile = load_profile("belle2", {"tracks": {"impact": IMPACT}}).tracks
    p4 = random_momenta(np.random.default_rng(5), N, M_PI, 0.1, 4.0)
    charge, origin = np.ones(N, dtype=np.int64), np.zeros((N, 3))
    keys = np.arange(N), np.full(N, 5)
    momenta = smear_tracks(p4, *keys, profile, 4)
    tracks, variances = smear_perigees(p4, momenta, charge, origin, *keys, profile, 4)
    at = [np.column_stack([np.linalg.norm(m[:, :3], axis=1), np.degrees(spherical(m)[1])])
          for m in (p4, momenta)]  # fmt: skip
    d0 = RegularGridInterpolator((P, THETA), D0)
    bins = [np.array(Z0)[np.searchsorted(PT[1:-1], spherical(m)[0])] for m in (p4, momenta)]
    z0 = [np.hypot(impact_sigmas(m)[1], z) for m, z in zip((p4, momenta), bins, strict=True)]
    ends = np.array([[P[0], THETA[0]], [P[-1], THETA[-1]]])
    stated = np.column_stack([d0(np.clip(at[1], *ends)), z0[1]])
    pulls = tracks[:, 0] / d0(np.clip(at[0], *ends)), tracks[:, 3] / z0[0]
    return p4, pulls, variances[:, [0, 3]] / (stated**2 + 1e-12)


class TestTables:
    """A table alone for d0, one beside the other terms for z0."""

    @pytest.mark.parametrize("which", [0, 1], ids=["d0", "z0"])
    def test_pulls_are_unit_gaussians_everywhere(self, tabled, which):
        p4, pulls, _ = tabled
        pt, theta, _ = spherical(p4)
        assert_unit_gaussian(pulls[which])
        assert_unit_gaussian_in_bins(pulls[which], pt, [0.05, 0.2, 0.4, 0.7, 1.0, 4.0])
        assert_unit_gaussian_in_bins(pulls[which], np.degrees(theta), [20, 50, 80, 110, 145])
        with pytest.raises(AssertionError):
            assert_unit_gaussian(1.01 * pulls[which])

    def test_variances_are_those_at_the_measured_momentum(self, tabled):
        np.testing.assert_allclose(tabled[2], 1.0, rtol=1e-8)


def test_a_fitted_vertex_follows_tables_of_impact_parameters(make):
    """Twice the resolution of all tracks is twice the uncertainty."""
    block = make(event(signal(2), tag("D")), n=300)
    tables = []
    for factor in (1.0, 2.0):
        table = {"axes": {"p": [0.0, 8.0]}, "values": [0.01 * factor, 0.03 * factor]}
        curve = {"hits": 0.0, "scattering": 0.0, "table": table}
        overrides = {"tracks": {"impact": {"d0": curve, "z0": curve}},
                     "vertices": {"method": "fit"}}  # fmt: skip
        profile = load_profile("belle2", overrides)
        tables.append(smear_block(block, profile, CandidateConfig(), seed=5)[0])
    ratio = tables[1].r_sig_sigma / tables[0].r_sig_sigma
    assert np.median(ratio) == pytest.approx(2.0, rel=0.01)


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ({"axes": {"p": [1, 2]}, "values": [0.01, 11.0]}, ["between 0 and 10", "11"]),
        ({"axes": {"energy": [1, 2]}, "values": [0.01, 0.02]}, ["no axis 'energy'", "pt (GeV)"]),
        (-0.01, ["between 0 and 10", "-0.01"]),
    ],
)
def test_a_bad_table_is_refused(table, words):
    with pytest.raises(ConfigError) as error:
        load_profile("belle2", {"tracks": {"impact": {"d0": {"table": table}}}})
    for word in ["tracks.impact.d0.table", *words]:
        assert word in str(error.value)


def test_a_perfect_track_has_the_true_perigee(perfect):
    rng = np.random.default_rng(2)
    p4 = random_momenta(rng, 100, M_PI, 0.1, 4.0)
    charge, production = rng.choice([-1, 1], 100), rng.normal(0, 0.5, (100, 3))
    event, index = np.arange(100), np.zeros(100, dtype=np.int64)
    tracks, variances = smear_perigees(
        p4, p4, charge, production, event, index, perfect.tracks, 1, np.zeros(3)
    )
    np.testing.assert_allclose(tracks, true_perigees(p4, charge, production), atol=1e-10)
    np.testing.assert_allclose(np.sqrt(variances[:, [0, 3]]), 1e-6)


def test_another_reference_is_another_origin(perfect):
    rng = np.random.default_rng(2)
    p4 = random_momenta(rng, 10, M_PI, 0.1, 4.0)
    where = {"charge": np.ones(10, dtype=np.int64), "event_id": np.arange(10),
             "index": np.arange(10), "profile": perfect.tracks, "seed": 1}  # fmt: skip
    production, shift = rng.normal(0, 0.5, (10, 3)), np.array([0.3, -0.2, 5.0])
    one, _ = smear_perigees(p4, p4, production=production, **where)
    other, _ = smear_perigees(p4, p4, production=production + shift, reference=shift, **where)
    np.testing.assert_allclose(other, one, atol=1e-12)
