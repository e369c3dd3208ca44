"""Phase space: flat Dalitz plots, invariant masses against integrals, bounds, conservation."""

from __future__ import annotations

import numba
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from simgen.phasespace import (
    MAX_DAUGHTERS,
    best_shares,
    phase_space,
    pole_phase_space,
    tangent_bound,
    two_body_momentum,
)
from simgen.random import open_stream, seek

P_MIN = 1e-3
# A slope of 1 % across a distribution is then at least four standard deviations.
N = 1_000_000
K, PI, MU, D, B = 0.493677, 0.13957039, 0.1056583755, 1.86484, 5.27934


def momentum(mass, mass_1, mass_2):
    """Two-body momentum from the Kallen function, 0 below threshold."""
    kallen = (mass**2 - (mass_1 + mass_2) ** 2) * (mass**2 - (mass_1 - mass_2) ** 2)
    return np.sqrt(np.maximum(kallen, 0.0)) / (2 * mass)


def bound_of(mass, masses):
    """Return the bound the engine uses, and where its tangent touches."""
    shares = np.zeros(MAX_DAUGHTERS)
    best_shares(mass, masses, len(masses), shares)
    return tangent_bound(mass, masses, len(masses), shares), shares[: len(masses) - 1]


# Not cached: numba would not notice a change of `phase_space`.
@numba.njit(error_model="numpy")
def fill(mass, masses, bound, seed, out):
    """Fill (n, daughters, 4) with decays; return the number of exceeded bounds."""
    state = open_stream(seed, 1)
    exceeded = 0
    for i in range(len(out)):
        seek(state, i, 0)
        exceeded += phase_space(mass, masses, len(masses), bound, state, out[i])
    return exceeded


def sample(mass, masses, n, seed=1):
    """Return (n, daughters, 4) momenta and the number of exceeded bounds."""
    masses = np.array(masses, dtype=float)
    bound = bound_of(mass, masses)[0] if len(masses) > 2 else 0.0
    out = np.zeros((n, len(masses), 4))
    return out, fill(mass, masses, bound, seed, out)


def invariant_mass(p):
    return np.sqrt(np.maximum(p[..., 3] ** 2 - np.sum(p[..., :3] ** 2, axis=-1), 0.0))


def weights(mass, masses, n, rng):
    """Return prod_k f_k of n proposals, by another route than the kernel's.

    sqrt(t)-distributed kinetic energies with a fixed sum are a Dirichlet distribution with all
    exponents 3/2; f_k = p_k^2 / t_k with p_k from the Kallen function.
    """
    q = mass - np.sum(masses)
    t = q * rng.dirichlet(np.full(len(masses) - 1, 1.5), n)
    cluster = np.full(n, masses[0])
    weight = np.ones(n)
    for k in range(len(masses) - 1):
        above = cluster + masses[k + 1] + t[:, k]
        m = masses[k + 1]
        # p^2 / t with the factor (above - cluster - m) = t cancelled by hand
        f = (above + cluster + m) * (above - cluster + m) * (above + cluster - m)
        weight *= f / (4 * above**2)
        cluster = above
    return weight


def pair_mass_cdf(mass, pair, others, points=401, nodes=48):
    """Return masses and the distribution function of the invariant mass of `pair`.

    From dPhi ~ prod_k p_k dM_k over the masses of ever larger clusters, integrated by Gauss-
    Legendre quadrature in an angle, which takes the square roots at both ends into account.
    """
    x, w = np.polynomial.legendre.leggauss(nodes)
    angle, w_angle = np.pi / 4 * (x + 1), np.pi / 4 * w

    def integral(total, cluster, rest):
        if len(rest) == 1:
            return momentum(total, cluster, rest[0])
        low, high = cluster + rest[0], total - sum(rest[1:])
        value = 0.0
        for a, wa in zip(angle, w_angle, strict=True):
            middle = low + (high - low) * np.sin(a) ** 2
            jacobian = (high - low) * np.sin(2 * a)
            inner = momentum(middle, cluster, rest[0])
            value = value + wa * jacobian * inner * integral(total, middle, rest[1:])
        return value

    low, high = max(sum(pair), 1e-9), mass - sum(others)
    grid = low + (high - low) * np.sin(np.linspace(0, np.pi / 2, points)) ** 2
    density = momentum(grid, *pair) * integral(mass, grid, others)
    cdf = np.concatenate([[0], np.cumsum(0.5 * (density[1:] + density[:-1]) * np.diff(grid))])
    return grid, cdf / cdf[-1]


