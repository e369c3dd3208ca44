"""Upper bounds of amplitudes: found, tight where they can be, counted where exceeded."""

from __future__ import annotations

import numpy as np
import pytest
from chains import FULL_CHAIN, beams_at_rest, make_events, make_generator, mass_of, rows_of
from numba import carray
from scipy import stats

import simgen.engine.bounds
import simgen.engine.dalitz_grid
import simgen.models
from simgen.beams import load_beams
from simgen.engine.program import N_DECAYS, N_EXCEEDED, N_TRIALS
from simgen.errors import RunError
from simgen.models import DecayModel

N = 100_000
B0 = 5.27965


def steep(parameters, pdgids, momenta, out):  # noqa: ARG001
    """S -> S S S whose probability is the square of a daughter's energy."""
    p = carray(momenta, (4, 4))
    carray(out, 1)[0] = p[1, 3]


@pytest.fixture
def steep_model(monkeypatch):
    model = DecayModel("PHSP_CP", steep, "test", (), 0, 0, (0, 0, 0))
    monkeypatch.setitem(simgen.models._REGISTRY, "D_DALITZ", model)


THREE_PIONS = "Decay D0\n1.0 K- pi+ pi0 D_DALITZ;\nEnddecay\n"


def test_models_of_one_configuration_are_bounded_tightly(tmp_path):
    generator = make_generator(tmp_path, FULL_CHAIN, beams=load_beams("belle2"))
    channels = generator.decays.program.channels
    labels = generator.decays.channels
    vss = [i for i, label in enumerate(labels) if label.endswith("VSS")]
    assert len(vss) == 6
    np.testing.assert_allclose(channels["trace_bound"][vss], 1.0, rtol=1e-8)
    np.testing.assert_allclose(channels["eigen_bound"][vss], 1.0, rtol=1e-8)
    photon = [i for i, label in enumerate(labels) if label.endswith("VSP_PWAVE")]
    np.testing.assert_allclose(channels["trace_bound"][photon], 2.0, rtol=1e-8)
    np.testing.assert_allclose(channels["eigen_bound"][photon], 1.0, rtol=1e-8)


def test_no_bound_is_exceeded_in_full_chains(tmp_path):
    generator = make_generator(tmp_path, FULL_CHAIN, beams=load_beams("belle2"))
    generator.generate(np.arange(N), 1)
    assert generator.problems() == ()
    counters = generator._counters
    assert counters[:, N_EXCEEDED].sum() == 0
    assert counters[0, N_DECAYS] + counters[1, N_DECAYS] == N
    # sin^2 about the beams: acceptance (1/3) / (1/2)
    trials = counters[:2, N_TRIALS].sum()
    assert trials / N == pytest.approx(1.5, abs=0.02)


@pytest.mark.usefixtures("steep_model")
def test_probability_of_an_amplitude_weights_phase_space(tmp_path):
    """Mean energy with weight E^2 against weighted phase space of the same decay."""
    weighted = make_events(tmp_path, THREE_PIONS, N, root="D0", mass=1.86484)
    flat = make_events(
        tmp_path, THREE_PIONS.replace("D_DALITZ", "PHSP"), 4 * N, root="D0", mass=1.86484, seed=2
    )
    energy = weighted.p4[rows_of(weighted, -321), 3]
    reference = flat.p4[rows_of(flat, -321), 3]
    edges = np.quantile(energy, np.linspace(0, 1, 21))
    edges[0], edges[-1] = 0, 2
    counts, _ = np.histogram(energy, edges)
    expected, _ = np.histogram(reference, edges, weights=reference**2)
    variance, _ = np.histogram(reference, edges, weights=reference**4)
    scale = N / expected.sum()
    chi2 = np.sum((counts - scale * expected) ** 2 / (counts + scale**2 * variance))
    assert stats.chi2.sf(chi2, 19) > 1e-3
    assert energy.mean() > reference.mean() * 1.005


@pytest.mark.usefixtures("steep_model")
@pytest.mark.parametrize("spread", [0.0, 1e-3])  # with and without a table of the Dalitz plot
def test_exceeded_bounds_are_counted_and_reported(tmp_path, monkeypatch, spread):
    monkeypatch.setattr(simgen.engine.bounds, "MARGIN", 0.9)
    monkeypatch.setattr(simgen.engine.dalitz_grid, "MARGIN", 0.5)
    beams = beams_at_rest(1.86484).model_copy(update={"sqrt_s_spread": spread})
    generator = make_generator(tmp_path, THREE_PIONS, root="D0", beams=beams)
    generator.generate(np.arange(10_000), 1)
    (problem,) = generator.problems()
    assert "D0 -> K- pi+ pi0 D_DALITZ" in problem
    assert "of 10000 decays" in problem


def test_root_amplitude_is_bounded_over_the_spread_of_its_mass(tmp_path):
    """SVS of the root itself: |A|^2 = p^2 / m^2 grows with sqrt(s)."""
    text = "Decay B0\n1.0 D*- pi+ SVS;\nEnddecay\n"
    beams = {
        "electron": {"energy": B0 / 2, "theta": 0.0},
        "positron": {"energy": B0 / 2, "theta": np.pi},
        "sqrt_s_spread": 0.1,
        "interaction_region": {"size": [0, 0, 0]},
    }
    generator = make_generator(
        tmp_path, text, root="B0", beams=load_beams(beams), keep_stable=("D*-",)
    )
    events = generator.generate(np.arange(N), 1)
    assert generator.problems() == ()
    assert mass_of(events.beam).std() == pytest.approx(0.1, rel=0.02)


