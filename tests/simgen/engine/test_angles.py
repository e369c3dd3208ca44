"""Angular distributions: polarisation from the beams down the chain."""

from __future__ import annotations

import numpy as np
import pytest
from chains import (
    P_MIN,
    boosted,
    child_rows,
    cos_between,
    helicity_cosine,
    make_events,
    rows_of,
    unit,
)
from scipy import stats

from simgen.beams import load_beams

N = 300_000  # a slope or curvature of 1 % is about four standard deviations of the KS statistic

B_TO_DSTAR = """
Decay B0
1.0 D*- pi+ {production};
Enddecay
Decay D*-
1.0 {decay};
Enddecay
"""
UPSILON_TO_DSTAR = (
    """
Decay Upsilon(4S)
1.0 B0 anti-B0 VSS;
Enddecay
"""
    + B_TO_DSTAR
)

# Distribution functions of c = cos(theta) in [-1, 1].
CDF = {
    "flat": lambda c: (1 + c) / 2,
    "cos^2": lambda c: (1 + c**3) / 2,
    "sin^2": lambda c: (2 + 3 * c - c**3) / 4,
}


def follows(values, shape):
    """Test cosines against a shape, by the distribution function and by the second moment.

    The moment is the most sensitive to a little of another polarisation.
    """
    assert stats.kstest(values, CDF[shape]).pvalue > P_MIN
    expected = {"flat": 1 / 3, "cos^2": 3 / 5, "sin^2": 1 / 5}[shape]
    square = values**2
    assert abs(square.mean() - expected) / (square.std() / np.sqrt(len(values))) < 3.3


@pytest.mark.parametrize("where", ["at rest", "belle2"])
def test_b_mesons_of_the_upsilon_4s_go_as_sin_squared_about_the_beams(tmp_path, where):
    text = "Decay Upsilon(4S)\n1.0 B+ B- VSS;\nEnddecay\n"
    beams = None if where == "at rest" else load_beams("belle2")
    events = make_events(tmp_path, text, N, beams=beams)
    rows = rows_of(events, 521)
    in_cm = boosted(events.p4[rows], events.beam)
    # the electron beam, seen from the centre of mass of the event
    axis = np.array([0, 0, 1.0]) if beams is None else beams.axis()
    follows(unit(in_cm) @ axis, "sin^2")
    # no direction across the beams is preferred
    across = np.cross(axis, [0.0, 1.0, 0.0])
    phi = np.arctan2(in_cm[:, 1], in_cm[:, :3] @ across)
    assert stats.kstest(phi, "uniform", args=(-np.pi, 2 * np.pi)).pvalue > P_MIN


@pytest.mark.parametrize("root", ["B0", "Upsilon(4S)"])
@pytest.mark.parametrize(
    ("production", "decay", "shape"),
    [
        ("SVS", "anti-D0 pi- VSS", "cos^2"),  # helicity 0 to scalars: |d^1_00|^2
        ("SVS", "D- gamma VSP_PWAVE", "sin^2"),  # to helicity +-1: |d^1_01|^2
        ("SVS", "anti-D0 pi- PHSP", "flat"),
        ("PHSP", "anti-D0 pi- VSS", "flat"),
        ("PHSP", "D- gamma VSP_PWAVE", "flat"),
    ],
)
def test_helicity_angle_of_the_d_star(tmp_path, root, production, decay, shape):
    text = B_TO_DSTAR if root == "B0" else UPSILON_TO_DSTAR
    events = make_events(
        tmp_path,
        text.format(production=production, decay=decay),
        N,
        root=root,
        mass=5.27965 if root == "B0" else 10.5794,
        beams=None if root == "B0" else load_beams("belle2"),
    )
    d_star = rows_of(events, -413)
    mother, daughter = events.mother_row[d_star], child_rows(events, d_star)
    follows(helicity_cosine(events.p4[mother], events.p4[d_star], events.p4[daughter]), shape)


def test_phase_space_of_a_polarised_root_is_isotropic(tmp_path):
    text = "Decay Upsilon(4S)\n1.0 B+ B- PHSP;\nEnddecay\n"
    events = make_events(tmp_path, text, N)
    follows(unit(events.p4[rows_of(events, 521)])[:, 2], "flat")


def test_photon_of_a_root_in_a_p_wave_goes_as_one_plus_cos_squared(tmp_path):
    """e+e- -> V -> S gamma: J_z = +-1 to helicity +-1, |d^1_11|^2 + |d^1_1-1|^2."""
    text = "Decay J/psi\n1.0 eta gamma VSP_PWAVE;\nEnddecay\n"
    events = make_events(tmp_path, text, N, root="J/psi", mass=3.0969)
    cosine = unit(events.p4[rows_of(events, 22)])[:, 2]
    assert stats.kstest(cosine, lambda c: (4 + 3 * c + c**3) / 8).pvalue > P_MIN
    square = cosine**2
    assert abs(square.mean() - 2 / 5) / (square.std() / np.sqrt(N)) < 3.3


def test_both_sides_of_the_upsilon_4s_are_independent(tmp_path):
    text = UPSILON_TO_DSTAR.format(production="SVS", decay="anti-D0 pi- VSS")
    text += "CDecay anti-B0\nCDecay D*+\n"
    events = make_events(tmp_path, text, N)
    cosines = []
    for pdgid in (-413, 413):
        rows = rows_of(events, pdgid)
        mother, daughter = events.mother_row[rows], child_rows(events, rows)
        cosines.append(helicity_cosine(events.p4[mother], events.p4[rows], events.p4[daughter]))
    assert len(cosines[0]) == N
    assert abs(np.corrcoef(*cosines)[0, 1]) * np.sqrt(N) < 3.3
    assert abs(np.corrcoef(*np.square(cosines))[0, 1]) * np.sqrt(N) < 3.3


def test_angle_about_the_flight_direction_is_uniform(tmp_path):
    text = UPSILON_TO_DSTAR.format(production="SVS", decay="anti-D0 pi- VSS")
    events = make_events(tmp_path, text, N, beams=load_beams("belle2"))
    d_star = rows_of(events, -413)
    p = events.p4[d_star]
    b = boosted(events.p4[events.mother_row[d_star]], p)
    d = boosted(events.p4[child_rows(events, d_star)], p)
    # azimuth of the decay about -b, counted from an axis fixed in the lab
    n = -unit(b)
    e_1 = np.cross(n, [1.0, 0.0, 0.0])
    e_1 /= np.linalg.norm(e_1, axis=1, keepdims=True)
    e_2 = np.cross(n, e_1)
    phi = np.arctan2(np.sum(d[:, :3] * e_2, axis=1), np.sum(d[:, :3] * e_1, axis=1))
    assert stats.kstest(phi, "uniform", args=(-np.pi, 2 * np.pi)).pvalue > P_MIN
    assert abs(cos_between(d, n)).max() <= 1.0 + 1e-12
