"""The family of a problem, trained: which network is worth going on with."""

from unroll_dsl.explore.run import Settings, explore, resume

__all__ = ["Settings", "explore", "resume"]
