r"""Notation of papers and of other languages that begins with a sign the language lacks.

    ||x||^2, np.sqrt(L), x.mean(), x .* y, \frac{a}{b}, x_{k+1}, y ∈ ℝ^m, A · x

Each function reads the line from that sign on and answers what to write; `characters.py` knows single signs.
"""

from __future__ import annotations

import re

from unroll_dsl.diagnostics.model import Diagnostic
from unroll_dsl.source import SourceFile, Span
from unroll_dsl.syntax import reports as e
from unroll_dsl.syntax.characters import instead_of
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
_DECLARING = ("input", "fixed", "learnable", "state")


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
    mend = _mend(text, at, line, column, first) or instead_of(text, at)
    return e.UnknownCharacter(Span(file, at, at + 1), mend)


def _mend(text: str, at: int, line: str, column: int, first: str) -> str | None:
    sign = text[at]
    match sign:
        case ".":
            return _dot(line, column)
        case "|" | "‖" | "∥":
            return _bars(line, column, first)
        case "\\":
            return _latex(line, column, first)
        case "∈" if first in _DECLARING and (mended := paper_space(line)):
            return f"a type stands after a colon: `{mended}`"
        case "·" | "⋅" | "∙" | "•" | "×" | "∗" if line[:column].rstrip():
            return _times(text, line, column)
        case '"' | "“" | "”" if first in ("algorithm", "problem"):
            return "write the name without quotes"
        case '"' | "“" | "”" if line[column : column + 3] == '"""':
            return "comments begin with `#`, one on each line"
        case "%" if column and line[column - 1] == " " and line[column + 1 : column + 2] == " ":
            return "comments begin with `#`; there is no remainder"
    return None


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
        return e.UnknownCharacter(Span(file, at, at + 1), f"write `^{power}`")
    word = re.sub(r"\W+", "_", content).strip("_")
    return e.UnknownCharacter(
        Span(file, at, at + 1), f"write the name plainly: `{name.group() if name else 'x'}_{word}`"
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


def _dot(line: str, column: int) -> str | None:
    rest, before = line[column:], line[:column]
    if rest.startswith("..."):
        return "remove the dots: inside brackets a statement may go over several lines"
    if rest[1:2] in ("*", "/", "^", "+", "-"):
        return f"arithmetic is elementwise: write `{rest[1]}`"
    if rest.startswith(".(") and (name := re.search(r"\w+$", before)):
        return f"functions are elementwise: write `{name.group()}(...)`"
    if re.match(r"\.t\.", rest) and before.endswith("s"):
        return "a constraint is a term of the objective: `+ indicator(x >= 0)`"
    chain = _CHAIN.match(rest)
    if chain is None:
        return None
    owner = re.search(r"\w+$", before)
    word = chain.group().split(".")[-1]
    called = _CALLED.match(rest, chain.end())
    arguments = [a.strip() for a in called.group(1).split(",") if a.strip()] if called else []
    if owner is None or owner.group() not in MODULES:
        if word in ("shape", "size", "ndim", "dtype", "device"):
            return "sizes have names, from `dims`; precision and device are those of the input"
        if owner is not None:
            arguments = [owner.group(), *arguments]
    elif (
        word in ("Parameter", "Module", "Linear", "randn", "ones", "zeros")
        and owner.group() == "nn"
    ):
        return "what is learnt is declared: `learnable theta : scalar = 0.1`"
    mend = function_instead(word, arguments)
    if mend is not None:
        return mend
    return f"functions stand by themselves: `{word}({', '.join(arguments) or '...'})`"


# ---- bars, LaTeX, products ----------------------------------------------------------------------


def _bars(line: str, column: int, first: str) -> str | None:
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
                return "norms are `norm1(x)`, `norm(x)`, `norm_inf(x)`, squares `sumsq(x)`"
        if square:
            word = f"sumsq({inner})" if which in (None, "2", "F") else f"{word}^2"
        return f"write `{word}`"
    if first in _DECLARING and re.search(r":\s*(?:conv|\w+\s*\[)", line[:column]):
        return "layers are joined by `>>`"
    modulus = _MODULUS.match(line, column)
    return f"write `abs({modulus.group(1)})`" if modulus else None


def _latex(line: str, column: int, first: str) -> str | None:
    rest = line[column:]
    if rest[1:2] in ("", " ", "\t") or rest[1:2] == "(":
        before = line[:column].rstrip()
        if not before or not rest[1:].strip():
            return None
        left = re.search(r"(?:\(([^()]*)\)|([\w']+))$", before)
        right = re.match(r"\\\s*(?:\(([^()]*)\)|([\w']+))", rest)
        first, second = (
            next((g for g in side.groups() if g), "...") if side else "..."
            for side in (left, right)
        )
        return f"a system is solved by `solve({first}, {second})`"
    command = _LATEX.match(rest)
    word = command.group(1) if command else ""
    fraction = _FRACTION.match(rest)
    if fraction is not None:
        above, below = (g if g.isalnum() else f"({g})" for g in fraction.groups())
        return f"write `{above} / {below}`"
    if word == "in" and first in _DECLARING and (mended := paper_space(line)):
        return f"a type stands after a colon: `{mended}`"
    if word == "|" or word in ("lVert", "Vert", "norm"):
        return "norms are `norm1(x)`, `norm(x)`, `norm_inf(x)`, squares `sumsq(x)`"
    if word in _COMMANDS:
        return f"write `{_COMMANDS[word]}`"
    if word in _FUNCTIONS:
        return f"write `{word}(...)`"
    if word == "nabla":
        return "write the gradient out, or start from a `problem` and derive it"
    if word in ("hat", "tilde", "bar", "mathbf", "boldsymbol", "mathrm", "mathcal", "text"):
        return "write the name plainly, without markup"
    if word.isalpha():
        return f"names need no markup: write `{word}`"
    return None


def _times(text: str, line: str, column: int) -> str | None:
    sign, names = line[column], declared(text)
    left = re.search(r"(\w+)'?$", line[:column].rstrip())
    if left is not None and left.group(1) in names.maps:
        return "a map is applied with `@`"
    if left is not None and (left.group(1) in names.values or left.group(1).isdigit()):
        return None
    return "write `*`, or `@` where a map is applied" if sign != "×" else None


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
