"""A paper's test over images, with the authors' weights, beside the published numbers."""

from unroll_dsl.reproduce.run import Result, reproduce

__all__ = ["Result", "reproduce"]
