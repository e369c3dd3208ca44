"""Putting decay files together: the last word counts."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pytest

from simgen.decfile import Channel, DecayTable, Lineshape, load_decay_table
from simgen.decfile.statements import PartialWave
from simgen.errors import DecayFileError, UnknownParticleError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Load = Callable[..., DecayTable]

B_PLUS = "Decay B+\n1.0 anti-D0 pi+ PHSP;\nEnddecay\n"
B_MINUS = "Decay B-\n1.0 D0 K- PHSP;\nEnddecay\n"


def daughters(table: DecayTable, name: str) -> list[tuple[str, ...]]:
    return [channel.daughters for channel in table.channels.get(name, ())]


def codes(table: DecayTable) -> list[str]:
    return [diagnostic.code for diagnostic in table.diagnostics]


class TestLastDecayWins:
    def test_within_a_file(self, load: Load) -> None:
        table = load(B_PLUS + "Decay B+\n1.0 K+ pi0 PHSP;\nEnddecay\n")
        assert daughters(table, "B+") == [("K+", "pi0")]

    def test_of_a_later_file(self, load: Load) -> None:
        table = load(B_PLUS, "Decay B+\n1.0 K+ pi0 PHSP;\nEnddecay\n")
        assert daughters(table, "B+") == [("K+", "pi0")]
        assert table.channels["B+"][0].source.file.endswith("user1.dec")

    def test_of_a_user_file_over_the_base_table(self, load: Load) -> None:
        table = load(
            "Decay D0\n1.0 K- pi+ PHSP;\nEnddecay\nCDecay anti-D0\n", base="DECAY_BELLE2.DEC"
        )
        assert daughters(table, "D0") == [("K-", "pi+")]
        assert daughters(table, "anti-D0") == [("K+", "pi-")]
        assert len(table.channels["D+"]) > 50
        assert [info.is_base for info in table.files] == [True, False]

    def test_an_empty_block_makes_a_particle_stable(self, load: Load) -> None:
        table = load(B_PLUS, "Decay B+\nEnddecay\n")
        assert "B+" not in table.channels

    def test_decay_after_cdecay_and_cdecay_after_decay(self, load: Load) -> None:
        later_decay = load(B_PLUS + "CDecay B-\n" + B_MINUS)
        assert daughters(later_decay, "B-") == [("D0", "K-")]
        later_cdecay = load(B_PLUS + B_MINUS + "CDecay B-\n")
        assert daughters(later_cdecay, "B-") == [("D0", "pi-")]


class TestChargeConjugation:
    def test_daughters_change_model_and_parameters_stay(self, load: Load) -> None:
        table = load("Decay B+\n0.3 K*+ eta_c PHOTOS SVS_CP 0.1 -2.0;\nEnddecay\nCDecay B-\n")
        (plus,), (minus,) = table.channels["B+"], table.channels["B-"]
        assert minus.daughters == ("K*-", "eta_c")
        assert (minus.model, minus.parameters) == (plus.model, plus.parameters)
        assert (minus.fraction, minus.photos, minus.source) == (1.0, True, plus.source)

    def test_aliases_are_exchanged_by_charge_conj(self, load: Load) -> None:
        table = load(
            "Alias mytau- tau-\nAlias mytau+ tau+\nChargeConj mytau- mytau+\n"
            "Alias myB+ B+\nAlias myB- B-\nChargeConj myB+ myB-\nAlias myphi phi\n"
            "Decay myB+\n1.0 K+ mytau- mu+ myphi PHSP;\nEnddecay\nCDecay myB-\n"
        )
        assert daughters(table, "myB-") == [("K-", "mytau+", "mu-", "myphi")]
        assert table.conjugates["mytau+"] == "mytau-"
        assert table.conjugates["myphi"] == "myphi"
        assert table.conjugates["K+"] == "K-"
        assert not table.diagnostics

    def test_cdecay_takes_what_the_partner_has_at_that_point_and_says_so(self, load: Load) -> None:
        table = load(B_PLUS + "CDecay B-\n", "Decay B+\n1.0 K+ pi0 PHSP;\nEnddecay\n")
        assert daughters(table, "B+") == [("K+", "pi0")]
        assert daughters(table, "B-") == [("D0", "pi-")]
        (diagnostic,) = table.diagnostics
        assert (diagnostic.code, diagnostic.name, diagnostic.severity) == (
            "SGD016", "conjugate-unchanged", "warning"
        )  # fmt: skip
        assert str(diagnostic.source).endswith("user1.dec:1")
        assert "user0.dec:4" in diagnostic.message
        assert "add CDecay B-" in diagnostic.message

    def test_decay_of_one_flavour_leaves_the_other_as_in_the_base_table(self, load: Load) -> None:
        base = load(base="DECAY_BELLE2.DEC")
        one = "Decay tau-\n1.0 pi- nu_tau PHSP;\nEnddecay\n"
        table = load(one, base="DECAY_BELLE2.DEC")
        assert daughters(table, "tau-") == [("pi-", "nu_tau")]
        assert len(table.channels["tau+"]) > 20
        assert table.channels["tau+"] == base.channels["tau+"]
        assert codes(table).count("SGD016") == 1
        both = load(one + "CDecay tau+\n", base="DECAY_BELLE2.DEC")
        assert daughters(both, "tau+") == [("pi+", "anti-nu_tau")]
        assert "SGD016" not in codes(both)

    def test_block_of_the_same_file_after_cdecay(self, load: Load) -> None:
        table = load(B_PLUS + "CDecay B-\nDecay B+\n1.0 K+ pi0 PHSP;\nEnddecay\n")
        assert daughters(table, "B-") == [("D0", "pi-")]
        assert codes(table) == ["SGD016"]

    def test_change_of_the_partner_by_remove_and_copy(self, load: Load) -> None:
        two = "Decay B+\n0.5 K+ pi0 PHSP;\n0.5 K+ eta PHSP;\nEnddecay\nCDecay B-\n"
        removed = load(two, "RemoveDecay B+\nK+ eta;\nEnddecay\n")
        assert daughters(removed, "B-") == [("K-", "pi0"), ("K-", "eta")]
        assert codes(removed) == ["SGD006", "SGD016"]
        copied = load(two, "Alias a B+\nDecay a\n1.0 K+ eta PHSP;\nEnddecay\nCopyDecay B+ a\n")
        assert daughters(copied, "B-") == [("K-", "pi0"), ("K-", "eta")]
        assert codes(copied) == ["SGD016"]

    def test_repeated_cdecay_is_no_surprise(self, load: Load) -> None:
        again = "Decay B+\n1.0 K+ pi0 PHSP;\nEnddecay\nCDecay B-\n"
        assert codes(load(B_PLUS + "CDecay B-\n", again)) == []

    def test_conjugate_of_a_conjugate_is_the_block(self, load: Load) -> None:
        table = load(B_PLUS + "CDecay B-\n", "CDecay B+\n")
        assert daughters(table, "B+") == [("anti-D0", "pi+")]
        assert daughters(table, "B-") == [("D0", "pi-")]
        assert codes(table) == []

    def test_without_source(self, load: Load) -> None:
        assert codes(load("CDecay B-\n")) == ["SGD008"]
        assert codes(load("Decay phi\n1.0 K+ K- PHSP;\nEnddecay\nCDecay phi\n")) == ["SGD008"]

    def test_source_that_comes_later_is_too_late(self, load: Load) -> None:
        table = load(B_MINUS + "CDecay B-\n" + B_PLUS)
        assert "B-" not in table.channels
        (diagnostic,) = table.diagnostics
        assert (diagnostic.code, diagnostic.severity) == ("SGD008", "error")
        assert "after its block on line 5" in diagnostic.message

    def test_alias_without_conjugate(self, load: Load) -> None:
        parent = load("Alias myB- B-\n" + B_PLUS + "CDecay myB-\n")
        assert codes(parent) == ["SGD018"]
        late = load("Alias b+ B+\nAlias b- B-\nDecay b+\n1.0 K+ eta PHSP;\nEnddecay\nCDecay b-\n"
                    "ChargeConj b+ b-\n")  # fmt: skip
        assert codes(late) == ["SGD018"]
        daughter = load("Alias myD D0\nDecay B-\n1.0 myD pi- PHSP;\nEnddecay\nCDecay B+\n")
        assert codes(daughter) == ["SGD018"]
        assert "ChargeConj myD" in daughter.diagnostics[0].message


class TestCopyAndRemove:
    def test_copy_is_made_at_its_place(self, load: Load) -> None:
        # The use: one alias keeps the generic decays, the particle itself gets others.
        table = load(
            B_PLUS + "CDecay B-\n",
            "Alias generic+ B+\nAlias generic- B-\nCopyDecay generic+ B+\nCopyDecay generic- B-\n"
            "Decay B+\n1.0 K+ pi0 PHSP;\nEnddecay\nCDecay B-\n",
        )
        assert daughters(table, "generic+") == [("anti-D0", "pi+")]
        assert daughters(table, "generic-") == [("D0", "pi-")]
        assert daughters(table, "B-") == [("K-", "pi0")]

    def test_copy_of_nothing(self, load: Load) -> None:
        assert codes(load("CopyDecay B+ B-\n")) == ["SGD019"]

    def test_remove_rescales_the_rest(self, load: Load) -> None:
        table = load(
            "Decay B+\n0.5 K+ pi0 PHSP;\n0.3 D0 K+ PHSP;\n0.2 K+ eta PHSP;\nEnddecay\n",
            "RemoveDecay B+\npi0 K+;\nEnddecay\n",
        )
        assert daughters(table, "B+") == [("D0", "K+"), ("K+", "eta")]
        assert [channel.fraction for channel in table.channels["B+"]] == pytest.approx([0.6, 0.4])

    def test_remove_of_nothing(self, load: Load) -> None:
        assert codes(load(B_PLUS + "RemoveDecay B+\nK+ pi0;\nEnddecay\n")) == ["SGD021"]


class TestNames:
    def test_defined_numbers_act_from_their_place_on(self, load: Load) -> None:
        channel = "Decay {}\n1.0 K+ pi0 SVS_CP x -3.5 y;\nEnddecay\n"
        table = load(
            "Define x 1.5\n" + channel.format("B+"), "Define x -2.5\n" + channel.format("D+")
        )
        assert table.channels["B+"][0].parameters == (1.5, -3.5, "y")
        assert table.channels["D+"][0].parameters == (-2.5, -3.5, "y")

    def test_model_alias_brings_its_parameters(self, load: Load) -> None:
        table = load(
            "Define x 0.5\nModelAlias POLE SLBKPOLE 1.0 x;\nModelAlias SAME POLE;\n",
            "Decay D0\n0.5 K- e+ nu_e POLE;\n0.5 K- mu+ nu_mu SAME;\nEnddecay\n",
        )
        for channel in table.channels["D0"]:
            assert (channel.model, channel.parameters) == ("SLBKPOLE", (1.0, 0.5))

    def test_alias_of_an_alias_is_the_particle(self, load: Load) -> None:
        table = load("Alias first B+\nAlias second first\n")
        assert table.aliases == {"first": "B+", "second": "B+"}
        assert table.particle("second").name == "B+"

    def test_alias_may_be_repeated_but_not_changed(self, load: Load) -> None:
        assert codes(load("Alias a B+\n", "Alias a B+\n")) == []
        changed = load("Alias a B+\n", "Alias a B-\n")
        assert codes(changed) == ["SGD017"]
        assert changed.aliases["a"] == "B+"
        assert codes(load("Alias pi0 eta\n")) == ["SGD017"]

    def test_unknown_name_raises_when_it_is_asked_for(self, load: Load) -> None:
        table = load("Decay B++\n1.0 K+ pi+ PHSP;\nEnddecay\n")
        with pytest.raises(UnknownParticleError, match=r"B\+\+"):
            table.particle("B++")


class TestFractions:
    def test_sum_is_rescaled_with_a_warning(self, load: Load) -> None:
        table = load("Decay B+\n0.2 K+ pi0 PHSP;\n0.6 K+ eta PHSP;\nEnddecay\nCDecay B-\n")
        assert [c.fraction for c in table.channels["B+"]] == pytest.approx([0.25, 0.75], abs=1e-15)
        (diagnostic,) = table.diagnostics
        assert (diagnostic.code, diagnostic.severity) == ("SGD006", "warning")
        assert "0.8" in diagnostic.message
        assert diagnostic.source.line == 1

    def test_small_deviation_is_not_worth_a_word(self, load: Load) -> None:
        table = load("Decay B+\n0.50005 K+ pi0 PHSP;\n0.5 K+ eta PHSP;\nEnddecay\n")
        assert codes(table) == []
        assert sum(c.fraction for c in table.channels["B+"]) == pytest.approx(1.0, abs=1e-15)

    def test_zero_is_left_out_and_negative_is_an_error(self, load: Load) -> None:
        table = load("Decay B+\n0 K+ pi0 PHSP;\n-0.1 K+ eta PHSP;\n1 K+ phi PHSP;\nEnddecay\n")
        assert daughters(table, "B+") == [("K+", "phi")]
        assert codes(table) == ["SGD007"]
        assert table.diagnostics[0].source.line == 3


class TestParticleProperties:
    def test_mass_and_width_also_of_the_antiparticle_and_of_aliases(self, load: Load) -> None:
        table = load("Alias a D_1-\nParticle D_1+ 2.5 0.1\n")
        for name in ("D_1+", "D_1-", "a"):
            assert (table.particle(name).mass, table.particle(name).width) == (2.5, 0.1)
        assert table.particle("D_10").mass != 2.5

    def test_mass_alone_keeps_the_width(self, load: Load) -> None:
        width = load().particle("D_1+").width
        table = load("Alias a D_1+\nParticle a 2.5\n")
        assert (table.particle("D_1+").mass, table.particle("D_1+").width) == (2.5, width)


class TestLineshape:
    def test_statements_add_up_and_aliases_share_them(self, load: Load) -> None:
        table = load(
            "Alias a D_1+\nLSFLAT D_1+\nChangeMassMin a 2.3\nChangeMassMax D_1+ 2.6\n"
            "BlattWeisskopf D_1+ 3.0\nBlattWeisskopfBirth D_1+ 2.0\nIncludeBirthFactor D_1+ no\n"
            "IncludeDecayFactor D_1+ yes\nSetLineshapePW D_1+ D*+ pi0 2\n"
        )
        assert table.lineshapes["D_1+"] == Lineshape(
            kind="FLAT",
            mass_min=2.3,
            mass_max=2.6,
            blatt_weisskopf=3.0,
            blatt_weisskopf_birth=2.0,
            include_birth=False,
            include_decay=True,
            partial_waves=(PartialWave(9, "D_1+", ("D*+", "pi0"), 2),),
        )
        assert table.lineshapes["a"] == table.lineshapes["D_1+"]
        assert "D_1-" not in table.lineshapes


class TestPhotos:
    @pytest.mark.parametrize(
        ("statement", "expected"),
        [
            ("", [True, False]),
            ("yesPhotos", [True, True]),
            ("noPhotos", [False, False]),
            ("noPhotos normalPhotos", [True, False]),
            ("noPhotos yesPhotos", [True, True]),
        ],
    )
    def test_statement_and_flag(self, load: Load, statement: str, expected: list[bool]) -> None:
        table = load("Decay B+\n1 K+ pi0 PHOTOS PHSP;\n1 K+ eta PHSP;\nEnddecay\n" + statement)
        assert [channel.photos for channel in table.channels["B+"]] == expected
        assert table.photos is any(expected)


class TestFiles:
    def test_name_and_hash_are_kept(self, write: Callable[..., Path]) -> None:
        path = write(B_PLUS)
        (info,) = load_decay_table([path], None).files
        assert info.name == str(path)
        assert info.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()

    def test_another_file_may_be_the_base(self, load: Load, write: Callable[..., Path]) -> None:
        table = load(B_MINUS, base=write(B_PLUS, "base.dec"))
        assert table.is_base(table.channels["B+"][0].source)
        assert not table.is_base(table.channels["B-"][0].source)

    def test_unknown_base_is_answered_with_the_known(self) -> None:
        with pytest.raises(DecayFileError, match=r"'BELLE2'.*DECAY_BELLE2.DEC, DECAY_LHCB.DEC"):
            load_decay_table([], "BELLE2")

    def test_source_line_is_the_one_of_the_file(self, load: Load) -> None:
        source = load("# first\n" + B_PLUS).channels["B+"][0].source
        assert (source.line, source.text) == (3, "1.0 anti-D0 pi+ PHSP;")
        assert str(source).endswith("user0.dec:3")

    def test_pythia_settings_are_kept_in_order(self, load: Load) -> None:
        table = load("JetSetPar MSTJ(26)=0\n", "PythiaBothParam Init:showChangedSettings=off\n")
        assert [s.parameter for s in table.pythia_parameters] == [
            "MSTJ(26)",
            "Init:showChangedSettings",
        ]

    def test_tables_cannot_be_changed(self, load: Load) -> None:
        table = load(B_PLUS)
        with pytest.raises(TypeError):
            table.channels["B+"] = ()  # type: ignore[index]
        with pytest.raises(AttributeError):
            table.channels["B+"][0].fraction = 0.5  # type: ignore[misc]
        assert isinstance(table.channels["B+"][0], Channel)
        assert "user0.dec" in repr(table)
