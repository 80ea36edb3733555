"""Write a commented spec to start from, or a copy of an algorithm that comes along."""

import re
from argparse import ArgumentParser, Namespace
from pathlib import Path

from unroll_dsl.cli.files import write_text
from unroll_dsl.cli.terminal import said
from unroll_dsl.cli.usage import Exit, UsageError

STARTER = """\
# NAME, sparse coding by proximal gradient steps, unrolled.
# The comment at the top of a file says what it is and where it was published.
algorithm NAME
dims m, n                                         # sizes; what is bound decides them

input     y      : vector[m]                      # what the network is given
fixed     A      : matrix[m, n]                   # bound when the network is made
fixed     lambda : scalar > 0 = 0.1               # a constant, with its classical value
let       L      = norm(A)^2                      # computed once: the largest eigenvalue of A'A

# `learnable` constants are trained. Each starts at its classical value, so that the untrained
# network is the textbook iteration. `per phase` gives every phase a value of its own.
learnable step      : scalar > 0 per phase = 1 / L
learnable threshold : scalar >= 0 per phase = lambda / L

# What is minimised: `unroll check` shows that it falls from phase to phase.
minimize over x:
    1/2 * sumsq(A @ x - y) + lambda * norm1(x)

state x : vector[n] = 0                           # what the phases carry on, and its start
phase (10):
    r = A @ x - y                                 # `=` names a value of this phase
    x <- soft(x - step * A' @ r, threshold)       # `<-` updates a state; A' is the adjoint
output x

# What training makes small, averaged over the batch.
loss (x_true : vector[n]):
    1/2 * sumsq(x - x_true)

# How the data of an input are made of what is to be found. `noise` is white,
# of standard deviation 1.
measure y = A @ x_true + 0.01 * noise
"""

_NAME = re.compile(r"[^\W\d]\w*")
_HEADER = re.compile(r"^(algorithm|problem)([ \t]+)([^\W\d]\w*)", re.MULTILINE)


def arguments(parser: ArgumentParser) -> None:
    parser.add_argument("name", metavar="NAME", help="name of the algorithm, or path of its file")
    parser.add_argument(
        "--from", dest="origin", metavar="ALGORITHM", help="copy this one (see `unroll list`)"
    )
    parser.add_argument("--force", action="store_true", help="write over an existing file")


def run(options: Namespace) -> int:
    path = Path(options.name)
    if path.suffix != ".unroll":
        path = path.with_name(f"{path.name}.unroll")
    name = path.stem
    if not _NAME.fullmatch(name):
        mend = re.sub(r"\W+", "_", name).strip("_")
        raise UsageError(
            f"`{name}` cannot name an algorithm: letters, digits and `_`, a letter first",
            f"`unroll new {path.with_name(mend)}`" if _NAME.fullmatch(mend) else None,
        )
    write_text(path, _text(name, options.origin), force=options.force)
    said(f"wrote {path}; `unroll check {path}` checks it")
    return Exit.FINE


def _text(name: str, origin: str | None) -> str:
    if origin is None:
        return STARTER.replace("NAME", name)
    from unroll_dsl.cli.specs import load

    text = load(origin).program.file.text
    return _HEADER.sub(rf"\g<1>\g<2>{name}", text, count=1)
