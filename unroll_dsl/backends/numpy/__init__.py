"""The NumPy backend: an interpreter of the graph as built, which defines what a program means."""

from unroll_dsl.backends.numpy.reference import Reference

__all__ = ["Reference"]
