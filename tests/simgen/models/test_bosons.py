"""Two-body models of bosons against analytic angular distributions and covariant couplings."""

from __future__ import annotations

import ctypes
from math import cos, pi, sin, sqrt

import numpy as np
import pytest

from simgen.models import compile_amplitude, find_model
from simgen.models.partial_waves import clebsch_gordan
from simgen.particles import particle_table
from simgen.spin import tensor_component, transverse_state

B0, PSI, K_ST, GAMMA, RHO, PION, F_2, CHI_2, D_2, D_ST, CHI_1, K_S, UPSILON = (
    *(511, 443, 313, 22, 113, 211, 225, 445, 415, 413, 20443, 310, 553),
)
LEVI_CIVITA = np.array([
    [[np.linalg.det(np.eye(3)[[a, b, c]]) for c in range(3)] for b in range(3)] for a in range(3)
])  # fmt: skip
DIRECTIONS = [(0, 0, 1), (0, 0, -1), (0.3, -0.5, 0.2), (-1, 2, -5)]


def momenta_of(mass, masses, direction):
    """Return parent and two daughters, (3, 4), in the parent's rest frame."""
    m_1, m_2 = masses
    p = sqrt((mass**2 - (m_1 + m_2) ** 2) * (mass**2 - (m_1 - m_2) ** 2)) / (2 * mass)
    vector = p * np.asarray(direction) / np.linalg.norm(direction)
    return np.array([[0, 0, 0, mass], [*vector, np.hypot(p, m_1)], [*(-vector), np.hypot(p, m_2)]])


def evaluate(name, pdgids, momenta, shape, parameters=()):
    """Call the compiled amplitude of a model."""
    out = np.full(shape, np.nan, dtype=complex)
    arrays = [
        np.array([*parameters, 0.0], dtype=float),
        np.array(pdgids),
        np.ascontiguousarray(momenta, dtype=float),
        out,
    ]
    compiled = compile_amplitude(find_model(name).amplitude)
    call = ctypes.CFUNCTYPE(None, *[ctypes.c_void_p] * 4)(compiled.address)
    call(*(a.ctypes.data for a in arrays))
    return out


def frame(direction):
    """Return right-handed axes (a, b, n) with n along the direction."""
    n = np.asarray(direction) / np.linalg.norm(direction)
    a = np.cross(n, (0.36, 0.48, 0.8001))
    a /= np.linalg.norm(a)
    return a, np.cross(n, a), n


def in_frame(axes, theta, phi):
    """Return the unit vector at polar angles about the frame's third axis."""
    a, b, n = axes
    return sin(theta) * (cos(phi) * a + sin(phi) * b) + cos(theta) * n


def boosted_axes(p, mass):
    """Return the polarisation vectors of a vector, unit axes boosted to p: (3, 4)."""
    time = p[:3] / mass
    space = np.eye(3) + np.outer(p[:3], p[:3]) / (mass * (p[3] + mass))
    return np.column_stack([space, time])


def assert_proportional(found, expected):
    """Check equality up to one complex factor."""
    factor = np.vdot(expected, found) / np.vdot(expected, expected)
    assert abs(factor) > 1e-3
    np.testing.assert_allclose(found, factor * expected, atol=1e-12)


def tensors():
    """Return the polarisations of a tensor's states, (5, 3, 3)."""
    unit = np.eye(3)
    return np.array([
        [[tensor_component(j, *unit[a], *unit[b]) for b in range(3)] for a in range(3)]
        for j in range(5)
    ])  # fmt: skip


def test_tensor_states_are_symmetric_traceless_and_orthonormal():
    t = tensors()
    np.testing.assert_allclose(t, t.swapaxes(1, 2), atol=1e-15)
    np.testing.assert_allclose(np.einsum("jaa->j", t), 0, atol=1e-15)
    np.testing.assert_allclose(np.einsum("jab,kab->jk", t, t), np.eye(5), atol=1e-14)


