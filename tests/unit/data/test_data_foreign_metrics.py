"""Metrics of torchmetrics, where it is installed."""

import numpy as np
import pytest
import torch

from unroll_dsl.data import DataError, metric

pytest.importorskip("torchmetrics")
RNG = np.random.default_rng(0)
TRUTH, FOUND = (torch.from_numpy(RNG.uniform(0, 1, (3, 1, 20, 30))) for _ in range(2))


def test_each_sample_has_a_figure_at_the_range_of_images() -> None:
    theirs = metric("peak_signal_noise_ratio")
    torch.testing.assert_close(theirs(FOUND, TRUTH), metric("psnr")(FOUND, TRUTH))


@pytest.mark.parametrize(
    ("name", "better"),
    [
        ("structural_similarity_index_measure", "higher"),
        ("mean_absolute_error", "lower"),
        ("universal_image_quality_index", "higher"),
    ],
)
def test_which_way_is_better_is_what_its_class_says(name: str, better: str) -> None:
    assert metric(name).better == better
    assert metric(name)(FOUND, TRUTH).shape == (3,)


def test_near_names_are_theirs_too() -> None:
    with pytest.raises(DataError, match="did you mean `mean_squared_error`"):
        metric("mean_square_error")


def test_data_that_a_metric_does_not_take() -> None:
    with pytest.raises(DataError, match=r"torchmetrics' `structural_.*` of samples \[600\]"):
        metric("structural_similarity_index_measure")(FOUND.flatten(1), TRUTH.flatten(1))
