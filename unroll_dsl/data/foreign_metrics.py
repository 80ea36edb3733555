"""Metrics of torchmetrics by the names of its functionals; it is imported when one is asked for."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from typing import Any, Literal

import torch
from torch import Tensor

from unroll_dsl.data.errors import DataError, MissingExtra, choose


def functional(
    name: str, others: Iterable[str]
) -> tuple[Callable[[Tensor, Tensor], Tensor], Literal["higher", "lower"]]:
    """The figure of each sample by a functional of torchmetrics, and which way is better.

    Where it takes `data_range` that is 1; of complex data it sees the moduli. `others` are names that
    the caller knows besides, for the message about one that there is not.

    Raises
    ------
    DataError
        For a name that torchmetrics lacks, and one that is no figure of a reconstruction.
    """
    try:
        from torchmetrics import functional as plain
        from torchmetrics.functional import image as of_images
    except ImportError as error:
        if isinstance(error, ModuleNotFoundError) and (error.name or "").startswith("torchmetrics"):
            raise DataError(
                f"there is no metric `{name}`",
                f"{choose(name, others)}; more names come with `pip install torchmetrics`",
            ) from error
        raise MissingExtra("torchmetrics", "train") from error
    homes = (of_images, plain)
    found = next((getattr(home, name) for home in homes if hasattr(home, name)), None)
    if not inspect.isfunction(found):
        names = {n for home in homes for n in dir(home) if inspect.isfunction(getattr(home, n))}
        raise DataError(f"there is no metric `{name}`", choose(name, [*others, *sorted(names)]))
    signature = inspect.signature(found).parameters
    options: dict[str, Any] = {"data_range": 1.0} if "data_range" in signature else {}

    def each(f: Tensor, t: Tensor) -> Tensor:
        f, t = (x.abs() if x.is_complex() else x for x in (f, t))
        try:
            values = [found(f[i : i + 1], t[i : i + 1], **options) for i in range(len(t))]
            return torch.stack([value.double().reshape(()) for value in values])
        except (TypeError, ValueError, RuntimeError, AttributeError) as error:
            raise DataError(
                f"torchmetrics' `{name}` of samples {list(t.shape[1:])}: {error}"
            ) from None

    return each, "higher" if _higher_is_better(name) else "lower"


def _higher_is_better(name: str) -> bool:
    """What the class beside the functional says: `mean_squared_error`, `MeanSquaredError`."""
    import torchmetrics
    from torchmetrics import image

    wanted = name.replace("_", "").lower()
    for home in (torchmetrics, image):
        for other in dir(home):
            if other.lower() == wanted and inspect.isclass(getattr(home, other)):
                return bool(getattr(home, other).higher_is_better)
    return False
