"""Bounds kept on disk: the same as sampled ones, found again, and only for the same decays."""

from __future__ import annotations

import re

import numpy as np
import pytest
from chains import FULL_CHAIN, make_generator

import simgen.engine.channel_bounds
from simgen.decfile.cache import CACHE_VARIABLE
from simgen.engine.bounds import set_amplitude_bounds
from simgen.errors import DecayFileError

BOUNDS = ("trace_bound", "eigen_bound", "eigen_share", "room", "octaves")
# Resonances in two and in three bodies, below a particle that is not changed itself.
BROAD = """
Decay B0
0.5 D*- a_1+ SVV_HELAMP 0.2 0.0 0.9 0.0 0.4 0.0;
0.5 D- rho0 mu+ PHSP;
Enddecay
Decay D*-
1.0 anti-D0 pi- VSS;
Enddecay
Decay a_1+
1.0 rho0 pi+ VVS_PWAVE 1.0 0.0 0.0 0.0 -0.1 0.0;
Enddecay
Decay rho0
1.0 pi+ pi- VSS;
Enddecay
Decay anti-D0
1.0 K*+ mu- anti-nu_mu ISGW2;
Enddecay
"""


@pytest.fixture(autouse=True)
def _own_cache(monkeypatch, tmp_path):
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "cache"))


@pytest.fixture
def sampled(monkeypatch):
    """Return the numbers of channels that are sampled, a list that grows."""
    found = []

    def count(program, number, *others):
        found.append(number)
        set_amplitude_bounds(program, number, *others)

    monkeypatch.setattr(simgen.engine.channel_bounds, "set_amplitude_bounds", count)
    return found


def decays(folder, text=FULL_CHAIN, **options):
    return make_generator(folder, text, **options).decays


def channels(folder, text=FULL_CHAIN, **options):
    return decays(folder, text, **options).program.channels


def same(one, other):
    return all(np.array_equal(one[name], other[name]) for name in BOUNDS)


def forget_programs(folder):
    """Leave only what is kept of channels."""
    for entry in (folder / "cache").rglob("bounds-*"):
        if not entry.name.startswith("bounds-channels-"):
            entry.unlink()


def test_bounds_are_sampled_once(tmp_path, sampled):
    first = channels(tmp_path)
    assert sampled
    sampled.clear()
    assert same(channels(tmp_path), first)
    forget_programs(tmp_path)
    assert same(channels(tmp_path), first)
    assert not sampled


def test_only_what_changed_is_sampled_anew(tmp_path, sampled):
    decays(tmp_path)
    sampled.clear()
    changed = decays(tmp_path, FULL_CHAIN.replace("0.4 D*0 pi- SVS", "0.4 D*0 K- SVS"))
    names = [changed.channels[number] for number in sampled]
    assert sorted(names) == ["B+ -> anti-D*0 K+ SVS", "B- -> D*0 K- SVS"]


def test_a_change_below_a_resonance_is_a_change(tmp_path, sampled):
    """Its mass decides about the amplitudes of what makes it, and of what makes that."""
    options = {"root": "B0", "mass": 5.27963}
    decays(tmp_path, BROAD, **options)
    sampled.clear()
    narrow = decays(tmp_path, "Particle rho0 0.775 0.08\n" + BROAD, **options)
    names = sorted(narrow.channels[number].split(" ->")[0] for number in sampled)
    assert names == ["B0", "a_1+", "rho0"]


def test_aliases_share_what_is_sampled(tmp_path, sampled):
    text = (
        "Alias MyD*0 D*0\nAlias Myanti-D*0 anti-D*0\nChargeConj MyD*0 Myanti-D*0\n"
        "Decay MyD*0\n1.0 D0 pi0 VSS;\nEnddecay\nCDecay Myanti-D*0\n"
    ) + FULL_CHAIN.replace("0.2 D0 pi+ pi-", "0.2 MyD*0 pi+ pi-")
    found = decays(tmp_path, text)
    names = [found.channels[number] for number in sampled]
    assert len({"MyD*0 -> D0 pi0 VSS", "D*0 -> D0 pi0 VSS"} & set(names)) == 1
    assert sum(name.startswith("MyD*0") or name.startswith("D*0") for name in names) == 2
    of = dict(zip(found.channels, found.program.channels, strict=True))
    assert same(of["MyD*0 -> D0 pi0 VSS"], of["D*0 -> D0 pi0 VSS"])


@pytest.mark.parametrize("text", [FULL_CHAIN, BROAD])
def test_threads_change_nothing(tmp_path, monkeypatch, text):
    options = {} if text is FULL_CHAIN else {"root": "B0", "mass": 5.27963}
    found = []
    for threads in (1, 2, 7):
        monkeypatch.setattr(simgen.engine.channel_bounds, "default_workers", lambda n=threads: n)
        monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / f"cache{threads}"))
        found.append(channels(tmp_path, text, **options))
    assert same(found[0], found[1])
    assert same(found[0], found[2])


def test_the_first_decay_that_cannot_be_sampled_is_named(tmp_path, monkeypatch):
    def fails(_program, number, *_):
        raise ArithmeticError(f"channel {number}")

    monkeypatch.setattr(simgen.engine.channel_bounds, "set_amplitude_bounds", fails)
    with pytest.raises(DecayFileError, match=re.escape("Upsilon(4S) -> B+sig B- VSS: channel 0")):
        decays(tmp_path)


def test_a_damaged_entry_only_costs_time(tmp_path):
    first = channels(tmp_path)
    for entry in (tmp_path / "cache").rglob("bounds-*"):
        entry.write_text("nothing", encoding="utf-8")
    assert same(channels(tmp_path), first)
