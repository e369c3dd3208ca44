"""LLSW against the double differential rates of the paper."""

from __future__ import annotations

import numpy as np
import pytest
from helicities import decays
from weak import amplitudes

from simgen.models import find_model
from simgen.models.llsw import (
    d0_form_factors,
    d1_broad_form_factors,
    d1_form_factors,
    d2_form_factors,
)
from simgen.particles import particle_table

TABLE = particle_table()
MODEL = find_model("LLSW")
M_B = TABLE.by_name("B-").mass
NARROW, BROAD = (0.71, -1.6, -0.5, 2.9), (0.68, -0.2, 0.3)


def d0_rate(w, r, c):
    """A. K. Leibovich et al., hep-ph/9705467, eq. 3.6."""
    plus, minus = d0_form_factors(w, BROAD[0] * (1 + BROAD[1] * (w - 1)), BROAD[2])
    return (w * w - 1) * (1 - c * c) * ((1 + r) * plus - (1 - r) * minus) ** 2


def axial_rate(form_factors, w, r, c):
    """Eq. 2.10 (D_1) and 3.6 (D_1'); c is the cosine of charged lepton and meson, frame of q."""
    one, two, three, side = form_factors
    k2, k = w * w - 1, np.sqrt(w * w - 1)
    longitudinal = (1 - c * c) * ((w - r) * one + k2 * (three + r * two)) ** 2
    transverse = (1 + c * c) * (one**2 + k2 * side**2) - 4 * c * k * one * side
    return longitudinal + (1 - 2 * r * w + r * r) * transverse


def d1_rate(w, r, c):
    leading = NARROW[0] * (1 + NARROW[1] * (w - 1))
    return axial_rate(d1_form_factors(w, leading, *NARROW[2:]), w, r, c)


def d1_broad_rate(w, r, c):
    leading = BROAD[0] * (1 + BROAD[1] * (w - 1))
    return axial_rate(d1_broad_form_factors(w, leading, BROAD[2]), w, r, c)


def d2_rate(w, r, c):
    """Eq. 2.10 (D_2*)."""
    leading = NARROW[0] * (1 + NARROW[1] * (w - 1))
    one, two, three, side = d2_form_factors(w, leading, *NARROW[2:])
    k2, k = w * w - 1, np.sqrt(w * w - 1)
    longitudinal = 4 / 3 * (1 - c * c) * ((w - r) * one + k2 * (three + r * two)) ** 2
    transverse = (1 + c * c) * (one**2 + k2 * side**2) - 4 * c * k * one * side
    return k2 / 2 * (longitudinal + (1 - 2 * r * w + r * r) * transverse)


@pytest.mark.parametrize(
    ("meson", "parameters", "expected"),
    [
        ("D_0*0", BROAD, d0_rate),
        ("D_10", NARROW, d1_rate),
        ("D'_10", BROAD, d1_broad_rate),
        ("D_2*0", NARROW, d2_rate),
    ],
)
@pytest.mark.parametrize("sign", [1, -1])
def test_lepton_angle_and_recoil(meson, parameters, expected, sign):
    """One constant for all w and cosines, massless leptons, and for the charge conjugate."""
    b, d = TABLE.by_name("B-"), TABLE.by_name(meson)
    r = d.mass / M_B
    cosines = np.linspace(-0.95, 0.95, 7)
    prepared = MODEL.prepare(parameters, b, [d])
    ratios = []
    for w in (1.02, 1.15, 1.3):
        q2 = M_B**2 * (1 - 2 * r * w + r * r)
        p = decays(M_B, d.mass, 1e-4, q2, cosines)
        ids = np.array([-521, d.pdgid, 11, -12]) * sign
        a = amplitudes("LLSW", ids, p, (d.spin2 + 1, 2), prepared)
        # less the factor q^2 that the phase space of the rate has
        ratios.append(np.sum(abs(a) ** 2, axis=(1, 2)) / expected(w, r, cosines))
    np.testing.assert_allclose(ratios, ratios[0][0], rtol=1e-5)


def test_leading_order_relations_of_the_doublets():
    """Without 1/m the slopes at w = 1 are those of heavy quark symmetry."""
    g_plus, g_minus = d0_form_factors(1.0, 1.0, 0.0)
    assert g_minus == 1.0
    # g_+(1) = -3/2 eps_c (L* - L) - 3/2 eps_b (L* - L)
    np.testing.assert_allclose(g_plus, -1.5 * 0.36 * (1 / 2.8 + 1 / 8.4))
    one, _, _, _ = d1_form_factors(1.0, 1.0, 0.0, 0.0)
    # sqrt(6) f_V1(1) = -8 eps_c (L' - L)
    np.testing.assert_allclose(np.sqrt(6) * one, -8 * 0.40 / 2.8)


def test_parameters_follow_the_doublet():
    def problem(parameters, meson):
        daughters = [TABLE.by_name(n) for n in (meson, "mu-", "anti-nu_mu")]
        return MODEL.problem(parameters, TABLE.by_name("B-"), daughters)

    assert problem(NARROW, "D_10") is None
    assert problem(BROAD, "D'_10") is None
    assert "takes 2 to 3 parameters (zeta(1), zeta', zeta_1), found 4" in problem(NARROW, "D'_10")
    assert "takes 2 to 4 parameters" in problem((1.0,), "D_2*0")
    assert "decays to D_0*, D_1, D'_1 or D_2*, a lepton" in problem(NARROW, "D*0")
