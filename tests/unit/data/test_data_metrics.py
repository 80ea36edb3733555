"""Figures of merit: of images as scikit-image has them, of batches as of images, of sets as papers do."""

import math

import numpy as np
import pytest
import torch
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from unroll_dsl.data import DataError, metric, metric_names
from unroll_dsl.data.metrics import nmse, psnr, ssim

RNG = np.random.default_rng(0)
TRUTH, FOUND = (torch.from_numpy(RNG.uniform(0, 1, (4, 1, 20, 30))) for _ in range(2))


def test_psnr_is_that_of_scikit_image() -> None:
    truth, found = RNG.uniform(0, 1, (2, 20, 30))
    assert psnr(found, truth) == pytest.approx(peak_signal_noise_ratio(truth, found, data_range=1))
    assert math.isinf(psnr(truth, truth))


def test_ssim_is_that_of_scikit_image() -> None:
    truth, found = RNG.uniform(0, 1, (2, 20, 30))
    assert ssim(found, truth) == structural_similarity(truth, found, data_range=1)
    assert math.isnan(ssim(found[:5], truth[:5]))


def test_nmse_is_relative_and_complex() -> None:
    truth = RNG.standard_normal((4, 5)) + 1j
    assert nmse(truth * 1j, truth) == pytest.approx(math.sqrt(2))


@pytest.mark.parametrize("one", [psnr, ssim, nmse])
@pytest.mark.parametrize("complex_", [False, True])
def test_of_a_batch_each_sample_has_the_figure_of_its_image(one, complex_: bool) -> None:  # type: ignore[no-untyped-def]
    found, truth = (x * np.exp(1j) if complex_ else x for x in (FOUND, TRUTH))
    each = metric(one.__name__)(found, truth)
    expected = [one(f[0], t[0]) for f, t in zip(found.numpy(), truth.numpy())]
    np.testing.assert_allclose(each.numpy(), expected, rtol=1e-12)
    assert each.dtype == torch.float64


def test_mse_and_mae() -> None:
    difference = (FOUND - TRUTH).flatten(1)
    torch.testing.assert_close(metric("mse")(FOUND, TRUTH), difference.square().mean(1))
    torch.testing.assert_close(metric("mae")(FOUND, TRUTH), difference.abs().mean(1))


def test_nmse_in_db_is_that_of_the_whole_set() -> None:
    truth = torch.tensor([[1.0, 0.0], [10.0, 0.0]])
    found = torch.tensor([[2.0, 0.0], [10.0, 1.0]])
    measured = metric("nmse_db")
    expected = 10 * math.log10(2 / 101)
    assert measured.over([(found, truth)]) == pytest.approx(expected)
    in_pieces = [(found[:1], truth[:1]), (found[1:], truth[1:])]
    assert measured.over(in_pieces) == pytest.approx(expected)
    np.testing.assert_allclose(measured(found, truth).numpy(), [0, -20], atol=1e-12)


def test_of_a_set_other_metrics_are_means_over_its_samples() -> None:
    measured = metric("psnr")
    pieces = [(FOUND[:3], TRUTH[:3]), (FOUND[3:], TRUTH[3:])]
    assert measured.over(pieces) == pytest.approx(float(measured(FOUND, TRUTH).mean()))


def test_which_way_is_better() -> None:
    better = {name for name in metric_names() if metric(name).better == "higher"}
    assert better == {"psnr", "ssim"}
    assert metric("psnr").improves(31.0, 30.0) and not metric("mse").improves(31.0, 30.0)
    assert metric("psnr").improves(30.0, math.nan) and not metric("psnr").improves(math.nan, 30.0)


def test_what_cannot_be_compared() -> None:
    with pytest.raises(DataError, match=r"like with like: found \[4, 1, 20, 30\], truth \[3,"):
        metric("mse")(FOUND, TRUTH[:3])
    with pytest.raises(DataError, match="`ssim` compares images"):
        metric("ssim")(FOUND.flatten(1), TRUTH.flatten(1))
    with pytest.raises(DataError, match="no sample"):
        metric("psnr").over([])


def test_an_unknown_metric_is_answered_with_near_ones() -> None:
    with pytest.raises(DataError, match=r"there is no metric `psrn`; did you mean `psnr`"):
        metric("psrn")


def test_without_torchmetrics_an_unknown_metric_says_where_more_are(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import sys

    for module in ("torchmetrics", "torchmetrics.functional"):  # whether or not it was imported
        monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(DataError, match=r"there is `psnr`.*pip install torchmetrics"):
        metric("spectral_angle_mapper")


def test_a_patch_without_error_does_not_make_the_mean_infinite() -> None:
    truth = torch.zeros(2, 1, 4, 4)
    found = truth.clone()
    found[1] += 0.1
    assert metric("psnr").over([(found, truth)]) == pytest.approx((100 + 20) / 2)


def test_truths_of_size_0_have_their_figures() -> None:
    """Of a set, 0 over 0 is no number, an error over 0 infinite, no error at all minus infinity in dB."""
    zero, one = torch.zeros(2, 3), torch.ones(2, 3)
    found = metric("nmse_db")
    assert math.isnan(found.over([(zero, zero)]))
    assert found.over([(one, zero)]) == math.inf
    assert found.over([(one, one)]) == -math.inf
    assert found.over([(zero, one)]) == 0
    twice = found.over([(one, zero), (zero, one)])  # energies are summed before they are divided
    assert twice == pytest.approx(10 * math.log10(2))
    assert metric("psnr").over([(zero, zero)]) == 100
