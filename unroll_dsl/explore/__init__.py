"""The family of a problem, trained: which network is worth going on with."""

from unroll_dsl.calling import callable_as
from unroll_dsl.explore.run import Settings, explore, resume

__all__ = ["Settings", "explore", "resume"]

callable_as(__name__, "unroll_dsl.commands:explore")
