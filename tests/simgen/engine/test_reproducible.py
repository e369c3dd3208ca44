"""An event depends on its number and the seed, on nothing else."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from chains import FULL_CHAIN, make_generator

from simgen.beams import load_beams
from simgen.events import EventBlock, concatenate

FIELDS = tuple(EventBlock.__dataclass_fields__)
FIRST, N = 10**9, 600


def assert_same(a, b):
    for name in FIELDS:
        np.testing.assert_array_equal(getattr(a, name), getattr(b, name), err_msg=name)


@pytest.fixture(scope="module", params=["ignored", "applied"])
def radiation(request):
    return request.param


def full_chain(folder, radiation):
    return make_generator(
        folder,
        f"yesPhotos\n{FULL_CHAIN}",
        beams=load_beams("belle2"),
        final_state_radiation=radiation,
    )


@pytest.fixture(scope="module")
def generator(radiation, tmp_path_factory):
    return full_chain(tmp_path_factory.mktemp("reproducible"), radiation)


@pytest.fixture(scope="module")
def block(generator):
    return generator.generate(np.arange(FIRST, FIRST + N), 3)


def test_every_event_is_made_again_from_its_number_alone(generator, block):
    for i in range(0, N, 7):
        alone = generator.generate(np.array([FIRST + i]), 3)
        assert_same(alone, block.select(i, i + 1))


@pytest.mark.parametrize("size", [1, 37, 599])
def test_blocks_of_any_size_hold_the_same_events(generator, block, size):
    parts = [
        generator.generate(np.arange(FIRST + i, FIRST + min(i + size, N)), 3)
        for i in range(0, N, size)
    ]
    assert_same(concatenate(parts), block)


def test_order_of_the_events_does_not_matter(generator, block):
    backwards = generator.generate(np.arange(FIRST + N - 1, FIRST - 1, -1), 3)
    for i in range(0, N, 11):
        assert_same(backwards.select(N - 1 - i, N - i), block.select(i, i + 1))


def test_threads_at_once_make_the_same_events(generator, block):
    ids = np.array_split(np.arange(FIRST, FIRST + N), 40)
    with ThreadPoolExecutor(8) as pool:
        parts = list(pool.map(lambda i: generator.generate(i, 3), ids))
    assert_same(concatenate(parts), block)


def test_another_generator_of_the_same_files_makes_the_same_events(radiation, tmp_path, block):
    again = full_chain(tmp_path, radiation)
    assert_same(again.generate(np.arange(FIRST, FIRST + N), 3), block)


def test_another_seed_makes_other_events(generator, block):
    other = generator.generate(np.arange(FIRST, FIRST + N), 4)
    assert not np.isin(other.beam[:, 3], block.beam[:, 3]).any()


def test_more_particles_than_expected_still_give_all_events(tmp_path):
    """One event in ten is ten times as large: the room for particles runs out in between."""
    text = """
    Decay B+
    0.02 D0 anti-D0 K+ PHSP;
    0.98 mu+ nu_mu PHSP;
    Enddecay
    Decay D0
    1.0 K- pi+ pi+ pi+ pi- pi- pi0 pi0 pi0 pi0 PHSP;
    Enddecay
    CDecay anti-D0
    """
    generator = make_generator(tmp_path, text, root="B+", mass=5.27934)
    large = np.flatnonzero(generator.generate(np.arange(20_000), 1).process == 0)
    assert len(large) > 300
    crowded = generator.generate(large, 1)
    assert len(crowded) == len(large)
    np.testing.assert_array_equal(crowded.event_id, large)
    np.testing.assert_array_equal(np.diff(crowded.offsets), 24)
    for i in (0, len(large) - 1):
        assert_same(crowded.select(i, i + 1), generator.generate(large[i : i + 1], 1))


def test_no_events_give_an_empty_block(generator):
    empty = generator.generate(np.arange(0), 1)
    assert len(empty) == empty.n_particles == 0
