"""What is drawn for a declaration: scales, fields, masks, kernels, sizes; and the instances of long runs."""

import math
from typing import Any

import numpy as np
import pytest

import unroll_dsl
from unroll_dsl.ir.graph import Graph
from unroll_dsl.spec import Spec
from unroll_dsl.types import Array, Dim, Form
from unroll_dsl.verify import cases as cases_module
from unroll_dsl.verify.cases import _choices, cases, sizes
from unroll_dsl.verify.instance import (
    _array,
    _conditioned,
    _sizes,
    draw,
    drawn_constants,
    granularity,
    is_mask,
    matrix_of,
    multiple,
)

N = Dim.of("n")


def graph(text: str) -> Graph:
    return unroll_dsl.loads(f"algorithm p\n{text}").graph


# ---- arrays -------------------------------------------------------------------------------------


def spread(type_: Array, size: int = 400, batch: int | None = None) -> float:
    found = _array(type_, {"n": size}, np.random.default_rng(0), batch)
    assert abs(found.mean()) < 0.05
    return float(np.sqrt((np.abs(found) ** 2).mean()))


def test_matrices_have_the_variance_of_a_row() -> None:
    """One over their first axis, so that their norm is of order 1; vectors and batches of data have 1."""
    assert spread(Array((N, Dim.of(50)))) == pytest.approx(1 / 20, rel=0.03)
    assert spread(Array((N, Dim.of(5), Dim.of(5)))) == pytest.approx(1 / 20, rel=0.03)
    assert spread(Array((N, Dim.of(50))), batch=1) == pytest.approx(1.0, rel=0.03)
    assert spread(Array((N,)), 9000) == pytest.approx(1.0, rel=0.03)
    assert spread(Array((N,)), 9000, 2) == pytest.approx(1.0, rel=0.03)


def test_complex_values_have_two_parts_of_half_the_variance() -> None:
    for type_, wanted in ((Array((N,)), 1.0), (Array((N, Dim.of(50))), 1 / 20)):
        found = _array(
            Array(type_.shape, unroll_dsl.types.Field.COMPLEX),
            {"n": 400 if len(type_.shape) == 2 else 9000},
            np.random.default_rng(0),
        )
        for part in (found.real, found.imag):
            assert part.std() == pytest.approx(wanted / math.sqrt(2), rel=0.03)
        assert abs(np.mean(found.real * found.imag)) < 0.02 * wanted**2


def test_shapes_and_batches() -> None:
    type_ = Array((N, N + 1))
    rng = np.random.default_rng(0)
    assert _array(type_, {"n": 3}, rng).shape == (3, 4)
    assert _array(type_, {"n": 3}, rng, 5).shape == (5, 3, 4)


def test_masks_are_zeros_and_ones_and_keep_their_first_entry() -> None:
    type_ = Array((N, N), form=Form.MASK)
    found = _array(type_, {"n": 60}, np.random.default_rng(0), 2)
    assert set(np.unique(found)) == {0.0, 1.0} and found.shape == (2, 60, 60)
    assert (found[:, 0, 0] == 1).all() and found.mean() == pytest.approx(0.5, abs=0.03)
    others = [_array(type_, {"n": 2}, np.random.default_rng(seed)) for seed in range(20)]
    assert all(mask[0, 0] == 1 for mask in others)
    assert (
        {float(mask[0, 1]) for mask in others} == {float(mask[1, 0]) for mask in others} == {0, 1}
    )
    assert is_mask(type_) and not is_mask(Array((N, N))) and not is_mask(None)


def test_learnables_without_a_classical_value_are_drawn_within_their_bounds() -> None:
    made = graph(
        "dims n\ninput y : vector[n]\nlearnable s : vector[n]\nlearnable t : vector[n] >= 2\n"
        "learnable u : scalar = 1\nlearnable D : dense[n -> n] ~ xavier_normal\noutput D(s * t * u * y)\n"
    )
    found = draw(made, dims={"n": 50}).init
    assert set(found) == {"s", "t"} and found["s"].shape == (50,)
    assert (found["t"] >= 2.1).all() and found["t"].max() > 3 and (found["s"] < 0).any()


def test_half_of_what_masks_leave_out_is_taken_back_for_long_runs() -> None:
    made = graph("dims h, w\ninput y : image[1, h, w]\nfixed M : mask[h, w]\noutput M * y\n")
    dims = {"h": 60, "w": 60}
    assert draw(made, dims=dims).bind["M"].mean() == pytest.approx(0.5, abs=0.03)
    assert draw(made, dims=dims, norm=1.7).bind["M"].mean() == pytest.approx(0.75, abs=0.03)


