"""Tables of a profile: what they may be, and their values."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.interpolate import RegularGridInterpolator

from detector.profiles import load_profile
from detector.table_lookup import pack_tables, value_at
from detector.tables import TRACK_EFFICIENCY, make_table
from simgen.errors import ConfigError

P, THETA = [0.1, 0.5, 1.0, 4.0], [17.0, 50.0, 90.0, 120.0, 150.0]
POINTS = np.random.default_rng(4).uniform(0, 1, (4, 5))


def table(axes, values):
    return make_table(axes, np.asarray(values).tolist(), TRACK_EFFICIENCY)


def look_up(tables, which, p, theta):
    """Values at p and theta (degrees), with pT = p sin(theta)."""
    packed = pack_tables(tables)
    angles = np.radians(theta)
    return np.array(
        [value_at(packed, which, x, x * np.sin(t), t) for x, t in zip(p, angles, strict=True)]
    )


@pytest.fixture(scope="module")
def places():
    rng = np.random.default_rng(5)
    return rng.uniform(0.0, 6.0, 2000), rng.uniform(1.0, 179.0, 2000)


def test_points_are_interpolated_linearly_and_constant_beyond_the_ends(places):
    p, theta = places
    expected = RegularGridInterpolator((P, THETA), POINTS)(
        np.column_stack([np.clip(p, P[0], P[-1]), np.clip(theta, THETA[0], THETA[-1])])
    )
    got = look_up([0.5, table({"p": P, "theta": THETA}, POINTS)], 1, *places)
    np.testing.assert_allclose(got, expected, atol=1e-12)


def test_bins_hold_their_value_and_the_last_ones_beyond_the_ends(places):
    p, theta = places
    i = np.clip(np.searchsorted(P, p, side="right") - 1, 0, 2)
    j = np.clip(np.searchsorted(THETA, theta, side="right") - 1, 0, 3)
    got = look_up([table({"p": P, "theta": THETA}, POINTS[:3, :4])], 0, *places)
    np.testing.assert_array_equal(got, POINTS[i, j])


@pytest.mark.parametrize("n", [4, 5])
def test_the_order_of_axes_is_free(places, n):
    first = look_up([table({"p": P[:n], "theta": THETA}, POINTS)], 0, *places)
    second = look_up([table({"theta": THETA, "p": P[:n]}, POINTS.T)], 0, *places)
    np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize("binned", [False, True])
def test_tables_of_one_axis(places, binned):
    p, theta = places
    for axis, numbers, x in (("p", P, p), ("theta", THETA, theta),
                             ("pt", P, p * np.sin(np.radians(theta)))):  # fmt: skip
        values = np.linspace(0.1, 0.9, len(numbers) - binned)
        got = look_up([table({axis: numbers}, values)], 0, *places)
        if binned:
            i = np.clip(np.searchsorted(numbers, x, side="right") - 1, 0, len(values) - 1)
            np.testing.assert_array_equal(got, values[i])
        else:
            np.testing.assert_allclose(got, np.interp(x, numbers, values), atol=1e-12)


def test_a_number_is_the_same_everywhere(places):
    np.testing.assert_array_equal(look_up([0.25, 0.75], 1, *places), 0.75)


def test_one_point_is_a_constant(places):
    got = look_up([table({"p": [1.0], "theta": [90.0]}, [[0.3]])], 0, *places)
    np.testing.assert_array_equal(got, 0.3)


def efficiency(value):
    return load_profile("belle2", {"identification": {"muon": {"muon": value}}})


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (1.01, ["between 0 and 1", "1.01"]),
        (-0.1, ["between 0 and 1", "-0.1"]),
        (True, ["number", "True"]),
        ("high", ["number", "'high'"]),
        (float("nan"), ["number", "nan"]),
        ({}, ["axes", "values"]),
        ({"axes": {"p": [1, 2]}}, ["axes", "values"]),
        ({"axes": {"p": [1, 2]}, "values": [0.1, 0.2], "unit": "GeV"}, ["unit"]),
        ({"axes": {"energy": [1, 2]}, "values": [0.1, 0.2]}, ["'energy'", "p (GeV)", "theta"]),
        ({"axes": {"p": [2, 1]}, "values": [0.1, 0.2]}, ["p should increase", "[2.0, 1.0]"]),
        ({"axes": {"p": [1, 1]}, "values": [0.1, 0.2]}, ["p should increase"]),
        ({"axes": {"p": [-1, 1]}, "values": [0.1, 0.2]}, ["p should be between 0"]),
        ({"axes": {"theta": [20, 190]}, "values": [0.1, 0.2]}, ["180 degrees"]),
        ({"axes": {"p": []}, "values": []}, ["p should be a list"]),
        ({"axes": {"p": [1, "a"]}, "values": [0.1, 0.2]}, ["'a'"]),
        ({"axes": {"p": [1, 2], "pt": [1, 2]}, "values": [[0, 0], [0, 0]]}, ["not both"]),
        ({"axes": [1, 2], "values": [0.1, 0.2]}, ["one or two of p, pt, theta"]),
        ({"axes": {"p": [1, 2, 3]}, "values": [0.1]}, ["3 values are points, 2 are bins"]),
        ({"axes": {"p": [1]}, "values": []}, ["1 values are points"]),
        ({"axes": {"p": [1, 2]}, "values": [0.1, 1.2]}, ["between 0 and 1", "1.2"]),
        ({"axes": {"p": [1, 2]}, "values": [0.1, None]}, ["number", "None"]),
        ({"axes": {"p": [1, 2]}, "values": "ab"}, ["a list is expected"]),
        (
            {"axes": {"p": [1, 2], "theta": [20, 30]}, "values": [[0.1, 0.2], [0.1]]},
            ["row 2 should have 2 numbers"],
        ),
        (
            {"axes": {"p": [1, 2], "theta": [20, 30, 40]}, "values": [[0.1, 0.2], [0.1, 0.2]]},
            ["row 1 should have 3 numbers"],
        ),
    ],
)
def test_what_is_no_table_is_refused_with_its_key_and_what_is_allowed(value, words):
    with pytest.raises(ConfigError) as error:
        efficiency(value)
    for word in ["identification.muon.muon", *words]:
        assert word in str(error.value)


def test_a_table_replaces_a_table_as_a_whole():
    overrides = [
        {"axes": {"p": [1, 2]}, "values": [0.1, 0.2]},
        {"axes": {"theta": [20, 90]}, "values": [0.3, 0.4]},
    ]
    parent = {"derive": "belle2", "identification": {"muon": {"muon": overrides[0]}}}
    changed = load_profile(parent, {"identification": {"muon": {"muon": overrides[1]}}})
    assert changed.identification.muon.muon.axes == {"theta": (20.0, 90.0)}


def test_a_profile_with_tables_survives_being_written(belle2):
    profile = efficiency({"axes": {"p": P, "theta": THETA}, "values": POINTS.tolist()})
    assert load_profile(profile.model_dump(mode="json")) == profile
    assert profile != belle2
