"""Damaged pages in an editor: every feature answers at any place, in the page, within two seconds."""

from __future__ import annotations

import time
from contextlib import suppress
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fuzz_text.mutations import mutated
from unroll_dsl.colours.pygments import pieces
from unroll_dsl.editor import (
    CannotRename,
    applied,
    completions,
    declaration,
    fixes,
    hints,
    hover,
    open_page,
    outline,
    references,
    rename,
)
from unroll_dsl.editor.fixes import proposals

_MOST = 5  # mistakes of a page whose mends are tried


def answered(data: bytes, rng: Random) -> None:
    """Ask all there is at some places of a text."""
    text = data.decode("utf-8", "replace")
    page = open_page(text)
    places = [0, len(text), *(rng.randrange(len(text) + 1) for _ in range(4))]
    places += [name.span.start for name in page.names[:: max(1, len(page.names) // 4)]]
    for offset in places:
        started = time.process_time()
        told = hover(page, offset)
        assert told is None or 0 <= told.span.start <= told.span.end <= len(text)
        for each in completions(page, offset):
            assert 0 <= each.span.start <= each.span.end == offset
        declaration(page, offset)
        for span in references(page, offset):
            assert span.file is page.file and span.end <= len(text)
        with suppress(CannotRename):
            applied(text, rename(page, offset, "renamed_1"))
        assert time.process_time() - started < 2
    assert "".join(piece for _, _, piece in pieces(text)) == text
    outline(page), hints(page)
    for diagnostic in page.diagnostics[:_MOST]:
        for fix in proposals(diagnostic, page):
            assert applied(text, fix.edits) != text
        fixes(page, diagnostic)


@pytest.mark.slow
@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32))
def test_pages_that_somebody_damaged(seed: int) -> None:
    rng = Random(seed)
    answered(mutated(rng), rng)
