"""The tree of a generated module (nodes.py), what it reads (reading.py), its text (printing.py)."""

from unroll_dsl.backends.torch.tree.nodes import (
    SELF,
    Assign,
    Body,
    Class,
    Define,
    Do,
    For,
    Function,
    Helper,
    If,
    Module,
    Parameter,
    Return,
    Statement,
    With,
)

__all__ = [
    "SELF",
    "Assign",
    "Body",
    "Class",
    "Define",
    "Do",
    "For",
    "Function",
    "Helper",
    "If",
    "Module",
    "Parameter",
    "Return",
    "Statement",
    "With",
]
