"""Generated code of networks at rest: an accelerated iteration, and the derivatives of where it ends."""

from __future__ import annotations

from unroll_dsl.backends.resting import DEPTH

ACCELERATED = f'''def accelerated(
    step: Callable[[Tensor], Tensor],
    x: Tensor,
    image: Tensor,
    widths: list[int],
    tolerance: float,
    phases: int,
) -> tuple[Tensor, Tensor]:
    """Where `step` comes to rest from x [..., n], whose image is given; and by how much it still moves
    each sample, relative: the most of the parts of x, of such `widths`.

    Anderson acceleration (Walker, Ni, 2011): the next point is the combination of the last {DEPTH} images that
    would rest if `step` were affine. A sample of which this foresees too much, ten times what it gains, takes
    the plain image and forgets those before: at worst this is the plain iteration. One that rests stays.
    """
    steps, turns = [], []  # differences of images, and of moves
    move, largest, done = image - x, torch.zeros_like(x), 1
    while True:
        largest = torch.maximum(largest, image.abs())
        left = moves_by(move, image, largest, widths)
        resting = (left <= tolerance).unsqueeze(-1)
        if resting.all() or done >= phases:
            return image, left
        point, foreseen = extrapolated(image, move, steps, turns) if steps else (image, None)
        new, done = step(point), done + 1
        if steps:
            size = move.norm(dim=-1, keepdim=True)
            gained = size - (new - point).norm(dim=-1, keepdim=True)
            nearer = gained >= 0.1 * (size - foreseen)
            if not (nearer | resting).all():
                point = torch.where(nearer, point, image)
                new, done = step(point), done + 1
                steps = [torch.where(nearer, v, 0) for v in steps]
                turns = [torch.where(nearer, v, 0) for v in turns]
        point, new = torch.where(resting, x, point), torch.where(resting, image, new)
        steps = [*steps, new - image][-{DEPTH}:]
        turns = [*turns, new - point - move][-{DEPTH}:]
        x, image, move = point, new, new - point


def moves_by(move: Tensor, image: Tensor, largest: Tensor, widths: list[int]) -> Tensor:
    """By how much the parts of an image move, of the size that each has; the most of them."""
    tiny, eps = torch.finfo(image.dtype).tiny, torch.finfo(image.dtype).eps
    found = torch.zeros_like(move[..., 0])
    for part, now, most in zip(*(v.split(widths, -1) for v in (move, image, largest))):
        size = torch.maximum(now.norm(dim=-1), eps * most.norm(dim=-1))  # what falls to 0 rests there
        found = torch.maximum(found, part.norm(dim=-1) / size.clamp(min=tiny))
    return found


def extrapolated(
    image: Tensor, move: Tensor, steps: list[Tensor], turns: list[Tensor]
) -> tuple[Tensor, Tensor]:
    """Where the move would be smallest if it turned as it did before, and how long it would be there."""
    full = torch.promote_types(move.dtype, torch.float32)
    with torch.autocast(move.device.type, enabled=False):
        turn, step = torch.stack(turns, -1).to(full), torch.stack(steps, -1).to(full)
        before, eps = move.to(full).unsqueeze(-1), torch.finfo(full).eps
        scale = turn.norm(dim=-2, keepdim=True)
        noise = 2 * eps * image.to(full).norm(dim=-1)[..., None, None]
        scale = torch.where(scale > noise, scale, torch.inf)  # what rounding turns says nothing
        turn, step = turn / scale, step / scale
        ridge = 10 * eps * torch.eye(len(turns), dtype=full, device=move.device)
        weights = torch.linalg.solve_ex(turn.mT @ turn + ridge, turn.mT @ before)[0]
        foreseen = (before - turn @ weights).squeeze(-1).norm(dim=-1, keepdim=True)
        return image - (step @ weights).squeeze(-1).to(image.dtype), foreseen.to(image.dtype)
'''

JOINED = '''def joined(states: Sequence[Tensor], ranks: tuple[int, ...]) -> tuple[Tensor, list[int]]:
    """The states side by side as real numbers [..., n], and the width of each."""
    flat = []
    for x, rank in zip(states, ranks):
        if x.is_complex():
            x, rank = torch.view_as_real(x.resolve_conj()), rank + 1
        flat.append(x.flatten(x.ndim - rank) if rank else x.unsqueeze(-1))
    return torch.cat(flat, -1), [x.shape[-1] for x in flat]


def parted(x: Tensor, like: tuple[Tensor, ...], widths: list[int]) -> tuple[Tensor, ...]:
    """The states of which `joined` has made x."""
    pairs = zip(x.split(widths, -1), like)
    return tuple(
        torch.view_as_complex(part.reshape(*state.shape, 2).contiguous())
        if state.is_complex()
        else part.reshape(state.shape)
        for part, state in pairs
    )
'''

