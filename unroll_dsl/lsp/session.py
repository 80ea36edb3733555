"""What a server keeps: a page for each open document, checked in a thread of its own, and when its mistakes are told."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TypeVar
from urllib.parse import unquote, urlsplit

from lsprotocol import types
from pygls.lsp.server import LanguageServer

from unroll_dsl.editor import OpenPage, open_page
from unroll_dsl.lsp.places import Columns, Units
from unroll_dsl.lsp.told import told

T = TypeVar("T")
PAUSE = 0.2  # seconds without a key before mistakes are told
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class OpenDocument:
    """A document as it was when it was asked about."""

    uri: str
    version: int | None
    page: OpenPage
    places: Columns


@dataclass(frozen=True, slots=True)
class _Checked:
    text: str
    page: asyncio.Future[OpenPage]


class Session:
    """One client and its open documents. All is called on the loop; pages are checked in one thread, the newest text
    of a document only."""

    def __init__(self, server: LanguageServer) -> None:
        self.server = server
        self._thread = ThreadPoolExecutor(1, "pages")
        self._checked: dict[str, _Checked] = {}
        self._telling: dict[str, asyncio.Task[None]] = {}

    @property
    def units(self) -> Units:
        """What columns count: what client and server have agreed on."""
        encoding = self.server.workspace.position_encoding
        return Units(str(getattr(encoding, "value", encoding) or "utf-16"))

    async def document(self, uri: str) -> OpenDocument | None:
        """An open document, checked; None where it is not open. Cancelled as soon as there is a newer text of it."""
        held = self.server.workspace.text_documents.get(uri)
        if held is None:
            return None
        text, version = held.source, held.version
        known = self._checked.get(uri)
        if known is None or known.text != text:
            if known is not None:
                known.page.cancel()
            loop = asyncio.get_running_loop()
            future = loop.run_in_executor(self._thread, open_page, text, _name(uri))
            known = self._checked[uri] = _Checked(text, future)
        page = await asyncio.shield(known.page)
        return OpenDocument(uri, version, page, Columns(text, self.units))

    async def aside(self, work: Callable[..., T], *given: object) -> T:
        """What a function makes of its arguments, computed in the thread of pages."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, work, *given)

    # ---- mistakes -------------------------------------------------------------------------------

    def changed(self, uri: str, pause: float = PAUSE) -> None:
        """A document has a new text: its mistakes are told when nothing has been typed for a while."""
        waiting = self._telling.pop(uri, None)
        if waiting is not None:
            waiting.cancel()
        self._telling[uri] = asyncio.ensure_future(self._tell(uri, pause))

    def closed(self, uri: str) -> None:
        """A document is closed: its mistakes are taken back."""
        waiting = self._telling.pop(uri, None)
        if waiting is not None:
            waiting.cancel()
        known = self._checked.pop(uri, None)
        if known is not None:
            known.page.cancel()
        self._publish(uri, None, [])

    async def _tell(self, uri: str, pause: float) -> None:
        await asyncio.sleep(pause)
        version = None
        try:
            document = await self.document(uri)
            if document is None:
                return
            version = document.version
            found = await self.aside(told, document.page, document.places, uri)
        except (
            Exception
        ) as fault:  # of the compiler: an editor has to go on, and its user to be told
            _LOG.exception("a fault of the compiler")
            found = [_fault(fault)]
        self._publish(uri, version, found)

    def _publish(self, uri: str, version: int | None, found: list[types.Diagnostic]) -> None:
        self.server.text_document_publish_diagnostics(
            types.PublishDiagnosticsParams(uri=uri, version=version, diagnostics=found)
        )


def _fault(fault: Exception) -> types.Diagnostic:
    start = types.Position(0, 0)
    words = f"a fault of the compiler, not of the page: {type(fault).__name__}: {fault}"
    return types.Diagnostic(
        range=types.Range(start, start),
        message=words,
        severity=types.DiagnosticSeverity.Warning,
        source="unroll",
    )


def _name(uri: str) -> str:
    """The name of a document in messages: that of its file."""
    name = PurePosixPath(unquote(urlsplit(uri).path)).name
    return name if name.endswith(".unroll") else f"{name or 'page'}.unroll"