class TestTwoBody:
    @pytest.mark.parametrize(
        ("mass", "m_1", "m_2"), [(B, D, MU), (D, K, PI), (0.1349768, 0.0, 0.0), (1.0, 0.0, 0.9)]
    )
    def test_momentum_is_that_of_the_kallen_function(self, mass, m_1, m_2):
        assert two_body_momentum(mass, m_1, m_2) == pytest.approx(momentum(mass, m_1, m_2), 1e-12)

    def test_momentum_at_and_below_threshold_is_zero(self):
        assert two_body_momentum(1.0, 0.5, 0.5) == 0.0
        assert two_body_momentum(0.9, 0.5, 0.5) == 0.0

    def test_momentum_keeps_its_digits_close_to_threshold(self):
        q = 2.0**-40
        expected = 0.5 * np.sqrt(q * (2.0 + q))  # equal masses of half a GeV
        assert two_body_momentum(1.0 + q, 0.5, 0.5) == pytest.approx(expected, rel=1e-14)

    def test_direction_is_isotropic(self):
        p, _ = sample(D, [K, PI], N)
        unit = p[:, 0, :3] / np.linalg.norm(p[:, 0, :3], axis=1, keepdims=True)
        for column in unit.T:
            assert stats.kstest(column, "uniform", args=(-1, 2)).pvalue > P_MIN


class TestThreeBody:
    @pytest.mark.parametrize(
        ("mass", "masses"), [(B, (K, 1.77693, MU)), (D, (K, PI, PI)), (1.77693, (MU, 0.0, 0.0))]
    )
    def test_dalitz_plot_is_flat(self, mass, masses):
        cells = 16
        p, exceeded = sample(mass, masses, N)
        assert exceeded == 0
        m_1, m_2, m_3 = masses
        s_12 = invariant_mass(p[:, 0] + p[:, 1]) ** 2
        s_23 = invariant_mass(p[:, 1] + p[:, 2]) ** 2

        def limits(s):
            """Kinematic limits of s_23 for given s_12."""
            root = np.sqrt(s)
            e_2 = (s - m_1**2 + m_2**2) / (2 * root)
            e_3 = (mass**2 - s - m_3**2) / (2 * root)
            p_2, p_3 = momentum(root, m_1, m_2), (2 * mass) * momentum(mass, root, m_3) / (2 * root)
            total = (e_2 + e_3) ** 2
            return total - (p_2 + p_3) ** 2, total - (p_2 - p_3) ** 2

        x = np.linspace((m_1 + m_2) ** 2, (mass - m_3) ** 2, cells + 1)
        y = np.linspace((m_2 + m_3) ** 2, (mass - m_1) ** 2, cells + 1)
        fine = np.linspace(x[0], x[-1], 40_001)
        low, high = limits(np.maximum(fine, x[0] * (1 + 1e-12) + 1e-15))
        height = high - low
        area = np.trapezoid(height, fine)
        for found, expected in (
            (s_12, np.trapezoid(height * fine, fine) / area),
            (s_23, np.trapezoid(height * (low + high) / 2, fine) / area),
        ):
            pull = (found.mean() - expected) / (found.std() / np.sqrt(N))
            assert abs(pull) < 3.3
        counts, _, _ = np.histogram2d(s_12, s_23, bins=(x, y))
        observed, expected = [], []
        for i in range(cells):
            inside_x = (fine >= x[i]) & (fine <= x[i + 1])
            bottom, top = low[inside_x].max(), high[inside_x].min()
            for j in range(cells):
                if bottom < y[j] and y[j + 1] < top:
                    observed.append(counts[i, j])
                    expected.append(N * (x[i + 1] - x[i]) * (y[j + 1] - y[j]) / area)
        observed, expected = np.array(observed), np.array(expected)
        assert len(observed) > 60
        # the number inside is tested too: the expectation is absolute
        chi2 = np.sum((observed - expected) ** 2 / expected)
        assert stats.chi2.sf(chi2, len(observed)) > P_MIN

    def test_plane_of_the_decay_is_isotropic(self):
        p, _ = sample(B, (K, 1.77693, MU), N)
        normal = np.cross(p[:, 0, :3], p[:, 1, :3])
        normal /= np.linalg.norm(normal, axis=1, keepdims=True)
        first = p[:, 2, :3] / np.linalg.norm(p[:, 2, :3], axis=1, keepdims=True)
        for column in (*normal.T, *first.T):
            assert stats.kstest(column, "uniform", args=(-1, 2)).pvalue > P_MIN