class TestHelicities:
    @pytest.mark.parametrize("direction", DIRECTIONS)
    def test_decay_planes_of_two_vectors(self, direction):
        """S -> V V, V -> S S: A = H0 c1 c2 + (H+ e^{i chi} + H- e^{-i chi}) s1 s2 / 2.

        Angles c, s are of one scalar in each vector's rest frame to that vector's flight
        direction, chi between the decay planes (Kramer and Palmer, PRD 45 (1992) 193).
        """
        values = (0.159, 1.563, 0.775, 0.4, 0.612, 2.712)
        momenta = momenta_of(5.2797, (3.0969, 0.892), direction)
        found = evaluate("SVV_HELAMP", (B0, PSI, K_ST), momenta, (3, 3), values)
        plus, zero, minus = (values[i] * np.exp(1j * values[i + 1]) for i in (0, 2, 4))
        axes = frame(direction)
        rates = []
        for theta_1, theta_2, chi in np.random.default_rng(1).uniform(0, pi, (20, 3)):
            first = in_frame(axes, theta_1, 0.3 + chi)
            second = in_frame(axes, pi - theta_2, 0.3)
            across = plus * np.exp(1j * chi) + minus * np.exp(-1j * chi)
            expected = zero * cos(theta_1) * cos(theta_2)
            expected += across * sin(theta_1) * sin(theta_2) / 2
            rates.append((abs(first @ found @ second) ** 2, abs(expected) ** 2))
        np.testing.assert_allclose(*np.transpose(rates), rtol=1e-10, atol=1e-12)

    @pytest.mark.parametrize("direction", DIRECTIONS)
    def test_signs_are_those_of_the_coupling_of_two_polarisation_vectors(self, direction):
        """eps1* . eps2* has H+ = H- = -1 and H0 = p1 . p2 / (m1 m2)."""
        masses = (3.0969, 0.892)
        momenta = momenta_of(5.2797, masses, direction)
        first, second = (boosted_axes(p, m) for p, m in zip(momenta[1:], masses, strict=True))
        metric = np.diag([1, 1, 1, -1])
        zero = -momenta[1] @ metric @ momenta[2] / (masses[0] * masses[1])
        found = evaluate("SVV_HELAMP", (B0, PSI, K_ST), momenta, (3, 3), (1, pi, zero, 0, 1, pi))
        np.testing.assert_allclose(found, first @ metric @ second.T, rtol=1e-11, atol=1e-11)

    @pytest.mark.parametrize("direction", DIRECTIONS)
    def test_vector_beside_a_photon_is_transverse(self, direction):
        """S -> V gamma, V -> S S: sin^2(theta), circular for one helicity alone."""
        momenta = momenta_of(5.2797, (0.892, 0), direction)
        both = evaluate("SVP_HELAMP", (B0, K_ST, GAMMA), momenta, (3, 2), (1, 0, 1, 0))
        axes = frame(direction)
        n = axes[2]
        np.testing.assert_allclose(
            both @ both.conj().T, np.eye(3) - np.outer(n, n), rtol=0, atol=1e-14
        )
        one = evaluate("SVP_HELAMP", (B0, K_ST, GAMMA), momenta, (3, 2), (1, 0, 0, 0))
        circular = (axes[0] + 1j * axes[1]) / sqrt(2)
        np.testing.assert_allclose(
            one @ one.conj().T, np.outer(circular, circular.conj()), atol=1e-14
        )

    @pytest.mark.parametrize("direction", DIRECTIONS)
    @pytest.mark.parametrize(
        ("pdgids", "values"),
        [
            ((CHI_2, GAMMA, PSI), (1, 0, sqrt(3), 0, sqrt(6), 0, sqrt(6), 0, sqrt(3), 0, 1, 0)),
            ((CHI_1, GAMMA, PSI), (1, 0, 1, 0, -1, 0, -1, 0)),
        ],
    )
    def test_electric_dipole_of_chi(self, direction, pdgids, values):
        """The decay file's helicities are those of T_ab e_a eps_b and eps . (e x eps')."""
        momenta = momenta_of(3.5562, (0, 3.0969), direction)
        n_states = abs(pdgids[0]) % 10
        found = evaluate("HELAMP", pdgids, momenta, (n_states, 2, 3), values)
        photon = [transverse_state(*momenta[1, :3], h) for h in range(2)]
        coupling = tensors() if n_states == 5 else LEVI_CIVITA
        expected = np.einsum("iab,ha->ihb", coupling, photon).astype(complex)
        assert_proportional(found, expected)

    @pytest.mark.parametrize("direction", DIRECTIONS)
    def test_tensors_of_helicity_zero(self, direction):
        """TSS and STS: sqrt(3/2) T_ab n_a n_b, (3 cos^2 - 1)^2 where J_z = 0."""
        n = np.asarray(direction) / np.linalg.norm(direction)
        expected = sqrt(1.5) * np.einsum("jab,a,b->j", tensors(), n, n)
        decay = evaluate("TSS", (F_2, K_S, K_S), momenta_of(1.27, (0.497, 0.497), direction), 5)
        product = evaluate("STS", (B0, D_2, PION), momenta_of(5.28, (2.46, 0.14), direction), 5)
        np.testing.assert_allclose(decay, expected, atol=1e-14)
        np.testing.assert_allclose(product, expected, atol=1e-14)


