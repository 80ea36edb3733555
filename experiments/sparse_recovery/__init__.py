"""Sparse recovery with 256 measurements of 512 entries, as in Open-L2O: NMSE against layers."""

from experiments.sparse_recovery.run import run

__all__ = ["run"]