def test_the_first_sample_is_a_batch_of_one() -> None:
    made = graph("dims n\ninput y : vector[n]\noutput y\nloss (z : scalar):\n    sumsq(y) * z\n")
    whole = draw(made, dims={"n": 4}, batch=3)
    first = whole.first()
    assert [x.shape for x in (*first.inputs, *first.targets)] == [(1, 4), (1,)]
    assert np.array_equal(first.inputs[0][0], whole.inputs[0][0])
    assert (first.bind, first.sizes) == (whole.bind, whole.sizes)


def test_kernels_of_blur_are_positive_and_sum_to_1() -> None:
    text = (
        "dims h, w\ninput y : image[1, h, w]\nfixed r : {}matrix[3, 3]\nfixed q : matrix[3, 3]\n"
        "output blur(r, padding=circular) @ y + q[1, 1] * y\n"
    )
    found = draw(graph(text.format(""))).bind
    assert (found["r"] > 0).all() and found["r"].sum() == pytest.approx(1)
    assert (found["q"] < 0).any()


def test_maps_from_outside_are_matrices_of_norm_1_at_most() -> None:
    made = graph(
        "dims m, n\ninput y : vector[m]\nfixed T : linear image[1, n, n] -> vector[m]\nfixed A : matrix[m, m]\n"
        "output T' @ (A @ y)\n"
    )
    dims = {"m": 4, "n": 3}
    for norm, of_map in ((3.0, 1.0), (0.5, 0.5)):
        found = draw(made, dims=dims, norm=norm).bind
        assert found["T"].shape == (4, 9)
        assert np.linalg.norm(found["T"], 2) == pytest.approx(of_map)
        assert np.linalg.norm(found["A"], 2) == pytest.approx(norm)
    (map_,) = (c.type for c in made.constants if c.name == "T")
    matrix: Any = matrix_of(map_)
    assert [d.substitute(dims).value for d in matrix.shape] == [4, 9]


def test_a_matrix_of_equal_singular_values_and_others() -> None:
    given = np.array([[3.0, 0.0], [0.0, 1.0], [0.0, 0.0]])
    assert _conditioned(given, 2.0) == pytest.approx(np.array([[2.0, 0], [0, 1.0], [0, 0]]))
    vector = np.array([1.0, 2.0])
    assert _conditioned(vector, 2.0) is vector and _conditioned(None, 2.0) is None


# ---- sizes --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("size", "step", "taken", "found"),
    [
        (6, 1, [], 6),
        (6, 1, [6], 6),
        (6, 4, [], 8),
        (8, 4, [], 8),
        (6, 4, [8], 12),
        (6, 4, [8, 12], 16),
        (9, 4, [8], 12),
        (1, 3, [], 3),
    ],
)
def test_multiples_that_are_not_taken(size: int, step: int, taken: list[int], found: int) -> None:
    assert multiple(size, step, taken) == found


def test_sizes_are_all_different() -> None:
    made = graph("dims a, b, c, d, e, f, g, h\ninput y : vector[a]\noutput y\n")
    assert list(_sizes(made, {}).values()) == [6, 9, 5, 8, 4, 7, 7, 10]
    assert _sizes(made, {"b": 3})["b"] == 3
    assert list(_sizes(made, {"b": 3}).values()) == [6, 3, 9, 5, 8, 4, 7, 7]
    fixed = graph("dims a, b = 2\ninput y : vector[a + b]\noutput y\n")
    assert _sizes(fixed, {}) == {"a": 6, "b": 2}
    assert _sizes(fixed, {"b": 7}) == {"a": 6, "b": 7}


def test_no_shape_is_empty() -> None:
    made = graph("dims a, b\ninput y : vector[a - b]\noutput y\n")
    assert _sizes(made, {}) == {"a": 9, "b": 6}
    made = graph("dims a, b\ninput y : vector[a - b - 2]\noutput y\n")
    assert _sizes(made, {}) == {"a": 9, "b": 6}
    with pytest.raises(unroll_dsl.UnrollError, match="a, b"):
        _sizes(graph("dims a, b\ninput y : vector[a - b - 3]\noutput y\n"), {})


def test_wavelets_and_subsampling_divide_sizes() -> None:
    text = "dims h, w\ninput y : image[1, h, w]\noutput {} @ y\n"
    for map_, step in (
        ("wavelet(levels=1)", 2),
        ("wavelet(levels=2)", 4),
        ("wavelet(levels=3)", 8),
        ("dct2", 1),
    ):
        made = graph(text.format(map_))
        assert granularity(made) == step, map_
        found = draw(made).sizes
        assert all(size % step == 0 for size in found.values()) and found["h"] != found["w"]


# ---- long runs ----------------------------------------------------------------------------------