class TestPartialWaves:
    @pytest.mark.parametrize("direction", DIRECTIONS)
    def test_vector_to_vector_and_scalar(self, direction):
        """S wave: delta; P: i epsilon n; D: 3 n n - delta; rates are the squares."""
        name = "PARTWAVE"
        n = np.asarray(direction) / np.linalg.norm(direction)
        momenta = momenta_of(10.58, (2.01, 5.28), direction)
        waves = [
            np.eye(3) / sqrt(3),
            LEVI_CIVITA @ n / sqrt(2),
            (3 * np.outer(n, n) - np.eye(3)) / sqrt(6),
        ]
        for k, wave in enumerate(waves):
            values = np.zeros(6)
            values[2 * k] = 0.7
            found = evaluate(name, (UPSILON, D_ST, PION), momenta, (3, 3), values)
            assert_proportional(found, wave.astype(complex))
            assert np.sum(abs(found) ** 2) == pytest.approx(0.49, rel=1e-12)
        # the relative sign of S and D: <1 0|: sqrt(1/3) (S - sqrt(2) D)
        found = evaluate(name, (UPSILON, D_ST, PION), momenta, (3, 3), (sqrt(2), 0, 0, 0, 1, 0))
        assert abs(n @ found @ n) == pytest.approx(0, abs=1e-14)

    @pytest.mark.parametrize("direction", DIRECTIONS)
    def test_vvs_pwave_has_the_d_wave_of_evtgen(self, direction):
        """a_S delta + a_D (delta / 3 - n n), where the D wave of rate 1 is sqrt(3/2) of that."""
        n = np.asarray(direction) / np.linalg.norm(direction)
        momenta = momenta_of(1.23, (0.775, 0.14), direction)
        own, daughters = particles("b_1+")[0], particles("omega", "pi+")
        given = (0.9612, 0.0, 0.0, 0.0, 0.2758, 0.3)
        values = find_model("VVS_PWAVE").prepare(given, own, daughters)
        found = evaluate("VVS_PWAVE", (10213, 223, PION), momenta, (3, 3), values)
        d_wave = 0.2758 * np.exp(0.3j) * (np.eye(3) / 3 - np.outer(n, n))
        assert_proportional(found, 0.9612 * np.eye(3) + d_wave)

    @pytest.mark.parametrize("direction", DIRECTIONS)
    def test_partial_waves_are_listed_by_orbital_angular_momentum_first(self, direction):
        """psi -> V V: L = 0, S = 1 is T_ijk = epsilon, and is the first of seven waves."""
        momenta = momenta_of(3.0969, (0.7753, 0.7753), direction)
        own, *daughters = particles("J/psi", "rho+", "rho-")
        found = evaluate("PARTWAVE", (PSI, 213, -213), momenta, (3, 3, 3), (1.0, *[0.0] * 13))
        assert_proportional(found, LEVI_CIVITA.astype(complex))
        waves = "a(L=0, S=1), a(L=1, S=0), a(L=1, S=1), a(L=1, S=2), a(L=2, S=1), a(L=2, S=2), "
        problem = find_model("PARTWAVE").problem((), own, daughters)
        assert waves + "a(L=3, S=2)" in problem

    @pytest.mark.parametrize("direction", DIRECTIONS)
    def test_tensor_to_vector_and_scalar_in_a_d_wave(self, direction):
        """epsilon_{abc} n_a eps_b T_cd n_d."""
        n = np.asarray(direction) / np.linalg.norm(direction)
        momenta = momenta_of(2.46, (2.01, 0.14), direction)
        found = evaluate("TVS_PWAVE", (D_2, D_ST, PION), momenta, (5, 3), (0, 0, 1, 0, 0, 0))
        expected = np.einsum("abc,a,jcd,d->jb", LEVI_CIVITA, n, tensors(), n)
        assert_proportional(found, expected.astype(complex))

    def test_clebsch_gordan_coefficients(self):
        """Unitary, and as tabulated (PDG review 45)."""
        assert clebsch_gordan(2, 2, 2, -2, 0) == pytest.approx(sqrt(1 / 3))
        assert clebsch_gordan(4, 0, 2, 2, 2) == pytest.approx(sqrt(1 / 10))
        assert clebsch_gordan(4, 0, 2, 0, 2) == pytest.approx(-sqrt(2 / 5))
        assert clebsch_gordan(4, 4, 2, -2, 6) == pytest.approx(sqrt(1 / 15))
        assert clebsch_gordan(2, 2, 1, -1, 1) == pytest.approx(sqrt(2 / 3))
        assert clebsch_gordan(2, 0, 1, 1, 1) == pytest.approx(-sqrt(1 / 3))
        assert clebsch_gordan(3, 1, 1, -1, 2) == pytest.approx(sqrt(1 / 2))
        for other in (1, 2, 3):
            for m in range(-4 - other, 5 + other, 2):
                pairs = [(a, m - a) for a in range(-4, 5, 2) if abs(m - a) <= other]
                matrix = [
                    [clebsch_gordan(4, a, other, b, j) for a, b in pairs]
                    for j in range(4 - other, 5 + other, 2)
                ]
                np.testing.assert_allclose(
                    np.transpose(matrix) @ matrix, np.eye(len(pairs)), atol=1e-14
                )


