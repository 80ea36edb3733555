"""ONNX: one file, run by onnxruntime before it is written."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import torch

from unroll_dsl.export.checked import BATCH, agreement
from unroll_dsl.export.programs import as_pairs, real_program
from unroll_dsl.export.refused import CannotExport, among_themselves
from unroll_dsl.export.taken import Frozen

_OPERATION = re.compile(r"OpOverload\(op='(?P<name>[\w.]+)'")
_NEEDED = ("onnx", "onnxscript", "onnxruntime")


def write_onnx(made: Frozen, path: Path) -> float:
    """Write a network as ONNX; returns how far what onnxruntime gives is from what it gives itself.

    Inputs and outputs have the names of the page, the batch is free, complex values have an axis of length 2 last.

    Raises
    ------
    CannotExport
        If ONNX has an operation of it not, onnxruntime gives something else, or the extra is not installed.
    """
    for module in _NEEDED:
        _imported(module)
    found = _translated(made)
    found.save(str(path))
    return _tried(made, path)


def _imported(module: str) -> Any:
    from importlib import import_module

    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        raise CannotExport(
            f"ONNX needs `{module}`, which is not installed", "pip install 'unroll_dsl[export]'"
        ) from error


def _translated(made: Frozen) -> Any:
    names = [taken.name for taken in made.inputs]
    results = [f"{name}_out" if name in names else name for name in made.outputs]
    try:
        with among_themselves():
            return torch.onnx.export(
                real_program(made),
                dynamo=True,
                verbose=False,
                input_names=names,
                output_names=results,
            )
    except CannotExport:
        raise
    except Exception as error:  # of several libraries
        raise _refusal(made, error) from error


def _refusal(made: Frozen, error: BaseException) -> CannotExport:
    """What a translation failed at, by its name where there is one."""
    cause: BaseException | None = error
    words = ""
    while cause is not None:
        words, cause = str(cause), cause.__cause__ or cause.__context__
        found = _OPERATION.search(words)
        if found is not None:
            kind = " of complex values" if "complex" in words else ""
            return CannotExport(
                f"`{made.name}` has `{found['name']}`{kind}, which ONNX has not",
                "`--pt2` and `--py` write it",
            )
    return CannotExport(
        f"`{made.name}` has no form in ONNX: {words.strip().partition(chr(10))[0]}",
        "`--pt2` and `--py` write it",
    )


def _tried(made: Frozen, path: Path) -> float:
    """Run the file with another batch."""
    onnxruntime = _imported("onnxruntime")
    given = made.samples(BATCH)
    try:
        session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
        fed = {t.name: x.cpu().numpy() for t, x in zip(made.inputs, as_pairs(given), strict=True)}
        known = {each.name for each in session.get_inputs()}
        found = session.run(None, {name: x for name, x in fed.items() if name in known})
    except Exception as error:  # onnxruntime's own classes derive from it alone
        words = str(error).strip().partition("\n")[0]
        raise CannotExport(
            f"onnxruntime does not run `{made.name}`: {words}", "`--pt2` and `--py` write it"
        ) from error
    values = [torch.from_numpy(value) for value in found]
    expected = made.expected(*given)
    whole = [
        torch.view_as_complex(value.contiguous()) if own.is_complex() else value
        for own, value in zip(expected, values, strict=True)
    ]
    return agreement(made, given, whole, "onnxruntime")
