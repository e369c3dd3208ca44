"""Photons of charged products, against integrals of the eikonal and exact order-alpha rates."""

from __future__ import annotations

import numpy as np
import pytest
from chains import FULL_CHAIN, make_generator, mass_of
from scipy.integrate import quad
from scipy.stats import poisson

from simgen.beams import load_beams
from simgen.engine.program import MAX_PHOTONS
from simgen.errors import DecayFileError
from simgen.particles import particle_table

ALPHA = 1.0 / 137.035999084
MASS = {
    name: particle_table().by_name(name).mass
    for name in ("e-", "mu-", "tau-", "pi+", "D0", "J/psi", "B0", "B-", "Upsilon")
}
PHOTON = 22


def generator(folder, parent, decay, cut=1e-3, **settings):
    """Return the generator of one decay at rest."""
    text = f"Decay {parent}\n1.0 {decay};\nEnddecay\n"
    chosen = {"final_state_radiation": "applied", "photon_energy": cut, **settings}
    mass = particle_table().by_name(parent).mass
    return make_generator(folder, text, mass=mass, root=parent, keep_stable=(), **chosen)


def energies(block):
    """Return the energies of all photons, and of the hardest of each event, 0 for none."""
    photons = block.pdgid == PHOTON
    energy = block.p4[photons, 3]
    hardest = np.zeros(len(block))
    np.maximum.at(hardest, block.event_index[photons], energy)
    return energy, hardest


def eikonal(products, charges, charge, mass, n):
    """Return -k^2 (sum Z theta p / (p k))^2, (...), for products (n, 4) and directions (..., 3)."""
    p = [*products, np.array([0.0, 0.0, 0.0, mass])]
    z = [*charges, -charge]
    current = 0.0
    for one, weight in zip(p, z, strict=True):
        current = current + weight * one / (one[3] - n @ one[:3])[..., None]
    return np.sum(current[..., :3] ** 2, axis=-1) - current[..., 3] ** 2


def exact_spectrum(x, ratio, spin2):
    """Return d Gamma / dx / Gamma_0 of a pair of charged particles and a photon of x = 2 k / M.

    Spin 1/2 from a vector: B. L. Ioffe, Phys. Lett. B 78 (1978) 277, with the charges of leptons.
    Spin 0 from a scalar: scalar QED with a constant vertex. `ratio` is (m / M)^2.
    """
    reach = np.arctanh(np.sqrt(1.0 - 4.0 * ratio / (1.0 - x)))

    def integrand(y):
        v = np.tanh(y)
        a, b = 0.5 * x * (1.0 + v), 0.5 * x * (1.0 - v)
        poles = 1.0 / a + 1.0 / b
        squares = 1.0 / a**2 + 1.0 / b**2
        if spin2 == 0:
            value = 2.0 * (1.0 - x - 2.0 * ratio) / (a * b) - 2.0 * ratio * squares
        else:
            value = ((1.0 - a) ** 2 + (1.0 - b) ** 2) / (a * b) - 2.0 * ratio * squares
            value -= 4.0 * ratio * poles + 4.0 * ratio**2 * poles**2
            value /= 1.0 + 2.0 * ratio
        return value * (1.0 - v * v) * 0.5 * x

    area = quad(integrand, -reach, reach, limit=200)[0]
    return ALPHA / (2.0 * np.pi) * area / np.sqrt(1.0 - 4.0 * ratio)


def exact_mean(cut, parent, product, spin2):
    """Return the mean number of photons above an energy, to order alpha."""
    ratio = (MASS[product] / MASS[parent]) ** 2
    low, high = np.log(2.0 * cut / MASS[parent]), np.log(1.0 - 4.0 * ratio)
    return quad(
        lambda t: exact_spectrum(np.exp(t), ratio, spin2) * np.exp(t), low, high, limit=200
    )[0]


