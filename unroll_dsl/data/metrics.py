"""The figures of merit that papers print, of one image and, by name, of batches."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from unroll_dsl.data.errors import DataError, MissingExtra

Image = NDArray[Any]  # [height, width], real from 0 to 1, or complex with a modulus up to 1
Better = Literal["higher", "lower"]


# ---- of one image -------------------------------------------------------------------------------


def psnr(found: Image, truth: Image) -> float:
    """Peak signal-to-noise ratio of the moduli in dB, peak 1; infinite for equal images."""
    error = float(np.mean((np.abs(found) - np.abs(truth)) ** 2))
    return float("inf") if error == 0 else float(10 * np.log10(1 / error))


def ssim(found: Image, truth: Image) -> float:
    """Structural similarity of the moduli (Wang et al., 2004), windows of 7 x 7, by scikit-image."""
    try:
        from skimage.metrics import structural_similarity
    except ImportError as error:
        raise MissingExtra("scikit-image", "reproduce") from error

    if min(truth.shape) < 7:
        return float("nan")
    value: Any = structural_similarity(  # type: ignore[no-untyped-call]
        np.abs(found), np.abs(truth), data_range=1
    )
    return float(value)


def nmse(found: Image, truth: Image) -> float:
    """The norm of the error over the norm of the truth, as the papers on ADMM-Net define it; NaN where
    the truth is 0 everywhere."""
    size = float(np.linalg.norm(truth))
    return float(np.linalg.norm(found - truth)) / size if size else float("nan")


# ---- of batches, by name ------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Metric:
    """A figure of merit of reconstructions [batch, ...] beside their truths.

    Attributes
    ----------
    name : str
    better : "higher" or "lower"
    unit : str
        "dB", or nothing.
    each
        The figure of each sample, float64 [batch]; calling the metric is the same.
    parts
        Where the figure of a set is no mean: what is summed over the set, [batch, 2], and `whole` makes
        the figure of the two sums; `set_words` says how.
    """

    name: str
    better: Better
    unit: str
    each: Callable[[Tensor, Tensor], Tensor]
    parts: Callable[[Tensor, Tensor], Tensor] | None = None
    whole: Callable[[float, float], float] | None = None
    set_words: str = ""

    @property
    def of_a_set(self) -> str:
        """What the figure of a set is, in words."""
        if self.set_words:
            return self.set_words
        return "mean of the samples' decibels" if self.unit == "dB" else "mean over the samples"

    def __call__(self, found: Tensor, truth: Tensor) -> Tensor:
        """The figure of each sample, float64 [batch].

        Raises
        ------
        DataError
            For shapes that differ or that the metric does not take.
        """
        _alike(self.name, found, truth)
        return self.each(found, truth)

    def over(self, pairs: Iterable[tuple[Tensor, Tensor]]) -> float:
        """The figure of a set that comes in batches (found, truth): the mean over its samples, or what
        the papers report of a set where that is another (`nmse_db`)."""
        sums, count = torch.zeros(2, dtype=torch.float64), 0
        for found, truth in pairs:
            _alike(self.name, found, truth)
            if self.parts is not None:
                sums += self.parts(found, truth).sum(0).cpu()
            else:
                sums[0] += self.each(found, truth).sum().cpu()
            count += len(truth)
        if count == 0:
            raise DataError(f"`{self.name}` of no sample at all")
        if self.whole is not None:
            return self.whole(float(sums[0]), float(sums[1]))
        return float(sums[0]) / count

    def improves(self, new: float, old: float) -> bool:
        """Whether one figure is better than another; a number is better than nan."""
        if math.isnan(new) or math.isnan(old):
            return math.isnan(old) and not math.isnan(new)
        return new > old if self.better == "higher" else new < old


def metric(name: str) -> Metric:
    """A metric by name: one of `metric_names()`, or a functional of torchmetrics, such as
    "multiscale_structural_similarity_index_measure".

    Raises
    ------
    DataError
        For a name that there is not, with near ones.
    """
    if name in _KNOWN:
        return _KNOWN[name]
    from unroll_dsl.data import foreign_metrics

    each, better = foreign_metrics.functional(name, metric_names())
    return Metric(name, better, "", each)


def metric_names() -> tuple[str, ...]:
    """The metrics that need nothing else."""
    return tuple(_KNOWN)


def _alike(name: str, found: Tensor, truth: Tensor) -> None:
    if found.shape != truth.shape:
        raise DataError(
            f"`{name}` compares like with like: found {list(found.shape)}, truth {list(truth.shape)}"
        )


def _energies(found: Tensor, truth: Tensor) -> Tensor:
    """Squared norms of error and truth of each sample, float64 [batch, 2]."""
    pair = torch.stack((found - truth, truth), 1).flatten(2).abs().double()
    return pair.square().sum(2)


def _mse(found: Tensor, truth: Tensor) -> Tensor:
    return (found - truth).flatten(1).abs().double().square().mean(1)


def _mae(found: Tensor, truth: Tensor) -> Tensor:
    return (found - truth).flatten(1).abs().double().mean(1)


def _psnr(found: Tensor, truth: Tensor) -> Tensor:
    """At most 100 dB: one black patch that comes out black would else make the mean of a set infinite."""
    difference = found.abs().double() - truth.abs().double()
    return -10 * torch.log10(difference.flatten(1).square().mean(1).clamp(min=1e-10))


def _ssim(found: Tensor, truth: Tensor) -> Tensor:
    if truth.ndim < 3:
        raise DataError("`ssim` compares images", "of vectors take `psnr`, `nmse` or `mse`")
    planes = [x.detach().abs().double().cpu().reshape(-1, *x.shape[-2:]) for x in (found, truth)]
    values = [ssim(f, t) for f, t in zip(*(p.numpy() for p in planes), strict=True)]
    each = torch.tensor(values, dtype=torch.float64).reshape(len(truth), -1)
    return each.mean(1).to(truth.device)  # over the channels


def _nmse(found: Tensor, truth: Tensor) -> Tensor:
    error, size = _energies(found, truth).unbind(1)
    return (error / size).sqrt()


def _nmse_db(found: Tensor, truth: Tensor) -> Tensor:
    error, size = _energies(found, truth).unbind(1)
    return 10 * torch.log10(error / size)


def _ratio_db(error: float, size: float) -> float:
    """10 log10(sum ||x - x*||^2 / sum ||x*||^2), which Open-L2O reports of a set."""
    if size == 0:
        return math.nan if error == 0 else math.inf
    return 10 * math.log10(error / size) if error > 0 else -math.inf


_RATIO = "10 log10(sum of squared errors / sum of squared truths)"
_KNOWN = {
    found.name: found
    for found in (
        Metric("psnr", "higher", "dB", _psnr),
        Metric("ssim", "higher", "", _ssim),
        Metric("nmse", "lower", "", _nmse),
        Metric("nmse_db", "lower", "dB", _nmse_db, _energies, _ratio_db, _RATIO),
        Metric("mse", "lower", "", _mse),
        Metric("mae", "lower", "", _mae),
    )
}
