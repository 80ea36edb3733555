"""The deck by machine: every page of algorithms/problems/deck.toml derived, shown, and run with its authors' weights."""

from unroll_dsl.deck.figures import AuthorsFigure, Skipped, figure
from unroll_dsl.deck.pages import Slide, slides
from unroll_dsl.deck.walk import walk

__all__ = ["AuthorsFigure", "Skipped", "Slide", "figure", "slides", "walk"]
