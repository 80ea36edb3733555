r"""Notation of papers and of other languages that begins with a sign the language lacks.

    ||x||^2, np.sqrt(L), x.mean(), x .* y, \frac{a}{b}, x_{k+1}, y ∈ ℝ^m, A · x

Each function reads the line from that sign on and answers what to write; `characters.py` knows single signs.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from unroll_dsl.diagnostics.model import Diagnostic
from unroll_dsl.source import SourceFile, Span
from unroll_dsl.syntax import reports as e
from unroll_dsl.syntax.characters import instead_of, sign_for
from unroll_dsl.syntax.declared import declared
from unroll_dsl.syntax.foreign import MODULES, function_instead

_TRANSPOSE = re.compile(r"\.[TH]\b|\.mT\b|\.'")
_BRACED_POWER = re.compile(r"\{\s*(?:T|H|\*|\\top|\\mathsf\{?T\}?|\\dagger)\s*\}")
_INDEX = re.compile(r"\{([^{}]*)\}")
_CHAIN = re.compile(r"(?:\.[^\W\d]\w*)+")
_NORM = re.compile(r"(?:\|\||‖|∥)\s*(.+?)\s*(?:\|\||‖|∥)(?:_\{?(\w+)\}?)?(\s*\^\{?2\}?)?")
_MODULUS = re.compile(r"\|\s*([^|]+?)\s*\|")
_CALLED = re.compile(r"\s*\(([^()]*)\)")
_LATEX = re.compile(r"\\([A-Za-z]+|.)")
_FRACTION = re.compile(r"\\[dt]?frac\{([^{}]*)\}\{([^{}]*)\}")
_PAPER_SPACE = re.compile(
    r"\s*(?:in\b|∈|:|\\in\b)\s*\\?(?:mathbb\{)?([RCℝℂ])\}?"
    r"(?:\s*\^\s*[({]?\s*(\w+)(?:\s*(?:x|×|\*|,|\\times)\s*(\w+))?\s*[)}]?)?"
)
_COMMANDS = {
    "cdot": "*", "times": "*", "odot": "*", "circ": "@", "leftarrow": "<-", "gets": "<-",
    "to": "->", "leq": "<=", "le": "<=", "geq": ">=", "ge": ">=", "neq": "!=", "in": ":",
}  # fmt: skip
_FUNCTIONS = {"sqrt", "exp", "log", "sin", "cos", "tanh", "max", "min", "sum"}
_NORMS = "norms are `norm1(x)`, `norm(x)`, `norm_inf(x)`, squares `sumsq(x)`"
_DECLARING = ("input", "fixed", "learnable", "state")


@dataclass(frozen=True, slots=True)
class _Mend:
    """What to write, in words; where these are exact, `texts`, one of which stands for the columns from `begin` to
    `end` of the line."""

    words: str
    begin: int = 0
    end: int = 0
    texts: tuple[str, ...] = ()


def unknown(file: SourceFile, at: int, start: int, end: int, first: str) -> Diagnostic:
    """What is wrong with the sign at `at`, in a line from `start` to `end` that begins with the word `first`."""
    text = file.text
    if found := _transpose(file, at, start, end):
        return found
    line = text[start:end].split("#")[0]
    column = at - start
    braced = _braces(file, at, start, line) if text[at] == "{" else None
    if braced is not None:
        return braced
    mend = _mend(text, at, line, column, first)
    if mend is not None:
        place = Span(file, start + mend.begin, start + mend.end)
        written = tuple((place, words) for words in mend.texts)
        return e.UnknownCharacter(Span(file, at, at + 1), mend.words, written)
    sign = sign_for(text, at)
    written = () if sign is None else ((Span(file, at, sign[0]), sign[1]),)
    return e.UnknownCharacter(Span(file, at, at + 1), instead_of(text, at), written)


def _mend(text: str, at: int, line: str, column: int, first: str) -> _Mend | None:
    sign = text[at]
    match sign:
        case ".":
            return _dot(line, column)
        case "|" | "‖" | "∥":
            return _bars(line, column, first)
        case "\\":
            return _latex(line, column, first)
        case "∈" if first in _DECLARING and (mended := paper_space(line)):
            return _whole(line, f"a type stands after a colon: `{mended}`", mended)
        case "·" | "⋅" | "∙" | "•" | "×" | "∗" if line[:column].rstrip():
            return _times(text, line, column)
        case '"' | "“" | "”" if first in ("algorithm", "problem"):
            return _Mend("write the name without quotes")
        case '"' | "“" | "”" if line[column : column + 3] == '"""':
            return _Mend("comments begin with `#`, one on each line")
        case "%" if column and line[column - 1] == " " and line[column + 1 : column + 2] == " ":
            return _Mend(
                "comments begin with `#`; there is no remainder", column, column + 1, ("#",)
            )
    return None


def _whole(line: str, words: str, mended: str) -> _Mend:
    """The whole line written otherwise."""
    begin = len(line) - len(line.lstrip())
    return _Mend(words, begin, len(line.rstrip()), (mended,))


# ---- transposes and braces ----------------------------------------------------------------------


