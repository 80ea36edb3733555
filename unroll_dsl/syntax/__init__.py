"""The syntax stage: text to `Program`, and back."""

from unroll_dsl.syntax.parser import ParseResult, parse, parse_text
from unroll_dsl.syntax.printer import expression_text, same_tree, statement_text, to_text, type_text
from unroll_dsl.syntax.reading import read_source

__all__ = [
    "ParseResult",
    "expression_text",
    "parse",
    "parse_text",
    "read_source",
    "same_tree",
    "statement_text",
    "to_text",
    "type_text",
]
