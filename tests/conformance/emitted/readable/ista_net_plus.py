"""ISTA-Net+, ISTA-Net on residuals, for block compressive sensing.

J. Zhang, B. Ghanem: ISTA-Net: Interpretable optimization-inspired deep network for image
compressive sensing. CVPR, 2018, section 3.3.

D extracts features, H and Ht transform them and back, G adds what they say to the block.

Generated from ista_net_plus.unroll by unroll_dsl 0.1.0: edit that file rather than this one.
"""

import torch
from torch import Tensor, nn


class IstaNetPlus(nn.Module):
    """Map y [batch, m] to x [batch, 1, h, w].

    Fixed: Phi, linear image[1, h, w] -> vector[m], Q, linear vector[m] -> image[1, h, w].
    Learnable: rho, theta, D = conv[1 -> 32, 3], H = conv[32 -> 32, 3] >> relu >> conv[32 -> 32,
    3], Ht = conv[32 -> 32, 3] >> relu >> conv[32 -> 32, 3], G = conv[32 -> 1, 3], per phase.

    y: measurements of a block
    Phi: sampling matrix
    Q: initialisation by least squares
    """

    def __init__(
        self,
        Phi: Tensor | nn.Module,
        Q: Tensor | nn.Module,
        phases: int = 9,
        *,
        h: int | None = None,
        w: int | None = None,
        dtype: torch.dtype | None = None,
        device: torch.device | str | None = None,
    ) -> None:
        super().__init__()
        self.Phi = as_map(Phi, (None,), (1, h, w))
        self.Q = as_map(Q, (1, h, w), (None,))
        self.phases = nn.ModuleList(
            [
                Phase(
                    torch.tensor(0.5, dtype=dtype, device=device),
                    torch.tensor(0.01, dtype=dtype, device=device),
                    xavier_normal_layer(
                        Conv2d(1, 32, 3, padding=1, bias=False, dtype=dtype, device=device)
                    ),
                    xavier_normal_layer(
                        nn.Sequential(
                            Conv2d(32, 32, 3, padding=1, bias=False, dtype=dtype, device=device),
                            nn.ReLU(inplace=True),
                            Conv2d(32, 32, 3, padding=1, bias=False, dtype=dtype, device=device),
                        )
                    ),
                    xavier_normal_layer(
                        nn.Sequential(
                            Conv2d(32, 32, 3, padding=1, bias=False, dtype=dtype, device=device),
                            nn.ReLU(inplace=True),
                            Conv2d(32, 32, 3, padding=1, bias=False, dtype=dtype, device=device),
                        )
                    ),
                    xavier_normal_layer(
                        Conv2d(32, 1, 3, padding=1, bias=False, dtype=dtype, device=device)
                    ),
                )
                for _ in range(phases)
            ]
        )

    def start(self, y: Tensor) -> Tensor:
        """The states at the start."""
        check_input("y", y, (None,), self.phases[0].rho)
        return self.Q(y)  # ista_net_plus.unroll:20

    def forward(self, y: Tensor) -> Tensor:
        x = self.start(y)
        for phase in self.phases:
            x = phase(x, y, self.Phi)
        return x

    def trajectory(self, y: Tensor) -> list[dict[str, Tensor]]:
        """The states after each phase."""
        x = self.start(y)
        states = []
        for phase in self.phases:
            x = phase(x, y, self.Phi)
            states.append({"x": x})
        return states

    def loss(self, y: Tensor, target: Tensor) -> Tensor:
        """The training loss, averaged over the batch."""
        check_input("target", target, (1, None, None), self.phases[0].rho)
        check_batches({"y": (y, 1), "target": (target, 3)})
        x = self.start(y)
        total = 0
        for phase in self.phases:
            x, symmetry = phase(x, y, self.Phi, traced=True)
            total = total + symmetry
        return (((x - target) ** 2).mean((-3, -2, -1)) + 0.01 * total).mean()


class Phase(nn.Module):
    """One iteration and the constants that are its own.

    rho; theta; D = conv[1 -> 32, 3]; H = conv[32 -> 32, 3] >> relu >> conv[32 -> 32, 3]; Ht =
    conv[32 -> 32, 3] >> relu >> conv[32 -> 32, 3]; G = conv[32 -> 1, 3].

    rho: step
    theta: threshold
    """

    def __init__(
        self, rho: Tensor, theta: Tensor, D: nn.Module, H: nn.Module, Ht: nn.Module, G: nn.Module
    ) -> None:
        super().__init__()
        self.rho = nn.Parameter(rho)  # ista_net_plus.unroll:14
        self.theta = nn.Parameter(theta)  # ista_net_plus.unroll:15
        self.D = D  # ista_net_plus.unroll:16
        # ista_net_plus.unroll:17
        self.H = H
        self.Ht = Ht
        self.G = G  # ista_net_plus.unroll:18

    def forward(
        self, x: Tensor, y: Tensor, Phi: nn.Module, traced: bool = False
    ) -> Tensor | tuple[Tensor, ...]:
        """One iteration; where `traced`, with what the loss reads of it: symmetry."""
        r = x - self.rho * Phi.adjoint(Phi(x) - y)  # ista_net_plus.unroll:22
        d = self.D(r)  # ista_net_plus.unroll:23
        # ista_net_plus.unroll:24
        H_d = self.H(d)
        x = r + self.G(self.Ht(soft(H_d, self.theta)))
        if not traced:
            return x
        symmetry = self.Ht(H_d) - d  # ista_net_plus.unroll:25
        return x, (symmetry**2).mean((-3, -2, -1))


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
