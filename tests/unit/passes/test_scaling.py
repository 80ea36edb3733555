import pytest

from unroll_dsl.passes.scaling import scaling

MATRIX = """
    input x : vector[n]
    input c : scalar
    fixed A : matrix[m, n]
    output {output}
    %0 = input x : vector[n]
    %1 = input c : scalar
    %2 = fixed A : matrix[m, n]
"""


def _text(nodes: str, output: str) -> str:
    return MATRIX.format(output=output) + nodes


def _nodes(text: str) -> list[str]:
    """The nodes after the leaves."""
    return [line for line in text.splitlines() if line.startswith("%")][3:]


@pytest.mark.parametrize(
    ("scaled", "last"),
    [
        ("mul %1, %2", "mul %1, %3"),
        ("mul %2, %1", "mul %1, %3"),
        ("div %2, %1", "div %3, %1"),
        ("neg %2", "neg %3"),
    ],
)
def test_a_scalar_moves_from_the_matrix_to_the_product(rewrite, scaled, last):
    before = _text(
        f"""
    %3 = {scaled} : matrix[m, n]
    %4 = contract %3, %0 : vector[m]
""",
        "%4",
    )
    nodes = _nodes(rewrite(scaling, before))
    assert "%4 = contract %2, %0 : vector[m]" in nodes  # %3, scaled, is read no more
    assert nodes[-1] == f"%5 = {last.replace('%3', '%4')} : vector[m]"


def test_the_scalar_of_an_adjoint_is_conjugated(rewrite):
    before = """
        input x : complex vector[m]
        input c : complex scalar
        fixed A : complex matrix[m, n]
        output %5
        %0 = input x : complex vector[m]
        %1 = input c : complex scalar
        %2 = fixed A : complex matrix[m, n]
        %3 = mul %1, %2 : complex matrix[m, n]
        %4 = transpose %3 : complex matrix[n, m]
        %5 = contract %4, %0 : complex vector[n]
    """
    nodes = _nodes(rewrite(scaling, before))[2:]
    assert nodes == [
        "%5 = conj %1 : complex scalar",
        "%6 = transpose %2 : complex matrix[n, m]",
        "%7 = contract %6, %0 : complex vector[n]",
        "%8 = mul %5, %7 : complex vector[n]",
    ]


def test_a_scaled_matrix_with_a_name_or_two_readers_is_kept(rewrite):
    named = _text(
        """
    %3 = mul %1, %2 : matrix[m, n] ; - B
    %4 = contract %3, %0 : vector[m]
""",
        "%4",
    )
    shared = _text(
        """
    %3 = mul %1, %2 : matrix[m, n]
    %4 = contract %3, %0 : vector[m]
    %5 = sumsq %3 : scalar
""",
        "%4, %5",
    ).replace("sumsq", "builtin[sumsq]")
    for text in (named, shared):
        assert "%4 = contract %3, %0 : vector[m]" in _nodes(rewrite(scaling, text))


def test_a_scalar_leaves_a_product_of_matrices(rewrite):
    before = _text(
        """
    %3 = transpose %2 : matrix[n, m]
    %4 = mul %1, %3 : matrix[n, m]
    %5 = contract %4, %2 : matrix[n, n]
""",
        "%5",
    )
    assert _nodes(rewrite(scaling, before))[-2:] == [
        "%5 = contract %3, %2 : matrix[n, n]",
        "%6 = mul %1, %5 : matrix[n, n]",
    ]


def test_products_of_fixed_matrices_stay_as_they_are_written(rewrite):
    before = _text(
        """
    %3 = transpose %2 : matrix[n, m]
    %4 = contract %3, %2 : matrix[n, n]
    %5 = contract %4, %0 : vector[n]
""",
        "%5",
    )
    assert _nodes(rewrite(scaling, before)) == [
        "%3 = transpose %2 : matrix[n, m]",
        "%4 = contract %3, %2 : matrix[n, n]",
        "%5 = contract %4, %0 : vector[n]",
    ]


def test_products_of_matrices_that_come_with_the_call_are_applied_in_turn(rewrite):
    before = """
        input x : vector[n]
        input A : matrix[m, n]
        input B : matrix[n, m]
        output %4
        %0 = input x : vector[n]
        %1 = input A : matrix[m, n]
        %2 = input B : matrix[n, m]
        %3 = contract %2, %1 : matrix[n, n]
        %4 = contract %3, %0 : vector[n]
    """
    assert _nodes(rewrite(scaling, before))[1:] == [
        "%4 = contract %1, %0 : vector[m]",
        "%5 = contract %2, %4 : vector[n]",
    ]


