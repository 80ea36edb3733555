"""From a problem to an algorithm: methods, and the pages that they write."""

from unroll_dsl.calling import callable_as
from unroll_dsl.derive.method import Derivation
from unroll_dsl.derive.model import Options
from unroll_dsl.derive.run import derive, method_names

__all__ = ["Derivation", "Options", "derive", "method_names"]

callable_as(__name__, "unroll_dsl.commands:derive")
