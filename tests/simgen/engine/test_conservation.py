"""What every vertex conserves: four-momentum, mass shells, charge; and the record itself."""

from __future__ import annotations

import numpy as np
import pytest
from chains import FULL_CHAIN, make_events, mass_of

from simgen.beams import load_beams
from simgen.events import DECAYED, FINAL
from simgen.particles import particle_table


@pytest.fixture(scope="module", params=["ignored", "applied"])
def events(request, tmp_path_factory):
    """Full chains from asymmetric beams that cross and spread, without and with radiation."""
    folder = tmp_path_factory.mktemp("conservation")
    return make_events(
        folder, f"yesPhotos\n{FULL_CHAIN}", 20_000, beams=load_beams("belle2"),
        final_state_radiation=request.param,
    )  # fmt: skip


def sum_of_daughters(block, values):
    """Add up what daughters have, for each mother."""
    total = np.zeros((block.n_particles, *values.shape[1:]))
    has_mother = block.mother >= 0
    np.add.at(total, block.mother_row[has_mother], values[has_mother])
    return total


def test_four_momentum_is_conserved_at_every_vertex(events):
    decayed = events.status == DECAYED
    difference = sum_of_daughters(events, events.p4)[decayed] - events.p4[decayed]
    relative = np.abs(difference) / events.p4[decayed, 3:]
    assert relative.max() < 1e-12


def test_the_root_has_the_momentum_of_the_beams(events):
    np.testing.assert_array_equal(events.p4[events.offsets[:-1]], events.beam)
    assert mass_of(events.beam).std() > 1e-3


def test_particles_of_fixed_mass_are_on_their_mass_shell(events):
    table = particle_table()
    broad = {300553, 113, 213, -213, 423, -423}
    fixed = ~np.isin(events.pdgid, list(broad))
    masses = {int(i): table.by_pdgid(int(i)).mass for i in np.unique(events.pdgid)}
    expected = np.array([masses[int(i)] for i in events.pdgid])
    square = events.p4[:, 3] ** 2 - np.sum(events.p4[:, :3] ** 2, axis=1)
    scale = events.p4[:, 3] ** 2
    assert (np.abs(square - expected**2) / scale)[fixed].max() < 1e-12


def test_charge_is_conserved_at_every_vertex(events):
    table = particle_table()
    charges = {int(i): table.by_pdgid(int(i)).charge3 for i in np.unique(events.pdgid)}
    charge = np.array([charges[int(i)] for i in events.pdgid], dtype=float)
    decayed = events.status == DECAYED
    np.testing.assert_array_equal(sum_of_daughters(events, charge)[decayed], charge[decayed])


def test_mothers_come_before_daughters_and_siblings_are_together(events):
    index = np.arange(events.n_particles)
    mother = events.mother_row
    has_mother = mother >= 0
    assert (mother[has_mother] < index[has_mother]).all()
    assert np.array_equal(events.mother[events.offsets[:-1]], np.full(len(events), -1))
    # the rows of one mother's daughters have no gap
    for lowest, highest, count in zip(*family_ranges(events), strict=True):
        assert highest - lowest + 1 == count


def family_ranges(block):
    """Return first and last row and number of the daughters of each mother."""
    index, mother = np.arange(block.n_particles), block.mother_row
    rows = index[mother >= 0]
    low, high = np.full(block.n_particles, block.n_particles), np.full(block.n_particles, -1)
    count = np.zeros(block.n_particles, dtype=int)
    np.minimum.at(low, mother[rows], rows)
    np.maximum.at(high, mother[rows], rows)
    np.add.at(count, mother[rows], 1)
    return low[count > 0], high[count > 0], count[count > 0]


def test_status_says_who_has_daughters(events):
    n_daughters = sum_of_daughters(events, np.ones(events.n_particles))
    np.testing.assert_array_equal(events.status == DECAYED, n_daughters > 0)
    np.testing.assert_array_equal(events.status == FINAL, n_daughters == 0)


def test_process_is_the_channel_of_the_root(events):
    first_daughter = events.pdgid[events.offsets[:-1] + 1]
    np.testing.assert_array_equal(first_daughter, np.where(events.process == 0, 521, -521))
