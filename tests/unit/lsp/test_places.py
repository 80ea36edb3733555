"""Offsets as editors count them: lines by the protocol's ends, columns in units of an encoding."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unroll_dsl.lsp.places import Columns, Units

TEXT = (
    "a𝒜b\r\nß\u2028x\rc\x0c\nend"  # a letter of two units; signs at which only Python ends a line
)


@pytest.mark.parametrize(
    ("words", "utf8", "utf16", "utf32"),
    [
        ("a", (0, 0), (0, 0), (0, 0)),
        ("𝒜", (0, 1), (0, 1), (0, 1)),
        ("b", (0, 5), (0, 3), (0, 2)),
        ("ß", (1, 0), (1, 0), (1, 0)),
        ("x", (1, 5), (1, 2), (1, 2)),
        ("c", (2, 0), (2, 0), (2, 0)),
        ("end", (3, 0), (3, 0), (3, 0)),
    ],
)
def test_places(
    words: str, utf8: tuple[int, int], utf16: tuple[int, int], utf32: tuple[int, int]
) -> None:
    offset = TEXT.index(words)
    for units, expected in zip(Units, (utf8, utf16, utf32), strict=True):
        places = Columns(TEXT, units)
        assert places.place(offset) == expected
        assert places.offset(*expected) == offset


def test_places_that_are_not_there() -> None:
    places = Columns(TEXT)
    assert places.offset(0, 2) == 1  # within a letter of two units: its beginning
    assert places.offset(0, 99) == TEXT.index("\r\n")
    assert places.offset(99, 0) == len(TEXT) and places.offset(-1, 5) == 0
    assert places.offset(1, -3) == TEXT.index("ß")
    assert places.place(-1) == (0, 0) and places.place(10**9) == (3, 3)
    assert Columns("").place(0) == (0, 0) and Columns("").offset(0, 0) == 0


@given(st.text("a𝒜\n\r\u2028\ud800é", max_size=40), st.sampled_from(Units))
def test_every_offset_comes_back(text: str, units: Units) -> None:
    places = Columns(text, units)
    for offset in range(len(text) + 1):
        between = text[offset - 1 : offset + 1] == "\r\n"
        assert places.offset(*places.place(offset)) == offset - between
