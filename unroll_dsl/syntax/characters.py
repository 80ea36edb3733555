"""Signs from papers, word processors and other languages, and what to write instead."""

from __future__ import annotations

from unicodedata import normalize

# One sign for one sign: the mend is to replace it.
_ASCII = {
    "×": "*", "·": "*", "⋅": "*", "∙": "*", "•": "*", "∗": "*", "⊙": "*", "∘": "@",
    "÷": "/", "∕": "/", "⁄": "/",
    "−": "-", "–": "-", "—": "-", "‐": "-", "‑": "-", "﹣": "-", "－": "-",
    "＋": "+", "＝": "=", "：": ":", "，": ",", "（": "(", "）": ")", "［": "[", "］": "]",
    "≤": "<=", "≥": ">=", "⩽": "<=", "⩾": ">=", "≠": "!=", "←": "<-", "⟵": "<-", "→": "->",
    "⟶": "->", "≫": ">>", "»": ">>", "∼": "~", "∈": "in", "∧": "and", "∨": "or", "¬": "not",
    "’": "'", "‘": "'", "′": "'", "´": "'", "ʹ": "'", "`": "'", "†": "'", "ᵀ": "'", "ᴴ": "'",
    "\u00a0": "a plain space", "\u2009": "a plain space", "\u202f": "a plain space",
    "\u2003": "a plain space", "\u3000": "a plain space",
}  # fmt: skip

# Words of explanation, where no single sign will do.
_ADVICE = {
    "\\": "remove it: inside brackets a statement may go over several lines",
    ";": "one statement a line: start a new line instead of `;`",
    "{": "sizes are written `vector[n]`, groups `(a + b)`, blocks by indentation",
    "}": "sizes are written `vector[n]`, groups `(a + b)`, blocks by indentation",
    "&": "write `and`, or `*` for masks",
    "|": "write `abs(x)` for a modulus, `or` for a choice",
    "!": 'write `not`, or `!=` for "is not equal to"',
    "%": "there is no remainder; comments start with `#`",
    "$": "write the formula plainly: names such as `λ` need no markup",
    "?": "write `where(condition, a, b)`",
    '"': "there are no strings: write the word itself, as in `padding=circular`",
    "“": "there are no strings: write the word itself, as in `padding=circular`",
    "”": "there are no strings: write the word itself, as in `padding=circular`",
    "√": "write `sqrt(...)`",
    "∑": "write `sum(...)`",
    "Σ": "write `sum(...)`",
    "∇": "write the gradient out, or start from a `problem` and derive it",
    "‖": "write `norm(x)`, `norm1(x)` or `sumsq(x)`",
    "∥": "write `norm(x)`, `norm1(x)` or `sumsq(x)`",
    "∞": "leave the bound out: a missing side is unbounded",
    "½": "write `1/2`",
    "¼": "write `1/4`",
    "¾": "write `3/4`",
    "\ufeff": "remove this invisible mark",
    "\u200b": "remove this invisible space",
    "\x0c": "remove this page break",
    "\0": "remove this byte: the file may not be text",
}

_SUPERSCRIPTS = "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻ⁿⁱ"


# What a sign stands for exactly: nothing, where it is only to be taken away.
_EXACT = {"½": "1/2", "¼": "1/4", "¾": "3/4", "\ufeff": "", "\u200b": "", "\x0c": ""}


def sign_for(text: str, at: int) -> tuple[int, str] | None:
    """The text that a character of `text` at `at` stands for, and where what it stands for ends; None where that is
    not certain."""
    sign = text[at]
    if sign in _SUPERSCRIPTS:
        end = _superscripts(text, at)
        power = normalize("NFKC", text[at:end]).replace("\u2212", "-")
        return (end, f"^{power}") if power.lstrip("+-") else None
    if sign == ";" and not text[at + 1 :].partition("\n")[0].partition("#")[0].strip():
        return at + 1, ""
    if sign in _ASCII:
        return at + 1, _ASCII[sign] if len(_ASCII[sign]) < 4 else " "
    return (at + 1, _EXACT[sign]) if sign in _EXACT else None


def _superscripts(text: str, at: int) -> int:
    """Where superscripts that begin at `at` end."""
    end = at
    while end < len(text) and text[end] in _SUPERSCRIPTS:
        end += 1
    return end


def instead_of(text: str, at: int) -> str | None:
    """What to write for the character of `text` at `at`, if there is an idea."""
    sign = text[at]
    if sign in _SUPERSCRIPTS:
        power = normalize("NFKC", text[at : _superscripts(text, at)]).replace("\u2212", "-")
        return f"write `^{power}`" if power.lstrip("+-") else "write a power with `^`"
    if sign in _ASCII:
        mend = _ASCII[sign]
        return f"write `{mend}`" if len(mend) < 4 else f"write {mend}"
    if sign == "." and text[at + 1 : at + 2] in ("T", "H"):
        return "write the adjoint `A'` for a transpose"
    if sign == ".":
        return "there are no attributes or methods: write `norm(A)`, `A'`, ..."
    return _ADVICE.get(sign)
