"""Authors' files of every shipped weights map, at depths that are not the program's default."""

from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

import unroll_dsl
from unroll_dsl.cli.main import main
from unroll_dsl.resources import algorithm_names, beside
from unroll_dsl.weights import import_weights
from unroll_dsl.weights.container import put, read_spec
from unroll_dsl.weights.names import TensorRule, read_map

SIDE = 6
MAPS = tuple(name for name in algorithm_names() if beside(name, "weights.toml").is_file())
SHARED = tuple(name for name in MAPS if not any(
    rule.per_phase for rule in read_map(beside(name, "weights.toml")).rules
))  # fmt: skip


def network(name: str, phases: int) -> Any:
    spec = unroll_dsl.load(name)
    rows = SIDE**2 if name == "fista_net" else 5  # fewer leave its system singular
    sizes = {dim: rows for dim, default in spec.graph.dims if default is None}
    sizes |= {dim: SIDE for dim in ("h", "w") if dim in sizes}
    sizes |= {"n": SIDE**2} if "n" in sizes else {}
    bind = {}
    generator = torch.Generator().manual_seed(0)
    for constant in spec.graph.constants:
        if constant.default is None:
            spaces = getattr(constant.type, "structure", None)
            whole = constant.type if spaces is None else (spaces.codomain, spaces.domain)
            shape = [
                torch.Size([dim.substitute(sizes).value for dim in space.shape]).numel()
                for space in whole
            ] if isinstance(whole, tuple) else [d.substitute(sizes).value for d in whole.shape]  # fmt: skip
            bind[constant.name] = torch.rand(shape, generator=generator)
    return spec.compile(phases, bind=bind, dims=sizes, seed=1)


def theirs(name: str, phases: int) -> dict[str, Tensor]:
    """What the authors' code saves of a network of so many phases."""
    names = read_map(beside(name, "weights.toml"))
    held = network(name, phases).state_dict()
    found: dict[str, Tensor] = {}

    def add(rule: TensorRule, k: int, tensor: Tensor) -> None:
        axes = torch.tensor(rule.axes or range(tensor.ndim)).argsort().tolist()
        found[rule.patterns(k)[0].replace("*", "x")] = tensor.permute(axes).contiguous()

    for rule in names.rules:
        if not rule.per_phase:
            add(rule, 1, held[rule.ours])
            continue
        for k in range(1, phases + 1):
            if (key := f"phases.{k - 1}.{rule.ours}") in held:  # the last may need less
                add(rule, k, held[key])
    if names.phases is not None:
        # the same block again, under the name of each layer
        block = {key: value.clone() for key, value in found.items() if value.ndim == 4}
        some = next(iter(block.values()))
        for k in range(1, phases - names.more + 1):
            found[names.phases.patterns(k)[0]] = some.clone()
    return {names.strip + key: value for key, value in found.items()}


def test_there_are_maps_of_both_kinds() -> None:
    assert len(MAPS) >= 7 and {"fista_net", "fista_net_plus", "admm_csnet"} == {*SHARED}


@pytest.mark.parametrize("phases", [2, 12])
@pytest.mark.parametrize("name", MAPS)
def test_a_file_has_its_own_number_of_phases(name: str, phases: int, tmp_path: Path) -> None:
    saved = theirs(name, phases)
    save_file(saved, tmp_path / "theirs.safetensors")
    spec = unroll_dsl.load(name)
    found = import_weights(spec, tmp_path / "theirs.safetensors", beside(name, "weights.toml"))
    assert found.phases == phases != spec.graph.phases
    net = network(name, phases)
    put(net, found.tensors, "theirs")
    expected = network(name, phases).state_dict()
    assert all(torch.equal(value, expected[key]) for key, value in net.state_dict().items())


@pytest.mark.parametrize("name", MAPS)
def test_a_file_that_leaves_a_phase_out_is_refused(name: str, tmp_path: Path) -> None:
    names = read_map(beside(name, "weights.toml"))
    rules = [rule for rule in names.rules if rule.per_phase] or [names.phases]
    gone = {
        names.strip + pattern.replace("*", "x")
        for rule in rules
        if rule is not None
        for pattern in rule.patterns(2)
    }
    saved = {key: value for key, value in theirs(name, 5).items() if key not in gone}
    save_file(saved, tmp_path / "theirs.safetensors")
    with pytest.raises(unroll_dsl.UnrollError, match="belongs to phase 2"):
        import_weights(
            unroll_dsl.load(name), tmp_path / "theirs.safetensors", beside(name, "weights.toml")
        )


@pytest.mark.parametrize("name", SHARED)
def test_a_file_that_does_not_tell_its_phases(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The distinct tensors alone: as many phases as asked for, or as the program has, and said so."""
    names = read_map(beside(name, "weights.toml"))
    ours = {names.strip + rule.theirs[0] for rule in names.rules}
    bare, made = tmp_path / "bare.safetensors", tmp_path / "made.safetensors"
    save_file({key: value for key, value in theirs(name, 3).items() if key in ours}, bare)
    command = ["weights", "import", name, str(bare), "-o", str(made)]
    assert main([*command, "--phases", "4"]) == 0
    assert read_spec(made)[1] == 4
    assert main([*command, "--force"]) == 0
    default = unroll_dsl.load(name).graph.phases
    assert read_spec(made)[1] == default
    assert f"{default} phases as the program says" in capsys.readouterr().err


def test_another_number_than_the_file_has_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    save_file(theirs("ista_net", 3), tmp_path / "theirs.safetensors")
    place, made = str(tmp_path / "theirs.safetensors"), str(tmp_path / "made.safetensors")
    assert main(["weights", "import", "ista_net", place, "-o", made, "--phases", "9"]) == 2
    assert "weights of 3 phases, not of 9" in capsys.readouterr().err