PAGE = """algorithm p
dims m, n
input y : vector[m]
fixed A : matrix[m, n]
fixed c : scalar > 0 = 0.3
{more}minimize over x:
    1/2 * sumsq(A @ x - y) + c * norm1(x)
state x : vector[n] = 0
phase (2):
    x <- x - A' @ (A @ x - y)
output x
"""


def page(more: str = "") -> Spec:
    return unroll_dsl.loads(PAGE.format(more=more), "p.unroll")


def test_two_long_runs_that_are_unlike_each_other() -> None:
    drawn, plain = cases(page(), 0, None)
    assert (drawn.drawn, plain.drawn) == (("c",), ())
    for case, norm in ((plain, 1.7), (drawn, 3.0)):
        A = case.instance.bind["A"]
        assert np.linalg.svd(A)[1][[0, -1]] == pytest.approx([norm, norm / 2])
        assert all(len(x) == 2 for x in case.instance.inputs)
    assert plain.instance.sizes["m"] < plain.instance.sizes["n"]
    assert drawn.instance.sizes["m"] > drawn.instance.sizes["n"]
    assert set(plain.instance.bind) == {"A"}
    assert float(drawn.instance.bind["c"]) == float(drawn_constants(page().graph, 1)["c"])
    other = cases(page(), 1, None)[0]
    assert float(other.instance.bind["c"]) == float(drawn_constants(page().graph, 2)["c"])


def test_sizes_that_are_given_stay() -> None:
    for case in cases(page(), 0, {"m": 7, "n": 2}):
        assert case.instance.sizes == {"m": 7, "n": 2}
    for case in cases(page(), 0, {"n": 6}):
        assert case.instance.sizes["n"] == 6


def test_without_an_objective_there_is_no_long_run() -> None:
    assert cases(unroll_dsl.load("lista"), 0, None) == []


def test_what_other_constants_do_not_allow_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*arguments: Any, **options: Any) -> Any:
        raise unroll_dsl.UnrollError([])

    spec = page()
    monkeypatch.setattr(type(spec), "reference", refused)
    (only,) = cases(spec, 0, None)
    assert only.drawn == () and only.instance.sizes["m"] < only.instance.sizes["n"]


def test_sizes_of_long_runs_are_all_ways_to_choose() -> None:
    two = list(_choices(["m", "n"]))
    assert len(two) == 6 * 5 and {v for c in two for v in c.values()} == set(range(4, 10))
    three = list(_choices(["m", "n", "q"]))
    assert len(three) == 8 * 7 * 6 and {v for c in three for v in c.values()} == set(range(2, 10))
    assert list(_choices([])) == [{}]


def test_of_ratios_as_near_the_largest_sizes_are_taken() -> None:
    """9 to 6 is 1.5 and 6 to 4 too; several matrices share what they miss."""
    assert sizes(page().graph, 1.5, {}) == {"m": 9, "n": 6}
    assert sizes(page().graph, 0.67, {}) == {"m": 6, "n": 9}
    assert sizes(page().graph, 0.67, {"n": 8}) == {"m": 6}  # 5 to 8 is nearer by less than a tenth
    more = page("fixed B : matrix[m, m]\n")
    found = sizes(more.graph, 1.5, {})
    assert found["m"] > found["n"]
    default = page("fixed B : matrix[n, m] = A'\n")  # what has a default is not counted
    assert sizes(default.graph, 1.5, {}) == {"m": 9, "n": 6}


def test_a_matrix_of_one_row_or_column_has_a_ratio() -> None:
    text = "dims n\ninput y : vector[n]\nfixed A : matrix[{}]\noutput A[1, 1] * y\n"
    assert sizes(graph(text.format("n - 3, 2")), 0.67, {}) == {"n": 4}
    assert sizes(graph(text.format("2, n - 3")), 1.5, {}) == {"n": 4}
    assert sizes(graph(text.format("2, n - 3")), 0.67, {}) == {"n": 6}


def test_masks_and_vectors_have_no_ratio() -> None:
    text = (
        "dims h, w\ninput y : image[1, h, w]\nfixed M : mask[h, w]\nminimize over x:\n    sumsq(M * x - y)\n"
        "state x : image[1, h, w] = 0\nphase (2):\n    x <- M * y\noutput x\n"
    )
    assert sizes(graph(text), 1.5, {}) == {"h": 4, "w": 5}
    assert sizes(graph(text), 1.5, {"h": 7}) == {"w": 4}
    wavelets = text.replace("x <- M * y", "x <- wavelet(levels=1)' @ (wavelet(levels=1) @ (M * y))")
    assert sizes(graph(wavelets), 1.5, {}) == {"h": 4, "w": 6}
    assert cases_module._BATCH == 2
