"""GOITY_ROBERTS against traces of heavy meson fields: chiral and heavy quark symmetry alone.

With P = (1 + v-slash)/2 a B is P (-gamma_5), a D gamma_5 P', a D* e-slash P', and the current is
Tr[Dbar Gamma B] times an Isgur-Wise function (A. F. Falk, Nucl. Phys. B 378 (1992) 79). The pion
couples as p-slash gamma_5 (M. B. Wise, Phys. Rev. D 45 (1992) 2188), and what is in between the
two vertices is the part of the product that is a field of its spin: P p-slash (1 - v-slash)/2 of
B* and radial excitations, P p-slash P of the P wave, the spin 3/2 part of p of the D wave.
"""

from __future__ import annotations

import numpy as np
import pytest
from dirac import GAMMA5, METRIC, UNIT, slash
from test_goity_roberts import M_D, M_DST, currents, decays, scalars
from weak import amplitudes

from simgen.models.goity_roberts import isgur_wise_functions
from simgen.spin import vector_state

F_PI = 0.093


def propagators(w, pv, pw):
    """Couplings of the pion, Isgur-Wise functions, and 1/(energy before - energy in between).

    Numbers are the paper's.
    """
    xi, xi1, rho1, rho2 = isgur_wise_functions(w)
    return {
        "ground": 0.5 * xi / (-pv - 0.046 + 0.000005j),
        "radial": 0.690 * xi1 / (-pv - 0.563 + 0.0955j),
        "P wave": -1.430 * rho1 / (-pv - 0.392 + 0.52j),
        "D wave": -0.140 * rho2 / (-pv - 0.709 + 0.2025j),
        "D": 0.5 * xi / (pw + 0.1421 - 0.00003j),
        "D*": 0.5 * xi / pw,
    }


def terms(row, meson, field, polarisation=None):
    """Return the traces with the current of a lepton for each state in between."""
    v, vp, pi, w, pv, pw = scalars(row, meson)
    plus, plus_c = 0.5 * (UNIT + slash(v)), 0.5 * (UNIT + slash(vp))
    minus_c = 0.5 * (UNIT - slash(vp))
    across, across_c = pi - pv * v, vp - w * v
    vertex = {
        "ground": plus @ slash(across),
        "radial": plus @ slash(across),
        "P wave": pv * plus,
        "D wave": plus @ ((pw - w * pv) * UNIT - slash(across) @ slash(across_c) / 3),
    }
    strength = propagators(w, pv, pw)
    found = {}
    for ell in currents(row):
        current = slash(ell) @ (UNIT - GAMMA5)
        for name, matrix in vertex.items():
            value = np.trace(field @ plus_c @ current @ matrix) * strength[name]
            found.setdefault(name, []).append(value)
        if polarisation is not None:  # the pion may also come from the charmed meson
            e_p = polarisation @ METRIC @ pi
            as_d = -e_p * GAMMA5 @ plus_c
            whole = minus_c @ slash(pi) @ GAMMA5 @ field @ plus_c
            for name, matrix in (("D", as_d), ("D*", whole - as_d)):
                value = -np.trace(matrix @ current @ plus @ GAMMA5) * strength[name]
                found.setdefault(name, []).append(value)
    return found


def fitted(found, columns):
    """Return the coefficient of each column in what was found, and the largest residual."""
    names = list(columns)
    matrix = np.array([np.ravel(columns[name]) for name in names]).T
    values = np.ravel(found)
    c = np.linalg.lstsq(matrix, values, rcond=None)[0]
    return dict(zip(names, c, strict=True)), abs(matrix @ c - values).max() / abs(values).max()


@pytest.fixture(scope="module")
def coefficients():
    """Coefficients of the terms in the model, and residuals, of D and D*."""
    p = decays(M_D, 30)
    found = amplitudes("GOITY_ROBERTS", (-521, 411, -211, 13, -14), p, (1, 2))[:, 0] * F_PI
    rows = [terms(row, M_D, GAMMA5) for row in p]
    of_d = fitted(found, {name: [row[name] for row in rows] for name in rows[0]})
    p = decays(M_DST, 30)
    found = amplitudes("GOITY_ROBERTS", (-521, 413, -211, 13, -14), p, (3, 2)) * F_PI
    states = [[np.array(vector_state(*row[1], M_DST, i)) for i in range(3)] for row in p]
    rows = [
        [terms(row, M_DST, slash(e), e) for e in each] for row, each in zip(p, states, strict=True)
    ]
    columns = {name: [[one[name] for one in row] for row in rows] for name in rows[0][0]}
    return of_d, fitted(found, columns)


def test_nothing_but_these_terms(coefficients):
    for _, residual in coefficients:
        assert residual < 1e-10


def test_spin_symmetry_relates_d_and_d_star(coefficients):
    """Each coefficient is the same, up to one phase of the D* for all of them."""
    (of_d, _), (of_d_star, _) = coefficients
    phase = of_d_star["ground"] / of_d["ground"]
    assert abs(phase) == pytest.approx(1.0, rel=1e-10)
    for name, value in of_d.items():
        assert of_d_star[name] == pytest.approx(phase * value, rel=1e-9)


def test_pion_of_the_b_and_of_the_charmed_meson(coefficients):
    """The coupling is the same, so the coefficients are, the sign included."""
    of_d_star = coefficients[1][0]
    for name in ("D", "D*", "radial"):
        assert of_d_star[name] == pytest.approx(of_d_star["ground"], rel=1e-9)
