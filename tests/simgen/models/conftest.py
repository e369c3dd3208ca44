from __future__ import annotations

import numpy as np
import pytest
from decays import make_decay_generator


@pytest.fixture
def decay_generator(tmp_path):
    """Make the generator of one decay: parent, its mass, daughters and model."""
    return lambda *args, **kwargs: make_decay_generator(tmp_path, *args, **kwargs)


@pytest.fixture
def decay(decay_generator):
    """Make events of one decay; return momenta (n, 1 + daughters, 4)."""

    def make(parent, mass, line, n, seed=1, **options):
        generator = decay_generator(parent, mass, line, **options)
        block = generator.generate(np.arange(n), seed)
        assert generator.problems() == ()
        return block.p4.reshape(n, -1, 4)

    return make
