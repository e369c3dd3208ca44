"""Start Pythia with settings that are checked before, and without a word on the terminal."""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
import threading
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from simgen.errors import ConfigError, MissingPackageError
from simgen.models.external import INSTALL

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

_TRUTH_VALUES = ("on", "off", "yes", "no", "true", "false", "1", "0")
_QUIET = ("Print:quiet = on", "Print:errors = off")
# Settings that belong to this program, and where they are set here.
_OWNED = {
    "beams": "the section `beams` or `detector` sets the beams",
    "random": "the random numbers are keyed by `seed` and the event's number",
    "main": "`events` and `first_event` say which events are made",
    "next": "nothing is printed",
    "print": "nothing is printed",
    "init": "nothing is printed",
    "stat": "nothing is printed",
}
_PROPERTY_NAMES = (
    "name", "antiName", "names", "spinType", "chargeType", "colType", "m0", "mWidth", "mMin",
    "mMax", "tau0", "varWidth", "isResonance", "mayDecay", "tauCalc", "doExternalDecay",
    "isVisible", "doForceWidth", "new", "all", "onMode", "offIfAny", "offIfAll", "offIfMatch",
    "onIfAny", "onIfAll", "onIfMatch", "onPosIfAny", "onPosIfAll", "onPosIfMatch", "onNegIfAny",
    "onNegIfAll", "onNegIfMatch", "addChannel", "oneChannel", "rescaleBR",
)  # fmt: skip


def import_pythia() -> Any:
    """Return the module ``pythia8mc``.

    Raises
    ------
    MissingPackageError
        If it is not installed.
    """
    try:
        import pythia8mc
    except ImportError as error:
        raise MissingPackageError(
            f"Pythia 8 is needed and cannot be imported ({error}): {INSTALL}"
        ) from error
    return pythia8mc


def start_pythia(
    own: Sequence[str], user: Sequence[str], prepare: Callable[[Any], None], source: str
) -> Any:
    """Return an initialised ``pythia8mc.Pythia``.

    Parameters
    ----------
    own
        Settings of this program, in Pythia's notation "Group:name = value".
    user
        Settings of the user, which come after.
    prepare
        Called with the object before it is initialised.
    source
        Where the user's settings come from, for messages.

    Raises
    ------
    MissingPackageError
        If Pythia is not installed.
    ConfigError
        If a setting does not exist or is out of range, or Pythia refuses to start.
    """
    library = import_pythia()
    with _captured_output() as said:
        pythia = library.Pythia("", False)
        for line in (*_QUIET, *own):
            if not pythia.readString(line, False):
                raise RuntimeError(f"this version of Pythia does not know {line!r}")
        for line in user:
            _apply(pythia, line, source)
        prepare(pythia)
        started = pythia.init()
    if not started:
        reason = _last_words(said())
        raise ConfigError(f"{source}: Pythia does not start with these settings{reason}")
    return pythia


def is_owned(key: str) -> bool:
    """Say whether a setting is one that this program makes itself."""
    return key.partition(":")[0].strip().lower() in _OWNED


def _apply(pythia: Any, line: str, source: str) -> None:
    """Apply one setting of the user, or say what is wrong with it."""
    key, equals, value = (part.strip() for part in line.partition("="))
    group, colon, name = key.partition(":")
    if not (equals and colon and name and value):
        raise ConfigError(
            f"{source}: {line!r} is not a setting; they are written 'Group:name = value'"
        )
    if is_owned(key):
        raise ConfigError(f"{source}: {key!r} cannot be set here: {_OWNED[group.lower()]}")
    if group.lstrip("-").isdigit():
        _apply_to_particle(pythia, line, int(group), name, source)
        return
    settings = pythia.settings
    if settings.isFlag(key):
        if value.lower() not in _TRUTH_VALUES:
            raise ConfigError(f"{source}: {key}: on or off is expected, found {value!r}")
        pythia.readString(line, False)
    elif settings.isMode(key):
        _apply_number(pythia, line, key, int, source)
    elif settings.isParm(key):
        _apply_number(pythia, line, key, float, source)
    elif settings.isWord(key):
        pythia.readString(line, False)
    elif any(is_list(key) for is_list in (
        settings.isFVec, settings.isMVec, settings.isPVec, settings.isWVec
    )):  # fmt: skip
        if not pythia.readString(line, False):
            raise ConfigError(f"{source}: {key}: Pythia does not accept {value!r}")
    else:
        raise ConfigError(f"{source}: Pythia has no setting {key!r}.{_nearest(settings, key)}")


def _apply_number(pythia: Any, line: str, key: str, kind: Any, source: str) -> None:
    """Apply a setting that is a number; Pythia would move one out of range to its limit."""
    text = line.partition("=")[2].strip()
    try:
        number = kind(text)
    except ValueError:
        what = "a whole number" if kind is int else "a number"
        raise ConfigError(f"{source}: {key}: {what} is expected, found {text!r}") from None
    read = pythia.settings.mode if kind is int else pythia.settings.parm
    if not pythia.readString(line, False) or read(key) != number:
        table = pythia.settings.getModeMap(key) if kind is int else pythia.settings.getParmMap(key)
        entry = table[key.lower()]
        low = f"at least {entry.valMin:g}" if entry.hasMin else ""
        high = f"at most {entry.valMax:g}" if entry.hasMax else ""
        allowed = " and ".join(part for part in (low, high) if part) or "one of Pythia's choices"
        raise ConfigError(f"{source}: {key}: {text} is not allowed: {allowed}")


def _apply_to_particle(pythia: Any, line: str, pdgid: int, name: str, source: str) -> None:
    """Apply a property of a particle or of one of its decay channels."""
    if not pythia.particleData.isParticle(pdgid) and name not in {"new", "all"}:
        raise ConfigError(
            f"{source}: {line!r}: Pythia has no particle {pdgid}; '{pdgid}:new = ...' adds one"
        )
    if not pythia.readString(line, False):
        near = get_close_matches(name, _PROPERTY_NAMES, n=1, cutoff=0.5)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        raise ConfigError(f"{source}: {line!r}: Pythia does not accept this.{hint}")


def _nearest(settings: Any, key: str) -> str:
    """Return a hint with the most similar name of a setting."""
    known = [
        str(entry.name)
        for table in (settings.getFlagMap, settings.getModeMap, settings.getParmMap,
                      settings.getWordMap)
        for entry in table("").values()
    ]  # fmt: skip
    by_lower = {name.lower(): name for name in known}
    near = get_close_matches(key.lower(), by_lower, n=1, cutoff=0.6)
    return f" Did you mean {by_lower[near[0]]!r}?" if near else ""


def _last_words(text: str) -> str:
    """Return what Pythia printed, in brackets and on one line."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return f": {'; '.join(lines[-3:])}" if lines else ""


_ONE_AT_A_TIME = threading.Lock()


@contextlib.contextmanager
def _captured_output() -> Iterator[Callable[[], str]]:
    """Keep what C++ writes to the standard output away from the terminal, and give it back.

    One thread at a time: of two, the second would put back what the first had put in place.
    """
    with _ONE_AT_A_TIME, tempfile.TemporaryFile() as kept:
        sys.stdout.flush()
        original = os.dup(1)
        os.dup2(kept.fileno(), 1)

        def said() -> str:
            return words

        words = ""
        try:
            yield said
        finally:
            os.dup2(original, 1)
            os.close(original)
            kept.seek(0)
            words = kept.read().decode(errors="replace")
