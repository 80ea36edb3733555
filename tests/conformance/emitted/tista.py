"""TISTA, trainable ISTA with an MMSE shrinkage.

D. Ito, S. Takabe, T. Wadayama: Trainable ISTA for sparse signal recovery. IEEE Transactions on
Signal Processing, 2019.

One step size a phase is learned. The shrinkage is the posterior mean of a Bernoulli-Gaussian
signal (a fraction p of the entries, of variance alpha2) in Gaussian noise of variance tau2,
which is estimated from the residual. For m < n.

Generated from tista.unroll by unroll_dsl 0.1.0: edit that file rather than this one.
"""

import torch
from torch import Tensor, nn


class Tista(nn.Module):
    """Map y [batch, m] to s [batch, n].

    Fixed: A [m, n], sigma2, p, alpha2, epsilon. Learnable: gamma, per phase.

    y: measurements
    A: sensing matrix
    sigma2: variance of the noise
    p: fraction of non-zero entries
    alpha2: their variance
    epsilon: least error variance
    """

    def __init__(
        self,
        A: Tensor,
        sigma2: float = 0.0001,
        p: float = 0.1,
        alpha2: float = 1.0,
        epsilon: float = 1e-09,
        phases: int = 12,
    ) -> None:
        super().__init__()
        m = A.shape[0]
        sigma2 = torch.as_tensor(sigma2, dtype=A.dtype, device=A.device)
        p = torch.as_tensor(p, dtype=A.dtype, device=A.device)
        alpha2 = torch.as_tensor(alpha2, dtype=A.dtype, device=A.device)
        epsilon = torch.as_tensor(epsilon, dtype=A.dtype, device=A.device)
        W = torch.linalg.pinv(A)  # tista.unroll:18
        self.register_buffer("A", A, persistent=False)
        self.register_buffer("sigma2", sigma2, persistent=False)
        self.register_buffer("p", p, persistent=False)
        self.register_buffer("alpha2", alpha2, persistent=False)
        self.register_buffer("epsilon", epsilon, persistent=False)
        self.register_buffer("W", W.contiguous(), persistent=False)
        # tista.unroll:25
        self.register_buffer("m_sigma2", m * sigma2, persistent=False)
        self.register_buffer(
            "tr_AtA", (A.mT @ A).diagonal(dim1=-2, dim2=-1).sum(-1), persistent=False
        )
        # tista.unroll:26
        self.register_buffer(
            "tr_WWt", (W @ W.mT).diagonal(dim1=-2, dim2=-1).sum(-1), persistent=False
        )
        self.phases = nn.ModuleList(
            [Phase(torch.tensor(1.0, dtype=A.dtype, device=A.device)) for _ in range(phases)]
        )

    def forward(self, y: Tensor) -> Tensor:
        check_input("y", y, (self.A.shape[-2],), self.A)
        first, *phases = self.phases
        s = first.begin(
            y,
            self.sigma2,
            self.p,
            self.alpha2,
            self.epsilon,
            self.W,
            self.m_sigma2,
            self.tr_AtA,
            self.tr_WWt,
        )
        for phase in phases:
            s = phase(
                s,
                y,
                self.A,
                self.sigma2,
                self.p,
                self.alpha2,
                self.epsilon,
                self.W,
                self.m_sigma2,
                self.tr_AtA,
                self.tr_WWt,
            )
        return s

    def trajectory(self, y: Tensor) -> list[dict[str, Tensor]]:
        """The states after each phase."""
        states = []
        first, *phases = self.phases
        s = first.begin(
            y,
            self.sigma2,
            self.p,
            self.alpha2,
            self.epsilon,
            self.W,
            self.m_sigma2,
            self.tr_AtA,
            self.tr_WWt,
        )
        states.append({"s": s})
        for phase in phases:
            s = phase(
                s,
                y,
                self.A,
                self.sigma2,
                self.p,
                self.alpha2,
                self.epsilon,
                self.W,
                self.m_sigma2,
                self.tr_AtA,
                self.tr_WWt,
            )
            states.append({"s": s})
        return states

    def loss(self, y: Tensor, s_star: Tensor) -> Tensor:
        """The training loss, averaged over the batch."""
        check_input("s_star", s_star, (self.A.shape[-1],), self.A)
        check_batches({"y": (y, 1), "s_star": (s_star, 1)})
        s = self(y)
        return (s - s_star).square().sum(-1).mean()


class Phase(nn.Module):
    """One iteration and the constants that are its own: gamma.

    gamma: step
    """

    def __init__(self, gamma: Tensor) -> None:
        super().__init__()
        self.gamma = nn.Parameter(gamma)  # tista.unroll:20

    def forward(
        self,
        s: Tensor,
        y: Tensor,
        A: Tensor,
        sigma2: Tensor,
        p: Tensor,
        alpha2: Tensor,
        epsilon: Tensor,
        W: Tensor,
        m_sigma2: Tensor,
        tr_AtA: Tensor,
        tr_WWt: Tensor,
    ) -> Tensor:
        r = y - s @ A.mT  # tista.unroll:24
        v2 = torch.maximum((r.square().sum(-1) - m_sigma2) / tr_AtA, epsilon)  # tista.unroll:25
        # tista.unroll:26
        gamma_squared = self.gamma**2
        tau2 = (
            v2 / s.shape[-1] * (s.shape[-1] + (gamma_squared - 2 * self.gamma) * y.shape[-1])
            + gamma_squared * sigma2 / s.shape[-1] * tr_WWt
        )
        # tista.unroll:27
        return mmse_bg(torch.addcmul(s, r @ W.mT, self.gamma), tau2[..., None], p, alpha2)

    def begin(
        self,
        y: Tensor,
        sigma2: Tensor,
        p: Tensor,
        alpha2: Tensor,
        epsilon: Tensor,
        W: Tensor,
        m_sigma2: Tensor,
        tr_AtA: Tensor,
        tr_WWt: Tensor,
    ) -> Tensor:
        """The first iteration, in which the states are zero."""
        gamma_squared = self.gamma**2  # tista.unroll:26
        v2 = torch.maximum((y.square().sum(-1) - m_sigma2) / tr_AtA, epsilon)  # tista.unroll:25
        # tista.unroll:26
        tau2 = (
            v2 / W.shape[-2] * (W.shape[-2] + (gamma_squared - 2 * self.gamma) * y.shape[-1])
            + gamma_squared * sigma2 / W.shape[-2] * tr_WWt
        )
        return mmse_bg(self.gamma * (y @ W.mT), tau2[..., None], p, alpha2)  # tista.unroll:27


def mmse_bg(v: Tensor, t2: Tensor, p: Tensor, a2: Tensor) -> Tensor:
    """The posterior mean of a Bernoulli-Gaussian value with density p and variance a2 that is
    observed with noise of variance t2 (Ito, Takabe, Wadayama, 2019).
    """
    s2 = a2 + t2
    odds = (1 - p) / p * (s2 / t2).sqrt() * (-(v**2) * a2 / (2 * t2 * s2)).exp()
    return v * a2 / s2 / (1 + odds)


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
