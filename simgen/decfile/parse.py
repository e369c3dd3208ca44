"""Read one decay file into statements, with decaylanguage's grammar.

Only the parse tree is used: decaylanguage's own reading of it keeps the first of two ``Decay``
blocks where EvtGen keeps the last, and mixes files before it looks at them.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from simgen.decfile import statements as st
from simgen.decfile.cache import read_cache, write_cache
from simgen.decfile.layout import UNLISTED_MODEL, Layout, is_number, lay_out, syntax_error
from simgen.errors import DecayFileError

if TYPE_CHECKING:
    from collections.abc import Sequence

_WORDS_ALLOWED = "a number, or a name of letters, digits and / - + * _ ( ) . ' ~"

_PHOTOS = {"yesPhotos": "always", "noPhotos": "never"}

CACHE_FORMAT = 1
"""Raised whenever what is stored in the cache changes its meaning."""


def parse_decfile(
    path: Path | str, name: str | None = None, models: Sequence[str] = ()
) -> st.DecFile:
    """Read a decay file.

    Parameters
    ----------
    path
        The file, with any line ends; bytes that are not UTF-8 do no harm in comments.
    name
        How to call it in messages; the path if None.
    models
        Names of decay models beside EvtGen's.

    Returns
    -------
    DecFile
        Its statements in order. The result is kept in the cache folder.

    Raises
    ------
    DecayFileError
        The file cannot be opened or a statement cannot be read; the message shows the line, what
        was found and what is allowed.
    """
    shown = str(path) if name is None else name
    try:
        content = Path(path).read_bytes()
    except OSError as error:
        raise DecayFileError(f"cannot read the decay file {shown}: {error.strerror}") from error
    text = content.decode("utf-8", errors="replace")
    return _parse(shown, text, hashlib.sha256(content).hexdigest(), models)


def parse_decfile_text(text: str, name: str = "<text>") -> st.DecFile:
    """Read a decay file given as text; see `parse_decfile`."""
    return _parse(name, text, hashlib.sha256(text.encode()).hexdigest())


def _parse(name: str, text: str, sha256: str, models: Sequence[str] = ()) -> st.DecFile:
    """Parse a text, or take its statements from the cache."""
    plain = text.replace("\ufeff", "").replace("\r\n", "\n").replace("\r", "\n")
    lines = tuple(plain.split("\n"))
    words = set(plain.split())
    own = sorted(model for model in models if words & {model, f"{model};"})
    key = _cache_key(sha256, own)
    cached = read_cache(key)
    if cached is not None:
        statements = tuple(_decode(entry) for entry in cached["statements"])
        return st.DecFile(name, sha256, lines, statements, cached["trailing_line"])
    layout = lay_out(name, lines, evtgen_models(), own)
    statements = _statements(layout, _tree(layout, name, lines))
    data = {
        "statements": [_encode(statement) for statement in statements],
        "trailing_line": layout.trailing_line,
    }
    write_cache(key, data)
    return st.DecFile(name, sha256, lines, statements, layout.trailing_line)


def _cache_key(sha256: str, models: Sequence[str]) -> str:
    """Return the cache key of a text: its hash, what reads it, and the models it says besides."""
    parts = f"{sha256} decaylanguage {version('decaylanguage')} format {CACHE_FORMAT}"
    parts += "".join(f" {model}" for model in models)
    return hashlib.sha256(parts.encode()).hexdigest()


@lru_cache(maxsize=1)
def evtgen_models() -> frozenset[str]:
    """Return the names of EvtGen's decay models, as decaylanguage lists them."""
    from decaylanguage.dec.enums import known_decay_models

    return frozenset(known_decay_models)


@lru_cache(maxsize=1)
def _lark() -> Any:
    """Build the parser of decaylanguage's grammar, with `UNLISTED_MODEL` as one more model."""
    from decaylanguage import DecFileParser
    from lark import Lark

    reader = DecFileParser()
    reader.load_additional_decay_models(UNLISTED_MODEL)
    info = reader.grammar_info()
    return Lark(
        reader.grammar(),
        parser=info["parser"],
        lexer=info["lexer"],
        edit_terminals=info["edit_terminals"],
    )


def _tree(layout: Layout, name: str, lines: tuple[str, ...]) -> list[Any]:
    """Return the parse trees of the statements."""
    from lark.exceptions import UnexpectedInput

    try:
        children: list[Any] = _lark().parse(layout.text).children
    except UnexpectedInput as error:
        word = layout.word_at(error.line - 1, error.column)
        source = st.SourceLine(name, word.line, lines[word.line - 1])
        raise syntax_error(source, repr(word.text), _WORDS_ALLOWED) from error
    return children


def _statements(layout: Layout, trees: list[Any]) -> tuple[st.Statement, ...]:
    """Turn the parse trees into statements, in the order of the file."""
    remaining = iter(trees)
    return tuple(
        _statement(layout, start, next(remaining)) if isinstance(start, int) else start
        for start in layout.starts
    )