def _transpose(file: SourceFile, at: int, start: int, end: int) -> Diagnostic | None:
    text = file.text
    found = _TRANSPOSE.match(text, at, end)
    if found is not None:
        return e.TransposeSpelling(Span(file, at, found.end()), f"{_operand(text[start:at])}'")
    if text[at] in "{\\" and text[at - 1 : at] == "^":
        braced = _BRACED_POWER.match(text, at, end) or re.match(
            r"\\(?:top|dagger|ast)\b", text[at:end]
        )
        if braced is not None:
            stop = at + len(braced.group())
            mended = f"{_operand(text[start : at - 1])}'"
            return e.TransposeSpelling(Span(file, at - 1, stop), mended)
    return None


def _operand(before: str) -> str:
    """The name or the brackets that a text ends with."""
    found = re.search(r"(\w+|\([^()]*\))$", before)
    return found.group() if found else "A"


def _braces(file: SourceFile, at: int, start: int, line: str) -> Diagnostic | None:
    """`x_{k+1}`, `x^{(k)}`, `L^{2}`, `theta_{max}`."""
    column = at - start
    inside = _INDEX.match(line, column)
    before = line[:column]
    if inside is None or before[-1:] not in ("_", "^"):
        return None
    content = inside.group(1).strip().strip("()").strip()
    span = Span(file, at - 1, at + len(inside.group()))
    name = re.search(r"[^\W_]\w*?(?=_?\^?$)", before)
    if name and is_number_of_phase(content):
        return e.NumberedState(span, name.group(), without_numbers(line.strip()))
    if before[-1] == "^":
        power = content if content.isalnum() else f"({content})"
        return e.UnknownCharacter(
            Span(file, at, at + 1), f"write `^{power}`", ((span, f"^{power}"),)
        )
    word = re.sub(r"\W+", "_", content).strip("_")
    return e.UnknownCharacter(
        Span(file, at, at + 1),
        f"write the name plainly: `{name.group() if name else 'x'}_{word}`",
        ((span, f"_{word}"),),
    )


def is_number_of_phase(words: str) -> bool:
    """`k`, `k+1`, `t - 1`: what a paper puts at a state to say which iteration is meant."""
    return re.fullmatch(r"[ktnijK]\s*(?:[+-]\s*1)?", words.strip()) is not None


_NUMBERED = re.compile(
    r"\b([^\W\d_]\w*?)(?:\s*\[\s*[ktnijK]\s*(?:\+\s*1)?\s*\]|_?\^?\{\s*\(?\s*[ktnijK]\s*(?:\+\s*1)?\s*\)?\s*\}"
    r"|\^\(\s*[ktnijK]\s*(?:\+\s*1)?\s*\))"
)
_OLDER = re.compile(r"[\[({]\s*[ktnijK]\s*-\s*\d")


def without_numbers(line: str) -> str | None:
    """A line without the numbers of iterations; None where it reads more than the last one."""
    if _OLDER.search(line):
        return None
    mended = _NUMBERED.sub(r"\1", line)
    return re.sub(r"(?<![=<>!:])=(?!=)", "<-", mended, count=1) if "<-" not in mended else mended


# ---- dots ---------------------------------------------------------------------------------------


def _dot(line: str, column: int) -> _Mend | None:
    rest, before = line[column:], line[:column]
    if rest.startswith("..."):
        words = "remove the dots: inside brackets a statement may go over several lines"
        return _Mend(words, column, column + 3, ("",))
    if rest[1:2] in ("*", "/", "^", "+", "-"):
        words = f"arithmetic is elementwise: write `{rest[1]}`"
        return _Mend(words, column, column + 1, ("",))
    if rest.startswith(".(") and (name := re.search(r"\w+$", before)):
        words = f"functions are elementwise: write `{name.group()}(...)`"
        return _Mend(words, column, column + 1, ("",))
    if re.match(r"\.t\.", rest) and before.endswith("s"):
        return _Mend("a constraint is a term of the objective: `+ indicator(x >= 0)`")
    chain = _CHAIN.match(rest)
    return None if chain is None else _attribute(line, column, chain.group())


def _attribute(line: str, column: int, chain: str) -> _Mend:
    """`np.sqrt(L)`, `x.mean()`, `x.shape`."""
    owner = re.search(r"\w+$", line[:column])
    word = chain.split(".")[-1]
    called = _CALLED.match(line, column + len(chain))
    arguments = [a.strip() for a in called.group(1).split(",") if a.strip()] if called else []
    if owner is None or owner.group() not in MODULES:
        if word in ("shape", "size", "ndim", "dtype", "device"):
            return _Mend(
                "sizes have names, from `dims`; precision and device are those of the input"
            )
        if owner is not None:
            arguments = [owner.group(), *arguments]
    elif (
        word in ("Parameter", "Module", "Linear", "randn", "ones", "zeros")
        and owner.group() == "nn"
    ):
        return _Mend("what is learnt is declared: `learnable theta : scalar = 0.1`")
    begin = column - len(owner.group() if owner else "")
    end = called.end() if called is not None else column + len(chain)
    mend = function_instead(word, arguments)
    if mend is not None:
        exact = re.fullmatch(r"(?:write|apply it:) `([^`.]+)`", mend)
        return _Mend(mend, begin, end, (exact.group(1),) if exact and called else ())
    text = f"{word}({', '.join(arguments) or '...'})"
    exact_call = called is not None and arguments and owner is not None
    return _Mend(
        f"functions stand by themselves: `{text}`", begin, end, (text,) if exact_call else ()
    )


