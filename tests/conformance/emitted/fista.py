"""FISTA, fast iterative shrinkage-thresholding.

A. Beck, M. Teboulle: A fast iterative shrinkage-thresholding algorithm for linear inverse
problems. SIAM Journal on Imaging Sciences, 2009.

ISTA from an extrapolated point: the error of the objective falls as 1/k^2 instead of 1/k.

Generated from fista.unroll by unroll_dsl 0.1.0: edit that file rather than this one.
"""

import torch
from torch import Tensor, nn


class Fista(nn.Module):
    """Map y [batch, m] to x [batch, n].

    Fixed: A [m, n], lambda_.

    y: measurements
    A: dictionary
    lambda_: weight of the l1 norm
    """

    def __init__(self, A: Tensor, lambda_: float = 0.1, phases: int = 100) -> None:
        super().__init__()
        n = A.shape[1]
        L = spectral_norm(A) ** 2  # fista.unroll:13
        self.register_buffer("A", A, persistent=False)
        # fista.unroll:21
        self.register_buffer("inverse_L", 1 / L, persistent=False)
        self.register_buffer("lambda_over_L", lambda_ / L, persistent=False)
        self.n = n
        self.phases = phases

    def start(self, y: Tensor) -> tuple[Tensor, Tensor, float]:
        """The states at the start."""
        check_input("y", y, (self.A.shape[-2],), self.A)
        # fista.unroll:18
        x = y.new_zeros((*y.shape[:-1], self.n))
        v = y.new_zeros((*y.shape[:-1], self.n))
        t = 1.0  # fista.unroll:19
        return x, v, t

    def phase(self, x: Tensor, v: Tensor, t: float, y: Tensor) -> tuple[Tensor, Tensor, float]:
        x_prev, t_prev = x, t
        # fista.unroll:21
        x = shrink(
            torch.addcmul(v, (v @ self.A.mT - y) @ self.A, self.inverse_L, value=-1),
            self.lambda_over_L,
            inplace=True,
        )
        t = (1 + (1 + 4 * t_prev**2) ** 0.5) / 2  # fista.unroll:22
        v = extrapolate(x, x_prev, (t_prev - 1) / t)  # fista.unroll:23
        return x, v, t

    def forward(self, y: Tensor) -> Tensor:
        x, v, t = self.start(y)
        for _ in range(self.phases):
            x, v, t = self.phase(x, v, t, y)
        return x

    def trajectory(self, y: Tensor) -> list[dict[str, Tensor]]:
        """The states after each phase."""
        x, v, t = self.start(y)
        states = []
        for _ in range(self.phases):
            x, v, t = self.phase(x, v, t, y)
            states.append({"x": x, "v": v, "t": torch.as_tensor(t, dtype=y.dtype, device=y.device)})
        return states


def spectral_norm(M: Tensor) -> Tensor:
    """The largest singular value; of a large matrix from the eigenvalues of its smaller product with itself."""
    m, n = M.shape[-2:]
    if min(m, n) < 256:
        return torch.linalg.matrix_norm(M, 2)
    gram = M @ M.mH if m <= n else M.mH @ M
    return torch.linalg.eigvalsh(gram)[..., -1].sqrt()


def check_input(name: str, x: Tensor, shape: tuple[int | None, ...], like: Tensor) -> None:
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
    if x.dtype != dtype:
        raise TypeError(f"`{name}` must be {dtype}, found {x.dtype}: give {name}.to({dtype})")
    if x.device != like.device:
        raise ValueError(f"`{name}` is on {x.device}, the network on {like.device}")


def shrink(v: Tensor, t: Tensor | float, inplace: bool = False) -> Tensor:
    """Soft thresholding by a number; in place only where no derivative is asked for."""
    if torch.compiler.is_compiling():
        return v.sign() * torch.relu(v.abs() - t)
    if isinstance(t, Tensor):
        forward_mode = torch.autograd.forward_ad.unpack_dual(t).tangent is not None
        if torch.is_grad_enabled() or forward_mode or v.device.type != "cpu":
            return Shrink.apply(v, t)
        t = t.item()
    if t < 0:
        return v.sign() * torch.relu(v.abs() - t)
    if not inplace or v.numel() < 2**18 or torch.is_grad_enabled():
        return nn.functional.softshrink(v, t)
    for part in v.split(max(2**18 * len(v) // v.numel(), 1)):  # pieces that fit the cache
        part.sub_(part.clamp(-t, t))
    return v


class Shrink(torch.autograd.Function):
    """sign(v) * relu(|v| - t), for any sign of t; its derivatives follow from the signs of the result."""

    generate_vmap_rule = True

    @staticmethod
    def forward(v: Tensor, t: Tensor) -> Tensor:
        if v.device.type == "cpu" and t >= 0:  # one pass over memory
            return nn.functional.softshrink(v, t.item())
        return v.sign() * torch.relu(v.abs() - t)

    @staticmethod
    def setup_context(ctx, inputs, output) -> None:
        ctx.save_for_backward(output)
        ctx.save_for_forward(output)

    @staticmethod
    def backward(ctx, grad: Tensor) -> tuple[Tensor, Tensor]:
        signs = ctx.saved_tensors[0].sign()
        moved = grad * signs
        return moved * signs, -moved.sum()

    @staticmethod
    def jvp(ctx, v: Tensor, t: Tensor) -> Tensor:
        signs = ctx.saved_tensors[0].sign()
        return v * signs * signs - t * signs


def extrapolate(x: Tensor, x_prev: Tensor, t: Tensor | float) -> Tensor:
    """Momentum, ``x + t * (x - x_prev)``, in one pass over memory."""
    if any(v.dtype != x.dtype for v in (x_prev, t) if isinstance(v, Tensor)):  # by autocast
        return x + t * (x - x_prev)
    return torch.lerp(x_prev, x, 1 + t)
