"""M2sB: two exact solutions, mirrored in the plane of the visible momenta."""

from __future__ import annotations

import numpy as np
import pytest

import m2solve
from m2solve import Status


def solve(events, **changes):
    arguments = {"m_sig": events.m_sig, "m_tag": 0.0, "parent_mass": 5.27934} | changes
    return m2solve.solve("M2sB", events.visible_sig, events.visible_tag, events.total, **arguments)


def to_cm(p, total, tools):
    reverse = np.concatenate([-total[:3], total[3:]])
    return tools.boost(p, np.broadcast_to(reverse, p.shape))


def test_one_of_two_solutions_is_the_truth(exact):
    solution = solve(exact)
    assert np.all(solution.status == Status.SOLVED)
    assert np.all(solution.n_solutions == 2)
    for found, truth in ((solution.k_sig, exact.k_sig), (solution.k_tag, exact.k_tag)):
        distance = np.min(np.linalg.norm(found - truth[:, None], axis=2), axis=1)
        assert np.quantile(distance, 0.999) < 1e-9
        # c = 0 is a square-root threshold: rounding of 1e-15 in c^2 may be 3e-8 in c.
        assert np.max(distance) < 1e-6


def test_solutions_are_mirror_images_in_the_frame_of_the_beams(smeared, tools):
    solution = solve(smeared)
    two = solution.n_solutions == 2
    total = smeared.total
    p1 = to_cm(smeared.visible_sig[two], total, tools)[:, :3]
    p2 = to_cm(smeared.visible_tag[two], total, tools)[:, :3]
    a = to_cm(solution.parent_sig[two, 0], total, tools)[:, :3]
    b = to_cm(solution.parent_sig[two, 1], total, tools)[:, :3]
    normal = np.cross(p1, p2)
    normal /= np.linalg.norm(normal, axis=1, keepdims=True)
    up, down = np.sum(a * normal, axis=1), np.sum(b * normal, axis=1)
    assert np.all(up > 0.0)
    assert np.max(np.abs(up + down)) < 1e-10
    assert np.max(np.abs((a - up[:, None] * normal) - (b - down[:, None] * normal))) < 1e-10


def test_projected_solution_lies_in_the_plane_with_the_known_length(smeared, tools):
    """Numpy twin of the projection: P_parallel from least squares, rescaled."""
    solution = solve(smeared)
    projected = solution.status == Status.PROJECTED
    assert 0.1 < np.mean(projected) < 0.35
    total = smeared.total
    s = tools.minkowski(total, total)
    half = np.sqrt(s) / 2
    p1 = to_cm(smeared.visible_sig[projected], total, tools)
    p2 = to_cm(smeared.visible_tag[projected], total, tools)
    m1 = smeared.m_sig[projected]
    a1 = half * p1[:, 3] - (tools.M_B**2 + tools.minkowski(p1, p1) - m1**2) / 2
    a2 = (tools.M_B**2 + tools.minkowski(p2, p2)) / 2 - half * p2[:, 3]
    for i in range(200):
        matrix = np.stack([p1[i, :3], p2[i, :3]])
        inside = np.linalg.lstsq(matrix, np.array([a1[i], a2[i]]), rcond=None)[0]
        length = np.sqrt(half**2 - tools.M_B**2)
        assert np.linalg.norm(inside) > length
        cm = np.append(inside * length / np.linalg.norm(inside), half)
        lab = tools.boost(cm[None], total[None])[0]
        found = solution.parent_sig[projected][i, 0]
        assert np.max(np.abs(found[:3] - lab[:3])) < 1e-10


