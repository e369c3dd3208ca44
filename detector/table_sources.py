"""Tables of a profile from elsewhere: a CSV or HDF5 file, or a Python function.

A file has a column for each axis (points), or two, ``p_min`` and ``p_max``, for its bins; and the
column ``value``. A function is called once, with arrays. What is read becomes part of the profile,
so that output files hold the numbers they were made with.
"""

from __future__ import annotations

import csv
import hashlib
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from detector.tables import AXES, DEFAULT_GRID, Quantity, Table, check_axes, make_table
from simgen.plugins import find_plugin

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

ENTRY_POINT_GROUP = "simgen.detector_functions"
_HDF5 = (".h5", ".hdf5")
_FILE_KEYS = {"file", "column", "group"}
_FUNCTION_KEYS = {"function", "axes"}


def read_source(spec: Mapping[str, Any], quantity: Quantity) -> Table:
    """Return the table that a mapping with the key ``file`` or ``function`` asks for.

    Parameters
    ----------
    spec
        ``{file: NAME.csv}``, for HDF5 also ``group``, with ``column`` if the values are not in
        ``value``; or ``{function: NAME, axes: {...}}``.
    quantity
        What is tabulated.

    Raises
    ------
    ValueError
        Naming the file and line, or the function, with what is wrong and what is allowed.
    """
    allowed = _FILE_KEYS if "file" in spec else _FUNCTION_KEYS
    if unknown := set(spec) - allowed:
        raise ValueError(
            f"unknown key {sorted(map(str, unknown))[0]!r}; allowed with it: "
            f"{', '.join(sorted(allowed))}"
        )
    no_names = [key for key in spec if key != "axes" and not isinstance(spec[key], str)]
    if no_names:
        raise ValueError(f"{no_names[0]} should be a name, found {spec[no_names[0]]!r}")
    if "file" in spec:
        return _read_file(Path(spec["file"]), spec.get("column"), spec.get("group"), quantity)
    return _tabulate(spec["function"], spec.get("axes"), quantity)


class _Rows:
    """Rows of a table: columns of numbers, and what each row is called in messages."""

    def __init__(self, columns: Mapping[str, Sequence[float]], names: Sequence[str]) -> None:
        self.columns, self.names = columns, names


def _read_file(path: Path, column: str | None, group: str | None, quantity: Quantity) -> Table:
    """Read a file of a table."""
    if path.suffix not in {".csv", *_HDF5}:
        raise ValueError(f"the table {path} should end in .csv, .h5 or .hdf5")
    if group is not None and path.suffix == ".csv":
        raise ValueError("group is for HDF5 files only")
    try:
        content = path.read_bytes()
        rows = _read_csv(content, path) if path.suffix == ".csv" else _read_hdf5(path, group)
    except OSError as error:
        reason = error.strerror or str(error).splitlines()[0]
        raise ValueError(f"the table {path} cannot be read: {reason}") from error
    if isinstance(rows, _Rows):
        axes, values = _from_rows(rows, column, quantity, path)
    else:
        axes, values = rows
    digest = hashlib.sha256(content).hexdigest()
    try:
        return make_table(axes, values, quantity, f"{path.name}, SHA-256 {digest}")
    except ValueError as error:
        raise ValueError(f"the table {path}: {error}") from error


