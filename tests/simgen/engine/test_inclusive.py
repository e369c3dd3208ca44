"""Decays to X_u and X_s, whose model draws the mass: spectra against integrals; fixed seeds."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from chains import child_rows, make_events, rows_of
from scipy import integrate, stats

from simgen.models.btoxsgamma import SPECTRUM, STEP, mass_spectrum
from simgen.models.vub import _table, _weight, delta_rate, log_epsilon, real_rate

M_B, M_BQ, A = 5.27934, 4.8, 1.29
N = 15_000
LEAST = 1e-3  # p-value
NAMES = "Particle B- 5.27934 0\nDecay B-\n1.0 {channel};\nEnddecay\n"
DECAY = "Decay {name}\n1.0 {daughters} PHSP;\nEnddecay\n"


def decays(folder, channel, extra="", n=N):
    """Return momenta of the B, X and a lepton or photon, and the block."""
    block = make_events(folder, NAMES.format(channel=channel) + extra, n, mass=M_B, root="B-")
    b = rows_of(block, -521)
    rows = child_rows(block, b), child_rows(block, b, 1)
    return block.p4[b], block.p4[rows[0]], block.p4[rows[1]], block


def mass_of(p):
    return np.sqrt(p[..., 3] ** 2 - np.sum(p[..., :3] ** 2, axis=-1))


def test_total_rate_with_corrections_is_the_published_one():
    """1 - 2 alpha_s / (3 pi) (pi^2 - 25/4), T. van Ritbergen, PLB 454 (1999) 353, first order."""
    alpha_s = 0.01  # what is cut off at epsilon is small
    eps = log_epsilon(alpha_s)

    def at_zero(z):
        return integrate.quad(lambda r: delta_rate(r, z, alpha_s, eps), 0.0, z)[0]

    x, w = np.polynomial.legendre.leggauss(40)
    total = integrate.quad(at_zero, 0.0, 1.0)[0]
    for first, last in ((0.0, 1.0), (1.0, 2.0)):
        for z, weight in zip(0.5 * (first + last) + 0.5 * x, 0.5 * w, strict=True):
            low = np.log(max(z - 1.0, 1e-12))
            ends = [low, max(low, min(eps, np.log(z * z / 4))), np.log(z * z / 4)]
            for a, b in pairwise(ends):
                for u, wu in zip(0.5 * (a + b) + 0.5 * (b - a) * x, 0.5 * (b - a) * w, strict=True):
                    s = np.exp(u)
                    width = z * np.sqrt(1.0 - 4.0 * s / z**2)
                    r = 0.5 * z + 0.5 * width * x
                    inner = sum(
                        wr * real_rate(rr, z, s, alpha_s, eps) for rr, wr in zip(r, w, strict=True)
                    )
                    total += weight * wu * s * 0.5 * width * inner
    correction = (total - 1.0) / alpha_s
    assert correction == pytest.approx(-2.0 / (3.0 * np.pi) * (np.pi**2 - 6.25), rel=0.02)


def test_lepton_energy_without_corrections(tmp_path):
    """2 x^2 (3 - 2 x) in the frame of a b quark of mass m_B - q_+, over the density of q_+."""
    channel = f"Xu0 e- anti-nu_e VUB {M_BQ} {A} 0.0 1 0.0 1.0"
    b, x, lepton, block = decays(tmp_path, channel)
    q = (M_B - M_BQ) / (1.0 + A) * stats.gamma(1.0 + A).ppf((np.arange(2000) + 0.5) / 2000)
    grid = np.linspace(0.0, M_B / 2, 2001)
    y = np.minimum(2.0 * grid[:, None] / (M_B - q), 1.0)
    expected = np.mean(2.0 * y**3 - y**4, axis=1)
    found = stats.kstest(lepton[:, 3], lambda e: np.interp(e, grid, expected))
    assert found.pvalue > LEAST
    assert np.allclose(b, x + lepton + block.p4[child_rows(block, rows_of(block, -521), 2)])


@pytest.fixture(scope="module")
def points():
    """Points of (q_+, z, s, r) with weights: a Sobol sequence, apart for s = 0 and s > 0."""
    alpha_s, n = 0.22, 2**16
    eps = log_epsilon(alpha_s)
    u = stats.qmc.Sobol(4, seed=3).random(n)
    q = (M_B - M_BQ) / (1.0 + A) * stats.gamma(1.0 + A).ppf(u[:, 0])
    found = []
    z, r = u[:, 1], u[:, 1] * u[:, 3]
    weight = [max(delta_rate(rr, zz, alpha_s, eps), 0.0) * zz for rr, zz in zip(r, z, strict=True)]
    found.append((q, z, np.zeros(n), r, np.array(weight)))
    z = 2.0 * u[:, 1]
    low, high = np.log(np.maximum(z - 1.0, 1e-6)), np.log(z * z / 4)
    s = np.exp(low + np.maximum(high - low, 0.0) * u[:, 2])
    width = z * np.sqrt(np.maximum(1.0 - 4.0 * s / z**2, 0.0))
    r = 0.5 * (z - width) + width * u[:, 3]
    rate = [
        max(real_rate(*at, alpha_s, eps), 0.0) if wide > 0 else 0.0
        for *at, wide in zip(r, z, s, width, strict=True)
    ]
    found.append((q, z, s, r, np.array(rate) * width * s * np.maximum(high - low, 0.0) * 2.0))
    return [np.concatenate(column) for column in zip(*found, strict=True)]


EDGES = [0.3, 1.0, 1.5, 2.0, 2.5]
WEIGHTS = [0.5, 0.9, 1.4, 1.2, 1.3]


@pytest.fixture(scope="module")
def hybrid(tmp_path_factory):
    """Events with corrections and weights."""
    bins = " ".join(f"{e} {w}" for e, w in zip(EDGES, WEIGHTS, strict=True))
    channel = f"Xu0 e- anti-nu_e VUB {M_BQ} {A} 0.22 {len(EDGES)} {bins}"
    extra = DECAY.format(name="Xu0", daughters="pi+ pi-")
    return decays(tmp_path_factory.mktemp("vub"), channel, extra)


@pytest.mark.parametrize("what", ["mass", "q2", "energy"])
def test_spectra_with_corrections_and_weights(hybrid, points, what):
    b, x, lepton, _ = hybrid
    q, z, s, r, weight = points
    scale = M_B - q
    e_h = 0.5 * z * scale + q
    s_h = s * scale**2 + 2.0 * q * e_h - q**2
    mass = np.sqrt(np.maximum(s_h, 0.0))
    weight = weight * (mass > EDGES[0])
    weight = weight * np.array(WEIGHTS)[np.clip(np.searchsorted(EDGES, mass) - 1, 0, None)]
    predicted = {
        "mass": mass,
        "q2": M_B**2 + s_h - 2.0 * M_B * e_h,
        "energy": 0.5 * (1.0 - r) * scale,
    }[what]
    seen = {"mass": mass_of(x), "q2": mass_of(b - x) ** 2, "energy": lepton[:, 3]}[what]
    order = np.argsort(predicted)
    cumulative = np.cumsum(weight[order]) / weight.sum()
    found = stats.kstest(seen, lambda v: np.interp(v, predicted[order], cumulative))
    assert found.pvalue > LEAST


def test_what_x_decays_to_has_the_mass_that_was_drawn(hybrid):
    _, x, _, block = hybrid
    rows = rows_of(block, 43)
    daughters = block.p4[child_rows(block, rows)] + block.p4[child_rows(block, rows, 1)]
    assert np.allclose(mass_of(daughters), mass_of(x))
    assert np.ptp(mass_of(x)) > 1.0


def test_x_is_never_lighter_than_its_decay(tmp_path):
    extra = DECAY.format(name="Xu0", daughters="K+ K-")
    channel = f"Xu0 mu- anti-nu_mu VUB {M_BQ} {A} 0.22 1 0.3 1.0"
    _, x, _, _ = decays(tmp_path, channel, extra, 2000)
    assert mass_of(x).min() > 2 * 0.493677


@pytest.mark.parametrize("alpha_s", [0.1, 0.22, 0.5])
def test_no_cell_of_the_table_exceeds_its_bound(alpha_s):
    """Where the edge of phase space crosses a cell, too; 400 points in each."""
    table = np.array(_table(alpha_s))
    bounds = table[len(table) // 2 :]
    points = np.random.default_rng(4).uniform(size=(400, 3))
    for cell, bound in enumerate(bounds):
        most = max(_weight(cell, *p, alpha_s, log_epsilon(alpha_s))[3] for p in points)
        assert most <= bound


def test_mass_of_x_s_follows_its_table(tmp_path):
    b, x, photon, _ = decays(tmp_path, "anti-Xsu gamma BTOXSGAMMA 2")
    masses, density = (np.array(v) for v in mass_spectrum([2.0]))
    steps = np.concatenate(([0.0], np.cumsum(np.diff(masses) * (density[1:] + density[:-1]) / 2)))
    # the density is linear in between: integrate on a fine grid
    fine = np.linspace(masses[0], masses[-1], 20001)
    f = np.interp(fine, masses, density)
    cdf = np.concatenate(([0.0], np.cumsum(np.diff(fine) * (f[1:] + f[:-1]) / 2)))
    assert cdf[-1] == pytest.approx(steps[-1])
    found = stats.kstest(mass_of(x), lambda v: np.interp(v, fine, cdf / cdf[-1]))
    assert found.pvalue > LEAST
    assert np.allclose(photon[:, 3], (M_B**2 - mass_of(x) ** 2) / (2 * M_B))
    assert np.allclose(b, x + photon)
    energy = photon[:, 3]
    # Its moments above 1.9 GeV. The PDG's (S049GM1, S049GM2), 2.314 and 0.0303, are of all masses:
    # those of the whole table are 2.366 and 0.0247, see docs/semileptonic.md.
    seen = energy[energy > 1.9]
    assert abs(seen.mean() - 2.3309) < 4 * np.sqrt(0.0209 / len(seen))
    assert seen.var() == pytest.approx(0.0209, rel=0.05)
    whole = np.linspace(0.0, M_B, 200_001)
    weight = np.interp(whole, STEP * np.arange(len(SPECTRUM)), SPECTRUM)
    all_energies = (M_B**2 - whole**2) / (2 * M_B)
    weight = weight * (all_energies > 1.9)
    mean = np.average(all_energies, weights=weight)
    assert mean == pytest.approx(2.366, abs=5e-4)
    assert np.average((all_energies - mean) ** 2, weights=weight) == pytest.approx(0.0247, abs=5e-5)


def test_flat_photon_energy_and_one_mass(tmp_path):
    _, _, photon, _ = decays(tmp_path, "anti-Xsu gamma BTOXSGAMMA 4 1.8 2.4", n=5000)
    assert stats.kstest(photon[:, 3], stats.uniform(1.8, 0.6).cdf).pvalue > LEAST
    _, x, _, _ = decays(tmp_path, "anti-Xsu gamma BTOXSGAMMA 3 1.5", n=100)
    assert np.allclose(mass_of(x), 1.5)


@pytest.mark.parametrize(
    ("channel", "message"),
    [
        ("Xu0 e- anti-nu_e VUB 4.8 1.29 0.22 -20 0.3 1.0", "n is -20"),
        ("Xu0 e- anti-nu_e VUB 6.8 1.29 0.22 1 0.3 1.0", "needs m_b between"),
        ("Xu0 e- anti-nu_e VUB 4.8 1.29 0.22 2 1.0 1.0 0.3 1.0", "ascending"),
        ("anti-Xsu gamma BTOXSGAMMA 1", "knows the spectra"),
        ("anti-Xsu gamma BTOXSGAMMA 2 1.0", "takes 1 parameters"),
        ("anti-Xsu e- BTOXSGAMMA 2", "needs a photon"),
    ],
)
def test_what_is_wrong_is_said(tmp_path, channel, message):
    with pytest.raises(Exception, match=message):
        decays(tmp_path, channel, n=1)
