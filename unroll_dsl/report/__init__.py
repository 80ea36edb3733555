"""What people look at: a summary of a program, its LaTeX, its pictures."""

from unroll_dsl.report.drawing import dot, svg
from unroll_dsl.report.latex import latex
from unroll_dsl.report.summary import Summary, summary

__all__ = ["Summary", "dot", "latex", "summary", "svg"]
