"""What libraries lack, or are slow at, as text for generated modules; figures are in docs/benchmarks.md."""

from __future__ import annotations

MIXED_MATMUL = '''def mixed_matmul(a: Tensor, b: Tensor) -> Tensor:
    """``a @ b`` where one of the two is complex and the other is real."""
    if a.is_complex():
        return torch.complex(a.real @ b, a.imag @ b)
    return torch.complex(a @ b.real, a @ b.imag)
'''

LARGEST = '''class Largest(torch.autograd.Function):
    """The largest entry, of all samples that torch.vmap maps over at once."""

    @staticmethod
    def forward(x: Tensor) -> Tensor:
        return x.amax() if x.numel() else x.new_zeros(())

    @staticmethod
    def setup_context(ctx, inputs, output) -> None:
        ctx.mark_non_differentiable(output)

    @staticmethod
    def jvp(ctx, x: None) -> None:
        return None

    @staticmethod
    def vmap(info, in_dims, x: Tensor) -> tuple[Tensor, None]:
        return Largest.apply(x), None


def largest(x: Tensor) -> float:
    """The largest entry, 0 where there is none, as a number: a device is waited for."""
    x = x.detach()
    try:
        return x.amax().item() if x.numel() else 0.0
    except RuntimeError:  # of a sample that torch.vmap maps over there is no number
        return Largest.apply(x).item()
'''

CONJUGATE_GRADIENTS = '''def conjugate_gradients(
    A: Callable[[Tensor], Tensor],
    b: Tensor,
    x: Tensor | None,
    axes: int | tuple[int, ...],
    tolerance: float | None = None,
    iterations: int | None = None,
) -> Tensor:
    """Solve A(x) = b for each sample, whose axes are `axes`; A is Hermitian and positive semidefinite.

    Begins at `x`, by default at 0; stops where |A(x) - b| <= `tolerance` |b|, by default 10 times the
    rounding unit, or after `iterations`, by default 100. Warns where these end far from a solution: above
    `tolerance`, or above the root of the rounding unit where neither is given. Derivatives are those of
    the solution, by the implicit function theorem.
    """

    def inner(u: Tensor, v: Tensor) -> Tensor:
        return (u.conj() * v).real.sum(axes, keepdim=True)

    with torch.no_grad():
        x = torch.zeros_like(b) if x is None else x
        residual = b - A(x)
        direction, square = residual, inner(residual, residual)
        eps = torch.finfo(b.dtype).eps
        limit = (10 * eps if tolerance is None else tolerance) ** 2 * inner(b, b)
        # elsewhere asking would wait for the device, or break a graph that is being traced
        asks = b.device.type == "cpu" and not torch.compiler.is_compiling()
        for _ in range(100 if iterations is None else iterations):
            active = ~(square <= limit)  # what is not a number stays active, and is seen
            if asks and not largest(active):
                break
            image = A(direction)
            step = torch.where(active, square / inner(direction, image), 0)
            x, residual = x + step * direction, residual - step * image
            before, square = square, inner(residual, residual)
            direction = residual + torch.where(active, square / before, 0) * direction
        else:
            if tolerance is not None or iterations is None:
                tell(square, inner(b, b), eps**0.5 if tolerance is None else tolerance)
    if torch.is_grad_enabled() and (gap := b - A(x)).requires_grad:
        # x + A^-1 (b - A x) is x, and has the derivatives of the solution with respect to b and A
        def solve(g: Tensor | None) -> Tensor | None:
            if torch.is_grad_enabled():
                raise RuntimeError(
                    "conjugate gradients have no second derivatives, for which torch.func asks even "
                    "where it takes first ones: use backward() or torch.func.jacfwd"
                )
            if g is None:
                return None
            return conjugate_gradients(A, g, None, axes, tolerance, iterations)

        gap.register_hook(solve)
        x = x + (gap - gap.detach())
    return x


def tell(square: Tensor, whole: Tensor, content: float) -> None:
    """Warn where iterations have left a residual above `content`: one question, after all of them."""
    if torch.compiler.is_compiling() or square.is_cuda and torch.cuda.is_current_stream_capturing():
        return
    left = largest(torch.where(whole > 0, square / whole, 0).nan_to_num(torch.inf)) ** 0.5
    if left > content:
        warnings.warn(
            f"conjugate gradients ran out of iterations: a residual of {left:.1e} of the right-hand side "
            f"is left; `solve(M, b, tolerance=..., iterations=...)` says what is enough",
            RuntimeWarning,
            stacklevel=3,
        )
'''

