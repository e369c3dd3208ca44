"""HQET and HQET3 against helicity amplitudes and published predictions with taus."""

from __future__ import annotations

import numpy as np
import pytest
from helicities import decays, momentum, rate, width
from scipy import integrate
from weak import amplitudes

from simgen.models import find_model
from simgen.models.form_factors_cln import scalar_form_factors, vector_form_factors
from simgen.particles import particle_table

M_B, M_D, M_DST = 5.27934, 1.86484, 2.00685
M_MU, M_TAU = 0.1056584, 1.77686
# Values of DECAY_BELLE2.DEC.
D_PARAMETERS = (1.0541, 1.128, 1.0)
DST_PARAMETERS = (0.912, 1.205, 1.15, 1.404, 0.854)


def vector_terms(a0, a1, a2, v, q2):
    total, p = M_B + M_DST, momentum(M_B, M_DST, q2)
    side, root = 2 * M_B * p / total * v, np.sqrt(q2)
    zero = (M_B**2 - M_DST**2 - q2) * total * a1 - 4 * M_B**2 * p**2 / total * a2
    return total * a1 - side, total * a1 + side, zero / (2 * M_DST * root), 2 * M_B * p / root * a0


def scalar_terms(f_plus, f_zero, q2):
    root = np.sqrt(q2)
    zero = 2 * M_B * momentum(M_B, M_D, q2) / root * f_plus
    return 0.0, 0.0, zero, (M_B**2 - M_D**2) / root * f_zero


def dst_terms(q2):
    norm, rho2, *ratios = DST_PARAMETERS
    return vector_terms(*vector_form_factors(M_B, M_DST, q2, rho2, norm, *ratios), q2)


def d_terms(q2):
    norm, rho2, delta = D_PARAMETERS
    return scalar_terms(*scalar_form_factors(M_B, M_D, q2, rho2, norm, delta), q2)


def hqet_dst_terms(q2):
    """As the docstring of the model says, rho^2 = 0.9, R_1 = 1.3, R_2 = 0.8."""
    w = (M_B**2 + M_DST**2 - q2) / (2 * M_B * M_DST)
    h, star = 1 - 0.9 * (w - 1), 2 * np.sqrt(M_B * M_DST) / (M_B + M_DST)
    return vector_terms(0.0, star * (w + 1) / 2 * h, 0.8 * h / star, 1.3 * h / star, q2)


def hqet_d_terms(q2):
    """rho^2 = 0.9, quadratic term 0.2."""
    w = (M_B**2 + M_D**2 - q2) / (2 * M_B * M_D)
    return scalar_terms(1 - 0.9 * (w - 1) + 0.2 * (w - 1) ** 2, 0.0, q2)


@pytest.mark.parametrize(
    ("model", "meson", "parameters", "terms"),
    [
        ("HQET3", "D0", D_PARAMETERS, d_terms),
        ("HQET3", "D*0", DST_PARAMETERS, dst_terms),
        ("HQET", "D0", (0.9, 0.2), hqet_d_terms),
        ("HQET", "D*0", (0.9, 1.3, 0.8), hqet_dst_terms),
    ],
)
def test_amplitude_has_the_rate_of_the_helicities(model, meson, parameters, terms):
    table = particle_table()
    grid, weights = np.polynomial.legendre.leggauss(8)
    b, d = table.by_name("B-"), table.by_name(meson)
    prepared = find_model(model).prepare(parameters, b, [d])
    mass = M_D if meson == "D0" else M_DST
    ratios = []
    for q2 in (3.3, 5.0, 8.0, 10.4):
        p = decays(M_B, mass, M_TAU, q2, grid)
        a = amplitudes(model, (-521, d.pdgid, 15, -16), p, (d.spin2 + 1, 2), prepared)
        expected = rate(M_B, mass, M_TAU, q2, terms(q2))
        expected /= momentum(M_B, mass, q2) * (1 - M_TAU**2 / q2)
        ratios.append(weights @ np.sum(abs(a) ** 2, axis=(1, 2)) / expected)
    np.testing.assert_allclose(ratios, ratios[0], rtol=1e-9)


def test_ratios_of_tau_to_muon_widths():
    """R(D) = 0.300 +- 0.008, R(D*) = 0.252 +- 0.003, what HFLAV quoted for such form factors.

    H. Na et al., arXiv:1505.03925; S. Fajfer, J. F. Kamenik, I. Nisandzic, arXiv:1203.2654.
    """
    ratios = [
        width(M_B, mass, M_TAU, terms) / width(M_B, mass, M_MU, terms)
        for mass, terms in ((M_D, d_terms), (M_DST, dst_terms))
    ]
    assert abs(ratios[0] - 0.300) < 0.008
    assert abs(ratios[1] - 0.252) < 0.003


def tau_sums(terms_at, meson):
    """Return widths of tau helicity -1/2 and +1/2, and that of longitudinal mesons."""

    def term(kind):
        def density(q2):
            plus, minus, zero, timelike = terms_at(q2)
            x = M_TAU**2 / q2
            flux = momentum(M_B, meson, q2) * q2 * (1 - x) ** 2
            total = plus**2 + minus**2 + zero**2
            return (
                flux
                * {
                    "left": total,
                    "right": x / 2 * (total + 3 * timelike**2),
                    "longitudinal": (1 + x / 2) * zero**2 + 1.5 * x * timelike**2,
                }[kind]
            )

        return integrate.quad(density, M_TAU**2, (M_B - meson) ** 2)[0]

    return term("left"), term("right"), term("longitudinal")


def test_polarisation_of_tau_and_d_star():
    """P_tau(D) = 0.325 +- 0.009, P_tau(D*) = -0.497 +- 0.013 (M. Tanaka, R. Watanabe, 1212.1878).

    F_L(D*) = 0.455 +- 0.009 (S. Bhattacharya, S. Nandi, S. K. Patra, arXiv:1805.08222).
    """
    left, right, _ = tau_sums(d_terms, M_D)
    assert abs((right - left) / (right + left) - 0.325) < 0.009
    left, right, longitudinal = tau_sums(dst_terms, M_DST)
    assert abs((right - left) / (right + left) + 0.497) < 0.013
    assert abs(longitudinal / (left + right) - 0.455) < 0.009


def test_parameters_follow_the_meson():
    table = particle_table()

    def problem(model, parameters, meson):
        daughters = [table.by_name(n) for n in (meson, "mu-", "anti-nu_mu")]
        return find_model(model).problem(parameters, table.by_name("B-"), daughters)

    assert problem("HQET", (1.0,), "D0") is None
    assert problem("HQET", (1.0, 1.0, 1.0, 0.0), "D*0") is None
    assert "takes 3 to 4 parameters (rho2, R1, R2, quadratic term), found 2" in problem(
        "HQET", (1.0, 1.0), "D*0"
    )
    assert "takes 3 parameters (V1(1), rho2, Delta), found 5" in problem(
        "HQET3", DST_PARAMETERS, "D0"
    )
    assert "decays to a scalar or vector, a lepton and a neutrino, found D_2*0" in problem(
        "HQET3", DST_PARAMETERS, "D_2*0"
    )
