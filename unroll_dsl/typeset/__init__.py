"""Programs and derivations as LaTeX, HTML and Markdown."""

from unroll_dsl.typeset.equations import equations
from unroll_dsl.typeset.latex import latex

__all__ = ["equations", "latex"]
