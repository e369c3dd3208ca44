"""Event-keyed random streams: the numbers of Philox, their distributions, their independence."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from simgen.random import (
    STATE_SIZE,
    Stage,
    azimuth,
    exponential,
    new_stream,
    normal_pair,
    open_stream,
    seek,
    set_key,
    uniform,
    unit_vector,
)

P_MIN = 1e-3
N = 20_000


def stream(seed=1, stage=Stage.GENERATE, event_id=0, substream=0):
    """Return a stream at the beginning of a substream of an event."""
    state = open_stream(seed, int(stage))
    np.testing.assert_array_equal(new_stream(seed, int(stage)), state)
    seek(state, event_id, substream)
    return state


def numpy_stream(seed, stage, event_id, substream):
    """Return numpy's generator with the key and counter that define a stream."""
    return np.random.Generator(
        np.random.Philox(
            key=np.array([seed, stage], dtype=np.uint64),
            counter=np.array([0, substream, event_id, 0], dtype=np.uint64),
        )
    )


@pytest.mark.parametrize(
    ("seed", "stage", "event_id", "substream"),
    [
        (0, 1, 0, 0),
        (1, 1, 0, 0),
        (20220907, 2, 12345, 7),
        (2**63 - 1, 3, 10**12, 511),
        (42, 2**32, 2**40 + 3, 2**31),
    ],
)
def test_uniforms_are_bit_for_bit_those_of_numpys_philox(seed, stage, event_id, substream):
    state = stream(seed, stage, event_id, substream)
    expected = numpy_stream(seed, stage, event_id, substream).random(101)
    assert [uniform(state) for _ in range(101)] == expected.tolist()


def test_seek_starts_an_event_anew_wherever_the_stream_was():
    state = stream(event_id=5)
    first = [uniform(state) for _ in range(6)]
    seek(state, 6, 0)
    assert uniform(state) != first[0]
    seek(state, 5, 0)
    assert [uniform(state) for _ in range(6)] == first


def test_setting_the_key_of_an_old_state_gives_the_stream_of_a_new_one():
    state = stream(seed=3, event_id=9)
    uniform(state)
    set_key(state, 8, int(Stage.SMEAR))
    seek(state, 4, 2)
    fresh = stream(8, Stage.SMEAR, 4, 2)
    assert len(state) == STATE_SIZE
    assert [uniform(state) for _ in range(9)] == [uniform(fresh) for _ in range(9)]


def test_seed_stage_event_and_substream_each_give_other_numbers():
    base = (1, Stage.GENERATE, 0, 0)
    others = [(2, *base[1:]), (1, Stage.SMEAR, 0, 0), (1, Stage.GENERATE, 1, 0), (*base[:3], 1)]
    first = {uniform(stream(*key)) for key in [base, *others]}
    assert len(first) == 1 + len(others)


@pytest.mark.parametrize("axis", ["event_id", "substream", "seed"])
def test_neighbouring_streams_are_uncorrelated(axis):
    values = np.array([uniform(stream(**{axis: i})) for i in range(N)])
    assert stats.kstest(values, "uniform").pvalue > P_MIN
    correlation = stats.pearsonr(values[:-1], values[1:]).statistic
    assert abs(correlation) * np.sqrt(N) < 3.3


def test_uniform_is_uniform_and_below_one():
    state = stream()
    values = np.array([uniform(state) for _ in range(N)])
    assert 0.0 <= values.min() < values.max() < 1.0
    assert stats.kstest(values, "uniform").pvalue > P_MIN


def test_exponential_has_mean_one():
    state = stream(seed=11)
    values = np.array([exponential(state) for _ in range(5 * N)])
    assert stats.kstest(values, "expon").pvalue > P_MIN
    # the standard deviation of the mean is 0.3 %
    assert abs(values.mean() - 1.0) * np.sqrt(5 * N) < 3.3


def test_normal_pairs_are_normal_and_independent():
    state = stream(seed=12)
    values = np.array([normal_pair(state) for _ in range(2 * N)])
    for column in values.T:
        assert stats.kstest(column, "norm").pvalue > P_MIN
    square = np.sum(values**2, axis=1)
    assert stats.kstest(square, "chi2", args=(2,)).pvalue > P_MIN
    assert abs(stats.pearsonr(*values.T).statistic) * np.sqrt(2 * N) < 3.3


def test_unit_vectors_are_isotropic():
    state = stream(seed=13)
    values = np.array([unit_vector(state) for _ in range(2 * N)])
    np.testing.assert_allclose(np.linalg.norm(values, axis=1), 1.0, rtol=1e-14)
    phi = np.arctan2(values[:, 1], values[:, 0])
    for column in values.T:
        assert stats.kstest(column, "uniform", args=(-1, 2)).pvalue > P_MIN
    assert stats.kstest(phi, "uniform", args=(-np.pi, 2 * np.pi)).pvalue > P_MIN
    assert abs(stats.pearsonr(phi, values[:, 2]).statistic) * np.sqrt(2 * N) < 3.3


def test_azimuth_is_cosine_and_sine_to_the_last_bit():
    here, there = stream(seed=14), stream(seed=14)
    values = np.array([azimuth(here) for _ in range(2 * N)])
    # 64 bits of mantissa, so that the angle and not the reference is what is tested
    angle = (
        2.0
        * np.longdouble("3.14159265358979323846")
        * np.longdouble([uniform(there) for _ in range(2 * N)])
    )
    expected = np.column_stack([np.cos(angle), np.sin(angle)])
    assert np.abs(values - expected).max() < 2.3e-16
    assert uniform(here) == uniform(there)


@pytest.mark.parametrize("eighth", range(9))
def test_azimuth_is_right_at_every_eighth_of_a_turn(eighth):
    """On both sides of where it changes the quarter, and at the ends of [0, 1)."""
    words = [((eighth << 50) + step) << 11 for step in (-1, 0, 1)]
    for word in (w for w in words if 0 <= w < 2**64):
        state = stream()
        state[-1], state[6] = 0, word  # the first of the four words in store
        u = (word >> 11) * 2.0**-53
        np.testing.assert_allclose(
            azimuth(state), [np.cos(2.0 * np.pi * u), np.sin(2.0 * np.pi * u)], atol=1e-15
        )
