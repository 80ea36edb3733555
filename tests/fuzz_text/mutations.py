"""Shipped pages, changed: token by token as an author's slips are, byte by byte as a disk's are."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from pathlib import Path
from random import Random

ROOT = Path(__file__).parents[2]
MOST = 2**16 - 1  # bytes of a text

_TOKEN = re.compile(
    r"[^\W\d]\w*|\d+(?:\.\d+)?(?:e[+-]?\d+)?|<-|->|>>|[<>=!]=|[ \t]+|\n|.", re.DOTALL
)
_TEXT = (
    "algorithm problem dims input fixed learnable let state phase output minimize over loss measure trace def "
    "return sum phases per in linear network conv complex scalar vector matrix tensor image mask noise target k I "
    "prev solve soft norm norm1 sumsq mean abs sqrt diag vec fft2 grad blur filters wavelet radon split topk where "
    "relu max min and or not size inv pinv linspace dct_basis circular bias padding axis + - * / ^ @ ' ( ) [ ] , : = "
    "<- -> >> ~ > >= < <= == != # . ; \\ { } ² λ а"
)
_WORDS = tuple(_TEXT.split())
_NUMBERS = ("0", "1", "2", "-1", "0.5", "1e308", "10^10^10", "1e-320", "9" * 30, "4096", "10^12")
_STRANGE = ("\t", "\r", "\r\n", "\x0b", "\x0c", "\u2028", "\u200b", "\ufeff", "\u00a0", "\u202e", "\U0001d431",
            "ǆ", "\ud7ff", "\x7f", "\x00", "ß", "İ", "👩\u200d👩")  # fmt: skip


@cache
def seeds() -> tuple[str, ...]:
    """Texts to start from: algorithms, and the bad programs of the manual."""
    places = [ROOT / "algorithms", ROOT / "tests" / "conformance" / "bad", ROOT / "examples"]
    paths = sorted(path for place in places for path in place.rglob("*.unroll"))
    texts = []
    for path in paths:
        data = path.read_bytes()
        if len(data) < 8000:
            texts.append(data.decode("utf-8", "replace"))
    return tuple(texts)


def tokens(text: str) -> list[str]:
    return _TOKEN.findall(text)


def _delete(found: list[str], rng: Random) -> None:
    place = rng.randrange(len(found))
    del found[place : place + rng.choice((1, 1, 1, 2, 5, 20))]


def _insert(found: list[str], rng: Random) -> None:
    pool = rng.choice((_WORDS, _WORDS, _NUMBERS, _STRANGE, tuple(found)))
    found.insert(rng.randrange(len(found) + 1), rng.choice(pool))


def _replace(found: list[str], rng: Random) -> None:
    found[rng.randrange(len(found))] = rng.choice(rng.choice((_WORDS, _NUMBERS, tuple(found))))


def _swap(found: list[str], rng: Random) -> None:
    first, second = rng.randrange(len(found)), rng.randrange(len(found))
    found[first], found[second] = found[second], found[first]


def _repeat(found: list[str], rng: Random) -> None:
    """A piece again and again: chains, towers and nests."""
    place, length = rng.randrange(len(found)), rng.choice((1, 1, 2, 3, 4, 8, 30))
    piece = found[place : place + length]
    found[place:place] = piece * rng.choice((1, 2, 10, 100, 1000, 5000))


def _nest(found: list[str], rng: Random) -> None:
    place = rng.randrange(len(found))
    end = min(place + rng.choice((1, 3, 8)), len(found))
    opening, closing = rng.choice((("(", ")"), ("[", "]"), ("-", ""), ("abs(", ")"), ("(1+", ")"),
                                   ("", "'"), ("", "^2"), ("not ", ""), ("solve(I, ", ")")))  # fmt: skip
    count = rng.choice((1, 5, 50, 400, 4000))
    found[place:end] = [opening * count, *found[place:end], closing * count]


def _rename(found: list[str], rng: Random) -> None:
    """One name by another everywhere."""
    names = sorted({word for word in found if word.isidentifier()})
    if names:
        old, new = rng.choice(names), rng.choice([*names, *_WORDS[:50]])
        found[:] = [new if word == old else word for word in found]


_ON_TOKENS: tuple[Callable[[list[str], Random], None], ...] = (
    _delete, _delete, _insert, _insert, _replace, _replace, _swap, _repeat, _nest, _rename,
)  # fmt: skip


def _lines(text: str, rng: Random) -> str:
    """Lines deleted, doubled, moved, indented, taken from another page."""
    lines = text.split("\n")
    place = rng.randrange(len(lines))
    match rng.randrange(6):
        case 0:
            del lines[place]
        case 1:
            lines[place:place] = [lines[place]] * rng.choice((1, 1, 3, 50, 1000))
        case 2:
            lines.insert(rng.randrange(len(lines)), lines.pop(place))
        case 3:
            lines[place] = rng.choice(("    ", " ", "\t", "        ")) + lines[place]
        case 4:
            other = rng.choice(seeds()).split("\n")
            begin = rng.randrange(len(other))
            lines[place:place] = other[begin : begin + rng.choice((1, 2, 5, 100))]
        case _:
            rng.shuffle(lines)
    return "\n".join(lines)


def _numbered(text: str, rng: Random) -> str:
    """A line many times, its names with numbers: many declarations, each read by the next."""
    lines = text.split("\n")
    place = rng.randrange(len(lines))
    line, count = lines[place], rng.choice((3, 30, 300, 1500))
    names = [word for word in tokens(line) if word.isidentifier() and word not in _WORDS]
    if not names:
        return text
    name = rng.choice(names)
    made = [re.sub(rf"\b{re.escape(name)}\b", f"{name}{i}", line, count=1) for i in range(count)]
    made = [re.sub(rf"\b{re.escape(name)}\b", f"{name}{i - 1}", m) for i, m in enumerate(made)]
    return "\n".join([*lines[:place], line, *made, *lines[place + 1 :]])


def _bytes(data: bytes, rng: Random) -> bytes:
    for _ in range(rng.choice((1, 1, 2, 5, 30))):
        if not data:
            return data
        place = rng.randrange(len(data))
        match rng.randrange(6):
            case 0:
                changed = bytes([data[place] ^ (1 << rng.randrange(8))])
                data = data[:place] + changed + data[place + 1 :]
            case 1:
                data = data[:place] + rng.randbytes(rng.choice((1, 2, 8))) + data[place:]
            case 2:
                data = data[:place] + data[place + rng.choice((1, 10, 1000)) :]
            case 3:
                data = data[:place]
            case 4:
                piece = data[place : place + rng.choice((1, 5, 60))]
                data = data[:place] + piece * rng.choice((2, 100, 3000)) + data[place:]
            case _:
                data = data[:place] + rng.choice(_STRANGE).encode() + data[place:]
    return data


def mutated(rng: Random) -> bytes:
    """A page that somebody has damaged, of less than 64 KB."""
    text = rng.choice(seeds())
    kind = rng.random()
    if kind < 0.15:
        return _bytes(text.encode(), rng)[:MOST]
    for _ in range(rng.choice((1, 1, 1, 2, 2, 3, 6, 15))):
        if kind > 0.9:
            text = _numbered(text, rng)
        elif kind > 0.75:
            text = _lines(text, rng)
        found = tokens(text)
        if found and kind < 0.9:
            rng.choice(_ON_TOKENS)(found, rng)
        text = "".join(found)[: 2 * MOST]
    return text.encode("utf-8", "surrogatepass")[:MOST]
