"""Objectives in normal form: weights * atoms of affine maps of the variables."""

from unroll_dsl.objectives.model import Affine, LinearPart, NormalForm, Term, Variable
from unroll_dsl.objectives.read import read
from unroll_dsl.objectives.weights import Weight

__all__ = ["Affine", "LinearPart", "NormalForm", "Term", "Variable", "Weight", "read"]
