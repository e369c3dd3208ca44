"""Files that appear whole or not at all."""

from __future__ import annotations

import contextlib
import errno
import os
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    from collections.abc import Iterator

PARTIAL_SUFFIX = ".partial"


@contextlib.contextmanager
def atomic_file(path: Path) -> Iterator[BinaryIO]:
    """Give a binary file to write to; when the block ends without error it appears as `path`.

    Where the system can, the file has no name until it is whole, so a process killed at any
    moment leaves nothing behind. Elsewhere it is called ``.NAME.partial`` until then.

    Parameters
    ----------
    path
        Final path, replaced if it exists. Its folder exists.
    """
    partial = path.with_name(f".{path.name}{PARTIAL_SUFFIX}")
    descriptor = _open_nameless(path.parent)
    if descriptor is None:
        with _removed_on_error(partial), partial.open("w+b") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    else:
        with os.fdopen(descriptor, "w+b") as file:
            yield file
            file.flush()
            os.fsync(descriptor)
            _link(descriptor, path, partial)
    _sync_folder(path.parent)


def _link(descriptor: int, path: Path, partial: Path) -> None:
    """Give a nameless file its name; a link cannot replace, so an old file goes by a rename."""
    nameless = f"/proc/self/fd/{descriptor}"
    target = path
    if path.exists():
        partial.unlink(missing_ok=True)
        target = partial
    # Python follows the link to the nameless file only if a directory is named, too.
    os.link(nameless, target, src_dir_fd=descriptor, follow_symlinks=True)
    if target != path:
        target.replace(path)


def write_text(path: Path, text: str) -> None:
    """Write a text file atomically."""
    with atomic_file(path) as target:
        target.write(text.encode())


def is_partial(path: Path) -> bool:
    """Say whether a path has the name of a file that is not whole yet."""
    return path.name.startswith(".") and path.suffix == PARTIAL_SUFFIX


def remove_partials(folder: Path) -> None:
    """Remove what a killed process may have left in `folder` and below."""
    for leftover in folder.rglob(f".*{PARTIAL_SUFFIX}"):
        leftover.unlink(missing_ok=True)


def _open_nameless(folder: Path) -> int | None:
    """Open a file without a name in `folder`, or return None where that is not possible."""
    if not hasattr(os, "O_TMPFILE") or not Path("/proc/self/fd").is_dir():
        return None
    try:
        return os.open(folder, os.O_TMPFILE | os.O_RDWR, 0o666)
    except OSError as error:
        if error.errno in {errno.EOPNOTSUPP, errno.EISDIR, errno.EINVAL, errno.ENOENT}:
            return None
        raise


@contextlib.contextmanager
def _removed_on_error(path: Path) -> Iterator[None]:
    """Remove `path` if the block fails."""
    try:
        yield
    except BaseException:
        path.unlink(missing_ok=True)
        raise


def _sync_folder(folder: Path) -> None:
    """Make a new name in `folder` survive a power cut, where the system allows it."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
