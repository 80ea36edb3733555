"""From an algorithm to a network: named rewritings of a page, each with its paper."""

from unroll_dsl.relax.run import Relaxed, relax, relaxation_names, split_options

__all__ = ["Relaxed", "relax", "relaxation_names", "split_options"]
