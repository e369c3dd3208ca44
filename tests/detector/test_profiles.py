from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
import yaml

from detector.profiles import DetectorProfile, load_profile, merge
from simgen.errors import ConfigError

SHIPPED = ["belle", "belle2", "belle2_design", "perfect"]
REALISTIC = ["belle_realistic", "belle2_realistic"]


@pytest.fixture(scope="module")
def belle2_data(belle2):
    return belle2.model_dump(mode="json")


@pytest.fixture
def write(tmp_path):
    def writer(data, name="mine.yaml"):
        path = tmp_path / name
        path.write_text(yaml.safe_dump(data))
        return path

    return writer


@pytest.mark.parametrize("name", SHIPPED + REALISTIC)
def test_shipped_profiles_are_valid_and_at_the_upsilon_4s(name):
    profile = load_profile(name)
    assert profile.beams.sqrt_s() == pytest.approx(10.5795, abs=5e-4)


def test_belle2_beams_cross_at_83_mrad_and_both_go_to_positive_x(belle2):
    x, z = np.sin(0.0415), np.cos(0.0415)
    expected = [(7.004 + 4.002) * x, 0.0, (7.004 - 4.002) * z, 7.004 + 4.002]
    np.testing.assert_allclose(belle2.beams.total(), expected, atol=1e-7)


def test_belle_positrons_go_along_minus_z():
    beams = load_profile("belle").beams
    np.testing.assert_allclose(beams.positron.momentum()[:3], [0, 0, -3.499], atol=1e-7)
    np.testing.assert_allclose(beams.electron.momentum()[0], 7.998 * np.sin(0.022), atol=1e-7)


def test_numbers_of_the_paper():
    sigma_z = {n: load_profile(n).vertices.r_0.z for n in SHIPPED}
    assert sigma_z == {"belle": 4.0, "belle2": 0.350, "belle2_design": 0.150, "perfect": 0.0}
    assert load_profile("belle").vertices.r_sig.as_tuple() == (0.045,) * 3
    assert load_profile("belle2").vertices.r_sig.as_tuple() == (0.025,) * 3


class TestDerive:
    def test_only_what_is_written_differs(self, belle2):
        design = load_profile("belle2_design")
        assert design.tracks == belle2.tracks
        assert design.vertices.r_sig == belle2.vertices.r_sig
        assert design.vertices.r_0.as_tuple() == (0.010, 0.0003, 0.150)
        assert design.beams.interaction_region.size == (0.010, 0.0003, 0.150)
        assert design.name != belle2.name

    def test_a_private_study_is_a_few_lines(self, write, belle2):
        path = write({"derive": "belle2", "vertices": {"r_sig": 0.015}})
        profile = load_profile(path)
        assert profile.vertices.r_sig.as_tuple() == (0.015, 0.015, 0.015)
        assert profile.photons == belle2.photons

    def test_a_file_can_derive_from_a_file_beside_it(self, write):
        write({"derive": "belle2", "tracks": {"pt_min": 0.2}}, "base.yaml")
        path = write({"derive": "base.yaml", "tracks": {"momentum": {"curvature": 0.002}}})
        tracks = load_profile(path).tracks
        assert (tracks.pt_min, tracks.momentum.curvature) == (0.2, 0.002)

    def test_a_circle_is_an_error(self, write):
        write({"derive": "b.yaml"}, "a.yaml")
        path = write({"derive": "a.yaml"}, "b.yaml")
        with pytest.raises(ConfigError, match=r"derives from itself: .*b\.yaml -> .*a\.yaml"):
            load_profile(path)

    def test_derive_must_be_a_name(self, write):
        with pytest.raises(ConfigError, match="derive must be a name or a path"):
            load_profile(write({"derive": ["belle2"]}))

    def test_an_unknown_parent_is_an_error(self, write):
        with pytest.raises(ConfigError, match="belle3"):
            load_profile(write({"derive": "belle3"}))


class TestOverrides:
    def test_a_single_number_is_replaced(self, belle2):
        profile = load_profile("belle2", {"vertices": {"r_0": {"z": 0.2}}})
        assert profile.vertices.r_0.as_tuple() == (0.010, 0.0003, 0.2)
        assert profile.tracks == belle2.tracks

    def test_a_list_is_replaced_as_a_whole(self):
        profile = load_profile("belle2", {"photons": {"theta": [[20, 140]]}})
        assert profile.photons.theta == ((20.0, 140.0),)

    def test_merging_leaves_its_arguments_alone(self):
        base = {"a": {"b": 1, "c": 2}}
        assert merge(base, {"a": {"b": 3}, "d": 4}) == {"a": {"b": 3, "c": 2}, "d": 4}
        assert base == {"a": {"b": 1, "c": 2}}


class TestErrors:
    @pytest.mark.parametrize(
        ("overrides", "words"),
        [
            ({"tracks": {"pt_mni": 0.1}}, ["tracks", "pt_mni", "pt_min"]),
            ({"vertexes": {}}, ["vertexes", "vertices"]),
            ({"tracks": {"momentum": {"curvature": -0.001}}}, ["curvature", "-0.001"]),
            ({"tracks": {"theta": [150, 17]}}, ["tracks", "theta", "min < max"]),
            ({"tracks": {"theta": [17, 190]}}, ["tracks", "theta", "180"]),
            ({"photons": {"theta": [[12, 40], [32, 128]]}}, ["photons", "overlap"]),
            ({"photons": {"theta": []}}, ["photons", "theta"]),
            ({"photons": {"energy": {"table": [[1, 0.1], [0.5, 0.2]]}}}, ["table", "increase"]),
            ({"photons": {"energy": {"table": [[0, 0.1], [0.5, 0.2]]}}}, ["table", "positive"]),
            ({"photons": {"energy": {"table": [[1, -0.1]]}}}, ["energy", "table", "-0.1"]),
            ({"photons": {"energy": {"constant": float("nan")}}}, ["energy", "constant", "finite"]),
            ({"vertices": {"r_0": {"z": -1}}}, ["r_0", "z", "-1"]),
            ({"vertices": {"r_sig": -0.1}}, ["r_sig", "-0.1"]),
            ({"vertices": {"r_sig": True}}, ["r_sig"]),
            ({"pi0": {"mass": 0.0}}, ["pi0", "mass"]),
        ],
    )
    def test_a_wrong_value_is_named_with_what_is_allowed(self, overrides, words):
        with pytest.raises(ConfigError) as error:
            load_profile("belle2", overrides)
        for word in words:
            assert word in str(error.value)

    def test_a_missing_section_is_named(self, write, belle2_data):
        without = {key: value for key, value in belle2_data.items() if key != "vertices"}
        with pytest.raises(ConfigError, match="vertices"):
            load_profile(write(without))

    def test_an_unknown_profile_names_the_known_ones(self):
        with pytest.raises(ConfigError, match="belle2_design"):
            load_profile("belle3")


def test_a_profile_survives_a_file(write, belle2, belle2_data):
    assert load_profile(write(belle2_data)) == belle2


def test_every_number_has_a_description():
    def check(schema):
        for name, field in schema.get("properties", {}).items():
            is_section = "$ref" in field or name in {"x", "y", "z"}
            assert is_section or field.get("description"), name

    schema = DetectorProfile.model_json_schema()
    for section in ("TrackProfile", "PhotonProfile", "EnergyCurve", "Pi0Profile"):
        check(schema["$defs"][section])


def test_reading_profiles_loads_no_compiler():
    code = "import sys, detector, detector.profiles, detector.config; print('numba' in sys.modules)"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "False"