class TestManyBody:
    @pytest.mark.parametrize(
        ("mass", "masses"),
        [
            (D, (K, PI, PI, PI)),
            (B, (D, MU, 0.0, 0.0)),
            (D, (K, PI, PI, PI, 0.1349768)),
            (1.77693, (PI, PI, PI, 0.1349768, 0.0)),
        ],
    )
    def test_every_pair_of_neighbours_has_the_mass_spectrum_of_the_integral(self, mass, masses):
        p, exceeded = sample(mass, masses, N)
        assert exceeded == 0
        n = len(masses)
        for i, j in ((0, 1), (n - 2, n - 1), (0, n - 1)):
            others = [m for k, m in enumerate(masses) if k not in {i, j}]
            grid, cdf = pair_mass_cdf(mass, (masses[i], masses[j]), others)
            found = invariant_mass(p[:, i] + p[:, j])
            test = stats.kstest(found, lambda m, g=grid, c=cdf: np.interp(m, g, c))
            assert test.pvalue > P_MIN, (i, j)

    def test_six_bodies_agree_with_weighted_genbod(self):
        """The energy of one of six pions, against uniform cluster masses with weights."""
        mass, n = D, 2_000_000
        masses = np.full(6, PI)
        rng = np.random.default_rng(5)
        q = mass - masses.sum()
        clusters = np.sort(rng.random((n, 4)), axis=1) * q + np.cumsum(masses)[1:-1]
        clusters = np.column_stack([np.full(n, PI), clusters, np.full(n, mass)])
        weight = np.prod([momentum(clusters[:, k + 1], clusters[:, k], PI) for k in range(5)], 0)
        energy = np.sqrt(momentum(mass, clusters[:, 4], PI) ** 2 + PI**2)
        p, exceeded = sample(mass, masses, 200_000)
        assert exceeded == 0
        edges = np.quantile(p[:, 5, 3], np.linspace(0, 1, 21)[1:-1])
        edges = np.concatenate([[0], edges, [mass]])
        counts, _ = np.histogram(p[:, 5, 3], edges)
        expected, _ = np.histogram(energy, edges, weights=weight)
        variance, _ = np.histogram(energy, edges, weights=weight**2)
        scale = 200_000 / weight.sum()
        chi2 = np.sum((counts - scale * expected) ** 2 / (counts + scale**2 * variance))
        assert stats.chi2.sf(chi2, len(counts) - 1) > P_MIN

    def test_directions_are_isotropic(self):
        p, _ = sample(D, (K, PI, PI, PI), 200_000)
        for daughter in range(4):
            unit = p[:, daughter, :3] / np.linalg.norm(p[:, daughter, :3], axis=1, keepdims=True)
            for column in unit.T:
                assert stats.kstest(column, "uniform", args=(-1, 2)).pvalue > P_MIN


class TestBound:
    @given(
        light=st.lists(
            st.sampled_from([0.0, 1e-6, 0.000511, 0.1, 0.5, 1.8]), min_size=3, max_size=7
        ),
        q=st.sampled_from([1e-6, 1e-3, 0.05, 1.0, 20.0]),
        touch=st.sampled_from(["best", "even", "other"]),
    )
    @settings(max_examples=120, deadline=None, derandomize=True)
    def test_is_never_exceeded(self, light, q, touch):
        masses = np.array(light)
        mass = masses.sum() + q
        n = len(masses)
        if touch == "best":
            bound, _ = bound_of(mass, masses)
        elif touch == "even":
            bound = tangent_bound(mass, masses, n, np.full(n, 1.0 / (n - 1)))
        else:
            # where masses vary, the engine uses the point found for other masses
            shares = np.zeros(MAX_DAUGHTERS)
            best_shares(2.0 + n, np.linspace(0.1, 1.0, n), n, shares)
            bound = tangent_bound(mass, masses, n, shares)
        largest = weights(mass, masses, 4000, np.random.default_rng(1)).max()
        # the kernel's masses and these differ by the rounding of the sum
        assert largest <= bound * (1 + 1e-7)

    @pytest.mark.parametrize(
        ("mass", "masses"),
        [
            (B, (K, 1.77693, MU)),
            (1.77693, (MU, 0.0, 0.0)),
            (B, (D, MU, 0.0)),
            (D, (K, PI, PI)),
            (D, (K, PI, PI, PI)),
            (D, (K, PI, PI, PI, PI)),
            (B, (D, PI, PI, PI, PI, 0.1349768)),
            (B, (PI,) * 8),
        ],
    )
    def test_accepts_at_least_half_of_the_trials(self, mass, masses):
        bound, _ = bound_of(mass, np.array(masses))
        ratio = weights(mass, masses, 50_000, np.random.default_rng(2)) / bound
        assert np.sqrt(ratio).mean() > 0.5

    def test_best_shares_are_the_maximum(self):
        masses = np.array([K, PI, 0.0, MU, 0.5])
        _, shares = bound_of(D, masses)
        q = D - masses.sum()

        def logarithm(x):
            cluster, value = masses[0], 0.0
            for m, t in zip(masses[1:], q * x, strict=True):
                above = cluster + m + t
                f = (above + cluster + m) * (above - cluster + m) * (above + cluster - m)
                value += np.log(f / (4 * above**2))
                cluster = above
            return value

        best = logarithm(shares)
        rng = np.random.default_rng(3)
        for _ in range(200):
            near = np.abs(shares + rng.normal(size=4) * 1e-3)
            assert logarithm(near / near.sum()) <= best + 1e-9


