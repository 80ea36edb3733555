"""`unroll lsp` as an editor uses it: over its standard streams, with a client of pytest-lsp."""

from __future__ import annotations

import asyncio
import os
import sys
from collections import defaultdict, deque
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

REASON = "needs the extras `lsp` and `test`: pygls and pytest-lsp"
pytest.importorskip("pygls", reason=REASON)
pytest_lsp = pytest.importorskip("pytest_lsp", reason=REASON)

from lsprotocol import types  # noqa: E402
from pygls.exceptions import JsonRpcException  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]
PAGE = """\
algorithm 𝒜ista   # 𝒜
dims m, n
input y : vector[m]
fixed A : matrix[m, n]
let L = norm(A)^2
state x : vector[n] = 0
phase (3):
    r = A @ x - y
    x <- soft(x - A' @ r / L, 0.1)
output x
"""
CONFIG = pytest_lsp.ClientServerConfig(
    server_command=[sys.executable, "-m", "unroll_dsl", "lsp", "--stdio"],
    server_env=os.environ | {"PYTHONPATH": str(ROOT)},
)


@pytest_lsp.fixture(config=CONFIG, scope="module")
async def client(lsp_client: pytest_lsp.LanguageClient) -> AsyncIterator[None]:
    capabilities = pytest_lsp.client_capabilities("visual-studio-code")
    capabilities.general.position_encodings = None
    lsp_client.diagnostics = Told()
    await lsp_client.initialize_session(types.InitializeParams(capabilities=capabilities))
    yield
    await lsp_client.shutdown_session()


pytestmark = pytest.mark.asyncio(loop_scope="module")


class Told(dict[str, Any]):
    """What a client keeps of mistakes, and what has been told of each document, in order."""

    def __init__(self) -> None:
        super().__init__()
        self.told: dict[str, deque[list[types.Diagnostic]]] = defaultdict(deque)

    def __setitem__(self, uri: str, found: Any) -> None:
        super().__setitem__(uri, found)
        self.told[uri].append(list(found))


class Editor:
    """A document of its own in the one client."""

    def __init__(self, client: Any, name: str) -> None:
        self.client = client
        self.uri = f"file:///pages/{name}.unroll"
        self.document = types.TextDocumentIdentifier(self.uri)
        self._version = 0

    def write(self, text: str) -> None:
        """The document with that text."""
        self._version += 1
        if self._version == 1:
            item = types.TextDocumentItem(self.uri, "unroll", 1, text)
            self.client.text_document_did_open(types.DidOpenTextDocumentParams(item))
            return
        identifier = types.VersionedTextDocumentIdentifier(self._version, self.uri)
        change = types.TextDocumentContentChangeWholeDocument(text)
        params = types.DidChangeTextDocumentParams(identifier, [change])
        self.client.text_document_did_change(params)

    def close(self) -> None:
        self.client.text_document_did_close(types.DidCloseTextDocumentParams(self.document))

    async def told(self, seconds: float = 30) -> list[types.Diagnostic]:
        """The mistakes that are told next of the document."""
        async with asyncio.timeout(seconds):
            while not self.client.diagnostics.told[self.uri]:
                await asyncio.sleep(0.01)
        return self.client.diagnostics.told[self.uri].popleft()

    async def ask(self, method: str, kind: Any, *given: Any) -> Any:
        """The answer to a request about the document."""
        ask = getattr(self.client, f"text_document_{method}_async")
        return await ask(kind(self.document, *given))


@pytest.fixture
def editor(client: Any, request: pytest.FixtureRequest) -> Editor:
    return Editor(client, request.node.name)


