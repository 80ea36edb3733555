"""`did you mean ...?`: which known words one may be a slip for."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

_MANY = 200  # words that one is held against


def near(
    word: str, known: Iterable[str], *, most: int = 3, cutoff: float | None = None
) -> tuple[str, ...]:
    """Up to so many known words that `word` may be a slip for, the likeliest first.

    Parameters
    ----------
    cutoff
        How much alike they have to be, between 0 and 1; by default less of short words, in which one letter is
        much.
    """
    words = sorted(set(known) - {word})
    if len(words) > _MANY:  # so many are compared by their beginning first
        start = word[:1].lower()
        alike = (o for o in words if o[:1].lower() == start and abs(len(o) - len(word)) < 3)
        words = list(alike)[:_MANY]
    folded = [other for other in words if other.lower() == word.lower()]
    if cutoff is None:
        cutoff = 0.6 if len(word) > 3 else 0.5
    close = get_close_matches(word, words, n=most, cutoff=cutoff)
    return tuple(dict.fromkeys([*folded, *close]))[:most]
