"""Group lasso by accelerated proximal gradient descent.

M. Yuan, Y. Lin: Model selection and estimation in regression with grouped variables. Journal
of the Royal Statistical Society, Series B, 2006.

The coefficients come in g groups of d, the rows of X, which are zero or not as a whole. The
iteration is FISTA (A. Beck, M. Teboulle, 2009) with block shrinkage.

Generated from group_lasso.unroll by unroll_dsl 0.1.0: edit that file rather than this one.
"""

import torch
from torch import Tensor, nn


class GroupLasso(nn.Module):
    """Map y [batch, m] to X [batch, g, d].

    Fixed: A [m, d * g], lambda_.

    y: measurements
    A: atoms, group by group
    lambda_: weight of the groups' norms
    """

    def __init__(self, A: Tensor, g: int, d: int, lambda_: float = 0.1, phases: int = 100) -> None:
        super().__init__()
        L = spectral_norm(A) ** 2  # group_lasso.unroll:15
        self.register_buffer("A", A, persistent=False)
        # group_lasso.unroll:23
        self.register_buffer("inverse_L", 1 / L, persistent=False)
        self.register_buffer("lambda_over_L", lambda_ / L, persistent=False)
        self.d = d
        self.g = g
        self.phases = phases

    def start(self, y: Tensor) -> tuple[Tensor, Tensor, float]:
        """The states at the start."""
        check_input("y", y, (self.A.shape[-2],), self.A)
        # group_lasso.unroll:20
        X = y.new_zeros((*y.shape[:-1], self.g, self.d))
        Z = y.new_zeros((*y.shape[:-1], self.g, self.d))
        t = 1.0  # group_lasso.unroll:21
        return X, Z, t

    def phase(self, X: Tensor, Z: Tensor, t: float, y: Tensor) -> tuple[Tensor, Tensor, float]:
        X_prev, t_prev = X, t
        # group_lasso.unroll:23
        X = block_soft(
            torch.addcmul(
                Z,
                ((Z.flatten(-2) @ self.A.mT - y) @ self.A).unflatten(
                    -1, (X.shape[-2], X.shape[-1])
                ),
                self.inverse_L,
                value=-1,
            ),
            self.lambda_over_L,
        )
        t = (1 + (1 + 4 * t_prev**2) ** 0.5) / 2  # group_lasso.unroll:24
        Z = extrapolate(X, X_prev, (t_prev - 1) / t)  # group_lasso.unroll:25
        return X, Z, t

    def forward(self, y: Tensor) -> Tensor:
        X, Z, t = self.start(y)
        for _ in range(self.phases):
            X, Z, t = self.phase(X, Z, t, y)
        return X

    def trajectory(self, y: Tensor) -> list[dict[str, Tensor]]:
        """The states after each phase."""
        X, Z, t = self.start(y)
        states = []
        for _ in range(self.phases):
            X, Z, t = self.phase(X, Z, t, y)
            states.append({"X": X, "Z": Z, "t": torch.as_tensor(t, dtype=y.dtype, device=y.device)})
        return states


def block_soft(V: Tensor, t: Tensor) -> Tensor:
    """Soft thresholding of groups, the rows of V: each shrinks in length (Yuan, Lin, 2006)."""
    length = torch.linalg.vector_norm(V, dim=-1)
    return torch.relu(1 - t[..., None] / torch.where(length > 0, length, 1))[..., None] * V


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
