"""Words of NumPy, PyTorch, Julia, MATLAB and papers, and what to write instead of them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

_ATOM = re.compile(r"[\w.]+(?:\([^()]*\))?'*")


class _Text(str):
    """An argument as it is written; `{0:o}` has it in brackets where it is an operand and no single thing."""

    def __format__(self, spec: str) -> str:
        return f"({self})" if spec == "o" and not _ATOM.fullmatch(self) else str(self)


# Functions. `{0}`, `{1}` are the arguments of the call, `v` and `w` where there are fewer.
_FUNCTIONS: Mapping[str, str] = {
    **dict.fromkeys(
        ("transpose", "adjoint", "ctranspose", "hermitian"), "the adjoint is a prime: `{0:o}'`"
    ),
    **dict.fromkeys(("matmul", "mm", "mv", "bmm", "mul"), "maps are applied with `@`: `{0:o} @ {1:o}`"),
    **dict.fromkeys(("inner", "vdot"), "write `dot({0}, {1})`"),
    **dict.fromkeys(
        ("zeros", "zeros_like", "empty", "empty_like"), "a number fits every shape: write `0`"
    ),
    **dict.fromkeys(("ones", "ones_like"), "a number fits every shape: write `1`"),
    **dict.fromkeys(("full", "full_like", "fill"), "a number fits every shape: write `{1}`"),
    **dict.fromkeys(("eye", "identity", "speye"), "the identity is `I`, on every space"),
    **dict.fromkeys(
        ("len", "length", "numel", "shape", "ndims"),
        "sizes have names, from `dims`; `size({0}, 1)` is one of them too",
    ),
    **dict.fromkeys(("opnorm", "matrix_norm"), "the spectral norm is `norm({0})`"),
    **dict.fromkeys(
        ("eigmax", "eigvals", "eigvalsh", "eig", "eigh", "svdvals", "svd", "svds", "lambda_max"),
        "the largest singular value of A is `norm(A)`, the largest eigenvalue of A' @ A `norm(A)^2`",
    ),
    **dict.fromkeys(("trace",), "the trace of a matrix is `tr({0})`"),
    **dict.fromkeys(("sgn", "signum"), "write `sign({0})`"),
    **dict.fromkeys(("absolute", "modulus", "magnitude", "fabs"), "write `abs({0})`"),
    **dict.fromkeys(("conjugate",), "write `conj({0})`"),
    **dict.fromkeys(("square", "pow", "power"), "powers are written `{0:o}^2`"),
    **dict.fromkeys(("ln", "log10", "log2"), "the natural logarithm is `log({0})`"),
    **dict.fromkeys(("pos", "positive_part", "ReLU"), "write `relu({0})`"),
    **dict.fromkeys(
        (
            "soft_threshold", "soft_thresholding", "softthreshold", "soft_thresh", "softshrink",
            "shrink", "shrinkage", "SoftThreshold", "ST", "S", "eta", "wthresh",
        ),
        "soft thresholding is `soft({0}, {1})`",
    ),
    **dict.fromkeys(("hard_threshold", "hardshrink", "HT"), "hard thresholding is `hard({0}, {1})`"),
    **dict.fromkeys(("clip", "clamp"), "write `min(max({0}, {1}), {2})`"),
    **dict.fromkeys(
        ("prox", "proximal", "prox_l1"),
        "proximal maps have names: that of a 1-norm is `soft(v, t)`; docs/atoms.md has all of them",
    ),
    **dict.fromkeys(
        ("argmin", "argmax", "minimize", "maximize", "inf", "sup"),
        "a phase computes by formulas: write the proximal map or `solve(A' @ A, A' @ y)`, or state "
        "a `problem` and derive its iteration",
    ),
    **dict.fromkeys(
        ("mse", "mse_loss", "MSELoss"), "the mean squared error is `mean(abs({0} - {1:o})^2)`"
    ),
    **dict.fromkeys(("l1_loss", "mae"), "the mean absolute error is `mean(abs({0} - {1:o}))`"),
    **dict.fromkeys(("l1norm", "norm_1", "l1", "L1"), "write `norm1({0})`"),
    **dict.fromkeys(("l2norm", "l2", "L2"), "write `norm({0})`"),
    **dict.fromkeys(("norm_2", "normsq", "sum_squares", "sqnorm"), "write `sumsq({0})`"),
    **dict.fromkeys(
        ("randn", "rand", "random", "normal", "randn_like"),
        "what is drawn is a start: `learnable w : vector[n] ~ normal(0, 0.1)`; data are bound",
    ),
    **dict.fromkeys(
        ("conv", "conv2d", "Conv2d", "convolve", "imfilter"),
        "a layer is declared and called: `learnable D : conv[1 -> 32, 3]` and `D(x)`; a filter that "
        "is known is `blur(K) @ x`",
    ),
    **dict.fromkeys(("fft", "dft", "rfft2", "fftn"), "the Fourier transform of images is `fft2 @ x`"),
    **dict.fromkeys(("fft2",), "apply it: `fft2 @ {0:o}`"),
    **dict.fromkeys(("ifft2",), "apply it: `ifft2 @ {0:o}`"),
    **dict.fromkeys(("dct", "dctn"), "the cosine transform of images is `dct2 @ x`"),
    **dict.fromkeys(("diagm",), "write `diag({0})`"),
    **dict.fromkeys(("vstack", "hstack", "cat", "concatenate"), "write `concat({0}, {1}, axis=1)`"),
    **dict.fromkeys(("ravel", "flatten", "reshape", "view"), "images become vectors by `vec(c, h, w) @ x`"),
    **dict.fromkeys(("gradient", "nabla", "finite_difference"), "differences of images are `grad @ x`"),
    **dict.fromkeys(("div",), "write `divergence @ x`"),
    **dict.fromkeys(("max_pool2d",), "a layer is declared: `conv[1 -> 32, 3] >> max_pool[2]`"),
    **dict.fromkeys(("print", "display", "disp"), "what a phase computes is watched with `trace`"),
    **dict.fromkeys(("range", "arange"), "the phases count themselves: `k` is the number of the phase"),
}  # fmt: skip

_NAMES: Mapping[str, str] = {
    **dict.fromkeys(("True", "true"), "write a comparison, such as `k > 3`"),
    **dict.fromkeys(("False", "false"), "write a comparison, such as `k > 3`"),
    **dict.fromkeys(("None", "nil", "null", "nothing"), "leave it out: every value has a type"),
    **dict.fromkeys(("inf", "Inf", "infinity"), "leave the bound out: a missing side is unbounded"),
    **dict.fromkeys(("Id", "eye", "identity"), "the identity is `I`, on every space"),
    "end": "the last entry is at the size of the axis: `x[n]`",
    **dict.fromkeys(("xavier", "glorot"), "random starts follow `~`: `~ xavier_normal`"),
    **dict.fromkeys(("kaiming", "he"), "random starts follow `~`: `~ kaiming_normal`"),
    **dict.fromkeys(("i", "j"), "the imaginary unit is written `1i`"),
}

# Modules whose functions are read as ours: `np.sqrt`, `torch.linalg.norm`.
MODULES = frozenset(
    {"np", "numpy", "torch", "nn", "F", "jnp", "jax", "math", "scipy", "sp", "tf", "LinearAlgebra"}
)

_KINDS: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(
        ("float", "real", "double", "number", "int", "integer", "Float64", "float32", "num", "R"),
        ("scalar",),
    ),
    **dict.fromkeys(
        ("array", "list", "ndarray", "Array", "signal", "vec", "column", "Vec"), ("vector",)
    ),
    **dict.fromkeys(("mat", "Mat"), ("matrix",)),
    **dict.fromkeys(("picture", "Image", "img", "volume"), ("image", "tensor")),
    **dict.fromkeys(("Tensor",), ("tensor",)),
}
_PADDINGS: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(("periodic", "wrap", "cyclic", "circ"), ("circular",)),
    **dict.fromkeys(("zeros", "constant", "same", "none", "valid"), ("zero",)),
    **dict.fromkeys(("symmetric", "mirror", "reflection"), ("reflect",)),
    **dict.fromkeys(("edge", "nearest", "neumann", "replication"), ("replicate",)),
}
_LAYERS = (
    "cnn",
    "CNN",
    "mlp",
    "unet",
    "UNet",
    "resnet",
    "denoiser",
    "net",
    "Conv2d",
    "nn",
    "model",
)


def function_instead(name: str, arguments: Sequence[str] = ()) -> str | None:
    """What to write for a call of a function that other languages have; None where that is unknown."""
    words = _FUNCTIONS.get(name)
    if words is None:
        return None
    given = (*arguments, *("v", "w", "t")[len(arguments) :])
    return words.format(*map(_Text, given))


def name_instead(name: str) -> str | None:
    """What to write for a name that other languages give a meaning."""
    return _NAMES.get(name)


def kind_instead(word: str) -> tuple[str, ...]:
    """The kinds of space that a word of another language may mean."""
    return _KINDS.get(word, ())


def padding_instead(word: str, known: Sequence[str]) -> tuple[str, ...]:
    """What is `word` elsewhere, of those paddings that are known here."""
    return tuple(ours for ours in _PADDINGS.get(word, ()) if ours in known)


def is_network(word: str) -> bool:
    """Whether a word that stands for a type means a network."""
    return word in _LAYERS
