"""Systems that may be singular at some values: what the solving pass puts around their matrices.

Where the form of a system does not prove that it is definite, its diagonal, its eigenvalues or its matrix
pass one of these on the way to the solution; what has no certain solution is refused with the place of
the `solve`. To look at values, a device would have to be waited for, and a graph that is traced would
break: both are spared, as torch does in its own checks.
"""

from __future__ import annotations

from typing import Any

from unroll_dsl.operators.lazy import np
from unroll_dsl.operators.model import Function, Kind, Mismatch, Parameter, Static
from unroll_dsl.types import Array, Field

_PLACE = Parameter("place", static=True)


def _refusal(name: str, what: str, unit: str) -> str:
    """The source of a function that passes on what a system is divided by."""
    return f'''def {name}(d: Tensor, rank: int, place: str) -> Tensor:
    """{what} of a system, the last `rank` axes of `d`; refused where one is 0, or 0 for the precision."""
    if d.device.type == "cpu" and d.numel() and not torch.compiler.is_compiling():
        size = d.detach().abs()
        least, most = (f(tuple(range(-rank, 0))) if rank else size for f in (size.amin, size.amax))
        if largest((least <= {unit} * most) & most.isfinite()):
            raise torch.linalg.LinAlgError(
                f"{{place}}: the system of `solve` is singular at these values: add a shift, "
                "`... + rho * I`, or keep what it is divided by away from 0"
            )
    return d
'''


_MATRIX_HELPER = '''def regular_matrix(M: Tensor, place: str) -> Tensor:
    """The matrix of a system; one whose condition number is beyond the precision is refused. The number, in
    the 1-norm, is computed only where the pivots of LU factors differ much."""
    if M.device.type == "cpu" and M.numel() and not torch.compiler.is_compiling():
        known, eps = M.detach(), torch.finfo(M.dtype).eps
        pivots = torch.linalg.lu_factor_ex(known)[0].diagonal(dim1=-2, dim2=-1).abs()
        if largest(pivots.amin(-1) <= eps**0.5 * pivots.amax(-1)):
            singular = ~(torch.linalg.cond(known, 1) < 1 / eps)
            if largest(singular & known.isfinite().all(-1).all(-1)):
                raise torch.linalg.LinAlgError(
                    f"{place}: the system of `solve` is singular at these values: add a shift, "
                    "`... + rho * I`, or give a matrix with independent columns"
                )
    return M
'''

_FACTOR_HELPER = '''def regular_factor(M: Tensor, place: str) -> Tensor:
    """The lower triangular L of M = L L', which is definite by its form; refused where its condition number is
    beyond the precision. The number, in the 1-norm, is computed only where pivots are near rounding."""
    if M.device.type != "cpu" or not M.numel() or torch.compiler.is_compiling():
        return torch.linalg.cholesky(M)
    L, failed = torch.linalg.cholesky_ex(M)
    pivots, eps = L.detach().diagonal(dim1=-2, dim2=-1).real, torch.finfo(M.dtype).eps
    small = pivots.amin(-1) <= (M.shape[-1] * eps) ** 0.5 * pivots.amax(-1)
    if largest(small | (failed > 0)):
        known = M.detach()
        singular = (failed > 0) | ~(torch.linalg.cond(known, 1) < 1 / eps)
        if largest(singular & known.isfinite().all(-1).all(-1)):
            raise torch.linalg.LinAlgError(
                f"{place}: the system of `solve` is singular at these values: its form is definite, but its "
                "shift is below the precision"
            )
    return L
'''


def _shift(name: str, arguments: str, smallest: str, summary: str) -> str:
    """The source of a function that passes on a shift, looked at beside what it is added to. Numbers are
    compared as such: a phase has no more than a product with a matrix to do."""
    return f'''def {name}({arguments}, place: str) -> Tensor:
    """{summary}"""
    if s.device.type == "cpu" and not torch.compiler.is_compiling():
        eps = torch.finfo(s.dtype).eps
        try:
            known = s.numel() == 1 == most.numel() and ({smallest.replace("#", ".item()")}, s.item() + most.item())
        except RuntimeError:  # one that torch.vmap maps over
            known = False
        if known:
            singular = known[0] <= eps * known[1] < float("inf")
        else:
            low, high = (v.detach() for v in ({smallest.replace("#", "")}, s + most))
            singular = largest((low <= eps * high) & high.isfinite())
        if singular:
            raise torch.linalg.LinAlgError(
                f"{{place}}: the system of `solve` is singular at these values: its form is definite, but its "
                "shift is below the precision"
            )
    return s
'''


def _same(arrays: tuple[Array, ...], statics: dict[str, Static]) -> Array | Mismatch:
    found = arrays[0]
    return Array(found.shape, found.field.join(Field.REAL), found.form)


def _passed(value: Any, place: str) -> Any:
    return value  # the reference looks at the system itself, before it solves it


RECORDS = (
    Function(
        "regular",
        (Parameter("d"), _PLACE),
        Kind.WHOLE,
        "The diagonal of a system, refused where entries vanish.",
        _same,
        _passed,
        "regular(d, RANK, place)",
        # entries are told apart in any precision, but for what cancels and is squared
        helper=_refusal("regular", "The diagonal", "max(2**-52, torch.finfo(d.dtype).eps ** 2)"),
    ),
    Function(
        "regular_eigenvalues",
        (Parameter("d"), _PLACE),
        Kind.WHOLE,
        "The eigenvalues of a system, refused where some are 0 but for rounding.",
        _same,
        _passed,
        "regular_eigenvalues(d, RANK, place)",
        helper=_refusal("regular_eigenvalues", "The eigenvalues", "4 * torch.finfo(d.dtype).eps"),
    ),
    Function(
        "regular_shift",
        (Parameter("s"), Parameter("most"), _PLACE),
        Kind.WHOLE,
        "The shift of a system that is 0 somewhere without it, refused where it is nothing beside the rest.",
        _same,
        lambda s, most, place: s,
        "regular_shift(s, most, place)",
        helper=_shift(
            "regular_shift",
            "s: Tensor, most: Tensor",
            "s#",
            "The shift `s` of a definite system, 0 somewhere without it and elsewhere at most `most`; refused where it "
            "is 0 for the precision.",
        ),
    ),
    Function(
        "regular_sum",
        (Parameter("s"), Parameter("least"), Parameter("most"), _PLACE),
        Kind.WHOLE,
        "The shift of a system, refused where with it the least eigenvalue is nothing beside the largest.",
        _same,
        lambda s, least, most, place: s,
        "regular_sum(s, least, most, place)",
        helper=_shift(
            "regular_sum",
            "s: Tensor, least: Tensor, most: Tensor",
            "s# + least#",
            "The shift `s` of a definite system of eigenvalues from `least` to `most`; refused where their sum is 0 "
            "for the precision.",
        ),
    ),
    Function(
        "regular_matrix",
        (Parameter("M"), _PLACE),
        Kind.WHOLE,
        "The matrix of a system, refused where it has no inverse.",
        _same,
        _passed,
        "regular_matrix(M, place)",
        helper=_MATRIX_HELPER,
    ),
    Function(
        "regular_factor",
        (Parameter("M"), _PLACE),
        Kind.WHOLE,
        "The lower triangular L of a positive definite M = L L', refused where M has no inverse for the precision.",
        _same,
        lambda M, place: np.linalg.cholesky(M),
        "regular_factor(M, place)",
        helper=_FACTOR_HELPER,
    ),
)
