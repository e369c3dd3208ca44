"""Particles: values, names, antiparticles."""

from __future__ import annotations

import math

import pytest

from simgen.errors import UnknownParticleError
from simgen.particles import HBAR_C, PROMPT_WIDTH, mass_range, particle_table

# Twice the spin and three times the charge, from the quark model and the PDG listings.
SPIN2_AND_CHARGE3 = {
    "gamma": (2, 0),
    "nu_tau": (1, 0),
    "tau-": (1, -3),
    "pi0": (0, 0),
    "K_S0": (0, 0),
    "K_L0": (0, 0),
    "rho-": (2, -3),
    "a_1+": (2, 3),
    "f_0": (0, 0),
    "f_2": (4, 0),
    "K_0*0": (0, 0),
    "K'_1+": (2, 3),
    "K_4*+": (8, 3),
    "anti-D*0": (2, 0),
    "D_0*+": (0, 3),
    "D'_1+": (2, 3),
    "D_2*0": (4, 0),
    "D_s0*+": (0, 3),
    "D_s1+": (2, 3),
    "D_s2*+": (4, 3),
    "D(2S)0": (0, 0),
    "D*(2S)0": (2, 0),
    "B_10": (2, 0),
    "B_2*0": (4, 0),
    "B_0*0": (0, 0),
    "B_c2*+": (4, 3),
    "J/psi": (2, 0),
    "chi_c2": (4, 0),
    "h_c": (2, 0),
    "X_1(3872)": (2, 0),
    "Upsilon(4S)": (2, 0),
    "Upsilon(5S)": (2, 0),
    "Upsilon_3(1D)": (6, 0),
    "eta_b2(1D)": (4, 0),
    "Delta++": (3, 6),
    "Lambda(1520)0": (3, 0),
    "Lambda(1830)0": (5, 0),
    "Omega-": (3, -3),
    "Lambda_c(2593)+": (1, 3),
    "Lambda_c(2625)+": (3, 3),
    "Xi_c(2790)0": (1, 0),
    "Xi_c(2815)0": (3, 0),
    "anti-Sigma_c--": (1, -6),
    "Xi_cc*++": (3, 6),
    "Sigma_b*0": (3, 0),
    "u": (1, 2),
    "anti-d": (1, 1),
    "cs_0": (0, 1),
    "uu_1": (2, 4),
    "Xsu": (2, 3),
    "anti-Xsu": (2, -3),
    "Xu+": (0, 3),
    "Xu-": (0, -3),
    "c-hadron": (0, 2),
}


@pytest.mark.parametrize("name", SPIN2_AND_CHARGE3)
def test_spin_and_charge(name: str) -> None:
    data = particle_table().by_name(name)
    assert (data.spin2, data.charge3) == SPIN2_AND_CHARGE3[name]


class TestEveryParticle:
    def test_name_number_and_back(self) -> None:
        table = particle_table()
        for name in table.names():
            assert table.by_pdgid(table.by_name(name).pdgid).name == name

    def test_antiparticle_mirrors_the_particle(self) -> None:
        table = particle_table()
        for name in table.names():
            data = table.by_name(name)
            anti = table.by_name(data.anti_name)
            assert anti.anti_name == name
            assert anti.charge3 == -data.charge3
            assert (anti.mass, anti.width, anti.ctau) == (data.mass, data.width, data.ctau)
            assert anti.pdgid == (-data.pdgid if anti.name != name else data.pdgid)

    def test_charged_particles_are_not_self_conjugate(self) -> None:
        table = particle_table()
        charged = [table.by_name(n) for n in table.names() if table.by_name(n).charge3 != 0]
        assert len(charged) > 300
        assert all(data.anti_name != data.name for data in charged)

    def test_values_are_finite_and_not_negative(self) -> None:
        for data in map(particle_table().by_name, particle_table().names()):
            assert 0.0 <= data.mass < 200.0
            assert 0.0 <= data.width < 3.0
            assert data.ctau >= 0.0

    def test_lifetime_is_zero_for_broad_particles_and_hbar_over_width_else(self) -> None:
        for data in map(particle_table().by_name, particle_table().names()):
            if data.width >= PROMPT_WIDTH:
                assert data.ctau == 0.0
            elif data.width > 0.0 and data.ctau > 0.0:
                assert data.ctau == pytest.approx(HBAR_C / data.width, rel=1e-12)


