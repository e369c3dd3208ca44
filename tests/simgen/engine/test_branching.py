"""Which decays happen, how often, and which particles stay."""

from __future__ import annotations

import numpy as np
import pytest
from chains import P_MIN, make_events, make_generator, rows_of
from scipy import stats

from simgen.errors import ConfigError, DecayFileError, UnsupportedModelError

N = 200_000


def test_branching_fractions_are_kept(tmp_path):
    text = """
    Decay tau-
    0.50 pi- nu_tau PHSP;
    0.30 K- nu_tau PHSP;
    0.15 mu- anti-nu_mu nu_tau PHSP;
    0.04 e- anti-nu_e nu_tau PHSP;
    0.01 pi- pi0 nu_tau PHSP;
    Enddecay
    """
    events = make_events(tmp_path, text, N, root="tau-", mass=1.77693)
    counts = np.bincount(events.process, minlength=5)
    assert stats.chisquare(counts, N * np.array([0.50, 0.30, 0.15, 0.04, 0.01])).pvalue > P_MIN


def test_fractions_that_do_not_sum_to_one_are_rescaled(tmp_path):
    text = """
    Decay tau-
    3.0 pi- nu_tau PHSP;
    1.0 K- nu_tau PHSP;
    Enddecay
    """
    events = make_events(tmp_path, text, N, root="tau-", mass=1.77693)
    assert stats.binomtest(int((events.process == 0).sum()), N, 0.75).pvalue > P_MIN


def test_aliases_of_one_particle_decay_differently(tmp_path):
    text = """
    Alias D0a D0
    Alias D0b anti-D0
    Decay B+
    1.0 D0a D0b K+ PHSP;
    Enddecay
    Decay D0a
    1.0 K- pi+ PHSP;
    Enddecay
    Decay D0b
    1.0 K- K+ PHSP;
    Enddecay
    """
    events = make_events(tmp_path, text, 100, root="B+", mass=5.27934)
    assert len(rows_of(events, 421)) == len(rows_of(events, -421)) == 100
    assert len(rows_of(events, 211)) == 100
    assert len(rows_of(events, 321)) == 200
    mothers = events.pdgid[events.mother_row[rows_of(events, 211)]]
    assert (mothers == 421).all()


@pytest.mark.parametrize(
    ("keep", "stays"), [(("D0a",), {421}), (("anti-D0",), {-421}), (("D0",), {421})]
)
def test_keep_stable_takes_aliases_and_particles(tmp_path, keep, stays):
    text = """
    Alias D0a D0
    Decay B+
    1.0 D0a anti-D0 K+ PHSP;
    Enddecay
    Decay D0a
    1.0 K- pi+ PHSP;
    Enddecay
    Decay anti-D0
    1.0 K+ pi- PHSP;
    Enddecay
    """
    events = make_events(tmp_path, text, 10, root="B+", mass=5.27934, keep_stable=keep)
    for pdgid in (421, -421):
        status = 1 if pdgid in stays else 2
        assert (events.status[rows_of(events, pdgid)] == status).all()


def test_keep_stable_of_an_unknown_name_is_refused(tmp_path):
    text = "Decay B+\n1.0 anti-D0 pi+ PHSP;\nEnddecay\n"
    with pytest.raises(ConfigError, match=r"keep_stable.*'Dzero'"):
        make_generator(tmp_path, text, root="B+", mass=5.27934, keep_stable=("Dzero",))


def test_neutral_kaon_becomes_a_k_short_of_the_same_momentum(tmp_path):
    text = """
    Decay B0
    1.0 K0 pi0 PHSP;
    Enddecay
    Decay K0
    0.5 K_S0 PHSP;
    0.5 K_L0 PHSP;
    Enddecay
    Decay K_S0
    1.0 pi+ pi- PHSP;
    Enddecay
    """
    events = make_events(tmp_path, text, 20_000, root="B0", mass=5.27965)
    k_short, k_long = rows_of(events, 310), rows_of(events, 130)
    assert len(k_short) + len(k_long) == 20_000
    assert stats.binomtest(len(k_short), 20_000).pvalue > P_MIN
    for rows in (k_short, k_long):
        mother = events.mother_row[rows]
        assert (events.pdgid[mother] == 311).all()
        np.testing.assert_allclose(events.p4[rows], events.p4[mother], rtol=1e-13)
        np.testing.assert_array_equal(events.production[rows], events.production[mother])


