"""Metrics of torchmetrics by the names of its functionals; it is imported when one is asked for.

Each kind of functional is fed the shape that it means: images [1, channels, height, width], numbers [n]. Given
[1, n], those of regression take a sample for n outputs of one observation each, and correlate nothing.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from types import ModuleType
from typing import Any, Literal

import torch
from torch import Tensor

from unroll_dsl.data.errors import DataError, MissingExtra, choose

Shape = Callable[[Tensor], Tensor]

# why a functional of two arguments is no figure of a reconstruction beside its truth
_OTHER = {
    "continuous_ranked_probability_score": "it judges an ensemble of predictions",
    "jensen_shannon_divergence": "it compares distributions",
    "kl_divergence": "it compares distributions",
    "learned_perceptual_image_patch_similarity": "it needs a network that it downloads",
    "deep_image_structure_and_texture_similarity": "it needs a network that it downloads",
}
_ROWS = ("cosine_similarity",)  # of regression, and yet of rows [1, n]


def functional(
    name: str, others: Iterable[str]
) -> tuple[Callable[[Tensor, Tensor], Tensor], Literal["higher", "lower"]]:
    """The figure of each sample by a functional of torchmetrics, and which way is better.

    Those of images, regression and audio that compare a reconstruction with its truth. Where it takes `data_range`
    that is 1; of complex data it sees the moduli. `others` are names that the caller knows besides, for the message
    about one that there is not.

    Raises
    ------
    DataError
        For a name that torchmetrics lacks, and one that is no figure of a reconstruction.
    """
    home, shape = _home(name, others)
    found = getattr(home, name)
    parameters = inspect.signature(found).parameters
    _refuse(name, parameters)
    options: dict[str, Any] = {"data_range": 1.0} if "data_range" in parameters else {}

    def each(f: Tensor, t: Tensor) -> Tensor:
        f, t = ((x.abs() if x.is_complex() else x).double() for x in (f, t))
        if shape is _as_image and t.ndim < 3:
            raise DataError(
                f"torchmetrics' `{name}` compares images, and samples are vectors {list(t.shape[1:])}",
                "of vectors take `psnr`, `nmse`, `mse` or a functional of torchmetrics.functional.regression",
            )
        try:
            values = [found(shape(f[i]), shape(t[i]), **options) for i in range(len(t))]
            return torch.stack([value.double().reshape(()) for value in values])
        except Exception as error:  # each has its own ways to refuse
            raise DataError(
                f"torchmetrics' `{name}` of samples {list(t.shape[1:])}: {error}"
            ) from None

    return each, "higher" if _higher_is_better(name) else "lower"


def _as_image(sample: Tensor) -> Tensor:
    return sample.reshape(1, -1, *sample.shape[-2:])


def _as_numbers(sample: Tensor) -> Tensor:
    return sample.reshape(-1)


def _as_row(sample: Tensor) -> Tensor:
    return sample.reshape(1, -1)


def _home(name: str, others: Iterable[str]) -> tuple[ModuleType, Shape]:
    """The module that a functional belongs to, and the shape that it means."""
    try:
        from torchmetrics.functional import audio, image, regression
    except ImportError as error:
        if isinstance(error, ModuleNotFoundError) and (error.name or "").startswith("torchmetrics"):
            raise DataError(
                f"there is no metric `{name}`",
                f"{choose(name, others)}; more names come with `pip install torchmetrics`",
            ) from error
        raise MissingExtra("torchmetrics", "train") from error
    homes: tuple[tuple[ModuleType, Shape], ...] = (
        (image, _as_image),
        (regression, _as_row if name in _ROWS else _as_numbers),
        (audio, _as_numbers),
    )
    for home, shape in homes:
        if inspect.isfunction(getattr(home, name, None)):
            return home, shape
    import torchmetrics.functional as everything

    if inspect.isfunction(getattr(everything, name, None)):
        raise DataError(
            f"torchmetrics' `{name}` is no figure of a reconstruction",
            "take one of torchmetrics.functional.image or .regression",
        )
    names = {n for home, _ in homes for n in dir(home) if inspect.isfunction(getattr(home, n))}
    raise DataError(f"there is no metric `{name}`", choose(name, [*others, *sorted(names)]))


def _refuse(name: str, parameters: Any) -> None:
    """Raise `DataError` for what does not compare a reconstruction with its truth."""
    first = list(parameters)[:2]
    needed = [
        key
        for key, parameter in list(parameters.items())[2:]
        if parameter.default is inspect.Parameter.empty
        and parameter.kind is inspect.Parameter.POSITIONAL_OR_KEYWORD
        and key != "data_range"
    ]
    reason = _OTHER.get(name)
    if reason is None and first not in (["preds", "target"], ["preds", "targets"]):
        reason = "it does not compare a reconstruction with its truth"
    if reason is None and needed:
        reason = f"it needs `{needed[0]}` besides"
    if reason is not None:
        raise DataError(f"torchmetrics' `{name}` is no figure of a reconstruction: {reason}")


def _higher_is_better(name: str) -> bool:
    """What the class beside the functional says: `mean_squared_error`, `MeanSquaredError`. Correlations say
    nothing, since those of -1 are perfect too; a reconstruction wants 1."""
    from torchmetrics import audio, image, regression

    wanted = name.replace("_", "").lower()
    for home in (image, regression, audio):
        for other in dir(home):
            if other.lower() == wanted and inspect.isclass(getattr(home, other)):
                higher = getattr(home, other).higher_is_better
                return higher is None or bool(higher)
    return False
