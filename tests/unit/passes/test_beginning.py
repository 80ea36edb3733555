import pytest

from unroll_dsl.passes.beginning import beginning
from unroll_dsl.passes.dead import dead

_LISTA = """
    input y : vector[n]
    learnable S : matrix[n, n] = %1
    learnable t : scalar = %3
    state z : vector[n] = %4 then %9
    output %10
    phases 3
    %0 = input y : vector[n]
    %1 = eye : matrix[n, n]
    %2 = learnable S : matrix[n, n]
    %3 = constant {start} : scalar
    %4 = expand %3 : vector[n]
    %5 = state z : vector[n]
    %6 = contract %2, %5 : vector[n]
    %7 = {sum} : vector[n]
    %8 = learnable t : scalar
    %9 = {step} : vector[n]
    %10 = final z : vector[n]
"""


def _spec(start="0", sum="add %0, %6", step="mul %8, %7"):
    return _LISTA.format(start=start, sum=sum, step=step)


def _first(graph, text):
    """What the first phase makes of z, as text; None: what any phase does."""
    result = dead(beginning(graph(text)))
    (slot,) = result.states
    return None if slot.first is None else _written(result.nodes, slot.first)


def _written(nodes, index):
    node = nodes[index]
    if not node.args:
        return node.op.name
    return f"{node.op.function}({', '.join(_written(nodes, a) for a in node.args)})"


def test_a_product_with_a_state_that_is_0_is_spared(graph):
    assert _first(graph, _spec()) == "mul(t, y)"


def test_signs_of_what_is_left_are_kept(graph):
    assert _first(graph, _spec(sum="sub %6, %0")) == "neg(mul(t, y))"


@pytest.mark.parametrize(
    "change",
    [{"start": "1"}, {"step": "div %7, %6"}, {"sum": "exp %6"}],
    ids=["starts at 1", "divides by 0", "no linear map"],
)
def test_other_states_begin_as_any_phase(graph, change):
    assert _first(graph, _spec(**change)) is None
