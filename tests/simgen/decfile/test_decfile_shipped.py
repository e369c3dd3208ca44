"""The full tables of Belle II and LHCb, as decaylanguage ships them."""

from __future__ import annotations

import math
import warnings
from collections import Counter
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from decaylanguage import DecFileParser

from simgen.decfile import Diagnostic, diagnose, find_reach, load_decay_table
from simgen.decfile.report import implemented_share, model_uses
from simgen.particles import particle_table

if TYPE_CHECKING:
    from collections.abc import Iterable

    from simgen.decfile import DecayTable


def every_channel(table: DecayTable) -> list[tuple[str, tuple[str, ...], str]]:
    return [(n, c.daughters, c.model) for n, rows in table.channels.items() for c in rows]


def test_every_name_is_a_particle(shipped: DecayTable) -> None:
    names = {name for parent, row, _ in every_channel(shipped) for name in (parent, *row)}
    names |= set(shipped.aliases) | set(shipped.conjugates)
    assert len(names) > 450
    assert [name for name in names if not shipped.is_known(name)] == []


def test_charge_is_conserved_in_every_channel(shipped: DecayTable) -> None:
    checked = 0
    for parent, row, _ in every_channel(shipped):
        if row:  # Xi_c+ has a channel that leaves the daughters to PYTHIA
            charge = sum(shipped.particle(name).charge3 for name in row)
            assert charge == shipped.particle(parent).charge3, (parent, row)
            checked += 1
    assert checked > 8000


def test_fermions_appear_in_pairs_in_every_channel(shipped: DecayTable) -> None:
    for parent, row, model in every_channel(shipped):
        if model != "PYTHIA":
            spin2 = sum(shipped.particle(name).spin2 for name in row)
            assert (spin2 - shipped.particle(parent).spin2) % 2 == 0, (parent, row)


def test_a_model_serves_every_channel(shipped: DecayTable) -> None:
    """All but PYTHIA modes have a model here that takes their particles and parameters."""
    models = set()
    for parent, rows in shipped.channels.items():
        for row in rows:
            if row.model == "PYTHIA":
                continue
            model = shipped.model_of(parent, row)
            assert model is not None, (parent, row)
            daughters = [shipped.particle(name) for name in row.daughters]
            assert model.problem(row.parameters, shipped.particle(parent), daughters) is None, row
            models.add(row.model)
    assert {"HELAMP", "PARTWAVE", "D_DALITZ"} < models


def test_fractions_sum_to_one(shipped: DecayTable) -> None:
    for name, rows in shipped.channels.items():
        assert math.fsum(row.fraction for row in rows) == pytest.approx(1.0, abs=1e-12), name


def test_conjugation_is_an_involution(shipped: DecayTable) -> None:
    for name, conjugate in shipped.conjugates.items():
        assert shipped.conjugates.get(conjugate, name) == name
        anti = shipped.particle(name).anti_name
        assert shipped.particle(conjugate).name == anti


def plain_names(names: Iterable[object]) -> tuple[str, ...]:
    """Return names with conjugates that decaylanguage does not know, such as Xu+, filled in."""
    table = particle_table()
    plain = []
    for name in map(str, names):
        inner = name.removeprefix("ChargeConj(").removesuffix(")")
        plain.append(table.by_name(inner).anti_name if name.startswith("ChargeConj(") else name)
    return tuple(plain)


def test_channels_agree_with_decaylanguage(shipped: DecayTable) -> None:
    """Cross-check of blocks, conjugates, defined numbers and model aliases."""
    spec = find_spec("decaylanguage")
    assert spec is not None
    assert spec.submodule_search_locations is not None
    folder = Path(spec.submodule_search_locations[0]) / "data"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        reader = DecFileParser(str(folder / shipped.files[0].name))
        reader.parse()
    mothers = set(reader.list_decay_mother_names()) & set(shipped.channels)
    assert mothers == set(shipped.channels)
    everything = {name for _, row, _ in every_channel(shipped) for name in row} | mothers
    for name in mothers:
        modes = reader.build_decay_chains(name, stable_particles=everything - {name})[name]
        expected = Counter(
            (plain_names(mode["fs"]), mode["model"], tuple(mode["model_params"] or ()))
            for mode in modes
            if mode["bf"] > 0.0
        )
        rows = shipped.channels[name]
        assert Counter((row.daughters, row.model, row.parameters) for row in rows) == expected, name


def test_generic_events_are_known_ones() -> None:
    """Decays per event and shares of models in generic Y(4S) events of the Belle II table."""
    table = load_decay_table([])
    uses = model_uses(table, find_reach(table, "Upsilon(4S)"))
    assert sum(use.per_event for use in uses) == pytest.approx(10.6, abs=0.1)
    shares = {use.name: use.share for use in uses}
    assert shares["PHSP"] == pytest.approx(0.45, abs=0.01)
    assert shares["VSS"] == pytest.approx(0.18, abs=0.01)
    assert shares["PYTHIA"] == pytest.approx(0.09, abs=0.01)
    assert shares["VSS_BMIX"] == pytest.approx(0.483 / 10.58, rel=0.01)
    assert shares["BGL"] == pytest.approx(0.029, abs=0.001)


def test_every_model_that_an_event_can_reach_is_implemented(shipped: DecayTable) -> None:
    assert implemented_share(shipped, "Upsilon(4S)") == pytest.approx(1.0, abs=1e-12)
    assert diagnose(shipped, "Upsilon(4S)") == ()


def oddities(diagnostics: tuple[Diagnostic, ...]) -> set[str]:
    return {diagnostic.code for diagnostic in diagnostics} - {"SGD014"}


def test_oddities_of_the_tables_are_only_said_when_asked_for(shipped: DecayTable) -> None:
    root = "Upsilon(4S)"
    assert oddities(diagnose(shipped, root)) == set()
    assert "SGD006" in oddities(diagnose(shipped, root, everything=True))
    assert oddities(diagnose(shipped, root, everything=True)) <= {"SGD005", "SGD006", "SGD013"}
