"""Decay models of a user's own: the same events as built-in ones, and clear words when wrong."""

from __future__ import annotations

import json
import re
import shutil
from importlib.metadata import EntryPoint

import numpy as np
import pytest
import yaml
from click.testing import CliRunner

import simgen.models.user
import simgen.plugins
from simgen.commands.decays import decays
from simgen.decfile import load_decay_table
from simgen.errors import ConfigError, DecayFileError, ModelError, OutputError
from simgen.generation import generate, generate_event, prepare_generation
from simgen.io.hdf5 import read_header
from simgen.models import find_model

MODELS = '''
import numpy as np
from numba import carray
from simgen.models import DecayModel
from simgen.models.vector import vss_amplitude

def own_vss(parameters, pdgids, momenta, out):
    """V -> S S as VSS has it, times a number."""
    p, a = carray(momenta, (3, 4)), carray(out, 3)
    norm = carray(parameters, 1)[0] / np.sqrt(p[1, 0] ** 2 + p[1, 1] ** 2 + p[1, 2] ** 2)
    for i in range(3):
        a[i] = norm * p[1, i]

OWN = DecayModel("OWN_VSS", own_vss, "this test", ("scale",), 1, 2, (0, 0))

def nothing(parameters, pdgids, momenta, out):
    pass

UNWRITTEN = DecayModel("UNWRITTEN", nothing, "this test")

def infinite(parameters, pdgids, momenta, out):
    carray(out, 1)[0] = 1.0 / (carray(pdgids, 1)[0] - carray(pdgids, 1)[0])

INFINITE = DecayModel("INFINITE", infinite, "this test")

def undefined(parameters, pdgids, momenta, out):
    carray(out, 1)[0] = there_is_no_such_name

UNDEFINED = DecayModel("UNDEFINED", undefined, "this test")

class Failing(DecayModel):
    def prepare(self, parameters, parent, daughters):
        return (1.0 / 0.0,)

FAILING = Failing("FAILING", own_vss, "this test")
SHADOWING = DecayModel("VSS", own_vss, "this test")
TWICE = DecayModel("OWN_VSS", nothing, "this test")
COMPILED = DecayModel("COMPILED", vss_amplitude.__call__, "this test")
SPACED = DecayModel("MY MODEL", own_vss, "this test")
NUMBER = 3
'''

CHAIN = """
Define scale 2.5
Decay Upsilon(4S)
1.0 B+ B- {model};
Enddecay
Decay B+
1.0 rho+ pi0 SVS;
Enddecay
CDecay B-
Decay rho+
1.0 pi+ pi0 {model};
Enddecay
CDecay rho-
"""


@pytest.fixture
def folder(tmp_path):
    """A folder with models, decay files and a configuration for the model OWN_VSS."""
    (tmp_path / "my_models.py").write_text(MODELS, encoding="utf-8")
    for name, model in {"own": "OWN_VSS scale", "plain": "VSS"}.items():
        (tmp_path / f"{name}.dec").write_text(CHAIN.format(model=model), encoding="utf-8")
    write_config(tmp_path)
    return tmp_path


def write_config(folder, models=("my_models.py:OWN",), dec="own.dec"):
    """Write a configuration and return its path."""
    config = {
        "events": 400,
        "seed": 3,
        "detector": "belle2",
        "generator": {"decay_files": [dec], "base": None, "models": list(models)},
        "output": {"events_per_shard": 100},
    }
    path = folder / "run.yaml"
    path.write_text(yaml.safe_dump(config), encoding="utf-8")
    return path


def test_a_model_of_a_user_makes_the_events_of_the_same_built_in_model(folder):
    own = prepare_generation(folder / "run.yaml").block(0, 400)
    plain = prepare_generation(write_config(folder, (), "plain.dec")).block(0, 400)
    # A factor of the amplitude changes the last digits of bound and probability, not the events.
    np.testing.assert_array_equal(own.pdgid, plain.pdgid)
    np.testing.assert_array_equal(own.p4, plain.p4)


def test_files_do_not_depend_on_workers_and_go_on_from_where_they_stopped(folder):
    generate(folder / "run.yaml", folder / "one", workers=1)
    generate(folder / "run.yaml", folder / "three", workers=3)
    shards = sorted(path.name for path in (folder / "one").glob("part-*.h5"))
    assert len(shards) == 4
    (folder / "three" / shards[2]).unlink()
    generate(folder / "run.yaml", folder / "three", workers=2, if_exists="resume")
    for shard in shards:
        assert (folder / "one" / shard).read_bytes() == (folder / "three" / shard).read_bytes()


def test_a_kept_configuration_finds_the_kept_model(folder, tmp_path_factory):
    made = generate(folder / "run.yaml", folder / "made")
    elsewhere = tmp_path_factory.mktemp("elsewhere") / "kept"
    shutil.copytree(made, elsewhere)
    again = generate_event(elsewhere / "config.yaml", 7)
    np.testing.assert_array_equal(again.p4, generate_event(folder / "run.yaml", 7).p4)


def test_another_text_of_the_model_is_another_run(folder):
    made = generate(folder / "run.yaml", folder / "made")
    shard = next(made.glob("part-*.h5"))
    (entry,) = read_header(shard).provenance["decay_models"]
    assert (entry["name"], entry["from"]) == ("OWN_VSS", "my_models.py:OWN")
    assert re.fullmatch("[0-9a-f]{64}", entry["sha256"])
    (made / "part-00003.h5").unlink()
    with (folder / "my_models.py").open("a", encoding="utf-8") as file:
        file.write("# changed\n")
    with pytest.raises(OutputError, match="decay models would be different"):
        generate(folder / "run.yaml", made, if_exists="resume")