# ---- bars, LaTeX, products ----------------------------------------------------------------------


def _bars(line: str, column: int, first: str) -> _Mend | None:
    norm = _NORM.match(line, column)
    if norm is not None:
        inner, which, square = norm.groups()
        match which:
            case "1":
                word = f"norm1({inner})"
            case "0":
                word = f"norm0({inner})"
            case "inf" | "infty":
                word = f"norm_inf({inner})"
            case "F" | "2" | None:
                word = f"norm({inner})"
            case "*" | "nuc":
                word = f"nuclear_norm({inner})"
            case _:
                return _Mend(_NORMS)
        if square:
            word = f"sumsq({inner})" if which in (None, "2", "F") else f"{word}^2"
        return _Mend(f"write `{word}`", column, norm.end(), (word,))
    if first in _DECLARING and re.search(r":\s*(?:conv|\w+\s*\[)", line[:column]):
        return _Mend("layers are joined by `>>`", column, column + 1, (">>",))
    modulus = _MODULUS.match(line, column)
    if modulus is None:
        return None
    word = f"abs({modulus.group(1)})"
    return _Mend(f"write `{word}`", column, modulus.end(), (word,))


def _latex(line: str, column: int, first: str) -> _Mend | None:
    rest = line[column:]
    if rest[1:2] in ("", " ", "\t") or rest[1:2] == "(":
        return _solved(line, column)
    command = _LATEX.match(rest)
    word = command.group(1) if command else ""
    end = column + len(command.group() if command else "")
    fraction = _FRACTION.match(rest)
    if fraction is not None:
        above, below = (g if g.isalnum() else f"({g})" for g in fraction.groups())
        text = f"{above} / {below}"
        return _Mend(f"write `{text}`", column, column + fraction.end(), (text,))
    if word == "in" and first in _DECLARING and (mended := paper_space(line)):
        return _whole(line, f"a type stands after a colon: `{mended}`", mended)
    if word == "|" or word in ("lVert", "Vert", "norm"):
        return _Mend(_NORMS)
    if word in _COMMANDS:
        return _Mend(f"write `{_COMMANDS[word]}`", column, end, (_COMMANDS[word],))
    if word in _FUNCTIONS:
        texts = (word,) if line[end : end + 1] == "(" else ()
        return _Mend(f"write `{word}(...)`", column, end, texts)
    if word == "nabla":
        return _Mend("write the gradient out, or start from a `problem` and derive it")
    if word in ("hat", "tilde", "bar", "mathbf", "boldsymbol", "mathrm", "mathcal", "text"):
        return _Mend("write the name plainly, without markup")
    if word.isalpha():
        return _Mend(f"names need no markup: write `{word}`", column, end, (word,))
    return None


def _solved(line: str, column: int) -> _Mend | None:
    """`A \\ y`, `(A' * A + I) \\ (A' * y)`."""
    before, rest = line[:column].rstrip(), line[column:]
    if not before or not rest[1:].strip():
        return None
    left = re.search(r"(?:\(([^()]*)\)|([\w']+))$", before)
    right = re.match(r"\\\s*(?:\(([^()]*)\)|([\w']+))", rest)
    first, second = (
        next((g for g in side.groups() if g), "...") if side else "..." for side in (left, right)
    )
    text = f"solve({first}, {second})"
    words = f"a system is solved by `{text}`"
    if left is None or right is None:
        return _Mend(words)
    return _Mend(words, left.start(), column + right.end(), (text,))


def _times(text: str, line: str, column: int) -> _Mend | None:
    sign, names = line[column], declared(text)
    left = re.search(r"(\w+)'?$", line[:column].rstrip())
    if left is not None and left.group(1) in names.maps:
        return _Mend("a map is applied with `@`", column, column + 1, ("@",))
    if left is not None and (left.group(1) in names.values or left.group(1).isdigit()):
        return None
    if sign == "×":
        return None
    words = "write `*`, or `@` where a map is applied"
    return _Mend(words, column, column + 1, ("*", "@"))


def paper_space(line: str) -> str | None:
    """A declaration with `in R^m`, `: R^(m x n)` as one with `: vector[m]`, `: matrix[m, n]`."""
    found = _PAPER_SPACE.search(line)
    if found is None:
        return None
    field, rows, columns = found.groups()
    space = f"matrix[{rows}, {columns}]" if columns else f"vector[{rows}]" if rows else "scalar"
    complex_ = "complex " if field in ("C", "ℂ") else ""
    mended = f"{line[: found.start()]} : {complex_}{space}{line[found.end() :]}"
    return " ".join(mended.split())
