"""The patterns of a page's parts, in the order in which they are tried.

A word that begins a statement is a keyword there alone; elsewhere it is a name like any other, as in the grammar. Patterns are such as
Python and Oniguruma, which editors use, read alike; `^` is the beginning of a line.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

from unroll_dsl.driver import prelude
from unroll_dsl.operators.model import LinearOperator
from unroll_dsl.operators.random_init import RANDOM
from unroll_dsl.operators.registry import linear_operators, names
from unroll_dsl.semantics.layers import ACTIVATIONS
from unroll_dsl.semantics.scopes import RESERVED
from unroll_dsl.syntax.blocks import STATEMENT_WORDS
from unroll_dsl.syntax.nodes import Definition
from unroll_dsl.syntax.parse_tables import load_tables
from unroll_dsl.types.steps import KINDS


class Colour(Enum):
    """What a piece of a page is, with the name that TextMate's themes colour it by."""

    COMMENT = "comment.line.number-sign"
    STATEMENT = "keyword.control"
    MODIFIER = "keyword.other"
    TYPE = "storage.type"
    LAYER = "support.class"
    FUNCTION = "support.function"
    CALLED = "entity.name.function"
    TITLE = "entity.name.section"
    CONSTANT = "constant.language"
    OPTION = "variable.parameter"
    NAME = "variable.other"
    NUMBER = "constant.numeric"
    WORD_OPERATOR = "keyword.operator.word"
    OPERATOR = "keyword.operator"
    PUNCTUATION = "punctuation"


@dataclass(frozen=True, slots=True)
class ColourRule:
    """A pattern, and what its groups are: the first is `parts[0]`, and so on. Without groups it is all `parts[0]`."""

    pattern: str
    parts: tuple[Colour, ...]

    @property
    def has_groups(self) -> bool:
        return re.compile(self.pattern).groups > 0


@dataclass(frozen=True, slots=True)
class Patterns:
    """The rules of a page; `bracketed` come first within brackets, where `name=` is an option."""

    rules: tuple[ColourRule, ...]
    bracketed: tuple[ColourRule, ...]
    opening: str
    closing: str


NAME = r"[^\W\d][\w\u0300-\u036f]*"
SPACES = ("scalar", "vector", "matrix", "tensor", "image", "mask")
_TYPE_WORDS = ("complex", "linear", "network", "conv")
_MODIFIERS = ("shared", "over")
_OPERATORS = ("and", "or", "not", "in")
_CONSTANTS = ("I", "pi", "k")
_PUNCTUATION = (",", ":", "(", ")", "[", "]")


def statements() -> tuple[str, ...]:
    """The words that begin a line: of the grammar all but those of types, operators and what follows a type."""
    others = {*_TYPE_WORDS, *_MODIFIERS, *_OPERATORS}
    found = tuple(word for word in load_tables().words if word not in others)
    assert set(STATEMENT_WORDS) <= set(found)
    return found


def functions() -> tuple[str, ...]:
    """All that a page may call: records, forms, the prelude."""
    own = [s.name.text for s in prelude().statements if isinstance(s, Definition)]
    forms = [word for word in RESERVED if word not in _CONSTANTS]
    return tuple(sorted({*names(), *own, *forms}))


def bare_maps() -> tuple[str, ...]:
    """The linear maps that stand without brackets: `fft2 @ x`."""
    return tuple(sorted(r.name for r in linear_operators() if _is_bare(r)))


def _is_bare(record: LinearOperator) -> bool:
    return all(p.optional or p.default is not None for p in record.parameters)


def any_of(words: Iterable[str]) -> str:
    """A pattern of any of some words, the longest first."""
    return "(?:" + "|".join(sorted(words, key=lambda w: (-len(w), w))) + ")"


