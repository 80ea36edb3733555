"""The requests of the protocol that are answered, each by a feature of `editor/`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from lsprotocol import types
from pygls.exceptions import JsonRpcInvalidParams

from unroll_dsl import editor
from unroll_dsl.diagnostics.raised import UnrollError
from unroll_dsl.lsp.session import OpenDocument, Session
from unroll_dsl.lsp.told import (
    completion,
    diagnostic,
    line_edits,
    location,
    range_of,
    shown_range,
    symbol,
    text_edits,
)
from unroll_dsl.syntax.formatting import formatted

Answer = Callable[[Session, Any], Awaitable[Any]]
_MOST = 20  # mistakes of one place for which mends are looked for


async def _at(session: Session, params: Any) -> tuple[OpenDocument, int] | None:
    """The document that a request is about, and the offset in it."""
    document = await session.document(params.text_document.uri)
    if document is None:
        return None
    return document, document.places.offset(params.position.line, params.position.character)


async def hover(session: Session, params: types.HoverParams) -> types.Hover | None:
    asked = await _at(session, params)
    if not asked:
        return None
    found = await session.aside(editor.hover, asked[0].page, asked[1])
    if found is None:
        return None
    words = types.MarkupContent(types.MarkupKind.Markdown, found.text)
    return types.Hover(words, range_of(found.span, asked[0].places))


async def completions(session: Session, params: types.CompletionParams) -> types.CompletionList:
    asked = await _at(session, params)
    if not asked:
        return types.CompletionList(is_incomplete=False, items=[])
    document, offset = asked
    found = await session.aside(editor.completions, document.page, offset)
    snippets = _knows_snippets(session.server.client_capabilities)
    items = [completion(each, document.places, snippets=snippets) for each in found]
    return types.CompletionList(is_incomplete=False, items=items)


def _knows_snippets(client: types.ClientCapabilities) -> bool:
    document = client.text_document
    item = document and document.completion and document.completion.completion_item
    return bool(item and item.snippet_support)


async def definition(session: Session, params: types.DefinitionParams) -> types.Location | None:
    asked = await _at(session, params)
    span = asked and editor.declaration(asked[0].page, asked[1])
    if not asked or span is None:
        return None
    return location(span, asked[0].page, asked[0].places, asked[0].uri)


async def references(session: Session, params: types.ReferenceParams) -> list[types.Location]:
    asked = await _at(session, params)
    if not asked:
        return []
    document, offset = asked
    declared = params.context.include_declaration
    spans = editor.references(document.page, offset, declared=declared)
    return [location(s, document.page, document.places, document.uri) for s in spans]


async def highlights(
    session: Session, params: types.DocumentHighlightParams
) -> list[types.DocumentHighlight]:
    asked = await _at(session, params)
    if not asked:
        return []
    spans = editor.references(asked[0].page, asked[1])
    return [types.DocumentHighlight(range_of(span, asked[0].places)) for span in spans]


async def symbols(
    session: Session, params: types.DocumentSymbolParams
) -> list[types.DocumentSymbol]:
    document = await session.document(params.text_document.uri)
    if document is None:
        return []
    entries = await session.aside(editor.outline, document.page)
    return [symbol(entry, document.places) for entry in entries]


async def hints(session: Session, params: types.InlayHintParams) -> list[types.InlayHint]:
    document = await session.document(params.text_document.uri)
    if document is None:
        return []
    start, end = _offsets(document, params.range)
    return [
        types.InlayHint(
            position=types.Position(*document.places.place(hint.offset)),
            label=hint.text,
            kind=types.InlayHintKind.Type,
        )
        for hint in editor.hints(document.page, start, end)
    ]


def _offsets(document: OpenDocument, range_: types.Range) -> tuple[int, int]:
    places = document.places
    return (
        places.offset(range_.start.line, range_.start.character),
        places.offset(range_.end.line, range_.end.character),
    )


# ---- changes ------------------------------------------------------------------------------------


async def formatting(
    session: Session, params: types.DocumentFormattingParams
) -> list[types.TextEdit] | None:
    """None of a page that cannot be read: its mistakes are told where they are."""
    document = await session.document(params.text_document.uri)
    if document is None:
        return None
    try:
        text = await session.aside(formatted, document.page.file)
    except UnrollError:
        return None
    return line_edits(document.page.text, text, document.places)


async def prepare_rename(session: Session, params: types.PrepareRenameParams) -> types.Range | None:
    asked = await _at(session, params)
    span = asked and editor.renameable(asked[0].page, asked[1])
    return range_of(span, asked[0].places) if asked and span is not None else None


async def rename(session: Session, params: types.RenameParams) -> types.WorkspaceEdit | None:
    asked = await _at(session, params)
    if not asked:
        return None
    document, offset = asked
    try:
        edits = await session.aside(editor.rename, document.page, offset, params.new_name)
    except editor.CannotRename as refused:
        raise JsonRpcInvalidParams(str(refused)) from refused
    return types.WorkspaceEdit(changes={document.uri: text_edits(edits, document.places)})


async def code_actions(session: Session, params: types.CodeActionParams) -> list[types.CodeAction]:
    only = params.context.only
    document = await session.document(params.text_document.uri)
    quick = types.CodeActionKind.QuickFix
    if document is None or (only and not any(quick.value.startswith(str(_value(k))) for k in only)):
        return []
    return await session.aside(_mends, document, params.range)


def _value(kind: Any) -> Any:
    return getattr(kind, "value", kind)


def _mends(document: OpenDocument, range_: types.Range) -> list[types.CodeAction]:
    """The mends of the mistakes that a range touches."""
    found: list[types.CodeAction] = []
    page, places, uri = document.page, document.places, document.uri
    touched = []
    for each in page.diagnostics:
        labels = each.labels()
        where = shown_range(labels[0].span if labels else None, page, places)
        if _before(where.start, range_.end) and _before(range_.start, where.end):
            touched.append(each)
    for each in touched[:_MOST]:
        offered = editor.fixes(page, each)
        for fix in offered:
            edit = types.WorkspaceEdit(changes={uri: text_edits(fix.edits, places)})
            found.append(
                types.CodeAction(
                    title=fix.title,
                    kind=types.CodeActionKind.QuickFix,
                    diagnostics=[diagnostic(each, page, places, uri)],
                    edit=edit,
                    is_preferred=len(offered) == 1 or None,
                )
            )
    return found


def _before(first: types.Position, second: types.Position) -> bool:
    return (first.line, first.character) <= (second.line, second.character)