def test_different_parent_masses(tools):
    rng = np.random.default_rng(5)
    n = 500
    total = np.tile(tools.belle2_total(), (n, 1))
    first, second = tools.two_body(rng, total, 5.0, 5.4)
    visible_sig, k_sig = tools.two_body(rng, first, 1.2, 0.7)
    visible_tag, _ = tools.two_body(rng, second, 2.5, 0.1)
    solution = m2solve.solve(
        "M2sB", visible_sig, visible_tag, total, m_sig=0.7, m_tag=0.1, parent_mass=(5.0, 5.4)
    )
    assert np.all(solution.status == Status.SOLVED)
    assert np.allclose(tools.mass(solution.parent_sig), 5.0, rtol=1e-10)
    assert np.allclose(tools.mass(solution.parent_tag), 5.4, rtol=1e-10)
    distance = np.min(np.linalg.norm(solution.k_sig - k_sig[:, None], axis=2), axis=1)
    assert np.quantile(distance, 0.99) < 1e-9


class TestDegenerateKinematics:
    TOTAL = np.array([0.0, 0.0, 0.0, 10.58])

    def run(self, p1, p2, m_sig, m_tag=0.0, mass=5.27934, total=TOTAL):
        return m2solve.solve("M2sB", [p1], [p2], total, m_sig=m_sig, m_tag=m_tag, parent_mass=mass)

    @staticmethod
    def visible_at(cosine, m_visible, m_invisible):
        """Momentum and parent azimuth-free kinematics of a visible along z that fit exactly."""
        energy, mass = 5.29, 5.27934
        momentum = np.sqrt(energy**2 - mass**2)
        size = (
            np.sqrt(mass**2 - (m_visible + m_invisible) ** 2)
            * np.sqrt(mass**2 - (m_visible - m_invisible) ** 2)
            / (2 * mass)
        )
        e = np.hypot(size, m_visible)
        # Decay at angle `cosine` in the rest frame, then boost along the parent's direction.
        gamma, gammabeta = energy / mass, momentum / mass
        along = gamma * size * cosine + gammabeta * e
        across = size * np.sqrt(1 - cosine**2)
        lab = gamma * e + gammabeta * size * cosine
        q = np.hypot(along, across)
        return np.array([0.0, 0.0, q, lab]), along / q

    def test_parallel_visibles_that_fit_leave_a_cone_of_solutions(self, tools):
        p1, cosine1 = self.visible_at(0.3, 1.9, 0.0)
        # Back to back with p_1 and at the same angle to its own parent.
        p2 = p1 * np.array([-1, -1, -1, 1])
        solution = self.run(p1, p2, 0.0)
        assert solution.status[0] == Status.DEGENERATE
        parents = solution.parent_sig[0]
        assert np.allclose(tools.mass(solution.parent_sig), 5.27934, rtol=1e-9)
        assert np.allclose(tools.mass(solution.parent_tag), 5.27934, rtol=1e-9)
        unit = parents[:, :3] / np.linalg.norm(parents[:, :3], axis=1, keepdims=True)
        assert np.allclose(unit[:, 2], cosine1, atol=1e-9)

    def test_parallel_visibles_that_do_not_fit_are_projected(self):
        p1, _ = self.visible_at(0.3, 1.9, 0.0)
        p2, _ = self.visible_at(-0.9, 2.2, 0.0)
        solution = self.run(p1, p2, 0.0)
        assert solution.status[0] == Status.PROJECTED
        assert np.all(np.isfinite(solution.k_sig))

    def test_visible_at_rest(self):
        solution = self.run([0, 0, 0, 2.0], [0.0, 1.0, 1.5, 3.0], 0.3)
        assert solution.status[0] == Status.PROJECTED
        assert np.all(np.isfinite(solution.k_sig))

    def test_both_at_rest(self):
        solution = self.run([0, 0, 0, 2.0], [0, 0, 0, 2.0], 0.3)
        assert solution.status[0] == Status.PROJECTED
        assert np.all(np.isfinite(solution.k_sig))

    def test_nearly_parallel_visibles_keep_their_digits(self, tools):
        rng = np.random.default_rng(9)
        n = 2000
        total = np.tile(self.TOTAL, (n, 1))
        parent_sig, parent_tag = tools.two_body(rng, total, tools.M_B, tools.M_B)
        p1, k1 = tools.two_body(rng, parent_sig, 2.0, 0.4)
        p2, _ = tools.two_body(rng, parent_tag, 2.2, 0.0)
        cross = np.linalg.norm(np.cross(p1[:, :3], p2[:, :3]), axis=1)
        sine = cross / np.linalg.norm(p1[:, :3], axis=1) / np.linalg.norm(p2[:, :3], axis=1)
        solution = m2solve.solve(
            "M2sB", p1, p2, self.TOTAL, m_sig=0.4, m_tag=0.0, parent_mass=tools.M_B
        )
        distance = np.min(np.linalg.norm(solution.k_sig - k1[:, None], axis=2), axis=1)
        smallest = np.argsort(sine)[:20]
        assert np.max(sine[smallest]) < 0.15
        assert np.max(distance[smallest]) < 1e-7

    @pytest.mark.parametrize("visible", [[0.0, 0.0, 1e-9, 1e-9], [1.0, 2.0, 2.0, 3.0]])
    def test_massless_and_very_soft_visibles(self, visible):
        solution = self.run(visible, [0.3, 1.0, 1.5, 3.0], 0.3)
        assert solution.status[0] in {Status.SOLVED, Status.PROJECTED}
        assert np.all(np.isfinite(solution.k_sig))
        assert np.all(np.isfinite(solution.value))

    def test_threshold_has_parents_at_rest(self, tools):
        rng = np.random.default_rng(3)
        mass = 5.29
        rest = np.array([[0.0, 0.0, 0.0, mass]])
        p1, k1 = tools.two_body(rng, rest, 2.0, 0.5)
        p2, _ = tools.two_body(rng, rest, 1.5, 0.1)
        solution = self.run(
            p1[0], p2[0], 0.5, 0.1, mass=mass, total=np.array([0.0, 0.0, 0.0, 2 * mass])
        )
        assert np.allclose(solution.k_sig[0], k1, atol=1e-6)
        assert solution.status[0] in {Status.SOLVED, Status.PROJECTED}

    def test_below_threshold_is_projected_to_parents_at_rest(self):
        solution = self.run([0.1, 0.2, 1.0, 2.2], [0.3, 1.0, 1.5, 3.0], 0.3, mass=5.30)
        assert solution.status[0] == Status.PROJECTED
        assert np.allclose(solution.parent_sig[0, :, :3], 0.0, atol=1e-12)


