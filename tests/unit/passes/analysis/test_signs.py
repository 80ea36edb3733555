import pytest

import unroll_dsl
from unroll_dsl.ir.nodes import Input
from unroll_dsl.passes.analysis.signs import Sign, signs

POSITIVE, NONNEGATIVE, UNKNOWN = Sign.POSITIVE, Sign.NONNEGATIVE, Sign.UNKNOWN


@pytest.mark.parametrize(
    ("constraint", "expected"),
    [
        (" > %1", POSITIVE),
        (" >= %1", NONNEGATIVE),
        (" >= %2", POSITIVE),
        (" > %3", UNKNOWN),
        (" <= %2", UNKNOWN),
        (" > %1 <= %2", POSITIVE),
        ("", UNKNOWN),
    ],
)
@pytest.mark.parametrize("kind", ["fixed", "learnable"])
def test_constraints_tell_the_sign(graph, kind, constraint, expected):
    start = " = %2" if kind == "learnable" else ""
    program = graph(f"""
        {kind} a : scalar{constraint}{start}
        output %0
        %0 = {kind} a : scalar
        %1 = constant 0 : scalar
        %2 = constant 0.5 : scalar
        %3 = constant -1 : scalar
    """)
    assert signs(program)[0] is expected


@pytest.mark.parametrize(
    ("domain", "expected"),
    [
        ("> 0", POSITIVE),
        (">= 0", NONNEGATIVE),
        (">= 0.5", POSITIVE),
        ("> -1", UNKNOWN),
        ("in [0, 1]", NONNEGATIVE),
        ("<= 1", UNKNOWN),
    ],
)
def test_domains_of_inputs_tell_it_only_where_they_are_trusted(domain, expected):
    graph = unroll_dsl.loads(f"algorithm a\ninput s : scalar {domain}\noutput exp(s)\n").graph
    index = next(i for i, node in enumerate(graph.nodes) if isinstance(node.op, Input))
    assert signs(graph, trusting=True)[index] is expected
    assert signs(graph)[index] is UNKNOWN


@pytest.mark.parametrize(
    ("operation", "expected"),
    [
        ("add %0, %1", POSITIVE),
        ("add %1, %1", NONNEGATIVE),
        ("add %0, %2", UNKNOWN),
        ("mul %0, %1", NONNEGATIVE),
        ("mul %2, %2", NONNEGATIVE),
        ("mul %0, %2", UNKNOWN),
        ("div %0, %0", POSITIVE),
        ("div %0, %2", UNKNOWN),
        ("neg %0", UNKNOWN),
        ("sub %0, %1", UNKNOWN),
        ("pow %0, %2", POSITIVE),
        ("pow %2, %3", NONNEGATIVE),
        ("pow %2, %4", UNKNOWN),
        ("exp %2", POSITIVE),
        ("abs %2", NONNEGATIVE),
        ("abs %0", POSITIVE),
        ("sqrt %0", POSITIVE),
        ("relu %2", NONNEGATIVE),
        ("maximum %2, %0", POSITIVE),
        ("minimum %0, %1", NONNEGATIVE),
        ("builtin[sumsq] %2", NONNEGATIVE),
        ("builtin[sum] %0", POSITIVE),
        ("sin %0", UNKNOWN),
    ],
)
def test_arithmetic_carries_signs(graph, operation, expected):
    program = graph(f"""
        fixed p : scalar > %5
        fixed q : scalar >= %5
        fixed r : scalar
        output %6
        %0 = fixed p : scalar
        %1 = fixed q : scalar
        %2 = fixed r : scalar
        %3 = constant 2 : scalar
        %4 = constant 3 : scalar
        %5 = constant 0 : scalar
        %6 = {operation} : scalar
    """)
    assert signs(program)[6] is expected


def test_complex_values_have_no_sign(graph):
    program = graph("""
        fixed r : complex scalar
        output %1
        %0 = fixed r : complex scalar
        %1 = mul %0, %0 : complex scalar
    """)
    assert signs(program)[1] is UNKNOWN
