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
            torch.addcmul(
                v,
                triangular_solve(
                    ((v @ self.A.mT - b) @ self.A - v @ self.R.mT @ self.beta_Rt.mT) @ self.Q,
                    self.R_factor,
                    1,
                ),
                mu,
                value=-1,
            )
        )
        d = convolve_few(r, self.D.weight, self.D.bias)  # fista_net.unroll:32
        # fista_net.unroll:33
        F_d = self.F(d)
        s = shrink(F_d, theta, inplace=not traced)
        # fista_net.unroll:34
        x = torch.relu(r + convolve_few(self.B(s), self.G.weight, self.G.bias))
        z = extrapolate(x, x_prev, rho)  # fista_net.unroll:35
        if not traced:
            return x, z
        symmetry = self.B(F_d) - d  # fista_net.unroll:36
        return x, z, 0.01 * square_mean(symmetry, (-3, -2, -1)) + 0.001 * s.abs().mean((-3, -2, -1))

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
            square_mean(x_minus_target, (-3, -2, -1))
            + 0.1 * x_minus_target.abs().mean((-3, -2, -1))
            + total
        ).mean()


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


def convolve_few(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """conv2d with zero padding that keeps the size, one end of few channels."""
    by_library = x.device.type != "cpu" or torch.compiler.is_compiling()
    if by_library or torch.is_autocast_enabled("cpu"):  # which has kernels of every precision
        images = x.flatten(0, -4) if x.ndim > 4 else x
        y = nn.functional.conv2d(images, weight, bias, padding=weight.shape[-1] // 2)
        return y.unflatten(0, x.shape[:-3]) if x.ndim > 4 else y
    y = (Convolve.apply if torch.is_grad_enabled() else Convolve.product)(x, weight)
    return y + bias[:, None, None]


class Convolve(torch.autograd.Function):
    """conv2d with zero padding that keeps the size, one end of few channels.

    Few channels to many take one product with what stands around each pixel, many to few one with planes
    that are shifted and added, as do the derivatives: libraries are several times slower there.
    """

    generate_vmap_rule = True

    @staticmethod
    def forward(x: Tensor, weight: Tensor) -> Tensor:
        y = Convolve.product(x, weight)
        # no view, so that it may be changed in place
        return y.clone() if weight.shape[0] > weight.shape[1] else y

    @staticmethod
    def product(x: Tensor, weight: Tensor) -> Tensor:
        (to, of, size), (h, w) = weight.shape[:3], x.shape[-2:]
        if to > of:
            y = patches(x, size).mT @ weight.permute(2, 3, 1, 0).flatten(0, 2)
            return y.view(*x.shape[:-3], h, w, to).movedim(-1, -3)
        planes = weight.flip(2, 3).permute(2, 3, 0, 1).flatten(0, 2) @ pixels(x).mT
        planes = planes.view(size, size, to, *x.shape[:-3], h, w)
        y = x.new_zeros(*planes.shape[2:-2], h + size - 1, w + size - 1)
        for i in range(size):
            for j in range(size):
                y[..., i : i + h, j : j + w] += planes[i, j]
        y = y[..., size // 2 : size // 2 + h, size // 2 : size // 2 + w]
        return y.movedim(0, -3).clone(memory_format=torch.contiguous_format)

    @staticmethod
    def setup_context(ctx, inputs, output) -> None:
        ctx.save_for_backward(*inputs)
        ctx.save_for_forward(*inputs)

    @staticmethod
    def jvp(ctx, by_x: Tensor, by_weight: Tensor) -> Tensor:
        x, weight = ctx.saved_tensors
        return Convolve.apply(by_x, weight) + Convolve.apply(x, by_weight)

    @staticmethod
    def backward(ctx, grad: Tensor) -> tuple[Tensor | None, Tensor | None]:
        x, weight = ctx.saved_tensors
        to, of, size = weight.shape[:3]
        by_x = by_weight = None
        if ctx.needs_input_grad[0]:
            by_x = Convolve.apply(grad, weight.flip(2, 3).transpose(0, 1))
        if ctx.needs_input_grad[1] and to > of:
            by_weight = patches(x, size) @ pixels(grad)
            by_weight = by_weight.view(size, size, of, to).permute(3, 2, 0, 1)
        elif ctx.needs_input_grad[1]:
            by_weight = patches(grad, size) @ pixels(x)
            by_weight = by_weight.view(size, size, to, of).permute(2, 3, 0, 1).flip(2, 3)
        return by_x, by_weight


def patches(x: Tensor, size: int) -> Tensor:
    """What stands around each pixel, zeros beyond the border: [size * size * channels, pixels]."""
    h, w = x.shape[-2:]
    x = nn.functional.pad(x.movedim(-3, 0), 4 * [size // 2])
    parts = [x[..., i : i + h, j : j + w] for i in range(size) for j in range(size)]
    return torch.stack(parts).flatten(2).flatten(0, 1)


def pixels(x: Tensor) -> Tensor:
    """[..., channels, h, w] as [pixels, channels]."""
    return x.movedim(-3, -1).reshape(-1, x.shape[-3])


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


def square_mean(v: Tensor, axes: int | tuple[int, ...]) -> Tensor:
    """The mean of squares over the last axes."""
    total = square_sum(v, axes)
    return total * (total.numel() / v.numel())


def square_sum(v: Tensor, axes: int | tuple[int, ...]) -> Tensor:
    """The sum of squares over the last axes."""
    if torch.compiler.is_compiling():
        return v.square().sum(axes)
    return SquareSum.apply(v, axes)


class SquareSum(torch.autograd.Function):
    """The sum of squares of real values: one pass over memory forth, and one back."""

    generate_vmap_rule = True

    @staticmethod
    def forward(v: Tensor, axes: int | tuple[int, ...]) -> Tensor:
        return torch.linalg.vector_norm(v, dim=axes).square()

    @staticmethod
    def setup_context(ctx, inputs, output) -> None:
        ctx.save_for_backward(inputs[0])
        ctx.save_for_forward(inputs[0])
        ctx.axes = inputs[1]

    @staticmethod
    def backward(ctx, grad: Tensor) -> tuple[Tensor, None]:
        (v,) = ctx.saved_tensors
        count = 1 if isinstance(ctx.axes, int) else len(ctx.axes)  # the last ones
        return 2 * grad[(..., *count * [None])] * v, None

    @staticmethod
    def jvp(ctx, tangent: Tensor, _: None) -> Tensor:
        (v,) = ctx.saved_tensors
        return 2 * (v * tangent).sum(ctx.axes)
