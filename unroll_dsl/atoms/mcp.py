"""The minimax concave penalty."""

from unroll_dsl.atoms.model import Atom, Parameter

ATOMS = (
    Atom(
        "mcp",
        "minimax concave penalty (MCP)",
        ("mcp_sum(v, l, c)",),
        convex=False,
        latex=r"\sum_i \mathrm{mcp}_{{l}, {c}}(({v})_i)",
        source="Zhang, 2010: firm thresholding where t < c",
        parameters=(
            Parameter("l", "the slope at 0", "0.5"),
            Parameter("c", "the concavity, above the step", "2.5"),
        ),
        prox="firm(v, t * l, c * l)",
        separable=True,
    ),
)
