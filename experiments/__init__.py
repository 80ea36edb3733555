"""Experiments of papers, trained from scratch: `python -m experiments NAME [--quick]`. See docs/experiments.md."""