def _statement(layout: Layout, row: int, tree: Any) -> st.Statement:
    """Turn one parse tree, which starts at a row of the layout, into a statement."""
    keyword, line = layout.rows[row][0]
    if keyword == "Decay":
        return _decay_block(layout, row, tree)
    if keyword == "ModelAlias":
        model, parameters = _model(layout, row, tree.children[1])
        return st.ModelAlias(line, str(tree.children[0].children[0]), model, parameters)
    if keyword in _PHOTOS:
        return st.Photos(line, _PHOTOS[keyword])
    return _named_statement(keyword, line, [str(token) for token in tree.scan_values(_anything)])


def _named_statement(keyword: str, line: int, words: list[str]) -> st.Statement:
    """Build a statement from its words; grammar labels that repeat the keyword are dropped."""
    if words[0] == keyword:
        words = words[1:]
    name = words[0]
    match keyword:
        case "CDecay":
            return st.CDecay(line, name)
        case "CopyDecay":
            return st.CopyDecay(line, name, words[1])
        case "Alias":
            return st.Alias(line, name, words[1])
        case "ChargeConj":
            return st.ChargeConj(line, name, words[1])
        case "Define":
            return st.Define(line, name, float(words[1]))
        case "Particle":
            width = float(words[2]) if len(words) > 2 else None
            return st.ParticleProperties(line, name, float(words[1]), width)
        case "LSFLAT" | "LSNONRELBW" | "LSMANYDELTAFUNC":
            return st.LineshapeKind(line, keyword.removeprefix("LS").removesuffix("FUNC"), name)
        case "BlattWeisskopf":
            return st.BlattWeisskopf(line, "decay", name, float(words[1]))
        case "SetLineshapePW":
            return st.PartialWave(line, name, (words[1], words[2]), int(words[3]))
        case "ChangeMassMin" | "ChangeMassMax":
            return st.MassLimit(line, keyword[-3:].lower(), name, float(words[1]))
        case "IncludeBirthFactor" | "IncludeDecayFactor":
            vertex = "birth" if "Birth" in keyword else "decay"
            return st.MomentumFactor(line, vertex, name, words[1] == "yes")
        case _:
            return st.PythiaParameter(line, keyword, ":".join(words[:-1]), words[-1])


def _anything(_: object) -> bool:
    """Accept every token of a parse tree."""
    return True


def _decay_block(layout: Layout, row: int, tree: Any) -> st.DecayBlock:
    """Turn the tree of a Decay block into a statement."""
    name, *trees = tree.children
    channels = tuple(
        _decay_line(layout, row + offset, channel) for offset, channel in enumerate(trees, start=1)
    )
    return st.DecayBlock(layout.rows[row][0].line, str(name.children[0]), channels)


def _decay_line(layout: Layout, row: int, tree: Any) -> st.DecayLine:
    """Turn the tree of one channel into its data."""
    fraction, *daughters = tree.children[:-1]
    photos = bool(daughters) and daughters[-1].data == "photos"
    if photos:
        daughters = daughters[:-1]
    model, parameters = _model(layout, row, tree.children[-1])
    return st.DecayLine(
        line=layout.rows[row][0].line,
        fraction=float(fraction.children[0]),
        daughters=tuple(str(daughter.children[0]) for daughter in daughters),
        photos=photos,
        model=model,
        parameters=parameters,
    )


def _model(layout: Layout, row: int, tree: Any) -> tuple[str, tuple[float | str, ...]]:
    """Return a model and its parameters; numbers become float."""
    name, *parameters = (str(token) for token in tree.scan_values(_anything))
    model = layout.unlisted[row] if name == UNLISTED_MODEL else name
    return model, tuple(float(word) if is_number(word) else word for word in parameters)


_STATEMENT_TYPES: dict[str, Any] = {kind.__name__: kind for kind in get_args(st.Statement)}


def _encode(statement: st.Statement) -> list[Any]:
    """Return a statement as JSON data."""
    kind = type(statement).__name__
    if isinstance(statement, st.DecayBlock):
        channels = [
            [getattr(channel, key) for key in st.DecayLine.__slots__]
            for channel in statement.channels
        ]
        return [kind, statement.line, statement.name, channels]
    return [kind, *(getattr(statement, key) for key in type(statement).__slots__)]


def _decode(entry: list[Any]) -> st.Statement:
    """Return the statement that `_encode` wrote."""
    kind, *values = entry
    if kind == "DecayBlock":
        line, name, channels = values
        return st.DecayBlock(line, name, tuple(_decode_channel(channel) for channel in channels))
    statement: st.Statement = _STATEMENT_TYPES[kind](*(_frozen(value) for value in values))
    return statement


def _decode_channel(values: list[Any]) -> st.DecayLine:
    """Return one channel from JSON data."""
    line, fraction, daughters, photos, model, parameters = values
    return st.DecayLine(line, fraction, tuple(daughters), photos, model, tuple(parameters))


def _frozen(value: Any) -> Any:
    """Return JSON data with tuples for lists."""
    return tuple(_frozen(item) for item in value) if isinstance(value, list) else value
