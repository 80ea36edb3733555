"""Weights: read from authors' files by a declared map, kept in one file with their program."""

from unroll_dsl.weights.container import load_network, save_network
from unroll_dsl.weights.imports import import_weights

__all__ = ["import_weights", "load_network", "save_network"]
