"""How source text appears in a terminal: how wide each character is, and what stands for those
that would move the cursor, reorder the line or show nothing.

Carets align because a line is printed through `visible` and measured with `width`, character by
character.
"""

import unicodedata

LONGEST_TEXT = 600  # characters of one text of a message; a name may be as long as its file
TAB = 4  # columns; a tab stands as blanks, so that nothing depends on the terminal's tab stops
_REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
_REORDERING = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def visible(text: str) -> str:
    """`text` with tabs as blanks and control characters as harmless pictures of themselves."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(_visible(character) for character in text)


def wording(text: str) -> str:
    """A text of a message on one line: `visible`, and the middle left out where it is very long."""
    if len(text) > LONGEST_TEXT:
        text = f"{text[: LONGEST_TEXT // 2]} … {text[-LONGEST_TEXT // 3 :]}"
    return visible(" ".join(text.splitlines()))


def width(character: str) -> int:
    """The number of columns that `visible(character)` takes: 0, 1 or 2; `TAB` for a tab."""
    if " " <= character <= "~":
        return 1
    if character == "\t":
        return TAB
    shown = _visible(character)
    if unicodedata.category(shown) in ("Mn", "Me", "Cf") and shown != "\N{SOFT HYPHEN}":
        return 0
    return 2 if unicodedata.east_asian_width(shown) in "WF" else 1


def _visible(character: str) -> str:
    if character == "\t":
        return " " * TAB
    if character < " ":
        return chr(0x2400 + ord(character))  # the control pictures of Unicode
    if character == "\x7f":
        return "\N{SYMBOL FOR DELETE}"
    if character in _REORDERING or unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp"):
        return _REPLACEMENT
    return character