def at(words: str, text: str = PAGE, shift: int = 0) -> types.Position:
    """The place of words, in units of UTF-16."""
    offset = text.index(words) + shift
    line = text.count("\n", 0, offset)
    begin = text.rfind("\n", 0, offset) + 1
    return types.Position(line, len(text[begin:offset].encode("utf-16-le")) // 2)


EVERYTHING = types.Range(types.Position(0, 0), types.Position(99, 0))


async def test_mistakes_are_told_and_mended(editor: Editor) -> None:
    editor.write(PAGE.replace("let L", "𝒜"))
    first = (await editor.told())[0]
    assert first.code == "U0120" and first.source == "unroll"
    wrong = PAGE.replace("- A' @ r", "- A @ r")
    editor.write(wrong)
    (found,) = await editor.told()
    assert found.code == "U0301" and "help: " in found.message
    assert found.range.start == at("r / L", wrong)
    assert found.related_information
    context = types.CodeActionContext(diagnostics=[found])
    actions = await editor.ask("code_action", types.CodeActionParams, found.range, context)
    (action,) = actions
    assert action.title == "Use the adjoint: `A' @ r`" and action.is_preferred
    (edit,) = action.edit.changes[editor.uri]
    assert edit.new_text == "A'" and edit.range.start == at("A @ r", wrong)
    editor.write(PAGE)
    assert await editor.told() == []


async def test_places_are_counted_in_utf16(editor: Editor) -> None:
    text = PAGE.replace("output x", "output 𝒜x = x")
    editor.write(text)
    assert await editor.told() == []
    line = text.splitlines().index("output 𝒜x = x")
    hover = await editor.ask(
        "hover", types.HoverParams, types.Position(line, len("output 𝒜x = ") + 1)
    )
    assert "state x : vector[n]" in hover.contents.value
    assert hover.range == types.Range(types.Position(line, 13), types.Position(line, 14))
    spans = await editor.ask(
        "document_highlight", types.DocumentHighlightParams, types.Position(line, 8)
    )
    assert [s.range for s in spans] == [
        types.Range(types.Position(line, 7), types.Position(line, 10))
    ]


async def test_what_an_editor_asks_for(editor: Editor) -> None:
    editor.write(PAGE)
    assert await editor.told() == []
    hover = await editor.ask("hover", types.HoverParams, at("L = norm"))
    assert "let L : scalar" in hover.contents.value
    there = await editor.ask("definition", types.DefinitionParams, at("A' @"))
    assert there.uri == editor.uri and there.range.start == at("A : matrix")
    prelude = await editor.ask("definition", types.DefinitionParams, at("soft("))
    assert prelude.uri.endswith("/grammars/prelude.unroll") and prelude.range.start.line > 0
    found = await editor.client.text_document_references_async(
        types.ReferenceParams(types.ReferenceContext(True), editor.document, at("A : matrix"))
    )
    assert len(found) == 4
    completions = await editor.ask("completion", types.CompletionParams, at("x - y", shift=1))
    labels = {item.label: item for item in completions.items}
    assert {"x", "A", "soft", "prev", "k"} <= set(labels) and "output" not in labels
    assert labels["soft"].text_edit.new_text == "soft($1)"
    assert labels["x"].text_edit.range == types.Range(at("x - y"), at("x - y", shift=1))
    symbols = await editor.ask("document_symbol", types.DocumentSymbolParams)
    assert [s.name for s in symbols] == ["m", "n", "y", "A", "L", "x", "phase", "output"]
    hints = await editor.ask("inlay_hint", types.InlayHintParams, EVERYTHING)
    assert [(h.label, h.position) for h in hints] == [
        (": scalar", at("L = norm", shift=1)),
        (": vector[m]", at("r = A", shift=1)),
    ]


async def test_renaming(editor: Editor) -> None:
    editor.write(PAGE)
    await editor.told()
    span = await editor.ask("prepare_rename", types.PrepareRenameParams, at("r / L"))
    assert span.start == at("r / L")
    edit = await editor.ask("rename", types.RenameParams, at("r / L"), "residual")
    assert [e.new_text for e in edit.changes[editor.uri]] == ["residual", "residual"]
    with pytest.raises(JsonRpcException, match="already a state `x`"):
        await editor.ask("rename", types.RenameParams, at("r / L"), "x")


async def test_formatting(editor: Editor) -> None:
    untidy = PAGE.replace("x - y", "x-y").replace("\n", "\r\n")
    editor.write(untidy)
    await editor.told()
    options = types.FormattingOptions(4, True)
    edits = await editor.ask("formatting", types.DocumentFormattingParams, options)
    assert any("r = A @ x - y" in e.new_text for e in edits)
    editor.write(PAGE + "let =\n")
    await editor.told()
    refused = await editor.ask("formatting", types.DocumentFormattingParams, options)
    assert refused is None


HOSTILE = [
    "",
    "\0" * 1000,
    "algorithm a\nlet a = " + "(" * 5000,
    "algorithm a\nlet a = 1" + " + 1" * 20_000,
    "algorithm a\n" + "\ud800 \udc00 let",
    "algorithm a\n" + "\u2028\u2029\x85\x0c\x1c" * 50 + "let a = b",
    "def " * 5000,
    "\ufeff" + PAGE,
    "algorithm a\n" + "dims n\n" * 3000,
    PAGE.replace("phase (3)", "phase (999999999)"),
]


async def test_hostile_texts_are_answered_for(editor: Editor) -> None:
    editor.write(PAGE)
    await editor.told()
    for text in HOSTILE:
        editor.write(text)
        place = types.Position(1, 4)
        await editor.ask("hover", types.HoverParams, place)
        await editor.ask("completion", types.CompletionParams, place)
        await editor.ask("document_symbol", types.DocumentSymbolParams)
        await editor.ask("inlay_hint", types.InlayHintParams, EVERYTHING)
        await editor.ask("definition", types.DefinitionParams, place)
        context = types.CodeActionContext(diagnostics=[])
        await editor.ask("code_action", types.CodeActionParams, EVERYTHING, context)
    editor.write(PAGE)
    for _ in range(40):
        if await editor.told() == []:
            break
    hover = await editor.ask("hover", types.HoverParams, at("L = norm"))
    assert "let L : scalar" in hover.contents.value


async def test_typing_tells_once_of_the_last_text(editor: Editor) -> None:
    editor.write(PAGE)
    await editor.told()
    for version in range(2, 40):
        editor.write(PAGE.replace("soft", "soft" + "t" * version))
    editor.write(PAGE.replace("soft", "sotf"))
    (found,) = await editor.told()
    assert "sotf" in found.message
    with pytest.raises(TimeoutError):
        await editor.told(1)


async def test_half_a_page_while_it_is_typed(editor: Editor) -> None:
    editor.write("")
    for end in range(0, len(PAGE), 7):
        editor.write(PAGE[:end])
        line = PAGE[:end].count("\n")
        place = types.Position(line, 99)
        await editor.ask("completion", types.CompletionParams, place)


async def test_documents_that_are_not_open(editor: Editor) -> None:
    own = editor.document
    place = types.Position(0, 0)
    editor.document = types.TextDocumentIdentifier("file:///nowhere/at/all.unroll")
    assert await editor.ask("hover", types.HoverParams, place) is None
    found = await editor.ask("completion", types.CompletionParams, place)
    assert list(found.items) == []
    editor.write(PAGE.replace("soft", "sotf"))
    assert len(await editor.told()) == 1
    editor.document = own
    editor.close()
    assert await editor.told() == []


async def test_a_request_that_is_cancelled(editor: Editor) -> None:
    editor.write(PAGE + "".join(f"let a{i} = {i}\n" for i in range(3000)))
    asked = asyncio.ensure_future(editor.ask("hover", types.HoverParams, at("L = norm")))
    await asyncio.sleep(0)
    request = next(reversed(editor.client.protocol._request_futures))
    editor.client.cancel_request(types.CancelParams(request))
    with pytest.raises(JsonRpcException, match="cancel"):
        await asyncio.wait_for(asked, 20)
    editor.write(PAGE)
    found = await editor.ask("hover", types.HoverParams, at("L = norm"))
    assert "let L : scalar" in found.contents.value
