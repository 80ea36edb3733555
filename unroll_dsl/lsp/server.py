"""The server: which requests are answered, and what is told of by itself."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from lsprotocol import types
from pygls.lsp.server import LanguageServer

from unroll_dsl.lsp import answers
from unroll_dsl.lsp.session import Session
from unroll_dsl.version import VERSION

_ANSWERS: tuple[tuple[str, answers.Answer, Any], ...] = (
    (types.TEXT_DOCUMENT_HOVER, answers.hover, None),
    (
        types.TEXT_DOCUMENT_COMPLETION,
        answers.completions,
        types.CompletionOptions(trigger_characters=["(", "[", "=", "~", ":", ">"]),
    ),
    (types.TEXT_DOCUMENT_DEFINITION, answers.definition, None),
    (types.TEXT_DOCUMENT_REFERENCES, answers.references, None),
    (types.TEXT_DOCUMENT_DOCUMENT_HIGHLIGHT, answers.highlights, None),
    (types.TEXT_DOCUMENT_DOCUMENT_SYMBOL, answers.symbols, None),
    (types.TEXT_DOCUMENT_INLAY_HINT, answers.hints, None),
    (types.TEXT_DOCUMENT_FORMATTING, answers.formatting, None),
    (types.TEXT_DOCUMENT_PREPARE_RENAME, answers.prepare_rename, None),
    (types.TEXT_DOCUMENT_RENAME, answers.rename, types.RenameOptions(prepare_provider=True)),
    (
        types.TEXT_DOCUMENT_CODE_ACTION,
        answers.code_actions,
        types.CodeActionOptions(code_action_kinds=[types.CodeActionKind.QuickFix]),
    ),
)


def language_server() -> LanguageServer:
    """A server of pages. Documents are sent as a whole: pages are small, and no two sides can come to count the lines
    of one differently."""
    server = LanguageServer(
        "unroll", VERSION, text_document_sync_kind=types.TextDocumentSyncKind.Full
    )
    session = Session(server)
    for method, answer, options in _ANSWERS:
        server.feature(method, options)(_bound(session, answer))

    def did_open(params: types.DidOpenTextDocumentParams) -> None:
        session.changed(params.text_document.uri, 0)

    def did_change(params: types.DidChangeTextDocumentParams) -> None:
        session.changed(params.text_document.uri)

    def did_close(params: types.DidCloseTextDocumentParams) -> None:
        session.closed(params.text_document.uri)

    server.feature(types.TEXT_DOCUMENT_DID_OPEN)(did_open)
    server.feature(types.TEXT_DOCUMENT_DID_CHANGE)(did_change)
    server.feature(types.TEXT_DOCUMENT_DID_CLOSE)(did_close)
    return server


def _bound(session: Session, answer: answers.Answer) -> Callable[[Any], Awaitable[Any]]:
    async def handler(params: Any) -> Any:
        return await answer(session, params)

    return handler
