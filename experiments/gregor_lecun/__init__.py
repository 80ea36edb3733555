"""Table 1 of Gregor and LeCun (2010): approximate sparse codes of natural image patches."""

from experiments.gregor_lecun.run import run

__all__ = ["run"]
