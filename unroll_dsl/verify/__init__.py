"""Proof by test: what `unroll check` runs on a random instance of a program."""

from unroll_dsl.verify.report import Report, Row, Verdict
from unroll_dsl.verify.run import check

__all__ = ["Report", "Row", "Verdict", "check"]
