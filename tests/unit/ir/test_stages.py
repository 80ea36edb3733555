from unroll_dsl.ir.nodes import Stage
from unroll_dsl.ir.stages import reachable, roots, stages
from unroll_dsl.ir.text import from_text

TEXT = """\
algorithm a "a.unroll"
dims n
input y : scalar
fixed c : scalar
learnable s : scalar = %2
learnable p : scalar per phase = %6
state x : scalar = %0 then %12
trace t = %8
output %13
target goal : scalar
loss %17
variable w : scalar
objective %18
phases 2

%0 = input y : scalar
%1 = fixed c : scalar
%2 = constant 2 : scalar
%3 = size n : scalar
%4 = learnable s : scalar
%5 = learnable p : scalar
%6 = phase_number : scalar
%7 = mul %1, %3 : scalar
%8 = state x : scalar
%9 = mul %7, %4 : scalar
%10 = mul %9, %0 : scalar
%11 = mul %10, %5 : scalar
%12 = add %11, %8 : scalar
%13 = final x : scalar
%14 = target goal : scalar
%15 = traced t : scalar
%16 = phase_sum %15 : scalar
%17 = mul %16, %14 : scalar
%18 = variable w : scalar
%19 = identity_map : map
"""


def test_the_stage_is_the_latest_of_what_a_value_depends_on():
    found = stages(from_text(TEXT))
    expected = {
        Stage.SETUP: (1, 2, 3, 7, 19),
        Stage.CALL: (0, 4, 9, 10),
        Stage.PHASE: (5, 6, 8, 11, 12, 15),
        Stage.OUTPUT: (13, 14, 16, 17, 18),
    }
    for stage, ids in expected.items():
        assert tuple(i for i, s in enumerate(found) if s is stage) == ids


def test_reachable_is_what_the_roots_are_computed_from():
    nodes = from_text(TEXT).nodes
    assert reachable(nodes, (9, 13)) == {1, 3, 4, 7, 9, 13}
    assert reachable(nodes, ()) == frozenset()


def test_roots_are_what_declarations_refer_to():
    assert roots(from_text(TEXT)) == (2, 6, 0, 12, 8, 13, 17, 18)