def test_the_adjoint_of_such_a_product_is_applied_in_the_other_order(rewrite):
    before = """
        input x : vector[n]
        input A : matrix[m, n]
        input B : matrix[n, m]
        output %5
        %0 = input x : vector[n]
        %1 = input A : matrix[m, n]
        %2 = input B : matrix[n, m]
        %3 = contract %2, %1 : matrix[n, n]
        %4 = transpose %3 : matrix[n, n]
        %5 = contract %4, %0 : vector[n]
    """
    assert _nodes(rewrite(scaling, before))[2:] == [
        "%5 = transpose %1 : matrix[n, m]",
        "%6 = transpose %2 : matrix[m, n]",
        "%7 = contract %6, %0 : vector[m]",
        "%8 = contract %5, %7 : vector[n]",
    ]


def test_a_product_with_a_diagonal_matrix_scales_rows_or_columns(rewrite):
    before = """
        input x : vector[n]
        fixed w : vector[m]
        fixed A : matrix[m, n]
        output %4, %6
        %0 = input x : vector[n]
        %1 = fixed w : vector[m]
        %2 = fixed A : matrix[m, n]
        %3 = builtin[diagonal_matrix] %1 : matrix[m, m]
        %4 = contract %3, %2 : matrix[m, n]
        %5 = transpose %2 : matrix[n, m]
        %6 = contract %5, %3 : matrix[n, m]
    """
    assert _nodes(rewrite(scaling, before))[1:] == [
        "%4 = mul %1, %2 : matrix[m, n]",
        "%5 = transpose %2 : matrix[n, m]",
        "%6 = mul %1, %2 : matrix[m, n]",
        "%7 = transpose %6 : matrix[n, m]",
    ]


MAPS = """
    input x : vector[n]
    input c : scalar
    fixed P : linear vector[n] -> vector[m]
    output {output}
    %0 = input x : vector[n]
    %1 = input c : scalar
    %2 = fixed P : linear vector[n] -> vector[m]
"""


def test_adjoints_move_inwards_and_maps_are_applied_part_by_part(rewrite):
    # (c * P' @ P + I)' @ x
    before = (
        MAPS.format(output="%9")
        + """
    %3 = adjoint_map %2 : map
    %4 = compose_map %3, %2 : map
    %5 = scale_map %1, %4 : map
    %6 = identity_map : map
    %7 = add_map %5, %6 : map
    %8 = adjoint_map %7 : map
    %9 = apply %8, %0 : vector[n]
"""
    )
    nodes = _nodes(rewrite(scaling, before))
    assert nodes[-4:] == [
        "%12 = apply %2, %0 : vector[m]",
        "%13 = apply %8, %12 : vector[n]",  # %8: P', made anew
        "%14 = mul %1, %13 : vector[n]",
        "%15 = add %14, %0 : vector[n]",
    ]


def test_a_difference_of_maps_is_applied_with_its_sign(rewrite):
    before = (
        MAPS.format(output="%5")
        + """
    %3 = scale_map %1, %2 : map
    %4 = sub_map %2, %3 : map
    %5 = apply %4, %0 : vector[m]
"""
    )
    assert _nodes(rewrite(scaling, before))[-3:] == [
        "%5 = apply %2, %0 : vector[m]",
        "%6 = mul %1, %5 : vector[m]",
        "%7 = sub %5, %6 : vector[m]",
    ]


def test_an_adjoint_of_an_adjoint_is_the_map(rewrite):
    before = (
        MAPS.format(output="%5")
        + """
    %3 = adjoint_map %2 : map
    %4 = adjoint_map %3 : map
    %5 = apply %4, %0 : vector[m]
"""
    )
    assert _nodes(rewrite(scaling, before))[-1] == "%4 = apply %2, %0 : vector[m]"


def test_maps_that_share_their_parts_are_taken_apart_once(graph):
    # M1 = P + P, M2 = M1 + M1, ...: 2 ** 10 terms, were they counted
    nodes, last = "", 2
    for index in range(3, 13):
        nodes += f"    %{index} = add_map %{last}, %{last} : map\n"
        last = index
    nodes += "    %13 = apply %12, %0 : vector[m]\n"
    text = MAPS.format(output="%13") + nodes
    assert len(scaling(graph(text)).nodes) < 40


def test_the_scalar_of_a_system_divides_its_solution(rewrite):
    before = """
        input b : vector[n]
        input c : scalar
        fixed W : matrix[n, n]
        output %4
        %0 = input b : vector[n]
        %1 = input c : scalar
        %2 = fixed W : matrix[n, n]
        %3 = mul %1, %2 : matrix[n, n]
        %4 = solve %3, %0 : vector[n]
    """
    assert _nodes(rewrite(scaling, before))[1:] == [
        "%4 = solve %2, %0 : vector[n]",
        '%5 = builtin[regular, place=""] %1 : scalar',  # 0 is refused in words
        "%6 = div %4, %5 : vector[n]",
    ]


def test_the_result_keeps_its_name_and_place(graph):
    text = (
        MAPS.format(output="%4")
        + """
    %3 = scale_map %1, %2 : map
    %4 = apply %3, %0 : vector[m] ; a.unroll:7 r
"""
    )
    result = scaling(graph(text))
    last = result.nodes[result.outputs[0]]
    assert last.label == "r"
    assert last.origin is not None and last.origin.line == 7