AT_REST = '''class AtRest(torch.autograd.Function):
    """Passes on what a phase has made of `states`; its derivative is that of the fixed point."""

    @staticmethod
    def forward(ctx, states, places, ranks, tolerance, phases, *made: Tensor) -> tuple[Tensor, ...]:
        ctx.given = states, places, ranks, tolerance, phases, made
        return tuple(value.view_as(value) for value in made)

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx, *grads: Tensor) -> tuple[Tensor | None, ...]:
        states, places, ranks, tolerance, phases, made = ctx.given
        start, widths = joined([torch.zeros_like(state) for state in states], ranks)
        moved = [i for i, value in enumerate(made) if value.requires_grad]

        def whole(u: Tensor) -> list[Tensor]:
            found = list(grads)
            for place, more in zip(places, parted(u, states, widths)):
                found[place] = found[place] + more
            return found

        def step(u: Tensor) -> Tensor:
            found = whole(u)
            back = torch.autograd.grad(
                [made[i] for i in moved],
                states,
                [found[i] for i in moved],
                retain_graph=True,
                allow_unused=True,
                materialize_grads=True,
            )
            return joined(back, ranks)[0]

        u, left = accelerated(step, start, step(start), widths, tolerance, phases)
        warn_moving("the gradient", left, tolerance, phases)
        return None, None, None, None, None, *whole(u)


def at_rest(
    phase: Callable[..., Tensor | tuple[Tensor, ...]],
    states: tuple[Tensor, ...],
    *arguments: Tensor | nn.Module | int,
    places: tuple[int, ...],
    ranks: tuple[int, ...],
    tolerance: float,
    phases: int,
) -> Tensor | tuple[Tensor, ...]:
    """What `phase` makes of the states that it leaves where they are, with the derivatives of these.

    `places`: where the new states are among what the phase makes; `ranks`: how many axes each has behind
    those of the batch. The fixed point x = p(x, w) has dx = (1 - J)^-1 (dp/dw) dw with J = dp/dx, by the
    implicit function theorem; what (1 - J')^-1 makes of a gradient g is g + u, where u <- J'(g + u) rests.
    """

    def new(given: tuple[Tensor, ...]) -> list[Tensor]:
        made = phase(*given, *arguments)
        made = made if isinstance(made, tuple) else (made,)
        return [made[place] for place in places]

    def spread(some: Sequence[Tensor]) -> tuple[Tensor, ...]:
        return tuple(x.expand(*batch, *x.shape[x.ndim - rank :]) for x, rank in zip(some, ranks))

    with torch.no_grad():
        first = new(states)
        both = zip((*states, *first), (*ranks, *ranks))
        batch = torch.broadcast_shapes(*(x.shape[: x.ndim - rank] for x, rank in both))
        states = spread(states)
        x, widths = joined(states, ranks)
        tolerance = max(tolerance, 10 * torch.finfo(x.dtype).eps)

        def step(x: Tensor) -> Tensor:
            return joined(spread(new(parted(x, states, widths))), ranks)[0].to(x.dtype)

        image = joined(spread(first), ranks)[0].to(x.dtype)
        image, left = accelerated(step, x, image, widths, tolerance, phases)
        warn_moving("a state", left, tolerance, phases)
        near = parted(image, states, widths)
    if not torch.is_grad_enabled():
        return phase(*near, *arguments)
    near = tuple(x.detach().requires_grad_() for x in near)
    made = phase(*near, *arguments)
    alone = isinstance(made, Tensor)
    found = AtRest.apply(near, places, ranks, tolerance, phases, *((made,) if alone else made))
    return found[0] if alone else found


def warn_moving(what: str, left: Tensor, tolerance: float, phases: int) -> None:
    """Say so where something has not come to rest."""
    most = left.max().item() if left.numel() else 0.0
    if not most <= tolerance:
        warnings.warn(
            f"{what} did not come to rest in {phases} phases: the last one moved it by {most:.1e} of its "
            f"size, more than {tolerance:.1e}",
            RuntimeWarning,
            stacklevel=3,
        )
'''