class TestSoftPhotons:
    """Where recoil does not matter, the mean number is the integral of the eikonal."""

    LOW, HIGH = 1e-4, 2e-3

    def pull(self, block, per_log):
        """Return the pull of the number of decays without photons, of those with none above HIGH.

        Photons come in falling energy, so that no recoil of a harder one matters.
        """
        _, hardest = energies(block)
        n = np.count_nonzero(hardest < self.HIGH)
        none = np.exp(-per_log * np.log(self.HIGH / self.LOW))
        return (np.count_nonzero(hardest == 0.0) / n - none) / np.sqrt(none * (1.0 - none) / n)

    @pytest.mark.parametrize("product", ["e-", "mu-"])
    def test_pairs(self, tmp_path, product):
        decay = f"{product[:-1]}+ {product} PHOTOS VLL"
        block = generator(tmp_path, "J/psi", decay, self.LOW).generate(np.arange(400_000), 1)
        beta = np.sqrt(1.0 - (2.0 * MASS[product] / MASS["J/psi"]) ** 2)
        span = np.log((1.0 + beta) ** 2 / (2.0 * MASS[product] / MASS["J/psi"]) ** 2)
        per_log = 2.0 * ALPHA / np.pi * ((1.0 + beta**2) / (2.0 * beta) * span - 1.0)
        assert abs(self.pull(block, per_log)) < 3.0

    def test_charged_parent_of_one_charged_product(self, tmp_path):
        decay = "e- anti-nu_e PHOTOS SLN"
        block = generator(tmp_path, "B-", decay, self.LOW).generate(np.arange(400_000), 2)
        energy = (MASS["B-"] ** 2 + MASS["e-"] ** 2) / (2.0 * MASS["B-"])
        beta = np.sqrt(1.0 - (MASS["e-"] / energy) ** 2)
        span = 2.0 * np.log((1.0 + beta) * energy / MASS["e-"])
        assert abs(self.pull(block, ALPHA / np.pi * (span / beta - 2.0))) < 3.0

    @pytest.mark.parametrize(
        ("parent", "charge", "decay", "charges"),
        [
            ("B-", -1, "D0 mu- anti-nu_mu PHOTOS PHSP", (0, -1, 0)),
            ("B0", 0, "D*- mu+ nu_mu PHOTOS PHSP", (-1, 1, 0)),
            ("Lambda_c+", 1, "p+ K- pi+ PHOTOS PHSP", (1, -1, 1)),
        ],
    )
    def test_several_bodies(self, tmp_path, parent, charge, decay, charges):
        """Averaged over decays without radiation; recoil takes less than 0.1 %."""
        n, few = 500_000, 2000
        block = generator(tmp_path, parent, decay, self.LOW).generate(np.arange(n), 3)
        plain = generator(tmp_path, parent, decay, final_state_radiation="ignored")
        born = plain.generate(np.arange(few), 3).p4.reshape(few, -1, 4)[:, 1:]
        x, w = np.polynomial.legendre.leggauss(80)
        phi = 2.0 * np.pi * (np.arange(16) + 0.5) / 16
        sin = np.sqrt(1.0 - x * x)[:, None]
        nx, ny = sin * np.cos(phi), sin * np.sin(phi)
        directions = np.stack([nx, ny, np.broadcast_to(x[:, None], nx.shape)], axis=-1)
        mass = particle_table().by_name(parent).mass
        per_log = np.empty(few)
        for i, products in enumerate(born):
            # the second along z, where the nodes lie close
            axis = products[1, :3] / np.linalg.norm(products[1, :3])
            frame = np.linalg.qr(np.column_stack([axis, np.eye(3)[:, :2]]))[0][:, [1, 2, 0]]
            turned = np.column_stack([products[:, :3] @ frame, products[:, 3]])
            density = eikonal(turned, charges, charge, mass, directions)
            area = 2.0 * np.pi / 16 * np.sum(w[:, None] * density)
            per_log[i] = ALPHA / (4.0 * np.pi**2) * area
        expected = np.mean(per_log) * np.log(self.HIGH / self.LOW)
        energy, _ = energies(block)
        mean = np.count_nonzero(energy < self.HIGH) / n
        error = np.hypot(np.std(per_log) / np.mean(per_log) / np.sqrt(few), (n * expected) ** -0.5)
        assert abs(mean / expected - 1.0) < 3.0 * error < 0.04


