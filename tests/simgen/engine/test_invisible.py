"""Neutrinos of leptonic tau decays: the numbers of arXiv:2209.03387, sect. 4, phase space."""

from __future__ import annotations

import numpy as np
import pytest
from chains import child_rows, make_events, mass_of, rows_of

from simgen.beams import load_beams

N = 100_000
M_B = 5.27934

SIGNAL = """
Alias B+sig B+
Decay Upsilon(4S)
1.0 B+sig B- VSS;
Enddecay
Decay B+sig
1.0 K+ tau- mu+ PHSP;
Enddecay
Decay tau-
1.0 mu- anti-nu_mu nu_tau PHSP;
Enddecay
"""


@pytest.fixture(scope="module")
def signal(tmp_path_factory):
    """Visible momentum K mu mu, invisible momentum, and total beam momentum, (n, 4) each."""
    folder = tmp_path_factory.mktemp("invisible")
    events = make_events(folder, SIGNAL, N, beams=load_beams("belle2"))
    b, tau = rows_of(events, 521), rows_of(events, 15)
    p4 = events.p4
    visible = p4[child_rows(events, b)] + p4[child_rows(events, b, 2)]
    visible = visible + p4[child_rows(events, tau)]
    invisible = p4[child_rows(events, tau, 1)] + p4[child_rows(events, tau, 2)]
    np.testing.assert_allclose(visible + invisible, p4[b], rtol=0, atol=1e-11)
    return visible, invisible, events.beam


def test_ansatz_for_the_neutrino_mass_is_negative_in_14_percent(signal):
    """m_hat^2 = (p_B - p_vis)^2 with p_B a B at rest in the CM, boosted by the beams."""
    visible, _, beam = signal
    rest = M_B * beam / mass_of(beam)[:, None]
    k = rest - visible
    square = k[:, 3] ** 2 - np.sum(k[:, :3] ** 2, axis=1)
    fraction = np.mean(square < 0)
    assert abs(fraction - 0.141) < 3 * np.sqrt(0.141 * 0.859 / N)


def test_neutrino_pair_mass_peaks_near_one_gev(signal):
    _, invisible, _ = signal
    mass = mass_of(invisible)
    assert mass.max() < 1.77693 - 0.10566
    counts, edges = np.histogram(mass, np.linspace(0, 1.7, 18))
    centre = 0.5 * (edges[:-1] + edges[1:])[np.argmax(counts)]
    assert 0.9 < centre < 1.2
