"""Reading one decay file: every element of the grammar, what EvtGen forgives, error messages."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from simgen.decfile import parse_decfile, parse_decfile_text
from simgen.decfile import statements as st
from simgen.errors import DecayFileError

if TYPE_CHECKING:
    from pathlib import Path

STATEMENTS = {
    "CDecay B-": st.CDecay(1, "B-"),
    "CopyDecay B+x B+": st.CopyDecay(1, "B+x", "B+"),
    "Alias B+x B+": st.Alias(1, "B+x", "B+"),
    "ChargeConj B+x B-x": st.ChargeConj(1, "B+x", "B-x"),
    "Define dm 0.507e12": st.Define(1, "dm", 0.507e12),
    "Define minusGamma -1.387": st.Define(1, "minusGamma", -1.387),
    "ModelAlias POLE SLPOLE 1.0 -0.558 x;": st.ModelAlias(1, "POLE", "SLPOLE", (1.0, -0.558, "x")),
    "Particle D_1+ 2.42 0.03": st.ParticleProperties(1, "D_1+", 2.42, 0.03),
    "Particle D_1+ 2.42": st.ParticleProperties(1, "D_1+", 2.42, None),
    "JetSetPar MSTJ(26)=0": st.PythiaParameter(1, "JetSetPar", "MSTJ(26)", "0"),
    "JetSetPar MSTJ(26) = 0": st.PythiaParameter(1, "JetSetPar", "MSTJ(26)", "0"),
    "PythiaBothParam ParticleDecays:mixB=off": st.PythiaParameter(
        1, "PythiaBothParam", "ParticleDecays:mixB", "off"
    ),
    "PythiaGenericParam Next:numberShowEvent=0": st.PythiaParameter(
        1, "PythiaGenericParam", "Next:numberShowEvent", "0"
    ),
    "PythiaAliasParam 511:onMode = off": st.PythiaParameter(
        1, "PythiaAliasParam", "511:onMode", "off"
    ),
    "LSFLAT rho0": st.LineshapeKind(1, "FLAT", "rho0"),
    "LSNONRELBW rho0": st.LineshapeKind(1, "NONRELBW", "rho0"),
    "LSMANYDELTAFUNC rho0": st.LineshapeKind(1, "MANYDELTA", "rho0"),
    "BlattWeisskopf rho0 3.0": st.BlattWeisskopf(1, "decay", "rho0", 3.0),
    "BlattWeisskopfBirth rho0 3.0": st.BlattWeisskopf(1, "birth", "rho0", 3.0),
    "SetLineshapePW D_1+ D*+ pi0 2": st.PartialWave(1, "D_1+", ("D*+", "pi0"), 2),
    "ChangeMassMin rho0 0.3": st.MassLimit(1, "min", "rho0", 0.3),
    "ChangeMassMax rho0 1.3": st.MassLimit(1, "max", "rho0", 1.3),
    "IncludeBirthFactor rho0 no": st.MomentumFactor(1, "birth", "rho0", included=False),
    "IncludeDecayFactor rho0 yes": st.MomentumFactor(1, "decay", "rho0", included=True),
    "yesPhotos": st.Photos(1, "always"),
    "noPhotos": st.Photos(1, "never"),
    "normalPhotos": st.Photos(1, "flagged"),
    "RemoveDecay B+ K+ pi0; Enddecay": st.RemoveDecay(1, "B+", (("K+", "pi0"),)),
    "Decay B+ Enddecay": st.DecayBlock(1, "B+", ()),
}


@pytest.mark.parametrize("text", STATEMENTS)
def test_statement(text: str) -> None:
    assert parse_decfile_text(text).statements == (STATEMENTS[text],)
    # The second time it comes from the cache.
    assert parse_decfile_text(text).statements == (STATEMENTS[text],)


def channels(text: str) -> tuple[st.DecayLine, ...]:
    (block,) = parse_decfile_text(text).statements
    assert isinstance(block, st.DecayBlock)
    return block.channels


class TestChannel:
    def test_fraction_daughters_flag_model_and_parameters(self) -> None:
        text = "Decay B0\n0.5 J/psi K_S0 PHOTOS SSD_CP dm 0.0 -1.0; # a; b\nEnddecay"
        assert channels(text) == (
            st.DecayLine(2, 0.5, ("J/psi", "K_S0"), True, "SSD_CP", ("dm", 0.0, -1.0)),
        )

    def test_debugging_words_of_evtgen_change_nothing(self) -> None:
        plain = channels("Decay B+\n1.0 K+ pi0 PHOTOS PHSP;\nEnddecay")
        assert channels("Decay B+\n1.0 K+ pi0 VERBOSE PHOTOS SUMMARY PHSP;\nEnddecay") == plain

    def test_parameters_may_be_separated_by_commas(self) -> None:
        assert channels("Decay B+\n1.0 D0 e+ nu_e HQET2 1.2, 1.08;\nEnddecay")[0].parameters == (
            1.2,
            1.08,
        )

    def test_unknown_model_with_parameters_is_read_as_a_model(self) -> None:
        row = channels("Decay B+\n1.0 K+ pi0 MYMODEL 1.0 dm 2;\nEnddecay")[0]
        assert (row.daughters, row.model) == (("K+", "pi0"), "MYMODEL")
        assert row.parameters == (1.0, "dm", 2.0)

    def test_model_alias_of_another_file_is_read_as_a_model(self) -> None:
        row = channels("Decay D0\n1.0 K- e+ nu_e SLBKPOLE_DtoKlnu;\nEnddecay")[0]
        assert (row.model, row.parameters) == ("SLBKPOLE_DtoKlnu", ())

    def test_model_may_stand_alone(self) -> None:
        assert channels("Decay Xi_c+\n1.0 PYTHIA 42;\nEnddecay")[0].daughters == ()


class TestWhatEvtgenForgives:
    def test_line_ends_mean_nothing(self) -> None:
        text = (
            "Decay B+ 0.5\nK+\n pi0 SVS_CP\n  1.0\n 2.0\n; 0.5 K+ eta\tPHSP ; Enddecay CDecay\nB-"
        )
        block, conjugate = parse_decfile_text(text).statements
        assert isinstance(block, st.DecayBlock)
        assert [row.line for row in block.channels] == [1, 6]
        assert block.channels[0].parameters == (1.0, 2.0)
        assert conjugate == st.CDecay(6, "B-")

    @pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
    def test_line_numbers_are_right_whatever_the_line_ends(self, end: str) -> None:
        text = end.join(["# comment", "", "Decay B+", "1.0 K+ pi0 PHSP;", "Enddecay", "CDecay B-"])
        block, conjugate = parse_decfile_text(text).statements
        assert (block.line, conjugate.line) == (3, 6)

    def test_byte_order_mark_and_foreign_bytes_in_comments(self, tmp_path: Path) -> None:
        path = tmp_path / "latin.dec"
        path.write_bytes(b"\xef\xbb\xbfAlias a B+ # d\xe9sint\xe9gration\n")
        assert parse_decfile(path).statements == (st.Alias(1, "a", "B+"),)

    def test_end_may_be_missing_and_nothing_is_read_after_it(self) -> None:
        assert parse_decfile_text("Alias a B+").trailing_line is None
        stopped = parse_decfile_text("Alias a B+\nEnd\n# comment\n\nAlias b B+")
        assert stopped.statements == (st.Alias(1, "a", "B+"),)
        assert stopped.trailing_line == 5

    def test_empty_file(self) -> None:
        assert parse_decfile_text("# nothing\n").statements == ()

    def test_two_semicolons_end_a_channel_once(self) -> None:
        assert len(channels("Decay B+\n1.0 K+ PHSP;;\n0.5 pi+ PHSP; ;\nEnddecay")) == 2


SYNTAX_ERRORS = {
    "Dekay B+": (1, "'Dekay'", "did you mean Decay?"),
    "\nAlias a": (2, "the end of the file", "a name (Alias name name)"),
    "Alias a\nDecay B+\nEnddecay": (2, "'Decay'", "a name"),
    "Define x y": (1, "'y'", "a number (Define name number)"),
    "SetLineshapePW a b c 1.5": (1, "'1.5'", "an integer"),
    "IncludeBirthFactor a maybe": (1, "'maybe'", "yes or no"),
    "JetSetPar foo": (1, "'foo'", "JetSetPar NAME(INDEX)=value"),
    "ModelAlias A ;": (1, "no model", "ModelAlias name MODEL parameters;"),
    "Decay B+\n1.0 K+ PHSP;": (1, "the end of the file", "Enddecay"),
    "Decay B+\n1.0 K+ PHSP;\nDecay B-\nEnddecay": (3, "'Decay'", "line 1 has not ended"),
    "Decay B+\nK+ pi0 PHSP;\nEnddecay": (2, "'K+'", "a branching fraction or Enddecay"),
    "Decay B+\n1.0 K+ PHSP\nEnddecay": (2, "'Enddecay' and no semicolon", "a semicolon"),
    "Decay B+\n1.0 K+ PHSP\n0.5 pi+ PHSP;\nEnddecay": (3, "a second model 'PHSP'", "semicolon"),
    "Decay B+\n1.0;\nEnddecay": (2, "no model", "MODEL"),
    "Decay B+\n1.0 K^+ PHSP;\nEnddecay": (2, "'K^+'", "letters, digits"),
}


@pytest.mark.parametrize("text", SYNTAX_ERRORS)
def test_syntax_error_shows_place_line_and_what_is_allowed(text: str) -> None:
    line, found, allowed = SYNTAX_ERRORS[text]
    with pytest.raises(DecayFileError) as caught:
        parse_decfile_text(text, "my.dec")
    message = str(caught.value)
    assert message.startswith(f"my.dec:{line}: ")
    assert f"found {found}" in message
    assert allowed in message.partition("allowed:")[2]
    assert message.endswith("    " + text.splitlines()[line - 1].strip())


def test_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(DecayFileError, match=r"nowhere\.dec: No such file"):
        parse_decfile(tmp_path / "nowhere.dec")
