"""Configuration files: found, read, checked; what is wrong is said before any work."""

from __future__ import annotations

import pytest

from simgen.config import (
    GenerateConfig,
    config_root,
    find_config,
    merge,
    read_derived,
    read_yaml,
    validate,
)
from simgen.errors import ConfigError


def yaml_file(folder, text, name="run.yaml"):
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


class TestReading:
    def test_values(self, tmp_path):
        path = yaml_file(tmp_path, "events: 1e5\nspread: 1e-3\nnames: [a, b]\non_: yes\n")
        assert read_yaml(path) == {"events": 1e5, "spread": 1e-3, "names": ["a", "b"], "on_": True}

    @pytest.mark.parametrize(
        ("text", "line"), [("a: 1\nb: [1, 2\nc: 3\n", 3), ("a: 1\n\tb: 2\n", 2), ("a: b: c\n", 1)]
    )
    def test_syntax_error_gives_the_line(self, tmp_path, text, line):
        with pytest.raises(ConfigError, match=rf"run\.yaml:{line}: not valid YAML"):
            read_yaml(yaml_file(tmp_path, text))

    @pytest.mark.parametrize("text", ["a: 1\nb: 2\na: 3\n", "b:\n  x: 1\n  x: 2\n"])
    def test_key_given_twice(self, tmp_path, text):
        with pytest.raises(ConfigError, match=r"run\.yaml:3: .*'[ax]' is given twice"):
            read_yaml(yaml_file(tmp_path, text))

    @pytest.mark.parametrize(
        ("text", "found"), [("", "nothing"), ("- 1\n- 2\n", "list"), ("word\n", "str")]
    )
    def test_not_a_mapping(self, tmp_path, text, found):
        with pytest.raises(ConfigError, match=rf"mapping of keys to values.*found {found}"):
            read_yaml(yaml_file(tmp_path, text))

    def test_missing_and_binary_files(self, tmp_path):
        with pytest.raises(ConfigError, match=r"none\.yaml: cannot be read: No such file"):
            read_yaml(tmp_path / "none.yaml")
        (tmp_path / "b.yaml").write_bytes(b"\xff\xfe\x00\x80")
        with pytest.raises(ConfigError, match="not a text file"):
            read_yaml(tmp_path / "b.yaml")

    def test_nothing_is_executed(self, tmp_path):
        text = "a: !!python/object/apply:os.getcwd []\n"
        with pytest.raises(ConfigError, match="not valid YAML"):
            read_yaml(yaml_file(tmp_path, text))


class TestChecking:
    @staticmethod
    def check(**changes):
        data = {"events": 10, "generator": {"name": "decfile"}, **changes}
        return validate(GenerateConfig, data, "run.yaml")

    def test_defaults(self):
        config = self.check()
        assert (config.seed, config.first_event) == (1, 0)
        assert config.output.compression == "gzip"

    def test_unknown_key_with_the_nearest(self):
        with pytest.raises(
            ConfigError, match=r"run\.yaml: unknown key 'sead'\. Did you mean 'seed'"
        ):
            self.check(sead=3)

    def test_unknown_key_inside_a_section(self):
        with pytest.raises(ConfigError) as caught:
            self.check(output={"compresion": "gzip"})
        assert "'output.compresion'. Did you mean 'compression'?" in str(caught.value)
        assert "Allowed here: compression, events_per_shard" in str(caught.value)

    def test_nothing_near_an_unknown_key_gives_no_hint(self):
        with pytest.raises(ConfigError) as caught:
            self.check(xyzzy=1)
        assert "Did you mean" not in str(caught.value)

    @pytest.mark.parametrize(
        ("changes", "says"),
        [
            ({"events": 0}, r"events: .*greater than or equal to 1; found 0"),
            ({"events": "many"}, r"events: .*valid integer.*'many'"),
            ({"events": 1.5}, r"events: .*valid integer.*1\.5"),
            ({"seed": -1}, r"seed: .*greater than or equal to 0; found -1"),
            ({"seed": 2**63}, r"seed: .*less than or equal to"),
            ({"seed": True}, r"seed: .*True"),
            ({"output": {"compression": "lz4"}}, r"output\.compression: .*'gzip'.*'lz4'"),
            ({"output": {"events_per_shard": 0}}, r"output\.events_per_shard: "),
            ({"generator": None}, r"generator: "),
        ],
    )
    def test_value_out_of_range_says_key_range_and_value(self, changes, says):
        with pytest.raises(ConfigError, match=says):
            self.check(**changes)

    def test_missing_key(self):
        with pytest.raises(ConfigError, match="the key 'events' is missing"):
            validate(GenerateConfig, {"generator": {}}, "run.yaml")

    def test_all_that_is_wrong_is_said_at_once(self):
        with pytest.raises(ConfigError) as caught:
            self.check(events=0, sead=1, output={"compression": "lz4"})
        assert str(caught.value).count("run.yaml: ") == 3


class TestFinding:
    def test_shipped_files_by_name(self):
        assert find_config("belle2", "detectors") == config_root() / "detectors" / "belle2.yaml"
        assert find_config("ktaumu.dec", "decays").is_file()
        assert find_config("ktaumu_belle2", "").is_file()

    def test_file_beside_the_one_that_names_it_wins(self, tmp_path, monkeypatch):
        beside, working = tmp_path / "beside", tmp_path / "working"
        for folder in (beside, working):
            folder.mkdir()
            yaml_file(folder, "name: x\n", "mine.yaml")
        monkeypatch.chdir(working)
        assert find_config("mine.yaml", "detectors", beside) == beside / "mine.yaml"
        assert find_config("mine.yaml", "detectors") == working / "mine.yaml"

    def test_unknown_name_lists_what_there_is(self):
        with pytest.raises(ConfigError, match=r"no file bell2.*detector.*belle, belle2"):
            find_config("bell2", "detectors")


class TestDeriving:
    def test_only_what_differs_is_given(self, tmp_path):
        yaml_file(tmp_path, "a: {x: 1, y: 2}\nb: [1, 2]\n", "base.yaml")
        path = yaml_file(tmp_path, "derive: base.yaml\na: {y: 3}\nb: [4]\n")
        data, source = read_derived(path, "detectors", None)
        assert data == {"a": {"x": 1, "y": 3}, "b": [4]}
        assert source == str(path)

    def test_in_place(self, tmp_path):
        yaml_file(tmp_path, "a: {x: 1}\n", "base.yaml")
        data, source = read_derived({"derive": "base.yaml", "c": 2}, "detectors", tmp_path)
        assert data == {"a": {"x": 1}, "c": 2}
        assert source == "detector"

    def test_from_itself_is_refused(self, tmp_path):
        yaml_file(tmp_path, "derive: b.yaml\n", "a.yaml")
        yaml_file(tmp_path, "derive: a.yaml\n", "b.yaml")
        with pytest.raises(ConfigError, match=r"derives from itself: .*a\.yaml.*b\.yaml.*a\.yaml"):
            read_derived("a.yaml", "detectors", tmp_path)

    def test_from_what_is_no_name(self, tmp_path):
        with pytest.raises(ConfigError, match="derive must be a name or a path, found 3"):
            read_derived({"derive": 3}, "detectors", tmp_path)

    def test_merging_keeps_what_is_not_named(self):
        base = {"a": {"b": {"c": 1, "d": 2}}, "e": 3}
        changed = merge(base, {"a": {"b": {"c": 9}}, "e": {"f": 1}})
        assert changed == {"a": {"b": {"c": 9, "d": 2}}, "e": {"f": 1}}
        assert base["a"]["b"]["c"] == 1
