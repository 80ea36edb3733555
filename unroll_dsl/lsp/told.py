"""What the editor's features give, in the types of the protocol."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence

from lsprotocol import types

from unroll_dsl.diagnostics.model import Diagnostic
from unroll_dsl.editor import Completion, Edit, OpenPage, OutlineEntry
from unroll_dsl.lsp.places import Columns
from unroll_dsl.resources import grammar_path
from unroll_dsl.source import Span

_KINDS = types.CompletionItemKind
_COMPLETIONS = {
    "keyword": _KINDS.Keyword,
    "function": _KINDS.Function,
    "linear map": _KINDS.Function,
    "block": _KINDS.Class,
    "layer": _KINDS.Class,
    "activation": _KINDS.Function,
    "constant": _KINDS.Constant,
    "fixed value": _KINDS.Constant,
    "dimension": _KINDS.TypeParameter,
    "size of a block": _KINDS.TypeParameter,
    "option": _KINDS.Property,
    "word": _KINDS.EnumMember,
    "space": _KINDS.Struct,
    "random start": _KINDS.Function,
    "input": _KINDS.Interface,
    "learnable": _KINDS.Field,
}
_SYMBOLS = {
    "function": types.SymbolKind.Function,
    "block": types.SymbolKind.Class,
    "dimension": types.SymbolKind.TypeParameter,
    "input": types.SymbolKind.Interface,
    "fixed value": types.SymbolKind.Constant,
    "learnable": types.SymbolKind.Field,
    "update": types.SymbolKind.Event,
}


def range_of(span: Span, places: Columns) -> types.Range:
    """A place of the document's own text."""
    return types.Range(
        types.Position(*places.place(span.start)), types.Position(*places.place(span.end))
    )


def location(span: Span, page: OpenPage, places: Columns, uri: str) -> types.Location:
    """A place of the page, or of the prelude that comes along."""
    if span.file is page.file:
        return types.Location(uri, range_of(span, places))
    prelude = grammar_path("prelude.unroll").as_uri()
    return types.Location(prelude, range_of(span, Columns(span.file.text)))


def text_edits(edits: Iterable[Edit], places: Columns) -> list[types.TextEdit]:
    return [types.TextEdit(range_of(edit.span, places), edit.text) for edit in edits]


# ---- mistakes -----------------------------------------------------------------------------------


def told(page: OpenPage, places: Columns, uri: str) -> list[types.Diagnostic]:
    """All that is reported of a page."""
    return [diagnostic(each, page, places, uri) for each in page.diagnostics]


def diagnostic(each: Diagnostic, page: OpenPage, places: Columns, uri: str) -> types.Diagnostic:
    labels = each.labels()
    words = [each.message()]
    if labels and labels[0].text:
        words.append(labels[0].text)
    help_ = each.help()
    if help_:
        words.append(f"help: {help_}")
    related = [
        types.DiagnosticRelatedInformation(location(x.span, page, places, uri), x.text)
        for x in labels[1:]
        if x.text
    ]
    severity = types.DiagnosticSeverity
    return types.Diagnostic(
        range=shown_range(labels[0].span if labels else None, page, places),
        message="\n".join(words),
        severity=severity.Error if each.is_error else severity.Warning,
        code=each.code,
        source="unroll",
        related_information=related or None,
        tags=[types.DiagnosticTag.Unnecessary] if each.code == "W0401" else None,
    )


def shown_range(span: Span | None, page: OpenPage, places: Columns) -> types.Range:
    """Where a mistake is underlined: a place without length is widened to a character that can be seen."""
    if span is None or span.file is not page.file:
        return types.Range(types.Position(0, 0), types.Position(0, 0))
    start, end = span.start, span.end
    text = page.text
    if start == end and end < len(text) and text[end] not in "\r\n":
        end += 1
    elif start == end and start > 0 and text[start - 1] not in "\r\n":
        start -= 1
    return range_of(Span(span.file, start, end), places)


# ---- completion, outline, formatting ------------------------------------------------------------


def completion(each: Completion, places: Columns, *, snippets: bool) -> types.CompletionItem:
    with_places = each.is_snippet and snippets
    text = each.insert if with_places else without_places(each.insert)
    formats = types.InsertTextFormat
    about = types.MarkupContent(types.MarkupKind.Markdown, each.about) if each.about else None
    return types.CompletionItem(
        label=each.label,
        kind=_COMPLETIONS.get(each.sort, _KINDS.Variable),
        detail=each.detail or each.sort,
        documentation=about,
        sort_text=f"{each.rank}{each.label}",
        filter_text=each.label,
        insert_text_format=formats.Snippet if with_places else formats.PlainText,
        text_edit=types.TextEdit(range_of(each.span, places), text),
    )


def without_places(snippet: str) -> str:
    """What a snippet inserts where the editor knows none: the words of its places, up to the first empty one."""
    plain = ""
    at = 0
    while at < len(snippet):
        if snippet[at] != "$":
            plain += snippet[at]
            at += 1
        elif snippet[at + 1 : at + 2] == "{":
            end = snippet.index("}", at)
            plain += snippet[at + 2 : end].partition(":")[2]
            at = end + 1
        else:
            at += 2
    return plain


def symbol(entry: OutlineEntry, places: Columns) -> types.DocumentSymbol:
    return types.DocumentSymbol(
        name=entry.name,
        kind=_SYMBOLS.get(entry.sort, types.SymbolKind.Variable)
        if entry.sort != "block" or entry.detail.startswith("def block")
        else types.SymbolKind.Namespace,
        range=range_of(entry.span, places),
        selection_range=range_of(entry.name_span, places),
        detail=entry.detail or None,
        children=[symbol(child, places) for child in entry.children] or None,
    )


def line_edits(before: str, after: str, places: Columns) -> list[types.TextEdit]:
    """The edits that make one text of another, whole lines each."""
    old, new = before.splitlines(keepends=True), after.splitlines(keepends=True)
    starts = _starts(old)
    edits = []
    for tag, i, j, a, b in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag != "equal":
            begin = types.Position(*places.place(starts[i]))
            end = types.Position(*places.place(starts[j]))
            edits.append(types.TextEdit(types.Range(begin, end), "".join(new[a:b])))
    return edits


def _starts(lines: Sequence[str]) -> list[int]:
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line))
    return starts
