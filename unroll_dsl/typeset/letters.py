"""Names of a program as a paper sets them: `theta_x` becomes \\theta_{x}, `lambda` \\lambda."""

from __future__ import annotations

import unicodedata

_GREEK = [
    "alpha",
    "beta",
    "gamma",
    "delta",
    "epsilon",
    "zeta",
    "eta",
    "theta",
    "iota",
    "kappa",
    "lambda",
    "mu",
    "nu",
    "xi",
    "pi",
    "rho",
    "sigma",
    "tau",
    "upsilon",
    "phi",
    "chi",
    "psi",
    "omega",
    "Gamma",
    "Delta",
    "Theta",
    "Lambda",
    "Xi",
    "Pi",
    "Sigma",
    "Upsilon",
    "Phi",
    "Psi",
    "Omega",
]
_WORDS = {"star": r"\star", "hat": r"\hat", "bar": r"\bar", "tilde": r"\tilde"}
_ACCENTS = {"\u0302": r"\hat", "\u0304": r"\bar", "\u0303": r"\tilde", "\u0307": r"\dot"}


def math_name(name: str) -> str:
    """A name in LaTeX's maths mode. One letter, Greek or not, is a symbol; a longer word is set
    upright; what follows the first underscore, or digits at the end, become an index."""
    head, _, index = name.partition("_")
    digits = ""
    while len(head) > 1 and head[-1].isdigit():
        head, digits = head[:-1], head[-1] + digits
    parts = [part for part in (digits, *index.split("_")) if part]
    symbol = _symbol(head) if head else r"\_"
    if parts:
        symbol += "_{" + ",".join(_symbol(part) for part in parts) + "}"
    return symbol


def _symbol(word: str) -> str:
    if word in _GREEK:
        return "\\" + word
    if word in _WORDS and word == "star":
        return _WORDS[word]
    decomposed = unicodedata.normalize("NFD", word)
    if len(decomposed) == 2 and decomposed[1] in _ACCENTS:
        return f"{_ACCENTS[decomposed[1]]}{{{_symbol(decomposed[0])}}}"
    if len(word) == 1:
        greek = _greek_letter(word)
        return greek if greek is not None else word
    if word.isdigit():
        return word
    if len(word) == 2 and word[0].isupper() and word[1].islower():
        return f"{word[0]}_{{{word[1]}}}"  # Wd, We
    escaped = word.replace("_", r"\_")
    return rf"\mathrm{{{escaped}}}"


def _greek_letter(character: str) -> str | None:
    try:
        words = unicodedata.name(character).split()
    except ValueError:
        return None
    if words[:1] != ["GREEK"] or words[2:3] != ["LETTER"] or len(words) != 4:
        return None
    letter = words[3].lower().replace("lamda", "lambda").replace("omicron", "o")
    if letter not in _GREEK:
        return None
    if words[1] == "CAPITAL":
        capital = letter.capitalize()
        return "\\" + capital if capital in _GREEK else capital[0]
    return "\\" + letter
