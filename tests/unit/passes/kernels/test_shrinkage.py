"""`soft` is the prelude's, so these begin at a spec."""

import pytest

import unroll_dsl
from unroll_dsl.ir.nodes import Builtin
from unroll_dsl.passes.kernels.shrinkage import shrinking

_SPEC = """
algorithm a
dims n
input s : scalar
input y : {field}vector[n]
learnable t : {threshold} = 1
{own}state x : {field}vector[n] = 0
phase (3):
    x <- soft(x + y, {given})
output x
"""
_OWN = "def soft(v, t) = v - t\n"


def _kernel(field="", threshold="scalar", given="t", own=""):
    text = _SPEC.format(field=field, threshold=threshold, given=given, own=own)
    nodes = shrinking(unroll_dsl.loads(text).graph).nodes
    words = [node.op.function for node in nodes if isinstance(node.op, Builtin)]
    assert len(words) < 2
    return words[0] if words else None


def test_one_threshold_of_any_sign_is_one_kernel():
    assert _kernel() == "shrink"


def test_thresholds_of_entries_are_one_kernel_where_none_is_negative():
    assert _kernel(threshold="vector[n] >= 0") == "shrink_each"


@pytest.mark.parametrize(
    "change",
    [
        {"threshold": "vector[n]"},
        {"given": "t * s"},
        {"field": "complex "},
        {"own": _OWN},
    ],
    ids=["perhaps negative", "differs by sample", "complex", "another soft"],
)
def test_what_no_kernel_takes_is_left(change):
    assert _kernel(**change) is None