class TestUnsupportedModels:
    TEXT = """
    Decay B+
    0.75 anti-D0 mu+ nu_mu ISGW;
    0.25 anti-D0 pi+ PHSP;
    Enddecay
    """

    def test_are_an_error_that_names_model_decay_and_place(self, tmp_path):
        with pytest.raises(UnsupportedModelError) as caught:
            make_generator(tmp_path, self.TEXT, root="B+", mass=5.27934)
        message = str(caught.value)
        assert "not implemented: ISGW" in message
        assert "chain.dec:3: B+ -> anti-D0 mu+ nu_mu ISGW (0.75 per event)" in message
        assert "unsupported_models: phsp" in message

    def test_are_phase_space_on_request_and_listed_with_their_share(self, tmp_path):
        generator = make_generator(
            tmp_path, self.TEXT, root="B+", mass=5.27934, unsupported_models="phsp"
        )
        events = generator.generate(np.arange(N), 1)
        assert stats.binomtest(int((events.process == 0).sum()), N, 0.75).pvalue > P_MIN
        assert any("ISGW is not implemented" in note for note in generator.notes())
        (listed,) = generator.provenance()["phase_space_instead"]
        assert listed["model"] == "ISGW"
        assert listed["per_event"] == pytest.approx(0.75)

    def test_that_no_event_reaches_do_not_matter(self, tmp_path):
        text = self.TEXT + "Decay D+\n1.0 anti-K0 mu+ nu_mu ISGW;\nEnddecay\n"
        generator = make_generator(
            tmp_path, text, root="B+", mass=5.27934, unsupported_models="phsp"
        )
        assert len(generator.provenance()["phase_space_instead"]) == 1


class TestRefusals:
    def test_decays_in_a_circle(self, tmp_path):
        text = """
        Decay B+
        1.0 anti-D0 pi+ PHSP;
        Enddecay
        Decay anti-D0
        1.0 D0 PHSP;
        Enddecay
        Decay D0
        1.0 anti-D0 PHSP;
        Enddecay
        """
        with pytest.raises(DecayFileError, match=r"anti-D0 -> D0 -> anti-D0"):
            make_generator(tmp_path, text, root="B+", mass=5.27934)

    def test_root_without_decays(self, tmp_path):
        with pytest.raises(DecayFileError, match=r"B0.*no decays"):
            make_generator(
                tmp_path, "Decay B+\n1.0 anti-D0 pi+ PHSP;\nEnddecay\n", root="B0", mass=5.28
            )

    def test_unknown_root(self, tmp_path):
        with pytest.raises(ConfigError, match=r"generator\.root.*Upsilon\(4S\)"):
            make_generator(
                tmp_path, "Decay B+\n1.0 anti-D0 pi+ PHSP;\nEnddecay\n", root="Upsilon4S"
            )

    def test_nothing_is_kinematically_possible(self, tmp_path):
        text = "Decay Upsilon(4S)\n1.0 B+ B- VSS;\nEnddecay\n"
        with pytest.raises(DecayFileError, match=r"B\+ B-"):
            make_generator(tmp_path, text, mass=10.5)

    @pytest.mark.parametrize(
        ("line", "message"),
        [
            ("1.0 B+ B- VSS 0.5;", "VSS takes 0 parameters"),
            ("1.0 mu+ mu- VSS;", "VSS needs daughters of spin"),
            ("1.0 B+ B- SVS;", "SVS decays a scalar"),
        ],
    )
    def test_model_that_cannot_serve_a_decay(self, tmp_path, line, message):
        text = f"Decay Upsilon(4S)\n{line}\nEnddecay\n"
        with pytest.raises(DecayFileError, match=message) as caught:
            make_generator(tmp_path, text)
        assert "chain.dec:2" in str(caught.value)

    def test_too_many_daughters(self, tmp_path):
        text = f"Decay B+\n1.0 pi+ {'pi0 ' * 16} PHSP;\nEnddecay\n"
        with pytest.raises(DecayFileError, match=r"17 daughters, at most 16"):
            make_generator(tmp_path, text, root="B+", mass=5.27934)
