import pytest

from unroll_dsl.diagnostics.raised import InternalError
from unroll_dsl.ir.text import from_text, to_text
from unroll_dsl.ir.verify import verify

# every kind of declaration and of node at least once
WHOLE = """\
# A title: with a colon.
#
# And a paper; with a semicolon.
algorithm tour "tour.unroll"
dims m, n = 8, L
input y : vector[m] ; tour.unroll:3 the measurements
input λ : complex image[1, m, n] ; tour.unroll:4
fixed A : matrix[m, n] ; tour.unroll:5
fixed P : linear image[1, m, n] -> vector[m] ; tour.unroll:6 a map; bound
fixed c : scalar > %1 <= %2 = %2 ; tour.unroll:7
learnable D : {D} per phase ~ xavier_normal() ; tour.unroll:8
learnable G : conv[1 -> L, 5] >> conv[L -> 1, 5] ~ normal(0.0, 0.1) ; tour.unroll:9
learnable t : vector[n] >= %1 per phase = %12 ; tour.unroll:10
frozen s : scalar per phase = %3 ; tour.unroll:11
state x : vector[n] = %12 then %27 ; tour.unroll:12 two\\nlines and a \\\\
trace r = %24 ; tour.unroll:20
output %28, %45
target goal : vector[n] ; tour.unroll:30
loss %34
variable w : vector[n]
objective %37
phases 7

# Shrink `v`.
def soft(v : vector[n], t : scalar) = %3 ; prelude.unroll:100
    %0 = argument 0 : vector[n] ; prelude.unroll:100 v
    %1 = argument 1 : scalar ; prelude.unroll:100 t
    %2 = abs %0 : vector[n]
    %3 = sub %2, %1 : vector[n]

def twice(v : vector[n]) = %2 ; tour.unroll:1
    %0 = argument 0 : vector[n]
    %1 = constant 2 : scalar
    %2 = invoke[soft] %0, %1 : vector[n]

%0 = input y : vector[m] [call] ; tour.unroll:3 y
%1 = constant 0 : scalar [set-up]
%2 = constant 0.1 : scalar [set-up]
%3 = phase_number : scalar [phase]
%4 = size 2 * m * n - 1 : scalar [set-up]
%5 = fixed A : matrix[m, n] [set-up] ; - A
%6 = fixed P : linear image[1, m, n] -> vector[m] [set-up]
%7 = fixed c : scalar [set-up]
%8 = learnable D : {D} [phase]
%9 = learnable G : conv[1 -> L, 5] >> conv[L -> 1, 5] [call]
%10 = learnable t : vector[n] [phase]
%11 = learnable s : scalar [phase]
%12 = expand %1 : vector[n] [set-up]
%13 = state x : vector[n] [phase] ; tour.unroll:12 x
%14 = eye : matrix[n, n] [set-up]
%15 = transpose %5 : matrix[n, m] [set-up]
%16 = contract %15, %5 : matrix[n, n] [set-up]
%17 = solve %16, %13 : vector[n] [phase]
%18 = builtin[sum, axis=1] %16 : vector[n] [set-up]
%19 = builtin[linspace, n={n}] %1, %2 : vector[n] [set-up]
%20 = add %18, %19 : vector[n] [set-up]
%21 = mul %20, %10 : vector[n] [phase]
%22 = lt %21, %17 : boolean vector[n] [phase]
%23 = where %22, %21, %17 : vector[n] [phase]
%24 = invoke[twice] %23 : vector[n] [phase] ; tour.unroll:20 r
%25 = mul %3, %4 : scalar [phase]
%26 = mul %25, %24 : vector[n] [phase]
%27 = mul %11, %26 : vector[n] [phase] ; tour.unroll:21 x
%28 = final x : vector[n] [output]
%29 = target goal : vector[n] [output]
%30 = sub %28, %29 : vector[n] [output]
%31 = builtin[sumsq] %30 : scalar [output]
%32 = traced r : vector[n] [phase]
%33 = builtin[sumsq] %32 : scalar [phase]
%34 = phase_sum %33 : scalar [output]
%35 = variable w : vector[n] [output]
%36 = mul %35, %35 : vector[n] [output]
%37 = builtin[sum] %36 : scalar [output]
%38 = identity_map : map [set-up]
%39 = adjoint_map %6 : map [set-up]
%40 = compose_map %39, %6 : map [set-up]
%41 = scale_map %7, %38 : map [set-up]
%42 = add_map %40, %41 : map [set-up]
%43 = sub_map %42, %41 : map [set-up]
%44 = input λ : complex image[1, m, n] [call]
%45 = apply %43, %44 : complex image[1, m, n] [call]
%46 = diagonal_map %44 : map [call]
%47 = split_layer %9 : split(conv[1 -> L, 5] >> conv[L -> 1, 5]) [call]
%48 = apply_layer %47, %44 : complex image[1, m, n] [call]
""".replace(
    "{D}",
    "conv[1 -> 32, 3, bias, padding=circular, groups=2] >> relu >> "
    "network image[32, m, n] -> image[1, m, n]",
)


def test_what_is_written_is_read_back_to_the_same_text():
    graph = from_text(WHOLE)
    verify(graph)
    assert to_text(graph) == WHOLE


def test_places_comments_and_names_survive():
    graph = from_text(WHOLE)
    assert graph.comment == "A title: with a colon.\n\nAnd a paper; with a semicolon."
    assert graph.dims == (("m", None), ("n", 8), ("L", None))
    assert graph.states[0].comment == "two\nlines and a \\"
    assert graph.constants[1].comment == "a map; bound"
    assert graph.nodes[27].label == "x"
    assert graph.nodes[27].origin is not None and graph.nodes[27].origin.line == 21
    assert graph.nodes[5].label == "A" and graph.nodes[5].origin is None
    assert graph.functions[0].comment == "Shrink `v`."
    assert graph.functions[0].origin.file.name == "prelude.unroll"


def test_equal_nodes_are_equal_values_after_reading():
    first, second = from_text(WHOLE), from_text(WHOLE)
    assert first.nodes == second.nodes
    assert hash(first.nodes[43]) == hash(second.nodes[43])


@pytest.mark.parametrize(
    "line",
    ["nonsense", "%0 = add", "%1 = constant 0 : scalar", "input y", "%0 = eye : matrix[", "loss x"],
)
def test_a_text_that_is_none_is_reported_with_its_line(line):
    with pytest.raises(InternalError, match="line 2"):
        from_text(f'algorithm a "a.unroll"\n{line}\n')
