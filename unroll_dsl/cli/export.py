"""Write a network for other runtimes: frozen, with any batch, run and held against the network before it is written.

    unroll export RUN --onnx net.onnx                        a trained run, for onnxruntime and others
    unroll export net.safetensors --pt2 net.pt2 --bind A=A.npy   a network in one file, for torch.export.load
    unroll export ista --py folder --bind A=A.npy            the module, its values and ten lines that load them
    unroll export RUN --aoti net.pt2                         code compiled by AOTInductor, for C++ too

Complex values are pairs of reals in ONNX, along a last axis. What a format cannot say is refused by its name.
"""

import tempfile
from argparse import ArgumentParser, Namespace
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from unroll_dsl.cli.files import refuse_to_overwrite, write_file
from unroll_dsl.cli.refusals import BIND, refusals
from unroll_dsl.cli.terminal import said
from unroll_dsl.cli.usage import Exit, UsageError
from unroll_dsl.cli.values import by_name, pair, phases, sizes

if TYPE_CHECKING:
    from torch import nn

_FORMATS = {
    "onnx": "a file for onnxruntime and others",
    "pt2": "a file for torch.export.load",
    "aoti": "a file of compiled code, for AOTInductor; its name ends in .pt2",
    "py": "a folder with the module, its values and what loads them",
}
_PRECISIONS = ("float32", "float64")


def arguments(parser: ArgumentParser) -> None:
    parser.add_argument(
        "network", metavar="NETWORK", help="folder of a run, a network's file, or a spec"
    )
    for word, about in _FORMATS.items():
        parser.add_argument(f"--{word}", type=Path, metavar="PATH", help=about)
    parser.add_argument(
        "--bind", type=pair, action="append", default=[], metavar="NAME=FILE", help=BIND
    )
    parser.add_argument(
        "--dims",
        type=sizes,
        default=(),
        metavar="h=256,w=256",
        help="sizes that nothing else tells",
    )
    parser.add_argument("--phases", type=phases, metavar="K", help="of a spec: how many")
    parser.add_argument(
        "--dtype", choices=_PRECISIONS, help="precision (of a spec float32, else as it has it)"
    )
    parser.add_argument("--force", action="store_true", help="write over what exists")


def run(options: Namespace) -> int:
    wanted = {word: getattr(options, word) for word in _FORMATS if getattr(options, word)}
    if not wanted:
        words = ", ".join(f"--{word}" for word in _FORMATS)
        raise UsageError("no format given", f"give one or more of {words}, each with a path")
    for word, path in wanted.items():
        _refuse(word, path, force=options.force)
    with refusals():
        network = _network(options)
    from unroll_dsl.export.refused import CannotExport
    from unroll_dsl.export.taken import frozen
    from unroll_dsl.export.writing import formats

    try:
        made = frozen(network, by_name(options.dims, "--dims"))
        for word, path in wanted.items():
            off = _written(word, path, partial(formats()[word], made), options)
            said(f"wrote {path}: run with another batch it is {off:.0e} off the network")
    except CannotExport as error:
        raise UsageError(error.message, error.mend) from error
    return Exit.FINE


def _refuse(word: str, path: Path, *, force: bool) -> None:
    if word != "py":
        refuse_to_overwrite(path, force=force)
    elif path.exists() and (not path.is_dir() or (any(path.iterdir()) and not force)):
        raise UsageError(f"{path} exists", "give a folder that does not, or `--force`")
    if word == "aoti" and path.suffix != ".pt2":
        raise UsageError(f"{path}: packages of AOTInductor end in .pt2")


def _network(options: Namespace) -> "nn.Module":
    """The network that a word means, in the precision that is asked for."""
    import torch

    from unroll_dsl.cli.arrays import read_value
    from unroll_dsl.cli.options import values
    from unroll_dsl.cli.specs import load

    dtype = getattr(torch, options.dtype) if options.dtype else None
    path = Path(options.network)
    if path.is_dir() or path.suffix == ".safetensors":
        if options.phases is not None:
            raise UsageError("a network that is trained has its phases", "drop `--phases`")
        bind = {k: read_value(k, v) for k, v in by_name(options.bind, "--bind").items()}
        return _trained(path, bind, dict(by_name(options.dims, "--dims")), dtype)
    spec = load(options.network, no_colour=options.no_colour)
    options.init = []
    given = values(spec, options)
    return spec.compile(options.phases, **given, dtype=dtype or torch.float32, seed=0)


def _trained(path: Path, bind: dict[str, Any], dims: dict[str, int], dtype: Any) -> "nn.Module":
    from unroll_dsl.train.run import Run
    from unroll_dsl.weights.container import load_network

    if path.is_dir():
        more = {} if dtype is None else {"dtype": dtype}
        return Run.open(path).network(bind=bind, **more)
    return load_network(path, bind=bind, dims=dims, dtype=dtype)


def _written(word: str, path: Path, write: Callable[[Path], float], options: Namespace) -> float:
    """Write whole or not at all; returns how far what was written is from the network."""
    found: list[float] = []
    if word != "py":
        write_file(path, lambda p: found.append(write(p)), force=options.force)
        return found[0]
    with tempfile.TemporaryDirectory(dir=path.resolve().parent) as folder:
        off = write(Path(folder) / "made")
        path.mkdir(exist_ok=True)
        for each in (Path(folder) / "made").iterdir():
            if each.is_file():
                each.replace(path / each.name)
    return off
