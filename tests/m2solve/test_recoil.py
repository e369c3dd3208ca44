"""M_recoil and cos(theta): eq. 1 in the frame of the beams."""

from __future__ import annotations

import numpy as np
import pytest

import m2solve
from simgen.errors import InputArrayError


def test_true_angle_gives_the_tau_mass(exact, tools):
    cosine = m2solve.cos_theta_tag(exact.p_kl, exact.parent_tag, exact.total)
    mass = m2solve.m_recoil(exact.p_kl, cosine, exact.total, tools.M_B)
    assert np.allclose(mass, tools.M_TAU, atol=1e-6)


def test_recoil_of_any_subsystem_is_the_mass_of_the_rest(exact, tools):
    cosine = m2solve.cos_theta_tag(exact.visible_sig, exact.parent_tag, exact.total)
    squared = m2solve.m_recoil_squared(exact.visible_sig, cosine, exact.total, tools.M_B)
    assert np.allclose(squared, exact.m_sig**2, atol=1e-9)


def test_different_parent_masses(tools):
    rng = np.random.default_rng(2)
    total = np.tile(tools.belle2_total(), (300, 1))
    first, second = tools.two_body(rng, total, 5.0, 5.4)
    visible, rest = tools.two_body(rng, first, 1.2, 0.7)
    cosine = m2solve.cos_theta_tag(visible, second, total)
    mass = m2solve.m_recoil(visible, cosine, total, (5.0, 5.4))
    assert np.allclose(mass, tools.mass(rest), atol=1e-9)


def test_more_solutions_broadcast(smeared):
    tags = np.stack([smeared.parent_tag, smeared.parent_sig], axis=1)
    cosine = m2solve.cos_theta_tag(smeared.p_kl[:, None], tags, smeared.total)
    assert cosine.shape == (len(tags), 2)
    # The two parents are back to back in this frame.
    assert np.allclose(cosine[:, 0], -cosine[:, 1], atol=1e-9)


def test_negative_square_keeps_its_sign(tools):
    visible = np.array([0.0, 0.0, 0.5, 5.25])
    total = np.array([0.0, 0.0, 0.0, 10.58])
    squared = m2solve.m_recoil_squared(visible, 1.0, total, tools.M_B)
    assert squared < 0.0
    assert m2solve.m_recoil(visible, 1.0, total, tools.M_B) == -np.sqrt(-squared)


def test_no_direction_is_nan():
    total = np.array([0.0, 0.0, 0.0, 10.58])
    cosine = m2solve.cos_theta_tag([0.0, 0.0, 0.0, 1.0], [0.0, 0.0, 1.0, 5.4], total)
    assert np.isnan(cosine)


def test_wrong_shape_names_the_argument():
    with pytest.raises(InputArrayError, match="parent_tag has shape"):
        m2solve.cos_theta_tag(np.zeros((3, 4)), np.zeros((3, 3)), np.zeros(4))