def test_a_changed_amplitude_is_not_taken_from_a_cache(folder):
    before = prepare_generation(folder / "run.yaml").generator.decays.program.channels
    text = MODELS.replace("a[i] = norm", "a[i] = 2.0 * norm")
    (folder / "my_models.py").write_text(text, encoding="utf-8")
    after = prepare_generation(folder / "run.yaml").generator.decays.program.channels
    assert after["trace_bound"][0] == pytest.approx(4.0 * before["trace_bound"][0], rel=1e-12)


def test_models_of_a_table_are_not_those_of_another(folder):
    prepare_generation(folder / "run.yaml")
    assert find_model("OWN_VSS") is None
    table = load_decay_table([folder / "own.dec"], None)
    assert table.find_model("OWN_VSS") is None


def test_an_installed_model_is_found_by_its_name(folder, monkeypatch):
    own = simgen.plugins.find_plugin(f"{folder / 'my_models.py'}:OWN", "", "model").value
    entry = EntryPoint("fancy", "no_such_module:OWN", simgen.models.user.ENTRY_POINT_GROUP)
    monkeypatch.setattr(EntryPoint, "load", lambda _: own)
    monkeypatch.setattr(
        simgen.plugins, "entry_points", lambda group: [entry] if group == entry.group else []
    )
    found = simgen.models.user.load_user_models(["fancy"], folder)
    assert [user.model for user in found] == [own]


@pytest.mark.parametrize(
    ("models", "says"),
    [
        (["nothing.py:OWN"], r"generator\.models: .*nothing\.py:OWN cannot be loaded: .*no file"),
        (["my_models.py:MISSING"], r"my_models\.py has no model 'MISSING'"),
        (["my_models.py:NUMBER"], "should be a simgen.models.DecayModel, found a int.*OWN, SHAD"),
        (["numpy:pi"], "numpy:pi should be a simgen.models.DecayModel, found a float"),
        (["no_such_module:OWN"], "cannot be loaded: No module named 'no_such_module'"),
        (["own"], "no model 'own': write file.py:model or module:model"),
        (["my_models.py:SHADOWING"], "a model called VSS comes with simgen"),
        (["my_models.py:OWN", "my_models.py:TWICE"], "OWN and .*TWICE are both called OWN_VSS"),
        (["my_models.py:COMPILED"], "its amplitude should be a plain Python function"),
        (["my_models.py:SPACED"], "its name should be letters.*'MY MODEL'"),
        (["broken.py:OWN"], r"ZeroDivisionError: division by zero \(line 2\)"),
        (["syntax.py:OWN"], r"SyntaxError: .*line 1"),
    ],
)
def test_what_is_no_model_is_named(folder, models, says):
    (folder / "broken.py").write_text("x = 0\n1 / x\n", encoding="utf-8")
    (folder / "syntax.py").write_text("def own(:\n", encoding="utf-8")
    with pytest.raises(ConfigError, match=says) as error:
        prepare_generation(write_config(folder, models))
    assert error.value.exit_code == 2


UNDEFINED_LINE = MODELS[: MODELS.index("def undefined")].count("\n") + 1


@pytest.mark.parametrize(
    ("name", "error", "says"),
    [
        ("UNDEFINED", ModelError, rf"my_models\.py:{UNDEFINED_LINE}: the amplitude undefined can"),
        ("UNWRITTEN", DecayFileError, r"d\.dec:3: B0 -> pi\+ .* UNWRITTEN: .* not written"),
        ("INFINITE", DecayFileError, r"d\.dec:3: B0 -> pi\+ .* INFINITE: .* infinite"),
        ("FAILING", DecayFileError, r"d\.dec:3: .*`prepare` of the model failed: ZeroDivision"),
    ],
)
@pytest.mark.parametrize("daughters", ["pi+ pi- pi0", "pi+ pi-"])
def test_an_amplitude_that_gives_no_numbers_is_refused(folder, name, error, says, daughters):
    text = f"\nDecay B0\n1.0 {daughters} {name};\nEnddecay\n"
    text += "Decay Upsilon(4S)\n1.0 B0 B0 PHSP;\nEnddecay\n"
    (folder / "d.dec").write_text(text, encoding="utf-8")
    with pytest.raises(error, match=says):
        prepare_generation(write_config(folder, [f"my_models.py:{name}"], "d.dec"))


def test_simgen_decays_knows_the_model(folder, monkeypatch):
    monkeypatch.chdir(folder)
    arguments = ["own.dec", "--base", "none", "--format", "json"]
    done = CliRunner().invoke(decays, [*arguments, "--model", "my_models.py:OWN"])
    assert done.exit_code == 0, done.output
    (use,) = [use for use in json.loads(done.output)["models"] if use["name"] == "OWN_VSS"]
    assert use["implemented"]
    assert CliRunner().invoke(decays, arguments).exit_code == 2


def test_files_of_a_module_are_its_own_and_what_is_not_installed(folder, monkeypatch):
    (folder / "helping.py").write_text("def help_it():\n    pass\n", encoding="utf-8")
    (folder / "using.py").write_text(
        "import numpy as np\nimport simgen.spin\nfrom helping import help_it\n", encoding="utf-8"
    )
    monkeypatch.syspath_prepend(str(folder))
    module = simgen.plugins.find_plugin("using:help_it", "", "model").module
    assert [path.name for path in simgen.plugins.own_files(module)] == ["helping.py", "using.py"]
