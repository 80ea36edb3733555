"""Every example of docs/language.md does what the page says."""

import re
from pathlib import Path

import pytest

import unroll_dsl
from unroll_dsl.driver import check_source
from unroll_dsl.source import SourceFile
from unroll_dsl.verify import check

PAGE = Path(__file__).parents[2] / "docs" / "language.md"
BLOCK = re.compile(r"^```unroll *(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def examples() -> list[tuple[str, str]]:
    return [(m[1], m[2]) for m in BLOCK.finditer(PAGE.read_text(encoding="utf-8"))]


def name_of(example: tuple[str, str]) -> str:
    found = re.search(r"^(?:algorithm|problem) (\w+)", example[1], re.MULTILINE)
    return f"{found[1] if found else 'none'}-{example[0] or 'checked'}"


def test_the_page_has_examples() -> None:
    assert len(examples()) > 25


@pytest.mark.parametrize("example", examples(), ids=name_of)
def test_example(example: tuple[str, str]) -> None:
    kind, text = example
    codes = {d.code for d in check_source(SourceFile("language.md", text)).diagnostics}
    assert codes == ({kind} if kind[:1] in ("U", "W") else set())
    if kind == "run":
        report = check(unroll_dsl.loads(text), phases=4)
        failed = [row for row in report.rows if row.verdict.value == "failed"]
        skipped = [row.detail for row in report.rows if row.name == "numerics"]
        assert not failed
        assert not skipped
