"""A page as an editor has it: its text, and what is known of it whatever is wrong."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from unroll_dsl.diagnostics.model import Diagnostic
from unroll_dsl.driver import Checked, check_source
from unroll_dsl.editor.names import Occurrence, occurrences
from unroll_dsl.semantics.model import Symbol, TypedProgram
from unroll_dsl.source import SourceFile
from unroll_dsl.syntax.lexer import Lexer
from unroll_dsl.syntax.nodes import Program
from unroll_dsl.syntax.parse_tables import load_tables
from unroll_dsl.syntax.tokens import Line


@dataclass(frozen=True, eq=False)
class OpenPage:
    """The text of a page, checked."""

    file: SourceFile
    checked: Checked

    @property
    def text(self) -> str:
        return self.file.text

    @property
    def program(self) -> Program | None:
        return self.checked.program

    @property
    def typed(self) -> TypedProgram | None:
        return self.checked.typed

    @property
    def diagnostics(self) -> tuple[Diagnostic, ...]:
        return self.checked.diagnostics

    @property
    def symbols(self) -> Mapping[str, Symbol]:
        return {} if self.typed is None else self.typed.symbols

    @property
    def is_whole(self) -> bool:
        """Whether every line could be read."""
        return self.program is not None and not self.program.poisoned

    @cached_property
    def names(self) -> tuple[Occurrence, ...]:
        """Every place where a name stands, in order."""
        return () if self.typed is None else occurrences(self.typed)

    @cached_property
    def lines(self) -> tuple[Line, ...]:
        """The logical lines of the text; none of a text that is too long to be read."""
        if self.program is None:
            return ()
        return Lexer(self.file, load_tables()).lines().lines

    def line_at(self, offset: int) -> Line | None:
        """The logical line that an offset stands in, or behind whose last token it does."""
        for line in self.lines:
            if line.span.start <= offset <= line.span.end:
                return line
        return None

    def name_at(self, offset: int, *, behind: bool = True) -> Occurrence | None:
        """The name that an offset stands in; with `behind` also one that ends there."""
        ends = None
        for name in self.names:
            if name.span.start <= offset < name.span.end:
                return name
            if name.span.end == offset and behind:
                ends = name
        return ends


def open_page(text: str, name: str = "page.unroll") -> OpenPage:
    """The page of a text, under the name that messages call it by. Never raises for what the text says."""
    file = SourceFile(name, text)
    return OpenPage(file, check_source(file))
