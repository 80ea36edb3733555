"""Layers as `torch.nn` has them, and how their kernels are drawn."""

from __future__ import annotations

from unroll_dsl.ir.graph import Random
from unroll_dsl.operators.random_init import RANDOM
from unroll_dsl.types.pieces import CELLS

ACTIVATIONS = {
    "relu": "nn.ReLU",
    "sigmoid": "nn.Sigmoid",
    "tanh": "nn.Tanh",
    "leaky_relu": "nn.LeakyReLU",
    "elu": "nn.ELU",
    "gelu": "nn.GELU",
    "silu": "nn.SiLU",
}

CONV = '''class Conv2d(nn.Conv2d):
    """`nn.Conv2d` of [..., channels, h, w]: any number of batch axes may lead."""

    def forward(self, x: Tensor) -> Tensor:
        if x.ndim <= 4:
            return super().forward(x)
        return super().forward(x.flatten(0, -4)).unflatten(0, x.shape[:-3])
'''

PADDED_CONV = '''class PaddedConv2d(nn.Conv2d):
    """`nn.Conv2d` of [..., channels, h, w], padded circularly or by reflection, also where that goes round
    the image several times. Any number of batch axes may lead."""

    def forward(self, x: Tensor) -> Tensor:
        if x.ndim > 4:
            return self(x.flatten(0, -4)).unflatten(0, x.shape[:-3])
        if max(self.kernel_size) // 2 < min(x.shape[-2:]):
            return super().forward(x)
        rows, columns = (self.around(n, k, x) for n, k in zip(x.shape[-2:], self.kernel_size))
        wide = x[..., rows[:, None], columns]
        return nn.functional.conv2d(wide, self.weight, self.bias, groups=self.groups)

    def around(self, n: int, k: int, x: Tensor) -> Tensor:
        """Which of `n` places stand under a kernel of `k` that is moved along them."""
        places = torch.arange(n + k - 1, device=x.device) - (k - 1) // 2
        if self.padding_mode == "circular":
            return places % n
        period = max(2 * n - 2, 1)
        return n - 1 - (places % period - (n - 1)).abs()
'''

OVER_BATCH = '''def over_batch(network: nn.Module, x: Tensor, axes: int) -> Tensor:
    """A network of the last `axes` axes, called with one batch axis however many lead."""
    batch = x.shape[: x.ndim - axes]
    if len(batch) == 1:
        return network(x)
    y = network(x.flatten(0, -axes - 1) if batch else x[None])
    return y.unflatten(0, batch) if batch else y[0]
'''

OVER_BATCHES = '''def over_batches(network: nn.Module, *arguments: tuple[Tensor, int]) -> Tensor:
    """A network called with one batch axis however many lead; each argument with the axes of a sample."""
    batch = torch.broadcast_shapes(*(v.shape[: v.ndim - axes] for v, axes in arguments))
    samples = (v.expand((*batch, *v.shape[v.ndim - axes :])) for v, axes in arguments)
    if len(batch) == 1:
        return network(*samples)
    y = network(*(v.flatten(0, len(batch) - 1) if batch else v[None] for v in samples))
    return y.unflatten(0, batch) if batch else y[0]
'''

PIECEWISE = f'''class PiecewiseLinear(nn.Module):
    """A function of its own for each channel of [batch, channels, h, w], at first relu.

    Linear between the {CELLS + 1} knots -1, -{1 - 2 / CELLS:g}, ..., 1 and beyond them: `slopes`
    [channels, {CELLS + 2}] from left to right, `start` [channels] the values at -1.
    """

    def __init__(
        self,
        channels: int,
        *,
        dtype: torch.dtype | None = None,
        device: torch.device | str | None = None,
    ) -> None:
        super().__init__()
        slopes = torch.zeros(channels, {CELLS + 2}, dtype=dtype, device=device)
        slopes[:, {CELLS // 2 + 1} :] = 1
        self.slopes = nn.Parameter(slopes)
        self.start = nn.Parameter(torch.zeros(channels, dtype=dtype, device=device))

    def forward(self, x: Tensor) -> Tensor:
        knots = torch.linspace(-1, 1, {CELLS + 1}, dtype=x.dtype, device=x.device)
        rises = {2 / CELLS:g} * self.slopes[:, 1:-1]
        first = self.start[:, None]
        values = torch.cat([first, first, first + rises.cumsum(-1)], -1)
        # each piece is the line through its left knot: offset + slope * x
        offsets = values - self.slopes * torch.cat([knots[:1], knots])
        if torch.is_grad_enabled() or x.device.type != "cpu" or torch.compiler.is_compiling():
            return self.lines(x, offsets, self.slopes)
        y = torch.empty_like(x)
        few = max(2**17 * x.shape[-3] // max(x.numel(), 1), 1)  # channels that fit the cache
        for i in range(0, x.shape[-3], few):
            part = slice(i, i + few)
            y[..., part, :, :] = self.lines(x[..., part, :, :], offsets[part], self.slopes[part])
        return y

    @staticmethod
    def lines(x: Tensor, offsets: Tensor, slopes: Tensor) -> Tensor:
        piece = (x.detach() * {CELLS // 2} + {CELLS // 2 + 1}).floor().clamp(0, {CELLS + 1})
        piece = piece.long().clamp(0, {CELLS + 1}).flatten(-2)  # again, for what is not a number
        offset, slope = (t.expand(*x.shape[:-2], -1).gather(-1, piece) for t in (offsets, slopes))
        return torch.addcmul(offset, slope, x.flatten(-2)).view_as(x)
'''


_KINDS = ("nn.Conv2d",), ("nn.Conv2d", "nn.ConvTranspose2d", "nn.Linear")


def initialiser(name: str, *, every: bool) -> str:
    """The text of a function that draws the kernels of a layer: of convolutions, or of `every` kind that
    has some."""
    parameters, maker = RANDOM[name]
    taken = "".join(f", {word}: float = {default}" for word, default in parameters)
    passed = "".join(f", {word}" for word, _ in parameters)
    what = "convolutions and dense layers" if every else "convolutions"
    return f'''def {name}_layer{"s" * every}(layer: nn.Module{taken}) -> nn.Module:
    """Draw the kernels of the {what} in a layer; biases start at 0."""
    for part in layer.modules():
        if isinstance(part, {" | ".join(_KINDS[every])}):
            nn.init.{maker}(part.weight{passed})
            if part.bias is not None:
                nn.init.zeros_(part.bias)
    return layer
'''


def drawing(random: Random, *, every: bool) -> tuple[str, tuple[float, ...]]:
    """The name of that function, and what to give it besides the layer: nothing where it has its defaults."""
    defaults = tuple(default for _, default in RANDOM[random.name][0])
    given = () if random.arguments == defaults[: len(random.arguments)] else random.arguments
    return f"{random.name}_layer{'s' * every}", given
