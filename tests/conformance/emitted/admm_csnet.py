"""Generic-ADMM-CSNet, ADMM for compressive sensing MRI with a learned proximal step.

Y. Yang, J. Sun, H. Li, Z. Xu: ADMM-CSNet: A deep learning approach for image compressive sensing.
IEEE Transactions on Pattern Analysis and Machine Intelligence, 2020.

N takes from an image what is no part of it, from real and imaginary part alike; all phases share
it. The output keeps the sampled frequencies as they were measured.

Generated from admm_csnet.unroll by unroll_dsl 0.1.0: edit that file rather than this one.
"""

import torch
from torch import Tensor, nn


class AdmmCsnet(nn.Module):
    """Map y [batch, 1, h, w] to x_hat [batch, 1, h, w].

    Fixed: P [h, w]. Learnable: rho, gamma, N = conv[1 -> 128, 5, bias] >> plf >> conv[128 -> 1,
    5, bias], shared.

    y: k-space, zero where not sampled
    P: 1 where sampled, zero frequency first
    rho: penalty
    gamma: rate of the multiplier
    """

    def __init__(self, P: Tensor, phases: int = 11) -> None:
        super().__init__()
        self.register_buffer("P", P, persistent=False)
        self.register_buffer("P_squared", P * P, persistent=False)  # admm_csnet.unroll:14
        self.register_buffer("one_minus_P", 1 - P, persistent=False)  # admm_csnet.unroll:26
        # admm_csnet.unroll:16
        self.rho = nn.Parameter(torch.tensor(0.1, dtype=P.dtype, device=P.device))
        # admm_csnet.unroll:17
        self.gamma = nn.Parameter(torch.tensor(1.0, dtype=P.dtype, device=P.device))
        # admm_csnet.unroll:18
        self.N = normal_layer(
            nn.Sequential(
                Conv2d(1, 128, 5, padding=2, dtype=P.dtype, device=P.device),
                PiecewiseLinear(128, dtype=P.dtype, device=P.device),
                Conv2d(128, 1, 5, padding=2, dtype=P.dtype, device=P.device),
            ),
            0.0,
            0.025,
        )
        self.phases = phases

    def start(self, y: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """What all phases share, and the states at the start."""
        check_input("y", y, (1, self.P.shape[-2], self.P.shape[-1]), self.P, is_complex=True)
        # admm_csnet.unroll:22
        Aty = torch.fft.ifft2(self.P * y, norm="ortho")
        P_squared_plus_rho = regular(self.P_squared + self.rho, 2, "admm_csnet.unroll:22")
        # admm_csnet.unroll:20
        z = torch.zeros_like(y)
        b = torch.zeros_like(y)
        return Aty, P_squared_plus_rho, z, b

    def phase(
        self, z: Tensor, b: Tensor, Aty: Tensor, P_squared_plus_rho: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        # admm_csnet.unroll:22
        x = torch.fft.ifft2(
            torch.fft.fft2(Aty + self.rho * (z - b), norm="ortho") / P_squared_plus_rho,
            norm="ortho",
        )
        u = x + b  # admm_csnet.unroll:23
        z = u - torch.complex(self.N(u.real), self.N(u.imag))  # admm_csnet.unroll:24
        b = b + self.gamma * (x - z)  # admm_csnet.unroll:25
        return x, z, b

    def last_phase(self, z: Tensor, b: Tensor, Aty: Tensor, P_squared_plus_rho: Tensor) -> Tensor:
        # admm_csnet.unroll:22
        return torch.fft.ifft2(
            torch.fft.fft2(Aty + self.rho * (z - b), norm="ortho") / P_squared_plus_rho,
            norm="ortho",
        )

    def forward(self, y: Tensor) -> Tensor:
        Aty, P_squared_plus_rho, z, b = self.start(y)
        for _ in range(self.phases - 1):
            x, z, b = self.phase(z, b, Aty, P_squared_plus_rho)
        x = self.last_phase(z, b, Aty, P_squared_plus_rho)
        # admm_csnet.unroll:26
        return torch.fft.ifft2(y + self.one_minus_P * torch.fft.fft2(x, norm="ortho"), norm="ortho")

    def trajectory(self, y: Tensor) -> list[dict[str, Tensor]]:
        """The states after each phase."""
        Aty, P_squared_plus_rho, z, b = self.start(y)
        states = []
        for _ in range(self.phases):
            x, z, b = self.phase(z, b, Aty, P_squared_plus_rho)
            states.append({"x": x, "z": z, "b": b})
        return states

    def loss(self, y: Tensor, target: Tensor) -> Tensor:
        """The training loss, averaged over the batch."""
        check_input(
            "target", target, (1, self.P.shape[-2], self.P.shape[-1]), self.P, is_complex=True
        )
        check_batches({"y": (y, 3), "target": (target, 3)})
        x_hat = self(y)
        return (
            (x_hat - target).abs().square().sum((-3, -2, -1)).sqrt()
            / target.abs().square().sum((-3, -2, -1)).sqrt()
        ).mean()


def normal_layer(layer: nn.Module, mean: float = 0.0, std: float = 1.0) -> nn.Module:
    """Draw the kernels of the convolutions in a layer; biases start at 0."""
    for part in layer.modules():
        if isinstance(part, nn.Conv2d):
            nn.init.normal_(part.weight, mean, std)
            if part.bias is not None:
                nn.init.zeros_(part.bias)
    return layer


class Conv2d(nn.Conv2d):
    """`nn.Conv2d` of [..., channels, h, w]: any number of batch axes may lead."""

    def forward(self, x: Tensor) -> Tensor:
        if x.ndim <= 4:
            return super().forward(x)
        return super().forward(x.flatten(0, -4)).unflatten(0, x.shape[:-3])


class PiecewiseLinear(nn.Module):
    """A function of its own for each channel of [batch, channels, h, w], at first relu.

    Linear between the 101 knots -1, -0.98, ..., 1 and beyond them: `slopes`
    [channels, 102] from left to right, `start` [channels] the values at -1.
    """

    def __init__(
        self,
        channels: int,
        *,
        dtype: torch.dtype | None = None,
        device: torch.device | str | None = None,
    ) -> None:
        super().__init__()
        slopes = torch.zeros(channels, 102, dtype=dtype, device=device)
        slopes[:, 51:] = 1
        self.slopes = nn.Parameter(slopes)
        self.start = nn.Parameter(torch.zeros(channels, dtype=dtype, device=device))

    def forward(self, x: Tensor) -> Tensor:
        knots = torch.linspace(-1, 1, 101, dtype=x.dtype, device=x.device)
        rises = 0.02 * self.slopes[:, 1:-1]
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
        piece = (x.detach() * 50 + 51).floor().clamp(0, 101)
        piece = piece.long().clamp(0, 101).flatten(-2)  # again, for what is not a number
        offset, slope = (t.expand(*x.shape[:-2], -1).gather(-1, piece) for t in (offsets, slopes))
        return torch.addcmul(offset, slope, x.flatten(-2)).view_as(x)


def check_input(
    name: str, x: Tensor, shape: tuple[int | None, ...], like: Tensor, is_complex: bool = False
) -> None:
    """Refuse what does not end in `shape` (None: any size), or has not the precision and the device
    of `like`. Any batch axes may lead."""
    if not isinstance(x, Tensor):
        words = f"found {type(x).__name__}: give torch.as_tensor({name})"
        raise TypeError(f"`{name}` must be a tensor, {words}")
    found = tuple(x.shape[x.ndim - len(shape) :]) if x.ndim >= len(shape) else ()
    if len(found) < len(shape) or any(n not in (None, m) for n, m in zip(shape, found)):
        wanted = ", ".join(["...", *("any" if n is None else str(n) for n in shape)])
        raise ValueError(f"`{name}` must have the shape [{wanted}], found {list(x.shape)}")
    dtype = like.real.dtype
    if is_complex:
        if dtype.itemsize < 4:
            raise TypeError(
                f"`{name}` is complex, and there is no arithmetic of such values in {dtype}"
            )
        dtype = torch.promote_types(dtype, torch.complex64)
    if x.dtype != dtype:
        raise TypeError(f"`{name}` must be {dtype}, found {x.dtype}: give {name}.to({dtype})")
    if x.device != like.device:
        raise ValueError(f"`{name}` is on {x.device}, the network on {like.device}")


def regular(d: Tensor, rank: int, place: str) -> Tensor:
    """The diagonal of a system, the last `rank` axes of `d`; refused where one is 0, or 0 for the precision."""
    if d.device.type == "cpu" and d.numel() and not torch.compiler.is_compiling():
        size = d.detach().abs()
        least, most = (f(tuple(range(-rank, 0))) if rank else size for f in (size.amin, size.amax))
        if largest((least <= max(2**-52, torch.finfo(d.dtype).eps ** 2) * most) & most.isfinite()):
            raise torch.linalg.LinAlgError(
                f"{place}: the system of `solve` is singular at these values: add a shift, "
                "`... + rho * I`, or keep what it is divided by away from 0"
            )
    return d


def largest(x: Tensor) -> float:
    """The largest entry, 0 where there is none, as a number: a device is waited for."""
    x = x.detach()
    try:
        return x.amax().item() if x.numel() else 0.0
    except RuntimeError:  # of a sample that torch.vmap maps over there is no number
        return Largest.apply(x).item()


class Largest(torch.autograd.Function):
    """The largest entry, of all samples that torch.vmap maps over at once."""

    @staticmethod
    def forward(x: Tensor) -> Tensor:
        return x.amax() if x.numel() else x.new_zeros(())

    @staticmethod
    def setup_context(ctx, inputs, output) -> None:
        ctx.mark_non_differentiable(output)

    @staticmethod
    def jvp(ctx, x: None) -> None:
        return None

    @staticmethod
    def vmap(info, in_dims, x: Tensor) -> tuple[Tensor, None]:
        return Largest.apply(x), None


def check_batches(inputs: dict[str, tuple[Tensor, int]]) -> None:
    """Refuse inputs whose batch axes do not broadcast; each is given with the axes of a sample of it."""
    found = {name: list(x.shape[: max(x.ndim - axes, 0)]) for name, (x, axes) in inputs.items()}
    for axis in range(1, max(map(len, found.values())) + 1):
        wide = [
            batch[-axis] for batch in found.values() if len(batch) >= axis and batch[-axis] != 1
        ]
        if any(size != wide[0] for size in wide):  # no set of them: an export would fix the batch
            words = ", ".join(f"`{name}` has {batch}" for name, batch in found.items())
            raise ValueError(f"the inputs have different batch axes: {words}")
