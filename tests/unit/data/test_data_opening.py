"""Which data a program wants, and what is wrong with a table as a whole."""

import pytest

import unroll_dsl
from unroll_dsl.data import DataError, default_kind, open_source


@pytest.mark.parametrize(
    ("name", "table", "measured", "kind"),
    [
        ("ista_net", {}, ("y",), "samples"),
        ("ista_net", {"folder": "x"}, ("y",), "images"),
        ("lista_cp", {}, ("y",), "sparse"),
        ("lista", {}, (), "codes"),
        ("lista", {"folder": "x"}, (), "codes"),
        ("lista", {"file": "x"}, (), "arrays"),
        ("step_lista", {}, (), "codes"),
    ],
)
def test_the_kind_that_a_program_wants(
    name: str, table: dict[str, str], measured: tuple[str, ...], kind: str
) -> None:
    assert default_kind(table, unroll_dsl.load(name), measured) == kind


def test_an_unknown_kind_is_answered_with_near_ones() -> None:
    with pytest.raises(DataError, match=r"'image' is no kind of data; did you mean `images`\?"):
        open_source({"kind": "image"}, unroll_dsl.load("ista_net"))
    with pytest.raises(DataError, match=r"3 is no kind of data; there is `images`, `samples`"):
        open_source({"kind": 3}, unroll_dsl.load("ista_net"))


def test_a_missing_folder_key_is_asked_for() -> None:
    with pytest.raises(DataError, match=r"\[data\]: `folder` is needed; it is text"):
        open_source({"kind": "images"}, unroll_dsl.load("ista_net"))


def test_dims_that_the_program_lacks() -> None:
    with pytest.raises(DataError, match=r"\[dims\]: `ista_net` has no dim `hh`; did you mean `h`"):
        open_source({}, unroll_dsl.load("ista_net"), dims={"hh": 33})


def test_a_loss_without_a_target_wants_inputs_from_a_file() -> None:
    with pytest.raises(DataError, match=r"the loss of `step_lista` names no target"):
        open_source({"kind": "samples"}, unroll_dsl.load("step_lista"))