def _read_csv(content: bytes, path: Path) -> _Rows:
    """Read columns named by the first line; empty lines and those with # first are left out."""
    try:
        lines = content.decode("utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise ValueError(f"the table {path} is not a text file") from error
    numbered = [(i, line) for i, line in enumerate(lines, 1) if line.strip()]
    numbered = [(i, line) for i, line in numbered if not line.lstrip().startswith("#")]
    if len(numbered) < 2:
        raise ValueError(f"the table {path} has no rows")
    parsed = list(csv.reader([line for _, line in numbered], skipinitialspace=True))
    header = [name.strip() for name in parsed[0]]
    if len(set(header)) < len(header):
        raise ValueError(f"the table {path}:{numbered[0][0]}: a column is there twice: {header}")
    columns: dict[str, list[float]] = {name: [] for name in header}
    for (line, _), row in zip(numbered[1:], parsed[1:], strict=True):
        if len(row) != len(header):
            raise ValueError(
                f"the table {path}:{line}: {len(row)} numbers, but the columns are "
                f"{', '.join(header)}"
            )
        for name, text in zip(header, row, strict=True):
            try:
                columns[name].append(float(text))
            except ValueError:
                raise ValueError(
                    f"the table {path}:{line}: {name} should be a number, found {text.strip()!r}"
                ) from None
    names = [f"{path}:{line}" for line, _ in numbered[1:]]
    return _Rows({name: tuple(column) for name, column in columns.items()}, names)


def _read_hdf5(path: Path, group: str | None) -> _Rows | tuple[dict[str, Any], Any]:
    """Read datasets: columns, or one-dimensional axes and values with a dimension for each."""
    import h5py

    with h5py.File(path, "r") as file:
        place = file if group is None else file.get(group)
        if not isinstance(place, h5py.Group):
            raise ValueError(f"the table {path} has no group {group!r}")  # noqa: TRY004
        found = {name: item for name, item in place.items() if isinstance(item, h5py.Dataset)}
        for name, item in found.items():
            _check_unit(name, item.attrs.get("units"), path)
        try:
            data = {name: np.asarray(item[...], np.float64) for name, item in found.items()}
        except (TypeError, ValueError) as error:
            raise ValueError(f"the table {path}: a dataset has no numbers: {error}") from error
    values = data.get("value")
    if values is not None and values.ndim == 2:
        axes = {name: x.ravel().tolist() for name, x in data.items() if name != "value"}
        ordered = sorted(axes, key=lambda name: name == "theta")
        return {name: axes[name] for name in ordered}, values.tolist()
    if len({x.shape for x in data.values()}) != 1 or any(x.ndim != 1 for x in data.values()):
        shapes = ", ".join(f"{name} {x.shape}" for name, x in data.items()) or "no dataset"
        raise ValueError(
            f"the table {path} should have columns of equal length, or two axes and value[i, j] "
            f"with theta second; found {shapes}"
        )
    length = len(next(iter(data.values())))
    names = [f"{path}: row {i}" for i in range(length)]
    return _Rows({name: x.tolist() for name, x in data.items()}, names)


def _check_unit(name: str, unit: Any, path: Path) -> None:
    """Refuse a dataset whose attribute ``units`` is not that of its axis."""
    axis = name.removesuffix("_min").removesuffix("_max")
    if unit is None or axis not in AXES:
        return
    text = unit.decode() if isinstance(unit, bytes) else str(unit)
    if text not in {AXES[axis][0], AXES[axis][0][:3]}:
        raise ValueError(f"the table {path}: {name} should be in {AXES[axis][0]}, found {text!r}")


def _from_rows(
    rows: _Rows, column: str | None, quantity: Quantity, path: Path
) -> tuple[dict[str, list[float]], Any]:
    """Turn rows into axes and nested values."""
    target = column or "value"
    points = [name for name in rows.columns if name in quantity.axes]
    bins = [name[:-4] for name in rows.columns
            if name.endswith("_min") and name[:-4] in quantity.axes]  # fmt: skip
    used = {target, *points, *(f"{n}_{end}" for n in bins for end in ("min", "max"))}
    allowed = ", ".join(f"{a} or {a}_min, {a}_max" for a in quantity.axes)
    wrong = used - set(rows.columns) or (set() if column else set(rows.columns) - used)
    if wrong or (points and bins) or not (points or bins):
        raise ValueError(
            f"the table {path} has the columns {', '.join(rows.columns)}; needed are {target!r} "
            f"and, all as points or all as bins: {allowed}"
        )
    axes: dict[str, list[float]] = {}
    places: list[list[int]] = []
    for name in points or bins:
        axes[name], place = _axis(rows, name, bool(bins))
        places.append(place)
    values = _on_grid(rows, target, axes, list(zip(*places, strict=True)), bool(bins), path)
    for row, value in zip(rows.names, rows.columns[target], strict=True):
        try:
            quantity.checked(value)
        except ValueError as error:
            raise ValueError(f"the table {row}: {error}") from None
    return axes, values


def _axis(rows: _Rows, name: str, is_binned: bool) -> tuple[list[float], list[int]]:
    """Return the numbers of an axis, and the place of each row on it."""
    low = rows.columns[f"{name}_min" if is_binned else name]
    high = rows.columns[f"{name}_max"] if is_binned else low
    known: dict[tuple[float, float], int] = {}
    last: tuple[float, float] | None = None
    for row, pair in zip(rows.names, zip(low, high, strict=True), strict=True):
        if not np.all(np.isfinite(pair)):
            raise ValueError(f"the table {row}: {name} should be a number, found {pair[0]}")
        if is_binned and pair[0] >= pair[1]:
            raise ValueError(f"the table {row}: {name}_min {pair[0]:g} is not below {name}_max")
        if pair in known:
            continue
        if last is not None and is_binned and pair[0] != last[1]:
            raise ValueError(
                f"the table {row}: the bin of {name} begins at {pair[0]:g}, but the one before it "
                f"ends at {last[1]:g}; bins should follow each other"
            )
        if last is not None and pair[0] <= last[0]:
            raise ValueError(
                f"the table {row}: {name} {pair[0]:g} comes after {last[0]:g}; it should increase"
            )
        known[pair] = len(known)
        last = pair
    places = [known[pair] for pair in zip(low, high, strict=True)]
    edges = [pair[0] for pair in known]
    return [*edges, next(reversed(known))[1]] if is_binned else edges, places


def _on_grid(
    rows: _Rows,
    column: str,
    axes: Mapping[str, Sequence[float]],
    places: list[tuple[int, ...]],
    is_binned: bool,
    path: Path,
) -> Any:
    """Return nested values; every combination of the axes should be there once."""
    shape = tuple(len(x) - is_binned for x in axes.values())
    row_at: dict[tuple[int, ...], int] = {}
    for i, place in enumerate(places):
        if place in row_at:
            raise ValueError(
                f"the table {rows.names[i]} is the same place as {rows.names[row_at[place]]}"
            )
        row_at[place] = i
    for place in product(*(range(n) for n in shape)):
        if place not in row_at:
            at = ", ".join(f"{n} = {axes[n][i]:g}" for n, i in zip(axes, place, strict=True))
            raise ValueError(
                f"the table {path} has a hole: {'the bin from ' if is_binned else ''}{at} is "
                "missing; every combination of the axes is needed"
            )
    values = np.empty(shape)
    for place, i in row_at.items():
        values[place] = rows.columns[column][i]
    return values.tolist()


def _tabulate(name: str, axes: Any, quantity: Quantity) -> Table:
    """Call a function on a grid."""
    function = find_function(name)
    if axes is None:
        axes = {axis: DEFAULT_GRID[axis] for axis in quantity.default_axes}
    grid = check_axes(axes, quantity)
    mesh = [x.ravel() for x in np.meshgrid(*grid.values(), indexing="ij")]
    try:
        values = np.broadcast_to(np.asarray(function(*mesh), np.float64), mesh[0].shape)
    except Exception as error:
        raise ValueError(
            f"the function {name} failed with arrays of {', '.join(grid)}: "
            f"{type(error).__name__}: {error}"
        ) from error
    shaped = values.reshape([len(x) for x in grid.values()])
    try:
        return make_table(grid, shaped.tolist(), quantity, f"function {name}")
    except ValueError as error:
        raise ValueError(f"the function {name}: {error}") from error


def find_function(name: str) -> Callable[..., Any]:
    """Return a function by ``file.py:function``, ``module:function``, or the name of a plugin.

    A plugin is an entry point of the group ``simgen.detector_functions``.

    Raises
    ------
    ValueError
        If there is none, or its file cannot be run.
    """
    function = find_plugin(name, ENTRY_POINT_GROUP, "function").value
    if not callable(function):
        raise ValueError(f"{name} should be a function, found a {type(function).__name__}")  # noqa: TRY004
    return function  # type: ignore[no-any-return]
