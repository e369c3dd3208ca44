"""The ansatz m_hat."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binomtest

import m2solve


def test_is_negative_in_141_permille_of_phase_space_tau_to_mu_nu_nu(tools):
    events, _ = tools.make_events(100_000, leptonic=True, seed=71)
    negative = int(np.sum(m2solve.m_hat_squared(events.visible_sig, events.total, tools.M_B) < 0.0))
    # The known fraction is given to three digits.
    assert binomtest(negative, 100_000, 0.141).pvalue > 1e-3


def test_is_the_mass_of_a_parent_at_rest_minus_the_visible_momentum(smeared, tools):
    parent = tools.M_B * smeared.total / tools.mass(smeared.total)
    rest = parent - smeared.visible_sig
    squared = m2solve.m_hat_squared(smeared.visible_sig, smeared.total, tools.M_B)
    assert np.allclose(squared, tools.minkowski(rest, rest), atol=1e-10)


def test_sign_is_flipped(smeared, tools):
    squared = m2solve.m_hat_squared(smeared.visible_sig, smeared.total, tools.M_B)
    assert np.any(squared < 0.0)
    assert np.allclose(
        m2solve.m_hat(smeared.visible_sig, smeared.total, tools.M_B) ** 2, np.abs(squared)
    )


def test_true_mass_of_two_neutrinos_peaks_at_one_gev(tools):
    events, _ = tools.make_events(100_000, leptonic=True, seed=72)
    counts, edges = np.histogram(events.m_sig, bins=17, range=(0.0, 1.7))
    peak = int(np.argmax(counts))
    assert 0.5 * (edges[peak] + edges[peak + 1]) == pytest.approx(1.0, abs=0.151)
