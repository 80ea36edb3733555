"""Notebooks: `%load_ext unroll_dsl`, then cells that begin with `%%unroll` are programs."""

from unroll_dsl.notebook.magic import register

__all__ = ["register"]
