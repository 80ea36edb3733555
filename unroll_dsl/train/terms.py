"""The values of the terms of a loss (programs/loss_terms.py), where values are reported, never while training."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from torch import Tensor, nn

from unroll_dsl.driver import check_program
from unroll_dsl.programs.loss_terms import loss_terms
from unroll_dsl.spec import Spec


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
        self.networks = {
            name: compile(Spec(check_program(term)))
            for name, term in loss_terms(spec.program).items()
        }

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
