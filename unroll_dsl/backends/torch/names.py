"""Names in generated code: Python's, one scope at a time."""

from __future__ import annotations

import builtins
import keyword
import unicodedata

# what a generated module uses itself
_MODULE = frozenset({"torch", "nn", "Tensor", "self", "phase", "phases", "dtype", "device"})
# what nn.Module has, so that an attribute of that name would hide it
MODULE_ATTRIBUTES = frozenset(
    [
        "T_destination",
        "add_module",
        "apply",
        "bfloat16",
        "buffers",
        "call_super_init",
        "children",
        "compile",
        "cpu",
        "cuda",
        "double",
        "dump_patches",
        "eval",
        "extra_repr",
        "float",
        "forward",
        "get_buffer",
        "get_extra_state",
        "get_parameter",
        "get_submodule",
        "half",
        "ipu",
        "load_state_dict",
        "modules",
        "mtia",
        "named_buffers",
        "named_children",
        "named_modules",
        "named_parameters",
        "parameters",
        "register_backward_hook",
        "register_buffer",
        "register_forward_hook",
        "register_forward_pre_hook",
        "register_full_backward_hook",
        "register_full_backward_pre_hook",
        "register_load_state_dict_post_hook",
        "register_load_state_dict_pre_hook",
        "register_module",
        "register_parameter",
        "register_state_dict_post_hook",
        "register_state_dict_pre_hook",
        "requires_grad_",
        "set_extra_state",
        "set_submodule",
        "share_memory",
        "state_dict",
        "to",
        "to_empty",
        "train",
        "training",
        "type",
        "xpu",
        "zero_grad",
    ]
)
_OWN = frozenset(
    {
        "forward",
        "trajectory",
        "loss",
        "start",
        "phase",
        "phases",
        "traced",
        "begin",
        "first",
        "last",
    }
)
# functions that a generated module may define for itself (backends/torch, operators)
_HELPERS = frozenset(
    [
        "above",
        "analyse",
        "at_least",
        "at_most",
        "backprojection",
        "blurred",
        "filtered",
        "below",
        "beyond",
        "check_input",
        "cholesky_solve",
        "conjugate_gradients",
        "Convolve",
        "convolve",
        "convolve_adjoint",
        "convolve_few",
        "convolve_pair",
        "correlate",
        "cosines",
        "dct2",
        "dct_basis",
        "difference_kernels",
        "FixedPoint",
        "fixed_point",
        "grad",
        "grad_adjoint",
        "idct2",
        "linspace",
        "LOW_PASS",
        "mixed_matmul",
        "nonnegative",
        "pair_kernel",
        "patches",
        "PiecewiseLinear",
        "pixels",
        "plf",
        "positive",
        "quantile",
        "radon",
        "rays",
        "Shrink",
        "shrink",
        "SquareSum",
        "square_mean",
        "square_sum",
        "shrink_each",
        "singular_soft",
        "solve_dense",
        "synthesise",
        "tell",
        "topk",
        "transfer",
        "triangular_solve",
        "unit",
        "upsample",
        "wavelet",
        "wavelet_adjoint",
        "wavelet_pair",
        "within",
        "warnings",
        "wrapped",
    ]
)
RESERVED = (
    _MODULE
    | _OWN
    | _HELPERS
    | MODULE_ATTRIBUTES
    | frozenset(dir(builtins))
    | frozenset(keyword.kwlist)
)


def identifier(name: str) -> str:
    """A name of a program as a Python identifier: keywords and taken names get an underscore."""
    # Python merges what looks alike: a letter that it changes gets an underscore, so that x₁ is not x1
    composed = unicodedata.normalize("NFC", name)
    letters = ((c, unicodedata.normalize("NFKC", c)) for c in composed)
    found = "".join(c if same == c else f"{same}_" for c, same in letters)
    if not found.isidentifier():
        found = "".join(c if f"_{c}".isidentifier() else "_" for c in found)
    return f"{found}_" if found in RESERVED else found


def class_name(name: str) -> str:
    """`ista_net_plus` becomes `IstaNetPlus`."""
    words = [word for word in unicodedata.normalize("NFKC", name).split("_") if word]
    found = "".join(word[0].upper() + word[1:] for word in words) or "Network"
    return f"{found}Network" if found in ("Phase", "LastPhase", "Tensor") else found


class Scope:
    """Hands out names that are not taken."""

    def __init__(self, taken: frozenset[str] | set[str] = frozenset()) -> None:
        self._taken = set(taken)

    def fresh(self, wish: str) -> str:
        """`wish` as an identifier, with a number where it is taken."""
        base = identifier(wish)
        candidate, number = base, 2
        while candidate in self._taken:
            candidate, number = f"{base.rstrip('_')}_{number}", number + 1
        self._taken.add(candidate)
        return candidate

    def take(self, name: str) -> None:
        self._taken.add(name)

    def copy(self) -> Scope:
        return Scope(self._taken)
