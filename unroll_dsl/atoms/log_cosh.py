"""The logarithm of the hyperbolic cosine."""

from unroll_dsl.atoms.model import Atom

ATOMS = (
    Atom(
        "log_cosh",
        "log-cosh loss",
        ("sum(v + softplus(-2 * v) - log(2))",),
        convex=True,
        latex=r"\sum_i \log \cosh ({v})_i",
        source="Green, 1990: the second derivative is 1 - tanh^2",
        gradient="tanh(v)",
        lipschitz="1",
        separable=True,
    ),
)
