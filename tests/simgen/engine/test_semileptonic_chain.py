"""Semileptonic decays in whole events: q^2, lepton energy and polarisation against integrals."""

from __future__ import annotations

import numpy as np
import pytest
from chains import P_MIN, boosted, child_rows, cos_between, helicity_cosine, make_events, rows_of
from helicities import helicities, momentum, rate
from scipy import stats
from test_heavy_quark import dst_terms, tau_sums
from test_isgw2 import form_factors
from test_llsw import NARROW, d2_rate
from test_z_expansion import bgl_dst_terms

N = 15_000
M_B, M_DST, M_D2, M_MU = 5.27934, 2.00685, 2.4607, 0.1056584

FIXED = """
Particle B- 5.27934 0
Particle D*0 2.00685 0
Particle D_2*0 2.4607 0
Decay B-
1.0 {channel};
Enddecay
"""


def b_decays(folder, channel, extra="", n=N):
    """Return momenta of B-, meson and lepton, and the block."""
    block = make_events(folder, FIXED.format(channel=channel) + extra, n, mass=M_B, root="B-")
    b = rows_of(block, -521)
    meson, lepton = child_rows(block, b), child_rows(block, b, 1)
    return block.p4[b], block.p4[meson], block.p4[lepton], block


def q2_of(b, meson):
    q = b - meson
    return q[:, 3] ** 2 - np.sum(q[:, :3] ** 2, axis=1)


def cumulative(x, density):
    """Return a cumulative distribution from its density on a fine grid."""
    steps = np.concatenate([[0.0], np.cumsum(np.diff(x) * (density[1:] + density[:-1]) / 2)])
    return lambda value: np.interp(value, x, steps / steps[-1])


def each(terms, q2):
    """Return helicity amplitudes at every q^2, from a function of one."""
    return np.array([terms(value) for value in q2]).T


def bgl_density(q2):
    return rate(M_B, M_DST, 0.000511, q2, each(bgl_dst_terms, q2))


def isgw2_density(q2):
    terms = helicities(M_B, M_D2, q2, form_factors("B-", "D_2*0", q2), 4)
    return rate(M_B, M_D2, M_MU, q2, terms)


def hqet3_density(q2):
    return rate(M_B, M_DST, 1.77693, q2, each(dst_terms, q2))


@pytest.mark.parametrize(
    ("channel", "meson", "lepton", "density"),
    [
        (
            "D*0 e- anti-nu_e BGL 0.02596 -0.06049 0.01311 0.01713 0.00753 -0.09346",
            M_DST,
            0.000511,
            bgl_density,
        ),
        ("D_2*0 mu- anti-nu_mu ISGW2", M_D2, M_MU, isgw2_density),
        ("D*0 tau- anti-nu_tau HQET3 0.912 1.205 1.15 1.404 0.854", M_DST, 1.77693, hqet3_density),
    ],
    ids=["BGL", "ISGW2", "HQET3"],
)
def test_q2_spectrum(tmp_path, channel, meson, lepton, density):
    b, recoil, _, _ = b_decays(tmp_path, channel)
    end = (M_B - meson) ** 2
    x = np.linspace(lepton**2, end, 4001)[1:-1]
    expected = cumulative(np.r_[lepton**2, x, end], np.r_[0.0, density(x), 0.0])
    assert stats.kstest(q2_of(b, recoil), expected).pvalue > P_MIN


def test_lepton_energy_and_angle_of_llsw(tmp_path):
    """Energy of the lepton in the B frame, and its angle in the frame of q, of B -> D_2* e nu."""
    parameters = " ".join(map(str, NARROW))
    b, meson, lepton, _ = b_decays(tmp_path, f"D_2*0 e- anti-nu_e LLSW {parameters}")
    r = M_D2 / M_B
    w, c = np.meshgrid(
        np.linspace(1, (1 + r * r) / (2 * r), 603)[1:-1], np.linspace(-1, 1, 401), indexing="ij"
    )
    weight = np.sqrt(w * w - 1) * d2_rate(w, r, c)
    angle = cos_between(boosted(lepton, b - meson), boosted(meson, b - meson))
    assert stats.kstest(angle, cumulative(c[0], weight.sum(axis=0))).pvalue > P_MIN
    # E = (E_q + p cos(to q)) / 2 for massless leptons
    q2 = M_B**2 * (1 - 2 * r * w + r * r)
    p = momentum(M_B, M_D2, q2)
    energy = ((np.hypot(p, np.sqrt(q2)) - p * c) / 2).ravel()
    order = np.argsort(energy)
    steps = np.cumsum(weight.ravel()[order])
    found = boosted(lepton, b)[:, 3]
    result = stats.kstest(found, lambda e: np.interp(e, energy[order], steps / steps[-1]))
    assert result.pvalue > P_MIN


def test_longitudinal_d_star(tmp_path):
    """2 F_L cos^2 + (1 - F_L) sin^2 of D in D*, F_L from the helicity amplitudes of BGL."""
    channel = "D*0 mu- anti-nu_mu BGL 0.02596 -0.06049 0.01311 0.01713 0.00753 -0.09346"
    extra = "Decay D*0\n1.0 D0 pi0 VSS;\nEnddecay\n"
    b, meson, _, block = b_decays(tmp_path, channel, extra)
    d = block.p4[child_rows(block, rows_of(block, 423))]
    q2 = np.linspace(M_MU**2, (M_B - M_DST) ** 2, 4001)[1:-1]
    plus, minus, zero, _ = each(bgl_dst_terms, q2)
    flux = momentum(M_B, M_DST, q2) * q2 * (1 - M_MU**2 / q2) ** 2 * (1 + M_MU**2 / q2 / 2)
    f_l = np.sum(flux * zero**2) / np.sum(flux * (plus**2 + minus**2 + zero**2))
    # measured: 0.52 to 0.54 for light leptons (Belle, arXiv:2301.07529)
    assert 0.50 < f_l < 0.56

    def expected(c):
        return f_l * (1 + c**3) / 2 + (1 - f_l) * (2 + 3 * c - c**3) / 4

    assert stats.kstest(helicity_cosine(b, meson, d), expected).pvalue > P_MIN


def test_polarised_taus_are_handed_on(tmp_path):
    """(1 + P cos)/2 of the pion in the tau, P of B -> D* tau nu from the helicity amplitudes."""
    channel = "D*0 tau- anti-nu_tau HQET3 0.912 1.205 1.15 1.404 0.854"
    extra = "Decay tau-\n1.0 pi- nu_tau TAUSCALARNU;\nEnddecay\n"
    b, meson, tau, block = b_decays(tmp_path, channel, extra)
    pion = block.p4[child_rows(block, rows_of(block, 15))]
    left, right, _ = tau_sums(dst_terms, M_DST)
    p = (right - left) / (right + left)
    q = b - meson
    # the tau's helicity is defined in the frame of q
    cosine = helicity_cosine(boosted(q, q), boosted(tau, q), boosted(pion, q))
    result = stats.kstest(cosine, lambda c: (1 + c) / 2 + p * (c * c - 1) / 4)
    assert result.pvalue > P_MIN
