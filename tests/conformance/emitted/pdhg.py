"""Primal-dual hybrid gradient for total variation denoising.

A. Chambolle, T. Pock: A first-order primal-dual algorithm for convex problems with
applications to imaging. Journal of Mathematical Imaging and Vision, 2011.

Algorithm 1. With K the matrix of first differences the penalty is the total variation of a
signal; any other matrix will do. The iteration converges where sigma * tau * norm(K)^2 <= 1.

Generated from pdhg.unroll by unroll_dsl 0.1.0: edit that file rather than this one.
"""

import torch
from torch import Tensor, nn


class Pdhg(nn.Module):
    """Map y [batch, n] to x [batch, n].

    Fixed: K [q, n], lambda_, sigma, tau, theta.

    y: noisy signal
    K: differences
    lambda_: weight of the penalty
    sigma: dual step
    tau: primal step
    theta: extrapolation
    x, v: v: x extrapolated
    p: dual variable
    """

    def __init__(
        self,
        K: Tensor,
        lambda_: float = 0.1,
        sigma: Tensor | float | None = None,
        tau: Tensor | float | None = None,
        theta: float = 1.0,
        phases: int = 200,
    ) -> None:
        super().__init__()
        q = K.shape[0]
        # pdhg.unroll:14
        if sigma is None:
            sigma = 1 / spectral_norm(K)
        # pdhg.unroll:15
        if tau is None:
            tau = 1 / spectral_norm(K)
        lambda_ = torch.as_tensor(lambda_, dtype=K.dtype, device=K.device)
        sigma = torch.as_tensor(sigma, dtype=K.dtype, device=K.device)
        tau = torch.as_tensor(tau, dtype=K.dtype, device=K.device)
        theta = torch.as_tensor(theta, dtype=K.dtype, device=K.device)
        self.register_buffer("K", K, persistent=False)
        self.register_buffer("lambda_", lambda_, persistent=False)
        self.register_buffer("sigma", sigma, persistent=False)
        self.register_buffer("tau", tau, persistent=False)
        self.register_buffer("theta", theta, persistent=False)
        self.register_buffer("neg_lambda", -lambda_, persistent=False)  # pdhg.unroll:24
        self.register_buffer("tau_plus_1", 1 + tau, persistent=False)  # pdhg.unroll:25
        self.q = q
        self.phases = phases

    def start(self, y: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """The states at the start."""
        check_input("y", y, (self.K.shape[-1],), self.K)
        # pdhg.unroll:21
        x = torch.zeros_like(y)
        v = torch.zeros_like(y)
        p = y.new_zeros((*y.shape[:-1], self.q))  # pdhg.unroll:22
        return x, v, p

    def phase(self, x: Tensor, v: Tensor, p: Tensor, y: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        x_prev = x
        # pdhg.unroll:24
        p = box(torch.addcmul(p, v @ self.K.mT, self.sigma), self.neg_lambda, self.lambda_)
        # pdhg.unroll:25
        x = (
            torch.addcmul(torch.addcmul(x_prev, p @ self.K, self.tau, value=-1), y, self.tau)
            / self.tau_plus_1
        )
        v = extrapolate(x, x_prev, self.theta)  # pdhg.unroll:26
        return x, v, p

    def forward(self, y: Tensor) -> Tensor:
        x, v, p = self.start(y)
        for _ in range(self.phases):
            x, v, p = self.phase(x, v, p, y)
        return x

    def trajectory(self, y: Tensor) -> list[dict[str, Tensor]]:
        """The states after each phase."""
        x, v, p = self.start(y)
        states = []
        for _ in range(self.phases):
            x, v, p = self.phase(x, v, p, y)
            states.append({"x": x, "v": v, "p": p})
        return states


def box(v: Tensor, a: Tensor, b: Tensor) -> Tensor:
    """Projection onto the interval [a, b]."""
    return v.clamp(min=a).clamp(max=b)


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


def extrapolate(x: Tensor, x_prev: Tensor, t: Tensor | float) -> Tensor:
    """Momentum, ``x + t * (x - x_prev)``, in one pass over memory."""
    if any(v.dtype != x.dtype for v in (x_prev, t) if isinstance(v, Tensor)):  # by autocast
        return x + t * (x - x_prev)
    return torch.lerp(x_prev, x, 1 + t)
