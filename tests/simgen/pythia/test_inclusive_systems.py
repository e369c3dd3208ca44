"""X_s of BTOXSLL, whose mass the model draws, fragmented by Pythia."""

from __future__ import annotations

import numpy as np
import pytest
from chains import make_generator, mass_of, rows_of

pytest.importorskip("pythia8mc")

N = 400
TEXT = """
Decay B0
1.0 Xsd mu+ mu- BTOXSLL 4.8 0.2 0.0 0.41;
Enddecay
Decay Xsd
1.0 d anti-s PYTHIA 42;
Enddecay
"""
STRANGE = {321: 1, 311: 1, 323: 1, 313: 1, -321: -1, -311: -1, -323: -1, -313: -1}


def test_x_s_becomes_hadrons_of_its_mass_and_strangeness(tmp_path):
    generator = make_generator(tmp_path, TEXT, root="B0", mass=5.27963, pythia_modes="pythia")
    block = generator.generate(np.arange(N), 3)
    assert generator.problems() == ()
    x = rows_of(block, 30343)
    assert len(x) == N
    assert np.ptp(mass_of(block.p4[x])) > 1.0
    assert mass_of(block.p4[x]).min() > 1.1
    kaons = 0
    for row in x:
        hadrons = np.flatnonzero(block.mother_row == row)
        assert len(hadrons) >= 2
        np.testing.assert_allclose(block.p4[hadrons].sum(axis=0), block.p4[row], atol=1e-6)
        kaons += sum(STRANGE.get(int(code), 0) for code in block.pdgid[hadrons])
    assert kaons > 0.95 * N  # all but phi and baryons