class TestHardPhotons:
    """A decay has no photon above k with the probability exp(-mean number above k)."""

    def test_scalars_are_exact_to_order_alpha(self, tmp_path):
        n = 500_000
        block = generator(tmp_path, "B0", "pi+ pi- PHOTOS PHSP").generate(np.arange(n), 4)
        _, hardest = energies(block)
        for cut in (1e-3, 1e-2, 0.1, 0.5, 1.0, 2.0):
            none = np.exp(-exact_mean(cut, "B0", "pi+", 0))
            pull = (np.mean(hardest <= cut) - none) / np.sqrt(none * (1.0 - none) / n)
            assert abs(pull) < 3.2, (cut, pull)

    @pytest.mark.parametrize(
        ("parent", "product", "within"),
        [("J/psi", "e-", 0.001), ("J/psi", "mu-", 0.002), ("Upsilon", "tau-", 0.01)],
    )
    def test_fermions_from_a_vector(self, tmp_path, parent, product, within):
        """Exact but for m^2 / M^2, which is 0.035 for taus."""
        n = 400_000
        decay = f"{product[:-1]}+ {product} PHOTOS VLL"
        block = generator(tmp_path, parent, decay).generate(np.arange(n), 5)
        _, hardest = energies(block)
        for cut in (1e-3, 1e-2, 0.1, 0.5):
            mean = -np.log(np.mean(hardest <= cut))
            exact = exact_mean(cut, parent, product, 1)
            assert abs(mean / exact - 1.0) < within + 3.0 / np.sqrt(n * exact), cut

    @pytest.mark.parametrize(
        ("product", "lowest", "next_to_lowest"),
        [("e-", 1.834 / 17.82, 1.728 / 17.82), ("mu-", 0.3663 / 17.39, 0.3605 / 17.39)],
    )
    def test_leptonic_tau_decays(self, tmp_path, product, lowest, next_to_lowest):
        """Photons above 10 MeV: M. Fael, L. Mercolli, M. Passera, JHEP 07 (2015) 153."""
        n = 400_000
        decay = f"{product} anti-nu_{product[:-1]} nu_tau PHOTOS TAULNUNU"
        _, hardest = energies(generator(tmp_path, "tau-", decay).generate(np.arange(n), 6))
        share = np.mean(hardest > 0.01)
        error = np.sqrt(lowest / n)
        # to order alpha, what no logarithm of m goes with is missing
        assert abs(-np.log(1.0 - share) - lowest) < 0.005 * lowest + 3.0 * error
        # the theory is known to 0.6 %
        assert abs(share - next_to_lowest) < 0.01 * next_to_lowest + 3.0 * error

    def test_radiative_decays_of_the_jpsi(self, tmp_path):
        """B(e+ e- gamma, above 100 MeV) / B(e+ e-) = 0.147 +- 0.022 (PDG)."""
        block = generator(tmp_path, "J/psi", "e+ e- PHOTOS VLL").generate(np.arange(200_000), 7)
        _, hardest = energies(block)
        share = np.mean(hardest > 0.1)
        assert abs(share / (1.0 - share) - 0.147) < 0.022

    def test_a_photon_along_a_product_leaves_the_others_alone(self, tmp_path):
        decay = "D0 e- anti-nu_e PHOTOS PHSP"
        n = 100_000
        block = generator(tmp_path, "B-", decay).generate(np.arange(n), 8)
        plain = generator(tmp_path, "B-", decay, final_state_radiation="ignored")
        born = plain.generate(np.arange(n), 8).p4.reshape(n, 4, 4)
        one = np.flatnonzero(np.diff(block.offsets) == 5)
        d, e, k = (block.p4[block.offsets[one] + i] for i in (1, 2, 4))
        cos = np.sum(e[:, :3] * k[:, :3], axis=1) / (e[:, 3] * k[:, 3])
        along = (cos > 1.0 - 1e-5) & (k[:, 3] > 0.2)
        assert np.count_nonzero(along) > 500
        # k times the angle, 4.5 mrad
        np.testing.assert_allclose(d[along], born[one[along], 1], atol=5e-3)
        np.testing.assert_allclose((e + k)[along], born[one[along], 2], atol=5e-3)


