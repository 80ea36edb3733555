"""The terms of a loss, each as a program of its own.

    loss (target : image[1, h, w]):
        mean((x - target)^2) + 0.01 * sum over phases mean(symmetry^2)

has two: the tree is split at the sums outermost in it, and a program whose loss is one of them is checked and
compiled as any other. They are evaluated where values are reported, never while training.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping

from torch import Tensor, nn

from unroll_dsl.driver import check_program
from unroll_dsl.spec import Spec
from unroll_dsl.syntax.nodes import Binary, Expr, Loss, Program, Unary
from unroll_dsl.syntax.printer import expression_text


def loss_of(program: Program) -> Loss | None:
    """The loss of a program."""
    return next((s for s in program.statements if isinstance(s, Loss)), None)


def term_names(spec: Spec) -> tuple[str, ...]:
    """The terms as they are written, in order; none where the loss is a single one."""
    loss = loss_of(spec.program)
    bodies = tuple(_summands(loss.body)) if loss is not None else ()
    return tuple(dict.fromkeys(map(expression_text, bodies))) if len(bodies) > 1 else ()


def terms(spec: Spec) -> dict[str, Spec]:
    """By its text, the program whose loss is that term alone."""
    loss = loss_of(spec.program)
    names = term_names(spec)
    if loss is None or not names:
        return {}
    found = {}
    for body in _summands(loss.body):
        alone = dataclasses.replace(loss, body=body)
        statements = tuple(alone if s is loss else s for s in spec.program.statements)
        program = dataclasses.replace(spec.program, statements=statements)
        found[expression_text(body)] = Spec(check_program(program))
    return found


class Terms:
    """The values of all terms for the weights of a network.

    Parameters
    ----------
    spec
        The program that the network is of.
    compile
        Makes a network of a program as that one was made.
    """

    def __init__(self, spec: Spec, compile: Callable[[Spec], nn.Module]) -> None:
        self.networks = {name: compile(term) for name, term in terms(spec).items()}

    def __call__(
        self, state: Mapping[str, Tensor], arguments: tuple[Tensor, ...]
    ) -> dict[str, Tensor]:
        """Scalars by the text of the term, averaged over the batch; `arguments` are those of `loss`."""
        found = {}
        for name, network in self.networks.items():
            held = network.state_dict()  # a term may need fewer learnables than the loss
            network.load_state_dict({key: state[key] for key in held})
            found[name] = network.loss(*arguments)  # type: ignore[operator]  # generated
        return found


def _summands(body: Expr, sign: bool = True) -> Iterator[Expr]:
    match body:
        case Binary("+", left, right):
            yield from _summands(left, sign)
            yield from _summands(right, sign)
        case Binary("-", left, right):
            yield from _summands(left, sign)
            yield from _summands(right, not sign)
        case _:
            yield body if sign else Unary("-", body, body.span)
