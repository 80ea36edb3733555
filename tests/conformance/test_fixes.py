"""Every mend that a bad program is offered takes its mistake away; what a message says to write is offered."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest

from unroll_dsl.editor import OpenPage, applied, fixes, open_page
from unroll_dsl.editor.fixes import proposals
from unroll_dsl.editor.fixes.proposals import is_mended
from unroll_dsl.source import SourceFile
from unroll_dsl.syntax.reading import read_source

BAD = Path(__file__).parent / "bad"
CASES = sorted(BAD.glob("*/*.unroll"))
# What a message says to write, word for word.
_SAYS = re.compile(
    r"(?:^|: |; |, )(?:write|did you mean|apply it:|use the adjoint\b[\w ]*:|remove|add the missing) `([^`]*)`"
)


# Where it says how to begin, and not all that is to be written.
_IN_WORDS = {
    "blocks/layer_as_the_result",
    "newcomers/argmin2",
    "newcomers/loss_eq",
    "newcomers/min_x",
}


@cache
def page(case: Path) -> OpenPage | None:
    source = read_source(case)
    return open_page(source.text, case.name) if isinstance(source, SourceFile) else None


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.parent.name}/{case.stem}")
def test_each_mend_takes_its_mistake_away(case: Path) -> None:
    """Those that are proposed, before anything is left out for not helping."""
    opened = page(case)
    assert opened is not None or case.stem in {"binary", "not_utf8"}, "cannot be read"
    for diagnostic in opened.diagnostics if opened is not None else ():
        for fix in proposals(diagnostic, opened):
            assert fix.title and "\n" not in fix.title
            after = applied(opened.text, fix.edits)
            assert after != opened.text
            mended = is_mended(opened, diagnostic, fix, open_page(after, case.name))
            assert mended, f"{diagnostic.message()}: {fix}\n{after}"


def test_what_a_message_says_to_write_is_offered() -> None:
    offered, missing = 0, []
    for case in CASES:
        opened = page(case)
        for diagnostic in opened.diagnostics if opened is not None else ():
            said = _SAYS.search(diagnostic.help() or "")
            name = f"{case.parent.name}/{case.stem}"
            if said is None or "..." in said.group(1) or name in _IN_WORDS:
                continue
            if fixes(opened, diagnostic):
                offered += 1
            else:
                missing.append(f"{name}: {diagnostic.help()}")
    assert missing == []
    assert offered > 100
