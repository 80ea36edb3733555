"""How a network refuses inputs, as text for generated modules; inputs.py calls it."""

from __future__ import annotations

CHECK_INPUT = '''def check_input(
    name: str,
    x: Tensor,
    shape: tuple[int | None, ...],
    like: Tensor | None = None,
    is_complex: bool = False,
) -> None:
    """Refuse what does not end in `shape` (None: any size), or has not the precision and the device
    of `like`. Any batch axes may lead."""
    if not isinstance(x, Tensor):
        words = f"found {type(x).__name__}: give torch.as_tensor({name})"
        raise TypeError(f"`{name}` must be a tensor, {words}")
    found = tuple(x.shape[x.ndim - len(shape) :]) if x.ndim >= len(shape) else ()
    if len(found) < len(shape) or any(n not in (None, m) for n, m in zip(shape, found)):
        wanted = ", ".join(["...", *("any" if n is None else str(n) for n in shape)])
        raise ValueError(f"`{name}` must have the shape [{wanted}], found {list(x.shape)}")
    if like is not None:
        dtype = like.real.dtype
    elif x.is_floating_point() or x.is_complex():
        dtype = x.real.dtype
    else:
        dtype = torch.get_default_dtype()
    if is_complex:
        if dtype.itemsize < 4:
            raise TypeError(f"`{name}` is complex, and there is no arithmetic of such values in {dtype}")
        dtype = torch.promote_types(dtype, torch.complex64)
    if x.dtype != dtype:
        raise TypeError(f"`{name}` must be {dtype}, found {x.dtype}: give {name}.to({dtype})")
    if like is not None and x.device != like.device:
        raise ValueError(f"`{name}` is on {x.device}, the network on {like.device}")
'''

CHECK_BATCHES = '''def check_batches(inputs: dict[str, tuple[Tensor, int]]) -> None:
    """Refuse inputs whose batch axes do not broadcast; each is given with the axes of a sample of it."""
    found = {name: list(x.shape[: max(x.ndim - axes, 0)]) for name, (x, axes) in inputs.items()}
    for axis in range(1, max(map(len, found.values())) + 1):
        wide = [batch[-axis] for batch in found.values() if len(batch) >= axis and batch[-axis] != 1]
        if any(size != wide[0] for size in wide):  # no set of them: an export would fix the batch
            words = ", ".join(f"`{name}` has {batch}" for name, batch in found.items())
            raise ValueError(f"the inputs have different batch axes: {words}")
'''
