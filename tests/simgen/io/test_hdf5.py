"""The data format: columns, chunks, headers, and files that are not what they should be."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor

import h5py
import numpy as np
import pytest

from simgen.errors import FileFormatError
from simgen.io.hdf5 import (
    CHUNK_ROWS,
    FORMAT_VERSION,
    ColumnWriter,
    Header,
    find_shards,
    read_header,
    shard_name,
)
from simgen.io.layout import MOMENTUM, Field, from_columns, to_columns

LAYOUT = {
    "number": Field("events", "i8", "1", "a number"),
    "p4": Field("events", "f8", "GeV", "a momentum", MOMENTUM),
    "flag": Field("particles", "i1", "1", "another table"),
}
HEADER = Header("truth", 7, "events: 3\n", {"simgen": "0"}, {"notes": ["é"]}, 5, 3)


def columns(n, m, seed=1):
    """Return n rows of events and m rows of particles."""
    rng = np.random.default_rng(seed)
    table = {"events/number": np.arange(n), "particles/flag": rng.integers(-9, 9, m, np.int8)}
    table.update({f"events/p4/{c}": rng.normal(size=n) for c in MOMENTUM})
    return table


def write(path, blocks, *, header=HEADER, **options):
    with ColumnWriter(path, header, LAYOUT, **options) as writer:
        for block in blocks:
            writer.append(block)
    return path


def read(path):
    with h5py.File(path) as file:
        return {name: file[name][:] for name in columns(0, 0)}


def split(table, pieces):
    """Cut every column to the same number of pieces of different lengths."""
    parts = [np.array_split(column, pieces) for column in table.values()]
    return [dict(zip(table, part, strict=True)) for part in zip(*parts, strict=True)]


@pytest.mark.parametrize("compression", ["gzip", "zstd", "none"])
@pytest.mark.parametrize("n", [0, 3, CHUNK_ROWS, 2 * CHUNK_ROWS + 17])
def test_columns_come_back_bit_for_bit(tmp_path, compression, n):
    if compression == "zstd":
        pytest.importorskip("hdf5plugin")
    table = columns(n, 2 * n)
    path = write(tmp_path / "a.h5", split(table, 5), compression=compression)
    found = read(path)
    for name, column in table.items():
        np.testing.assert_array_equal(found[name], column)
        assert found[name].dtype == column.dtype


def test_threads_do_not_change_a_byte(tmp_path):
    blocks = split(columns(150_000, 300_000), 7)
    whole = write(tmp_path / "whole.h5", blocks).read_bytes()
    for threads in (1, 2, 4):
        with ThreadPoolExecutor(threads) as pool:
            path = write(tmp_path / f"{threads}.h5", blocks, submit=pool.submit)
        assert path.read_bytes() == whole


def test_gzip_is_read_without_any_plugin(tmp_path):
    path = write(tmp_path / "a.h5", [columns(10, 10)])
    with h5py.File(path) as file:
        dataset = file["events/number"]
        assert dataset.compression == "gzip"
        assert dataset.shuffle
        assert dataset.chunks == (CHUNK_ROWS,)


def test_every_dataset_says_its_unit_and_meaning(tmp_path):
    path = write(tmp_path / "a.h5", [columns(1, 1)])
    with h5py.File(path) as file:
        assert file["events/p4/px"].attrs["units"] == "GeV"
        assert file["particles/flag"].attrs["description"] == "another table"


def test_header_comes_back(tmp_path):
    path = write(tmp_path / "a.h5", [columns(3, 3)])
    assert read_header(path, "truth") == HEADER
    with h5py.File(path) as file:
        assert file.attrs["identity"] == HEADER.identity
        assert json.loads(file.attrs["versions"]) == {"simgen": "0"}


def test_identity_changes_with_all_that_made_a_file():
    others = [
        Header("candidates", *list(HEADER.__dict__.values())[1:]),
        HEADER.for_events(5, 4),
        HEADER.for_events(6, 3),
        Header(**{**HEADER.__dict__, "seed": 8}),
        Header(**{**HEADER.__dict__, "config": "events: 4\n"}),
        Header(**{**HEADER.__dict__, "versions": {"simgen": "1"}}),
        Header(**{**HEADER.__dict__, "provenance": {}}),
    ]
    assert len({h.identity for h in [HEADER, *others]}) == 8
    assert Header(**HEADER.__dict__).identity == HEADER.identity


def test_provenance_known_only_after_the_work_is_in_the_header(tmp_path):
    with ColumnWriter(tmp_path / "a.h5", HEADER, LAYOUT) as writer:
        writer.append(columns(1, 1))
        writer.set_provenance(accepted=12)
    assert read_header(tmp_path / "a.h5").provenance == {"notes": ["é"], "accepted": 12}


def test_no_file_after_an_exception(tmp_path):
    def fail():
        with ColumnWriter(tmp_path / "a.h5", HEADER, LAYOUT) as writer:
            writer.append(columns(100_000, 5))
            raise ValueError("stop")

    with pytest.raises(ValueError, match="stop"):
        fail()
    assert list(tmp_path.iterdir()) == []


def test_vector_fields_are_one_dataset_a_component():
    class Table:
        number = np.arange(2)
        p4 = np.arange(8.0).reshape(2, 4)
        flag = np.zeros(2)

    found = to_columns(LAYOUT, Table)
    np.testing.assert_array_equal(found["events/p4/energy"], [3, 7])
    assert found["particles/flag"].dtype == np.int8
    np.testing.assert_array_equal(from_columns(LAYOUT, found)["p4"], Table.p4)


class TestBadFiles:
    @pytest.fixture
    def good(self, tmp_path):
        return write(tmp_path / "good.h5", [columns(100_000, 9)])

    def test_missing(self, tmp_path):
        with pytest.raises(FileFormatError, match=r"none\.h5: there is no such file"):
            read_header(tmp_path / "none.h5")

    @pytest.mark.parametrize("kept", [0.999, 0.5, 0.01])
    def test_truncated(self, good, kept):
        data = good.read_bytes()
        good.write_bytes(data[: int(kept * len(data))])
        with pytest.raises(
            FileFormatError, match=r"good\.h5: cannot be read: .*(cut short|damaged)"
        ):
            read_header(good)

    @pytest.mark.parametrize("content", [b"", b"not HDF5 at all\n" * 100])
    def test_not_hdf5(self, tmp_path, content):
        path = tmp_path / "a.h5"
        path.write_bytes(content)
        with pytest.raises(FileFormatError, match=r"not an HDF5 file|cut short"):
            read_header(path)

    def test_hdf5_of_another_program(self, tmp_path):
        with h5py.File(tmp_path / "a.h5", "w") as file:
            file["x"] = 1
        with pytest.raises(FileFormatError, match="not one that simgen wrote"):
            read_header(tmp_path / "a.h5")

    def test_another_stage_says_which_command_makes_the_right_one(self, good):
        with pytest.raises(FileFormatError, match=r"holds truth, but candidates.*simgen smear"):
            read_header(good, "candidates")

    def test_newer_format(self, good):
        with h5py.File(good, "r+") as file:
            file.attrs["format_version"] = FORMAT_VERSION + 1
        with pytest.raises(FileFormatError, match=rf"version {FORMAT_VERSION + 1} is newer"):
            read_header(good)


class TestShards:
    @pytest.fixture
    def folder(self, tmp_path):
        for number in range(3):
            write(tmp_path / shard_name(number), [columns(3, 3)])
        return tmp_path

    def test_are_found_in_order(self, folder):
        assert [p.name for p in find_shards(folder)] == [shard_name(i) for i in range(3)]

    def test_a_run_folder_has_them_in_a_folder_of_the_stage(self, folder, tmp_path):
        run = tmp_path / "run"
        run.mkdir()
        (run / "truth").mkdir()
        for path in find_shards(folder):
            path.rename(run / "truth" / path.name)
        assert len(find_shards(run, "truth")) == 3

    def test_one_file_is_an_output_of_its_own(self, folder):
        path = folder / shard_name(1)
        assert find_shards(path, "truth") == [path]

    def test_a_gap_is_an_unfinished_run(self, folder):
        (folder / shard_name(1)).unlink()
        with pytest.raises(FileFormatError, match=r"part-00001\.h5 is missing.*--resume"):
            find_shards(folder)

    def test_a_folder_without_any(self, tmp_path):
        (tmp_path / "empty").mkdir()
        with pytest.raises(FileFormatError, match=r"no files part-NNNNN\.h5"):
            find_shards(tmp_path / "empty")

    def test_all_have_to_be_of_the_stage(self, folder):
        with pytest.raises(FileFormatError, match="holds truth"):
            find_shards(folder, "solutions")
