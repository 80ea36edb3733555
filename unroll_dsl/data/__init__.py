"""Data for training and evaluation: sources of targets, values to bind, figures of merit.

See docs/data.md for the keys of `[data]` and `[bind]`.
"""

from unroll_dsl.data.bindings import bindings, default_bindings, made
from unroll_dsl.data.codes import completed
from unroll_dsl.data.errors import BadImages, DataError
from unroll_dsl.data.metrics import Metric, metric, metric_names
from unroll_dsl.data.opening import default_kind, open_source
from unroll_dsl.data.source import Source
from unroll_dsl.data.sparse import add_noise

__all__ = [
    "BadImages",
    "DataError",
    "Metric",
    "Source",
    "add_noise",
    "bindings",
    "completed",
    "default_bindings",
    "default_kind",
    "made",
    "metric",
    "metric_names",
    "open_source",
]
