"""From the parts of a rule to its node: one function for each rule of the grammar.

Parts arrive as the grammar lists them, tokens included.
"""

from collections.abc import Mapping

from unroll_dsl.syntax.builder import chains, expressions, statements, types
from unroll_dsl.syntax.builder.parts import Header, OverLimit, Unit
from unroll_dsl.syntax.engine import Action

__all__ = ["ACTIONS", "Header", "OverLimit", "Unit"]

ACTIONS: Mapping[str, Action] = {
    "start": statements.start,
    "header": statements.header,
    "dims": statements.dims,
    "dimension": statements.dimension,
    "role": statements.role,
    "names": statements.names,
    "sharing": statements.sharing,
    "initial": statements.initial,
    "random": statements.random,
    "bounds": statements.bounds,
    "interval": statements.interval,
    "declaration": statements.declaration,
    "let": statements.let,
    "state": statements.state,
    "phase": statements.phase,
    "repeat": statements.repeat,
    "update": statements.update,
    "local": statements.local,
    "trace": statements.trace,
    "output": statements.output,
    "named": statements.named,
    "minimize": statements.minimize,
    "variable": statements.parameter,
    "target": statements.target,
    "loss": statements.loss,
    "measure": statements.measure,
    "formula": statements.formula,
    "definition": statements.definition,
    "block": statements.block,
    "block_name": statements.block_name,
    "sizes": statements.sizes,
    "result": statements.result,
    "expressions": statements.expressions,
    "space": types.space,
    "linear": types.linear,
    "network": types.network,
    "conv": types.conv,
    "conv_option": types.conv_option,
    "layer": types.layer,
    "layer_option": types.layer_option,
    "sized": types.sized,
    "repeated": types.repeated,
    "composed": types.composed,
    "unary": expressions.unary,
    "binary": expressions.binary,
    "phase_sum": expressions.phase_sum,
    "adjoint": expressions.adjoint,
    "call": chains.call,
    "index": expressions.index,
    "chain": chains.chain,
    "applied": chains.applied,
    "places": expressions.places,
    "range": expressions.between,
    "several": expressions.several,
    "imaginary": expressions.imaginary,
    "parenthesised": expressions.parenthesised,
    "arguments": expressions.arguments,
    "argument": expressions.argument,
    "name": expressions.name_atom,
    "number": expressions.number,
}
