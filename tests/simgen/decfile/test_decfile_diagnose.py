"""Every kind of finding: its code, its severity and the line it points to."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from simgen.decfile import DecayTable, Diagnostic, diagnose, has_errors
from simgen.decfile.diagnostic import NAMES
from simgen.errors import UnknownParticleError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Load = Callable[..., DecayTable]

GOOD = "Decay B+\n1.0 anti-D0 pi+ PHSP;\nEnddecay\nDecay anti-D0\n1.0 K+ pi- PHSP;\nEnddecay\n"


def find(table: DecayTable, root: str = "B+", *, everything: bool = False) -> list[Diagnostic]:
    return list(diagnose(table, root, everything=everything))


def only(table: DecayTable, root: str = "B+") -> Diagnostic:
    found = find(table, root)
    assert len(found) == 1, found
    return found[0]


# text -> code, severity, line, words of the message
FINDINGS = {
    "Decay B+\n1.0 K+ pi_0 PHSP;\nEnddecay": ("SGD001", "error", 2, "pi_0; nearest names: pi0"),
    GOOD + "Decay B++\nEnddecay": ("SGD001", "error", 7, "B++"),
    GOOD + "LSFLAT rho00": ("SGD001", "error", 7, "rho00; nearest names: rho0"),
    GOOD + "ChargeConj B+ B--": ("SGD001", "error", 7, "B--"),
    "Decay B+\n1.0 K+ pi0 PHSQ;\nEnddecay": ("SGD002", "error", 2, "PHSQ; nearest names: PHSP"),
    "Decay B+\n1.0 K+ pi0 FOO 1;\nEnddecay": ("SGD002", "error", 2, "unknown model FOO"),
    "Decay D*+\n1.0 D0 pi+ VSS 1.0;\nEnddecay": ("SGD003", "error", 2, "0 parameters, found 1"),
    "Decay B+\n1.0 K+ pi0 VSS;\nEnddecay": ("SGD003", "error", 2, "decays a vector"),
    "Decay B+\n1.0 K+ pi- PHSP;\nEnddecay": ("SGD004", "error", 2, "charge +1 before, +0 after"),
    "Decay B+\n1.0 D+ D0 anti-D0 K0 PHSP;\nEnddecay": ("SGD005", "error", 2, "at most 5.279"),
    "Decay B+\n0.5 K+ pi0 PHSP;\nEnddecay": ("SGD006", "warning", 1, "sum to 0.5"),
    "Decay B+\n1 K+ pi0 PHSP;\n-0.1 K+ eta PHSP;\nEnddecay": ("SGD007", "error", 3, "-0.1"),
    GOOD + "CDecay B0": ("SGD008", "error", 7, "anti-B0 has no decays"),
    GOOD + "Decay B+\n1.0 K+ pi0 PHSP;\nEnddecay": ("SGD010", "warning", 7, "on line 1"),
    GOOD + "Alias a B+\nChargeConj a a": None,
    GOOD + "ChargeConj B+ B+": ("SGD011", "error", 7, "the antiparticle is B-"),
    GOOD + "ChargeConj B+ D-": ("SGD011", "error", 7, "stands for D-, the antiparticle is B-"),
    GOOD + "Alias a B0": ("SGD013", "warning", 7, "a occurs in no decay"),
    "Decay B+\n1.0 tau+ nu_tau BSTD_2HDMTYPE2;\nEnddecay": (
        "SGD014",
        "error",
        2,
        "BSTD_2HDMTYPE2 is not implemented",
    ),
    GOOD + "End\nAlias a B+": ("SGD015", "warning", 8, "is not read"),
    GOOD + "CopyDecay B- B0": ("SGD019", "error", 7, "B0 has no decays"),
    "Decay D0\n1.0 K- pi+ PHSP;\nEnddecay\nnoPhotos": ("SGD020", "error", 1, "B+ has no decays"),
    GOOD + "RemoveDecay B+\nK+ pi0;\nEnddecay": ("SGD021", "warning", 7, "no channel K+ pi0"),
    "Decay B+\n1.0 B+ gamma PHSP;\nEnddecay": None,
}


@pytest.mark.parametrize("text", [text for text, expected in FINDINGS.items() if expected])
def test_finding(load: Load, text: str) -> None:
    expected = FINDINGS[text]
    assert expected is not None
    code, severity, line, words = expected
    root = "D*+" if "Decay D*+" in text else "B+"
    diagnostic = only(load(text), root)
    assert (diagnostic.code, diagnostic.severity, diagnostic.source.line) == (code, severity, line)
    assert words in diagnostic.message
    assert diagnostic.source.text == text.splitlines()[line - 1] or code == "SGD020"
    assert has_errors([diagnostic]) is (severity == "error")


def test_alias_of_unknown_is_named_with_what_uses_it(load: Load) -> None:
    table = load("Alias a D++\nDecay B+\n1.0 a pi0 PHSP;\nEnddecay\n")
    assert only(table).code == "SGD009"
    assert only(table).source.line == 1


def test_self_conjugate_alias_needs_no_partner(load: Load) -> None:
    table = load("Alias a phi\nChargeConj a a\nDecay B+\n1.0 a K+ PHSP;\nEnddecay\n")
    assert find(table) == []


def test_decays_in_a_circle(load: Load) -> None:
    table = load(
        "Decay Upsilon(5S)\n0.5 Upsilon(4S) pi0 PHSP;\n0.5 B+ B- PHSP;\nEnddecay\n"
        "Decay Upsilon(4S)\n1.0 Upsilon(5S) gamma PHSP;\nEnddecay\n"
    )
    found = {d.code: d for d in find(table, "Upsilon(5S)")}
    assert "Upsilon(5S) -> Upsilon(4S) -> Upsilon(5S)" in found["SGD022"].message


def test_file_that_no_event_uses(load: Load) -> None:
    strange = "Decay B_s0\n1.0 K+ pi- PHSP;\nEnddecay\n"
    diagnostic = only(load(GOOD, strange))
    assert (diagnostic.code, diagnostic.severity) == ("SGD012", "error")
    assert diagnostic.source.file.endswith("user1.dec")
    assert "B_s0" in diagnostic.message


@pytest.mark.parametrize(
    "text",
    [
        "Particle D0 1.86\n",
        "noPhotos\n",
        "Decay D0\n1.0 K- pi+ PHSP;\nEnddecay\nCDecay anti-D0\n",
        "Alias other anti-D0\nLSFLAT other\n",
    ],
)
def test_file_that_changes_something_is_used(load: Load, text: str) -> None:
    assert "SGD012" not in {d.code for d in find(load(GOOD, text))}


def test_file_of_definitions_is_used_if_its_names_are(load: Load) -> None:
    uses = "Decay B+\n1.0 K+ pi0 MYPHSP;\nEnddecay\n"
    assert find(load("ModelAlias MYPHSP PHSP;\n", uses)) == []
    assert only(load("ModelAlias OTHER PHSP;\n", GOOD)).code == "SGD012"


class TestKinematics:
    def test_broad_daughters_may_be_light(self, load: Load) -> None:
        # phi + f_0 needs 2.01 GeV at nominal masses; f_0 reaches down to two pions.
        f_0 = "Decay f_0\n1.0 pi+ pi- PHSP;\nEnddecay\n"
        text = "Decay D0\n1.0 phi f_0 PHSP;\nEnddecay\n"
        assert find(load(text + f_0), "D0") == []

    def test_what_a_daughter_decays_to_limits_how_light_it_can_be(self, load: Load) -> None:
        f_0 = "Decay f_0\n1.0 K+ K- PHSP;\nEnddecay\n"
        text = "Decay D0\n1.0 phi f_0 PHSP;\nEnddecay\n"
        assert only(load(text + f_0), "D0").code == "SGD005"

    def test_limits_of_the_lineshape_count(self, load: Load) -> None:
        text = "Decay D0\n1.0 phi f_0 PHSP;\nEnddecay\nChangeMassMin f_0 0.95\n"
        assert only(load(text), "D0").code == "SGD005"
        wide = "Decay rho0\n1.0 eta pi+ pi- PHSP;\nEnddecay\n"
        assert find(load(wide), "rho0") == []
        assert only(load(wide + "ChangeMassMax rho0 0.8\n"), "rho0").code == "SGD005"

    def test_masses_that_a_model_draws_do_not_count(self, load: Load) -> None:
        text = "Decay B+\n0.5 Xu0 tau+ nu_tau PHSP;\n0.5 cs_1 anti-cd_1 u PHSP;\nEnddecay\n"
        assert "SGD005" not in {d.code for d in find(load(text))}


class TestBaseTable:
    BASE = (
        "Alias unused B0\nDecay B+\n0.9 D0 K- PHSP;\n0.05 K+ D0 D0 D0 PHSP;\nEnddecay\n"
        "Decay B0\n1.0 D0 K- PHSP;\nEnddecay\nDecay Upsilon(4S)\n1.0 B+ B- PHSP;\nEnddecay\n"
    )

    def test_only_errors_that_an_event_can_meet(
        self, load: Load, write: Callable[..., Path]
    ) -> None:
        table = load(base=write(self.BASE, "base.dec"))
        assert [(d.code, d.source.line) for d in find(table)] == [("SGD004", 3)]
        everything = find(table, everything=True)
        assert sorted((d.code, d.source.line) for d in everything) == [
            ("SGD004", 3),
            ("SGD004", 7),
            ("SGD005", 4),
            ("SGD006", 2),
            ("SGD013", 1),
        ]

    def test_replaced_channels_do_not_matter(self, load: Load, write: Callable[..., Path]) -> None:
        assert find(load(GOOD, base=write(self.BASE, "base.dec"))) == []

    def test_models_not_implemented_are_counted_together(
        self, load: Load, write: Callable[..., Path]
    ) -> None:
        base = (
            "Decay B+\n0.5 K+ phi NOSUCH;\n0.3 e+ nu_e BSTD_2HDMTYPE2;\n"
            "0.2 mu+ nu_mu BSTD_2HDMTYPE2;\nEnddecay\n"
        )
        found = find(load(base=write(base + "CDecay B-\n", "base.dec")))
        assert [(d.code, d.source.line) for d in found] == [("SGD014", 3), ("SGD002", 2)]
        assert "2 reachable channels, 0.5 decays per event" in found[0].message


def test_conjugate_is_not_mentioned_again(load: Load) -> None:
    table = load(
        "Decay B+\n1.0 K+ pi- PHSP;\nEnddecay\nCDecay B-\n"
        "Decay Upsilon(4S)\n1.0 B+ B- VSS;\nEnddecay\n"
    )
    assert only(table, "Upsilon(4S)").code == "SGD004"
    assert only(table, "B-").message.startswith("B- ->")


def test_unknown_root_is_refused(load: Load) -> None:
    with pytest.raises(UnknownParticleError, match="Upsilon"):
        diagnose(load(GOOD), "Upsilon(4s)")


def test_text_has_place_severity_code_and_name(load: Load) -> None:
    text = str(only(load("Decay B+\n1.0 K+ pi- PHSP;\nEnddecay\n")))
    assert "user0.dec:2: error SGD004 charge-not-conserved: B+ -> K+ pi-" in text


def test_every_code_has_a_name_of_its_own() -> None:
    assert len(set(NAMES.values())) == len(NAMES)
    assert list(NAMES) == [f"SGD{number:03d}" for number in range(1, len(NAMES) + 1)]
