import pytest

from unroll_dsl.diagnostics.raised import InternalError
from unroll_dsl.ir.draw import order, statement_graph
from unroll_dsl.ir.text import from_text

LISTA = """\
algorithm lista "lista.unroll"
dims n, m
input X : vector[n] ; lista.unroll:3
learnable We : matrix[m, n] ; lista.unroll:4
learnable theta : vector[m] per phase ; lista.unroll:5
state Z : vector[m] = %4 then %8 ; lista.unroll:6
output %9
phases 7

%0 = input X : vector[n] ; lista.unroll:3 X
%1 = learnable We : matrix[m, n] ; lista.unroll:4 We
%2 = learnable theta : vector[m] ; lista.unroll:5 theta
%3 = constant 0 : scalar
%4 = expand %3 : vector[m]
%5 = state Z : vector[m] ; lista.unroll:6 Z
%6 = contract %1, %0 : vector[m] ; lista.unroll:8 b
%7 = add %6, %5 : vector[m]
%8 = sub %7, %2 : vector[m] ; lista.unroll:9 Z
%9 = final Z : vector[m]
"""


def test_values_without_a_name_are_folded_into_their_statements():
    picture = statement_graph(from_text(LISTA))
    assert set(picture) == {
        "input:X", "learnable:We", "learnable:theta", "state:Z", "local:b", "update:Z",
        "final:Z", "output:0",
    }  # fmt: skip
    forward = {(a, b) for a, b, back in picture.edges(data="feedback") if not back}
    assert forward == {
        ("input:X", "local:b"),
        ("learnable:We", "local:b"),
        ("local:b", "update:Z"),
        ("state:Z", "update:Z"),
        ("learnable:theta", "update:Z"),
        ("update:Z", "final:Z"),
        ("final:Z", "output:0"),
    }


def test_the_update_leads_back_to_its_state():
    picture = statement_graph(from_text(LISTA))
    back = [(a, b) for a, b, back in picture.edges(data="feedback") if back]
    assert back == [("update:Z", "state:Z")]


def test_vertices_say_what_stands_where():
    picture = statement_graph(from_text(LISTA))
    assert picture.nodes["local:b"] == {
        "kind": "local", "label": "b", "type": "vector[m]", "stage": "call", "line": 8,
    }  # fmt: skip
    assert picture.nodes["update:Z"]["stage"] == "phase"


def test_a_name_given_twice_is_two_vertices():
    text = LISTA.replace("%7 = add %6, %5 : vector[m]", "%7 = add %6, %5 : vector[m] ; - b")
    assert {"local:b", "local:b:2"} <= set(statement_graph(from_text(text)))


def test_statements_are_ordered_after_what_they_read():
    found = order(from_text(LISTA))
    assert found.index("learnable:We") < found.index("local:b") < found.index("update:Z")
    assert found[-1] == "output:0"


def test_a_cycle_is_a_fault_of_the_compiler():
    # two statements under one name would make one; here the drawing is made to lie
    import unroll_dsl.ir.draw as draw

    graph = from_text(LISTA)
    picture = statement_graph(graph)
    picture.add_edge("update:Z", "local:b", feedback=False)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(draw, "statement_graph", lambda _: picture)
        with pytest.raises(InternalError, match=r"local:b -> update:Z|update:Z -> local:b"):
            order(graph)