FIXED_POINT = '''class FixedPoint(torch.autograd.Function):
    """Passes on what a phase has made of `states`; its derivative is that of the fixed point."""

    @staticmethod
    def forward(ctx, states, places, tolerance, iterations, *made: Tensor) -> tuple[Tensor, ...]:
        ctx.given = states, places, tolerance, iterations, made
        return tuple(value.view_as(value) for value in made)

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx, *grads: Tensor) -> tuple[Tensor | None, ...]:
        states, places, tolerance, iterations, made = ctx.given
        found, size = list(grads), sum(g.abs().square().sum() for g in grads)
        if tolerance is None:
            tolerance = 100 * torch.finfo(size.dtype).eps
        moved = torch.zeros_like(size)
        for _ in range(iterations):
            again = torch.autograd.grad(
                made, states, found, retain_graph=True, allow_unused=True, materialize_grads=True
            )
            new = list(grads)
            for place, more in zip(places, again):
                new[place] = new[place] + more
            moved = sum((a - b).abs().square().sum() for a, b in zip(new, found))
            found, size = new, sum(g.abs().square().sum() for g in new)
            if moved <= tolerance**2 * size:
                break
        if not (moved <= 1e-4 * size and size.isfinite()):
            raise RuntimeError("no fixed point is near: take more phases, or unroll the gradient")
        return None, None, None, None, *found


def fixed_point(
    phase: Callable[..., Tensor | tuple[Tensor, ...]],
    states: tuple[Tensor, ...],
    places: tuple[int, ...],
    *arguments: Tensor | nn.Module | int,
    tolerance: float | None = None,
    iterations: int = 10000,
) -> Tensor | tuple[Tensor, ...]:
    """`phase(*states, *arguments)`, with the derivatives of the fixed point that it is near.

    `places`: where the new states are among what the phase makes. The fixed point x = p(x, w) has
    dx = (1 - J)^-1 (dp/dw) dw with J = dp/dx, by the implicit function theorem; what (1 - J')^-1 makes
    of a gradient g is found by u <- g + J'u, until u moves by less than `tolerance` of its norm, by
    default 100 times the rounding unit.
    """
    if not torch.is_grad_enabled():
        return phase(*states, *arguments)
    near = tuple(state.detach().requires_grad_() for state in states)
    made = phase(*near, *arguments)
    if isinstance(made, Tensor):
        return FixedPoint.apply(near, places, tolerance, iterations, made)[0]
    return FixedPoint.apply(near, places, tolerance, iterations, *made)
'''

CONVOLVE = '''class Convolve(torch.autograd.Function):
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


def pixels(x: Tensor) -> Tensor:
    """[..., channels, h, w] as [pixels, channels]."""
    return x.movedim(-3, -1).reshape(-1, x.shape[-3])


def patches(x: Tensor, size: int) -> Tensor:
    """What stands around each pixel, zeros beyond the border: [size * size * channels, pixels]."""
    h, w = x.shape[-2:]
    x = nn.functional.pad(x.movedim(-3, 0), 4 * [size // 2])
    parts = [x[..., i : i + h, j : j + w] for i in range(size) for j in range(size)]
    return torch.stack(parts).flatten(2).flatten(0, 1)
'''

CONVOLVE_FEW = '''def convolve_few(x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """conv2d with zero padding that keeps the size, one end of few channels."""
    by_library = x.device.type != "cpu" or torch.compiler.is_compiling()
    if by_library or torch.is_autocast_enabled("cpu"):  # which has kernels of every precision
        images = x.flatten(0, -4) if x.ndim > 4 else x
        y = nn.functional.conv2d(images, weight, bias, padding=weight.shape[-1] // 2)
        return y.unflatten(0, x.shape[:-3]) if x.ndim > 4 else y
    y = (Convolve.apply if torch.is_grad_enabled() else Convolve.product)(x, weight)
    return y if bias is None else y + bias[:, None, None]
'''

CONVOLVE_PAIR = '''def convolve_pair(
    x: Tensor, first: Tensor, second: Tensor, bias: Tensor | None = None, kernel: Tensor | None = None
) -> Tensor:
    """conv2d(conv2d(x, first, padding=1), second, bias, padding=1), kernels of 3 x 3, as one of 5 x 5.

    What that one sees beyond the border, where the second of the two takes zeros, is subtracted along
    the four sides, and what two sides have in common added again.
    """
    h, w = x.shape[-2:]
    ends = torch.arange(2, device=x.device)
    rows, columns = x.index_select(-2, ends * (h - 1)), x.index_select(-1, ends * (w - 1))
    corners = rows.index_select(-1, ends * (w - 1))
    turn = torch.einsum("omef,mief->oief", second[..., ::2, ::2], first[..., ::2, ::2].flip(2, 3))
    corners = torch.einsum("oief,...ief->...oef", turn, corners)
    rows = beyond(rows, first, second).index_add(-1, ends * (w - 1), corners, alpha=-1)
    columns = beyond(columns.mT, first.mT, second.mT).mT
    y = convolve_few(x, pair_kernel(first, second) if kernel is None else kernel)
    y.index_add_(-2, ends * (h - 1), rows, alpha=-1)
    y.index_add_(-1, ends * (w - 1), columns, alpha=-1)
    return y if bias is None else y + bias[:, None, None]


def pair_kernel(first: Tensor, second: Tensor) -> Tensor:
    """The kernel of two convolutions, one after the other."""
    kernel = nn.functional.conv2d(first.transpose(0, 1), second.flip(2, 3), padding=2)
    return kernel.transpose(0, 1)


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
'''
