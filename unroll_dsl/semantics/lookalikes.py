"""Names that are written differently and look alike: a Latin and a Cyrillic a.

Letters of Greek that mathematics uses beside Latin ones (nu and v, rho and p) are told apart by who reads
mathematics; those of other alphabets that are drawn like a Latin letter are not. See Unicode Technical
Standard 39, "confusables", of which this has the letters of Cyrillic, Greek and Armenian alike to the eye.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping

from unroll_dsl.semantics import errors
from unroll_dsl.semantics.model import Symbol
from unroll_dsl.semantics.scopes import Reporter

_ALIKE = str.maketrans(
    "\u0430\u0435\u043e\u0440\u0441\u0445\u0443\u0456\u0458\u0455\u0501\u04bb\u051b\u051d"
    "\u0410\u0412\u0415\u041a\u041c\u041d\u041e\u0420\u0421\u0422\u0425\u0423\u0405\u0406\u0408"
    "\u0391\u0392\u0395\u0396\u0397\u0399\u039a\u039c\u039d\u039f\u03a1\u03a4\u03a5\u03a7\u03bf"
    "\u0585\u0578\u057d",
    "aeopcxyijsdhqwABEKMHOPCTXYSIJABEZHIKMNOPTYXoonu",
)


def skeleton(name: str) -> str:
    """What a name looks like: names that look alike have the same."""
    return unicodedata.normalize("NFKC", name).translate(_ALIKE)


def check_lookalikes(symbols: Mapping[str, Symbol], reporter: Reporter) -> None:
    """Report each declared name that looks like one above it."""
    if all(name.isascii() for name in symbols):
        return
    first: dict[str, Symbol] = {}
    for symbol in sorted(symbols.values(), key=lambda s: s.span.start):
        other = first.setdefault(skeleton(symbol.name), symbol)
        if other is not symbol:
            reporter.report(errors.LooksAlike(symbol.span, symbol.name, other.name, other.span))
