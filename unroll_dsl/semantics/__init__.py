"""Program -> TypedProgram: names, types, structure."""

from unroll_dsl.semantics.check import check
from unroll_dsl.semantics.model import TypedProgram

__all__ = ["TypedProgram", "check"]
