"""Why the grammar refuses a line, in the words of its author.

Each rule knows one mistake; the first that recognises it names it. What no rule recognises is
reported with what could have stood there.
"""

from __future__ import annotations

from collections.abc import Callable

from unroll_dsl.diagnostics.model import Diagnostic
from unroll_dsl.syntax import reports as e
from unroll_dsl.syntax.failure import Failure, expected, found
from unroll_dsl.syntax.mistakes import declarations, lines
from unroll_dsl.syntax.mistakes import expressions as slips
from unroll_dsl.syntax.mistakes import statements as misstatements

RULES: tuple[Callable[[Failure], Diagnostic | None], ...] = (
    slips.reserved_word,
    slips.foreign_operator,
    slips.foreign_assignment,
    misstatements.first_word,
    lines.numbered_state,
    lines.foreign_line,
    misstatements.line_in_block,
    lines.objective,
    misstatements.head_of_block,
    declarations.header,
    declarations.colon_before_the_name,
    declarations.space_of_a_paper,
    declarations.sizes,
    declarations.words_for_a_bound,
    declarations.more_than_one,
    declarations.output,
    misstatements.part_of_declaration,
    misstatements.missing_type,
    misstatements.separators,
    slips.arrow,
    slips.equality,
    slips.chained_comparison,
    slips.indexing,
    slips.other_language,
    slips.unary_plus,
    slips.paper,
    slips.subscript,
    slips.missing_name,
    slips.missing_expression,
    slips.missing_operator,
)


def diagnose(failure: Failure) -> Diagnostic:
    """The mistake that a refused line makes."""
    for rule in RULES:
        diagnostic = rule(failure)
        if diagnostic is not None:
            return diagnostic
    return e.Unexpected(failure.span, found(failure), expected(failure.accepted))