class TestWhichDecays:
    """What has the PHOTOS flag radiates, and the rest of the event stays as it is."""

    TABLE = (
        "Decay B0\n0.5 pi+ pi- PHOTOS PHSP;\n0.3 K+ K- PHSP;\n0.2 pi0 gamma PHOTOS PHSP;\n"
        "Enddecay\n"
    )

    @pytest.mark.parametrize(
        ("statement", "radiating"),
        [("", {211}), ("yesPhotos\n", {211, 321}), ("noPhotos\n", set())],
    )
    def test_statements(self, tmp_path, statement, radiating):
        made = make_generator(
            tmp_path, statement + self.TABLE, mass=MASS["B0"], root="B0",
            final_state_radiation="applied", keep_stable=("pi+", "pi-", "K+", "K-", "pi0"),
        )  # fmt: skip
        block = made.generate(np.arange(20_000), 1)
        first = np.abs(block.pdgid[block.offsets[:-1] + 1])
        with_photons = np.diff(block.offsets) > 3
        assert set(first[with_photons].tolist()) == radiating
        noted = any("PHOTOS" in note for note in made.notes())
        assert noted or not radiating

    def test_the_same_decays_with_and_without(self, tmp_path):
        made = [
            make_generator(
                tmp_path, "yesPhotos\n" + FULL_CHAIN, beams=load_beams("belle2"),
                final_state_radiation=mode,
            ).generate(np.arange(3000), 9)
            for mode in ("ignored", "applied")
        ]  # fmt: skip
        plain, radiated = made
        more = radiated.n_particles - plain.n_particles
        assert more > 300
        same = np.flatnonzero(np.diff(plain.offsets) == np.diff(radiated.offsets))
        assert len(same) > 1000
        for event in same[:200]:
            a, b = (each.select(event, event + 1) for each in made)
            np.testing.assert_array_equal(a.p4, b.p4)
            np.testing.assert_array_equal(a.production, b.production)
        kinds = [np.sort(each.pdgid[each.pdgid != PHOTON]) for each in made]
        np.testing.assert_array_equal(*kinds)

    def test_ignored_is_as_without_flags(self, tmp_path):
        flagged = generator(tmp_path, "J/psi", "e+ e- PHOTOS VLL", final_state_radiation="ignored")
        plain = generator(tmp_path, "J/psi", "e+ e- VLL", final_state_radiation="ignored")
        a, b = (each.generate(np.arange(500), 1) for each in (flagged, plain))
        np.testing.assert_array_equal(a.p4, b.p4)

    def test_massless_charges_are_refused(self, tmp_path):
        text = "Particle e- 0.0 0.0\nParticle e+ 0.0 0.0\n"
        text += "Decay J/psi\n1.0 e+ e- PHOTOS PHSP;\nEnddecay\n"
        made = {"mass": MASS["J/psi"], "root": "J/psi"}
        make_generator(tmp_path, text, **made)
        with pytest.raises(DecayFileError, match="would radiate without limit"):
            make_generator(tmp_path, text, final_state_radiation="applied", **made)

    def test_partons_do_not_radiate(self, tmp_path):
        text = "Decay J/psi\n1.0 u anti-u PHOTOS PYTHIA 91;\nEnddecay\n"
        made = make_generator(
            tmp_path, text, mass=MASS["J/psi"], root="J/psi", final_state_radiation="applied",
            pythia_modes="phase_space", unsupported_models="phsp",
        )  # fmt: skip
        assert made.generate(np.arange(100), 1).n_particles == 300

    def test_no_photon_is_softer_than_wanted(self, tmp_path):
        block = generator(tmp_path, "J/psi", "e+ e- PHOTOS VLL", 0.02).generate(
            np.arange(100_000), 1
        )
        alone = np.diff(block.offsets) == 4
        softest = block.p4[block.offsets[1:][alone] - 1, 3].min()
        assert 0.02 <= softest < 0.0202


def test_a_decay_never_has_more_photons_than_there_is_room_for():
    """Even Z0 -> e+ e- with the lowest cut; at Belle II nothing radiates more than e+ e- there."""
    for mass in (10.58, 91.19):
        per_log = 2.0 * ALPHA / np.pi * (2.0 * np.log(mass / MASS["e-"]) - 1.0)
        most = per_log * np.log(0.5 * mass / 1e-4)
        assert poisson.sf(MAX_PHOTONS, most) < 1e-8
        assert poisson.sf(MAX_PHOTONS, per_log * np.log(0.5 * mass / 1e-3)) < 1e-9


def test_photons_are_massless_and_stay(tmp_path):
    block = generator(tmp_path, "J/psi", "e+ e- PHOTOS VLL").generate(np.arange(20_000), 1)
    photons = block.pdgid == PHOTON
    assert (block.status[photons] == 1).all()
    assert (block.mother[photons] == 0).all()
    assert mass_of(block.p4[photons]).max() < 1e-6
