"""Write the PyTorch module of a spec: one readable file whose only import is torch.

Without `-o` it goes to stdout. `--emit` shows the program after another stage of the compiler.
`--bind` gives values of fixed names; with them the network is made and its weights are written
beside the module (`--weights`), or only checked against the declarations.
"""

from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from unroll_dsl.cli.emit import STAGES
from unroll_dsl.cli.files import refuse_to_overwrite, write_file, write_text
from unroll_dsl.cli.options import add_roles, add_values, roles, values
from unroll_dsl.cli.specs import check, load
from unroll_dsl.cli.terminal import said
from unroll_dsl.cli.usage import Exit, UsageError
from unroll_dsl.cli.values import by_name, level, phases

if TYPE_CHECKING:
    from unroll_dsl import Spec
    from unroll_dsl.backends.torch.styles import Style


def arguments(parser: ArgumentParser) -> None:
    parser.add_argument("file", metavar="FILE", help="path, or name of an algorithm")
    parser.add_argument(
        "--phases", type=phases, metavar="K", help="how many (as the file says), or fixed_point"
    )
    parser.add_argument("-o", "--output", type=Path, metavar="OUT.py", help="the file to write")
    parser.add_argument("--force", action="store_true", help="write over existing files")
    parser.add_argument(
        "--emit", default="torch", metavar="STAGE", help=f"one of {', '.join(STAGES)} (torch)"
    )
    parser.add_argument(
        "--weights", type=Path, metavar="OUT.pt", help="write the state_dict of the bound network"
    )
    parser.add_argument(
        "--style", metavar="STYLE", help="fast: what runs (the default); readable: to publish"
    )
    parser.add_argument(
        "--optimize",
        type=level,
        metavar="LEVEL",
        help="0: as written; 1: exact algebra; 2: kernels",
    )
    add_roles(parser)
    add_values(parser)


def run(options: Namespace) -> int:
    from unroll_dsl.cli.emit import known_stage

    stage = known_stage(options.emit)
    for path in (options.output, options.weights):
        if path is not None:
            refuse_to_overwrite(path, force=options.force)
    if stage == "torch":
        text = _torch(options)
    else:
        if options.weights is not None or options.bind:
            raise UsageError(f"`--emit {stage}` takes no values", "drop `--bind` and `--weights`")
        if options.style is not None or options.optimize is not None:
            raise UsageError(f"`--emit {stage}` has one form", "drop `--style` and `--optimize`")
        text = _dump(stage, options)
    if options.output is None:
        print(text, end="")
    else:
        write_text(options.output, text, force=options.force)
        said(f"wrote {options.output}")
    return Exit.FINE


def _torch(options: Namespace) -> str:
    spec = load(options.file, no_colour=options.no_colour)
    learn, fix = roles(options)
    dims = by_name(options.dims, "--dims")
    text = spec.source(
        phases=options.phases,
        learn=learn,
        fix=fix,
        dims=dims or None,
        style=_style(options.style),
        optimize=options.optimize,
    )
    if options.bind or options.init or options.weights is not None:
        _weights(spec, options)
    return text


def _style(word: str | None) -> "Style":
    from unroll_dsl.backends.torch.styles import STYLES

    for style in STYLES:
        if style == (word or "fast"):
            return style
    raise UsageError(f"no style `{word}`", f"give one of {', '.join(STYLES)}")


def _weights(spec: "Spec", options: Namespace) -> None:
    """Make the network, which holds what was bound against the declarations; keep its weights."""
    learn, fix = roles(options)
    network = spec.compile(phases=options.phases, learn=learn, fix=fix, **values(spec, options))
    if options.weights is None:
        return
    import torch

    weights = network.state_dict()
    write_file(options.weights, lambda path: torch.save(weights, path), force=options.force)
    said(f"wrote {options.weights}")


def _dump(stage: str, options: Namespace) -> str:
    """The program after a stage; tokens and tree also of a program with errors further on."""
    from unroll_dsl.cli import emit
    from unroll_dsl.diagnostics.raised import UnrollError

    checked = check(options.file)
    if stage == "tokens" and checked.file is not None:
        return emit.tokens(checked.file)
    if stage == "tree" and checked.program is not None:
        return emit.tree(checked.program)
    if checked.typed is None or checked.graph is None:
        raise UnrollError(checked.diagnostics)
    if stage == "types":
        return emit.types(checked.typed)
    if stage == "numpy":
        return emit.numpy(load(options.file), phases=options.phases)
    return emit.ir(checked.graph, stage)
