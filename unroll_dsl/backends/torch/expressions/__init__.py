"""Nodes of the graph as Python expressions: place.py, then one module a kind of node, then all of them."""

from unroll_dsl.backends.torch.expressions.like import Callee, Invoke, Like, as_float
from unroll_dsl.backends.torch.expressions.writer import Expressions

__all__ = ["Callee", "Expressions", "Invoke", "Like", "as_float"]
