"""Semileptonic decays against helicity amplitudes and published ratios."""

from __future__ import annotations

import numpy as np
import pytest
from helicities import decays, momentum
from scipy import integrate
from weak import amplitudes, dot

from simgen.models import find_model
from simgen.models.form_factors_cln import scalar_form_factors, vector_form_factors
from simgen.particles import particle_table

M_B, M_D, M_DST = 5.27934, 1.86484, 2.00685
M_MU, M_TAU = 0.1056584, 1.77686
# Values of DECAY_BELLE2.DEC; Delta and R_0(1), which it leaves out, from the papers below.
D_PARAMETERS = (1.185, 1.081, 1.0)
DST_PARAMETERS = (1.207, 0.920, 1.406, 0.853, 1.14)


def hqet2(pdgids, momenta, parameters):
    """Return amplitudes of a decay, (n, spin states of the meson, 2)."""
    table = particle_table()
    meson = table.by_pdgid(pdgids[1])
    prepared = find_model("HQET2").prepare(parameters, table.by_pdgid(pdgids[0]), [meson])
    return amplitudes("HQET2", pdgids, momenta, (meson.spin2 + 1, 2), prepared)


def helicity_terms(q2):
    """Return H_+, H_-, H_0, H_t of B -> D* from A_0, A_1, A_2, V (hep-ph/9712417; 1203.2654)."""
    a0, a1, a2, v = vector_form_factors(
        M_B, M_DST, q2, *DST_PARAMETERS[:2], DST_PARAMETERS[4], *DST_PARAMETERS[2:4]
    )
    p, total = momentum(M_B, M_DST, q2), M_B + M_DST
    side = 2 * M_B * p / total * v
    zero = (M_B**2 - M_DST**2 - q2) * total * a1 - 4 * M_B**2 * p**2 / total * a2
    return (
        total * a1 - side,
        total * a1 + side,
        zero / (2 * M_DST * np.sqrt(q2)),
        2 * M_B * p / np.sqrt(q2) * a0,
    )


def scalar_terms(q2):
    """Return H_0, H_t of B -> D."""
    f_plus, f_zero = scalar_form_factors(M_B, M_D, q2, *D_PARAMETERS)
    p = momentum(M_B, M_D, q2)
    return 2 * M_B * p / np.sqrt(q2) * f_plus, (M_B**2 - M_D**2) / np.sqrt(q2) * f_zero


def rate(terms, lepton, q2, meson):
    """Return dGamma/dq2 up to a constant: terms are (sum of H^2, H_t)."""
    spin_one, timelike = terms
    x = lepton**2 / q2
    flux = momentum(M_B, meson, q2) * q2 * (1 - x) ** 2
    return flux * ((1 + x / 2) * spin_one + 1.5 * x * timelike**2)


GRID, WEIGHTS = np.polynomial.legendre.leggauss(8)
Q2 = [3.3, 5.0, 8.0, 10.4]


@pytest.mark.parametrize("q2", Q2)
@pytest.mark.parametrize("lepton", [M_MU, M_TAU])
@pytest.mark.parametrize("sign", [1, -1])
def test_every_helicity_of_the_vector_has_its_rate(q2, lepton, sign):
    """Integrated over the lepton's angles: 8/3 (q2 - m^2) ((1 + m^2/2q2) H^2 + 3 m^2/2q2 H_t^2)."""
    p = decays(M_B, M_DST, lepton, q2, GRID)
    # sign = 1: a b quark, B- -> D*0 l- nubar; its c quark is left-handed
    ids = np.array([-521, 423, 13, -14]) * sign
    a = hqet2(ids, p, DST_PARAMETERS)
    # eps_+-^* = -+(x -+ i y) / sqrt(2) along the flight direction z
    plus, minus = (-a[:, 0] + 1j * a[:, 1]) / np.sqrt(2), (a[:, 0] + 1j * a[:, 1]) / np.sqrt(2)
    found = [WEIGHTS @ np.sum(abs(h) ** 2, axis=1) / 2 for h in (plus, minus, a[:, 2])]
    h_plus, h_minus, h_zero, h_t = helicity_terms(q2)
    if sign < 0:
        h_plus, h_minus = h_minus, h_plus
    x = lepton**2 / q2
    expected = 8 / 3 * (q2 - lepton**2) * (1 + x / 2) * np.array([h_plus, h_minus, h_zero]) ** 2
    expected[2] += 8 / 3 * (q2 - lepton**2) * 1.5 * x * h_t**2
    np.testing.assert_allclose(found, expected, rtol=1e-9)


