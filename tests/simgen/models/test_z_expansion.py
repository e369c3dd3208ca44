"""BGL and BCL against defining relations and published ratios."""

from __future__ import annotations

import numpy as np
import pytest
from helicities import decays, momentum, rate, width
from weak import amplitudes

from simgen.models import find_model
from simgen.models.z_expansion import (
    bcl_scalar_form_factors,
    bcl_vector_form_factors,
    bgl_scalar_form_factors,
    bgl_vector_form_factors,
)
from simgen.particles import particle_table

TABLE = particle_table()
M_B, M_D, M_DST = 5.27934, 1.86484, 2.00685
M_PI, M_RHO, M_OMEGA = 0.13957, 0.77526, 0.78266
M_MU, M_TAU = 0.1056584, 1.77686
# Values of DECAY_BELLE2.DEC.
BGL_D = np.array([0.0126, -0.094, 0.34, -0.1, 0.0115, -0.057, 0.12, 0.4])
BGL_DST = np.array([0.02596, -0.06049, 0.01311, 0.01713, 0.00753, -0.09346])
BCL_RHO = np.array([-0.86, 1.43, 0.26, 0.38, 0.16, 0.29, 0.72, 0.37, 0.33, -0.87, 1.88])
BCL_OMEGA = np.array([-0.94, 1.78, 0.24, 0.30, 0.00, 0.25, 0.54, -0.03, 0.31, -0.89, 1.81])
BCL_PI = np.array([0.424, -0.484, -0.658, 0.0, 0.561, -1.393, 0.763, 0.0])


def scalar_terms(f_plus, f_zero, meson, q2):
    root = np.sqrt(q2)
    zero = 2 * M_B * momentum(M_B, meson, q2) / root * f_plus
    return 0.0, 0.0, zero, (M_B**2 - meson**2) / root * f_zero


def bgl_d_terms(q2):
    return scalar_terms(*bgl_scalar_form_factors(M_B, M_D, q2, BGL_D), M_D, q2)


def bgl_dst_terms(q2):
    """H_+- = f -+ M p g, H_0 = F_1/sqrt(q^2): the definition of f, g and F_1."""
    g, f, f_one = bgl_vector_form_factors(M_B, M_DST, q2, BGL_DST)
    side = M_B * momentum(M_B, M_DST, q2) * g
    return f - side, f + side, f_one / np.sqrt(q2), 0.0


def bcl_terms(coefficients, meson):
    """H_0 = 8 M m A_12/sqrt(q^2), H_t = 2 M p A_0/sqrt(q^2)."""

    def terms(q2):
        a0, a1, a2, v = bcl_vector_form_factors(M_B, meson, meson, q2, coefficients)
        total, p = M_B + meson, momentum(M_B, meson, q2)
        kallen = 4 * M_B**2 * p**2
        a12 = total**2 * (M_B**2 - meson**2 - q2) * a1 - kallen * a2
        a12 /= 16 * M_B * meson**2 * total
        side = 2 * M_B * p / total * v
        zero = 8 * M_B * meson * a12 / np.sqrt(q2)
        return total * a1 - side, total * a1 + side, zero, 2 * M_B * p / np.sqrt(q2) * a0

    return terms


def bcl_pi_terms(q2):
    return scalar_terms(*bcl_scalar_form_factors(M_B, M_PI, q2, BCL_PI), M_PI, q2)


GRID, WEIGHTS = np.polynomial.legendre.leggauss(8)


@pytest.mark.parametrize(
    ("model", "ids", "meson", "lepton", "parameters", "terms"),
    [
        ("BGL", (-521, 421, 15, -16), M_D, M_TAU, BGL_D, bgl_d_terms),
        ("BGL", (-521, 423, 13, -14), M_DST, M_MU, BGL_DST, bgl_dst_terms),
        ("BCL", (-511, 211, 15, -16), M_PI, M_TAU, (*BCL_PI, M_PI), bcl_pi_terms),
        ("BCL", (-511, 213, 15, -16), M_RHO, M_TAU, (*BCL_RHO, M_RHO), bcl_terms(BCL_RHO, M_RHO)),
    ],
)
def test_amplitude_has_the_rate_of_the_helicities(model, ids, meson, lepton, parameters, terms):
    low, high = lepton**2, (M_B - meson) ** 2
    ratios = []
    for q2 in low + (high - low) * np.array([0.1, 0.5, 0.95]):
        p = decays(M_B, meson, lepton, q2, GRID)
        expected = rate(M_B, meson, lepton, q2, terms(q2))
        expected /= momentum(M_B, meson, q2) * (1 - low / q2)
        a = amplitudes(model, ids, p, (ids[1] % 10, 2), parameters)
        ratios.append(WEIGHTS @ np.sum(abs(a) ** 2, axis=(1, 2)) / expected)
    np.testing.assert_allclose(ratios, ratios[0], rtol=1e-8)


