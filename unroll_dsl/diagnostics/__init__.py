"""What the stages report, and how it is shown: the model, the renderer, the catalogue of codes."""

from unroll_dsl.diagnostics.model import Diagnostic, Label
from unroll_dsl.diagnostics.raised import InternalError, UnrollError
from unroll_dsl.diagnostics.render import render, render_all, render_json

__all__ = [
    "Diagnostic",
    "InternalError",
    "Label",
    "UnrollError",
    "render",
    "render_all",
    "render_json",
]
