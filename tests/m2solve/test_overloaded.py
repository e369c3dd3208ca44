"""M2sBV: vertex likelihood, weights of the two solutions, posterior of the one angle."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import dblquad, quad
from scipy.stats import multivariate_normal

import m2solve
from m2solve import Status
from m2solve.vertices import log_likelihood
from simgen.errors import InputArrayError

C_TAU = 0.4911
ERROR_0 = [0.010, 0.0003, 0.350]
ERROR_B = [0.025, 0.025, 0.025]


def vertices(events, *, with_tag):
    tag = {"r_tag": events.r_tag, "error_tag": ERROR_B} if with_tag else {}
    return m2solve.Vertices.measured(
        events.r_0, events.r_sig, error_0=ERROR_0, error_sig=ERROR_B, c_tau=C_TAU, **tag
    )


def figure_of_merit(mass):
    """S / sqrt(B) over a flat background in 10 MeV bins."""
    share = np.histogram(mass, bins=160, range=(1.0, 2.6))[0] / len(mass)
    return np.sqrt(np.sum(share**2) / 0.01)


class TestLikelihood:
    """Ratios of likelihoods against direct integrals over the Gaussian errors."""

    G = np.array([[0.02, 0.03, 0.31], [-0.05, 0.01, 0.24], [0.0, -0.06, -0.05]])
    H = np.array([[0.04, -0.02, 0.22], [0.06, 0.0, 0.28], [0.0, 0.05, 0.55]])
    D, E = np.array([0.02, 0.01, -0.15]), np.array([0.03, -0.01, 0.21])

    def kernel(self, measured, g, h, with_tag):
        return log_likelihood(
            *g,
            *h,
            measured.flight_sig[0],
            measured.flight_tag[0] if with_tag else measured.flight_sig[0],
            measured.weight_sig[0],
            measured.weight_tag[0],
            measured.weight_cross[0],
            1.0 / C_TAU,
            with_tag,
        )

    def test_signal_vertex_alone(self):
        measured = m2solve.Vertices.measured(
            np.zeros((1, 3)), self.D[None], error_0=ERROR_0, error_sig=ERROR_B, c_tau=C_TAU
        )
        covariance = np.diag(np.square(ERROR_0) + np.square(ERROR_B))
        normal = multivariate_normal(np.zeros(3), covariance)

        def direct(g):
            return quad(
                lambda s: normal.pdf(self.D - s * g) * np.exp(-s / C_TAU), 0, 10, points=[0.1, 1]
            )[0]

        expected = np.log([direct(g) for g in self.G])
        found = [self.kernel(measured, g, self.H[0], False) for g in self.G]
        assert np.allclose(np.diff(found), np.diff(expected), atol=1e-6)

    def test_both_vertices_share_the_error_of_the_primary(self):
        measured = m2solve.Vertices.measured(
            np.zeros((1, 3)),
            self.D[None],
            self.E[None],
            error_0=ERROR_0,
            error_sig=ERROR_B,
            error_tag=ERROR_B,
            c_tau=C_TAU,
        )
        c_0, c_b = np.diag(np.square(ERROR_0)), np.diag(np.square(ERROR_B))
        normal = multivariate_normal(np.zeros(6), np.block([[c_0 + c_b, c_0], [c_0, c_0 + c_b]]))
        data = np.concatenate([self.D, self.E])

        def direct(g, h):
            def integrand(u, s):
                mean = np.concatenate([s * g, u * h])
                return normal.pdf(data - mean) * np.exp(-(s + u) / C_TAU)

            return dblquad(integrand, 0, 6, 0, 6, epsrel=1e-6)[0]

        expected = np.log([direct(g, h) for g, h in zip(self.G, self.H, strict=True)])
        found = [self.kernel(measured, g, h, True) for g, h in zip(self.G, self.H, strict=True)]
        assert np.allclose(np.diff(found), np.diff(expected), atol=1e-3)


class TestWeights:
    def solve(self, events, tools, *, with_tag, m_sig):
        return m2solve.solve(
            "M2sBV",
            events.visible_sig,
            events.visible_tag,
            events.total,
            m_sig=m_sig,
            m_tag=0.0,
            parent_mass=tools.M_B,
            vertices=vertices(events, with_tag=with_tag),
        )

    def test_solutions_are_those_of_m2sb_with_the_likelier_first(self, hadronic, tools):
        plain = m2solve.solve(
            "M2sB",
            hadronic.visible_sig,
            hadronic.visible_tag,
            hadronic.total,
            m_sig=0.0,
            m_tag=0.0,
            parent_mass=tools.M_B,
        )
        weighted = self.solve(hadronic, tools, with_tag=True, m_sig=0.0)
        assert np.all(weighted.weight[:, 0] >= 0.5)
        assert np.allclose(np.sum(weighted.weight, axis=1), 1.0)
        assert np.array_equal(np.sort(weighted.k_sig, axis=1), np.sort(plain.k_sig, axis=1))
        assert np.array_equal(weighted.status, plain.status)
        assert np.all(weighted.weight[plain.n_solutions == 1, 0] == 1.0)

    @pytest.mark.parametrize("with_tag", [False, True])
    def test_weight_is_the_probability_to_be_right_on_exact_momenta(self, tools, with_tag):
        """Exact momenta, smeared vertices: weights are frequencies (pull of each bin)."""
        smeared = tools.make_smeared(40_000, leptonic=False, seed=61)
        truth, _ = tools.make_events(40_000, leptonic=False, seed=61)
        events = tools.Events(
            **{
                name: getattr(smeared if name.startswith("r_") else truth, name)
                for name in truth.__dataclass_fields__
            }
        )
        solution = self.solve(events, tools, with_tag=with_tag, m_sig=0.0)
        right = np.linalg.norm(solution.k_sig[:, 0] - events.k_sig, axis=1) < 1e-5
        for low in (0.5, 0.6, 0.7, 0.8, 0.9, 0.97):
            chosen = (solution.weight[:, 0] >= low) & (solution.weight[:, 0] < low + 0.1)
            expected = np.mean(solution.weight[chosen, 0])
            error = np.sqrt(expected * (1 - expected) / np.sum(chosen))
            assert abs(np.mean(right[chosen]) - expected) < 4 * error

    @pytest.mark.parametrize(("with_tag", "gain"), [(False, 1.12), (True, 1.22)])
    def test_hadronic_gain_in_the_figure_of_merit(self, hadronic, tools, with_tag, gain):
        solution = self.solve(hadronic, tools, with_tag=with_tag, m_sig=0.0)
        cosine = m2solve.cos_theta_tag(hadronic.p_kl[:, None], solution.parent_tag, hadronic.total)
        mass = m2solve.m_recoil(hadronic.p_kl[:, None], cosine, hadronic.total, tools.M_B)
        either = np.random.default_rng(1).integers(0, 2, len(mass))
        base = figure_of_merit(mass[np.arange(len(mass)), either])
        assert figure_of_merit(mass[:, 0]) > gain * base

    def test_expectation_over_the_solutions(self, hadronic, tools):
        solution = self.solve(hadronic, tools, with_tag=True, m_sig=0.0)
        mean, spread = solution.expectation(np.tile([1.0, 3.0], (len(solution), 1)))
        assert np.allclose(mean, 1.0 + 2.0 * solution.weight[:, 1])
        assert np.allclose(spread, 2.0 * np.sqrt(np.prod(solution.weight, axis=1)))
        with pytest.raises(InputArrayError, match="quantity has shape"):
            solution.expectation(np.zeros(3))

    def test_vertex_that_is_not_finite(self, hadronic, tools):
        r_sig = hadronic.r_sig.copy()
        r_sig[5, 1] = np.nan
        measured = m2solve.Vertices.measured(
            hadronic.r_0, r_sig, error_0=ERROR_0, error_sig=ERROR_B, c_tau=C_TAU
        )
        solution = m2solve.solve(
            "M2sBV",
            hadronic.visible_sig,
            hadronic.visible_tag,
            hadronic.total,
            m_sig=0.0,
            m_tag=0.0,
            parent_mass=tools.M_B,
            vertices=measured,
        )
        assert solution.status[5] == Status.UNPHYSICAL
        assert np.sum(solution.status == Status.UNPHYSICAL) == 1
        assert np.isnan(solution.weight[5]).all()


class TestConePosterior:
    HIGHEST = (1.77686 - 0.1056584) ** 2

    def solve(self, events, tools, measured):
        return m2solve.cone_posterior(
            events.visible_sig,
            events.visible_tag,
            events.total,
            events.p_kl,
            density=m2solve.flat_density(self.HIGHEST),
            m_tag=0.0,
            parent_mass=tools.M_B,
            vertices=measured,
        )

    @pytest.mark.parametrize(("with_tag", "gain"), [(False, 1.30), (True, 1.42)])
    def test_leptonic_gain_in_the_figure_of_merit(self, leptonic, tools, with_tag, gain):
        m_sig = m2solve.m_hat(leptonic.visible_sig, leptonic.total, tools.M_B)
        plain = m2solve.solve(
            "M2sB",
            leptonic.visible_sig,
            leptonic.visible_tag,
            leptonic.total,
            m_sig=m_sig,
            m_tag=0.0,
            parent_mass=tools.M_B,
        )
        cosine = m2solve.cos_theta_tag(leptonic.p_kl[:, None], plain.parent_tag, leptonic.total)
        mass = m2solve.m_recoil(leptonic.p_kl[:, None], cosine, leptonic.total, tools.M_B)
        either = np.random.default_rng(1).integers(0, 2, len(mass))
        base = figure_of_merit(mass[np.arange(len(mass)), either])
        posterior = self.solve(leptonic, tools, vertices(leptonic, with_tag=with_tag))
        found = m2solve.m_recoil(leptonic.p_kl, posterior.cos_theta, leptonic.total, tools.M_B)
        assert figure_of_merit(found) > gain * base

    @pytest.mark.parametrize("with_tag", [False, True])
    def test_interval_covers_68_percent_and_median_is_unbiased(self, leptonic, tools, with_tag):
        posterior = self.solve(leptonic, tools, vertices(leptonic, with_tag=with_tag))
        truth = m2solve.cos_theta_tag(leptonic.p_kl, leptonic.parent_tag, leptonic.total)
        solved = posterior.status == Status.SOLVED
        inside = (truth > posterior.cos_theta_low) & (truth < posterior.cos_theta_high)
        assert np.mean(solved) > 0.95
        assert np.mean(inside[solved]) == pytest.approx(0.68, abs=0.03)
        assert np.mean((truth < posterior.cos_theta)[solved]) == pytest.approx(0.5, abs=0.02)

    def test_momenta_at_the_median_meet_the_exact_constraints(self, leptonic, tools):
        posterior = self.solve(leptonic, tools, vertices(leptonic, with_tag=True))
        solved = posterior.status == Status.SOLVED
        parents = (
            leptonic.visible_sig[solved] + posterior.k_sig[solved, 0],
            leptonic.visible_tag[solved] + posterior.k_tag[solved, 0],
        )
        assert np.allclose(parents[0] + parents[1], leptonic.total, atol=1e-8)
        for parent in parents:
            assert np.allclose(tools.mass(parent), tools.M_B, rtol=1e-8)
        cosine = m2solve.cos_theta_tag(leptonic.p_kl[solved], parents[1], leptonic.total)
        assert np.quantile(np.abs(cosine - posterior.cos_theta[solved]), 0.95) < 0.1

    def test_prior_alone_needs_no_vertices(self, leptonic, tools):
        posterior = self.solve(leptonic, tools, None)
        ordered = posterior.status == Status.SOLVED
        assert np.all(posterior.cos_theta_low[ordered] <= posterior.cos_theta[ordered])
        assert np.all(posterior.cos_theta[ordered] <= posterior.cos_theta_high[ordered])

    def test_status_says_why_an_interval_is_nan(self, leptonic, tools):
        posterior = self.solve(leptonic, tools, None)
        projected = posterior.status == Status.PROJECTED
        assert np.any(projected)
        assert np.array_equal(np.isnan(posterior.cos_theta_low), projected)
        assert np.all(np.isfinite(posterior.cos_theta))


class TestDensities:
    def test_v_minus_a_shape_for_a_massless_lepton(self):
        """(1 - x)^2 (1 + 2 x), x = q^2 / m_tau^2."""
        density = m2solve.v_minus_a_density(1.77686, 0.0)
        x = np.linspace(0, 1, len(density.values))
        expected = (1 - x) ** 2 * (1 + 2 * x)
        assert np.allclose(density.values / density.values[0], expected, atol=1e-12)

    def test_phase_space_matches_generated_events(self, tools):
        events, _ = tools.make_events(100_000, leptonic=True, seed=73)
        density = m2solve.phase_space_density(1.77686, 0.1056584)
        q2 = np.sort(events.m_sig**2)
        grid = np.linspace(0, density.highest, len(density.values))
        steps = 0.5 * (density.values[1:] + density.values[:-1])
        cumulative = np.concatenate([[0.0], np.cumsum(steps)]) / np.sum(steps)
        ranks = (np.arange(len(q2)) + 0.5) / len(q2)
        distance = np.max(np.abs(np.interp(q2, grid, cumulative) - ranks))
        # Kolmogorov-Smirnov distance at p = 0.001
        assert distance < 1.95 / np.sqrt(len(q2))

    def test_density_of_a_sample(self):
        rng = np.random.default_rng(6)
        density = m2solve.density_of_sample(rng.triangular(0, 1, 2, 200_000), 2.0)
        middle = density.values[len(density.values) // 2]
        quarter = density.values[len(density.values) // 4]
        assert middle / quarter == pytest.approx(2.0, rel=0.05)

    def test_unusable_densities(self):
        with pytest.raises(InputArrayError, match="must be at least two"):
            m2solve.InvisibleDensity(np.array([1.0, -1.0]), 1.0)
        with pytest.raises(InputArrayError, match="highest"):
            m2solve.flat_density(0.0)
        with pytest.raises(InputArrayError, match="lighter"):
            m2solve.phase_space_density(0.1, 1.7)


class TestVerticesInput:
    R = np.zeros((2, 3))

    @pytest.mark.parametrize(
        ("changes", "message"),
        [
            ({"error_0": [0.0, 1.0, 1.0]}, "error_0 is not positive definite in row 0"),
            ({"error_sig": [1.0, 1.0]}, r"error_sig has shape \(2,\)"),
            ({"error_sig": [np.nan, 1.0, 1.0]}, "error_sig is not finite in row 0"),
            ({"r_sig": np.zeros((3, 3))}, "r_sig has 3 rows, but r_0 has 2"),
            ({"c_tau": 0.0}, "c_tau = 0.0 mm"),
            ({"r_tag": np.zeros((2, 3))}, "r_tag and error_tag belong together"),
        ],
    )
    def test_unusable_argument_is_named(self, changes, message):
        good = {"r_0": self.R, "r_sig": self.R, "error_0": [1.0] * 3, "error_sig": [1.0] * 3}
        with pytest.raises(InputArrayError, match=message):
            m2solve.Vertices.measured(**(good | {"c_tau": C_TAU} | changes))

    def test_standard_deviations_and_covariances_are_the_same(self):
        one = m2solve.Vertices.measured(
            self.R, self.R, error_0=ERROR_0, error_sig=ERROR_B, c_tau=C_TAU
        )
        two = m2solve.Vertices.measured(
            self.R,
            self.R,
            error_0=np.diag(np.square(ERROR_0)),
            error_sig=np.tile(np.diag(np.square(ERROR_B)), (2, 1, 1)),
            c_tau=C_TAU,
        )
        assert np.allclose(one.weight_sig, two.weight_sig)

    def test_other_number_of_events(self, hadronic, tools):
        measured = m2solve.Vertices.measured(
            self.R, self.R, error_0=ERROR_0, error_sig=ERROR_B, c_tau=C_TAU
        )
        with pytest.raises(InputArrayError, match="vertices has 2 rows"):
            m2solve.solve(
                "M2sBV",
                hadronic.visible_sig,
                hadronic.visible_tag,
                hadronic.total,
                m_sig=0.0,
                m_tag=0.0,
                parent_mass=tools.M_B,
                vertices=measured,
            )