def ratio(meson, terms):
    """Return the width with taus over that with muons."""
    return width(M_B, meson, M_TAU, terms) / width(M_B, meson, M_MU, terms)


def test_ratios_of_tau_to_muon_widths():
    # D. Bigi, P. Gambino, arXiv:1606.08030: R(D) = 0.299 +- 0.003 (BGL, Belle and lattice)
    assert abs(ratio(M_D, bgl_d_terms) - 0.299) < 0.006
    # F. U. Bernlochner, M. T. Prim, D. J. Robinson, arXiv:2104.05739, whose coefficients these are
    assert abs(ratio(M_RHO, bcl_terms(BCL_RHO, M_RHO)) - 0.535) < 0.004
    assert abs(ratio(M_OMEGA, bcl_terms(BCL_OMEGA, M_OMEGA)) - 0.543) < 0.004


def test_form_factors_agree_where_they_must():
    """f_+(0) = f_0(0) to the precision of the coefficients; A_3(0) = A_0(0) by construction."""
    f_plus, f_zero = bgl_scalar_form_factors(M_B, M_D, 0.0, BGL_D)
    assert abs(f_plus / f_zero - 1) < 0.02
    a0, a1, a2, _ = bcl_vector_form_factors(M_B, M_RHO, M_RHO, 0.0, BCL_RHO)
    a3 = ((M_B + M_RHO) * a1 - (M_B - M_RHO) * a2) / (2 * M_RHO)
    np.testing.assert_allclose(a3, a0, rtol=1e-12)
    # F_1 = (M - m) f at zero recoil
    _, f, f_one = bgl_vector_form_factors(M_B, M_DST, (M_B - M_DST) ** 2, BGL_DST)
    np.testing.assert_allclose(f_one, (M_B - M_DST) * f, rtol=1e-12)


def test_angular_momentum_at_the_threshold_of_b_pi():
    """Im f_+ ~ (q^2 - t_+)^(3/2), so f_+ has no term in the square root of t_+ - q^2."""
    t_plus = (M_B + M_PI) ** 2

    def regular(distance):
        q2 = t_plus - distance
        return bcl_scalar_form_factors(M_B, M_PI, q2, BCL_PI)[0] * (1 - q2 / 5.325**2)

    steps = [regular(d) - regular(0.0) for d in (1e-6, 4e-6)]
    assert abs(steps[1] / steps[0] - 4) < 0.01


def test_taus_need_more_than_bgl_has():
    model = find_model("BGL")

    def problem(meson, parameters, *leptons):
        daughters = [TABLE.by_name(n) for n in (meson, *leptons)]
        return model.problem(tuple(parameters), TABLE.by_name("B-"), daughters)

    assert problem("D*0", BGL_DST, "mu-", "anti-nu_mu") is None
    assert problem("D0", BGL_D, "tau-", "anti-nu_tau") is None
    assert "no time-like form factor" in problem("D*0", BGL_DST, "tau-", "anti-nu_tau")
    assert "takes 6 parameters (a_0, a_1, b_0, b_1, c_1, c_2), found 8" in problem(
        "D*0", BGL_D, "mu-", "anti-nu_mu"
    )


@pytest.mark.parametrize("meson", [1.99982, 2.0005, 2.0006, 2.0007, 2.02])
def test_bgl_is_finite_where_a_pole_crosses_the_threshold(meson):
    """M + m of a D* a few widths below its mass is less than the heaviest B_c* in the product."""
    for q2 in (1e-3, 5.0, 10.0):
        p = decays(M_B, meson, 0.000511, q2, GRID)
        a = amplitudes("BGL", (-521, 423, 11, -12), p, (3, 2), BGL_DST)
        assert np.isfinite(a).all()
