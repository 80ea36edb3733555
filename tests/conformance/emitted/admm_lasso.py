"""ADMM for the lasso.

S. Boyd, N. Parikh, E. Chu, B. Peleato, J. Eckstein: Distributed optimization and statistical
learning via the alternating direction method of multipliers. Foundations and Trends in Machine
Learning, 2011.

Section 6.4: a ridge regression, a shrinkage, and the scaled multiplier u that makes x and z
agree.

Generated from admm_lasso.unroll by unroll_dsl 0.1.0: edit that file rather than this one.
"""

import torch
from torch import Tensor, nn


class AdmmLasso(nn.Module):
    """Map y [batch, m] to z [batch, n].

    Fixed: A [m, n], lambda_, rho.

    y: measurements
    A: dictionary
    lambda_: weight of the l1 norm
    rho: penalty on x - z
    """

    def __init__(self, A: Tensor, lambda_: float = 0.1, rho: float = 1.0, phases: int = 50) -> None:
        super().__init__()
        n = A.shape[1]
        lambda_ = torch.as_tensor(lambda_, dtype=A.dtype, device=A.device)
        rho = torch.as_tensor(rho, dtype=A.dtype, device=A.device)
        # admm_lasso.unroll:22
        L = torch.linalg.cholesky(A.mT @ A + rho * torch.eye(n, dtype=A.dtype, device=A.device))
        self.register_buffer("A", A, persistent=False)
        self.register_buffer("rho", rho, persistent=False)
        self.register_buffer("L", L.contiguous(), persistent=False)
        # admm_lasso.unroll:23
        self.register_buffer("lambda_over_rho", lambda_ / rho, persistent=False)
        self.n = n
        self.phases = phases

    def start(self, y: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """What all phases share, and the states at the start."""
        check_input("y", y, (self.A.shape[-2],), self.A)
        Aty = y @ self.A  # admm_lasso.unroll:22
        # admm_lasso.unroll:20
        z = y.new_zeros((*y.shape[:-1], self.n))
        u = y.new_zeros((*y.shape[:-1], self.n))
        return Aty, z, u

    def phase(self, z: Tensor, u: Tensor, Aty: Tensor) -> tuple[Tensor, Tensor]:
        x = cholesky_solve(torch.addcmul(Aty, z - u, self.rho), self.L, 1)  # admm_lasso.unroll:22
        z = shrink(x + u, self.lambda_over_rho, inplace=True)  # admm_lasso.unroll:23
        u = u + x - z  # admm_lasso.unroll:24
        return z, u

    def forward(self, y: Tensor) -> Tensor:
        Aty, z, u = self.start(y)
        for _ in range(self.phases):
            z, u = self.phase(z, u, Aty)
        return z

    def trajectory(self, y: Tensor) -> list[dict[str, Tensor]]:
        """The states after each phase."""
        Aty, z, u = self.start(y)
        states = []
        for _ in range(self.phases):
            z, u = self.phase(z, u, Aty)
            states.append({"z": z, "u": u})
        return states


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


def cholesky_solve(b: Tensor, L: Tensor, rank: int) -> Tensor:
    """Solve ``L L' x = b`` for b [..., n], or for columns of b [..., n, k] if `rank` is 2."""
    dtype = torch.promote_types(b.dtype, L.dtype)
    b, L = b.to(dtype), L.to(dtype)
    if rank == 2:
        return torch.cholesky_solve(b, L)
    if L.ndim == 2:  # the samples are the columns of one system
        return torch.cholesky_solve(b.reshape(-1, b.shape[-1]).mT, L).mT.reshape(b.shape)
    return torch.cholesky_solve(b.unsqueeze(-1), L).squeeze(-1)


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
