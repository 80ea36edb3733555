"""Steps of layers as `torch.nn` has them."""

from __future__ import annotations

import ast
from collections.abc import Callable

from unroll_dsl.backends.torch.expressions.like import Like
from unroll_dsl.backends.torch.templates import call, name, number
from unroll_dsl.diagnostics.raised import InternalError
from unroll_dsl.types import Dim, Field, Layer, Step

LAYER_NORM = '''class LayerNorm2d(nn.Module):
    """Each pixel of [batch, channels, h, w] by the mean and the variance of its channels."""

    def __init__(
        self,
        channels: int,
        *,
        dtype: torch.dtype | None = None,
        device: torch.device | str | None = None,
    ) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(channels, dtype=dtype, device=device))
        self.bias = nn.Parameter(torch.zeros(channels, dtype=dtype, device=device))

    def forward(self, x: Tensor) -> Tensor:
        variance, mean = torch.var_mean(x, -3, correction=0, keepdim=True)
        x = (x - mean) * torch.rsqrt(variance + 1e-5)
        return self.weight[:, None, None] * x + self.bias[:, None, None]
'''


def made(
    layer: Layer,
    place: int,
    size: Callable[[Dim], ast.expr],
    like: Like,
) -> ast.expr:
    """The module of a step of a layer."""
    step, channels = layer.steps[place], layer.channels(place)
    assert isinstance(step, Step)
    own = [] if channels is None else [size(channels)]
    ends = [] if step.channels is None else [size(dim) for dim in step.channels]
    where = {"dtype": like.dtype(Field.REAL), "device": like.device()}
    match step.kind:
        case "conv":
            options = {"padding": step.padding, **dict(step.options)}
            return _call("nn.Conv2d", [*ends, number(step.size)], _numbers(options), step, where)
        case "deconv":
            stride = step.option("stride")
            more = stride + 2 * step.padding - step.size
            options = {"stride": stride, "padding": step.padding}
            options |= {"output_padding": more} if more else {}
            given = {key: value for key, value in options.items() if value != (key == "stride")}
            return _call(
                "nn.ConvTranspose2d", [*ends, number(step.size)], _numbers(given), step, where
            )
        case "dense":
            return _call("nn.Linear", ends, {}, step, where)
        case "max_pool" | "avg_pool":
            word = {"max_pool": "nn.MaxPool2d", "avg_pool": "nn.AvgPool2d"}[step.kind]
            return call(word, number(step.size))
        case "up":
            options_ = {"scale_factor": number(step.size)}
            if "bilinear" in step.flags:
                options_["mode"] = ast.Constant("bilinear")
            return _keywords("nn.Upsample", [], options_)
        case "instance_norm":
            return call("nn.InstanceNorm2d", *(own or [number(1)]))
        case "group_norm":
            return _keywords("nn.GroupNorm", [number(step.size), *own], where)
        case "layer_norm":
            return _keywords("LayerNorm2d", own, where)
        case "batch_norm":
            return _keywords("nn.BatchNorm2d", own, where)
        case "prelu":
            return _keywords("nn.PReLU", own, where)
        case "softmax":
            return _keywords("nn.Softmax", [], {"dim": number(-1 if layer.is_flat else -3)})
        case "dropout":
            assert step.number is not None
            return call("nn.Dropout", number(step.number))
        case _:
            raise InternalError(f"no module of `{step}`")


def _numbers(options: dict[str, int]) -> dict[str, ast.expr]:
    return {key: number(value) for key, value in options.items()}


def _call(
    word: str,
    arguments: list[ast.expr],
    options: dict[str, ast.expr],
    step: Step,
    where: dict[str, ast.expr],
) -> ast.expr:
    if not step.bias:
        options = {**options, "bias": ast.Constant(False)}
    return _keywords(word, arguments, {**options, **where})


def _keywords(word: str, arguments: list[ast.expr], options: dict[str, ast.expr]) -> ast.expr:
    keywords = [ast.keyword(key, value) for key, value in options.items()]
    return ast.Call(name(word), arguments, keywords)