@pytest.mark.parametrize("sign", [1, -1])
def test_scalar_rate_is_the_trace_of_the_lepton_tensor(sign):
    """sum |A|^2 = 8 (2 H.k H.k' - H^2 k.k') for a real current H."""
    q2 = 6.0
    p = decays(M_B, M_D, M_TAU, q2, GRID)
    ids = np.array([-521, 421, 15, -16]) * sign
    a = hqet2(ids, p, D_PARAMETERS)
    f_plus, f_zero = scalar_form_factors(M_B, M_D, q2, *D_PARAMETERS)
    q, change = p[:, 0] - p[:, 1], (M_B**2 - M_D**2) / q2
    h = f_plus * (p[:, 0] + p[:, 1] - change * q) + f_zero * change * q
    k, nu = p[:, 2], p[:, 3]
    expected = 8 * (2 * dot(h, k) * dot(h, nu) - dot(h, h) * dot(k, nu))
    np.testing.assert_allclose(np.sum(abs(a) ** 2, axis=(1, 2)), expected, rtol=1e-9)


@pytest.mark.parametrize("sign", [1, -1])
def test_left_handed_vectors_send_the_charged_lepton_as_v_minus_a_says(sign):
    """Massless leptons from a transverse W go as (1 +- cos)^2, the fast one known from V - A.

    In B- -> D*_L l- nubar the W has helicity -1 and the l- is left-handed: it follows the W.
    """
    cosines = np.array([-0.999999, 0.999999])
    p = decays(M_B, M_DST, 1e-4, 5.0, cosines)  # the W flies along -z
    ids = np.array([-521, 423, 11, -12]) * sign
    a = hqet2(ids, p, DST_PARAMETERS)
    rates = np.sum(abs(a[:, :2]) ** 2, axis=(1, 2))
    h_plus, h_minus, _, _ = helicity_terms(5.0)
    np.testing.assert_allclose(rates[0] / rates[1], (h_minus / h_plus) ** 2, rtol=1e-4)


def ratio_of_rates(meson, terms):
    """Return the rate with taus over the rate with muons."""

    def total(lepton):
        def density(q2):
            return rate(terms(q2), lepton, q2, meson)

        return integrate.quad(density, lepton**2, (M_B - meson) ** 2)[0]

    return total(M_TAU) / total(M_MU)


def test_ratio_of_tau_to_muon_rates_with_vectors():
    """R(D*) = 0.252 +- 0.003 (S. Fajfer, J. Kamenik, I. Nisandzic, arXiv:1203.2654)."""

    def terms(q2):
        *spin_one, timelike = helicity_terms(q2)
        return sum(h * h for h in spin_one), timelike

    assert abs(ratio_of_rates(M_DST, terms) - 0.252) < 0.003


def test_ratio_of_tau_to_muon_rates_with_scalars():
    """R(D) = 0.305 +- 0.012 with V_1 of CLN (M. Tanaka, R. Watanabe, arXiv:1212.1878)."""

    def terms(q2):
        zero, timelike = scalar_terms(q2)
        return zero**2, timelike

    assert abs(ratio_of_rates(M_D, terms) - 0.305) < 0.003


@pytest.mark.parametrize("parameters", [D_PARAMETERS, DST_PARAMETERS])
def test_without_the_last_parameter_there_is_no_timelike_form_factor(parameters):
    """Integrated over the lepton's angles (1 + m^2/2q2) H^2 is left, of a vector H_T of A_0 = 0."""
    scalar = parameters is D_PARAMETERS
    meson, ids = (M_D, (-521, 421, 15, -16)) if scalar else (M_DST, (-521, 423, 15, -16))
    ratios = []
    for q2 in Q2:
        p = decays(M_B, meson, M_TAU, q2, GRID)
        found = WEIGHTS @ np.sum(abs(hqet2(np.array(ids), p, parameters[:-1])) ** 2, axis=(1, 2))
        terms = scalar_terms(q2)[:1] if scalar else helicity_terms(q2)[:3]
        spin_one = sum(h * h for h in terms)
        ratios.append(found / ((q2 - M_TAU**2) * (1 + M_TAU**2 / (2 * q2)) * spin_one))
    np.testing.assert_allclose(ratios, 16 / 3, rtol=1e-9)


def test_number_of_parameters_follows_the_meson():
    model, table = find_model("HQET2"), particle_table()

    def problem(parameters, *daughters):
        found = [table.by_name(d) for d in daughters]
        return model.problem(parameters, table.by_name("B-"), found)

    leptons = ("mu-", "anti-nu_mu")
    assert problem(D_PARAMETERS, "D0", *leptons) is None
    assert problem(DST_PARAMETERS, "D*0", *leptons) is None
    assert problem(D_PARAMETERS[:-1], "D0", *leptons) is None
    assert problem(DST_PARAMETERS[:-1], "D*0", *leptons) is None
    assert "takes 4 to 5 parameters (rho2, hA1(1), R1(1), R2(1), R0(1)), found 3" in problem(
        D_PARAMETERS, "D*0", *leptons
    )
    assert "needs daughters of spin" in problem(D_PARAMETERS, "D0", "anti-nu_mu", "mu-", "pi0")