def test_visible_heavier_than_its_parent_is_not_solved():
    """The quadratic equations have a solution, but the invisible system has negative energy."""
    total = np.array([0.0, 0.0, 0.0, 10.58])
    p2 = np.array([[0.0, 0.2, 0.0, 5.35]])
    p1 = np.array([[0.3, 1.0, 1.0, 2.5]])
    solution = m2solve.solve("M2sB", p1, p2, total, m_sig=1.0, m_tag=0.0, parent_mass=5.27934)
    assert solution.status[0] == Status.PROJECTED
    line = m2solve.solve(
        "M2BV",
        p2,
        p1,
        total,
        m_sig=0.0,
        m_tag=0.0,
        parent_mass=5.27934,
        flight_sig=[[0.0, 1.0, 0.0]],
    )
    assert line.status[0] == Status.PROJECTED


def test_hadronic_recoil_mass_is_within_100_mev_in_77_percent(hadronic, tools):
    """The known share at 0.5 % and 1 mrad, over both solutions."""
    solution = solve(hadronic, m_sig=0.0)
    cosine = m2solve.cos_theta_tag(hadronic.p_kl[:, None], solution.parent_tag, hadronic.total)
    mass = m2solve.m_recoil(hadronic.p_kl[:, None], cosine, hadronic.total, tools.M_B)
    assert np.mean(np.abs(mass - tools.M_TAU) < 0.1) == pytest.approx(0.77, abs=0.01)
