"""Detector profiles and hand-made truth events shared by the tests."""

from __future__ import annotations

import numpy as np
import pytest
from decay_trees import all_channels, make_block

from detector.profiles import load_profile


@pytest.fixture(scope="session")
def belle2():
    return load_profile("belle2")


@pytest.fixture(scope="session")
def perfect():
    return load_profile("perfect")


@pytest.fixture(scope="session")
def total(belle2):
    return belle2.beams.total()


@pytest.fixture
def make(total):
    """Events of one tree."""

    def maker(tree, n=50, seed=7, **options):
        return make_block(tree, n, np.random.default_rng(seed), total=total, **options)

    return maker


@pytest.fixture(scope="session")
def channels(total):
    """5000 events of 25 channels, and (n, 3) tau_mode, tag_meson, tag lepton flavour."""
    return all_channels(200, total, seed=3)


@pytest.fixture(scope="session")
def sharp_channels(total):
    """The same with beams of exactly the mean momentum."""
    return all_channels(200, total, seed=3, spread=0.0)
