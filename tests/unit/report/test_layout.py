"""The picture of a program: boxes keep apart, arrows run forwards and between boxes."""

from itertools import combinations, pairwise

import networkx
import pytest

import unroll_dsl
from unroll_dsl.ir.draw import statement_graph
from unroll_dsl.report.layout import BoxLayout, layout
from unroll_dsl.resources import algorithm_names


def picture_of(name: str) -> tuple["networkx.DiGraph[str]", BoxLayout]:
    picture = statement_graph(unroll_dsl.load(name).graph)
    return picture, layout(picture)


every = pytest.mark.parametrize("name", sorted(algorithm_names()))


@every
def test_boxes_of_a_column_are_at_least_1_apart(name: str) -> None:
    _, found = picture_of(name)
    for (x0, y0), (x1, y1) in combinations(found.places.values(), 2):
        assert x0 != x1 or abs(y0 - y1) > 1 - 1e-9


@every
def test_arrows_pass_between_boxes(name: str) -> None:
    _, found = picture_of(name)
    boxes = set(found.places.values())
    for route in found.routes.values():
        for x, y in route[1:-1]:
            assert all(abs(y - y1) > 0.5 for x1, y1 in boxes if x1 == x)


@every
def test_arrows_run_from_box_to_box_one_column_at_a_time(name: str) -> None:
    picture, found = picture_of(name)
    forward = {(a, b) for a, b, back in picture.edges(data="feedback") if not back}
    assert set(found.routes) == forward
    for (a, b), route in found.routes.items():
        assert (route[0], route[-1]) == (found.places[a], found.places[b])
        assert all(after[0] == before[0] + 1 for before, after in pairwise(route))


def test_bands_stand_in_the_order_of_stages() -> None:
    picture, found = picture_of("admm_lasso")
    columns: dict[str, list[float]] = {}
    for vertex in picture:
        if picture.nodes[vertex]["kind"] in ("fixed", "input", "update", "output"):
            columns.setdefault(picture.nodes[vertex]["kind"], []).append(found.places[vertex][0])
    assert max(columns["fixed"]) < min(columns["input"]) < min(columns["update"])
    assert max(columns["update"]) < min(columns["output"])


def test_a_chain_is_a_straight_line() -> None:
    picture: networkx.DiGraph[str] = networkx.DiGraph()
    for vertex, stage in (("a", "set-up"), ("b", "call"), ("c", "phase"), ("d", "output")):
        picture.add_node(vertex, stage=stage, kind="let")
    picture.add_edges_from([("a", "b"), ("b", "c"), ("c", "d")], feedback=False)
    assert {y for _, y in layout(picture).places.values()} == {0.0}
