"""What each method makes of a problem, as a table of words."""

from __future__ import annotations

from unroll_dsl.derive.model import Options, Refusal
from unroll_dsl.derive.run import attempt, methods
from unroll_dsl.derive.setting import Setting
from unroll_dsl.objectives import read
from unroll_dsl.semantics import TypedProgram


def listing(typed: TypedProgram) -> str:
    """A line a method: that it serves, or why not."""
    form = read(typed)
    options = Options()
    width = max(map(len, methods()))
    lines = []
    for name, method in methods().items():
        answer = attempt(method, Setting(form, options), options)
        if isinstance(answer, Refusal):
            line, column = answer.span.file.position(answer.span.start)
            words = f"no: {answer.reason} ({line}:{column})"
        else:
            words = f"yes, {method.title}: {method.rate}"
        lines.append(f"{name:<{width}}  {words}")
    return "\n".join(lines) + "\n"