def patterns() -> Patterns:
    """The table."""
    tables = load_tables()
    terminals = dict(tables.patterns)
    pairs = any_of(_spaced(word) for word in ("per phase", "per step", "sum over phases"))
    words = [word for word in statements() if word not in ("algorithm", "problem", "def")]
    layers = any_of({*KINDS, *ACTIVATIONS})
    spaces = any_of(SPACES)
    marks = sorted((text for _, text in tables.marks), key=len, reverse=True)
    operators = "|".join(re.escape(mark) for mark in marks if mark not in _PUNCTUATION)
    # what may stand behind a type
    ahead = r"(?=[ \t]*(?:\[|->|[=~<>,:)#]|$|in\b|per\b|shared\b))"
    rules = (
        ColourRule(r"#.*$", (Colour.COMMENT,)),
        ColourRule(
            rf"^[ \t]*(algorithm|problem)\b[ \t]*({NAME})?", (Colour.STATEMENT, Colour.TITLE)
        ),
        ColourRule(
            rf"^[ \t]*(def)[ \t]+(?:(block)[ \t]+(?={NAME}))?({NAME})",
            (Colour.STATEMENT, Colour.STATEMENT, Colour.CALLED),
        ),
        ColourRule(r"^[ \t]*(minimize)[ \t]+(over)\b", (Colour.STATEMENT, Colour.MODIFIER)),
        ColourRule(rf"^[ \t]*({any_of(words)})\b(?![ \t]*(?:=(?!=)|<-|,))", (Colour.STATEMENT,)),
        ColourRule(rf"\b{pairs}\b", (Colour.MODIFIER,)),
        ColourRule(r"(?<=[\w\])])[ \t]+(shared)\b", (Colour.MODIFIER,)),
        *(
            ColourRule(
                rf"({sign})[ \t]*(linear|network)?\b[ \t]*(complex)?\b[ \t]*({spaces})\b{ahead}",
                (part, Colour.TYPE, Colour.TYPE, Colour.TYPE),
            )
            for sign, part in ((":", Colour.PUNCTUATION), ("->", Colour.OPERATOR))
        ),
        ColourRule(
            rf"(,)[ \t]*(complex)?\b[ \t]*({spaces})\b(?=[^=\n]*->)",
            (Colour.PUNCTUATION, Colour.TYPE, Colour.TYPE),
        ),
        ColourRule(rf"\b{layers}\b(?=[ \t]*(?:\[|>>))", (Colour.LAYER,)),
        ColourRule(rf"(:)[ \t]*({layers})\b(?![ \t]*\()", (Colour.PUNCTUATION, Colour.LAYER)),
        ColourRule(rf"(>>)[ \t]*({layers})\b(?![ \t]*\()", (Colour.OPERATOR, Colour.LAYER)),
        ColourRule(rf"(~)[ \t]*({any_of(RANDOM)})\b", (Colour.OPERATOR, Colour.FUNCTION)),
        ColourRule(rf"\b{any_of(_OPERATORS)}\b", (Colour.WORD_OPERATOR,)),
        ColourRule(rf"\b{any_of(functions())}\b(?=[ \t]*\()", (Colour.FUNCTION,)),
        ColourRule(rf"\b{any_of(bare_maps())}\b(?![ \t]*(?:=(?!=)|<-|:|,))", (Colour.FUNCTION,)),
        ColourRule(rf"\b{any_of(_CONSTANTS)}\b", (Colour.CONSTANT,)),
        ColourRule(rf"{NAME}(?=[ \t]*\()", (Colour.CALLED,)),
        ColourRule(NAME, (Colour.NAME,)),
        ColourRule(terminals["IMAGINARY"], (Colour.NUMBER,)),
        ColourRule(terminals["NUMBER"], (Colour.NUMBER,)),
        ColourRule(operators, (Colour.OPERATOR,)),
        ColourRule(r"[,:()\[\]]", (Colour.PUNCTUATION,)),
    )
    option = ColourRule(rf"{NAME}(?=[ \t]*=(?!=))", (Colour.OPTION,))
    return Patterns(rules, (option,), r"[(\[]", r"[)\]]")


def _spaced(words: str) -> str:
    return words.replace(" ", r"[ \t]+")
