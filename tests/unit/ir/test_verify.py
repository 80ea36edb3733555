"""Each rule of the verifier is broken once, in a graph that keeps it otherwise."""

from dataclasses import replace

import pytest

from unroll_dsl.diagnostics.raised import InternalError
from unroll_dsl.ir.nodes import Argument, Input, Node
from unroll_dsl.ir.text import from_text
from unroll_dsl.ir.verify import verify
from unroll_dsl.types import SCALAR

GOOD = """\
algorithm a "a.unroll"
dims m, n
input y : vector[n]
fixed A : matrix[m, n]
fixed c : scalar > %2 = %3
learnable q : vector[n] per phase = %4
learnable t : scalar per phase = %5
state x : vector[n] = %4 then %12
trace r = %13
output %14
target goal : vector[n]
loss %20
variable w : scalar
objective %21
phases 3

def f(v : vector[n]) = %1
    %0 = argument 0 : vector[n]
    %1 = abs %0 : vector[n]

def g(v : vector[n]) = %1
    %0 = argument 0 : vector[n]
    %1 = invoke[f] %0 : vector[n]

%0 = input y : vector[n]
%1 = fixed A : matrix[m, n]
%2 = constant 0 : scalar
%3 = constant 1 : scalar
%4 = expand %3 : vector[n]
%5 = phase_number : scalar
%6 = learnable q : vector[n]
%7 = learnable t : scalar
%8 = state x : vector[n]
%9 = contract %1, %8 : vector[m] ; a.unroll:9 Ax
%10 = invoke[g] %8 : vector[n]
%11 = mul %7, %10 : vector[n]
%12 = add %11, %6 : vector[n]
%13 = sub %12, %8 : vector[n]
%14 = final x : vector[n]
%15 = target goal : vector[n]
%16 = traced r : vector[n]
%17 = builtin[sumsq] %16 : scalar
%18 = phase_sum %17 : scalar
%19 = builtin[sumsq] %15 : scalar
%20 = add %18, %19 : scalar
%21 = variable w : scalar
%22 = fixed c : scalar
"""


def test_a_good_graph_is_accepted():
    verify(from_text(GOOD))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        # types
        ("%12 = add %11, %6 : vector[n]", "%12 = add %11, %6 : scalar", r"%12.*vector\[n\], not"),
        ("%11 = mul %7, %10", "%11 = mul %9, %10", "%11.*shapes agree"),
        ("%9 = contract %1, %8", "%9 = contract %8, %1", r"%9 = Contract \(a.unroll:9:1\)"),
        ("%10 = invoke[g] %8", "%10 = invoke[g] %8, %8", "%10.*takes 1 arrays"),
        ("%4 = expand %3", "%4 = expand %1", "%4.*what fills"),
        ("builtin[sumsq] %16", "builtin[nonsense] %16", "%17.*no function record"),
        ("builtin[sumsq] %16", "sumsq %16", "%17.*is of kind reduction"),
        ("%13 = sub %12, %8 :", "%13 = apply %1, %8 :", "%13.*takes a map"),
        ("%13 = sub %12, %8 :", "%13 = solve %1, %8 :", "%13.*a square matrix"),
        ("%18 = phase_sum %17", "%18 = phase_sum %15", "%18.*real scalar"),
        # declarations
        ("learnable q : vector[n] per", "learnable p : vector[n] per", "%6.*`q` is not declared"),
        ("input y : vector[n]\nfixed", "input y : vector[m]\nfixed", "%0.*`y` is declared as"),
        ("trace r = %13", "trace s = %13", "%16.*`r` is not declared"),
        ("state x : vector[n] = %4", "state x : vector[n] = %3", "first value of `x`"),
        ("scalar > %2 = %3", "scalar > %4 = %3", "limit of `c`"),
        # roles and stages
        ("scalar > %2 = %3", "scalar > %7 = %3", "limit of `c` depends on a Learnable per phase"),
        ("scalar > %2 = %3", "scalar > %2 = %5", "default of `c` depends on a PhaseNumber"),
        ("learnable t : scalar per phase", "learnable t : scalar", "initial.*a PhaseNumber"),
        ("= %4 then", "= %8 then", "first value of `x` depends on a State"),
        ("then %12", "then %14", "update of `x` depends on a Final"),
        ("output %14", "output %8", "an output depends on a State"),
        ("output %14", "output %6", "an output depends on a Learnable per phase"),
        ("output %14", "output %15", "an output depends on a Target"),
        ("loss %20", "loss %17", "the loss depends on a Traced"),
        ("loss %20", "loss %21", "the loss depends on a Variable"),
        ("loss %20", "loss %14", "is the loss and should be scalar"),
        ("objective %21", "objective %17", "the objective depends on a Traced"),
        ("builtin[sumsq] %16", "builtin[sumsq] %8", "a sum over phases depends on a State"),
        # functions
        ("invoke[f] %0", "invoke[g] %0", "function `g`: %1.*or it comes later"),
        ("%0 = argument 0 : vector[n]\n    %1 = abs", "%0 = argument 1 : vector[n]\n    %1 = abs",
         "function `f`: %0.*no argument 1"),
    ],
)  # fmt: skip
def test_a_graph_that_breaks_a_rule_is_refused_with_the_node(old, new, message):
    assert old in GOOD
    graph = from_text(GOOD.replace(old, new))
    with pytest.raises(InternalError, match=message):
        verify(graph)


def test_arguments_precede_their_users():
    graph = from_text(GOOD)
    nodes = list(graph.nodes)
    nodes[11] = replace(nodes[11], args=(7, 12))
    with pytest.raises(InternalError, match=r"%11.*do not precede"):
        verify(replace(graph, nodes=tuple(nodes)))


def test_declarations_refer_to_nodes_that_exist():
    with pytest.raises(InternalError, match="%99, which does not exist"):
        verify(replace(from_text(GOOD), outputs=(99,)))


def test_arguments_are_found_in_functions_alone_and_leaves_outside_of_them():
    graph = from_text(GOOD)
    with pytest.raises(InternalError, match="outside of a function"):
        verify(replace(graph, nodes=(*graph.nodes, Node(Argument(0), (), SCALAR))))
    body = graph.functions[0]
    leaking = replace(body, nodes=(*body.nodes, Node(Input("y"), (), SCALAR)))
    with pytest.raises(InternalError, match=r"function `f`: %2.*arguments alone"):
        verify(replace(graph, functions=(leaking, graph.functions[1])))


def test_function_names_are_unique():
    graph = from_text(GOOD)
    with pytest.raises(InternalError, match="`f` is defined twice"):
        verify(replace(graph, functions=(graph.functions[0], *graph.functions)))
