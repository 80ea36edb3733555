"""Words with which other languages and papers begin a line, and what to write instead."""

from __future__ import annotations

import re

_LOOPS = (
    "for",
    "while",
    "repeat",
    "iterate",
    "do",
    "loop",
    "iteration",
    "layer",
    "layers",
    "block",
)
_PHASES = "the iteration is a block: `phase (7):` and indented updates below it"
_DEFINITION = "functions are written `def f(v) = ...`"
_MINIMIZE = "write `minimize over x:` and the objective below it"

_ADVICE = {
    **dict.fromkeys(_LOOPS, _PHASES),
    "repeat": "an inner loop stands within a phase; " + _PHASES,
    **dict.fromkeys(
        ("import", "from", "include", "using"),
        "nothing is imported: tensors, operators and networks are bound from Python",
    ),
    **dict.fromkeys(("const", "constant", "given"), "constants are declared with `fixed`"),
    **dict.fromkeys(("param", "parameter", "weights"), "what is learnt is declared `learnable`"),
    **dict.fromkeys(("var", "variable"), "what changes from phase to phase is a `state`"),
    **dict.fromkeys(
        ("init", "initialize", "initialise", "start"),
        "the start of a state stands behind its type: `state x : vector[n] = 0`",
    ),
    **dict.fromkeys(
        ("data", "observe", "simulate", "sample"),
        "how data are made of the loss's targets is said by `measure y = ...`",
    ),
    **dict.fromkeys(("if", "else", "elif"), "choose between values with `where(condition, a, b)`"),
    **dict.fromkeys(("function", "fn", "func"), _DEFINITION),
    **dict.fromkeys(("end", "done", "fi"), "a block ends with its indentation: leave the line out"),
    **dict.fromkeys(
        ("unroll", "network", "model", "program", "solver", "method", "module", "class", "name"),
        "a file holds one program, named in its first line: `algorithm NAME`",
    ),
    **dict.fromkeys(
        ("subject", "st", "where", "constraint"),
        "a constraint is a term of the objective: `+ indicator(x >= 0)`",
    ),
    "assert": "what is given may be bounded: `fixed t : scalar > 0`; `unroll check` proves the rest",
    "print": "what a phase computes can be watched with `trace`",
    "maximize": "write `minimize over x:` and the negative of the objective below it",
    **dict.fromkeys(("objective", "argmin", "min", "minimise", "cost", "energy"), _MINIMIZE),
}

_IN_BLOCK = {
    **dict.fromkeys(_LOOPS, "the phase is the loop; one within it is a block: `repeat (3):`"),
    "pass": "leave the line out",
    **dict.fromkeys(
        ("break", "continue"), "every phase runs: choose values with `where(condition, a, b)`"
    ),
}


def advice(word: str, line: str, *, in_block: bool = False) -> str | None:
    """What to write instead of a line that begins with `word`; None where no idea is at hand."""
    word = word.lower()
    condition = re.match(r"(?:if|elif)\s+(.+?)\s*:?$", line)
    if condition is not None:
        return f"choose between values with `where({condition.group(1)}, a, b)`"
    if in_block and word in _IN_BLOCK:
        return _IN_BLOCK[word]
    if word.startswith("min_") and not in_block:
        return f"write `minimize over {word.removeprefix('min_')}:` and the objective below it"
    return _ADVICE.get(word)