def test_bounds_far_too_high_change_no_distribution(tmp_path):
    # as the bound for all masses is for masses in the tail: trials are not endless
    text = "Decay B0\n1.0 D*- mu+ nu_mu HQET2 1.207 0.92 1.401 0.854;\nEnddecay\n"
    generator = make_generator(tmp_path, text, root="B0", mass=B0)
    q2 = []
    for scale, n in ((1.0, 20_000), (1e9, 300)):
        for bound in ("trace_bound", "eigen_bound"):
            generator.decays.program.channels[bound] *= scale
        block = generator.generate(np.arange(n), 7)
        dstar = rows_of(block, -413)
        q2.append(mass_of(block.p4[rows_of(block, 511)] - block.p4[dstar]) ** 2)
    assert stats.ks_2samp(*q2).pvalue > 1e-3
    n_decays, n_trials = generator._counters[0, [N_DECAYS, N_TRIALS]]
    assert n_decays == 20_300
    assert 300 * 10_000 < n_trials < 300 * 10_100 + 20_000 * 10
    assert generator._counters[0, N_EXCEEDED] == 0


def test_decays_far_above_the_pole_of_a_resonance_take_few_trials(tmp_path):
    """A D'_1 of 0.4 GeV width reaches the end of phase space, where the amplitude vanishes."""
    text = "Decay B+\n1.0 anti-D'_10 e+ nu_e LLSW 0.68 -0.2 0.3;\nEnddecay\n"
    generator = make_generator(tmp_path, text, root="B+", mass=5.27934)
    channel = generator.decays.program.channels[0]
    assert channel["room"] > 2.0
    assert channel["octaves"].max() == pytest.approx(1.0)
    assert channel["octaves"][-1] < 1e-4
    block = generator.generate(np.arange(20_000), 1)
    n_trials, n_exceeded = generator._counters[0, [N_TRIALS, N_EXCEEDED]]
    assert n_trials < 20_000 * 12  # 8 each; with one bound for all masses 52
    assert n_exceeded == 0
    assert mass_of(block.p4[rows_of(block, -20423)]).max() > 5.0


def no_number(parameters, pdgids, momenta, out):  # noqa: ARG001
    """S -> S S S that is nan where a daughter's energy is below a parameter."""
    p = carray(momenta, (4, 4))
    carray(out, 1)[0] = 1.0 if p[1, 3] >= carray(parameters, 1)[0] else np.nan


class NoNumber(DecayModel):
    def prepare(self, parameters, parent, daughters):  # noqa: ARG002
        return (0.0,)


@pytest.fixture(params=[0.0, 1e-3])  # with and without a table of the Dalitz plot
def no_number_generator(request, tmp_path, monkeypatch):
    """Return a generator and the parameter of its amplitude, which is finite where sampled."""
    model = NoNumber("PHSP_CP", no_number, "test", (), 0, 0, (0, 0, 0))
    monkeypatch.setitem(simgen.models._REGISTRY, "D_DALITZ", model)
    beams = beams_at_rest(1.86484).model_copy(update={"sqrt_s_spread": request.param})
    generator = make_generator(tmp_path, THREE_PIONS, root="D0", beams=beams)
    return generator, generator.decays.program.parameters


def test_points_where_an_amplitude_is_nan_are_left_out_and_reported(no_number_generator):
    generator, parameters = no_number_generator
    before = generator.generate(np.arange(N), 1)
    assert generator.problems() == ()
    energy = before.p4[rows_of(before, -321), 3]
    parameters[0] = np.quantile(energy, 0.6)
    events = generator.generate(np.arange(10_000), 2)
    (problem,) = generator.problems()
    assert "D0 -> K- pi+ pi0 D_DALITZ: the amplitude was nan or infinite at" in problem
    left = events.p4[rows_of(events, -321), 3]
    assert left.min() > parameters[0] - 0.01  # the root moves
    assert stats.ks_2samp(left, energy[energy > parameters[0]]).pvalue > 1e-3


def test_an_amplitude_that_is_always_nan_ends_the_run(no_number_generator):
    generator, parameters = no_number_generator
    parameters[0] = np.inf
    with pytest.raises(RunError, match=r"D0 -> K- pi\+ pi0 D_DALITZ: the amplitude was nan"):
        generator.generate(np.arange(10_000), 1)


def test_octaves_that_no_sample_reached_have_the_bound_above_them():
    """A parent far below the end of its range leaves the top octaves empty."""
    values = np.array([4.0, 1.0])
    bounds = simgen.engine.bounds._octaves(values, values, np.array([0.1, 0.001]), 1.0)
    # 0.1 is in octave 3, 0.001 in octave 9; each bound holds in the octaves beside it, too
    np.testing.assert_array_equal(bounds[:8], 1.0)
    np.testing.assert_array_equal(bounds[8:], 0.25)
