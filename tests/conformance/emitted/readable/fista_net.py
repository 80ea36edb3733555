"""FISTA-Net, FISTA with a learned sparsifying transform and learned schedules.

J. Xiang, Y. Dong, Y. Yang: FISTA-Net: Learning a fast iterative shrinkage thresholding network for
inverse problems in imaging. IEEE Transactions on Medical Imaging, 2021.

A Gauss-Newton step inside the field of view, shrinkage of learned features, momentum; all shared.

Generated from fista_net.unroll by unroll_dsl 0.1.0: edit that file rather than this one.
"""

import torch
from torch import Tensor, nn


class FistaNet(nn.Module):
    """Map b [batch, m], x0 [batch, 1, h, w] to x [batch, 1, h, w].

    Fixed: A [m, n], R [q, n], M, linear image[1, h, w] -> vector[n], beta. Learnable: w_theta,
    c_theta, w_mu, c_mu, w_rho, c_rho, D = conv[1 -> 32, 3, bias], F = conv[32 -> 32, 3, bias] >>
    relu >> conv[32 -> 32, 3, bias] >> relu >> conv[32 -> 32, 3, bias] >> relu >> conv[32 -> 32,
    3, bias], B = conv[32 -> 32, 3, bias] >> relu >> conv[32 -> 32, 3, bias] >> relu >> conv[32 ->
    32, 3, bias] >> relu >> conv[32 -> 32, 3, bias], G = conv[32 -> 1, 3, bias], shared.

    b: measurements
    x0: a first reconstruction
    A: sensitivity of the n pixels in view
    R: first differences of those pixels
    M: takes the pixels in view
    beta: weight of the differences
    w_theta: thresholds fall with k
    w_mu: steps fall with k
    w_rho: momentum grows with k
    """

    def __init__(
        self,
        A: Tensor,
        R: Tensor,
        M: Tensor | nn.Module,
        beta: float = 0.001,
        phases: int = 7,
        *,
        h: int | None = None,
        w: int | None = None,
    ) -> None:
        super().__init__()
        n = A.shape[1]
        # fista_net.unroll:31
        AtA_plus_beta_RtR = A.mT @ A + beta * (R.mT @ R)
        Q = torch.linalg.qr(AtA_plus_beta_RtR).Q
        R_factor = Q.mT @ AtA_plus_beta_RtR
        self.register_buffer("A", A, persistent=False)
        self.register_buffer("R", R, persistent=False)
        self.M = as_map(M, (n,), (1, h, w))
        # fista_net.unroll:31
        self.register_buffer("beta_Rt", (beta * R.mT).contiguous(), persistent=False)
        self.register_buffer("Q", Q.contiguous(), persistent=False)
        self.register_buffer("R_factor", R_factor, persistent=False)
        # fista_net.unroll:16
        self.w_theta = nn.Parameter(torch.tensor(-0.5, dtype=A.dtype, device=A.device))
        # fista_net.unroll:17
        self.c_theta = nn.Parameter(torch.tensor(-2.0, dtype=A.dtype, device=A.device))
        # fista_net.unroll:18
        self.w_mu = nn.Parameter(torch.tensor(-0.2, dtype=A.dtype, device=A.device))
        # fista_net.unroll:19
        self.c_mu = nn.Parameter(torch.tensor(0.1, dtype=A.dtype, device=A.device))
        # fista_net.unroll:20
        self.w_rho = nn.Parameter(torch.tensor(0.5, dtype=A.dtype, device=A.device))
        # fista_net.unroll:21
        self.c_rho = nn.Parameter(torch.tensor(0.0, dtype=A.dtype, device=A.device))
        # fista_net.unroll:22
        self.D = xavier_normal_layer(Conv2d(1, 32, 3, padding=1, dtype=A.dtype, device=A.device))
        # fista_net.unroll:23
        self.F = xavier_normal_layer(
            nn.Sequential(
                Conv2d(32, 32, 3, padding=1, dtype=A.dtype, device=A.device),
                nn.ReLU(inplace=True),
                Conv2d(32, 32, 3, padding=1, dtype=A.dtype, device=A.device),
                nn.ReLU(inplace=True),
                Conv2d(32, 32, 3, padding=1, dtype=A.dtype, device=A.device),
                nn.ReLU(inplace=True),
                Conv2d(32, 32, 3, padding=1, dtype=A.dtype, device=A.device),
            )
        )
        self.B = xavier_normal_layer(
            nn.Sequential(
                Conv2d(32, 32, 3, padding=1, dtype=A.dtype, device=A.device),
                nn.ReLU(inplace=True),
                Conv2d(32, 32, 3, padding=1, dtype=A.dtype, device=A.device),
                nn.ReLU(inplace=True),
                Conv2d(32, 32, 3, padding=1, dtype=A.dtype, device=A.device),
                nn.ReLU(inplace=True),
                Conv2d(32, 32, 3, padding=1, dtype=A.dtype, device=A.device),
            )
        )
        # fista_net.unroll:24
        self.G = xavier_normal_layer(Conv2d(32, 1, 3, padding=1, dtype=A.dtype, device=A.device))
        self.phases = phases

    def start(self, b: Tensor, x0: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """What all phases share, and the states at the start."""
        check_input("b", b, (self.A.shape[-2],), self.A)
        check_input("x0", x0, (1, None, None), self.A)
        check_batches({"b": (b, 1), "x0": (x0, 3)})
        # fista_net.unroll:27
        softplus_c_rho = torch.nn.functional.softplus(self.c_rho, threshold=40)
        # fista_net.unroll:28
        x = x0
        z = x0
        return softplus_c_rho, x, z

    def phase(
        self, x: Tensor, z: Tensor, b: Tensor, softplus_c_rho: Tensor, k: int, traced: bool = False
    ) -> tuple[Tensor, ...]:
        """One iteration; where `traced`, with what the loss reads of it: term."""
        x_prev = x
        # fista_net.unroll:25
        theta = torch.nn.functional.softplus(self.w_theta * (k - 1) + self.c_theta, threshold=40)
        # fista_net.unroll:26
        mu = torch.nn.functional.softplus(self.w_mu * (k - 1) + self.c_mu, threshold=40)
        # fista_net.unroll:27
        softplus_w_rho = torch.nn.functional.softplus(
            self.w_rho * (k - 1) + self.c_rho, threshold=40
        )
        rho = (softplus_w_rho - softplus_c_rho) / softplus_w_rho
        v = self.M(z)  # fista_net.unroll:30
        # fista_net.unroll:31
        r = self.M.adjoint(
            v
            - mu
            * triangular_solve(
                ((v @ self.A.mT - b) @ self.A - v @ self.R.mT @ self.beta_Rt.mT) @ self.Q,
                self.R_factor,
                1,
            )
        )
        d = self.D(r)  # fista_net.unroll:32
        # fista_net.unroll:33
        F_d = self.F(d)
        s = soft(F_d, theta)
        x = torch.relu(r + self.G(self.B(s)))  # fista_net.unroll:34
        z = x + rho * (x - x_prev)  # fista_net.unroll:35
        if not traced:
            return x, z
        symmetry = self.B(F_d) - d  # fista_net.unroll:36
        return x, z, 0.01 * (symmetry**2).mean((-3, -2, -1)) + 0.001 * s.abs().mean((-3, -2, -1))

    def forward(self, b: Tensor, x0: Tensor) -> Tensor:
        softplus_c_rho, x, z = self.start(b, x0)
        for k in range(1, self.phases + 1):
            x, z = self.phase(x, z, b, softplus_c_rho, k)
        return x

    def trajectory(self, b: Tensor, x0: Tensor) -> list[dict[str, Tensor]]:
        """The states after each phase."""
        softplus_c_rho, x, z = self.start(b, x0)
        states = []
        for k in range(1, self.phases + 1):
            x, z = self.phase(x, z, b, softplus_c_rho, k)
            states.append({"x": x, "z": z})
        return states

    def loss(self, b: Tensor, x0: Tensor, target: Tensor) -> Tensor:
        """The training loss, averaged over the batch."""
        check_input("target", target, (1, x0.shape[-2], x0.shape[-1]), self.A)
        check_batches({"b": (b, 1), "x0": (x0, 3), "target": (target, 3)})
        softplus_c_rho, x, z = self.start(b, x0)
        total = 0
        for k in range(1, self.phases + 1):
            x, z, term = self.phase(x, z, b, softplus_c_rho, k, traced=True)
            total = total + term
        x_minus_target = x - target  # fista_net.unroll:40
        return (
            (x_minus_target**2).mean((-3, -2, -1))
            + 0.1 * x_minus_target.abs().mean((-3, -2, -1))
            + total
        ).mean()


def soft(v: Tensor, t: Tensor) -> Tensor:
    """Soft thresholding, the proximal map of t times the 1-norm; complex values shrink in modulus."""
    return v.sign() * torch.relu(v.abs() - t)


def as_map(
    A: Tensor | nn.Module, codomain: tuple[int | None, ...], domain: tuple[int | None, ...]
) -> nn.Module:
    """`A` itself where it is a module; a matrix, or a tensor [*codomain, *domain], as a module."""
    if isinstance(A, nn.Module):
        return A
    spaces = (codomain, domain)
    if A.ndim == len(codomain) + len(domain):
        found = (A.shape[: len(codomain)], A.shape[len(codomain) :])
    elif A.ndim == 2:
        found = tuple(completed(n, space) for n, space in zip(A.shape, spaces))
    else:
        found = None
    if found is None or any(
        m not in (None, n) for space, sizes in zip(spaces, found) for m, n in zip(space, sizes)
    ):
        wanted = [["any" if n is None else n for n in space] for space in spaces]
        raise ValueError(f"no map from {wanted[1]} to {wanted[0]}: {list(A.shape)}")
    return Matrix(A, tuple(found[0]), tuple(found[1]))


def completed(n: int, space: tuple[int | None, ...]) -> tuple[int, ...]:
    """The sizes of a space of `n` entries, of which one may be left open."""
    known = 1
    for size in space:
        known *= size or 1
    if space.count(None) > 1:
        raise ValueError(
            f"a matrix does not tell the sizes of {n} entries: give them as arguments, or a tensor with "
            "the axes of both spaces"
        )
    if n != known and (None not in space or n % known):
        raise ValueError(f"{n} entries are no array of {list(space)}")
    return tuple(n // known if size is None else size for size in space)


class Matrix(nn.Module):
    """A matrix as a linear map between arrays, the last axis fastest, and its adjoint."""

    def __init__(self, A: Tensor, codomain: tuple[int, ...], domain: tuple[int, ...]) -> None:
        super().__init__()
        rows = torch.Size(codomain).numel()
        self.register_buffer("matrix", A.reshape(rows, -1), persistent=False)
        self.codomain, self.domain = codomain, domain

    def forward(self, x: Tensor) -> Tensor:
        batch = x.shape[: x.ndim - len(self.domain)]
        y = x.reshape(*batch, self.matrix.shape[1]) @ self.matrix.mT
        return y.reshape(*batch, *self.codomain)

    def adjoint(self, y: Tensor) -> Tensor:
        batch = y.shape[: y.ndim - len(self.codomain)]
        x = y.reshape(*batch, self.matrix.shape[0]) @ self.matrix.conj()
        return x.reshape(*batch, *self.domain)


def xavier_normal_layer(layer: nn.Module) -> nn.Module:
    """Draw the kernels of the convolutions in a layer; biases start at 0."""
    for part in layer.modules():
        if isinstance(part, nn.Conv2d):
            nn.init.xavier_normal_(part.weight, 1.0)
            if part.bias is not None:
                nn.init.zeros_(part.bias)
    return layer


class Conv2d(nn.Conv2d):
    """`nn.Conv2d` of [..., channels, h, w]: any number of batch axes may lead."""

    def forward(self, x: Tensor) -> Tensor:
        if x.ndim <= 4:
            return super().forward(x)
        return super().forward(x.flatten(0, -4)).unflatten(0, x.shape[:-3])


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


def triangular_solve(b: Tensor, R: Tensor, rank: int) -> Tensor:
    """Solve ``R x = b`` for b [..., n], or for columns of b [..., n, k] if `rank` is 2."""
    dtype = torch.promote_types(b.dtype, R.dtype)
    b, R = b.to(dtype), R.to(dtype)
    if rank == 2:
        return torch.linalg.solve_triangular(R, b, upper=True)
    if R.ndim == 2:  # the samples are the columns of one system
        return torch.linalg.solve_triangular(
            R, b.reshape(-1, b.shape[-1]).mT, upper=True
        ).mT.reshape(b.shape)
    return torch.linalg.solve_triangular(R, b.unsqueeze(-1), upper=True).squeeze(-1)
