"""What a name stands for, in words and as Markdown."""

from __future__ import annotations

from functools import cache

from unroll_dsl.editor.names import LIBRARY, OUTPUT, SIZE, Referent, whole
from unroll_dsl.editor.page import OpenPage
from unroll_dsl.editor.words import meaning
from unroll_dsl.semantics.layers import ACTIVATIONS
from unroll_dsl.semantics.model import Sort
from unroll_dsl.syntax import nodes as n
from unroll_dsl.types import UNKNOWN, Array, Type, Unknown
from unroll_dsl.types.steps import KINDS, Kind, Takes
from unroll_dsl.typeset.manual import ManualEntry, entries

_EXPLAINED = {
    Sort.DIMENSION.value: "a size of the page",
    Sort.INPUT.value: "given at every call",
    Sort.FIXED.value: "bound when the network is made",
    Sort.LEARNABLE.value: "learned",
    Sort.LET.value: "follows from others",
    Sort.STATE.value: "updated in each phase",
    Sort.INNER.value: "starts anew in each phase",
    Sort.LOCAL.value: "computed anew in each phase",
    Sort.TRACE.value: "kept in each phase for the loss",
    Sort.TARGET.value: "what is to be found",
    Sort.VARIABLE.value: "what the objective is minimised over",
    Sort.ARGUMENT.value: "of whatever type it is given",
    SIZE: "chosen where the block is used",
    OUTPUT: "what the network gives",
}


def type_of(page: OpenPage, referent: Referent) -> Type | None:
    """The type of a name; None of what has none: sizes, functions, parameters."""
    typed = page.typed
    if typed is None:
        return None
    symbol = typed.symbols.get(referent.name)
    if symbol is not None and symbol.span == referent.span and symbol.type is not None:
        return symbol.type
    if referent.value is not None:
        return typed.types.get(referent.value, UNKNOWN)
    return None if referent.type is None else typed.spaces.get(referent.type, UNKNOWN)


def shown_type(page: OpenPage, referent: Referent) -> str | None:
    """The type of a name as text; None where none is known."""
    type_ = type_of(page, referent)
    return None if type_ is None or isinstance(type_, Unknown) else str(type_)


def described(page: OpenPage, referent: Referent) -> str:
    """All that is told of a name, as Markdown."""
    if referent.is_own:
        return _own(page, referent)
    entry = manual().get(referent.name)
    if entry is not None and referent.sort == LIBRARY:
        return described_entry(entry)
    return _word(referent)


def headline(page: OpenPage, referent: Referent) -> str:
    """What a name is, on one line: `learnable t : scalar`."""
    match referent.definer:
        case n.Definition(_, parameters) if referent.sort == Sort.DEFINITION.value:
            return f"def {referent.name}({', '.join(p.name.text for p in parameters)})"
        case n.BlockDefinition(_, sizes, parameters) if referent.sort == Sort.BLOCK.value:
            own = f"[{', '.join(size.text for size in sizes)}]" if sizes else ""
            return f"def block {referent.name}{own}({', '.join(p.name.text for p in parameters)})"
        case n.Dimension(_, default) if default is not None:
            return f"dims {referent.name} = {default.span.text}"
    type_ = shown_type(page, referent)
    word = {Sort.DIMENSION.value: "dims", Sort.FIXED.value: "fixed"}.get(
        referent.sort, referent.sort
    )
    return f"{word} {referent.name}" + (f" : {type_}" if type_ else "")


def _own(page: OpenPage, referent: Referent) -> str:
    parts = [_code(headline(page, referent)), *_facts(page, referent)]
    comment = getattr(referent.definer, "comment", "")
    if comment and not isinstance(referent.definer, n.Repeat):
        parts.append(comment)
    match referent.definer:
        case n.Definition() | n.BlockDefinition() if referent.sort in (
            Sort.DEFINITION.value,
            Sort.BLOCK.value,
        ):
            parts.append(_code(whole(referent.definer).text.rstrip()))
    return "\n\n".join(parts)


def _facts(page: OpenPage, referent: Referent) -> list[str]:
    words = [_EXPLAINED[referent.sort]] if referent.sort in _EXPLAINED else []
    definer = referent.definer
    if isinstance(definer, n.Declaration):
        if definer.sharing is n.Sharing.PER_PHASE:
            words.append("a value for each phase")
        elif definer.role is n.Role.LEARNABLE:
            words.append("shared by all phases")
        if definer.per_step:
            words.append("a value for each step of an inner loop")
        if definer.bounds is not None:
            words.append(f"`{definer.bounds.span.text.strip()}`")
        if definer.value is not None:
            words.append(f"by default `{' '.join(definer.value.span.text.split())}`")
    elif isinstance(definer, n.State) and definer.value is not None:
        words.append(f"starts at `{' '.join(definer.value.span.text.split())}`")
    elif isinstance(definer, n.Let):
        words.append(f"`{' '.join(definer.value.span.text.split())}`")
    sizes = _sizes(page, referent)
    if sizes:
        words.append(sizes)
    return ["; ".join(words)] if words else []


def _sizes(page: OpenPage, referent: Referent) -> str:
    """The sizes in its type that have a default."""
    type_, typed = type_of(page, referent), page.typed
    if typed is None or not isinstance(type_, Array):
        return ""
    defaults = {name: value for name, value in typed.dims if value is not None}
    named = [name for name in defaults if any(name in d.symbols for d in type_.shape)]
    return ", ".join(f"{name} = {defaults[name]}" for name in named)


# ---- what the language brings -------------------------------------------------------------------


@cache
def manual() -> dict[str, ManualEntry]:
    """What docs/functions.md says of each function, map and form, by the name that a page writes."""
    written = {"maximum": "max", "minimum": "min"}
    found: dict[str, ManualEntry] = {}
    for entry in entries():
        found.setdefault(written.get(entry.name, entry.name), entry)
    return found


def described_entry(entry: ManualEntry) -> str:
    parts = [_code(entry.signature), entry.summary]
    if entry.formula:
        parts.append(entry.formula)
    parts += [f"{words}: {said}" for words, said in entry.facts]
    return "\n\n".join(parts)


def _word(referent: Referent) -> str:
    word = referent.name
    return described_word(word) or "\n\n".join([_code(word), f"A {referent.sort}."])


def described_word(word: str) -> str | None:
    """What a word of the language means, as Markdown; None where it is none."""
    if word in KINDS:
        return "\n\n".join([_code(layer_signature(KINDS[word])), "A layer."])
    if word in ACTIVATIONS:
        return "\n\n".join(
            [_code(word), "An activation, elementwise; a step of a chain of layers."]
        )
    words = meaning(word)
    return None if words is None else "\n\n".join([_code(word), words])


def layer_signature(kind: Kind) -> str:
    """`conv[in -> out, size, bias, stride=...]`, what stands in the brackets of a kind of layer."""
    words = ["in -> out"] if kind.arrow else []
    if kind.takes is Takes.WHOLE:
        words.append("size" if kind.arrow else "number")
    elif kind.takes is Takes.SHARE:
        words.append("share")
    words += [*kind.flags, *(f"{option}=..." for option in kind.options)]
    return f"{kind.name}[{', '.join(words)}]" if words else kind.name


def _code(text: str) -> str:
    return f"```unroll\n{text}\n```"
