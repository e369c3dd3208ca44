from __future__ import annotations

import numpy as np
import pytest

from simgen.config import GenerateConfig, validate
from simgen.errors import ConfigError
from simgen.generation import generate_event, prepare_generation
from simgen.luminosity import expected_events

COMMON = {"generator": {}, "detector": "belle2"}


def checked(**settings):
    return validate(GenerateConfig, COMMON | settings, "x.yaml")


@pytest.mark.parametrize("luminosity", [710, 710.0, "710 /fb", "0.71 /ab", "710000/pb"])
@pytest.mark.parametrize("cross_section", [1.1, "1.1 nb", "1100 pb", "1.1e6 fb"])
def test_events_are_those_of_the_luminosity(luminosity, cross_section):
    config = checked(luminosity=luminosity, cross_section=cross_section)
    assert config.events == 781_000_000
    assert config.event_weight == pytest.approx(1.0, abs=1e-9)


def test_fewer_events_weigh_more():
    config = checked(luminosity=710, cross_section=1.1, events=1000)
    assert config.event_weight * 1000 == pytest.approx(expected_events(710, 1.1))
    assert checked(events=1000).event_weight == 1.0


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"luminosity": "710 fb", "cross_section": 1}, r"luminosity: should be .* '1.2 /fb'"),
        ({"luminosity": -1, "cross_section": 1}, "luminosity: should be a positive number"),
        ({"luminosity": 710, "cross_section": "1 b"}, "cross_section: should be a positive number"),
        ({"luminosity": 710, "events": 10}, "give both or neither"),
        ({"cross_section": 1, "events": 10}, "give both or neither"),
        ({"luminosity": 710}, "the key 'events' is missing"),
        ({"luminosity": 1e-12, "cross_section": 1}, "events"),
    ],
)
def test_what_is_no_luminosity_is_refused(settings, message):
    with pytest.raises(ConfigError, match=message):
        checked(**settings)


def test_one_event_weighs_what_it_weighs_in_the_run():
    config = COMMON | {
        "events": 500,
        "luminosity": "10 /fb",
        "cross_section": "2 pb",
        "generator": {"decay_files": ["ktaumu.dec"], "base": None},
    }
    block = prepare_generation(config).block(0, 500)
    assert np.sum(block.weight) == pytest.approx(20_000)
    assert generate_event(config, 7).weight[0] == block.weight[7]