class TestMeasuredValues:
    def test_masses_are_in_gev(self) -> None:
        table = particle_table()
        assert table.by_name("B+").mass == pytest.approx(5.2794, abs=1e-3)
        assert table.by_name("tau-").mass == pytest.approx(1.7769, abs=1e-3)
        assert table.by_name("rho0").width == pytest.approx(0.148, abs=3e-3)

    def test_proper_decay_lengths_are_in_mm(self) -> None:
        table = particle_table()
        assert table.by_name("B+").ctau == pytest.approx(0.491, rel=0.01)
        assert table.by_name("tau-").ctau == pytest.approx(0.0870, rel=0.01)
        assert table.by_name("K_S0").ctau == pytest.approx(26.84, rel=0.01)
        assert table.by_name("pi0").ctau == pytest.approx(2.5e-5, rel=0.03)

    @pytest.mark.parametrize("name", ["e-", "p+", "gamma", "nu_mu"])
    def test_stable_particles_never_decay(self, name: str) -> None:
        assert math.isinf(particle_table().by_name(name).ctau)

    @pytest.mark.parametrize("name", ["nu_e", "anti-nu_mu", "nu_tau", "gamma"])
    def test_neutrinos_and_photon_are_massless(self, name: str) -> None:
        assert particle_table().by_name(name).mass == 0.0

    @pytest.mark.parametrize(
        ("name", "mass", "width", "below"),
        [
            ("K_1-", 1.272, 0.09, 0.2),
            ("anti-D_0*0", 2.3, 0.27, 0.299),
            ("D'_1+", 2.445, 0.2502708, 0.3),
            ("rho+", 0.77526, 0.1491, 0.48),
            ("a_10", 1.23, 0.42, 0.6),
            ("sigma_0", 0.475, 0.55, 0.478),
            ("D*-", 2.01026, 8.34e-5, 4e-4),
            ("D*0", 2.00685, 0.0, 0.0),
            ("Sigma_c++", 2.45397, 1.89e-3, 0.027),
            ("Xi_c*+", 2.64557, 2.14e-3, 15 * 2.14e-3),
        ],
    )
    def test_resonances_are_those_of_evtgen(self, name, mass, width, below) -> None:
        """evt.pdl of EvtGen 2.2.0; a D*0 has one mass there."""
        data = particle_table().by_name(name)
        assert (data.mass, data.width, mass_range(data)) == pytest.approx((mass, width, below))

    def test_what_decays_in_flight_has_the_mass_and_the_lifetime_of_evtgen(self) -> None:
        for name, mass, ctau in (("B+", 5.27933, 0.49106), ("anti-B0", 5.27964, 0.45718)):
            data = particle_table().by_name(name)
            assert (data.mass, data.ctau) == pytest.approx((mass, ctau), rel=1e-5)

    def test_lifetimes_that_evtgen_has_long_outdated_are_those_of_the_pdg(self) -> None:
        assert particle_table().by_name("Omega_c0").ctau == pytest.approx(0.082, abs=0.005)

    def test_neutral_kaon_becomes_a_mass_eigenstate_at_once(self) -> None:
        kaon = particle_table().by_name("K0")
        assert (kaon.ctau, kaon.anti_name) == (0.0, "anti-K0")


class TestUnknownParticle:
    def test_name_is_answered_with_the_nearest_three(self) -> None:
        with pytest.raises(UnknownParticleError, match=r"'K_S'; nearest names: K_S0, \S+, \S+$"):
            particle_table().by_name("K_S")

    def test_number_is_answered_with_the_nearest_three(self) -> None:
        with pytest.raises(UnknownParticleError, match=r"300554.*300553 \(Upsilon\(4S\)\)"):
            particle_table().by_pdgid(300554)

    def test_table_knows_what_it_contains(self) -> None:
        table = particle_table()
        assert "B+" in table
        assert "B++" not in table
        assert len(table) == len(table.names()) > 700
        assert "700" not in table
        assert str(len(table)) in repr(table)
