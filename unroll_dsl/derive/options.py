"""What a user says about a derivation, read before a method sees it: formulas, names, splittings."""

from __future__ import annotations

from collections.abc import Iterator

from unroll_dsl.derive.errors import OptionRefused
from unroll_dsl.derive.model import Options
from unroll_dsl.derive.setting import Setting
from unroll_dsl.diagnostics.raised import InternalError
from unroll_dsl.semantics.scopes import RESERVED
from unroll_dsl.syntax import nodes as n
from unroll_dsl.syntax.templates import template


def formula(text: str) -> n.Expr | None:
    """The tree of a formula; None if it is none."""
    try:
        return template(text.strip())
    except InternalError:
        return None


def is_name(text: str) -> bool:
    """Whether a text may name something on a page."""
    return isinstance(formula(text), n.Name) and text not in RESERVED


def splitting(text: str) -> tuple[str, n.Expr] | None:
    """`z = D @ x` as its name and its map at the variable; None if it is not of this form."""
    word, _, right = text.partition("=")
    expr = formula(right)
    return (word.strip(), expr) if expr is not None and is_name(word.strip()) else None


def unreadable(setting: Setting, options: Options) -> Iterator[OptionRefused]:
    """Options that are no formulas, no names, or names that the problem has already."""
    place = setting.variable.span
    if options.name is not None and not is_name(options.name):
        words = "it is no name"
        yield OptionRefused(f"--name {options.name}", words, place, "letters, digits and `_`")
    formulas = [("--start", options.start), ("--give", options.output)]
    formulas += [(f"--value {word}=", value) for word, value in options.values.items()]
    for option, text in formulas:
        if text is not None and formula(text) is None:
            gap = "" if option.endswith("=") else " "
            yield OptionRefused(f"{option}{gap}{text}", "it is no formula", place)
    seen: set[str] = set()
    for text in options.split:
        if (split := splitting(text)) is None:
            yield OptionRefused(
                f"--split {text}", "it is no splitting", place, "write `z = D @ x` or `z = x`"
            )
        elif split[0] in setting.taken | seen:
            yield _taken(f"--split {text}", split[0], setting)
        seen |= {split[0]} if split is not None else set()
    for role, word in options.letters.items():
        option = f"--letter {role}={word}"
        if not is_name(word):
            yield OptionRefused(option, "it is no name", place, "letters, digits and `_`")
        elif word in setting.taken:
            yield _taken(option, word, setting)


def _taken(option: str, word: str, setting: Setting) -> OptionRefused:
    return OptionRefused(
        option, f"there is a `{word}` already", setting.variable.span, "take another name"
    )
