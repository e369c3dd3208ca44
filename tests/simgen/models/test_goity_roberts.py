"""GOITY_ROBERTS: its contractions against explicit tensors, its limits and symmetries."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from weak import amplitudes, boost, directions, two_body

from simgen.models import find_model
from simgen.models.goity_roberts import isgur_wise_functions
from simgen.particles import particle_table
from simgen.spin import vector_state
from simgen.spinors import charged_current, left_spinor, neutrino_spinor

M_B, M_D, M_DST, M_PI, M_MU = 5.27934, 1.86966, 2.01026, 0.13957, 0.1056584
METRIC = np.diag([-1.0, -1.0, -1.0, 1.0])  # order x, y, z, t


def levi_civita():
    """Return epsilon_mu,nu,rho,sigma in the order x, y, z, t, with epsilon_txyz = 1."""
    tensor = np.zeros((4, 4, 4, 4))
    for order in permutations(range(4)):
        # sign of (t, x, y, z) -> order
        as_txyz = [(i + 1) % 4 for i in order]
        tensor[order] = np.linalg.det(np.eye(4)[as_txyz])
    return tensor


EPSILON = levi_civita()


def decays(meson, n=20, seed=5):
    """Return n decays B -> meson pi mu nu spread over phase space, (n, 5, 4)."""
    rng = np.random.default_rng(seed)
    m_pair = rng.uniform(M_MU + 0.01, 2.0, n)
    m_had = rng.uniform(meson + M_PI + 0.01, 3.0, n)
    out = np.zeros((n, 5, 4))
    out[:, 0, 3] = M_B
    for i in range(n):
        d = directions(rng, 3)
        had, pair = two_body(M_B, m_had[i], m_pair[i], d[:1])
        first, pion = two_body(m_had[i], meson, M_PI, d[1:2])
        lepton, neutrino = two_body(m_pair[i], M_MU, 0.0, d[2:])
        out[i, 1], out[i, 2] = boost(first, had)[0], boost(pion, had)[0]
        out[i, 3], out[i, 4] = boost(lepton, pair)[0], boost(neutrino, pair)[0]
    return out


def scalars(p, meson):
    v, vp, pi = p[0] / M_B, p[1] / meson, p[2]
    w, pv, pw = vp[3], pi[3], pi @ METRIC @ vp
    return v, vp, pi, w, pv, pw


def poles(w, pv):
    """Return g xi/(...), and the terms of excited states as in the paper, 1/f_0 left out."""
    xi, xi1, rho1, rho2 = isgur_wise_functions(w)
    return (
        0.5 * xi,
        pv + 0.046 - 0.000005j,
        0.690 * xi1 / (pv + 0.563 - 0.0955j),
        -1.430 * rho1 / (pv + 0.392 - 0.52j),
        -0.140 * rho2 / (pv + 0.709 - 0.2025j),
    )


def omega_d(p):
    """Return Omega^mu of B -> D pi for a decaying quark."""
    v, vp, pi, w, pv, pw = scalars(p, M_D)
    g, b, radial, s_half, d_wave = poles(w, pv)
    h = (g / b + d_wave * (w - 1) / 3 + radial) / (2 * M_B * M_D)
    a1 = -(1 + w) * (g / b + d_wave * (w - 1) / 3 + radial) / 2
    a2 = (g / b + radial) * (pv + pw) / (2 * M_B) + s_half * pv / (2 * M_B)
    a2 += d_wave * (0.5 * (w * pw - pv) + pw - w * pv) / (3 * M_B)
    a3 = -s_half * pv / (2 * M_D) - d_wave * (pw - w * pv) / (2 * M_D)
    side = np.einsum("mabc,a,b,c->m", EPSILON, v, vp, pi)
    return -1j * h * M_B * M_D * (METRIC @ side) + a1 * pi + a2 * M_B * v + a3 * M_D * vp


def omega_dst(p):
    """Return Omega^mu,nu of B -> D* pi, nu that of the D*."""
    v, vp, pi, w, pv, pw = scalars(p, M_DST)
    g, b, radial, s_half, d_wave = poles(w, pv)
    mb, md = M_B, M_DST
    h1 = -g * pv / (mb * md * b) - s_half * pv / (mb * md) - radial * pv / (mb * md)
    h1 += d_wave * (pv + 2 * w * pv - pw) / (3 * mb * md)
    h2 = -g / (mb * b) - d_wave * (1 + w) / (3 * mb) - radial / mb
    h3 = -g / md * (1 / b - (1 + w) / pw) + d_wave * (1 + w) / (3 * md) - radial / md
    f1 = -g / (2 * mb) * (1 / b - 1 / (pw + 0.1421 - 0.00003j))
    f1 += -d_wave * (w - 1) / (6 * mb) - radial / (2 * mb)
    f2 = f1 * mb / md
    f5 = g / (2 * mb * md) * (1 + pv / b) + s_half * pv / (2 * mb * md)
    f5 += d_wave * (pw - pv / 3 - 2 / 3 * w * pv) / (2 * mb * md) + radial * pv / (2 * mb * md)
    f6 = g / (2 * mb) * (1 / b - 1 / pw) + d_wave * (w - 1) / (6 * mb) + radial / (2 * mb)
    k = g / 2 * ((pw - w * pv) / b + (pv - w * pw) / pw) - s_half * (w - 1) * pv / 2
    k += -d_wave * (w - 1) * (pw - w * pv) / 3 + radial * (pw - w * pv) / 2
    g4 = g / (md * pw) + 2 * d_wave / (3 * md)

    def dual(x, y):
        return METRIC @ np.einsum("mnab,a,b->mn", EPSILON, x, y) @ METRIC

    odd = dual(h1 * mb * md * v, vp) + dual(h2 * mb * v, pi) + dual(h3 * md * vp, pi)
    odd = odd + np.outer(g4 * md * vp, dual(vp, pi) @ METRIC @ v)
    even = np.outer(f1 * mb * v + f2 * md * vp, pi) + np.outer(f5 * md * vp + f6 * pi, mb * v)
    return 0.5j * odd + even + k * METRIC


def currents(p):
    """Return L^mu for the two spin states of a mu-."""
    n = neutrino_spinor(*p[4])
    spinors = [left_spinor(*p[3], M_MU, j, False) for j in range(2)]
    return [np.array(charged_current(*s, *n, False)) for s in spinors]


def test_d_pi_is_the_contraction_of_the_current():
    p = decays(M_D)
    found = amplitudes("GOITY_ROBERTS", (-521, 411, -211, 13, -14), p, (1, 2))[:, 0] * 0.093
    expected = [[ell @ METRIC @ omega_d(row) for ell in currents(row)] for row in p]
    np.testing.assert_allclose(found, expected, rtol=1e-9)


def test_d_star_pi_is_the_contraction_of_the_current():
    p = decays(M_DST)
    found = amplitudes("GOITY_ROBERTS", (-521, 413, -211, 13, -14), p, (3, 2)) * 0.093
    expected = [
        [
            [
                ell @ METRIC @ omega_dst(row) @ METRIC @ np.array(vector_state(*row[1], M_DST, i))
                for ell in currents(row)
            ]
            for i in range(3)
        ]
        for row in p
    ]
    np.testing.assert_allclose(found, expected, rtol=1e-9)


@pytest.mark.parametrize(("meson", "mass", "states"), [(411, M_D, 1), (413, M_DST, 3)])
def test_charge_conjugation_mirrors(meson, mass, states):
    p = decays(mass)
    mirrored = p * [-1.0, -1.0, -1.0, 1.0]
    ids = np.array([-521, meson, -211, 13, -14])
    rates = [
        np.sum(abs(amplitudes("GOITY_ROBERTS", i, q, (states, 2))) ** 2, axis=(1, 2))
        for i, q in ((ids, p), (-ids, mirrored))
    ]
    np.testing.assert_allclose(rates[0], rates[1], rtol=1e-9)


def test_isgur_wise_function():
    """xi(1) = 1, slope -L^2/(2 beta^2) = -3.46; the other transitions vanish or stay finite."""
    xi, xi1, rho1, rho2 = isgur_wise_functions(1.0)
    assert xi == 1.0
    assert xi1 == 0.0
    step = 1e-6
    slope = (isgur_wise_functions(1 + step)[0] - 1) / step
    assert abs(slope + 0.75**2 / (2 * 0.285**2)) < 1e-3
    np.testing.assert_allclose(rho1, 0.75 / 0.285 / np.sqrt(2), rtol=1e-3)
    assert rho2 > 0


def test_daughters_it_serves():
    table = particle_table()

    def problem(parameters, *names):
        daughters = [table.by_name(n) for n in names]
        return find_model("GOITY_ROBERTS").problem(parameters, table.by_name("B-"), daughters)

    assert problem((), "D+", "pi-", "mu-", "anti-nu_mu") is None
    assert "takes 0 parameters, found 1" in problem((1.0,), "D+", "pi-", "mu-", "anti-nu_mu")
    assert "decays to D or D*, pi, a lepton and a neutrino" in problem(
        (), "K+", "pi-", "mu-", "anti-nu_mu"
    )
    assert "needs daughters of spin" in problem((), "D+", "mu-", "anti-nu_mu")
