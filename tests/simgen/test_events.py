"""The columnar event record."""

from __future__ import annotations

import awkward as ak
import numpy as np
import pytest
import vector

from simgen.events import DECAYED, FINAL, EventBlock, concatenate


def block(first=10):
    """Two events: a root with two daughters, one of which decays; and a root with two."""
    mother = [-1, 0, 0, 1, 1, -1, 0, 0]
    rng = np.random.default_rng(1)
    p4 = rng.normal(size=(8, 4))
    p4[:, 3] = 10.0
    production = np.array([[0, 0, v, v] for v in (0, 0, 0, 7, 7, 1, 1, 1)], dtype=float)
    return EventBlock(
        event_id=np.arange(first, first + 2),
        weight=np.array([1.0, 0.5]),
        process=np.array([0, 3], dtype=np.int32),
        beam=rng.normal(size=(2, 4)),
        vertex=rng.normal(size=(2, 3)),
        offsets=np.array([0, 5, 8]),
        pdgid=np.array([300553, 521, -521, 13, -14, 300553, 511, -511], dtype=np.int32),
        mother=np.array(mother, dtype=np.int32),
        status=np.array([2, 2, 1, 1, 1, 2, 1, 1], dtype=np.int8),
        p4=p4,
        production=production,
    )


FIELDS = tuple(EventBlock.__dataclass_fields__)


def assert_same(a, b):
    for name in FIELDS:
        np.testing.assert_array_equal(getattr(a, name), getattr(b, name), err_msg=name)


def test_sizes():
    assert len(block()) == 2
    assert block().n_particles == 8


def test_mothers_point_to_rows_of_the_block():
    assert block().mother_row.tolist() == [-1, 0, 0, 1, 1, -1, 5, 5]
    assert block().event_index.tolist() == [0] * 5 + [1] * 3


def test_a_particle_decays_where_its_daughters_are_made():
    vertices = block().decay_vertices()
    assert vertices[:, 2].tolist()[:2] == [0, 7]
    assert vertices[5, 2] == 1
    assert np.isnan(vertices[block().status == FINAL]).all()
    assert np.isfinite(vertices[block().status == DECAYED]).all()


def test_selecting_each_event_and_joining_gives_the_block_back():
    whole = block()
    parts = [whole.select(i, i + 1) for i in range(2)]
    assert [p.offsets.tolist() for p in parts] == [[0, 5], [0, 3]]
    assert_same(concatenate(parts), whole)


def test_selecting_nothing_gives_an_empty_block():
    empty = block().select(1, 1)
    assert len(empty) == 0
    assert empty.n_particles == 0
    assert_same(concatenate([empty, block()]), block())


def test_columns_give_the_block_back():
    assert_same(EventBlock.from_columns(block().columns()), block())


def test_columns_are_one_array_a_dataset():
    columns = block().columns()
    np.testing.assert_array_equal(columns["particles/px"], block().p4[:, 0])
    np.testing.assert_array_equal(columns["particles/t"], block().production[:, 3])
    np.testing.assert_array_equal(columns["events/vertex/z"], block().vertex[:, 2])
    assert columns["particles/pdgid"].dtype == np.int32


def test_events_before_a_number():
    assert block(first=10).before(11).event_id.tolist() == [10]
    assert len(block(first=10).before(99)) == 2


def test_awkward_records_are_vectors():
    vector.register_awkward()
    events = block().to_awkward()
    assert ak.num(events.particles).tolist() == [5, 3]
    expected = np.hypot(block().p4[:, 0], block().p4[:, 1])
    assert ak.flatten(events.particles.pt).tolist() == pytest.approx(expected.tolist())
    assert events.particles.production.z.tolist()[1] == [1, 1, 1]
    assert events.beam.energy.tolist() == block().beam[:, 3].tolist()
    assert events.particles.pdgid[1].tolist() == [300553, 511, -511]
