"""Metrics of torchmetrics, where it is installed: each functional is fed the shape that it means."""

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import scipy.stats
import sklearn.metrics
import torch

from unroll_dsl.data import DataError, metric

torchmetrics = pytest.importorskip("torchmetrics")
from torchmetrics.functional import image, regression  # noqa: E402

RNG = np.random.default_rng(0)
TRUTH = torch.from_numpy(RNG.uniform(0.1, 1, (3, 1, 20, 30)))
FOUND = (TRUTH + 0.1 * torch.from_numpy(RNG.standard_normal((3, 1, 20, 30)))).clamp(0.01, 1)
LARGE = torch.from_numpy(RNG.uniform(0.1, 1, (2, 3, 48, 44)))
NEAR = (LARGE + 0.1 * torch.from_numpy(RNG.standard_normal(LARGE.shape))).clamp(0.01, 1)


def pairs(home: Any) -> list[str]:
    """The functionals that take predictions and target, and need nothing else."""
    found = []
    for name, function in inspect.getmembers(home, inspect.isfunction):
        parameters = list(inspect.signature(function).parameters.values())
        needed = [p.name for p in parameters[2:] if p.default is p.empty]
        if parameters[0].name == "preds" and parameters[1].name.startswith("target"):
            found += [name] * (set(needed) <= {"data_range"})
    return found


NOT = {"continuous_ranked_probability_score", "deep_image_structure_and_texture_similarity"}
REGRESSION = [name for name in pairs(regression) if name not in NOT]
IMAGE = [name for name in pairs(image) if name not in NOT]


def test_the_lists_are_long() -> None:
    assert len(REGRESSION) >= 17
    assert len(IMAGE) >= 11


@pytest.mark.parametrize("name", REGRESSION)
def test_those_of_regression_see_a_sample_as_observations(name: str) -> None:
    theirs = getattr(regression, name)
    rows = name == "cosine_similarity"
    expected = [
        theirs(f.reshape(1, -1) if rows else f.ravel(), t.reshape(1, -1) if rows else t.ravel())
        for f, t in zip(FOUND, TRUTH)
    ]
    found = metric(name)(FOUND, TRUTH)
    torch.testing.assert_close(found, torch.stack(expected).double().reshape(3))
    torch.testing.assert_close(metric(name)(FOUND.flatten(1), TRUTH.flatten(1)), found)


@pytest.mark.parametrize("name", IMAGE)
def test_those_of_images_see_an_image(name: str) -> None:
    theirs = getattr(image, name)
    options = {"data_range": 1.0} if "data_range" in inspect.signature(theirs).parameters else {}
    truth, near = (LARGE[:, :1], NEAR[:, :1]) if "blocked" in name else (LARGE, NEAR)
    if "multiscale" in name:  # wants 160 pixels a side
        truth, near = (x[:, :1].repeat(1, 1, 4, 4) for x in (truth, near))
    expected = [theirs(n[None], t[None], **options) for n, t in zip(near, truth)]
    found = metric(name)(near, truth)
    torch.testing.assert_close(found, torch.stack(expected).double().reshape(2))


SKLEARN: dict[str, Callable[[Any, Any], float]] = {
    "r2_score": sklearn.metrics.r2_score,
    "explained_variance": sklearn.metrics.explained_variance_score,
    "mean_squared_error": sklearn.metrics.mean_squared_error,
    "mean_absolute_error": sklearn.metrics.mean_absolute_error,
    "mean_squared_log_error": sklearn.metrics.mean_squared_log_error,
    "mean_absolute_percentage_error": sklearn.metrics.mean_absolute_percentage_error,
    "pearson_corrcoef": lambda t, f: scipy.stats.pearsonr(t, f).statistic,
    "spearman_corrcoef": lambda t, f: scipy.stats.spearmanr(t, f).statistic,
    "kendall_rank_corrcoef": lambda t, f: scipy.stats.kendalltau(t, f).statistic,
    "relative_squared_error": lambda t, f: float(((t - f) ** 2).sum() / ((t - t.mean()) ** 2).sum()),
    "cosine_similarity": lambda t, f: float(t @ f / np.linalg.norm(t) / np.linalg.norm(f)),
}  # fmt: skip


@pytest.mark.parametrize("name", SKLEARN)
def test_figures_are_those_of_scikit_learn_and_scipy(name: str) -> None:
    expected = [SKLEARN[name](t.ravel().numpy(), f.ravel().numpy()) for f, t in zip(FOUND, TRUTH)]
    np.testing.assert_allclose(metric(name)(FOUND, TRUTH), expected, rtol=1e-5)


def test_each_sample_has_a_figure_at_the_range_of_images() -> None:
    theirs = metric("peak_signal_noise_ratio")
    torch.testing.assert_close(theirs(FOUND, TRUTH), metric("psnr")(FOUND, TRUTH))


@pytest.mark.parametrize(
    ("name", "better"),
    [
        ("structural_similarity_index_measure", "higher"),
        ("mean_absolute_error", "lower"),
        ("universal_image_quality_index", "higher"),
        ("pearson_corrcoef", "higher"),
        ("r2_score", "higher"),
        ("relative_squared_error", "lower"),
        ("spectral_angle_mapper", "lower"),
        ("error_relative_global_dimensionless_synthesis", "lower"),
        ("scale_invariant_signal_noise_ratio", "higher"),
    ],
)
def test_which_way_is_better_is_what_its_class_says(name: str, better: str) -> None:
    assert metric(name).better == better


def test_those_of_audio_take_vectors() -> None:
    found = metric("signal_noise_ratio")(FOUND, TRUTH)
    power = (TRUTH.flatten(1) ** 2).sum(1) / ((FOUND - TRUTH).flatten(1) ** 2).sum(1)
    torch.testing.assert_close(found, 10 * torch.log10(power))


def test_near_names_are_theirs_too() -> None:
    with pytest.raises(DataError, match="did you mean `mean_squared_error`"):
        metric("mean_square_error")


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("kl_divergence", "compares distributions"),
        ("continuous_ranked_probability_score", "ensemble"),
        ("critical_success_index", "needs `threshold` besides"),
        ("minkowski_distance", "needs `p` besides"),
        ("total_variation", "does not compare a reconstruction with its truth"),
        ("quality_with_no_reference", "does not compare"),
        ("learned_perceptual_image_patch_similarity", "a network that it downloads"),
        ("accuracy", "take one of torchmetrics.functional.image"),
        ("bleu_score", "take one of torchmetrics.functional.image"),
    ],
)
def test_what_is_no_figure_of_a_reconstruction_is_refused_by_name(name: str, words: str) -> None:
    with pytest.raises(DataError, match=f"torchmetrics' `{name}` is no figure .*{words}"):
        metric(name)


@pytest.mark.parametrize("name", ["structural_similarity_index_measure", "spectral_angle_mapper"])
def test_data_that_a_metric_does_not_take(name: str) -> None:
    with pytest.raises(DataError, match=rf"torchmetrics' `{name}` compares images.* \[600\]"):
        metric(name)(FOUND.flatten(1), TRUTH.flatten(1))
    if name == "spectral_angle_mapper":  # of one colour there is no angle
        with pytest.raises(DataError, match=rf"`{name}` of samples \[1, 20, 30\]: "):
            metric(name)(FOUND, TRUTH)
