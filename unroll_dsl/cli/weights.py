"""Import an authors' file of weights: `unroll weights import SPEC FILE -o OUT.safetensors`.

The names in FILE are translated by a map, algorithms/NAME.weights.toml or `--map`. OUT holds the
weights, the text of the spec and its hash: `unroll_dsl.load_network(OUT, bind=...)` is the network.
"""

from argparse import ArgumentParser, Namespace
from pathlib import Path

from unroll_dsl.cli.files import write_file
from unroll_dsl.cli.terminal import said
from unroll_dsl.cli.usage import Exit, UsageError
from unroll_dsl.files import weight_formats


def arguments(parser: ArgumentParser) -> None:
    parser.add_argument("action", choices=("import",), help="what to do")
    parser.add_argument("spec", metavar="SPEC", help="path, or name of an algorithm")
    parser.add_argument(
        "file", type=Path, metavar="FILE", help=f"{weight_formats()}; FILE:KEY of a checkpoint"
    )
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="OUT.safetensors")
    parser.add_argument("--map", type=Path, metavar="TOML", help="names in FILE to names in SPEC")
    parser.add_argument(
        "--phases", type=int, metavar="K", help="how many, where FILE does not tell"
    )
    parser.add_argument("--force", action="store_true", help="write over an existing file")


def run(options: Namespace) -> int:
    from unroll_dsl.cli.specs import load
    from unroll_dsl.resources import beside

    if options.output.suffix != ".safetensors":
        raise UsageError(f"{options.output}: networks are written as .safetensors")
    names = options.map or beside(options.spec, "weights.toml")
    spec = load(options.spec, no_colour=options.no_colour)
    from unroll_dsl.weights import import_weights, save_network
    from unroll_dsl.weights.names import BadMap

    try:
        found = import_weights(spec, options.file, names)
    except BadMap as error:
        raise UsageError(str(error)) from error
    for note in found.notes:
        said(f"note: {note}")
    phases = _phases(options, found.phases, spec.graph.phases)
    write_file(
        options.output,
        lambda path: save_network(path, spec, found.tensors, phases=phases),
        force=options.force,
    )
    count = sum(tensor.numel() for tensor in found.tensors.values())
    told = "" if phases is None else f", {phases} phases"
    if phases is not None and found.phases is None and options.phases is None:
        told += (
            " as the program says, for the file does not tell (`--phases K` gives another number)"
        )
    said(f"wrote {options.output}: {len(found.tensors)} tensors, {count:,} numbers{told}")
    return Exit.FINE


def _phases(options: Namespace, found: int | None, default: int | None) -> int | None:
    """How many: as the file tells, else as is asked for, else as the program says."""
    asked: int | None = options.phases
    if asked is not None and asked < 1:
        raise UsageError(f"--phases {asked}: a network has one phase at least")
    if asked is not None and found is not None and asked != found:
        raise UsageError(f"{options.file} holds the weights of {found} phases, not of {asked}")
    return default if found is None and asked is None else asked or found