class TestConservation:
    @pytest.mark.parametrize("n", [2, 3, 4, 5, 8, MAX_DAUGHTERS])
    def test_momenta_add_up_and_masses_are_kept(self, n):
        masses = np.linspace(0.0, 0.3, n)
        mass = masses.sum() + 1.3
        p, exceeded = sample(mass, masses, 300)
        assert exceeded == 0
        total = p.sum(axis=1)
        np.testing.assert_allclose(total[:, :3], 0.0, atol=1e-13 * mass)
        np.testing.assert_allclose(total[:, 3], mass, rtol=1e-13)
        square = p[..., 3] ** 2 - np.sum(p[..., :3] ** 2, axis=-1)
        np.testing.assert_allclose(square, np.broadcast_to(masses**2, square.shape), atol=1e-12)

    def test_one_daughter_takes_everything(self):
        p, _ = sample(0.497611, [0.497611], 1)
        np.testing.assert_array_equal(p[0, 0], [0.0, 0.0, 0.0, 0.497611])

    def test_three_bodies_just_above_threshold(self):
        p, _ = sample(0.6 + 1e-9, [0.1, 0.2, 0.3], 100)
        assert np.isfinite(p).all()
        np.testing.assert_allclose(p.sum(axis=1)[:, 3], 0.6 + 1e-9, rtol=1e-14)


@numba.njit(error_model="numpy")
def fill_pole(mass, masses, first, out):
    state = open_stream(1, 1)
    for i in range(len(out)):
        seek(state, i, 0)
        pole_phase_space(mass, masses, first, state, out[i])


@pytest.mark.parametrize("first", [0, 1])
@pytest.mark.parametrize(("mass", "masses"), [(PI, (MU / 200, MU / 200, 0)), (B, (PI, K, D))])
def test_pole_divides_phase_space_by_the_square_of_the_pairs_mass(mass, masses, first):
    """dN ~ p_1 p_2 dm / m^2; all else is as in phase space, which fixes the other pairs."""
    n = 200_000
    out = np.zeros((n, 3, 4))
    given = np.roll(np.array(masses, dtype=float), first)
    fill_pole(mass, given, first, out)
    out = np.roll(out, -first, axis=1)  # the pair in front again
    np.testing.assert_allclose(out.sum(axis=1), np.tile([0, 0, 0, mass], (n, 1)), atol=1e-13)
    pair = invariant_mass(out[:, 0] + out[:, 1])
    low, high = masses[0] + masses[1], mass - masses[2]
    grid = np.geomspace(low, high, 20_001)
    density = momentum(grid, *masses[:2]) * momentum(mass, grid, masses[2]) / grid
    cdf = np.append(0, np.cumsum((density[1:] + density[:-1]) * np.diff(np.log(grid))))
    assert stats.kstest(pair, lambda m: np.interp(m, grid, cdf / cdf[-1])).pvalue > P_MIN
    # uniform decay of the pair: the energy of its first particle at fixed m
    p_1, p_2 = momentum(pair, *masses[:2]), momentum(mass, pair, masses[2])
    middle = np.hypot(p_1, masses[0]) * np.hypot(p_2, pair) / pair
    cosine = (out[:, 0, 3] - middle) / (p_1 * p_2 / pair)
    assert stats.kstest(cosine, stats.uniform(-1, 2).cdf).pvalue > P_MIN
    for axis in range(3):
        direction = out[:, 2, axis] / np.linalg.norm(out[:, 2, :3], axis=1)
        assert stats.kstest(direction, stats.uniform(-1, 2).cdf).pvalue > P_MIN
