"""What people look at: a summary of a program, its LaTeX, its pictures."""

from unroll_dsl.calling import callable_as
from unroll_dsl.report.drawing import dot, svg
from unroll_dsl.report.summary import Summary, summary
from unroll_dsl.typeset.latex import latex

__all__ = ["Summary", "dot", "latex", "summary", "svg"]

callable_as(__name__, "unroll_dsl.commands:report")
