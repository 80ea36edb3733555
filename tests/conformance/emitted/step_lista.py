"""Step-LISTA, ISTA with learned step sizes.

P. Ablin, T. Moreau, M. Massias, A. Gramfort: Learning step sizes for unfolded sparse coding.
NeurIPS, 2019.

One number a phase, trained on the lasso's objective itself, without targets. At the classical
values it is ISTA.

Generated from step_lista.unroll by unroll_dsl 0.1.0: edit that file rather than this one.
"""

import torch
from torch import Tensor, nn


class StepLista(nn.Module):
    """Map y [batch, m] to x [batch, n].

    Fixed: A [m, n], lambda_. Learnable: alpha > 0, per phase.

    y: signal
    A: dictionary
    lambda_: weight of the l1 norm
    """

    def __init__(self, A: Tensor, lambda_: float = 0.1, phases: int = 20) -> None:
        super().__init__()
        lambda_ = torch.as_tensor(lambda_, dtype=A.dtype, device=A.device)
        L = spectral_norm(A) ** 2  # step_lista.unroll:14
        self.register_buffer("A", A, persistent=False)
        self.register_buffer("lambda_", lambda_, persistent=False)
        self.phases = nn.ModuleList([Phase(1 / L) for _ in range(phases)])

    def forward(self, y: Tensor) -> Tensor:
        check_input("y", y, (self.A.shape[-2],), self.A)
        first, *phases = self.phases
        x = first.begin(y, self.A, self.lambda_)
        for phase in phases:
            x = phase(x, y, self.A, self.lambda_)
        return x

    def trajectory(self, y: Tensor) -> list[dict[str, Tensor]]:
        """The states after each phase."""
        states = []
        first, *phases = self.phases
        x = first.begin(y, self.A, self.lambda_)
        states.append({"x": x})
        for phase in phases:
            x = phase(x, y, self.A, self.lambda_)
            states.append({"x": x})
        return states

    def loss(self, y: Tensor) -> Tensor:
        """The training loss, averaged over the batch."""
        x = self(y)
        return (
            1 / 2 * (x @ self.A.mT - y).square().sum(-1) + self.lambda_ * x.abs().sum(-1)
        ).mean()


class Phase(nn.Module):
    """One iteration and the constants that are its own: alpha > 0.

    alpha: step
    """

    def __init__(self, alpha: Tensor) -> None:
        super().__init__()
        self.alpha = nn.Parameter(alpha)  # step_lista.unroll:16

    def forward(self, x: Tensor, y: Tensor, A: Tensor, lambda_: Tensor) -> Tensor:
        alpha = positive(self.alpha)  # step_lista.unroll:16
        # step_lista.unroll:23
        return shrink(
            torch.addcmul(x, (x @ A.mT - y) @ A, alpha, value=-1), alpha * lambda_, inplace=True
        )

    def begin(self, y: Tensor, A: Tensor, lambda_: Tensor) -> Tensor:
        """The first iteration, in which the states are zero."""
        alpha = positive(self.alpha)  # step_lista.unroll:16
        return shrink(alpha * (y @ A), alpha * lambda_, inplace=True)  # step_lista.unroll:23


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


def positive(p: Tensor) -> Tensor:
    """Reflect `p` at 0 and keep it strictly above, wherever an optimiser steps."""
    return p.abs().clamp(min=torch.finfo(p.dtype).tiny)


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
