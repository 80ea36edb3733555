import pytest

from unroll_dsl.diagnostics.raised import InternalError
from unroll_dsl.ir.text import to_text
from unroll_dsl.passes import pipeline
from unroll_dsl.passes.pipeline import STEPS, optimize, trace

TEXT = """
    input y : vector[n]
    output %3
    %0 = input y : vector[n]
    %1 = neg %0 : vector[n]
    %2 = neg %0 : vector[n]
    %3 = add %1, %2 : vector[n]
"""


def test_every_pass_is_traced_in_order_and_the_last_is_what_optimize_gives(graph):
    program = graph(TEXT)
    steps = list(trace(program))
    assert [name for name, _ in steps] == [step.name for step in STEPS]
    assert len({step.name for step in STEPS}) == len(STEPS)  # `--emit ir:<pass>` can name each
    assert to_text(steps[-1][1]) == to_text(optimize(program))


def test_passes_leave_their_argument_alone_and_repeat_themselves(graph):
    program = graph(TEXT)
    before = to_text(program)
    assert to_text(optimize(program)) == to_text(optimize(program))
    assert to_text(program) == before


def test_nothing_is_left_to_do_after_the_last_pass(graph):
    once = optimize(graph(TEXT))
    assert to_text(optimize(once)) == to_text(once)


def test_the_verifier_runs_after_each_pass(graph, monkeypatch):
    program = graph(TEXT)
    broken = graph(TEXT.replace("output %3", "output %1"))
    object.__setattr__(broken, "outputs", (17,))
    step = pipeline.Step("break", lambda sizes: lambda _: broken, 0)
    monkeypatch.setattr(pipeline, "STEPS", (step,))
    with pytest.raises(InternalError, match="%17"):
        optimize(program)
