"""Bring a decay file into one statement a line, as the grammar of decaylanguage wants it.

EvtGen reads a stream of words: line ends mean nothing, ``#`` starts a comment, reading stops at
``End``. The grammar is stricter. Here the words are put into lines, each remembering the line of
the file it stands on, so that any later message can point to the right place.

Three things are taken out of the grammar's hands, each because EvtGen is wider: statements it
does not know (``RemoveDecay``, ``BlattWeisskopfBirth``, ``normalPhotos``), the debugging words
``VERBOSE`` and ``SUMMARY``, which change no event, and models it does not list, which are
written as `UNLISTED_MODEL` for the time of parsing.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import TYPE_CHECKING, NamedTuple

from simgen.decfile.statements import (
    BlattWeisskopf,
    Photos,
    RemoveDecay,
    SourceLine,
    Statement,
)
from simgen.errors import DecayFileError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

UNLISTED_MODEL = "UNLISTED_MODEL"
"""Stands for a model the grammar does not list; the true name is kept beside the text."""

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
_JETSET = re.compile(r"([^=]+)(=)(.+)")
_PYTHIA = re.compile(r"([^:=]+)(:)([^=]+)(=)(.+)")

_FLAGS = frozenset({"PHOTOS", "VERBOSE", "SUMMARY"})

# What follows each keyword: n a name, v a value, i an integer, y yes or no, ? optional.
_ARGUMENTS = {
    "CDecay": "n",
    "CopyDecay": "nn",
    "Alias": "nn",
    "ChargeConj": "nn",
    "Define": "nv",
    "Particle": "nv?",
    "LSFLAT": "n",
    "LSNONRELBW": "n",
    "LSMANYDELTAFUNC": "n",
    "BlattWeisskopf": "nv",
    "BlattWeisskopfBirth": "nv",
    "SetLineshapePW": "nnni",
    "ChangeMassMin": "nv",
    "ChangeMassMax": "nv",
    "IncludeBirthFactor": "ny",
    "IncludeDecayFactor": "ny",
    "yesPhotos": "",
    "noPhotos": "",
    "normalPhotos": "",
}
_PARAMETERS = {
    "JetSetPar": _JETSET,
    "PythiaGenericParam": _PYTHIA,
    "PythiaAliasParam": _PYTHIA,
    "PythiaBothParam": _PYTHIA,
}
KEYWORDS = frozenset(
    {*_ARGUMENTS, *_PARAMETERS, "Decay", "RemoveDecay", "ModelAlias", "Enddecay", "End"}
)
_EXPECTED = {"n": "a name", "v": "a number", "i": "an integer", "y": "yes or no"}


class Word(NamedTuple):
    """A word of the file and the line it stands on."""

    text: str
    line: int


@dataclass(slots=True)
class Layout:
    """A decay file with one statement a line.

    Attributes
    ----------
    rows
        The words of each line of `text`.
    starts
        For each statement in order: the index of its first row, or the statement itself where
        the grammar does not know it.
    unlisted
        The model to put for `UNLISTED_MODEL`, by row.
    trailing_line
        First line of the file with words after ``End``, None if there are none.
    """

    rows: list[list[Word]] = field(default_factory=list)
    starts: list[int | Statement] = field(default_factory=list)
    unlisted: dict[int, str] = field(default_factory=dict)
    trailing_line: int | None = None

    @property
    def text(self) -> str:
        """The lines as the grammar reads them."""
        return "".join(" ".join(word.text for word in row) + "\n" for row in self.rows)

    def word_at(self, row: int, column: int) -> Word:
        """Return the word of a row (from 0) at a column (from 1)."""
        end = 0
        for word in self.rows[row]:
            end += len(word.text) + 1
            if column <= end:
                return word
        return self.rows[row][-1]


def lay_out(
    name: str, lines: tuple[str, ...], models: Collection[str], others: Collection[str] = ()
) -> Layout:
    """Put the words of a decay file into one statement a line.

    Parameters
    ----------
    name
        Name of the file, for messages.
    lines
        Its text, line by line.
    models
        Names the grammar knows as decay models.
    others
        Names of decay models it does not know.

    Raises
    ------
    DecayFileError
        The words do not form statements; the message shows the line, what was found and what
        is allowed.
    """
    return _Layouter(name, lines, frozenset(models), frozenset(others)).run()


def is_number(text: str) -> bool:
    """Tell whether a word is a number as decay files write them."""
    return _NUMBER.fullmatch(text) is not None


def syntax_error(source: SourceLine, found: str, allowed: str) -> DecayFileError:
    """Return the error for a line that cannot be read."""
    return DecayFileError(
        f"{source}: cannot read the decay file: found {found}; allowed: {allowed}\n"
        f"    {source.text.strip()}"
    )


class _Layouter:
    """The words of one file and how far they have been read."""

    def __init__(
        self, name: str, lines: tuple[str, ...], models: frozenset[str], others: frozenset[str]
    ) -> None:
        self.name = name
        self.lines = lines
        self.words = _words(lines)
        self.models = models
        self.others = others
        self.position = 0
        self.layout = Layout()
        self.model_aliases: set[str] = set()

    def run(self) -> Layout:
        """Read statement after statement until ``End`` or the end of the file."""
        readers: dict[str, Callable[[Word], None]] = {
            "Decay": self.read_decay,
            "RemoveDecay": self.read_remove_decay,
            "ModelAlias": self.read_model_alias,
        }
        while self.position < len(self.words):
            keyword = self.take()
            if keyword.text == "End":
                if self.position < len(self.words):
                    self.layout.trailing_line = self.words[self.position].line
                break
            if keyword.text in readers:
                readers[keyword.text](keyword)
            elif keyword.text in _PARAMETERS:
                self.read_parameter(keyword)
            elif keyword.text in _ARGUMENTS:
                self.read_arguments(keyword)
            else:
                raise self.error(keyword, repr(keyword.text), _statements_like(keyword.text))
        return self.layout

    def take(self) -> Word:
        """Return the next word and step over it."""
        word = self.words[self.position]
        self.position += 1
        return word

    def peek(self) -> str | None:
        """Return the text of the next word, None at the end of the file."""
        return self.words[self.position].text if self.position < len(self.words) else None

    def error(self, word: Word, found: str, allowed: str) -> DecayFileError:
        """Return the error for a word that cannot stand where it does."""
        source = SourceLine(self.name, word.line, self.lines[word.line - 1])
        return syntax_error(source, found, allowed)

    def begin(self, row: list[Word]) -> None:
        """Begin a statement of the grammar with a row."""
        self.layout.starts.append(len(self.layout.rows))
        self.layout.rows.append(row)

    def argument(self, keyword: Word, expected: str) -> Word:
        """Take one argument of a statement, of the kind `expected`."""
        found = self.peek()
        if found is None or found in KEYWORDS or not _is_kind(found, expected):
            shown = "the end of the file" if found is None else repr(found)
            place = keyword if found is None else self.words[self.position]
            raise self.error(place, shown, f"{_EXPECTED[expected]} ({_usage(keyword.text)})")
        return self.take()

    def read_arguments(self, keyword: Word) -> None:
        """Read a statement with a fixed number of arguments."""
        row = [keyword]
        for kind in _ARGUMENTS[keyword.text]:
            if kind != "?":
                row.append(self.argument(keyword, kind))
            elif (following := self.peek()) is not None and is_number(following):
                row.append(self.take())
        if keyword.text == "normalPhotos":
            self.layout.starts.append(Photos(keyword.line, "flagged"))
        elif keyword.text == "BlattWeisskopfBirth":
            self.layout.starts.append(
                BlattWeisskopf(keyword.line, "birth", row[1].text, float(row[2].text))
            )
        else:
            self.begin(row)

    def read_parameter(self, keyword: Word) -> None:
        """Read a setting for Pythia, whose parts may stand apart or together."""
        pattern = _PARAMETERS[keyword.text]
        text = ""
        while (following := self.peek()) is not None and following not in KEYWORDS:
            if pattern.fullmatch(text) and not following.startswith("="):
                break
            text += self.take().text
        match = pattern.fullmatch(text)
        if match is None:
            raise self.error(keyword, repr(text), _usage(keyword.text))
        self.begin([keyword, *(Word(part, keyword.line) for part in match.groups())])

    def read_model_alias(self, keyword: Word) -> None:
        """Read ``ModelAlias name model parameters;``."""
        name = self.argument(keyword, "n")
        body = self.until_semicolon(keyword)
        if not body:
            raise self.error(keyword, "no model", _usage("ModelAlias"))
        self.model_aliases.add(name.text)
        self.begin([keyword, name, *self.with_model(body, 0), Word(";", body[-1].line)])

    def read_decay(self, keyword: Word) -> None:
        """Read a Decay block."""
        self.begin([keyword, self.argument(keyword, "n")])
        while self.inside(keyword):
            fraction = self.take()
            if not is_number(fraction.text):
                allowed = "a branching fraction or Enddecay"
                if fraction.text in KEYWORDS:
                    allowed += f" (the Decay block of line {keyword.line} has not ended)"
                raise self.error(fraction, repr(fraction.text), allowed)
            body = self.until_semicolon(fraction)
            if not body:
                raise self.error(fraction, "no model", "fraction daughters [PHOTOS] MODEL ...;")
            flagged = any(word.text == "PHOTOS" for word in body)
            model = self.model_index(body)
            daughters = [word for word in body[:model] if word.text not in _FLAGS]
            photos = [Word("PHOTOS", body[model].line)] if flagged else []
            row = [fraction, *daughters, *photos, *self.with_model(body, model)]
            self.layout.rows.append([*row, Word(";", body[-1].line)])
        self.layout.rows.append([self.take()])

    def read_remove_decay(self, keyword: Word) -> None:
        """Read a RemoveDecay block: daughters and a semicolon, channel after channel."""
        name = self.argument(keyword, "n")
        channels = []
        while self.inside(keyword):
            body = self.until_semicolon(self.words[self.position])
            channels.append(tuple(word.text for word in body))
        self.take()
        self.layout.starts.append(RemoveDecay(keyword.line, name.text, tuple(channels)))

    def inside(self, keyword: Word) -> bool:
        """Tell whether a block goes on; stray semicolons are stepped over as EvtGen does."""
        while self.peek() == ";":
            self.position += 1
        if self.peek() is None:
            raise self.error(keyword, "the end of the file", "Enddecay to end this block")
        return self.peek() != "Enddecay"

    def until_semicolon(self, start: Word) -> list[Word]:
        """Take the words up to a semicolon, which is stepped over."""
        body: list[Word] = []
        while True:
            following = self.peek()
            if following is None or following in KEYWORDS:
                found = "no semicolon" if following is None else f"{following!r} and no semicolon"
                raise self.error(start, found, "a semicolon at the end of each channel")
            word = self.take()
            if word.text == ";":
                return body
            body.append(word)

    def model_index(self, body: list[Word]) -> int:
        """Return where the model stands among the words of a channel."""
        flags = [index for index, word in enumerate(body) if word.text in _FLAGS]
        if flags and flags[-1] + 1 < len(body):
            return flags[-1] + 1
        known = self.models | self.others | self.model_aliases
        for index, word in enumerate(body):
            if word.text in known:
                return index
        for index, word in enumerate(body):
            if is_number(word.text):
                return max(index - 1, 0)
        return len(body) - 1

    def with_model(self, body: list[Word], index: int) -> list[Word]:
        """Return model and parameters, the model replaced if the grammar does not list it."""
        model, parameters = body[index], body[index + 1 :]
        for word in parameters:
            if word.text in self.models:
                raise self.error(
                    word,
                    f"a second model {word.text!r} after {model.text!r}",
                    "one model a channel (is the semicolon before it missing?)",
                )
        if model.text not in self.models:
            self.layout.unlisted[len(self.layout.rows)] = model.text
            model = Word(UNLISTED_MODEL, model.line)
        return [model, *parameters]


def _words(lines: tuple[str, ...]) -> list[Word]:
    """Split a file into words; semicolons are words, commas separate."""
    words = []
    for number, line in enumerate(lines, start=1):
        text = line.partition("#")[0].replace(";", " ; ").replace(",", " ")
        words += [Word(word, number) for word in text.split()]
    return words


def _is_kind(text: str, kind: str) -> bool:
    """Tell whether a word can be an argument of a kind."""
    if kind == "v":
        return is_number(text)
    if kind == "i":
        return text.isdecimal()
    if kind == "y":
        return text in {"yes", "no"}
    return text != ";"


def _usage(keyword: str) -> str:
    """Return how a statement is written."""
    if keyword == "Decay":
        return "Decay name"
    if keyword == "RemoveDecay":
        return "RemoveDecay name"
    if keyword == "ModelAlias":
        return "ModelAlias name MODEL parameters;"
    if keyword == "JetSetPar":
        return "JetSetPar NAME(INDEX)=value"
    if keyword in _PARAMETERS:
        return f"{keyword} Module:parameter=value"
    shown = {"n": "name", "v": "number", "i": "integer", "y": "yes|no", "?": "[number]"}
    return " ".join([keyword, *(shown[kind] for kind in _ARGUMENTS[keyword])])


def _statements_like(text: str) -> str:
    """Return the statements, or the one that was probably meant."""
    near = get_close_matches(text, KEYWORDS, n=1, cutoff=0.7)
    every = ", ".join(sorted(KEYWORDS - {"Enddecay"}))
    return f"a statement ({every})" + (f"; did you mean {near[0]}?" if near else "")
