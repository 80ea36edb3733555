"""What is to be learned of a program: its loss, its inputs, its targets, and the mends where one lacks."""

import pytest

import unroll_dsl
from unroll_dsl.train.errors import TrainingError
from unroll_dsl.train.task import Task, default_metric, task

HEAD = "algorithm p\ndims m, n\n"
LOSS = "loss (x_star : vector[n]):\n    sumsq(x - x_star)\n"
BODY = "input y : vector[m]\n{}\nlearnable W : matrix[n, m]\nlet x = W @ y\noutput x\n" + LOSS


def test_inputs_targets_and_what_is_compared() -> None:
    """The output that is compared is the one of the type of a target, not the first."""
    text = BODY.format("").replace("output x", "output norm1(y), x")
    assert task(unroll_dsl.loads(HEAD + text), ("y", "x_star"), None) == Task(
        ("y",), ("x_star",), 1, "x_star", "nmse_db"
    )


def test_a_program_without_a_loss_is_no_task() -> None:
    spec = unroll_dsl.loads(HEAD + BODY.format("").replace(LOSS, ""))
    with pytest.raises(TrainingError, match="`p` has no `loss`"):
        task(spec, ("y", "x_star"), None)


@pytest.mark.parametrize(
    ("constant", "mend"),
    [
        ("fixed A : matrix[m, n]", "measure y = A @ x_star"),
        ("fixed A : matrix[n, m]", "measure y = ...  # a formula of `x_star`, and of `noise`"),
        ("fixed T : linear vector[n] -> vector[m]", "measure y = T @ x_star"),
        ("fixed T : linear vector[n] -> vector[n]", "measure y = ...  # a formula of `x_star`"),
        ("fixed T : linear vector[m] -> vector[m]", "measure y = ...  # a formula of `x_star`"),
    ],
)
def test_the_map_that_fits_is_proposed_for_an_input_that_nothing_gives(
    constant: str, mend: str
) -> None:
    with pytest.raises(TrainingError, match="nothing says what the input `y` of `p` is") as caught:
        task(unroll_dsl.loads(HEAD + BODY.format(constant)), ("x_star",), None)
    assert mend in str(caught.value.mend)


def test_a_target_that_nothing_gives_is_named() -> None:
    spec = unroll_dsl.loads(HEAD + BODY.format(""))
    with pytest.raises(TrainingError, match="the loss of `p` compares with `x_star`") as caught:
        task(spec, ("y", "z"), None)
    assert caught.value.mend is not None and "loss (y : ...)" in caught.value.mend


def test_images_are_told_by_psnr_all_else_by_nmse() -> None:
    assert default_metric(unroll_dsl.loads(HEAD + BODY.format(""))) == "nmse_db"
    image = "input y : image[1, m, n]\nlearnable t : scalar = 1\nlet x = t * y\noutput x\n"
    loss = "loss (x_star : image[1, m, n]):\n    sumsq(x - x_star)\n"
    assert default_metric(unroll_dsl.loads(HEAD + image + loss)) == "psnr"
    assert default_metric(unroll_dsl.loads(HEAD + image + "loss:\n    sumsq(x)\n")) == "loss"
    assert default_metric(unroll_dsl.loads(HEAD + image)) == "nmse_db"
