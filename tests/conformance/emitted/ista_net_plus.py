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
        return (square_mean(x - target, (-3, -2, -1)) + 0.01 * total).mean()


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
        r = torch.addcmul(x, Phi.adjoint(Phi(x) - y), self.rho, value=-1)  # ista_net_plus.unroll:22
        # ista_net_plus.unroll:24
        H_d = self.H[2](self.H[1](convolve_pair(r, self.D.weight, self.H[0].weight)))
        x = r + convolve_pair(
            self.Ht[1](self.Ht[0](shrink(H_d, self.theta, inplace=not traced))),
            self.Ht[2].weight,
            self.G.weight,
        )
        if not traced:
            return x
        d = convolve_few(r, self.D.weight)  # ista_net_plus.unroll:23
        symmetry = self.Ht(H_d) - d  # ista_net_plus.unroll:25
        return x, square_mean(symmetry, (-3, -2, -1))


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


def convolve_pair(x: Tensor, first: Tensor, second: Tensor) -> Tensor:
    """conv2d(conv2d(x, first, padding=1), second, bias, padding=1), kernels of 3 x 3, as one of 5 x 5.

    What that one sees beyond the border, where the second of the two takes zeros, is subtracted along
    the four sides, and what two sides have in common added again.
    """
    h, w = x.shape[-2:]
    ends = torch.arange(2, device=x.device)
    rows, columns = (x.index_select(-2, ends * (h - 1)), x.index_select(-1, ends * (w - 1)))
    corners = rows.index_select(-1, ends * (w - 1))
    turn = torch.einsum("omef,mief->oief", second[..., ::2, ::2], first[..., ::2, ::2].flip(2, 3))
    corners = torch.einsum("oief,...ief->...oef", turn, corners)
    rows = beyond(rows, first, second).index_add(-1, ends * (w - 1), corners, alpha=-1)
    columns = beyond(columns.mT, first.mT, second.mT).mT
    y = convolve_few(x, pair_kernel(first, second))
    y.index_add_(-2, ends * (h - 1), rows, alpha=-1)
    y.index_add_(-1, ends * (w - 1), columns, alpha=-1)
    return y


def beyond(lines: Tensor, first: Tensor, second: Tensor) -> Tensor:
    """What `second` takes from one pixel beyond the outermost lines [..., channels, 2, n], corners
    included."""
    first = torch.cat([first[:, :, 2], first[:, :, 0]])
    second = torch.cat([second[:, :, 0], second[:, :, 2]])
    kernel = nn.functional.conv1d(first.transpose(0, 1), second.flip(2), padding=2, groups=2)
    batch = lines.shape[:-3]
    lines = lines.transpose(-3, -2).flatten(-3, -2)
    lines = lines.flatten(0, -3) if len(batch) > 1 else lines
    lines = nn.functional.conv1d(lines, kernel.transpose(0, 1), padding=2, groups=2)
    lines = lines.unflatten(-2, (2, -1)).transpose(-3, -2)
    return lines.unflatten(0, batch) if len(batch) > 1 else lines


def convolve_few(x: Tensor, weight: Tensor) -> Tensor:
    """conv2d with zero padding that keeps the size, one end of few channels."""
    by_library = x.device.type != "cpu" or torch.compiler.is_compiling()
    if by_library or torch.is_autocast_enabled("cpu"):  # which has kernels of every precision
        images = x.flatten(0, -4) if x.ndim > 4 else x
        y = nn.functional.conv2d(images, weight, None, padding=weight.shape[-1] // 2)
        return y.unflatten(0, x.shape[:-3]) if x.ndim > 4 else y
    y = (Convolve.apply if torch.is_grad_enabled() else Convolve.product)(x, weight)
    return y


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


def pair_kernel(first: Tensor, second: Tensor) -> Tensor:
    """The kernel of two convolutions, one after the other."""
    kernel = nn.functional.conv2d(first.transpose(0, 1), second.flip(2, 3), padding=2)
    return kernel.transpose(0, 1)


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
