"""Lifetimes: proper times, displacements, where daughters are made."""

from __future__ import annotations

import numpy as np
import pytest
from chains import FULL_CHAIN, P_MIN, child_rows, make_events, mass_of, rows_of
from scipy import stats

from simgen.beams import load_beams
from simgen.events import DECAYED
from simgen.particles import particle_table

N = 200_000
PROMPT = [300553, 213, -213, 423, -423]


@pytest.fixture(scope="module")
def events(tmp_path_factory):
    folder = tmp_path_factory.mktemp("lifetimes")
    return make_events(folder, FULL_CHAIN, N, beams=load_beams("belle2"))


def displacements(events, rows):
    """Return decay minus production vertex, (n, 4)."""
    return events.production[child_rows(events, rows)] - events.production[rows]


@pytest.mark.parametrize(
    ("names", "ctau"),
    [
        # mm; PDG 2024: 1.638 ps, 0.4103 ps, 0.2903 ps, 0.08954 ns, 8.43e-17 s
        (("B+", "B-"), 0.4911),
        (("D0", "anti-D0"), 0.1230),
        (("tau+", "tau-"), 0.08703),
        (("K_S0",), 26.844),
        (("pi0",), 2.53e-5),
    ],
)
def test_proper_times_are_exponential(events, names, ctau):
    ids = [particle_table().by_name(name).pdgid for name in names]
    rows = rows_of(events, *ids)
    rows = rows[events.status[rows] == DECAYED]
    assert len(rows) > 20_000
    p = events.p4[rows]
    # along the momentum in the lab: the vertex may be metres away from the origin, so that the
    # time difference of a pi0 loses digits
    proper = displacements(events, rows)[:, 3] * mass_of(p) / p[:, 3]
    expected = particle_table().by_name(names[0]).ctau
    assert expected == pytest.approx(ctau, rel=5e-3)
    assert stats.kstest(proper, "expon", args=(0, expected)).pvalue > P_MIN
    assert abs(proper.mean() / expected - 1) * np.sqrt(len(rows)) < 3.3


def test_particles_fly_straight_at_their_velocity(events):
    rows = np.flatnonzero((events.status == DECAYED) & ~np.isin(events.pdgid, PROMPT))
    shift, p = displacements(events, rows), events.p4[rows]
    velocity = p[:, :3] / p[:, 3:]
    rounding = 1e-13 * (1 + np.abs(events.production[rows]).max(axis=1, keepdims=True))
    assert (np.abs(shift[:, :3] - velocity * shift[:, 3:]) < rounding + 1e-12 * shift[:, 3:]).all()


def test_prompt_particles_decay_where_they_are_made(events):
    rows = rows_of(events, *PROMPT)
    np.testing.assert_array_equal(displacements(events, rows), 0.0)


def test_all_daughters_of_a_decay_are_made_in_one_point(events):
    first = child_rows(events, events.mother_row[events.mother >= 0])
    np.testing.assert_array_equal(events.production[events.mother >= 0], events.production[first])


def test_the_root_is_made_and_decays_at_the_primary_vertex_at_time_zero(events):
    roots = events.offsets[:-1]
    np.testing.assert_array_equal(events.production[roots, :3], events.vertex)
    np.testing.assert_array_equal(events.production[roots, 3], 0.0)
    np.testing.assert_array_equal(displacements(events, roots), 0.0)


def test_mean_flight_of_b_mesons_in_the_lab(events):
    """c tau beta gamma along z: about 0.14 mm for the B at Belle II."""
    rows = rows_of(events, 521, -521)
    flight = displacements(events, rows)[:, 2]
    p = events.p4[rows]
    expected = particle_table().by_name("B+").ctau * (p[:, 2] / mass_of(p)).mean()
    assert expected == pytest.approx(0.139, abs=3e-3)
    assert abs(flight.mean() - expected) / (flight.std() / np.sqrt(len(rows))) < 3.3


def test_particles_that_stay_have_no_lifetime_drawn(tmp_path):
    text = "Decay B0\n1.0 K_S0 pi0 PHSP;\nEnddecay\nDecay K_S0\n1.0 pi+ pi- PHSP;\nEnddecay\n"
    stays = make_events(tmp_path, text, 50, root="B0", mass=5.27965, keep_stable=("K_S0",))
    assert (stays.status[rows_of(stays, 310)] == 1).all()
    assert len(rows_of(stays, 211)) == 0
