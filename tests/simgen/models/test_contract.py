"""What a decay model promises: its name, parameters and spins."""

from __future__ import annotations

import pytest

from simgen.decfile import load_decay_table
from simgen.engine.compiler import compile_decays
from simgen.models import DecayModel, find_model, model_names
from simgen.particles import particle_table


def particles(*names):
    return [particle_table().by_name(name) for name in names]


def problem(model, parent, daughters, parameters=()):
    (own,) = particles(parent)
    return model.problem(parameters, own, particles(*daughters))


@pytest.mark.parametrize("name", model_names())
def test_models_are_found_by_the_name_they_have_and_say_where_they_are_defined(name):
    assert find_model(name).name == name
    assert len(find_model(name).reference) > 10


def test_first_light_models_are_there():
    assert {"PHSP", "VSS", "VSP_PWAVE", "SVS"} <= set(model_names())
    assert find_model("NO_SUCH_MODEL") is None


@pytest.mark.parametrize(
    ("name", "parent", "daughters"),
    [
        ("PHSP", "tau-", ("mu-", "anti-nu_mu", "nu_tau")),
        ("VSS", "Upsilon(4S)", ("B+", "B-")),
        ("VSP_PWAVE", "D*0", ("D0", "gamma")),
        ("SVS", "B0", ("D*-", "pi+")),
    ],
)
def test_decays_a_model_serves(name, parent, daughters):
    assert problem(find_model(name), parent, daughters) is None


@pytest.mark.parametrize(
    ("name", "parent", "daughters", "says"),
    [
        ("VSS", "B0", ("pi+", "pi-"), "VSS decays a vector, but B0 is a scalar"),
        ("VSS", "rho0", ("pi+",), "needs daughters of spin [scalar, scalar]"),
        ("VSP_PWAVE", "D*0", ("gamma", "D0"), "found [gamma (vector), D0 (scalar)]"),
        ("SVS", "B0", ("pi+", "D*-"), "needs daughters of spin [vector, scalar]"),
        ("SVS", "tau-", ("rho-", "pi0"), "tau- is a spin 1/2"),
    ],
)
def test_spins_a_model_does_not_serve(name, parent, daughters, says):
    assert says in problem(find_model(name), parent, daughters)


class TestParameters:
    MODEL = DecayModel("TEST", None, "test", parameters=("mass", "width", "phase"), n_required=2)

    def test_too_few_or_too_many(self):
        assert "takes 2 to 3 parameters (mass, width, phase), found 1" in problem(
            self.MODEL, "rho0", (), (1.0,)
        )
        assert "found 4" in problem(self.MODEL, "rho0", (), (1.0, 2.0, 3.0, 4.0))

    def test_words_where_numbers_belong(self):
        assert "takes a number for width, found 'x'" in problem(self.MODEL, "rho0", (), (1.0, "x"))

    def test_optional_ones_may_be_left_out(self):
        assert problem(self.MODEL, "rho0", (), (1.0, 2.0)) is None
        assert problem(self.MODEL, "rho0", (), (1.0, 2.0, 3.0)) is None

    def test_models_without_any(self):
        assert "PHSP takes 0 parameters, found 1" in problem(
            find_model("PHSP"), "rho0", ("pi+", "pi-"), (1.0,)
        )


def test_the_amplitude_is_called_with_what_a_model_prepares(tmp_path, monkeypatch):
    path = tmp_path / "prepared.dec"
    path.write_text("Decay B+\n1.0 anti-D0 mu+ nu_mu HQET2 1.2 1.0;\nEnddecay\n")
    seen = []

    def prepare(_, parameters, parent, daughters):
        seen.append((parameters, parent.name, [d.name for d in daughters]))
        return 1.0, 2.0, 3.0

    monkeypatch.setattr(type(find_model("HQET2")), "prepare", prepare)
    program = compile_decays(load_decay_table([path], None), "B+", 5.279).program
    assert list(program.parameters[:3]) == [1.0, 2.0, 3.0]
    assert seen == [((1.2, 1.0), "B+", ["anti-D0", "mu+", "nu_mu"])]
