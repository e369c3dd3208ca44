"""Bounds kept on disk: the same as sampled ones, found again, and only for the same decays."""

from __future__ import annotations

import numpy as np
import pytest
from chains import FULL_CHAIN, make_generator

import simgen.engine.compiler
from simgen.decfile.cache import CACHE_VARIABLE


@pytest.fixture(autouse=True)
def _own_cache(monkeypatch, tmp_path):
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "cache"))


def channels(folder, text=FULL_CHAIN):
    return make_generator(folder, text).decays.program.channels


def refuse(*_):
    raise AssertionError("sampled again")


def test_bounds_are_sampled_once(tmp_path, monkeypatch):
    first = channels(tmp_path)
    monkeypatch.setattr(simgen.engine.compiler, "set_amplitude_bounds", refuse)
    again = channels(tmp_path)
    for name in ("trace_bound", "eigen_bound"):
        np.testing.assert_array_equal(again[name], first[name])


def test_other_decays_are_sampled_anew(tmp_path, monkeypatch):
    channels(tmp_path)
    monkeypatch.setattr(simgen.engine.compiler, "set_amplitude_bounds", refuse)
    with pytest.raises(AssertionError, match="sampled again"):
        channels(tmp_path, FULL_CHAIN.replace("0.6 D0 pi0 VSS", "0.6 D0 pi0 PHSP"))


def test_a_damaged_entry_only_costs_time(tmp_path):
    first = channels(tmp_path)
    for entry in (tmp_path / "cache").rglob("bounds-*"):
        entry.write_text("nothing", encoding="utf-8")
    np.testing.assert_array_equal(channels(tmp_path)["trace_bound"], first["trace_bound"])