@pytest.mark.parametrize("direction", DIRECTIONS)
def test_vvp_is_the_electric_dipole(direction):
    """eps . (eps' x e), all at rest: V' of helicity 0 as often as one of +-1."""
    momenta = momenta_of(3.5107, (3.0969, 0), direction)
    found = evaluate("VVP", (CHI_1, PSI, GAMMA), momenta, (3, 3, 2))
    photon = [transverse_state(*momenta[2, :3], h) for h in range(2)]
    expected = np.einsum("ijk,hk->ijh", LEVI_CIVITA, photon)
    np.testing.assert_allclose(found, expected, atol=1e-14)


def particles(*names):
    return [particle_table().by_name(name) for name in names]


@pytest.mark.parametrize(
    ("name", "parent", "daughters", "n", "says"),
    [
        ("SVV_HELAMP", "B0", ("J/psi", "K*0"), 4, "6 parameters here, magnitude and phase of H(+1"),
        ("SVP_HELAMP", "B0", ("K*0", "gamma"), 6, "takes 4 parameters here"),
        ("HELAMP", "Lambda_b0", ("Lambda0", "gamma"), 6, "H(+1/2,+1), H(-1/2,-1); found 6"),
        ("HELAMP", "Lambda_b0", ("pi+", "pi-"), 2, "an odd number of these particles has half"),
        ("HELAMP", "tau-", ("pi-", "nu_tau"), 4, "2 parameters here, magnitude and phase of H(+0,"),
        ("PARTWAVE", "Omega-", ("Lambda0", "K-"), 2, "a(L=1, S=1/2), a(L=2, S=1/2); found 2"),
        ("PARTWAVE", "J/psi", ("rho0", "pi0"), 5, "a(L=0, S=1), a(L=1, S=1), a(L=2, S=1)"),
        ("TSS", "f_2", ("pi0", "pi0"), 1, "TSS takes 0 parameters"),
        ("HELAMP", "J/psi", ("pi+", "pi-", "pi0"), 2, "needs 2 daughters, found 3"),
    ],
)
def test_what_a_model_does_not_serve(name, parent, daughters, n, says):
    (own,) = particles(parent)
    assert says in find_model(name).problem((1.0,) * n, own, particles(*daughters))


def test_vvp_takes_no_parameters_or_eight():
    (own,) = particles("chi_c1")
    daughters = particles("J/psi", "gamma")
    model = find_model("VVP")
    assert model.problem((), own, daughters) is None
    assert model.problem((1.0, *[0.0] * 7), own, daughters) is None
    assert "takes 0 or 8 parameters" in model.problem((1.0, 0.0), own, daughters)
