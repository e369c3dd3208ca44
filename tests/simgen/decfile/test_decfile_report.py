"""The report on a decay table, and the command that prints it."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from click.testing import CliRunner

from simgen.commands.decays import decays
from simgen.decfile import DecayTable, describe_decays, load_decay_table
from simgen.decfile.report import MOST_CHANNELS, implemented_share

if TYPE_CHECKING:
    from collections.abc import Callable

    Load = Callable[..., DecayTable]
    Write = Callable[..., Path]

SIGNAL = Path(__file__).parents[3] / "configs" / "decays" / "ktaumu.dec"

# 0.6 of B+ decays by an implemented model; of those 0.25 (pi0 twice) again by one.
TWO_LEVELS = (
    "Decay B+\n0.6 pi0 pi0 K+ PHSP;\n0.4 tau+ nu_tau BSTD_2HDMTYPE2;\nEnddecay\n"
    "Decay pi0\n0.5 gamma gamma PHSP;\n0.5 e+ e- gamma PI0_NEW;\nEnddecay\n"
)


class TestReport:
    def test_products_of_fractions_along_a_chain(self, write: Write) -> None:
        report = describe_decays([write(TWO_LEVELS)], None, "B+")
        first, second = report.chains.steps
        assert (first.fraction, first.product, first.implemented) == (0.6, 0.6, True)
        assert (second.model, second.implemented) == ("BSTD_2HDMTYPE2", False)
        (pi0,) = first.following  # named once although there are two
        assert [step.product for step in pi0.steps] == pytest.approx([0.3, 0.3])

    def test_decays_per_event_by_model(self, write: Write) -> None:
        report = describe_decays([write(TWO_LEVELS)], None, "B+")
        assert {use.name: use.per_event for use in report.models} == pytest.approx(
            {"PHSP": 0.6 + 1.2 * 0.5, "BSTD_2HDMTYPE2": 0.4, "PI0_NEW": 1.2 * 0.5}
        )
        assert report.decays_per_event == pytest.approx(1.0 + 1.2)
        assert sum(use.share for use in report.models) == pytest.approx(1.0)

    def test_share_of_events_with_only_implemented_models(self, write: Write) -> None:
        report = describe_decays([write(TWO_LEVELS)], None, "B+")
        assert report.implemented_events == pytest.approx(0.6 * 0.5**2, rel=1e-12)

    def test_share_of_events_agrees_with_simulation(self, write: Write) -> None:
        """Draw 2 x 10^4 B+ with D0 of a missing model; agreement within 4 standard deviations."""
        missing = "Decay anti-D0\n0.7 K+ pi- PHSP;\n0.3 K+ pi- pi0 NEW;\nEnddecay\n"
        table = load_decay_table([write(missing)])
        rng = np.random.default_rng(20)
        cumulative = {
            name: np.cumsum([row.fraction for row in rows]) for name, rows in table.channels.items()
        }
        expected = implemented_share(table, "B+")
        assert 0.7 < expected < 0.9

        def exact(name: str) -> bool:
            if name not in table.channels:
                return True
            number = int(np.searchsorted(cumulative[name], rng.random()))
            row = table.channels[name][min(number, len(cumulative[name]) - 1)]
            return table.is_made(name, row) and all(exact(daughter) for daughter in row.daughters)

        n = 20_000
        found = sum(exact("B+") for _ in range(n)) / n
        assert abs(found - expected) <= 4.0 * math.sqrt(expected * (1.0 - expected) / n)

    def test_decays_in_a_circle_do_not_hang(self, load: Load) -> None:
        table = load(
            "Decay Upsilon(5S)\n0.5 Upsilon(4S) pi0 PHSP;\n0.5 e+ e- PHSP;\nEnddecay\n"
            "Decay Upsilon(4S)\n1.0 Upsilon(5S) gamma PHSP;\nEnddecay\n"
        )
        assert implemented_share(table, "Upsilon(5S)") == pytest.approx(1.0, abs=1e-12)

    def test_long_lists_are_cut_and_added_up(self) -> None:
        chains = describe_decays([], root="B+", depth=2).chains
        assert len(chains.steps) == MOST_CHANNELS
        listed = math.fsum(step.fraction for step in chains.steps)
        assert listed + chains.fraction_left_out == pytest.approx(1.0)
        assert chains.n_left_out > 400

    def test_depth_limits_the_chains(self, write: Write) -> None:
        report = describe_decays([write(TWO_LEVELS)], None, "B+", depth=1)
        assert all(step.following == () for step in report.chains.steps)

    def test_own_decays_are_shown_whole_and_the_base_table_as_room_allows(
        self, write: Write
    ) -> None:
        """All of B-sig is there, 3 decays deep, and of B+ in the base table what a page holds."""
        path = write(
            "Alias B-sig B-\nAlias B+sig B+\nChargeConj B-sig B+sig\n"
            "Alias tau-sig tau-\nAlias tau+sig tau+\nChargeConj tau-sig tau+sig\n"
            "Decay Upsilon(4S)\n1.0 B+ B-sig VSS;\nEnddecay\n"
            "Decay B-sig\n1.0 K- tau-sig mu+ PHSP;\nEnddecay\nCDecay B+sig\n"
            "Decay tau-sig\n1.0 pi- nu_tau PHSP;\nEnddecay\nCDecay tau+sig\n"
        )
        chains = describe_decays([path]).chains
        assert chains.n_rows <= 100
        (step,) = chains.steps
        generic, signal = step.following
        assert len(generic.steps) == MOST_CHANNELS
        ((tau,),) = ([g.parent for g in s.following] for s in signal.steps)
        assert tau == "tau-sig"
        assert describe_decays([path], depth=4).chains.n_rows > 100  # more than a page


class TestSignalFile:
    @pytest.mark.parametrize("base", ["DECAY_BELLE2.DEC", "DECAY_LHCB.DEC", None])
    def test_events_do_not_depend_on_the_base_table(self, base: str | None) -> None:
        report = describe_decays([SIGNAL], base)
        assert [d.code for d in report.diagnostics] == ["SGD006", "SGD006"]
        assert report.implemented_events == 1.0
        assert report.decays_per_event == pytest.approx(
            1 + 2 + 1 + 0.2549 / 0.7153 * 2 + 0.0549 / 0.078 * (1 + 0.647) + 1
        )

    def test_both_charges_are_equally_frequent_and_tau_modes_in_pdg_proportion(self) -> None:
        table = load_decay_table([SIGNAL], None)
        assert [row.fraction for row in table.channels["Upsilon(4S)"]] == [0.5, 0.5]
        assert [row.fraction for row in table.channels["B-sig"]] == [0.5, 0.5]
        muon, electron, pion, rho = (row.fraction for row in table.channels["tau+sig"])
        assert electron / muon == pytest.approx(17.85 / 17.37)
        assert pion / muon == pytest.approx(10.82 / 17.37)
        assert rho / muon == pytest.approx(25.49 / 17.37)

    def test_conjugates_are_complete(self) -> None:
        table = load_decay_table([SIGNAL], None)
        for name, rows in table.channels.items():
            mirrored = table.channels[table.conjugates[name]]
            assert [row.fraction for row in mirrored] == [row.fraction for row in rows]


def run(*arguments: str | Path) -> tuple[int, str]:
    result = CliRunner().invoke(decays, [str(argument) for argument in arguments])
    return result.exit_code, result.output


class TestCommand:
    def test_good_file(self) -> None:
        code, output = run(SIGNAL)
        assert code == 0
        assert "B+sig -> K+ tau-sig mu+" in output
        assert "VSP_PWAVE" in output
        assert "ktaumu.dec:31: warning SGD006 fractions-not-one:" in output
        assert "100.0000% of the events" in output

    def test_error_is_shown_with_its_line_and_exit_code_2(self, write: Write) -> None:
        path = write("Decay B+\n1.0 K+ pi- PHSP;\nEnddecay\n")
        code, output = run(path, "--base", "none", "--root", "B+")
        assert code == 2
        assert f"{path}:2: error SGD004 charge-not-conserved:" in output
        assert "\n    1.0 K+ pi- PHSP;\n" in output

    def test_json(self, write: Write) -> None:
        path = write(TWO_LEVELS)
        code, output = run(path, "--base", "none", "--root", "B+", "--format", "json")
        report = json.loads(output)
        assert code == 2
        assert report["implemented_events"] == pytest.approx(0.15)
        assert report["chains"]["steps"][0]["daughters"] == ["pi0", "pi0", "K+"]
        assert {d["name"] for d in report["diagnostics"]} == {
            "model-not-implemented",
            "unknown-model",
        }
        assert report["files"][0]["name"] == str(path)

    def test_all_shows_the_oddities_of_the_base_table(self) -> None:
        arguments = ("--root", "B+", "--depth", "1", "--base", "DECAY_BELLE2.DEC")
        assert "SGD006" not in run(*arguments)[1]
        assert "SGD006" in run(*arguments, "--all")[1]

    def test_long_lists_are_cut(self) -> None:
        output = run("--root", "B+", "--depth", "1")[1]
        assert "B+ -> " in output
        assert " more" in output

    def test_nothing_to_show(self) -> None:
        code, output = run("--base", "none")
        assert code == 2
        assert "at least one decay file" in output

    def test_help_has_examples_and_imports_nothing_heavy(self) -> None:
        code, output = run("--help")
        assert code == 0
        assert "simgen decays configs/decays/ktaumu.dec" in output
        script = (
            "import sys, simgen.commands.decays\n"
            "print([m for m in ('numba', 'decaylanguage', 'particle', 'rich', 'numpy')"
            " if m in sys.modules])"
        )
        loaded = subprocess.run(
            [sys.executable, "-c", script], check=True, capture_output=True, text=True
        )
        assert loaded.stdout.strip() == "[]"
