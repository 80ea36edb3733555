"""How constraints hold: a parameter is reflected at a bound that an optimiser has stepped over.

The parameter is stored as the value itself, so a classical value survives to the last bit and the
gradient within the bounds is that of an unconstrained value.
"""

from __future__ import annotations

import ast

from unroll_dsl.backends.torch.templates import call

HELPERS = {
    "nonnegative": '''
def nonnegative(p: Tensor) -> Tensor:
    """Reflect `p` at 0, so that it is never below, wherever an optimiser steps."""
    return torch.where(p < 0, -p, p)
''',
    "positive": '''
def positive(p: Tensor) -> Tensor:
    """Reflect `p` at 0 and keep it strictly above, wherever an optimiser steps."""
    return p.abs().clamp(min=torch.finfo(p.dtype).tiny)
''',
    "at_least": '''
def at_least(p: Tensor, bound: Tensor | float) -> Tensor:
    """Reflect `p` at `bound`, so that it is never below, wherever an optimiser steps."""
    return torch.where(p < bound, 2 * bound - p, p)
''',
    "at_most": '''
def at_most(p: Tensor, bound: Tensor | float) -> Tensor:
    """Reflect `p` at `bound`, so that it is never above, wherever an optimiser steps."""
    return torch.where(p > bound, 2 * bound - p, p)
''',
    "above": '''
def above(p: Tensor, bound: Tensor | float) -> Tensor:
    """Reflect `p` at `bound` and keep it strictly above, wherever an optimiser steps."""
    bound = torch.as_tensor(bound, dtype=p.dtype, device=p.device)
    least = torch.nextafter(bound, torch.full_like(bound, torch.inf))
    least = torch.where(bound == 0, torch.finfo(p.dtype).tiny, least)
    return torch.where(p < bound, 2 * bound - p, p).clamp(min=least)
''',
    "below": '''
def below(p: Tensor, bound: Tensor | float) -> Tensor:
    """Reflect `p` at `bound` and keep it strictly below, wherever an optimiser steps."""
    bound = torch.as_tensor(bound, dtype=p.dtype, device=p.device)
    most = torch.nextafter(bound, torch.full_like(bound, -torch.inf))
    most = torch.where(bound == 0, -torch.finfo(p.dtype).tiny, most)
    return torch.where(p > bound, 2 * bound - p, p).clamp(max=most)
''',
    "within": '''
def within(
    p: Tensor, low: Tensor | float, high: Tensor | float, strict: tuple[bool, bool]
) -> Tensor:
    """Fold `p` into the interval from `low` to `high`, wherever an optimiser steps.

    `strict` tells which ends do not belong to it.
    """
    low = torch.as_tensor(low, dtype=p.dtype, device=p.device)
    high = torch.as_tensor(high, dtype=p.dtype, device=p.device)
    width = high - low
    period = (2 * width).clamp(min=torch.finfo(p.dtype).tiny)  # the ends may be one
    folded = low + width - (width - (p - low).remainder(period)).abs()
    p = torch.where((p >= low) & (p <= high), p, folded)
    least = torch.nextafter(low, high) if strict[0] else low
    most = torch.nextafter(high, low) if strict[1] else high
    return p.clamp(least, most)
''',
}


def constrained(
    value: ast.expr,
    lower: ast.expr | None,
    lower_strict: bool,
    upper: ast.expr | None,
    upper_strict: bool,
) -> ast.expr:
    """The expression of a parameter that keeps its constraint."""
    if lower is not None and upper is not None:
        word = "within"
        strict = ast.Tuple([ast.Constant(lower_strict), ast.Constant(upper_strict)], ast.Load())
        arguments = [value, lower, upper, strict]
    elif lower is not None:
        word = "above" if lower_strict else "at_least"
        arguments = [value, lower]
        if isinstance(lower, ast.Constant) and lower.value == 0:
            word, arguments = ("positive" if lower_strict else "nonnegative"), [value]
    else:
        assert upper is not None
        word = "below" if upper_strict else "at_most"
        arguments = [value, upper]
    return call(word, *arguments)
